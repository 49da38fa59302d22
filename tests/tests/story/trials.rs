//! What some try against the others, and rules that change meanwhile.

use std::path::Path;

use alloy_primitives::{Address, Bytes, keccak256};
use serde_json::{Value, json};
use tbsi_bindings::SolCall;
use tbsi_bindings::genesis::Motions::{reinstateOrganisationCall, voteCall};
use tbsi_bindings::genesis::Organisations::standingCall;
use tbsi_bindings::genesis::Upgrades::{declareCall, scheduleCall, upgradeOfCall};
use tbsi_bindings::genesis::{Plan, Setting};
use tbsi_governance::abi::{MOTIONS, ORGANISATIONS, PERMISSIONS, UPGRADES};
use tbsi_rpc::Client;
use tbsi_tests::council::{
    Actor, ask, decide, executeCall, grantCall, kind, motionCountCall, proposeCall, statusOfCall,
    suspendOrganisationCall,
};
use tbsi_tests::harness::{TestNetwork, eventually, tbsi_binary};
use tbsi_types::Height;

use super::tell;

/// An older program, which knows protocol version 1 alone.
const VERSION_1: &str = env!("CARGO_BIN_EXE_tbsi-version-1");
/// More than the least lead of an upgrade.
const LEAD: u64 = 130;
const BLOCK_GAS_LIMIT: u64 = 123_456_789;
const OPEN: u8 = 1;
const EXECUTABLE: u8 = 3;

/// What a contract answers a call by an account, or why it refuses.
async fn rehearse(client: &Client, from: Address, to: Address, call: &impl SolCall) -> String {
    let data = Bytes::from(call.abi_encode());
    let request = json!({ "from": from, "to": to, "data": data });
    let answer: Result<Bytes, _> = client
        .request("eth_call", &[request, "latest".into()])
        .await;
    match answer {
        Ok(answer) => panic!("{to} takes {data}: {answer}"),
        Err(error) => format!("{error:?}"),
    }
}

/// The beginning of a contract's error, as clients see it.
fn selector(signature: &str) -> String {
    alloy_primitives::hex::encode(&keccak256(signature)[..4])
}

/// An administrator takes the account of an association that is to be admitted.
pub(super) async fn annexation(client: &Client, thief: &Actor, account: Address) {
    let grant = grantCall {
        account,
        permissions: 1,
    };
    let refusal = rehearse(client, thief.address(), PERMISSIONS, &grant).await;
    let expected = selector("PermissionsConsentNeeded(address,uint32)");
    assert!(refusal.contains(&expected), "{refusal}");
    tell("another association tries to annex its account, which has not signed for it: refused");
}

async fn vote(client: &Client, actor: &Actor, motion: u32, choice: u8) {
    let call = voteCall { motion, choice };
    actor.act(client, MOTIONS, &call).await;
}

async fn status(client: &Client, motion: u32) -> u8 {
    ask(client, MOTIONS, &statusOfCall { motion }).await
}

/// Proposes to suspend an organisation; returns the motion's number.
fn accusation(organisation: u32) -> proposeCall {
    let suspend = suspendOrganisationCall {
        organisation,
        reason: 4,
    };
    proposeCall {
        kind: kind::SUSPEND_ORGANISATION,
        arguments: Bytes::from(suspend.abi_encode()[4..].to_vec()),
    }
}

async fn accuse(client: &Client, by: &Actor, organisation: u32) -> u32 {
    by.act(client, MOTIONS, &accusation(organisation)).await;
    ask(client, MOTIONS, &motionCountCall {}).await
}

