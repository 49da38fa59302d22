//! The auditor's side of the record (SPEC §15.4): derives from both chains what the records
//! say, and names every difference. Nothing that the relayer says is believed, and no endpoint
//! of the source; those of the target as far as enough of them agree.

mod source;

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{B256, Bytes};
use serde::Serialize;
use tbsi_types::log::{Leaf, Statement};
use tbsi_types::{Checkpoint, Height};

use crate::record::{Attempt, Event, Inclusion, Item, Record, record_hash};
use crate::relay::RelayError;
use crate::source::Source;
use crate::state::State;
use crate::target::{Target, TargetBlock};

/// What an audit found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Records that were read.
    pub records: u64,
    /// Heads whose attestation on the source was verified.
    pub heads: u64,
    /// Records that no attested head covers yet.
    pub uncovered: u64,
    /// Transactions that were found on the target as recorded.
    pub transactions: u64,
    /// Leaves that they recorded.
    pub leaves: u64,
    /// Messages that they delivered.
    pub messages: u64,
    /// Gas that they used.
    pub gas: u64,
    /// What does not fit; empty if all does.
    pub differences: Vec<String>,
}

/// A plan, as its records tell it.
#[derive(Default)]
struct Story {
    items: Vec<Item>,
    nonce: Option<u64>,
    attempts: Vec<Attempt>,
    checkpoint: Option<B256>,
    settled: Option<Inclusion>,
}

/// What settled transactions brought, by the index of the leaf.
#[derive(Default)]
struct Brought {
    /// Recorded.
    leaves: BTreeMap<u64, Bytes>,
    /// Delivered.
    messages: BTreeMap<u64, Bytes>,
}

/// Checks records against both chains. `records` are those of a journal whose hashes and
/// numbers were found in order.
pub async fn audit<T: Target>(
    records: &[Record],
    source: &mut Source,
    target: &T,
) -> Result<Report, RelayError> {
    let mut report = Report {
        records: records.len() as u64,
        ..Report::default()
    };
    if let Err(error) = State::of(records) {
        report.differences.push(error.to_string());
    }
    let Some(first) = records.first() else {
        return Ok(report);
    };
    let hashes: Vec<B256> = records
        .iter()
        .map(|record| record_hash(&record.encode()))
        .collect();
    let stories = tell(records);
    source::heads(records, &hashes, source, &mut report).await?;
    let mut brought = Brought::default();
    let view = target.view().await?;
    for (number, story) in &stories {
        let Some(inclusion) = &story.settled else {
            continue;
        };
        let mut check = Check {
            number: *number,
            first,
            report: &mut report,
        };
        check.contents(story, inclusion, target, &mut brought);
        check.included(story, inclusion, target).await?;
        check.checkpoints(story, source).await?;
    }
    let leaves: Vec<u64> = brought.leaves.keys().copied().collect();
    for some in leaves.chunks(500) {
        let recorded = target.recorded(some, view.finalized).await?;
        for (leaf, recorded) in some.iter().zip(recorded) {
            if !recorded {
                let said = format!("leaf {leaf} is not recorded on the target");
                report.differences.push(said);
            }
        }
    }
    delivered(&brought, target, view.finalized, &mut report).await?;
    report.leaves = brought.leaves.len() as u64;
    report.messages = brought.messages.len() as u64;
    nonces(&stories, view.final_nonce, &mut report);
    source::log(&hashes, first, brought, source, &mut report).await?;
    Ok(report)
}

fn tell(records: &[Record]) -> BTreeMap<u64, Story> {
    let mut stories: BTreeMap<u64, Story> = BTreeMap::new();
    let mut proven = None;
    for record in records {
        match &record.event {
            Event::Proven { checkpoint, .. } => proven = Some(*checkpoint),
            Event::Planned { plan, items, .. } => {
                let story = stories.entry(*plan).or_default();
                story.items.clone_from(items);
                story.checkpoint = proven;
            }
            Event::NonceReserved { plan, nonce } => {
                stories.entry(*plan).or_default().nonce = Some(*nonce);
            }
            Event::Signed { plan, attempt } | Event::Replaced { plan, attempt } => {
                stories
                    .entry(*plan)
                    .or_default()
                    .attempts
                    .push(attempt.clone());
            }
            Event::Final {
                plan, inclusion, ..
            } => stories.entry(*plan).or_default().settled = Some(*inclusion),
            Event::Started { .. }
            | Event::Discovered { .. }
            | Event::Broadcast { .. }
            | Event::Included { .. }
            | Event::Reorganised { .. }
            | Event::Acked { .. }
            | Event::AlreadyDone { .. }
            | Event::Expired { .. }
            | Event::Quarantined { .. }
            | Event::Retried { .. }
            | Event::Released { .. }
            | Event::Revived { .. }
            | Event::Held { .. }
            | Event::Resumed { .. }
            | Event::Alarm { .. } => {}
        }
    }
    stories
}

/// Checks of one plan.
struct Check<'a> {
    number: u64,
    first: &'a Record,
    report: &'a mut Report,
}

