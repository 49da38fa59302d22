//! Writing: a batch of leaves in one transaction, and what sources showed.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use alloy_primitives::{Address, B256};
use rusqlite::{OptionalExtension, Transaction, params};
use tbsi_types::log::SignedNote;
use tbsi_types::{Checkpoint, CommitCertificate, Decision};

use super::{Doing, IndexError, Store, int, tile_key};
use crate::alarm::Alarm;
use crate::digest::{Batch, Facet};
use crate::limits::{ALARMS_MAX, DECIDED_KEPT_MAX};

/// What is kept beside the leaves, to begin with after a restart. It is verified again.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kept {
    /// Stream of handovers (SPEC §10.6).
    pub(crate) handovers: Option<Vec<u8>>,
    pub(crate) decision: Option<Decision>,
    pub(crate) note: Option<SignedNote>,
}

impl Store {
    /// Writes the rows of a batch and the position after it, all or nothing.
    pub(crate) fn write(&mut self, batch: &Batch) -> Result<(), IndexError> {
        let transaction = self.connection.transaction().doing("begin to write")?;
        write_batch(&transaction, batch).doing("write leaves")?;
        transaction.commit().doing("write leaves to the disk")
    }

    /// Keeps what vouches for the log.
    pub(crate) fn keep(&mut self, kept: &Kept) -> Result<(), IndexError> {
        let transaction = self.connection.transaction().doing("begin to write")?;
        let write = || -> rusqlite::Result<()> {
            if let Some(handovers) = &kept.handovers {
                put_meta(&transaction, "handovers", handovers)?;
            }
            if let Some(decision) = &kept.decision {
                put_meta(&transaction, "checkpoint", &decision.checkpoint.encode())?;
                put_meta(&transaction, "certificate", &decision.certificate.encode())?;
            }
            if let Some(note) = &kept.note {
                put_meta(&transaction, "note", note.encode().as_bytes())?;
            }
            Ok(())
        };
        write().doing("write the checkpoint")?;
        transaction
            .commit()
            .doing("write the checkpoint to the disk")
    }

    /// Remembers a verified decision and who of its set signed. Returns another one of the same
    /// height that was seen before.
    pub(crate) fn saw(
        &mut self,
        decision: &Decision,
        set: &[(Address, bool)],
    ) -> Result<Option<Decision>, IndexError> {
        let transaction = self.connection.transaction().doing("begin to write")?;
        let height = int(decision.checkpoint.height.0);
        let known = seen_at(&transaction, height)?;
        match known {
            Some(known) if known.checkpoint == decision.checkpoint => Ok(None),
            Some(known) => Ok(Some(known)),
            None => {
                see(&transaction, decision, set).doing("write a checkpoint")?;
                transaction
                    .commit()
                    .doing("write a checkpoint to the disk")?;
                Ok(None)
            }
        }
    }

    /// Keeps an alarm; returns whether it is new.
    pub(crate) fn raise(&mut self, alarm: &Alarm, now_ms: u64) -> Result<bool, IndexError> {
        let evidence = alarm.evidence.as_ref().map(ToString::to_string);
        let source = alarm.source.as_deref().unwrap_or_default();
        let values = params![
            alarm.code.as_str(),
            source,
            int(now_ms),
            alarm.said.en,
            alarm.said.zh_tw,
            evidence,
            int(ALARMS_MAX as u64),
        ];
        let sql = "INSERT OR IGNORE INTO alarm (code, source, since_ms, en, zh_tw, evidence)
                   SELECT ?1, ?2, ?3, ?4, ?5, ?6 WHERE (SELECT count(*) FROM alarm) < ?7";
        let rows = self.connection.execute(sql, values);
        Ok(rows.doing("write an alarm")? > 0)
    }
}

fn put_meta(transaction: &Transaction<'_>, name: &str, value: &[u8]) -> rusqlite::Result<()> {
    let sql = "INSERT INTO meta VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = ?2";
    let mut statement = transaction.prepare_cached(sql)?;
    statement.execute(params![name, value])?;
    Ok(())
}

fn seen_at(transaction: &Transaction<'_>, height: i64) -> Result<Option<Decision>, IndexError> {
    let sql = "SELECT checkpoint, certificate FROM seen_decision WHERE height = ?";
    let row = transaction.query_row(sql, [height], |row| {
        Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, Vec<u8>>(1)?))
    });
    let Some((checkpoint, certificate)) = row.optional().doing("read a checkpoint")? else {
        return Ok(None);
    };
    decision_of(&checkpoint, &certificate).map(Some)
}

/// A decision from its two parts.
pub(super) fn decision_of(checkpoint: &[u8], certificate: &[u8]) -> Result<Decision, IndexError> {
    let checkpoint = Checkpoint::decode(checkpoint);
    let certificate = CommitCertificate::decode(certificate);
    Ok(Decision {
        checkpoint: checkpoint.map_err(|_| IndexError::Damaged("checkpoint"))?,
        certificate: certificate.map_err(|_| IndexError::Damaged("certificate"))?,
    })
}

