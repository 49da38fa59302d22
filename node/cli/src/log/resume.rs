//! What an audit keeps, so that the next one need not begin anew.

use std::fs;
use std::io::Write;
use std::path::Path;

use alloy_primitives::{B256, Bytes};
use anyhow::{Context, ensure};
use serde::{Deserialize, Serialize};
use tbsi_types::log::Frontier;
use tempfile::NamedTempFile;

use crate::misfit::unread;
use crate::salt::directory_of;
use crate::shown::PathShown;

/// Names the kind and version of the file.
const FORMAT: &str = "tbsi-audit-1";

/// Bytes that no such file has.
const FILE_BYTES_MAX: u64 = 16 * 1024;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AuditState {
    format: String,
    genesis_hash: B256,
    frontier: Bytes,
}

/// The frontier in a state file; `None` if there is no file.
pub(super) fn load(path: &Path, genesis_hash: B256) -> anyhow::Result<Option<Frontier>> {
    if !path.exists() {
        return Ok(None);
    }
    let shown = path.shown();
    let advice = "add --from-scratch to audit everything again";
    let read = || -> anyhow::Result<Frontier> {
        let bytes = fs::metadata(path)?.len();
        ensure!(bytes <= FILE_BYTES_MAX, "it has {bytes} bytes");
        let state: AuditState = serde_json::from_slice(&fs::read(path)?)?;
        ensure!(
            state.format == FORMAT,
            "format `{}` is not known",
            state.format
        );
        ensure!(
            state.genesis_hash == genesis_hash,
            "it is of the network with genesis hash {}",
            state.genesis_hash
        );
        Ok(Frontier::decode(&state.frontier)?)
    };
    let read = read().map_err(|error| unread(path, error));
    let read = read.with_context(|| format!("state file {shown} cannot be used; {advice}"));
    read.map(Some)
}

/// Replaces the state file, whole or not at all.
pub(super) fn store(path: &Path, genesis_hash: B256, frontier: &Frontier) -> anyhow::Result<()> {
    let state = AuditState {
        format: FORMAT.into(),
        genesis_hash,
        frontier: frontier.encode().into(),
    };
    let json = serde_json::to_string_pretty(&state)?;
    let write = || -> std::io::Result<()> {
        let mut file = NamedTempFile::new_in(directory_of(path))?;
        writeln!(file, "{json}")?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    };
    write().with_context(|| format!("write state file {}", path.shown()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_back_what_it_kept_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state");
        let network = B256::repeat_byte(1);
        assert_eq!(load(&path, network).unwrap(), None);
        let mut frontier = Frontier::default();
        for byte in 0..5 {
            frontier.append(B256::repeat_byte(byte), |_, _| {});
        }
        store(&path, network, &frontier).unwrap();
        assert_eq!(load(&path, network).unwrap(), Some(frontier));
        let error = load(&path, B256::ZERO).unwrap_err();
        assert!(format!("{error:#}").contains("genesis hash"), "{error:#}");
        let good = fs::read_to_string(&path).unwrap();
        for bad in [
            String::new(),
            good.replace("tbsi-audit-1", "tbsi-audit-2"),
            good.replace("\"frontier\": \"0x", "\"frontier\": \"0x00"),
            good.replace("genesisHash", "genesis"),
            " ".repeat(20_000),
        ] {
            fs::write(&path, &bad).unwrap();
            let error = load(&path, network).unwrap_err().to_string();
            assert!(error.contains("--from-scratch"), "{error}");
        }
    }
}
