//! What consensus must find again after a crash: blocks that are not decided yet, and which of
//! them this node built.

use std::collections::{BTreeMap, BTreeSet};

use tbsi_types::limits::BLOCK_BYTES_MAX;
use tbsi_types::{CheckpointDigest, Height, Round};

use crate::database::{Batch, Database, Table};
use crate::error::{StoreError, corrupt};
use crate::keys;
use crate::limits::{BUILT_ROUNDS_MAX, UNDECIDED_HEIGHTS_MAX, UNDECIDED_PER_HEIGHT_MAX};
use crate::store::Store;

/// Which undecided blocks are stored; the blocks themselves stay on the disk.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    /// At each height the oldest first; after a restart in order of their digests.
    blocks: BTreeMap<Height, Vec<CheckpointDigest>>,
    built: BTreeMap<(Height, Round), CheckpointDigest>,
}

impl Waiting {
    pub(crate) fn load(database: &Database) -> Result<Self, StoreError> {
        let mut waiting = Self::default();
        let what = "undecided blocks";
        let damaged = |problem: &'static str| corrupt(what)(&problem);
        let view = database.snapshot();
        view.scan(Table::Consensus, keys::UNDECIDED_BLOCKS, what, |key, _| {
            let (height, digest) = keys::parse_undecided(key).ok_or_else(|| damaged("key"))?;
            waiting.blocks.entry(height).or_default().push(digest);
            Ok(true)
        })?;
        view.scan(Table::Consensus, keys::BUILT_BLOCKS, what, |key, value| {
            let position = keys::parse_built(key).ok_or_else(|| damaged("key"))?;
            let digest = value.try_into().map_err(|_| damaged("digest"))?;
            waiting.built.insert(position, CheckpointDigest(digest));
            Ok(true)
        })?;
        Ok(waiting)
    }

    /// Deletes what waited up to `height`.
    pub(crate) fn write_decided(&self, batch: &mut Batch<'_>, height: Height) {
        for (height, digests) in self.blocks.range(..=height) {
            for digest in digests {
                batch.delete(Table::Consensus, &keys::undecided(*height, *digest));
            }
        }
        for (height, round) in self.built.keys().filter(|(built, _)| *built <= height) {
            batch.delete(Table::Consensus, &keys::built(*height, *round));
        }
    }

    /// Forgets what waited up to `height`.
    pub(crate) fn decided(&mut self, height: Height) {
        self.blocks.retain(|waiting, _| *waiting > height);
        self.built.retain(|(built, _), _| *built > height);
    }

    fn holds(&self, height: Height, digest: CheckpointDigest) -> bool {
        self.blocks
            .get(&height)
            .is_some_and(|digests| digests.contains(&digest))
    }

    /// Rounds for which this node built a block at `height`, lowest first.
    fn own(&self, height: Height) -> impl Iterator<Item = (Round, CheckpointDigest)> + '_ {
        self.built
            .range((height, Round::ZERO)..=(height, Round(u32::MAX)))
            .map(|((_, round), digest)| (*round, *digest))
    }

    /// Blocks at `height` that are stored and that other nodes built, oldest first.
    fn foreign(&self, height: Height) -> Vec<CheckpointDigest> {
        let own: BTreeSet<_> = self.own(height).map(|(_, digest)| digest).collect();
        let blocks = self.blocks.get(&height).into_iter().flatten();
        blocks
            .filter(|digest| !own.contains(*digest))
            .copied()
            .collect()
    }

    /// Which of others' blocks give way to one more: the oldest, `spared` last.
    fn crowded_out(
        &self,
        height: Height,
        spared: &BTreeSet<CheckpointDigest>,
    ) -> Vec<CheckpointDigest> {
        let mut foreign = self.foreign(height);
        let surplus = (foreign.len() + 1).saturating_sub(UNDECIDED_PER_HEIGHT_MAX);
        foreign.sort_by_key(|digest| spared.contains(digest));
        foreign.truncate(surplus);
        foreign
    }

    /// Which of this node's blocks give way to one more: those of the lowest rounds.
    fn own_crowded_out(&self, height: Height) -> Vec<CheckpointDigest> {
        let mut stored: Vec<_> = Vec::new();
        for (_, digest) in self.own(height) {
            if self.holds(height, digest) && !stored.contains(&digest) {
                stored.push(digest);
            }
        }
        let surplus = (stored.len() + 1).saturating_sub(UNDECIDED_PER_HEIGHT_MAX);
        stored.truncate(surplus);
        stored
    }

    fn add(&mut self, height: Height, digest: CheckpointDigest, gone: &[CheckpointDigest]) {
        let blocks = self.blocks.entry(height).or_default();
        blocks.retain(|block| !gone.contains(block));
        if !blocks.contains(&digest) {
            blocks.push(digest);
        }
    }
}

