//! `tbsi attest`.

mod batch;
mod inputs;
mod later;
mod report;
mod write;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use futures::stream::{self, StreamExt, TryStreamExt};
use tbsi_light::TrustAnchor;
use tbsi_rpc::Client;
use tbsi_types::log::algorithm::DigestAlgorithm;
use tbsi_types::log::{Attestation, DigestWords};
use tbsi_types::{B256, Genesis, LeafIndex, SecretKey};
use tokio::runtime::Runtime;
use tokio::sync::OnceCell;

use crate::contract::{Sender, check_algorithm, check_may_attest, load_key, schema_of};
use crate::digest::{DEFAULT_ALGORITHM, digest_file, parse_algorithm};
use crate::lang::{Language, counted, demand, said};
use crate::password::PasswordFile;
use crate::report::{Format, in_language, note, refuse};
use crate::rpc::Rpc;
use crate::salt::{Salt, is_there};
use crate::{progress, proof, schema, standing};
use batch::Statements;
use inputs::{Collected, Inputs, Target};
use later::Later;

/// Calls to the node at a time.
const CALLS_AT_A_TIME: usize = 16;

/// What digests under a schema commit to, as the contract counts.
const COMMITS_TO_FILE: u8 = 1;
const COMMITS_TO_SALTED_FILE: u8 = 2;

const HELP: &str = "\
The files stay here: only digests are sent. FILE.tbsi.json is the proof, for `tbsi verify`.
What this key has attested already is not sent again, so the same command can be repeated, and
several commands may use one key at a time.

A key file holds 64 hex digits, or is an encrypted one of Ethereum's software (Web3 Secret
Storage), and has mode 0600. It needs no funds:
  (umask 077; openssl rand -hex 32 > issuer.key)
