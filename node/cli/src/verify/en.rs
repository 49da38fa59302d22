//! What was verified, in English.

use std::fmt::Write;

use tbsi_light::{VerificationStep, VerifiedDecision};
use tbsi_types::log::{Assurance, Leaf, Statement};
use tbsi_types::{Address, Genesis};

use super::anchor::Trusted;
use super::report::{accuracy, fields, named};
use super::{Verified, identity, post_quantum, status};
use crate::lang::Language;
use crate::time::Times;

pub(super) fn text(verified: &Verified) -> String {
    let mut text = String::new();
    write(&mut text, verified).expect("a String takes all");
    text
}

fn write(text: &mut String, verified: &Verified) -> std::fmt::Result {
    match &verified.trusted {
        Trusted::Genesis { file, hash } => {
            writeln!(text, "ok  network: {}, genesis hash {hash}", file.name)?;
        }
        Trusted::Checkpoint { height, hash } => {
            writeln!(
                text,
                "ok  network: that of your checkpoint of height {height}"
            )?;
            writeln!(text, "    genesis hash {hash}")?;
        }
    }
    if let Some(count) = verified.followed {
        writeln!(
            text,
            "ok  handovers: {count} in the file, each signed by both sets"
        )?;
    }
    let genesis = verified.trusted.genesis();
    for step in verified.bundle.steps() {
        match step {
            VerificationStep::Handover { last, first } => {
                let (old, new) = (last.checkpoint.height, first.checkpoint.height);
                writeln!(text, "ok  handover: height {old} by the old validator set")?;
                signers(text, last, genesis)?;
                writeln!(text, "    height {new} by the new validator set")?;
                signers(text, first, genesis)?;
            }
            VerificationStep::Certificate(decision) => certificate(text, decision, genesis)?,
            VerificationStep::Inclusion { index, size, root } => {
                writeln!(text, "ok  log: leaf {index} is among its {size} leaves")?;
                writeln!(text, "    root {root}")?;
            }
            VerificationStep::Leaf { .. } => leaf(text, &verified.bundle.leaf, genesis)?,
        }
    }
    for line in post_quantum::lines(verified.post_quantum.as_ref(), Language::En) {
        writeln!(text, "{line}")?;
    }
    if let Some(until) = verified.relied_until {
        let until = crate::renew::utc(until);
        writeln!(
            text,
            "--  algorithm: relied upon until {until}; `tbsi renew` before"
        )?;
    }
    later(text, verified)?;
    match &verified.file {
        Some(file) => {
            let salt = if file.salted { ", salt in front," } else { "" };
            let shown = file.file.display();
            writeln!(
                text,
                "ok  file: {shown}{salt} has this digest, to the last bit"
            )?;
        }
        None if verified.is_attestation() => writeln!(
            text,
            "--  file: none was compared; --file FILE compares one"
        )?,
        None => {}
    }
    writeln!(text, "{}", verdict(verified))
}

/// What was said of the attestation afterwards.
fn later(text: &mut String, verified: &Verified) -> std::fmt::Result {
    status::write(text, verified, Language::En)?;
    match (&verified.standing, verified.is_about_attestation()) {
        (_, false) => Ok(()),
        (None, true) if verified.map.is_some() => Ok(()),
        (None, true) if verified.is_attestation() => writeln!(
            text,
            "--  revocation: not checked; --rpc URL asks a node whether it was revoked since"
        ),
        (None, true) => writeln!(
            text,
            "--  effect: not checked; it counts only if the issuer of the attestation says it, \
             --rpc URL asks a node"
        ),
        (Some(known), true) => {
            let lang = Language::En;
            let (mark, what) = match verified.void(lang) {
                Some(why) => ("NO", why),
                None if verified.is_attestation() => ("ok", known.verdict(lang)),
                None => ("ok", "its issuer is that of the attestation".to_owned()),
            };
            writeln!(text, "{mark}  later: {what}")?;
            writeln!(text, "    {}", known.source(lang))
        }
    }
}

/// The last line: what holds, and what was not looked at.
fn verdict(verified: &Verified) -> String {
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

fn certificate(
    text: &mut String,
    decision: &VerifiedDecision,
    genesis: Option<&Genesis>,
) -> std::fmt::Result {
    let checkpoint = &decision.checkpoint;
    writeln!(
        text,
        "ok  checkpoint: height {}, digest {}",
        checkpoint.height, decision.digest
    )?;
    signers(text, decision, genesis)
}

fn signers(
    text: &mut String,
    decision: &VerifiedDecision,
    genesis: Option<&Genesis>,
) -> std::fmt::Result {
    writeln!(
        text,
        "    {} signatures, each valid, by {} of {} voting power (more than 2/3):",
        decision.signers.len(),
        decision.power.0,
        decision.total.0
    )?;
    for signer in &decision.signers {
        let names = [signer.name_en.as_str(), signer.name_zh_tw.as_str()];
        let names = names.join(" ");
        let known = genesis.and_then(|genesis| identity::of_signer(genesis, signer));
        let identifiers = known.map(identity::identifiers).unwrap_or_default();
        writeln!(
            text,
            "    - {}{identifiers} (key {})",
            names.trim(),
            signer.validator
        )?;
    }
    Ok(())
}

pub(super) fn leaf(text: &mut String, leaf: &Leaf, genesis: Option<&Genesis>) -> std::fmt::Result {
    let kind = match &leaf.statement {
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
    };
    let (head, times) = (&leaf.head, Times::of(leaf.head.time));
    writeln!(text, "ok  statement: {kind}")?;
    writeln!(text, "    issuer {}", head.issuer)?;
    writeln!(text, "           {}", legal_name(head.issuer, genesis))?;
    writeln!(text, "    time   {}, block {}", times.utc, head.height)?;
    writeln!(text, "           {} in Taipei", times.taipei)?;
    if let Some((ahead, behind)) = accuracy(genesis) {
        writeln!(
            text,
            "           by the validators' clocks: at most {ahead} ms ahead, usually at most \
             {behind} ms behind"
        )?;
    }
    if let Some(id) = leaf.attestation_id() {
        writeln!(text, "    id     {id}")?;
    }
    if let Statement::Attestation(attestation) = &leaf.statement {
        let (schema, algorithm, digest) = named(attestation);
        writeln!(text, "    schema {schema}")?;
        writeln!(text, "    digest {digest} ({algorithm})")?;
    }
    if let Statement::ForeignFact(fact) = &leaf.statement {
        writeln!(text, "    proven {}", assurance(fact.assurance))?;
    }
    for (name, value) in fields(&leaf.statement) {
        writeln!(text, "    {name:<6} {value}")?;
    }
    Ok(())
}

/// Whose account it is, as far as anything shows.
fn legal_name(account: Address, genesis: Option<&Genesis>) -> String {
    let found = genesis.and_then(|genesis| identity::of_account(genesis, account));
    match found {
        Some(of) => format!(
            "{}{}: its account when the network was founded",
            identity::names(of, Language::En),
            identity::identifiers(of)
        ),
        None => "legal name: not proved (not an account of the founding)".to_owned(),
    }
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
