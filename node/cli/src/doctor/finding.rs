//! What was looked at, what was found, and what to do about it.

use serde_json::{Value, json};

use crate::lang::{Language, Sentence};

/// What is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Check {
    Configuration,
    Keys,
    SignState,
    Certificates,
    Ports,
    DiskSpace,
    DiskLatency,
    Node,
    OpenFiles,
    Chain,
    Clock,
    Peers,
    ReachedByPeers,
    ReachesPeers,
    Version,
}

impl Check {
    /// For programs.
    fn key(self) -> &'static str {
        self.words().0
    }

    fn label(self, lang: Language) -> &'static str {
        let (_, en, zh_tw) = self.words();
        lang.pick(en, zh_tw)
    }

    fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Configuration => ("configuration", "configuration", "設定"),
            Self::Keys => ("keys", "key files", "金鑰檔"),
            Self::SignState => ("sign-state", "sign-state", "簽署狀態"),
            Self::Certificates => ("certificates", "certificates", "憑證"),
            Self::Ports => ("ports", "ports", "連接埠"),
            Self::DiskSpace => ("disk-space", "disk space", "磁碟空間"),
            Self::DiskLatency => ("disk-latency", "disk latency", "磁碟延遲"),
            Self::Node => ("node", "node", "節點"),
            Self::OpenFiles => ("open-files", "open files", "開啟檔案數"),
            Self::Chain => ("chain", "chain", "鏈的運作"),
            Self::Clock => ("clock", "clock", "時鐘"),
            Self::Peers => ("peers", "peers", "其他節點"),
            Self::ReachedByPeers => ("reached-by-peers", "reached by peers", "由外連入"),
            Self::ReachesPeers => ("reaches-peers", "reaches peers", "向外連線"),
            Self::Version => ("version", "version", "版本"),
        }
    }
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verdict {
    Good,
    /// It will keep the node from its work if nothing is done.
    Warning,
    /// It cannot be told from here.
    Unknown,
    /// It keeps the node from its work.
    Bad,
}

impl Verdict {
    /// For programs.
    pub(super) fn key(self) -> &'static str {
        match self {
            Self::Good => "ok",
            Self::Warning => "warning",
            Self::Unknown => "unknown",
            Self::Bad => "failed",
        }
    }

    fn word(self, lang: Language) -> &'static str {
        lang.pick(
            match self {
                Self::Good => "OK     ",
                Self::Warning => "WARNING",
                Self::Unknown => "UNKNOWN",
                Self::Bad => "FAILED ",
            },
            match self {
                Self::Good => "正常",
                Self::Warning => "注意",
                Self::Unknown => "不明",
                Self::Bad => "異常",
            },
        )
    }
}

/// One answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) check: Check,
    pub(super) verdict: Verdict,
    said: Sentence,
    remedy: Option<Sentence>,
}

impl Finding {
    /// Nothing to do.
    pub(super) fn good(check: Check, said: Sentence) -> Self {
        Self {
            check,
            verdict: Verdict::Good,
            said,
            remedy: None,
        }
    }

    /// Something to do.
    pub(super) fn of(check: Check, verdict: Verdict, said: Sentence, remedy: Sentence) -> Self {
        Self {
            check,
            verdict,
            said,
            remedy: Some(remedy),
        }
    }

    /// What was found, in English.
    #[cfg(test)]
    pub(super) fn said(&self) -> &str {
        &self.said.0
    }

    /// For people.
    pub(super) fn text(&self, lang: Language) -> String {
        let (word, label) = (self.verdict.word(lang), self.check.label(lang));
        let said = pick(&self.said, lang);
        let mut text = lang.pick(
            format!("{word}  {label}: {said}\n"),
            format!("{word}  {label}：{said}\n"),
        );
        if let Some(remedy) = &self.remedy {
            let remedy = pick(remedy, lang);
            text += &lang.pick(
                format!("         -> {remedy}\n"),
                format!("      → {remedy}\n"),
            );
        }
        text
    }

    /// For programs, with sentences in one language.
    pub(super) fn json(&self, lang: Language) -> Value {
        json!({
            "check": self.check.key(),
            "verdict": self.verdict.key(),
            "finding": pick(&self.said, lang),
            "remedy": self.remedy.as_ref().map(|remedy| pick(remedy, lang)),
        })
    }
}

fn pick(sentence: &Sentence, lang: Language) -> &str {
    lang.pick(&sentence.0, &sentence.1)
}

/// A sentence in each language; English first.
pub(super) fn both(en: impl Into<String>, zh_tw: impl Into<String>) -> Sentence {
    (en.into(), zh_tw.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_speaks_both_languages() {
        let said = || both("12 GB free", "剩餘 12 GB");
        let good = Finding::good(Check::DiskSpace, said());
        assert_eq!(good.text(Language::En), "OK       disk space: 12 GB free\n");
        assert_eq!(good.text(Language::ZhTw), "正常  磁碟空間：剩餘 12 GB\n");
        assert_eq!(good.json(Language::En)["remedy"], Value::Null);
        let remedy = both("make room", "請清出空間");
        let bad = Finding::of(Check::DiskSpace, Verdict::Bad, said(), remedy);
        assert!(bad.text(Language::En).ends_with("-> make room\n"));
        let json = bad.json(Language::ZhTw);
        assert_eq!(json["check"], "disk-space");
        assert_eq!(json["verdict"], "failed");
        assert_eq!(json["remedy"], "請清出空間");
        assert!(Verdict::Bad > Verdict::Unknown && Verdict::Warning > Verdict::Good);
    }
}
