//! What the map says beside a proof, and how old that is (SPEC §10.7).

use std::time::Duration;

use alloy_primitives::Bytes;
use jiff::Timestamp;
use serde_json::{Value, json};
use tbsi_light::{KnownUpTo, ProvenStatus, VerifiedMap};
use tbsi_types::TimestampMs;
use tbsi_types::map::{FirstAttested, MapQuestion};

use super::steps::{Mark, Steps};
use super::{Checks, Failure, Verified};
use crate::clock;
use crate::lang::{Language, counted, said};
use crate::reasons::reason_word;
use crate::time::Times;

/// How old what the map says was, and for whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Age {
    /// When it is asked.
    at: TimestampMs,
    /// That is this machine's clock.
    local: bool,
    /// Between what is known and that, in milliseconds.
    ms: u64,
    max: Duration,
}

/// Such as 90s, 15m, 24h or 7d.
pub(super) fn parse_duration(text: &str) -> Result<Duration, String> {
    let problem = || "use a number and a unit, such as 90s, 15m, 24h or 7d".to_owned();
    let (place, unit) = text.char_indices().next_back().ok_or_else(problem)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return Err(problem()),
    };
    let count: u64 = text[..place].parse().map_err(|_| problem())?;
    let seconds = count.checked_mul(seconds).ok_or_else(problem)?;
    Ok(Duration::from_secs(seconds))
}

/// RFC 3339.
pub(crate) fn parse_time(text: &str) -> Result<TimestampMs, String> {
    let problem = |_| "use a time such as 2026-11-30T16:00:00+08:00".to_owned();
    let timestamp: Timestamp = text.parse().map_err(problem)?;
    let ms = u64::try_from(timestamp.as_millisecond());
    ms.map(TimestampMs)
        .map_err(|_| "times before 1970 are before any block".to_owned())
}

/// Up to when what was asked is known.
pub(crate) fn known(map: &VerifiedMap) -> KnownUpTo {
    if map.status.is_some() {
        map.known
    } else {
        map.digests_known
    }
}

/// How old it is, if that is asked; a failure if it is too old to tell.
pub(super) fn age(checks: &Checks, map: Option<&VerifiedMap>) -> Result<Option<Age>, Failure> {
    let Some(max) = checks.status_max_age else {
        return Ok(None);
    };
    let Some(map) = map else {
        let missing = said(
            "the proof has no status, so it cannot be recent; `tbsi prove --with-status` fetches \
             one that has",
            "證明未附狀態，無從判斷新舊；可用 `tbsi prove --with-status` 取得附有狀態的證明",
        );
        return Err(Failure::could_not_tell("statusMissing", missing));
    };
    let (at, local) = match checks.at {
        Some(at) => (at, false),
        None => {
            let now = clock::now();
            let now = now.map_err(|error| Failure::could_not_tell("status", error))?;
            (now, true)
        }
    };
    let height = known(map).height;
    let revoked = map.status.is_some_and(|status| status.revocation.is_some());
    let Some(time) = known(map).time else {
        let behind = said(
            format!(
                "the map knows digests up to block {height} only, and not of which time that is; \
                 ask again when it has caught up"
            ),
            format!("對照表只收錄到區塊 {height} 的摘要，無從得知其時間；請待其趕上後再查詢"),
        );
        return Err(Failure::could_not_tell("statusOld", behind));
    };
    let ms = at.0.saturating_sub(time.0);
    let age = Age { at, local, ms, max };
    // A revocation is for ever: no later status heals it.
    if u128::from(ms) <= max.as_millis() || revoked {
        return Ok(Some(age));
    }
    let (known, said_at) = (Times::of(time), Times::of(at));
    let (old, most) = (ms / 1_000, max.as_secs());
    let old = said(
        format!(
            "the status was known at {} (block {height}), which is {old} s before {}{}; at most \
             {most} s are accepted: fetch the proof again",
            known.utc,
            said_at.utc,
            if local { ", this machine's clock" } else { "" },
        ),
        format!(
            "狀態所知截至 {}（區塊 {height}），早於 {}{} {old} 秒；最多接受 {most} 秒：請重新取得證明",
            known.taipei,
            said_at.taipei,
            if local { "（本機時鐘）" } else { "" },
        ),
    );
    Err(Failure::could_not_tell("statusOld", old))
}

