//! Seeds from `tests/vectors`.

use std::fs;
use std::path::Path;

use alloy_primitives::hex;
use serde_json::Value;

/// A file of `tests/vectors`.
///
/// # Panics
/// If it cannot be read, as everywhere here: the vectors are part of this repository.
pub(crate) fn vectors(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../vectors")
        .join(name);
    let text = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The bytes of `field` in each entry of `list` that has them.
pub(crate) fn hex_of(vectors: &Value, list: &str, field: &str) -> Vec<Vec<u8>> {
    let entries = vectors[list].as_array().expect("a list");
    let fields = entries.iter().filter_map(|entry| entry[field].as_str());
    fields
        .map(|text| hex::decode(text).expect("hex digits"))
        .collect()
}

/// The text of `field` in each entry of `list` that has it.
pub(crate) fn text_of(vectors: &Value, list: &str, field: &str) -> Vec<Vec<u8>> {
    let entries = vectors[list].as_array().expect("a list");
    let fields = entries.iter().filter_map(|entry| entry[field].as_str());
    fields.map(|text| text.as_bytes().to_vec()).collect()
}
