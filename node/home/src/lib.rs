//! A node's home directory, and the founding of a network from several.
//!
//! [`Home`] says what is where and whether it fits together, [`config`] what one node may choose,
//! [`founding`] how organisations make one genesis file, [`predeploys`] which contracts of others it
//! can have. Nothing here opens the database or a
//! socket: what needs a node's data too is `tbsi-node`'s.

pub mod config;
pub mod founding;
mod home;
pub mod limits;
pub mod predeploys;

pub use home::{
    FirstMark, Home, HomeError, LoadedHome, Reset, SignerRole, Voter, check_peer_ids, load_genesis,
};
