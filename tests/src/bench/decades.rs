//! What a proof costs after the validator set changed very often.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::ops::Range;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use serde::Serialize;
use tbsi_light::{HandoverFollower, TrustAnchor, verify_bundle};
use tbsi_types::bundle::{HandoverReader, HandoverRecord, HandoverWriter};
use tbsi_types::log::{
    Attestation, DigestWords, InclusionProof, Leaf, LeafHead, Statement, leaf_hash, node_hash,
};
use tbsi_types::{
    Address, B256, ChainIdentity, Checkpoint, CommitCertificate, CommitSignature, Decision, Height,
    LeafIndex, NamedValidator, NamedValidators, ProofBundle, Round, SecretKey, TimestampMs,
    TreeSize, VotingPower, sha256,
};

use super::process::peak_rss_kib;
use super::statistics::Spread;

/// Validators of the set, as many as an industry's associations may be.
pub const VALIDATORS: usize = 31;
/// Signatures that are a quorum of them.
const QUORUM: usize = 21;
/// Levels of the log of the proof: a million leaves.
const LOG_LEVELS: u64 = 20;
/// How often the proof is verified.
const SAMPLES: u64 = 50;
/// Keys that take turns.
const KEYS: usize = 40;
/// Changes that are signed before they are written.
const BATCH: usize = 512;

/// One length of history.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Decades {
    /// Changes of the validator set, one key each.
    pub handovers: u64,
    /// Bytes of the file that keeps them.
    pub file_bytes: u64,
    /// Following it from genesis, signatures included, milliseconds on one core.
    pub follow_ms: u64,
    /// A proof of an attestation that begins after the last change, compact, bytes.
    pub proof_bytes: u64,
    /// Verifying it, once the changes were followed, microseconds; the middle one.
    pub verify_us: u64,
    /// By how much the largest memory of this process grew meanwhile, KiB.
    pub grown_kib: u64,
}

/// A chain of thin air whose set changes with every other block.
struct History {
    chain: ChainIdentity,
    keys: Vec<SecretKey>,
}

impl History {
    fn new() -> Self {
        let key = |number: usize| SecretKey::from_seed(format!("decades {number}").as_bytes());
        Self {
            chain: ChainIdentity {
                chain_id: 8_862_026,
                genesis_hash: B256::repeat_byte(7),
            },
            keys: (0..KEYS).map(key).collect(),
        }
    }

    /// The keys that decide after `changes`: each change puts one in the place of another.
    fn members(&self, changes: usize) -> Vec<&SecretKey> {
        (changes..changes + VALIDATORS)
            .map(|number| &self.keys[number % KEYS])
            .collect()
    }

    fn set(&self, changes: usize) -> anyhow::Result<NamedValidators> {
        let members = self.members(changes);
        let named = members
            .iter()
            .enumerate()
            .map(|(number, key)| NamedValidator {
                address: key.public_key().address(),
                power: VotingPower(1),
                name_zh_tw: format!("台灣第{number}工業同業公會"),
                name_en: format!("Taiwan Industry Association No. {number}"),
            });
        let mut named: Vec<_> = named.collect();
        named.sort_by_key(|validator| validator.address);
        Ok(NamedValidators::new(named)?)
    }

    fn decide(&self, height: u64, changes: usize, sets: [B256; 2]) -> anyhow::Result<Decision> {
        let log = (TreeSize(height), sha256(&[b"log", &height.to_be_bytes()]));
        self.decide_log(height, changes, sets, log)
    }

    fn decide_log(
        &self,
        height: u64,
        changes: usize,
        sets: [B256; 2],
        (log_size, log_root): (TreeSize, B256),
    ) -> anyhow::Result<Decision> {
        let checkpoint = Checkpoint {
            chain_id: self.chain.chain_id,
            height: Height(height),
            time: TimestampMs(1_700_000_000_000 + 1_000 * height),
            block_hash: sha256(&[b"block", &height.to_be_bytes()]),
            state_root: sha256(&[b"state", &height.to_be_bytes()]),
            log_size,
            log_root,
            validator_set_hash: sets[0],
            next_validator_set_hash: sets[1],
        };
        let digest = checkpoint.digest(&self.chain);
        let signed =
            |signatures| CommitCertificate::new(checkpoint.height, Round(0), digest, signatures);
        let statement = signed(vec![])?.statement().digest(&self.chain);
        let mut signers = self.members(changes);
        signers.truncate(QUORUM);
        let sign = |key: &&SecretKey| CommitSignature {
            validator: key.public_key().address(),
            signature: key.sign(statement),
        };
        let certificate = signed(signers.iter().map(sign).collect())?;
        Ok(Decision {
            checkpoint,
            certificate,
        })
    }

    /// Of the first leaf of a log, under the checkpoint of a block after all changes.
    fn proof(&self, changes: usize) -> anyhow::Result<ProofBundle> {
        let height = 10 + 2 * u64::try_from(changes)?;
        let digest = DigestWords::One([sha256(&[b"file"])]);
        let leaf = Leaf {
            head: LeafHead {
                chain_id: self.chain.chain_id,
                height: Height(height - 1),
                time: TimestampMs(1_700_000_000_000 + 1_000 * (height - 1)),
                transaction_index: 0,
                ordinal: 0,
                issuer: Address::repeat_byte(1),
            },
            statement: Statement::Attestation(Attestation {
                schema: B256::repeat_byte(2),
                algorithm: 0x12,
                digest,
            }),
        };
        let leaf = leaf.encode()?;
        let siblings = (0..LOG_LEVELS).map(|level| sha256(&[b"sibling", &level.to_be_bytes()]));
        let siblings: Vec<B256> = siblings.collect();
        let root = siblings.iter();
        let root = root.fold(leaf_hash(&leaf), |hash, sibling| node_hash(&hash, sibling));
        let set = self.set(changes)?;
        let log = (TreeSize(1 << LOG_LEVELS), root);
        Ok(ProofBundle {
            genesis_hash: self.chain.genesis_hash,
            leaf,
            leaf_index: LeafIndex(0),
            inclusion: InclusionProof(siblings),
            decision: self.decide_log(height, changes, [set.hash(), set.hash()], log)?,
            validators: set,
            handovers: Vec::new(),
        })
    }

