//! Reads an authority's files, and refuses those with which no verifier would be content.

use std::io;
use std::path::{Path, PathBuf};

use tbsi_home::Home;
use tbsi_home::config::TsaConfig;
use tbsi_keys::keyfile::{KeyFileError, open_validator_key, read_private};
use x509_cert::Certificate;
use x509_cert::der::Decode;
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::ext::pkix::ExtendedKeyUsage;

use super::Authority;
use super::admission;
use super::signing::{AuthorityKey, FORM};
use crate::account::Sender;
use crate::certificates::{CertificateFileError, load_certificates};

/// Bytes of a key file.
const KEY_BYTES_MAX: usize = 8 * 1024;

const EXTENDED_KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37");
const TIME_STAMPING: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.8");

/// Why there are no time stamps.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// A key file.
    #[error("config key `tsa.{field}`")]
    Key {
        /// Of the configuration.
        field: &'static str,
        /// What is wrong with it.
        #[source]
        source: KeyFileError,
    },
    /// The certificate file cannot be read.
    #[error("config key `tsa.certificate`: read {path}", path = path.display())]
    Read {
        /// Its path.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// Contents that cannot serve.
    #[error("config key `tsa.{field}`: {problem}")]
    Unfit {
        /// Of the configuration.
        field: &'static str,
        /// Why, and what would.
        problem: String,
    },
}

fn unfit(field: &'static str, problem: impl Into<String>) -> AuthorityError {
    AuthorityError::Unfit {
        field,
        problem: problem.into(),
    }
}

/// An authority's keys come from elsewhere than those of a node.
fn key_file(field: &'static str, error: KeyFileError, remedy: &str) -> AuthorityError {
    if let KeyFileError::Missing { path } = error {
        let problem = format!("key file {} is missing; {remedy}", path.display());
        return unfit(field, problem);
    }
    AuthorityError::Key {
        field,
        source: error,
    }
}

impl Authority {
    /// Reads the files; relative paths are below the home's directory.
    pub fn load(home: &Home, config: &TsaConfig) -> Result<Self, AuthorityError> {
        let (home, password) = (home.dir(), home.password());
        let certificates = certificates(&home.join(&config.certificate))?;
        let key = key(&home.join(&config.key))?;
        check(&certificates[0], &key)?;
        let issuer = open_validator_key(&home.join(&config.issuer_key), password);
        let issuer = issuer.map_err(|error| {
            let remedy = "64 hex digits of any account's secret key, or an encrypted key file, \
                          mode 0600, are expected there";
            key_file("issuer_key", error, remedy)
        })?;
        let policy = config.policy.parse();
        Ok(Self {
            certificates,
            key,
            issuer: Sender::new(issuer),
            policy: policy.map_err(|_| unfit("policy", "not an OID"))?,
            rates: admission::rates(config),
        })
    }
}

fn certificates(path: &Path) -> Result<Vec<Certificate>, AuthorityError> {
    load_certificates(path).map_err(|error| match error {
        CertificateFileError::Read { path, source } => AuthorityError::Read { path, source },
        CertificateFileError::Size { .. }
        | CertificateFileError::Count { .. }
        | CertificateFileError::Form { .. } => unfit("certificate", error.to_string()),
    })
}

fn key(path: &Path) -> Result<AuthorityKey, AuthorityError> {
    let bytes = read_private(path, KEY_BYTES_MAX);
    let bytes = bytes.map_err(|error| {
        let remedy = "the private key of the first certificate in `tsa.certificate` is expected \
                      there, as PEM, mode 0600";
        key_file("key", error, remedy)
    })?;
    let text = std::str::from_utf8(&bytes).unwrap_or_default();
    let problem = || unfit("key", format!("{} must be {FORM}", path.display()));
    AuthorityKey::from_pem(text).ok_or_else(problem)
}

/// RFC 3161 §2.3: the key is for time stamps alone, and says so in a critical extension.
fn check(certificate: &Certificate, key: &AuthorityKey) -> Result<(), AuthorityError> {
    if !key.is_in(certificate) {
        return Err(unfit(
            "key",
            "is not the key of the first certificate in `tsa.certificate`",
        ));
    }
    let extensions = certificate.tbs_certificate.extensions.iter().flatten();
    let mut usages = extensions.filter(|extension| extension.extn_id == EXTENDED_KEY_USAGE);
    let fits = usages.next().is_some_and(|extension| {
        let usage = ExtendedKeyUsage::from_der(extension.extn_value.as_bytes());
        extension.critical && usage.is_ok_and(|usage| usage.0 == [TIME_STAMPING])
    });
    if !fits || usages.next().is_some() {
        let problem = "the first certificate must have a critical extended key usage with \
                       timeStamping and nothing else (RFC 3161 §2.3)";
        return Err(unfit("certificate", problem));
    }
    Ok(())
}
