use super::*;
use std::fs;

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn loads_what_it_created_and_never_overwrites() {
    let dir = tempfile::tempdir().unwrap();
    let (node, validator) = (dir.path().join("node"), dir.path().join("validator"));
    let node_key = create_node_key(&node).unwrap();
    let validator_key = create_validator_key(&validator).unwrap();
    assert_eq!(load_node_key(&node).unwrap().expose(), node_key.expose());
    let loaded = load_validator_key(&validator).unwrap();
    assert_eq!(loaded.expose(), validator_key.expose());
    assert_ne!(node_key.expose(), validator_key.expose());
    for path in [&node, &validator] {
        let before = fs::read(path).unwrap();
        assert_eq!(
            fs::metadata(path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        let again = create_validator_key(path).unwrap_err();
        assert!(matches!(again, KeyFileError::Exists { .. }), "{again}");
        assert_eq!(fs::read(path).unwrap(), before);
    }
}

#[test]
fn refuses_files_that_others_may_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("node.key");
    create_node_key(&path).unwrap();
    for mode in [0o640, 0o604, 0o610, 0o602, 0o644, 0o777] {
        set_mode(&path, mode);
        let error = load_node_key(&path).unwrap_err().to_string();
        let remedy = format!("chmod 600 {}", path.display());
        assert!(
            error.contains(&format!("{mode:04o}")) && error.contains(&remedy),
            "{error}"
        );
    }
    set_mode(&path, 0o400);
    load_node_key(&path).unwrap();
}

#[test]
fn refuses_what_is_not_32_bytes_of_hex() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("node.key");
    assert!(matches!(
        load_node_key(&path),
        Err(KeyFileError::Missing { .. })
    ));
    create_node_key(&path).unwrap();
    let digits = "0123456789abcdef".repeat(4);
    for (text, good) in [
        (digits.clone(), true),
        (format!("{digits}\n"), true),
        (format!("0x{digits}\r\n"), true),
        (String::new(), false),
        (digits[1..].to_owned(), false),
        (format!("{digits}0"), false),
        (format!("{digits}\n\n"), false),
        (digits.replace('f', "g"), false),
        (digits.replace('f', "é"), false),
        ("0".repeat(100_000), false),
    ] {
        fs::write(&path, &text).unwrap();
        assert_eq!(load_node_key(&path).is_ok(), good, "{text:.80}");
    }
    for (scalar, what) in [("00", "zero"), ("ff", "above the group order")] {
        fs::write(&path, scalar.repeat(32)).unwrap();
        let error = load_validator_key(&path).unwrap_err();
        assert!(matches!(error, KeyFileError::Key { .. }), "{what}: {error}");
    }
}

#[test]
fn derives_the_peer_id_that_libp2p_documents() {
    // RFC 8032 §7.1 test 1: this seed has public key d75a9801…; its peer id is the base58
    // of the identity multihash over the protobuf of that key.
    let seed = hex!("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
    let public = hex!("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
    let key = NodeKey::from_seed(seed);
    assert_eq!(key.public_key(), public);
    let peer_id = key.peer_id();
    assert_eq!(peer_key(&peer_id), Some(public));
    assert!(peer_id.starts_with("12D3Koo") && is_peer_id(&peer_id));
}

#[test]
fn tells_peer_ids_from_other_text() {
    let good = NodeKey::from_seed([7; 32]).peer_id();
    assert!(is_peer_id(&good));
    // Not an ed25519 key but the hash of another kind, from libp2p's specification.
    let hashed = "QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N";
    let spaced = format!("{good} ");
    for bad in ["", "12D3KooW", &good[1..], &spaced, "/p2p/x", hashed] {
        assert!(!is_peer_id(bad), "{bad}");
    }
}

#[test]
fn secrets_are_not_printed() {
    assert_eq!(format!("{:?}", NodeKey::from_seed([7; 32])), "NodeKey(..)");
    let log_key = LogKey(Zeroizing::new([7; 32]));
    assert_eq!(format!("{log_key:?}"), "LogKey(..)");
}

#[test]
fn a_log_key_signs_in_the_name_of_one_network() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log.key");
    let made = LogKey(create_secret(&path, KeyKind::Log, None).unwrap());
    let loaded = open_log_key(&path, None).unwrap();
    let public = made.public_key();
    assert_eq!(loaded.public_key(), public);
    let chain = |byte| tbsi_types::ChainIdentity {
        chain_id: 7,
        genesis_hash: alloy_primitives::B256::repeat_byte(byte),
    };
    let kind = tbsi_types::log::SignatureType::Note;
    let verifier = made.signer(&chain(0xab)).verifier(kind);
    assert_eq!(verifier.name(), "tbsi/7/abababababababab");
    assert_eq!(loaded.signer(&chain(0xab)).verifier(kind), verifier);
    let text = "text\n";
    let signature = loaded.signer(&chain(0xab)).sign(text);
    assert_eq!(verifier.verify(text, &signature), Ok(None));
    let other = loaded.signer(&chain(0xac)).sign(text);
    assert!(
        verifier.verify(text, &other).is_err(),
        "another network's note"
    );
}

fn password(text: &str) -> Password {
    Password::new(Zeroizing::new(text.to_owned())).unwrap()
}

#[test]
fn an_encrypted_file_opens_with_its_password_only() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("validator.key");
    let key = create_validator_key(&path).unwrap();
    assert!(!is_encrypted(&path).unwrap());
    let plain = fs::read_to_string(&path).unwrap();
    let (right, wrong) = (password("correct horse"), password("battery staple"));

    let secret = load_secret(&path, KeyKind::Validator, None).unwrap();
    replace_secret(&path, KeyKind::Validator, &secret, Some(&right)).unwrap();
    assert!(is_encrypted(&path).unwrap());
    let text = fs::read_to_string(&path).unwrap();
    assert!(!text.contains(plain.trim()));
    let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    let opened = open_validator_key(&path, Some(&right)).unwrap();
    assert_eq!(opened.expose(), key.expose());
    let error = load_validator_key(&path).unwrap_err();
    assert!(matches!(error, KeyFileError::Encrypted { .. }), "{error}");
    assert!(error.to_string().contains("--password-file"), "{error}");
    let error = open_validator_key(&path, Some(&wrong)).unwrap_err();
    assert!(matches!(error, KeyFileError::Keystore { .. }), "{error}");

    let address = hex::encode(key.public_key().address());
    fs::write(&path, text.replace(&address, &"11".repeat(20))).unwrap();
    let error = open_validator_key(&path, Some(&right)).unwrap_err();
    assert!(matches!(error, KeyFileError::Address { .. }), "{error}");
    fs::write(&path, text).unwrap();
    set_mode(&path, 0o644);
    let error = open_validator_key(&path, Some(&right)).unwrap_err();
    assert!(matches!(error, KeyFileError::Mode { .. }), "{error}");
}

#[test]
fn a_change_of_password_that_broke_off_is_no_obstacle() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log.key");
    let secret = create_secret(&path, KeyKind::Log, None).unwrap();
    fs::write(dir.path().join("log.key.new"), "half a fi").unwrap();
    let password = password("correct horse");
    replace_secret(&path, KeyKind::Log, &secret, Some(&password)).unwrap();
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    let opened = load_secret(&path, KeyKind::Log, Some(&password)).unwrap();
    assert_eq!(*opened, *secret);
    assert!(!fs::read_to_string(&path).unwrap().contains("address"));
}
