//! What is trusted: the genesis file, and what follows from it through verified handovers.

use alloy_primitives::{Address, B256};
use tbsi_light::{
    HandoverFollower, LogError, TrustAnchor, VerifyBundleError, verify_cosigned, verify_decision,
};
use tbsi_types::bundle::chain::HANDOVERS_PER_PAGE;
use tbsi_types::bundle::{HANDOVERS_MAX, HandoverReader, HandoverRecord, HandoverWriter};
use tbsi_types::log::{
    Cosigner, EntryBundle, NoteVerifier, SignatureType, SignedNote, cosigner_name,
};
use tbsi_types::validator::operator_id;
use tbsi_types::{
    ChainIdentity, Decision, Genesis, Handover, Height, NamedValidators, TreeSize, VotingPower,
};

use crate::alarm::Alarm;
use crate::limits::HANDOVERS_KEPT_MAX;
use crate::registry::Registry;
use crate::said::{WarroomError, causes, said};
use crate::source::{LogSource, ShownLog};
use crate::store::Kept;

/// What vouches for a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Basis {
    /// A commit certificate.
    Certificate(Box<Decision>),
    /// Cosignatures on a note.
    Cosignatures,
}

/// The newest log that a source shows, verified.
#[derive(Clone, Debug)]
pub(crate) struct VerifiedLog {
    pub(crate) size: TreeSize,
    pub(crate) root: B256,
    pub(crate) basis: Basis,
    /// A note that a quorum cosigned, and the size of its log.
    pub(crate) note: Option<(SignedNote, TreeSize, B256)>,
    pub(crate) validators: NamedValidators,
    pub(crate) signers: Vec<Address>,
    pub(crate) power: VotingPower,
    /// Handovers that lead to `validators`.
    pub(crate) handovers: usize,
}

impl VerifiedLog {
    pub(crate) fn decision(&self) -> Option<&Decision> {
        match &self.basis {
            Basis::Certificate(decision) => Some(decision),
            Basis::Cosignatures => None,
        }
    }

    pub(crate) fn height(&self) -> Option<Height> {
        self.decision().map(|it| it.checkpoint.height)
    }
}

/// From genesis on, as far as handovers are known.
#[derive(Clone, Debug)]
pub(crate) struct Trust {
    chain: ChainIdentity,
    genesis: TrustAnchor,
    genesis_set: NamedValidators,
    follower: HandoverFollower,
    handovers: Vec<Handover>,
    /// The set after each of `handovers`, and what is trusted then.
    after: Vec<(NamedValidators, TrustAnchor)>,
}

impl Trust {
    pub(crate) fn new(genesis: &Genesis) -> Result<Self, WarroomError> {
        let wrong = |error: &dyn std::error::Error| {
            let words = causes(error);
            WarroomError::from(said(
                format!("genesis file: {words}"),
                format!("創世檔：{words}"),
            ))
        };
        let anchor = TrustAnchor::genesis(genesis).map_err(|error| wrong(&error))?;
        let set = NamedValidators::of_genesis(genesis).map_err(|error| wrong(&error))?;
        Ok(Self {
            chain: genesis.identity(),
            genesis: anchor,
            genesis_set: set,
            follower: HandoverFollower::from(anchor),
            handovers: Vec::new(),
            after: Vec::new(),
        })
    }

    pub(crate) fn chain(&self) -> ChainIdentity {
        self.chain
    }

    pub(crate) fn handovers(&self) -> &[Handover] {
        &self.handovers
    }

    /// The newest set.
    pub(crate) fn set(&self) -> &NamedValidators {
        self.after.last().map_or(&self.genesis_set, |(set, _)| set)
    }

    /// Verifies one more handover.
    pub(crate) fn extend(
        &mut self,
        handover: Handover,
        next: NamedValidators,
    ) -> Result<(), VerifyBundleError> {
        self.follower.follow(&handover, &next)?;
        self.handovers.push(handover);
        self.after.push((next, *self.follower.anchor()));
        Ok(())
    }

