//! Post-quantum cosignatures of decided logs (SPEC §9.12): a bounded number, in memory only, as
//! those with Ed25519. A log that is cosigned covers every leaf before, so that nothing is lost
//! with an older one.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use tbsi_types::log::note::NOTE_SIGNATURES_SERVED_MAX;
use tbsi_types::log::post_quantum::post_quantum_key_hash;
use tbsi_types::log::{LogCheckpoint, NoteSignature, PostQuantumCosigner, PostQuantumVerifier};
use tbsi_types::{Address, B256, Bytes, TreeSize};

use super::pool::{Dropped, LogState};
use crate::gossip::PostQuantumCosignature;
use crate::limits::{POST_QUANTUM_ROOTS_MAX, POST_QUANTUM_SIZES_MAX};

/// Signatures under one log, by position of the cosigner.
#[derive(Debug)]
struct Signed {
    root: B256,
    cosignatures: BTreeMap<usize, Bytes>,
}

/// Who cosigns, and what was cosigned.
#[derive(Debug)]
pub(crate) struct PostQuantumPool {
    origin: String,
    cosigners: Vec<PostQuantumCosigner>,
    /// Keys with which somebody has cosigned, by their hash.
    keys: BTreeMap<B256, PostQuantumVerifier>,
    /// Roots of decided logs, the newest.
    roots: BTreeMap<TreeSize, B256>,
    logs: BTreeMap<TreeSize, Signed>,
    /// The newest log of each cosigner that this node has not reached, verified.
    early: BTreeMap<usize, (LogState, Bytes)>,
}

impl PostQuantumPool {
    /// An empty pool; [`PostQuantumPool::follow`] tells who cosigns.
    pub(crate) fn new(origin: String) -> Self {
        Self {
            origin,
            cosigners: Vec::new(),
            keys: BTreeMap::new(),
            roots: BTreeMap::new(),
            logs: BTreeMap::new(),
            early: BTreeMap::new(),
        }
    }

    /// Follows those whose keys the chain names, in address order. What a key cosigned that the
    /// chain names no more counts no more.
    pub(crate) fn follow(&mut self, cosigners: Vec<PostQuantumCosigner>) {
        if cosigners == self.cosigners {
            return;
        }
        self.cosigners = cosigners;
        self.logs.clear();
        self.early.clear();
        let named = |hash: &B256| self.cosigners.iter().any(|it| it.key_hash == *hash);
        self.keys.retain(|hash, _| named(hash));
    }

    /// Who may cosign, in address order, each with its key if it has been seen.
    pub(crate) fn cosigners(
        &self,
    ) -> impl Iterator<Item = (&PostQuantumCosigner, Option<&PostQuantumVerifier>)> {
        let cosigners = self.cosigners.iter();
        cosigners.map(|it| (it, self.keys.get(&it.key_hash)))
    }

    /// The name under which this validator cosigns with the key of this hash; `None` if the
    /// chain does not name it.
    pub(crate) fn takes(&self, validator: Address, key_hash: B256) -> Option<&str> {
        let cosigner = &self.cosigners[self.position(validator)?];
        (cosigner.key_hash == key_hash).then_some(cosigner.name.as_str())
    }

    /// What is cosigned of a log.
    pub(crate) fn checkpoint(&self, (size, root): LogState) -> LogCheckpoint {
        LogCheckpoint {
            origin: self.origin.clone(),
            size,
            root,
        }
    }

    /// Notes the log at the tip. What was cosigned early counts now; returns those that
    /// cosigned another log of this size.
    pub(crate) fn note_log(&mut self, (size, root): LogState) -> Vec<Address> {
        if self.roots.insert(size, root).is_some() {
            return Vec::new();
        }
        while self.roots.len() > POST_QUANTUM_ROOTS_MAX {
            self.roots.pop_first();
        }
        let mut wrong = Vec::new();
        let reached = self
            .early
            .iter()
            .filter(|(_, ((early, _), _))| *early <= size);
        let reached: Vec<usize> = reached.map(|(position, _)| *position).collect();
        for position in reached {
            let Some((log, signature)) = self.early.remove(&position) else {
                continue;
            };
            if log == (size, root) {
                self.insert(log, position, signature);
            } else if log.0 == size {
                wrong.push(self.cosigners[position].validator);
            }
        }
        wrong
    }

    /// The key with which a cosignature is to be verified, unless that is in vain.
    pub(crate) fn to_verify(
        &self,
        it: &PostQuantumCosignature,
    ) -> Result<(PostQuantumVerifier, NoteSignature), Dropped> {
        let position = self.position(it.validator).ok_or(Dropped::Unknown)?;
        let cosigner = &self.cosigners[position];
        if post_quantum_key_hash(&it.key) != cosigner.key_hash {
            return Err(Dropped::Unknown);
        }
        if !self.is_wanted(position, it) {
            return Err(Dropped::Old);
        }
        let key = match self.keys.get(&cosigner.key_hash) {
            Some(key) if key.name() == cosigner.name => key.clone(),
            Some(_) | None => {
                PostQuantumVerifier::new(&cosigner.name, &it.key).map_err(|_| Dropped::Invalid)?
            }
        };
        let signature = note_signature(&key, &it.signature);
        Ok((key, signature))
    }

