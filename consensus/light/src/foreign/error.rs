//! Why a header or a proof of another chain proves nothing.

use super::limits::{
    ANCESTRY_HEADERS_MAX, FOREIGN_VALIDATORS_MAX, HEADER_BYTES_MAX, NODE_BYTES_MAX, PROOF_NODES_MAX,
};

/// Why a header does not follow from what is trusted. Positions count from 0.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
pub enum HeaderError {
    /// A code of another version of this protocol.
    #[error("client kind {0} is unknown, 1 (qbft) and 2 (ibft2) are known; use newer software")]
    Kind(u64),
    /// Longer than any header.
    #[error("header has {0} bytes, at most {HEADER_BYTES_MAX} are allowed")]
    TooLong(u64),
    /// Trusted validators that are no list of addresses.
    #[error(
        "trusted validators take {0} bytes: give 20 for each, in ascending order, at most \
         {FOREIGN_VALIDATORS_MAX} of them"
    )]
    Trusted(u64),
    /// Bytes that are no canonical RLP list of a header's fields.
    #[error("header is no canonical RLP list; take it from the chain again")]
    Rlp,
    /// A number of fields that no fork has.
    #[error("header has {0} fields, 15, 16, 17, 20 or 21 are known")]
    Fields(u64),
    /// A field in another form than its own.
    #[error("header field {0} has another length or form than its own")]
    Field(u64),
    /// Ommers hash, difficulty, mix hash or nonce of another consensus.
    #[error(
        "header field {0} is not what QBFT and IBFT 2.0 put there: is the chain of another kind?"
    )]
    Constant(u64),
    /// Nobody seals block 0.
    #[error("block 0 has no seals; take a later block")]
    Genesis,
    /// Extra data that are not the kind's.
    #[error(
        "extra data: item {0} has another form than this kind's; is the client of the right kind?"
    )]
    Extra(u64),
    /// The validators are not in the header.
    #[error(
        "the header lists no validators: a contract chooses them on that chain, which this \
         version does not follow. Let the chain list them in its headers (Besu: no \
         validatorcontractaddress)"
    )]
    ContractValidators,
    /// More validators than a chain may have.
    #[error("header lists {0} validators, at most {FOREIGN_VALIDATORS_MAX} are allowed")]
    TooManyValidators(u64),
    /// Validators out of order, or twice.
    #[error("validator {0} of the header is not above the one before")]
    ValidatorOrder(u64),
    /// A seal that nobody made.
    #[error("seal {0} is malformed: r, s and v (0 or 1), 65 bytes, are expected")]
    Seal(u64),
    /// Two seals by one validator.
    #[error("seal {0} is a second one by the same validator")]
    SealRepeated(u64),
    /// A seal by somebody else, or over something else.
    #[error("seal {0} is by none of the header's validators, or not over this header and round")]
    SealForeign(u64),
    /// Too few validators sealed.
    #[error("{got} validators sealed the header, {needed} are needed")]
    Quorum {
        /// Seals.
        got: u64,
        /// [`quorum`](super::quorum) of the header's validators.
        needed: u64,
    },
    /// Too few of those who are trusted sealed.
    #[error(
        "{got} trusted validators sealed the header, {needed} are needed: bring a header in \
         between first"
    )]
    Overlap {
        /// Trusted validators among the signers.
        got: u64,
        /// One more than [`faults`](super::faults) of the trusted ones.
        needed: u64,
    },
}

impl HeaderError {
    /// Number of the reason, and up to two figures, as the precompile answers (SPEC §16.3).
    pub fn code(&self) -> (u64, u64, u64) {
        match *self {
            Self::Kind(got) => (1, got, 0),
            Self::TooLong(got) => (2, got, HEADER_BYTES_MAX as u64),
            Self::Trusted(got) => (3, got, 20 * FOREIGN_VALIDATORS_MAX as u64),
            Self::Rlp => (4, 0, 0),
            Self::Fields(got) => (5, got, 0),
            Self::Field(position) => (6, position, 0),
            Self::Constant(position) => (7, position, 0),
            Self::Genesis => (8, 0, 0),
            Self::Extra(position) => (9, position, 0),
            Self::ContractValidators => (10, 0, 0),
            Self::TooManyValidators(got) => (11, got, FOREIGN_VALIDATORS_MAX as u64),
            Self::ValidatorOrder(position) => (12, position, 0),
            Self::Seal(position) => (13, position, 0),
            Self::SealRepeated(position) => (14, position, 0),
            Self::SealForeign(position) => (15, position, 0),
            Self::Quorum { got, needed } => (16, got, needed),
            Self::Overlap { got, needed } => (17, got, needed),
        }
    }
}

