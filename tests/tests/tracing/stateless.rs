//! Blocks executed again by somebody who has no state: `debug_executionWitness` is enough for it,
//! and `debug_accountRange` shows the whole of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use alloy_consensus::Header;
use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U64, U256, hex, keccak256};
use alloy_rlp::{Decodable as _, Encodable};
use alloy_trie::{EMPTY_ROOT_HASH, TrieAccount};
use eth_trie::{DB as _, EthTrie, MemoryDB, Trie as _};
use serde_json::{Value, json};
use tbsi_execution::{Protocol, TracedBlock, block_reads};
use tbsi_types::{
    Account, AccountChange, ChainIdentity, StateDiff, StateView, Transaction, ViewError,
};

use crate::Side;

/// What a witness holds, by hash.
struct Witness {
    nodes: Arc<MemoryDB>,
    codes: BTreeMap<B256, Bytes>,
    headers: BTreeMap<u64, Header>,
}

/// A state of which there is only what a witness holds.
struct Stateless<'a> {
    witness: &'a Witness,
    root: B256,
}

fn bytes(value: &Value) -> Vec<Bytes> {
    serde_json::from_value(value.clone()).expect("a list of bytes")
}

impl Witness {
    fn new(answer: &Value) -> Self {
        let nodes = Arc::new(MemoryDB::new(false));
        for node in bytes(&answer["state"]) {
            let hash = keccak256(&node);
            nodes.insert(hash.as_slice(), node.into()).expect("memory");
        }
        let codes = bytes(&answer["codes"]).into_iter();
        let headers = bytes(&answer["headers"]).into_iter().map(|header| {
            let header = Header::decode(&mut header.as_ref()).expect("RLP of a header");
            (header.number, header)
        });
        Self {
            nodes,
            codes: codes.map(|code| (keccak256(&code), code)).collect(),
            headers: headers.collect(),
        }
    }

    /// What a trie has for a hash; an error if a node is missing.
    fn get(&self, root: B256, key: B256) -> Result<Option<Vec<u8>>, ViewError> {
        if root == EMPTY_ROOT_HASH {
            return Ok(None);
        }
        let found = self.trie(root).get(key.as_slice());
        found.map_err(|error| ViewError {
            what: format!("{key} below {root}"),
            source: error.to_string().into(),
        })
    }

    fn trie(&self, root: B256) -> EthTrie<MemoryDB> {
        if root == EMPTY_ROOT_HASH {
            return EthTrie::new(Arc::clone(&self.nodes));
        }
        EthTrie::from(Arc::clone(&self.nodes), root).expect("the witness has the root")
    }

    /// A trie's root after changes: what is new comes first, as others have it.
    fn root_after(&self, root: B256, changes: &BTreeMap<B256, Option<Vec<u8>>>) -> B256 {
        let mut trie = self.trie(root);
        for (key, value) in changes {
            if let Some(value) = value {
                let inserted = trie.insert(key.as_slice(), value);
                inserted.expect("the witness has the way to it");
            }
        }
        for key in changes.iter().filter(|(_, value)| value.is_none()) {
            let removed = trie.remove(key.0.as_slice());
            removed.expect("the witness has what is beside it");
        }
        trie.root_hash().expect("memory")
    }
}

impl Stateless<'_> {
    fn trie_account(&self, address: Address) -> Result<Option<TrieAccount>, ViewError> {
        let found = self.witness.get(self.root, keccak256(address))?;
        Ok(found.map(|bytes| TrieAccount::decode(&mut bytes.as_slice()).expect("an account")))
    }

    fn change(&self, address: Address, change: &AccountChange) -> Option<Vec<u8>> {
        let account = change.account?;
        let before = self.trie_account(address).expect("the witness has it");
        let root = before.filter(|_| !change.storage_wiped);
        let root = root.map_or(EMPTY_ROOT_HASH, |account| account.storage_root);
        let slots = change.storage.iter().map(|(slot, value)| {
            let key = keccak256(slot.to_be_bytes::<32>());
            (key, (!value.is_zero()).then(|| encoded(value)))
        });
        let root = self.witness.root_after(root, &slots.collect());
        let Account {
            nonce,
            balance,
            code_hash,
        } = account;
        Some(encoded(&TrieAccount::new(nonce, balance, root, code_hash)))
    }

    fn root_after(&self, diff: &StateDiff) -> B256 {
        let changes = diff.accounts.iter();
        let changes = changes
            .map(|(address, change)| (keccak256(address), self.change(*address, change)))
            .collect();
        self.witness.root_after(self.root, &changes)
    }
}

fn encoded(value: &impl Encodable) -> Vec<u8> {
    alloy_rlp::encode(value)
}

