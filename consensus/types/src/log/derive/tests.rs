use alloy_consensus::{Eip658Value, ReceiptWithBloom};
use alloy_primitives::{B256, Bloom, Bytes, Log, U256, keccak256};

use super::acts::{FACT_IMPORTED, MESSAGE_SENT};
use super::events::{
    ALGORITHM_SET, ATTESTED, COUNTERSIGNED, COUNTERSIGNING_OPENED, REVOKED, SCHEMA_REGISTERED,
    SUPERSEDED,
};
use super::*;
use crate::log::leaf::{
    Attestation, DigestWords, ForeignFact, Leaf, Statement, U24_MAX, U48_MAX, body_hash,
    parties_hash,
};

const ISSUER: Address = Address::repeat_byte(0xaa);
const SCHEMA: B256 = B256::repeat_byte(0x5c);
const ID: B256 = B256::repeat_byte(0x1d);

fn word(value: u64) -> B256 {
    B256::from(U256::from(value))
}

fn log(topics: &[B256], data: &[B256]) -> Log {
    let data: Bytes = data.concat().into();
    Log::new(ATTESTATIONS, topics.to_vec(), data).unwrap()
}

fn receipt(logs: Vec<Log>) -> Receipt {
    Receipt::Eip1559(ReceiptWithBloom::new(
        alloy_consensus::Receipt {
            status: Eip658Value::success(),
            cumulative_gas_used: 0,
            logs,
        },
        Bloom::ZERO,
    ))
}

fn attested(algorithm: u64, words: &[B256]) -> Log {
    let mut data = vec![word(algorithm), word(64), word(words.len() as u64)];
    data.extend_from_slice(words);
    log(&[ATTESTED, SCHEMA, ISSUER.into_word()], &data)
}

fn derive(receipts: &[Receipt]) -> Vec<Leaf> {
    let batch = leaves(8_862_026, Height(7), TimestampMs(1_234), receipts).unwrap();
    batch
        .iter()
        .map(|leaf| Leaf::decode(leaf).unwrap())
        .collect()
}

fn one(log: Log) -> Leaf {
    let [leaf] = derive(&[receipt(vec![log])])[..] else {
        panic!("one leaf expected")
    };
    leaf
}

#[test]
fn events_have_the_signatures_of_the_contract() {
    let check =
        |topic: B256, signature: &str| assert_eq!(topic, keccak256(signature), "{signature}");
    check(ATTESTED, "Attested(bytes32,address,uint32,bytes32[])");
    check(REVOKED, "Revoked(bytes32,address,uint16)");
    check(SUPERSEDED, "Superseded(bytes32,address,bytes32)");
    check(
        COUNTERSIGNING_OPENED,
        "CountersigningOpened(bytes32,address,uint16,uint64,address[])",
    );
    check(
        COUNTERSIGNED,
        "Countersigned(bytes32,address,uint16,uint16)",
    );
    check(
        SCHEMA_REGISTERED,
        "SchemaRegistered(bytes32,address,bytes32,uint8,bool)",
    );
    check(ALGORITHM_SET, "AlgorithmSet(uint32,uint16,uint8)");
    check(
        MESSAGE_SENT,
        "MessageSent(bytes32,bytes32,address,uint64,uint64,bytes32)",
    );
    check(
        FACT_IMPORTED,
        "FactImported(uint32,address,bytes32,address,uint8,uint64,uint64,uint64,bytes32,bytes32)",
    );
}

