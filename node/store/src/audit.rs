//! Whether all that is stored follows from what validators signed: the state from its root, the
//! log from its leaves, the map from its pages, a block from its checkpoint.
//!
//! Who signed is not the store's question; its caller verifies the certificates.

use alloy_consensus::proofs::calculate_receipt_root;
use alloy_primitives::{B256, KECCAK256_EMPTY, keccak256};
use alloy_trie::{EMPTY_ROOT_HASH, Nibbles};
use tbsi_types::block::transactions_root;
use tbsi_types::log::tile::{TILE_HEIGHT, TILE_LEVELS, TILE_WIDTH, entries};
use tbsi_types::log::{
    AttestationIds, EntryBundle, Frontier, Leaf, Lookup, MapRoot, Statement, leaf_hash,
};
use tbsi_types::map::{MapPage, MapPath};
use tbsi_types::{Checkpoint, Height, LeafIndex, ProposedBlock, TreeSize, sha256};

use crate::database::{Table, View};
use crate::error::{StoreError, corrupt};
use crate::keys;
use crate::state::{Reader, decode_account};
use crate::store::Store;
use crate::trie;

/// What an audit of the state looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AuditedState {
    /// Accounts.
    pub accounts: u64,
    /// Storage slots of all of them.
    pub slots: u64,
    /// Nodes of all tries.
    pub nodes: u64,
}

/// What an audit of the log looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AuditedLog {
    /// Leaves.
    pub leaves: u64,
    /// Entries of the index by which they are found.
    pub positions: u64,
    /// Pages of the map.
    pub map_pages: u64,
}

/// Keys have 64 nibbles: they are hashes.
const KEY_NIBBLES: usize = 64;

fn wrong(what: impl Into<String>, problem: impl std::fmt::Display) -> StoreError {
    corrupt(what)(&problem)
}

impl Store {
    /// Makes the state root of the tip again: every node of the tries has the hash that its
    /// parent names, every account and slot is the leaf that the trie has, and there are no
    /// others. Tells `seen` of each account.
    pub fn audit_state(&self, mut seen: impl FnMut()) -> Result<AuditedState, StoreError> {
        let (reader, record) = self.latest()?;
        let Some(record) = record else {
            return Ok(AuditedState::default());
        };
        let checkpoint = self.checkpoint(Height(record.height))?;
        let checkpoint =
            checkpoint.ok_or_else(|| wrong("checkpoint of the tip", "it is missing"))?;
        let mut found = AuditedState::default();
        let mut storage_nodes = 0;
        let read = |path: &Nibbles| reader.account_node(path);
        let mut account = |key: &Nibbles, value: &[u8]| -> Result<(), StoreError> {
            let owner = B256::from_slice(&key.pack());
            check_flat(&reader, &keys::account(&owner), value)?;
            let decoded = decode_account(value)?;
            check_code(&reader, decoded.code_hash)?;
            let root = decoded.storage_root;
            if root != EMPTY_ROOT_HASH {
                let (slots, nodes) = audit_storage(&reader, &owner, root)?;
                found.slots += slots;
                storage_nodes += nodes;
            }
            found.accounts += 1;
            seen();
            Ok(())
        };
        let account_nodes = trie::walk(&read, checkpoint.state_root, KEY_NIBBLES, &mut account)?;
        found.nodes = account_nodes + storage_nodes;
        let expected = [found.accounts, found.slots, account_nodes, storage_nodes];
        for ((kind, expected), what) in keys::STATE_KINDS.into_iter().zip(expected).zip([
            "accounts",
            "storage slots",
            "nodes of the account trie",
            "nodes of storage tries",
        ]) {
            let stored = count(&reader.view, Table::State, kind)?;
            if stored != expected {
                let problem = format!("{stored} are stored, {expected} belong to the state root");
                return Err(wrong(what, problem));
            }
        }
        Ok(found)
    }

