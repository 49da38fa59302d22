//! A file's evidence record: read, written, verified (RFC 4998 §3 and §5.3).

use std::collections::{BTreeMap, BTreeSet};

use der::Encode;
use der::asn1::OctetString;
use x509_cert::spki::AlgorithmIdentifierOwned;

use crate::archive::asn1::{Record, Stamp, strict};
use crate::archive::certificates::Trust;
use crate::archive::digest::{ArchiveDigest, Digests};
use crate::archive::limits::{CHAIN_STAMPS_MAX, CHAINS_MAX, RECORD_BYTES_MAX};
use crate::archive::token::{Token, TokenError};
use crate::archive::tree::{self, ReducedTree};

/// Until when algorithms are relied upon, in seconds since the Unix epoch, as the chain says
/// (SPEC §12.6). One that is not named has no end that is known.
pub type Sunsets = BTreeMap<ArchiveDigest, u64>;

/// Why bytes are no evidence record, or it proves nothing.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum EvidenceRecordError {
    /// Not such a structure in DER, or one with parts that are not supported.
    #[error(
        "not an evidence record (RFC 4998, version 1, without encryption and attributes) in DER of \
         at most {RECORD_BYTES_MAX} bytes"
    )]
    Malformed,
    /// More than are read.
    #[error("evidence record has {got} {what}, at most {max} are allowed")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// Given.
        got: usize,
        /// Allowed.
        max: usize,
    },
    /// A digest that is needed to verify was not given.
    #[error("the file's {0} digest is needed")]
    DigestMissing(&'static str),
    /// A time stamp cannot be read.
    #[error("time stamp {number} of chain {chain}")]
    Token {
        /// From 1.
        chain: usize,
        /// From 1, in its chain.
        number: usize,
        /// What is wrong with it.
        #[source]
        source: TokenError,
    },
    /// The hash tree does not lead from what it is about to the time stamp.
    #[error("time stamp {number} of chain {chain} is not over {what}")]
    NotOver {
        /// From 1.
        chain: usize,
        /// From 1, in its chain.
        number: usize,
        /// What it should be over.
        what: &'static str,
    },
    /// A time stamp that is older than the one before it.
    #[error("time stamp {number} of chain {chain} is older than the one that it renews")]
    Order {
        /// From 1.
        chain: usize,
        /// From 1, in its chain.
        number: usize,
    },
    /// One chain, two algorithms.
    #[error("time stamp {number} of chain {chain} has another hash algorithm than its chain")]
    Algorithm {
        /// From 1.
        chain: usize,
        /// From 1, in its chain.
        number: usize,
    },
    /// It was renewed after its algorithm was given up.
    #[error(
        "chain {chain} rests on {algorithm}, which was relied upon until {until}, and was not \
         renewed by then but at {at} (Unix seconds)"
    )]
    Sunset {
        /// From 1.
        chain: usize,
        /// Its name.
        algorithm: &'static str,
        /// Last second.
        until: u64,
        /// When the next chain begins, or now.
        at: u64,
    },
}

/// One time stamp of a record: a token, and the way to what it is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) tree: Option<ReducedTree>,
    pub(crate) token: Token,
    /// The algorithm as the structure names it, if it does.
    named: Option<AlgorithmIdentifierOwned>,
}

/// A file's evidence record, not verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvidenceRecord {
    pub(crate) chains: Vec<Vec<Link>>,
    algorithms: Vec<AlgorithmIdentifierOwned>,
}

/// A time stamp that was verified.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TimeStamped {
    /// When it was made, milliseconds since the Unix epoch.
    pub time_ms: u64,
    /// Its hash algorithm.
    pub algorithm: ArchiveDigest,
    /// Subject of its signer's certificate.
    pub signer: String,
    /// Last second at which its certificates are valid.
    pub valid_until: u64,
}

/// A record that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct VerifiedRecord {
    /// In the order in which they were made; the first says since when the file exists.
    pub stamps: Vec<TimeStamped>,
    /// Last second until which the last of them is relied upon: its certificates and its algorithm
    /// are.
    pub relied_until: u64,
}

impl Link {
    pub(crate) fn new(tree: Option<ReducedTree>, token: Token) -> Self {
        Self {
            named: tree.as_ref().map(|_| token.algorithm().identifier()),
            tree,
            token,
        }
    }

