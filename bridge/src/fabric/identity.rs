//! Who the relayer is to Fabric: a certificate of a membership service provider (MSP) and its
//! P-256 key. And whose signature an endorsement is.

use std::fmt;

use alloy_primitives::{B256, hex};
use p256::ecdsa::signature::{Signer, Verifier};
use p256::ecdsa::{Signature, SigningKey, VerifyingKey};
use p256::pkcs8::{DecodePrivateKey, DecodePublicKey};
use p256::{PublicKey, SecretKey};
use prost::Message;
use tbsi_types::sha256;
use x509_cert::Certificate;
use x509_cert::der::{Decode, Document, Encode};

use super::messages::SerializedIdentity;

/// What is wrong with a certificate or a key.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// Not one certificate in PEM, or not of a P-256 key.
    #[error("certificate: {0}; one X.509 certificate of a P-256 key is needed, in PEM")]
    Certificate(String),
    /// Not a P-256 key in PKCS #8.
    #[error("key: {0}; the P-256 key of the certificate is needed, in PEM (PKCS #8)")]
    Key(String),
    /// Of two people.
    #[error("the key is not that of the certificate; name the two files of one enrolment")]
    OtherKey,
}

/// A member of an organisation of the channel, with its key.
pub struct Identity {
    msp_id: String,
    creator: Vec<u8>,
    certificate: B256,
    key: SigningKey,
}

impl fmt::Debug for Identity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.account())
    }
}

/// The DER of one certificate in PEM.
fn document(pem: &[u8]) -> Result<Document, String> {
    let text = std::str::from_utf8(pem).map_err(|error| error.to_string())?;
    let (label, document) = Document::from_pem(text).map_err(|error| error.to_string())?;
    if label == "CERTIFICATE" {
        Ok(document)
    } else {
        Err(format!("it is a {label}"))
    }
}

fn verifying_key(der: &[u8]) -> Result<VerifyingKey, String> {
    let certificate = Certificate::from_der(der).map_err(|error| error.to_string())?;
    let key = certificate.tbs_certificate.subject_public_key_info.to_der();
    let key = key.map_err(|error| error.to_string())?;
    let key = PublicKey::from_public_key_der(&key);
    let key = key.map_err(|_| "its key is not of P-256")?;
    Ok(VerifyingKey::from(key))
}

impl Identity {
    /// From the PEM files of an enrolment.
    pub fn new(msp_id: &str, certificate: &[u8], key: &str) -> Result<Self, IdentityError> {
        let wrong = IdentityError::Certificate;
        let document = document(certificate).map_err(wrong)?;
        let public = verifying_key(document.as_bytes()).map_err(wrong)?;
        let key = SecretKey::from_pkcs8_pem(key);
        let key = key.map_err(|error| IdentityError::Key(error.to_string()))?;
        let key = SigningKey::from(key);
        if *key.verifying_key() != public {
            return Err(IdentityError::OtherKey);
        }
        let creator = SerializedIdentity {
            mspid: msp_id.into(),
            id_bytes: certificate.to_vec(),
        };
        Ok(Self {
            msp_id: msp_id.into(),
            creator: creator.encode_to_vec(),
            certificate: sha256(&[document.as_bytes()]),
            key,
        })
    }

    /// As transactions name it.
    pub fn creator(&self) -> &[u8] {
        &self.creator
    }

    /// Its organisation.
    pub fn msp_id(&self) -> &str {
        &self.msp_id
    }

    /// SHA-256 of its certificate in DER, by which the chaincode knows a relayer.
    pub fn certificate(&self) -> B256 {
        self.certificate
    }

    /// As records name it: MSP id and certificate.
    pub fn account(&self) -> String {
        account(&self.msp_id, self.certificate)
    }

    /// ECDSA over SHA-256 with low s, in DER: Fabric takes no other.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        let signature: Signature = self.key.sign(message);
        let signature = signature.normalize_s().unwrap_or(signature);
        signature.to_der().as_bytes().to_vec()
    }
}

fn account(msp_id: &str, certificate: B256) -> String {
    format!("{msp_id}:{}", hex::encode(certificate))
}

/// Somebody whose signature was verified with the key of the certificate that came with it. Who
/// issued that is for others to judge: the peers do, before they commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signatory {
    /// Its organisation, as it says.
    pub msp_id: String,
    /// SHA-256 of its certificate in DER.
    pub certificate: B256,
}

impl Signatory {
    /// As records name it.
    pub fn account(&self) -> String {
        account(&self.msp_id, self.certificate)
    }

    /// Who a serialized identity names, and its key.
    fn parse(identity: &[u8]) -> Result<(Self, VerifyingKey), String> {
        let named = SerializedIdentity::decode(identity).map_err(|error| error.to_string())?;
        let document = document(&named.id_bytes)?;
        let key = verifying_key(document.as_bytes())?;
        let signatory = Self {
            msp_id: named.mspid,
            certificate: sha256(&[document.as_bytes()]),
        };
        Ok((signatory, key))
    }

    /// Who signed this, if the identity did.
    pub fn of(identity: &[u8], message: &[u8], signature: &[u8]) -> Result<Self, String> {
        let (signatory, key) = Self::parse(identity)?;
        let account = signatory.account();
        let signature = Signature::from_der(signature);
        let signature = signature.map_err(|_| format!("{account} signed in no known form"))?;
        if signature.normalize_s().is_some() {
            return Err(format!("{account} signed with high s"));
        }
        let verified = key.verify(message, &signature);
        verified.map_err(|_| format!("the signature is not that of {account}"))?;
        Ok(signatory)
    }
}
