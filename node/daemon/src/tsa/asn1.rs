//! The messages of RFC 3161 §2.4 in DER.

use der::asn1::{BitString, Int, ObjectIdentifier};
use der::{Any, Encode, Sequence};
use tbsi_light::archive::{MessageImprint, strict};
use tbsi_types::TimestampMs;
use x509_cert::ext::Extensions;

use super::query::{FailInfo, Rejection};

/// The only version of all messages.
pub(super) const VERSION: u8 = 1;

/// PKIStatus (RFC 3161 §2.4.2).
const GRANTED: u8 = 0;
const REJECTION: u8 = 2;

/// TimeStampReq.
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
pub(super) struct Request {
    pub(super) version: u8,
    pub(super) message_imprint: MessageImprint,
    #[asn1(optional = "true")]
    pub(super) policy: Option<ObjectIdentifier>,
    #[asn1(optional = "true")]
    pub(super) nonce: Option<Int>,
    #[asn1(default = "Default::default")]
    pub(super) certificate: bool,
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT", optional = "true")]
    pub(super) extensions: Option<Extensions>,
}

/// TSTInfo, without the fields that are never used here.
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
pub(super) struct TstInfo {
    pub(super) version: u8,
    pub(super) policy: ObjectIdentifier,
    pub(super) message_imprint: MessageImprint,
    pub(super) serial_number: u64,
    /// A GeneralizedTime with a fraction, which the crate's own type cannot hold.
    pub(super) time: Any,
    pub(super) accuracy: Accuracy,
    #[asn1(optional = "true")]
    pub(super) nonce: Option<Int>,
}

/// Accuracy in whole seconds.
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
pub(super) struct Accuracy {
    pub(super) seconds: u8,
}

/// PKIStatusInfo.
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
struct StatusInfo {
    status: u8,
    #[asn1(optional = "true")]
    text: Option<Vec<String>>,
    #[asn1(optional = "true")]
    failure: Option<BitString>,
}

/// TimeStampResp.
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
struct Response {
    status: StatusInfo,
    #[asn1(optional = "true")]
    token: Option<Any>,
}

impl Request {
    /// Reads a query; anything but one in DER is a rejection.
    pub(super) fn parse(query: &[u8]) -> Result<Self, Rejection> {
        let malformed = || Rejection::new(FailInfo::BadDataFormat, "not a TimeStampReq in DER");
        strict(query).ok_or_else(malformed)
    }
}

/// The reply that carries a token.
pub(super) fn granted(token: Any) -> der::Result<Vec<u8>> {
    let status = StatusInfo {
        status: GRANTED,
        text: None,
        failure: None,
    };
    let token = Some(token);
    Response { status, token }.to_der()
}

/// The reply that says why there is none.
pub(super) fn rejected(rejection: &Rejection) -> der::Result<Vec<u8>> {
    let status = StatusInfo {
        status: REJECTION,
        text: Some(vec![rejection.text.into()]),
        failure: Some(rejection.failure.bits()?),
    };
    let token = None;
    Response { status, token }.to_der()
}

impl FailInfo {
    /// A named bit string: as short as the bit that is set allows.
    fn bits(self) -> der::Result<BitString> {
        let bit = self as u8;
        let mut bytes = vec![0; usize::from(bit / 8) + 1];
        bytes[usize::from(bit / 8)] = 0x80 >> (bit % 8);
        BitString::new(7 - bit % 8, bytes)
    }
}

/// `YYYYMMDDhhmmss[.sss]Z` (RFC 3161 §2.4.2): a fraction without zeros at its end.
pub(super) fn generalized_time(time: TimestampMs) -> der::Result<Any> {
    let seconds = std::time::Duration::from_secs(time.0 / 1_000);
    let at = der::DateTime::from_unix_duration(seconds)?;
    let fraction = match time.0 % 1_000 {
        0 => String::new(),
        millis => format!(".{millis:03}").trim_end_matches('0').to_owned(),
    };
    let text = format!(
        "{:04}{:02}{:02}{:02}{:02}{:02}{fraction}Z",
        at.year(),
        at.month(),
        at.day(),
        at.hour(),
        at.minutes(),
        at.seconds()
    );
    Any::new(der::Tag::GeneralizedTime, text.into_bytes())
}
