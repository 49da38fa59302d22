//! What became of an attestation, as far as anybody was asked; and post-quantum cosignatures.

use super::document::Section;
use crate::lang::Language;
use crate::time::Times;
use crate::verify::{Verified, post_quantum as cosignatures, status};

pub(super) fn section(verified: &Verified, lang: Language) -> Section {
    let mut section = Section::new(lang.pick("What became of it", "事後狀態"));
    let mut rows = stapled(verified, lang);
    if let Some(known) = &verified.standing {
        rows.push((
            lang.pick("As a node says", "節點的說法"),
            format!("{}\n{}", known.verdict(lang), known.source(lang)),
        ));
    }
    if rows.is_empty() {
        let name = lang.pick("Status", "狀態");
        let not = lang.pick("not checked", "未檢查");
        rows.push((name, not.into()));
    }
    if verified.is_attestation() {
        let unknown = || {
            lang.pick(
                "not asked, or no end is known".to_owned(),
                "未詢問，或無已知期限".to_owned(),
            )
        };
        let until = verified.relied_until.map(crate::renew::utc);
        rows.push((
            lang.pick("Digest algorithm relied upon until", "摘要演算法可信賴至"),
            until.unwrap_or_else(unknown),
        ));
    }
    section.facts(rows);
    section
}

/// What the proof itself has.
fn stapled(verified: &Verified, lang: Language) -> Vec<(&'static str, String)> {
    let Some((map, found)) = verified.map.as_ref().and_then(|it| Some((it, it.status?))) else {
        return Vec::new();
    };
    let checkpoint = &verified.bundle.decision.checkpoint;
    let (height, time) = (checkpoint.height, Times::of(checkpoint.time));
    let mut text = status::verdict(map, &found, lang);
    if let Some(successor) = status::successor(&found, lang) {
        text = format!("{text}\n{successor}");
    }
    let mut rows = vec![
        (lang.pick("Status in the proof", "證明所附狀態"), text),
        (lang.pick("Known", "所知範圍"), status::source(map, lang)),
        (
            lang.pick("Checkpoint signed", "簽署的檢查點"),
            lang.pick(
                format!("height {height}, {}", time.utc),
                format!("高度 {height}，{}", time.taipei),
            ),
        ),
    ];
    let age = verified.age.map(|age| age.words(lang));
    let unasked = || {
        lang.pick(
            "not judged: --status-max-age and --at judge it".to_owned(),
            "未判斷：可用 --status-max-age 與 --at 判斷".to_owned(),
        )
    };
    rows.push((lang.pick("Age", "距所詢時間"), age.unwrap_or_else(unasked)));
    rows
}

/// Who cosigned the log with post-quantum keys.
pub(super) fn post_quantum(verified: &Verified, lang: Language) -> String {
    let Some(found) = &verified.post_quantum else {
        return lang.pick("not checked", "未檢查").into();
    };
    let mut text = cosignatures::words(found, lang);
    for operator in cosignatures::operators(found, lang) {
        text = format!("{text}\n{operator}");
    }
    text
}
