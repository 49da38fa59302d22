//! What a running node says of itself, and of the others.

use serde_json::Value;

use super::finding::{Check, Finding, Verdict, both};
use super::page::{MetricsPage, Page};
use crate::lang::Sentence;
use crate::shown;

/// By how much this machine's clock may differ from what others' blocks say, milliseconds. Blocks
/// are dated some time before they are here.
const CLOCK_WARNING_MS: i64 = 1_000;
const CLOCK_BAD_MS: i64 = 2_500;
/// Validators whose blocks tell a clock; a lesser number may be wrong together.
const CLOCKS_MIN: usize = 3;

/// One part in so many of the files that the process may have open is to be left.
const FILES_PART_LEFT: i64 = 5;
/// How many it needs to be allowed: the database keeps many open.
const FILES_MIN: i64 = 4_096;

const DAY_S: i64 = 24 * 60 * 60;

/// Whether the node decides blocks, by what `/readyz` says.
pub(super) fn chain(ready: &Page) -> Vec<Finding> {
    let page: Value = serde_json::from_str(&ready.body).unwrap_or_default();
    let sentences = |key: &str| -> Vec<String> {
        let all = page[key].as_array().into_iter().flatten();
        all.filter_map(Value::as_str)
            .map(|text| shown::line(text).into_owned())
            .collect()
    };
    let (height, behind) = (&page["height"], &page["behind"]);
    let mut findings: Vec<Finding> = sentences("reasons")
        .into_iter()
        .map(|reason| {
            let (en, zh_tw) = chain_remedy(&reason);
            let zh_said = format!("節點未就緒：{reason}");
            Finding::of(
                Check::Chain,
                Verdict::Bad,
                both(reason, zh_said),
                both(en, zh_tw),
            )
        })
        .collect();
    findings.extend(sentences("warnings").into_iter().map(|warning| {
        let zh_said = format!("節點警告：{warning}");
        let remedy = both("do what it says", "請依其說明處理");
        Finding::of(
            Check::Chain,
            Verdict::Warning,
            both(warning, zh_said),
            remedy,
        )
    }));
    if ready.status == 200 && findings.is_empty() {
        let said = both(
            format!("ready at height {height}, {behind} blocks behind"),
            format!("已就緒，高度 {height}，落後 {behind} 個區塊"),
        );
        findings.push(Finding::good(Check::Chain, said));
    } else if findings.is_empty() {
        let status = ready.status;
        findings.push(Finding::of(
            Check::Chain,
            Verdict::Unknown,
            both(
                format!("/readyz answered with status {status} and no reason"),
                format!("/readyz 回應狀態碼 {status}，未說明原因"),
            ),
            both(
                "is `metrics.listen` the address of this node? See its log",
                "`metrics.listen` 是本節點的位址嗎？請查看節點的日誌",
            ),
        ));
    }
    findings
}

/// What helps against a reason of `/readyz`.
fn chain_remedy(reason: &str) -> (&'static str, &'static str) {
    if reason.contains("another process signs") {
        return (
            "stop the other process that has this key, then start this node: docs/runbooks/twin.md",
            "請先停止另一個使用此金鑰的程序，再啟動本節點：docs/runbooks/twin.zh-TW.md",
        );
    }
    if reason.contains("was not signed") {
        return (
            "the node's log says why; if it has a signer, is that running and reachable? \
             docs/runbooks/not-signing.md",
            "原因見節點的日誌；若使用獨立的簽章程序，請確認其執行中且可連線：\
             docs/runbooks/not-signing.zh-TW.md",
        );
    }
    if reason.contains("blocks behind") {
        return (
            "wait while it catches up; if the distance grows: docs/runbooks/behind.md",
            "請等待同步；若差距擴大：docs/runbooks/behind.zh-TW.md",
        );
    }
    if reason.contains("peers connected") {
        return (
            "see the findings on peers below: docs/runbooks/no-peers.md",
            "請見以下關於其他節點的結果：docs/runbooks/no-peers.zh-TW.md",
        );
    }
    if reason.contains("no block for") {
        return (
            "call the operators of the validators that are named: docs/runbooks/standstill.md",
            "請聯絡所列驗證者的營運者：docs/runbooks/standstill.zh-TW.md",
        );
    }
    (
        "see the node's log; a node that was just started needs a moment",
        "請查看節點的日誌；剛啟動的節點需要片刻",
    )
}

