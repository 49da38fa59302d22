use alloy_primitives::{B256, U256};
use proptest::prelude::*;
use tbsi_types::certificate::CertificateError;
use tbsi_types::validator::operator_id;
use tbsi_types::{
    CheckpointDigest, CommitSignature, Height, Round, SecretKey, Signature, Validator,
};

use super::*;

const CHAIN: ChainIdentity = ChainIdentity {
    chain_id: 8_862_026,
    genesis_hash: B256::repeat_byte(0x67),
};
const HEIGHT: Height = Height(9);
const ROUND: Round = Round(2);
const DIGEST: CheckpointDigest = CheckpointDigest(B256::repeat_byte(0xd1));

fn key(index: usize) -> SecretKey {
    SecretKey::from_seed(format!("light {index}").as_bytes())
}

/// A set with these powers; validator `i` has `key(i)`.
fn set(powers: &[u64]) -> ValidatorSet {
    let validator = |(index, power): (usize, &u64)| {
        Validator::new(
            key(index).public_key(),
            VotingPower(*power),
            operator_id("", "A"),
        )
    };
    ValidatorSet::new(powers.iter().enumerate().map(validator).collect()).unwrap()
}

fn precommit(index: usize, chain: &ChainIdentity) -> CommitSignature {
    let statement = certificate(vec![]).statement();
    CommitSignature {
        validator: key(index).public_key().address(),
        signature: key(index).sign(statement.digest(chain)),
    }
}

fn certificate(signatures: Vec<CommitSignature>) -> CommitCertificate {
    CommitCertificate::new(HEIGHT, ROUND, DIGEST, signatures).unwrap()
}

fn signed_by(signers: impl IntoIterator<Item = usize>) -> CommitCertificate {
    certificate(
        signers
            .into_iter()
            .map(|index| precommit(index, &CHAIN))
            .collect(),
    )
}

fn check(powers: &[u64], certificate: &CommitCertificate, expected: Result<u64, &str>) {
    let got = verify_certificate(&CHAIN, &set(powers), certificate)
        .map(|verified| verified.power.0)
        .map_err(|error| error.to_string());
    match (got, expected) {
        (Ok(got), Ok(expected)) => assert_eq!(got, expected),
        (Err(got), Err(expected)) => assert!(got.contains(expected), "{got}"),
        (got, expected) => panic!("got {got:?}, expected {expected:?}"),
    }
}

#[test]
fn quorum_is_exact_for_every_set_size() {
    let signatures: Vec<_> = (0..128).map(|index| precommit(index, &CHAIN)).collect();
    for count in 1..=128usize {
        let set = set(&vec![1; count]);
        let least = 2 * count / 3 + 1;
        let verify = |signers: usize| {
            verify_certificate(&CHAIN, &set, &certificate(signatures[..signers].to_vec()))
        };
        let verified = verify(least).unwrap();
        assert_eq!(verified.power, VotingPower(least as u64), "of {count}");
        assert_eq!(verified.total, VotingPower(count as u64));
        assert_eq!(verified.signers.len(), least);
        let below = verify(least - 1).unwrap_err();
        assert!(
            matches!(below, VerifyError::BelowQuorum { power, total }
                if power.0 == least as u64 - 1 && total.0 == count as u64),
            "of {count}: {below}"
        );
    }
}

#[test]
fn power_counts_not_heads() {
    check(&[5, 1, 1, 1], &signed_by([0, 1]), Ok(6));
    let three_heads = "signatures carry 3 of 8 voting power, strictly more than 2/3 is needed";
    check(&[5, 1, 1, 1], &signed_by([1, 2, 3]), Err(three_heads));
    check(&[5, 1, 1, 1], &signed_by([]), Err("0 of 8"));
    check(&[2, 1], &signed_by([0]), Err("2 of 3"));
    check(&[u64::MAX], &signed_by([0]), Ok(u64::MAX));
    check(&[1 << 63, (1 << 63) - 1], &signed_by([0, 1]), Ok(u64::MAX));
}

