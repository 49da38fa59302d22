//! What an attestation comes to, whatever others put into the log, and pages of what is found.

use serde_json::{Value, json};
use tbsi_rpc::limits::LEAVES_PAGE_MAX;
use tbsi_types::log::lookup::BUILT_IN_SCHEMAS;
use tbsi_types::log::{Attestation, DigestWords, Leaf, LeafHead, Statement};
use tbsi_types::{Address, B256, Height, TimestampMs};

use crate::chain::{ISSUER, SCHEMA};
use crate::http::Fixture;
use crate::transactions::CHAIN_ID;

const DIGEST: B256 = B256::repeat_byte(0xd1);
const STRANGER: Address = Address::repeat_byte(0x66);
const MANY: usize = 2_000;

/// A leaf; its place among the others will be its height.
fn said_by(issuer: Address, statement: Statement) -> Leaf {
    let head = LeafHead {
        chain_id: CHAIN_ID,
        height: Height(0),
        time: TimestampMs(7),
        transaction_index: 0,
        ordinal: 0,
        issuer,
    };
    Leaf { head, statement }
}

fn stated(schema: B256) -> Leaf {
    let statement = Statement::Attestation(Attestation {
        schema,
        algorithm: 0x12,
        digest: DigestWords::One([DIGEST]),
    });
    said_by(ISSUER, statement)
}

fn revoked(id: B256, by: Address) -> Leaf {
    said_by(by, Statement::Revocation { id, reason: 1 })
}

fn superseded(id: B256, by: Address) -> Leaf {
    let successor = B256::repeat_byte(9);
    said_by(by, Statement::Supersession { id, successor })
}

async fn chain_with(leaves: impl IntoIterator<Item = Leaf>) -> Fixture {
    let fixture = Fixture::new().await;
    let mut stated = fixture.chain.stated.lock().unwrap();
    for (height, mut leaf) in (0..).zip(leaves) {
        leaf.head.height = Height(height);
        stated.push(leaf);
    }
    drop(stated);
    fixture
}

async fn attestation(fixture: &Fixture, id: B256) -> Value {
    fixture.result("tbsi_getAttestation", json!([id])).await
}

fn indexes(page: &Value) -> Vec<u64> {
    let entries = page["entries"].as_array().unwrap();
    entries
        .iter()
        .map(|entry| entry["index"].as_u64().unwrap())
        .collect()
}

/// A dishonest issuer repeats what it will revoke; a third party does it to a victim.
#[tokio::test]
async fn a_revocation_behind_thousands_of_repetitions_counts() {
    let one = stated(BUILT_IN_SCHEMAS[0]);
    let id = one.attestation_id().unwrap();
    let strangers = (0..MANY).map(|number| {
        let stranger = Address::left_padding_from(&number.to_be_bytes());
        revoked(id, stranger)
    });
    let mut leaves = vec![one; MANY];
    leaves.extend(strangers);
    leaves.push(revoked(id, ISSUER));
    let last = leaves.len() - 1;
    let fixture = chain_with(leaves).await;
    let answer = attestation(&fixture, id).await;
    assert_eq!(answer["revokedAt"], json!(last), "{answer}");
    assert_eq!(indexes(&answer), [0, last as u64]);
    assert_eq!(answer["repeated"], true);
    assert_eq!(answer["issuer"], json!(ISSUER));
}

#[tokio::test]
async fn what_counts_depends_on_who_says_it_and_on_the_schema() {
    let registered = |revocable| {
        let statement = Statement::SchemaRegistered {
            schema: SCHEMA,
            text_hash: B256::repeat_byte(1),
            commits_to: 1,
            revocable,
        };
        said_by(STRANGER, statement)
    };
    let (built_in, own) = (stated(BUILT_IN_SCHEMAS[1]), stated(SCHEMA));
    let id = |leaf: &Leaf| leaf.attestation_id().unwrap();
    let (first, second) = (id(&built_in), id(&own));
    // Leaves after the attestation; whether its schema is revocable, where it is revoked and
    // superseded, and which leaves are shown.
    let cases: Vec<(Leaf, Vec<Leaf>, Value)> = vec![
        (built_in, vec![], json!([true, null, null, [0]])),
        (
            built_in,
            vec![revoked(first, STRANGER), superseded(first, STRANGER)],
            json!([true, null, null, [0]]),
        ),
        (
            built_in,
            vec![superseded(first, ISSUER)],
            json!([true, null, 1, [0, 1]]),
        ),
        (
            built_in,
            vec![superseded(first, ISSUER), revoked(first, ISSUER)],
            json!([true, 2, 1, [0, 1, 2]]),
        ),
        // Of another attestation by the same issuer.
        (
            built_in,
            vec![revoked(second, ISSUER)],
            json!([true, null, null, [0]]),
        ),
        // A schema that nobody registered allows nothing; the leaf is shown all the same.
        (
            own,
            vec![revoked(second, ISSUER)],
            json!([false, null, null, [0, 1]]),
        ),
        (
            own,
            vec![registered(false), revoked(second, ISSUER)],
            json!([false, null, null, [0, 2]]),
        ),
        (
            own,
            vec![revoked(second, ISSUER), registered(true)],
            json!([true, 1, null, [0, 1]]),
        ),
    ];
    for (attested, after, expected) in cases {
        let about = id(&attested);
        let fixture = chain_with([vec![attested], after.clone()].concat()).await;
        let answer = attestation(&fixture, about).await;
        let found = json!([
            answer["revocable"],
            answer["revokedAt"],
            answer["supersededAt"],
            indexes(&answer)
        ]);
        assert_eq!(found, expected, "{after:?}");
        assert_eq!(answer["repeated"], false);
    }
}

