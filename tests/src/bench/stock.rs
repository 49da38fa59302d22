//! The state that reads are measured on: the same contract, slots, accounts, logs and blocks on
//! every chain.

use std::net::SocketAddr;
use std::time::Duration;

use alloy_consensus::TxEip1559;
use alloy_primitives::{B256, TxKind, U64, U256, hex, keccak256};
use anyhow::{Context, bail, ensure};
use serde_json::{Value, json};
use tbsi_types::transaction::sign;
use tbsi_types::{Address, Bytes, SecretKey};
use tokio::time::{Instant, sleep};

use super::http::{Connection, replies};

/// Transactions that fill the contract, each in a block of its own.
pub const FILLS: u64 = 20;
/// Slots that each of them writes; as many accounts come into being.
pub const SLOTS_EACH: u64 = 50;
/// Logs that come with each slot.
pub const LOGS_PER_SLOT: usize = 10;
/// Transactions of the one block that has many; each writes one slot.
pub const CROWD: u64 = 50;

/// More than a fill uses (about 3,700,000).
const FILL_GAS: u64 = 5_000_000;
/// More than a transaction of the crowd uses (about 97,000).
const CROWD_GAS: u64 = 150_000;
/// More than the deployment uses (about 90,000).
const DEPLOY_GAS: u64 = 200_000;
/// First slot of the crowd, far from those of the fills.
const CROWD_SLOT: u64 = 1_000_000;
/// Senders of a crowd that are tried until one has all its transactions in one block.
const ATTEMPTS_MAX: u64 = 5;
/// What a sender gets where transactions cost something: 100 ether.
const GIFT: u128 = 100_000_000_000_000_000_000;

/// How long one transaction may take.
const PATIENCE: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(10);

/// What differs between chains for whoever sends transactions.
#[derive(Clone, Copy, Debug)]
pub struct Habits {
    /// EIP-155 chain id.
    pub chain_id: u64,
    /// Bid for a unit of gas, wei. Where it is not 0, the node has an account that pays for all.
    pub bid: u128,
    /// Whether a block is made when it is asked for (`evm_mine`), if that is set.
    pub mines_when_asked: bool,
}

/// The contract, filled.
#[derive(Clone, Copy, Debug)]
pub struct Filled {
    /// The contract.
    pub contract: Address,
    /// First and last block with a fill.
    pub blocks: (u64, u64),
    /// The last fill.
    pub last: B256,
}

/// What there is to read.
#[derive(Clone, Debug)]
pub struct Stock {
    /// The contract.
    pub filled: Filled,
    /// The block with many transactions.
    pub crowd_block: u64,
    /// Those transactions.
    pub crowd: Vec<B256>,
}

/// Code of the contract. Called with two words, the first slot and a count, it sets each of these
/// slots to its own number, creates an empty contract and logs [`LOGS_PER_SLOT`] times. With a
/// third word it changes nothing: it returns what [`folded`] computes of the slots.
pub fn runtime_code() -> Vec<u8> {
    // Stack from the bottom: slot, count. SSTORE(slot, slot), CREATE(0, 0, 0), MSTORE(0, slot);
    // LOG3(0, 32, this, caller, slot) again and again; the next slot, one less to go.
    let body = [
        hex!("908080555f5f5ff050805f52").to_vec(),
        hex!("80333060205fa3").repeat(LOGS_PER_SLOT),
        hex!("6001019060019003").to_vec(),
    ]
    .concat();
    // Stack from the bottom: result, slot, count. Adds SLOAD(slot), MSTORE(0, sum), XORs
    // KECCAK256(0, 32) to it; the next slot, one less to go.
    let fold = hex!("91815401805f5260205f2018906001019160019003909190");
    // DUP1 ISZERO PUSH1 end JUMPI, before the body; PUSH1 start JUMP, after it.
    let (guard, back) = (5, 3);
    let fill_at = 7 + 6;
    let fill_end = fill_at + 1 + guard + body.len() + back;
    let read_at = fill_end + 2;
    let fold_at = read_at + 1 + 6;
    let fold_end = fold_at + 1 + guard + fold.len() + back;
    let at = |position: usize| u8::try_from(position).expect("the code is short");
    let looped = |start: usize, end: usize, body: &[u8]| {
        let guard = [0x5b, 0x80, 0x15, 0x60, at(end), 0x57];
        [guard.as_slice(), body, [0x60, at(start), 0x56].as_slice()].concat()
    };
    [
        // With more than two words: read.
        vec![0x60, 0x40, 0x36, 0x11, 0x60, at(read_at), 0x57],
        hex!("6020355f3590").to_vec(),
        looped(fill_at, fill_end, &body),
        hex!("5b00").to_vec(),
        hex!("5b5f5f35602035").to_vec(),
        looped(fold_at, fold_end, &fold),
        hex!("5b50505f5260205ff3").to_vec(),
    ]
    .concat()
}