impl Store {
    /// Stores another validator's block that is valid but not decided: bytes of
    /// `ProposedBlock::encode`. Returns once they are on the disk, so that a vote may name
    /// the block. Storing it again has no effect. There is always room: at each height, the
    /// oldest of others' blocks gives way, and `spared` ones only to each other.
    pub fn put_undecided(
        &self,
        height: Height,
        digest: CheckpointDigest,
        bytes: &[u8],
        spared: &BTreeSet<CheckpointDigest>,
    ) -> Result<(), StoreError> {
        let mut waiting = self.writer();
        if waiting.holds(height, digest) {
            return Ok(());
        }
        self.check_undecided(height, bytes)?;
        let gone = waiting.crowded_out(height, spared);
        let mut batch = self.database.batch();
        for digest in &gone {
            batch.delete(Table::Consensus, &keys::undecided(height, *digest));
        }
        batch.put(Table::Consensus, &keys::undecided(height, digest), bytes);
        batch.write("undecided block")?;
        waiting.add(height, digest, &gone);
        Ok(())
    }

    /// Stores the block that this node built for a round, as [`Store::put_undecided`] does,
    /// and returns its digest. A round has one own block: asked again, even with another
    /// block, this stores nothing and returns the digest of the first, so that a restarted
    /// node does not propose twice. Blocks of the lowest rounds give way; their digests are
    /// remembered for longer than their bytes.
    pub fn put_built(
        &self,
        height: Height,
        round: Round,
        digest: CheckpointDigest,
        bytes: &[u8],
    ) -> Result<CheckpointDigest, StoreError> {
        let mut waiting = self.writer();
        if let Some(first) = waiting.built.get(&(height, round)) {
            return Ok(*first);
        }
        self.check_undecided(height, bytes)?;
        let gone = waiting.own_crowded_out(height);
        let surplus = (waiting.own(height).count() + 1).saturating_sub(BUILT_ROUNDS_MAX);
        let rounds: Vec<_> = waiting.own(height).take(surplus).collect();
        let mut batch = self.database.batch();
        for digest in &gone {
            batch.delete(Table::Consensus, &keys::undecided(height, *digest));
        }
        for (round, _) in &rounds {
            batch.delete(Table::Consensus, &keys::built(height, *round));
        }
        batch.put(Table::Consensus, &keys::undecided(height, digest), bytes);
        let key = keys::built(height, round);
        batch.put(Table::Consensus, &key, digest.0.as_slice());
        batch.write("own block")?;
        waiting.add(height, digest, &gone);
        for (round, _) in rounds {
            waiting.built.remove(&(height, round));
        }
        waiting.built.insert((height, round), digest);
        Ok(digest)
    }

    /// The bytes of an undecided block.
    pub fn undecided(
        &self,
        height: Height,
        digest: CheckpointDigest,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let key = keys::undecided(height, digest);
        self.database.get(Table::Consensus, &key, "undecided block")
    }

    /// The block that this node built for a round.
    pub fn built(&self, height: Height, round: Round) -> Option<CheckpointDigest> {
        self.writer().built.get(&(height, round)).copied()
    }

    /// All undecided blocks at `height`, in order of their digests.
    pub fn undecided_digests(&self, height: Height) -> Vec<CheckpointDigest> {
        let waiting = self.writer();
        let mut digests = waiting.blocks.get(&height).cloned().unwrap_or_default();
        digests.sort();
        digests
    }

    /// How many undecided blocks are stored.
    pub fn undecided_count(&self) -> usize {
        self.writer().blocks.values().map(Vec::len).sum()
    }

    /// Deletes all undecided blocks, and what this node built. Only for a node whose consensus
    /// does not run, nor will go on where it ended.
    pub fn clear_undecided(&self) -> Result<(), StoreError> {
        let mut waiting = self.writer();
        let mut batch = self.database.batch();
        waiting.write_decided(&mut batch, Height(u64::MAX));
        batch.write("no undecided blocks")?;
        *waiting = Waiting::default();
        Ok(())
    }

    fn check_undecided(&self, height: Height, bytes: &[u8]) -> Result<(), StoreError> {
        let tip = self.tip().ok_or(StoreError::Empty)?.height;
        if !(1..=UNDECIDED_HEIGHTS_MAX).contains(&height.above(tip)) {
            return Err(StoreError::UndecidedHeight { height, tip });
        }
        if bytes.len() > BLOCK_BYTES_MAX {
            return Err(StoreError::UndecidedTooLarge(bytes.len()));
        }
        Ok(())
    }
}
