//! `tbsi prove`.

use std::fs::OpenOptions;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use alloy_primitives::{B256, Bytes, hex};
use anyhow::{Context, bail, ensure};
use serde_json::value::RawValue;
use tbsi_rpc::Client;
use tbsi_rpc::wire::LeafSelector;
use tbsi_types::log::algorithm::{ALGORITHMS, DigestAlgorithm};
use tbsi_types::log::{DigestWords, Leaf, Statement};
use tbsi_types::{LeafIndex, ProofBundle};
use tokio::runtime::Runtime;

use crate::digest::{DEFAULT_ALGORITHM, digest_file, parse_algorithm};
use crate::progress;
use crate::report::{note, print, refuse, refused};
use crate::salt::{Salt, is_there};

const HELP: &str = "\
With a digest or a file, it is the first attestation of it by anybody.
Exit codes: 0 proof fetched, 1 there is none or it failed, 2 refused before asking.";

#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    #[command(flatten)]
    what: What,
    /// Salt of the file.
    #[arg(long, value_name = "FILE")]
    salt: Option<PathBuf>,
    /// Digest algorithm of the file.
    #[arg(long, value_name = "NAME", default_value = DEFAULT_ALGORITHM, value_parser = parse_algorithm)]
    algorithm: &'static DigestAlgorithm,
    /// JSON-RPC address of the node.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8545")]
    rpc: String,
    /// File to write, which must not exist; stdout if absent.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Write the compact binary form, as short as can be.
    #[arg(long)]
    compact: bool,
}

/// One of these.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct What {
    /// Id of an attestation, or a digest; in hex.
    #[arg(value_name = "DIGEST|ID", value_parser = parse_hex)]
    name: Option<Bytes>,
    /// Position in the log.
    #[arg(long, value_name = "N")]
    index: Option<u64>,
    /// File whose digest was attested.
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
}

/// Of a length that some algorithm or an id has.
fn parse_hex(text: &str) -> Result<Bytes, String> {
    let bytes = hex::decode(text).map_err(|error| format!("hex digits are expected: {error}"))?;
    let mut lengths = ALGORITHMS.iter().map(|known| usize::from(known.bits / 8));
    if lengths.any(|length| length == bytes.len()) {
        return Ok(bytes.into());
    }
    let got = bytes.len();
    Err(format!(
        "{got} bytes are neither an id (32) nor a digest (32, 48 or 64)"
    ))
}

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    check_out(args).map_err(refuse)?;
    let selectors = selectors(args).map_err(refuse)?;
    let client = Client::new(&args.rpc).map_err(|error| refuse(error.into()))?;
    let answer = Runtime::new()?.block_on(fetch(&client, &selectors))?;
    let Some((json, bundle)) = answer else {
        bail!("{} knows no such attestation", client.url());
    };
    let bytes = if args.compact {
        bundle.encode()?
    } else {
        format!("{}\n", json.get().trim_end()).into_bytes()
    };
    match &args.out {
        Some(out) => write(out, &bytes)?,
        None if args.compact => io::stdout().lock().write_all(&bytes)?,
        None => print(json.get())?,
    }
    let head = Leaf::decode(&bundle.leaf)?.head;
    note(&format!(
        "leaf {} by issuer {}; `tbsi verify` verifies it",
        bundle.leaf_index, head.issuer
    ));
    Ok(ExitCode::SUCCESS)
}

fn check_out(args: &Args) -> anyhow::Result<()> {
    match &args.out {
        Some(out) => ensure!(
            !is_there(out),
            "{} exists; choose another --out",
            out.display()
        ),
        None => ensure!(
            !args.compact || !io::stdout().is_terminal(),
            "the compact form is not for a terminal; give --out"
        ),
    }
    Ok(())
}

fn write(out: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(out)
        .and_then(|mut file| file.write_all(bytes))
        .with_context(|| format!("write {}", out.display()))
}

