//! `tbsi org list`.

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

use serde_json::json;
use tbsi_governance::confusables::outlines;
use tbsi_governance::contracts::Organisation;

use super::{names, summary, vote};
use crate::govern::words::{ORGANISATION_KINDS, ORGANISATION_STATUS, word};
use crate::govern::{Read, RegistryClient};

/// Status of an organisation that has left.
const LEFT: u32 = 3;

pub(super) async fn run(read: Read) -> anyhow::Result<ExitCode> {
    let registry = RegistryClient::open(&read).await?;
    let lang = registry.lang;
    let mut text = String::new();
    let mut all = Vec::new();
    let mut seen = BTreeMap::new();
    for (number, it) in registry.organisations() {
        let like = lookalikes(&mut seen, number, it);
        let status = word(&ORGANISATION_STATUS, it.status.into(), lang);
        let kind = word(&ORGANISATION_KINDS, it.kind.into(), lang);
        let (names, vote) = (names(it), vote(it, lang));
        text += &lang.pick(
            format!("{number:>4}  {status:<9}  {names} ({kind}, {vote})\n"),
            format!("{number:>4}  {status}  {names}（{kind}，{vote}）\n"),
        );
        for other in &like {
            let other = registry.name(*other);
            text += &lang.pick(
                format!("      WARNING: its name looks like that of {other}\n"),
                format!("      注意：名稱與{other}相似\n"),
            );
        }
        let mut entry = summary(number, it);
        entry["looksLike"] = json!(like);
        all.push(entry);
    }
    registry
        .format
        .print(&text, &json!({ "organisations": all }))
}

/// Earlier organisations that have not left and whose legal names this one's can be taken for.
/// Who has left may come back, under the same name.
fn lookalikes(
    seen: &mut BTreeMap<(usize, String), u32>,
    number: u32,
    it: &Organisation,
) -> BTreeSet<u32> {
    let mut like = BTreeSet::new();
    if u32::from(it.status) == LEFT {
        return like;
    }
    for name in [&it.nameZhTw, &it.nameEn] {
        for key in outlines(name).into_iter().enumerate() {
            if key.1.is_empty() {
                continue;
            }
            let first = *seen.entry(key).or_insert(number);
            if first != number {
                like.insert(first);
            }
        }
    }
    like
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_looks_like_another_is_pointed_out() {
        let named = |zh_tw: &str, en: &str, status: u8| Organisation {
            nameZhTw: zh_tw.into(),
            nameEn: en.into(),
            status,
            ..organisation()
        };
        let mut seen = BTreeMap::new();
        let mut like = |number, it| -> Vec<u32> {
            let like = lookalikes(&mut seen, number, &it);
            like.into_iter().collect()
        };
        let none: Vec<u32> = Vec::new();
        assert_eq!(like(1, named("台灣測試公會", "Test Association", 3)), none);
        assert_eq!(like(2, named("臺灣測試公會", "Illumina", 1)), none);
        assert_eq!(like(3, named("", "lllumina.", 1)), [2]);
        assert_eq!(like(4, named("台灣測試公會", "lllumina", 1)), [2, 3]);
        assert_eq!(like(5, named("台灣測試公會乙", "Other", 1)), none);
    }

    fn organisation() -> Organisation {
        Organisation {
            nameZhTw: String::new(),
            nameEn: String::new(),
            kind: 1,
            votes: true,
            status: 1,
            taxId: String::new(),
            lei: String::new(),
            jurisdiction: "TW".into(),
            agreementHash: Default::default(),
            credentialHash: Default::default(),
            contactUrl: String::new(),
            joinedHeight: 0,
        }
    }
}
