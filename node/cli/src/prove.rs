//! `tbsi prove`.

mod absent;
pub(crate) mod cose;
mod issuers;
mod ots;

use std::fs::OpenOptions;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use alloy_primitives::{Address, B256, Bytes, hex};
use clap::ValueEnum;
use serde_json::value::RawValue;
use tbsi_rpc::Client;
use tbsi_rpc::wire::{BundleStart, LeafSelector};
use tbsi_types::log::algorithm::{ALGORITHMS, DigestAlgorithm};
use tbsi_types::log::{DigestWords, Leaf, Statement};
use tbsi_types::{Height, LeafIndex, ProofBundle};
use tokio::runtime::Runtime;

use crate::digest::{DEFAULT_ALGORITHM, digest_file, parse_algorithm};
use crate::lang::{Language, SayContext, Sentence, demand, said};
use crate::progress;
use crate::proof::{self, ProofFile};
use crate::report::{in_language, note, print_json, refuse};
use crate::rpc::Rpc;
use crate::salt::{Salt, is_there};
use crate::shown::PathShown;
use issuers::{Others, choose, name_others, name_unproven};

const HELP: &str = "\
With a digest or a file, it is the first attestation of it; if others attested it too, they are
named on stderr, and --issuer chooses.
--with-status adds to the proof whether it was revoked, as of the last root of the map in the log:
whoever has it needs to ask nobody. --with-names adds whose account the issuer's was, and who
answers for the validators that could sign: legal names, 統一編號 and LEI, as the registry had them
in the block of the statement, and of the checkpoint. --absent proves that a digest was not
attested, up to then.
Exit codes: 0 proof fetched, 1 there is none or it failed, 2 refused before asking.";

#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command"
)]
pub(crate) struct Args {
    #[command(flatten)]
    what: What,
    /// Salt of the file.
    #[arg(long, value_name = "FILE")]
    salt: Option<PathBuf>,
    /// The attestation by this account, not that by whoever was first.
    #[arg(long, value_name = "ADDRESS")]
    issuer: Option<Address>,
    /// Digest algorithm of the file.
    #[arg(long, value_name = "NAME", default_value = DEFAULT_ALGORITHM, value_parser = parse_algorithm)]
    algorithm: &'static DigestAlgorithm,
    #[command(flatten)]
    rpc: Rpc,
    /// With what the log's map says of the attestation: whether it was revoked.
    #[arg(long)]
    with_status: bool,
    /// With what the registry of organisations says of the issuer, at the time of its statement,
    /// and of the validators: legal names, 統一編號, LEI.
    #[arg(long)]
    with_names: bool,
    /// Prove that the digest was not attested.
    #[arg(
        long,
        conflicts_with_all = ["index", "status", "with_status", "issuer"]
    )]
    absent: bool,
    /// With --absent: not before this height; it may have been attested since.
    #[arg(long, value_name = "HEIGHT", requires = "absent", value_parser = parse_height)]
    before: Option<Height>,
    /// Height of a checkpoint that the reader trusts, or latest: the proof begins there, and is
    /// short however often the validators changed [default: 0, the genesis file].
    #[arg(long, value_name = "HEIGHT", value_parser = parse_from)]
    from: Option<Start>,
    /// File to write, which must not exist; stdout if absent.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Write the compact binary form, as short as can be: --format compact.
    #[arg(long, conflicts_with = "form")]
    compact: bool,
    /// Form of the proof.
    #[arg(
        long = "format",
        id = "form",
        value_name = "FORM",
        default_value = "json"
    )]
    form: Form,
    /// Language of the text.
    #[arg(long, value_name = "LANG", default_value = "en")]
    lang: Language,
}

/// What is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    /// Everything that a verifier needs, as JSON.
    Json,
    /// The same, as short as can be.
    Compact,
    /// COSE receipt of RFC 9942 in FILE, and the leaf that it is of in FILE.leaf: the word of
    /// one node, for software that reads COSE.
    Cose,
    /// OpenTimestamps file, of a node that is a calendar: proves something when it is in Bitcoin.
    Ots,
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
    /// Id of an attestation whose status is asked for, as --with-status.
    #[arg(long, value_name = "ID", value_parser = parse_id)]
    status: Option<B256>,
}

/// Where a proof begins.
#[derive(Clone, Copy, Debug)]
enum Start {
    At(Height),
    Latest,
}

fn parse_from(text: &str) -> Result<Start, String> {
    if text == "latest" {
        return Ok(Start::Latest);
    }
    let height = text.parse().map(|height| Start::At(Height(height)));
    height.map_err(|_| "use the height of a checkpoint, or latest".into())
}