/// What to ask for, in turn: 32 bytes may be an id or a digest.
fn selectors(args: &Args) -> anyhow::Result<Vec<LeafSelector>> {
    let What { name, index, file } = &args.what;
    ensure!(
        args.salt.is_none() || file.is_some(),
        "--salt is for --file; leave it out"
    );
    Ok(match (name, index, file) {
        (Some(name), ..) if name.len() == B256::len_bytes() => vec![
            LeafSelector::Id(B256::from_slice(name)),
            LeafSelector::Digest(name.clone()),
        ],
        (Some(name), ..) => vec![LeafSelector::Digest(name.clone())],
        (_, Some(index), _) => vec![LeafSelector::Index(LeafIndex(*index))],
        (.., Some(file)) => {
            let salt = args.salt.as_deref().map(Salt::load).transpose()?;
            let bytes = std::fs::metadata(file).map_or(0, |metadata| metadata.len());
            let bar = progress::bytes(bytes, "hashing");
            let digest = digest_file(file, args.algorithm, salt.as_ref(), &|read| bar.inc(read))?;
            bar.finish_and_clear();
            note(&format!("digest {}", hex::encode_prefixed(&digest)));
            vec![LeafSelector::Digest(digest.into())]
        }
        (None, None, None) => return Err(refused("give a digest, an id, --index or --file")),
    })
}

async fn fetch(
    client: &Client,
    selectors: &[LeafSelector],
) -> anyhow::Result<Option<(Box<RawValue>, ProofBundle)>> {
    for selector in selectors {
        if let Some(json) = client.proof(selector).await? {
            let bundle = ProofBundle::parse_json(json.get().as_bytes())
                .with_context(|| format!("{} gave a wrong proof", client.url()))?;
            check_answer(selector, &bundle)
                .with_context(|| format!("{} gave another proof", client.url()))?;
            return Ok(Some((json, bundle)));
        }
    }
    Ok(None)
}

/// That the node answered what it was asked.
fn check_answer(selector: &LeafSelector, bundle: &ProofBundle) -> anyhow::Result<()> {
    let leaf = Leaf::decode(&bundle.leaf)?;
    let same = match selector {
        LeafSelector::Index(index) => bundle.leaf_index == *index,
        LeafSelector::Id(id) => leaf.attestation_id() == Some(*id),
        LeafSelector::Digest(digest) => {
            if let Statement::Attestation(stated) = leaf.statement {
                DigestWords::of(stated.algorithm, digest) == Some(stated.digest)
            } else {
                false
            }
        }
    };
    ensure!(
        same,
        "it is of leaf {}, which was not asked for",
        bundle.leaf_index
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn names_are_hex_of_a_known_length() {
        for length in [32, 48, 64] {
            let text = "ab".repeat(length);
            assert_eq!(parse_hex(&text).unwrap().len(), length);
            assert_eq!(parse_hex(&format!("0x{text}")).unwrap().len(), length);
        }
        for bad in [
            "",
            "0x",
            "ab",
            "a",
            "zz",
            &"ab".repeat(28),
            &"ab".repeat(65),
        ] {
            assert!(parse_hex(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_answer_to_another_question_is_refused() {
        let vectors = include_str!("../../../tests/vectors/bundle.json");
        let vectors: Value = serde_json::from_str(vectors).unwrap();
        let json = vectors["cases"][0]["json"].to_string();
        let bundle = ProofBundle::parse_json(json.as_bytes()).unwrap();
        let leaf = Leaf::decode(&bundle.leaf).unwrap();
        let Statement::Attestation(stated) = leaf.statement else {
            panic!("another statement");
        };
        let id = leaf.attestation_id().unwrap();
        let mut digest = stated.digest.to_bytes();
        check_answer(&LeafSelector::Index(bundle.leaf_index), &bundle).unwrap();
        check_answer(&LeafSelector::Id(id), &bundle).unwrap();
        check_answer(&LeafSelector::Digest(digest.clone().into()), &bundle).unwrap();
        digest[0] ^= 1;
        for other in [
            LeafSelector::Index(LeafIndex(bundle.leaf_index.0 + 1)),
            LeafSelector::Id(B256::ZERO),
            LeafSelector::Digest(digest.into()),
        ] {
            assert!(check_answer(&other, &bundle).is_err(), "{other:?}");
        }
    }
}
