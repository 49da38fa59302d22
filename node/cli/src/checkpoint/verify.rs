//! `tbsi checkpoint verify`: says what it checks, step by step.

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use serde_json::{Value, json};
use tbsi_home::load_genesis;
use tbsi_light::{
    GenesisSigner, NamedSigner, TrustAnchor, VerifiedCheckpoint, VerifiedDecision,
    verify_checkpoint, verify_decision,
};
use tbsi_types::{Address, Checkpoint, CheckpointDigest, Decision, Genesis, Height, VotingPower};

use super::file::CheckpointFile;
use crate::lang::counted;
use crate::report::{Format, causes};
use crate::shown::{self, PathShown};

const COULD_NOT_TELL: u8 = 2;

pub(super) fn run(file: &Path, genesis: &Path, format: Format) -> anyhow::Result<ExitCode> {
    let (genesis, file) = match read(file, genesis) {
        Ok(read) => read,
        Err(error) => {
            let reason = causes(error.as_ref());
            let json = json!({ "verdict": "could not tell", "reason": reason });
            format.print(&format!("COULD NOT TELL: {reason}"), &json)?;
            return Ok(ExitCode::from(COULD_NOT_TELL));
        }
    };
    match verify(&genesis, &file) {
        Ok(verified) => format.print(&text(&genesis, &verified)?, &summary(&genesis, &verified)),
        Err(error) => {
            let reason = causes(error.as_ref());
            let json = json!({ "verdict": "invalid", "reason": reason });
            format.print(&format!("INVALID: {reason}"), &json)?;
            Ok(ExitCode::FAILURE)
        }
    }
}

/// The height of a checkpoint file, which is decided for certain: it is verified from the genesis
/// file. 0 without one.
pub(crate) fn verified_height(file: Option<&Path>, genesis: &Path) -> anyhow::Result<Height> {
    let Some(path) = file else {
        return Ok(Height::GENESIS);
    };
    let genesis = load_genesis(genesis)?;
    Ok(verified(path, &genesis)?.height)
}

/// The checkpoint in a file, verified from the genesis file.
pub(crate) fn verified(file: &Path, genesis: &Genesis) -> anyhow::Result<Checkpoint> {
    let read = CheckpointFile::load(file)?;
    let verified = verify(genesis, &read).with_context(|| file.shown().to_string())?;
    Ok(verified.checkpoint)
}

fn read(file: &Path, genesis: &Path) -> anyhow::Result<(Genesis, CheckpointFile)> {
    let genesis = load_genesis(genesis)?;
    Ok((genesis, CheckpointFile::load(file)?))
}

/// What was decided, and by whom.
#[derive(Debug)]
struct Verified {
    checkpoint: Checkpoint,
    digest: CheckpointDigest,
    signers: Vec<Named>,
    power: VotingPower,
    total: VotingPower,
    /// Changes from the set of genesis to the one that decided.
    handovers: usize,
}

#[derive(Debug)]
struct Named {
    validator: Address,
    power: VotingPower,
    /// As the genesis file names it; of later sets nobody signs the nodes' names.
    node: Option<String>,
    name_zh_tw: String,
    name_en: String,
}

impl From<VerifiedCheckpoint> for Verified {
    fn from(verified: VerifiedCheckpoint) -> Self {
        let named = |signer: GenesisSigner| Named {
            validator: signer.validator,
            power: signer.power,
            node: Some(signer.node),
            name_zh_tw: signer.organisation.name_zh_tw,
            name_en: signer.organisation.name_en,
        };
        Self {
            checkpoint: verified.checkpoint,
            digest: verified.digest,
            signers: verified.signers.into_iter().map(named).collect(),
            power: verified.power,
            total: verified.total,
            handovers: 0,
        }
    }
}

