//! `tbsi relay status`, `dry-run` and `audit`: they change nothing.

use std::fmt::Write as _;
use std::process::ExitCode;

use serde_json::json;
use tbsi_bridge::audit::{Report, audit as audit_records};
use tbsi_bridge::config::Config;
use tbsi_bridge::journal::{Journaled, last_file, read};
use tbsi_bridge::record::{Event, Parties, Reason};
use tbsi_bridge::relay::Relay;
use tbsi_bridge::state::{Stage, State};
use tbsi_types::TimestampMs;
use tokio::runtime::Runtime;

use super::{Look, Opened, Say, say};
use crate::lang::counted;
use crate::report::refuse;
use crate::shown;
use crate::time::Times;

pub(super) fn dry_run(look: &Look) -> anyhow::Result<ExitCode> {
    let opened = Opened::load(&look.home.dir).map_err(refuse)?;
    let mut relay = Relay::dry(opened.parts)?;
    let forecasts = Runtime::new()?.block_on(async {
        relay.check().await?;
        relay.forecast().await
    })?;
    let lang = look.say.lang;
    let mut text = String::new();
    for forecast in &forecasts {
        let count = forecast.items.len();
        let first = forecast.items.first().map(|item| say::item(*item, lang));
        let first = first.unwrap_or_default();
        let amount = |name: &str| forecast.cost.get(name).map_or("0", |it| it.as_str());
        let (gas, cost) = (amount("gas"), amount("costWeiMax"));
        let (en, zh_tw) = match forecast.cost.get("bytes") {
            Some(bytes) => (format!("{bytes} bytes"), format!("{bytes} 位元組")),
            None => (
                format!("{gas} gas, at most {cost} wei"),
                format!("{gas} gas，至多 {cost} wei"),
            ),
        };
        text += &lang.pick(
            format!("{} from {first}: {en}\n", counted(count, "item")),
            format!("{count} 項，自{first}起：{zh_tw}\n"),
        );
    }
    for hold in &relay.state().holds {
        writeln!(text, "{}", say::hold(hold, lang))?;
    }
    for (item, reason) in relay.state().quarantined() {
        let name = say::item(item, lang);
        let (code, detail) = (&reason.code, shown::line(&reason.detail));
        let aside = lang.pick("set aside", "擱置");
        writeln!(text, "{aside}: {name}: {code} ({detail})")?;
    }
    if text.is_empty() {
        text.push_str(lang.pick("nothing would be sent", "目前沒有要傳送的項目"));
    }
    let quarantined: Vec<_> = relay.state().quarantined().collect();
    let json = json!({
        "transactions": forecasts,
        "holds": relay.state().holds,
        "quarantined": quarantined,
    });
    look.say.format.print(&text, &json)
}

pub(super) fn status(look: &Look) -> anyhow::Result<ExitCode> {
    Config::load(&look.home.dir)?;
    let mut state = State::default();
    let mut alarms = Vec::new();
    let journal: Journaled = read(&last_file(&look.home.dir), |record, _| {
        state.apply(record)?;
        if let Event::Alarm { reason } = &record.event {
            alarms.push((record.number, reason.clone()));
        }
        anyhow::Ok(())
    })?;
    let text = status_text(&alarms, &state, look.say)?;
    let quarantined: Vec<_> = state.quarantined().collect();
    let json = json!({
        "records": journal.next,
        "head": journal.head,
        "waiting": state.waiting.len(),
        "planned": planned(&state),
        "inFlight": state.plans.len(),
        "settled": state.settled,
        "alreadyDone": state.already_done,
        "messages": state.messages(),
        "expired": state.expired,
        "scanned": state.scanned,
        "acked": state.acked,
        "holds": state.holds,
        "quarantined": quarantined,
        "oldestMs": state.oldest_ms(),
    });
    look.say.format.print(&text, &json)
}

fn planned(state: &State) -> usize {
    let items = state.items.values();
    items
        .filter(|entry| matches!(entry.stage, Stage::Planned(_)))
        .count()
}