    fn is_wanted(&self, position: usize, it: &PostQuantumCosignature) -> bool {
        let newer = |held: &Bytes| held[..8] < it.signature[..8];
        if let Some(log) = self.logs.get(&it.size).filter(|log| log.root == it.root) {
            return log.cosignatures.get(&position).is_none_or(newer);
        }
        // Another root is not yet verified, so nobody is accused here.
        if self.roots.contains_key(&it.size) {
            return true;
        }
        if self.is_past(it.size) {
            return false;
        }
        match self.early.get(&position) {
            Some(((early, _), held)) => *early < it.size || (*early == it.size && newer(held)),
            None => true,
        }
    }

    fn is_past(&self, size: TreeSize) -> bool {
        let tip = self.roots.last_key_value();
        tip.is_some_and(|(tip, _)| size < *tip)
    }

    /// Adds a cosignature that `key` verified.
    pub(crate) fn add(
        &mut self,
        it: PostQuantumCosignature,
        key: PostQuantumVerifier,
    ) -> Result<(), Dropped> {
        let position = self.position(it.validator).ok_or(Dropped::Unknown)?;
        // The chain may name another key by now.
        if self.cosigners[position].key_hash != key.key_hash() {
            return Err(Dropped::Unknown);
        }
        let log = (it.size, it.root);
        match self.roots.get(&it.size) {
            Some(root) if *root != it.root => return Err(Dropped::OtherRoot),
            Some(_) => self.insert(log, position, it.signature),
            None if self.is_past(it.size) => return Err(Dropped::Old),
            None => {
                self.early.insert(position, (log, it.signature));
            }
        }
        self.keys.insert(key.key_hash(), key);
        Ok(())
    }

    fn insert(&mut self, (size, root): LogState, position: usize, signature: Bytes) {
        let log = self.logs.entry(size).or_insert_with(|| Signed {
            root,
            cosignatures: BTreeMap::new(),
        });
        log.cosignatures.insert(position, signature);
        while self.logs.len() > POST_QUANTUM_SIZES_MAX {
            let best = self.covering(None).map(|(size, _)| size);
            let oldest = self.logs.keys().find(|size| Some(**size) != best);
            let Some(oldest) = oldest.copied() else {
                return;
            };
            self.logs.remove(&oldest);
        }
    }

    fn position(&self, validator: Address) -> Option<usize> {
        let by = |cosigner: &PostQuantumCosigner| cosigner.validator;
        self.cosigners.binary_search_by_key(&validator, by).ok()
    }

    fn power(&self, log: &Signed) -> u128 {
        let positions = log.cosignatures.keys();
        let power = |position: &usize| u128::from(self.cosigners[*position].power.0);
        positions.map(power).sum()
    }

    /// Of the cosigned logs that hold leaf `index` (all of them, without one), that with most
    /// power, of equals the largest.
    pub(crate) fn covering(&self, index: Option<u64>) -> Option<LogState> {
        let covers = |size: &TreeSize| index.is_none_or(|index| size.0 > index);
        let logs = self.logs.iter().filter(|(size, _)| covers(size));
        let best = logs.max_by_key(|(size, log)| (self.power(log), **size));
        best.map(|(size, log)| (*size, log.root))
    }

    /// Cosignature lines for a note with one signature of the log: by voting power, in address
    /// order if equal; as many as every reader takes.
    pub(crate) fn lines(&self, log: LogState) -> Vec<NoteSignature> {
        let signed = self.by_power(log).into_iter();
        let line = |(cosigner, signature): (&PostQuantumCosigner, &Bytes)| {
            let key = self.keys.get(&cosigner.key_hash)?;
            Some(note_signature(key, signature))
        };
        let lines = signed.filter_map(line);
        lines.take(NOTE_SIGNATURES_SERVED_MAX - 1).collect()
    }

    fn by_power(&self, (size, root): LogState) -> Vec<(&PostQuantumCosigner, &Bytes)> {
        let log = self.logs.get(&size).filter(|log| log.root == root);
        let signed = log.into_iter().flat_map(|log| &log.cosignatures);
        let mut signed: Vec<_> = signed
            .map(|(position, signature)| (&self.cosigners[*position], signature))
            .collect();
        // A stable sort: positions are in address order.
        signed.sort_by_key(|(cosigner, _)| Reverse(cosigner.power));
        signed
    }

    /// What a peer that connects should hear: as many of the best log as a note holds.
    pub(crate) fn best(&self) -> Vec<PostQuantumCosignature> {
        let Some(log) = self.covering(None) else {
            return Vec::new();
        };
        let message = |(cosigner, signature): (&PostQuantumCosigner, &Bytes)| {
            let key = self.keys.get(&cosigner.key_hash)?;
            Some(PostQuantumCosignature {
                size: log.0,
                root: log.1,
                validator: cosigner.validator,
                key: Bytes::copy_from_slice(key.public_key()),
                signature: signature.clone(),
            })
        };
        let messages = self.by_power(log).into_iter().filter_map(message);
        messages.take(NOTE_SIGNATURES_SERVED_MAX - 1).collect()
    }
}

fn note_signature(key: &PostQuantumVerifier, signature: &Bytes) -> NoteSignature {
    NoteSignature {
        name: key.name().into(),
        key_id: key.key_id(),
        bytes: signature.to_vec(),
    }
}

#[cfg(test)]
mod tests;