#[tokio::test]
async fn a_revocation_before_anything_is_attested_is_no_attestation() {
    let one = stated(BUILT_IN_SCHEMAS[0]);
    let id = one.attestation_id().unwrap();
    let fixture = chain_with([revoked(id, STRANGER), revoked(id, ISSUER)]).await;
    assert_eq!(attestation(&fixture, id).await, Value::Null);
    // Revocation is for ever, before and after.
    let fixture = chain_with([revoked(id, STRANGER), revoked(id, ISSUER), one]).await;
    let answer = attestation(&fixture, id).await;
    assert_eq!(answer["revokedAt"], 1);
    assert_eq!(indexes(&answer), [1, 2]);
}

#[tokio::test]
async fn countersignatures_are_all_shown_and_the_last_status_of_an_algorithm_holds() {
    let one = stated(BUILT_IN_SCHEMAS[0]);
    let id = one.attestation_id().unwrap();
    let opened = Statement::CountersigningOpened {
        id,
        threshold: 64,
        deadline: 1,
        party_count: 64,
        parties_hash: B256::ZERO,
    };
    let mut leaves = vec![one, said_by(ISSUER, opened)];
    for have in 1..=64u16 {
        let party = Address::left_padding_from(&have.to_be_bytes());
        let need = 64;
        leaves.push(said_by(
            party,
            Statement::Countersignature { id, have, need },
        ));
    }
    for (algorithm, status) in [(0x12, 2), (0x16, 3), (0x12, 3), (0x12, 2)] {
        let bits = 256;
        let set = Statement::AlgorithmSet {
            algorithm,
            bits,
            status,
        };
        leaves.push(said_by(STRANGER, set));
    }
    let fixture = chain_with(leaves).await;
    let answer = attestation(&fixture, id).await;
    assert_eq!(indexes(&answer), (0..66).collect::<Vec<_>>());
    assert_eq!(answer["algorithmStatus"], 2);
    assert_eq!(answer["revokedAt"], Value::Null);
}

#[tokio::test]
async fn pages_say_where_to_ask_on_and_together_are_everything() {
    let one = stated(SCHEMA);
    let id = one.attestation_id().unwrap();
    let leaves = (0..1_500).map(|number| match number % 3 {
        0 => one,
        1 => revoked(id, STRANGER),
        _ => stated(BUILT_IN_SCHEMAS[0]),
    });
    let fixture = chain_with(leaves).await;
    for (method, argument, wanted) in [
        ("tbsi_findById", json!(id), [true, false, false]),
        ("tbsi_findByDigest", json!(DIGEST), [true, false, true]),
    ] {
        let (mut found, mut from, mut pages) = (Vec::new(), json!(0), 0);
        while !from.is_null() {
            let mut page = fixture.result(method, json!([argument, from])).await;
            let positions = indexes(&page);
            assert!(positions.len() <= LEAVES_PAGE_MAX);
            found.extend(positions);
            from = page["next"].take();
            pages += 1;
        }
        let expected = (0..1_500usize).filter(|number| wanted[number % 3]);
        assert_eq!(found, expected.map(|it| it as u64).collect::<Vec<_>>());
        assert_eq!(pages, found.len().div_ceil(LEAVES_PAGE_MAX), "{method}");
    }
    let nothing = fixture.result("tbsi_findById", json!([B256::ZERO])).await;
    assert_eq!(nothing, json!({ "entries": [], "next": null }));
}
