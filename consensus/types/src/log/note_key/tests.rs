use super::*;

/// The example of Go's golang.org/x/mod/sumdb/note: its key, its text, its signature.
const VKEY: &str = concat!(
    "PeterNeumann+c74f20a3+ARpc2Q",
    "cUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
);
const TEXT: &str = "If you think cryptography is the answer to your problem,\n\
                    then you don't know what your problem is.\n";
const LINE: &str =
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=";

fn line(name: &str, base64: &str) -> NoteSignature {
    let bytes = STANDARD.decode(base64).unwrap();
    let (key_id, bytes) = bytes.split_first_chunk::<4>().unwrap();
    NoteSignature {
        name: name.into(),
        key_id: u32::from_be_bytes(*key_id),
        bytes: bytes.into(),
    }
}

#[test]
fn verifies_a_note_that_others_made() {
    let verifier = NoteVerifier::parse(VKEY).unwrap();
    assert_eq!(
        (verifier.name(), verifier.key_id()),
        ("PeterNeumann", 0xc74f_20a3)
    );
    assert_eq!(verifier.encode(), VKEY);
    let signature = line("PeterNeumann", LINE);
    assert_eq!(verifier.verify(TEXT, &signature), Ok(None));
    assert!(verifier.verify("another text\n", &signature).is_err());
    let renamed = line("PeterNewman", LINE);
    assert!(verifier.verify(TEXT, &renamed).is_err());
}

#[test]
fn signs_and_cosigns() {
    let signer = NoteSigner::new("log.example", &[7; 32]).unwrap();
    let text = "log.example\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n";
    let verifier = signer.verifier(SignatureType::Note);
    let cosigner = signer.verifier(SignatureType::Cosignature);
    assert_ne!(verifier.key_id(), cosigner.key_id());
    let signature = signer.sign(text);
    assert_eq!(verifier.verify(text, &signature), Ok(None));
    assert!(cosigner.verify(text, &signature).is_err());
    let cosignature = signer.cosign(text, 1_679_315_147).unwrap();
    assert_eq!(cosignature.bytes.len(), 72);
    assert_eq!(cosigner.verify(text, &cosignature), Ok(Some(1_679_315_147)));
    assert!(verifier.verify(text, &cosignature).is_err());
    assert_eq!(
        signer.cosign(text, 1 << 63),
        Err(NoteKeyError::Time(1 << 63))
    );
    let mut late = cosignature.clone();
    late.bytes[0] = 0x80;
    let malformed = || NoteKeyError::Malformed {
        name: "log.example".into(),
    };
    assert_eq!(cosigner.verify(text, &late), Err(malformed()));
    let mut short = cosignature;
    short.bytes.truncate(71);
    assert_eq!(cosigner.verify(text, &short), Err(malformed()));
    short.bytes.truncate(7);
    assert_eq!(cosigner.verify(text, &short), Err(malformed()));
    assert_eq!(format!("{signer:?}"), "NoteSigner(log.example, ..)");
}

#[test]
fn refuses_other_keys() {
    let check = |vkey: &str, expected: NoteKeyError| {
        assert_eq!(NoteVerifier::parse(vkey), Err(expected), "{vkey}");
    };
    check("", NoteKeyError::Layout);
    check("PeterNeumann", NoteKeyError::Layout);
    check("PeterNeumann+c74f20a3", NoteKeyError::Layout);
    check("PeterNeumann+c74f20a3+", NoteKeyError::Layout);
    check(&VKEY.replace("c74f20a3", "C74F20A3"), NoteKeyError::Layout);
    check(
        &VKEY.replace("c74f20a3", "0xc74f20a3"),
        NoteKeyError::Layout,
    );
    check(&VKEY.replace("c74f20a3", "74f20a3"), NoteKeyError::Layout);
    check(&VKEY.repeat(9), NoteKeyError::Layout);
    check(&VKEY.replace("+ARpc", "+AhpcARpc"), NoteKeyError::Type(2));
    let id = |got| NoteKeyError::KeyId {
        got,
        expected: 0xc74f_20a3,
    };
    check(&VKEY.replace("c74f20a3", "c74f20a4"), id(0xc74f_20a4));
    let spaced = VKEY.replace("Peter", "Peter ");
    check(&spaced, NoteKeyError::Name(NoteError::Name));
    check("a+00000000+AQAA", NoteKeyError::PublicKey);
    // The identity: every message would have a valid signature.
    let mut weak = [0; 32];
    weak[0] = 1;
    let weak = NoteVerifier::new("a", SignatureType::Note, &weak);
    assert_eq!(weak, Err(NoteKeyError::PublicKey));
}

#[test]
fn refuses_a_point_in_another_encoding() {
    // y = 3 is on the curve and not of small order; p + 3 is the same point, written otherwise.
    let mut key = [0; 32];
    key[0] = 3;
    assert!(NoteVerifier::new("a", SignatureType::Cosignature, &key).is_ok());
    let mut other = [0xff; 32];
    (other[0], other[31]) = (0xed + 3, 0x7f);
    assert!(
        VerifyingKey::from_bytes(&other).is_ok(),
        "the decoder takes it"
    );
    let refused = NoteVerifier::new("a", SignatureType::Cosignature, &other);
    assert_eq!(refused, Err(NoteKeyError::PublicKey));
}