/// Whether this machine's clock agrees with the others', by the times of their blocks: the median
/// of what was measured of each validator.
pub(super) fn clock(metrics: &MetricsPage) -> Finding {
    let ahead = metrics.all("tbsi_consensus_clock_ahead_ms");
    let mut ahead: Vec<i64> = ahead.into_iter().map(|(_, ms)| ms).collect();
    ahead.sort_unstable();
    let count = ahead.len();
    if count < CLOCKS_MIN {
        return Finding::of(
            Check::Clock,
            Verdict::Unknown,
            both(
                format!("blocks of {count} validators were measured, {CLOCKS_MIN} are needed"),
                format!("只量測到 {count} 個驗證者的區塊，至少需要 {CLOCKS_MIN} 個"),
            ),
            both(
                "wait until the node has followed a few blocks; `timedatectl` says whether the \
                 clock is kept by NTP",
                "請等節點跟上數個區塊；`timedatectl` 可查詢是否以 NTP 校時",
            ),
        );
    }
    let median = ahead[count / 2];
    let distance = median.abs();
    let said = if median > 0 {
        both(
            format!("it is {distance} ms behind the blocks of {count} validators (median)"),
            format!("比 {count} 個驗證者的區塊慢 {distance} 毫秒（中位數）"),
        )
    } else {
        both(
            format!("it is {distance} ms ahead of the blocks of {count} validators (median)"),
            format!("比 {count} 個驗證者的區塊快 {distance} 毫秒（中位數）"),
        )
    };
    let verdict = match distance {
        ..CLOCK_WARNING_MS => return Finding::good(Check::Clock, said),
        CLOCK_WARNING_MS..CLOCK_BAD_MS => Verdict::Warning,
        _ => Verdict::Bad,
    };
    let remedy = both(
        "keep the clock by NTP (`timedatectl set-ntp true`, or chrony with a server in your \
         network): the others refuse the blocks of a validator whose clock is wrong",
        "請以 NTP 校時（`timedatectl set-ntp true`，或以 chrony 使用內部時間伺服器）：時鐘有誤的\
         驗證者所提區塊會被拒絕",
    );
    Finding::of(Check::Clock, verdict, said, remedy)
}

/// Whether the process may open enough files.
pub(super) fn open_files(metrics: &MetricsPage) -> Finding {
    let check = Check::OpenFiles;
    let values = (
        metrics.value("tbsi_process_open_files", ""),
        metrics.value("tbsi_process_open_files_max", ""),
    );
    let (Some(open), Some(most)) = values else {
        let said = both("the node does not say it", "節點未提供此資訊");
        return Finding::of(check, Verdict::Unknown, said, other_program());
    };
    let said = both(
        format!("{open} of {most} are open"),
        format!("已開啟 {open}，上限 {most}"),
    );
    let verdict = if open > most - most / FILES_PART_LEFT {
        Verdict::Bad
    } else if most < FILES_MIN {
        Verdict::Warning
    } else {
        return Finding::good(check, said);
    };
    let remedy = both(
        "LimitNOFILE=65536 in the systemd unit (or `ulimit -n 65536`), and start the node again",
        "請在 systemd 單元設定 LimitNOFILE=65536（或 `ulimit -n 65536`），並重新啟動節點",
    );
    Finding::of(check, verdict, said, remedy)
}

fn other_program() -> Sentence {
    both(
        "is another version of tbsi running? Start the node again with this program",
        "執行中的是否為其他版本的 tbsi？請以此程式重新啟動節點",
    )
}

