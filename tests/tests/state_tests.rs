//! Ethereum's state tests through the block path of a node: the pre-state is committed to a
//! store, the transaction is executed as a block on that store's state under the rules of the
//! test's fork, and the store computes the state root.
//!
//! Every case of every file runs under every fork that it names. Those that fail must be those
//! of [`EXPECTED_FAILURES`].

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use alloy_primitives::{Address, B256, Bloom, Bytes, Log, U256, keccak256};
use anyhow::{Context, ensure};
use serde::Deserialize;
use tbsi_execution::conformance::{Fork, TestBlock, execute};
use tbsi_execution::{ExecutionError, Outcome};
use tbsi_store::{CommitBlock, LogPlace, Store, StoreOptions};
use tbsi_types::block::{HeaderFields, transactions_root};
use tbsi_types::log::LeafBatch;
use tbsi_types::{
    Account, AccountChange, Block, ChainIdentity, Checkpoint, CommitCertificate, Height,
    ProposedBlock, Round, StateDiff, StateView, TimestampMs, Transaction, ViewError,
};

/// Folder below the vectors, JSON files in it, cases in them.
const SETS: [(&str, usize, usize); 3] = [
    ("ethereum-tests/GeneralStateTests", 960, 3_909),
    ("eest-prague", 47, 384),
    ("eest-osaka", 18, 208),
];

/// File, and why this chain does not need what it asks for.
const EXPECTED_FAILURES: [(&str, &str); 1] = [(
    "dynamicAccountOverwriteEmpty_Paris.json",
    "EIP-7610, which revm does not have: creating a contract must fail where an account with \
     storage but neither code nor nonce is. No transaction makes such an account, and \
     `Genesis::check` refuses it.",
)];

const THREADS: usize = 2;

#[test]
fn passes_ethereums_state_tests() {
    let mut failed = Vec::new();
    for (folder, files, cases) in SETS {
        let paths = json_files(&vectors().join(folder));
        assert_eq!(paths.len(), files, "files in {folder}");
        let report = run_files(&paths);
        println!(
            "{folder}: {files} files, {} cases ({} refused as they must be), {} failed",
            report.cases,
            report.refused,
            report.failures.len()
        );
        assert_eq!(report.cases, cases, "cases in {folder}");
        failed.extend(report.failures);
    }
    let expected = EXPECTED_FAILURES.map(|(file, _)| file);
    let files: Vec<_> = failed.iter().map(|failure| failure.file.as_str()).collect();
    let problems: Vec<_> = failed.iter().map(|failure| &failure.problem).collect();
    assert_eq!(files, expected, "{problems:#?}");
}

/// Two threads, each with a store of its own, take files as they come.
fn run_files(paths: &[PathBuf]) -> Report {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut ledger = Ledger::new().expect("open a store in a temporary directory");
        let mut report = Report::default();
        while let Some(path) = paths.get(next.fetch_add(1, Ordering::Relaxed)) {
            run_file(path, &mut ledger, &mut report);
        }
        report
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(work)).collect();
        threads
            .into_iter()
            .map(|thread| {
                thread
                    .join()
                    .expect("a thread panicked, which it has printed")
            })
            .fold(Report::default(), Report::and)
    })
}

#[derive(Default)]
struct Report {
    cases: usize,
    refused: usize,
    failures: Vec<Failure>,
}

impl Report {
    fn and(mut self, other: Self) -> Self {
        self.cases += other.cases;
        self.refused += other.refused;
        self.failures.extend(other.failures);
        self
    }
}

struct Failure {
    file: String,
    /// Test, fork, position, and what is wrong.
    problem: String,
}

fn vectors() -> PathBuf {
    std::env::var_os("TBSI_VECTORS")
        .map_or_else(|| PathBuf::from("../../shared/vectors"), PathBuf::from)
}

/// All JSON files below a folder, in order.
fn json_files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}; set TBSI_VECTORS", folder.display()));
    let mut paths: Vec<_> = entries
        .map(|entry| entry.expect("list a folder").path())
        .collect();
    paths.sort();
    paths
        .into_iter()
        .flat_map(|path| match path.extension() {
            Some(extension) if extension == "json" => vec![path],
            _ if path.is_dir() => json_files(&path),
            _ => Vec::new(),
        })
        .collect()
}

#[derive(Deserialize)]
struct StateTest {
    #[serde(default)]
    config: Config,
    env: Env,
    pre: BTreeMap<Address, PreAccount>,
    post: BTreeMap<String, Vec<Case>>,
}

