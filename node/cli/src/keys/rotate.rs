//! `tbsi keys rotate`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use alloy_primitives::B256;
use anyhow::Context;
use clap::ValueEnum;
use serde_json::json;
use tbsi_governance::abi::NODES;
use tbsi_governance::contracts::{Node, Nodes};
use tbsi_home::Home;
use tbsi_home::config::Config;
use tbsi_keys::keyfile::{
    KeyFileError, KeyKind, create_secret, is_there, open_log_key, open_node_key,
    open_post_quantum_key, open_validator_key,
};
use tbsi_keys::password::Password;

use crate::govern::{Done, Planned, Write, Writer, peer_id};
use crate::lang::{Language, Sentence, demand};
use crate::operator::Prover;
use crate::report::{refuse, refused};
use crate::shown::PathShown;

/// Which key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// That it votes with.
    Validator,
    /// That other nodes know it by.
    Peer,
    /// That it signs the log with.
    Log,
    /// That it cosigns the log with for those who outlive Ed25519 (ML-DSA-44).
    PostQuantum,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Which key to replace.
    #[arg(value_name = "KEY", default_value = "validator")]
    kind: Kind,
    /// Home directory of the node.
    #[arg(long, value_name = "DIR")]
    home: PathBuf,
    /// How long other nodes admit the old peer id, at most 86400.
    #[arg(long, value_name = "SECONDS", default_value = "3600")]
    overlap: u64,
    /// Revoke the post-quantum key, and name none.
    #[arg(long)]
    revoke: bool,
    #[command(flatten)]
    write: Write,
}

impl Args {
    /// In which language to answer.
    pub(super) fn language(&self) -> Language {
        self.write.read.lang
    }
}

/// A node of the chain, its home, and who changes its keys.
struct Rotation {
    writer: Writer,
    home: Home,
    number: u32,
    node: Node,
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    if args.revoke && args.kind != Kind::PostQuantum {
        return Err(refused(
            "--revoke is for `post-quantum`: the other keys are replaced",
        ));
    }
    let home = args.write.password.unlock(&args.home).map_err(refuse)?;
    if args.kind == Kind::Validator {
        check_local(&home).map_err(refuse)?;
    }
    let current = open_node_key(&home.node_key_file(), home.password());
    let current = current.map_err(|error| refuse(error.into()))?;
    let writer = Writer::open(&args.write).await?;
    let (number, node) = writer.registry.find_node(&current.peer_id()).await?;
    let rotation = Rotation {
        writer,
        home,
        number,
        node,
    };
    match args.kind {
        Kind::Validator => rotation.validator().await,
        Kind::Peer => rotation.peer(args.overlap).await,
        Kind::Log => rotation.log().await,
        Kind::PostQuantum if args.revoke => rotation.revoke_post_quantum().await,
        Kind::PostQuantum => rotation.post_quantum().await,
    }
}

/// Fails if the validator key is with a remote signer (SPEC §6.8).
fn check_local(home: &Home) -> anyhow::Result<()> {
    let file = home.config_file();
    let there = is_there(&file)?;
    let config = there.then(|| Config::load(&file)).transpose()?;
    demand(config.is_none_or(|config| config.signer.is_none()), || {
        with_signer(home)
    })?;
    Ok(())
}

/// A key and what it has signed move together.
fn with_signer(home: &Home) -> Sentence {
    let dir = home.dir().word();
    let state = home.sign_state_file();
    let state = state.shown();
    (
        format!(
            "the configuration names a `signer`, and a validator key is rotated where the node \
             is. Stop the node, then the signer; bring both the key (`tbsi keys import --home \
             {dir} --kind validator --file FILE`) and the signer's data/sign-state (as {state}) \
             here, for without it the key could sign twice; remove `[signer]`, start the node and \
             repeat this. The new key moves to the signer by `tbsi signer init --sign-state \
             {state}`, with the node stopped; destroy the old copies"
        ),
        format!(
            "設定檔指定了 `signer`，而驗證者金鑰須在節點所在處輪替。請先停止節點，再停止簽章程序；將\
             金鑰（`tbsi keys import --home {dir} --kind validator --file FILE`）與簽章程序的 \
             data/sign-state（放到 {state}）一併移回，缺少後者金鑰可能重複簽署；移除 `[signer]`，\
             啟動節點後重複此指令。之後停止節點，以 `tbsi signer init --sign-state {state}` 將新金鑰\
             交給簽章程序，並銷毀舊複本"
        ),
    )
}

