//! `tbsi consent verify`: offline.

mod words;

use std::path::PathBuf;
use std::process::ExitCode;

use alloy_primitives::B256;
use serde_json::json;
use tbsi_light::{
    NotAuthorised, ProvenAuthorisation, VerifyAuthorisationError, verify_authorisation,
};
use tbsi_types::bundle::AuthorisationBundle;

use super::{parse_second, parse_text};
use crate::lang::{Language, said};
use crate::proof;
use crate::report::Format;
use crate::shown::PathShown;
use crate::verify::{Failure, VerdictKind, load_trust};

pub(super) const HELP: &str = "\
Nothing is asked of any network: trust comes from the genesis file, or from a checkpoint that you
verified before. The proof says who gave and who accepted, under legal names, for what and how long,
and whether that was narrowed or revoked before the time that is asked for. It does not say whether
the grantor could give the data set, nor what agreement and purposes say beyond their digests.
Exit codes: 0 authorised, 1 not authorised or the proof is wrong, 2 could not tell.";

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Proof from `tbsi consent prove`.
    #[arg(value_name = "PROOF")]
    proof: PathBuf,
    /// Genesis file of the network.
    #[arg(long, value_name = "FILE", conflicts_with = "checkpoint")]
    genesis: Option<PathBuf>,
    /// Trusted checkpoint of the network, from `tbsi checkpoint get`.
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// Time of the use, in RFC 3339 [default: the last second that the proof knows].
    #[arg(long, value_name = "TIME", value_parser = parse_second)]
    at: Option<u64>,
    /// Purpose of the use: the text, or its digest [default: any].
    #[arg(long, value_name = "TEXT|DIGEST", value_parser = parse_text)]
    purpose: Option<B256>,
    /// Language of the text.
    #[arg(long, value_name = "LANG", default_value = "en")]
    lang: Language,
    #[command(flatten)]
    format: Format,
}

/// The proof, and what it says of the use.
struct Answer {
    proven: ProvenAuthorisation,
    second: u64,
    outcome: Result<(), NotAuthorised>,
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let lang = args.lang;
    let answer = match answer(args) {
        Ok(answer) => answer,
        Err(failure) => {
            let verdict = failure.verdict(lang);
            let json = json!({
                "verdict": verdict.kind.name(), "code": verdict.code, "reason": verdict.reason,
            });
            args.format.print(&verdict.words, &json)?;
            return Ok(verdict.kind.exit_code());
        }
    };
    let kind = match answer.outcome {
        Ok(()) => VerdictKind::Valid,
        Err(NotAuthorised::NotKnown { .. }) => VerdictKind::CouldNotTell,
        Err(_) => VerdictKind::Void,
    };
    let text = words::text(&answer, lang);
    args.format
        .print(&text, &words::json(&answer, kind, lang))?;
    Ok(kind.exit_code())
}

fn answer(args: &Args) -> Result<Answer, Failure> {
    let bytes = proof::read(&args.proof);
    let bytes = bytes.map_err(|error| Failure::could_not_tell("unreadable", error))?;
    let bundle = AuthorisationBundle::parse_json(&bytes);
    let bundle = bundle.map_err(|error| {
        let shown = args.proof.shown().to_string();
        if bytes.first() != Some(&b'{') {
            return Failure::could_not_tell(
                "unreadable",
                said(
                    format!("{shown}: this is no proof of `tbsi consent prove`"),
                    format!("{shown}：這不是 `tbsi consent prove` 的證明"),
                ),
            );
        }
        Failure::of_form(error, (shown.clone(), shown))
    })?;
    let (genesis, checkpoint) = (args.genesis.as_deref(), args.checkpoint.as_deref());
    let (_, anchor) = load_trust(genesis, checkpoint, &bundle.proof)?;
    let proven = verify_authorisation(&bundle, &anchor).map_err(|error| match error {
        VerifyAuthorisationError::Bundle(error) => Failure::of_proof(error, &bundle.proof),
        error @ (VerifyAuthorisationError::Leaf(_)
        | VerifyAuthorisationError::Place { .. }
        | VerifyAuthorisationError::Inclusion { .. }
        | VerifyAuthorisationError::OtherLeaf(_)
        | VerifyAuthorisationError::Text { .. }
        | VerifyAuthorisationError::BeginsNothing(_)
        | VerifyAuthorisationError::Order(_)
        | VerifyAuthorisationError::OtherAuthorisation { .. }
        | VerifyAuthorisationError::By { .. }
        | VerifyAuthorisationError::NotOffered(_)
        | VerifyAuthorisationError::NotAccepted
        | VerifyAuthorisationError::Surplus(_)
        | VerifyAuthorisationError::Nodes(_)
        | VerifyAuthorisationError::NoVersion { .. }
        | VerifyAuthorisationError::OtherBeginning { .. }) => {
            Failure::invalid("authorisation", error)
        }
    })?;
    let second = args.at.unwrap_or(proven.known_second.saturating_sub(1));
    let outcome = proven.at(second, args.purpose);
    Ok(Answer {
        proven,
        second,
        outcome,
    })
}
