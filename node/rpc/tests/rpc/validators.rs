//! Named validators and what they sign.

use tbsi_types::{
    Checkpoint, CommitCertificate, CommitSignature, Evidence, Height, Member, Members, Round,
    SecretKey, VoteKind, VoteStatement, VotingPower,
};

use crate::transactions::identity;

pub(crate) const VALIDATORS: [(&str, &str); 4] = [
    ("甲公會", "Guild A"),
    ("乙公會", "Guild B"),
    ("丙公會", "Guild C"),
    ("", "Guild D"),
];

fn validator_keys() -> Vec<SecretKey> {
    let seed = |(_, name_en): &(&str, &str)| SecretKey::from_seed(name_en.as_bytes());
    VALIDATORS.iter().map(seed).collect()
}

pub(crate) fn members() -> Members {
    let member = |(key, (zh, en)): (&SecretKey, (&str, &str))| Member {
        public_key: key.public_key(),
        power: VotingPower(1),
        organisation: 1,
        name_zh_tw: zh.into(),
        name_en: en.into(),
        node: format!("node of {en}"),
    };
    let members = validator_keys();
    Members::new(members.iter().zip(VALIDATORS).map(member).collect()).unwrap()
}

pub(crate) fn equivocation() -> Evidence {
    let key = &validator_keys()[0];
    let vote = |value| {
        let statement = VoteStatement {
            kind: VoteKind::Prevote,
            height: Height(2),
            round: Round(1),
            value,
        };
        (statement, key.sign(statement.digest(&identity())))
    };
    Evidence::Votes {
        validator: key.public_key().address(),
        first: vote(None),
        second: vote(Some(Default::default())),
    }
}

/// A quorum of three for a checkpoint.
pub(crate) fn certificate(checkpoint: &Checkpoint) -> CommitCertificate {
    let height = checkpoint.height;
    let digest = checkpoint.digest(&identity());
    let statement = VoteStatement {
        kind: VoteKind::Precommit,
        height,
        round: Round(0),
        value: Some(digest),
    };
    let sign = |key: &SecretKey| CommitSignature {
        validator: key.public_key().address(),
        signature: key.sign(statement.digest(&identity())),
    };
    let signatures = validator_keys()[..3].iter().map(sign).collect();
    CommitCertificate::new(height, Round(0), digest, signatures).unwrap()
}
