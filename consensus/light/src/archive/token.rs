//! One time stamp: a TSTInfo in CMS SignedData (RFC 3161 §2.4.2, RFC 5652, RFC 5816).

use cms::cert::CertificateChoices;
use cms::content_info::ContentInfo;
use cms::signed_data::{SignedData, SignerIdentifier, SignerInfo};
use der::asn1::{AnyRef, ObjectIdentifier, OctetString, OctetStringRef};
use der::{Any, Decode, Encode, Reader, Tag, Tagged};
use x509_cert::Certificate;

use crate::archive::asn1::{Info, lengths_fit};
use crate::archive::certificates::{StampCertificateError, Trust, is_signed, subject};
use crate::archive::digest::ArchiveDigest;
use crate::archive::limits::{CERTIFICATES_MAX, NESTING_MAX, TOKEN_BYTES_MAX};

const SIGNED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");
const TST_INFO: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.1.4");
const CONTENT_TYPE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.3");
const MESSAGE_DIGEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.4");
const SIGNING_CERTIFICATE_V2: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.2.47");

/// Why a time stamp is none, or says nothing.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum TokenError {
    /// Not such a structure in DER, or too long.
    #[error("not a time stamp (RFC 3161) in DER of at most {TOKEN_BYTES_MAX} bytes")]
    Malformed,
    /// Over a digest of an algorithm that is not known here.
    #[error("time stamp over a digest other than SHA-256, SHA-384 or SHA-512")]
    Algorithm,
    /// The signer's certificate is nowhere.
    #[error(
        "the certificate of the time stamp's signer is neither in it nor trusted; ask for a time \
         stamp with certificates"
    )]
    NoCertificate,
    /// What was signed is not the time stamp, or the certificate is not the one that is meant.
    #[error("attribute `{0}` of the time stamp's signature is missing or does not fit")]
    Attribute(&'static str),
    /// The signature is wrong, or of an algorithm that is not known here.
    #[error("signature of `{0}` under the time stamp does not verify")]
    Signature(String),
    /// The certificate is not good for it.
    #[error(transparent)]
    Certificate(#[from] StampCertificateError),
}

/// A time stamp that was read, and not verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    der: Vec<u8>,
    signed: SignedData,
    info: Info,
    algorithm: ArchiveDigest,
}

impl Token {
    /// Reads a TimeStampToken.
    pub fn parse(der: &[u8]) -> Result<Self, TokenError> {
        let malformed = || TokenError::Malformed;
        if der.len() > TOKEN_BYTES_MAX || !lengths_fit(der, NESTING_MAX) {
            return Err(malformed());
        }
        let content = ContentInfo::from_der(der).map_err(|_| malformed())?;
        if content.content_type != SIGNED_DATA {
            return Err(malformed());
        }
        let signed: SignedData = content.content.decode_as().map_err(|_| malformed())?;
        if signed.encap_content_info.econtent_type != TST_INFO || signed.signer_infos.0.len() != 1 {
            return Err(malformed());
        }
        let certificates = signed.certificates.as_ref().map_or(0, |set| set.0.len());
        let content = signed.encap_content_info.econtent.as_ref();
        let content = content.filter(|content| content.tag() == Tag::OctetString);
        let info = content.and_then(|content| Info::parse(content.value()));
        let info = info
            .filter(|_| certificates <= CERTIFICATES_MAX)
            .ok_or_else(malformed)?;
        let algorithm = ArchiveDigest::of_oid(info.imprint.algorithm.oid);
        let algorithm = algorithm.ok_or(TokenError::Algorithm)?;
        if info.imprint.digest.as_bytes().len() != algorithm.length() {
            return Err(malformed());
        }
        Ok(Self {
            der: der.into(),
            signed,
            info,
            algorithm,
        })
    }

    pub(crate) fn of_any(value: &Any) -> Result<Self, TokenError> {
        Self::parse(&value.to_der().map_err(|_| TokenError::Malformed)?)
    }

