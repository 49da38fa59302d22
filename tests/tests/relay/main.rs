//! Relayers as processes, between a TBSI chain made in memory and a real anvil. Tests are
//! numbered as in the threat model's list of relayer tests, 47 to 60; 54 (clock) is absent
//! because no decision uses the relayer's clock but its pauses, and 53 because it opens no
//! subscription.
//!
//! They need the npm packages of `tests/clients`; without these they are skipped by name.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod agree;
mod audit;
mod evidence;
mod fees;
mod handover;
mod keys;
mod kill;
mod messages;
mod network;
mod page;
mod refusals;
mod reorg;
mod routes;
mod rpc;
mod target;

use std::path::PathBuf;

use tbsi_tests::bridge::anvil::{Anvil, installed};
use tbsi_tests::bridge::chain::{Chain, SCHEMA};
use tbsi_tests::bridge::relayer::Relayer;
use tbsi_tests::bridge::serve::Server;
use tbsi_tests::harness::skip;
use tbsi_types::Address;
use tbsi_types::log::{Leaf, Statement};

/// Anvil's program; otherwise says that a test is skipped.
fn anvil(test: &str) -> Option<PathBuf> {
    let found = installed();
    if found.is_none() {
        let remedy = "run `npm ci --prefix tests/clients`";
        skip(test, "anvil is not installed", remedy);
    }
    found
}

/// Whether `make test-long` runs.
fn long() -> bool {
    std::env::var("LONG").as_deref() == Ok("1")
}

/// A line of what `make test-long` prints in the end.
fn ledger(line: &str) {
    println!("ledger: {line}");
}

/// Both chains, and the light client.
struct Stage {
    chain: Chain,
    server: Server,
    anvil: Anvil,
    contract: Address,
}

impl Stage {
    /// With a target that makes blocks by itself, or only when told to.
    async fn new(binary: &std::path::Path, block_s: Option<&str>) -> Self {
        Self::on(Anvil::start(binary, block_s).await).await
    }

    /// With this target.
    async fn on(anvil: Anvil) -> Self {
        let chain = Chain::default();
        let server = Server::start(&chain).await;
        let contract = anvil.deploy(&chain).await;
        Self {
            chain,
            server,
            anvil,
            contract,
        }
    }

    /// A relayer between them, with money.
    async fn relayer(&self, name: &str) -> Relayer {
        self.relayer_to(name, &[self.anvil.url()]).await
    }

    /// A relayer that reaches the target at these addresses.
    async fn relayer_to(&self, name: &str, target: &[String]) -> Relayer {
        let source = [self.server.url()];
        let relayer = Relayer::new(name, &self.chain, &source, target, self.contract);
        self.anvil.fund(relayer.account(), 100).await;
        relayer
    }

    /// Fails unless every attestation of the selected schema was recorded exactly once, and
    /// nothing else was.
    async fn assert_once(&self) {
        let mut recorded = self.anvil.recorded(self.contract).await;
        recorded.sort_unstable();
        let leaves = self.chain.held().leaves.clone();
        let selected = (0..).zip(leaves).filter(|(_, bytes)| {
            let leaf = Leaf::decode(bytes).unwrap();
            matches!(leaf.statement, Statement::Attestation(stated) if stated.schema == SCHEMA)
        });
        let expected: Vec<u64> = selected.map(|(index, _)| index).collect();
        assert_eq!(recorded, expected);
    }
}
