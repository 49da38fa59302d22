//! Cosignatures of decided logs, a bounded number, in memory only: a validator signs again
//! after a restart, and peers repeat what they hold.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use tbsi_types::log::note::NOTE_SIGNATURES_SERVED_MAX;
use tbsi_types::log::{Cosigner, LogCheckpoint, NoteSignature, NoteVerifier};
use tbsi_types::{Address, B256, TreeSize};

use crate::gossip::{self, TimestampedSignature};
use crate::limits::{COSIGNED_AGE_MAX, COSIGNED_SIZES_MAX};

/// A log of which something is known.
pub(crate) type LogState = (TreeSize, B256);

/// Why a cosignature was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dropped {
    /// Nobody here cosigns under this name.
    Unknown,
    /// Held already, or of a log that is no longer of interest.
    Old,
    /// The signature is wrong.
    Invalid,
    /// A good signature over a log that this node knows to be otherwise.
    OtherRoot,
    /// More than are verified in a second.
    TooMany,
}

impl Dropped {
    /// A stable word for metrics.
    pub(crate) fn kind(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Old => "old",
            Self::Invalid => "invalid",
            Self::OtherRoot => "other_root",
            Self::TooMany => "too_many",
        }
    }
}

/// Signatures under one log, by position of the key.
#[derive(Debug)]
struct Signed {
    root: B256,
    validators: BTreeMap<usize, TimestampedSignature>,
    outside: BTreeMap<usize, NoteSignature>,
}

/// Who cosigns, and what was cosigned.
#[derive(Debug)]
pub(crate) struct CosignaturePool {
    origin: String,
    cosigners: Vec<Cosigner>,
    outside: Vec<NoteVerifier>,
    total_power: u128,
    /// Decided logs, by size.
    logs: BTreeMap<TreeSize, Signed>,
    /// The newest log of each cosigner that this node has not reached, verified.
    early: BTreeMap<usize, (LogState, TimestampedSignature)>,
    /// The newest log that a quorum cosigned.
    quorum: Option<TreeSize>,
    /// The newest log that an outside witness cosigned.
    witnessed: Option<TreeSize>,
    /// Since when there is a log that is larger, and none of it that a quorum cosigned.
    outgrown: Option<Instant>,
}

impl CosignaturePool {
    /// An empty pool; [`CosignaturePool::follow`] tells who cosigns.
    pub(crate) fn new(origin: String, outside: Vec<NoteVerifier>) -> Self {
        Self {
            origin,
            cosigners: Vec::new(),
            outside,
            total_power: 0,
            logs: BTreeMap::new(),
            early: BTreeMap::new(),
            quorum: None,
            witnessed: None,
            outgrown: None,
        }
    }

    /// Follows the validators, in address order, of whose `total_power` a quorum is counted. If
    /// they or their keys changed, what was cosigned before counts no more: the new ones cosign
    /// the next log.
    pub(crate) fn follow(&mut self, cosigners: Vec<Cosigner>, total_power: u128) {
        if (&cosigners, total_power) == (&self.cosigners, self.total_power) {
            return;
        }
        (self.cosigners, self.total_power) = (cosigners, total_power);
        for log in self.logs.values_mut() {
            log.validators.clear();
        }
        self.early.clear();
        (self.quorum, self.outgrown) = (None, None);
    }

    /// Who may cosign, in address order.
    pub(crate) fn cosigners(&self) -> &[Cosigner] {
        &self.cosigners
    }

    /// Whether others take what this validator cosigns with this key.
    pub(crate) fn takes(&self, validator: Address, key: &NoteVerifier) -> bool {
        let position = self.position(validator);
        position.is_some_and(|position| self.cosigners[position].key == *key)
    }

    /// The text of a log's checkpoint.
    pub(crate) fn text(&self, (size, root): LogState) -> String {
        let checkpoint = LogCheckpoint {
            origin: self.origin.clone(),
            size,
            root,
        };
        checkpoint.encode().expect("an origin is a good name")
    }

