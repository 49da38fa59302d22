//! What a digest commits to.

use alloy_primitives::{B256, b256};

/// Keccak-256 of the name `tbsi:file:v1`: the bytes of a file.
pub(crate) const FILE: B256 =
    b256!("38a40703f0e7976ca5eb1528e670bdd5292f2eeac90fd3b2fbec9727f2f1374f");

/// Keccak-256 of the name `tbsi:salted-file:v1`: 32 bytes of salt, then those of a file.
pub(crate) const SALTED_FILE: B256 =
    b256!("5953970c70b05d6dc455a5e4f7a31618b428070574b14bb8a4b3f2bd1b4f401a");

const NAMES: [(&str, B256); 2] = [("tbsi:file:v1", FILE), ("tbsi:salted-file:v1", SALTED_FILE)];

/// The name of a built-in schema.
pub(crate) fn name_of(schema: B256) -> Option<&'static str> {
    let found = NAMES.iter().find(|(_, known)| *known == schema);
    found.map(|(name, _)| *name)
}

/// A built-in schema's name, or the id of any.
pub(crate) fn parse(text: &str) -> Result<B256, String> {
    if let Some((_, schema)) = NAMES.iter().find(|(name, _)| *name == text) {
        return Ok(*schema);
    }
    let id = text.strip_prefix("0x").and_then(|_| text.parse().ok());
    id.ok_or_else(|| "use tbsi:file:v1, tbsi:salted-file:v1, or an id: 0x and 64 hex digits".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::keccak256;

    #[test]
    fn ids_are_the_hashes_of_the_names() {
        for (name, id) in NAMES {
            assert_eq!(keccak256(name), id);
            assert_eq!(parse(name), Ok(id));
            assert_eq!(parse(&id.to_string()), Ok(id));
            assert_eq!(name_of(id), Some(name));
        }
        assert_eq!(name_of(B256::ZERO), None);
        let bare = "ab".repeat(32);
        for bad in ["", "tbsi:file", "TBSI:FILE:V1", "0x12", bare.as_str()] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
