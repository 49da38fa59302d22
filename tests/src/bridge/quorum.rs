//! GoQuorum, which others wrote: a QBFT network of four validators on this machine, from the
//! program that Go builds of the module in `tests/quorum`.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use alloy_consensus::{Header, TxLegacy};
use alloy_primitives::{Address, B256, Bytes, TxKind, U64, U256, address, hex, keccak256};
use serde_json::{Value, json};
use tbsi_light::foreign::mix_hash;
use tbsi_rpc::Client;
use tbsi_types::SecretKey;
use tempfile::TempDir;

use crate::harness::{Sender, eventually, skip};

/// EIP-155 number of the network.
pub const FOREIGN_CHAIN_ID: u64 = 1_981;

/// A contract that its genesis has: `storage[calldata[0]] = calldata[1]`.
pub const CONTRACT: Address = address!("00000000000000000000000000000000000000ac");
const CODE: &str = "0x60203560003555";

/// In the contract's storage from its genesis: slot and value.
pub const FROM_GENESIS: (u64, u64) = (7, 42);

const VALIDATORS: usize = 4;

/// Builds the program; `None`, and said so, if Go or its modules are not there.
pub fn program() -> Option<PathBuf> {
    const WHAT: &str = "facts of a real QBFT network (GoQuorum)";
    let this = std::env::current_exe().expect("a test knows its own path");
    let target = this.ancestors().nth(2).expect("tests are built into deps/");
    let program = target.join("goquorum");
    let built = Command::new("go")
        .args(["build", "-trimpath", "-ldflags"])
        // One of its libraries links to what Go 1.23 has closed.
        .arg("-checklinkname=0 -s -w")
        .arg("-o")
        .arg(&program)
        .arg("github.com/ethereum/go-ethereum/cmd/geth")
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("quorum"))
        .output();
    match built {
        Ok(output) if output.status.success() => Some(program),
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            // All else is a mistake of ours.
            let missing = [
                "dial tcp",
                "toolchain not available",
                "403 Forbidden",
                "C compiler",
            ];
            assert!(missing.iter().any(|words| said.contains(words)), "{said}");
            skip(WHAT, said.trim(), "run `go mod download` in tests/quorum");
            None
        }
        Err(error) => {
            skip(WHAT, &error.to_string(), "install Go 1.26");
            None
        }
    }
}

/// A running network; ends when dropped.
pub struct Quorum {
    children: Vec<Child>,
    clients: Vec<Client>,
    keys: Vec<SecretKey>,
    _dir: TempDir,
}

impl Drop for Quorum {
    fn drop(&mut self) {
        for child in &mut self.children {
            child.kill().and_then(|()| child.wait()).ok();
        }
    }
}

/// Ports that nobody uses at the moment.
fn free_ports(count: usize) -> Vec<u16> {
    let bind = |_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let held: Vec<TcpListener> = (0..count).map(bind).collect();
    let port = |held: &TcpListener| held.local_addr().expect("a bound port").port();
    held.iter().map(port).collect()
}

/// The public key as other nodes know it.
fn enode(key: &SecretKey, port: u16) -> String {
    let (x, y) = key.public_key().coordinates();
    let (x, y) = (hex::encode(x), hex::encode(y));
    format!("enode://{x}{y}@127.0.0.1:{port}?discport=0")
}

/// `[vanity, validators, vote, round, seals]`, sealed by nobody.
fn extra_data(validators: &[Address]) -> Vec<u8> {
    let mut validators = validators.to_vec();
    validators.sort_unstable();
    let items = [
        alloy_rlp::encode([0; 32].as_slice()),
        alloy_rlp::encode(&validators),
        vec![0xc0],
        vec![0x80],
        vec![0xc0],
    ];
    list(&items)
}

fn list(items: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    alloy_rlp::Header {
        list: true,
        payload_length: items.iter().map(Vec::len).sum(),
    }
    .encode(&mut bytes);
    bytes.extend(items.concat());
    bytes
}