fn parse_height(text: &str) -> Result<Height, String> {
    let height = text.parse().map(Height);
    height.map_err(|_| "use the height of a block".into())
}

fn parse_id(text: &str) -> Result<B256, String> {
    let id = hex::decode(text).ok();
    let id = id.and_then(|bytes| B256::try_from(bytes.as_slice()).ok());
    id.ok_or_else(|| "an id is 32 bytes in hex".into())
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
    in_language(prove(args), args.lang)
}

fn prove(args: &Args) -> anyhow::Result<ExitCode> {
    check_out(args).map_err(refuse)?;
    if args.absent {
        return absent::prove(args);
    }
    let selectors = selectors(args).map_err(refuse)?;
    let client = args.rpc.client()?;
    let answer = Runtime::new()?.block_on(fetch(&client, &selectors, args))?;
    let Some(Fetched { json, file, others }) = answer else {
        return Err(none(&client, args.issuer));
    };
    name_others(&others, args.lang);
    put(args, &client, &json, &file)?;
    name_unproven(&file, args.lang);
    let bundle = &file.bundle;
    let head = Leaf::decode(&bundle.leaf)?.head;
    let (index, issuer) = (bundle.leaf_index, head.issuer);
    let leaf = args.lang.pick(
        format!("leaf {index} by issuer {issuer}"),
        format!("第 {index} 筆紀錄，簽發者 {issuer}"),
    );
    // Software for Bitcoin verifies it, which was said.
    let next = match args.form() {
        Form::Ots => "",
        Form::Json | Form::Compact | Form::Cose => args
            .lang
            .pick("; `tbsi verify` verifies it", "；可用 `tbsi verify` 驗證"),
    };
    note(&format!("{leaf}{next}"));
    Ok(ExitCode::SUCCESS)
}

/// Writes the proof in the form that was asked for.
fn put(args: &Args, client: &Client, json: &RawValue, file: &ProofFile) -> anyhow::Result<()> {
    let bundle = &file.bundle;
    let bytes = match (args.form(), &args.out) {
        (Form::Json, None) => return print_json(json.get()),
        (Form::Json, Some(_)) => format!("{}\n", json.get().trim_end()).into_bytes(),
        (Form::Compact, _) => file.encode()?,
        (Form::Ots, _) => Runtime::new()?.block_on(ots::fetch(client, bundle, args.lang))?,
        (Form::Cose, out) => {
            let out = out.as_deref().expect("it was asked for");
            let receipt = Runtime::new()?.block_on(cose::fetch(client, bundle))?;
            write(&cose::leaf_beside(out), &bundle.leaf)?;
            cose::name_signer(&receipt, out, args.lang)?;
            receipt
        }
    };
    match &args.out {
        Some(out) => write(out, &bytes),
        None => Ok(io::stdout().lock().write_all(&bytes)?),
    }
}

impl Args {
    fn with_status(&self) -> bool {
        self.with_status || self.what.status.is_some()
    }

    fn form(&self) -> Form {
        if self.compact {
            Form::Compact
        } else {
            self.form
        }
    }
}

fn check_out(args: &Args) -> anyhow::Result<()> {
    let form = args.form();
    let with_more = args.absent || args.with_names || args.with_status();
    let has_room = matches!(form, Form::Json | Form::Compact);
    demand(has_room || !with_more, || {
        (
            "this form has no room for what the map or the registry says; leave --format out"
                .into(),
            "此格式無法附上對照表或登錄的內容；請移除 --format".into(),
        )
    })?;
    let free = |out: &Path| {
        demand(!is_there(out), || {
            let out = out.shown();
            (
                format!("{out} exists; choose another --out"),
                format!("{out} 已存在；請另選 --out"),
            )
        })
    };
    match &args.out {
        Some(out) if form == Form::Cose => {
            free(out)?;
            free(&cose::leaf_beside(out))
        }
        Some(out) => free(out),
        None if form == Form::Cose => Err(said(
            "a COSE receipt is two files, itself and its leaf; give --out",
            "COSE 收據有兩個檔案：收據與紀錄；請指定 --out",
        )),
        None => demand(form == Form::Json || !io::stdout().is_terminal(), || {
            (
                "this form is not for a terminal; give --out".into(),
                "此格式無法顯示在終端機；請指定 --out".into(),
            )
        }),
    }
}

fn write(out: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(out)
        .and_then(|mut file| file.write_all(bytes))
        .or_say(|| {
            let out = out.shown();
            (format!("write {out}"), format!("無法寫入 {out}"))
        })
}

