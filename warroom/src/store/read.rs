//! Reading: one state of the index.

use alloy_primitives::{Address, B256};
use rusqlite::{Connection, OptionalExtension, Row, ToSql};
use tbsi_types::log::proof::{InclusionProof, NodeReader, root_at};
use tbsi_types::log::tile::{TILE_WIDTH, entries};
use tbsi_types::log::{
    EntryBundle, Frontier, Leaf, Lookup, SignedNote, Tile, TileReader, TileSource, leaf_hash,
};
use tbsi_types::{LeafIndex, TreeSize};

use super::write::{Kept, decision_of};
use super::{Doing, IndexError, int, tile_key, uint};
use crate::alarm::{Alarm, AlarmCode, RaisedAlarm};
use crate::digest::{Facet, HOUR_MS, MINUTE_MS, key_of};
use crate::limits::{ALARMS_MAX, FOUND_MAX};
use crate::said::said;
use crate::source::{Act, ActLeaf};

/// Why an answer cannot be made.
pub(crate) type ViewError = IndexError;

/// One state of the index.
pub(crate) struct View<'c> {
    connection: &'c Connection,
}

/// A leaf and its position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct IndexedLeaf {
    pub(crate) position: u64,
    pub(crate) bytes: Vec<u8>,
    pub(crate) leaf: Leaf,
}

/// A total by facet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Total {
    pub(crate) word: B256,
    pub(crate) count: u64,
    pub(crate) last_ms: u64,
}

impl<'c> View<'c> {
    pub(super) fn of(connection: &'c Connection) -> Self {
        Self { connection }
    }

