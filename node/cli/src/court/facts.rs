//! What was proven: what, by whom, when, and who signed.

use tbsi_light::{NamedSigner, ProvenIssuer};
use tbsi_types::NamedValidator;
use tbsi_types::log::{Attestation, Statement, leaf_hash};

use super::document::Section;
use super::{answers, status};
use crate::lang::Language;
use crate::shown::PathShown;
use crate::time::Times;
use crate::verify::{
    Step, Trusted, Verdict, VerdictKind, Verified, accuracy, attested_digest, fields, named,
};

pub(super) fn sections(verified: &Verified, lang: Language) -> Vec<Section> {
    let mut sections = match verified.answers() {
        Some(map) => answers::sections(verified, map, lang),
        None => vec![
            what(verified, lang),
            whom(verified, lang),
            when(verified, lang),
        ],
    };
    sections.push(quorum(verified, lang));
    if verified.is_about_attestation() {
        sections.push(status::section(verified, lang));
    }
    sections.push(steps(&verified.steps(lang), lang));
    sections
}

/// The verdict, and what it means.
pub(super) fn result(verdict: &Verdict, meaning: &str, lang: Language) -> Section {
    let mut section = Section::new(lang.pick("Result", "結論"));
    let mut rows = vec![(lang.pick("Verdict", "結論"), verdict.words.clone())];
    if let Some(code) = verdict.code {
        rows.push((lang.pick("Code", "代碼"), code.to_owned()));
    }
    rows.push((lang.pick("Meaning", "意義"), meaning.into()));
    section.facts(rows);
    section
}

/// What a verdict means, by the numbers of the sections.
pub(super) fn meaning(
    kind: VerdictKind,
    verified: Option<&Verified>,
    lang: Language,
) -> &'static str {
    if verified.is_some_and(|it| it.answers().is_some()) {
        return answers::meaning(lang);
    }
    match kind {
        VerdictKind::Valid => lang.pick(
            "What section 2 names was stated with the key of the account of section 3, in the \
             block and at the time of section 4. The validators of section 5 signed the log that \
             has it.",
            "第 2 節所列內容，確由第 3 節所列帳戶的金鑰，於第 4 節所列區塊與時間陳述；收錄該筆紀錄\
             的日誌，經第 5 節所列驗證者簽署。",
        ),
        VerdictKind::Void => lang.pick(
            "It was stated as the following sections say, and it counts for nothing: it was \
             revoked, or whoever said it could not say it.",
            "其陳述確如以下各節所載，但不生效力：已遭撤銷，或陳述者無權為之。",
        ),
        VerdictKind::Invalid => lang.pick(
            "The proof, or the file that it was compared with, is not what it has to be. Nothing \
             that it says may be relied on.",
            "證明或與其比對的檔案不符。證明所載的任何內容均不得採信。",
        ),
        VerdictKind::CouldNotTell => lang.pick(
            "Whether the proof holds is not known: something that is needed is missing, or of \
             another network or version, or the file is no proof. This says nothing against it.",
            "無法得知證明是否成立：缺少所需的資料，或其屬於其他網路或版本，或檔案並非證明。\
             此結論並未否定該證明。",
        ),
    }
}

