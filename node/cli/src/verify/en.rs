//! What was verified, in English.

use tbsi_light::{NamedSigner, VerificationStep, VerifiedDecision};
use tbsi_types::log::{Assurance, Leaf, Statement};
use tbsi_types::{Address, Genesis};

use super::anchor::Trusted;
use super::identity::{Operator, Owner};
use super::report::{accuracy, fields, named};
use super::steps::{Mark, Step, Steps};
use super::{Verified, identity, post_quantum, status};
use crate::lang::{Language, counted};
use crate::shown::PathShown;
use crate::time::Times;

pub(super) fn steps(verified: &Verified) -> Vec<Step> {
    let mut steps = Steps::default();
    write(&mut steps, verified);
    steps.into_vec()
}

fn write(steps: &mut Steps, verified: &Verified) {
    network(steps, &verified.trusted);
    if let Some(count) = verified.followed {
        steps.passed(format!(
            "handovers: {count} in the file, each signed by both sets"
        ));
    }
    let genesis = verified.trusted.genesis();
    for step in verified.bundle.steps() {
        match step {
            VerificationStep::Handover { last, first } => {
                let (old, new) = (last.checkpoint.height, first.checkpoint.height);
                steps.passed(format!("handover: height {old} by the old validator set"));
                signers(steps, last, |it| verified.founder(it));
                steps.detail(format!("height {new} by the new validator set"));
                signers(steps, first, |it| verified.founder(it));
            }
            VerificationStep::Certificate(decision) => certificate(steps, decision, verified),
            VerificationStep::Inclusion { index, size, root } => {
                steps.passed(format!(
                    "log: leaf {index} is among its {}",
                    counted(size, "leaf")
                ));
                steps.detail(format!("root {root}"));
            }
            VerificationStep::Leaf { .. } => {
                leaf(steps, &verified.bundle.leaf, genesis, verified.owner());
            }
        }
    }
    if let Some(proven) = &verified.registry {
        if let Some(issuer) = &proven.issuer {
            steps.passed(identity::source(issuer, Language::En));
        }
        steps.passed(identity::operators(proven, Language::En));
    }
    post_quantum::write(steps, verified.post_quantum.as_ref(), Language::En);
    if let Some(until) = verified.relied_until {
        let until = crate::renew::utc(until);
        steps.add(
            Mark::Note,
            format!("algorithm: relied upon until {until}; `tbsi renew` before"),
        );
    }
    later(steps, verified);
    match &verified.file {
        Some(file) => {
            let salt = if file.salt.is_some() {
                ", salt in front,"
            } else {
                ""
            };
            let shown = file.file.shown();
            steps.passed(format!(
                "file: {shown}{salt} has this digest, to the last bit"
            ));
        }
        None if verified.is_attestation() => steps.add(
            Mark::Skipped,
            "file: none was compared; --file FILE compares one",
        ),
        None => {}
    }
}

fn network(steps: &mut Steps, trusted: &Trusted) {
    match trusted {
        Trusted::Genesis { file, hash } => {
            steps.passed(format!("network: {}, genesis hash {hash}", file.name));
        }
        Trusted::Checkpoint { height, hash } => {
            steps.passed(format!(
                "network: that of your checkpoint of height {height}"
            ));
            steps.detail(format!("genesis hash {hash}"));
        }
    }
}

/// What was said of the attestation afterwards.
fn later(steps: &mut Steps, verified: &Verified) {
    status::write(steps, verified, Language::En);
    match (&verified.standing, verified.is_about_attestation()) {
        (_, false) => {}
        (None, true) if verified.map.is_some() => {}
        (None, true) if verified.is_attestation() => steps.add(
            Mark::Skipped,
            "revocation: not checked; --rpc URL asks a node whether it was revoked since",
        ),
        (None, true) => steps.add(
            Mark::Skipped,
            "effect: not checked; it counts only if the issuer of the attestation says it, \
             --rpc URL asks a node",
        ),
        (Some(known), true) => {
            let lang = Language::En;
            let (mark, what) = match verified.void(lang) {
                Some(why) => (Mark::Failed, why),
                None if verified.is_attestation() => (Mark::Passed, known.verdict(lang)),
                None => (
                    Mark::Passed,
                    "its issuer is that of the attestation".to_owned(),
                ),
            };
            steps.add(mark, format!("later: {what}"));
            steps.detail(known.source(lang));
        }
    }
}

