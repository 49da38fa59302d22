//! Rules that change at a height (SPEC §13.12): each block is executed by those of its height.

use std::sync::Arc;

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_sol_types::SolCall;
use serde::Deserialize;
use tbsi_execution::{
    BlockContext, ExecutionError, Outcome, PROTOCOL_VERSION, admissible, admission, block_rules,
    execute, genesis_diff, planned_upgrade,
};
use tbsi_governance::abi::{CHAINS, MOTIONS, NODES, UPGRADES};
use tbsi_governance::contracts::{Chains, Motions, Plan, Replacement, Setting, Upgrades};
use tbsi_types::genesis::{NodeEntry, ValidatorEntry};
use tbsi_types::roster::peer_id_of;
use tbsi_types::{Genesis, Height, SecretKey, Transaction};

use crate::governed::*;
use crate::support::*;

const SCHEDULE: u8 = 17;
/// The first block under the new rules.
const HEIGHT: u64 = 150;
/// Has the next code of `Chains`.
const SOURCE: Address = Address::repeat_byte(0xc0);

/// A block as it was executed, with its parent's state.
struct Past {
    parent: MemoryState,
    context: BlockContext,
    transactions: Vec<Arc<Transaction>>,
    outcome: Outcome,
}

/// Four organisations with a validator each.
struct Town {
    genesis: Genesis,
    state: MemoryState,
    past: Vec<Past>,
}

impl Town {
    fn new() -> Self {
        let mut genesis = genesis(4);
        let node = |number: u8| NodeEntry {
            name: format!("node-{number}"),
            organisation: format!("org{number}"),
            peer_id: peer_id_of(&[number; 32]),
            endpoint: None,
            validator: Some(ValidatorEntry {
                public_key: SecretKey::from_seed(&[number])
                    .public_key()
                    .encode()
                    .to_vec()
                    .into(),
                power: 10,
                log_key: None,
            }),
        };
        genesis.nodes = (1..=4).map(node).collect();
        let mut state = MemoryState::default();
        state.apply(&genesis_diff(&genesis).unwrap());
        let mut town = Self {
            genesis,
            state: state.with_code(SOURCE, next_chains()),
            past: Vec::new(),
        };
        town.block(1, &[]);
        town
    }

    /// A block of these calls, by organisations' wallets; whether each succeeded.
    fn block(&mut self, height: u64, calls: &[(u8, Address, Vec<u8>)]) -> Vec<bool> {
        let mut state = self.state.clone();
        let sign = |(number, to, input): &(u8, Address, Vec<u8>)| {
            let wallet = Wallet::new(*number);
            let nonce = state.nonce(wallet.address);
            state.accounts.entry(wallet.address).or_default().nonce += 1;
            wallet.call_with_all(nonce, *to, input.clone())
        };
        let transactions: Vec<_> = calls.iter().map(sign).collect();
        let parent = self.state.clone();
        let rules = block_rules(&parent, &self.genesis).unwrap();
        let context = BlockContext {
            gas_limit: rules.gas_limit,
            ..context(height)
        };
        let outcome = execute(&parent, &context, &transactions).unwrap();
        self.state.apply(&outcome.diff);
        let went = outcome.receipts.iter().map(|receipt| receipt.status());
        let went = went.collect();
        self.past.push(Past {
            parent,
            context,
            transactions,
            outcome,
        });
        went
    }

    fn all(&mut self, height: u64, calls: &[(u8, Address, Vec<u8>)]) {
        let went = self.block(height, calls);
        assert_eq!(went, vec![true; calls.len()], "height {height}");
    }

