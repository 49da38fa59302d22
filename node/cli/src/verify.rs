//! `tbsi verify`: step by step, offline unless a node is named.

mod anchor;
mod compare;
mod en;
mod failure;
pub(crate) mod identity;
mod report;
mod steps;
mod zh_tw;

pub(crate) use anchor::Trusted;
pub(crate) use compare::{Compared, attested_digest};
pub(crate) use en::assurance as assurance_en;
pub(crate) use failure::Failure;
pub(crate) use report::{accuracy, fields, named};
pub(crate) use steps::{Mark, Step};
pub(crate) use zh_tw::assurance as assurance_zh_tw;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::json;
use tbsi_light::{HandoverFollower, TrustAnchor, VerifiedBundle, verify_bundle};
use tbsi_rpc::Client;
use tbsi_types::log::{Leaf, Statement};
use tbsi_types::{B256, Height, NamedValidators, ProofBundle};
use tokio::runtime::Runtime;

use crate::handovers;
use crate::lang::{Language, SayContext, said};
use crate::proof;
use crate::report::{Format, REFUSED};
use crate::salt::Salt;
use crate::standing::{self, Standing};
use compare::Places;
use failure::looks_like;

const HELP: &str = "\
Without --rpc nothing is asked of any network. Trust comes from the genesis file, or from a
checkpoint that you verified before or have from somebody you trust. A proof says what was
stated, by whom and when. It does not say that it was not revoked later: --rpc asks a node, and
verifies the revocation that it tells of. That there is none is the node's word.

Exit codes: 0 the proof holds, 1 it does not, or what it proves was revoked, 2 could not tell
(something is missing, of another network or version, or no proof at all).";

/// What a compact proof has behind the name of the file that it is about.
const COMPACT_EXTENSION: &str = ".tbsi";

#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    #[command(flatten)]
    inputs: Inputs,
    /// Language of the text.
    #[arg(long, value_name = "LANG", default_value = "en")]
    lang: Language,
    #[command(flatten)]
    format: Format,
}

/// What is verified, and what is trusted for it.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Inputs {
    /// Proof, in JSON or in compact form.
    #[arg(value_name = "PROOF")]
    pub(crate) proof: PathBuf,
    /// File that was attested [default: PROOF without .tbsi.json, if it exists].
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Salt of the file [default: .tbsi.salt next to the file or to the proof].
    #[arg(long, value_name = "FILE")]
    pub(crate) salt: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) trust: Trust,
    /// Compare no file, not even one beside the proof: its salt is gone.
    #[arg(skip)]
    pub(crate) without_file: bool,
}

/// What is trusted, and who is asked.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Trust {
    /// Genesis file of the network.
    #[arg(long, value_name = "FILE", conflicts_with = "checkpoint")]
    pub(crate) genesis: Option<PathBuf>,
    /// Trusted checkpoint of the network, from `tbsi checkpoint get`.
    #[arg(long, value_name = "FILE")]
    pub(crate) checkpoint: Option<PathBuf>,
    /// File with changes of the validator set since genesis, from `tbsi log handovers`: for a
    /// proof that begins later.
    #[arg(long, value_name = "FILE", requires = "genesis")]
    pub(crate) handovers: Option<PathBuf>,
    /// JSON-RPC address of a node to ask whether it was revoked since.
    #[arg(long, value_name = "URL")]
    pub(crate) rpc: Option<String>,
}

impl Inputs {
    /// The file that was given, or is beside the proof.
    pub(crate) fn attested_file(&self) -> Option<PathBuf> {
        if self.without_file {
            return None;
        }
        let given = self.file.clone();
        given.or_else(|| named_after(&self.proof).filter(|file| file.is_file()))
    }
}