/// Init code that returns [`runtime_code`].
fn init_code() -> Bytes {
    let code = runtime_code();
    let length = u8::try_from(code.len()).expect("the code is short");
    let head = [
        0x60, length, 0x60, 0x0a, 0x5f, 0x39, 0x60, length, 0x5f, 0xf3,
    ];
    [head.as_slice(), &code].concat().into()
}

/// What a read of slots `first .. first + count` returns: added up and hashed in turn.
pub fn folded(first: u64, count: u64) -> U256 {
    (first..first + count).fold(U256::ZERO, |result, slot| {
        let sum = result.wrapping_add(U256::from(slot));
        sum ^ U256::from_be_bytes(keccak256(sum.to_be_bytes::<32>()).0)
    })
}

/// The call's data: words that the contract takes.
pub fn input(words: &[u64]) -> Bytes {
    let words = words
        .iter()
        .map(|word| U256::from(*word).to_be_bytes::<32>());
    words.collect::<Vec<_>>().concat().into()
}

/// Somebody who sends transactions.
struct Author {
    key: SecretKey,
    habits: Habits,
}

impl Author {
    /// Whose account nobody has used; with money where that is needed.
    async fn new(name: &str, habits: Habits, connection: &mut Connection) -> anyhow::Result<Self> {
        let key = SecretKey::from_seed(format!("TBSI benchmark, {name}").as_bytes());
        let author = Self { key, habits };
        if habits.bid > 0 {
            author.endow(connection).await.context("pay a sender")?;
        }
        Ok(author)
    }

    async fn endow(&self, connection: &mut Connection) -> anyhow::Result<()> {
        let rich: Vec<Address> = connection.call("eth_accounts", json!([])).await?;
        let from = rich.first().context("the node has no account of its own")?;
        let gift = json!({
            "from": from, "to": self.address(), "value": U256::from(GIFT),
        });
        let hash: B256 = connection
            .call("eth_sendTransaction", json!([gift]))
            .await?;
        included(connection, hash).await.map(|_| ())
    }

    fn address(&self) -> Address {
        self.key.public_key().address()
    }

    fn sign(&self, nonce: u64, to: TxKind, gas_limit: u64, input: Bytes) -> (Bytes, B256) {
        let transaction = TxEip1559 {
            chain_id: self.habits.chain_id,
            nonce,
            gas_limit,
            max_fee_per_gas: self.habits.bid,
            max_priority_fee_per_gas: self.habits.bid / 100,
            to,
            input,
            ..TxEip1559::default()
        };
        let encoded = sign(transaction, &self.key).encoded;
        let hash = keccak256(&encoded);
        (encoded, hash)
    }
}

/// Makes it, and makes sure that it is there.
pub async fn build(endpoint: SocketAddr, habits: Habits) -> anyhow::Result<Stock> {
    let mut connection = Connection::new(endpoint);
    let filled = fill(&mut connection, habits, false).await?;
    let (crowd_block, crowd) = gather(&mut connection, habits, filled.contract)
        .await
        .context("many transactions in one block")?;
    Ok(Stock {
        filled,
        crowd_block,
        crowd,
    })
}

/// The contract alone; its fills are sent at once, into as many blocks as it takes.
pub async fn fill_at_once(endpoint: SocketAddr, habits: Habits) -> anyhow::Result<Filled> {
    fill(&mut Connection::new(endpoint), habits, true).await
}

async fn fill(
    connection: &mut Connection,
    habits: Habits,
    at_once: bool,
) -> anyhow::Result<Filled> {
    let author = Author::new("filler", habits, connection).await?;
    let contract = author.address().create(0);
    let mut transactions = vec![author.sign(0, TxKind::Create, DEPLOY_GAS, init_code())];
    transactions.extend((0..FILLS).map(|turn| {
        let words = input(&[1 + turn * SLOTS_EACH, SLOTS_EACH]);
        author.sign(turn + 1, contract.into(), FILL_GAS, words)
    }));
    if at_once {
        submit(connection, transactions.iter()).await?;
    }
    let mut blocks = Vec::new();
    for transaction in &transactions {
        blocks.push(match at_once {
            true => included(connection, transaction.1).await?,
            false => send(connection, transaction).await?,
        });
    }
    // The first one is the deployment.
    let ends = blocks.get(1).zip(blocks.last()).zip(transactions.last());
    let ((first, last), (_, hash)) = ends.context("there are fills")?;
    Ok(Filled {
        contract,
        blocks: (*first, *last),
        last: *hash,
    })
}

/// Sends one transaction and waits; the number of its block.
async fn send(connection: &mut Connection, (encoded, hash): &(Bytes, B256)) -> anyhow::Result<u64> {
    let encoded = hex::encode_prefixed(encoded);
    let sent: B256 = connection
        .call("eth_sendRawTransaction", json!([encoded]))
        .await?;
    ensure!(sent == *hash, "the node calls transaction {hash} {sent}");
    included(connection, *hash).await
}