#[test]
fn acts_of_governance_and_messages_become_leaves_in_order() {
    let (event, who) = (B256::repeat_byte(1), ISSUER.into_word());
    let (topic, data) = (B256::repeat_byte(2), Bytes::from(vec![3; 64]));
    let act = Log::new(GOVERNANCE[2], vec![event, topic], data.clone()).unwrap();
    let nameless = Log::new(GOVERNANCE[2], vec![], data.clone()).unwrap();
    let body = [
        [0; 24].as_slice(),
        &[0, 0, 0, 0, 0, 0, 0, 7],
        &[0; 31],
        &[9],
        &[4; 32],
    ]
    .concat();
    let topics = vec![MESSAGE_SENT, topic, event, who];
    let message = Log::new(OUTBOX, topics.clone(), body.clone().into()).unwrap();
    let longer = [body.as_slice(), &[0; 32]].concat();
    let malformed = Log::new(OUTBOX, topics, longer.into()).unwrap();
    let receipts = [receipt(vec![
        attested(0x12, &[topic]),
        malformed,
        act,
        nameless,
        message,
    ])];
    let batch = leaves(1, Height(2), TimestampMs(3), &receipts).unwrap();
    let leaves: Vec<_> = batch
        .iter()
        .map(|leaf| Leaf::decode(leaf).unwrap())
        .collect();
    let ordinals: Vec<_> = leaves.iter().map(|leaf| leaf.head.ordinal).collect();
    assert_eq!(ordinals, [0, 1, 2]);
    let expected = Statement::GovernanceAct {
        event,
        body_hash: body_hash(&[topic], &data),
    };
    assert_eq!(
        (leaves[1].head.issuer, leaves[1].statement),
        (GOVERNANCE[2], expected)
    );
    let expected = Statement::Message {
        destination: topic,
        receiver: event,
        sequence: 7,
        timeout: 9,
        payload_hash: B256::repeat_byte(4),
    };
    assert_eq!(
        (leaves[2].head.issuer, leaves[2].statement),
        (ISSUER, expected)
    );
    let count = count_leaves(receipts[0].logs());
    let (all, stated) = (leaves.len() as u64, 1);
    assert_eq!(count, LeafCount { all, stated });
}

#[test]
fn imported_facts_become_leaves_of_their_own_and_other_events_acts() {
    let word = |value: u64| B256::from(U256::from(value));
    let (slot, who) = (B256::repeat_byte(7), ISSUER.into_word());
    let account = Address::repeat_byte(8).into_word();
    let topics = vec![FACT_IMPORTED, word(2), account, slot];
    let (hash, value) = (B256::repeat_byte(9), B256::repeat_byte(10));
    let data = [who, word(1), word(1337), word(55), word(1_700), hash, value];
    let fact = |topics: &[B256], data: &[B256]| {
        Log::new(FACTS, topics.to_vec(), data.concat().into()).unwrap()
    };
    let mut wide = data;
    wide[1] = word(256);
    let mut dirty = topics.clone();
    dirty[2] = B256::repeat_byte(8);
    let receipts = [receipt(vec![
        fact(&topics, &wide),
        fact(&dirty, &data),
        fact(&topics, &data[..6]),
        fact(&topics, &[data.as_slice(), &[value]].concat()),
        fact(&[word(3), word(4)], &[value]),
        fact(&topics, &data),
    ])];
    let batch = leaves(1, Height(2), TimestampMs(3), &receipts).unwrap();
    let leaves: Vec<_> = batch
        .iter()
        .map(|leaf| Leaf::decode(leaf).unwrap())
        .collect();
    assert_eq!(leaves.len(), 2);
    let act = Statement::GovernanceAct {
        event: word(3),
        body_hash: body_hash(&[word(4)], value.as_slice()),
    };
    assert_eq!((leaves[0].head.issuer, leaves[0].statement), (FACTS, act));
    let expected = Statement::ForeignFact(ForeignFact {
        client: 2,
        assurance: 1,
        foreign_chain_id: 1337,
        foreign_height: 55,
        foreign_time: 1_700,
        block_hash: hash,
        account: Address::repeat_byte(8),
        slot,
        value,
    });
    let got = (leaves[1].head.issuer, leaves[1].statement);
    assert_eq!(got, (ISSUER, expected));
    let count = count_leaves(receipts[0].logs());
    assert_eq!(count, LeafCount { all: 2, stated: 0 });
}