    /// Everybody decides on it.
    fn schedule(&mut self, plan: Plan) {
        let arguments = Upgrades::scheduleCall { plan }.abi_encode()[4..].to_vec();
        let proposal = Motions::proposeCall {
            kind: SCHEDULE,
            arguments: arguments.into(),
        };
        self.all(2, &[(1, MOTIONS, proposal.abi_encode())]);
        let yes = Motions::voteCall {
            motion: 1,
            choice: 1,
        };
        let vote = |number| (number, MOTIONS, yes.abi_encode());
        self.all(3, &[vote(1), vote(2), vote(3)]);
        let execution = Motions::executeCall { motion: 1 }.abi_encode();
        self.all(4, &[(1, MOTIONS, execution)]);
    }

    fn declare(&mut self, height: u64, nodes: &[u8]) {
        let calls: Vec<_> = nodes.iter().map(|node| declaring(*node, 2)).collect();
        self.all(height, &calls);
    }

    fn rules(&self) -> (u32, u64) {
        let rules = block_rules(&self.state, &self.genesis).unwrap();
        (rules.head.protocol, rules.gas_limit)
    }

    fn code_hash(&self, address: Address) -> B256 {
        self.state.accounts[&address].code_hash
    }

    /// What happened, again: the same parents lead to the same outcomes.
    fn happens_again(&self) {
        for past in &self.past {
            let again = execute(&past.parent, &past.context, &past.transactions).unwrap();
            assert_eq!(again, past.outcome, "height {}", past.context.height);
        }
    }
}

fn declaring(node: u8, version: u32) -> (u8, Address, Vec<u8>) {
    let call = Upgrades::declareCall {
        node: node.into(),
        version,
    };
    (node, UPGRADES, call.abi_encode())
}

