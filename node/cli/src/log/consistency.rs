//! `tbsi log consistency`.

use alloy_eips::BlockNumberOrTag;
use serde_json::json;
use tbsi_light::verify_consistency;
use tbsi_rpc::Client;
use tbsi_types::Checkpoint;
use tbsi_types::log::ConsistencyProof;

use super::decided::decided;
use super::{Checked, ConsistencyArgs, Failure};
use crate::lang::{SayContext, counted, said};
use crate::proof::load_genesis;

pub(super) async fn check(args: &ConsistencyArgs) -> Checked {
    let genesis = load_genesis(&args.genesis)?;
    let client = args.node.client()?;
    let to = match args.to {
        Some(height) if height < args.from => {
            let from = args.from;
            let error = said(
                format!("--to {height} is before --from {from}; exchange them"),
                format!("--to {height} 早於 --from {from}；請對調"),
            );
            return Err(error.into());
        }
        Some(height) => BlockNumberOrTag::Number(height),
        None => BlockNumberOrTag::Latest,
    };
    let earlier = BlockNumberOrTag::Number(args.from);
    let earlier = decided(&client, &genesis, earlier).await?;
    let later = decided(&client, &genesis, to).await?;
    let proof = prove(&client, &earlier, &later).await?;
    verify(&earlier, &later, &proof).map_err(Failure::No)?;
    let line = |checkpoint: &Checkpoint| {
        let (height, size, root) = (checkpoint.height, checkpoint.log_size, checkpoint.log_root);
        args.lang.pick(
            format!("height {height}: {}, root {root}\n", counted(size, "leaf")),
            format!("高度 {height}：共 {size} 筆，根雜湊 {root}\n"),
        )
    };
    let count = proof.0.len();
    let last = args.lang.pick(
        format!("proof of {}\n", counted(count, "hash")),
        format!("證明共 {count} 個雜湊\n"),
    );
    let text = line(&earlier) + &line(&later) + &last;
    let place = |checkpoint: &Checkpoint| {
        json!({
            "height": checkpoint.height,
            "logSize": checkpoint.log_size,
            "logRoot": checkpoint.log_root,
        })
    };
    let hashes = &proof.0;
    Ok((
        text,
        json!({ "from": place(&earlier), "to": place(&later), "hashes": hashes }),
    ))
}

/// Nothing is asked for what needs no proof: the empty log begins every log.
async fn prove(
    client: &Client,
    earlier: &Checkpoint,
    later: &Checkpoint,
) -> Result<ConsistencyProof, Failure> {
    if earlier.log_size.0 == 0 || earlier.log_size >= later.log_size {
        return Ok(ConsistencyProof(Vec::new()));
    }
    let answer = client
        .consistency(earlier.log_size, later.log_size)
        .await
        .or_say(|| {
            (
                "ask for a consistency proof".into(),
                "查詢一致性證明".into(),
            )
        })?;
    Ok(ConsistencyProof(answer.hashes))
}

fn verify(
    earlier: &Checkpoint,
    later: &Checkpoint,
    proof: &ConsistencyProof,
) -> anyhow::Result<()> {
    if earlier.log_size.0 == 0 {
        return Ok(());
    }
    let first = (earlier.log_size, earlier.log_root);
    verify_consistency(first, (later.log_size, later.log_root), proof)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::B256;
    use tbsi_types::log::{Frontier, leaf_hash, node_hash};
    use tbsi_types::{Height, TimestampMs};

    fn checkpoint(leaves: &[&[u8]]) -> Checkpoint {
        let mut frontier = Frontier::default();
        for leaf in leaves {
            frontier.append(leaf_hash(leaf), |_, _| {});
        }
        Checkpoint {
            chain_id: 1,
            height: Height(1),
            time: TimestampMs(1),
            block_hash: B256::ZERO,
            state_root: B256::ZERO,
            log_size: frontier.size(),
            log_root: frontier.root(),
            validator_set_hash: B256::ZERO,
            next_validator_set_hash: B256::ZERO,
        }
    }

    #[test]
    fn a_log_that_changed_is_found() {
        let none = ConsistencyProof(Vec::new());
        let (empty, one) = (checkpoint(&[]), checkpoint(&[b"a"]));
        let two = checkpoint(&[b"a", b"b"]);
        let changed = checkpoint(&[b"x", b"b"]);
        let proof = ConsistencyProof(vec![leaf_hash(b"b")]);
        verify(&empty, &two, &none).unwrap();
        verify(&one, &one, &none).unwrap();
        verify(&one, &two, &proof).unwrap();
        assert_eq!(node_hash(&leaf_hash(b"a"), &leaf_hash(b"b")), two.log_root);
        for (earlier, later, proof) in [
            (&one, &changed, &proof),
            (&one, &two, &none),
            (&two, &changed, &none),
            (&two, &one, &none),
            (&one, &empty, &none),
        ] {
            assert!(verify(earlier, later, proof).is_err());
        }
    }
}