/// What the attestation comes to, in a few words.
pub(crate) fn verdict(map: &VerifiedMap, status: &ProvenStatus, lang: Language) -> String {
    let height = map.known.height;
    if let Some(revocation) = status.revocation {
        let (times, block) = (Times::of(revocation.time), revocation.height);
        let (issuer, why) = (status.issuer, reason_word(revocation.what, lang));
        return lang.pick(
            format!(
                "REVOKED at {} (block {block}) by its issuer {issuer}: {why}",
                times.utc
            ),
            format!(
                "已於 {}（區塊 {block}）由簽發者 {issuer} 撤銷：{why}",
                times.taipei
            ),
        );
    }
    if status.algorithm_revoked {
        return lang.pick(
            format!("its digest algorithm was revoked, as of block {height}"),
            format!("其摘要演算法已廢止（截至區塊 {height}）"),
        );
    }
    lang.pick(
        format!("not revoked as of block {height}"),
        format!("截至區塊 {height} 未撤銷"),
    )
}

/// What a question about a digest comes to.
pub(crate) fn attested(map: &VerifiedMap, asked: &Asked<'_>, lang: Language) -> String {
    let digest = asked.digest();
    let height = map.digests_known.height;
    match asked.1 {
        None => lang.pick(
            format!("{digest} was not attested up to block {height}"),
            format!("截至區塊 {height}，{digest} 未經存證"),
        ),
        Some(first) => {
            let (index, block) = (first.index, first.height);
            lang.pick(
                format!("{digest} was first attested in block {block} (leaf {index}), not before"),
                format!("{digest} 首次存證於區塊 {block}（第 {index} 筆紀錄），此前未經存證"),
            )
        }
    }
}

/// A question about a digest, and its answer.
pub(crate) struct Asked<'a>(&'a MapQuestion, Option<FirstAttested>);

impl Asked<'_> {
    pub(crate) fn digest(&self) -> Bytes {
        match self.0 {
            MapQuestion::Digest(words) => words.to_bytes().into(),
            MapQuestion::Status { .. } | MapQuestion::Schema(_) => Bytes::new(),
        }
    }
}

pub(crate) fn asked(map: &VerifiedMap) -> impl Iterator<Item = Asked<'_>> {
    let digests = map.digests.iter();
    digests.map(|(question, first)| Asked(question, *first))
}

/// What the map says, for the last line; `None` without a map part.
pub(super) fn summary_words(verified: &Verified, lang: Language) -> Option<String> {
    let map = verified.map.as_ref()?;
    let mut words: Vec<String> = asked(map).map(|it| attested(map, &it, lang)).collect();
    words.extend(map.status.map(|status| verdict(map, &status, lang)));
    Some(words.join(lang.pick("; ", "；")))
}

/// Step by step.
pub(super) fn write(steps: &mut Steps, verified: &Verified, lang: Language) {
    let Some(map) = &verified.map else { return };
    for one in asked(map) {
        let label = lang.pick("digest: ", "摘要：");
        steps.passed(format!("{label}{}", attested(map, &one, lang)));
    }
    if let Some(status) = map.status {
        let mark = if status.is_void() {
            Mark::Failed
        } else {
            Mark::Passed
        };
        let label = lang.pick("status: ", "狀態：");
        steps.add(mark, format!("{label}{}", verdict(map, &status, lang)));
        if let Some(line) = successor(&status, lang) {
            steps.detail(line);
        }
    }
    steps.detail(source(map, lang));
    if let Some(age) = &verified.age {
        steps.detail(age.words(lang));
    }
}

/// What its issuer put in its place.
pub(crate) fn successor(status: &ProvenStatus, lang: Language) -> Option<String> {
    let id = status.supersession?.what;
    Some(lang.pick(
        format!("its issuer names a successor: {id}"),
        format!("簽發者指定由此存證取代：{id}"),
    ))
}