fn next_chains() -> Bytes {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Vectors {
        next_chains: Artifact,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Artifact {
        deployed_bytecode: Bytes,
    }
    let text = include_str!("../../../../tests/vectors/next_chains.json");
    let vectors: Vectors = serde_json::from_str(text).unwrap();
    vectors.next_chains.deployed_bytecode
}

fn plan(protocol: u32) -> Plan {
    Plan {
        nameHash: keccak256("upgrade"),
        height: HEIGHT,
        protocol,
        version: "2.0.0".into(),
        settings: vec![
            Setting {
                parameter: 1,
                value: 20_000_000,
            },
            Setting {
                parameter: 5,
                value: 700,
            },
            Setting {
                parameter: 7,
                value: 60,
            },
        ],
        replacements: vec![Replacement {
            target: CHAINS,
            source: SOURCE,
            codeHash: keccak256(next_chains()),
        }],
    }
}

fn registering() -> (u8, Address, Vec<u8>) {
    let call = Chains::registerCall {
        caip2: "eip155:1981".into(),
        technology: "besu-26".into(),
        contactUrl: String::new(),
    };
    (3, CHAINS, call.abi_encode())
}

#[test]
fn an_upgrade_changes_version_parameters_and_code_with_the_block_before_it() {
    let mut town = Town::new();
    let (before, organisations) = (town.code_hash(CHAINS), town.code_hash(NODES));
    town.schedule(plan(2));
    town.all(5, &[registering()]);
    town.declare(6, &[1, 2, 3]);
    town.block(HEIGHT - 2, &[]);
    assert_eq!(town.rules(), (1, BLOCK_GAS));
    assert_eq!(town.code_hash(CHAINS), before);
    let planned = planned_upgrade(&town.state, &context(HEIGHT), 1)
        .unwrap()
        .unwrap();
    assert_eq!((planned.height, planned.protocol), (Height(HEIGHT), 2));
    assert_eq!(
        (planned.version.as_str(), planned.outcome()),
        ("2.0.0", "scheduled")
    );

    let storage = town.state.storage.clone();
    town.block(HEIGHT - 1, &[]);
    assert_eq!(town.rules(), (2, 20_000_000));
    let rules = block_rules(&town.state, &town.genesis).unwrap();
    assert_eq!(rules.consensus.empty_block_interval_ms, 700);
    assert_eq!(rules.head.waiting, None);
    assert_eq!(town.code_hash(CHAINS), keccak256(next_chains()));
    assert_eq!(town.code_hash(NODES), organisations);
    let of_chains = |storage: &std::collections::BTreeMap<(Address, U256), U256>| {
        let own = storage.iter().filter(|((owner, _), _)| *owner == CHAINS);
        own.map(|(at, word)| (*at, *word)).collect::<Vec<_>>()
    };
    assert!(!of_chains(&storage).is_empty());
    assert_eq!(of_chains(&town.state.storage), of_chains(&storage));
    let planned = planned_upgrade(&town.state, &context(HEIGHT), 1)
        .unwrap()
        .unwrap();
    assert_eq!(planned.outcome(), "active");

    // The record that the old code made is one of the new code.
    let retire = Chains::setStatusCall {
        chain: 1,
        status: 2,
    };
    town.all(HEIGHT, &[(3, CHAINS, retire.abi_encode())]);
    town.happens_again();
}

#[test]
fn without_a_quorum_nothing_changes_and_blocks_go_on() {
    let mut town = Town::new();
    let before = town.code_hash(CHAINS);
    town.schedule(plan(2));
    town.declare(5, &[1, 2]);
    town.block(HEIGHT - 1, &[]);
    assert_eq!(town.rules(), (1, BLOCK_GAS));
    assert_eq!(town.code_hash(CHAINS), before);
    let planned = planned_upgrade(&town.state, &context(HEIGHT), 1)
        .unwrap()
        .unwrap();
    assert_eq!(planned.outcome(), "lapsed");
    town.all(HEIGHT, &[registering()]);
    town.happens_again();
}

#[test]
fn code_that_changed_since_it_was_decided_on_is_not_put_in_place() {
    let mut town = Town::new();
    let before = town.code_hash(CHAINS);
    town.schedule(plan(1));
    town.state = town.state.clone().with_code(SOURCE, vec![0]);
    town.block(HEIGHT - 1, &[]);
    assert_eq!(town.rules(), (1, BLOCK_GAS));
    assert_eq!(town.code_hash(CHAINS), before);
}

#[test]
fn a_declaration_is_outside_the_quota_from_version_2_on() {
    let mut town = Town::new();
    town.schedule(plan(2));
    town.declare(5, &[1, 2, 3]);
    let (_, to, input) = declaring(4, 3);
    let one = Wallet::new(4).call_with_all(0, to, input);
    town.state.limit(4, 0, 0);
    let admits = |town: &Town, height: u64| {
        let context = BlockContext {
            gas_limit: town.rules().1,
            ..context(height)
        };
        let time = context.time.seconds();
        assert_eq!(admissible(&town.state, &context, &one).unwrap(), Ok(()));
        admission(&town.state, time, &one).unwrap().is_ok()
    };
    assert!(!admits(&town, HEIGHT - 1));
    let refused = execute(&town.state, &context(HEIGHT - 1), &[Arc::clone(&one)]);
    assert!(matches!(
        refused,
        Err(ExecutionError::InvalidTransaction { .. })
    ));
    town.block(HEIGHT - 1, &[]);
    assert_eq!(town.rules().0, 2);
    assert!(admits(&town, HEIGHT));
    town.all(HEIGHT, &[declaring(4, 3)]);
    town.happens_again();
}

#[test]
fn no_block_is_executed_by_rules_that_are_not_known() {
    let mut town = Town::new();
    let slot = (UPGRADES, U256::ZERO);
    town.state
        .storage
        .insert(slot, U256::from(PROTOCOL_VERSION));
    assert!(execute(&town.state, &context(2), &[]).is_ok());
    town.state
        .storage
        .insert(slot, U256::from(PROTOCOL_VERSION + 1));
    let refused = execute(&town.state, &context(2), &[]).unwrap_err();
    assert!(matches!(
        refused,
        ExecutionError::Protocol { asked, known } if asked == known + 1
    ));
}