    /// Makes the log's root of the tip again from all leaves, and compares every tile, the index
    /// and every page of the map with what follows from them. Tells `seen` of each bundle of
    /// leaves.
    pub fn audit_log(&self, mut seen: impl FnMut(u64)) -> Result<AuditedLog, StoreError> {
        let Some(tip) = self.tip() else {
            return Ok(AuditedLog::default());
        };
        let mut audit = LogAudit::new(self);
        let bundles = tip.log_size.0.div_ceil(u64::from(TILE_WIDTH));
        for index in 0..bundles {
            audit.bundle(index, tip.log_size)?;
            seen(audit.frontier.size().0);
        }
        audit.end_tiles()?;
        let (size, root) = (audit.frontier.size(), audit.frontier.root());
        if (size, root) != (tip.log_size, tip.log_root) {
            let problem = format!(
                "its leaves lead to root {root} at {size} leaves, the checkpoint of block {} has \
                 {} at {}",
                tip.height, tip.log_root, tip.log_size
            );
            return Err(wrong("log", problem));
        }
        let positions = audit.positions;
        let stored = Sum::of_keys(&self.database.snapshot(), Table::Position)?;
        if stored != positions {
            let problem = format!(
                "{} entries are stored, the leaves make {}",
                stored.count, positions.count
            );
            return Err(wrong("index of the log", problem));
        }
        Ok(AuditedLog {
            leaves: size.0,
            positions: positions.count,
            map_pages: self.audit_map(audit.told)?,
        })
    }

    /// That the block at `height` is the one of its checkpoint, follows `before`, has the
    /// transactions and receipts that its header names, and is found by their hashes. Signatures
    /// of transactions are verified again. Of a pruned block, its header and checkpoint.
    pub fn audit_block(
        &self,
        height: Height,
        before: Option<&Checkpoint>,
    ) -> Result<Checkpoint, StoreError> {
        let name = || format!("block {height}");
        let missing = || wrong(name(), "a part of it is missing");
        let checkpoint = self.checkpoint(height)?.ok_or_else(missing)?;
        let header = self.header(height)?.ok_or_else(missing)?;
        let expect = |field: &str, found: B256, expected: B256| {
            if found == expected {
                return Ok(());
            }
            let problem = format!("{field} is {found}, expected {expected}");
            Err(wrong(name(), problem))
        };
        expect("its hash", header.hash_slow(), checkpoint.block_hash)?;
        expect("its state root", checkpoint.state_root, header.state_root)?;
        if let Some(before) = before {
            expect("its parent", header.parent_hash, before.block_hash)?;
            let named = before.next_validator_set_hash;
            expect("its validator set", checkpoint.validator_set_hash, named)?;
        }
        if checkpoint.height != height || header.number != height.0 {
            return Err(wrong(name(), "it is stored under another height"));
        }
        if self.height_of(checkpoint.block_hash)? != Some(height) {
            return Err(wrong(name(), "it is not found by its hash"));
        }
        if self.check_kept(height).is_ok() {
            self.audit_body(height, &checkpoint)?;
        }
        Ok(checkpoint)
    }

    fn audit_body(&self, height: Height, checkpoint: &Checkpoint) -> Result<(), StoreError> {
        let name = || format!("block {height}");
        let missing = || wrong(name(), "a part of it is missing");
        let bytes = self.proposed_bytes(height)?.ok_or_else(missing)?;
        let verified = ProposedBlock::decode(&bytes, checkpoint.chain_id, &|_| None);
        let verified = verified.map_err(|error| wrong(name(), error))?;
        let stored = self.block(height)?.ok_or_else(missing)?;
        let receipts = self.receipts(height)?.ok_or_else(missing)?;
        let (block, header) = (&verified.block, &verified.block.header);
        if block.hash() != checkpoint.block_hash || verified.time != checkpoint.time {
            return Err(wrong(name(), "its body is another block's"));
        }
        if transactions_root(&block.transactions) != header.transactions_root {
            return Err(wrong(
                name(),
                "its transactions are not those of its header",
            ));
        }
        if calculate_receipt_root(&receipts) != header.receipts_root {
            return Err(wrong(name(), "its receipts are not those of its header"));
        }
        for (index, (own, kept)) in
            (0u32..).zip(block.transactions.iter().zip(&stored.block.transactions))
        {
            let hash = own.hash();
            if own.sender() != kept.sender() {
                let problem = format!("the sender of transaction {hash} is another one's");
                return Err(wrong(name(), problem));
            }
            if self.transaction_location(hash)? != Some((height, index)) {
                let problem = format!("transaction {hash} is not found by its hash");
                return Err(wrong(name(), problem));
            }
        }
        Ok(())
    }

