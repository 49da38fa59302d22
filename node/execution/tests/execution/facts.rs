//! Facts of other chains: the precompiles against `foreign.json`, and the contract with them.

use std::path::PathBuf;

use alloy_consensus::TxEip1559;
use alloy_primitives::{Address, B256, Bytes, TxKind, U256};
use alloy_sol_types::{SolCall, SolEvent};
use serde::Deserialize;
use tbsi_execution::{Outcome, call};
use tbsi_governance::abi::{CHAINS, FACTS};
use tbsi_governance::contracts::{Chains, Facts, Origin, Step};
use tbsi_types::log::{ForeignFact, Leaf, Statement, leaves};
use tbsi_types::{CallOutcome, CallRequest};

use crate::governed::founded;
use crate::support::*;

const FOREIGN_HEADER: u64 = 0x1101;
const FOREIGN_STORAGE: u64 = 0x1102;
const FOREIGN_ANCESTOR: u64 = 0x1103;

/// That a block is the child of the one that is known.
const CHILD: [u8; 2] = [0, 0];

/// Of the tests' chain: genesis, and the block before the first header, whose hash that has as
/// its parent.
fn origin() -> Origin {
    Origin {
        genesisHash: B256::repeat_byte(9),
        height: 9,
        blockHash: B256::repeat_byte(1),
    }
}

#[derive(Deserialize)]
struct Vectors {
    headers: Vec<HeaderCase>,
    proofs: Vec<ProofCase>,
}

