//! Changes of the validator set take effect together, at the end of an epoch (SPEC §13.7).

use alloy_eips::BlockNumberOrTag;
use tbsi_tests::council::{Actor, amendOrganisationCall, association, decide, kind};
use tbsi_tests::harness::{TestNetwork, eventually};
use tbsi_types::{B256, Height};

const EPOCH_SECONDS: u32 = 15;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_changes_of_an_epoch_are_one_handover_at_its_end() {
    let net = TestNetwork::create_with(4, 0, |spec| spec.epoch_seconds = EPOCH_SECONDS);
    let net = net.started().await;
    let client = net.client(0);
    let account = |node: usize| {
        let home = net.home(node).load().unwrap();
        Actor::new(home.account_key.unwrap(), net.network.chain_id())
    };
    let council: Vec<Actor> = (0..4).map(account).collect();
    // Whom a motion is about has no vote on it.
    let others = |subject: u32| -> Vec<&Actor> {
        let numbered = (1..).zip(&council);
        numbered
            .filter(|(number, _)| *number != subject)
            .map(|(_, it)| it)
            .collect()
    };
    // A legal name is part of what validators sign.
    let mut decided = Height(0);
    for (organisation, name) in [(2, "Renamed B"), (3, "Renamed C")] {
        let details = association(organisation, "改名公會", name);
        let renamed = amendOrganisationCall {
            organisation: organisation.into(),
            details,
        };
        decided = decide(
            &client,
            &others(organisation.into()),
            kind::AMEND_ORGANISATION,
            &renamed,
        )
        .await;
    }
    let checkpoint = async |height: u64| {
        let found = client.checkpoint(BlockNumberOrTag::Number(height)).await;
        found.unwrap()
    };
    let sets = async |height: u64| -> Option<(B256, B256, u64)> {
        let it = checkpoint(height).await?;
        let second = it.time_ms.0 / 1_000;
        Some((it.validator_set_hash, it.next_validator_set_hash, second))
    };
    let epoch = u64::from(EPOCH_SECONDS);
    let until = sets(decided.0).await.unwrap().2 / epoch * epoch + epoch;
    let mut tip = decided.0;
    eventually("the epoch ends", async || {
        while let Some((.., second)) = sets(tip).await {
            if second >= until {
                return true;
            }
            tip += 1;
        }
        false
    })
    .await;
    let mut handovers = Vec::new();
    for height in 1..=tip {
        let (set, next, second) = sets(height).await.unwrap();
        if set != next {
            let before = sets(height - 1).await.unwrap().2;
            assert!(
                second / epoch > before / epoch,
                "not the first block of an epoch"
            );
            handovers.push(height);
        }
    }
    // Two, if an epoch ended between the motions.
    assert!((1..=2).contains(&handovers.len()), "{handovers:?}");
    assert_eq!(handovers.last(), Some(&tip));
    let first = sets(decided.0).await.unwrap();
    assert!(handovers.contains(&decided.0) || first.0 == first.1);
    net.assert_no_panic();
}
