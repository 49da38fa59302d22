//! What the map answers about digests: that one was not attested, or when it first was.

use tbsi_light::VerifiedMap;

use super::document::Section;
use crate::lang::Language;
use crate::shown::PathShown;
use crate::time::Times;
use crate::verify::{Verified, status};

/// What comes before the validators; the numbers are those of [`meaning`].
pub(super) fn sections(verified: &Verified, map: &VerifiedMap, lang: Language) -> Vec<Section> {
    vec![
        what(verified, map, lang),
        source(verified, map, lang),
        when(verified, map, lang),
    ]
}

/// Of the verdict.
pub(super) fn meaning(lang: Language) -> &'static str {
    lang.pick(
        "The map of all that was attested answers what section 2 says. Section 3 names the map, \
         section 4 how far it reaches. The validators of section 5 signed the log that has its \
         root.",
        "收錄所有存證的對照表，其答案如第 2 節所載。第 3 節為該對照表，第 4 節為其所及範圍；收錄其\
         根雜湊的日誌，經第 5 節所列驗證者簽署。",
    )
}

fn what(verified: &Verified, map: &VerifiedMap, lang: Language) -> Section {
    let mut section = Section::new(lang.pick("What was asked, and the answer", "詢問與答案"));
    let mut rows = Vec::new();
    for one in status::asked(map) {
        rows.push((
            lang.pick("Digest asked about", "所詢摘要"),
            one.digest().to_string(),
        ));
        rows.push((
            lang.pick("Answer", "答案"),
            status::attested(map, &one, lang),
        ));
    }
    let none = lang.pick("none was compared", "未比對任何檔案");
    let file = verified.file.as_ref();
    let compared = file.map(|it| {
        let (shown, algorithm) = (it.file.shown(), it.algorithm);
        lang.pick(
            format!("{shown}\nits {algorithm} digest is one of these, to the last bit"),
            format!("{shown}\n其 {algorithm} 摘要與上列之一完全相符"),
        )
    });
    rows.push((
        lang.pick("File", "檔案"),
        compared.unwrap_or_else(|| none.into()),
    ));
    section.facts(rows);
    section
}

fn source(verified: &Verified, map: &VerifiedMap, lang: Language) -> Section {
    let mut section = Section::new(lang.pick("Where the answer comes from", "答案的來源"));
    let bundle = &verified.bundle;
    let size = bundle.decision.checkpoint.log_size;
    let index = map.root_index;
    section.facts(vec![
        (
            lang.pick("Kind of statement", "陳述種類"),
            verified.kind(lang).to_owned(),
        ),
        (
            lang.pick("Root of the map", "對照表的根雜湊"),
            map.root.root.to_string(),
        ),
        (lang.pick("Entries", "項數"), map.root.entries.to_string()),
        (
            lang.pick("Place in the log", "日誌位置"),
            lang.pick(
                format!("leaf {index} of {size}"),
                format!("第 {index} 筆（自 0 起算），共 {size} 筆"),
            ),
        ),
    ]);
    section.paragraph(lang.pick(
        "No account made this statement: each validator computes the map from the log, and signs \
         its root with the log.",
        "此陳述並非由任何帳戶作成：各驗證者依日誌計算對照表，並將其根雜湊連同日誌一併簽署。",
    ));
    section
}

fn when(verified: &Verified, map: &VerifiedMap, lang: Language) -> Section {
    let mut section = Section::new(lang.pick("How far it reaches", "所及範圍"));
    let known = status::known(map);
    let unknown = || lang.pick("not known", "無從得知").to_owned();
    let times = known.time.map(Times::of);
    let taipei = times.as_ref().map(|it| it.taipei.clone());
    let utc = times.map(|it| it.utc);
    let age = verified.age.map(|age| age.words(lang));
    let unasked = || {
        lang.pick(
            "not judged: --status-max-age and --at judge it".to_owned(),
            "未判斷：可用 --status-max-age 與 --at 判斷".to_owned(),
        )
    };
    section.facts(vec![
        (
            lang.pick("Up to block", "截至區塊"),
            known.height.to_string(),
        ),
        (
            lang.pick("Until (Taipei)", "截至（臺北時間）"),
            taipei.unwrap_or_else(unknown),
        ),
        (
            lang.pick("Until (UTC)", "截至（世界協調時間）"),
            utc.unwrap_or_else(unknown),
        ),
        (lang.pick("Age", "距所詢時間"), age.unwrap_or_else(unasked)),
    ]);
    section
}
