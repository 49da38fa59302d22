//! What was verified, in Traditional Chinese of Taiwan.

use tbsi_light::{NamedSigner, VerificationStep, VerifiedDecision};
use tbsi_types::log::{Assurance, Leaf, Statement};
use tbsi_types::{Address, Genesis};

use super::anchor::Trusted;
use super::identity::{Operator, Owner};
use super::report::{accuracy, fields, named};
use super::steps::{Mark, Step, Steps};
use super::{Verified, identity, post_quantum, status};
use crate::lang::Language;
use crate::shown::PathShown;
use crate::time::Times;

pub(super) fn steps(verified: &Verified) -> Vec<Step> {
    let mut steps = Steps::default();
    write(&mut steps, verified);
    steps.into_vec()
}

fn write(steps: &mut Steps, verified: &Verified) {
    match &verified.trusted {
        Trusted::Genesis { file, hash } => {
            steps.passed(format!("網路：{}，創世檔雜湊 {hash}", file.name));
        }
        Trusted::Checkpoint { height, hash } => {
            steps.passed(format!("網路：與您信任的檢查點（高度 {height}）相同"));
            steps.detail(format!("創世檔雜湊 {hash}"));
        }
    }
    if let Some(count) = verified.followed {
        steps.passed(format!(
            "交接：檔案中的 {count} 次，每次都由新舊集合共同簽署"
        ));
    }
    let genesis = verified.trusted.genesis();
    for step in verified.bundle.steps() {
        match step {
            VerificationStep::Handover { last, first } => {
                let (old, new) = (last.checkpoint.height, first.checkpoint.height);
                steps.passed(format!("交接：原驗證者集合簽署高度 {old}"));
                signers(steps, last, |it| verified.founder(it));
                steps.detail(format!("新驗證者集合簽署高度 {new}"));
                signers(steps, first, |it| verified.founder(it));
            }
            VerificationStep::Certificate(decision) => certificate(steps, decision, verified),
            VerificationStep::Inclusion { index, size, root } => {
                steps.passed(format!(
                    "日誌：共 {size} 筆，此筆位置為 {index}（自 0 起算）"
                ));
                steps.detail(format!("根雜湊 {root}"));
            }
            VerificationStep::Leaf { .. } => {
                leaf(steps, &verified.bundle.leaf, genesis, verified.owner());
            }
        }
    }
    if let Some(proven) = &verified.registry {
        if let Some(issuer) = &proven.issuer {
            steps.passed(identity::source(issuer, Language::ZhTw));
        }
        steps.passed(identity::operators(proven, Language::ZhTw));
    }
    post_quantum::write(steps, verified.post_quantum.as_ref(), Language::ZhTw);
    if let Some(until) = verified.relied_until {
        let until = crate::renew::utc(until);
        steps.add(
            Mark::Note,
            format!("演算法：可信賴至 {until}；請於此前以 `tbsi renew` 更新"),
        );
    }
    later(steps, verified);
    match &verified.file {
        Some(file) => {
            let salt = if file.salt.is_some() {
                "加上鹽值後，"
            } else {
                ""
            };
            let shown = file.file.shown();
            steps.passed(format!("檔案：{shown} {salt}與上述摘要完全相符"));
        }
        None if verified.is_attestation() => {
            steps.add(Mark::Skipped, "檔案：未比對任何檔案；可用 --file FILE 指定");
        }
        None => {}
    }
}

/// What was said of the attestation afterwards.
fn later(steps: &mut Steps, verified: &Verified) {
    status::write(steps, verified, Language::ZhTw);
    match (&verified.standing, verified.is_about_attestation()) {
        (_, false) => {}
        (None, true) if verified.map.is_some() => {}
        (None, true) if verified.is_attestation() => steps.add(
            Mark::Skipped,
            "撤銷：未檢查事後是否撤銷；可用 --rpc URL 詢問節點",
        ),
        (None, true) => steps.add(
            Mark::Skipped,
            "效力：未檢查；只有存證簽發者本人的陳述有效，可用 --rpc URL 詢問節點",
        ),
        (Some(known), true) => {
            let lang = Language::ZhTw;
            let (mark, what) = match verified.void(lang) {
                Some(why) => (Mark::Failed, why),
                None if verified.is_attestation() => (Mark::Passed, known.verdict(lang)),
                None => (Mark::Passed, "與存證為同一簽發者".to_owned()),
            };
            steps.add(mark, format!("後續：{what}"));
            steps.detail(known.source(lang));
        }
    }
}

