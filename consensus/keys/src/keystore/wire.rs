//! The JSON of Web3 Secret Storage.

use std::borrow::Cow;

use alloy_primitives::{Address, hex};
use serde_json::{Value, json};

use super::{KeystoreError, field};

/// Bytes of a salt, at most.
const SALT_BYTES_MAX: usize = 256;
const IV_BYTES: usize = 16;
const MAC_BYTES: usize = 32;

pub(super) struct File {
    pub(super) crypto: Crypto,
    pub(super) address: Option<Address>,
    pub(super) id: String,
}

pub(super) struct Crypto {
    pub(super) cipher: Cipher,
    pub(super) ciphertext: Vec<u8>,
    pub(super) kdf: Kdf,
    pub(super) mac: Vec<u8>,
}

pub(super) enum Cipher {
    Aes128Ctr { iv: Vec<u8> },
}

pub(super) enum Kdf {
    Scrypt(ScryptParameters),
    Pbkdf2(Pbkdf2Parameters),
}

pub(super) struct ScryptParameters {
    pub(super) dklen: u32,
    pub(super) n: u32,
    pub(super) r: u32,
    pub(super) p: u32,
    pub(super) salt: Vec<u8>,
}

pub(super) struct Pbkdf2Parameters {
    pub(super) dklen: u32,
    pub(super) c: u32,
    pub(super) salt: Vec<u8>,
}

impl File {
    /// Unknown keys are left alone: each writer adds some.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, KeystoreError> {
        let value: Value = serde_json::from_slice(bytes)?;
        let version = value.get("version").and_then(Value::as_u64);
        if version != Some(3) {
            return Err(field("version", "must be 3"));
        }
        // Some old files spell it with a capital.
        let crypto = value.get("crypto").or_else(|| value.get("Crypto"));
        let crypto = crypto.ok_or_else(|| field("crypto", "is missing"))?;
        Ok(Self {
            crypto: Crypto::parse(crypto)?,
            address: value.get("address").map(address).transpose()?,
            id: String::new(),
        })
    }

    pub(super) fn to_json(&self) -> String {
        let Cipher::Aes128Ctr { iv } = &self.crypto.cipher;
        let (kdf, parameters) = match &self.crypto.kdf {
            Kdf::Scrypt(scrypt) => (
                "scrypt",
                json!({
                    "dklen": scrypt.dklen, "n": scrypt.n, "r": scrypt.r, "p": scrypt.p,
                    "salt": hex::encode(&scrypt.salt),
                }),
            ),
            Kdf::Pbkdf2(pbkdf2) => (
                "pbkdf2",
                json!({
                    "dklen": pbkdf2.dklen, "c": pbkdf2.c, "prf": "hmac-sha256",
                    "salt": hex::encode(&pbkdf2.salt),
                }),
            ),
        };
        let mut file = json!({
            "version": 3,
            "id": self.id,
            "crypto": {
                "cipher": "aes-128-ctr",
                "cipherparams": { "iv": hex::encode(iv) },
                "ciphertext": hex::encode(&self.crypto.ciphertext),
                "kdf": kdf,
                "kdfparams": parameters,
                "mac": hex::encode(&self.crypto.mac),
            },
        });
        if let Some(address) = &self.address {
            file["address"] = json!(hex::encode(address));
        }
        file.to_string() + "\n"
    }
}

impl Crypto {
    fn parse(value: &Value) -> Result<Self, KeystoreError> {
        let cipher = text(value, "crypto.cipher", "/cipher")?;
        if cipher != "aes-128-ctr" {
            let problem = format!("`{cipher}` is not known, expected aes-128-ctr");
            return Err(field("crypto.cipher", problem));
        }
        let iv = bytes(
            value,
            "crypto.cipherparams.iv",
            "/cipherparams/iv",
            IV_BYTES,
        )?;
        if iv.len() != IV_BYTES {
            return Err(field("crypto.cipherparams.iv", "must have 16 bytes"));
        }
        Ok(Self {
            cipher: Cipher::Aes128Ctr { iv },
            ciphertext: bytes(value, "crypto.ciphertext", "/ciphertext", 1_024)?,
            kdf: Kdf::parse(value)?,
            mac: bytes(value, "crypto.mac", "/mac", MAC_BYTES)?,
        })
    }
}

