//! Evidence records of RFC 4998 over files: made, renewed and verified (SPEC §11.5).
//!
//! A time stamp is good until its authority's certificate ends or its hash algorithm breaks. An
//! evidence record outlives both: before that, another time stamp is made over it, and so on. One
//! time stamp serves many files, because what it is over is the root of a hash tree of which each
//! file's record has its own path.
//!
//! [`EvidenceRecord`] is a file's record, [`Token`] one time stamp in it, [`Trust`] the
//! certificates that are trusted, [`Renewal`] many records that are renewed with one token.
//!
//! Not checked: whether a certificate was revoked. Not supported: encrypted data, groups of files,
//! attributes of archive time stamps.
//!
//! Pure: no clock, no disk, no network, no randomness.

mod asn1;
mod certificates;
mod digest;
pub mod limits;
mod query;
mod record;
mod renewal;
mod token;
mod tree;

pub use asn1::{MessageImprint, strict};
pub use certificates::{StampCertificateError, Trust};
pub use digest::{ArchiveDigest, Digests};
pub use query::{QueryError, query, read_reply, reply_token};
pub use record::{EvidenceRecord, EvidenceRecordError, Sunsets, TimeStamped, VerifiedRecord};
pub use renewal::{Basis, Renewal, RenewalError};
pub use token::{Token, TokenError};

#[cfg(test)]
mod tests;