#[derive(Default, Deserialize)]
struct Config {
    chainid: Option<U256>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Env {
    current_coinbase: Address,
    current_number: U256,
    current_timestamp: U256,
    current_gas_limit: U256,
    current_difficulty: U256,
    current_base_fee: Option<U256>,
    current_random: Option<U256>,
    current_excess_blob_gas: Option<U256>,
}

#[derive(Clone, PartialEq, Deserialize)]
struct PreAccount {
    balance: U256,
    nonce: U256,
    code: Bytes,
    storage: BTreeMap<U256, U256>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Case {
    hash: B256,
    logs: B256,
    txbytes: Bytes,
    expect_exception: Option<String>,
}

impl StateTest {
    fn block(&self) -> TestBlock {
        let Env {
            current_coinbase,
            current_number,
            current_timestamp,
            current_gas_limit,
            current_difficulty,
            current_base_fee,
            current_random,
            current_excess_blob_gas,
        } = &self.env;
        let number = |value: Option<U256>| value.unwrap_or_default().to();
        TestBlock {
            chain_id: self.config.chainid.map_or(1, |id| id.to()),
            beneficiary: *current_coinbase,
            number: *current_number,
            timestamp: *current_timestamp,
            gas_limit: current_gas_limit.saturating_to(),
            base_fee: number(*current_base_fee),
            difficulty: *current_difficulty,
            prev_randao: current_random.map(B256::from),
            excess_blob_gas: number(*current_excess_blob_gas),
        }
    }
}

fn run_file(path: &Path, ledger: &mut Ledger, report: &mut Report) {
    let tests = std::fs::read(path).expect("a file that was just listed");
    let tests: BTreeMap<String, StateTest> =
        serde_json::from_slice(&tests).unwrap_or_else(|error| panic!("{path:?}: {error}"));
    let file = path.file_name().expect("a file has a name");
    let file = file.to_string_lossy().into_owned();
    for (name, test) in tests {
        let state_root = ledger.load(&test.pre).expect("commit a pre-state");
        for (fork, cases) in &test.post {
            for (index, case) in cases.iter().enumerate() {
                report.cases += 1;
                report.refused += usize::from(case.expect_exception.is_some());
                if let Err(error) = run_case(&test, fork, case, ledger, state_root) {
                    report.failures.push(Failure {
                        file: file.clone(),
                        problem: format!("{name} {fork} {index}: {error:#}"),
                    });
                }
            }
        }
    }
}

fn run_case(
    test: &StateTest,
    fork: &str,
    case: &Case,
    ledger: &Ledger,
    root_before: B256,
) -> anyhow::Result<()> {
    let fork = Fork::parse(fork).with_context(|| format!("fork {fork} is unknown"))?;
    let ended = ledger.execute(fork, &test.block(), &case.txbytes)?;
    match (ended, &case.expect_exception) {
        (Ok(outcome), None) => {
            let logs: Vec<&Log> = outcome
                .receipts
                .iter()
                .flat_map(|receipt| receipt.logs())
                .collect();
            let mut encoded = Vec::new();
            alloy_rlp::encode_list::<_, Log>(&logs, &mut encoded);
            let logs_hash = keccak256(encoded);
            ensure!(logs_hash == case.logs, "logs {logs_hash} not {}", case.logs);
            let root = ledger.store.state_root(&outcome.diff)?.root();
            ensure!(root == case.hash, "state root {root} not {}", case.hash);
        }
        (Err(_), Some(_)) => ensure!(
            root_before == case.hash,
            "refused, but the test changes the state"
        ),
        (Ok(_), Some(expected)) => anyhow::bail!("executed, not refused as {expected}"),
        (Err(reason), None) => anyhow::bail!("refused: {reason}"),
    }
    Ok(())
}

/// A chain whose blocks each replace the whole state by the next test's pre-state.
struct Ledger {
    store: Store,
    state: BTreeMap<Address, PreAccount>,
    _dir: tempfile::TempDir,
}

const IDENTITY: ChainIdentity = ChainIdentity {
    chain_id: 1,
    genesis_hash: B256::ZERO,
};

impl Ledger {
    fn new() -> anyhow::Result<Self> {
        let dir = tempfile::tempdir()?;
        let store = Store::open(dir.path(), IDENTITY, StoreOptions::default())?;
        Ok(Self {
            store,
            state: BTreeMap::new(),
            _dir: dir,
        })
    }

