//! JSON-RPC of a TBSI node: the server, the types of its answers, and a small client.
//!
//! [`RpcServer`] answers `eth_*`, `net_*`, `web3_*`, `txpool_*` and `tbsi_*` over HTTP and
//! WebSocket on one port, from whatever implements [`Backend`]. To Ethereum's clients the
//! chain is an ordinary one with instant finality and no fees: shapes, error codes and error
//! words are go-ethereum's. Every request, response, queue and scan has a limit ([`limits`],
//! [`RpcLimits`]), and an error that comes from a limit names it.
//!
//! On the same port, `/log/` serves the attestation log as C2SP tlog-tiles (SPEC §9.5, §9.6)
//! and `/tsa` time stamps of RFC 3161 (SPEC §11).
//!
//! This crate executes nothing and stores nothing; it knows no key and signs nothing. Connections,
//! calls, and what a request makes the node or the log pay for, are counted here; so a node needs
//! no reverse proxy before it, and works behind one.
//!
//! ```no_run
//! # async fn example(backend: std::sync::Arc<dyn tbsi_rpc::Backend>)
//! #     -> Result<(), Box<dyn std::error::Error>> {
//! use tbsi_rpc::{ServerConfig, listen};
//!
//! let server = listen(ServerConfig::default(), backend).await?;
//! println!("http://{}", server.local_addr());
//! let (stop, stopping) = tokio::sync::watch::channel(false);
//! server.run(stopping).await;
//! # drop(stop);
//! # Ok(())
//! # }
//! ```

pub mod backend;
pub mod limits;
mod linger;
pub mod rates;
pub mod wire;

mod acceptor;
mod admin;
mod allowed;
mod api;
mod arguments;
mod besu;
mod caller;
mod client;
mod debug;
mod envelope;
mod error;
mod eth;
mod filters;
mod frames;
#[doc(hidden)]
pub mod fuzz;
mod guarded;
mod log;
mod methods;
mod middleware;
mod net;
mod order;
mod ots;
mod outgoing;
mod pages;
mod post;
mod server;
mod session;
mod socket;
mod stream;
mod submit;
mod subscribe;
mod tbsi;
mod timed;
mod tls;
mod token;
mod trace;
mod txpool;
mod waiting;
mod web;

pub use backend::hindsight::{
    AccountParts, Allowance, ExecutionWitness, HashedAccount, HashedAccounts, HashedSlot,
    HashedSlots, Hindsight, HindsightError, TransactionPlaces,
};
pub use backend::{
    Backend, BackendError, CalendarAnswer, Fees, LogKeys, OwnPeer, PendingTimestamp, PlacedReceipt,
    PoolContent, SubmitError, Timestamp, TimestampAdmission, TimestampClient, TimestampFailure,
    Witnessing,
};
#[doc(hidden)]
pub use client::LocalNode;
pub use client::{Client, ClientError, Leaves, LogReader, request_timestamp};
pub use guarded::{panic_ends_call_only, vital};
pub use limits::RpcLimits;
pub use methods::{Audience, openrpc_document};
pub use outgoing::{
    AddressError, HTTP_FILE, Http, HttpConfigError, HttpProblem, Remote, RemoteAnswer,
};
pub use server::{OperatorListener, RpcError, RpcServer, ServerConfig, check, listen};
pub use tls::{TlsError, TlsFiles};
pub use token::TokenSecret;
pub use web::WebRuleError;
