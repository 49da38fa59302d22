//! The token: TSTInfo, signed as CMS SignedData (RFC 3161 §2.4.2, RFC 5652, RFC 5816).

use cms::cert::{CertificateChoices, IssuerAndSerialNumber};
use cms::content_info::{CmsVersion, ContentInfo};
use cms::signed_data::{
    CertificateSet, EncapsulatedContentInfo, SignedData, SignerIdentifier, SignerInfo, SignerInfos,
};
use der::asn1::{ObjectIdentifier, OctetString, SetOfVec};
use der::{Any, Decode, Encode, Sequence, Tag};
use tbsi_types::{LeafIndex, TimestampMs, sha256};
use x509_cert::Certificate;
use x509_cert::attr::Attribute;
use x509_cert::spki::AlgorithmIdentifierOwned;

use super::Authority;
use super::asn1::{Accuracy, Request, TstInfo, VERSION, generalized_time};
use super::signing::AuthorityKey;

const SIGNED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");
const TST_INFO: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.1.4");
const CONTENT_TYPE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.3");
const MESSAGE_DIGEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.4");
const SIGNING_CERTIFICATE_V2: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.2.47");
const SHA2_256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");

/// How far the block's time may be from the authority's clock, seconds.
pub(super) const ACCURACY_S: u8 = 1;

/// SigningCertificateV2 (RFC 5035) with the default hash, SHA-256.
#[derive(Sequence)]
struct SigningCertificate {
    certificates: Vec<CertificateHash>,
}

#[derive(Sequence)]
struct CertificateHash {
    sha2_256: OctetString,
}

impl Authority {
    /// That the digest of `request` is leaf `index`, in a block of `time`.
    pub(super) fn token(
        &self,
        request: &Request,
        index: LeafIndex,
        time: TimestampMs,
    ) -> der::Result<Any> {
        let info = TstInfo {
            version: VERSION,
            policy: self.policy,
            message_imprint: request.message_imprint.clone(),
            serial_number: index.0,
            time: generalized_time(time)?,
            accuracy: Accuracy {
                seconds: ACCURACY_S,
            },
            nonce: request.nonce.clone(),
        };
        sign(
            &info.to_der()?,
            &self.certificates,
            &self.key,
            request.certificate,
        )
    }
}

fn sign(
    info: &[u8],
    certificates: &[Certificate],
    key: &AuthorityKey,
    with_certificates: bool,
) -> der::Result<Any> {
    let own = &certificates[0];
    let attributes = attributes(info, own)?;
    // What is signed is the SET, although the message carries it under another tag.
    let signature = key.sign(&attributes.to_der()?)?;
    let signer = SignerInfo {
        version: CmsVersion::V1,
        sid: SignerIdentifier::IssuerAndSerialNumber(IssuerAndSerialNumber {
            issuer: own.tbs_certificate.issuer.clone(),
            serial_number: own.tbs_certificate.serial_number.clone(),
        }),
        digest_alg: algorithm(SHA2_256),
        signed_attrs: Some(attributes),
        signature_algorithm: key.algorithm(),
        signature: OctetString::new(signature)?,
        unsigned_attrs: None,
    };
    let choices = certificates
        .iter()
        .cloned()
        .map(CertificateChoices::Certificate);
    let choices = with_certificates.then(|| CertificateSet::try_from(choices.collect::<Vec<_>>()));
    let signed = SignedData {
        version: CmsVersion::V3,
        digest_algorithms: SetOfVec::try_from(vec![algorithm(SHA2_256)])?,
        encap_content_info: EncapsulatedContentInfo {
            econtent_type: TST_INFO,
            econtent: Some(Any::new(Tag::OctetString, info)?),
        },
        certificates: choices.transpose()?,
        crls: None,
        signer_infos: SignerInfos::try_from(vec![signer])?,
    };
    let token = ContentInfo {
        content_type: SIGNED_DATA,
        content: Any::encode_from(&signed)?,
    };
    Any::from_der(&token.to_der()?)
}

fn attributes(info: &[u8], own: &Certificate) -> der::Result<SetOfVec<Attribute>> {
    let certificate = sha256(&[&own.to_der()?]);
    let signing = SigningCertificate {
        certificates: vec![CertificateHash {
            sha2_256: OctetString::new(certificate.as_slice())?,
        }],
    };
    let digest = OctetString::new(sha256(&[info]).as_slice())?;
    SetOfVec::try_from(vec![
        attribute(CONTENT_TYPE, Any::encode_from(&TST_INFO)?)?,
        attribute(MESSAGE_DIGEST, Any::encode_from(&digest)?)?,
        attribute(SIGNING_CERTIFICATE_V2, Any::encode_from(&signing)?)?,
    ])
}

fn attribute(oid: ObjectIdentifier, value: Any) -> der::Result<Attribute> {
    let values = SetOfVec::try_from(vec![value])?;
    Ok(Attribute { oid, values })
}

fn algorithm(oid: ObjectIdentifier) -> AlgorithmIdentifierOwned {
    AlgorithmIdentifierOwned {
        oid,
        parameters: None,
    }
}