/// Waits until a block has a transaction that succeeded; the block's number.
async fn included(connection: &mut Connection, hash: B256) -> anyhow::Result<u64> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        // An error is "not yet": geth says so while it indexes transactions.
        let asked = connection.call("eth_getTransactionReceipt", json!([hash]));
        let receipt: anyhow::Result<Value> = asked.await;
        if let Ok(receipt) = receipt.as_ref()
            && !receipt.is_null()
        {
            ensure!(receipt["status"] == "0x1", "{hash} failed: {receipt}");
            let number: U64 = serde_json::from_value(receipt["blockNumber"].clone())?;
            return Ok(number.to());
        }
        if Instant::now() >= deadline {
            let waited = format!("transaction {hash} is in no block after {PATIENCE:?}");
            return Err(receipt.err().map_or_else(
                || anyhow::anyhow!(waited.clone()),
                |error| error.context(waited.clone()),
            ));
        }
        sleep(POLL).await;
    }
}

/// Many transactions in one block: its number, and their hashes. The one that all others wait for
/// is sent last, so that all can be executed at the same moment.
async fn gather(
    connection: &mut Connection,
    habits: Habits,
    contract: Address,
) -> anyhow::Result<(u64, Vec<B256>)> {
    let mut blocks = Vec::new();
    for attempt in 0..ATTEMPTS_MAX {
        let author = Author::new(&format!("crowd {attempt}"), habits, connection).await?;
        let slot = CROWD_SLOT + attempt * CROWD;
        let crowd: Vec<_> = (0..CROWD)
            .map(|nonce| {
                let words = input(&[slot + nonce, 1]);
                author.sign(nonce, contract.into(), CROWD_GAS, words)
            })
            .collect();
        mining(connection, habits, false).await?;
        submit(connection, crowd.iter().rev()).await?;
        mining(connection, habits, true).await?;
        blocks.clear();
        for (_, hash) in &crowd {
            blocks.push(included(connection, *hash).await?);
        }
        if blocks.iter().all(|block| *block == blocks[0]) {
            let hashes = crowd.into_iter().map(|(_, hash)| hash).collect();
            return Ok((blocks[0], hashes));
        }
    }
    bail!("{ATTEMPTS_MAX} senders' came into several, the last one's into {blocks:?}")
}

/// One batch, in this order.
async fn submit<'a>(
    connection: &mut Connection,
    transactions: impl Iterator<Item = &'a (Bytes, B256)>,
) -> anyhow::Result<()> {
    let calls = transactions.enumerate().map(|(index, (encoded, _))| {
        json!({
            "jsonrpc": "2.0", "id": index, "method": "eth_sendRawTransaction",
            "params": [hex::encode_prefixed(encoded)],
        })
    });
    let batch = Value::from_iter(calls).to_string();
    let answer = connection.post(batch.into()).await?;
    for (_, outcome) in replies::<B256>(&answer)? {
        outcome.map_err(|message| anyhow::anyhow!("eth_sendRawTransaction: {message}"))?;
    }
    Ok(())
}

/// Lets a chain that can be told so wait with its blocks, or go on.
async fn mining(connection: &mut Connection, habits: Habits, on: bool) -> anyhow::Result<()> {
    if !habits.mines_when_asked {
        return Ok(());
    }
    let _: Value = connection.call("evm_setAutomine", json!([on])).await?;
    if on {
        let _: Value = connection.call("evm_mine", json!([])).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where the code may be jumped to, what it jumps to, and its instructions' number.
    fn jumps(code: &[u8]) -> (Vec<usize>, Vec<usize>, usize) {
        let (mut targets, mut jumps, mut pushed) = (Vec::new(), Vec::new(), None);
        let (mut at, mut count) = (0, 0);
        while at < code.len() {
            count += 1;
            match code[at] {
                0x5b => targets.push(at),
                0x56 | 0x57 => jumps.push(pushed.expect("a jump follows a push")),
                _ => {}
            }
            pushed = (code[at] == 0x60).then(|| usize::from(code[at + 1]));
            at += if code[at] == 0x60 { 2 } else { 1 };
        }
        (targets, jumps, count)
    }

    #[test]
    fn jumps_land_where_they_may() {
        let code = runtime_code();
        let (targets, mut jumps, instructions) = jumps(&code);
        assert_eq!(targets.len(), 5);
        jumps.sort_unstable();
        jumps.dedup();
        assert_eq!(jumps, targets);
        assert!(instructions > 100);
        assert_eq!(init_code()[10..], code);
    }

    #[test]
    fn what_is_read_depends_on_every_slot() {
        assert_eq!(folded(1, 0), U256::ZERO);
        let one = U256::from(1) ^ U256::from_be_bytes(keccak256(input(&[1])).0);
        assert_eq!(folded(1, 1), one);
        assert_ne!(folded(1, 2), folded(2, 1));
        assert_eq!(input(&[1, 2, 3]).len(), 96);
    }
}
