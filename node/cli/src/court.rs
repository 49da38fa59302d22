//! `tbsi report`: what a court reads. The facts are those of `tbsi verify`, put down once; two
//! renderers show them.

#![allow(clippy::float_arithmetic, reason = "a page is measured in points")]

mod answers;
mod closing;
mod document;
mod facts;
mod failed;
mod fonts;
mod html;
mod layout;
mod lines;
mod pdf;
mod repeat;
mod status;

use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::json;

use crate::lang::{Language, SayContext, demand, said};
use crate::proof;
use crate::report::{Format, in_language, refuse};
use crate::salt::{directory_of, is_there};
use crate::shown::PathShown;
use crate::verify::{self, Checks, Failure, Inputs, Verdict, Verified};
use document::Document;
use fonts::FontFiles;

const HELP: &str = "\
The report says what was attested, by whom, when and how exactly, who signed and who did not,
what came of each step, how to repeat it with other software, and what it does not say. It is
written whatever the verdict is. The same files and options give the same bytes: the age of a
status (--status-max-age) is that at the time which --at names. A COSE receipt has no report.

A PDF is PDF/A-2a and PDF/UA-1, with a font with Chinese characters embedded: the Debian package
fonts-noto-cjk has one. An .html report needs none.

Exit codes are those of `tbsi verify`: 0 the proof holds, 1 it does not, or what it proves was
revoked, 2 could not tell, or no report was written.";

#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    #[command(flatten)]
    inputs: Inputs,
    #[command(flatten)]
    checks: Checks,
    /// Report to write, .pdf or .html; must not exist.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Font for a PDF [default: Noto Sans CJK, where Debian installs it].
    #[arg(long, value_name = "FILE")]
    font: Option<PathBuf>,
    /// Language of the report.
    #[arg(long, value_name = "LANG", default_value = "en")]
    lang: Language,
    #[command(flatten)]
    format: Format,
}

/// What the file is, by its name.
enum Form {
    Html,
    Pdf(FontFiles),
}

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    in_language(report(args), args.lang)
}

fn report(args: &Args) -> anyhow::Result<ExitCode> {
    let form = form(args).map_err(refuse)?;
    let outcome = verify::verify(&args.inputs, &args.checks);
    let verdict = verdict_of(&outcome, args.lang);
    let document = document(args, outcome.as_ref().ok(), &verdict);
    let bytes = match &form {
        Form::Html => html::render(&document).into_bytes(),
        Form::Pdf(fonts) => pdf::render(&document, fonts).map_err(refuse)?,
    };
    let shown = args.out.shown();
    store(&args.out, &bytes)
        .or_say(|| (format!("write {shown}"), format!("無法寫入 {shown}")))
        .map_err(refuse)?;
    let json = json!({
        "report": args.out.json(),
        "verdict": verdict.kind.name(),
        "code": verdict.code,
        "reason": verdict.reason,
    });
    let words = &verdict.words;
    let text = args
        .lang
        .pick(format!("{shown}: {words}"), format!("{shown}：{words}"));
    args.format.print(&text, &json)?;
    Ok(verdict.kind.exit_code())
}

/// Everything that can be told before the work begins.
fn form(args: &Args) -> anyhow::Result<Form> {
    let shown = args.out.shown();
    let checks = &args.checks;
    demand(
        checks.status_max_age.is_none() || checks.at.is_some(),
        || {
            (
                "a report asks no clock; give --at with the time at which the status must not be \
             older than --status-max-age"
                    .into(),
                "報告不採用本機時鐘；請以 --at 指定以 --status-max-age 判斷狀態新舊的時間".into(),
            )
        },
    )?;
    // What cannot be read at all has a report that says so.
    let receipt = proof::read(&args.inputs.proof).is_ok_and(|it| verify::is_receipt(&it));
    demand(!receipt, || verify::no_certificate(&args.inputs.proof))?;
    demand(!is_there(&args.out), || {
        (
            format!("{shown} exists; choose another --out"),
            format!("{shown} 已存在；請另選 --out"),
        )
    })?;
    let extension = args.out.extension().and_then(|it| it.to_str());
    match extension.map(str::to_ascii_lowercase).as_deref() {
        Some("html" | "htm") => Ok(Form::Html),
        Some("pdf") => Ok(Form::Pdf(FontFiles::find(args.font.as_deref())?)),
        Some(_) | None => Err(said(
            format!("--out {shown} must end with .pdf or .html"),
            format!("--out {shown} 須以 .pdf 或 .html 結尾"),
        )),
    }
}

fn verdict_of(outcome: &Result<Verified, Failure>, lang: Language) -> Verdict {
    match outcome {
        Ok(verified) => verified.verdict(lang),
        Err(failure) => failure.verdict(lang),
    }
}

fn document(args: &Args, verified: Option<&Verified>, verdict: &Verdict) -> Document {
    let (inputs, checks, lang) = (&args.inputs, &args.checks, args.lang);
    let meaning = facts::meaning(verdict.kind, verified, lang);
    let mut sections = vec![facts::result(verdict, meaning, lang)];
    match verified {
        Some(verified) => sections.extend(facts::sections(verified, lang)),
        None => sections.push(failed::section(inputs, checks, verdict, lang)),
    }
    let compared = verified.and_then(|it| it.file.as_ref());
    sections.push(closing::files(inputs, checks, verified, lang));
    sections.push(repeat::section(inputs, checks, compared, lang));
    sections.push(closing::versions(lang));
    sections.push(closing::not_said(verified, lang));
    for (section, number) in sections.iter_mut().zip(1..) {
        section.heading = format!("{number}. {}", section.heading);
    }
    Document {
        lang,
        title: lang
            .pick("Report on the verification of a proof", "存證證明驗證報告")
            .into(),
        kind: verdict.kind,
        verdict: document::visible(&verdict.words),
        notice: lang
            .pick(
                "Made by a program from the files that this report names. Each line can be \
                 checked again from the same files, on another computer and with other software.",
                "本報告由程式依所列檔案製作。任何人均可在其他電腦，以相同檔案及其他軟體重新查驗每一行內容。",
            )
            .into(),
        time: verified.map(|it| it.bundle.time()),
        sections,
    }
}

/// Whole or not at all, and never in the place of another.
fn store(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = proof::unfinished_in(directory_of(path))?;
    file.write_all(bytes)?;
    let all_may_read = std::fs::Permissions::from_mode(0o644);
    file.as_file().set_permissions(all_may_read)?;
    file.as_file().sync_all()?;
    file.persist_noclobber(path).map_err(|error| error.error)?;
    Ok(())
}
