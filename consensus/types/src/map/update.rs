//! From what leaves say to the next map.

use std::collections::BTreeMap;

use alloy_primitives::B256;

use crate::log::Leaf;
use crate::map::entry::{EntryError, MapValue};
use crate::map::page::{MapPage, MapPath, MapSlot, PageReader};
use crate::number::LeafIndex;

/// What leaves say to the map, by key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MapChanges(BTreeMap<B256, MapValue>);

/// The next map: what is different.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MapUpdate {
    /// Its root.
    pub root: B256,
    /// Entries that were not there before.
    pub added: u64,
    /// Pages as they are now.
    pub pages: Vec<(MapPath, MapPage)>,
}

/// Why there is no next map.
#[derive(Debug, thiserror::Error)]
pub enum UpdateMapError<E: std::error::Error + Send + Sync + 'static> {
    /// A page could not be read.
    #[error("read a page of the map")]
    Read(#[source] E),
    /// A page holds what is no entry.
    #[error("entry {key} of the map")]
    Entry {
        /// Its key.
        key: B256,
        /// What is wrong with it.
        #[source]
        source: EntryError,
    },
}

impl MapChanges {
    /// Adds what the leaf at `index` says, if it says something to the map. Leaves come in the
    /// order of the log: what was said first stays.
    pub fn take(&mut self, index: LeafIndex, leaf: &Leaf) {
        if let Some((question, value)) = MapValue::of(index, leaf) {
            let entry = self.0.entry(question.key());
            entry
                .and_modify(|first| *first = first.and_then(value))
                .or_insert(value);
        }
    }

    /// Keys that something is said of.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The map after these changes to the one that `reader` has.
    pub fn apply<R: PageReader>(&self, reader: &R) -> Result<MapUpdate, UpdateMapError<R::Error>> {
        let changes: Vec<_> = self.0.iter().map(|(key, value)| (*key, *value)).collect();
        let mut writer = Writer {
            reader,
            added: 0,
            pages: Vec::new(),
        };
        let top = reader.page(&MapPath::ROOT).map_err(UpdateMapError::Read)?;
        let root = match writer.grow(MapPath::ROOT, top.clone(), &changes)? {
            Some(root) => root,
            None => top.hash(),
        };
        Ok(MapUpdate {
            root,
            added: writer.added,
            pages: writer.pages,
        })
    }
}

type Change = (B256, MapValue);

struct Writer<'a, R> {
    reader: &'a R,
    added: u64,
    pages: Vec<(MapPath, MapPage)>,
}

impl<R: PageReader> Writer<'_, R> {
    /// Applies ascending changes to a page and those below it. The page's new hash; `None` if
    /// nothing is different.
    fn grow(
        &mut self,
        path: MapPath,
        mut page: MapPage,
        changes: &[Change],
    ) -> Result<Option<B256>, UpdateMapError<R::Error>> {
        let mut different = false;
        let same_slot =
            |one: &Change, other: &Change| path.slot_of(&one.0) == path.slot_of(&other.0);
        for group in changes.chunk_by(same_slot) {
            let Some((key, _)) = group.first() else {
                continue;
            };
            let place = path.slot_of(key);
            let old = &page.slots[place];
            if let Some(slot) = self.fill(path, old, group)? {
                page.slots[place] = slot;
                different = true;
            }
        }
        if !different {
            return Ok(None);
        }
        let hash = page.hash();
        self.pages.push((path, page));
        Ok(Some(hash))
    }

    /// What is in a slot of the page at `path` after changes of keys that all belong there;
    /// `None` if nothing is different.
    fn fill(
        &mut self,
        path: MapPath,
        old: &MapSlot,
        group: &[Change],
    ) -> Result<Option<MapSlot>, UpdateMapError<R::Error>> {
        let below = |(key, _): &Change| path.below(key);
        let (first, more) = group.split_first().expect("a group is not empty");
        let page = match old {
            MapSlot::Branch(_) => {
                let page = self.reader.page(&below(first));
                page.map_err(UpdateMapError::Read)?
            }
            MapSlot::Entry { key, value } if more.is_empty() && *key == first.0 => {
                return merged(key, value, first.1);
            }
            MapSlot::Empty if more.is_empty() => {
                self.added += 1;
                let (key, value) = (first.0, first.1.encode());
                return Ok(Some(MapSlot::Entry { key, value }));
            }
            MapSlot::Empty => MapPage::default(),
            MapSlot::Entry { key, .. } => {
                let mut page = MapPage::default();
                page.slots[path.below(key).slot_of(key)] = old.clone();
                page
            }
        };
        let hash = self.grow(below(first), page, group)?;
        Ok(hash.map(MapSlot::Branch))
    }
}