impl StateView for Stateless<'_> {
    fn account(&self, address: Address) -> Result<Option<Account>, ViewError> {
        let account = self.trie_account(address)?;
        Ok(account.map(|account| Account {
            nonce: account.nonce,
            balance: account.balance,
            code_hash: account.code_hash,
        }))
    }

    fn code(&self, code_hash: B256) -> Result<Bytes, ViewError> {
        if code_hash == KECCAK256_EMPTY {
            return Ok(Bytes::new());
        }
        let code = self.witness.codes.get(&code_hash).cloned();
        code.ok_or_else(|| ViewError {
            what: format!("code {code_hash}"),
            source: "the witness lacks it".into(),
        })
    }

    fn storage(&self, address: Address, slot: U256) -> Result<U256, ViewError> {
        let Some(account) = self.trie_account(address)? else {
            return Ok(U256::ZERO);
        };
        let key = keccak256(slot.to_be_bytes::<32>());
        let found = self.witness.get(account.storage_root, key)?;
        Ok(found.map_or(U256::ZERO, |bytes| {
            U256::decode(&mut bytes.as_slice()).expect("a slot")
        }))
    }

    fn block_hash(&self, height: u64) -> Result<B256, ViewError> {
        let header = self.witness.headers.get(&height);
        Ok(header.map_or(B256::ZERO, Header::hash_slow))
    }
}

/// Executes each block with its witness alone, and comes to the state root that validators signed.
pub(crate) async fn blocks(side: &Side<'_>, identity: &ChainIdentity) {
    let last: U64 = number(side, "eth_blockNumber").await;
    let mut executed = 0;
    for height in 1..=last.to::<u64>() {
        let number = json!([format!("{height:#x}")]);
        let answer = side.ask("debug_executionWitness", number.clone()).await;
        let header: Bytes = asked(side, "debug_getRawHeader", number.clone()).await;
        let header = Header::decode(&mut header.as_ref()).expect("RLP of a header");
        let hashes = json!([number[0], false]);
        let block = side.ask("eth_getBlockByNumber", hashes).await;
        let mut transactions = Vec::new();
        for hash in block["transactions"].as_array().expect("a list") {
            let encoded: Bytes = asked(side, "debug_getRawTransaction", json!([hash])).await;
            let verified = Transaction::parse_and_verify(&encoded, identity.chain_id);
            transactions.push(Arc::new(verified.expect("a transaction of a block")));
        }
        executed += transactions.len();
        let witness = Witness::new(&answer);
        let parent = &witness.headers[&(height - 1)];
        assert_eq!(parent.hash_slow(), header.parent_hash);
        let state = Stateless {
            witness: &witness,
            root: parent.state_root,
        };
        let traced = TracedBlock {
            protocol: &Protocol::of(identity),
            header: &header,
            hash: header.hash_slow(),
            transactions: &transactions,
        };
        let (reads, diff) = block_reads(&state, &traced).expect("the witness is enough");
        assert_eq!(state.root_after(&diff), header.state_root, "block {height}");
        let addresses = reads.accounts.keys().map(|it| json!(it));
        let keys = answer["keys"].as_array().expect("a list");
        assert!(addresses.into_iter().all(|it| keys.contains(&lower(&it))));
    }
    assert!(executed >= side.sent.len(), "blocks without transactions");
}

/// All accounts with all storage come to the state root.
pub(crate) async fn accounts(side: &Side<'_>) {
    let tip: U64 = number(side, "eth_blockNumber").await;
    let whole = Witness::new(&json!({"state": [], "codes": [], "headers": []}));
    let (mut accounts, mut start) = (BTreeMap::new(), Bytes::new());
    let root = loop {
        let page = side.ask("debug_accountRange", json!([tip, start, 5])).await;
        let found = page["accounts"].as_object().expect("accounts");
        assert!(!found.is_empty() && found.len() <= 5);
        for account in found.values() {
            let (key, encoded) = dumped(&whole, account);
            let before = accounts.insert(key, Some(encoded));
            assert_eq!(before, None, "no account comes twice");
        }
        let Some(next) = page["next"].as_str() else {
            break page["root"].clone();
        };
        start = next.parse().expect("bytes");
    };
    let expected = whole.root_after(EMPTY_ROOT_HASH, &accounts);
    assert_eq!(root, json!(hex::encode(expected)));
}

/// An account as the trie has it, after looking at its code and storage.
fn dumped(whole: &Witness, account: &Value) -> (B256, Vec<u8>) {
    let slots = account["storage"].as_object();
    let slots = slots.into_iter().flatten().map(|(hash, value)| {
        let digits = value.as_str().expect("digits");
        let value = U256::from_str_radix(digits, 16).expect("digits");
        (hash.parse().expect("a hash"), Some(encoded(&value)))
    });
    let storage_root = whole.root_after(EMPTY_ROOT_HASH, &slots.collect());
    assert_eq!(account["root"], json!(storage_root));
    let code: Option<Bytes> = serde_json::from_value(account["code"].clone()).expect("code");
    let code = code.unwrap_or_default();
    assert_eq!(account["codeHash"], json!(keccak256(&code)));
    let balance = account["balance"].as_str().expect("digits");
    let nonce = account["nonce"].as_u64().expect("a number");
    let account_now = TrieAccount::new(
        nonce,
        balance.parse().expect("digits"),
        storage_root,
        keccak256(&code),
    );
    let key = serde_json::from_value(account["key"].clone());
    (key.expect("a hash"), encoded(&account_now))
}

async fn asked(side: &Side<'_>, method: &str, params: Value) -> Bytes {
    serde_json::from_value(side.ask(method, params).await).expect("bytes")
}

async fn number(side: &Side<'_>, method: &str) -> U64 {
    serde_json::from_value(side.ask(method, json!([])).await).expect("a quantity")
}

/// As bytes are written, without the capitals of a checksum.
fn lower(value: &Value) -> Value {
    json!(value.as_str().expect("a text").to_lowercase())
}
