//! What was verified, in English.

use std::fmt::Write;

use tbsi_light::{VerificationStep, VerifiedDecision};
use tbsi_types::log::{Assurance, Leaf, Statement};

use super::Verified;
use super::anchor::Trusted;
use super::report::{fields, named};
use crate::time::Times;

pub(super) fn text(verified: &Verified) -> String {
    let mut text = String::new();
    write(&mut text, verified).expect("a String takes all");
    text
}

fn write(text: &mut String, verified: &Verified) -> std::fmt::Result {
    match &verified.trusted {
        Trusted::Genesis { name, hash } => {
            writeln!(text, "ok  network: {name}, genesis hash {hash}")?;
        }
        Trusted::Checkpoint { height, hash } => {
            writeln!(
                text,
                "ok  network: that of your checkpoint of height {height}"
            )?;
            writeln!(text, "    genesis hash {hash}")?;
        }
    }
    for step in verified.bundle.steps() {
        match step {
            VerificationStep::Handover { last, first } => {
                let (old, new) = (last.checkpoint.height, first.checkpoint.height);
                writeln!(text, "ok  handover: height {old} by the old validator set")?;
                signers(text, last)?;
                writeln!(text, "    height {new} by the new validator set")?;
                signers(text, first)?;
            }
            VerificationStep::Certificate(decision) => certificate(text, decision)?,
            VerificationStep::Inclusion { index, size, root } => {
                writeln!(text, "ok  log: leaf {index} is among its {size} leaves")?;
                writeln!(text, "    root {root}")?;
            }
            VerificationStep::Leaf { .. } => leaf(text, &verified.bundle.leaf)?,
        }
    }
    match &verified.file {
        Some(file) => {
            let salt = if file.salted { ", salt in front," } else { "" };
            let shown = file.file.display();
            writeln!(
                text,
                "ok  file: {shown}{salt} has this digest, to the last bit"
            )?;
        }
        None => writeln!(
            text,
            "--  file: none was compared; --file FILE compares one"
        )?,
    }
    writeln!(text, "VALID")
}

fn certificate(text: &mut String, decision: &VerifiedDecision) -> std::fmt::Result {
    let checkpoint = &decision.checkpoint;
    writeln!(
        text,
        "ok  checkpoint: height {}, digest {}",
        checkpoint.height, decision.digest
    )?;
    signers(text, decision)
}

fn signers(text: &mut String, decision: &VerifiedDecision) -> std::fmt::Result {
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
        writeln!(text, "    - {} (key {})", names.trim(), signer.validator)?;
    }
    Ok(())
}

fn leaf(text: &mut String, leaf: &Leaf) -> std::fmt::Result {
    let kind = match &leaf.statement {
        Statement::Attestation(_) => "attestation",
        Statement::Revocation { .. } => "revocation",
        Statement::Supersession { .. } => "supersession",
        Statement::CountersigningOpened { .. } => "countersigning opened",
        Statement::Countersignature { .. } => "countersignature",
        Statement::SchemaRegistered { .. } => "schema registered",
        Statement::AlgorithmSet { .. } => "algorithm set",
        Statement::GovernanceAct { .. } => "act of governance",
        Statement::Message { .. } => "message to another chain",
        Statement::ForeignFact(_) => "fact of another chain",
    };
    let (head, times) = (&leaf.head, Times::of(leaf.head.time));
    writeln!(text, "ok  statement: {kind}")?;
    writeln!(text, "    issuer {}", head.issuer)?;
    writeln!(text, "    time   {}, block {}", times.utc, head.height)?;
    writeln!(text, "           {} in Taipei", times.taipei)?;
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
