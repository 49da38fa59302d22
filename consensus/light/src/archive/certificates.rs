//! Certificates of time-stamping authorities: who signed what, and until when that is good.

use der::asn1::ObjectIdentifier;
use der::{Decode, Encode};
use ring::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA384_ASN1, ECDSA_P384_SHA256_ASN1, ECDSA_P384_SHA384_ASN1,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512,
    UnparsedPublicKey, VerificationAlgorithm,
};
use x509_cert::Certificate;
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage};
use x509_cert::spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};

use crate::archive::digest::ArchiveDigest;
use crate::archive::limits::{CERTIFICATE_PATH_MAX, CERTIFICATES_MAX};

const EXTENDED_KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37");
const BASIC_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.19");
const TIME_STAMPING: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.8");
const P256: &str = "1.2.840.10045.3.1.7";
const P384: &str = "1.3.132.0.34";

/// Why a certificate vouches for nothing.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum StampCertificateError {
    /// Not PEM, or no certificate in it.
    #[error("no certificates in PEM, 1 to {CERTIFICATES_MAX} are expected")]
    Pem,
    /// The key is not for time stamps alone.
    #[error(
        "certificate of `{0}` has no critical extended key usage with timeStamping and nothing else \
         (RFC 3161 §2.3)"
    )]
    Usage(String),
    /// Nobody that is trusted issued it.
    #[error("certificate of `{0}` does not lead to one that is trusted; give its issuer's too")]
    Untrusted(String),
    /// Not yet, or no more.
    #[error("certificate of `{subject}` is valid from {from} to {to}, not at {at} (Unix seconds)")]
    Expired {
        /// Of the certificate.
        subject: String,
        /// First second.
        from: u64,
        /// Last second.
        to: u64,
        /// When it should have been.
        at: u64,
    },
}

/// Certificates that are trusted for time stamps.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    roots: Vec<Certificate>,
}

impl Trust {
    /// From certificates in PEM: of authorities, or of those who issued theirs.
    pub fn from_pem(pem: &[u8]) -> Result<Self, StampCertificateError> {
        // The library counts down from the length.
        if pem.trim_ascii().is_empty() {
            return Err(StampCertificateError::Pem);
        }
        let roots = Certificate::load_pem_chain(pem).map_err(|_| StampCertificateError::Pem)?;
        if roots.is_empty() || roots.len() > CERTIFICATES_MAX {
            return Err(StampCertificateError::Pem);
        }
        Ok(Self { roots })
    }

    pub(crate) fn certificates(&self) -> &[Certificate] {
        &self.roots
    }

    /// The last second at which all certificates from `own` to a trusted one are valid, which they
    /// have to be at `at`. `others` may lie between.
    pub(crate) fn valid_until(
        &self,
        own: &Certificate,
        others: &[Certificate],
        at: u64,
    ) -> Result<u64, StampCertificateError> {
        if !is_for_time_stamps(own) {
            return Err(StampCertificateError::Usage(subject(own)));
        }
        let mut until = u64::MAX;
        let mut current = own;
        for _ in 0..CERTIFICATE_PATH_MAX {
            let (from, to) = validity(current);
            if !(from..=to).contains(&at) {
                return Err(StampCertificateError::Expired {
                    subject: subject(current),
                    from,
                    to,
                    at,
                });
            }
            until = until.min(to);
            if self.roots.contains(current) {
                return Ok(until);
            }
            let candidates = self.roots.iter().chain(others);
            let mut issuers = candidates.filter(|it| is_issued_by(current, it));
            let Some(issuer) = issuers.next() else {
                break;
            };
            current = issuer;
        }
        Err(StampCertificateError::Untrusted(subject(own)))
    }
}

fn is_issued_by(certificate: &Certificate, issuer: &Certificate) -> bool {
    let (tbs, by) = (&certificate.tbs_certificate, &issuer.tbs_certificate);
    if certificate == issuer || tbs.issuer != by.subject || !is_authority(issuer) {
        return false;
    }
    let (Ok(message), Some(signature)) = (tbs.to_der(), certificate.signature.as_bytes()) else {
        return false;
    };
    tbs.signature == certificate.signature_algorithm
        && is_signed(
            &certificate.signature_algorithm,
            None,
            &by.subject_public_key_info,
            &message,
            signature,
        )
}

