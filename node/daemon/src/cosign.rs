//! Cosigns the log after it was decided, and collects what others cosigned (SPEC §9.6, §9.12).
//!
//! Beside consensus: nothing here is waited for, and what is late, wrong or missing is dropped.

mod pace;
mod pool;
mod post_quantum;

use std::sync::Arc;
use std::time::Instant;

use tbsi_keys::keyfile::{LogKey, PostQuantumKey};
use tbsi_p2p::Judgement;
use tbsi_store::StoreError;
use tbsi_types::log::{NoteSigner, SignatureType};
use tbsi_types::{Address, Bytes, Height, TimestampMs};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{mpsc, watch};
use tracing::{debug, warn};

use crate::clock::wall_clock;
use crate::gossip::{Cosignatures, PostQuantumCosignature, TimestampedSignature, Unjudged};
use crate::limits::{
    COSIGNATURES_VERIFIED_MAX, POST_QUANTUM_INTERVAL_MS, POST_QUANTUM_VERIFIED_MAX,
};
use crate::node::{Node, causes};
use pace::{Budget, Pace};
pub(crate) use pool::{CosignaturePool, Dropped, LogState};
pub(crate) use post_quantum::PostQuantumPool;

/// Cosigns as this validator.
pub struct OwnCosigner {
    /// Address of the validator's key.
    pub validator: Address,
    /// Its key for the log.
    pub key: LogKey,
    /// Its post-quantum key for the log, if it has one.
    pub post_quantum: Option<PostQuantumKey>,
}

impl OwnCosigner {
    /// Signs in the name of the operator that the chain gives the validator; `None` if it is
    /// not in the set, or if the chain names another key, so that nobody would take it.
    fn signer(&self, node: &Node) -> Option<NoteSigner> {
        let roster = node.roster();
        let validator = roster.members.set().get(&self.validator)?;
        let signer = self.key.cosigner(&node.identity, validator.operator);
        let key = signer.verifier(SignatureType::Cosignature);
        let taken = node.cosignatures().takes(self.validator, &key);
        taken.then_some(signer)
    }

    /// A post-quantum cosignature of the log; `None` without such a key, or if the chain does
    /// not name it.
    fn post_quantum(
        &self,
        node: &Node,
        log: LogState,
        wall: TimestampMs,
    ) -> Option<PostQuantumCosignature> {
        let key = self.post_quantum.as_ref()?;
        let roster = node.roster();
        let validator = roster.members.set().get(&self.validator)?;
        let pool = node.post_quantum();
        pool.takes(self.validator, key.public_key_hash())?;
        let checkpoint = pool.checkpoint(log);
        drop(pool);
        let signer = key.cosigner(&node.identity, validator.operator);
        match signer.cosign(&checkpoint, wall.seconds()) {
            Ok(line) => Some(PostQuantumCosignature {
                size: log.0,
                root: log.1,
                validator: self.validator,
                key: Bytes::copy_from_slice(signer.verifier().public_key()),
                signature: line.bytes.into(),
            }),
            Err(error) => {
                warn!(size = %log.0, "cannot cosign the log: {}", causes(&error));
                None
            }
        }
    }
}

/// What the task does, one event at a time. It has no clock.
pub struct Cosigning {
    node: Arc<Node>,
    own: Option<OwnCosigner>,
    pace: Pace,
    budget: Budget,
    post_quantum_pace: Pace,
    post_quantum_budget: Budget,
}

impl Cosigning {
    /// On the log that the node has. Without a cosigner it only collects.
    pub fn new(node: Arc<Node>, own: Option<OwnCosigner>, now: Instant) -> Self {
        let mut pace = Pace::default();
        note_tip(&node, now);
        pace.on_start(node.tip().log_size, now);
        let mut post_quantum_pace = Pace::every(POST_QUANTUM_INTERVAL_MS);
        post_quantum_pace.on_start(node.tip().log_size, now);
        Self {
            node,
            own,
            pace,
            budget: Budget::new(COSIGNATURES_VERIFIED_MAX),
            post_quantum_pace,
            post_quantum_budget: Budget::new(POST_QUANTUM_VERIFIED_MAX),
        }
    }

    /// A block was stored: cosigns its log, if all validators cosign that one at once.
    pub fn on_head(
        &mut self,
        height: Height,
        now: Instant,
        wall: TimestampMs,
    ) -> Result<(), StoreError> {
        let node = &self.node;
        note_tip(node, now);
        let tip = node.tip();
        // Who cosigns a log says that it knows of none that is larger.
        let is_tip = tip.height == height;
        let parent = match height.previous() {
            Some(parent) => node.store.checkpoint(parent)?.map(|parent| parent.time),
            None => None,
        };
        let times = (parent.unwrap_or(TimestampMs(0)), tip.time);
        if self.pace.on_head(tip.log_size, times, now) && is_tip {
            self.cosign_ed25519(now, wall);
        }
        if self.post_quantum_pace.on_head(tip.log_size, times, now) && is_tip {
            self.cosign_post_quantum(now, wall);
        }
        Ok(())
    }