    /// Makes `pre` the latest state; returns its root.
    fn load(&mut self, pre: &BTreeMap<Address, PreAccount>) -> anyhow::Result<B256> {
        let diff = replacement(&self.state, pre);
        self.state = pre.clone();
        let tip = self.store.tip();
        let height = tip.map_or(Height::GENESIS, |tip| tip.height.next());
        let update = self.store.state_root(&diff)?;
        let place = LogPlace {
            height,
            time: TimestampMs(height.0),
            map_period_ms: 60_000,
        };
        let log = self.store.log_update(&place, LeafBatch::default())?;
        let fields = HeaderFields {
            parent_hash: tip.map(|tip| tip.block_hash).unwrap_or_default(),
            height,
            time: TimestampMs(height.0),
            beneficiary: Address::ZERO,
            gas_limit: 0,
            gas_used: 0,
            state_root: update.root(),
            transactions_root: transactions_root(&[]),
            receipts_root: alloy_consensus::constants::EMPTY_ROOT_HASH,
            logs_bloom: Bloom::ZERO,
        };
        let block = Block {
            header: fields.header(),
            transactions: Vec::new(),
        };
        let checkpoint = Checkpoint {
            chain_id: IDENTITY.chain_id,
            height,
            time: fields.time,
            block_hash: block.hash(),
            state_root: update.root(),
            log_size: log.size(),
            log_root: log.root(),
            validator_set_hash: B256::ZERO,
            next_validator_set_hash: B256::ZERO,
        };
        let digest = checkpoint.digest(&IDENTITY);
        let certificate = CommitCertificate::new(height, Round::ZERO, digest, Vec::new())?;
        let time = fields.time;
        self.store.commit(CommitBlock {
            proposed: &ProposedBlock { time, block },
            receipts: &[],
            checkpoint: &checkpoint,
            certificate: (height != Height::GENESIS).then_some(&certificate),
            update: &update,
            log: &log,
            next_members: None,
        })?;
        Ok(update.root())
    }

    /// The outcome, or why the transaction was refused.
    fn execute(
        &self,
        fork: Fork,
        block: &TestBlock,
        encoded: &[u8],
    ) -> anyhow::Result<Result<Outcome, String>> {
        let transaction = match Transaction::parse_any_chain(encoded) {
            Ok(transaction) => Arc::new(transaction),
            Err(error) => return Ok(Err(error.to_string())),
        };
        let tip = self.store.tip().context("a pre-state was loaded")?;
        let state = TestState(self.store.state_at(tip.height)?);
        match execute(&state, fork, block, &[transaction]) {
            Ok(outcome) => Ok(Ok(outcome)),
            Err(
                error @ (ExecutionError::InvalidTransaction { .. }
                | ExecutionError::BlockGas { .. }),
            ) => Ok(Err(error.to_string())),
            Err(
                error @ (ExecutionError::View(_)
                | ExecutionError::Evm(_)
                | ExecutionError::Protocol { .. }),
            ) => Err(error.into()),
        }
    }
}

/// Removes every account of `old`, then puts those of `new`.
fn replacement(
    old: &BTreeMap<Address, PreAccount>,
    new: &BTreeMap<Address, PreAccount>,
) -> StateDiff {
    let mut diff = StateDiff::default();
    let removed = AccountChange {
        account: None,
        storage_wiped: true,
        storage: BTreeMap::new(),
    };
    for address in old.keys() {
        diff.accounts.insert(*address, removed.clone());
    }
    for (address, account) in new {
        let code_hash = keccak256(&account.code);
        let change = AccountChange {
            account: Some(Account {
                nonce: account.nonce.to(),
                balance: account.balance,
                code_hash,
            }),
            storage_wiped: old.contains_key(address),
            storage: account.storage.clone(),
        };
        diff.accounts.insert(*address, change);
        diff.codes.insert(code_hash, account.code.clone());
    }
    diff
}

/// The store's state, with the block hashes that state tests define: Keccak-256 of the number
/// in decimal.
struct TestState<V>(V);

impl<V: StateView> StateView for TestState<V> {
    fn account(&self, address: Address) -> Result<Option<Account>, ViewError> {
        self.0.account(address)
    }

    fn code(&self, code_hash: B256) -> Result<Bytes, ViewError> {
        self.0.code(code_hash)
    }

    fn storage(&self, address: Address, slot: U256) -> Result<U256, ViewError> {
        self.0.storage(address, slot)
    }

    fn block_hash(&self, height: u64) -> Result<B256, ViewError> {
        Ok(keccak256(height.to_string()))
    }
}