    /// Notes the log at the tip. What was cosigned early counts now; returns those that
    /// cosigned another log of this size.
    pub(crate) fn note_log(&mut self, (size, root): LogState, now: Instant) -> Vec<Address> {
        if self.logs.contains_key(&size) {
            return Vec::new();
        }
        let signed = Signed {
            root,
            validators: BTreeMap::new(),
            outside: BTreeMap::new(),
        };
        self.logs.insert(size, signed);
        if self.quorum.is_some_and(|quorum| quorum < size) && self.outgrown.is_none() {
            self.outgrown = Some(now);
        }
        let mut wrong = Vec::new();
        let reached = |(_, ((early, _), _)): &(&usize, &(LogState, _))| *early <= size;
        let reached: Vec<usize> = self.early.iter().filter(reached).map(|it| *it.0).collect();
        for position in reached {
            let Some(((early, its_root), bytes)) = self.early.remove(&position) else {
                continue;
            };
            if early == size && its_root == root {
                self.insert(size, position, bytes, now);
            } else if early == size {
                wrong.push(self.cosigners[position].validator);
            }
        }
        self.forget();
        wrong
    }

    /// The text and key with which a cosignature is to be verified, unless that is in vain.
    pub(crate) fn to_verify(
        &self,
        (size, root): LogState,
        validator: Address,
        bytes: &TimestampedSignature,
    ) -> Result<(NoteVerifier, NoteSignature), Dropped> {
        let position = self.position(validator).ok_or(Dropped::Unknown)?;
        let newer = |held: &TimestampedSignature| held[..8] < bytes[..8];
        let tip = self.logs.last_key_value().map(|(size, _)| *size);
        let wanted = match self.logs.get(&size) {
            // Not yet verified, so nobody is accused here.
            Some(log) if log.root != root => true,
            Some(log) => log.validators.get(&position).is_none_or(newer),
            None if Some(size) < tip => false,
            None => match self.early.get(&position) {
                Some(((early, _), held)) => *early < size || (*early == size && newer(held)),
                None => true,
            },
        };
        if !wanted {
            return Err(Dropped::Old);
        }
        let key = self.cosigners[position].key.clone();
        let signature = note_signature(&key, bytes);
        Ok((key, signature))
    }

    /// Adds a cosignature whose signature was verified.
    pub(crate) fn add(
        &mut self,
        (size, root): LogState,
        validator: Address,
        bytes: TimestampedSignature,
        now: Instant,
    ) -> Result<(), Dropped> {
        let position = self.position(validator).ok_or(Dropped::Unknown)?;
        let tip = self.logs.last_key_value().map(|(size, _)| *size);
        match self.logs.get(&size) {
            Some(log) if log.root != root => Err(Dropped::OtherRoot),
            Some(_) => {
                self.insert(size, position, bytes, now);
                Ok(())
            }
            None if Some(size) < tip => Err(Dropped::Old),
            None => {
                self.early.insert(position, ((size, root), bytes));
                Ok(())
            }
        }
    }

    /// Adds the verified cosignature of an outside witness, named by its position.
    pub(crate) fn add_outside(&mut self, size: TreeSize, position: usize, line: NoteSignature) {
        if let Some(log) = self.logs.get_mut(&size) {
            log.outside.insert(position, line);
            self.witnessed = self.witnessed.max(Some(size));
            self.forget();
        }
    }

    fn insert(
        &mut self,
        size: TreeSize,
        position: usize,
        bytes: TimestampedSignature,
        now: Instant,
    ) {
        let Some(log) = self.logs.get_mut(&size) else {
            return;
        };
        log.validators.insert(position, bytes);
        let power = |position: &usize| u128::from(self.cosigners[*position].power.0);
        let power: u128 = log.validators.keys().map(power).sum();
        if 3 * power > 2 * self.total_power && Some(size) > self.quorum {
            self.quorum = Some(size);
            let newest = self.logs.last_key_value().map(|(size, _)| *size);
            self.outgrown = (newest > Some(size)).then_some(now);
            self.forget();
        }
    }