#[test]
fn a_batch_becomes_a_leaf_for_each_digest() {
    let words: Vec<B256> = (0..6).map(B256::repeat_byte).collect();
    let elsewhere = Log::new(Address::ZERO, vec![ATTESTED], Bytes::new()).unwrap();
    let receipts = [
        receipt(vec![]),
        receipt(vec![attested(0x12, &words[..3]), elsewhere]),
        receipt(vec![
            attested(0x13, &words[..4]),
            attested(0x16, &words[5..]),
        ]),
    ];
    let expected = [
        (1, 0, 0x12, &words[..1]),
        (1, 1, 0x12, &words[1..2]),
        (1, 2, 0x12, &words[2..3]),
        (2, 0, 0x13, &words[..2]),
        (2, 1, 0x13, &words[2..4]),
        (2, 2, 0x16, &words[5..]),
    ];
    let expected = expected.map(|(transaction_index, ordinal, algorithm, words)| Leaf {
        head: LeafHead {
            chain_id: 8_862_026,
            height: Height(7),
            time: TimestampMs(1_234),
            transaction_index,
            ordinal,
            issuer: ISSUER,
        },
        statement: Statement::Attestation(Attestation {
            schema: SCHEMA,
            algorithm,
            digest: DigestWords::of(algorithm, &words.concat()).unwrap(),
        }),
    });
    assert_eq!(derive(&receipts), expected);
}

/// Events other than attestations, their issuers and statements.
fn other_events() -> [(Log, Address, Statement); 6] {
    let topics = |event| [event, ID, ISSUER.into_word()];
    let parties = [Address::repeat_byte(1), Address::repeat_byte(2)];
    let revoked = log(&topics(REVOKED), &[word(3)]);
    let successor = B256::repeat_byte(9);
    let superseded = log(&[SUPERSEDED, ID, ISSUER.into_word(), successor], &[]);
    let opened = log(
        &topics(COUNTERSIGNING_OPENED),
        &[
            word(2),
            word(1_800_000_000),
            word(96),
            word(2),
            parties[0].into_word(),
            parties[1].into_word(),
        ],
    );
    let countersigned = log(&topics(COUNTERSIGNED), &[word(1), word(2)]);
    let registered = log(&topics(SCHEMA_REGISTERED), &[SCHEMA, word(4), word(1)]);
    let set = log(&[ALGORITHM_SET, word(0x534d)], &[word(256), word(2)]);
    [
        (revoked, ISSUER, Statement::Revocation { id: ID, reason: 3 }),
        (
            superseded,
            ISSUER,
            Statement::Supersession { id: ID, successor },
        ),
        (
            opened,
            ISSUER,
            Statement::CountersigningOpened {
                id: ID,
                threshold: 2,
                deadline: 1_800_000_000,
                party_count: 2,
                parties_hash: parties_hash(&parties),
            },
        ),
        (
            countersigned,
            ISSUER,
            Statement::Countersignature {
                id: ID,
                have: 1,
                need: 2,
            },
        ),
        (
            registered,
            ISSUER,
            Statement::SchemaRegistered {
                schema: ID,
                text_hash: SCHEMA,
                commits_to: 4,
                revocable: true,
            },
        ),
        (
            set,
            GOVERNOR,
            Statement::AlgorithmSet {
                algorithm: 0x534d,
                bits: 256,
                status: 2,
            },
        ),
    ]
}

#[test]
fn every_event_has_its_leaf() {
    for (event, issuer, statement) in other_events() {
        let leaf = one(event);
        assert_eq!((leaf.head.issuer, leaf.statement), (issuer, statement));
        assert_eq!(leaf.encode().unwrap().len(), leaf_length(&leaf));
    }
}

fn leaf_length(leaf: &Leaf) -> usize {
    let fields = match leaf.statement.kind() {
        2 => 34,
        3 => 64,
        4 => 76,
        5 => 36,
        6 => 66,
        7 => 7,
        kind => panic!("no case of kind {kind}"),
    };
    LEAF_HEAD_BYTES + fields
}

