//! `tbsi relay status`, `dry-run` and `audit`: they change nothing.

use std::fmt::Write as _;
use std::process::ExitCode;

use serde_json::json;
use tbsi_bridge::audit::audit as audit_records;
use tbsi_bridge::journal::{JOURNAL_FILE, read};
use tbsi_bridge::record::{Event, Item};
use tbsi_bridge::relay::Relay;
use tbsi_bridge::state::{Stage, State};
use tbsi_types::TimestampMs;
use tokio::runtime::Runtime;

use super::{Look, Opened};
use crate::report::refuse;
use crate::time::Times;

/// An item in words.
fn name(item: Item) -> String {
    match item {
        Item::Handover(height) => format!("handover after height {height}"),
        Item::Checkpoint(height) => format!("checkpoint of height {height}"),
        Item::Leaf(index) => format!("leaf {index}"),
    }
}

pub(super) fn dry_run(look: &Look) -> anyhow::Result<ExitCode> {
    let opened = Opened::load(&look.home.dir).map_err(refuse)?;
    let records = read(&look.home.dir.join(JOURNAL_FILE))?.records;
    let mut relay = Relay::dry(opened.parts, &records)?;
    let forecasts = Runtime::new()?.block_on(async {
        relay.check().await?;
        relay.forecast().await
    })?;
    let mut text = String::new();
    for forecast in &forecasts {
        let count = forecast.items.len();
        let first = forecast
            .items
            .first()
            .copied()
            .map(name)
            .unwrap_or_default();
        let (gas, cost) = (forecast.gas, &forecast.cost_wei_max);
        writeln!(
            text,
            "{count} items from {first}: {gas} gas, at most {cost} wei"
        )?;
    }
    for hold in &relay.state().holds {
        writeln!(text, "nothing is sent: {hold:?}")?;
    }
    if text.is_empty() {
        text.push_str("nothing would be sent");
    }
    let json = json!({ "transactions": forecasts, "holds": relay.state().holds });
    look.format.print(&text, &json)
}

pub(super) fn status(look: &Look) -> anyhow::Result<ExitCode> {
    let journal = read(&look.home.dir.join(JOURNAL_FILE))?;
    let state = State::of(&journal.records)?;
    let count = |stage: fn(&Stage) -> bool| {
        let items = state.items.values();
        items.filter(|entry| stage(&entry.stage)).count()
    };
    let waiting = state.waiting.len();
    let planned = count(|stage| matches!(stage, Stage::Planned(_)));
    let mut text = format!(
        "{waiting} items wait, {planned} are on their way in {} transactions\n\
         {} settled by this relayer, {} by others; {} leaves scanned\n",
        state.plans.len(),
        state.settled,
        state.already_done,
        state.scanned,
    );
    if let Some(oldest) = state.oldest_ms() {
        let times = Times::of(TimestampMs(oldest));
        writeln!(text, "the oldest waits since {}", times.utc)?;
    }
    for hold in &state.holds {
        writeln!(text, "nothing is sent: {hold:?}")?;
    }
    for (item, reason) in state.quarantined() {
        writeln!(
            text,
            "quarantined: {}: {} ({})",
            name(item),
            reason.code,
            reason.detail
        )?;
    }
    for record in &journal.records {
        if let Event::Alarm { reason } = &record.event {
            writeln!(
                text,
                "alarm, record {}: {}: {}",
                record.number, reason.code, reason.detail
            )?;
        }
    }
    let quarantined: Vec<_> = state.quarantined().collect();
    let json = json!({
        "records": journal.records.len(),
        "head": journal.head,
        "waiting": waiting,
        "planned": planned,
        "inFlight": state.plans.len(),
        "settled": state.settled,
        "alreadyDone": state.already_done,
        "scanned": state.scanned,
        "acked": state.acked,
        "holds": state.holds,
        "quarantined": quarantined,
        "oldestMs": state.oldest_ms(),
    });
    look.format.print(&text, &json)
}

pub(super) fn audit(look: &Look) -> anyhow::Result<ExitCode> {
    let mut opened = Opened::load(&look.home.dir).map_err(refuse)?;
    let journal = read(&look.home.dir.join(JOURNAL_FILE))?;
    let parts = &mut opened.parts;
    let audited = audit_records(&journal.records, &mut parts.source, &parts.target);
    let report = Runtime::new()?.block_on(audited)?;
    let who = &parts.parties;
    let mut text = format!(
        "record of {} ({}), account {}\n\
         {} records, {} heads attested on the source, {} records after the last of them\n\
         {} transactions with {} leaves found on the target, {} gas\n",
        who.name_en,
        who.name_zh_tw,
        who.account,
        report.records,
        report.heads,
        report.uncovered,
        report.transactions,
        report.leaves,
        report.gas,
    );
    for difference in &report.differences {
        writeln!(text, "DIFFERENT: {difference}")?;
    }
    let same = report.differences.is_empty() && !journal.torn;
    if journal.torn {
        writeln!(
            text,
            "the last line was cut short; `tbsi relay run` repairs it"
        )?;
    }
    text.push_str(if same {
        "the record is what both chains say"
    } else {
        "NOT THE SAME"
    });
    let json = json!({ "parties": who, "report": report, "same": same });
    look.format.print(&text, &json)?;
    Ok(if same {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
