//! What of a chain a node keeps, in one word.

use serde::{Deserialize, Serialize};
use toml::Table;

use super::{HISTORY_ALL, StoreConfig};
use crate::limits::{FULL_HISTORY_BLOCKS, LIGHT_KEEP_BLOCKS};

/// What is kept. The log, headers, checkpoints and certificates are, whatever it says: every proof
/// can be made from them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StorePreset {
    /// Every block, and the state after every block from now on.
    Archive,
    /// Every block, and the last states.
    Full,
    /// The last blocks and the last states. Other nodes cannot sync from what it dropped.
    Light,
}

impl StorePreset {
    /// As in the file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Archive => "archive",
            Self::Full => "full",
            Self::Light => "light",
        }
    }

    /// What [`StoreConfig::history_blocks`] is.
    pub fn history_blocks(self) -> u64 {
        match self {
            Self::Archive => HISTORY_ALL,
            Self::Full | Self::Light => FULL_HISTORY_BLOCKS,
        }
    }

    /// What [`StoreConfig::keep_blocks`] is.
    pub fn keep_blocks(self) -> u64 {
        match self {
            Self::Archive | Self::Full => HISTORY_ALL,
            Self::Light => LIGHT_KEEP_BLOCKS,
        }
    }
}

impl StoreConfig {
    /// As a preset says.
    pub fn of(preset: StorePreset) -> Self {
        Self {
            preset,
            history_blocks: preset.history_blocks(),
            keep_blocks: preset.keep_blocks(),
            address_index: false,
        }
    }

    /// Takes from the preset what the file does not say.
    pub(super) fn complete(&mut self, file: &Table) {
        let store = file.get("store").and_then(|store| store.as_table());
        let says = |key: &str| store.is_some_and(|store| store.contains_key(key));
        if !says("history_blocks") {
            self.history_blocks = self.preset.history_blocks();
        }
        if !says("keep_blocks") {
            self.keep_blocks = self.preset.keep_blocks();
        }
    }
}
