//! Gives the log's root to a calendar that is anchored in Bitcoin, and asks what became of it.
//!
//! Beside consensus: nothing waits for it. Only that calendar is asked, whatever its answers name.

use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::hex;
use anyhow::{Context, anyhow, bail};
use axum::http::StatusCode;
use tbsi_rpc::{HttpProblem, Remote, RemoteAnswer};
use tbsi_types::log::OtsNotary;
use tbsi_types::log::ots::read_ots;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tracing::{info, warn};

use super::Calendar;
use super::anchors::{Anchor, is_in_bitcoin};
use crate::limits::{ANCHOR_BYTES_MAX, ANCHORS_ASKED_MAX, WITNESS_TIMEOUT};
use crate::node::Node;

impl Calendar {
    /// Runs until told to stop; without another calendar it only waits for that.
    pub(crate) async fn run(
        self: Arc<Self>,
        node: Arc<Node>,
        mut stop: watch::Receiver<bool>,
    ) -> anyhow::Result<()> {
        let mut ticks = interval(Duration::from_secs(self.config.interval_s));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut failing = false;
        loop {
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return Ok(()),
                _ = ticks.tick() => {}
            }
            let Some(upstream) = &self.upstream else {
                continue;
            };
            let url = upstream.shown();
            match self.step(&node, upstream).await {
                Ok(()) => {
                    if failing {
                        info!(url, "the calendar answers again");
                    }
                    failing = false;
                }
                Err(error) => {
                    if !failing {
                        warn!(url, "the log's root is not anchored: {error:#}");
                    }
                    failing = true;
                }
            }
        }
    }

    async fn step(&self, node: &Node, upstream: &Remote) -> anyhow::Result<()> {
        let open = self.anchors().unfinished(ANCHORS_ASKED_MAX);
        for (size, anchor) in open {
            if let Some(anchor) = later(upstream, &anchor).await? {
                info!(%size, root = %anchor.root, "the log's root is in Bitcoin, says the calendar");
                self.anchors().put(size, anchor)?;
            }
        }
        let tip = node.tip();
        let (size, root) = (tip.log_size, tip.log_root);
        if size <= self.anchors().last() {
            return Ok(());
        }
        let body = ("application/octet-stream", root.to_vec());
        let asked = ask(upstream.post("digest", body, ANCHOR_BYTES_MAX));
        let (status, answer) = asked.await?;
        if status != StatusCode::OK {
            bail!("{status}: {}", first_line(&answer));
        }
        let anchor = Anchor::new(root, answer).map_err(|problem| anyhow!(problem))?;
        self.anchors().put(size, anchor)?;
        info!(%size, %root, "gave the log's root to the calendar");
        Ok(())
    }
}

/// The anchor with what the calendar knows by now, if that ends in Bitcoin.
async fn later(upstream: &Remote, anchor: &Anchor) -> anyhow::Result<Option<Anchor>> {
    let attestations = read_ots(&anchor.timestamp, anchor.root.as_slice())?;
    let mut pending = attestations.into_iter();
    // Only what is last can be replaced by a timestamp of any shape.
    let pending = pending.find(|it| it.is_last && matches!(it.notary, OtsNotary::Pending(_)));
    let Some(pending) = pending else {
        return Ok(None);
    };
    let commitment = hex::encode(&pending.message);
    let path = format!("timestamp/{commitment}");
    let asked = ask(upstream.get(&path, ANCHOR_BYTES_MAX));
    let (status, answer) = asked.await?;
    match status {
        StatusCode::OK => {}
        StatusCode::NOT_FOUND => return Ok(None),
        status => bail!("{status}: {}", first_line(&answer)),
    }
    let found = read_ots(&answer, &pending.message).context("its answer")?;
    if !is_in_bitcoin(&found) {
        return Ok(None);
    }
    let (start, end) = pending.place;
    let before = &anchor.timestamp[..start];
    let timestamp = [before, &answer, &anchor.timestamp[end..]].concat();
    if timestamp.len() > ANCHOR_BYTES_MAX {
        bail!(
            "its timestamp has {} bytes, at most {ANCHOR_BYTES_MAX} are kept",
            timestamp.len()
        );
    }
    let anchor = Anchor::new(anchor.root, timestamp).map_err(|problem| anyhow!(problem))?;
    Ok(Some(anchor))
}

async fn ask(
    exchange: impl Future<Output = Result<RemoteAnswer, HttpProblem>>,
) -> anyhow::Result<(StatusCode, Vec<u8>)> {
    let answer = timeout(WITNESS_TIMEOUT, exchange).await;
    let seconds = WITNESS_TIMEOUT.as_secs();
    let answer = answer.with_context(|| format!("no answer within {seconds} s"))??;
    Ok((answer.status, answer.body.to_vec()))
}

/// For the log, without control characters.
fn first_line(answer: &[u8]) -> String {
    let text = String::from_utf8_lossy(&answer[..answer.len().min(160)]);
    let line = text.lines().next().unwrap_or_default();
    line.replace(char::is_control, " ")
}
