//! The store as a whole: copies, a second reading of every byte, sizes.

use std::path::Path;

use tbsi_types::ChainIdentity;

use crate::database::{Database, ReadThrough, TableSize};
use crate::error::StoreError;
use crate::store::{Store, StoreOptions, check_owner};

impl Store {
    /// Opens the store in `dir` without changing anything there, for looking at it: every write
    /// fails. It must be there, of this network and schema, and nobody may write to it meanwhile.
    pub fn open_read_only(
        dir: &Path,
        identity: ChainIdentity,
        options: StoreOptions,
    ) -> Result<Self, StoreError> {
        let database = Database::open_read_only(dir, options.cache_bytes)?;
        check_owner(&database, &identity, false)?;
        Self::load(database, identity, options)
    }

    /// Makes a copy of the database as of now in `dir`, which must not exist, while the store is
    /// in use. Its files are links where the file system allows it: the copy must be read, not
    /// written.
    pub fn copy_to(&self, dir: &Path) -> Result<(), StoreError> {
        self.database.copy_to(dir)
    }

    /// Reads on in a reading of the whole database, of which every block's checksum is compared,
    /// for about `bytes_max` bytes more. Returns whether there is more.
    pub fn read_on(&self, at: &mut ReadThrough, bytes_max: u64) -> Result<bool, StoreError> {
        self.database.read_on(at, bytes_max)
    }

    /// Size of each table.
    pub fn sizes(&self) -> Result<Vec<TableSize>, StoreError> {
        self.database.sizes()
    }

    /// Writes every table anew without what was overwritten or deleted, which needs as much room
    /// again as the largest of them; tells `done` of each.
    pub fn compact_all(&self, done: impl FnMut(&'static str)) -> Result<(), StoreError> {
        self.database.compact_all(done)
    }
}
