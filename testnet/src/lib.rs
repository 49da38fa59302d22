//! A TBSI network described as data and started as real processes of the `tbsi` binary.
//!
//! [`Network::create`] writes a genesis file and one home directory per node;
//! [`Network::start_all`] starts a process for each, in its own process group, with its output
//! in `node.log`. `tbsi testnet` and the four-process tests are made of the same calls.
//!
//! ```no_run
//! # async fn example() -> Result<(), tbsi_testnet::NetworkError> {
//! use tbsi_testnet::{Network, NetworkSpec, START_TIMEOUT};
//!
//! let spec = NetworkSpec::new("network", 4, 1);
//! let mut network = Network::create(&spec, "target/debug/tbsi".as_ref())?;
//! network.start_all()?;
//! network.wait_all(tbsi_types::Height(1), START_TIMEOUT, &mut |_| ()).await?;
//! println!("{}", network.rpc_url(0));
//! network.kill9(0).await?;
//! network.start(0)?;
//! # Ok(())
//! # }
//! ```
//!
//! For development: all keys of a network lie side by side on one machine.

mod authority;
pub mod development;
mod error;
mod files;
mod manifest;
mod network;
mod ports;
mod process;
mod spec;

pub use authority::AUTHORITY_ROOT;
pub use error::NetworkError;
pub use manifest::NodeInfo;
pub use network::{Network, START_TIMEOUT, STOP_TIMEOUT};
pub use nix::sys::signal::Signal;
pub use spec::{DEVELOPMENT_CHAIN_ID, NetworkSpec};
