//! The map of what is current: a sparse Merkle tree whose root is a leaf of the log
//! (SPEC §9.11).
//!
//! The log says all that was ever said, in order; that something was *not* said, nobody can see in
//! it. The map has an entry for each digest that was attested and for each id of which something
//! was said, in the order of their hashes, so an empty place proves that there is none.
//!
//! [`question`] is what the map can be asked, [`entry`] what it holds, [`page`] how the tree is
//! cut into pieces that are stored, [`update`] how leaves become entries, [`answer`] what proves
//! an entry or its absence, [`state`] when a root is told.

pub mod answer;
pub mod entry;
mod hash;
pub mod page;
pub mod question;
pub mod state;
pub mod update;

pub use answer::{AnswerError, MapAnswer, MapEnd};
pub use entry::{EntryError, FirstAttested, MapValue, Said, SchemaEntry, StatusEntry};
pub use hash::{EMPTY_MAP_ROOT, branch_hash, entry_hash};
pub use page::{MapPage, MapPath, MapSlot, PageReader};
pub use question::MapQuestion;
pub use state::{MapState, is_about, revoked_algorithms_hash};
pub use update::{MapChanges, MapUpdate};
