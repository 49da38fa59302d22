//! Encrypted key files: Web3 Secret Storage, version 3, the format of Ethereum's software.
//!
//! A secret of 32 bytes under AES-128-CTR, its key from a password by scrypt (which is what is
//! written) or PBKDF2-HMAC-SHA256 (which is read too); Keccak-256 over half of the derived key
//! and the ciphertext tells a wrong password. A secp256k1 key's file carries its address; an
//! ed25519 seed's has none.

mod wire;

use aes::cipher::{KeyIvInit, StreamCipher};
use alloy_primitives::{Address, keccak256};
use zeroize::{Zeroize, Zeroizing};

use crate::password::Password;
use wire::{Cipher, Crypto, File, Kdf, Pbkdf2Parameters, ScryptParameters};

/// Bytes of an encrypted key file; others write a few hundred.
pub const KEYSTORE_BYTES_MAX: usize = 8 * 1024;

/// Memory that deriving one key may take: 1 GiB, four times what is written here.
const SCRYPT_BYTES_MAX: u64 = 1 << 30;
const SCRYPT_P_MAX: u32 = 16;
const PBKDF2_ROUNDS_MAX: u32 = 10_000_000;
const DERIVED_BYTES: usize = 32;

type Aes128Ctr = ctr::Ctr128BE<aes::Aes128>;

/// Why an encrypted key file cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum KeystoreError {
    /// Not JSON of the expected shape.
    #[error("is not Web3 Secret Storage: {0}")]
    Json(#[from] serde_json::Error),
    /// A value that cannot be.
    #[error("field `{field}`: {problem}")]
    Field {
        /// Its path.
        field: &'static str,
        /// What is wrong and what is allowed.
        problem: String,
    },
    /// The password is another one, or the file is damaged.
    #[error("the password is wrong, or the file is damaged")]
    Password,
}

fn field(field: &'static str, problem: impl Into<String>) -> KeystoreError {
    KeystoreError::Field {
        field,
        problem: problem.into(),
    }
}

/// How much work one guess of the password is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// log2 of scrypt's N; memory is 1 KiB times N.
    pub log_n: u8,
}

impl Cost {
    /// What the format's other writers call standard: 256 MiB, below a second.
    pub const STANDARD: Self = Self { log_n: 18 };
}

/// What a file held.
#[derive(Debug)]
pub struct Opened {
    /// The secret.
    pub secret: Zeroizing<[u8; 32]>,
    /// The address that the file gives, which its reader compares with the key's.
    pub address: Option<Address>,
}

/// Whether bytes look like an encrypted key file: JSON, which hex digits are not.
pub fn is_keystore(bytes: &[u8]) -> bool {
    bytes.trim_ascii_start().first() == Some(&b'{')
}

/// Encrypts a secret. `random` is 64 fresh random bytes: salt, initialisation vector and id.
pub fn encrypt(
    secret: &[u8; 32],
    address: Option<Address>,
    password: &Password,
    cost: Cost,
    random: &[u8; 64],
) -> String {
    let kdf = Kdf::Scrypt(ScryptParameters {
        dklen: 32,
        n: 1 << cost.log_n,
        r: 8,
        p: 1,
        salt: random[..32].to_vec(),
    });
    let derived = derive(&kdf, password).expect("parameters of ours are within bounds");
    let iv = &random[32..48];
    let mut ciphertext = secret.to_vec();
    apply(&derived, iv, &mut ciphertext);
    let mac = mac(&derived, &ciphertext);
    let file = File {
        crypto: Crypto {
            cipher: Cipher::Aes128Ctr { iv: iv.to_vec() },
            ciphertext,
            kdf,
            mac: mac.to_vec(),
        },
        address,
        id: wire::uuid(random[48..].try_into().expect("16 bytes")),
    };
    file.to_json()
}

/// Door for `tests/fuzz`: all that is done with a file before a key is derived, which takes as
/// long as its parameters say. Not an interface.
#[doc(hidden)]
pub fn is_within_bounds(bytes: &[u8]) -> bool {
    File::parse(bytes).is_ok_and(|file| match &file.crypto.kdf {
        Kdf::Scrypt(parameters) => scrypt_parameters(parameters).is_ok(),
        Kdf::Pbkdf2(parameters) => pbkdf2_rounds(parameters).is_ok(),
    })
}

