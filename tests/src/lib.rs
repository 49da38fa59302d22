//! What is measured and tested from outside: the benchmark, and (in `tests/`) conformance and
//! whole networks of real processes. Nothing here is needed to build the product.

pub mod bench;
pub mod bridge;
pub mod council;
pub mod desk;
pub mod faults;
pub mod harness;
pub mod issuer;
pub mod outside;
pub mod socket;
pub mod stand_in;
