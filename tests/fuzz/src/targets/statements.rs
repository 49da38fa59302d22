//! What issuers sign: statements that a salt was destroyed (SPEC §12.10), and what others send in
//! their name (SPEC §12.7).

use std::collections::BTreeSet;
use std::sync::LazyLock;

use alloy_primitives::{B256, U256, keccak256};
use tbsi_governance::delegation::{Delegated, Delegating, DelegationFile};
use tbsi_types::{SecretKey, SignedErasure};

use super::{Target, canonical};
use crate::corpus::{text_of, vectors};

pub(super) const ERASURE: Target = Target::text(
    "erasure",
    |bytes| {
        let Ok(signed) = SignedErasure::parse(bytes) else {
            return;
        };
        canonical(bytes, Some(signed.encode().into_bytes()));
    },
    || text_of(&vectors("erasure.json"), "cases", "statement"),
    &[
        "null",
        "-1",
        "18446744073709551616",
        "\"0x\"",
        "{}",
        "[]",
        "\"leafIndex\":",
        "\\u0066",
    ],
)
.slow(40_000);

pub(super) const DELEGATION: Target =
    Target::text("delegation", delegation, files, WORDS).slow(4_000);

const WORDS: &[&str] = &[
    "null",
    "-1",
    "256",
    "4294967296",
    "\"0x\"",
    "{}",
    "[]",
    "\"cancel\":{}",
    "\"attest\":",
    "\"words\":",
];

/// What the issuer of the seeds signed.
static SIGNED: LazyLock<BTreeSet<B256>> =
    LazyLock::new(|| statements().iter().map(Delegating::digest).collect());

fn issuer() -> SecretKey {
    SecretKey::from_seed(b"issuer of fuzzed delegations")
}

fn statements() -> Vec<Delegating> {
    let (schema, algorithm) = (keccak256("tbsi:file:v1"), 0x12);
    let words = |count: u8| (0..count).map(B256::repeat_byte).collect();
    let all = [
        Delegated::Attest {
            schema,
            algorithm,
            words: words(1),
        },
        Delegated::AttestBatch {
            schema,
            algorithm,
            words: words(9),
        },
        Delegated::Revoke {
            id: schema,
            reason: 2,
        },
        Delegated::Cancel {},
    ];
    let delegating = |what| Delegating {
        chain_id: 8_862_026,
        issuer: issuer().public_key().address(),
        nonce: U256::from(77),
        deadline: 1_700_000_000,
        what,
    };
    all.map(delegating).into()
}

/// A file that is good is one that its issuer signed.
fn delegation(bytes: &[u8]) {
    let Ok(file) = DelegationFile::parse(bytes) else {
        return;
    };
    let signed = file.delegating();
    if signed.issuer == issuer().public_key().address() {
        assert!(SIGNED.contains(&signed.digest()), "{signed:?}");
    }
    let again = serde_json::to_vec(&file).expect("what was read is written");
    assert_eq!(DelegationFile::parse(&again).expect("it is read"), file);
}

fn files() -> Vec<Vec<u8>> {
    let key = issuer();
    let file = |of: &Delegating| DelegationFile::new(of, B256::ZERO, &of.sign(&key));
    let files = statements();
    let files = files.iter().map(|of| serde_json::to_vec(&file(of)));
    let mut files: Vec<_> = files.map(|file| file.expect("it is written")).collect();
    files.push(b"{}".to_vec());
    files
}