fn status_text(alarms: &[(u64, Reason)], state: &State, say: Say) -> anyhow::Result<String> {
    let (waiting, planned) = (state.waiting.len(), planned(state));
    let (plans, settled) = (state.plans.len(), state.settled);
    let (others, expired) = (state.already_done, state.expired);
    let (messages, scanned) = (state.messages(), state.scanned);
    let mut text = say.pick(
        format!(
            "{waiting} items wait, {planned} are on their way in {plans} transactions\n\
             {settled} settled by this relayer, {others} by others; {scanned} leaves scanned\n\
             {messages} messages are not settled; {expired} came too late to be delivered\n"
        ),
        format!(
            "{waiting} 項等待中，{planned} 項在 {plans} 筆交易中傳送\n\
             本中繼者完成 {settled} 項，他人完成 {others} 項；已掃描日誌 {scanned} 筆\n\
             未完成的訊息 {messages} 則；逾時而未送達 {expired} 則\n"
        ),
    );
    if let Some(oldest) = state.oldest_ms() {
        let times = Times::of(TimestampMs(oldest));
        let since = say.pick("the oldest waits since", "最早的一項等待自");
        writeln!(text, "{since} {}", times.utc)?;
    }
    for hold in &state.holds {
        writeln!(text, "{}", say::hold(hold, say.lang))?;
    }
    let aside = say.pick("quarantined: ", "隔離：");
    for (item, reason) in state.quarantined() {
        let name = say::item(item, say.lang);
        let (code, detail) = (&reason.code, shown::line(&reason.detail));
        writeln!(text, "{aside}{name}: {code} ({detail})")?;
    }
    for (number, reason) in alarms {
        let alarm = say.pick("alarm, record", "警示，紀錄");
        let (code, detail) = (&reason.code, shown::line(&reason.detail));
        writeln!(text, "{alarm} {number}: {code}: {detail}")?;
    }
    Ok(text)
}

pub(super) fn audit(look: &Look) -> anyhow::Result<ExitCode> {
    let mut opened = Opened::load(&look.home.dir).map_err(refuse)?;
    let parts = &mut opened.parts;
    let audited = audit_records(&look.home.dir, &mut parts.source, &mut parts.target);
    let report = Runtime::new()?.block_on(audited)?;
    let same = report.differences.is_empty() && !report.torn;
    let text = audit_text(&parts.parties, &report, look.say)?;
    let json = json!({ "parties": parts.parties, "report": report, "same": same });
    look.say.format.print(&text, &json)?;
    Ok(if same {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn audit_text(who: &Parties, report: &Report, say: Say) -> anyhow::Result<String> {
    let (torn, files) = (report.torn, report.files);
    let (en, zh_tw, account) = (&who.name_en, &who.name_zh_tw, who.account);
    let (records, heads, uncovered) = (report.records, report.heads, report.uncovered);
    let gas = report.cost.get("gas");
    let gas = |comma: &str| gas.map_or(String::new(), |gas| format!("{comma}{gas} gas"));
    let (gas, gas_zh) = (gas(", "), gas("，"));
    let transactions = report.transactions;
    let (leaves, messages) = (report.leaves, report.messages);
    let mut text = say.pick(
        format!(
            "record of {en} ({zh_tw}), account {account}\n\
             {records} records in {files} files, {heads} heads attested on the source, {uncovered} records after \
             the last of them\n\
             {transactions} transactions with {leaves} leaves and {messages} messages found on \
             the target{gas}\n"
        ),
        format!(
            "{zh_tw}（{en}）的紀錄，帳戶 {account}\n\
             {files} 個檔案，{records} 筆紀錄，{heads} 個首雜湊已在來源鏈存證，其後尚有 {uncovered} 筆\n\
             目標鏈上找到 {transactions} 筆交易，含 {leaves} 筆日誌項目與 {messages} 則訊息{gas_zh}\n"
        ),
    );
    for difference in &report.differences {
        let different = say.pick("DIFFERENT", "不符");
        writeln!(text, "{different}: {difference}")?;
    }
    if torn {
        text += say.pick(
            "the last line was cut short; `tbsi relay run` repairs it\n",
            "最後一行不完整；`tbsi relay run` 會修復\n",
        );
    }
    text += match (report.differences.is_empty() && !torn, say) {
        (true, say) => say.pick("the record is what both chains say", "紀錄與兩條鏈相符"),
        (false, say) => say.pick("NOT THE SAME", "不相符"),
    };
    Ok(text)
}