fn genesis(keys: &[SecretKey]) -> Value {
    let validators: Vec<_> = keys.iter().map(|key| key.public_key().address()).collect();
    let (slot, value) = FROM_GENESIS;
    let word = |number: u64| B256::from(U256::from(number)).to_string();
    json!({
        "nonce": "0x0",
        "timestamp": "0x60000000",
        "extraData": Bytes::from(extra_data(&validators)),
        "gasLimit": "0x1fffffff",
        "difficulty": "0x1",
        "mixHash": mix_hash(),
        "coinbase": Address::ZERO,
        "parentHash": B256::ZERO,
        "config": {
            "chainId": FOREIGN_CHAIN_ID,
            "homesteadBlock": 0, "eip150Block": 0, "eip155Block": 0, "eip158Block": 0,
            "byzantiumBlock": 0, "constantinopleBlock": 0, "petersburgBlock": 0,
            "istanbulBlock": 0, "berlinBlock": 0,
            "isQuorum": true,
            "txnSizeLimit": 64,
            "maxCodeSizeConfig": [{ "block": 0, "size": 64 }],
            "qbft": {
                "policy": 0, "epoch": 30_000, "ceil2Nby3Block": 0,
                "blockperiodseconds": 1, "requesttimeoutseconds": 4,
            },
        },
        "alloc": {
            CONTRACT.to_string(): {
                "balance": "0x0", "code": CODE, "storage": { word(slot): word(value) },
            },
        },
    })
}

/// Where one node keeps its files, and its ports.
struct Place {
    dir: PathBuf,
    port: u16,
    rpc: u16,
}

impl Place {
    fn prepare(&self, program: &Path, key: &SecretKey, peers: &[String], genesis: &Path) {
        fs::create_dir_all(self.dir.join("geth")).expect("make a folder");
        let write = |name: &str, text: String| {
            fs::write(self.dir.join(name), text).expect("write a node's file");
        };
        write("geth/nodekey", hex::encode(key.expose()));
        write("static-nodes.json", json!(peers).to_string());
        let made = self.command(program).arg("init").arg(genesis).output();
        let made = made.expect("GoQuorum starts");
        let said = String::from_utf8_lossy(&made.stderr);
        assert!(made.status.success(), "{said}");
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .env("PRIVATE_CONFIG", "ignore")
            .arg("--datadir")
            .arg(&self.dir)
            .stdin(Stdio::null());
        command
    }

    fn run(&self, program: &Path) -> Child {
        let log = File::create(self.dir.join("log")).expect("a node's log");
        self.command(program)
            .args(["--networkid", &FOREIGN_CHAIN_ID.to_string()])
            .args(["--port", &self.port.to_string(), "--nodiscover"])
            .args(["--nat", "none", "--netrestrict", "127.0.0.0/8"])
            .args(["--http", "--http.addr", "127.0.0.1"])
            .args(["--http.port", &self.rpc.to_string()])
            .args(["--http.api", "eth,net,istanbul"])
            .args(["--syncmode", "full", "--mine", "--miner.threads", "1"])
            .args(["--miner.gasprice", "0", "--ipcdisable", "--verbosity", "2"])
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("GoQuorum starts")
    }
}