    fn read(stamp: Stamp, place: (usize, usize)) -> Result<Self, EvidenceRecordError> {
        let failed = |source| EvidenceRecordError::Token {
            chain: place.0,
            number: place.1,
            source,
        };
        let token = Token::of_any(&stamp.time_stamp).map_err(failed)?;
        let named = stamp.digest_algorithm;
        let other = |it: &AlgorithmIdentifierOwned| it.oid != token.algorithm().oid();
        if named.as_ref().is_some_and(other) {
            let (chain, number) = place;
            return Err(EvidenceRecordError::Algorithm { chain, number });
        }
        let lists = |lists: Vec<Vec<OctetString>>| -> ReducedTree {
            let list = |list: Vec<OctetString>| list.into_iter().map(|hash| hash.into_bytes());
            lists.into_iter().map(|it| list(it).collect()).collect()
        };
        Ok(Self {
            tree: stamp.reduced_hash_tree.map(lists),
            token,
            named,
        })
    }

    fn write(&self) -> Stamp {
        let octets = |hash: &Vec<u8>| OctetString::new(hash.clone()).expect("a short hash");
        let list = |list: &Vec<Vec<u8>>| list.iter().map(octets).collect();
        let tree = self.tree.as_ref();
        Stamp {
            digest_algorithm: self.named.clone(),
            reduced_hash_tree: tree.map(|tree| tree.iter().map(list).collect()),
            time_stamp: self.token.any(),
        }
    }

    /// Whether the time stamp is over this hash.
    fn is_over(&self, hash: &[u8]) -> bool {
        let root = match &self.tree {
            None => Some(hash.to_vec()),
            Some(tree) => tree::root(self.token.algorithm(), tree, hash),
        };
        root.is_some_and(|root| root == self.token.imprint())
    }
}

impl EvidenceRecord {
    /// Of chains that are not empty.
    pub(crate) fn of_chains(chains: Vec<Vec<Link>>) -> Self {
        let stamps = chains.iter().flatten();
        let algorithms: BTreeSet<_> = stamps.map(|link| link.token.algorithm()).collect();
        Self {
            chains,
            algorithms: algorithms
                .into_iter()
                .map(ArchiveDigest::identifier)
                .collect(),
        }
    }

    /// A record of one time stamp over a file's digest.
    pub fn of_token(token: Token) -> Self {
        Self::of_chains(vec![vec![Link::new(None, token)]])
    }

    /// Reads a record in DER.
    pub fn parse(der: &[u8]) -> Result<Self, EvidenceRecordError> {
        if der.len() > RECORD_BYTES_MAX {
            return Err(EvidenceRecordError::Malformed);
        }
        let record: Record = strict(der).ok_or(EvidenceRecordError::Malformed)?;
        if record.version != 1 || record.chains.iter().any(Vec::is_empty) {
            return Err(EvidenceRecordError::Malformed);
        }
        at_most("chains", record.chains.len(), CHAINS_MAX)?;
        let algorithms = record.digest_algorithms;
        at_most("algorithms", algorithms.len(), CHAINS_MAX)?;
        if record.chains.is_empty() {
            return Err(EvidenceRecordError::Malformed);
        }
        let mut chains = Vec::new();
        for (chain, stamps) in record.chains.into_iter().enumerate() {
            at_most("time stamps in one chain", stamps.len(), CHAIN_STAMPS_MAX)?;
            let stamps = stamps.into_iter().enumerate();
            let links = stamps.map(|(at, stamp)| Link::read(stamp, (chain + 1, at + 1)));
            chains.push(links.collect::<Result<Vec<_>, _>>()?);
        }
        Ok(Self { chains, algorithms })
    }

    /// The record in DER.
    pub fn encode(&self) -> Vec<u8> {
        let record = Record {
            version: 1,
            digest_algorithms: self.algorithms.clone(),
            chains: self.chains.iter().map(|chain| written(chain)).collect(),
        };
        record.to_der().expect("what was read is written")
    }

    /// The algorithms by which the file's digests are needed.
    pub fn needs(&self) -> BTreeSet<ArchiveDigest> {
        self.chains
            .iter()
            .map(|chain| algorithm_of(chain))
            .collect()
    }

    /// The last time stamp.
    pub fn last(&self) -> &Token {
        let chain = self.chains.last().expect("a record has a chain");
        &chain.last().expect("a chain has a time stamp").token
    }

