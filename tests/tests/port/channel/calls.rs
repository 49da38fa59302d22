//! What the chaincode in memory does: as far as its keys go, what the real one does.

use alloy_primitives::{B256, Bytes, hex};
use serde_json::{Value, json};
use tbsi_bridge::fabric::messages::{KvRead, KvRwSet, KvVersion, KvWrite};
use tbsi_bridge::fabric::{CallError, Proposal};
use tbsi_types::log::{InclusionProof, leaf_hash};
use tbsi_types::{ChainIdentity, Checkpoint, LeafIndex};

use super::Ledger;

const TRUST_MS: u64 = 86_400_000;

/// What a call reads and writes, and answers.
pub(super) struct Simulated {
    pub(super) answer: Value,
    pub(super) set: KvRwSet,
}

fn refused(status: u16, code: &str) -> CallError {
    CallError::Chaincode {
        status,
        code: code.into(),
        detail: "as the channel in memory says".into(),
    }
}

fn bytes(of: &Value) -> Vec<u8> {
    hex::decode(of.as_str().expect("hex")).expect("hex")
}

impl Ledger {
    fn read(&self, key: &str, reads: &mut Vec<KvRead>) -> Option<Value> {
        let found = self.state.get(key);
        reads.push(KvRead {
            key: key.into(),
            version: found.map(|(_, (block_num, tx_num))| KvVersion {
                block_num: *block_num,
                tx_num: *tx_num,
            }),
        });
        found.map(|(value, _)| serde_json::from_slice(value).expect("JSON"))
    }

    fn simulate(&self, function: &str, argument: &Value) -> Result<Simulated, CallError> {
        let mut reads = Vec::new();
        let head = self
            .read("tbsi/head", &mut reads)
            .expect("the client is open");
        let writes = match function {
            "UpdateClient" => self.update(&head, argument)?,
            "Anchor" => {
                // It reads no head.
                reads.clear();
                self.anchor(argument, &mut reads)?
            }
            _ => Vec::new(),
        };
        let answer = match function {
            "UpdateClient" | "Anchor" => json!({ "writes": writes.len() }),
            "GetStatus" => json!({
                "config": { "chainId": self.genesis.0, "genesisHash": self.genesis.1, "strict": false },
                "head": head, "paused": [], "status": "active",
                "trustedUntilMs": head["timeMs"].as_u64().expect("a time") + TRUST_MS,
            }),
            "GetCheckpoint" => {
                let key = format!(
                    "tbsi/checkpoint/{:015}",
                    argument["height"].as_u64().unwrap()
                );
                let found = self.read(&key, &mut reads);
                found.ok_or_else(|| refused(400, "LightClientUnknownCheckpoint"))?
            }
            "GetAnchor" => {
                let key = format!("tbsi/leaf/{:015}", argument["index"].as_u64().unwrap());
                let found = self.read(&key, &mut reads);
                found.ok_or_else(|| refused(400, "LeafNotAnchored"))?
            }
            "GetRelayer" => match self.named {
                Some(name) => json!({ "active": true, "nameEn": name, "nameZhTw": "" }),
                None => return Err(refused(400, "RelayerUnknown")),
            },
            other => panic!("nobody calls {other}"),
        };
        let set = KvRwSet {
            reads,
            writes,
            metadata_writes: Vec::new(),
        };
        Ok(Simulated { answer, set })
    }

    fn update(&self, head: &Value, argument: &Value) -> Result<Vec<KvWrite>, CallError> {
        let mut writes: Vec<KvWrite> = Vec::new();
        let mut height = head["height"].as_u64().expect("a height");
        let handovers = argument["handovers"].as_array().expect("handovers");
        let firsts = handovers.iter().map(|it| &it["first"]);
        let newest = Some(&argument["decision"]).filter(|it| !it.is_null());
        for decision in firsts.chain(newest) {
            let decision = bytes(decision);
            let checkpoint = Checkpoint::decode(&decision[..192]).expect("a checkpoint");
            if checkpoint.height.0 < height {
                return Err(refused(409, "LightClientNotAhead"));
            }
            if checkpoint.height.0 == height {
                continue;
            }
            height = checkpoint.height.0;
            let digest = checkpoint.digest(&ChainIdentity {
                chain_id: self.genesis.0,
                genesis_hash: self.genesis.1,
            });
            let closing = checkpoint.next_validator_set_hash != checkpoint.validator_set_hash;
            let last = accepted(&decision[..192], digest.0, closing);
            // Of several heads the last one counts.
            writes.retain(|write| write.key != "tbsi/head");
            writes.extend(last);
        }
        Ok(writes)
    }

    fn anchor(&self, argument: &Value, reads: &mut Vec<KvRead>) -> Result<Vec<KvWrite>, CallError> {
        let number = |name: &str| argument[name].as_u64().expect("a number");
        let key = format!("tbsi/checkpoint/{:015}", number("height"));
        let under = self.read(&key, reads);
        let under = under.ok_or_else(|| refused(400, "LightClientUnknownCheckpoint"))?;
        let checkpoint = Checkpoint::decode(&bytes(&under["checkpoint"])).expect("a checkpoint");
        let path = argument["path"].as_array().expect("a path").iter();
        let path = InclusionProof(path.map(|it| B256::from_slice(&bytes(it))).collect());
        let leaf = bytes(&argument["leaf"]);
        let index = LeafIndex(number("index"));
        let root = path.root(leaf_hash(&leaf), index, checkpoint.log_size);
        if root.ok() != Some(checkpoint.log_root) {
            return Err(refused(400, "ProofNotIncluded"));
        }
        let key = format!("tbsi/leaf/{:015}", index.0);
        if self.read(&key, reads).is_some() {
            return Ok(Vec::new());
        }
        let value = json!({ "index": index.0 }).to_string().into_bytes();
        Ok(vec![write(&key, value)])
    }

    pub(super) fn call(&self, proposal: &Proposal) -> Result<Simulated, CallError> {
        let [function, argument] = &proposal.call.args[..] else {
            panic!("a function and an argument");
        };
        let function = std::str::from_utf8(function).expect("text");
        if let Some(code) = self.refuses.filter(|_| !function.starts_with("Get")) {
            return Err(refused(409, code));
        }
        let argument = serde_json::from_slice(argument).expect("JSON");
        self.simulate(function, &argument)
    }
}

fn write(key: &str, value: Vec<u8>) -> KvWrite {
    KvWrite {
        key: key.into(),
        is_delete: false,
        value,
    }
}

/// What a checkpoint that is accepted writes.
pub(super) fn accepted(encoded: &[u8], digest: B256, closing: bool) -> Vec<KvWrite> {
    let checkpoint = Checkpoint::decode(encoded).expect("a checkpoint");
    let height = checkpoint.height.0;
    let head = json!({
        "closing": closing, "digest": digest, "height": height,
        "logSize": checkpoint.log_size.0, "setId": 1, "timeMs": checkpoint.time.0,
    });
    let kept = json!({ "checkpoint": Bytes::from(encoded.to_vec()), "setId": 1 });
    vec![
        write("tbsi/head", head.to_string().into_bytes()),
        write(
            &format!("tbsi/checkpoint/{height:015}"),
            kept.to_string().into_bytes(),
        ),
    ]
}
