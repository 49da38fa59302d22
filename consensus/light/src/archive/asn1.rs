//! The structures of RFC 4998 and RFC 3161 that are read here, in DER alone.

use der::asn1::{AnyRef, ObjectIdentifier, OctetString, Uint};
use der::{Any, Decode, Encode, Reader, Sequence, SliceReader, Tagged};
use x509_cert::spki::AlgorithmIdentifierOwned;

use crate::archive::limits::NESTING_MAX;

/// EvidenceRecord, without cryptoInfos and encryptionInfo.
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
pub(crate) struct Record {
    pub(crate) version: u8,
    pub(crate) digest_algorithms: Vec<AlgorithmIdentifierOwned>,
    pub(crate) chains: Vec<Vec<Stamp>>,
}

/// ArchiveTimeStamp, without attributes.
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
pub(crate) struct Stamp {
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT", optional = "true")]
    pub(crate) digest_algorithm: Option<AlgorithmIdentifierOwned>,
    #[asn1(context_specific = "2", tag_mode = "IMPLICIT", optional = "true")]
    pub(crate) reduced_hash_tree: Option<Vec<Vec<OctetString>>>,
    pub(crate) time_stamp: Any,
}

/// MessageImprint of RFC 3161: what a time stamp is over.
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
pub struct MessageImprint {
    /// Hash algorithm.
    pub algorithm: AlgorithmIdentifierOwned,
    /// The digest.
    pub digest: OctetString,
}

/// TimeStampReq, as it is asked here.
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
pub(crate) struct Request {
    pub(crate) version: u8,
    pub(crate) message_imprint: MessageImprint,
    pub(crate) nonce: Uint,
    pub(crate) certificate: bool,
}

/// What counts of a TSTInfo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Info {
    pub(crate) policy: ObjectIdentifier,
    pub(crate) imprint: MessageImprint,
    /// Milliseconds since the Unix epoch.
    pub(crate) time_ms: u64,
    /// Content of the INTEGER.
    pub(crate) nonce: Option<Vec<u8>>,
}

/// Reads one value in DER that has one encoding, and is no longer than it says; `None` for
/// anything else.
pub fn strict<'a, T: Decode<'a> + Encode>(bytes: &'a [u8]) -> Option<T> {
    if !lengths_fit(bytes, NESTING_MAX) {
        return None;
    }
    let value = T::from_der(bytes).ok()?;
    // The crate reads a default value that is written out, which DER does not allow.
    (value.to_der().ok()? == bytes).then_some(value)
}

/// Whether all values are as long as they say. The crate allocates what a string claims before it
/// looks whether it is there.
pub(crate) fn lengths_fit(bytes: &[u8], nesting: usize) -> bool {
    let Ok(mut reader) = SliceReader::new(bytes) else {
        return bytes.is_empty();
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

impl Info {
    /// Reads a TSTInfo; what comes after the time is skipped, but for the nonce.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        if !lengths_fit(bytes, NESTING_MAX) {
            return None;
        }
        let value = AnyRef::from_der(bytes).ok()?;
        let read = value.sequence(|reader| {
            let version: u8 = reader.decode()?;
            let policy: ObjectIdentifier = reader.decode()?;
            let imprint: MessageImprint = reader.decode()?;
            // The serial number may be longer than any integer type.
            let serial = AnyRef::decode(reader)?;
            let time = AnyRef::decode(reader)?;
            let mut nonce = None;
            while !reader.is_finished() {
                let value = AnyRef::decode(reader)?;
                if value.tag() == der::Tag::Integer {
                    nonce = Some(value.value().to_vec());
                }
            }
            Ok((version, policy, imprint, (serial.tag(), time), nonce))
        });
        let (version, policy, imprint, (serial, time), nonce) = read.ok()?;
        let tags = (serial, time.tag());
        if version != 1 || tags != (der::Tag::Integer, der::Tag::GeneralizedTime) {
            return None;
        }
        Some(Self {
            policy,
            imprint,
            time_ms: time_ms(time.value())?,
            nonce,
        })
    }
}

/// `YYYYMMDDhhmmss[.f…]Z` (RFC 3161 §2.4.2); what is below a millisecond is cut off.
fn time_ms(text: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, fraction)) => (whole, fraction),
        None => (text, "0"),
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() != 14 || fraction.len() > 18 || !digits(whole) || !digits(fraction) {
        return None;
    }
    let two = |at: usize| whole[at..at + 2].parse::<u8>().ok();
    let year = whole[..4].parse().ok()?;
    let (month, day, hour) = (two(4)?, two(6)?, two(8)?);
    let time = der::DateTime::new(year, month, day, hour, two(10)?, two(12)?).ok()?;
    let seconds = time.unix_duration().as_secs();
    let millis: u64 = format!("{fraction:0<3}")[..3].parse().ok()?;
    seconds.checked_mul(1_000)?.checked_add(millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_fractions_of_any_length() {
        let check = |text: &str, expected: Option<u64>| {
            assert_eq!(time_ms(text.as_bytes()), expected, "{text}");
        };
        check("19700101000001Z", Some(1_000));
        check("19700101000001.5Z", Some(1_500));
        check("19700101000001.0626Z", Some(1_062));
        check("20260730120000.123Z", Some(1_785_412_800_123));
        for wrong in [
            "",
            "Z",
            "19700101000001",
            "19700101000001.Z",
            "197001010000Z",
        ] {
            check(wrong, None);
        }
        check("19701301000001Z", None);
        check("19700101000001.1234567890123456789Z", None);
        check("1970010100000１Z", None);
    }
}