#[derive(Clone, Deserialize)]
struct HeaderCase {
    name: String,
    assurance: u8,
    trusted: Bytes,
    header: Bytes,
    reason: u64,
    answer: Vec<U256>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ProofCase {
    name: String,
    state_root: B256,
    account: Address,
    slot: B256,
    proof: Bytes,
    reason: u64,
    answer: U256,
}

fn vectors() -> Vectors {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/foreign.json");
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

impl Vectors {
    fn header(&self, name: &str) -> &HeaderCase {
        let mut named = self.headers.iter().filter(|case| case.name == name);
        named.next().unwrap_or_else(|| panic!("{name}"))
    }

    fn proof(&self, name: &str) -> &ProofCase {
        let mut named = self.proofs.iter().filter(|case| case.name == name);
        named.next().unwrap_or_else(|| panic!("{name}"))
    }
}

fn words(words: &[U256]) -> Vec<u8> {
    let words = words.iter().map(|word| word.to_be_bytes::<32>());
    words.collect::<Vec<_>>().concat()
}

/// What a precompile answers, and what that costs.
fn run(number: u64, input: &[u8], gas: u64) -> CallOutcome {
    let request = CallRequest {
        to: Some(Address::from_word(U256::from(number).into())),
        input: Bytes::copy_from_slice(input),
        ..CallRequest::default()
    };
    call(&MemoryState::default(), &context(1), &request, gas).unwrap()
}

#[test]
fn the_precompiles_answer_as_the_vectors_say() {
    let vectors = vectors();
    let check = |number: u64, name: &str, input: &[u8], expected: &[U256]| {
        let CallOutcome::Returned { output, gas_used } = run(number, input, 16_000_000) else {
            panic!("{name}");
        };
        assert_eq!(output, words(expected), "{name}");
        // One unit less than it takes is not enough, and nothing is answered.
        let short = run(number, input, gas_used - 1);
        assert!(!matches!(short, CallOutcome::Returned { .. }), "{name}");
    };
    for case in &vectors.headers {
        let length = u16::try_from(case.trusted.len()).unwrap().to_be_bytes();
        let input = [&[case.assurance][..], &length, &case.trusted, &case.header].concat();
        let mut expected = vec![U256::from(case.reason)];
        expected.extend(&case.answer);
        expected.resize(8, U256::ZERO);
        check(FOREIGN_HEADER, &case.name, &input, &expected);
    }
    for case in &vectors.proofs {
        let place = [&case.state_root[..], &case.account[..], &case.slot[..]].concat();
        let input = [&place[..], &case.proof].concat();
        check(
            FOREIGN_STORAGE,
            &case.name,
            &input,
            &[U256::from(case.reason), case.answer],
        );
    }
}

#[test]
fn the_precompile_for_ancestors_answers_in_words() {
    let vectors = vectors();
    let follows = vectors.header("qbft: follows");
    let first = B256::from(vectors.header("qbft: begins").answer[2]);
    let check = |header: &Bytes, height: u64, hash: B256, reason: u64, figure: u64| {
        let length = u16::try_from(header.len()).unwrap().to_be_bytes();
        let place = [&height.to_be_bytes()[..], &hash[..]].concat();
        let input = [&length[..], header, &place, &CHILD].concat();
        let CallOutcome::Returned { output, gas_used } = run(FOREIGN_ANCESTOR, &input, 1_000_000)
        else {
            panic!("no answer");
        };
        assert_eq!(output, words(&[reason, figure].map(U256::from)));
        let short = run(FOREIGN_ANCESTOR, &input, gas_used - 1);
        assert!(!matches!(short, CallOutcome::Returned { .. }));
    };
    check(&follows.header, 10, first, 0, 0);
    check(&follows.header, 10, B256::ZERO, 8, 10);
    check(&follows.header, 9, first, 7, 11);
    check(&follows.header, 11, first, 3, 11);
    let theirs = vectors.header("qbft: of another chain");
    check(&theirs.header, 10, first, 8, 10);
    let cut = vectors.header("qbft: cut short");
    check(&cut.header, 10, first, 2, 4);
}

/// The chain, and calls by the first wallet, each in a block of its own.
struct Stage {
    state: MemoryState,
    height: u64,
}

impl Stage {
    /// With the chain `eip155:1981` registered and a client of this kind.
    fn new(begins: &HeaderCase) -> Self {
        let mut stage = Self {
            state: founded(1),
            height: 0,
        };
        let registered = stage.act(
            CHAINS,
            &Chains::registerCall {
                caip2: "eip155:1981".into(),
                technology: "besu-26".into(),
                contactUrl: String::new(),
            },
        );
        assert!(registered.receipts[0].status());
        let opened = stage.act(
            FACTS,
            &Facts::openCall {
                chain: 1,
                kind: begins.assurance,
                trustPeriod: 86_400,
                origin: origin(),
                header: begins.header.clone(),
                ancestry: CHILD.into(),
            },
        );
        assert!(opened.receipts[0].status());
        stage
    }

    fn act(&mut self, to: Address, input: &impl SolCall) -> Outcome {
        let transaction = Wallet::new(1).sign(TxEip1559 {
            nonce: self.height,
            to: TxKind::Call(to),
            input: input.abi_encode().into(),
            gas_limit: 4_000_000,
            ..plain()
        });
        self.height += 1;
        self.state.advance(self.height, &[transaction]).unwrap()
    }

    fn update(&mut self, base: u64, header: &HeaderCase) -> Outcome {
        self.act(
            FACTS,
            &Facts::updateCall {
                client: 1,
                step: step(base, header),
            },
        )
    }

    fn import(&mut self, height: u64, proof: &ProofCase, value: B256) -> Outcome {
        self.act(
            FACTS,
            &Facts::importFactCall {
                client: 1,
                height,
                account: proof.account,
                slot: proof.slot,
                value,
                proof: proof.proof.clone(),
            },
        )
    }

    fn client(&self) -> tbsi_governance::contracts::Client {
        let request = CallRequest {
            to: Some(FACTS),
            input: Facts::clientOfCall { client: 1 }.abi_encode().into(),
            ..CallRequest::default()
        };
        let outcome = call(&self.state, &context(self.height + 1), &request, 1_000_000).unwrap();
        let CallOutcome::Returned { output, .. } = outcome else {
            panic!("{outcome:?}");
        };
        Facts::clientOfCall::abi_decode_returns(&output).unwrap()
    }

    /// The leaves of the last block.
    fn leaves(&self, outcome: &Outcome) -> Vec<Leaf> {
        let context = context(self.height);
        let batch = leaves(CHAIN_ID, context.height, context.time, &outcome.receipts).unwrap();
        batch
            .iter()
            .map(|leaf| Leaf::decode(leaf).unwrap())
            .collect()
    }
}

fn step(base: u64, header: &HeaderCase) -> Step {
    Step {
        base,
        trusted: header.trusted.clone(),
        header: header.header.clone(),
        ancestry: CHILD.into(),
    }
}

fn done(outcome: &Outcome) -> bool {
    outcome.receipts[0].status()
}

#[test]
fn a_client_follows_its_chain_and_facts_become_leaves() {
    let vectors = vectors();
    for kind in ["qbft", "ibft2"] {
        let header = |name: &str| vectors.header(&format!("{kind}: {name}"));
        let mut stage = Stage::new(header("begins"));
        for bad in [
            "below the quorum",
            "vouched for by too few",
            "sealed by strangers",
            "seals over the block hash",
            "validators by contract",
            "cut short",
            "of another chain",
        ] {
            let refused = stage.update(10, header(bad));
            assert!(
                !done(&refused) && stage.leaves(&refused).is_empty(),
                "{bad}"
            );
        }
        let followed = stage.update(10, header("follows"));
        assert!(done(&followed));
        let [act] = stage.leaves(&followed)[..] else {
            panic!("one leaf");
        };
        let event = Facts::HeaderAccepted::SIGNATURE_HASH;
        assert!(matches!(act.statement, Statement::GovernanceAct { event: it, .. } if it == event));
        assert!(done(&stage.update(11, header("adds a validator"))));
        assert_eq!(stage.client().latest, 12);

        let word = vectors.proof("a word");
        assert!(!done(&stage.import(11, word, B256::ZERO)), "another value");
        for bad in [
            "a node missing",
            "a node too many",
            "a bit flipped",
            "a byte too many",
        ] {
            let proof = vectors.proof(bad);
            assert!(!done(&stage.import(11, proof, word.answer.into())), "{bad}");
        }
        let imported = stage.import(11, word, word.answer.into());
        let [leaf] = stage.leaves(&imported)[..] else {
            panic!("one leaf");
        };
        let found = &header("follows").answer;
        let expected = ForeignFact {
            client: 1,
            assurance: header("begins").assurance,
            foreign_chain_id: 1_981,
            foreign_height: 11,
            foreign_time: found[1].to(),
            block_hash: found[2].into(),
            account: word.account,
            slot: word.slot,
            value: word.answer.into(),
        };
        assert_eq!(leaf.statement, Statement::ForeignFact(expected));
        assert_eq!(leaf.head.issuer, Wallet::new(1).address);
        assert!(!done(&stage.import(11, word, word.answer.into())), "twice");
        let nothing = vectors.proof("nothing there");
        assert!(done(&stage.import(11, nothing, B256::ZERO)));
    }
}

#[test]
fn t43_a_conflicting_header_freezes_the_client_for_good() {
    let vectors = vectors();
    for kind in ["qbft", "ibft2"] {
        let header = |name: &str| vectors.header(&format!("{kind}: {name}"));
        let mut stage = Stage::new(header("begins"));
        assert!(done(&stage.update(10, header("follows"))));
        let word = vectors.proof("a word");
        assert!(done(&stage.import(11, word, word.answer.into())));
        // The contract takes evidence from anybody, relayer or not, and only real evidence.
        let freeze = |case: &HeaderCase| Facts::freezeCall {
            client: 1,
            step: step(10, case),
            ancestor: 10,
        };
        // A block of another chain that the same keys sealed is none.
        let theirs = header("of another chain");
        assert!(!done(&stage.act(FACTS, &freeze(theirs))));
        assert!(!done(&stage.act(FACTS, &freeze(header("follows")))));
        assert!(!done(
            &stage.act(FACTS, &freeze(header("below the quorum")))
        ));
        assert!(!stage.client().frozen);
        assert!(done(&stage.act(FACTS, &freeze(header("conflicts")))));
        assert!(stage.client().frozen);
        assert!(!done(&stage.update(11, header("adds a validator"))));
        let nothing = vectors.proof("nothing there");
        assert!(!done(&stage.import(11, nothing, B256::ZERO)));
    }
}

#[test]
fn too_few_validators_open_no_client() {
    let vectors = vectors();
    let three = vectors.header("qbft: three validators").clone();
    let mut stage = Stage::new(vectors.header("qbft: begins"));
    let refused = stage.act(
        FACTS,
        &Facts::openCall {
            chain: 1,
            kind: 1,
            trustPeriod: 86_400,
            origin: origin(),
            header: three.header,
            ancestry: CHILD.into(),
        },
    );
    assert!(!done(&refused));
    assert_eq!(refused.receipts[0].logs().len(), 0);
}

/// SPEC §16.6 has these figures.
#[test]
fn gas_is_what_the_specification_says() {
    let vectors = vectors();
    let header = |name: &str| vectors.header(&format!("qbft: {name}"));
    let gas = |outcome: &Outcome| {
        assert!(done(outcome));
        outcome.receipts[0].cumulative_gas_used()
    };
    let mut stage = Stage::new(header("begins"));
    let word = vectors.proof("a word");
    let update = gas(&stage.update(10, header("follows")));
    let import = gas(&stage.import(11, word, word.answer.into()));
    assert_eq!((update, import), (268_536, 155_326));
}
