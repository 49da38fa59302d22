//! `tbsi operator register`.

use std::process::ExitCode;

use alloy_primitives::B256;
use serde_json::json;
use tbsi_governance::abi::NODES;
use tbsi_governance::contracts::{Nodes, Possession, Registration, Signature};
use tbsi_home::Home;
use tbsi_home::config::Config;
use tbsi_keys::keyfile::{
    LogKey, NodeKey, is_there, open_log_key, open_node_key, open_validator_key,
};
use tbsi_types::SecretKey;

use super::{Prover, RegisterArgs};
use crate::govern::{Done, Planned, Writer};
use crate::report::{refuse, refused};
use crate::shown::PathShown;

/// A proof of possession is made where the key is.
const SIGNER_HAS_KEY: &str = "the configuration names a `signer`, which alone has the validator \
    key: register the node while the key is in its home, and give it to the signer afterwards";

/// The keys of a home that are to be registered.
struct Keys {
    name: String,
    node: NodeKey,
    validator: Option<SecretKey>,
    log: Option<LogKey>,
}

impl Keys {
    /// The validator's too if the configuration says that the node validates; without a
    /// configuration, if there is one.
    fn load(home: &Home, name: Option<&str>) -> anyhow::Result<Self> {
        let file = home.config_file();
        let configured = is_there(&file)?;
        let config = configured.then(|| Config::load(&file)).transpose()?;
        let configured = config.as_ref().map(|config| config.name.as_str());
        let Some(name) = name.or(configured) else {
            return Err(refused(format!(
                "{} has no config.toml to take the node's name from; give --name",
                home.dir().shown()
            )));
        };
        let validates = match &config {
            Some(config) => config.validator,
            None => is_there(&home.validator_key_file())?,
        };
        let signer = config.as_ref().and_then(|config| config.signer.as_ref());
        if signer.is_some() {
            return Err(refused(SIGNER_HAS_KEY));
        }
        let password = home.password();
        let validator = validates.then(|| open_validator_key(&home.validator_key_file(), password));
        let log = home.log_key_file();
        Ok(Self {
            name: name.into(),
            node: open_node_key(&home.node_key_file(), password)?,
            validator: validator.transpose()?,
            log: is_there(&log)?
                .then(|| open_log_key(&log, password))
                .transpose()?,
        })
    }
}

pub(super) async fn run(args: RegisterArgs) -> anyhow::Result<ExitCode> {
    let home = args.write.password.unlock(&args.home).map_err(refuse)?;
    let keys = Keys::load(&home, args.name.as_deref()).map_err(refuse)?;
    let writer = Writer::open(&args.write).await?;
    let call = registration(&writer, &keys, &args);
    let planned = Planned::new(NODES, &call, change(&writer, &keys));
    let lang = writer.registry.lang;
    let tell = async |done: &Done| {
        let number = done.event::<Nodes::NodeRegistered>()?.node;
        let mut text = lang.pick(
            format!(
                "node   {number}; peers admit it now. To make it a validator: tbsi motion \
                 propose add-validator {number} --power N"
            ),
            format!(
                "節點   編號 {number}，其他節點已准許連線。要成為驗證者：tbsi motion propose \
                 add-validator {number} --power N"
            ),
        );
        if args.endpoint.is_empty() {
            text += &lang.pick(
                format!(
                    "\nNobody looks for it, as it has no endpoint: tbsi operator update {number} \
                     --endpoint MULTIADDR"
                ),
                format!(
                    "\n未登記位址，其他節點不會主動尋找：tbsi operator update {number} --endpoint \
                     MULTIADDR"
                ),
            );
        }
        Ok((
            text,
            json!({ "node": number, "peerId": keys.node.peer_id() }),
        ))
    };
    writer.perform(&planned, tell).await
}

fn registration(writer: &Writer, keys: &Keys, args: &RegisterArgs) -> Nodes::registerNodeCall {
    let prover = Prover::new(writer);
    let coordinates = keys
        .validator
        .as_ref()
        .map(|key| key.public_key().coordinates());
    let (x, y) = coordinates.unwrap_or_default();
    let log_key = keys.log.as_ref().map(|key| B256::from(key.public_key()));
    let validator = keys.validator.as_ref().map(|key| prover.validator(key));
    let none = || Signature {
        r: B256::ZERO,
        s: B256::ZERO,
        v: 0,
    };
    Nodes::registerNodeCall {
        registration: Registration {
            name: keys.name.clone(),
            endpoint: args.endpoint.clone(),
            version: args.version.clone(),
            peerKey: keys.node.public_key().into(),
            validatorX: x,
            validatorY: y,
            logKey: log_key.unwrap_or_default(),
        },
        possession: Possession {
            deadline: prover.deadline,
            peer: prover.peer(&keys.node),
            validator: validator.unwrap_or_else(none),
            log: keys.log.as_ref().map_or_else(none, |key| prover.log(key)),
        },
    }
}

fn change(writer: &Writer, keys: &Keys) -> String {
    let (registry, name) = (&writer.registry, &keys.name);
    let (owner, peer_id) = (registry.name(writer.organisation), keys.node.peer_id());
    let validator = keys
        .validator
        .as_ref()
        .map(|key| key.public_key().address());
    let validator = validator.map_or_else(String::new, |address| {
        registry.lang.pick(
            format!(", validator key {address}"),
            format!("，驗證者金鑰 {address}"),
        )
    });
    registry.lang.pick(
        format!("new node {name} of {owner}: observer, peer id {peer_id}{validator}"),
        format!("{owner}新增節點 {name}：觀察節點，peer id {peer_id}{validator}"),
    )
}