    /// Every page of the map is the one that the page above it names; the top has the root that
    /// the log told last. Returns how many there are.
    fn audit_map(&self, told: Option<(LeafIndex, MapRoot)>) -> Result<u64, StoreError> {
        let state = self.map_state();
        let root = told.as_ref().map(|(_, root)| root.root);
        if state.told != told.as_ref().map(|(index, _)| *index)
            || root.is_some_and(|root| root != state.root)
        {
            return Err(wrong(
                "state of the map",
                "it is not the one that the log told last",
            ));
        }
        let view = self.database.snapshot();
        let (mut pages, mut named) = (0u64, 0u64);
        view.scan(Table::Map, keys::MAP_PAGES, "map", |key, bytes| {
            let page = MapPage::decode(bytes).map_err(|error| wrong("page of the map", error))?;
            let expected = match keys::map_page_above(key) {
                Some((above, place)) => {
                    let above = view.get(Table::Map, &above, "map")?;
                    above.and_then(|above| branch_in(&above, place))
                }
                None if key == keys::map_page(&MapPath::ROOT) => Some(state.root),
                None => None,
            };
            if expected != Some(page.hash()) {
                return Err(wrong(
                    "page of the map",
                    "the page above it names another one",
                ));
            }
            pages += 1;
            named += (0..16)
                .filter(|place| branch_in(bytes, *place).is_some())
                .count() as u64;
            Ok(true)
        })?;
        if pages != named + u64::from(pages > 0) {
            let problem = format!("{pages} pages are stored, {named} are named by others");
            return Err(wrong("map", problem));
        }
        Ok(pages)
    }
}

/// The hash at a place of an encoded page, if a page is below it.
fn branch_in(page: &[u8], place: usize) -> Option<B256> {
    let (entries, rest) = page.split_first_chunk::<2>()?;
    let (branches, mut rest) = rest.split_first_chunk::<2>()?;
    let (entries, branches) = (u16::from_be_bytes(*entries), u16::from_be_bytes(*branches));
    for at in 0..=place {
        let is_branch = branches >> at & 1 == 1;
        if at == place {
            return is_branch.then(|| rest.get(..32).map(B256::from_slice))?;
        }
        let bytes = match (entries >> at & 1 == 1, is_branch) {
            (true, _) => 33 + usize::from(*rest.get(32)?),
            (false, true) => 32,
            (false, false) => 0,
        };
        rest = rest.get(bytes..)?;
    }
    None
}

fn check_code(reader: &Reader<'_>, hash: B256) -> Result<(), StoreError> {
    if hash == KECCAK256_EMPTY {
        return Ok(());
    }
    let code = reader.view.get(Table::Code, hash.as_slice(), "code")?;
    if code.is_some_and(|code| keccak256(code) == hash) {
        return Ok(());
    }
    Err(wrong(
        "code of a contract",
        format!("it has not the hash {hash}"),
    ))
}

fn check_flat(reader: &Reader<'_>, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
    if reader.get(key, "state")?.as_deref() == Some(value) {
        return Ok(());
    }
    Err(wrong(
        "state",
        "an account or slot is not the one that its trie has",
    ))
}

/// Slots and nodes of an account's storage.
fn audit_storage(reader: &Reader<'_>, owner: &B256, root: B256) -> Result<(u64, u64), StoreError> {
    let mut slots = 0;
    let read = |path: &Nibbles| reader.slot_node(owner, path);
    let mut slot = |key: &Nibbles, value: &[u8]| {
        slots += 1;
        let hash = B256::from_slice(&key.pack());
        check_flat(reader, &keys::slot(owner, &hash), value)
    };
    let nodes = trie::walk(&read, root, KEY_NIBBLES, &mut slot)?;
    Ok((slots, nodes))
}

fn count(view: &View<'_>, table: Table, prefix: &[u8]) -> Result<u64, StoreError> {
    let mut count = 0;
    view.scan(table, prefix, "state", |_, _| {
        count += 1;
        Ok(true)
    })?;
    Ok(count)
}

