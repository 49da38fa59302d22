use super::*;
use crate::number::TreeSize;

fn checkpoint(size: u64) -> LogCheckpoint {
    LogCheckpoint {
        origin: "log.example".into(),
        size: TreeSize(size),
        root: B256::repeat_byte(7),
    }
}

#[test]
fn signs_for_one_name_time_and_tree_alone() {
    let signer = PostQuantumSigner::new("log.example/a", &[7; 32]).unwrap();
    let verifier = signer.verifier();
    let line = signer.cosign(&checkpoint(9), 1_679_315_147).unwrap();
    assert_eq!(line.bytes.len(), POST_QUANTUM_COSIGNATURE_BYTES);
    assert_eq!(verifier.verify(&checkpoint(9), &line), Ok(1_679_315_147));
    // Deterministic: the same again.
    assert_eq!(
        signer.cosign(&checkpoint(9), 1_679_315_147),
        Ok(line.clone())
    );
    assert!(verifier.verify(&checkpoint(8), &line).is_err());
    let mut moved = checkpoint(9);
    moved.origin = "log.example2".into();
    assert!(verifier.verify(&moved, &line).is_err());
    let other = PostQuantumSigner::new("log.example/b", &[7; 32])
        .unwrap()
        .verifier();
    assert_eq!(other.public_key(), verifier.public_key());
    let renamed = NoteSignature {
        name: "log.example/b".into(),
        key_id: other.key_id(),
        bytes: line.bytes.clone(),
    };
    assert!(other.claims(&renamed) && !other.claims(&line));
    let wrong = NoteKeyError::Signature {
        name: "log.example/b".into(),
    };
    assert_eq!(other.verify(&checkpoint(9), &renamed), Err(wrong));
    let late = signer.cosign(&checkpoint(9), 1 << 63);
    assert_eq!(late, Err(NoteKeyError::Time(1 << 63)));
    for at in (0..line.bytes.len()).step_by(97) {
        let mut changed = line.clone();
        changed.bytes[at] ^= 1;
        assert!(verifier.verify(&checkpoint(9), &changed).is_err(), "{at}");
    }
}

#[test]
fn a_key_has_one_text_and_one_length() {
    let verifier = PostQuantumSigner::new("a", &[1; 32]).unwrap().verifier();
    let text = verifier.encode();
    assert_eq!(PostQuantumVerifier::parse(&text), Ok(verifier.clone()));
    assert_eq!(
        verifier.key_hash(),
        post_quantum_key_hash(verifier.public_key())
    );
    for wrong in ["", "a", "a+00000000", "a+0+AA", &text[..text.len() - 4]] {
        assert!(PostQuantumVerifier::parse(wrong).is_err(), "{wrong:.40}");
    }
    let short = PostQuantumVerifier::new("a", &[0; 1311]);
    assert_eq!(short, Err(NoteKeyError::PostQuantumKey(1311)));
    assert!(PostQuantumVerifier::new("a b", &[0; 1312]).is_err());
    let long = "a".repeat(NAME_BYTES_MAX);
    let long = PostQuantumSigner::new(&long, &[1; 32]).unwrap().verifier();
    assert_eq!(PostQuantumVerifier::parse(&long.encode()), Ok(long));
    let ed25519 = "log.example+b9e4a0b1+BO0D0zPq7WWk+bsGoOwoHhQYRkiuLFiczZmd7wLVSkfI";
    assert_eq!(
        PostQuantumVerifier::parse(ed25519),
        Err(NoteKeyError::NotPostQuantum(4))
    );
}