fn is_authority(certificate: &Certificate) -> bool {
    let extensions = certificate.tbs_certificate.extensions.iter().flatten();
    let mut found = extensions.filter(|extension| extension.extn_id == BASIC_CONSTRAINTS);
    found.next().is_some_and(|extension| {
        let constraints = BasicConstraints::from_der(extension.extn_value.as_bytes());
        constraints.is_ok_and(|constraints| constraints.ca)
    })
}

fn is_for_time_stamps(certificate: &Certificate) -> bool {
    let extensions = certificate.tbs_certificate.extensions.iter().flatten();
    let mut usages = extensions.filter(|extension| extension.extn_id == EXTENDED_KEY_USAGE);
    let fits = usages.next().is_some_and(|extension| {
        let usage = ExtendedKeyUsage::from_der(extension.extn_value.as_bytes());
        extension.critical && usage.is_ok_and(|usage| usage.0 == [TIME_STAMPING])
    });
    fits && usages.next().is_none()
}

fn validity(certificate: &Certificate) -> (u64, u64) {
    let validity = &certificate.tbs_certificate.validity;
    let seconds = |time: &x509_cert::time::Time| time.to_unix_duration().as_secs();
    (seconds(&validity.not_before), seconds(&validity.not_after))
}

/// For people.
pub(crate) fn subject(certificate: &Certificate) -> String {
    certificate.tbs_certificate.subject.to_string()
}

/// Whether `key` signed the message: ECDSA on P-256 or P-384, or RSA (PKCS #1 v1.5) of 2,048 bits
/// or more. `digest` is for messages whose signature algorithm does not name one.
pub(crate) fn is_signed(
    algorithm: &AlgorithmIdentifierOwned,
    digest: Option<ArchiveDigest>,
    key: &SubjectPublicKeyInfoOwned,
    message: &[u8],
    signature: &[u8],
) -> bool {
    let Some(verifier) = verifier(algorithm, digest, key) else {
        return false;
    };
    let Some(bytes) = key.subject_public_key.as_bytes() else {
        return false;
    };
    let key = UnparsedPublicKey::new(verifier, bytes);
    key.verify(message, signature).is_ok()
}

fn verifier(
    algorithm: &AlgorithmIdentifierOwned,
    digest: Option<ArchiveDigest>,
    key: &SubjectPublicKeyInfoOwned,
) -> Option<&'static dyn VerificationAlgorithm> {
    use ArchiveDigest::{Sha256, Sha384, Sha512};
    let (is_rsa, digest) = match algorithm.oid.to_string().as_str() {
        "1.2.840.10045.4.3.2" => (false, Sha256),
        "1.2.840.10045.4.3.3" => (false, Sha384),
        "1.2.840.113549.1.1.1" => (true, digest?),
        "1.2.840.113549.1.1.11" => (true, Sha256),
        "1.2.840.113549.1.1.12" => (true, Sha384),
        "1.2.840.113549.1.1.13" => (true, Sha512),
        _ => return None,
    };
    let key_type = key.algorithm.oid.to_string();
    if is_rsa {
        let verifier: &'static dyn VerificationAlgorithm = match digest {
            Sha256 => &RSA_PKCS1_2048_8192_SHA256,
            Sha384 => &RSA_PKCS1_2048_8192_SHA384,
            Sha512 => &RSA_PKCS1_2048_8192_SHA512,
        };
        return (key_type == "1.2.840.113549.1.1.1").then_some(verifier);
    }
    if key_type != "1.2.840.10045.2.1" {
        return None;
    }
    let curve = key.algorithm.parameters.as_ref()?;
    let curve: ObjectIdentifier = curve.decode_as().ok()?;
    match (curve.to_string().as_str(), digest) {
        (P256, Sha256) => Some(&ECDSA_P256_SHA256_ASN1),
        (P256, Sha384) => Some(&ECDSA_P256_SHA384_ASN1),
        (P384, Sha256) => Some(&ECDSA_P384_SHA256_ASN1),
        (P384, Sha384) => Some(&ECDSA_P384_SHA384_ASN1),
        _ => None,
    }
}
