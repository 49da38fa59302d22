//! Messages: one transaction each, so that a receiver that refuses holds up nobody else.

use std::ops::Range;

use alloy_primitives::B256;
use tbsi_types::log::{Leaf, Statement};
use tbsi_types::{Height, LeafIndex};

use super::send::Ready;
use super::{Relay, RelayError, payloads};
use crate::limits::{MESSAGES_KEPT_MAX, MESSAGES_PER_STEP_MAX};
use crate::record::{Event, Hold, Item, Reason};
use crate::source::{Proven, ProvenLeaf};
use crate::state::Stage;
use crate::target::{Delivery, Kept, Load, Prepared, Target, View};

/// What the relayer needs of a message, from a leaf that was proven.
#[derive(Clone, Copy, Debug)]
pub(super) struct Message {
    sequence: u64,
    /// Last second of the target's block time.
    timeout: u64,
    payload_hash: B256,
}

/// How far a message is on the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Delivered {
    /// Not after the latest block.
    Not,
    /// In a block that may go away.
    Lately,
    /// After the final block.
    Finally,
}

impl Message {
    fn of(leaf: &ProvenLeaf) -> Option<Self> {
        let decoded = Leaf::decode(&leaf.leaf.bytes).ok()?;
        let Statement::Message {
            sequence,
            timeout,
            payload_hash,
            ..
        } = decoded.statement
        else {
            return None;
        };
        Some(Self {
            sequence,
            timeout,
            payload_hash,
        })
    }
}

impl<T: Target> Relay<T> {
    /// Whether messages wait among these leaves.
    pub(super) fn has_messages_in(&self, leaves: Range<u64>) -> bool {
        let range = Item::Message(leaves.start)..Item::Message(leaves.end);
        !leaves.is_empty() && self.state.waiting.range(range).next().is_some()
    }

    /// Messages that are looked at in this step: those after the last step's, around the end.
    fn some_messages(&mut self, end: u64) -> Vec<u64> {
        let planned = |stage: &Stage| matches!(stage, Stage::Planned(_));
        let open = |from: u64, to: u64| {
            self.state
                .items
                .range(Item::Message(from)..Item::Message(to))
                .filter(|(_, entry)| !planned(&entry.stage))
                .filter_map(|(item, _)| item.leaf())
        };
        let from = self.next_message.min(end);
        let some: Vec<u64> = open(from, end)
            .chain(open(0, from))
            .take(MESSAGES_PER_STEP_MAX)
            .collect();
        self.next_message = some.last().map_or(0, |last| last + 1);
        some
    }

    /// What a leaf says, proven under a checkpoint that covers it.
    async fn message(&mut self, index: u64, under: &Proven) -> Result<Option<Message>, RelayError> {
        if let Some(known) = self.messages.get(&index) {
            return Ok(Some(*known));
        }
        let leaf = self.source.prove_leaf(LeafIndex(index), under).await?;
        let message = Message::of(&leaf);
        if let Some(message) = message {
            if self.messages.len() >= MESSAGES_KEPT_MAX {
                self.messages.clear();
            }
            self.messages.insert(index, message);
        }
        Ok(message)
    }

    /// The light client's newest checkpoint, as the source has it; none if they differ.
    pub(super) async fn common(&mut self, view: &View) -> Result<Option<Proven>, RelayError> {
        let client = &view.client;
        let under = self.source.at(Height(client.height)).await?;
        if under.verified.digest.0 == client.digest {
            return Ok(Some(under));
        }
        let detail = format!(
            "the light client holds checkpoint {} at height {}, the source has {}",
            client.digest, client.height, under.verified.digest
        );
        self.alarm("conflict", detail)?;
        Ok(None)
    }

