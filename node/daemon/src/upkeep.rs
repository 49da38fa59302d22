//! What keeps a database well: a second reading in the background, and what an operator does to one.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tbsi_home::Home;
use tbsi_store::{ReadThrough, Store, StoreError, StoreOptions, TableSize};
use tokio::sync::watch;
use tokio::time::sleep;
use tracing::info;

use crate::audit::{AuditProgress, AuditedChain, audit};
use crate::backup::{BackupError, copy_of};
use crate::limits::{SCRUB_DELAY, SCRUB_INTERVAL, SCRUB_STEP_BYTES, SCRUB_STEP_INTERVAL};
use crate::node::Node;
use crate::options::store_options;

/// Reads the whole database again, a little at a time, once a day: RocksDB compares the checksum of
/// all that it reads. Damage ends the node, as every other error of the disk does: what lies cold
/// would otherwise rot until the day it is asked for, and with it the copies that are made of it.
/// What the operating system still has in memory does not come from the disk.
pub(crate) async fn scrub(node: Arc<Node>, mut stop: watch::Receiver<bool>) -> anyhow::Result<()> {
    if waits(&mut stop, SCRUB_DELAY).await {
        return Ok(());
    }
    loop {
        let mut at = ReadThrough::default();
        loop {
            let (read, before) = (Arc::clone(&node), at.bytes);
            let step = move || {
                let more = read.store.read_on(&mut at, SCRUB_STEP_BYTES);
                more.map(|more| (more, at))
            };
            let (more, to) = tokio::task::spawn_blocking(step).await?.context(
                "read the database again; what is stored is damaged: see that the disk works, then \
                 restore a backup into a new home (`tbsi backup restore`), or let a new home sync",
            )?;
            node.metrics.scrubbed_bytes.inc_by(to.bytes - before);
            at = to;
            if !more {
                break;
            }
            if waits(&mut stop, SCRUB_STEP_INTERVAL).await {
                return Ok(());
            }
        }
        node.metrics.scrubs.inc();
        info!(
            entries = at.entries,
            bytes = at.bytes,
            "the whole database was read again"
        );
        if waits(&mut stop, SCRUB_INTERVAL).await {
            return Ok(());
        }
    }
}

/// Waits; returns whether the node stops.
async fn waits(stop: &mut watch::Receiver<bool>, pause: Duration) -> bool {
    tokio::select! {
        _ = stop.wait_for(|stop| *stop) => true,
        () = sleep(pause) => false,
    }
}

/// The database of a home whose node does not run.
fn open(home: &Home) -> Result<Store, BackupError> {
    let loaded = home.load()?;
    if !home.has_database()? {
        let dir = home.database_dir();
        return Err(StoreError::NoDatabase { dir }.into());
    }
    let options = store_options(&loaded.config.store);
    let identity = loaded.genesis.identity();
    Ok(Store::open(&home.database_dir(), identity, options)?)
}

/// A database as a whole.
#[derive(Clone, Debug)]
pub struct DatabaseStats {
    /// The last block.
    pub height: u64,
    /// The oldest whose state is kept.
    pub oldest_state: u64,
    /// The oldest block above genesis whose transactions and receipts are kept.
    pub oldest_block: u64,
    /// Leaves of the log.
    pub log_size: u64,
    /// Each table.
    pub tables: Vec<TableSize>,
}

/// Looks at the database of a home, whose node may run.
pub fn stats(home: &Home) -> Result<DatabaseStats, BackupError> {
    let loaded = home.load()?;
    let copied = copy_of(home, &loaded.config, &loaded.genesis)?;
    let options = StoreOptions::default();
    let store = Store::open_read_only(copied.dir(), loaded.genesis.identity(), options)?;
    let tip = store.tip();
    Ok(DatabaseStats {
        height: tip.map(|tip| tip.height.0).unwrap_or_default(),
        oldest_state: store.oldest_state().0,
        oldest_block: store.oldest_block().0,
        log_size: tip.map(|tip| tip.log_size.0).unwrap_or_default(),
        tables: store.sizes()?,
    })
}

/// What a database was found to be.
#[derive(Clone, Debug)]
pub struct VerifiedDatabase {
    /// All of it was read, and every checksum compared.
    pub read: ReadThrough,
    /// From the genesis file to its tip.
    pub chain: AuditedChain,
}

/// Verifies the database of a home from its genesis file to its tip, and reads everything in it.
/// The node may run: then a copy is verified that it makes.
pub fn verify(
    home: &Home,
    progress: &mut AuditProgress<'_>,
) -> Result<VerifiedDatabase, BackupError> {
    let loaded = home.load()?;
    let copied = copy_of(home, &loaded.config, &loaded.genesis)?;
    let options = StoreOptions::default();
    let store = Store::open_read_only(copied.dir(), loaded.genesis.identity(), options)?;
    let mut read = ReadThrough::default();
    while store.read_on(&mut read, SCRUB_STEP_BYTES)? {}
    let chain = audit(&store, &loaded.genesis, progress)?;
    Ok(VerifiedDatabase { read, chain })
}

/// Writes the database of a home anew, whose node does not run; returns the sizes of its tables
/// before and after.
pub fn compact(
    home: &Home,
    done: impl FnMut(&'static str),
) -> Result<[Vec<TableSize>; 2], BackupError> {
    let store = open(home)?;
    let before = store.sizes()?;
    store.compact_all(done)?;
    Ok([before, store.sizes()?])
}
