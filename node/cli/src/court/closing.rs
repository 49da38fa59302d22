//! Files and their hashes, versions, and what a report does not say.

use std::path::Path;

use tbsi_types::bundle::{FORMAT as PROOF_FORMAT, MAP_FORMAT, REGISTRY_FORMAT};

use super::document::{FORMAT, Section};
use super::facts;
use crate::digest::{DEFAULT_ALGORITHM, digest_file, parse_algorithm};
use crate::lang::Language;
use crate::shown::PathShown;
use crate::verify::{Checks, Inputs, Verified};

/// What was read, so that others can say whether they have the same.
pub(super) fn files(
    inputs: &Inputs,
    checks: &Checks,
    verified: Option<&Verified>,
    lang: Language,
) -> Section {
    let mut section = Section::new(lang.pick("Files, and their hashes", "檔案與雜湊"));
    let file = inputs.attested_file();
    let all = [
        (lang.pick("Proof", "證明"), Some(inputs.proof.as_path())),
        (lang.pick("File attested", "存證的檔案"), file.as_deref()),
        (
            lang.pick("Genesis file", "創世檔"),
            inputs.trust.genesis.as_deref(),
        ),
        (
            lang.pick("Trusted checkpoint", "信任的檢查點"),
            inputs.trust.checkpoint.as_deref(),
        ),
        (
            lang.pick("Handovers", "交接檔"),
            inputs.trust.handovers.as_deref(),
        ),
        (
            lang.pick("Post-quantum cosignatures", "後量子共同簽章"),
            checks.post_quantum.post_quantum.as_deref(),
        ),
        (
            lang.pick("Post-quantum keys", "後量子金鑰"),
            checks.post_quantum.post_quantum_keys.as_deref(),
        ),
    ];
    let all = all.into_iter();
    let read = all.filter_map(|(name, path)| path.map(|path| (name, hashed(path, lang))));
    let mut rows: Vec<(&str, String)> = read.collect();
    rows.extend(verified.map(|it| facts::trusted(it, lang)));
    section.facts(rows);
    section
}

/// Name, size and SHA-256.
fn hashed(path: &Path, lang: Language) -> String {
    let shown = path.shown();
    let algorithm = parse_algorithm(DEFAULT_ALGORITHM).expect("this program computes its default");
    let size = std::fs::metadata(path).map(|metadata| metadata.len());
    let digest = digest_file(path, algorithm, None, &|_| {});
    let (Ok(size), Ok(digest)) = (size, digest) else {
        let unread = lang.pick("could not be read", "無法讀取");
        return format!("{shown}\n{unread}");
    };
    let digest = alloy_primitives::hex::encode(digest);
    lang.pick(
        format!("{shown}, {size} bytes\nSHA-256 {digest}"),
        format!("{shown}，{size} 位元組\nSHA-256 {digest}"),
    )
}

pub(super) fn versions(lang: Language) -> Section {
    let mut section = Section::new(lang.pick("Versions", "版本"));
    section.facts(vec![
        (
            lang.pick("Program", "程式"),
            format!("tbsi {}", env!("CARGO_PKG_VERSION")),
        ),
        (lang.pick("Form of the report", "報告格式"), FORMAT.into()),
        (
            lang.pick("Forms of proofs", "證明格式"),
            lang.pick(
                format!(
                    "{PROOF_FORMAT} (JSON) and TBP1 (compact); with the map, {MAP_FORMAT} and \
                     TBM1; with the registry, {REGISTRY_FORMAT} and TBR1"
                ),
                format!(
                    "{PROOF_FORMAT}（JSON）與 TBP1（精簡）；附對照表者為 {MAP_FORMAT} 與 TBM1；附機構\
                     登錄者為 {REGISTRY_FORMAT} 與 TBR1"
                ),
            ),
        ),
        (
            lang.pick("Rules", "規則"),
            lang.pick("SPEC.md, sections 3, 9 and 10", "SPEC.md 第 3、9、10 節")
                .into(),
        ),
    ]);
    section
}

/// What nobody may read into it.
pub(super) fn not_said(verified: Option<&Verified>, lang: Language) -> Section {
    let mut section = Section::new(lang.pick("What this report does not say", "本報告未說明的事"));
    let mut items = vec![
        lang.pick(
            "That the content of the file is true, lawful or complete, or who wrote it. It says \
             that somebody stated the digest of these bytes, and when.",
            "檔案內容是否真實、合法、完整，或出自何人。本報告只說明有人於何時陳述了這些位元組的摘要。",
        ),
        lang.pick(
            "That the file did not exist before the time that is named.",
            "檔案在所載時間之前不存在。",
        ),
        lang.pick(
            "Which person held the key of the account, or that no one else used it.",
            "帳戶的金鑰由何人持有，或未遭他人使用。",
        ),
        lang.pick(
            "That the genesis file or checkpoint which was trusted is the network's. Whoever \
             relies on the report compares its hash with one that the associations publish \
             elsewhere.",
            "所信任的創世檔或檢查點確屬該網路。採用本報告者，應將其雜湊與各公會另行公布者比對。",
        ),
        lang.pick(
            "That validators who were replaced long ago did not sign a second history together; \
             a recent trusted checkpoint excludes it.",
            "早已更替的驗證者未曾共同簽署另一份歷史；改以近期的檢查點為信任依據即可排除。",
        ),
        lang.pick(
            "What the evidence is worth in law. A court decides.",
            "證據在法律上的價值，由法院判斷。",
        ),
    ];
    if let Some(later) = verified.and_then(|it| later(it, lang)) {
        items.insert(2, later);
    }
    section.list(items.into_iter().map(str::to_owned).collect());
    section
}

/// What may have been said since.
fn later(verified: &Verified, lang: Language) -> Option<&'static str> {
    if verified.answers().is_some() {
        return Some(lang.pick(
            "That the digest was not attested after the block that is named, or the same content \
             under another digest: with a salt, by another algorithm, or after any change.",
            "該摘要於所載區塊之後未經存證，或相同內容未以其他摘要存證（例如加上鹽值、改用其他演算法，\
             或內容略經更動）。",
        ));
    }
    if !verified.is_about_attestation() {
        return None;
    }
    Some(match (&verified.standing, &verified.map) {
        (Some(_), _) => lang.pick(
            "That the attestation was not revoked after the block up to which the node was asked. \
             That there is no revocation is the node's word.",
            "存證在詢問節點所及的區塊之後未遭撤銷。沒有撤銷一節，僅為節點的說法。",
        ),
        (None, Some(_)) => lang.pick(
            "That the attestation was not revoked after the block up to which the status in the \
             proof is known.",
            "存證在證明所附狀態所及的區塊之後未遭撤銷。",
        ),
        (None, None) => lang.pick(
            "That the attestation was not revoked later: no node was asked.",
            "存證事後未遭撤銷：本次未詢問任何節點。",
        ),
    })
}
