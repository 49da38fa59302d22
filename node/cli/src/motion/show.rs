//! `tbsi motion show`.

use std::process::ExitCode;

use alloy_primitives::U256;
use serde_json::{Value, json};
use tbsi_governance::abi::MOTIONS;
use tbsi_governance::contracts::{Ballot, Motion, Motions, Rule};

use super::{effect, fetch, outcome};
use crate::govern::words::{CHOICES, MOTION_KINDS, MOTION_STATUS, REASONS, time, word};
use crate::govern::{Read, RegistryClient};
use crate::lang::Language;

pub(super) async fn run(motion: u32, read: Read) -> anyhow::Result<ExitCode> {
    let registry = RegistryClient::open(&read).await?;
    let found = fetch(&registry, motion).await?;
    let effect = effect(&registry, &found).await?;
    let cast = u64::from(found.yes + found.no + found.abstained + found.conflicted);
    let call = |from: U256, count: U256| Motions::ballotsCall {
        motion,
        from,
        count,
    };
    let ballots = registry.pages(MOTIONS, (0, cast), call);
    let ballots: Vec<Ballot> = ballots.await?;
    let text = text(&registry, motion, &found, &effect, &ballots);
    let mut json = summary(&registry, motion, &found, &effect);
    json["votes"] = ballots
        .iter()
        .map(|ballot| vote(&registry, ballot))
        .collect();
    registry.format.print(&text, &json)
}

fn text(
    registry: &RegistryClient,
    number: u32,
    motion: &Motion,
    effect: &str,
    ballots: &[Ballot],
) -> String {
    let lang = registry.lang;
    let name = registry.name(motion.organisation);
    let (account, height) = (motion.account, motion.height);
    let status = word(&MOTION_STATUS, motion.status.into(), lang);
    let proposed = time(motion.proposedAt, lang);
    let (yes, no, base) = (motion.yes, motion.no, motion.base);
    let (abstained, conflicted) = (motion.abstained, motion.conflicted);
    let (needed, cast) = needed(motion);
    let mut lines = lang.pick(
        vec![
            format!("motion    {number}: {effect}"),
            format!("status    {status}"),
            format!("proposed  by {name}, {proposed}, block {height}, account {account}"),
            format!("rule      {}", rule(&motion.rule, lang)),
            format!(
                "votes     {yes} yes, {no} no, {abstained} abstained, {conflicted} out for a \
                 conflict of interest; {base} may vote"
            ),
            format!("needed    {needed} yes, and {cast} taking part"),
        ],
        vec![
            format!("動議      {number}：{effect}"),
            format!("狀態      {status}"),
            format!("提案      {name}，{proposed}，區塊 {height}，帳戶 {account}"),
            format!("規則      {}", rule(&motion.rule, lang)),
            format!(
                "表決      贊成 {yes}、反對 {no}、棄權 {abstained}、迴避 {conflicted}；\
                 有表決權者 {base}"
            ),
            format!("門檻      贊成 {needed}，參與 {cast}"),
        ],
    );
    if motion.subject != 0 {
        let subject = registry.name(motion.subject);
        lines.push(lang.pick(
            format!("about     {subject}, which may not vote for or against it"),
            format!("涉及      {subject}，不得投贊成或反對"),
        ));
    }
    for ballot in ballots {
        let choice = word(&CHOICES, ballot.choice.into(), lang);
        let (name, when) = (registry.name(ballot.organisation), time(ballot.time, lang));
        lines.push(format!("  {choice:<8}  {name}, {when}"));
    }
    lines.push(closing(registry, number, motion));
    lines.join("\n")
}

/// What comes next, or how it ended.
fn closing(registry: &RegistryClient, number: u32, motion: &Motion) -> String {
    let (lang, height) = (registry.lang, motion.endHeight);
    match motion.status {
        4 => lang.pick(
            format!("executed  in block {height}"),
            format!("執行      區塊 {height}"),
        ),
        6 => {
            let why = word(&REASONS, motion.reason.into(), lang);
            lang.pick(
                format!("withdrawn in block {height}: {why}"),
                format!("撤回      區塊 {height}：{why}"),
            )
        }
        _ => outcome(registry, number, motion),
    }
}

/// How motions are decided.
pub(super) fn rule(rule: &Rule, lang: Language) -> String {
    let yes = format!("{}/{}", rule.thresholdNumerator, rule.thresholdDenominator);
    let part = format!("{}/{}", rule.quorumNumerator, rule.quorumDenominator);
    let (period, delay, window) = (rule.votingPeriod, rule.delay, rule.window);
    lang.pick(
        format!(
            "yes of more than {yes} of all, {part} taking part; {period} s to vote, executed \
             {delay} s after it passed at the earliest and within {window} s"
        ),
        format!(
            "贊成須超過全體的 {yes}，參與須達 {part}；表決期間 {period} 秒，通過後至少等待 \
             {delay} 秒，並於其後 {window} 秒內執行"
        ),
    )
}

/// How many say yes, and how many take part, for the motion to pass (SPEC §13.6).
pub(super) fn needed(motion: &Motion) -> (u64, u64) {
    let (base, rule) = (u64::from(motion.base), &motion.rule);
    let part = |numerator: u16| base * u64::from(numerator);
    let denominator = |it: u16| u64::from(it).max(1);
    let yes = part(rule.thresholdNumerator) / denominator(rule.thresholdDenominator) + 1;
    let cast = part(rule.quorumNumerator).div_ceil(denominator(rule.quorumDenominator));
    (yes, cast)
}

fn vote(registry: &RegistryClient, ballot: &Ballot) -> Value {
    json!({
        "organisation": registry.named(ballot.organisation),
        "choice": word(&CHOICES, ballot.choice.into(), Language::En),
        "account": ballot.account,
        "time": ballot.time,
    })
}

/// For programs.
pub(super) fn summary(
    registry: &RegistryClient,
    number: u32,
    motion: &Motion,
    effect: &str,
) -> Value {
    let rule = &motion.rule;
    json!({
        "motion": number,
        "kind": word(&MOTION_KINDS, motion.kind.into(), Language::En),
        "status": word(&MOTION_STATUS, motion.status.into(), Language::En),
        "effect": effect,
        "arguments": motion.arguments,
        "organisation": registry.named(motion.organisation),
        "subject": (motion.subject != 0).then(|| registry.named(motion.subject)),
        "account": motion.account,
        "height": motion.height,
        "endHeight": (motion.endHeight != 0).then_some(motion.endHeight),
        "proposedAt": motion.proposedAt,
        "deadline": motion.deadline,
        "passedAt": (motion.passedAt != 0).then_some(motion.passedAt),
        "mayVote": motion.base,
        "yesNeeded": needed(motion).0,
        "takingPartNeeded": needed(motion).1,
        "yes": motion.yes,
        "no": motion.no,
        "abstained": motion.abstained,
        "conflicted": motion.conflicted,
        "rule": {
            "quorum": [rule.quorumNumerator, rule.quorumDenominator],
            "threshold": [rule.thresholdNumerator, rule.thresholdDenominator],
            "votingPeriod": rule.votingPeriod,
            "delay": rule.delay,
            "window": rule.window,
        },
    })
}
