//! What a configuration says of the database.

use tbsi_home::config::StoreConfig;
use tbsi_store::StoreOptions;

/// For opening it.
pub(crate) fn store_options(config: &StoreConfig) -> StoreOptions {
    StoreOptions {
        history_blocks: config.history_blocks,
        keep_blocks: config.keep_blocks,
        address_index: config.address_index,
        ..StoreOptions::default()
    }
}
