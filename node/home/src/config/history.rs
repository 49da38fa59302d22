//! How many states, or blocks, a node keeps: a number of blocks, or "all".

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serializer};

/// A window that no chain outgrows.
pub const HISTORY_ALL: u64 = u64::MAX;

const ALL: &str = "all";

#[derive(Deserialize)]
#[serde(untagged)]
enum Window {
    Blocks(u64),
    Word(String),
}

pub(super) fn serialize<S: Serializer>(blocks: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    match *blocks {
        HISTORY_ALL => serializer.serialize_str(ALL),
        blocks => serializer.serialize_u64(blocks),
    }
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    read(deserializer, "history_blocks")
}

fn read<'de, D: Deserializer<'de>>(deserializer: D, key: &str) -> Result<u64, D::Error> {
    let wrong = || D::Error::custom(format!("`{key}` is neither a number of blocks nor \"all\""));
    match Window::deserialize(deserializer).map_err(|_| wrong())? {
        Window::Blocks(blocks) => Ok(blocks),
        Window::Word(word) if word == ALL => Ok(HISTORY_ALL),
        Window::Word(_) => Err(wrong()),
    }
}

/// The same of blocks.
pub(super) mod blocks {
    use serde::Deserializer;

    pub(in super::super) use super::serialize;

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<u64, D::Error> {
        super::read(deserializer, "keep_blocks")
    }
}
