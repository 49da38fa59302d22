//! What an offline verification says.

use serde_json::{Value, json};
use tbsi_light::{NamedSigner, NotAuthorised, ProvenAct};
use tbsi_types::{AuthorisationAct, LegalRecord, TimestampMs};

use super::Answer;
use crate::govern::words::time;
use crate::lang::{Language, Sentence};
use crate::shown::line;
use crate::time::Times;
use crate::verify::VerdictKind;

/// Step by step, and the verdict.
pub(super) fn text(answer: &Answer, lang: Language) -> String {
    let proven = &answer.proven;
    let checkpoint = &proven.bundle.decision.checkpoint;
    let mut steps = vec![signed(answer, lang)];
    steps.extend(proven.acts.iter().map(|act| done(answer, act, lang)));
    let begun = moment(proven.bundle.leaf.head.time, lang);
    let (height, known) = (proven.known, moment(checkpoint.time, lang));
    steps.push(match proven.in_force.until {
        None => lang.pick(
            format!("by the state of block {height}, in force since {begun} and still at {known}"),
            format!("依區塊 {height} 的狀態，自 {begun} 起有效，至 {known} 仍有效"),
        ),
        Some((until, block)) => {
            let until = time(until, lang);
            lang.pick(
                format!("by the state of block {height}, in force from {begun} to {until} (block {block})"),
                format!("依區塊 {height} 的狀態，自 {begun} 至 {until}（區塊 {block}）有效"),
            )
        }
    });
    let terms = &proven.stated.terms;
    let (from, until) = (time(terms.from, lang), time(terms.until, lang));
    let purposes: Vec<_> = terms.purposes.iter().map(ToString::to_string).collect();
    let (data_set, agreement) = (proven.stated.data_set, terms.agreement);
    steps.push(lang.pick(
        format!("terms: data set {data_set}, from {from} to before {until}, agreement {agreement}"),
        format!("條件：資料集 {data_set}，自 {from} 至 {until} 之前，協議 {agreement}"),
    ));
    let ok = lang.pick("ok", "通過");
    let mut text: String = steps
        .iter()
        .map(|step| format!("{ok}  {}\n", line(step)))
        .collect();
    for purpose in purposes {
        text += &lang.pick(
            format!("    purpose {purpose}\n"),
            format!("      目的 {purpose}\n"),
        );
    }
    text + &line(&verdict(answer, lang)) + "\n"
}

fn signed(answer: &Answer, lang: Language) -> String {
    let decision = &answer.proven.bundle.decision;
    let name = |it: &NamedSigner| either(&it.name_zh_tw, &it.name_en, lang).to_owned();
    let names: Vec<_> = decision.signers.iter().map(name).collect();
    let (height, at) = (
        decision.checkpoint.height,
        moment(decision.checkpoint.time, lang),
    );
    lang.pick(
        format!(
            "checkpoint {height} of {at}, signed by {}",
            names.join("; ")
        ),
        format!("檢查點 {height}（{at}），由{}簽署", names.join("、")),
    )
}

fn done(answer: &Answer, act: &ProvenAct, lang: Language) -> String {
    let stated = &answer.proven.stated;
    let (giver, taker) = (party(&stated.grantor, lang), party(&stated.grantee, lang));
    let (en, zh_tw): Sentence = match &act.event.act {
        AuthorisationAct::Offered(it) => (
            format!(
                "terms {} offered by {giver}, account {}",
                it.version, it.account
            ),
            format!("{giver}提出第 {} 版條件，帳戶 {}", it.version, it.account),
        ),
        AuthorisationAct::Accepted(it) => (
            format!(
                "terms {} accepted by {taker}, account {}",
                it.version, it.account
            ),
            format!("{taker}接受第 {} 版條件，帳戶 {}", it.version, it.account),
        ),
        AuthorisationAct::Narrowed(it) => {
            let by = if it.by == answer.proven.grantor {
                &giver
            } else {
                &taker
            };
            (
                format!(
                    "terms {} allow less, by {by}, account {}",
                    it.version, it.account
                ),
                format!("{by}縮小為第 {} 版條件，帳戶 {}", it.version, it.account),
            )
        }
        AuthorisationAct::ReliedOn {
            account,
            purpose,
            subject,
            ..
        } => (
            format!("used by {taker}, account {account}, for purpose {purpose}: {subject}"),
            format!("{taker}使用，帳戶 {account}，目的 {purpose}：{subject}"),
        ),
        AuthorisationAct::Revoked { .. } => ("revoked".into(), "撤銷".into()),
    };
    let (index, height, at) = (act.leaf_index, act.height, moment(act.time, lang));
    lang.pick(
        format!("{en} (leaf {index}, block {height}, {at})"),
        format!("{zh_tw}（第 {index} 筆紀錄，區塊 {height}，{at}）"),
    )
}

fn verdict(answer: &Answer, lang: Language) -> String {
    let stated = &answer.proven.stated;
    let (giver, taker) = (party(&stated.grantor, lang), party(&stated.grantee, lang));
    let at = time(answer.second, lang);
    match reason(answer, lang) {
        None => lang.pick(
            format!("AUTHORISED: at {at}, {taker} could use the data set of {giver}"),
            format!("已獲授權：於 {at}，{taker}得使用{giver}的資料集"),
        ),
        Some(reason) => {
            let unknown = matches!(answer.outcome, Err(NotAuthorised::NotKnown { .. }));
            let word = if unknown {
                lang.pick("COULD NOT TELL", "無法判斷")
            } else {
                lang.pick("NOT AUTHORISED", "未獲授權")
            };
            lang.pick(
                format!("{word}: {taker}, at {at}: {reason}"),
                format!("{word}：{taker}，於 {at}：{reason}"),
            )
        }
    }
}

