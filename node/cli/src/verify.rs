//! `tbsi verify`: offline, step by step.

mod anchor;
mod compare;
mod en;
mod report;
mod zh_tw;

pub(crate) use en::assurance as assurance_en;
pub(crate) use zh_tw::assurance as assurance_zh_tw;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::json;
use tbsi_light::{DecisionError, VerifiedBundle, VerifyBundleError, verify_bundle};

use crate::lang::{Language, causes, wrap};
use crate::proof;
use crate::report::{Format, REFUSED};
use crate::salt::Salt;
use anchor::Trusted;
use compare::{Compared, Places};

const HELP: &str = "\
Nothing is asked of any network. Trust comes from the genesis file, or from a checkpoint that
you verified before or have from somebody you trust. A proof says what was stated and when; it
does not say that it was not revoked later.

Exit codes: 0 valid, 1 invalid, 2 could not tell (something is missing or of another version).";

/// What a compact proof has behind the name of the file that it is about.
const COMPACT_EXTENSION: &str = ".tbsi";

#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// Proof, in JSON or in compact form.
    #[arg(value_name = "PROOF")]
    proof: PathBuf,
    /// File that was attested [default: PROOF without .tbsi.json, if it exists].
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Salt of the file [default: .tbsi.salt next to the file or to the proof].
    #[arg(long, value_name = "FILE")]
    salt: Option<PathBuf>,
    /// Genesis file of the network.
    #[arg(long, value_name = "FILE", conflicts_with = "checkpoint")]
    genesis: Option<PathBuf>,
    /// Trusted checkpoint of the network, from `tbsi checkpoint get`.
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// Language of the text.
    #[arg(long, value_name = "LANG", default_value = "en")]
    lang: Language,
    #[command(flatten)]
    format: Format,
}

/// All that was verified.
#[derive(Debug)]
struct Verified {
    trusted: Trusted,
    bundle: VerifiedBundle,
    /// `None` if no file was given or found.
    file: Option<Compared>,
}

/// Why there is nothing to report.
#[derive(Debug)]
enum Failure {
    /// The proof or the file is wrong.
    Invalid(anyhow::Error),
    /// What would tell is missing.
    CouldNotTell(anyhow::Error),
}

impl Failure {
    fn invalid(error: impl Into<anyhow::Error>) -> Self {
        Self::Invalid(error.into())
    }

    fn could_not_tell(error: impl Into<anyhow::Error>) -> Self {
        Self::CouldNotTell(error.into())
    }
}

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let (verdict, code, reason) = match verify(args) {
        Ok(verified) => {
            let text = match args.lang {
                Language::En => en::text(&verified),
                Language::ZhTw => zh_tw::text(&verified),
            };
            return args.format.print(&text, &report::summary(&verified));
        }
        Err(Failure::Invalid(error)) => ("invalid", ExitCode::FAILURE, error),
        Err(Failure::CouldNotTell(error)) => ("could not tell", ExitCode::from(REFUSED), error),
    };
    let reason = causes(reason.as_ref(), args.lang);
    let shown = match (args.lang, verdict) {
        (Language::En, _) => verdict.to_uppercase(),
        (Language::ZhTw, "invalid") => "無效".into(),
        (Language::ZhTw, _) => "無法判斷".into(),
    };
    let colon = match args.lang {
        Language::En => ": ",
        Language::ZhTw => "：",
    };
    let json = json!({ "verdict": verdict, "reason": reason });
    args.format
        .print(&format!("{shown}{colon}{reason}"), &json)?;
    Ok(code)
}

fn verify(args: &Args) -> Result<Verified, Failure> {
    let bytes = proof::read(&args.proof).map_err(Failure::could_not_tell)?;
    let bundle = proof::parse(&bytes).map_err(|error| {
        let newer = proof::is_of_another_version(&error);
        let shown = args.proof.display().to_string();
        let error = wrap(error, (shown.clone(), shown));
        if newer {
            Failure::CouldNotTell(error)
        } else {
            Failure::Invalid(error)
        }
    })?;
    let (genesis, checkpoint) = (args.genesis.as_deref(), args.checkpoint.as_deref());
    let (trusted, anchor) = anchor::load(genesis, checkpoint, &bundle)?;
    let verified = verify_bundle(&bundle, &anchor).map_err(|error| {
        // Whoever trusts a later checkpoint only cannot judge what came before it.
        if let VerifyBundleError::Decision(DecisionError::Before { .. }) = error {
            return Failure::could_not_tell(error);
        }
        Failure::invalid(error)
    })?;
    let named_after = named_after(&args.proof);
    let file = args.file.clone().or_else(|| {
        let beside = named_after.clone();
        beside.filter(|file| file.is_file())
    });
    let compared = file.map(|file| {
        let beside = [Some(&file), named_after.as_ref()].into_iter().flatten();
        let beside = beside.map(|file| Salt::path_of(file));
        let salt = args.salt.clone();
        let places = Places {
            given: salt,
            beside: beside.collect(),
        };
        compare::file(&verified.leaf, &file, &places)
    });
    Ok(Verified {
        trusted,
        file: compared.transpose()?,
        bundle: verified,
    })
}

/// The file that a proof is of, by its name.
fn named_after(proof: &Path) -> Option<PathBuf> {
    let name = proof.file_name()?.to_str()?;
    let extensions = [proof::EXTENSION, COMPACT_EXTENSION];
    let mut stems = extensions.iter().filter_map(|end| name.strip_suffix(end));
    let stem = stems.next().filter(|stem| !stem.is_empty())?;
    Some(proof.with_file_name(stem))
}
