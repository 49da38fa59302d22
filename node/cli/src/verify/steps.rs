//! The steps of a verification: said once in each language, and shown on a terminal or in a
//! report for a court.

use std::fmt::Write;

use crate::lang::Language;
use crate::shown;

/// What came of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    Passed,
    Failed,
    /// Nobody asked for it.
    Skipped,
    /// Nothing was held against anything; somebody has to know it.
    Note,
    /// An earlier step failed.
    NotReached,
}

impl Mark {
    /// In two letters, or two characters.
    pub(crate) fn word(self, lang: Language) -> &'static str {
        match self {
            Self::Passed => lang.pick("ok", "通過"),
            Self::Failed => lang.pick("NO", "不符"),
            Self::Skipped => lang.pick("--", "略過"),
            Self::Note => lang.pick("--", "注意"),
            Self::NotReached => lang.pick("..", "未及"),
        }
    }

    /// In a word, for those who do not read terminals.
    pub(crate) fn result(self, lang: Language) -> &'static str {
        match self {
            Self::Passed => lang.pick("passed", "通過"),
            Self::Failed => lang.pick("FAILED", "不符"),
            Self::Skipped => lang.pick("not done", "未進行"),
            Self::Note => lang.pick("note", "注意"),
            Self::NotReached => lang.pick("not reached", "未及"),
        }
    }
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) mark: Mark,
    pub(crate) what: String,
    /// More lines about it.
    pub(crate) details: Vec<String>,
}

/// All, in the order in which trust flows.
#[derive(Debug, Default)]
pub(crate) struct Steps(Vec<Step>);

impl Steps {
    pub(crate) fn add(&mut self, mark: Mark, what: impl Into<String>) {
        self.0.push(Step {
            mark,
            what: on_one_line(what),
            details: Vec::new(),
        });
    }

    pub(crate) fn passed(&mut self, what: impl Into<String>) {
        self.add(Mark::Passed, what);
    }

    /// One more line about the last step.
    pub(crate) fn detail(&mut self, line: impl Into<String>) {
        let step = self.0.last_mut().expect("details follow a step");
        step.details.push(on_one_line(line));
    }

    pub(crate) fn into_vec(self) -> Vec<Step> {
        self.0
    }
}

/// A step is lines of ours; names in it begin none.
fn on_one_line(text: impl Into<String>) -> String {
    shown::line(&text.into()).into_owned()
}

/// For a terminal.
pub(super) fn text(steps: &[Step], verdict: &str, lang: Language) -> String {
    let mut text = lines(steps, lang);
    writeln!(text, "{}", shown::line(verdict)).expect("a String takes all");
    text
}

/// The same without a verdict.
pub(super) fn lines(steps: &[Step], lang: Language) -> String {
    let indent = lang.pick("    ", "      ");
    let mut text = String::new();
    let mut line = |before: &str, after: &str| {
        writeln!(text, "{before}{after}").expect("a String takes all");
    };
    for step in steps {
        line(&format!("{}  ", step.mark.word(lang)), &step.what);
        for detail in &step.details {
            line(indent, detail);
        }
    }
    text
}