/// A set of keys, in whatever order they come: how many, and the sum of their hashes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sum {
    count: u64,
    hashes: [u64; 2],
}

impl Sum {
    fn add(&mut self, key: &[u8]) {
        let hash = sha256(&[key]);
        self.count += 1;
        for (sum, bytes) in self.hashes.iter_mut().zip(hash.chunks_exact(8)) {
            let part = u64::from_be_bytes(bytes.try_into().expect("eight bytes"));
            *sum = sum.wrapping_add(part);
        }
    }

    fn of_keys(view: &View<'_>, table: Table) -> Result<Self, StoreError> {
        let mut sum = Self::default();
        view.scan(table, &[], "index of the log", |key, _| {
            sum.add(key);
            Ok(true)
        })?;
        Ok(sum)
    }
}

/// The log as it is read again.
struct LogAudit<'a> {
    store: &'a Store,
    frontier: Frontier,
    /// Of each level, the tile that is not full yet: its number and hashes.
    open: [(u64, Vec<u8>); TILE_LEVELS as usize],
    positions: Sum,
    ids: AttestationIds,
    /// The last root of the map.
    told: Option<(LeafIndex, MapRoot)>,
}

impl<'a> LogAudit<'a> {
    fn new(store: &'a Store) -> Self {
        Self {
            store,
            frontier: Frontier::default(),
            open: Default::default(),
            positions: Sum::default(),
            ids: AttestationIds::default(),
            told: None,
        }
    }

    fn bundle(&mut self, index: u64, size: TreeSize) -> Result<(), StoreError> {
        let first = index * u64::from(TILE_WIDTH);
        let name = || format!("bundle {index} of the log");
        let bundle = EntryBundle::of_leaf(LeafIndex(first), size);
        let bundle = bundle.ok_or_else(|| wrong(name(), "it is missing"))?;
        let bytes = self.store.log_entries(bundle)?;
        let bytes = bytes.ok_or_else(|| wrong(name(), "it is missing"))?;
        let leaves = entries(&bytes, bundle.width).map_err(|error| wrong(name(), error))?;
        for (index, bytes) in (first..).zip(leaves) {
            let leaf =
                Leaf::decode(bytes).map_err(|error| wrong(format!("leaf {index}"), error))?;
            for lookup in Lookup::of(&leaf, &mut self.ids).iter().flatten() {
                self.positions.add(&keys::position(lookup, index));
            }
            if let Statement::MapRoot(root) = leaf.statement {
                self.told = Some((LeafIndex(index), root));
            }
            let mut grown = Vec::new();
            self.frontier.append(leaf_hash(bytes), |node, hash| {
                if node.level.is_multiple_of(TILE_HEIGHT) {
                    grown.push((usize::from(node.level / TILE_HEIGHT), hash));
                }
            });
            for (level, hash) in grown {
                self.push(level, hash)?;
            }
        }
        Ok(())
    }

    /// One hash more of a level; a tile that is full then is compared with the stored one.
    fn push(&mut self, level: usize, hash: B256) -> Result<(), StoreError> {
        let (_, bytes) = &mut self.open[level];
        bytes.extend_from_slice(hash.as_slice());
        if bytes.len() == 32 * usize::from(TILE_WIDTH) {
            self.check_tile(level)?;
            let (number, bytes) = &mut self.open[level];
            *number += 1;
            bytes.clear();
        }
        Ok(())
    }

    fn check_tile(&self, level: usize) -> Result<(), StoreError> {
        let (number, bytes) = &self.open[level];
        let of = u8::try_from(level).expect("there are eight levels");
        let database = &self.store.database;
        let stored = database.get(Table::Log, &keys::tile(of, *number), "log tile")?;
        if stored.as_ref() == Some(bytes) {
            return Ok(());
        }
        let what = format!("tile {number} of level {level} of the log");
        Err(wrong(what, "its hashes do not follow from the leaves"))
    }

    /// The tiles that are not full.
    fn end_tiles(&self) -> Result<(), StoreError> {
        for (level, (_, bytes)) in self.open.iter().enumerate() {
            if !bytes.is_empty() {
                self.check_tile(level)?;
            }
        }
        Ok(())
    }
}
