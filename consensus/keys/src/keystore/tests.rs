use alloy_primitives::hex;
use serde_json::{Value, json};

use super::*;

const FAST: Cost = Cost { log_n: 10 };

fn password(text: &str) -> Password {
    Password::new(Zeroizing::new(text.to_owned())).unwrap()
}

fn refusal(file: &Value, password_text: &str) -> String {
    let bytes = serde_json::to_vec(file).unwrap();
    decrypt(&bytes, &password(password_text))
        .unwrap_err()
        .to_string()
}

/// The two examples of the format's description. The second has an N that RFC 7914 §2 does not
/// allow with its r.
fn examples() -> [Value; 2] {
    let pbkdf2 = json!({
        "crypto": {
            "cipher": "aes-128-ctr",
            "cipherparams": { "iv": "6087dab2f9fdbbfaddc31a909735c1e6" },
            "ciphertext": "5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46",
            "kdf": "pbkdf2",
            "kdfparams": {
                "c": 262_144, "dklen": 32, "prf": "hmac-sha256",
                "salt": "ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd"
            },
            "mac": "517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2"
        },
        "id": "3198bc9c-6672-5ab3-d995-4942343ae5b6",
        "version": 3
    });
    let scrypt = json!({
        "crypto": {
            "cipher": "aes-128-ctr",
            "cipherparams": { "iv": "83dbcc02d8ccb40e466191a123791e0e" },
            "ciphertext": "d172bf743a674da9cdad04534d56926ef8358534d458fffccd4e6ad2fbde479c",
            "kdf": "scrypt",
            "kdfparams": {
                "dklen": 32, "n": 262_144, "r": 1, "p": 8,
                "salt": "ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19"
            },
            "mac": "2103ac29920d71da29f15d75b4a16dbe95cfd7ff8faea1056c33131d846e3097"
        },
        "id": "3198bc9c-6672-5ab3-d995-4942343ae5b6",
        "version": 3
    });
    [pbkdf2, scrypt]
}

#[test]
fn opens_the_example_of_the_format() {
    let expected = "7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d";
    let [pbkdf2, scrypt] = examples();
    let bytes = serde_json::to_vec(&pbkdf2).unwrap();
    assert!(is_keystore(&bytes));
    let opened = decrypt(&bytes, &password("testpassword")).unwrap();
    assert_eq!(hex::encode(*opened.secret), expected);
    assert_eq!(opened.address, None);
    assert!(refusal(&pbkdf2, "testpasswore").contains("password is wrong"));
    assert!(refusal(&scrypt, "testpassword").contains("does not allow this combination"));
}

#[test]
fn opens_what_it_wrote_and_nothing_that_was_changed() {
    let secret = [7; 32];
    let address = Address::repeat_byte(9);
    let text = encrypt(
        &secret,
        Some(address),
        &password("公會的密碼"),
        FAST,
        &[3; 64],
    );
    assert!(!text.contains(&hex::encode(secret)));
    let opened = decrypt(text.as_bytes(), &password("公會的密碼")).unwrap();
    assert_eq!((*opened.secret, opened.address), (secret, Some(address)));

    let file: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(file["id"], "03030303-0303-4303-8303-030303030303");
    let seed = encrypt(&secret, None, &password("公會的密碼"), FAST, &[3; 64]);
    assert!(!seed.contains("address"));
    let wrong = "the password is wrong, or the file is damaged";
    let flipped = |path: &str| {
        let mut bad = file.clone();
        let value = bad.pointer_mut(path).unwrap();
        let text = value.as_str().unwrap();
        let digit = if text.starts_with('0') { "1" } else { "0" };
        *value = format!("{digit}{}", &text[1..]).into();
        refusal(&bad, "公會的密碼")
    };
    for path in ["ciphertext", "mac", "kdfparams/salt"] {
        assert_eq!(flipped(&format!("/crypto/{path}")), wrong, "{path}");
    }
}

#[test]
fn refuses_what_it_cannot_or_must_not_compute() {
    let [pbkdf2, scrypt] = examples();
    let refuse = |file: &Value, path: &str, value: Value, words: &str| {
        let mut bad = file.clone();
        *bad.pointer_mut(path).unwrap() = value;
        let said = refusal(&bad, "testpassword");
        assert!(said.contains(words), "{path}: {said}");
    };
    let kdf = "/crypto/kdfparams";
    refuse(&scrypt, "/version", json!(1), "`version`: must be 3");
    refuse(
        &scrypt,
        "/crypto/cipher",
        json!("aes-128-cbc"),
        "`crypto.cipher`",
    );
    refuse(&scrypt, "/crypto/cipherparams/iv", json!("00"), "16 bytes");
    refuse(&scrypt, "/crypto/ciphertext", json!("00"), "a key of 32");
    refuse(
        &scrypt,
        "/crypto/mac",
        json!("zz"),
        "`crypto.mac`: must be hex",
    );
    refuse(&scrypt, "/crypto/kdf", json!("argon2"), "`crypto.kdf`");
    refuse(&scrypt, &format!("{kdf}/dklen"), json!(16), "dklen");
    refuse(&scrypt, &format!("{kdf}/p"), json!(17), "outside 1..=16");
    refuse(&scrypt, &format!("{kdf}/p"), json!(0), "outside 1..=16");
    refuse(&scrypt, &format!("{kdf}/n"), json!(3), "power of 2");
    refuse(
        &scrypt,
        &format!("{kdf}/n"),
        json!(1u64 << 31),
        "at most 1073741824",
    );
    refuse(&scrypt, &format!("{kdf}/n"), json!(-1), "below 2^32");
    refuse(&scrypt, &format!("{kdf}/r"), json!(u32::MAX), "at most");
    refuse(&scrypt, &format!("{kdf}/r"), json!(0), "at most");
    refuse(
        &scrypt,
        &format!("{kdf}/salt"),
        json!("00".repeat(257)),
        "at most 256",
    );
    refuse(
        &pbkdf2,
        &format!("{kdf}/c"),
        json!(0),
        "outside 1..=10000000",
    );
    refuse(&pbkdf2, &format!("{kdf}/c"), json!(10_000_001), "outside");
    refuse(
        &pbkdf2,
        &format!("{kdf}/prf"),
        json!("hmac-sha1"),
        "hmac-sha256",
    );
    let not_json = decrypt(b"{", &password("x")).unwrap_err();
    assert!(matches!(not_json, KeystoreError::Json(_)));
}