#[test]
fn what_the_contract_never_emits_makes_no_leaf() {
    let issuer = ISSUER.into_word();
    let dirty = B256::repeat_byte(0xff);
    let good = attested(0x12, &[ID]);
    let data = |words: &[B256]| log(&[ATTESTED, SCHEMA, issuer], words);
    let revoked = |words: &[B256]| log(&[REVOKED, ID, issuer], words);
    let mut ragged = good.clone();
    ragged.data.data = ragged.data.data[..127].to_vec().into();
    let bad = [
        Log::new(ATTESTATIONS, vec![], Bytes::new()).unwrap(),
        log(&[ID, SCHEMA, issuer], &[]),
        log(&[ATTESTED], &[]),
        log(
            &[ATTESTED, SCHEMA, dirty],
            &[word(0x12), word(64), word(1), ID],
        ),
        data(&[]),
        data(&[word(0x12)]),
        data(&[word(0x12), word(64)]),
        data(&[word(0x12), word(64), word(2), ID]),
        data(&[word(0x12), word(64), word(0), ID]),
        data(&[word(0x12), word(96), word(1), ID]),
        data(&[word(0x12), word(64), word(u64::MAX), ID]),
        data(&[word(0x12), word(64), dirty, ID]),
        data(&[word(1 << 32), word(64), word(1), ID]),
        // A digest of two words that lacks one.
        data(&[word(0x13), word(64), word(3), ID, ID, ID]),
        ragged,
        revoked(&[]),
        revoked(&[word(1 << 16)]),
        revoked(&[word(1), word(0)]),
        log(&[REVOKED, ID, dirty], &[word(1)]),
        log(&[SUPERSEDED, ID, issuer], &[]),
        log(&[SUPERSEDED, ID, issuer, ID], &[word(0)]),
        log(
            &[COUNTERSIGNING_OPENED, ID, issuer],
            &[word(1), word(1), word(96), word(1), dirty],
        ),
        log(&[COUNTERSIGNED, ID, issuer], &[word(1)]),
        log(
            &[SCHEMA_REGISTERED, ID, issuer],
            &[SCHEMA, word(1), word(2)],
        ),
        log(&[ALGORITHM_SET, dirty], &[word(256), word(1)]),
    ];
    for event in bad {
        assert_eq!(derive(&[receipt(vec![event.clone()])]), [], "{event:?}");
        let leaves = derive(&[receipt(vec![event, good.clone()])]);
        assert_eq!(leaves.len(), 1);
        assert_eq!(leaves[0].head.ordinal, 0, "it takes no number either");
    }
    assert_eq!(derive(&[receipt(vec![attested(0x12, &[])])]), []);
}

#[test]
fn a_block_beyond_what_leaves_can_hold_is_refused() {
    let receipts = [receipt(vec![attested(0x12, &[ID])])];
    let refused = |height, time| leaves(1, Height(height), TimestampMs(time), &receipts);
    assert!(refused(U48_MAX + 1, 0).is_err());
    assert!(refused(0, U48_MAX + 1).is_err());
    assert_eq!(refused(U48_MAX, U48_MAX).unwrap().count(), 1);
    let mut writer = LeafWriter {
        block: LeafBlock {
            chain_id: 1,
            height: Height(1),
            time: TimestampMs(1),
        },
        transaction_index: 0,
        ordinal: U24_MAX,
        sink: &mut |_: &[u8]| {},
    };
    let mut leaf = writer.begin(1, ISSUER).unwrap();
    assert_eq!(writer.emit(&mut leaf), Ok(()));
    assert!(writer.emit(&mut leaf).is_err());
}

#[test]
fn a_batch_gives_each_leaf_by_position() {
    let mut batch = LeafBatch::default();
    for leaf in [b"one".as_slice(), b"", b"three"] {
        batch.push(leaf);
    }
    assert_eq!(
        batch.iter().collect::<Vec<_>>(),
        [b"one".as_slice(), b"", b"three"]
    );
    assert_eq!((batch.count(), batch.get(3)), (3, None));
}
