//! Which step a verification that failed got to. It stops at the first failure, so what comes
//! before it passed and what comes after it was not reached.

use super::document::Section;
use super::facts;
use crate::lang::Language;
use crate::verify::{Checks, Inputs, Mark, Step, Verdict};

/// Steps in the order in which they are done, and the codes of SPEC §10.5 with which each fails.
const STEPS: &[(&[&str], &str, &str)] = &[
    (
        &["unreadable", "otherVersion", "form"],
        "the proof can be read, and its parts are whole and in canonical form",
        "證明可讀取，各部分完整且為標準寫法",
    ),
    (
        &["trust"],
        "what is trusted, the genesis file or the checkpoint, can be read",
        "信任的依據（創世檔或檢查點）可讀取",
    ),
    (
        &["handovers"],
        "the file of handovers leads from the genesis file to the validators of the proof",
        "交接檔由創世檔通往證明中的驗證者",
    ),
    (
        &["otherNetwork"],
        "the proof is of the network that is trusted",
        "證明屬於所信任的網路",
    ),
    (
        &["leaf"],
        "the statement is well formed, and of the chain and time that the checkpoint covers",
        "陳述的形式正確，且屬於檢查點所涵蓋的鏈與時間",
    ),
    (
        &["inclusion"],
        "the statement is in the log whose root the checkpoint has",
        "陳述位於檢查點所載根雜湊的日誌之中",
    ),
    (
        &["gap", "handover"],
        "each change of the validators was signed by the old and the new ones",
        "每次驗證者變更均由新舊驗證者簽署",
    ),
    (
        &["beforeTrusted", "fork", "checkpoint"],
        "validators with more than two thirds of the voting power signed the checkpoint",
        "持有超過三分之二投票權的驗證者簽署了檢查點",
    ),
    (
        &["registry"],
        "the register shows whose account it was in that block",
        "登記簿顯示該區塊時帳戶屬於何人",
    ),
    (
        &["map"],
        "what the map says follows from its root, which is in that log",
        "對照表的答案由其根雜湊推得，且該根雜湊位於同一日誌之中",
    ),
    (
        &["statusMissing", "statusOld"],
        "the proof has a status, and one that is not older than was asked for",
        "證明附有狀態，且未逾所要求的期限",
    ),
    (
        &["file", "otherFile"],
        "the file has the digest that was attested",
        "檔案的摘要與存證的摘要相符",
    ),
    (
        &["postQuantum"],
        "validators of the proof cosigned the log with post-quantum keys",
        "證明中的驗證者以後量子金鑰共同簽署了日誌",
    ),
    (
        &["status"],
        "a node was asked whether the attestation was revoked later",
        "向節點詢問存證事後是否撤銷",
    ),
];

pub(super) fn section(
    inputs: &Inputs,
    checks: &Checks,
    verdict: &Verdict,
    lang: Language,
) -> Section {
    facts::steps(&steps(inputs, checks, verdict, lang), lang)
}

fn steps(inputs: &Inputs, checks: &Checks, verdict: &Verdict, lang: Language) -> Vec<Step> {
    let code = verdict.code.unwrap_or_default();
    let failed = STEPS.iter().position(|(codes, ..)| codes.contains(&code));
    let mut steps = Vec::new();
    for (at, (codes, en, zh_tw)) in STEPS.iter().enumerate() {
        let asked = match codes[0] {
            "handovers" => inputs.trust.handovers.is_some(),
            "status" => inputs.trust.rpc.is_some(),
            "statusMissing" => checks.status_max_age.is_some(),
            "postQuantum" => checks.post_quantum.post_quantum.is_some(),
            // Nothing else tells here whether the proof has one.
            "registry" => code == "registry",
            "map" => matches!(code, "map" | "statusOld"),
            _ => true,
        };
        if !asked {
            continue;
        }
        let (mark, details) = match failed {
            Some(failed) if at < failed => (Mark::Passed, Vec::new()),
            Some(failed) if at == failed => {
                (Mark::Failed, verdict.reason.clone().into_iter().collect())
            }
            Some(_) | None => (Mark::NotReached, Vec::new()),
        };
        let what = lang.pick(*en, *zh_tw).to_owned();
        steps.push(Step {
            mark,
            what,
            details,
        });
    }
    steps
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_code_of_the_specification_is_of_one_step() {
        let spec = include_str!("../../../../SPEC.md");
        let table = spec.split("### 10.5").nth(1).unwrap();
        let table = table.split("Of a proof that holds").next().unwrap();
        let rows = table.lines().filter(|line| line.starts_with("| `"));
        let names = rows.flat_map(|row| {
            let cell = row.split('|').nth(1).unwrap();
            cell.split('`').skip(1).step_by(2)
        });
        let named: Vec<&str> = names.collect();
        let ours: Vec<&str> = STEPS
            .iter()
            .flat_map(|(codes, ..)| *codes)
            .copied()
            .collect();
        assert_eq!(ours.len(), ours.iter().collect::<BTreeSet<_>>().len());
        assert_eq!(
            named.into_iter().collect::<BTreeSet<_>>(),
            ours.into_iter().collect()
        );
    }
}
