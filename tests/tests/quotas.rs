//! Permissions and quotas: who floods is refused and told why, and nobody else is hurt.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::time::Duration;

use alloy_consensus::TxEip1559;
use alloy_primitives::{Address, TxKind};
use tbsi_governance::abi::PERMISSIONS;
use tbsi_rpc::{Client, ClientError};
use tbsi_tests::council::{Actor, decide, joining, kind, setPublicPermissionsCall, setQuotaCall};
use tbsi_tests::harness::{Sender, TestNetwork, wait_receipt};
use tbsi_types::SecretKey;
use tokio::time::Instant;

/// Transfers in a period that the flooder's quota pays for.
const QUOTA_TRANSFERS: u64 = 20;
const TRANSFER_GAS: u64 = 21_000;
const SEND: u32 = 1;

async fn council(net: &TestNetwork) -> Vec<Actor> {
    let account = |node: usize| {
        let home = net.home(node).load().unwrap();
        Actor::new(home.account_key.unwrap(), net.network.chain_id())
    };
    (0..4).map(account).collect()
}

fn sender(name: &str, chain_id: u64) -> (Sender, Address) {
    let key = SecretKey::from_seed(name.as_bytes());
    let address = key.public_key().address();
    (Sender::of(key, chain_id), address)
}

fn refused(error: &ClientError) -> String {
    let ClientError::Refused { message, .. } = error else {
        panic!("not a refusal: {error}");
    };
    message.clone()
}

/// Transfers one after the other; how long each took, in order of duration.
async fn latencies(client: &Client, sender: &mut Sender, count: usize) -> Vec<Duration> {
    let mut took = Vec::new();
    for _ in 0..count {
        let started = Instant::now();
        sender
            .transfer(client)
            .await
            .expect("a transfer within the quota is taken");
        took.push(started.elapsed());
    }
    took.sort();
    took
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_hits_its_own_quota_and_nobody_else() {
    let net = TestNetwork::start(4, 0).await;
    let (client, chain_id) = (net.client(0), net.network.chain_id());
    let council = council(&net).await;
    let all: Vec<&Actor> = council.iter().collect();
    let (mut flooder, _) = sender("a flood", chain_id);
    let (mut honest, _) = sender("an honest sender", chain_id);
    for (organisation, name) in [(1, "a flood"), (2, "an honest sender")] {
        let key = SecretKey::from_seed(name.as_bytes());
        let joins = joining(chain_id, organisation, &key, SEND);
        let administrator = &council[organisation as usize - 1];
        administrator.act(&client, PERMISSIONS, &joins).await;
    }
    let idle = latencies(&client, &mut honest, 30).await;
    let quota = setQuotaCall {
        organisation: 1,
        gas: QUOTA_TRANSFERS * TRANSFER_GAS,
        leaves: 0,
    };
    // It may not decide on its own quota.
    decide(&client, &all[1..], kind::SET_QUOTA, &quota).await;

    let flood_client = net.client(1);
    let flood = tokio::spawn(async move {
        let (mut taken, mut refusals) = (0, Vec::new());
        for _ in 0..10 * QUOTA_TRANSFERS {
            match flooder.transfer(&flood_client).await {
                Ok(_) => taken += 1,
                Err(error) => {
                    // The nonce of what was refused is free again.
                    flooder.take_back();
                    refusals.push(refused(&error));
                }
            }
        }
        (taken, refusals)
    });
    let flooded = latencies(&client, &mut honest, 30).await;
    let (taken, refusals) = flood.await.unwrap();
    assert!(!refusals.is_empty(), "{taken} transfers were taken");
    for words in &refusals {
        for part in [
            "quota of gas of organisation 1",
            " of 420000 in this period",
            "lifts at",
        ] {
            assert!(words.contains(part), "{words}");
        }
    }
    // Two periods at most pass by.
    assert!(taken <= 3 * QUOTA_TRANSFERS, "{taken}");
    let p99 = |took: &[Duration]| took[took.len() * 99 / 100];
    eprintln!(
        "quotas: flood of {} transfers: {taken} taken, {} refused; the others' p99 {:?}, idle {:?}",
        10 * QUOTA_TRANSFERS,
        refusals.len(),
        p99(&flooded),
        p99(&idle)
    );
    net.assert_no_panic();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_lacks_a_permission_is_told_which() {
    let net = TestNetwork::start(4, 0).await;
    let (client, chain_id) = (net.client(0), net.network.chain_id());
    let council = council(&net).await;
    let all: Vec<&Actor> = council.iter().collect();
    let nothing = setPublicPermissionsCall { permissions: 0 };
    decide(&client, &all, kind::SET_PUBLIC_PERMISSIONS, &nothing).await;

    let (mut stranger, _) = sender("a stranger", chain_id);
    let error = client
        .send_raw_transaction(&stranger.next_transfer())
        .await
        .unwrap_err();
    let words = refused(&error);
    let address = stranger.address();
    let besu = format!("sender account not authorized to send transactions: {address}; ");
    assert!(words.starts_with(&besu), "{words}");
    assert!(words.contains("of no organisation may not send"), "{words}");
    let ClientError::Refused { code, data, .. } = &error else {
        panic!("not a refusal: {error}");
    };
    let reason = data.as_ref().and_then(|data| data["reason"].as_str());
    assert_eq!(*code, -32_003);
    assert!(
        reason.is_some_and(|reason| words.ends_with(reason)),
        "{words}"
    );
    assert!(words.contains("then `tbsi org add-account`"), "{words}");

    let (sender, account) = sender("may send only", chain_id);
    let key = SecretKey::from_seed(b"may send only");
    let joins = joining(chain_id, 3, &key, SEND);
    council[2].act(&client, PERMISSIONS, &joins).await;
    let transaction = |nonce, to| {
        sender.sign(TxEip1559 {
            chain_id,
            nonce,
            gas_limit: 200_000,
            to,
            ..TxEip1559::default()
        })
    };
    let attestations = TxKind::Call(tbsi_types::log::ATTESTATIONS);
    for (to, permission) in [(TxKind::Create, "deploy"), (attestations, "attest")] {
        let sent = client.send_raw_transaction(&transaction(0, to)).await;
        let words = refused(&sent.unwrap_err());
        let expected = format!("of organisation 3 may not {permission}");
        assert!(words.contains(&expected), "{words}");
    }
    let taken = client
        .send_raw_transaction(&transaction(0, TxKind::Call(account)))
        .await;
    wait_receipt(&client, taken.unwrap()).await;
    net.assert_no_panic();
}
