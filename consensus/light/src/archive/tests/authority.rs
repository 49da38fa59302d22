//! A time-stamping authority: a root, a certificate below it, and tokens.

use std::time::Duration;

use cms::cert::{CertificateChoices, IssuerAndSerialNumber};
use cms::content_info::{CmsVersion, ContentInfo};
use cms::signed_data::{
    CertificateSet, EncapsulatedContentInfo, SignedData, SignerIdentifier, SignerInfo, SignerInfos,
};
use der::asn1::{BitString, GeneralizedTime, ObjectIdentifier, OctetString, SetOfVec};
use der::{Any, Decode, Encode, EncodePem, Sequence, Tag};
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{DerSignature, SigningKey};
use p256::pkcs8::{EncodePublicKey, LineEnding};
use x509_cert::attr::Attribute;
use x509_cert::certificate::Version;
use x509_cert::ext::Extension;
use x509_cert::name::Name;
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};
use x509_cert::time::{Time, Validity};
use x509_cert::{Certificate, TbsCertificate};

use crate::archive::asn1::MessageImprint;
use crate::archive::{ArchiveDigest, Token};

pub(super) struct Authority {
    root: Certificate,
    own: Certificate,
    key: SigningKey,
}

#[derive(Sequence)]
struct TstInfo {
    version: u8,
    policy: ObjectIdentifier,
    message_imprint: MessageImprint,
    serial_number: u64,
    time: Any,
}

#[derive(Sequence)]
struct SigningCertificate {
    certificates: Vec<CertificateHash>,
}

#[derive(Sequence)]
struct CertificateHash {
    sha2_256: OctetString,
}

fn oid(text: &str) -> ObjectIdentifier {
    text.parse().unwrap()
}

fn ecdsa() -> AlgorithmIdentifierOwned {
    AlgorithmIdentifierOwned {
        oid: oid("1.2.840.10045.4.3.2"),
        parameters: None,
    }
}

fn time(seconds: u64) -> Time {
    let at = der::DateTime::from_unix_duration(Duration::from_secs(seconds)).unwrap();
    Time::GeneralTime(GeneralizedTime::from_date_time(at))
}

fn certificate(
    (subject, key): (&str, &SigningKey),
    (issuer, issuer_key): (&str, &SigningKey),
    (from, to): (u64, u64),
    extension: (&str, &[u8]),
) -> Certificate {
    let info = key.verifying_key().to_public_key_der().unwrap();
    let tbs_certificate = TbsCertificate {
        version: Version::V3,
        serial_number: SerialNumber::new(&[7]).unwrap(),
        signature: ecdsa(),
        issuer: issuer.parse::<Name>().unwrap(),
        validity: Validity {
            not_before: time(from),
            not_after: time(to),
        },
        subject: subject.parse::<Name>().unwrap(),
        subject_public_key_info: SubjectPublicKeyInfoOwned::from_der(info.as_bytes()).unwrap(),
        issuer_unique_id: None,
        subject_unique_id: None,
        extensions: Some(vec![Extension {
            extn_id: oid(extension.0),
            critical: true,
            extn_value: OctetString::new(extension.1).unwrap(),
        }]),
    };
    let signature: DerSignature = issuer_key.sign(&tbs_certificate.to_der().unwrap());
    Certificate {
        tbs_certificate,
        signature_algorithm: ecdsa(),
        signature: BitString::from_bytes(signature.as_bytes()).unwrap(),
    }
}

impl Authority {
    /// The keys follow from `seed`; the certificate is valid from and to these seconds.
    pub(super) fn new(seed: u8, from: u64, to: u64) -> Self {
        let root_key = SigningKey::from_slice(&[seed; 32]).unwrap();
        let key = SigningKey::from_slice(&[seed + 100; 32]).unwrap();
        let root_name = format!("CN=root {seed}");
        let root = (root_name.as_str(), &root_key);
        let ca = [0x30, 3, 1, 1, 0xff];
        let usage = [0x30, 0x0a, 6, 8, 0x2b, 6, 1, 5, 5, 7, 3, 8];
        let name = format!("CN=authority {seed}");
        Self {
            root: certificate(root, root, (from, to + 1_000_000_000), ("2.5.29.19", &ca)),
            own: certificate((&name, &key), root, (from, to), ("2.5.29.37", &usage)),
            key,
        }
    }

