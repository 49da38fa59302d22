//! What the follower finds, in words.

use std::path::Path;

use alloy_primitives::{B256, Bytes};
use serde_json::{Value, json};
use tbsi_types::{Decision, TreeSize};

use crate::alarm::{Alarm, AlarmCode};
use crate::said::said;
use crate::source::LogSource;
use crate::store::IndexError;
use crate::trust::VerifiedLog;

fn side(decision: &Decision) -> Value {
    let checkpoint = &decision.checkpoint;
    json!({
        "height": checkpoint.height,
        "size": checkpoint.log_size,
        "root": checkpoint.log_root,
        "encoded": Bytes::from(checkpoint.encode()),
        "certificate": Bytes::from(decision.certificate.encode()),
    })
}

/// Two checkpoints of one height, both validly signed.
pub(super) fn fork(source: &LogSource, one: &Decision, other: &Decision) -> Alarm {
    let height = one.checkpoint.height;
    let said = said(
        format!(
            "FORK at height {height}: two different checkpoints have valid certificates. More than \
             a third of the voting power signed both. Nothing is indexed any more; show the \
             evidence to the organisations, and `tbsi relay evidence` freezes bridges."
        ),
        format!(
            "高度 {height} 出現分叉：兩個不同的檢查點都有有效憑證，超過三分之一的投票權簽署了兩者。\
             已停止建立索引；請將證據交給各機構，並以 `tbsi relay evidence` 凍結橋接。"
        ),
    );
    let evidence = json!({ "sides": [side(one), side(other)] });
    Alarm::new(AlarmCode::Fork, &source.name, said).with_evidence(evidence)
}

/// A signed log that does not extend the one that is indexed.
pub(super) fn rewritten(
    source: &LogSource,
    (size, root): (TreeSize, B256),
    log: &VerifiedLog,
) -> Alarm {
    let signed = (log.size, log.root);
    let said = said(
        format!(
            "THE LOG WAS WRITTEN ANEW: its first {size} leaves had root {root}, and a quorum now \
             signs {} leaves with root {} that do not begin with them. Nothing is indexed any \
             more; keep the index file, it is evidence.",
            signed.0, signed.1
        ),
        format!(
            "日誌遭改寫：前 {size} 筆的根雜湊原為 {root}，但法定多數現在簽署了 {} 筆、根雜湊 {} 的日誌，\
             且並非以其為開頭。已停止建立索引；請保留索引檔作為證據。",
            signed.0, signed.1
        ),
    );
    let evidence = json!({
        "sides": [
            { "size": size, "root": root },
            log.decision().map_or_else(
                || json!({ "size": log.size, "root": log.root }),
                side,
            ),
        ],
    });
    Alarm::new(AlarmCode::RewrittenLog, &source.name, said).with_evidence(evidence)
}

/// Nothing new for too long. `known`: by the newest checkpoint's own time.
pub(super) fn silent(silence_ms: u64, limit_ms: u64, known: bool) -> Alarm {
    let (seconds, limit) = (silence_ms / 1000, limit_ms / 1000);
    let (since, since_zh_tw) = if known {
        ("the newest checkpoint is of", "最新檢查點距今")
    } else {
        ("no new log has been shown for", "未見新日誌已達")
    };
    let said = said(
        format!(
            "SILENT: {since} {seconds} s, the limit is {limit} s. Ask the operators whether the \
             chain stands still, compare clocks, and follow another source as well."
        ),
        format!(
            "鏈無聲息：{since_zh_tw} {seconds} 秒，上限為 {limit} 秒。請向營運者確認鏈是否停擺、\
             核對時鐘，並再加上另一個來源。"
        ),
    );
    Alarm {
        code: AlarmCode::SilentChain,
        source: None,
        said,
        evidence: None,
    }
}

/// The index cannot be written.
pub(super) fn index(path: &Path, error: &IndexError) -> Alarm {
    Alarm {
        code: AlarmCode::Index,
        source: None,
        said: error.said(path),
        evidence: None,
    }
}