/// Why it is not shown that a block comes after another. Positions count headers from 0, the
/// highest first.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
pub enum AncestryError {
    /// Bytes in another layout than SPEC §16.5.
    #[error("ancestry is not in the layout of SPEC §16.5, or has surplus bytes")]
    Layout,
    /// The later header is none.
    #[error("the header whose ancestor is shown is none")]
    Header(#[source] HeaderError),
    /// The ancestor is not below.
    #[error("the header has height {0}, which is not above its ancestor's")]
    Order(u64),
    /// More headers than one proof has.
    #[error("ancestry has {0} headers, at most {ANCESTRY_HEADERS_MAX} are allowed; go in steps")]
    TooManyHeaders(u64),
    /// A header that the one above it does not name.
    #[error("header {0} of the ancestry has another hash than the one above it names")]
    Parent(u64),
    /// A header between that is none, or of another height.
    #[error("header {0} of the ancestry is none, or not of the height below")]
    Between(u64),
    /// The headers end above or below the ancestor.
    #[error("the ancestry ends at height {0}, not above the ancestor")]
    NotReached(u64),
    /// Another block at the ancestor's height.
    #[error(
        "at height {0} it has another block than the one that is known: it is of another chain, \
         whose blocks the same keys seal, or the chain has split"
    )]
    OtherChain(u64),
    /// The storage proof.
    #[error("the proof of the ancestor's hash")]
    Proof(#[source] ProofError),
    /// Another program could have written anything.
    #[error("the account with the ancestor's hash has other code than a keeper of hashes")]
    Code,
}

impl AncestryError {
    /// Number of the reason, and a figure, as the precompile answers (SPEC §16.5).
    pub fn code(&self) -> (u64, u64) {
        match *self {
            Self::Layout => (1, 0),
            Self::Header(error) => (2, error.code().0),
            Self::Order(height) => (3, height),
            Self::TooManyHeaders(got) => (4, got),
            Self::Parent(position) => (5, position),
            Self::Between(position) => (6, position),
            Self::NotReached(height) => (7, height),
            Self::OtherChain(height) => (8, height),
            Self::Proof(error) => (9, error.code().0),
            Self::Code => (10, 0),
        }
    }
}

/// Why a proof shows no word. Positions count nodes from 0, those of the account first.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
pub enum ProofError {
    /// Bytes in another layout than SPEC §16.4.
    #[error("proof is not in the layout of SPEC §16.4, or has surplus bytes")]
    Layout,
    /// More nodes than a key has nibbles.
    #[error("proof has {0} nodes for one key, at most {PROOF_NODES_MAX} are allowed")]
    TooManyNodes(u64),
    /// Longer than any node.
    #[error("node {0} has more than {NODE_BYTES_MAX} bytes")]
    NodeTooLong(u64),
    /// A node that its parent, or the state root, does not name.
    #[error("node {0} has another hash than the one above it names; is it of another block?")]
    Hash(u64),
    /// A node that is none.
    #[error("node {0} is no node of a Merkle Patricia trie in canonical form")]
    Node(u64),
    /// The proof ends before it shows anything.
    #[error("node {0} is missing")]
    Missing(u64),
    /// Nodes after the answer.
    #[error("node {0} is one too many")]
    Surplus(u64),
    /// An account that is no account.
    #[error("the proven account has another form than nonce, balance, storage root, code hash")]
    Account,
    /// A value that is no word.
    #[error("the proven value is no word of 1 to 32 bytes without leading zeros")]
    Value,
}

impl ProofError {
    /// Number of the reason, and a figure, as the precompile answers (SPEC §16.4).
    pub fn code(&self) -> (u64, u64) {
        match *self {
            Self::Layout => (1, 0),
            Self::TooManyNodes(got) => (2, got),
            Self::NodeTooLong(position) => (3, position),
            Self::Hash(position) => (4, position),
            Self::Node(position) => (5, position),
            Self::Missing(position) => (6, position),
            Self::Surplus(position) => (7, position),
            Self::Account => (8, 0),
            Self::Value => (9, 0),
        }
    }
}
