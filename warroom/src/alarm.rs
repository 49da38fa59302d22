//! What a reader has to know before anything else.

use serde_json::{Value, json};

use crate::said::Said;

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum AlarmCode {
    /// Two checkpoints of one height with valid certificates.
    Fork,
    /// A signed checkpoint that does not extend the log that was indexed.
    RewrittenLog,
    /// Leaves or hashes that are not those of the signed root.
    WrongTile,
    /// The source is of another genesis file.
    OtherNetwork,
    /// A checkpoint or handover that does not verify.
    Unverified,
    /// The source lacks leaves of the signed log, or gave them cut short.
    Gap,
    /// No new checkpoint for longer than the limit.
    SilentChain,
    /// A source does not answer.
    Unreachable,
    /// The index cannot be written.
    Index,
}

impl AlarmCode {
    pub(crate) const ALL: [Self; 9] = [
        Self::Fork,
        Self::RewrittenLog,
        Self::WrongTile,
        Self::OtherNetwork,
        Self::Unverified,
        Self::Gap,
        Self::SilentChain,
        Self::Unreachable,
        Self::Index,
    ];

    /// The same in every language.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Fork => "fork",
            Self::RewrittenLog => "rewrittenLog",
            Self::WrongTile => "wrongTile",
            Self::OtherNetwork => "otherNetwork",
            Self::Unverified => "unverified",
            Self::Gap => "gap",
            Self::SilentChain => "silentChain",
            Self::Unreachable => "unreachable",
            Self::Index => "index",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.as_str() == text)
    }

    /// Whether somebody signed or served what contradicts the rest. Such an alarm stays.
    pub(crate) fn is_lie(self) -> bool {
        match self {
            Self::Fork | Self::RewrittenLog | Self::WrongTile | Self::Unverified => true,
            // That is a mistake on the command line.
            Self::OtherNetwork
            | Self::Gap
            | Self::SilentChain
            | Self::Unreachable
            | Self::Index => false,
        }
    }

    /// Whether the log itself is in doubt, so that nothing is indexed any more.
    pub(crate) fn stops(self) -> bool {
        matches!(self, Self::Fork | Self::RewrittenLog)
    }
}

/// Something that is wrong, and what proves it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Alarm {
    pub(crate) code: AlarmCode,
    /// Address of the source in question.
    pub(crate) source: Option<String>,
    pub(crate) said: Said,
    pub(crate) evidence: Option<Value>,
}

impl Alarm {
    pub(crate) fn new(code: AlarmCode, source: &str, said: Said) -> Self {
        Self {
            code,
            source: Some(source.into()),
            said,
            evidence: None,
        }
    }

    pub(crate) fn with_evidence(mut self, evidence: Value) -> Self {
        self.evidence = Some(evidence);
        self
    }
}

/// An alarm and when it was first seen, by the war room's clock.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RaisedAlarm {
    pub(crate) alarm: Alarm,
    pub(crate) since_ms: u64,
}

impl RaisedAlarm {
    pub(crate) fn json(&self) -> Value {
        let alarm = &self.alarm;
        let severity = if alarm.code.is_lie() {
            "lie"
        } else {
            "trouble"
        };
        json!({
            "code": alarm.code.as_str(),
            "severity": severity,
            "sinceMs": self.since_ms,
            "source": alarm.source,
            "en": alarm.said.en,
            "zhTw": alarm.said.zh_tw,
            "evidence": alarm.evidence,
        })
    }
}
