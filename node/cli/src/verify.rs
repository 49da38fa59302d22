//! `tbsi verify`: step by step, offline unless a node is named.

mod anchor;
mod compare;
mod cose;
mod en;
mod failure;
mod identity;
pub(crate) mod post_quantum;
mod report;
mod status;
mod zh_tw;

pub(crate) use en::assurance as assurance_en;
pub(crate) use zh_tw::assurance as assurance_zh_tw;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use serde_json::json;
use tbsi_light::{
    HandoverFollower, ProvenStatus, TrustAnchor, VerifiedBundle, VerifiedMap, VerifiedPostQuantum,
    verify_bundle, verify_map,
};
use tbsi_rpc::Client;
use tbsi_types::log::{Leaf, Statement};
use tbsi_types::{B256, Height, TimestampMs};
use tokio::runtime::Runtime;

use crate::handovers;
use crate::lang::{Language, SayContext, causes, demand, said};
use crate::proof::{self, ProofFile};
use crate::report::{Format, REFUSED};
use crate::salt::Salt;
use crate::standing::{self, Standing};
use anchor::Trusted;
use compare::{Compared, Places};
use failure::{Failure, FailureKind, looks_like};
use status::{Age, parse_duration, parse_time};

const HELP: &str = "\
Without --rpc nothing is asked of any network. Trust comes from the genesis file, or from a
checkpoint that you verified before or have from somebody you trust. A proof says what was
stated, by whom and when. Whether it was revoked later says a proof with status (`tbsi prove
--with-status`), as of the checkpoint that it names; --status-max-age refuses one that is too old.
Or --rpc asks a node, and verifies the revocation that it tells of; that there is none is then the
node's word. A proof from `tbsi prove --absent` says that a digest was not attested.

A COSE receipt (`tbsi prove --format cose`) has no certificate: it is the word of one node, whose
key the genesis file names as a validator's, or --log-key.

Exit codes: 0 the proof holds, 1 it does not, or what it proves was revoked, 2 could not tell
(something is missing, of another network or version, or no proof at all).";

/// What a compact proof has behind the name of the file that it is about.
const COMPACT_EXTENSION: &str = ".tbsi";

#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// Proof, in JSON or in compact form, or a COSE receipt.
    #[arg(value_name = "PROOF")]
    proof: PathBuf,
    /// File that was attested [default: PROOF without .tbsi.json or .cose, if it exists].
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
    /// File with changes of the validator set since genesis, from `tbsi log handovers`: for a
    /// proof that begins later.
    #[arg(long, value_name = "FILE", requires = "genesis")]
    handovers: Option<PathBuf>,
    #[command(flatten)]
    post_quantum: post_quantum::PostQuantumArgs,
    /// Leaf that a COSE receipt is of [default: PROOF.leaf].
    #[arg(long, value_name = "FILE")]
    leaf: Option<PathBuf>,
    /// Key of the node that signed a COSE receipt, as /log/key of a node has it: for a node that
    /// the genesis file does not name.
    #[arg(long, value_name = "KEY")]
    log_key: Option<String>,
    /// JSON-RPC address of a node to ask whether it was revoked since.
    #[arg(long, value_name = "URL")]
    rpc: Option<String>,
    /// Greatest age of the status in the proof, such as 90s, 15m, 24h or 7d: an older one, or none,
    /// is no verdict.
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    status_max_age: Option<Duration>,
    /// Time at which the status must not be older, in RFC 3339 [default: this machine's clock].
    #[arg(long, value_name = "TIME", value_parser = parse_time, requires = "status_max_age")]
    at: Option<TimestampMs>,
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
    /// Changes of the validator set that were followed in a file.
    followed: Option<u64>,
    bundle: VerifiedBundle,
    /// What the map says; `None` if the proof has no map part.
    map: Option<VerifiedMap>,
    /// How old that is; `None` if nobody asked.
    age: Option<Age>,
    /// `None` if no file was given or found.
    file: Option<Compared>,
    /// Who cosigned the log with post-quantum keys; `None` if no cosignatures were given.
    post_quantum: Option<VerifiedPostQuantum>,
    /// What a node knows of the attestation; `None` if none was asked, or for statements that
    /// are about no attestation.
    standing: Option<Standing>,
    /// Until when the algorithm of the digest is relied upon, in seconds, as a node says; `None`
    /// if none was asked, or no end is known.
    relied_until: Option<u64>,
}