    /// What the first time stamp of chain `number` (from 0) is over: the file's digest, and from
    /// the second chain on what is before it too (RFC 4998 §5.2).
    pub(crate) fn subject(
        &self,
        number: usize,
        algorithm: ArchiveDigest,
        digests: &Digests,
    ) -> Result<Vec<u8>, EvidenceRecordError> {
        let digest = digests.get(&algorithm);
        let digest = digest.ok_or(EvidenceRecordError::DigestMissing(algorithm.name()))?;
        if number == 0 {
            return Ok(digest.clone());
        }
        let chains: Vec<Vec<Stamp>> = self.chains[..number].iter().map(|it| written(it)).collect();
        let before = chains.to_der().expect("what was read is written");
        let before = algorithm.hash([before.as_slice()]);
        Ok(algorithm.hash([digest.as_slice(), before.as_slice()]))
    }

    /// Verifies the record of a file with these digests as of `now`, in seconds since the Unix
    /// epoch: each time stamp is over what it should be, was renewed while its certificates were
    /// valid and its algorithm was relied upon, and the last one is so now.
    pub fn verify(
        &self,
        digests: &Digests,
        trust: &Trust,
        sunsets: &Sunsets,
        now: u64,
    ) -> Result<VerifiedRecord, EvidenceRecordError> {
        let mut stamps: Vec<TimeStamped> = Vec::new();
        for (index, chain) in self.chains.iter().enumerate() {
            let algorithm = algorithm_of(chain);
            let place = index + 1;
            let subject = self.subject(index, algorithm, digests)?;
            self.check_chain(place, chain, &subject)?;
            for (at, link) in chain.iter().enumerate() {
                let number = at + 1;
                let next = chain
                    .get(number)
                    .or_else(|| self.chains.get(place)?.first());
                let renewed = next.map_or(now, |next| next.token.time_ms() / 1_000);
                if stamps
                    .last()
                    .is_some_and(|it| it.time_ms > link.token.time_ms())
                {
                    return Err(EvidenceRecordError::Order {
                        chain: place,
                        number,
                    });
                }
                let verified = link.token.verify(trust, renewed);
                let (signer, valid_until) =
                    verified.map_err(|source| EvidenceRecordError::Token {
                        chain: place,
                        number,
                        source,
                    })?;
                stamps.push(TimeStamped {
                    time_ms: link.token.time_ms(),
                    algorithm,
                    signer,
                    valid_until,
                });
            }
            let next = self.chains.get(place).and_then(|next| next.first());
            let at = next.map_or(now, |next| next.token.time_ms() / 1_000);
            if let Some(until) = sunsets.get(&algorithm).filter(|until| **until < at) {
                return Err(EvidenceRecordError::Sunset {
                    chain: place,
                    algorithm: algorithm.name(),
                    until: *until,
                    at,
                });
            }
        }
        let last = stamps.last().expect("a record has a time stamp");
        let sunset = sunsets.get(&last.algorithm).copied();
        Ok(VerifiedRecord {
            relied_until: sunset.unwrap_or(u64::MAX).min(last.valid_until),
            stamps,
        })
    }

    /// One algorithm; the first time stamp over the subject, each other one over that before it.
    fn check_chain(
        &self,
        place: usize,
        chain: &[Link],
        subject: &[u8],
    ) -> Result<(), EvidenceRecordError> {
        let algorithm = algorithm_of(chain);
        for (at, link) in chain.iter().enumerate() {
            let number = at + 1;
            if link.token.algorithm() != algorithm {
                return Err(EvidenceRecordError::Algorithm {
                    chain: place,
                    number,
                });
            }
            let (hash, what) = match at.checked_sub(1) {
                None if place == 1 => (subject.to_vec(), "the file"),
                None => (subject.to_vec(), "the file and the chains before"),
                Some(before) => {
                    let before = chain[before].token.der();
                    (algorithm.hash([before]), "the time stamp before it")
                }
            };
            if !link.is_over(&hash) {
                let chain = place;
                return Err(EvidenceRecordError::NotOver {
                    chain,
                    number,
                    what,
                });
            }
        }
        Ok(())
    }
}

fn written(chain: &[Link]) -> Vec<Stamp> {
    chain.iter().map(Link::write).collect()
}

/// A chain has the algorithm of its first time stamp.
pub(crate) fn algorithm_of(chain: &[Link]) -> ArchiveDigest {
    chain
        .first()
        .expect("a chain has a time stamp")
        .token
        .algorithm()
}

fn at_most(what: &'static str, got: usize, max: usize) -> Result<(), EvidenceRecordError> {
    if got > max {
        return Err(EvidenceRecordError::TooMany { what, got, max });
    }
    Ok(())
}
