//! `tbsi verify`: step by step, offline unless a node is named.

mod anchor;
mod compare;
mod cose;
mod en;
mod failure;
pub(crate) mod identity;
mod inputs;
pub(crate) mod post_quantum;
mod report;
pub(crate) mod status;
mod steps;
mod verdict;
mod zh_tw;

pub(crate) use anchor::{Trusted, load as load_trust};
pub(crate) use compare::{Compared, attested_digest};
pub(crate) use cose::{is_receipt, no_certificate};
pub(crate) use en::assurance as assurance_en;
pub(crate) use failure::Failure;
pub(crate) use inputs::{Checks, Inputs, Trust};
pub(crate) use report::{accuracy, fields, named};
pub(crate) use steps::{Mark, Step};
pub(crate) use verdict::{Verdict, VerdictKind};
pub(crate) use zh_tw::assurance as assurance_zh_tw;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::json;
use tbsi_light::{
    HandoverFollower, NamedSigner, ProvenRegistry, ProvenStatus, TrustAnchor, VerifiedBundle,
    VerifiedMap, VerifiedPostQuantum, prove_registry, verify_bundle, verify_map,
};
use tbsi_types::log::{Leaf, Statement};
use tbsi_types::{B256, Height, NamedValidators};
use tokio::runtime::Runtime;

use crate::lang::{Language, SayContext, said};
use crate::proof::{self, ProofFile, named_after};
use crate::report::Format;
use crate::salt::Salt;
use crate::shown::PathShown;
use crate::standing::{self, Standing};
use crate::{handovers, misfit};
use compare::Places;
use cose::{Receipt, ReceiptArgs};
use failure::looks_like;
use identity::{Operator, Owner};
use status::Age;

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

#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    #[command(flatten)]
    inputs: Inputs,
    #[command(flatten)]
    checks: Checks,
    #[command(flatten)]
    receipt: ReceiptArgs,
    /// Language of the text.
    #[arg(long, value_name = "LANG", default_value = "en")]
    lang: Language,
    #[command(flatten)]
    format: Format,
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
    /// Whose account the issuer's was, and who answers for the validators; `None` if the proof
    /// has no registry part.
    pub(crate) registry: Option<ProvenRegistry>,
    /// What the map says; `None` if the proof has no map part.
    pub(crate) map: Option<VerifiedMap>,
    /// How old that is; `None` if nobody asked.
    pub(crate) age: Option<Age>,
    /// `None` if no file was given or found.
    pub(crate) file: Option<Compared>,
    /// Who cosigned the log with post-quantum keys; `None` if no cosignatures were given.
    pub(crate) post_quantum: Option<VerifiedPostQuantum>,
    /// What a node knows of the attestation; `None` if none was asked, or for statements that
    /// are about no attestation.
    pub(crate) standing: Option<Standing>,
    /// Until when the algorithm of the digest is relied upon, in seconds, as a node says; `None`
    /// if none was asked, or no end is known.
    pub(crate) relied_until: Option<u64>,
}

impl Verified {
    /// The attestation that this is, or is about, can be revoked.
    pub(crate) fn is_about_attestation(&self) -> bool {
        about(&self.bundle.leaf).is_some()
    }

    pub(crate) fn is_attestation(&self) -> bool {
        matches!(self.bundle.leaf.statement, Statement::Attestation(_))
    }

    /// The issuer's organisation, by the proof itself or else by the genesis file.
    pub(crate) fn owner(&self) -> Option<Owner<'_>> {
        if let Some(proven) = self.registry.as_ref().and_then(|it| it.issuer.as_ref()) {
            return Some(proven.into());
        }
        let found = identity::of_account(self.trusted.genesis()?, self.bundle.issuer());
        found.map(Owner::from)
    }

    /// Who answers for a validator of the checkpoint's set, with identifiers, by the proof itself
    /// or else by the genesis file.
    pub(crate) fn operator(&self, signer: &NamedSigner) -> Option<Operator<'_>> {
        let registry = self.registry.as_ref();
        let mut proven = registry
            .into_iter()
            .flat_map(|it| it.operators.iter().flatten());
        if let Some(proven) = proven.find(|it| it.validator == signer.validator) {
            return Some(proven.into());
        }
        self.founder(signer)
    }

    /// The same of any set, by the genesis file alone.
    pub(crate) fn founder(&self, signer: &NamedSigner) -> Option<Operator<'_>> {
        let found = identity::of_signer(self.trusted.genesis()?, signer);
        found.map(Operator::from)
    }

    /// What the map answers about digests, if that is what the proof is of.
    pub(crate) fn answers(&self) -> Option<&VerifiedMap> {
        self.map.as_ref().filter(|map| map.status.is_none())
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
    Receipt(Box<Receipt>),
}

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let lang = args.lang;
    let (verdict, steps, json) = match held(args) {
        Ok(Held::Bundle(verified)) => {
            let verdict = verified.verdict(lang);
            (verdict, verified.steps(lang), report::summary(&verified))
        }
        Ok(Held::Receipt(receipt)) => {
            let verdict = receipt.verdict(lang);
            (verdict, receipt.steps(lang), receipt.summary())
        }
        Err(failure) => {
            let verdict = failure.verdict(lang);
            let json = json!({
                "verdict": verdict.kind.name(),
                "code": verdict.code,
                "reason": verdict.reason,
            });
            (verdict, Vec::new(), json)
        }
    };
    let text = steps::text(&steps, &verdict.words, lang);
    args.format.print(&text, &json)?;
    Ok(verdict.kind.exit_code())
}