/// All that was verified.
#[derive(Debug)]
pub(crate) struct Verified {
    pub(crate) trusted: Trusted,
    /// Changes of the validator set that were followed in a file.
    pub(crate) followed: Option<u64>,
    pub(crate) bundle: VerifiedBundle,
    /// Who could have signed the checkpoint.
    pub(crate) validators: NamedValidators,
    /// `None` if no file was given or found.
    pub(crate) file: Option<Compared>,
    /// What a node knows of the attestation; `None` if none was asked, or for statements that
    /// are about no attestation.
    pub(crate) standing: Option<Standing>,
}

impl Verified {
    /// The attestation that this is, or is about, can be revoked.
    pub(crate) fn is_about_attestation(&self) -> bool {
        about(&self.bundle.leaf).is_some()
    }

    pub(crate) fn is_attestation(&self) -> bool {
        matches!(self.bundle.leaf.statement, Statement::Attestation(_))
    }

    /// Why what was proven counts for nothing, as far as is known.
    fn void(&self, lang: Language) -> Option<String> {
        let known = self.standing.as_ref()?;
        if let Some(bears) = standing::bears(&self.bundle.leaf, known, lang) {
            return bears.err();
        }
        let void = self.is_attestation() && known.is_void();
        void.then(|| known.verdict(lang))
    }

    /// Each step, in words.
    pub(crate) fn steps(&self, lang: Language) -> Vec<Step> {
        match lang {
            Language::En => en::steps(self),
            Language::ZhTw => zh_tw::steps(self),
        }
    }

    /// What it comes to.
    pub(crate) fn verdict(&self, lang: Language) -> Verdict {
        let reason = self.void(lang);
        Verdict {
            kind: match reason {
                Some(_) => VerdictKind::Void,
                None => VerdictKind::Valid,
            },
            code: None,
            reason,
            words: match lang {
                Language::En => en::verdict(self),
                Language::ZhTw => zh_tw::verdict(self),
            },
        }
    }

    /// What kind of statement was proven.
    pub(crate) fn kind(&self, lang: Language) -> &'static str {
        let statement = &self.bundle.leaf.statement;
        lang.pick(en::kind(statement), zh_tw::kind(statement))
    }
}

/// What a verification comes to (SPEC §10.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum VerdictKind {
    /// The proof holds.
    Valid,
    /// It holds, and what it proves counts for nothing.
    Void,
    Invalid,
    CouldNotTell,
}

impl VerdictKind {
    /// For programs, the same in every language.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Void => "void",
            Self::Invalid => "invalid",
            Self::CouldNotTell => "could not tell",
        }
    }

    pub(crate) fn exit_code(self) -> ExitCode {
        match self {
            Self::Valid => ExitCode::SUCCESS,
            Self::Void | Self::Invalid => ExitCode::FAILURE,
            Self::CouldNotTell => ExitCode::from(REFUSED),
        }
    }
}

/// The last line, and what it rests on.
#[derive(Debug)]
pub(crate) struct Verdict {
    pub(crate) kind: VerdictKind,
    /// Of what failed.
    pub(crate) code: Option<&'static str>,
    pub(crate) reason: Option<String>,
    /// A sentence.
    pub(crate) words: String,
}

/// The attestation that a leaf is, revokes or supersedes.
fn about(leaf: &Leaf) -> Option<B256> {
    if let Statement::Revocation { id, .. } | Statement::Supersession { id, .. } = leaf.statement {
        return Some(id);
    }
    leaf.attestation_id()
}

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let lang = args.lang;
    let (kind, text, json) = match verify(&args.inputs) {
        Ok(verified) => {
            let verdict = verified.verdict(lang);
            let text = steps::text(&verified.steps(lang), &verdict.words, lang);
            (verdict.kind, text, report::summary(&verified))
        }
        Err(failure) => {
            let verdict = failure.verdict(lang);
            let json = json!({
                "verdict": verdict.kind.name(),
                "code": verdict.code,
                "reason": verdict.reason,
            });
            (verdict.kind, verdict.words, json)
        }
    };
    args.format.print(&text, &json)?;
    Ok(kind.exit_code())
}

