//! Which queries are answered with a token.

use der::asn1::ObjectIdentifier;
use der::{Tag, Tagged};
use tbsi_types::B256;
use tbsi_types::log::algorithm::words_per_digest;

use super::asn1::{Request, VERSION};

/// OID, multihash code and bytes of each hash algorithm that is both known to RFC 3161's
/// software and active on the chain from genesis.
const ALGORITHMS: [(&str, u32, usize); 8] = [
    ("2.16.840.1.101.3.4.2.1", 0x12, 32),   // sha2-256
    ("2.16.840.1.101.3.4.2.2", 0x20, 48),   // sha2-384
    ("2.16.840.1.101.3.4.2.3", 0x13, 64),   // sha2-512
    ("2.16.840.1.101.3.4.2.6", 0x1015, 32), // sha2-512-256
    ("2.16.840.1.101.3.4.2.8", 0x16, 32),   // sha3-256
    ("2.16.840.1.101.3.4.2.9", 0x15, 48),   // sha3-384
    ("2.16.840.1.101.3.4.2.10", 0x14, 64),  // sha3-512
    ("1.2.156.10197.1.401", 0x534d, 32),    // sm3
];

/// PKIFailureInfo (RFC 3161 §2.4.2): the number of the bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FailInfo {
    BadAlg = 0,
    BadRequest = 2,
    BadDataFormat = 5,
    TimeNotAvailable = 14,
    UnacceptedPolicy = 15,
    UnacceptedExtension = 16,
    SystemFailure = 25,
}

/// A query that gets no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rejection {
    pub(super) failure: FailInfo,
    /// For people.
    pub(super) text: &'static str,
}

impl Rejection {
    pub(super) fn new(failure: FailInfo, text: &'static str) -> Self {
        Self { failure, text }
    }
}

/// What a good query asks to attest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Query {
    /// Multihash code.
    pub(super) algorithm: u32,
    digest: Vec<u8>,
}

impl Query {
    /// Checks what a request asks for.
    pub(super) fn check(request: &Request, policy: ObjectIdentifier) -> Result<Self, Rejection> {
        if request.version != VERSION {
            let text = "the version of a TimeStampReq is 1";
            return Err(Rejection::new(FailInfo::BadRequest, text));
        }
        if request.extensions.is_some() {
            let text = "no extension is known here";
            return Err(Rejection::new(FailInfo::UnacceptedExtension, text));
        }
        if request.policy.is_some_and(|asked| asked != policy) {
            let text = "another policy than this authority's; leave the policy out";
            return Err(Rejection::new(FailInfo::UnacceptedPolicy, text));
        }
        let imprint = &request.message_imprint;
        let oid = imprint.algorithm.oid.to_string();
        let known = ALGORITHMS.iter().find(|(known, _, _)| *known == oid);
        let parameters = imprint.algorithm.parameters.as_ref();
        let plain = parameters.is_none_or(|any| any.tag() == Tag::Null && any.value().is_empty());
        let Some((_, algorithm, length)) = known.filter(|_| plain) else {
            let text = "use SHA-256, SHA-384, SHA-512, SHA-512/256, SHA3-256, SHA3-384, \
                        SHA3-512 or SM3";
            return Err(Rejection::new(FailInfo::BadAlg, text));
        };
        let digest = imprint.digest.as_bytes();
        if digest.len() != *length {
            let text = "the digest has not the length of its algorithm";
            return Err(Rejection::new(FailInfo::BadDataFormat, text));
        }
        Ok(Self {
            algorithm: *algorithm,
            digest: digest.to_vec(),
        })
    }

    /// To attest a SHA-256.
    pub(super) fn of_sha256(digest: B256) -> Self {
        Self {
            algorithm: 0x12,
            digest: digest.to_vec(),
        }
    }

    /// The digest as the contract takes it: left-aligned words.
    pub(super) fn words(&self) -> Vec<B256> {
        let mut bytes = self.digest.clone();
        bytes.resize(32 * words_per_digest(self.algorithm), 0);
        bytes.chunks_exact(32).map(B256::from_slice).collect()
    }
}
