//! Many records that are made or renewed with one time stamp (RFC 4998 §5.2).

use crate::archive::certificates::Trust;
use crate::archive::digest::{ArchiveDigest, Digests};
use crate::archive::limits::{CHAIN_STAMPS_MAX, CHAINS_MAX, FILES_MAX};
use crate::archive::record::{EvidenceRecord, EvidenceRecordError, Link, Sunsets, algorithm_of};
use crate::archive::token::{Token, TokenError};
use crate::archive::tree::{self, ReducedTree};

/// What there is of a file.
#[derive(Clone, Debug)]
pub enum Basis {
    /// Nothing but the file.
    File,
    /// A record.
    Record(Box<EvidenceRecord>),
}

/// Why records cannot be renewed.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum RenewalError {
    /// What is there proves nothing any more: a renewal would hide that.
    #[error("what is there does not hold, and a renewal would not make it better")]
    Void(#[source] EvidenceRecordError),
    /// As many as one record holds.
    #[error("the record has {0} already, which is the most")]
    Full(&'static str),
    /// Too many, or none.
    #[error("{0} files, 1 to {FILES_MAX} can be renewed with one time stamp")]
    Files(usize),
    /// The new time stamp is over something else.
    #[error("the new time stamp is not over what was asked")]
    Imprint,
    /// The new time stamp does not verify.
    #[error("the new time stamp")]
    Token(#[from] TokenError),
    /// The new time stamp is older than what it renews.
    #[error("the new time stamp is older than one that it would renew")]
    Order,
}

/// Records to be renewed with one time stamp, once it is there.
#[derive(Debug)]
pub struct Renewal {
    algorithm: ArchiveDigest,
    bases: Vec<Basis>,
    trees: Vec<Option<ReducedTree>>,
    root: Vec<u8>,
}

impl Renewal {
    /// Prepares the renewal of files, each with its digests (by `algorithm` and those that its
    /// record needs). A record that does not hold as of `now`, in seconds since the Unix epoch, is
    /// refused: of the files the first such one is named by its position.
    pub fn new(
        algorithm: ArchiveDigest,
        files: Vec<(Basis, Digests)>,
        (trust, sunsets): (&Trust, &Sunsets),
        now: u64,
    ) -> Result<Self, (usize, RenewalError)> {
        if files.is_empty() || files.len() > FILES_MAX {
            return Err((0, RenewalError::Files(files.len())));
        }
        let mut groups = Vec::new();
        for (position, (basis, digests)) in files.iter().enumerate() {
            if let Basis::Record(record) = basis {
                let verified = record.verify(digests, trust, sunsets, now);
                verified.map_err(|error| (position, RenewalError::Void(error)))?;
            }
            let group = group(basis, digests, algorithm);
            groups.push(group.map_err(|error| (position, error))?);
        }
        let (root, trees) = tree::build(algorithm, &groups);
        Ok(Self {
            algorithm,
            bases: files.into_iter().map(|(basis, _)| basis).collect(),
            trees,
            root,
        })
    }

    /// What the time stamp is to be over.
    pub fn imprint(&self) -> (ArchiveDigest, &[u8]) {
        (self.algorithm, &self.root)
    }

    /// The renewed records, in the files' order. The time stamp must verify as of `now`.
    pub fn finish(
        self,
        token: &Token,
        trust: &Trust,
        now: u64,
    ) -> Result<Vec<EvidenceRecord>, RenewalError> {
        if token.algorithm() != self.algorithm || token.imprint() != self.root {
            return Err(RenewalError::Imprint);
        }
        token.verify(trust, now)?;
        let bases = self.bases.into_iter().zip(self.trees);
        let renewed = bases.map(|(basis, tree)| {
            let link = Link::new(tree, token.clone());
            let Basis::Record(record) = basis else {
                return Ok(EvidenceRecord::of_chains(vec![vec![link]]));
            };
            if record.last().time_ms() > token.time_ms() {
                return Err(RenewalError::Order);
            }
            let mut chains = record.chains;
            match chains.last_mut() {
                Some(last) if algorithm_of(last) == self.algorithm => last.push(link),
                Some(_) | None => chains.push(vec![link]),
            }
            Ok(EvidenceRecord::of_chains(chains))
        });
        renewed.collect()
    }
}

/// The hashes that a new time stamp is to be over, for one file.
fn group(
    basis: &Basis,
    digests: &Digests,
    algorithm: ArchiveDigest,
) -> Result<Vec<Vec<u8>>, RenewalError> {
    let Basis::Record(record) = basis else {
        let digest = digests.get(&algorithm);
        let missing = || RenewalError::Void(EvidenceRecordError::DigestMissing(algorithm.name()));
        return Ok(vec![digest.ok_or_else(missing)?.clone()]);
    };
    let last = record.chains.last().expect("a record has a chain");
    if algorithm_of(last) != algorithm {
        if record.chains.len() == CHAINS_MAX {
            return Err(RenewalError::Full("as many chains as are allowed"));
        }
        let subject = record.subject(record.chains.len(), algorithm, digests);
        return Ok(vec![subject.map_err(RenewalError::Void)?]);
    }
    if last.len() == CHAIN_STAMPS_MAX {
        let full = "as many time stamps as one chain may have; choose another algorithm";
        return Err(RenewalError::Full(full));
    }
    // The standard asks for the last one; Bouncy Castle looks for all of the chain.
    let tokens = last.iter().map(|link| algorithm.hash([link.token.der()]));
    let mut group: Vec<Vec<u8>> = tokens.collect();
    group.sort_unstable();
    group.dedup();
    Ok(group)
}