    /// Its bytes.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    pub(crate) fn any(&self) -> Any {
        Any::from_der(&self.der).expect("it was read")
    }

    /// When it was made, as its signer says: milliseconds since the Unix epoch.
    pub fn time_ms(&self) -> u64 {
        self.info.time_ms
    }

    /// The algorithm of the digest that is stamped.
    pub fn algorithm(&self) -> ArchiveDigest {
        self.algorithm
    }

    /// The digest that is stamped.
    pub fn imprint(&self) -> &[u8] {
        self.info.imprint.digest.as_bytes()
    }

    pub(crate) fn nonce(&self) -> Option<&[u8]> {
        self.info.nonce.as_deref()
    }

    /// Verifies signature and certificates as of `at`, in seconds since the Unix epoch, and as of
    /// the time stamp's own time. Returns the signer's name and the last second at which the
    /// certificates are good.
    pub fn verify(&self, trust: &Trust, at: u64) -> Result<(String, u64), TokenError> {
        let signer = self.signed.signer_infos.0.iter().next();
        let signer = signer.ok_or(TokenError::Malformed)?;
        let own = self.certificates();
        let candidates = own.iter().chain(trust.certificates());
        let mut candidates = candidates.filter(|it| is_meant(&signer.sid, it));
        let certificate = candidates.next().ok_or(TokenError::NoCertificate)?;
        self.verify_signature(signer, certificate)?;
        trust.valid_until(certificate, &own, self.info.time_ms / 1_000)?;
        let until = trust.valid_until(certificate, &own, at)?;
        Ok((subject(certificate), until))
    }

    fn certificates(&self) -> Vec<Certificate> {
        let set = self.signed.certificates.iter();
        let choices = set.flat_map(|set| set.0.iter());
        let certificate = |choice: &CertificateChoices| match choice {
            CertificateChoices::Certificate(certificate) => Some(certificate.clone()),
            CertificateChoices::Other(_) => None,
        };
        choices.filter_map(certificate).collect()
    }

    fn verify_signature(
        &self,
        signer: &SignerInfo,
        certificate: &Certificate,
    ) -> Result<(), TokenError> {
        let name = || subject(certificate);
        let digest = ArchiveDigest::of_oid(signer.digest_alg.oid);
        let digest = digest.ok_or_else(|| TokenError::Signature(name()))?;
        let content = self.signed.encap_content_info.econtent.as_ref();
        let content = content.map(Any::value).unwrap_or_default();
        let expected = OctetString::new(digest.hash([content]));
        let expected = expected.and_then(|it| Any::encode_from(&it)).ok();
        if attribute(signer, MESSAGE_DIGEST) != expected {
            return Err(TokenError::Attribute("messageDigest"));
        }
        if attribute(signer, CONTENT_TYPE) != Any::encode_from(&TST_INFO).ok() {
            return Err(TokenError::Attribute("contentType"));
        }
        let meant = attribute(signer, SIGNING_CERTIFICATE_V2);
        let meant = meant.and_then(|value| signing_certificate(&value));
        let own = certificate.to_der().map_err(|_| TokenError::Malformed)?;
        if meant.is_none_or(|(algorithm, hash)| algorithm.hash([own.as_slice()]) != hash) {
            return Err(TokenError::Attribute("signingCertificateV2"));
        }
        // What is signed is the SET, although the message carries it under another tag.
        let attributes = signer.signed_attrs.as_ref();
        let message = attributes.and_then(|attributes| attributes.to_der().ok());
        let message = message.ok_or(TokenError::Malformed)?;
        let signed = is_signed(
            &signer.signature_algorithm,
            Some(digest),
            &certificate.tbs_certificate.subject_public_key_info,
            &message,
            signer.signature.as_bytes(),
        );
        signed
            .then_some(())
            .ok_or_else(|| TokenError::Signature(name()))
    }
}

fn is_meant(signer: &SignerIdentifier, certificate: &Certificate) -> bool {
    match signer {
        SignerIdentifier::IssuerAndSerialNumber(it) => {
            let tbs = &certificate.tbs_certificate;
            it.issuer == tbs.issuer && it.serial_number == tbs.serial_number
        }
        SignerIdentifier::SubjectKeyIdentifier(_) => false,
    }
}

/// The only value of a signed attribute that is there once.
fn attribute(signer: &SignerInfo, oid: ObjectIdentifier) -> Option<Any> {
    let attributes = signer.signed_attrs.as_ref()?;
    let mut found = attributes.iter().filter(|attribute| attribute.oid == oid);
    let attribute = found.next().filter(|_| found.next().is_none())?;
    let mut values = attribute.values.iter();
    let value = values.next()?;
    values.next().is_none().then(|| value.clone())
}

/// Algorithm and hash of the first ESSCertIDv2 (RFC 5035 §4).
fn signing_certificate(value: &Any) -> Option<(ArchiveDigest, Vec<u8>)> {
    let der = value.to_der().ok()?;
    let list = AnyRef::from_der(&der).ok()?;
    let read = list.sequence(|reader| {
        let certificates = AnyRef::decode(reader)?;
        while !reader.is_finished() {
            AnyRef::decode(reader)?;
        }
        Ok(certificates)
    });
    let mut first = None;
    read.ok()?
        .sequence(|reader| {
            first = Some(AnyRef::decode(reader)?);
            while !reader.is_finished() {
                AnyRef::decode(reader)?;
            }
            Ok(())
        })
        .ok()?;
    let id = first?.sequence(|reader| {
        let mut value = AnyRef::decode(reader)?;
        let mut algorithm = None;
        if value.tag() == Tag::Sequence {
            algorithm = Some(value.sequence(|inner| {
                let oid: ObjectIdentifier = inner.decode()?;
                while !inner.is_finished() {
                    AnyRef::decode(inner)?;
                }
                Ok(oid)
            })?);
            value = AnyRef::decode(reader)?;
        }
        let hash: OctetStringRef<'_> = value.decode_as()?;
        let hash = hash.as_bytes().to_vec();
        while !reader.is_finished() {
            AnyRef::decode(reader)?;
        }
        Ok((algorithm, hash))
    });
    let (algorithm, hash) = id.ok()?;
    let algorithm = match algorithm {
        Some(oid) => ArchiveDigest::of_oid(oid)?,
        None => ArchiveDigest::Sha256,
    };
    Some((algorithm, hash))
}