fn what(verified: &Verified, lang: Language) -> Section {
    let leaf = &verified.bundle.leaf;
    let mut section = Section::new(lang.pick("What was attested", "存證內容"));
    let mut rows = vec![(
        lang.pick("Kind of statement", "陳述種類"),
        verified.kind(lang).to_owned(),
    )];
    let none = lang.pick("none was compared", "未比對任何檔案");
    if let Statement::Attestation(attestation) = &leaf.statement {
        let file = verified.file.as_ref();
        let shown = file.map(|file| file.file.shown().to_string());
        rows.push((
            lang.pick("File", "檔案"),
            shown.unwrap_or_else(|| none.into()),
        ));
        digests(&mut rows, verified, attestation, lang);
        let (schema, _, _) = named(attestation);
        let id = attestation.schema.to_string();
        let schema = if schema == id {
            id
        } else {
            format!("{schema}\n{id}")
        };
        rows.push((lang.pick("Schema", "綱要"), schema));
    }
    if let Some(id) = leaf.attestation_id() {
        let name = lang.pick("Id of the attestation", "存證識別碼");
        rows.push((name, id.to_string()));
    }
    rows.extend(fields(&leaf.statement));
    rows.push((
        lang.pick("Place in the log", "日誌位置"),
        lang.pick(
            format!(
                "leaf {} of {}",
                verified.bundle.leaf_index, verified.bundle.decision.checkpoint.log_size
            ),
            format!(
                "第 {} 筆（自 0 起算），共 {} 筆",
                verified.bundle.leaf_index, verified.bundle.decision.checkpoint.log_size
            ),
        ),
    ));
    section.facts(rows);
    section
}

