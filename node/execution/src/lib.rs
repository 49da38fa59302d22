//! Block execution: transactions and a state view in, receipts and a state diff out.
//!
//! The only room that knows revm; none of its types leaves it. Pure: no clock, disk, network,
//! randomness or hash-ordered map, so that every validator computes the same [`Outcome`] from
//! the same input. It does not compute state roots (`tbsi-store` does), does not verify
//! signatures (a [`Transaction`](tbsi_types::Transaction) is verified already) and does not
//! know consensus.
//!
//! The rules are those of the protocol version in the parent's state (SPEC §13.12): Ethereum's
//! Osaka fork from genesis with one difference (SPEC §5.2): the base fee is 0 and a signed bid is
//! executed at price 0, so that a key without funds can send.
//!
//! ```
//! # use tbsi_execution::{BlockContext, execute};
//! # use tbsi_types::{Account, Address, B256, Bytes, Height, StateView, TimestampMs, U256, ViewError};
//! # struct Empty;
//! # impl StateView for Empty {
//! #     fn account(&self, _: Address) -> Result<Option<Account>, ViewError> { Ok(None) }
//! #     fn code(&self, _: B256) -> Result<Bytes, ViewError> { Ok(Bytes::new()) }
//! #     fn storage(&self, _: Address, _: U256) -> Result<U256, ViewError> { Ok(U256::ZERO) }
//! #     fn block_hash(&self, _: u64) -> Result<B256, ViewError> { Ok(B256::ZERO) }
//! # }
//! let context = BlockContext {
//!     chain_id: 8_862_026,
//!     genesis_hash: B256::repeat_byte(2),
//!     height: Height(1),
//!     time: TimestampMs(1_700_000_000_000),
//!     beneficiary: Address::ZERO,
//!     gas_limit: 300_000_000,
//!     parent_hash: B256::repeat_byte(1),
//! };
//! let outcome = execute(&Empty, &context, &[])?;
//! assert_eq!(outcome.gas_used, 0);
//! # Ok::<(), tbsi_execution::ExecutionError>(())
//! ```

mod access_list;
mod block;
mod boundary;
mod call;
mod calls;
mod construct;
mod emitted;
mod environment;
mod error;
mod foreign;
mod frames;
mod gate;
mod genesis;
mod handler;
mod intrinsic;
pub mod limits;
mod overlay;
mod overrides;
mod precompiles;
mod protocol;
mod reads;
mod roster;
mod rules;
mod run;
mod simulate;
mod stop;
mod system;
mod trace;
mod transaction;
mod transfers;
mod upgrade;
mod watch;
mod words;

#[doc(hidden)]
pub mod conformance;

pub use block::{BuildLimits, Built, Skipped, Slow, build, execute};
pub use call::{CallSite, call, estimate_gas};
pub use construct::{ConstructionError, construct};
pub use environment::BlockContext;
pub use error::ExecutionError;
pub use gate::admission;
pub use genesis::{GenesisStateError, genesis_diff};
pub use intrinsic::{Inadmissible, admissible};
pub use limits::LIGHT_GAS_MAX;
pub use precompiles::precompile_names;
pub use protocol::Protocol;
pub use reads::{BlockReads, block_reads};
pub use roster::{elected, peers};
pub use rules::PROTOCOL_VERSION;
pub use run::Outcome;
pub use simulate::{SIMULATED_BLOCKS_MAX, SIMULATED_BYTES_MAX, SimulationHost};
pub use system::system_accounts;
pub use trace::{
    Trace, TraceBounds, TraceError, TraceKind, TracedBlock, slots_within, trace_block, trace_calls,
};
pub use upgrade::{block_rules, planned_upgrade};