fn held(args: &Args) -> Result<Held, Failure> {
    let bytes = bytes(&args.inputs.proof)?;
    if is_receipt(&bytes) {
        let receipt = cose::verify(args, &bytes)?;
        return Ok(Held::Receipt(Box::new(receipt)));
    }
    args.receipt.must_be_unused()?;
    let verified = verify_proof(&args.inputs, &args.checks, &bytes)?;
    Ok(Held::Bundle(Box::new(verified)))
}

/// Verifies a proof with a certificate; asks nobody unless `rpc` is given.
pub(crate) fn verify(inputs: &Inputs, checks: &Checks) -> Result<Verified, Failure> {
    let bytes = bytes(&inputs.proof)?;
    if is_receipt(&bytes) {
        let (en, zh_tw) = no_certificate(&inputs.proof);
        return Err(Failure::could_not_tell("unreadable", said(en, zh_tw)));
    }
    verify_proof(inputs, checks, &bytes)
}

fn bytes(path: &Path) -> Result<Vec<u8>, Failure> {
    proof::read(path).map_err(|error| Failure::could_not_tell("unreadable", error))
}

fn verify_proof(inputs: &Inputs, checks: &Checks, bytes: &[u8]) -> Result<Verified, Failure> {
    let ProofFile {
        bundle,
        map,
        registry,
    } = read(&inputs.proof, bytes)?;
    let trust = &inputs.trust;
    let (genesis, checkpoint) = (trust.genesis.as_deref(), trust.checkpoint.as_deref());
    let (trusted, mut anchor) = anchor::load(genesis, checkpoint, &bundle)?;
    let mut followed = None;
    if let Some(file) = &trust.handovers {
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
    let registry = registry.map(|part| prove_registry(&part, &verified, &bundle.validators));
    let registry = registry.transpose();
    let registry = registry.map_err(|error| Failure::invalid("registry", error))?;
    let age = status::age(checks, map.as_ref())?;
    let named_after = named_after(&inputs.proof);
    let file = compare_file(inputs, &verified.leaf, map.as_ref(), named_after)?;
    let post_quantum = post_quantum::verify(&checks.post_quantum, &bundle)?;
    let unanswered = |error| Failure::could_not_tell("status", error);
    let url = trust.rpc.as_deref();
    Ok(Verified {
        trusted,
        followed,
        file,
        post_quantum,
        standing: ask(url, &verified.leaf, &anchor).map_err(unanswered)?,
        relied_until: relied_until(url, &verified.leaf).map_err(unanswered)?,
        bundle: verified,
        validators: bundle.validators,
        registry,
        map,
        age,
    })
}

/// Compares the file that was given, or that the proof is named after and is there.
fn compare_file(
    inputs: &Inputs,
    leaf: &Leaf,
    map: Option<&VerifiedMap>,
    named_after: Option<PathBuf>,
) -> Result<Option<Compared>, Failure> {
    let compared = inputs.file_or(named_after.as_deref()).map(|file| {
        let beside = [Some(&file), named_after.as_ref()].into_iter().flatten();
        let beside = beside.map(|file| Salt::path_of(file));
        let places = Places {
            given: inputs.salt.clone(),
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
        let file = file.shown();
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
        if let Some((en, zh_tw)) = misfit::of_bytes(path, bytes) {
            return unreadable(said(en, zh_tw));
        }
        let shown = path.shown().to_string();
        if let Some((en, zh_tw)) = looks_like(bytes) {
            let (en, zh_tw) = (format!("{shown}: {en}"), format!("{shown}：{zh_tw}"));
            return unreadable(said(en, zh_tw));
        }
        Failure::of_form(error, (shown.clone(), shown))
    })
}

/// What a node knows of the attestation, if one is named.
fn ask(url: Option<&str>, leaf: &Leaf, anchor: &TrustAnchor) -> anyhow::Result<Option<Standing>> {
    let (Some(url), Some(id)) = (url, about(leaf)) else {
        return Ok(None);
    };
    let client = crate::http::client(url)?;
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
fn relied_until(url: Option<&str>, leaf: &Leaf) -> anyhow::Result<Option<u64>> {
    let (Some(url), Statement::Attestation(attestation)) = (url, &leaf.statement) else {
        return Ok(None);
    };
    let client = crate::http::client(url)?;
    let asked = crate::renew::relied_until(&client, attestation.algorithm);
    Runtime::new()?.block_on(asked)
}
