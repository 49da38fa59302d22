//! Post-quantum cosignatures of the log, whose they are, and how much of the voting power
//! (SPEC §9.12).

use tbsi_types::bundle::NamedValidators;
use tbsi_types::log::{
    LogCheckpoint, PostQuantumVerifier, SignedNote, TlogProof, cosigner_name, leaf_hash,
};
use tbsi_types::validator::operator_id;
use tbsi_types::{ChainIdentity, VotingPower};

use crate::log::{LogError, verify_inclusion};

/// An operator whose validators cosigned with post-quantum keys.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PostQuantumSignatory {
    /// Its legal name in Traditional Chinese; empty if it has none.
    pub name_zh_tw: String,
    /// Its legal name in English.
    pub name_en: String,
    /// How many of its keys signed.
    pub keys: usize,
    /// Voting power that they speak for: a key does not say which validator of its operator it
    /// belongs to, so that of two it is the weaker one's.
    pub power: VotingPower,
    /// The latest of the times at which it signed, in seconds since the Unix epoch.
    pub time: u64,
}

/// A log that named operators cosigned.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct VerifiedPostQuantum {
    /// Origin, size and root.
    pub checkpoint: LogCheckpoint,
    /// Operators of the given validator set, in the order of its first validators.
    pub signatories: Vec<PostQuantumSignatory>,
    /// Of all of them together.
    pub power: VotingPower,
    /// Of the set.
    pub total: VotingPower,
}

impl VerifiedPostQuantum {
    /// Whether they are a quorum (SPEC §3.3).
    pub fn is_quorum(&self) -> bool {
        self.power.is_quorum_of(self.total)
    }
}

/// Verifies which operators of `set` cosigned a note with one of `keys`. Other lines are not looked
/// at, those with Ed25519 included; a wrong signature of a given key condemns the note.
pub fn verify_post_quantum_note(
    note: &SignedNote,
    chain: &ChainIdentity,
    set: &NamedValidators,
    keys: &[PostQuantumVerifier],
) -> Result<VerifiedPostQuantum, LogError> {
    let checkpoint = LogCheckpoint::parse(note.text())?;
    let expected = chain.log_origin();
    if checkpoint.origin != expected {
        let got = checkpoint.origin;
        return Err(LogError::Origin { expected, got });
    }
    let mut signed: Vec<(&str, u64)> = Vec::new();
    for (position, key) in keys.iter().enumerate() {
        // A key counts once, however often it is given.
        if keys[..position].contains(key) {
            continue;
        }
        let mut lines = note.signatures().iter().filter(|line| key.claims(line));
        let Some(line) = lines.next() else {
            continue;
        };
        if lines.next().is_some() {
            return Err(LogError::Twice(key.name().into()));
        }
        signed.push((key.name(), key.verify(&checkpoint, line)?));
    }
    let signatories = signatories(chain, set, &signed);
    // Members of one set: their sum is at most its total.
    let power = signatories.iter().map(|it| it.power.0).sum();
    Ok(VerifiedPostQuantum {
        checkpoint,
        signatories,
        power: VotingPower(power),
        total: set.total_power(),
    })
}

fn signatories(
    chain: &ChainIdentity,
    set: &NamedValidators,
    signed: &[(&str, u64)],
) -> Vec<PostQuantumSignatory> {
    let mut found: Vec<PostQuantumSignatory> = Vec::new();
    for validator in set.as_slice() {
        let (zh_tw, en) = (&validator.name_zh_tw, &validator.name_en);
        let known = |it: &PostQuantumSignatory| (&it.name_zh_tw, &it.name_en) == (zh_tw, en);
        if found.iter().any(known) {
            continue;
        }
        let name = cosigner_name(chain, operator_id(zh_tw, en));
        let times = signed.iter().filter(|(signer, _)| *signer == name);
        let times: Vec<u64> = times.map(|(_, time)| *time).collect();
        let Some(time) = times.iter().max() else {
            continue;
        };
        let same = set
            .as_slice()
            .iter()
            .filter(|it| (&it.name_zh_tw, &it.name_en) == (zh_tw, en));
        let mut powers: Vec<u64> = same.map(|it| it.power.0).collect();
        powers.sort_unstable();
        found.push(PostQuantumSignatory {
            name_zh_tw: zh_tw.clone(),
            name_en: en.clone(),
            keys: times.len(),
            power: VotingPower(powers.iter().take(times.len()).sum()),
            time: *time,
        });
    }
    found
}

/// Verifies a `.tlog-proof` of `leaf` by post-quantum cosignatures alone: the note as in
/// [`verify_post_quantum_note`], then the inclusion.
pub fn verify_post_quantum_proof(
    leaf: &[u8],
    proof: &TlogProof,
    chain: &ChainIdentity,
    set: &NamedValidators,
    keys: &[PostQuantumVerifier],
) -> Result<VerifiedPostQuantum, LogError> {
    let verified = verify_post_quantum_note(&proof.note, chain, set, keys)?;
    let LogCheckpoint { size, root, .. } = verified.checkpoint;
    verify_inclusion(leaf_hash(leaf), proof.index, size, &proof.inclusion, root)?;
    Ok(verified)
}
