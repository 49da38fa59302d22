//! Whether the files of a home fit together.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

use tbsi_governance::rules::check_stated;
use tbsi_keys::keyfile::{NodeKey, is_peer_id};
use tbsi_types::genesis::NodeEntry;
use tbsi_types::limits::GENESIS_BYTES_MAX;
use tbsi_types::{Bytes, Genesis, GenesisError, SecretKey};

use super::{HomeError, failed, mismatch};
use crate::config::Config;

/// Reads and checks a genesis file, including its nodes' peer ids.
pub fn load_genesis(file: &Path) -> Result<Genesis, HomeError> {
    let mut bytes = Vec::new();
    File::open(file)
        .map_err(|source| {
            if source.kind() == ErrorKind::NotFound {
                return HomeError::NoGenesis { file: file.into() };
            }
            failed("open genesis file", file)(source)
        })?
        .take(GENESIS_BYTES_MAX as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(failed("read genesis file", file))?;
    let wrong = |source| HomeError::Genesis {
        file: file.into(),
        source,
    };
    let genesis = Genesis::parse(&bytes).map_err(wrong)?;
    check_peer_ids(&genesis).map_err(wrong)?;
    check_stated(&genesis).map_err(|source| HomeError::Founding {
        file: file.into(),
        source: Box::new(source),
    })?;
    Ok(genesis)
}

/// Checks that every node of a genesis has a peer id that libp2p understands.
pub fn check_peer_ids(genesis: &Genesis) -> Result<(), GenesisError> {
    let wrong = |node: &&NodeEntry| !is_peer_id(&node.peer_id);
    match genesis.nodes.iter().find(wrong) {
        None => Ok(()),
        Some(node) => Err(GenesisError::Field {
            field: format!("nodes[{}].peer_id", node.name),
            problem: format!("`{}` is not a peer id (`12D3Koo…`)", node.peer_id),
        }),
    }
}

/// Whether the chain's contracts say who takes part: genesis then only says who began.
fn is_governed(genesis: &Genesis) -> bool {
    genesis.governance.is_some()
}

pub(super) fn check_peers(config: &Config, genesis: &Genesis) -> Result<(), HomeError> {
    if is_governed(genesis) {
        return Ok(());
    }
    for (index, peer) in config.p2p.peers.iter().enumerate() {
        if genesis.node_of_peer(&peer.peer_id).is_none() {
            return Err(mismatch(
                format!(
                    "config.toml, key `p2p.peers[{index}].peer_id`: genesis.json does not name {}",
                    peer.peer_id
                ),
                "only nodes of the genesis file may connect: remove the peer or correct its id",
            ));
        }
    }
    Ok(())
}

/// The log key that genesis gives a validator of this name, if genesis has the last word.
pub(super) fn named_log_key<'a>(config: &Config, genesis: &'a Genesis) -> Option<&'a Bytes> {
    let mut nodes = genesis.nodes.iter().filter(|_| !is_governed(genesis));
    let node = nodes.find(|node| node.name == config.name)?;
    let entry = node.validator.as_ref().filter(|_| config.validator)?;
    entry.log_key.as_ref()
}

pub(super) fn check_node(
    config: &Config,
    genesis: &Genesis,
    node_key: &NodeKey,
    validator_key: Option<&SecretKey>,
) -> Result<(), HomeError> {
    let peer_id = node_key.peer_id();
    if is_governed(genesis) {
        // The node may have come later, and its validator key may be another one by now.
        return match genesis.node_of_peer(&peer_id) {
            Some(node) => check_name(config, node),
            None => Ok(()),
        };
    }
    let Some(node) = genesis.node_of_peer(&peer_id) else {
        return Err(mismatch(
            format!("genesis.json does not name this node, whose peer id is {peer_id}"),
            "add it to the genesis file's `nodes`, or use the keys that are named there",
        ));
    };
    check_name(config, node)?;
    let local = validator_key.map(|key| key.public_key().encode().to_vec());
    let remote = config.signer.as_ref();
    let remote = remote.map(|signer| signer.validator_key.to_vec());
    let Some(public_key) = local.or(remote) else {
        return Ok(());
    };
    let named = node.validator.as_ref().map(|entry| &entry.public_key);
    if named.is_none_or(|named| named.as_ref() != public_key) {
        return Err(mismatch(
            format!(
                "genesis.json does not give node `{}` the validator key of this home, {}",
                node.name,
                alloy_primitives::hex::encode_prefixed(public_key)
            ),
            "use the key that is named there, or set `validator = false` and remove the key",
        ));
    }
    Ok(())
}

fn check_name(config: &Config, node: &NodeEntry) -> Result<(), HomeError> {
    if node.name == config.name {
        return Ok(());
    }
    Err(mismatch(
        format!(
            "config.toml, key `name`: `{}`, but genesis.json calls this node `{}`",
            config.name, node.name
        ),
        "use one name",
    ))
}
