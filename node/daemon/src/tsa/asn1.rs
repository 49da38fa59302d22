//! The messages of RFC 3161 §2.4 in DER.

use der::asn1::{AnyRef, BitString, Int, ObjectIdentifier, OctetString};
use der::{Any, Decode, Encode, Reader, Sequence, SliceReader, Tagged};
use tbsi_types::TimestampMs;
use x509_cert::ext::Extensions;
use x509_cert::spki::AlgorithmIdentifierOwned;

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

/// MessageImprint.
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
pub(super) struct MessageImprint {
    pub(super) algorithm: AlgorithmIdentifierOwned,
    pub(super) digest: OctetString,
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
        if !lengths_fit(query, NESTING_MAX) {
            return Err(malformed());
        }
        let request = Self::from_der(query).map_err(|_| malformed())?;
        // The crate reads a default value that is written out, which DER does not allow.
        match request.to_der() {
            Ok(again) if again == query => Ok(request),
            Ok(_) | Err(_) => Err(malformed()),
        }
    }
}

/// Levels of a TimeStampReq: request, extensions, extension, and what an algorithm's parameters
/// may hold.
const NESTING_MAX: usize = 8;

/// Whether all values are as long as they say. The crate allocates what a string claims before it
/// looks whether it is there: megabytes for a query of a few bytes.
fn lengths_fit(bytes: &[u8], nesting: usize) -> bool {
    let Ok(mut reader) = SliceReader::new(bytes) else {
        return false;
    };
    while !reader.is_finished() {
        let Ok(value) = AnyRef::decode(&mut reader) else {
            return false;
        };
        let nested = value.tag().is_constructed();
        if nested && (nesting == 0 || !lengths_fit(value.value(), nesting - 1)) {
            return false;
        }
    }
    true
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