    /// Fetches and verifies the handovers that a source has beyond what is known.
    pub(crate) async fn follow(&mut self, source: &LogSource) -> Result<(), Alarm> {
        let count = source.handover_count().await?;
        if count > HANDOVERS_KEPT_MAX {
            return Err(source.gap(&said(
                format!("{count} handovers, at most {HANDOVERS_KEPT_MAX} are followed"),
                format!("{count} 次交接，最多追蹤 {HANDOVERS_KEPT_MAX} 次"),
            )));
        }
        while (self.handovers.len() as u64) < count {
            let known = self.handovers.len();
            self.follow_page(source, count).await?;
            if self.handovers.len() == known {
                return Err(source.gap(&said(
                    "a page of handovers has fewer than it should",
                    "交接頁的筆數不足",
                )));
            }
        }
        Ok(())
    }

    async fn follow_page(&mut self, source: &LogSource, count: u64) -> Result<(), Alarm> {
        let known = self.handovers.len() as u64;
        let index = known / HANDOVERS_PER_PAGE;
        let width = (count - index * HANDOVERS_PER_PAGE).min(HANDOVERS_PER_PAGE);
        let width = u16::try_from(width).expect("at most 256");
        let bytes = source.handovers(EntryBundle { index, width }).await?;
        let mut reader = HandoverReader::open(bytes.as_slice()).map_err(|it| source.wrong(&it))?;
        let mut passed = known % HANDOVERS_PER_PAGE;
        while let Some((handover, next)) = reader.record().map_err(|it| source.wrong(&it))? {
            if passed > 0 {
                passed -= 1;
                continue;
            }
            self.extend(handover, next)
                .map_err(|it| source.wrong(&it))?;
        }
        Ok(())
    }

    /// A page of handovers as a node serves it; `None` if there are fewer.
    pub(crate) fn page(&self, page: EntryBundle) -> Option<Vec<u8>> {
        let start = usize::try_from(page.index.checked_mul(HANDOVERS_PER_PAGE)?).ok()?;
        let end = start.checked_add(page.width.into())?;
        let handovers = self.handovers.get(start..end)?;
        let first = handovers.first()?.validators.clone();
        let (mut writer, mut bytes) = HandoverWriter::begin(self.chain, first).ok()?;
        for (handover, (next, _)) in handovers.iter().zip(&self.after[start..end]) {
            let record = HandoverRecord {
                last: handover.last.clone(),
                first: handover.first.clone(),
                next: next.clone(),
            };
            bytes.extend(writer.record(&record).ok()?);
        }
        Some(bytes)
    }

    /// The whole stream, to be kept.
    pub(crate) fn stream(&self) -> Result<Vec<u8>, tbsi_types::BundleError> {
        let (mut writer, mut bytes) = HandoverWriter::begin(self.chain, self.genesis_set.clone())?;
        for (handover, (next, _)) in self.handovers.iter().zip(&self.after) {
            let record = HandoverRecord {
                last: handover.last.clone(),
                first: handover.first.clone(),
                next: next.clone(),
            };
            bytes.extend(writer.record(&record)?);
        }
        Ok(bytes)
    }

    /// How many handovers had happened by a height.
    fn handovers_by(&self, height: Height) -> usize {
        self.handovers
            .partition_point(|handover| handover.first.checkpoint.height <= height)
    }

    fn at(&self, handovers: usize) -> (&NamedValidators, &TrustAnchor) {
        match handovers.checked_sub(1) {
            Some(last) => (&self.after[last].0, &self.after[last].1),
            None => (&self.genesis_set, &self.genesis),
        }
    }

    /// Handovers of a bundle that begins at genesis; `None` if it has no room for them.
    pub(crate) fn bundled(&self, handovers: usize) -> Option<&[Handover]> {
        let all = self.handovers.get(..handovers)?;
        (all.len() <= HANDOVERS_MAX).then_some(all)
    }