/// Up to when it is known, and where from.
pub(crate) fn source(map: &VerifiedMap, lang: Language) -> String {
    let known = known(map);
    let index = map.root_index;
    let time = known.time.map_or_else(
        || "-".to_owned(),
        |time| lang.pick(Times::of(time).utc, Times::of(time).taipei),
    );
    let (height, entries) = (known.height, map.root.entries);
    lang.pick(
        format!(
            "known up to block {height}, {time}; from the map in leaf {index}, {}",
            counted(entries, "entry")
        ),
        format!("所知截至區塊 {height}，{time}；依第 {index} 筆紀錄的對照表（{entries} 項）"),
    )
}

impl Age {
    pub(crate) fn words(&self, lang: Language) -> String {
        let (seconds, most) = (self.ms / 1_000, self.max.as_secs());
        let at = Times::of(self.at);
        let local = self.local;
        lang.pick(
            format!(
                "{seconds} s old at {}{}; at most {most} s are accepted",
                at.utc,
                if local {
                    ", by this machine's clock"
                } else {
                    ""
                }
            ),
            format!(
                "於 {}{}時為 {seconds} 秒前；最多接受 {most} 秒",
                at.taipei,
                if local { "（本機時鐘）" } else { "" }
            ),
        )
    }
}

/// For programs.
pub(super) fn summary(verified: &Verified) -> Value {
    let Some(map) = &verified.map else {
        return Value::Null;
    };
    let digests = asked(map).map(|it| {
        json!({
            "digest": it.digest(),
            "first": it.1.map(|first| json!({ "leafIndex": first.index, "height": first.height })),
        })
    });
    let age = verified.age.map(|age| {
        json!({
            "ms": age.ms,
            "maxMs": u64::try_from(age.max.as_millis()).unwrap_or(u64::MAX),
            "at": Times::of(age.at),
            "clock": if age.local { "local" } else { "given" },
        })
    });
    json!({
        "leafIndex": map.root_index,
        "root": map.root.root,
        "entries": map.root.entries,
        "knownUpTo": known_json(&map.known),
        "digestsKnownUpTo": known_json(&map.digests_known),
        "digests": digests.collect::<Vec<_>>(),
        "status": map.status.map(|status| status_json(map, &status)),
        "age": age,
    })
}

fn known_json(known: &KnownUpTo) -> Value {
    json!({ "height": known.height, "timeMs": known.time })
}

/// As a node's answer is shown.
pub(super) fn status_json(map: &VerifiedMap, status: &ProvenStatus) -> Value {
    json!({
        "asOf": map.known.height,
        "asOfTimeMs": map.known.time,
        "source": "map",
        "status": if status.revocation.is_some() {
            "revoked"
        } else if status.algorithm_revoked {
            "algorithmRevoked"
        } else {
            "notRevoked"
        },
        "proven": true,
        "revocation": status.revocation.map(|it| json!({
            "leafIndex": it.index,
            "height": it.height,
            "timeMs": it.time,
            "issuer": status.issuer,
            "reason": it.what,
            "reasonName": reason_word(it.what, Language::En),
        })),
        "supersession": status.supersession.map(|it| json!({
            "leafIndex": it.index,
            "height": it.height,
            "timeMs": it.time,
            "successor": it.what,
        })),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_unit() {
        for (text, seconds) in [("90s", 90), ("15m", 900), ("24h", 86_400), ("7d", 604_800)] {
            assert_eq!(parse_duration(text), Ok(Duration::from_secs(seconds)));
        }
        for bad in [
            "",
            "s",
            "90",
            "-1s",
            "1.5h",
            "1w",
            "99999999999999999999d",
            "3日",
        ] {
            assert!(parse_duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn times_are_those_of_rfc_3339() {
        let time = TimestampMs(1_700_000_001_007);
        assert_eq!(parse_time("2023-11-14T22:13:21.007Z"), Ok(time));
        assert_eq!(parse_time("2023-11-15T06:13:21.007+08:00"), Ok(time));
        for bad in ["", "yesterday", "2023-11-14", "1960-01-01T00:00:00Z"] {
            assert!(parse_time(bad).is_err(), "{bad}");
        }
    }
}
