//! The steps of the founding ceremony.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::ValueEnum;
use jiff::Timestamp;
use serde_json::{Value, json};
use tbsi_home::founding::{
    BLOCK_GAS_LIMIT, Draft, FounderFile, FounderRequest, NetworkParameters, Signatures,
    make_founder, sign_genesis,
};
use tbsi_home::load_genesis;
use tbsi_keys::keyfile::is_there;
use tbsi_types::genesis::{ConsensusParameters, GovernanceEntry, OrganisationEntry, Permission};
use tbsi_types::json::from_json;
use tbsi_types::{B256, Genesis, TimestampMs};
use tempfile::NamedTempFile;

use crate::lang::{SayContext as _, Sentence, counted, said};
use crate::misfit::{parse_toml, unread};
use crate::password::PasswordFile;
use crate::predeploys::{self, Predeploys};
use crate::report::{Format, Say, refuse};
use crate::shown::{self, PathShown};

/// Digits of a hash that nobody makes another file for: 128 bits.
const COMPARED_DIGITS_MIN: usize = 32;

#[derive(Debug, clap::Args)]
pub(crate) struct NewArgs {
    /// Name of the network, for people.
    #[arg(long)]
    name: String,
    /// EIP-155 chain id.
    #[arg(long, value_name = "ID")]
    chain_id: u64,
    /// Time of block 0, like 2026-12-01T00:00:00Z.
    #[arg(long, value_name = "TIME")]
    time: Timestamp,
    /// Gas limit of every block.
    #[arg(long, value_name = "GAS", default_value_t = BLOCK_GAS_LIMIT)]
    block_gas_limit: u64,
    /// TOML file with what differs from: public_permissions = [], period_seconds = 3600,
    /// voting_period_seconds = 604800, delay_seconds = 86400, window_seconds = 604800,
    /// epoch_seconds = 3600; and
    /// [public_quota] and [organisation_quota] with gas and leaves, without which they are not
    /// limited.
    #[arg(long, value_name = "FILE")]
    governance: Option<PathBuf>,
    #[command(flatten)]
    predeploys: Predeploys,
    /// Draft to write; must not exist.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    format: Format,
}

#[derive(Debug, clap::Args)]
pub(crate) struct FounderArgs {
    /// Draft with what all founders agree on.
    #[arg(long, value_name = "FILE")]
    draft: PathBuf,
    /// Home directory of the node; keys that it does not have are made.
    #[arg(long, value_name = "DIR")]
    home: PathBuf,
    /// Short id of the organisation: lower-case letters, digits and `-`.
    #[arg(long)]
    id: String,
    /// JSON file with name_zh_tw, name_en, kind, votes, tax_id, lei, jurisdiction,
    /// agreement_hash, credential_hash, contact_url.
    #[arg(long, value_name = "FILE")]
    organisation_file: PathBuf,
    /// Name of the node.
    #[arg(long, value_name = "NAME")]
    node: String,
    /// Where other nodes reach it, like /dns4/node.example.org/tcp/27000.
    #[arg(long, value_name = "MULTIADDR")]
    endpoint: String,
    /// The node does not vote.
    #[arg(long, conflicts_with = "power")]
    observer: bool,
    /// Voting power of the node.
    #[arg(long, default_value_t = 1)]
    power: u64,
    /// What the home's account may do.
    #[arg(
        long,
        value_name = "LIST",
        value_delimiter = ',',
        default_value = "send,attest,administer,vote"
    )]
    permissions: Vec<May>,
    /// Founder file to write; must not exist.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    password: PasswordFile,
    #[command(flatten)]
    format: Format,
}

#[derive(Debug, clap::Args)]
pub(crate) struct AddFounderArgs {
    /// Draft to extend.
    #[arg(long, value_name = "FILE")]
    draft: PathBuf,
    /// Founder files.
    #[arg(required = true, value_name = "FOUNDER")]
    founders: Vec<PathBuf>,
    #[command(flatten)]
    format: Format,
}