fn reason(answer: &Answer, lang: Language) -> Option<String> {
    let (en, zh_tw) = match answer.outcome.err()? {
        NotAuthorised::NotBegun { begun } => {
            let at = moment(begun, lang);
            (
                format!("these terms began at {at}"),
                format!("這些條件自 {at} 起生效"),
            )
        }
        NotAuthorised::Ended { until, height } => {
            let at = time(until, lang);
            (
                format!(
                    "these terms ended at {at}, in block {height}: revoked, or replaced by others"
                ),
                format!("這些條件已於 {at}（區塊 {height}）終止：遭撤銷，或由其他條件取代"),
            )
        }
        NotAuthorised::OtherTime { from, until } => {
            let [from, until] = [from, until].map(|it| time(it, lang));
            (
                format!("the terms allow it from {from} to before {until}"),
                format!("條件只允許自 {from} 至 {until} 之前"),
            )
        }
        NotAuthorised::OtherPurpose { purpose } => (
            format!("the terms do not name purpose {purpose}"),
            format!("條件未包括目的 {purpose}"),
        ),
        NotAuthorised::NotKnown { known } => {
            let known = time(known, lang);
            (
                format!("the proof knows what held before {known}: fetch it again"),
                format!("證明只知 {known} 之前的情形：請重新取得"),
            )
        }
    };
    Some(lang.pick(en, zh_tw))
}

/// For programs.
pub(super) fn json(answer: &Answer, kind: VerdictKind, lang: Language) -> Value {
    let proven = &answer.proven;
    let (stated, terms) = (&proven.stated, &proven.stated.terms);
    let decision = &proven.bundle.decision;
    let signer = |it: &NamedSigner| {
        json!({
            "validator": it.validator, "nameZhTw": it.name_zh_tw, "nameEn": it.name_en,
        })
    };
    let signers: Vec<_> = decision.signers.iter().map(signer).collect();
    json!({
        "verdict": kind.name(),
        "code": answer.outcome.err().map(code),
        "reason": reason(answer, lang),
        "at": Times::of(TimestampMs(answer.second.saturating_mul(1_000))),
        "authorisation": proven.number,
        "version": stated.version,
        "grantor": legal(proven.grantor, &stated.grantor),
        "grantee": legal(proven.grantee, &stated.grantee),
        "dataSet": stated.data_set,
        "agreement": terms.agreement,
        "from": terms.from,
        "until": terms.until,
        "purposes": terms.purposes,
        "since": Times::of(proven.bundle.leaf.head.time),
        "sinceHeight": proven.in_force.since.1,
        "ended": proven.in_force.until.map(|it| it.0),
        "endedHeight": proven.in_force.until.map(|it| it.1),
        "knownBefore": proven.known_second,
        "knownHeight": proven.known,
        "acts": proven.acts.iter().map(act_json).collect::<Vec<_>>(),
        "signers": signers,
    })
}

fn code(reason: NotAuthorised) -> &'static str {
    match reason {
        NotAuthorised::NotBegun { .. } => "notBegun",
        NotAuthorised::Ended { .. } => "ended",
        NotAuthorised::OtherTime { .. } => "otherTime",
        NotAuthorised::OtherPurpose { .. } => "otherPurpose",
        NotAuthorised::NotKnown { .. } => "notKnown",
    }
}

fn act_json(act: &ProvenAct) -> Value {
    let (what, account, purpose, subject) = match &act.event.act {
        AuthorisationAct::Offered(it) => ("offered", it.account, None, None),
        AuthorisationAct::Accepted(it) => ("accepted", it.account, None, None),
        AuthorisationAct::Narrowed(it) => ("narrowed", it.account, None, None),
        AuthorisationAct::Revoked { account, .. } => ("revoked", *account, None, None),
        AuthorisationAct::ReliedOn {
            account,
            purpose,
            subject,
            ..
        } => ("reliedOn", *account, Some(purpose), Some(subject)),
    };
    json!({
        "act": what,
        "leafIndex": act.leaf_index,
        "height": act.height,
        "time": Times::of(act.time),
        "account": account,
        "purpose": purpose,
        "subject": subject,
    })
}

fn legal(number: u32, it: &LegalRecord) -> Value {
    let stated = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    json!({
        "number": number,
        "nameZhTw": it.name_zh_tw,
        "nameEn": it.name_en,
        "taxId": stated(&it.tax_id),
        "lei": stated(&it.lei),
        "jurisdiction": it.jurisdiction,
    })
}

/// Legal name and identifier.
fn party(it: &LegalRecord, lang: Language) -> String {
    let name = either(&it.name_zh_tw, &it.name_en, lang);
    if it.tax_id.is_empty() {
        return lang.pick(
            format!("{name} (LEI {})", it.lei),
            format!("{name}（LEI {}）", it.lei),
        );
    }
    lang.pick(
        format!("{name} (統一編號 {})", it.tax_id),
        format!("{name}（統一編號 {}）", it.tax_id),
    )
}

fn either<'a>(zh_tw: &'a str, en: &'a str, lang: Language) -> &'a str {
    let (first, second) = lang.pick((en, zh_tw), (zh_tw, en));
    if first.is_empty() { second } else { first }
}

fn moment(time: TimestampMs, lang: Language) -> String {
    let times = Times::of(time);
    lang.pick(times.utc, times.taipei)
}
