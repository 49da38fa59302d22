//! What was verified, in Traditional Chinese of Taiwan.

use std::fmt::Write;

use tbsi_light::{VerificationStep, VerifiedDecision};
use tbsi_types::log::{Assurance, Leaf, Statement};

use super::Verified;
use super::anchor::Trusted;
use super::report::{fields, named};
use crate::time::Times;

pub(super) fn text(verified: &Verified) -> String {
    let mut text = String::new();
    write(&mut text, verified).expect("a String takes all");
    text
}

fn write(text: &mut String, verified: &Verified) -> std::fmt::Result {
    match &verified.trusted {
        Trusted::Genesis { name, hash } => {
            writeln!(text, "通過  網路：{name}，創世檔雜湊 {hash}")?;
        }
        Trusted::Checkpoint { height, hash } => {
            writeln!(text, "通過  網路：與您信任的檢查點（高度 {height}）相同")?;
            writeln!(text, "      創世檔雜湊 {hash}")?;
        }
    }
    for step in verified.bundle.steps() {
        match step {
            VerificationStep::Handover { last, first } => {
                let (old, new) = (last.checkpoint.height, first.checkpoint.height);
                writeln!(text, "通過  交接：原驗證者集合簽署高度 {old}")?;
                signers(text, last)?;
                writeln!(text, "      新驗證者集合簽署高度 {new}")?;
                signers(text, first)?;
            }
            VerificationStep::Certificate(decision) => certificate(text, decision)?,
            VerificationStep::Inclusion { index, size, root } => {
                writeln!(
                    text,
                    "通過  日誌：共 {size} 筆，此筆位置為 {index}（自 0 起算）"
                )?;
                writeln!(text, "      根雜湊 {root}")?;
            }
            VerificationStep::Leaf { .. } => leaf(text, &verified.bundle.leaf)?,
        }
    }
    match &verified.file {
        Some(file) => {
            let salt = if file.salted {
                "加上鹽值後，"
            } else {
                ""
            };
            let shown = file.file.display();
            writeln!(text, "通過  檔案：{shown} {salt}與上述摘要完全相符")?;
        }
        None => writeln!(text, "略過  檔案：未比對任何檔案；可用 --file FILE 指定")?,
    }
    writeln!(text, "有效")
}

fn certificate(text: &mut String, decision: &VerifiedDecision) -> std::fmt::Result {
    let checkpoint = &decision.checkpoint;
    writeln!(
        text,
        "通過  檢查點：高度 {}，摘要 {}",
        checkpoint.height, decision.digest
    )?;
    signers(text, decision)
}

fn signers(text: &mut String, decision: &VerifiedDecision) -> std::fmt::Result {
    writeln!(
        text,
        "      {} 個簽章皆有效，占總投票權 {} 中的 {}（超過三分之二）：",
        decision.signers.len(),
        decision.total.0,
        decision.power.0
    )?;
    for signer in &decision.signers {
        let names = [signer.name_zh_tw.as_str(), signer.name_en.as_str()];
        let names = names.join(" ");
        writeln!(
            text,
            "      - {}（金鑰 {}）",
            names.trim(),
            signer.validator
        )?;
    }
    Ok(())
}

fn leaf(text: &mut String, leaf: &Leaf) -> std::fmt::Result {
    let kind = match &leaf.statement {
        Statement::Attestation(_) => "存證",
        Statement::Revocation { .. } => "撤銷",
        Statement::Supersession { .. } => "取代",
        Statement::CountersigningOpened { .. } => "開放會簽",
        Statement::Countersignature { .. } => "會簽",
        Statement::SchemaRegistered { .. } => "登錄綱要",
        Statement::AlgorithmSet { .. } => "設定演算法",
        Statement::GovernanceAct { .. } => "治理行為",
        Statement::Message { .. } => "跨鏈訊息",
        Statement::ForeignFact(_) => "他鏈事實",
    };
    let (head, times) = (&leaf.head, Times::of(leaf.head.time));
    writeln!(text, "通過  陳述：{kind}")?;
    writeln!(text, "      簽發者 {}", head.issuer)?;
    writeln!(
        text,
        "      時間   {}（臺北），區塊 {}",
        times.taipei, head.height
    )?;
    writeln!(text, "             {}（UTC）", times.utc)?;
    if let Some(id) = leaf.attestation_id() {
        writeln!(text, "      識別碼 {id}")?;
    }
    if let Statement::Attestation(attestation) = &leaf.statement {
        let (schema, algorithm, digest) = named(attestation);
        writeln!(text, "      綱要   {schema}")?;
        writeln!(text, "      摘要   {digest}（{algorithm}）")?;
    }
    if let Statement::ForeignFact(fact) = &leaf.statement {
        writeln!(text, "      證明   {}", assurance(fact.assurance))?;
    }
    for (name, value) in fields(&leaf.statement) {
        writeln!(text, "      {name:<6} {value}")?;
    }
    Ok(())
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
