//! What is asked of a node, and what in its answers must be the same on every chain.

use alloy_primitives::{B256, U256};
use hyper::body::Bytes;
use serde::Serialize;
use serde_json::{Value, json};

use super::stock::{CROWD, FILLS, LOGS_PER_SLOT, SLOTS_EACH, Stock, folded, input};

/// Slots that are asked for in turn where one is read at a time.
const SLOTS_IN_TURN: u64 = 64;
/// Slots of one large call: all that there are.
const SLOTS: u64 = FILLS * SLOTS_EACH;

/// A read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// `eth_call` that reads one slot, of many in turn.
    CallOneSlot,
    /// `eth_call` that reads every slot and hashes each time.
    CallManySlots,
    /// `eth_getBlockByNumber` with full transactions, of a block of [`CROWD`].
    Block,
    /// `eth_getLogs` over the blocks of all fills.
    Logs,
    /// `eth_getProof` of the contract and one slot, of many in turn.
    Proof,
    /// `eth_getTransactionReceipt`, of the transactions of one block in turn.
    Receipt,
    /// `eth_getBlockReceipts` of that block.
    BlockReceipts,
    /// `debug_traceTransaction` of a fill by the tracer of calls.
    TraceCalls,
    /// `debug_traceTransaction` of a fill, instruction by instruction.
    TraceSteps,
}

/// All, in order.
pub const QUESTIONS: [Question; 9] = [
    Question::CallOneSlot,
    Question::CallManySlots,
    Question::Block,
    Question::Logs,
    Question::Proof,
    Question::Receipt,
    Question::BlockReceipts,
    Question::TraceCalls,
    Question::TraceSteps,
];

impl Question {
    /// For people.
    pub fn title(self) -> String {
        match self {
            Self::CallOneSlot => "eth_call, 1 slot".into(),
            Self::CallManySlots => format!("eth_call, {SLOTS} slots"),
            Self::Block => format!("eth_getBlockByNumber, {CROWD} tx"),
            Self::Logs => format!("eth_getLogs, {} logs", logs()),
            Self::Proof => "eth_getProof, 1 slot".into(),
            Self::Receipt => "eth_getTransactionReceipt".into(),
            Self::BlockReceipts => format!("eth_getBlockReceipts, {CROWD} tx"),
            Self::TraceCalls => "debug_traceTransaction, calls".into(),
            Self::TraceSteps => "debug_traceTransaction, steps".into(),
        }
    }

    /// The requests, which are asked in turn.
    pub fn bodies(self, stock: &Stock) -> Vec<Bytes> {
        let contract = stock.filled.contract;
        let call = |first, count| {
            let read = json!({ "to": contract, "input": input(&[first, count, 0]) });
            body("eth_call", &json!([read, "latest"]))
        };
        let block = format!("{:#x}", stock.crowd_block);
        let trace = |options| {
            body(
                "debug_traceTransaction",
                &json!([stock.filled.last, options]),
            )
        };
        match self {
            Self::CallOneSlot => (1..=SLOTS_IN_TURN).map(|slot| call(slot, 1)).collect(),
            Self::CallManySlots => vec![call(1, SLOTS)],
            Self::Block => vec![body("eth_getBlockByNumber", &json!([block, true]))],
            Self::Logs => {
                let (from, to) = stock.filled.blocks;
                let filter = json!({
                    "address": contract,
                    "fromBlock": format!("{from:#x}"), "toBlock": format!("{to:#x}"),
                });
                vec![body("eth_getLogs", &json!([filter]))]
            }
            Self::Proof => {
                let slots = (1..=SLOTS_IN_TURN).map(|slot| B256::from(U256::from(slot)));
                let proof = |slot| body("eth_getProof", &json!([contract, [slot], "latest"]));
                slots.map(proof).collect()
            }
            Self::Receipt => {
                let receipt = |hash| body("eth_getTransactionReceipt", &json!([hash]));
                stock.crowd.iter().map(receipt).collect()
            }
            Self::BlockReceipts => vec![body("eth_getBlockReceipts", &json!([block]))],
            Self::TraceCalls => vec![trace(json!({ "tracer": "callTracer" }))],
            Self::TraceSteps => vec![trace(json!({}))],
        }
    }