    pub(super) fn root_pem(&self) -> String {
        self.root.to_pem(LineEnding::LF).unwrap()
    }

    pub(super) fn stamp(&self, algorithm: ArchiveDigest, imprint: &[u8], at: u64) -> Token {
        let time = der::DateTime::from_unix_duration(Duration::from_secs(at)).unwrap();
        let text = format!(
            "{:04}{:02}{:02}{:02}{:02}{:02}Z",
            time.year(),
            time.month(),
            time.day(),
            time.hour(),
            time.minutes(),
            time.seconds()
        );
        let info = TstInfo {
            version: 1,
            policy: oid("1.3.6.1.4.1.32473.1"),
            message_imprint: MessageImprint {
                algorithm: algorithm.identifier(),
                digest: OctetString::new(imprint).unwrap(),
            },
            serial_number: at,
            time: Any::new(Tag::GeneralizedTime, text.into_bytes()).unwrap(),
        };
        Token::parse(&self.sign(&info.to_der().unwrap())).unwrap()
    }

    fn sign(&self, info: &[u8]) -> Vec<u8> {
        let sha2_256 = ArchiveDigest::Sha256;
        let content = oid("1.2.840.113549.1.9.16.1.4");
        let hash = |bytes: &[u8]| OctetString::new(sha2_256.hash([bytes])).unwrap();
        let signing = SigningCertificate {
            certificates: vec![CertificateHash {
                sha2_256: hash(&self.own.to_der().unwrap()),
            }],
        };
        let attributes = SetOfVec::try_from(vec![
            attribute("1.2.840.113549.1.9.3", Any::encode_from(&content).unwrap()),
            attribute(
                "1.2.840.113549.1.9.4",
                Any::encode_from(&hash(info)).unwrap(),
            ),
            attribute(
                "1.2.840.113549.1.9.16.2.47",
                Any::encode_from(&signing).unwrap(),
            ),
        ])
        .unwrap();
        let signature: DerSignature = self.key.sign(&attributes.to_der().unwrap());
        let own = &self.own.tbs_certificate;
        let signer = SignerInfo {
            version: CmsVersion::V1,
            sid: SignerIdentifier::IssuerAndSerialNumber(IssuerAndSerialNumber {
                issuer: own.issuer.clone(),
                serial_number: own.serial_number.clone(),
            }),
            digest_alg: sha2_256.identifier(),
            signed_attrs: Some(attributes),
            signature_algorithm: ecdsa(),
            signature: OctetString::new(signature.as_bytes()).unwrap(),
            unsigned_attrs: None,
        };
        let certificates = vec![CertificateChoices::Certificate(self.own.clone())];
        let signed = SignedData {
            version: CmsVersion::V3,
            digest_algorithms: SetOfVec::try_from(vec![sha2_256.identifier()]).unwrap(),
            encap_content_info: EncapsulatedContentInfo {
                econtent_type: content,
                econtent: Some(Any::new(Tag::OctetString, info).unwrap()),
            },
            certificates: Some(CertificateSet::try_from(certificates).unwrap()),
            crls: None,
            signer_infos: SignerInfos::try_from(vec![signer]).unwrap(),
        };
        let token = ContentInfo {
            content_type: oid("1.2.840.113549.1.7.2"),
            content: Any::encode_from(&signed).unwrap(),
        };
        token.to_der().unwrap()
    }
}

fn attribute(name: &str, value: Any) -> Attribute {
    Attribute {
        oid: oid(name),
        values: SetOfVec::try_from(vec![value]).unwrap(),
    }
}