    /// The change of this number, from 0.
    fn record(&self, number: usize) -> anyhow::Result<HandoverRecord> {
        let (height, next) = (1 + 2 * number as u64, self.set(number + 1)?);
        let (from, to) = (self.set(number)?.hash(), next.hash());
        Ok(HandoverRecord {
            last: self.decide(height, number, [from, to])?,
            first: self.decide(height + 1, number + 1, [to, to])?,
            next,
        })
    }

    /// The changes of these numbers, signed on all cores.
    fn records(&self, numbers: Range<usize>) -> anyhow::Result<Vec<HandoverRecord>> {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let each = numbers.len().div_ceil(cores).max(1);
        thread::scope(|scope| {
            let sign = |from: usize| {
                let part = from..numbers.end.min(from + each);
                scope.spawn(move || {
                    let signed = part.map(|number| self.record(number));
                    signed.collect::<anyhow::Result<Vec<_>>>()
                })
            };
            let parts: Vec<_> = numbers.clone().step_by(each).map(sign).collect();
            let mut all = Vec::with_capacity(numbers.len());
            for part in parts {
                all.extend(part.join().expect("signing does not panic")?);
            }
            Ok(all)
        })
    }

    /// Bytes of the file after each of the lengths.
    fn write(&self, path: &Path, lengths: &BTreeSet<u64>) -> anyhow::Result<Vec<u64>> {
        let mut file = BufWriter::new(File::create(path)?);
        let (mut writer, head) = HandoverWriter::begin(self.chain, self.set(0)?)?;
        file.write_all(&head)?;
        let (mut written, mut bytes, mut sizes) = (0, head.len() as u64, Vec::new());
        for length in lengths {
            let length = usize::try_from(*length)?;
            while written < length {
                let batch = written..length.min(written + BATCH);
                written = batch.end;
                for record in self.records(batch)? {
                    let record = writer.record(&record)?;
                    bytes += record.len() as u64;
                    file.write_all(&record)?;
                }
            }
            sizes.push(bytes);
        }
        file.flush()?;
        Ok(sizes)
    }
}

/// Writes the longest history, and follows it as far as each of the lengths.
pub fn measure(dir: &Path, lengths: &BTreeSet<u64>) -> anyhow::Result<Vec<Decades>> {
    let history = History::new();
    let path = dir.join("handovers");
    let longest = lengths.last().copied().unwrap_or_default();
    eprintln!("sign {longest} changes of the validator set");
    let sizes = history.write(&path, lengths).context("write a history")?;
    let pid = std::process::id();
    let before = peak_rss_kib(pid)?;
    let mut reader = HandoverReader::open(BufReader::new(File::open(&path)?))?;
    let anchor = TrustAnchor::validator_set(history.chain, history.set(0)?.hash());
    let mut follower = HandoverFollower::from(anchor);
    let (mut spent, mut measured) = (Duration::ZERO, Vec::new());
    for (handovers, file_bytes) in lengths.iter().zip(sizes) {
        eprintln!("follow them up to the {handovers}th");
        let started = Instant::now();
        while follower.followed() < *handovers {
            let (handover, next) = reader.record()?.context("the history ends too early")?;
            follower.follow(&handover, &next)?;
        }
        spent += started.elapsed();
        let grown_kib = peak_rss_kib(pid)?.saturating_sub(before);
        let proof = history.proof(usize::try_from(*handovers)?)?.encode()?;
        measured.push(Decades {
            handovers: *handovers,
            file_bytes,
            follow_ms: u64::try_from(spent.as_millis())?,
            proof_bytes: proof.len() as u64,
            verify_us: verify(&proof, follower.anchor())?,
            grown_kib,
        });
    }
    std::fs::remove_file(&path)?;
    Ok(measured)
}

/// The middle one of many times that it took, microseconds.
fn verify(proof: &[u8], anchor: &TrustAnchor) -> anyhow::Result<u64> {
    let mut took = Vec::new();
    for _ in 0..SAMPLES {
        let started = Instant::now();
        verify_bundle(&ProofBundle::decode(proof)?, anchor)?;
        took.push(u64::try_from(started.elapsed().as_micros())?);
    }
    Ok(Spread::of(took).map_or(0, |it| it.median))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_is_followed_to_its_end() {
        let dir = tempfile::tempdir().unwrap();
        let measured = measure(dir.path(), &BTreeSet::from([0, 3])).unwrap();
        let [none, some] = &measured[..] else {
            panic!("{measured:?}")
        };
        assert_eq!((none.handovers, some.handovers), (0, 3));
        assert!(some.file_bytes > none.file_bytes);
        assert!(some.proof_bytes > 1_000 && some.proof_bytes == none.proof_bytes);
    }
}
