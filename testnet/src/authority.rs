//! Certificates for the time stamps of a network's first node: a root of its own, whose key
//! is thrown away, and below it an authority.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use der::asn1::{BitString, ObjectIdentifier, OctetString};
use der::oid::AssociatedOid;
use der::{Decode, Encode, EncodePem};
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{DerSignature, SigningKey};
use p256::elliptic_curve::rand_core::{OsRng, RngCore};
use p256::pkcs8::{EncodePrivateKey, EncodePublicKey, LineEnding};
use tbsi_home::Home;
use tbsi_home::config::TsaConfig;
use tbsi_keys::keyfile::create_validator_key;
use tbsi_types::sha256;
use x509_cert::certificate::Version;
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::{
    AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, KeyUsage, KeyUsages,
    SubjectKeyIdentifier,
};
use x509_cert::name::Name;
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};
use x509_cert::time::Validity;
use x509_cert::{Certificate, TbsCertificate};

use crate::error::NetworkError;

/// The root certificate, below the home of the first node: what a verifier trusts.
pub const AUTHORITY_ROOT: &str = "tsa/root.pem";

const CERTIFICATE: &str = "tsa/certificate.pem";
const KEY: &str = "tsa/key.pem";
const ISSUER_KEY: &str = "keys/issuer.key";

const ROOT_NAME: &str = "CN=TBSI development time stamps root,O=TBSI development network,C=TW";
const NAME: &str = "CN=TBSI development time stamps,O=TBSI development network,C=TW";
const YEARS: u64 = 10;
const ECDSA_SHA2_256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");
const TIME_STAMPING: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.8");

fn failed(error: impl std::fmt::Display) -> NetworkError {
    NetworkError::Authority {
        problem: error.to_string(),
    }
}

/// Writes keys and certificates into a home that has its node key.
pub(crate) fn create(home: &Home) -> Result<TsaConfig, NetworkError> {
    let (root_key, key) = (
        SigningKey::random(&mut OsRng),
        SigningKey::random(&mut OsRng),
    );
    let root = certificate(ROOT_NAME, &root_key, &root_key, ROOT_NAME).map_err(failed)?;
    let own = certificate(NAME, &key, &root_key, ROOT_NAME).map_err(failed)?;
    let dir = home.dir();
    fs::create_dir_all(dir.join("tsa")).map_err(failed)?;
    write(
        &dir.join(AUTHORITY_ROOT),
        &root.to_pem(LineEnding::LF).map_err(failed)?,
    )?;
    write(
        &dir.join(CERTIFICATE),
        &own.to_pem(LineEnding::LF).map_err(failed)?,
    )?;
    write(
        &dir.join(KEY),
        &key.to_pkcs8_pem(LineEnding::LF).map_err(failed)?,
    )?;
    create_validator_key(&dir.join(ISSUER_KEY)).map_err(failed)?;
    Ok(TsaConfig::new(CERTIFICATE, KEY, ISSUER_KEY))
}

/// A root if the issuer is the subject, else an authority (RFC 5280, RFC 3161 §2.3).
fn certificate(
    subject: &str,
    key: &SigningKey,
    issuer_key: &SigningKey,
    issuer: &str,
) -> der::Result<Certificate> {
    let mut serial = [0; 16];
    OsRng.fill_bytes(&mut serial);
    serial[0] = serial[0] & 0x3f | 0x40; // positive, and always as long
    let algorithm = AlgorithmIdentifierOwned {
        oid: ECDSA_SHA2_256,
        parameters: None,
    };
    let (own_id, info) = public(key)?;
    let (issuer_id, _) = public(issuer_key)?;
    let extensions = if subject == issuer {
        root_extensions(own_id)?
    } else {
        authority_extensions(own_id, issuer_id)?
    };
    let tbs_certificate = TbsCertificate {
        version: Version::V3,
        serial_number: SerialNumber::new(&serial)?,
        signature: algorithm.clone(),
        issuer: issuer.parse::<Name>()?,
        validity: Validity::from_now(Duration::from_secs(YEARS * 366 * 24 * 60 * 60))?,
        subject: subject.parse::<Name>()?,
        subject_public_key_info: info,
        issuer_unique_id: None,
        subject_unique_id: None,
        extensions: Some(extensions),
    };
    let signature: DerSignature = issuer_key.sign(&tbs_certificate.to_der()?);
    Ok(Certificate {
        tbs_certificate,
        signature_algorithm: algorithm,
        signature: BitString::from_bytes(signature.as_bytes())?,
    })
}

/// A public key, and its id as RFC 7093 §2 makes it.
fn public(key: &SigningKey) -> der::Result<(OctetString, SubjectPublicKeyInfoOwned)> {
    let encoded = key.verifying_key().to_public_key_der();
    let encoded = encoded.map_err(|_| der::ErrorKind::Failed)?;
    let info = SubjectPublicKeyInfoOwned::from_der(encoded.as_bytes())?;
    let id = sha256(&[info.subject_public_key.raw_bytes()]);
    Ok((OctetString::new(&id[..20])?, info))
}

fn root_extensions(own_id: OctetString) -> der::Result<Vec<Extension>> {
    let basic = BasicConstraints {
        ca: true,
        path_len_constraint: Some(0),
    };
    Ok(vec![
        extension(&basic, true)?,
        extension(&KeyUsage(KeyUsages::KeyCertSign | KeyUsages::CRLSign), true)?,
        extension(&SubjectKeyIdentifier(own_id), false)?,
    ])
}

fn authority_extensions(
    own_id: OctetString,
    issuer_id: OctetString,
) -> der::Result<Vec<Extension>> {
    let basic = BasicConstraints {
        ca: false,
        path_len_constraint: None,
    };
    let issuer = AuthorityKeyIdentifier {
        key_identifier: Some(issuer_id),
        ..AuthorityKeyIdentifier::default()
    };
    Ok(vec![
        extension(&basic, true)?,
        extension(&KeyUsage(KeyUsages::DigitalSignature.into()), true)?,
        extension(&ExtendedKeyUsage(vec![TIME_STAMPING]), true)?,
        extension(&SubjectKeyIdentifier(own_id), false)?,
        extension(&issuer, false)?,
    ])
}

fn extension<T: AssociatedOid + Encode>(value: &T, critical: bool) -> der::Result<Extension> {
    Ok(Extension {
        extn_id: T::OID,
        critical,
        extn_value: OctetString::new(value.to_der()?)?,
    })
}

fn write(path: &Path, text: &str) -> Result<(), NetworkError> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(crate::error::failed("write", path))
}
