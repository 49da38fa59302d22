//! What a command says: text for people or one JSON object for programs, on stdout.

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use serde::Serialize;

use crate::lang::{self, Language, Sentence};
use crate::refusal::Refused;
use crate::{misfit, shown};

pub(crate) use crate::refusal::{refuse, refused};

/// How to say it.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Format {
    /// Print one JSON object for programs instead of text for people.
    #[arg(long)]
    json: bool,
}

impl Format {
    /// Prints `json` or `text`.
    pub(crate) fn print(self, text: &str, json: &impl Serialize) -> anyhow::Result<ExitCode> {
        self.line(text, json)?;
        Ok(ExitCode::SUCCESS)
    }

    /// The same, for one of many; `false` if nobody reads any more.
    pub(crate) fn line(self, text: &str, json: &impl Serialize) -> anyhow::Result<bool> {
        if !self.json {
            return write(&shown::lines(text));
        }
        let json = serde_json::to_value(json).context("write the answer as JSON")?;
        write(&shown::json_text(&shown::plain_json(json).to_string()))
    }
}

/// How to say it, and in which language.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Say {
    #[command(flatten)]
    pub(crate) format: Format,
    /// Language of the text.
    #[arg(long, value_name = "LANG", default_value = "en")]
    pub(crate) lang: Language,
}

impl Say {
    /// One of two.
    pub(crate) fn pick<T>(self, en: T, zh_tw: T) -> T {
        self.lang.pick(en, zh_tw)
    }

    /// Prints `json` or the text in the language, and a failure too.
    pub(crate) fn told(
        self,
        outcome: anyhow::Result<(Sentence, impl Serialize)>,
    ) -> anyhow::Result<ExitCode> {
        let printed = outcome.and_then(|((en, zh_tw), json)| {
            let text = self.pick(en, zh_tw);
            self.format.print(&text, &json)
        });
        in_language(printed, self.lang)
    }
}

/// Prints text and a line feed on stdout. A reader that went away (`| head`) is no error.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    write(&shown::lines(text)).map(drop)
}

/// The same of JSON that is written already.
pub(crate) fn print_json(json: &str) -> anyhow::Result<()> {
    write(&shown::json_text(json)).map(drop)
}

fn write(text: &str) -> anyhow::Result<bool> {
    let mut stdout = io::stdout().lock();
    let written = writeln!(stdout, "{}", text.trim_end_matches('\n')).and_then(|()| stdout.flush());
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(error).context("write to stdout")
        }
        Ok(()) => Ok(true),
        Err(_) => Ok(false),
    }
}

/// Prints progress or a warning on stderr. Nobody may be listening, which is no error either.
pub(crate) fn note(text: &str) {
    writeln!(io::stderr().lock(), "{}", shown::lines(text)).ok();
}

/// Exit code of a command that could not tell, or that refused before it did anything.
pub(crate) const REFUSED: u8 = 2;

/// The exit code for an error.
pub(crate) fn exit_code(error: &anyhow::Error) -> ExitCode {
    // What cannot be read says nothing, not even no.
    if error.is::<Refused>() || misfit::of_error(error.as_ref()).is_some() {
        ExitCode::from(REFUSED)
    } else {
        ExitCode::FAILURE
    }
}

/// Tells a failure in this language; one in English is told by `main`.
pub(crate) fn in_language(
    outcome: anyhow::Result<ExitCode>,
    language: Language,
) -> anyhow::Result<ExitCode> {
    match (outcome, language) {
        (Err(error), Language::ZhTw) => {
            let reason = lang::causes(error.as_ref(), language);
            note(&format!("錯誤：{reason}"));
            Ok(exit_code(&error))
        }
        (outcome, _) => outcome,
    }
}

/// An error and its causes on one line, in English, each cause once.
pub(crate) fn causes(error: &(dyn Error + 'static)) -> String {
    lang::causes(error, Language::En)
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context;

    #[test]
    fn what_was_refused_has_its_own_exit_code() {
        let plain = anyhow::anyhow!("no disk").context("write");
        assert_eq!(exit_code(&plain), ExitCode::FAILURE);
        let error = refuse(plain);
        assert_eq!(exit_code(&error), ExitCode::from(2));
        assert_eq!(causes(error.as_ref()), "write: no disk");
        let error = Err::<(), _>(refused("no")).context("more").unwrap_err();
        assert_eq!(exit_code(&error), ExitCode::from(2));
        assert_eq!(causes(error.as_ref()), "more: no");
    }

    #[test]
    fn says_each_cause_once() {
        let error = anyhow::anyhow!("disk full")
            .context("write block: disk full")
            .context("commit");
        assert_eq!(causes(error.as_ref()), "commit: write block: disk full");
    }
}