impl Rotation {
    async fn validator(&self) -> anyhow::Result<ExitCode> {
        let file = self.home.next_validator_key_file();
        let next = self.next(&file, KeyKind::NextValidator, open_validator_key)?;
        let (before, after) = (self.node.validator, next.public_key().address());
        let planned = self.planned(
            ("validator key", "驗證者金鑰"),
            (&before.to_string(), &after.to_string()),
            |prover| {
                let (x, y) = next.public_key().coordinates();
                Nodes::rotateValidatorKeyCall {
                    node: self.number,
                    x,
                    y,
                    proof: prover.validator(&next),
                    deadline: prover.deadline,
                }
            },
        );
        let lang = self.writer.registry.lang;
        let told = lang.pick(
            "The node takes it into use by itself; leave it running.",
            "節點會自動改用新金鑰；請保持運作。",
        );
        if before == after {
            let json = json!({ "validator": after, "transaction": null });
            return self.writer.registry.format.print(told, &json);
        }
        let tell = async |_: &Done| Ok((told.to_owned(), json!({ "validator": after })));
        self.writer.perform(&planned, tell).await
    }

    async fn peer(&self, overlap: u64) -> anyhow::Result<ExitCode> {
        let current = self.home.node_key_file();
        let file = current.with_file_name("node-next.key");
        let next = self.next(&file, KeyKind::Node, open_node_key)?;
        let (before, key) = (peer_id(self.node.peerKey), B256::from(next.public_key()));
        let after = next.peer_id();
        let retired = current.with_file_name(format!("node-retired-{before}.key"));
        let end = self.writer.registry.now.saturating_add(overlap);
        let planned = self.planned(("peer id", "節點識別碼"), (&before, &after), |prover| {
            Nodes::rotatePeerKeyCall {
                node: self.number,
                key,
                proof: prover.peer(&next),
                deadline: prover.deadline,
                overlapEnd: end,
            }
        });
        let files = [file.as_path(), &current, &retired];
        let known = self.node.peerKey == key;
        self.swap_after(&planned, files, known, json!({ "peerId": after }))
            .await
    }

    async fn log(&self) -> anyhow::Result<ExitCode> {
        let current = self.home.log_key_file();
        let file = current.with_file_name("log-next.key");
        let next = self.next(&file, KeyKind::Log, open_log_key)?;
        let (before, key) = (self.node.logKey, B256::from(next.public_key()));
        let retired = current.with_file_name(format!("log-retired-{before}.key"));
        let planned = self.planned(
            ("log key", "日誌金鑰"),
            (&before.to_string(), &key.to_string()),
            |prover| Nodes::rotateLogKeyCall {
                node: self.number,
                key,
                proof: prover.log(&next),
                deadline: prover.deadline,
            },
        );
        let files = [file.as_path(), &current, &retired];
        let known = before == key;
        self.swap_after(&planned, files, known, json!({ "logKey": key }))
            .await
    }

    async fn post_quantum(&self) -> anyhow::Result<ExitCode> {
        let current = self.home.key_file(KeyKind::PostQuantum);
        let file = current.with_file_name("post-quantum-next.key");
        let next = self.next(&file, KeyKind::PostQuantum, open_post_quantum_key)?;
        let (before, after) = (self.node.postQuantumKey, next.public_key_hash());
        let retired = current.with_file_name(format!("post-quantum-retired-{before}.key"));
        let planned = self.planned_post_quantum(after);
        let files = [file.as_path(), &current, &retired];
        let json = json!({ "postQuantumKeyHash": after });
        self.swap_after(&planned, files, before == after, json)
            .await
    }

    /// The file stays: what it signs counts for nobody.
    async fn revoke_post_quantum(&self) -> anyhow::Result<ExitCode> {
        let lang = self.writer.registry.lang;
        if self.node.postQuantumKey.is_zero() {
            return Err(refused("the chain names no post-quantum key of this node"));
        }
        let planned = self.planned_post_quantum(B256::ZERO);
        let told = lang.pick(
            "The key is revoked for ever; `tbsi keys rotate post-quantum` makes another.",
            "此金鑰已永久撤銷；`tbsi keys rotate post-quantum` 可建立新金鑰。",
        );
        let json = json!({ "postQuantumKeyHash": null });
        let tell = async |_: &Done| Ok((told.to_owned(), json));
        self.writer.perform(&planned, tell).await
    }