impl Check<'_> {
    fn differs(&mut self, what: &str) {
        let said = format!("plan {}: {what}", self.number);
        self.report.differences.push(said);
    }

    /// That the transaction's own bytes are what the records say of it.
    fn contents<T: Target>(
        &mut self,
        story: &Story,
        inclusion: &Inclusion,
        target: &T,
        brought: &mut Brought,
    ) {
        let hash = inclusion.transaction;
        let attempt = story.attempts.iter().find(|one| one.transaction == hash);
        let Some(attempt) = attempt else {
            return self.differs("the included transaction was never signed");
        };
        let contents = match target.contents(attempt) {
            Ok(contents) => contents,
            Err(problem) => return self.differs(&problem),
        };
        let parties = &self.first.parties;
        let expected_to = match story.items.first() {
            None => Some(parties.account),
            Some(Item::Message(_)) => target.inbox(),
            Some(_) => Some(parties.light_client),
        };
        let said = [
            (contents.transaction == hash, "its bytes have another hash"),
            (
                contents.signer == parties.account,
                "somebody else signed it",
            ),
            (
                contents.chain_id == parties.target_chain_id,
                "it is for another chain",
            ),
            (Some(contents.nonce) == story.nonce, "it has another nonce"),
            (
                Some(contents.to) == expected_to,
                "it calls another contract",
            ),
        ];
        for (right, what) in said {
            if !right {
                self.differs(what);
            }
        }
        let decoded = contents.checkpoints.iter();
        let decoded = decoded.filter_map(|bytes| Checkpoint::decode(bytes).ok());
        let checkpoints: Vec<Checkpoint> = decoded.collect();
        let mut items = BTreeSet::new();
        for (position, checkpoint) in checkpoints.iter().enumerate() {
            let height = checkpoint.height.0;
            if position >= 2 * contents.handovers {
                items.insert(Item::Checkpoint(height));
            } else if position % 2 == 0 {
                items.insert(Item::Handover(height));
            }
        }
        items.extend(contents.leaves.iter().map(|(index, _)| Item::Leaf(*index)));
        let message = contents.message.iter();
        items.extend(message.map(|(index, _)| Item::Message(*index)));
        items.extend(contents.evidence.map(Item::Evidence));
        if items != story.items.iter().copied().collect() {
            self.differs("it carries other items than recorded");
        }
        if inclusion.success {
            brought.leaves.extend(contents.leaves);
            brought.messages.extend(contents.message);
        }
    }

    /// That it is in the block, with the gas and the outcome that the records say.
    async fn included<T: Target>(
        &mut self,
        story: &Story,
        inclusion: &Inclusion,
        target: &T,
    ) -> Result<(), RelayError> {
        let found = target.included(&story.attempts).await?;
        if found.as_ref() != Some(inclusion) {
            let found = found.map_or("nothing".into(), |found| format!("{found:?}"));
            self.differs(&format!("recorded as {inclusion:?}, found {found}"));
            return Ok(());
        }
        let hash = target.block_hash(inclusion.block).await?;
        if hash != Some(inclusion.block_hash) {
            self.differs(&format!("block {} is another", inclusion.block));
            return Ok(());
        }
        self.report.transactions += 1;
        self.report.gas += inclusion.gas_used;
        Ok(())
    }

    /// That the checkpoint which proved it is the source's.
    async fn checkpoints(&mut self, story: &Story, source: &mut Source) -> Result<(), RelayError> {
        let height = story.items.iter().find_map(|item| match item {
            Item::Checkpoint(height) => Some(Height(*height)),
            Item::Evidence(_) | Item::Handover(_) | Item::Leaf(_) | Item::Message(_) => None,
        });
        if let (Some(height), Some(recorded)) = (height, story.checkpoint) {
            let found = source.at(height).await?.verified.digest.0;
            if found != recorded {
                self.differs(&format!("the checkpoint of height {height} is {found}"));
            }
        }
        Ok(())
    }
}

/// That the inbox has marked each message that was delivered.
async fn delivered<T: Target>(
    brought: &Brought,
    target: &T,
    block: TargetBlock,
    report: &mut Report,
) -> Result<(), RelayError> {
    for (index, bytes) in &brought.messages {
        let statement = Leaf::decode(bytes).map(|leaf| leaf.statement);
        let marked = match statement {
            Ok(Statement::Message { sequence, .. }) => {
                target.delivered(&[sequence], block).await? == [true]
            }
            Ok(_) | Err(_) => false,
        };
        if !marked {
            let said = format!("the message of leaf {index} is not delivered on the target");
            report.differences.push(said);
        }
    }
    Ok(())
}

/// That no nonce between the first recorded one and the account's is left out.
fn nonces(stories: &BTreeMap<u64, Story>, end: u64, report: &mut Report) {
    let settled = stories.values().filter(|story| story.settled.is_some());
    let used: BTreeSet<u64> = settled.filter_map(|story| story.nonce).collect();
    let open: BTreeSet<u64> = stories.values().filter_map(|story| story.nonce).collect();
    let Some(first) = open.first() else {
        if end > 0 {
            let said = format!("the account has sent {end} transactions, the record has none");
            report.differences.push(said);
        }
        return;
    };
    for nonce in *first..end {
        if !used.contains(&nonce) {
            let said = format!("nonce {nonce} was used by a transaction that is not recorded");
            report.differences.push(said);
        }
    }
}