/// What to ask for, in turn: 32 bytes may be an id or a digest.
fn selectors(args: &Args) -> anyhow::Result<Vec<LeafSelector>> {
    let What {
        name,
        index,
        file,
        status,
    } = &args.what;
    if let Some(id) = status {
        return Ok(vec![LeafSelector::Id(*id)]);
    }
    demand(args.salt.is_none() || file.is_some(), || {
        (
            "--salt is for --file; leave it out".into(),
            "--salt 須與 --file 一起使用；請移除".into(),
        )
    })?;
    Ok(match (name, index, file) {
        (Some(name), ..) if name.len() == B256::len_bytes() => vec![
            LeafSelector::Id(B256::from_slice(name)),
            LeafSelector::Digest(name.clone()),
        ],
        (Some(name), ..) => vec![LeafSelector::Digest(name.clone())],
        (_, Some(index), _) => vec![LeafSelector::Index(LeafIndex(*index))],
        (.., Some(file)) => {
            vec![LeafSelector::Digest(digest_of(args, file)?)]
        }
        (None, None, None) => {
            return Err(said(
                "give a digest, an id, --index or --file",
                "請指定摘要、識別碼、--index 或 --file",
            ));
        }
    })
}

/// The digest of a file, which is said.
fn digest_of(args: &Args, file: &Path) -> anyhow::Result<Bytes> {
    let salt = args.salt.as_deref().map(Salt::load).transpose()?;
    let bytes = std::fs::metadata(file).map_or(0, |metadata| metadata.len());
    let bar = progress::bytes(bytes, "hashing");
    let digest = digest_file(file, args.algorithm, salt.as_ref(), &|read| bar.inc(read))?;
    bar.finish_and_clear();
    let shown = hex::encode_prefixed(&digest);
    note(
        &args
            .lang
            .pick(format!("digest {shown}"), format!("摘要 {shown}")),
    );
    Ok(digest.into())
}

/// Where the proof begins.
async fn start(client: &Client, args: &Args) -> anyhow::Result<Height> {
    Ok(match args.from {
        Some(Start::Latest) => client.status().await?.height,
        Some(Start::At(height)) => height,
        None => Height::GENESIS,
    })
}

fn none(client: &Client, issuer: Option<Address>) -> anyhow::Error {
    let url = client.url();
    match issuer {
        None => said(
            format!("{url} knows no such attestation"),
            format!("{url} 沒有這項存證"),
        ),
        Some(issuer) => said(
            format!("{url} knows no such attestation by {issuer}"),
            format!("{url} 沒有 {issuer} 的這項存證"),
        ),
    }
}

struct Fetched {
    json: Box<RawValue>,
    file: ProofFile,
    others: Others,
}

async fn fetch(
    client: &Client,
    selectors: &[LeafSelector],
    args: &Args,
) -> anyhow::Result<Option<Fetched>> {
    let issuer = args.issuer;
    let start = BundleStart {
        from: start(client, args).await?,
        status: args.with_status(),
        registry: args.with_names,
    };
    for selector in selectors {
        let (asked, others) = match selector {
            LeafSelector::Digest(digest) => match choose(client, digest, issuer).await? {
                Some((index, others)) => (LeafSelector::Index(index), others),
                None => continue,
            },
            LeafSelector::Index(_) | LeafSelector::Id(_) => (selector.clone(), Others::default()),
        };
        let Some(json) = client.proof_with(&asked, &start).await? else {
            continue;
        };
        let file = proof::parse_any(json.get().as_bytes())
            .or_say(|| gave(client, "a wrong proof", "錯誤的證明"))?;
        let other = || gave(client, "another proof", "另一項證明");
        let parts = (file.map.is_some(), file.registry.is_some());
        demand(parts == (start.status, start.registry), other)?;
        for wanted in [&asked, selector] {
            check_answer(wanted, &file.bundle).or_say(other)?;
        }
        let by = Leaf::decode(&file.bundle.leaf)?.head.issuer;
        demand(issuer.is_none_or(|issuer| issuer == by), || {
            (
                format!("that is by {by}; leave --issuer out, or give a digest or a file"),
                format!("該筆出自 {by}；請不要加 --issuer，或改以摘要或檔案查詢"),
            )
        })?;
        return Ok(Some(Fetched { json, file, others }));
    }
    Ok(None)
}

fn gave(client: &Client, en: &str, zh_tw: &str) -> Sentence {
    let url = client.url();
    (format!("{url} gave {en}"), format!("{url} 回覆了{zh_tw}"))
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
    demand(same, || {
        let index = bundle.leaf_index;
        (
            format!("it is of leaf {index}, which was not asked for"),
            format!("它是第 {index} 筆紀錄的證明，不是所查詢的"),
        )
    })
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