    /// Drops the smallest logs above the bound, but not the ones that are worth most.
    fn forget(&mut self) {
        let kept = BTreeSet::from([self.quorum, self.witnessed]);
        while self.logs.len() > COSIGNED_SIZES_MAX {
            let mut sizes = self.logs.keys();
            let Some(&size) = sizes.find(|size| !kept.contains(&Some(**size))) else {
                return;
            };
            self.logs.remove(&size);
        }
    }

    fn position(&self, validator: Address) -> Option<usize> {
        let by = |cosigner: &Cosigner| cosigner.validator;
        self.cosigners.binary_search_by_key(&validator, by).ok()
    }

    /// The log to serve, given that at the tip: the newest that a quorum cosigned, unless it is
    /// out of date.
    pub(crate) fn served(&self, tip: LogState, now: Instant) -> LogState {
        let fresh = |since: Instant| now.duration_since(since) < COSIGNED_AGE_MAX;
        let quorum = self.quorum.filter(|_| self.outgrown.is_none_or(fresh));
        let log = quorum.and_then(|size| Some((size, self.logs.get(&size)?.root)));
        log.unwrap_or(tip)
    }

    /// Of the logs that hold leaf `index` and that somebody cosigned, the one with most
    /// signatures, outside witnesses first; of equals the largest.
    pub(crate) fn covering(&self, index: u64) -> Option<LogState> {
        let logs = self.logs.iter().filter(|(size, _)| size.0 > index);
        let signed = logs.filter(|(_, log)| log.outside.len() + log.validators.len() > 0);
        let best =
            signed.max_by_key(|(size, log)| (log.outside.len(), log.validators.len(), **size));
        best.map(|(size, log)| (*size, log.root))
    }

    /// Cosignature lines for a note with one signature of the log: outside witnesses first, then
    /// validators by voting power, in address order if equal; as many as every reader takes.
    pub(crate) fn lines(&self, (size, root): LogState) -> Vec<NoteSignature> {
        let Some(log) = self.logs.get(&size).filter(|log| log.root == root) else {
            return Vec::new();
        };
        let mut validators: Vec<_> = log.validators.iter().collect();
        // A stable sort: positions are in address order.
        validators.sort_by_key(|(position, _)| std::cmp::Reverse(self.cosigners[**position].power));
        let line = |(position, bytes): (&usize, &TimestampedSignature)| {
            note_signature(&self.cosigners[*position].key, bytes)
        };
        let outside = log.outside.values().cloned();
        let lines = outside.chain(validators.into_iter().map(line));
        lines.take(NOTE_SIGNATURES_SERVED_MAX - 1).collect()
    }

    /// What a peer that connects should hear: the newest log with cosignatures.
    pub(crate) fn newest(&self) -> Option<gossip::Cosignatures> {
        let mut logs = self.logs.iter().rev();
        let (size, log) = logs.find(|(_, log)| !log.validators.is_empty())?;
        let list = log.validators.iter();
        let list = list.map(|(position, bytes)| (self.cosigners[*position].validator, *bytes));
        Some(gossip::Cosignatures {
            size: *size,
            root: log.root,
            list: list.collect(),
        })
    }

    /// Keys of the outside witnesses, in the order of their positions.
    pub(crate) fn outside(&self) -> &[NoteVerifier] {
        &self.outside
    }
}

fn note_signature(key: &NoteVerifier, bytes: &TimestampedSignature) -> NoteSignature {
    NoteSignature {
        name: key.name().into(),
        key_id: key.key_id(),
        bytes: bytes.to_vec(),
    }
}

#[cfg(test)]
mod tests;