/// An entry after something was said of its key again.
fn merged<E: std::error::Error + Send + Sync + 'static>(
    key: &B256,
    value: &[u8],
    later: MapValue,
) -> Result<Option<MapSlot>, UpdateMapError<E>> {
    let first = later.decode_alike(value);
    let first = first.map_err(|source| UpdateMapError::Entry { key: *key, source })?;
    let both = first.and_then(later);
    let (key, value) = (*key, both.encode());
    Ok((both != first).then_some(MapSlot::Entry { key, value }))
}

#[cfg(test)]
pub(crate) mod tests {
    use std::convert::Infallible;

    use super::*;
    use crate::map::hash::{EMPTY_MAP_ROOT, branch_hash, entry_hash, goes_right};
    use crate::map::state::tests::said;

    /// Pages in memory.
    #[derive(Default)]
    pub(crate) struct Pages(pub(crate) BTreeMap<MapPath, MapPage>);

    impl PageReader for Pages {
        type Error = Infallible;

        fn page(&self, path: &MapPath) -> Result<MapPage, Infallible> {
            let page = self.0.get(path).cloned();
            assert!(page.is_some() || *path == MapPath::ROOT, "{path:?}");
            Ok(page.unwrap_or_default())
        }
    }

    impl Pages {
        pub(crate) fn apply(&mut self, changes: &MapChanges) -> MapUpdate {
            let update = changes.apply(self).unwrap();
            self.0.extend(update.pages.iter().cloned());
            update
        }
    }

    /// The definition, word for word: entries in the order of their keys.
    pub(crate) fn root_of(entries: &[(B256, Vec<u8>)], depth: u16) -> B256 {
        match entries {
            [] => EMPTY_MAP_ROOT,
            [(key, value)] => entry_hash(key, value),
            many => {
                let split = many.partition_point(|(key, _)| !goes_right(key, depth));
                let (left, right) = many.split_at(split);
                branch_hash(&root_of(left, depth + 1), &root_of(right, depth + 1))
            }
        }
    }

    fn value(number: u64) -> MapValue {
        said(number)
    }

    fn changes(keys: impl IntoIterator<Item = (B256, u64)>) -> MapChanges {
        MapChanges(keys.into_iter().map(|(key, it)| (key, value(it))).collect())
    }

    #[test]
    fn a_map_is_what_is_in_it_however_it_grew() {
        let key = |number: u64| crate::sha256(&[&number.to_be_bytes()]);
        for step in [1, 3, 100] {
            let mut pages = Pages::default();
            let mut entries = BTreeMap::new();
            let numbers: Vec<u64> = (0..300).collect();
            for group in numbers.chunks(step) {
                let update = pages.apply(&changes(group.iter().map(|it| (key(*it), *it))));
                entries.extend(group.iter().map(|it| (key(*it), value(*it).encode())));
                let all: Vec<_> = entries.clone().into_iter().collect();
                assert_eq!(update.root, root_of(&all, 0), "{step}");
                assert_eq!(update.added, group.len() as u64);
            }
        }
    }

    #[test]
    fn keys_that_share_all_but_a_bit_lie_deep() {
        let mut near = [B256::repeat_byte(0xaa), B256::repeat_byte(0xaa)];
        near[1][31] ^= 1;
        let mut pages = Pages::default();
        pages.apply(&changes([(near[0], 1)]));
        assert_eq!(pages.0.len(), 1);
        let update = pages.apply(&changes([(near[1], 2), (B256::ZERO, 3)]));
        let entries = [(B256::ZERO, 3), (near[0], 1), (near[1], 2)];
        let entries = entries.map(|(key, it)| (key, value(it).encode()));
        assert_eq!(update.root, root_of(&entries, 0));
        assert_eq!(pages.0.len(), 64);
    }

    #[test]
    fn what_is_there_already_writes_nothing() {
        let mut pages = Pages::default();
        let first = pages.apply(&changes([(B256::repeat_byte(1), 1)]));
        let again = pages.apply(&changes([(B256::repeat_byte(1), 2)]));
        assert_eq!(
            (again.root, again.added, again.pages.len()),
            (first.root, 0, 0)
        );
        let nothing = pages.apply(&MapChanges::default());
        assert_eq!((nothing.root, nothing.pages.len()), (first.root, 0));
        let none = Pages::default().apply(&MapChanges::default());
        assert_eq!(none.root, EMPTY_MAP_ROOT);
    }
}
