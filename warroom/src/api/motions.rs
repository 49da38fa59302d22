//! Motions and ballots.

use serde_json::{Value, json};
use tbsi_governance::motions::Act;

use super::{Answer, Context, Problem};
use crate::registry::{BallotRecord, CHOICES, MotionRecord, word};
use crate::said::said;

const STATES: [&str; 7] = [
    "open",
    "passed",
    "executable",
    "executed",
    "rejected",
    "withdrawn",
    "expired",
];

/// `/motions`.
pub(super) fn list(context: &Context<'_>) -> Result<Answer, Problem> {
    let params = context.params;
    let (limit, cursor) = (params.limit()?, params.cursor()?);
    let wanted = params.choice("status", &STATES)?.map(|place| STATES[place]);
    let time = context.time_ms()?;
    let end = cursor.and_then(|it| u32::try_from(it).ok());
    let end = end.unwrap_or(u32::MAX);
    let found = context.registry().motions.range(..end).rev();
    let found = found.filter(|(_, it)| wanted.is_none_or(|wanted| it.status(time) == wanted));
    let mut items = Vec::new();
    let mut next = None;
    for (number, motion) in found {
        if items.len() == limit {
            next = Some((number + 1).to_string());
            break;
        }
        items.push(motion_json(context, *number, motion, time));
    }
    Ok(Answer::json(&json!({
        "size": context.size,
        "items": items,
        "next": next,
        "notKnown": context.missing_acts("/items"),
    })))
}

/// `/motions/{motion}`.
pub(super) fn one(context: &Context<'_>, number: &str) -> Result<Answer, Problem> {
    let number: Option<u32> = number.parse().ok();
    let Some(number) = number else {
        return Err(Problem::parameter(
            "motion",
            &said("a whole number is expected", "應為整數"),
        ));
    };
    let Some(motion) = context.registry().motions.get(&number) else {
        return Err(Problem::not_found(&said(
            format!("No act that is known proposes motion {number}."),
            format!("已知的治理行為中沒有第 {number} 號動議。"),
        )));
    };
    let time = context.time_ms()?;
    Ok(Answer::json(&motion_json(context, number, motion, time)))
}

fn motion_json(context: &Context<'_>, number: u32, motion: &MotionRecord, time: u64) -> Value {
    let effect = context.registry().effect(motion);
    let subject = Some(motion.subject).filter(|number| *number != 0);
    let ballots = motion.ballots.iter().map(|it| ballot_json(context, it));
    json!({
        "motion": number,
        "kind": motion.kind,
        "kindName": Act::kind_name(motion.kind).unwrap_or("?"),
        "organisation": motion.organisation,
        "name": context.name(motion.organisation),
        "subject": subject,
        "subjectName": subject.map_or(Value::Null, |number| context.name(number)),
        "arguments": motion.arguments,
        "en": effect.en,
        "zhTw": effect.zh_tw,
        "status": motion.status(time),
        "proposedMs": motion.proposed.time_ms,
        "deadlineMs": motion.deadline_s.saturating_mul(1000),
        "executableFromMs": motion.window_s.map(|(from, _)| from.saturating_mul(1000)),
        "executableUntilMs": motion.window_s.map(|(_, until)| until.saturating_mul(1000)),
        "closedMs": motion.closed.map(|(_, since)| since.time_ms),
        "yes": motion.count(1),
        "no": motion.count(2),
        "abstain": motion.count(3),
        "conflict": motion.count(4),
        "ballots": ballots.collect::<Vec<_>>(),
        "position": motion.proposed.position,
    })
}

fn ballot_json(context: &Context<'_>, ballot: &BallotRecord) -> Value {
    json!({
        "organisation": ballot.organisation,
        "name": context.name(ballot.organisation),
        "choice": word(&CHOICES, ballot.choice),
        "account": ballot.account,
        "timeMs": ballot.since.time_ms,
        "position": ballot.since.position,
    })
}