/// The last line: what holds, and what was not looked at.
pub(super) fn verdict(verified: &Verified) -> String {
    let attestation = verified.is_attestation();
    if let Some(why) = verified.void(Language::ZhTw) {
        return if attestation {
            format!("證明驗證通過，但存證{why}")
        } else {
            format!("證明驗證通過，但此陳述不生效力：{why}")
        };
    }
    let mut text = "證明驗證通過".to_owned();
    match (&verified.standing, verified.is_about_attestation()) {
        (Some(known), true) if attestation => {
            text = format!("{text}；{}", known.verdict(Language::ZhTw));
        }
        (None, true) if verified.map.is_some() => {}
        (None, true) if attestation => text += "；未檢查事後是否撤銷",
        (None, true) => text += "；未檢查效力",
        (_, _) => {}
    }
    if let Some(words) = status::summary_words(verified, Language::ZhTw) {
        text = format!("{text}；{words}");
    }
    if attestation && verified.file.is_none() {
        text += "；未比對檔案";
    }
    text
}

fn certificate(steps: &mut Steps, decision: &VerifiedDecision, verified: &Verified) {
    let checkpoint = &decision.checkpoint;
    steps.passed(format!(
        "檢查點：高度 {}，摘要 {}",
        checkpoint.height, decision.digest
    ));
    signers(steps, decision, |it| verified.operator(it));
}

fn signers<'a>(
    steps: &mut Steps,
    decision: &VerifiedDecision,
    operator: impl Fn(&NamedSigner) -> Option<Operator<'a>>,
) {
    steps.detail(format!(
        "{} 個簽章皆有效，占總投票權 {} 中的 {}（超過三分之二）：",
        decision.signers.len(),
        decision.total.0,
        decision.power.0
    ));
    for signer in &decision.signers {
        let names = [signer.name_zh_tw.as_str(), signer.name_en.as_str()];
        let names = names.join(" ");
        let identifiers = identity::signer_identifiers(operator(signer), Language::ZhTw);
        steps.detail(format!(
            "- {}{identifiers}（金鑰 {}）",
            names.trim(),
            signer.validator
        ));
    }
}

/// What kind of statement a leaf is.
pub(super) fn kind(statement: &Statement) -> &'static str {
    match statement {
        Statement::Attestation(_) => "存證",
        Statement::Revocation { .. } => "撤銷",
        Statement::Supersession { .. } => "取代",
        Statement::CountersigningOpened { .. } => "開放會簽",
        Statement::Countersignature { .. } => "會簽",
        Statement::SchemaRegistered { .. } => "登錄綱要",
        Statement::AlgorithmSet { .. } => "設定演算法",
        Statement::MapRoot(_) => "對照表的根雜湊",
        Statement::GovernanceAct { .. } => "治理行為",
        Statement::Message { .. } => "跨鏈訊息",
        Statement::ForeignFact(_) => "他鏈事實",
    }
}

/// What a leaf says.
pub(super) fn leaf(
    steps: &mut Steps,
    leaf: &Leaf,
    genesis: Option<&Genesis>,
    owner: Option<Owner<'_>>,
) {
    let kind = kind(&leaf.statement);
    let (head, times) = (&leaf.head, Times::of(leaf.head.time));
    steps.passed(format!("陳述：{kind}"));
    if head.issuer == Address::ZERO {
        steps.detail("簽發者 本鏈自身；並非由帳戶簽署");
    } else {
        steps.detail(format!("簽發者 {}", head.issuer));
        steps.detail(format!("       {}", legal_name(owner)));
    }
    steps.detail(format!(
        "時間   {}（臺北），區塊 {}",
        times.taipei, head.height
    ));
    steps.detail(format!("       {}（UTC）", times.utc));
    if let Some((ahead, behind)) = accuracy(genesis) {
        steps.detail(format!(
            "       依驗證者的時鐘：至多快 {ahead} 毫秒，通常至多慢 {behind} 毫秒"
        ));
    }
    if let Some(id) = leaf.attestation_id() {
        steps.detail(format!("識別碼 {id}"));
    }
    if let Statement::Attestation(attestation) = &leaf.statement {
        let (schema, algorithm, digest) = named(attestation);
        steps.detail(format!("綱要   {schema}"));
        steps.detail(format!("摘要   {digest}（{algorithm}）"));
    }
    if let Statement::ForeignFact(fact) = &leaf.statement {
        steps.detail(format!("證明   {}", assurance(fact.assurance)));
    }
    for (name, value) in fields(&leaf.statement) {
        steps.detail(format!("{name:<6} {value}"));
    }
}

/// Whose account it is, as far as anything shows.
fn legal_name(owner: Option<Owner<'_>>) -> String {
    owner.map_or_else(
        || {
            "法定名稱：未經證明（並非創立時的帳戶）；當時若為機構帳戶，可用 `tbsi prove --with-names` 取得其證明"
                .to_owned()
        },
        |it| it.sentence(Language::ZhTw),
    )
}

/// What a fact of another chain rests on.
pub(crate) fn assurance(code: u8) -> String {
    let Some(known) = Assurance::by_code(code) else {
        return format!("由類別 {code} 的客戶端證明，較新的軟體才認得");
    };
    match known {
        Assurance::Qbft | Assurance::Ibft2 => format!(
            "{}：該鏈三分之二的驗證者封存此區塊；驗證者名單始於開設客戶端者所擔保的區塊標頭",
            known.label()
        ),
    }
}