    /// When the log is to be cosigned if no block comes before.
    pub fn idle_at(&self) -> Option<Instant> {
        let own = self.own.as_ref();
        let post_quantum = own.and_then(|own| own.post_quantum.as_ref());
        let paces = [
            self.pace.idle_at(),
            post_quantum.and_then(|_| self.post_quantum_pace.idle_at()),
        ];
        paces.into_iter().flatten().min()
    }

    /// No block came until [`Cosigning::idle_at`].
    pub fn cosign(&mut self, now: Instant, wall: TimestampMs) {
        // Whoever waits may wake up a moment early.
        let by = self.idle_at().map_or(now, |at| at.max(now));
        if self.pace.is_idle(by) {
            self.cosign_ed25519(now, wall);
        }
        if self.post_quantum_pace.is_idle(by) {
            self.cosign_post_quantum(now, wall);
        }
    }

    /// Cosigns the log at the tip with the post-quantum key, if there is one, and tells everybody.
    fn cosign_post_quantum(&mut self, now: Instant, wall: TimestampMs) {
        let node = &self.node;
        let log = log_at_tip(node);
        self.post_quantum_pace.on_cosigned(log.0, now);
        let own = self.own.as_ref();
        let Some(cosignature) = own.and_then(|own| own.post_quantum(node, log, wall)) else {
            return;
        };
        note_tip(node, now);
        let mut pool = node.post_quantum();
        let added = pool
            .to_verify(&cosignature)
            .and_then(|(key, _)| pool.add(cosignature.clone(), key));
        drop(pool);
        if added.is_err() {
            return;
        }
        node.metrics.post_quantum_cosigned.inc();
        debug!(size = %log.0, "cosigned the log with the post-quantum key");
        node.gossip.publish_post_quantum(cosignature);
    }

    /// Takes a post-quantum cosignature that is new and right, as [`Cosigning::receive`] does.
    pub fn receive_post_quantum(
        &mut self,
        received: PostQuantumCosignature,
        now: Instant,
    ) -> Judgement {
        let node = &self.node;
        let (log, validator) = ((received.size, received.root), received.validator);
        let to_verify = node.post_quantum().to_verify(&received);
        let budget = &mut self.post_quantum_budget;
        let verified = to_verify.and_then(|(key, signature)| {
            if !budget.take(now) {
                return Err(Dropped::TooMany);
            }
            let checkpoint = node.post_quantum().checkpoint(log);
            let verified = key.verify(&checkpoint, &signature);
            verified.map(|_| key).map_err(|_| Dropped::Invalid)
        });
        match verified.and_then(|key| node.post_quantum().add(received, key)) {
            Ok(()) => {
                node.metrics.post_quantum_taken.inc();
                Judgement::Forward
            }
            Err(dropped) => {
                node.metrics.post_quantum_dropped(dropped.kind());
                if dropped == Dropped::OtherRoot {
                    report_other_root(node, log, validator);
                }
                if dropped == Dropped::Invalid {
                    Judgement::Fault
                } else {
                    Judgement::Keep
                }
            }
        }
    }

    /// Cosigns the log at the tip, which is decided and on disk, and tells everybody.
    fn cosign_ed25519(&mut self, now: Instant, wall: TimestampMs) {
        let node = &self.node;
        let log = log_at_tip(node);
        self.pace.on_cosigned(log.0, now);
        let own = self.own.as_ref();
        let Some((validator, signer)) =
            own.and_then(|own| Some((own.validator, own.signer(node)?)))
        else {
            return;
        };
        note_tip(node, now);
        let mut pool = node.cosignatures();
        let line = match signer.cosign(&pool.text(log), wall.seconds()) {
            Ok(line) => line,
            Err(error) => {
                warn!(size = %log.0, "cannot cosign the log: {}", causes(&error));
                return;
            }
        };
        let bytes: TimestampedSignature = line.bytes.try_into().expect("a time and a signature");
        if pool.add(log, validator, bytes, now).is_err() {
            return;
        }
        drop(pool);
        node.metrics.cosigned.inc();
        debug!(size = %log.0, "cosigned the log");
        node.gossip.publish_cosignatures(Cosignatures {
            size: log.0,
            root: log.1,
            list: vec![(validator, bytes)],
        });
    }