#[test]
fn a_validator_cannot_sign_twice() {
    let twice = vec![
        precommit(0, &CHAIN),
        precommit(1, &CHAIN),
        precommit(1, &CHAIN),
    ];
    let error = CommitCertificate::new(HEIGHT, ROUND, DIGEST, twice).unwrap_err();
    assert_eq!(
        error,
        CertificateError::Order(key(1).public_key().address())
    );
}

#[test]
fn one_bad_signature_condemns_a_quorum() {
    check(&[1; 4], &signed_by(0..4), Ok(4));
    check(
        &[1; 4],
        &signed_by([0, 1, 2, 9]),
        Err("is not in the validator set"),
    );
    let replace = |signature: Signature| {
        let mut signatures: Vec<_> = (0..4).map(|index| precommit(index, &CHAIN)).collect();
        signatures[3].signature = signature;
        certificate(signatures)
    };
    let genuine = precommit(3, &CHAIN).signature;
    check(&[1; 4], &replace(genuine), Ok(4));
    check(
        &[1; 4],
        &replace(precommit(2, &CHAIN).signature),
        Err("signature of"),
    );
    check(&[1; 4], &replace(Signature::ABSTAINED), Err("signature of"));
    check(&[1; 4], &replace(high_s(&genuine)), Err("signature of"));
}

/// n - s with the other v: the twin signature that plain ECDSA would accept.
fn high_s(signature: &Signature) -> Signature {
    let order = U256::from_str_radix(
        "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141",
        16,
    )
    .unwrap();
    let mut bytes = signature.0;
    let s = U256::from_be_slice(&bytes[32..64]);
    bytes[32..64].copy_from_slice(&(order - s).to_be_bytes::<32>());
    bytes[64] = 27 + (28 - bytes[64]);
    Signature(bytes)
}

#[test]
fn every_part_of_the_statement_is_signed() {
    let signatures = signed_by(0..4).signatures().to_vec();
    let other = |height, round, digest| {
        CommitCertificate::new(height, round, digest, signatures.clone()).unwrap()
    };
    check(&[1; 4], &other(HEIGHT, ROUND, DIGEST), Ok(4));
    let digest = CheckpointDigest(B256::repeat_byte(0xd2));
    for moved in [
        other(Height(8), ROUND, DIGEST),
        other(HEIGHT, Round(1), DIGEST),
        other(HEIGHT, ROUND, digest),
    ] {
        check(&[1; 4], &moved, Err("signature of"));
    }
}

#[test]
fn signatures_of_another_network_do_not_count() {
    for other in [
        ChainIdentity {
            chain_id: 8_862_027,
            ..CHAIN
        },
        ChainIdentity {
            genesis_hash: B256::repeat_byte(0x68),
            ..CHAIN
        },
    ] {
        let signatures = (0..4).map(|index| precommit(index, &other)).collect();
        check(&[1; 4], &certificate(signatures), Err("signature of"));
    }
}

#[test]
fn every_flipped_bit_is_noticed() {
    let set = set(&[1; 4]);
    let encoded = signed_by(0..4).encode();
    assert!(verify_certificate(&CHAIN, &set, &signed_by(0..4)).is_ok());
    for bit in 0..encoded.len() * 8 {
        let mut flipped = encoded.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        if let Ok(certificate) = CommitCertificate::decode(&flipped) {
            assert!(
                verify_certificate(&CHAIN, &set, &certificate).is_err(),
                "bit {bit}"
            );
        }
    }
}

proptest! {
    #[test]
    fn verifies_exactly_the_quorums(
        powers in proptest::collection::vec(1u64..=1_000, 1..12),
        chosen in any::<u16>(),
    ) {
        let signers: Vec<_> = (0..powers.len()).filter(|i| chosen >> i & 1 == 1).collect();
        let power: u64 = signers.iter().map(|i| powers[*i]).sum();
        let total: u64 = powers.iter().sum();
        let verified = verify_certificate(&CHAIN, &set(&powers), &signed_by(signers));
        prop_assert_eq!(verified.is_ok(), 3 * power > 2 * total);
    }

    #[test]
    fn arbitrary_bytes_never_verify(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        if let Ok(certificate) = CommitCertificate::decode(&bytes) {
            prop_assert!(verify_certificate(&CHAIN, &set(&[1; 4]), &certificate).is_err());
        }
    }
}