    /// What the first answer says of the state, as a text that is the same on every chain; `None`
    /// if it is no such answer.
    pub fn gist(self, result: &Value) -> Option<String> {
        let count = |list: &Value| Some(list.as_array()?.len());
        match self {
            Self::CallOneSlot => word(result, folded(1, 1)),
            Self::CallManySlots => word(result, folded(1, SLOTS)),
            Self::Block => {
                let transactions = &result["transactions"];
                transactions[0]["input"].as_str()?;
                Some(format!("{} transactions", count(transactions)?))
            }
            Self::Logs => Some(format!("{} logs", count(result)?)),
            Self::Proof => {
                let slot = &result["storageProof"][0];
                let nodes = count(&slot["proof"])?;
                let value = slot["value"].as_str()?;
                (nodes > 1 && count(&result["accountProof"])? > 0).then(|| format!("slot {value}"))
            }
            Self::Receipt => {
                let logs = count(&result["logs"])?;
                Some(format!("{logs} logs, gas {}", result["gasUsed"].as_str()?))
            }
            Self::BlockReceipts => {
                let receipts = result.as_array()?.iter();
                let logs: Option<Vec<usize>> = receipts.map(|it| count(&it["logs"])).collect();
                Some(format!("logs {:?}", logs?))
            }
            Self::TraceCalls => Some(format!("{} calls", count(&result["calls"])?)),
            Self::TraceSteps => {
                let steps = count(&result["structLogs"])?;
                (steps > 0).then(|| format!("{steps} steps"))
            }
        }
    }
}

/// Logs of all fills.
fn logs() -> usize {
    usize::try_from(SLOTS).expect("a small constant") * LOGS_PER_SLOT
}

fn word(result: &Value, expected: U256) -> Option<String> {
    let expected = B256::from(expected).to_string();
    (result.as_str()? == expected).then_some(expected)
}

fn body(method: &str, params: &Value) -> Bytes {
    let call = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
    call.to_string().into()
}

#[cfg(test)]
mod tests {
    use alloy_primitives::Address;

    use super::*;
    use crate::bench::stock::Filled;

    fn stock() -> Stock {
        Stock {
            filled: Filled {
                contract: Address::repeat_byte(1),
                blocks: (2, 21),
                last: B256::repeat_byte(2),
            },
            crowd_block: 30,
            crowd: vec![B256::repeat_byte(3); 50],
        }
    }

    #[test]
    fn every_question_is_json_rpc_with_a_title_of_its_own() {
        let mut titles: Vec<String> = QUESTIONS.iter().map(|it| it.title()).collect();
        for question in QUESTIONS {
            for body in question.bodies(&stock()) {
                let call: Value = serde_json::from_slice(&body).unwrap();
                assert!(
                    question
                        .title()
                        .starts_with(call["method"].as_str().unwrap())
                );
            }
        }
        titles.sort();
        titles.dedup();
        assert_eq!(titles.len(), QUESTIONS.len());
        assert_eq!(logs(), 10_000);
    }

    #[test]
    fn an_answer_of_another_state_or_form_has_no_gist() {
        let check = |question: Question, result: Value, expected: Option<&str>| {
            assert_eq!(question.gist(&result).as_deref(), expected, "{result}");
        };
        let one = B256::from(folded(1, 1)).to_string();
        check(Question::CallOneSlot, json!(one), Some(&one));
        check(Question::CallOneSlot, json!("0x"), None);
        check(Question::Logs, json!([1, 2]), Some("2 logs"));
        check(Question::Logs, Value::Null, None);
        check(Question::Block, json!({ "transactions": ["0x"] }), None);
        let receipt = json!({ "logs": [1], "gasUsed": "0x1" });
        check(Question::Receipt, receipt.clone(), Some("1 logs, gas 0x1"));
        check(Question::BlockReceipts, json!([receipt]), Some("logs [1]"));
        check(Question::BlockReceipts, json!([7]), None);
        let flat =
            json!({ "accountProof": ["0x"], "storageProof": [{"proof": [], "value": "0x1"}] });
        check(Question::Proof, flat, None);
    }
}
