//! The auditor's side of the record (SPEC §15.4): derives from both chains what the records
//! say, and names every difference. Nothing that the relayer says is believed, and no endpoint
//! of the source; those of the target as far as enough of them agree.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{B256, Bytes};
use serde::Serialize;
use tbsi_light::verify_bundle;
use tbsi_rpc::wire::LeafSelector;
use tbsi_types::log::{DigestWords, Leaf, Statement};
use tbsi_types::{Checkpoint, Height, ProofBundle, TreeSize};

use crate::record::{Attempt, Event, Inclusion, Item, Record, record_hash};
use crate::relay::{FILE_SCHEMA, RelayError, SHA2_256, statement};
use crate::source::{Source, causes};
use crate::state::State;
use crate::target::Target;

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
    /// Leaves that they brought.
    pub leaves: u64,
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
    heads(records, &hashes, source, &mut report).await?;
    let mut brought = BTreeMap::new();
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
    let leaves: Vec<u64> = brought.keys().copied().collect();
    for some in leaves.chunks(500) {
        let recorded = target.recorded(some, view.finalized).await?;
        for (leaf, recorded) in some.iter().zip(recorded) {
            if !recorded {
                let said = format!("leaf {leaf} is not recorded on the target");
                report.differences.push(said);
            }
        }
    }
    report.leaves = brought.len() as u64;
    nonces(&stories, view.final_nonce, &mut report);
    log(&hashes, first, brought, source, &mut report).await?;
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
            | Event::Quarantined { .. }
            | Event::Retried { .. }
            | Event::Released { .. }
            | Event::Held { .. }
            | Event::Resumed { .. }
            | Event::Alarm { .. } => {}
        }
    }
    stories
}

/// That each head which the journal calls attested is so, and how much they cover.
async fn heads(
    records: &[Record],
    hashes: &[B256],
    source: &Source,
    report: &mut Report,
) -> Result<(), RelayError> {
    let mut covered = None;
    for record in records {
        let Event::Acked {
            through,
            head,
            leaf,
            ..
        } = &record.event
        else {
            continue;
        };
        let own = usize::try_from(*through).ok().and_then(|at| hashes.get(at));
        if own != Some(head) || *through >= record.number {
            let number = record.number;
            let said = format!("record {number} calls {head} the hash of record {through}");
            report.differences.push(said);
            continue;
        }
        match proof_of_head(record, *head, *leaf, source).await? {
            Ok(()) => {
                report.heads += 1;
                covered = covered.max(Some(*through));
            }
            Err(problem) => {
                let said = format!("head {head} of record {through}: {problem}");
                report.differences.push(said);
            }
        }
    }
    let total = records.len() as u64;
    report.uncovered = covered.map_or(total, |through| total - through - 1);
    Ok(())
}

async fn proof_of_head(
    record: &Record,
    head: B256,
    leaf: u64,
    source: &Source,
) -> Result<Result<(), String>, RelayError> {
    let account = record.parties.account;
    let id = statement(head).id(record.parties.source_chain_id, account);
    let proof = source.any().proof(&LeafSelector::Id(id)).await;
    let proof = proof.map_err(|error| RelayError::Attest(error.to_string()))?;
    let Some(proof) = proof else {
        return Ok(Err("is not attested on the source".into()));
    };
    let bundle = match ProofBundle::parse_json(proof.get().as_bytes()) {
        Ok(bundle) => bundle,
        Err(error) => return Ok(Err(causes(&error))),
    };
    let verified = match verify_bundle(&bundle, source.genesis()) {
        Ok(verified) => verified,
        Err(error) => return Ok(Err(causes(&error))),
    };
    if verified.leaf.attestation_id() != Some(id) || verified.leaf_index.0 != leaf {
        return Ok(Err(format!("is leaf {}, not {leaf}", verified.leaf_index)));
    }
    Ok(Ok(()))
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
        brought: &mut BTreeMap<u64, Bytes>,
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
        let expected_to = if story.items.is_empty() {
            parties.account
        } else {
            parties.light_client
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
            (contents.to == expected_to, "it calls another contract"),
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
        if items != story.items.iter().copied().collect() {
            self.differs("it carries other items than recorded");
        }
        if inclusion.success {
            brought.extend(contents.leaves);
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
            Item::Handover(_) | Item::Leaf(_) => None,
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

/// One pass over the source's log: the leaves that were brought are its own, and every head
/// that the relayer attested is that of a record here.
async fn log(
    hashes: &[B256],
    first: &Record,
    brought: BTreeMap<u64, Bytes>,
    source: &mut Source,
    report: &mut Report,
) -> Result<(), RelayError> {
    let tip = source.tip().await?;
    let account = first.parties.account;
    let leaves = source
        .scan(TreeSize(0), &tip, |leaf| {
            brought.contains_key(&leaf.index.0)
                || Leaf::decode(&leaf.bytes).is_ok_and(|leaf| leaf.head.issuer == account)
        })
        .await?;
    let known: BTreeSet<&B256> = hashes.iter().collect();
    for leaf in leaves {
        let index = leaf.index;
        if let Some(bytes) = brought.get(&index.0)
            && bytes[..] != leaf.bytes[..]
        {
            let said = format!("leaf {index} is another on the source");
            report.differences.push(said);
        }
        let Ok(Leaf { head, statement }) = Leaf::decode(&leaf.bytes) else {
            continue;
        };
        if let Statement::Attestation(stated) = statement
            && let DigestWords::One([digest]) = stated.digest
            && (stated.schema, stated.algorithm) == (FILE_SCHEMA, SHA2_256)
            && head.issuer == account
            && !known.contains(&digest)
        {
            report.differences.push(format!(
                "leaf {index} attests the head {digest}, which is none of these records: the \
                 record was cut, or forked"
            ));
        }
    }
    Ok(())
}
