//! Tests of the store as a whole; `fixture` makes chains for them.

mod appearance;
mod audit;
mod commit;
mod consensus;
mod crash;
mod fixture;
mod log;
mod lookup;
mod map;
mod open;
mod pruning;
mod ranges;
mod roster;
mod signed;
mod state;
mod trie;