impl Quorum {
    /// Starts the validators and waits for their second block.
    pub async fn start(program: &Path) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let key = |number: usize| SecretKey::from_seed(format!("quorum {number}").as_bytes());
        let keys: Vec<SecretKey> = (0..VALIDATORS).map(key).collect();
        let ports = free_ports(2 * VALIDATORS);
        let place = |number: usize| Place {
            dir: dir.path().join(number.to_string()),
            port: ports[number],
            rpc: ports[VALIDATORS + number],
        };
        let places: Vec<Place> = (0..VALIDATORS).map(place).collect();
        let peers = keys.iter().zip(&places);
        let peers: Vec<String> = peers.map(|(key, place)| enode(key, place.port)).collect();
        let file = dir.path().join("genesis.json");
        fs::write(&file, genesis(&keys).to_string()).expect("write a genesis file");
        for (key, place) in keys.iter().zip(&places) {
            place.prepare(program, key, &peers, &file);
        }
        let url = |place: &Place| format!("http://127.0.0.1:{}", place.rpc);
        let client = |place: &Place| Client::new(&url(place)).expect("an address");
        let this = Self {
            children: places.iter().map(|place| place.run(program)).collect(),
            clients: places.iter().map(client).collect(),
            keys,
            _dir: dir,
        };
        this.reaches(2).await;
        this
    }

    /// Waits for a height.
    pub async fn reaches(&self, height: u64) {
        let what = format!("GoQuorum reaches block {height}");
        eventually(&what, async || self.height().await >= height).await;
    }

    /// Height of the newest block; 0 if nobody answers yet.
    pub async fn height(&self) -> u64 {
        let height: Result<U64, _> = self.clients[0].request("eth_blockNumber", &[]).await;
        height.map_or(0, |height| height.to())
    }

    /// Address of the first node.
    pub fn url(&self) -> &str {
        self.clients[0].url()
    }

    /// Speaks to the first node.
    pub fn client(&self) -> &Client {
        &self.clients[0]
    }

    /// A block as the first node tells it, once there is one.
    pub async fn block(&self, height: u64) -> Value {
        self.reaches(height).await;
        let params = [json!(U64::from(height)), json!(false)];
        let block = self.clients[0].request("eth_getBlockByNumber", &params);
        block.await.expect("the node answers")
    }

    /// Calls the contract and waits for the block; returns its height. It costs nothing there.
    pub async fn put(&self, nonce: u64, slot: u64, value: u64) -> u64 {
        let word = |number: u64| U256::from(number).to_be_bytes::<32>();
        let input = [word(slot), word(value)].concat();
        self.transact("quorum user", nonce, CONTRACT, input.into())
            .await
    }

    /// Sends a transaction of the user with this name, which must succeed; returns the height.
    pub async fn transact(&self, user: &str, nonce: u64, to: Address, input: Bytes) -> u64 {
        let sender = Sender::of(SecretKey::from_seed(user.as_bytes()), FOREIGN_CHAIN_ID);
        let encoded = sender.sign(TxLegacy {
            chain_id: Some(FOREIGN_CHAIN_ID),
            nonce,
            gas_limit: 1_000_000,
            to: TxKind::Call(to),
            input,
            ..TxLegacy::default()
        });
        let sent = self.clients[0].send_raw_transaction(&encoded).await;
        let hash = sent.expect("GoQuorum takes the transaction");
        let mut height = None;
        eventually("GoQuorum includes the transaction", async || {
            let receipt: Value = self.clients[0]
                .request("eth_getTransactionReceipt", &[json!(hash)])
                .await
                .expect("the node answers");
            assert_ne!(receipt["status"], "0x0", "{receipt}");
            let number: Option<U64> = serde_json::from_value(receipt["blockNumber"].clone()).ok();
            height = number.map(|number| number.to::<u64>());
            height.is_some()
        })
        .await;
        height.expect("it was just found")
    }

    /// Most validators vote for another one, whose node does not run, until it is one.
    pub async fn add_validator(&self, validator: Address) {
        for client in &self.clients {
            let params = [json!(validator), json!(true)];
            let voted: Value = client
                .request("istanbul_propose", &params)
                .await
                .expect("a vote");
            assert_eq!(voted, Value::Null);
        }
        let mut validators: Vec<Address> = Vec::new();
        eventually("GoQuorum adds the validator", async || {
            let asked = self.clients[0].request("istanbul_getValidators", &[]).await;
            validators = asked.expect("the node answers");
            validators.contains(&validator)
        })
        .await;
        assert_eq!(validators.len(), VALIDATORS + 1);
    }

    /// Another block of a height, which all four validators' keys seal.
    pub async fn forge(&self, height: u64, state_root: B256) -> Value {
        let mut block = self.block(height).await;
        block["stateRoot"] = json!(state_root);
        self.sealed(block)
    }

    /// A block of a height on another chain, whose validators have the same keys.
    pub async fn forge_after(&self, height: u64, parent: B256) -> Value {
        let mut block = self.block(height).await;
        block["parentHash"] = json!(parent);
        self.sealed(block)
    }

    fn sealed(&self, mut block: Value) -> Value {
        let mut header: Header = serde_json::from_value(block.clone()).expect("a header");
        let mut digest = |items: &[Vec<u8>]| {
            header.extra_data = list(items).into();
            keccak256(alloy_rlp::encode(&header))
        };
        let mut validators: Vec<_> = self
            .keys
            .iter()
            .map(|key| key.public_key().address())
            .collect();
        validators.sort_unstable();
        let vanity = alloy_rlp::encode([0; 32].as_slice());
        let mut items = vec![
            vanity,
            alloy_rlp::encode(&validators),
            vec![0xc0],
            vec![0x80],
            vec![0xc0],
        ];
        // Round 0: what is sealed is what the block hash is over.
        let hash = digest(&items);
        let seal = |key: &SecretKey| {
            let mut seal = key.sign(hash).0;
            seal[64] -= 27;
            Bytes::from(seal)
        };
        items[4] = alloy_rlp::encode(self.keys.iter().map(seal).collect::<Vec<Bytes>>());
        block["extraData"] = json!(Bytes::from(list(&items)));
        block["hash"] = json!(hash);
        block
    }
}
