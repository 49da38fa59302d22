//! The file that `checkpoint get` writes and `checkpoint verify` reads.

use std::fs;
use std::path::Path;

use anyhow::{Context, bail, ensure};
use serde::{Deserialize, Serialize};
use tbsi_rpc::wire;
use tbsi_types::json::from_json;
use tbsi_types::{
    Address, Checkpoint, CommitCertificate, Decision, Genesis, Handover, NamedValidators, PublicKey,
};

use crate::misfit::unread;
use crate::shown::PathShown;

/// Names the kind and version of the file.
const FORMAT: &str = "tbsi-checkpoint-1";

/// All that a verifier needs beside the genesis file. What counts are the two `encoded`
/// fields; the others repeat them for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CheckpointFile {
    format: String,
    pub(crate) checkpoint: wire::Checkpoint,
    pub(crate) certificate: wire::Certificate,
    pub(crate) validators: wire::ValidatorSet,
    /// From the set of genesis to that of the checkpoint.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) handovers: Vec<Handover>,
}

impl CheckpointFile {
    pub(crate) fn new(
        checkpoint: wire::Checkpoint,
        certificate: wire::Certificate,
        validators: wire::ValidatorSet,
        handovers: Vec<Handover>,
    ) -> Self {
        Self {
            format: FORMAT.into(),
            checkpoint,
            certificate,
            validators,
            handovers,
        }
    }

    /// Reads a file of this format.
    pub(crate) fn load(path: &Path) -> anyhow::Result<Self> {
        let bytes = fs::read(path).with_context(|| format!("read {}", path.shown()))?;
        let text = String::from_utf8(bytes).map_err(anyhow::Error::from);
        let parsed = text.and_then(|json| Self::parse(&json));
        parsed.map_err(|error| unread(path, error))
    }

    /// Reads the JSON of a file of this format.
    pub(crate) fn parse(json: &str) -> anyhow::Result<Self> {
        let file: Self = from_json(json.as_bytes()).context("not a file of `checkpoint get`")?;
        if file.format != FORMAT {
            bail!("format `{}` is not known, `{FORMAT}` is", file.format);
        }
        Ok(file)
    }

    /// The canonical bytes, decoded.
    pub(crate) fn decode(&self) -> anyhow::Result<(Checkpoint, CommitCertificate)> {
        let checkpoint = Checkpoint::decode(&self.checkpoint.encoded)
            .context("field `checkpoint.encoded` is not a checkpoint")?;
        let certificate = CommitCertificate::decode(&self.certificate.encoded)
            .context("field `certificate.encoded` is not a certificate")?;
        Ok((checkpoint, certificate))
    }

    /// Checks that every field that people read says the same as the canonical bytes and a
    /// later set, whose names `validators` were proven. Names of nodes are not: nobody signs
    /// them.
    pub(crate) fn check_readable_later(
        &self,
        genesis: &Genesis,
        decision: &Decision,
        validators: &NamedValidators,
    ) -> anyhow::Result<()> {
        let names = |address: &Address| {
            let found = validators.get(address);
            let names = found.map(|it| (it.name_zh_tw.clone(), it.name_en.clone()));
            let (name_zh_tw, name_en) = names.unwrap_or_default();
            wire::Organisation {
                name_zh_tw,
                name_en,
            }
        };
        let checkpoint = &decision.checkpoint;
        let expected = CheckpointFile::new(
            wire::Checkpoint::new(checkpoint, &genesis.identity()),
            wire::Certificate::new(&decision.certificate, names),
            wire::ValidatorSet {
                height: checkpoint.height,
                set_hash: checkpoint.validator_set_hash,
                total_power: validators.total_power(),
                validators: self.validators.validators.clone(),
            },
            self.handovers.clone(),
        );
        for validator in &self.validators.validators {
            let key = PublicKey::parse(&validator.public_key);
            ensure!(
                key.is_ok_and(|key| key.address() == validator.address),
                "field `validators` gives {} the key of another",
                validator.address
            );
        }
        self.check_same(&expected)
    }

    /// Checks that every field that people read says the same as the canonical bytes and the
    /// genesis file.
    pub(crate) fn check_readable(
        &self,
        genesis: &Genesis,
        checkpoint: &Checkpoint,
        certificate: &CommitCertificate,
    ) -> anyhow::Result<()> {
        self.check_same(&readable(genesis, checkpoint, certificate)?)
    }

    fn check_same(&self, expected: &Self) -> anyhow::Result<()> {
        ensure!(
            self.checkpoint == expected.checkpoint,
            "field `checkpoint` says something else than its `encoded` bytes"
        );
        ensure!(
            self.certificate == expected.certificate,
            "field `certificate` says something else than its `encoded` bytes and the names of \
             the validators"
        );
        ensure!(
            self.validators == expected.validators,
            "field `validators` says something else than the set that decided"
        );
        Ok(())
    }
}

/// The file that an honest node serves.
pub(crate) fn readable(
    genesis: &Genesis,
    checkpoint: &Checkpoint,
    certificate: &CommitCertificate,
) -> anyhow::Result<CheckpointFile> {
    let set = genesis.validator_set()?;
    let named = |address| {
        let node = genesis.node_of_validator(address)?;
        let names = genesis.organisation(node)?;
        let organisation = wire::Organisation {
            name_zh_tw: names.name_zh_tw.clone(),
            name_en: names.name_en.clone(),
        };
        Some((node.name.clone(), organisation))
    };
    let validator = |validator: &tbsi_types::Validator| {
        let (node_name, organisation) = named(validator.address).unwrap_or_default();
        wire::Validator {
            address: validator.address,
            public_key: validator.public_key.encode().to_vec().into(),
            power: validator.power,
            node_name,
            organisation,
        }
    };
    Ok(CheckpointFile::new(
        wire::Checkpoint::new(checkpoint, &genesis.identity()),
        wire::Certificate::new(certificate, |address| named(*address).unwrap_or_default().1),
        wire::ValidatorSet {
            height: checkpoint.height,
            set_hash: set.hash(),
            total_power: set.total_power(),
            validators: set.iter().map(validator).collect(),
        },
        Vec::new(),
    ))
}