    /// Verifies what a source shows as the newest log. `None` if it shows none.
    pub(crate) fn verify(
        &self,
        source: &LogSource,
        shown: ShownLog,
        registry: &Registry,
    ) -> Result<Option<VerifiedLog>, Alarm> {
        let note = match &shown.note {
            Some(note) => self.verify_note(note, registry),
            None => Ok(None),
        };
        let Some(decision) = shown.decision else {
            return note.map_err(|error| source.wrong(&error));
        };
        let mut verified = self
            .verify_decision(decision)
            .map_err(|error| source.wrong(&error))?;
        // Who reads certificates needs no note; one that a quorum did not cosign is left out.
        verified.note = note.ok().flatten().and_then(|note| note.note);
        Ok(Some(verified))
    }

    /// Verifies one decision.
    pub(crate) fn verify_decision(
        &self,
        decision: Decision,
    ) -> Result<VerifiedLog, VerifyBundleError> {
        let handovers = self.handovers_by(decision.checkpoint.height);
        let (set, anchor) = self.at(handovers);
        let (_, verified) = verify_decision(&decision, set, &[], anchor)?;
        Ok(VerifiedLog {
            size: decision.checkpoint.log_size,
            root: decision.checkpoint.log_root,
            note: None,
            validators: set.clone(),
            signers: verified.signers.iter().map(|it| it.validator).collect(),
            power: verified.power,
            handovers,
            basis: Basis::Certificate(Box::new(decision)),
        })
    }

    /// What was kept of an earlier run, verified again.
    pub(crate) fn restore(&mut self, kept: &Kept, registry: &Registry) -> Option<VerifiedLog> {
        if let Some(stream) = &kept.handovers {
            let mut reader = HandoverReader::open(stream.as_slice()).ok()?;
            while let Some((handover, next)) = reader.record().ok()? {
                self.extend(handover, next).ok()?;
            }
        }
        let note = kept.note.as_ref();
        let note = note.and_then(|note| self.verify_note(note, registry).ok().flatten());
        let Some(decision) = kept.decision.clone() else {
            return note;
        };
        let mut verified = self.verify_decision(decision).ok()?;
        verified.note = note.and_then(|note| note.note);
        Some(verified)
    }

    /// A note that the newest set cosigned, or the one before: a handover may be newer than it.
    fn verify_note(
        &self,
        note: &SignedNote,
        registry: &Registry,
    ) -> Result<Option<VerifiedLog>, LogError> {
        let all = self.handovers.len();
        let newest = self.verify_note_of(note, all, registry);
        match newest {
            Err(_) if all > 0 => {
                let before = self.verify_note_of(note, all - 1, registry);
                before.or(newest).map(Some)
            }
            other => other.map(Some),
        }
    }

    fn verify_note_of(
        &self,
        note: &SignedNote,
        handovers: usize,
        registry: &Registry,
    ) -> Result<VerifiedLog, LogError> {
        let (set, _) = self.at(handovers);
        let cosigners = self.cosigners(set, registry);
        let origin = self.chain.log_origin();
        let verified = verify_cosigned(note, &origin, &cosigners, set.total_power())?;
        let (size, root) = (verified.checkpoint.size, verified.checkpoint.root);
        Ok(VerifiedLog {
            size,
            root,
            basis: Basis::Cosignatures,
            note: Some((note.clone(), size, root)),
            validators: set.clone(),
            signers: verified.signers.iter().map(|(who, _)| *who).collect(),
            power: verified.power,
            handovers,
        })
    }

    /// The keys of a set's members that genesis or an act names.
    fn cosigners(&self, set: &NamedValidators, registry: &Registry) -> Vec<Cosigner> {
        let cosigner = |member: &tbsi_types::NamedValidator| {
            let key = registry.log_key_of(member.address)?;
            let operator = operator_id(&member.name_zh_tw, &member.name_en);
            let name = cosigner_name(&self.chain, operator);
            let key = NoteVerifier::new(&name, SignatureType::Cosignature, key.as_slice()).ok()?;
            Some(Cosigner {
                validator: member.address,
                power: member.power,
                key,
            })
        };
        set.as_slice().iter().filter_map(cosigner).collect()
    }
}
