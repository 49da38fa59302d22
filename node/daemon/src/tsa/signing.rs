//! The key of an authority: ECDSA on P-256, or RSA (PKCS #1 v1.5) for verifiers that know nothing
//! else; both with SHA-256.

use std::fmt;

use der::asn1::ObjectIdentifier;
use der::{Any, Encode, ErrorKind};
use p256::SecretKey;
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{DerSignature, SigningKey};
use p256::pkcs8::{DecodePrivateKey, EncodePublicKey, SecretDocument};
use ring::rand::SystemRandom;
use ring::rsa::KeyPair as RsaKeyPair;
use ring::signature::{KeyPair, RSA_PKCS1_SHA256};
use x509_cert::Certificate;
use x509_cert::spki::AlgorithmIdentifierOwned;

const ECDSA_SHA2_256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");
const RSA_SHA2_256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.11");
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

/// What a key file must be.
pub(super) const FORM: &str =
    "a PEM file with one private key, not encrypted: on curve P-256, or RSA of 2,048 to 4,096 bits";

/// The private half.
pub(super) enum AuthorityKey {
    P256(SigningKey),
    Rsa(Box<RsaKeyPair>),
}

impl fmt::Debug for AuthorityKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuthorityKey(..)")
    }
}

impl AuthorityKey {
    /// `None` for text that is not of [`FORM`].
    pub(super) fn from_pem(text: &str) -> Option<Self> {
        if text.contains("BEGIN EC PRIVATE KEY") {
            return SecretKey::from_sec1_pem(text).ok().map(Self::of_p256);
        }
        let (label, document) = SecretDocument::from_pem(text.trim_ascii()).ok()?;
        let rsa = match label {
            "RSA PRIVATE KEY" => RsaKeyPair::from_der(document.as_bytes()),
            "PRIVATE KEY" => match SecretKey::from_pkcs8_der(document.as_bytes()) {
                Ok(key) => return Some(Self::of_p256(key)),
                Err(_) => RsaKeyPair::from_pkcs8(document.as_bytes()),
            },
            _ => return None,
        };
        rsa.ok().map(|key| Self::Rsa(Box::new(key)))
    }

    fn of_p256(key: SecretKey) -> Self {
        Self::P256(SigningKey::from(key))
    }

    /// Whether the certificate is about this key.
    pub(super) fn is_in(&self, certificate: &Certificate) -> bool {
        let named = &certificate.tbs_certificate.subject_public_key_info;
        match self {
            Self::P256(key) => {
                let own = key.verifying_key().to_public_key_der().ok();
                let named = named.to_der().ok();
                own.is_some_and(|own| named.as_deref() == Some(own.as_bytes()))
            }
            Self::Rsa(key) => {
                named.algorithm.oid == RSA
                    && named.subject_public_key.raw_bytes() == key.public_key().as_ref()
            }
        }
    }

    /// What its signatures are.
    pub(super) fn algorithm(&self) -> AlgorithmIdentifierOwned {
        let (oid, parameters) = match self {
            Self::P256(_) => (ECDSA_SHA2_256, None),
            // RFC 4055 §5: the parameters must be NULL.
            Self::Rsa(_) => (RSA_SHA2_256, Some(Any::null())),
        };
        AlgorithmIdentifierOwned { oid, parameters }
    }

    /// A signature of a message.
    pub(super) fn sign(&self, message: &[u8]) -> der::Result<Vec<u8>> {
        match self {
            Self::P256(key) => {
                let signature: DerSignature = key.sign(message);
                Ok(signature.as_bytes().to_vec())
            }
            Self::Rsa(key) => {
                let mut signature = vec![0; key.public().modulus_len()];
                let random = SystemRandom::new();
                let signed = key.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature);
                signed.map_err(|_| der::Error::from(ErrorKind::Failed))?;
                Ok(signature)
            }
        }
    }
}
