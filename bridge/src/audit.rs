//! The auditor's side of the record (SPEC §15.4): derives from both chains what the records
//! say, and names every difference. Nothing that the relayer says is believed, and no endpoint
//! of the source; those of the target as far as enough of them agree.

mod source;
mod story;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use alloy_primitives::{B256, Bytes};
use serde::Serialize;
use tbsi_types::Height;
use tbsi_types::log::{Leaf, Statement};

use crate::journal::{self, JournalError, Journaled};
use crate::record::{Event, Parties, Record};
use crate::relay::{RelayError, follow};
use crate::source::Source;
use crate::state::State;
use crate::target::{Kept, Target, TargetBlock};
use story::{Settled, Stories};

/// Leaves that the target is asked about at a time.
const LEAVES_AT_ONCE: usize = 500;

/// What an audit found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Files of the journal.
    pub files: usize,
    /// Records that were read.
    pub records: u64,
    /// Whether the last line was cut short.
    pub torn: bool,
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
    /// What they cost together, by the target's own names.
    pub cost: BTreeMap<String, u64>,
    /// What does not fit; empty if all does.
    pub differences: Vec<String>,
}

/// What settled transactions brought, by the index of the leaf.
#[derive(Default)]
struct Brought {
    /// Recorded.
    leaves: BTreeMap<u64, Bytes>,
    /// Delivered.
    messages: BTreeMap<u64, Bytes>,
}

/// A head that is called attested.
struct Acked {
    /// Of the record that says so.
    number: u64,
    through: u64,
    head: B256,
    leaf: u64,
}

/// What is known of the records so far.
#[derive(Default)]
struct Audit {
    state: State,
    /// Whether records followed on each other so far.
    legal: bool,
    parties: Option<Parties>,
    hashes: Vec<B256>,
    acked: Vec<Acked>,
    stories: Stories,
    brought: Brought,
    report: Report,
}

/// Checks all files of a home directory's journal against both chains.
pub async fn audit<T: Target>(
    home: &Path,
    source: &mut Source,
    target: &mut T,
) -> Result<Report, RelayError> {
    let mut audit = Audit {
        legal: true,
        ..Audit::default()
    };
    let mut end = Journaled::default();
    for file in journal::files(home)? {
        let reader: &T = target;
        end = journal::read_on(&file, &end, |record, hash| {
            audit.read(record, hash, reader);
            Ok::<(), JournalError>(())
        })?;
        audit.report.files += 1;
        // What is settled is looked at file by file, and forgotten.
        let Some(parties) = audit.parties.clone() else {
            continue;
        };
        for settled in audit.stories.take_settled() {
            audit.check(&settled, &parties, source, target).await?;
        }
    }
    audit.report.records = audit.hashes.len() as u64;
    audit.report.torn = end.torn;
    let Some(parties) = audit.parties.take() else {
        return Ok(audit.report);
    };
    audit.finish(&parties, source, target).await
}

impl Audit {
    /// The next record.
    fn read<T: Target>(&mut self, record: &Record, hash: B256, target: &T) {
        if self.legal
            && let Err(illegal) = follow(&mut self.state, target, record)
        {
            self.legal = false;
            self.report.differences.push(illegal.to_string());
        }
        self.hashes.push(hash);
        let parties = self.parties.get_or_insert_with(|| record.parties.clone());
        if *parties != record.parties {
            let number = record.number;
            let said = format!("record {number} names other parties than the first one");
            self.report.differences.push(said);
        }
        if let Event::Acked {
            through,
            head,
            leaf,
            ..
        } = &record.event
        {
            self.acked.push(Acked {
                number: record.number,
                through: *through,
                head: *head,
                leaf: *leaf,
            });
        }
        self.stories
            .tell(&record.event, |steps| target.place(steps));
    }

    /// One settled plan, against its own bytes and both chains.
    async fn check<T: Target>(
        &mut self,
        settled: &Settled,
        parties: &Parties,
        source: &mut Source,
        target: &T,
    ) -> Result<(), RelayError> {
        let audited = target.audit(&settled.told, parties).await?;
        let number = settled.plan;
        let said = audited.differences.into_iter();
        let said = said.map(|what| format!("plan {number}: {what}"));
        self.report.differences.extend(said);
        self.brought.leaves.extend(audited.leaves);
        self.brought.messages.extend(audited.messages);
        self.report.transactions += u64::from(audited.found);
        for (name, amount) in audited.cost {
            let sum = self.report.cost.entry(name).or_default();
            *sum = sum.saturating_add(amount);
        }
        // That the checkpoint which proved it is the source's.
        let height = settled.told.items.iter().find_map(|item| item.checkpoint());
        if let (Some(height), Some(recorded)) = (height, settled.checkpoint) {
            let found = source.at(Height(height)).await?.verified.digest.0;
            if found != recorded {
                let said = format!("plan {number}: the checkpoint of height {height} is {found}");
                self.report.differences.push(said);
            }
        }
        Ok(())
    }

    /// What takes all records.
    async fn finish<T: Target>(
        self,
        parties: &Parties,
        source: &mut Source,
        target: &mut T,
    ) -> Result<Report, RelayError> {
        let Self {
            hashes,
            acked,
            stories,
            brought,
            mut report,
            ..
        } = self;
        source::heads(&acked, &hashes, parties, source, &mut report).await?;
        let block = target.view().await?.finalized;
        let leaves: Vec<u64> = brought.leaves.keys().copied().collect();
        for some in leaves.chunks(LEAVES_AT_ONCE) {
            let recorded = target.has(Kept::Leaves(some), block).await?;
            for (leaf, recorded) in some.iter().zip(recorded) {
                if !recorded {
                    let said = format!("leaf {leaf} is not recorded on the target");
                    report.differences.push(said);
                }
            }
        }
        delivered(&brought, target, block, &mut report).await?;
        report.leaves = brought.leaves.len() as u64;
        report.messages = brought.messages.len() as u64;
        if let Some(end) = target.places().await? {
            left_out(&stories, end, &mut report);
        }
        source::log(&hashes, parties, brought, source, &mut report).await?;
        Ok(report)
    }
}

/// That the target has marked each message that was delivered.
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
                let kept = [sequence];
                target.has(Kept::Messages(&kept), block).await? == [true]
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

/// That none of the account's transactions between the first recorded one and the last final one
/// is left out.
fn left_out(stories: &Stories, end: u64, report: &mut Report) {
    let used: &BTreeSet<u64> = &stories.used;
    let Some(first) = stories.planned.first() else {
        if end > 0 {
            let said = format!("the account has sent {end} transactions, the record has none");
            report.differences.push(said);
        }
        return;
    };
    for place in *first..end {
        if !used.contains(&place) {
            let said = format!("transaction {place} of the account is not recorded");
            report.differences.push(said);
        }
    }
}
