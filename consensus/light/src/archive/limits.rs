//! Named maxima, with their units.

/// Bytes of an evidence record.
pub const RECORD_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Bytes of one time stamp.
pub const TOKEN_BYTES_MAX: usize = 64 * 1024;

/// Bytes of an authority's reply.
pub const REPLY_BYTES_MAX: usize = TOKEN_BYTES_MAX + 4 * 1024;

/// Chains of an evidence record: one for each hash algorithm.
pub const CHAINS_MAX: usize = 16;

/// Time stamps of one chain.
pub const CHAIN_STAMPS_MAX: usize = 64;

/// Lists of a reduced hash tree: levels of a tree of more files than there are.
pub const TREE_LISTS_MAX: usize = 64;

/// Hashes of one such list.
pub const TREE_LIST_HASHES_MAX: usize = 256;

/// Files that are renewed with one time stamp.
pub const FILES_MAX: usize = 100_000;

/// Certificates between an authority's own and the trusted one, both counted.
pub const CERTIFICATE_PATH_MAX: usize = 6;

/// Certificates that are trusted, or that a token carries.
pub const CERTIFICATES_MAX: usize = 64;

/// Levels of nested values in DER.
pub(crate) const NESTING_MAX: usize = 24;
