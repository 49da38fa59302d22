//! Asks an outside witness to cosign this network's log (SPEC §9.7).

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use axum::http::StatusCode;
use tbsi_rpc::Remote;
use tbsi_types::TreeSize;
use tbsi_types::log::{AddCheckpoint, ConsistencyProof, NoteSignature, NoteSigner, SignedNote};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tracing::{info, warn};

use crate::cosign::LogState;
use crate::limits::{WITNESS_ANSWER_BYTES_MAX, WITNESS_TIMEOUT};
use crate::node::Node;

/// One outside witness.
pub(crate) struct Submitter {
    /// This node.
    pub(crate) node: Arc<Node>,
    /// Signs notes of the log.
    pub(crate) log: Arc<NoteSigner>,
    /// Where it is.
    pub(crate) witness: Remote,
    /// Its position among the outside witnesses.
    pub(crate) position: usize,
    /// How often it is asked at most.
    pub(crate) every: Duration,
}

/// What a witness said.
enum Answer {
    Cosigned(NoteSignature),
    /// It knows the log at this size.
    Knows(TreeSize),
}

impl Submitter {
    /// Asks whenever the log has grown, until told to stop. A witness that cannot be reached is
    /// asked again: nothing here waits for it.
    pub(crate) async fn run(self, mut stop: watch::Receiver<bool>) -> anyhow::Result<()> {
        let mut ticks = interval(self.every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut known, mut cosigned) = (TreeSize(0), TreeSize(0));
        let mut failing = false;
        loop {
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return Ok(()),
                _ = ticks.tick() => {}
            }
            let tip = self.node.tip();
            let log = (tip.log_size, tip.log_root);
            let log = self.node.cosignatures().served(log, Instant::now());
            if log.0 <= cosigned {
                continue;
            }
            let outcome = self.submit(log, &mut known).await;
            let url = self.witness.shown();
            match outcome {
                Ok(()) => {
                    cosigned = log.0;
                    if failing {
                        info!(url, "the outside witness cosigns again");
                    }
                    failing = false;
                }
                Err(error) => {
                    if !failing {
                        warn!(url, "the outside witness has not cosigned: {error:#}");
                    }
                    failing = true;
                }
            }
        }
    }

    /// Asks from the size that the witness is thought to know; if that is wrong, once more from
    /// the one that it names.
    async fn submit(&self, log: LogState, known: &mut TreeSize) -> anyhow::Result<()> {
        for _ in 0..2 {
            let old = *known;
            let (body, text) = self.request(old, log)?;
            let answer = timeout(WITNESS_TIMEOUT, self.post(body, &text));
            let answer = answer
                .await
                .with_context(|| format!("no answer within {} s", WITNESS_TIMEOUT.as_secs()))?;
            match answer? {
                Answer::Cosigned(line) => {
                    *known = log.0;
                    let mut pool = self.node.cosignatures();
                    pool.add_outside(log.0, self.position, line);
                    self.node.metrics.witnessed.inc();
                    return Ok(());
                }
                Answer::Knows(size) if size == old => bail!(
                    "it knows another log of {size} leaves under our name: somebody signed two"
                ),
                Answer::Knows(size) if size > log.0 => bail!(
                    "it knows {size} leaves, this node only {}; that will change if this node \
                     is behind",
                    log.0
                ),
                Answer::Knows(size) => *known = size,
            }
        }
        bail!("the size that it knows changes while it is asked; another node asks too")
    }

    fn request(&self, old: TreeSize, log: LogState) -> anyhow::Result<(String, String)> {
        let proof = if old.0 == 0 || old == log.0 {
            ConsistencyProof(Vec::new())
        } else {
            self.node.store.prove_consistency(old, log.0)?
        };
        let text = self.node.cosignatures().text(log);
        let signature = self.log.sign(&text);
        let note = SignedNote::new(text.clone(), vec![signature])?;
        Ok((AddCheckpoint { old, proof, note }.encode(), text))
    }

    async fn post(&self, body: String, text: &str) -> anyhow::Result<Answer> {
        let body = ("text/plain; charset=utf-8", body.into_bytes());
        let max = WITNESS_ANSWER_BYTES_MAX;
        let asked = self.witness.post("add-checkpoint", body, max);
        let answer = asked.await?;
        let body = String::from_utf8(answer.body.to_vec())?;
        match answer.status {
            StatusCode::OK => self.cosignature(text, &body).map(Answer::Cosigned),
            StatusCode::CONFLICT => {
                let size = body.trim_end().parse().context("409 without a size")?;
                Ok(Answer::Knows(TreeSize(size)))
            }
            status => bail!("{status}: {}", body.lines().next().unwrap_or_default()),
        }
    }

    /// The witness's line, if it is one under this text.
    fn cosignature(&self, text: &str, lines: &str) -> anyhow::Result<NoteSignature> {
        let note = SignedNote::parse(&format!("{text}\n{lines}")).context("its answer")?;
        let pool = self.node.cosignatures();
        let key = &pool.outside()[self.position];
        let mut own = note.signatures().iter().filter(|line| key.claims(line));
        let line = own
            .next()
            .context("its answer is not signed with its key")?;
        key.verify(text, line)?;
        Ok(line.clone())
    }
}