/// Opens an encrypted key file.
pub fn decrypt(bytes: &[u8], password: &Password) -> Result<Opened, KeystoreError> {
    let file = File::parse(bytes)?;
    let crypto = file.crypto;
    if crypto.ciphertext.len() != 32 {
        let problem = format!("{} bytes, a key of 32 is expected", crypto.ciphertext.len());
        return Err(field("crypto.ciphertext", problem));
    }
    let Cipher::Aes128Ctr { iv } = &crypto.cipher;
    let derived = derive(&crypto.kdf, password)?;
    if mac(&derived, &crypto.ciphertext).as_slice() != crypto.mac {
        return Err(KeystoreError::Password);
    }
    let mut secret = Zeroizing::new([0; 32]);
    secret.copy_from_slice(&crypto.ciphertext);
    apply(&derived, iv, secret.as_mut_slice());
    Ok(Opened {
        secret,
        address: file.address,
    })
}

fn derive(kdf: &Kdf, password: &Password) -> Result<Zeroizing<[u8; DERIVED_BYTES]>, KeystoreError> {
    let mut derived = Zeroizing::new([0; DERIVED_BYTES]);
    match kdf {
        Kdf::Scrypt(parameters) => {
            let checked = scrypt_parameters(parameters)?;
            let salt = &parameters.salt;
            scrypt::scrypt(password.expose(), salt, &checked, derived.as_mut_slice())
                .expect("32 bytes can be derived");
        }
        Kdf::Pbkdf2(parameters) => {
            pbkdf2::pbkdf2_hmac::<sha2::Sha256>(
                password.expose(),
                &parameters.salt,
                pbkdf2_rounds(parameters)?,
                derived.as_mut_slice(),
            );
        }
    }
    Ok(derived)
}

/// Bounded before the time is taken: the file may be a stranger's.
fn pbkdf2_rounds(given: &Pbkdf2Parameters) -> Result<u32, KeystoreError> {
    check_length(given.dklen)?;
    if given.c == 0 || given.c > PBKDF2_ROUNDS_MAX {
        let problem = format!("{} is outside 1..={PBKDF2_ROUNDS_MAX}", given.c);
        return Err(field("crypto.kdfparams.c", problem));
    }
    Ok(given.c)
}

/// Bounded before the memory is taken: the file may be a stranger's.
fn scrypt_parameters(given: &ScryptParameters) -> Result<scrypt::Params, KeystoreError> {
    check_length(given.dklen)?;
    if given.p == 0 || given.p > SCRYPT_P_MAX {
        let problem = format!("{} is outside 1..={SCRYPT_P_MAX}", given.p);
        return Err(field("crypto.kdfparams.p", problem));
    }
    let bytes = u64::from(given.n).saturating_mul(u64::from(given.r) * 128);
    if !given.n.is_power_of_two() || given.n < 2 || given.r == 0 || bytes > SCRYPT_BYTES_MAX {
        let problem = format!(
            "n {} and r {} must need at most {SCRYPT_BYTES_MAX} bytes (128 * n * r), n a power of 2",
            given.n, given.r
        );
        return Err(field("crypto.kdfparams.n", problem));
    }
    let log_n = u8::try_from(given.n.ilog2()).expect("at most 31");
    scrypt::Params::new(log_n, given.r, given.p, DERIVED_BYTES)
        .map_err(|_| field("crypto.kdfparams", "scrypt does not allow this combination"))
}

fn check_length(dklen: u32) -> Result<(), KeystoreError> {
    if dklen as usize == DERIVED_BYTES {
        return Ok(());
    }
    Err(field(
        "crypto.kdfparams.dklen",
        format!("{dklen}, expected {DERIVED_BYTES}"),
    ))
}

/// Encrypts, or decrypts: the same in counter mode.
fn apply(derived: &[u8; DERIVED_BYTES], iv: &[u8], bytes: &mut [u8]) {
    let mut cipher = Aes128Ctr::new_from_slices(&derived[..16], iv).expect("16 bytes each");
    cipher.apply_keystream(bytes);
}

fn mac(derived: &[u8; DERIVED_BYTES], ciphertext: &[u8]) -> [u8; 32] {
    let mut input = Vec::with_capacity(16 + ciphertext.len());
    input.extend_from_slice(&derived[16..]);
    input.extend_from_slice(ciphertext);
    let mac = keccak256(&input);
    input.zeroize();
    mac.0
}

#[cfg(test)]
mod tests;