In a network whose public may attest, as that of `tbsi testnet up`, any key will do. In others an
administrator of your organisation adds the key's account: `tbsi org consent`, `tbsi org
add-account`; `tbsi permission show` says what an account may do.

A file that changed since its proof was written, or whose proof cannot have its name, is left out
and named; the others are attested.

Exit codes: 0 all files have their proofs, 1 failed or some were left out, 2 refused before
anything was sent.";

#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    #[command(flatten)]
    inputs: Inputs,
    /// File with the issuer's secret key.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    #[command(flatten)]
    password: PasswordFile,
    #[command(flatten)]
    rpc: Rpc,
    /// Genesis file of the network; each proof is verified with it before it is written.
    #[arg(long, value_name = "FILE")]
    genesis: Option<PathBuf>,
    /// Name or id of a schema [default: tbsi:file:v1, with --salt tbsi:salted-file:v1].
    #[arg(long, value_name = "SCHEMA", value_parser = schema::parse)]
    schema: Option<B256>,
    /// Digest algorithm, such as sha2-512, sha3-256 or sm3-256.
    #[arg(long, value_name = "NAME", default_value = DEFAULT_ALGORITHM, value_parser = parse_algorithm)]
    algorithm: &'static DigestAlgorithm,
    /// Put a random salt in front of each file, so that nobody can guess it by its digest. It
    /// is kept in FILE.tbsi.salt: keep it, for without it the proof is worth nothing.
    #[arg(long)]
    salt: bool,
    /// Attest again what this key has attested before.
    #[arg(long)]
    again: bool,
    /// Attest each file by a transaction of its own, so that others can countersign it: the
    /// contract keeps what is attested alone. It costs more gas.
    #[arg(long)]
    alone: bool,
    /// Language of the text.
    #[arg(long, value_name = "LANG", default_value = "en")]
    lang: Language,
    #[command(flatten)]
    format: Format,
}

/// One file, and what is said of it.
pub(super) struct Item {
    target: Target,
    salted: bool,
    /// Position among the [`Statements`].
    statement: usize,
}

/// Where the proof of a statement is.
#[derive(Clone, Copy)]
pub(super) struct Found {
    index: LeafIndex,
    /// By an earlier command.
    reused: bool,
}

/// The network, the issuer and what the files are attested as.
pub(super) struct Session {
    client: Client,
    account: Sender,
    chain_id: u64,
    anchor: Option<TrustAnchor>,
    /// Where proofs begin that cannot begin at genesis, once one was fetched.
    later: OnceCell<Later>,
    schema: B256,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    in_language(attest_all(args), args.lang)
}

fn attest_all(args: &Args) -> anyhow::Result<ExitCode> {
    let found = args.inputs.collect(&args.key, args.lang).map_err(refuse)?;
    let genesis = args.genesis.as_deref().map(proof::load_genesis).transpose();
    let genesis = genesis.map_err(refuse)?;
    let client = args.rpc.client()?;
    // Before the node is asked for anything: a key that cannot be read is the user's to mend.
    let key = load_key(&args.key, &args.password).map_err(refuse)?;
    Runtime::new()?.block_on(attest(args, client, key, genesis, found))
}

async fn attest(
    args: &Args,
    client: Client,
    key: SecretKey,
    genesis: Option<Genesis>,
    found: Collected,
) -> anyhow::Result<ExitCode> {
    let session = Session::open(args, client, key, genesis.as_ref()).await?;
    let Collected {
        targets,
        skipped,
        left_out,
    } = found;
    let mut statements = Statements::default();
    let items = session.read(args, targets, &mut statements)?;
    let (items, left_out) =
        write::sort_out(&session, args.again, items, left_out, &mut statements)?;
    let mut found = session.look_up(&statements, args.again).await?;
    let transactions = session.send(&statements, &mut found, args.alone).await?;
    let found: Option<Vec<Found>> = found.into_iter().collect();
    let found = found.context("a statement was neither found nor sent")?;
    let written = write::proofs(&session, &items, &statements, &found).await?;
    if let Some(later) = session.later.get() {
        let (en, zh_tw) = later::explanation(later.from);
        note(&args.lang.pick(en, zh_tw));
    }
    let salts = items.iter().filter(|item| item.salted).count();
    if salts > 0 {
        note(&match args.lang {
            Language::En => format!(
                "warning: keep {} with what was attested, and secret: without its salt a file \
                 cannot be shown to be the attested one",
                counted(salts, ".tbsi.salt file")
            ),
            Language::ZhTw => format!(
                "注意：請將 {salts} 個 .tbsi.salt 檔與原檔一起保存，並且保密：沒有鹽值，\
                 就無法證明檔案是存證的那一個"
            ),
        });
    }
    let not_attested = report::NotAttested { skipped, left_out };
    report::print(args, &session, &written, &not_attested, &transactions)
}

impl Session {
    /// Checks that the network takes what is asked for.
    async fn open(
        args: &Args,
        client: Client,
        key: SecretKey,
        genesis: Option<&Genesis>,
    ) -> anyhow::Result<Self> {
        let status = client.status().await?;
        let mut anchor = None;
        if let Some(genesis) = genesis {
            if genesis.hash() != status.genesis_hash {
                let (url, theirs, ours) = (client.url(), status.genesis_hash, genesis.hash());
                return Err(refuse(said(
                    format!(
                        "{url} is a node of another network: genesis hash {theirs}, that of the \
                         file is {ours}"
                    ),
                    format!("{url} 是另一個網路的節點：創世檔雜湊為 {theirs}，您的檔案是 {ours}"),
                )));
            }
            anchor = Some(TrustAnchor::genesis(genesis)?);
        }
        let default = if args.salt {
            schema::SALTED_FILE
        } else {
            schema::FILE
        };
        let schema = args.schema.unwrap_or(default);
        let known = schema_of(&client, schema).await?;
        check_commits_to(known.commitsTo, args.salt, schema).map_err(refuse)?;
        check_algorithm(&client, args.algorithm.code, args.algorithm.name).await?;
        let account = Sender::new(key, status.chain_id);
        Ok(Self {
            client,
            account,
            chain_id: status.chain_id,
            anchor,
            later: OnceCell::new(),
            schema,
        })
    }

    /// Hashes all files.
    fn read(
        &self,
        args: &Args,
        targets: Vec<Target>,
        statements: &mut Statements,
    ) -> anyhow::Result<Vec<Item>> {
        let total = targets.iter().map(|target| target.bytes).sum();
        let bar = progress::bytes(total, "hashing");
        let mut items = Vec::with_capacity(targets.len());
        for target in targets {
            let salt = args.salt.then(|| Salt::ensure(&target.salt)).transpose();
            let salt = salt.map_err(refuse)?;
            let read = |bytes| bar.inc(bytes);
            let digest = digest_file(&target.file, args.algorithm, salt.as_ref(), &read);
            let digest = digest.map_err(refuse)?;
            let code = args.algorithm.code;
            let attestation = Attestation {
                schema: self.schema,
                algorithm: code,
                digest: DigestWords::of(code, &digest).context("digest of impossible length")?,
            };
            let id = attestation.id(self.chain_id, self.account.address());
            items.push(Item {
                target,
                salted: salt.is_some(),
                statement: statements.add(id, attestation),
            });
        }
        bar.finish_and_clear();
        Ok(items)
    }

    /// Where each statement is in the log already; `None` for those that are to be sent.
    async fn look_up(
        &self,
        statements: &Statements,
        again: bool,
    ) -> anyhow::Result<Vec<Option<Found>>> {
        let bar = progress::count(statements.all().len() as u64, "looking up");
        let asked = statements.all().iter().map(|(id, _)| async {
            let found = self.look_up_one(*id).await?;
            bar.inc(1);
            anyhow::Ok(found.filter(|_| !again))
        });
        let found = stream::iter(asked).buffered(CALLS_AT_A_TIME);
        let found = found.try_collect().await?;
        bar.finish_and_clear();
        Ok(found)
    }

    async fn look_up_one(&self, id: B256) -> anyhow::Result<Option<Found>> {
        let Some(known) = self.client.attestation(id).await? else {
            return Ok(None);
        };
        let known = standing::of_answer(self.client.url(), id, &known)?;
        if let Some(revocation) = known.status.revocation {
            let height = revocation.head.height;
            return Err(refuse(said(
                format!(
                    "attestation {id} was revoked by this key at height {height}, and that is for \
                     ever; leave the file out, or use another key or --salt"
                ),
                format!(
                    "存證 {id} 已由此金鑰在高度 {height} 撤銷，且無法恢復；請略過該檔案，\
                     或改用其他金鑰或 --salt"
                ),
            )));
        }
        Ok(Some(Found {
            index: known.index,
            reused: true,
        }))
    }

    /// Sends what is not in the log, a transaction at a time; each is final before the next.
    async fn send(
        &self,
        statements: &Statements,
        found: &mut [Option<Found>],
        alone: bool,
    ) -> anyhow::Result<Vec<B256>> {
        let missing = (0..found.len()).filter(|position| found[*position].is_none());
        let missing: Vec<usize> = missing.collect();
        if !missing.is_empty() {
            check_may_attest(&self.client, self.account.address()).await?;
        }
        let all = statements.all();
        let sent: Vec<_> = missing.iter().map(|position| all[*position].1).collect();
        let bar = progress::count(sent.len() as u64, "attesting");
        let mut open = missing.as_slice();
        let mut transactions = Vec::new();
        let calls = if alone {
            batch::single_calls(&sent)
        } else {
            batch::calls(&sent)
        };
        for (call, count) in calls {
            let (leaves, hash) = self.account.send(&self.client, call).await?;
            let made = leaves.count;
            demand(made == count as u64, || {
                (
                    format!("transaction {hash} made {made} leaves instead of {count}"),
                    format!("交易 {hash} 產生了 {made} 筆紀錄，應為 {count} 筆"),
                )
            })?;
            let (now, later) = open.split_at(count);
            for (position, index) in now.iter().zip(leaves.first.0..) {
                found[*position] = Some(Found {
                    index: LeafIndex(index),
                    reused: false,
                });
            }
            open = later;
            transactions.push(hash);
            bar.inc(count as u64);
        }
        bar.finish_and_clear();
        Ok(transactions)
    }
}

/// Files are attested as files, under a schema that says so.
fn check_commits_to(commits_to: u8, salted: bool, schema: B256) -> anyhow::Result<()> {
    match (commits_to, salted) {
        (COMMITS_TO_FILE, false) | (COMMITS_TO_SALTED_FILE, true) => Ok(()),
        (COMMITS_TO_FILE, true) => Err(said(
            format!("schema {schema} is of files without a salt; leave --salt out"),
            format!("綱要 {schema} 適用於未加鹽值的檔案；請不要加 --salt"),
        )),
        (COMMITS_TO_SALTED_FILE, false) => Err(said(
            format!("schema {schema} is of files with a salt; add --salt"),
            format!("綱要 {schema} 適用於加了鹽值的檔案；請加上 --salt"),
        )),
        _ => Err(said(
            format!(
                "schema {schema} is not of files (it commits to kind {commits_to}); this command \
                 attests files"
            ),
            format!("綱要 {schema} 不適用於檔案（種類 {commits_to}）；此指令只存證檔案"),
        )),
    }
}

/// Whether a proof is there.
fn has_proof(item: &Item) -> bool {
    is_there(&item.target.proof)
}

#[cfg(test)]
mod tests;