fn digests(
    rows: &mut Vec<(&'static str, String)>,
    verified: &Verified,
    attestation: &Attestation,
    lang: Language,
) {
    let (_, algorithm, _) = named(attestation);
    let attested = attested_digest(attestation).to_string();
    rows.push((lang.pick("Digest attested", "存證的摘要"), attested));
    rows.push((lang.pick("Digest algorithm", "摘要演算法"), algorithm));
    let Some(file) = &verified.file else { return };
    let same = lang.pick("the same, to the last bit", "完全相符");
    rows.push((
        lang.pick("Digest of the file", "檔案的摘要"),
        format!("{}\n{same}", file.digest),
    ));
    if file.salt.is_some() {
        let salted = lang.pick(
            "32 random bytes stand in front of the file's; without them nobody can tell the file \
             by its digest",
            "檔案內容之前有 32 個隨機位元組；沒有鹽值，任何人都無法以摘要認出檔案",
        );
        rows.push((lang.pick("Salt", "鹽值"), salted.into()));
    }
}

fn whom(verified: &Verified, lang: Language) -> Section {
    let mut section = Section::new(lang.pick("By whom", "存證者"));
    let issuer = verified.bundle.issuer();
    let known = verified.owner();
    let unproven = || lang.pick("not proved", "未經證明").to_owned();
    let stated = |value: Option<&str>| value.map_or_else(unproven, str::to_owned);
    let name = known.map(|it| it.names(lang));
    section.facts(vec![
        (lang.pick("Account", "帳戶"), issuer.to_string()),
        (
            lang.pick("Legal name", "法定名稱"),
            name.unwrap_or_else(unproven),
        ),
        ("統一編號", stated(known.and_then(|it| it.tax_id))),
        ("LEI", stated(known.and_then(|it| it.lei))),
    ]);
    let registry = verified.registry.as_ref();
    if let Some(proven) = registry.and_then(|it| it.issuer.as_ref()) {
        section.paragraph(registered(proven, lang));
        return section;
    }
    section.paragraph(match known {
        Some(_) => lang.pick(
            "The genesis file says that the account was this organisation's when the network was \
             founded. Whose it was later is on record in the network (`tbsi org`).",
            "創世檔載明：網路創立時，此帳戶屬於該機構。其後的歸屬載於網路的登錄（`tbsi org`）。",
        ),
        None => lang.pick(
            "The statement was made with the key of this account. Whose account it is follows \
             from nothing that was verified here: `tbsi prove --with-names` fetches a proof that \
             shows it, if the account was an organisation's.",
            "此陳述以該帳戶的金鑰作成。帳戶屬於何人，無法由本次驗證得知；帳戶若屬於機構，可用 \
             `tbsi prove --with-names` 取得其證明。",
        ),
    });
    section
}

/// What the registry proves.
fn registered(proven: &ProvenIssuer, lang: Language) -> String {
    let (number, known) = (proven.organisation, proven.known);
    let (member, named) = (proven.membership.since, proven.record.since);
    lang.pick(
        format!(
            "The registry of organisations, in the state that the validators of section 5 signed \
             in block {known}, says: the account was that of organisation {number} since block \
             {member}, through the whole block of section 4; and these were the organisation's \
             names and identifiers since block {named}, through the same block."
        ),
        format!(
            "第 5 節所列驗證者於區塊 {known} 簽署的狀態中，機構登錄載明：此帳號自區塊 {member} 起屬於\
             機構 {number}，涵蓋第 4 節所列區塊全部；上列名稱與編號自區塊 {named} 起為該機構所有，\
             亦涵蓋同一區塊全部。"
        ),
    )
}

fn when(verified: &Verified, lang: Language) -> Section {
    let mut section = Section::new(lang.pick("When", "時間"));
    let head = &verified.bundle.leaf.head;
    let times = Times::of(head.time);
    let accuracy = match accuracy(verified.trusted.genesis()) {
        Some((ahead, behind)) => lang.pick(
            format!(
                "by the clocks of the validators that signed: at most {ahead} ms ahead, usually \
                 at most {behind} ms behind; each further round of voting adds to the latter"
            ),
            format!(
                "依簽署驗證者的時鐘：至多快 {ahead} 毫秒，通常至多慢 {behind} 毫秒；每多一輪投票，\
                 後者隨之增加"
            ),
        ),
        None => lang.pick(
            "not known here: the genesis file states the bounds".to_owned(),
            "此處無從得知：誤差上限載於創世檔".to_owned(),
        ),
    };
    section.facts(vec![
        (lang.pick("Taipei", "臺北時間"), times.taipei),
        (lang.pick("UTC", "世界協調時間"), times.utc),
        (lang.pick("Block", "區塊"), head.height.to_string()),
        (lang.pick("Accuracy", "準確度"), accuracy),
    ]);
    section
}

fn quorum(verified: &Verified, lang: Language) -> Section {
    let mut section =
        Section::new(lang.pick("Who signed, and who did not", "簽署與未簽署的驗證者"));
    let decision = &verified.bundle.decision;
    let (signed, all) = (decision.signers.len(), verified.validators.as_slice().len());
    let (power, total) = (decision.power.0, decision.total.0);
    section.paragraph(lang.pick(
        format!(
            "{signed} of {all} validators signed, with {power} of {total} voting power; more \
             than two thirds is needed. The legal names are part of what was signed."
        ),
        format!(
            "{all} 個驗證者中有 {signed} 個簽署，占總投票權 {total} 中的 {power}；須超過三分之二。\
             法定名稱是簽署內容的一部分。"
        ),
    ));
    section.paragraph(identified(verified, lang));
    let head = lang.pick(
        vec!["Legal name", "統一編號 / LEI", "Key", "Power", "Signed"],
        vec!["法定名稱", "統一編號／LEI", "金鑰", "投票權", "簽署"],
    );
    let validators = verified.validators.as_slice().iter();
    let rows = validators.map(|validator| signature(verified, validator, lang));
    section.table(head, &[30, 22, 28, 9, 11], rows.collect());
    let (checkpoint, digest) = (&decision.checkpoint, decision.digest.0);
    let leaf = verified.bundle.leaf.encode();
    let leaf = leaf.expect("a leaf that was verified has canonical bytes");
    section.facts(vec![
        (
            lang.pick("Checkpoint signed", "簽署的檢查點"),
            digest.to_string(),
        ),
        (lang.pick("Height", "高度"), checkpoint.height.to_string()),
        (
            lang.pick("Time (UTC)", "時間（世界協調時間）"),
            Times::of(checkpoint.time).utc,
        ),
        (
            lang.pick("Block hash", "區塊雜湊"),
            checkpoint.block_hash.to_string(),
        ),
        (
            lang.pick("State root", "狀態根"),
            checkpoint.state_root.to_string(),
        ),
        (
            lang.pick("Log root", "日誌根雜湊"),
            checkpoint.log_root.to_string(),
        ),
        (
            lang.pick("Validator set", "驗證者集合"),
            checkpoint.validator_set_hash.to_string(),
        ),
        (
            lang.pick("Hash of the leaf", "紀錄的雜湊"),
            leaf_hash(&leaf).to_string(),
        ),
        (
            lang.pick("Post-quantum cosignatures", "後量子共同簽章"),
            status::post_quantum(verified, lang),
        ),
    ]);
    section
}

/// What proves the identifiers.
fn identified(verified: &Verified, lang: Language) -> String {
    if let Some(proven) = &verified.registry {
        let known = proven.known;
        return lang.pick(
            format!(
                "Identifiers are those of the registry of organisations, in the state that these \
                 validators signed in block {known}; where it is not proven who answers for a \
                 validator, those of the genesis file, when the network was founded."
            ),
            format!(
                "編號依這些驗證者於區塊 {known} 簽署的狀態中的機構登錄；未經證明由何機構負責者，\
                 依創世檔，為網路創立時的編號。"
            ),
        );
    }
    lang.pick(
        "Identifiers are those of the genesis file, when the network was founded: of other \
         validators, `tbsi prove --with-names` fetches a proof of them.",
        "編號依創世檔，為網路創立時的編號；其他驗證者的編號，可用 `tbsi prove --with-names` 取得其證明。",
    )
    .into()
}

fn signature(verified: &Verified, validator: &NamedValidator, lang: Language) -> Vec<String> {
    let signers = &verified.bundle.decision.signers;
    let signed = signers.iter().any(|it| it.validator == validator.address);
    let (zh_tw, en) = (&validator.name_zh_tw, &validator.name_en);
    let names = lang.pick(format!("{en}\n{zh_tw}"), format!("{zh_tw}\n{en}"));
    let same = NamedSigner {
        validator: validator.address,
        power: validator.power,
        name_zh_tw: zh_tw.clone(),
        name_en: en.clone(),
    };
    let known = verified.operator(&same);
    let unproven = || lang.pick("not proved", "未經證明").to_owned();
    let identifiers = known.map_or([None, None], |it| [it.tax_id, it.lei]);
    let identifiers: Vec<&str> = identifiers.into_iter().flatten().collect();
    vec![
        names.trim().to_owned(),
        if identifiers.is_empty() {
            unproven()
        } else {
            identifiers.join("\n")
        },
        validator.address.to_string(),
        validator.power.0.to_string(),
        if signed {
            lang.pick("yes", "已簽署").into()
        } else {
            lang.pick("no", "未簽署").into()
        },
    ]
}

/// What `tbsi verify` says, step by step.
pub(super) fn steps(steps: &[Step], lang: Language) -> Section {
    let mut section = Section::new(lang.pick("Each step of the verification", "逐步驗證結果"));
    let head = lang.pick(vec!["Result", "Step"], vec!["結果", "步驟"]);
    let rows = steps.iter().map(|step| {
        let mut text = step.what.clone();
        for detail in &step.details {
            text = format!("{text}\n{}", detail.trim_start());
        }
        vec![step.mark.result(lang).to_owned(), text]
    });
    section.table(head, &[12, 88], rows.collect());
    section
}

/// The network and where trust in it came from.
pub(super) fn trusted(verified: &Verified, lang: Language) -> (&'static str, String) {
    let name = lang.pick("Network trusted", "信任的網路");
    let text = match &verified.trusted {
        Trusted::Genesis { file, hash } => lang.pick(
            format!("{}, genesis hash\n{hash}", file.name),
            format!("{}，創世檔雜湊\n{hash}", file.name),
        ),
        Trusted::Checkpoint { height, hash } => lang.pick(
            format!("that of the checkpoint of height {height}, genesis hash\n{hash}"),
            format!("高度 {height} 的檢查點所屬網路，創世檔雜湊\n{hash}"),
        ),
    };
    (name, text)
}
