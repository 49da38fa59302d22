//! `tbsi checkpoint verify`: says what it checks, step by step.

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

use serde_json::{Value, json};
use tbsi_light::{VerifiedCheckpoint, verify_checkpoint};
use tbsi_node::home::load_genesis;
use tbsi_types::Genesis;

use super::file::CheckpointFile;
use crate::report::{Format, causes};

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

fn read(file: &Path, genesis: &Path) -> anyhow::Result<(Genesis, CheckpointFile)> {
    let genesis = load_genesis(genesis)?;
    Ok((genesis, CheckpointFile::load(file)?))
}

fn verify(genesis: &Genesis, file: &CheckpointFile) -> anyhow::Result<VerifiedCheckpoint> {
    let (checkpoint, certificate) = file.decode()?;
    let verified = verify_checkpoint(genesis, &checkpoint, &certificate)?;
    file.check_readable(genesis, &checkpoint, &certificate)?;
    Ok(verified)
}

fn text(genesis: &Genesis, verified: &VerifiedCheckpoint) -> Result<String, std::fmt::Error> {
    let checkpoint = &verified.checkpoint;
    let mut text = String::new();
    let network = format!("{}, chain id {}", genesis.name, genesis.chain_id);
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
        "    log of {} leaves, root {}",
        checkpoint.log_size.0, checkpoint.log_root
    )?;
    writeln!(
        text,
        "ok  validator set: the genesis set, {}",
        checkpoint.validator_set_hash
    )?;
    writeln!(
        text,
        "ok  certificate: {} signatures, each valid, by {} of {} voting power (more than 2/3):",
        verified.signers.len(),
        verified.power.0,
        verified.total.0
    )?;
    for signer in &verified.signers {
        writeln!(
            text,
            "    {} {} (node {}, key {}, power {})",
            signer.organisation.name_zh_tw,
            signer.organisation.name_en,
            signer.node,
            signer.validator,
            signer.power.0
        )?;
    }
    writeln!(
        text,
        "ok  everything that the file says for people agrees with the above"
    )?;
    writeln!(text, "VALID")?;
    Ok(text)
}

fn summary(genesis: &Genesis, verified: &VerifiedCheckpoint) -> Value {
    let signers = verified.signers.iter().map(|signer| {
        json!({
            "validator": signer.validator,
            "power": signer.power,
            "nodeName": signer.node,
            "organisation": {
                "nameZhTw": signer.organisation.name_zh_tw,
                "nameEn": signer.organisation.name_en,
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
        "power": verified.power,
        "totalPower": verified.total,
        "signers": signers.collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests;