fn see(
    transaction: &Transaction<'_>,
    decision: &Decision,
    set: &[(Address, bool)],
) -> rusqlite::Result<()> {
    let height = decision.checkpoint.height.0;
    transaction
        .prepare_cached("INSERT INTO seen_decision VALUES (?, ?, ?)")?
        .execute(params![
            int(height),
            decision.checkpoint.encode(),
            decision.certificate.encode(),
        ])?;
    let sql = "DELETE FROM seen_decision WHERE height IN
               (SELECT height FROM seen_decision ORDER BY height DESC LIMIT -1 OFFSET ?)";
    transaction
        .prepare_cached(sql)?
        .execute([int(DECIDED_KEPT_MAX)])?;
    let sql = "INSERT INTO seen_validator VALUES (?1, 1, ?2, ?3) ON CONFLICT DO UPDATE SET
               seen = seen + 1, signed = signed + ?2, last_ms = coalesce(?3, last_ms)";
    let mut statement = transaction.prepare_cached(sql)?;
    for (address, signed) in set {
        let last = signed.then(|| int(decision.checkpoint.time.0));
        statement.execute(params![address.as_slice(), i64::from(*signed), last])?;
    }
    Ok(())
}

fn write_batch(transaction: &Transaction<'_>, batch: &Batch) -> rusqlite::Result<()> {
    write_bundles(transaction, batch)?;
    write_tiles(transaction, batch)?;
    let mut found = batch.found.clone();
    found.sort_unstable();
    let mut statement = transaction.prepare_cached("INSERT OR IGNORE INTO found VALUES (?, ?)")?;
    for (hash, position) in found {
        statement.execute(params![hash, int(position)])?;
    }
    let terms = write_terms(transaction, batch)?;
    write_counts(transaction, batch, &terms)?;
    let mut statement = transaction.prepare_cached("INSERT INTO act VALUES (?, ?, ?)")?;
    for act in &batch.acts {
        let topics: Vec<u8> = act.topics.iter().flat_map(|topic| topic.0).collect();
        statement.execute(params![int(act.leaf.position.0), topics, act.data])?;
    }
    put_meta(transaction, "frontier", &batch.frontier.encode())
}

fn write_bundles(transaction: &Transaction<'_>, batch: &Batch) -> rusqlite::Result<()> {
    let sql = "INSERT OR REPLACE INTO bundle VALUES (?, ?, ?, ?, ?, ?, ?)";
    let mut statement = transaction.prepare_cached(sql)?;
    for row in &batch.bundles {
        statement.execute(params![
            int(row.bundle.index),
            row.bundle.width,
            int(row.first.0),
            int(row.last.0),
            int(row.first.1),
            int(row.last.1),
            row.bytes,
        ])?;
    }
    Ok(())
}

fn write_tiles(transaction: &Transaction<'_>, batch: &Batch) -> rusqlite::Result<()> {
    let mut read = transaction.prepare_cached("SELECT hashes FROM tile WHERE number = ?")?;
    let mut write = transaction.prepare_cached("INSERT OR REPLACE INTO tile VALUES (?, ?)")?;
    let mut tiles: BTreeMap<i64, Vec<u8>> = BTreeMap::new();
    for (level, index, hash) in &batch.hashes {
        let number = tile_key(*level, index / 256);
        let tile = match tiles.entry(number) {
            Entry::Occupied(read) => read.into_mut(),
            Entry::Vacant(place) => {
                let before = read.query_row([number], |row| row.get(0)).optional()?;
                place.insert(before.unwrap_or_default())
            }
        };
        tile.extend_from_slice(hash.as_slice());
    }
    for (number, hashes) in tiles {
        write.execute(params![number, hashes])?;
    }
    Ok(())
}

type Terms = BTreeMap<(Facet, B256), i64>;

/// Adds to the totals, and gives each term its number.
fn write_terms(transaction: &Transaction<'_>, batch: &Batch) -> rusqlite::Result<Terms> {
    let mut totals: BTreeMap<(Facet, B256), (u64, u64)> = BTreeMap::new();
    for ((facet, word, _), tallied) in &batch.hours {
        let total = totals.entry((*facet, *word)).or_default();
        total.0 += tallied.count;
        total.1 = total.1.max(tallied.last_ms);
    }
    let sql = "INSERT INTO term (facet, word, count, last_ms) VALUES (?1, ?2, ?3, ?4)
               ON CONFLICT (facet, word) DO UPDATE SET
               count = count + ?3, last_ms = max(last_ms, ?4) RETURNING number";
    let mut statement = transaction.prepare_cached(sql)?;
    let mut terms = Terms::new();
    for ((facet, word), (count, last)) in totals {
        let values = params![facet as u8, word.as_slice(), int(count), int(last)];
        let number = statement.query_row(values, |row| row.get(0))?;
        terms.insert((facet, word), number);
    }
    Ok(terms)
}

fn write_counts(
    transaction: &Transaction<'_>,
    batch: &Batch,
    terms: &Terms,
) -> rusqlite::Result<()> {
    let add = |table: &str, column: &str| {
        format!(
            "INSERT INTO {table} VALUES (?1, ?2, ?3)
             ON CONFLICT (term, {column}) DO UPDATE SET count = count + ?3"
        )
    };
    let mut statement = transaction.prepare_cached(&add("posting", "bundle"))?;
    for ((facet, word, bundle), count) in &batch.postings {
        let term = terms[&(*facet, *word)];
        statement.execute(params![term, int(*bundle), int(*count)])?;
    }
    let mut statement = transaction.prepare_cached(&add("hourly", "from_ms"))?;
    for ((facet, word, hour), tallied) in &batch.hours {
        let term = terms[&(*facet, *word)];
        statement.execute(params![term, int(*hour), int(tallied.count)])?;
    }
    let sql = "INSERT INTO minutely VALUES (?1, ?2)
               ON CONFLICT DO UPDATE SET count = count + ?2";
    let mut statement = transaction.prepare_cached(sql)?;
    for (minute, count) in &batch.minutes {
        statement.execute(params![int(*minute), int(*count)])?;
    }
    Ok(())
}