impl Verified {
    /// The attestation that this is, or is about, can be revoked.
    fn is_about_attestation(&self) -> bool {
        about(&self.bundle.leaf).is_some()
    }

    fn is_attestation(&self) -> bool {
        matches!(self.bundle.leaf.statement, Statement::Attestation(_))
    }

    /// Why what was proven counts for nothing, as far as is known.
    fn void(&self, lang: Language) -> Option<String> {
        if let Some(map) = &self.map
            && let Some(status) = map.status.filter(ProvenStatus::is_void)
        {
            return Some(status::verdict(map, &status, lang));
        }
        let known = self.standing.as_ref()?;
        if let Some(bears) = standing::bears(&self.bundle.leaf, known, lang) {
            return bears.err();
        }
        let void = self.is_attestation() && known.is_void();
        void.then(|| known.verdict(lang))
    }
}

/// The attestation that a leaf is, revokes or supersedes.
fn about(leaf: &Leaf) -> Option<B256> {
    if let Statement::Revocation { id, .. } | Statement::Supersession { id, .. } = leaf.statement {
        return Some(id);
    }
    leaf.attestation_id()
}

/// What held.
enum Held {
    Bundle(Box<Verified>),
    Receipt(Box<cose::Held>),
}

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let failure = match verify(args) {
        Ok(Held::Receipt(held)) => {
            return args.format.print(&held.text(args.lang), &held.summary());
        }
        Ok(Held::Bundle(verified)) => {
            let text = match args.lang {
                Language::En => en::text(&verified),
                Language::ZhTw => zh_tw::text(&verified),
            };
            args.format.print(&text, &report::summary(&verified))?;
            return Ok(match verified.void(args.lang) {
                Some(_) => ExitCode::FAILURE,
                None => ExitCode::SUCCESS,
            });
        }
        Err(failure) => failure,
    };
    let reason = causes(failure.error.as_ref(), args.lang);
    let (verdict, shown, code) = match failure.kind {
        FailureKind::Invalid => {
            let shown = args.lang.pick("INVALID: ", "證明無效：");
            ("invalid", shown, ExitCode::FAILURE)
        }
        FailureKind::CouldNotTell => {
            let shown = args.lang.pick("COULD NOT TELL: ", "無法判斷：");
            ("could not tell", shown, ExitCode::from(REFUSED))
        }
    };
    let json = json!({ "verdict": verdict, "code": failure.code, "reason": reason });
    args.format.print(&format!("{shown}{reason}"), &json)?;
    Ok(code)
}

fn verify(args: &Args) -> Result<Held, Failure> {
    let bytes = proof::read(&args.proof);
    let bytes = bytes.map_err(|error| Failure::could_not_tell("unreadable", error))?;
    if cose::is_receipt(&bytes) {
        return cose::verify(args, &bytes).map(|held| Held::Receipt(Box::new(held)));
    }
    verify_proof(args, &bytes).map(|verified| Held::Bundle(Box::new(verified)))
}

