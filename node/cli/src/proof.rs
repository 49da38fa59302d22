//! Proof files, in either form.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use tbsi_types::bundle::{BUNDLE_JSON_BYTES_MAX, BundleError};
use tbsi_types::log::LeafError;
use tbsi_types::{Genesis, ProofBundle};

use crate::lang::{While, demand};

/// What the JSON form has behind the name of the file that it is about.
pub(crate) const EXTENSION: &str = ".tbsi.json";

/// What the compact form begins with, in all versions.
const COMPACT_MAGIC: &[u8] = b"TBP";

/// The bytes of a proof file.
pub(crate) fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| {
            let mut limited = file.take(BUNDLE_JSON_BYTES_MAX as u64 + 1);
            limited.read_to_end(&mut bytes)
        })
        .or_say(|| {
            let path = path.display();
            (format!("read proof {path}"), format!("讀取證明 {path}"))
        })?;
    demand(bytes.len() <= BUNDLE_JSON_BYTES_MAX, || {
        let path = path.display();
        (
            format!("{path} has more than {BUNDLE_JSON_BYTES_MAX} bytes, so it is no proof"),
            format!("{path} 超過 {BUNDLE_JSON_BYTES_MAX} 位元組，不是證明"),
        )
    })?;
    Ok(bytes)
}

/// Reads either form.
pub(crate) fn parse(bytes: &[u8]) -> Result<ProofBundle, BundleError> {
    if bytes.starts_with(COMPACT_MAGIC) {
        ProofBundle::decode(bytes)
    } else {
        ProofBundle::parse_json(bytes)
    }
}

/// Whether newer software may be able to read it.
pub(crate) fn is_of_another_version(error: &BundleError) -> bool {
    matches!(
        error,
        BundleError::Format | BundleError::Leaf(LeafError::Version(_) | LeafError::Kind(_))
    )
}

/// A genesis file that proofs are verified with.
pub(crate) fn load_genesis(path: &Path) -> anyhow::Result<Genesis> {
    Ok(tbsi_node::home::load_genesis(path)?)
}