/// The last line: what holds, and what was not looked at.
pub(super) fn verdict(verified: &Verified) -> String {
    let attestation = verified.is_attestation();
    if let Some(why) = verified.void(Language::En) {
        return if attestation {
            format!("THE PROOF HOLDS, BUT {why}")
        } else {
            format!("THE PROOF HOLDS, BUT COUNTS FOR NOTHING: {why}")
        };
    }
    let mut text = "THE PROOF HOLDS".to_owned();
    match (&verified.standing, verified.is_about_attestation()) {
        (Some(known), true) if attestation => {
            text = format!("{text}; {}", known.verdict(Language::En));
        }
        (None, true) if verified.map.is_some() => {}
        (None, true) if attestation => text += "; revocation not checked",
        (None, true) => text += "; its effect was not checked",
        (_, _) => {}
    }
    if let Some(words) = status::summary_words(verified, Language::En) {
        text = format!("{text}; {words}");
    }
    if attestation && verified.file.is_none() {
        text += "; no file compared";
    }
    text
}

fn certificate(steps: &mut Steps, decision: &VerifiedDecision, verified: &Verified) {
    let checkpoint = &decision.checkpoint;
    steps.passed(format!(
        "checkpoint: height {}, digest {}",
        checkpoint.height, decision.digest
    ));
    signers(steps, decision, |it| verified.operator(it));
}

fn signers<'a>(
    steps: &mut Steps,
    decision: &VerifiedDecision,
    operator: impl Fn(&NamedSigner) -> Option<Operator<'a>>,
) {
    steps.detail(format!(
        "{}, each valid, by {} of {} voting power (more than 2/3):",
        counted(decision.signers.len(), "signature"),
        decision.power.0,
        decision.total.0
    ));
    for signer in &decision.signers {
        let names = [signer.name_en.as_str(), signer.name_zh_tw.as_str()];
        let names = names.join(" ");
        let identifiers = identity::signer_identifiers(operator(signer), Language::En);
        steps.detail(format!(
            "- {}{identifiers} (key {})",
            names.trim(),
            signer.validator
        ));
    }
}

/// What kind of statement a leaf is.
pub(super) fn kind(statement: &Statement) -> &'static str {
    match statement {
        Statement::Attestation(_) => "attestation",
        Statement::Revocation { .. } => "revocation",
        Statement::Supersession { .. } => "supersession",
        Statement::CountersigningOpened { .. } => "countersigning opened",
        Statement::Countersignature { .. } => "countersignature",
        Statement::SchemaRegistered { .. } => "schema registered",
        Statement::AlgorithmSet { .. } => "algorithm set",
        Statement::MapRoot(_) => "root of the map",
        Statement::GovernanceAct { .. } => "act of governance",
        Statement::Message { .. } => "message to another chain",
        Statement::ForeignFact(_) => "fact of another chain",
    }
}

/// What a leaf says.
pub(super) fn leaf(
    steps: &mut Steps,
    leaf: &Leaf,
    genesis: Option<&Genesis>,
    owner: Option<Owner<'_>>,
) {
    let kind = kind(&leaf.statement);
    let (head, times) = (&leaf.head, Times::of(leaf.head.time));
    steps.passed(format!("statement: {kind}"));
    if head.issuer == Address::ZERO {
        steps.detail("issuer the chain itself; no account signs this");
    } else {
        steps.detail(format!("issuer {}", head.issuer));
        steps.detail(format!("       {}", legal_name(owner)));
    }
    steps.detail(format!("time   {}, block {}", times.utc, head.height));
    steps.detail(format!("       {} in Taipei", times.taipei));
    if let Some((ahead, behind)) = accuracy(genesis) {
        steps.detail(format!(
            "       by the validators' clocks: at most {ahead} ms ahead, usually at most \
             {behind} ms behind"
        ));
    }
    if let Some(id) = leaf.attestation_id() {
        steps.detail(format!("id     {id}"));
    }
    if let Statement::Attestation(attestation) = &leaf.statement {
        let (schema, algorithm, digest) = named(attestation);
        steps.detail(format!("schema {schema}"));
        steps.detail(format!("digest {digest} ({algorithm})"));
    }
    if let Statement::ForeignFact(fact) = &leaf.statement {
        steps.detail(format!("proven {}", assurance(fact.assurance)));
    }
    for (name, value) in fields(&leaf.statement) {
        steps.detail(format!("{name:<6} {value}"));
    }
}

/// Whose account it is, as far as anything shows.
fn legal_name(owner: Option<Owner<'_>>) -> String {
    let unproven = "legal name: not proved (no account of the founding); `tbsi prove --with-names` \
                    proves it of an account that an organisation had then";
    owner.map_or_else(|| unproven.to_owned(), |it| it.sentence(Language::En))
}

/// What a fact of another chain rests on.
pub(crate) fn assurance(code: u8) -> String {
    let Some(known) = Assurance::by_code(code) else {
        return format!("by a client of kind {code}, which newer software knows");
    };
    match known {
        Assurance::Qbft | Assurance::Ibft2 => format!(
            "{}: two thirds of that chain's validators sealed the block; who they are began \
             with a header that the opener of the client vouches for",
            known.label()
        ),
    }
}
