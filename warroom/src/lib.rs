//! The war room: an independent third party's view of a chain (SPEC §19).
//!
//! It reads the log from nodes or from any copy of its files, believes neither, and verifies every
//! checkpoint, handover and leaf with `tbsi-light` from the genesis file on before it indexes
//! them. What it then shows over HTTP (`openapi.json`) follows from those leaves; what they do
//! not tell is said not to be known. A fork, a log that was written anew and a chain that is
//! silent are told first, and nothing is indexed after a contradiction.
//!
//! It is no part of a node, signs nothing, and its index can be made again from the log at any
//! time.
//!
//! ```no_run
//! # async fn run() -> Result<(), tbsi_warroom::WarroomError> {
//! let config = tbsi_warroom::WarroomConfig {
//!     genesis: std::fs::read("genesis.json").unwrap_or_default(),
//!     rpc: vec!["http://127.0.0.1:8545".into()],
//!     data: "warroom".into(),
//!     ..tbsi_warroom::WarroomConfig::default()
//! };
//! let outcome = tbsi_warroom::follow_once(config).await?;
//! println!("{} leaves", outcome.size);
//! # Ok(())
//! # }
//! ```

mod limits;
mod said;

mod alarm;
mod registry;
mod source;
mod tree;

mod digest;
mod store;
mod trust;

mod desk;
mod shared;

mod follow;

mod api;
mod clock;
mod notify;
mod run;
mod web;

pub use desk::{Channel, NewSubscription, Subscription};
pub use notify::{NotifyConfig, SmtpConfig, SmtpTls, subscribe, subscriptions, unsubscribe};
pub use run::{WarroomConfig, WarroomOutcome, follow_once, run};
pub use said::WarroomError;