/// Two want to suspend the third, then three do; the fourth cannot even be accused.
pub(super) async fn suspensions(client: &Client, council: &[&Actor]) {
    let motion = accuse(client, council[3], 3).await;
    for (voter, choice) in [(3, 1), (4, 1), (0, 2), (1, 2)] {
        vote(client, council[voter], motion, choice).await;
    }
    assert_eq!(status(client, motion).await, OPEN);
    let execute = executeCall { motion };
    let refusal = rehearse(client, council[3].address(), MOTIONS, &execute).await;
    assert!(!refusal.is_empty());
    let own = voteCall { motion, choice: 2 };
    let refusal = rehearse(client, council[2].address(), MOTIONS, &own).await;
    assert!(!refusal.is_empty());
    tell(
        "two of five want to suspend the third, two do not, it has no say itself: nothing happens",
    );

    let motion = accuse(client, council[0], 3).await;
    for voter in [0, 1, 3, 4] {
        vote(client, council[voter], motion, 1).await;
        if status(client, motion).await == EXECUTABLE {
            break;
        }
    }
    assert_eq!(status(client, motion).await, EXECUTABLE);
    council[0]
        .act(client, MOTIONS, &executeCall { motion })
        .await;
    let suspended = standing(client, 3).await;
    assert_eq!(suspended, 2);
    let second = accusation(4);
    let refusal = rehearse(client, council[0].address(), MOTIONS, &second).await;
    let words = selector("OrganisationsTooManySuspended(uint256,uint256)");
    assert!(refusal.contains(&words), "{refusal}");
    tell("a majority suspends it at once; nobody can accuse the next: too few would be left");

    let back = reinstateOrganisationCall {
        organisation: 3,
        reason: 8,
    };
    let rest: Vec<&Actor> = [0, 1, 3, 4].map(|voter| council[voter]).into();
    decide(client, &rest, kind::REINSTATE_ORGANISATION, &back).await;
    assert_eq!(standing(client, 3).await, 1);
    tell("a motion reinstates it");
}

async fn standing(client: &Client, organisation: u32) -> u8 {
    let word = ask(client, ORGANISATIONS, &standingCall { organisation }).await;
    word.byte(0)
}

/// An upgrade that waits, and an observer that lacks it.
pub(super) struct Upgrade {
    height: u64,
    laggard: usize,
}

impl Upgrade {
    /// Starts the observer with an older program, and schedules the upgrade.
    pub(super) async fn schedule(
        net: &mut TestNetwork,
        council: &[&Actor],
        laggard: usize,
    ) -> Self {
        net.network.run_by(Path::new(VERSION_1));
        net.network.start(laggard).unwrap();
        net.network.run_by(&tbsi_binary());
        let client = net.client(0);
        for (node, actor) in (1..).zip(council) {
            let declaration = declareCall { node, version: 2 };
            actor.act(&client, UPGRADES, &declaration).await;
        }
        let height = client.block_number().await.unwrap().0 + LEAD;
        let scheduled = scheduleCall {
            plan: Plan {
                nameHash: keccak256("the story's upgrade"),
                height,
                protocol: 2,
                version: "9.9.9".into(),
                settings: vec![Setting {
                    parameter: 1,
                    value: BLOCK_GAS_LIMIT,
                }],
                replacements: Vec::new(),
            },
        };
        decide(&client, council, kind::SCHEDULE_UPGRADE, &scheduled).await;
        tell(&format!(
            "a motion schedules an upgrade for block {height}; an observer runs an older program"
        ));
        Self { height, laggard }
    }

    /// It has taken effect; the laggard stopped before, and goes on with the new program.
    pub(super) async fn took_effect(self, net: &mut TestNetwork) {
        let Self { height, laggard } = self;
        let client = net.client(0);
        net.wait_height(0, Height(height + 1)).await;
        let params = [json!(format!("{height:#x}")), json!(false)];
        let block: Value = client
            .request("eth_getBlockByNumber", &params)
            .await
            .unwrap();
        assert_eq!(block["gasLimit"], format!("{BLOCK_GAS_LIMIT:#x}"));
        let upgrade = ask(&client, UPGRADES, &upgradeOfCall { upgrade: 1 }).await;
        assert_eq!(upgrade.plan.height, height);
        eventually("the laggard stops", async || {
            net.network.pid(laggard).is_none()
        })
        .await;
        let log = net.log(laggard);
        let words = format!("height {height} needs protocol version 2");
        let last = log.lines().last().unwrap_or_default();
        assert!(last.contains(&words), "{log}");
        net.network.start(laggard).unwrap();
        let tip = client.block_number().await.unwrap();
        net.wait_height(laggard, tip).await;
        tell(&format!(
            "the upgrade took effect with block {height}; the observer stopped before it, and \
             catches up with the new program"
        ));
    }
}
