//! A validator that floods the others with blocks, against the chain and the disk of a node.

use std::sync::Arc;
use std::time::Duration;

use tbsi_engine::host::{Assembled, Host, Now, PartInit, Synced};
use tbsi_engine::{Chain, Commit};
use tbsi_node::chain::NodeChain;
use tbsi_node::node::Node;
use tbsi_tests::harness::TestNetwork;
use tbsi_types::{
    Address, B256, CheckpointDigest, CommitCertificate, CommitSignature, Genesis, Height, Round,
    TimestampMs, VoteKind, VoteStatement,
};

use crate::dishonest::adopt;

/// More than a node's table has room for.
const BLOCKS: u32 = 100;

/// One valid block, with its digest.
type Block = (CheckpointDigest, Vec<u8>);

/// A node's host in round 0 of the height above its tip.
struct Victim {
    host: Host<NodeChain>,
    node: Arc<Node>,
    genesis: Genesis,
    height: Height,
    now: Now,
}

impl Victim {
    async fn of(net: &TestNetwork) -> Self {
        let (node, home) = adopt(&net.home(0)).await;
        let tip = node.tip();
        let now = Now {
            monotonic: Duration::ZERO,
            wall: TimestampMs(tip.time.0 + 1_000),
        };
        let genesis = home.genesis;
        let chain = NodeChain::new(Arc::clone(&node));
        let mut host = Host::new(chain, genesis.consensus, node.validator, now);
        host.on_ready();
        let start = host.start_next(now).unwrap().expect("it is time");
        let height = tip.height.next();
        assert_eq!(start.height, height);
        let mut victim = Self {
            host,
            node,
            genesis,
            height,
            now,
        };
        let due = victim.due(0);
        let judged = victim.host.on_started_round(height, Round(0), due);
        assert!(judged.unwrap().is_empty());
        victim
    }

    async fn end(self) {
        self.node.gossip.shutdown().await;
    }

    fn due(&self, round: u32) -> Address {
        let set = self.genesis.validator_set().unwrap();
        set.proposer(self.height, Round(round)).address
    }

    /// `block` as its round's proposer says it, under any digest, from a validator's peer.
    fn hear(
        &mut self,
        round: u32,
        from: Address,
        claimed: CheckpointDigest,
        bytes: &[u8],
    ) -> Option<bool> {
        let publisher = self.genesis.node_of_validator(from).unwrap();
        let proposal = Assembled {
            publisher: publisher.peer_id.clone(),
            init: PartInit {
                height: self.height,
                round: Round(round),
                polka_round: None,
                proposer: self.due(round),
                digest: claimed,
                length: u32::try_from(bytes.len()).unwrap(),
            },
            bytes: bytes.to_vec(),
            received: self.now.wall,
        };
        let judged = self.host.on_proposal(proposal).unwrap();
        judged.map(|judged| judged.valid)
    }

    fn kept(&self) -> usize {
        self.node.store.undecided_digests(self.height).len()
    }
}

/// Valid blocks on the tip that all share: empty, a millisecond apart.
async fn blocks(net: &TestNetwork) -> Vec<Block> {
    let (node, _) = adopt(&net.home(1)).await;
    let tip = node.tip();
    let height = tip.height.next();
    let mut chain = NodeChain::new(Arc::clone(&node));
    let mut blocks = Vec::new();
    for round in 0..BLOCKS {
        let time = TimestampMs(tip.time.0 + 1 + u64::from(round));
        let digest = chain.propose(height, Round(round), time, Duration::from_secs(1));
        let digest = digest.unwrap();
        let bytes = chain.proposal_bytes(height, digest).unwrap();
        blocks.push((digest, bytes.expect("it has just been built")));
    }
    node.gossip.shutdown().await;
    blocks
}

/// What three of four validators sign.
fn certificate(net: &TestNetwork, height: Height, digest: CheckpointDigest) -> CommitCertificate {
    let statement = VoteStatement {
        kind: VoteKind::Precommit,
        height,
        round: Round(0),
        value: Some(digest),
    };
    let signed = statement.digest(&net.genesis().identity());
    let signatures = (0..3).map(|node| {
        let home = net.home(node).load().unwrap();
        let key = home.validator_key.expect("it validates");
        CommitSignature {
            validator: key.public_key().address(),
            signature: key.sign(signed),
        }
    });
    CommitCertificate::new(height, Round(0), digest, signatures.collect()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_validator_that_floods_blocks_under_one_digest_halts_nobody() {
    let net = TestNetwork::create_with(4, 0, |spec| {
        // All stop at one height.
        spec.consensus.empty_block_interval_ms = 600_000;
    });
    let mut net = net.started().await;
    for node in 0..4 {
        net.network.stop(node).await.unwrap();
    }
    let blocks = blocks(&net).await;
    let mut victim = Victim::of(&net).await;
    let (height, flooder) = (victim.height, victim.due(1));
    let claimed = CheckpointDigest(B256::repeat_byte(0x65));
    for (_, bytes) in &blocks {
        for round in 0..8 {
            assert_ne!(victim.hear(round, flooder, claimed, bytes), Some(true));
        }
    }
    assert_eq!(victim.kept(), 0, "nothing was what it claimed to be");

    // A table that an earlier version let be filled, and a restart.
    for (digest, bytes) in &blocks[..64] {
        let none = Default::default();
        let put = victim
            .node
            .store
            .put_undecided(height, *digest, bytes, &none);
        put.unwrap();
    }
    victim.end().await;
    let mut victim = Victim::of(&net).await;
    assert_eq!(victim.kept(), 64);

    let proposer = victim.due(0);
    let (honest, bytes) = &blocks[90];
    assert_eq!(victim.hear(0, proposer, *honest, bytes), Some(true));
    let (synced, bytes) = &blocks[91];
    let outcome = victim.host.on_synced(height, bytes).unwrap();
    assert_eq!(outcome, Synced::Valid(*synced));
    assert_eq!(victim.kept(), 64, "the oldest gave way");
    let decided = certificate(&net, height, *honest);
    let committed = victim.host.on_decided(victim.now, &decided).unwrap();
    assert_eq!(committed, Commit::Done);
    assert_eq!(victim.node.tip().height, height);
    assert_eq!(victim.kept(), 0);
    victim.end().await;
}
