use super::*;
use crate::log::tree::{leaf_hash, node_hash};

const ORIGIN: &str = "tbsi/7/0123456789abcdef";

fn signer() -> NoteSigner {
    NoteSigner::new(&format!("{ORIGIN}/00"), &[3; 32]).unwrap()
}

/// Leaf 1 of a log of `size` leaves, of which only the left half's shape counts.
fn example() -> (CoseReceipt, B256) {
    let [a, b, c] = [b"a", b"b", b"c"].map(|leaf| leaf_hash(leaf));
    let root = node_hash(&node_hash(&a, &b), &c);
    let log = LogCheckpoint {
        origin: ORIGIN.into(),
        size: TreeSize(3),
        root,
    };
    let receipt = CoseReceipt::sign(&signer(), log, LeafIndex(1), InclusionProof(vec![a, c]));
    (receipt, root)
}

#[test]
fn writes_what_it_reads() {
    let (receipt, root) = example();
    let bytes = receipt.encode();
    assert_eq!(bytes[0], COSE_SIGN1_TAG);
    assert_eq!(CoseReceipt::decode(&bytes), Ok(receipt.clone()));
    let key = signer().verifier(crate::log::SignatureType::Cosignature);
    receipt.verify_signature(root, &key).unwrap();
    assert!(receipt.verify_signature(B256::ZERO, &key).is_err());
    let other = NoteSigner::new(key.name(), &[4; 32]).unwrap();
    let other = other.verifier(crate::log::SignatureType::Cosignature);
    assert!(receipt.verify_signature(root, &other).is_err());
    let renamed = NoteSigner::new(&format!("{ORIGIN}/01"), &[3; 32]).unwrap();
    let renamed = renamed.verifier(crate::log::SignatureType::Cosignature);
    assert!(receipt.verify_signature(root, &renamed).is_err());
}

#[test]
fn the_longest_fits() {
    let (mut receipt, _) = example();
    receipt.origin = "o".repeat(255);
    receipt.signer.clone_from(&receipt.origin);
    (receipt.size, receipt.index) = (TreeSize(u64::MAX), LeafIndex(u64::MAX));
    receipt.inclusion = InclusionProof(vec![B256::ZERO; INCLUSION_HASHES_MAX]);
    let bytes = receipt.encode();
    assert!(bytes.len() <= COSE_RECEIPT_BYTES_MAX, "{}", bytes.len());
    assert_eq!(CoseReceipt::decode(&bytes), Ok(receipt.clone()));
    receipt.inclusion.0.push(B256::ZERO);
    assert!(CoseReceipt::decode(&receipt.encode()).is_err());
}

#[test]
fn every_bit_counts() {
    let (receipt, root) = example();
    let bytes = receipt.encode();
    let key = signer().verifier(crate::log::SignatureType::Cosignature);
    let accepted = |bytes: &[u8]| {
        let Ok(receipt) = CoseReceipt::decode(bytes) else {
            return false;
        };
        let leads = receipt
            .inclusion
            .root(leaf_hash(b"b"), receipt.index, receipt.size);
        leads.is_ok_and(|it| it == root && receipt.verify_signature(it, &key).is_ok())
    };
    assert!(accepted(&bytes));
    for bit in 0..8 * bytes.len() {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(!accepted(&changed), "bit {bit}");
    }
    for end in 0..bytes.len() {
        assert!(!accepted(&bytes[..end]), "cut at {end}");
    }
    assert!(!accepted(&[bytes.as_slice(), &[0]].concat()));
}

#[test]
fn names_what_is_wrong() {
    let (receipt, _) = example();
    let decode = |change: &dyn Fn(&mut CoseSign1)| {
        let mut message = receipt.message();
        change(&mut message);
        let error = CoseReceipt::decode(&message.to_tagged_vec().unwrap());
        error.unwrap_err().to_string()
    };
    let check = |change: &dyn Fn(&mut CoseSign1), words: &str| {
        let error = decode(change);
        assert!(error.contains(words), "{words:?} is not in: {error}");
    };
    check(
        &|it| it.payload = Some(vec![0; 32]),
        "payload must be detached",
    );
    check(
        &|it| it.signature.truncate(63),
        "signature must be 64 bytes",
    );
    check(&|it| it.protected.header.alg = None, "alg must be EdDSA");
    check(
        &|it| it.protected.header.key_id.truncate(31),
        "kid (4) must be a key of 32 bytes",
    );
    check(&|it| it.protected.header.rest.truncate(1), "vds (395)");
    check(
        &|it| drop(it.protected.header.rest.remove(0)),
        "CWT claims (15)",
    );
    check(&|it| it.unprotected.rest.clear(), "vdp (396)");
    check(
        &|it| it.unprotected.key_id = vec![1],
        "not in the one form that is written",
    );
    let mut other = receipt.clone();
    other.size = TreeSize(4);
    let unprotected = other.unprotected();
    check(
        &|it| it.unprotected = unprotected.clone(),
        "a log of 4 leaves, signed is one of 3",
    );
    let mut foreign = receipt.clone();
    foreign.signer = "somebody/else".into();
    let error = CoseReceipt::decode(&foreign.encode()).unwrap_err();
    assert!(error.to_string().contains("CWT claims"), "{error}");
    let long = vec![0; COSE_RECEIPT_BYTES_MAX + 1];
    assert_eq!(
        CoseReceipt::decode(&long),
        Err(CoseReceiptError::TooLong(long.len()))
    );
    let untagged = &receipt.encode()[1..];
    let error = CoseReceipt::decode(untagged).unwrap_err();
    assert!(matches!(error, CoseReceiptError::Message(_)), "{error}");
}