#[derive(Debug, clap::Args)]
pub(crate) struct SignArgs {
    /// Genesis file to sign.
    #[arg(long, value_name = "FILE")]
    genesis: PathBuf,
    /// Draft that it was built from: what is signed is built again and compared.
    #[arg(long, value_name = "FILE")]
    draft: PathBuf,
    /// Home directory whose account signs.
    #[arg(long, value_name = "DIR")]
    home: PathBuf,
    /// The genesis hash as the other founders read it out by telephone, at least its first 32
    /// digits; spaces do not count. Without it nothing is signed, and the hash is shown for
    /// reading out.
    #[arg(long, value_name = "HASH")]
    compared: Option<String>,
    /// File of signatures to make, or to extend.
    #[arg(long, value_name = "FILE", default_value = "genesis.signatures.json")]
    signatures: PathBuf,
    /// Fewer than 4 validators will do, and any balance of voting power.
    #[arg(long)]
    development: bool,
    #[command(flatten)]
    password: PasswordFile,
    #[command(flatten)]
    say: Say,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum May {
    Send,
    Deploy,
    Attest,
    Relay,
    Administer,
    Vote,
}

impl May {
    fn permission(self) -> Permission {
        match self {
            Self::Send => Permission::Send,
            Self::Deploy => Permission::Deploy,
            Self::Attest => Permission::Attest,
            Self::Relay => Permission::Relay,
            Self::Administer => Permission::Administer,
            Self::Vote => Permission::Vote,
        }
    }
}

pub(super) fn new(args: &NewArgs) -> anyhow::Result<ExitCode> {
    let time_ms = u64::try_from(args.time.as_millisecond()).context("--time is before 1970")?;
    let parameters = NetworkParameters {
        name: args.name.clone(),
        chain_id: args.chain_id,
        time_ms: TimestampMs(time_ms),
        block_gas_limit: args.block_gas_limit,
        consensus: ConsensusParameters::default(),
        governance: Some(governance(args.governance.as_deref())?),
        predeploys: args.predeploys.init_codes()?,
    };
    let hash = parameters.hash();
    let predeploys = predeploys::listed(&parameters.predeploys);
    let draft = Draft::new(parameters)?;
    write_new(&args.out, &draft.to_json())?;
    let text = format!(
        "{} holds what all founders agree on; give it to each of them. Parameters hash {hash}.\n{}",
        args.out.shown(),
        predeploys::text(&predeploys)
    );
    let json = json!({
        "draft": args.out.json(),
        "parametersHash": hash,
        "predeploys": predeploys,
    });
    args.format.print(&text, &json)
}

/// The usual rules, but for what a file says.
fn governance(file: Option<&Path>) -> anyhow::Result<GovernanceEntry> {
    let Some(path) = file else {
        return Ok(GovernanceEntry::default());
    };
    let parse = |text: &[u8]| -> anyhow::Result<GovernanceEntry> {
        let given: toml::Table = parse_toml(std::str::from_utf8(text)?)?;
        let mut rules = toml::Table::try_from(GovernanceEntry::default())?;
        rules.extend(given);
        Ok(rules.try_into()?)
    };
    let rules = parse(&read(path)?).map_err(|error| unread(path, error));
    rules.with_context(|| format!("governance file {}", path.shown()))
}

pub(super) fn founder(args: FounderArgs) -> anyhow::Result<ExitCode> {
    let draft = load_draft(&args.draft)?;
    let text = read(&args.organisation_file)?;
    let organisation: OrganisationEntry = from_json(&text)
        .map_err(|error| unread(&args.organisation_file, error))
        .with_context(|| format!("organisation file {}", args.organisation_file.shown()))?;
    if !organisation.accounts.is_empty() {
        bail!(
            "organisation file {}: `accounts` must be left out: the home's account is the first, \
             and may add others when the network runs",
            args.organisation_file.shown()
        );
    }
    let home = args.password.unlock(&args.home)?;
    let home = if args.password.is_given() && home.key_files()?.is_empty() {
        home.with_password(Some(args.password.for_new()?))
    } else {
        home
    };
    let request = FounderRequest {
        id: args.id,
        organisation,
        node: args.node,
        endpoint: args.endpoint,
        power: (!args.observer).then_some(args.power),
        permissions: args
            .permissions
            .iter()
            .map(|may| may.permission())
            .collect(),
    };
    let file = make_founder(&home, &draft.parameters, request)?;
    // What would stop the others is said here, where it can be mended.
    let mut alone = Draft::new(draft.parameters)?;
    alone.add(file.clone())?;
    if file.nodes.iter().any(|node| node.validator.is_some()) {
        genesis(&alone, true)?;
    }
    write_new(&args.out, &file.to_json())?;
    let digest = file.digest();
    let text = format!(
        "{} is signed by every key of {}; give it to the other founders. Digest {digest}.\n\
         The keys stay here: {} in {}.",
        args.out.shown(),
        args.home.shown(),
        counted(home.key_files()?.len(), "file"),
        args.home.join("keys").shown(),
    );
    let json = json!({ "founder": args.out.json(), "id": file.id, "digest": digest });
    args.format.print(&text, &json)
}

pub(super) fn add_founder(args: &AddFounderArgs) -> anyhow::Result<ExitCode> {
    let mut draft = load_draft(&args.draft)?;
    let mut lines = Vec::new();
    for path in &args.founders {
        let context = || format!("founder file {}", path.shown());
        let founder = FounderFile::parse(&read(path)?)
            .map_err(|error| unread(path, error))
            .with_context(context)?;
        let line = format!(
            "{}: {} {}, digest {}",
            founder.id,
            founder.organisation.name_zh_tw,
            founder.organisation.name_en,
            founder.digest()
        );
        let line = shown::line(&line).into_owned();
        let new = draft.add(founder).with_context(context)?;
        lines.push(if new {
            line
        } else {
            format!("{line} (was there)")
        });
    }
    replace(&args.draft, &draft.to_json())?;
    let founders: Vec<&str> = draft.founders.iter().map(|file| file.id.as_str()).collect();
    lines.push(format!(
        "{} has {} now.",
        args.draft.shown(),
        counted(founders.len(), "founder")
    ));
    args.format
        .print(&lines.join("\n"), &json!({ "founders": founders }))
}

pub(super) fn sign(args: &SignArgs) -> anyhow::Result<ExitCode> {
    args.say.told(signed(args))
}

fn signed(args: &SignArgs) -> anyhow::Result<(Sentence, Value)> {
    let founded = load_genesis(&args.genesis)?;
    require_same(&founded, &load_draft(&args.draft)?, args.development)?;
    require_compared(args.compared.as_deref(), founded.hash())?;
    let mut signatures = if is_there(&args.signatures)? {
        load_signatures(&args.signatures, &founded)?
    } else {
        Signatures::new(&founded)
    };
    let home = args.password.unlock(&args.home)?;
    let id = sign_genesis(&home, &founded, &mut signatures)?;
    replace(&args.signatures, &signatures.to_json())?;
    let missing = signatures.missing(&founded);
    let (hash, file) = (aloud(founded.hash()), args.signatures.shown());
    let (have, all) = (signatures.signatures.len(), founded.organisations.len());
    let en = format!(
        "Signed for `{id}`: genesis hash\n  {hash}\n{have} of {all} have signed in {file}."
    );
    let zh_tw = format!(
        "已為 `{id}` 簽署：創世檔雜湊\n  {hash}\n{file} 中已有 {have} 個機構簽署，共 {all} 個。"
    );
    let json = json!({
        "organisation": id,
        "genesisHash": founded.hash(),
        "signatures": args.signatures.json(),
        "missing": missing,
    });
    Ok(((en, zh_tw), json))
}

/// Who signs has compared the hash before: fails if it was not, or is another.
fn require_compared(compared: Option<&str>, hash: B256) -> anyhow::Result<()> {
    let Some(typed) = compared else {
        let hash = aloud(hash);
        return Err(refuse(said(
            format!(
                "nothing was signed. Compare this genesis hash with the other founders by \
                 telephone: {hash}. If it is the same, repeat the command with --compared and the \
                 hash"
            ),
            format!(
                "尚未簽署。請以電話與其他創立機構核對此創世檔雜湊：{hash}。相同時，請加上 \
                 --compared 與該雜湊再執行一次"
            ),
        )));
    };
    let spoken = |letter: &char| !letter.is_whitespace();
    let typed: String = typed.chars().filter(spoken).collect();
    let typed = typed.to_ascii_lowercase();
    let digits = typed.strip_prefix("0x").unwrap_or(&typed);
    let own = alloy_primitives::hex::encode(hash);
    if digits.len() < COMPARED_DIGITS_MIN || !own.starts_with(digits) {
        let hash = aloud(hash);
        return Err(refuse(said(
            format!(
                "--compared is not the hash of the genesis file, or has fewer than its first \
                 {COMPARED_DIGITS_MIN} digits; nothing was signed. The file's hash is {hash}"
            ),
            format!(
                "--compared 不是創世檔的雜湊，或不足其前 {COMPARED_DIGITS_MIN} 位；尚未簽署。\
                 檔案的雜湊為 {hash}"
            ),
        )));
    }
    Ok(())
}

/// The genesis that a draft founds: with the accounts that every network of this version has.
pub(super) fn genesis(draft: &Draft, development: bool) -> anyhow::Result<Genesis> {
    let accounts = tbsi_home::founding::system_accounts(draft.parameters.governance.is_some());
    Ok(draft.genesis(accounts, development)?)
}

/// Fails if a genesis file is not what the draft founds.
pub(super) fn require_same(
    founded: &Genesis,
    draft: &Draft,
    development: bool,
) -> anyhow::Result<()> {
    let expected = genesis(draft, development)?;
    if expected.hash() != founded.hash() {
        let (hash, drafted) = (founded.hash(), expected.hash());
        return Err(said(
            format!(
                "the genesis file is not what the draft founds: its hash is {hash}, that of the \
                 draft is {drafted}. Are all founder files in the draft, and is it the same version \
                 of this program?"
            ),
            format!(
                "創世檔不是此草稿所創立者：其雜湊為 {hash}，草稿的為 {drafted}。所有創立檔是否\
                 都在草稿中，程式版本是否相同？"
            ),
        ));
    }
    Ok(())
}

pub(super) fn load_draft(path: &Path) -> anyhow::Result<Draft> {
    let draft = Draft::parse(&read(path)?).map_err(|error| unread(path, error));
    draft.or_say(|| {
        let path = path.shown();
        (format!("draft {path}"), format!("草稿 {path}"))
    })
}

pub(super) fn load_signatures(path: &Path, genesis: &Genesis) -> anyhow::Result<Signatures> {
    let signatures = Signatures::parse(&read(path)?, genesis);
    signatures.map_err(|error| unread(path, error)).or_say(|| {
        let path = path.shown();
        (
            format!("file of signatures {path}"),
            format!("簽章檔 {path}"),
        )
    })
}

/// A hash in groups that can be read out.
pub(super) fn aloud(hash: B256) -> String {
    let digits = alloy_primitives::hex::encode(hash);
    let groups: Vec<&str> = (0..digits.len())
        .step_by(4)
        .map(|at| &digits[at..at + 4])
        .collect();
    groups.join(" ")
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    fs::read(path).or_say(|| {
        let path = path.shown();
        (format!("read {path}"), format!("讀取 {path}"))
    })
}

fn write_new(path: &Path, text: &str) -> anyhow::Result<()> {
    let mut options = fs::OpenOptions::new();
    options
        .write(true)
        .create_new(true)
        .open(path)
        .and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        })
        .with_context(|| format!("write {}", path.shown()))
}

/// The old file or the new one, whatever happens.
fn replace(path: &Path, text: &str) -> anyhow::Result<()> {
    let context = || format!("write {}", path.shown());
    let folder = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        Some(_) | None => Path::new("."),
    };
    let mut file = NamedTempFile::new_in(folder).with_context(context)?;
    file.write_all(text.as_bytes())
        .and_then(|()| file.as_file().sync_all())
        .with_context(context)?;
    // Everybody may read it: nothing in it is secret.
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    file.as_file().set_permissions(mode).with_context(context)?;
    file.persist(path).with_context(context)?;
    Ok(())
}
