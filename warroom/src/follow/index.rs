//! Indexing a signed log: fetch, verify, write, one batch after the other. The next batch is
//! fetched while one is written.

use std::sync::Arc;

use alloy_primitives::B256;
use futures::stream::{self, StreamExt};
use tbsi_types::log::EntryBundle;
use tokio::task::spawn_blocking;

use super::{Follower, words};
use crate::alarm::{Alarm, AlarmCode};
use crate::digest::{Batch, act_leaves};
use crate::limits::{BUNDLES_PER_COMMIT, REQUESTS_AT_A_TIME};
use crate::said::said;
use crate::source::{Act, LogSource};
use crate::store::{IndexError, Store};
use crate::tree::{SignedBundle, SignedTree, peaks};
use crate::trust::VerifiedLog;

/// Bundles with the texts of their acts.
type Fetched = Vec<(SignedBundle, Vec<Act>)>;

impl Follower {
    /// Indexes all of a verified log, as one source has it.
    pub(super) async fn index_from(
        &mut self,
        position: usize,
        log: &VerifiedLog,
    ) -> Result<(), Alarm> {
        let shared = Arc::clone(&self.shared);
        let source = &shared.sources[position];
        let mut tree = SignedTree::open(source, log.size, log.root).await?;
        self.check_extends(&mut tree, source, log).await?;
        let from = self.frontier.size();
        let bundles: Vec<EntryBundle> = EntryBundle::changed(from, log.size).collect();
        let per_commit = usize::try_from(BUNDLES_PER_COMMIT).expect("it is small");
        let mut portions = bundles.chunks(per_commit);
        let Some(first) = portions.next() else {
            return Ok(());
        };
        let mut fetched = fetch(&mut tree, source, first, from.0).await?;
        for portion in portions {
            let (written, next) = tokio::join!(
                self.write(fetched),
                fetch(&mut tree, source, portion, from.0)
            );
            written?;
            self.publish();
            fetched = next?;
        }
        self.write(fetched).await?;
        assert_eq!(
            self.frontier.root(),
            log.root,
            "every bundle was compared with the signed root"
        );
        Ok(())
    }

    /// Compares the subtrees of what is indexed with those of the signed log: they are what a
    /// consistency proof is made of (RFC 9162 §2.1.4).
    async fn check_extends(
        &mut self,
        tree: &mut SignedTree<'_>,
        source: &LogSource,
        log: &VerifiedLog,
    ) -> Result<(), Alarm> {
        let size = self.frontier.size();
        let encoded = self.frontier.encode();
        let ours = encoded[8..].chunks_exact(32).map(B256::from_slice);
        for (node, ours) in peaks(size).into_iter().zip(ours) {
            if tree.node(node).await? != ours {
                let indexed = (size, self.frontier.root());
                return Err(words::rewritten(source, indexed, log));
            }
        }
        Ok(())
    }

    /// Writes a batch on a thread of its own.
    async fn write(&mut self, fetched: Fetched) -> Result<(), Alarm> {
        let mut store = self.store.take().expect("nobody else writes");
        let batch = Batch::after(self.frontier.clone(), self.registry.clone());
        let written = spawn_blocking(move || {
            let outcome = write(&mut store, batch, fetched);
            (store, outcome)
        });
        let (store, outcome) = written.await.map_err(|error| Alarm {
            code: AlarmCode::Index,
            source: None,
            said: said(
                format!("writing the index ended early: {error}. Start the war room again."),
                format!("寫入索引中斷：{error}。請重新啟動戰情室。"),
            ),
            evidence: None,
        })?;
        let outcome = outcome.map_err(|error| words::index(store.path(), &error));
        self.store = Some(store);
        let batch = outcome?;
        self.frontier = batch.frontier;
        self.registry = batch.registry;
        Ok(())
    }
}

fn write(store: &mut Store, mut batch: Batch, fetched: Fetched) -> Result<Batch, IndexError> {
    for (signed, acts) in fetched {
        batch.add(signed, acts)?;
    }
    store.write(&batch)?;
    Ok(batch)
}

/// Fetches bundles, some at a time, and compares each with the signed tree.
async fn fetch(
    tree: &mut SignedTree<'_>,
    source: &LogSource,
    bundles: &[EntryBundle],
    from: u64,
) -> Result<Fetched, Alarm> {
    let request = |bundle: EntryBundle| async move { (bundle, source.entries(bundle).await) };
    let requests = bundles.iter().copied().map(request);
    let mut answers = stream::iter(requests).buffered(REQUESTS_AT_A_TIME);
    let mut fetched = Vec::with_capacity(bundles.len());
    while let Some((bundle, bytes)) = answers.next().await {
        let signed = tree.check(bundle, bytes?).await?;
        let leaves = act_leaves(&signed, from);
        let acts = source.acts(bundle, &leaves).await?;
        fetched.push((signed, acts));
    }
    Ok(fetched)
}