    /// Settles messages that a final block shows delivered, or too late to be. Also while
    /// nothing is sent, and for those in quarantine.
    pub(super) async fn settle_messages(&mut self, view: &View) -> Result<(), RelayError> {
        self.candidates.clear();
        let end = view.client.log_size;
        let some = self.some_messages(end);
        if !self.target.takes_messages() || some.is_empty() {
            return Ok(());
        }
        let Some(under) = self.common(view).await? else {
            return Ok(());
        };
        let mut known = Vec::new();
        for index in some {
            match self.message(index, &under).await? {
                Some(message) => known.push((index, message)),
                None => self.set_aside(index, reason("kind", "the leaf is no message"))?,
            }
        }
        let delivered = self.deliveries(&known, view).await?;
        let (mut done, mut late) = (Vec::new(), Vec::new());
        for ((index, message), delivered) in known.into_iter().zip(delivered) {
            let too_late = view.final_client.is_some() && view.finalized.time > message.timeout;
            match delivered {
                Delivered::Finally => done.push(Item::Message(index)),
                Delivered::Not if too_late => late.push(Item::Message(index)),
                Delivered::Not if view.latest.time < message.timeout => self.candidates.push(index),
                Delivered::Not | Delivered::Lately => {}
            }
        }
        let block = view.finalized.number;
        if !done.is_empty() {
            let items = done;
            self.record(vec![Event::AlreadyDone { items, block }])?;
        }
        if !late.is_empty() {
            self.health.metrics.failed("expired");
            let items = late;
            self.record(vec![Event::Expired { items, block }])?;
        }
        Ok(())
    }

    async fn deliveries(
        &self,
        messages: &[(u64, Message)],
        view: &View,
    ) -> Result<Vec<Delivered>, RelayError> {
        let sequences: Vec<u64> = messages.iter().map(|(_, it)| it.sequence).collect();
        let kept = Kept::Messages(&sequences);
        let latest = self.target.has(kept, view.latest).await?;
        let mut delivered = Vec::with_capacity(sequences.len());
        for (sequence, latest) in sequences.into_iter().zip(latest) {
            let once = latest && view.final_client.is_some();
            delivered.push(match (latest, once) {
                (true, true) => {
                    let kept = [sequence];
                    let kept = Kept::Messages(&kept);
                    if self.target.has(kept, view.finalized).await? == [true] {
                        Delivered::Finally
                    } else {
                        Delivered::Lately
                    }
                }
                (true, false) => Delivered::Lately,
                (false, _) => Delivered::Not,
            });
        }
        Ok(delivered)
    }

    /// Delivers what can be: not paused, not delivered, in time, and with its payload.
    pub(super) async fn messages(&mut self, view: &View) -> Result<(), RelayError> {
        if self.candidates.is_empty() || view.holds.contains(&Hold::MessagesPaused) {
            return Ok(());
        }
        let candidates = std::mem::take(&mut self.candidates);
        let Some(under) = self.common(view).await? else {
            return Ok(());
        };
        for index in candidates {
            if !self.state.waiting.contains(&Item::Message(index)) {
                continue;
            }
            if !self.has_room() {
                return Ok(());
            }
            self.deliver(index, &under).await?;
        }
        Ok(())
    }

    async fn deliver(&mut self, index: u64, under: &Proven) -> Result<(), RelayError> {
        let Some(message) = self.message(index, under).await? else {
            return Ok(());
        };
        let Some(payload) = self.payload(message.payload_hash)? else {
            return self.set_aside(index, payloads::missing(message.payload_hash));
        };
        let delivery = Delivery {
            leaf: self.source.prove_leaf(LeafIndex(index), under).await?,
            under: under.clone(),
            payload,
        };
        match self
            .target
            .prepare(&Load::Delivery(Box::new(delivery)))
            .await?
        {
            Prepared::Ready(draft) => {
                let items = vec![Item::Message(index)];
                let under = under.clone();
                let ready = Ready {
                    items,
                    draft,
                    under,
                };
                self.send(ready).await
            }
            Prepared::TooLarge(reason) => self.set_aside(index, reason),
            Prepared::Refused { code, detail, hold } => {
                // A receiver can say the words of the light client: only that itself is believed.
                if hold.is_some() {
                    let now = self.target.view().await?;
                    let paused = now.holds.contains(&Hold::MessagesPaused);
                    if now.client.hold.is_some() || paused {
                        return Ok(());
                    }
                }
                self.set_aside(index, reason(&code, detail))
            }
        }
    }

    fn set_aside(&mut self, index: u64, reason: Reason) -> Result<(), RelayError> {
        let item = Item::Message(index);
        if !self.state.waiting.contains(&item) {
            return Ok(());
        }
        self.health.metrics.failed("quarantined");
        let items = vec![item];
        self.record(vec![Event::Quarantined { items, reason }])
    }
}

fn reason(code: &str, detail: impl Into<String>) -> Reason {
    Reason {
        code: code.into(),
        detail: detail.into(),
    }
}