/// Whether the node has somebody to talk to, on both networks.
pub(super) fn peers(metrics: &MetricsPage, others: usize) -> Finding {
    let check = Check::Peers;
    let connected =
        |network: &str| metrics.value("tbsi_p2p_connected", &format!("network=\"{network}\""));
    let (Some(consensus), Some(gossip)) = (connected("consensus"), connected("gossip")) else {
        let said = both("the node does not say it", "節點未提供此資訊");
        return Finding::of(check, Verdict::Unknown, said, other_program());
    };
    let said = both(
        format!("{consensus} connected for consensus, {gossip} for transactions"),
        format!("共識連線 {consensus} 個，交易連線 {gossip} 個"),
    );
    let least = consensus.min(gossip);
    let enough = i64::try_from(others / 2).unwrap_or(i64::MAX);
    let verdict = if least == 0 && others > 0 {
        Verdict::Bad
    } else if least < enough {
        Verdict::Warning
    } else {
        return Finding::good(check, said);
    };
    let remedy = both(
        "see below who is not reached; both ports of each node have to be open, this one's too: \
         docs/runbooks/no-peers.md",
        "以下列出連不到的節點；各節點（含本節點）的兩個連接埠都須開放：docs/runbooks/no-peers.zh-TW.md",
    );
    Finding::of(check, verdict, said, remedy)
}

/// Whether others have come through this machine's firewall.
pub(super) fn reached(metrics: &MetricsPage) -> Finding {
    let check = Check::ReachedByPeers;
    let inbound = |network: &str| {
        let label = format!("network=\"{network}\"");
        metrics.value("tbsi_p2p_inbound_peers", &label)
    };
    let values = (inbound("consensus"), inbound("gossip"));
    let (Some(consensus), Some(gossip)) = values else {
        let said = both("the node does not say it", "節點未提供此資訊");
        return Finding::of(check, Verdict::Unknown, said, other_program());
    };
    let said = both(
        format!(
            "since the start, {consensus} peers have connected to this node for consensus and \
             {gossip} for transactions"
        ),
        format!("啟動以來，有 {consensus} 個節點為共識、{gossip} 個為交易連入本節點"),
    );
    if consensus > 0 && gossip > 0 {
        return Finding::good(check, said);
    }
    let remedy = both(
        "this may be chance, as one end of each pair connects. Ask another operator to run `tbsi \
         doctor`, which tries both ports of this node; if they do not answer, open them in the \
         firewall and the router",
        "每對節點只由一方連線，故可能只是巧合。請其他營運者執行 `tbsi doctor`，會測試本節點的兩個\
         連接埠；若無回應，請在防火牆與路由器開放",
    );
    Finding::of(check, Verdict::Unknown, said, remedy)
}

/// Whether the program is the one that the next upgrade needs.
pub(super) fn version(metrics: &MetricsPage, running: Option<&str>) -> Vec<Finding> {
    let check = Check::Version;
    let own = env!("CARGO_PKG_VERSION");
    let mut findings = Vec::new();
    if let Some(running) = running.filter(|running| *running != own) {
        let running = shown::line(running);
        findings.push(Finding::of(
            check,
            Verdict::Warning,
            both(
                format!("the node runs version {running}, this program is {own}"),
                format!("執行中的節點為 {running} 版，此程式為 {own} 版"),
            ),
            both(
                "start the node again to use the program that is installed",
                "請重新啟動節點以使用已安裝的程式",
            ),
        ));
    }
    let value = |name: &str| metrics.value(name, "");
    let height = value("tbsi_upgrade_height").unwrap_or_default();
    if value("tbsi_upgrade_supported") == Some(0) {
        let protocol = value("tbsi_upgrade_protocol").unwrap_or_default();
        let days = value("tbsi_upgrade_seconds").unwrap_or_default() / DAY_S;
        findings.push(Finding::of(
            check,
            Verdict::Bad,
            both(
                format!(
                    "the upgrade at height {height} (in about {days} days) needs protocol version \
                     {protocol}, which this node does not support"
                ),
                format!(
                    "高度 {height} 的升級（約 {days} 天後）需要協定版本 {protocol}，本節點不支援"
                ),
            ),
            both(
                "install the version that `tbsi upgrade status` names before then, and declare it: \
                 docs/runbooks/upgrade.md",
                "請在此之前安裝 `tbsi upgrade status` 所列的版本並完成宣告：\
                 docs/runbooks/upgrade.zh-TW.md",
            ),
        ));
    }
    if findings.is_empty() {
        let said = if height > 0 {
            both(
                format!("{own}; it supports the upgrade at height {height}"),
                format!("{own}；支援高度 {height} 的升級"),
            )
        } else {
            both(
                format!("{own}; no upgrade waits"),
                format!("{own}；沒有待生效的升級"),
            )
        };
        findings.push(Finding::good(check, said));
    }
    findings
}

#[cfg(test)]
mod tests;