    fn planned_post_quantum(&self, key_hash: B256) -> Planned {
        let shown = |hash: B256| {
            if hash.is_zero() {
                "–".to_owned()
            } else {
                hash.to_string()
            }
        };
        self.planned(
            ("post-quantum key (SHA-256)", "後量子金鑰（SHA-256）"),
            (&shown(self.node.postQuantumKey), &shown(key_hash)),
            |_| Nodes::setPostQuantumKeyCall {
                node: self.number,
                keyHash: key_hash,
            },
        )
    }

    /// The key of `file`, which an earlier run may have made; as encrypted as the home's others.
    /// A dry run leaves no key behind.
    fn next<K>(
        &self,
        file: &Path,
        kind: KeyKind,
        open: impl Fn(&Path, Option<&Password>) -> Result<K, KeyFileError>,
    ) -> anyhow::Result<K> {
        let there = is_there(file).map_err(|error| refuse(error.into()))?;
        if !there && self.writer.is_dry_run() {
            let dir = tempfile::tempdir().context("make a temporary directory")?;
            let trial = dir.path().join("key");
            create_secret(&trial, kind, None)?;
            return Ok(open(&trial, None)?);
        }
        let password = self.home.password();
        let key = if there {
            open(file, password)
        } else {
            create_secret(file, kind, password).and_then(|_| open(file, password))
        };
        key.map_err(|error| refuse(error.into()))
    }

    fn planned<C: alloy_sol_types::SolCall>(
        &self,
        what: (&str, &str),
        (before, after): (&str, &str),
        call: impl FnOnce(&Prover<'_>) -> C,
    ) -> Planned {
        let registry = &self.writer.registry;
        let (name, owner) = (&self.node.name, registry.name(self.node.organisation));
        let change = registry.lang.pick(
            format!("{} of node {name} of {owner}: {before} → {after}", what.0),
            format!("{owner}的節點 {name} 的{}：{before} → {after}", what.1),
        );
        Planned::new(NODES, &call(&Prover::new(&self.writer)), change)
    }

    /// Sends it unless the chain knows the key already, then puts the new file in the old one's
    /// place: `files` are the new one, the old one, and where the old one goes. May be repeated
    /// after a crash at any point.
    async fn swap_after(
        &self,
        planned: &Planned,
        files: [&Path; 3],
        known: bool,
        json: serde_json::Value,
    ) -> anyhow::Result<ExitCode> {
        let lang = self.writer.registry.lang;
        let told = lang.pick(
            "The new key is in the home; start the node again to use it.",
            "新金鑰已放入節點目錄；請重新啟動節點以啟用。",
        );
        if known && !self.writer.is_dry_run() {
            swap(files)?;
            return self.writer.registry.format.print(told, &json);
        }
        let tell = async |_: &Done| {
            swap(files)?;
            Ok((told.to_owned(), json))
        };
        self.writer.perform(planned, tell).await
    }
}

fn swap([new, old, retired]: [&Path; 3]) -> anyhow::Result<()> {
    if is_there(old)? && !is_there(retired)? {
        fs::hard_link(old, retired).with_context(|| format!("keep {}", old.shown()))?;
    }
    fs::rename(new, old).with_context(|| format!("take {} into use", new.shown()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_old_key_is_kept_and_the_new_one_takes_its_place() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        let (new, old, retired) = (path("node-next.key"), path("node.key"), path("retired"));
        fs::write(&new, "new").unwrap();
        fs::write(&old, "old").unwrap();
        // As if an earlier run had ended between the two steps.
        fs::hard_link(&old, &retired).unwrap();
        swap([&new, &old, &retired]).unwrap();
        assert_eq!(fs::read_to_string(&old).unwrap(), "new");
        assert_eq!(fs::read_to_string(&retired).unwrap(), "old");
        assert!(!new.exists());
        assert!(swap([&new, &old, &retired]).is_err());
    }
}
