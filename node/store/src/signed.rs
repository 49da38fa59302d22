//! What validators signed, as far as it is kept: evidence of equivocation, and the last precommit
//! of each.

use tbsi_types::cursor::{Cursor, CursorError};
use tbsi_types::{Address, CommitCertificate, Evidence, Height, Round, VoteKind};

use crate::database::{Batch, Table};
use crate::error::{StoreError, corrupt};
use crate::keys::{self, EVIDENCE_PLACE_BYTES};
use crate::limits::EVIDENCE_PER_VALIDATOR_MAX;
use crate::store::Store;

/// Where a piece is among the evidence against a validator, which is in order of heights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EvidencePlace([u8; EVIDENCE_PLACE_BYTES]);

impl Store {
    /// Stores verified evidence. Returns whether it is new: of the evidence against a
    /// validator, the first of each kind, height and round is kept, and at most
    /// [`EVIDENCE_PER_VALIDATOR_MAX`] a height.
    pub fn put_evidence(&self, evidence: &Evidence) -> Result<bool, StoreError> {
        let _writer = self.writer();
        let (height, round) = evidence.position();
        let validator = evidence.validator();
        let key = keys::evidence(height, &validator, round, evidence_kind(evidence));
        let (mut known, mut count) = (false, 0);
        let prefix = keys::evidence_against(height, &validator);
        let view = self.database.snapshot();
        view.scan(Table::Consensus, &prefix, "evidence", |stored, _| {
            known |= stored == key.as_slice();
            count += 1;
            Ok(true)
        })?;
        if known || count >= EVIDENCE_PER_VALIDATOR_MAX {
            return Ok(false);
        }
        let place = keys::evidence_place(height, round, evidence_kind(evidence));
        let mut batch = self.database.batch();
        batch.put(Table::Consensus, &key, &evidence.encode());
        batch.put(Table::Consensus, &keys::accused(&validator, &place), &[]);
        batch.write("evidence")?;
        Ok(true)
    }

    /// Evidence, latest height first, at most `limit` pieces.
    pub fn evidence(&self, limit: usize) -> Result<Vec<Evidence>, StoreError> {
        let mut evidence = Vec::new();
        let view = self.database.snapshot();
        view.scan_back(
            Table::Consensus,
            keys::ALL_EVIDENCE,
            "evidence",
            |_, bytes| {
                if evidence.len() == limit {
                    return Ok(false);
                }
                let piece = Evidence::decode(bytes).map_err(|error| corrupt("evidence")(&error))?;
                evidence.push(piece);
                Ok(true)
            },
        )?;
        Ok(evidence)
    }

    /// Validators against whom there is evidence, in order of addresses, from the one behind
    /// `after` on; at most `limit`.
    pub fn accused(
        &self,
        after: Option<Address>,
        limit: usize,
    ) -> Result<Vec<Address>, StoreError> {
        let mut accused = Vec::new();
        let view = self.database.snapshot();
        let mut from = after.map_or(keys::ALL_ACCUSED.to_vec(), behind);
        while accused.len() < limit {
            let mut next = None;
            let first = |key: &[u8], _: &[u8]| {
                next = Some(parse_accused(key)?);
                Ok(false)
            };
            view.scan_from(
                Table::Consensus,
                keys::ALL_ACCUSED,
                &from,
                "evidence",
                first,
            )?;
            let Some((validator, _)) = next else {
                break;
            };
            accused.push(validator);
            from = behind(validator);
        }
        Ok(accused)
    }

    /// The evidence against one validator, lowest height first, from the piece behind `after` on;
    /// at most `limit` pieces.
    pub fn evidence_against(
        &self,
        validator: Address,
        after: Option<EvidencePlace>,
        limit: usize,
    ) -> Result<Vec<(EvidencePlace, Evidence)>, StoreError> {
        let mut places = Vec::new();
        let view = self.database.snapshot();
        let prefix = keys::accusations(&validator);
        let from = after.map_or(prefix.clone(), |place| keys::accused(&validator, &place.0));
        view.scan_from(Table::Consensus, &prefix, &from, "evidence", |key, _| {
            let place = EvidencePlace(parse_accused(key)?.1);
            if Some(place) != after {
                places.push(place);
            }
            Ok(places.len() < limit)
        })?;
        places.truncate(limit);
        let read = |place: EvidencePlace| {
            let key = keys::evidence_at(&validator, &place.0);
            let bytes = view.get(Table::Consensus, &key, "evidence")?;
            let bytes = bytes.ok_or_else(|| corrupt("evidence")(&"it is not there"))?;
            let piece = Evidence::decode(&bytes).map_err(|error| corrupt("evidence")(&error))?;
            Ok((place, piece))
        };
        places.into_iter().map(read).collect()
    }

    /// Height and round of the last precommit of this validator that a stored certificate
    /// carries.
    pub fn last_signed(&self, validator: &Address) -> Result<Option<(Height, Round)>, StoreError> {
        let (key, what) = (keys::last_signed(validator), "last precommit");
        let bytes = self.database.get(Table::Consensus, &key, what)?;
        let decode = |bytes: Vec<u8>| -> Result<_, CursorError> {
            let mut cursor = Cursor::new(&bytes);
            let position = (Height(cursor.u64("height")?), Round(cursor.u32("round")?));
            cursor.end().map(|()| position)
        };
        bytes
            .map(|bytes| decode(bytes).map_err(|error| corrupt(what)(&error)))
            .transpose()
    }
}

/// Notes for each validator of a certificate that it signed there.
pub(crate) fn write_signed(batch: &mut Batch<'_>, certificate: &CommitCertificate) {
    let (height, round) = (certificate.height, certificate.round);
    let position = [height.0.to_be_bytes().as_slice(), &round.0.to_be_bytes()].concat();
    for entry in certificate.signatures() {
        let key = keys::last_signed(&entry.validator);
        batch.put(Table::Consensus, &key, &position);
    }
}

/// After all that accuses this validator.
fn behind(validator: Address) -> Vec<u8> {
    keys::accused(&validator, &[u8::MAX; EVIDENCE_PLACE_BYTES])
}

fn parse_accused(key: &[u8]) -> Result<(Address, [u8; EVIDENCE_PLACE_BYTES]), StoreError> {
    keys::parse_accused(key).ok_or_else(|| corrupt("evidence")(&"key"))
}

/// Tells prevotes, precommits and proposals apart.
fn evidence_kind(evidence: &Evidence) -> u8 {
    match evidence {
        Evidence::Votes { first, .. } => match first.0.kind {
            VoteKind::Prevote => 1,
            VoteKind::Precommit => 2,
        },
        Evidence::Proposals { .. } => 3,
    }
}