impl Kdf {
    fn parse(value: &Value) -> Result<Self, KeystoreError> {
        let name = text(value, "crypto.kdf", "/kdf")?;
        let salt = bytes(
            value,
            "crypto.kdfparams.salt",
            "/kdfparams/salt",
            SALT_BYTES_MAX,
        )?;
        let dklen = number(value, "crypto.kdfparams.dklen", "/kdfparams/dklen")?;
        match name.as_ref() {
            "scrypt" => Ok(Self::Scrypt(ScryptParameters {
                dklen,
                n: number(value, "crypto.kdfparams.n", "/kdfparams/n")?,
                r: number(value, "crypto.kdfparams.r", "/kdfparams/r")?,
                p: number(value, "crypto.kdfparams.p", "/kdfparams/p")?,
                salt,
            })),
            "pbkdf2" => {
                let prf = text(value, "crypto.kdfparams.prf", "/kdfparams/prf")?;
                if prf != "hmac-sha256" {
                    let problem = format!("`{prf}` is not known, expected hmac-sha256");
                    return Err(field("crypto.kdfparams.prf", problem));
                }
                Ok(Self::Pbkdf2(Pbkdf2Parameters {
                    dklen,
                    c: number(value, "crypto.kdfparams.c", "/kdfparams/c")?,
                    salt,
                }))
            }
            other => {
                let problem = format!("`{other}` is not known, expected scrypt or pbkdf2");
                Err(field("crypto.kdf", problem))
            }
        }
    }
}

fn text<'a>(
    value: &'a Value,
    name: &'static str,
    pointer: &str,
) -> Result<Cow<'a, str>, KeystoreError> {
    let found = value.pointer(pointer).and_then(Value::as_str);
    let found = found.ok_or_else(|| field(name, "must be text"))?;
    Ok(found.into())
}

fn number(value: &Value, name: &'static str, pointer: &str) -> Result<u32, KeystoreError> {
    value
        .pointer(pointer)
        .and_then(Value::as_u64)
        .and_then(|number| u32::try_from(number).ok())
        .ok_or_else(|| field(name, "must be a number below 2^32"))
}

/// Hex, with or without `0x`.
fn bytes(
    value: &Value,
    name: &'static str,
    pointer: &str,
    bytes_max: usize,
) -> Result<Vec<u8>, KeystoreError> {
    let text = text(value, name, pointer)?;
    let bytes = hex::decode(text.as_ref()).map_err(|_| field(name, "must be hex digits"))?;
    if bytes.len() > bytes_max {
        let problem = format!("{} bytes, at most {bytes_max} are allowed", bytes.len());
        return Err(field(name, problem));
    }
    Ok(bytes)
}

fn address(value: &Value) -> Result<Address, KeystoreError> {
    let bytes = value.as_str().and_then(|text| hex::decode(text).ok());
    let bytes = bytes.and_then(|bytes| <[u8; 20]>::try_from(bytes).ok());
    bytes
        .map(Address::from)
        .ok_or_else(|| field("address", "must be 20 bytes in hex digits"))
}

/// A random UUID (RFC 9562, version 4), which some readers insist on.
pub(super) fn uuid(mut random: [u8; 16]) -> String {
    random[6] = (random[6] & 0x0f) | 0x40;
    random[8] = (random[8] & 0x3f) | 0x80;
    let digits = hex::encode(random);
    let parts = [0..8, 8..12, 12..16, 16..20, 20..32];
    parts.map(|part| &digits[part]).join("-")
}