    /// Takes what is new and right; one that is neither harms nothing, and goes on to nobody. A
    /// wrong signature counts a little against whoever sent it: keys of cosigners change with a
    /// block.
    pub fn receive(&mut self, received: &Cosignatures, now: Instant) -> Judgement {
        let node = &self.node;
        let mut judgement = Judgement::Keep;
        let log = (received.size, received.root);
        let text = node.cosignatures().text(log);
        for (validator, bytes) in &received.list {
            let verified = verify(node, log, &text, (*validator, bytes), &mut self.budget, now);
            let added = verified.and_then(|()| {
                let mut pool = node.cosignatures();
                pool.add(log, *validator, *bytes, now)
            });
            match added {
                Ok(()) => {
                    judgement = Judgement::Forward;
                    node.metrics.cosignatures_taken.inc();
                }
                Err(dropped) => {
                    if dropped == Dropped::Invalid && judgement == Judgement::Keep {
                        judgement = Judgement::Fault;
                    }
                    node.metrics.cosignature_dropped(dropped.kind());
                    if dropped == Dropped::OtherRoot {
                        report_other_root(node, log, *validator);
                    }
                }
            }
        }
        judgement
    }
}

/// Runs until told to stop. Without a cosigner it only collects.
pub(crate) async fn run(
    node: Arc<Node>,
    own: Option<OwnCosigner>,
    mut incoming: mpsc::Receiver<(Cosignatures, Unjudged)>,
    mut post_quantum: mpsc::Receiver<(PostQuantumCosignature, Unjudged)>,
    mut stop: watch::Receiver<bool>,
) -> anyhow::Result<()> {
    let mut heads = node.heads();
    let mut cosigning = Cosigning::new(Arc::clone(&node), own, Instant::now());
    loop {
        let next = tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return Ok(()),
            head = heads.recv() => Next::Head(match head {
                Ok(height) => height,
                Err(RecvError::Lagged(_)) => node.tip().height,
                Err(RecvError::Closed) => anyhow::bail!("nobody announces heights"),
            }),
            () = until(cosigning.idle_at()) => Next::Idle,
            received = incoming.recv() => match received {
                Some(received) => Next::Received(Box::new(received)),
                None => anyhow::bail!("the gossip network ended"),
            },
            received = post_quantum.recv() => match received {
                Some(received) => Next::PostQuantum(Box::new(received)),
                None => anyhow::bail!("the gossip network ended"),
            },
        };
        match next {
            Next::Head(height) => cosigning.on_head(height, Instant::now(), wall_clock())?,
            Next::Idle => cosigning.cosign(Instant::now(), wall_clock()),
            Next::Received(message) => {
                let (received, unjudged) = *message;
                let receive = move || {
                    let judgement = cosigning.receive(&received, Instant::now());
                    (cosigning, judgement)
                };
                let (back, judgement) = tokio::task::spawn_blocking(receive).await?;
                cosigning = back;
                unjudged.judge(judgement);
            }
            Next::PostQuantum(message) => {
                let (received, unjudged) = *message;
                let receive = move || {
                    let judgement = cosigning.receive_post_quantum(received, Instant::now());
                    (cosigning, judgement)
                };
                let (back, judgement) = tokio::task::spawn_blocking(receive).await?;
                cosigning = back;
                unjudged.judge(judgement);
            }
        }
    }
}

/// What the task does next.
enum Next {
    Head(Height),
    Idle,
    Received(Box<(Cosignatures, Unjudged)>),
    PostQuantum(Box<(PostQuantumCosignature, Unjudged)>),
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}

fn log_at_tip(node: &Node) -> LogState {
    let tip = node.tip();
    (tip.log_size, tip.log_root)
}

fn note_tip(node: &Node, now: Instant) {
    let tip = log_at_tip(node);
    let mut wrong = node.cosignatures().note_log(tip, now);
    wrong.extend(node.post_quantum().note_log(tip));
    for validator in wrong {
        report_other_root(node, tip, validator);
    }
}

fn verify(
    node: &Node,
    log: LogState,
    text: &str,
    (validator, bytes): (Address, &TimestampedSignature),
    budget: &mut Budget,
    now: Instant,
) -> Result<(), Dropped> {
    let to_verify = node.cosignatures().to_verify(log, validator, bytes);
    let (key, signature) = to_verify?;
    if !budget.take(now) {
        return Err(Dropped::TooMany);
    }
    let verified = key.verify(text, &signature);
    verified.map(drop).map_err(|_| Dropped::Invalid)
}

fn report_other_root(node: &Node, (size, root): LogState, validator: Address) {
    warn!(%size, %root, %validator, operator = node.legal_name(validator),
        "a validator cosigned another log than this node has");
}
