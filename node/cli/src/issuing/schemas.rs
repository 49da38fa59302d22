//! `tbsi schema`: what digests commit to.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use alloy_primitives::B256;
use clap::{Subcommand, ValueEnum};
use serde_json::json;
use tbsi_bindings::genesis::Attestations::registerSchemaCall;
use tbsi_types::sha256;

use super::state;
use crate::contract::schema_of;
use crate::govern::{CODES, Read, Write, Writer, block_on};
use crate::lang::{Language, SayContext, demand};
use crate::report::refuse;
use crate::schema;
use crate::shown::PathShown;

/// Bytes of a schema's text.
const TEXT_BYTES_MAX: u64 = 1 << 20;

/// `tbsi schema`.
#[derive(Debug, Subcommand)]
pub(crate) enum SchemaCommand {
    /// Register what digests commit to; anybody may attest under it afterwards.
    #[command(after_help = CODES)]
    Register(RegisterArgs),
    /// Show a schema.
    Show(ShowArgs),
}

#[derive(Debug, clap::Args)]
pub(crate) struct RegisterArgs {
    /// File with the schema's text. It stays here: keep it and publish it, the chain has its
    /// SHA-256 only.
    #[arg(value_name = "FILE")]
    text: PathBuf,
    /// What a digest under it commits to.
    #[arg(long, value_enum)]
    commits_to: CommitsTo,
    /// Attestations under it can never be revoked.
    #[arg(long)]
    irrevocable: bool,
    #[command(flatten)]
    write: Write,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ShowArgs {
    /// Name or id.
    #[arg(value_name = "SCHEMA", value_parser = schema::parse)]
    schema: B256,
    #[command(flatten)]
    read: Read,
}

/// As the contract counts them, from 1 (SPEC §12.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum CommitsTo {
    /// The bytes of a file.
    File,
    /// 32 bytes of salt, then those of a file.
    SaltedFile,
    /// Canonical JSON (RFC 8785).
    Json,
    /// 32 bytes of salt, then canonical JSON.
    SaltedJson,
    /// The root of a Merkle tree (RFC 9162 over SHA-256).
    MerkleRoot,
}

impl CommitsTo {
    const ALL: [(Self, &'static str); 5] = [
        (Self::File, "file"),
        (Self::SaltedFile, "salted-file"),
        (Self::Json, "json"),
        (Self::SaltedJson, "salted-json"),
        (Self::MerkleRoot, "merkle-root"),
    ];

    fn code(self) -> u8 {
        let known = (1..).zip(Self::ALL).find(|(_, (it, _))| *it == self);
        known.map_or(0, |(code, _)| code)
    }

    fn name(code: u8) -> &'static str {
        let known = (1..).zip(Self::ALL).find(|(known, _)| *known == code);
        known.map_or("unknown", |(_, (_, name))| name)
    }
}

pub(crate) fn schema(command: &SchemaCommand) -> anyhow::Result<ExitCode> {
    match command {
        SchemaCommand::Register(args) => {
            let lang = args.write.read.lang;
            block_on(lang, register(args, lang))
        }
        SchemaCommand::Show(args) => block_on(args.read.lang, show(args)),
    }
}

async fn register(args: &RegisterArgs, lang: Language) -> anyhow::Result<ExitCode> {
    let text = read_text(&args.text).map_err(refuse)?;
    let call = registerSchemaCall {
        textHash: sha256(&[&text]),
        commitsTo: args.commits_to.code(),
        revocable: !args.irrevocable,
    };
    let writer = Writer::open(&args.write).await?;
    let hash = call.textHash;
    let change = lang.pick(
        format!("a schema with text hash {hash} is registered"),
        format!("登錄文字雜湊為 {hash} 的綱要"),
    );
    state(&writer, &call, change).await
}

fn read_text(path: &Path) -> anyhow::Result<Vec<u8>> {
    let reading = || {
        let path = path.shown();
        (format!("read {path}"), format!("讀取 {path}"))
    };
    let size = fs::metadata(path).or_say(reading)?.len();
    demand((1..=TEXT_BYTES_MAX).contains(&size), || {
        let path = path.shown();
        (
            format!("{path} has {size} bytes; a schema's text has 1 to {TEXT_BYTES_MAX}"),
            format!("{path} 有 {size} 位元組；綱要文字須為 1 至 {TEXT_BYTES_MAX} 位元組"),
        )
    })?;
    fs::read(path).or_say(reading)
}

async fn show(args: &ShowArgs) -> anyhow::Result<ExitCode> {
    let client = args.read.rpc.client()?;
    let found = schema_of(&client, args.schema).await?;
    let (commits_to, id, owner) = (CommitsTo::name(found.commitsTo), args.schema, found.owner);
    let (hash, lang) = (found.textHash, args.read.lang);
    let name = schema::name_of(id).unwrap_or("-");
    let revocable = match found.revocable {
        true => lang.pick("can be revoked", "可撤銷"),
        false => lang.pick("can never be revoked", "永遠不能撤銷"),
    };
    let text = lang.pick(
        format!(
            "schema     {id}\nname       {name}\nowner      {owner}\ntext hash  {hash}\n\
             commits to {commits_to}\nrevocation attestations under it {revocable}"
        ),
        format!(
            "綱要     {id}\n名稱     {name}\n擁有者   {owner}\n文字雜湊 {hash}\n\
             摘要對象 {commits_to}\n撤銷     其下的存證{revocable}"
        ),
    );
    let json = json!({
        "schema": id,
        "name": schema::name_of(id),
        "owner": owner,
        "textHash": hash,
        "commitsTo": commits_to,
        "revocable": found.revocable,
    });
    args.read.format.print(&text, &json)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_digests_commit_to_is_counted_as_the_contract_does() {
        let codes: Vec<u8> = CommitsTo::ALL.iter().map(|(it, _)| it.code()).collect();
        assert_eq!(codes, [1, 2, 3, 4, 5]);
        for (it, name) in CommitsTo::ALL {
            assert_eq!(CommitsTo::name(it.code()), name);
            assert_eq!(it.to_possible_value().unwrap().get_name(), name);
        }
        assert_eq!(CommitsTo::name(0), "unknown");
    }
}