    fn rows<T>(
        &self,
        sql: &str,
        values: &[&dyn ToSql],
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, IndexError> {
        let all = || -> rusqlite::Result<Vec<T>> {
            let mut statement = self.connection.prepare_cached(sql)?;
            let rows = statement.query_map(values, read)?;
            rows.collect()
        };
        all().doing("read")
    }

    fn one<T>(
        &self,
        sql: &str,
        values: &[&dyn ToSql],
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, IndexError> {
        let found = || -> rusqlite::Result<Option<T>> {
            let mut statement = self.connection.prepare_cached(sql)?;
            statement.query_row(values, read).optional()
        };
        found().doing("read")
    }

    fn meta(&self, name: &str) -> Result<Option<Vec<u8>>, IndexError> {
        self.one("SELECT value FROM meta WHERE name = ?", &[&name], |row| {
            row.get(0)
        })
    }

    /// The log as far as it is indexed.
    pub(crate) fn frontier(&self) -> Result<Frontier, IndexError> {
        let Some(bytes) = self.meta("frontier")? else {
            return Ok(Frontier::default());
        };
        Frontier::decode(&bytes).map_err(|_| IndexError::Damaged("frontier"))
    }

    pub(crate) fn kept(&self) -> Result<Kept, IndexError> {
        let parts = (self.meta("checkpoint")?, self.meta("certificate")?);
        let decision = match parts {
            (Some(checkpoint), Some(certificate)) => Some(decision_of(&checkpoint, &certificate)?),
            (_, _) => None,
        };
        let note = self.meta("note")?.map(|bytes| {
            let text = String::from_utf8(bytes).map_err(|_| IndexError::Damaged("note"))?;
            SignedNote::parse(&text).map_err(|_| IndexError::Damaged("note"))
        });
        Ok(Kept {
            handovers: self.meta("handovers")?,
            decision,
            note: note.transpose()?,
        })
    }

    /// A bundle of leaves as it is kept: as wide as the log is.
    pub(crate) fn bundle(&self, index: u64) -> Result<Option<(u16, Vec<u8>)>, IndexError> {
        let sql = "SELECT width, entries FROM bundle WHERE number = ?";
        self.one(sql, &[&int(index)], |row| Ok((row.get(0)?, row.get(1)?)))
    }

    /// The leaves of a bundle, with their positions.
    pub(crate) fn leaves(&self, index: u64) -> Result<Vec<IndexedLeaf>, IndexError> {
        let Some((width, bytes)) = self.bundle(index)? else {
            return Ok(Vec::new());
        };
        let damaged = || IndexError::Damaged("bundle");
        let leaves = entries(&bytes, width).map_err(|_| damaged())?;
        let indexed = |(position, bytes): (u64, &[u8])| {
            Ok(IndexedLeaf {
                position,
                bytes: bytes.to_vec(),
                leaf: Leaf::decode(bytes).map_err(|_| damaged())?,
            })
        };
        (index * 256..).zip(leaves).map(indexed).collect()
    }

    pub(crate) fn leaf(&self, position: u64) -> Result<Option<IndexedLeaf>, IndexError> {
        let leaves = self.leaves(position / 256)?;
        let mut leaves = leaves.into_iter();
        Ok(leaves.find(|leaf| leaf.position == position))
    }

    /// The first leaf of a height or the next one above it, as a bundle's number; `None` above
    /// the last.
    pub(crate) fn bundle_of_height(&self, height: u64) -> Result<Option<u64>, IndexError> {
        let sql = "SELECT number FROM bundle WHERE last_height >= ? ORDER BY last_height, number
                   LIMIT 1";
        let number = self.one(sql, &[&int(height)], |row| row.get(0))?;
        Ok(number.map(uint))
    }

    /// The same of a block time.
    pub(crate) fn bundle_of_time(&self, time_ms: u64) -> Result<Option<u64>, IndexError> {
        let sql = "SELECT number FROM bundle WHERE last_ms >= ? ORDER BY last_ms, number LIMIT 1";
        let number = self.one(sql, &[&int(time_ms)], |row| row.get(0))?;
        Ok(number.map(uint))
    }

    /// Height and time of the last leaf.
    pub(crate) fn last(&self) -> Result<Option<(u64, u64)>, IndexError> {
        let sql = "SELECT last_height, last_ms FROM bundle ORDER BY number DESC LIMIT 1";
        self.one(sql, &[], |row| Ok((uint(row.get(0)?), uint(row.get(1)?))))
    }

    /// Leaves that `lookup` finds, in the order of the log, and whether there may be more.
    pub(crate) fn find(&self, lookup: &Lookup) -> Result<(Vec<IndexedLeaf>, bool), IndexError> {
        self.find_by(key_of(lookup), |leaf| lookup.finds(leaf))
    }

    /// Leaves with this hash of what they are found by that are meant.
    pub(crate) fn find_by(
        &self,
        hash: i64,
        is_meant: impl Fn(&Leaf) -> bool,
    ) -> Result<(Vec<IndexedLeaf>, bool), IndexError> {
        let sql = "SELECT position FROM found WHERE hash = ? ORDER BY position LIMIT ?";
        let max = int(FOUND_MAX as u64);
        let positions = self.rows(sql, &[&hash, &max], |row| row.get::<_, i64>(0))?;
        let more = positions.len() == FOUND_MAX;
        let mut found = Vec::new();
        for position in positions {
            let leaf = self.leaf(uint(position))?;
            found.extend(leaf.filter(|it| is_meant(&it.leaf)));
        }
        Ok((found, more))
    }

    /// Totals of a facet, most first.
    pub(crate) fn totals(&self, facet: Facet, max: u64) -> Result<Vec<Total>, IndexError> {
        let sql = "SELECT word, count, last_ms FROM term WHERE facet = ?
                   ORDER BY count DESC, word LIMIT ?";
        self.rows(sql, &[&(facet as u8), &int(max)], total)
    }

    pub(crate) fn total(&self, facet: Facet, word: B256) -> Result<Option<Total>, IndexError> {
        let sql = "SELECT word, count, last_ms FROM term WHERE facet = ? AND word = ?";
        self.one(sql, &[&(facet as u8), &word.as_slice()], total)
    }

    /// Leaves of a facet's word by hour, between two block times.
    pub(crate) fn by_hour(
        &self,
        facet: Facet,
        word: B256,
        (from_ms, to_ms): (u64, u64),
    ) -> Result<Vec<(u64, u64)>, IndexError> {
        let sql = "SELECT from_ms, hourly.count FROM hourly JOIN term ON term = number
                   WHERE facet = ? AND word = ? AND from_ms >= ? AND from_ms <= ? ORDER BY from_ms";
        let from = int(from_ms - from_ms % HOUR_MS);
        let values: [&dyn ToSql; 4] = [&(facet as u8), &word.as_slice(), &from, &int(to_ms)];
        self.rows(sql, &values, pair)
    }

    /// All leaves by minute, between two block times.
    pub(crate) fn by_minute(
        &self,
        (from_ms, to_ms): (u64, u64),
        step_ms: u64,
    ) -> Result<Vec<(u64, u64)>, IndexError> {
        let sql = "SELECT from_ms - from_ms % ?1 AS step, sum(count) FROM minutely
                   WHERE from_ms >= ?2 AND from_ms <= ?3 GROUP BY step ORDER BY step";
        let from = int(from_ms - from_ms % MINUTE_MS);
        self.rows(sql, &[&int(step_ms), &from, &int(to_ms)], pair)
    }

    /// Numbers of bundles with leaves of a facet's word, from `start` on in an order.
    pub(crate) fn postings(
        &self,
        facet: Facet,
        word: B256,
        start: u64,
        newest: bool,
        max: usize,
    ) -> Result<Vec<u64>, IndexError> {
        let (compare, order) = if newest {
            ("<=", "DESC")
        } else {
            (">=", "ASC")
        };
        let sql = format!(
            "SELECT bundle FROM posting JOIN term ON term = number
             WHERE facet = ? AND word = ? AND bundle {compare} ? ORDER BY bundle {order} LIMIT ?"
        );
        let max = int(max as u64);
        let values: [&dyn ToSql; 4] = [&(facet as u8), &word.as_slice(), &int(start), &max];
        let rows = self.rows(&sql, &values, |row| row.get(0))?;
        Ok(rows.into_iter().map(uint).collect())
    }

    /// Leaves of each kind of each bundle of a range: bundle, kind, leaves.
    pub(crate) fn kinds_of(
        &self,
        bundles: std::ops::Range<u64>,
    ) -> Result<Vec<(u64, u8, u64)>, IndexError> {
        let sql = "SELECT bundle, word, posting.count FROM posting JOIN term ON term = number
                   WHERE facet = ? AND bundle >= ? AND bundle < ? ORDER BY bundle, word";
        let (start, end) = (int(bundles.start), int(bundles.end));
        self.rows(sql, &[&(Facet::Kind as u8), &start, &end], |row| {
            let word: Vec<u8> = row.get(1)?;
            let kind = word.last().copied().unwrap_or_default();
            Ok((uint(row.get(0)?), kind, uint(row.get(2)?)))
        })
    }

    /// All acts whose texts are known, in order, each with the hash of its leaf.
    pub(crate) fn acts(&self) -> Result<Vec<Act>, IndexError> {
        let rows = self.rows(
            "SELECT position, topics, data FROM act ORDER BY position",
            &[],
            act_row,
        )?;
        self.of_leaves(rows)
    }

    /// The acts of a bundle whose texts are known.
    pub(crate) fn acts_of(&self, bundle: u64) -> Result<Vec<Act>, IndexError> {
        let sql = "SELECT position, topics, data FROM act WHERE position >= ? AND position < ?
                   ORDER BY position";
        let (start, end) = (int(bundle * 256), int((bundle + 1) * 256));
        let rows = self.rows(sql, &[&start, &end], act_row)?;
        self.of_leaves(rows)
    }

    fn of_leaves(&self, rows: Vec<ActRow>) -> Result<Vec<Act>, IndexError> {
        let mut acts = Vec::with_capacity(rows.len());
        let mut leaves: (Option<u64>, Vec<IndexedLeaf>) = (None, Vec::new());
        for (position, topics, data) in rows {
            let bundle = position / 256;
            if leaves.0 != Some(bundle) {
                leaves = (Some(bundle), self.leaves(bundle)?);
            }
            let mut of_bundle = leaves.1.iter();
            let leaf = of_bundle.find(|leaf| leaf.position == position);
            let leaf = leaf.and_then(|it| ActLeaf::of(LeafIndex(position), &it.leaf));
            let act = leaf.and_then(|leaf| leaf.stored(&topics, &data));
            acts.push(act.ok_or(IndexError::Damaged("act"))?);
        }
        Ok(acts)
    }

    /// The proof of a leaf in the log of `size` leaves, of which the index has all.
    pub(crate) fn inclusion(&self, position: u64, size: u64) -> Option<InclusionProof> {
        let size = TreeSize(size);
        let reader = TileReader::new(self, size);
        InclusionProof::make(&reader, LeafIndex(position), size).ok()
    }

    /// The root that the log had at a size that is indexed.
    pub(crate) fn root_at(&self, size: TreeSize) -> Option<B256> {
        root_at(&TileReader::new(self, size), size).ok()
    }

    /// A hash of the tree.
    pub(crate) fn node(&self, node: tbsi_types::log::TreeNode, size: TreeSize) -> Option<B256> {
        TileReader::new(self, size).read(node).ok()
    }

    /// How often a validator was in a set whose checkpoint was seen, how often it signed, and
    /// the block time of the last that it signed.
    pub(crate) fn seen(&self, validator: Address) -> Result<(u64, u64, Option<u64>), IndexError> {
        let sql = "SELECT seen, signed, last_ms FROM seen_validator WHERE address = ?";
        let row = self.one(sql, &[&validator.as_slice()], |row| {
            let last: Option<i64> = row.get(2)?;
            Ok((uint(row.get(0)?), uint(row.get(1)?), last.map(uint)))
        })?;
        Ok(row.unwrap_or_default())
    }

    /// Alarms that were kept, newest first.
    pub(crate) fn alarms(&self) -> Result<Vec<RaisedAlarm>, IndexError> {
        let sql = "SELECT code, source, since_ms, en, zh_tw, evidence FROM alarm
                   ORDER BY number DESC LIMIT ?";
        self.rows(sql, &[&int(ALARMS_MAX as u64)], |row| {
            let code: String = row.get(0)?;
            let source: String = row.get(1)?;
            let evidence: Option<String> = row.get(5)?;
            let alarm = Alarm {
                code: AlarmCode::parse(&code).unwrap_or(AlarmCode::Index),
                source: Some(source).filter(|source| !source.is_empty()),
                said: said(row.get::<_, String>(3)?, row.get::<_, String>(4)?),
                evidence: evidence.and_then(|text| serde_json::from_str(&text).ok()),
            };
            let since_ms = uint(row.get(2)?);
            Ok(RaisedAlarm { alarm, since_ms })
        })
    }

    /// The two newest checkpoints that were seen: height and time, as their bytes have them.
    pub(crate) fn newest_seen(&self) -> Result<Vec<(u64, u64)>, IndexError> {
        let sql = "SELECT checkpoint FROM seen_decision ORDER BY height DESC LIMIT 2";
        let rows = self.rows(sql, &[], |row| row.get::<_, Vec<u8>>(0))?;
        let place = |bytes: &Vec<u8>| {
            let checkpoint = tbsi_types::Checkpoint::decode(bytes).ok()?;
            Some((checkpoint.height.0, checkpoint.time.0))
        };
        Ok(rows.iter().filter_map(place).collect())
    }
}

fn total(row: &Row<'_>) -> rusqlite::Result<Total> {
    let word: Vec<u8> = row.get(0)?;
    Ok(Total {
        word: B256::try_from(word.as_slice()).unwrap_or_default(),
        count: uint(row.get(1)?),
        last_ms: uint(row.get(2)?),
    })
}

fn pair(row: &Row<'_>) -> rusqlite::Result<(u64, u64)> {
    Ok((uint(row.get(0)?), uint(row.get(1)?)))
}

type ActRow = (u64, Vec<u8>, Vec<u8>);

fn act_row(row: &Row<'_>) -> rusqlite::Result<ActRow> {
    Ok((uint(row.get(0)?), row.get(1)?, row.get(2)?))
}

impl TileSource for View<'_> {
    type Error = IndexError;

    fn tile(&self, tile: Tile) -> Result<Vec<u8>, IndexError> {
        let missing = || IndexError::Damaged("tile");
        let width = usize::from(tile.width);
        let mut bytes = if tile.level == 0 {
            let (kept, bytes) = self.bundle(tile.index)?.ok_or_else(missing)?;
            let leaves = entries(&bytes, kept).map_err(|_| missing())?;
            leaves.iter().flat_map(|leaf| leaf_hash(leaf).0).collect()
        } else {
            let sql = "SELECT hashes FROM tile WHERE number = ?";
            let number = tile_key(tile.level, tile.index);
            let found: Option<Vec<u8>> = self.one(sql, &[&number], |row| row.get(0))?;
            found.ok_or_else(missing)?
        };
        if bytes.len() < 32 * width || tile.width > TILE_WIDTH {
            return Err(missing());
        }
        bytes.truncate(32 * width);
        Ok(bytes)
    }
}

/// The first `width` leaves of a bundle that is kept.
pub(crate) fn narrowed(bundle: EntryBundle, kept: u16, bytes: &[u8]) -> Option<Vec<u8>> {
    if bundle.width > kept {
        return None;
    }
    let leaves = entries(bytes, kept).ok()?;
    let mut narrow = Vec::new();
    for leaf in leaves.iter().take(bundle.width.into()) {
        tbsi_types::log::tile::push_entry(&mut narrow, leaf).ok()?;
    }
    Some(narrow)
}
