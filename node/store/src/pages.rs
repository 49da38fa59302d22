//! Pages of the map and what waits for it, as the database has them (SPEC §9.11).

use tbsi_types::LeafIndex;
use tbsi_types::map::{MapPage, MapPath, MapState, PageReader};

use crate::database::{Database, Table, View};
use crate::error::{StoreError, corrupt};
use crate::keys;

/// What waits for the map, in the order of the log.
pub(crate) fn waiting(view: &View<'_>) -> Result<Vec<LeafIndex>, StoreError> {
    let mut all = Vec::new();
    view.scan(Table::Map, keys::ALL_WAITING, "map", |key, _| {
        let index = keys::waiting_index(key);
        all.push(index.ok_or_else(|| corrupt("key of the map")(&"it is no position"))?);
        Ok(true)
    })?;
    Ok(all)
}

/// The map's state, which must be that of the pages.
pub(crate) fn load_state(database: &Database) -> Result<MapState, StoreError> {
    let stored = database.get(Table::Meta, keys::MAP, "state of the map")?;
    let state = decode_state(stored)?;
    let view = database.snapshot();
    if Pages(&view).page(&MapPath::ROOT)?.hash() != state.root {
        return Err(corrupt("map")(&"its pages have another root"));
    }
    Ok(state)
}

pub(crate) fn decode_state(stored: Option<Vec<u8>>) -> Result<MapState, StoreError> {
    let Some(bytes) = stored else {
        return Ok(MapState::default());
    };
    MapState::decode(&bytes).map_err(|error| corrupt("state of the map")(&error))
}

/// Pages as they are in a view of the database.
pub(crate) struct Pages<'a, 'b>(pub(crate) &'a View<'b>);

impl PageReader for Pages<'_, '_> {
    type Error = StoreError;

    fn page(&self, path: &MapPath) -> Result<MapPage, StoreError> {
        let stored = self.0.get(Table::Map, &keys::map_page(path), "map")?;
        match stored {
            Some(bytes) => {
                MapPage::decode(&bytes).map_err(|error| corrupt("page of the map")(&error))
            }
            None if *path == MapPath::ROOT => Ok(MapPage::default()),
            None => Err(corrupt("page of the map")(&"it is missing")),
        }
    }
}