impl Verified {
    fn later(verified: VerifiedDecision, handovers: usize) -> Self {
        let named = |signer: NamedSigner| Named {
            validator: signer.validator,
            power: signer.power,
            node: None,
            name_zh_tw: signer.name_zh_tw,
            name_en: signer.name_en,
        };
        Self {
            checkpoint: verified.checkpoint,
            digest: verified.digest,
            signers: verified.signers.into_iter().map(named).collect(),
            power: verified.power,
            total: verified.total,
            handovers,
        }
    }
}

fn verify(genesis: &Genesis, file: &CheckpointFile) -> anyhow::Result<Verified> {
    let (checkpoint, certificate) = file.decode()?;
    if file.handovers.is_empty() {
        let verified = verify_checkpoint(genesis, &checkpoint, &certificate)?;
        file.check_readable(genesis, &checkpoint, &certificate)?;
        return Ok(verified.into());
    }
    let decision = Decision {
        checkpoint,
        certificate,
    };
    let validators = file.validators.named().context("field `validators`")?;
    let anchor = TrustAnchor::genesis(genesis)?;
    let verified = verify_decision(&decision, &validators, &file.handovers, &anchor);
    let (_, verified) = verified?;
    file.check_readable_later(genesis, &decision, &validators)?;
    Ok(Verified::later(verified, file.handovers.len()))
}

fn text(genesis: &Genesis, verified: &Verified) -> Result<String, std::fmt::Error> {
    let checkpoint = &verified.checkpoint;
    let mut text = String::new();
    let network = format!(
        "{}, chain id {}",
        shown::line(&genesis.name),
        genesis.chain_id
    );
    writeln!(text, "ok  network: {network}, genesis {}", genesis.hash())?;
    writeln!(
        text,
        "ok  checkpoint: height {}, time {} ms, digest {}",
        checkpoint.height, checkpoint.time, verified.digest
    )?;
    writeln!(text, "    block {}", checkpoint.block_hash)?;
    writeln!(text, "    state root {}", checkpoint.state_root)?;
    writeln!(
        text,
        "    log of {}, root {}",
        counted(checkpoint.log_size.0, "leaf"),
        checkpoint.log_root
    )?;
    let set = match verified.handovers {
        0 => "the genesis set".into(),
        count => {
            let handovers = counted(count, "verified handover");
            format!("from the genesis set through {handovers}")
        }
    };
    writeln!(
        text,
        "ok  validator set: {set}, {}",
        checkpoint.validator_set_hash
    )?;
    writeln!(
        text,
        "ok  certificate: {}, each valid, by {} of {} voting power (more than 2/3):",
        counted(verified.signers.len(), "signature"),
        verified.power.0,
        verified.total.0
    )?;
    for signer in &verified.signers {
        let node = signer.node.as_ref();
        let node = node.map_or_else(String::new, |node| format!("node {}, ", shown::line(node)));
        writeln!(
            text,
            "    {} {} ({node}key {}, power {})",
            shown::line(&signer.name_zh_tw),
            shown::line(&signer.name_en),
            signer.validator,
            signer.power.0
        )?;
    }
    let beside = match verified.handovers {
        0 => "",
        _ => ", beside names of nodes, which nobody signs",
    };
    writeln!(
        text,
        "ok  everything that the file says for people agrees with the above{beside}"
    )?;
    writeln!(text, "VALID")?;
    Ok(text)
}

fn summary(genesis: &Genesis, verified: &Verified) -> Value {
    let signers = verified.signers.iter().map(|signer| {
        json!({
            "validator": signer.validator,
            "power": signer.power,
            "nodeName": signer.node,
            "organisation": {
                "nameZhTw": signer.name_zh_tw,
                "nameEn": signer.name_en,
            },
        })
    });
    json!({
        "verdict": "valid",
        "chainId": genesis.chain_id,
        "genesisHash": genesis.hash(),
        "height": verified.checkpoint.height,
        "timeMs": verified.checkpoint.time,
        "blockHash": verified.checkpoint.block_hash,
        "stateRoot": verified.checkpoint.state_root,
        "digest": verified.digest,
        "handovers": verified.handovers,
        "power": verified.power,
        "totalPower": verified.total,
        "signers": signers.collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests;