/// Does it; asks nobody unless `rpc` is given.
pub(crate) fn verify(args: &Inputs) -> Result<Verified, Failure> {
    let bundle = read(&args.proof)?;
    let (genesis, checkpoint) = (
        args.trust.genesis.as_deref(),
        args.trust.checkpoint.as_deref(),
    );
    let (trusted, mut anchor) = anchor::load(genesis, checkpoint, &bundle)?;
    let mut followed = None;
    if let Some(file) = &args.trust.handovers {
        let follower = follow(file, anchor, bundle.decision.checkpoint.height)?;
        anchor = *follower.anchor();
        followed = Some(follower.followed());
    }
    let verified = verify_bundle(&bundle, &anchor);
    let verified = verified.map_err(|error| Failure::of_proof(error, &bundle))?;
    let named_after = named_after(&args.proof);
    let compared = args.attested_file().map(|file| {
        let beside = [Some(&file), named_after.as_ref()].into_iter().flatten();
        let beside = beside.map(|file| Salt::path_of(file));
        let salt = args.salt.clone();
        let places = Places {
            given: salt,
            beside: beside.collect(),
        };
        compare::file(&verified.leaf, &file, &places)
    });
    let file = compared.transpose()?;
    let standing = ask(args, &verified.leaf, &anchor);
    Ok(Verified {
        trusted,
        followed,
        file,
        standing: standing.map_err(|error| Failure::could_not_tell("status", error))?,
        bundle: verified,
        validators: bundle.validators,
    })
}

/// From the genesis file to who decides `height`.
fn follow(file: &Path, anchor: TrustAnchor, height: Height) -> Result<HandoverFollower, Failure> {
    let mut kept = handovers::Kept::open(file, anchor)
        .map_err(|error| Failure::could_not_tell("handovers", error))?;
    let follower = kept.follow_to(height);
    let shown = || {
        let file = file.display();
        (format!("handovers in {file}"), format!("{file} 中的交接"))
    };
    match follower.or_say(shown) {
        Ok(follower) => Ok(follower),
        Err(error) => Err(Failure::could_not_tell("handovers", error)),
    }
}

fn read(path: &Path) -> Result<ProofBundle, Failure> {
    let unreadable = |error| Failure::could_not_tell("unreadable", error);
    let bytes = proof::read(path).map_err(unreadable)?;
    proof::parse(&bytes).map_err(|error| {
        let shown = path.display().to_string();
        if let Some((en, zh_tw)) = looks_like(&bytes) {
            let (en, zh_tw) = (format!("{shown}: {en}"), format!("{shown}：{zh_tw}"));
            return unreadable(said(en, zh_tw));
        }
        Failure::of_form(error, (shown.clone(), shown))
    })
}

/// What a node knows of the attestation, if one is named.
fn ask(args: &Inputs, leaf: &Leaf, anchor: &TrustAnchor) -> anyhow::Result<Option<Standing>> {
    let (Some(url), Some(id)) = (&args.trust.rpc, about(leaf)) else {
        return Ok(None);
    };
    let client = Client::new(url)?;
    let known = Runtime::new()?.block_on(standing::ask(&client, id, Some(anchor)))?;
    let known = known.ok_or_else(|| {
        said(
            format!("{url} knows no attestation {id}; ask a node that has caught up"),
            format!("{url} 沒有存證 {id}；請改問已同步的節點"),
        )
    });
    known.map(Some)
}

/// The file that a proof is of, by its name.
pub(crate) fn named_after(proof: &Path) -> Option<PathBuf> {
    let name = proof.file_name()?.to_str()?;
    let extensions = [proof::EXTENSION, COMPACT_EXTENSION];
    let mut stems = extensions.iter().filter_map(|end| name.strip_suffix(end));
    let stem = stems.next().filter(|stem| !stem.is_empty())?;
    Some(proof.with_file_name(stem))
}