fn verify_proof(args: &Args, bytes: &[u8]) -> Result<Verified, Failure> {
    let ProofFile { bundle, map } = read(&args.proof, bytes)?;
    let unused = args.leaf.is_none() && args.log_key.is_none();
    let unused = demand(unused, || {
        (
            "--leaf and --log-key are for COSE receipts; leave them out".into(),
            "--leaf 與 --log-key 僅用於 COSE 收據；請移除".into(),
        )
    });
    unused.map_err(|error| Failure::could_not_tell("trust", error))?;
    let (genesis, checkpoint) = (args.genesis.as_deref(), args.checkpoint.as_deref());
    let (trusted, mut anchor) = anchor::load(genesis, checkpoint, &bundle)?;
    let mut followed = None;
    if let Some(file) = &args.handovers {
        let follower = follow(file, anchor, bundle.decision.checkpoint.height)?;
        anchor = *follower.anchor();
        followed = Some(follower.followed());
    }
    let (verified, map) = match &map {
        None => {
            let verified = verify_bundle(&bundle, &anchor);
            let verified = verified.map_err(|error| Failure::of_proof(error, &bundle))?;
            (verified, None)
        }
        Some(map) => {
            let verified = verify_map(map, &anchor);
            let verified = verified.map_err(|error| Failure::of_map(error, &bundle))?;
            (verified.bundle.clone(), Some(verified))
        }
    };
    let age = status::age(args, map.as_ref())?;
    let named_after = named_after(&args.proof);
    let file = compare_file(args, &verified.leaf, map.as_ref(), named_after)?;
    let post_quantum = post_quantum::verify(&args.post_quantum, &bundle)?;
    let standing = ask(args, &verified.leaf, &anchor);
    let relied_until = relied_until(args, &verified.leaf);
    Ok(Verified {
        trusted,
        followed,
        file,
        post_quantum,
        standing: standing.map_err(|error| Failure::could_not_tell("status", error))?,
        relied_until: relied_until.map_err(|error| Failure::could_not_tell("status", error))?,
        bundle: verified,
        map,
        age,
    })
}

/// Compares the file that was given, or that the proof is named after and is there.
fn compare_file(
    args: &Args,
    leaf: &Leaf,
    map: Option<&VerifiedMap>,
    named_after: Option<PathBuf>,
) -> Result<Option<Compared>, Failure> {
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
        match map {
            Some(map) if map.status.is_none() => compare::asked(map, &file, &places),
            Some(_) | None => compare::file(leaf, &file, &places),
        }
    });
    compared.transpose()
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

fn read(path: &Path, bytes: &[u8]) -> Result<ProofFile, Failure> {
    let unreadable = |error| Failure::could_not_tell("unreadable", error);
    proof::parse_any(bytes).map_err(|error| {
        let shown = path.display().to_string();
        if let Some((en, zh_tw)) = looks_like(bytes) {
            let (en, zh_tw) = (format!("{shown}: {en}"), format!("{shown}：{zh_tw}"));
            return unreadable(said(en, zh_tw));
        }
        Failure::of_form(error, (shown.clone(), shown))
    })
}

/// What a node knows of the attestation, if one is named.
fn ask(args: &Args, leaf: &Leaf, anchor: &TrustAnchor) -> anyhow::Result<Option<Standing>> {
    let (Some(url), Some(id)) = (&args.rpc, about(leaf)) else {
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

/// Until when the attestation's algorithm is relied upon, if a node is named.
fn relied_until(args: &Args, leaf: &Leaf) -> anyhow::Result<Option<u64>> {
    let (Some(url), Statement::Attestation(attestation)) = (&args.rpc, &leaf.statement) else {
        return Ok(None);
    };
    let client = Client::new(url)?;
    let asked = crate::renew::relied_until(&client, attestation.algorithm);
    Runtime::new()?.block_on(asked)
}

/// The file that a proof is of, by its name.
fn named_after(proof: &Path) -> Option<PathBuf> {
    let name = proof.file_name()?.to_str()?;
    let extensions = [proof::EXTENSION, COMPACT_EXTENSION];
    let mut stems = extensions.iter().filter_map(|end| name.strip_suffix(end));
    let stem = stems.next().filter(|stem| !stem.is_empty())?;
    Some(proof.with_file_name(stem))
}
