//! `tbsi relay` to channels of Hyperledger Fabric.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use alloy_primitives::B256;
use anyhow::{Context, ensure};
use serde_json::json;
use tbsi_bridge::config::{
    AuditConfig, BatchConfig, CONFIG_FILE, Config, FabricConfig, HealthConfig, RelayerConfig,
    SelectConfig, SourceConfig, TargetConfig,
};
use tbsi_bridge::fabric::{
    ChannelMember, ChannelReader, ClientStatus, Fabric, Gateways, NamedRelayer, gateways, identity,
};
use tbsi_bridge::kinds::ConfiguredTarget;
use tbsi_bridge::record::Parties;
use tbsi_bridge::relay::{self, Parts};
use tbsi_bridge::target::TargetBlock;
use tbsi_keys::keyfile::{KeyKind, create_secret};
use tbsi_types::ChainIdentity;
use tokio::runtime::Runtime;

use super::keys::open_key;
use super::{Home, Look, Say};
use crate::password::PasswordFile;
use crate::proof;
use crate::report::{Format, refuse};
use crate::shown::{self, PathShown};

const GENESIS_FILE: &str = "genesis.json";
const KEY_FILE: &str = "relayer.key";
const CERTIFICATE_FILE: &str = "certificate.pem";
const MEMBER_KEY_FILE: &str = "key.pem";
const ROOTS_FILE: &str = "tls-roots.pem";

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    home: Home,
    /// Legal name, in English, of the organisation that answers for this relayer.
    #[arg(long, value_name = "NAME")]
    name_en: String,
    /// Its legal name in Traditional Chinese.
    #[arg(long, value_name = "NAME", default_value = "")]
    name_zh_tw: String,
    /// Genesis file of the TBSI network; a copy is kept.
    #[arg(long, value_name = "FILE")]
    genesis: PathBuf,
    /// JSON-RPC address of a node of that network; repeat for several.
    #[arg(long, value_name = "URL", required = true)]
    source: Vec<String>,
    /// Name of the channel.
    #[arg(long, value_name = "NAME")]
    channel: String,
    /// Name of the chaincode on it.
    #[arg(long, value_name = "NAME", default_value = "tbsi")]
    chaincode: String,
    /// Address of a peer with a gateway, https://HOST:PORT; repeat for several.
    #[arg(long, value_name = "URL", required = true)]
    gateway: Vec<String>,
    /// How many of them must give the same answer before it counts.
    #[arg(long, value_name = "N", default_value_t = 1)]
    agree: usize,
    /// Certificates, in PEM, of who certified the gateways' TLS; repeat for several files; copies
    /// are kept.
    #[arg(long, value_name = "FILE")]
    tls_roots: Vec<PathBuf>,
    /// Organisation of the channel whose member the relayer is.
    #[arg(long, value_name = "ID")]
    msp_id: String,
    /// Its certificate there, in PEM; a copy is kept.
    #[arg(long, value_name = "FILE")]
    certificate: PathBuf,
    /// The certificate's P-256 key, in PEM; a copy is kept.
    #[arg(long, value_name = "FILE")]
    member_key: PathBuf,
    /// Hash of the channel's block 0, if you know it from elsewhere: the gateways must show it.
    #[arg(long, value_name = "HASH")]
    genesis_block: Option<B256>,
    /// Secret key of the account by which the relayer's record is attested on the TBSI network; a
    /// copy is kept [default: a new key].
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Relay only as an account that the network's registry has, with the permission to relay,
    /// under the names above.
    #[arg(long)]
    registered: bool,
    /// Carry all attestations. Without it, name schemas or issuers in the configuration, or
    /// leaves with `tbsi relay send`.
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    format: Format,
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let home = &args.home.dir;
    let mut config = config(args);
    let known = args.genesis_block;
    // Any but zero, until the gateways have said.
    target(&mut config).genesis_block = known.unwrap_or(B256::repeat_byte(1));
    config.check().map_err(|error| refuse(error.into()))?;
    let file = home.join(CONFIG_FILE);
    ensure!(
        !file.exists(),
        "{} exists; choose another --home",
        file.shown()
    );
    let genesis = proof::load_genesis(&args.genesis).map_err(refuse)?;
    fs::create_dir_all(home).with_context(|| format!("make {}", home.shown()))?;
    copy_all(args)?;
    let account = account(args)?;
    let reader = reader(
        home,
        target(&mut config),
        &config_names(args),
        genesis.identity(),
    )
    .map_err(refuse)?;
    let found = Runtime::new()?.block_on(reader.block_hash(0));
    let found = found.with_context(|| format!("ask for block 0 of channel {}", args.channel))?;
    ensure!(
        known.is_none_or(|known| known == found),
        "the gateways show block 0 of {} as {found}: that is another channel",
        args.channel
    );
    target(&mut config).genesis_block = found;
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&file)
        .and_then(|mut opened| opened.write_all(config.to_toml().as_bytes()))
        .with_context(|| format!("write {}", file.shown()))?;
    let dir = home.word();
    let text = format!(
        "The relayer for {} is ready in {}; its account is {account}.\n\
         Channel {} begins with block {found}: compare that with another organisation.\n\
         Next: read {}, then\n  tbsi relay check --home {dir}\n  tbsi relay dry-run --home {dir}\n  \
         tbsi relay run --home {dir}",
        args.name_en,
        home.shown(),
        args.channel,
        file.shown(),
    );
    let json = json!({ "account": account, "genesisBlock": found });
    args.format.print(&text, &json)
}

fn target(config: &mut Config) -> &mut FabricConfig {
    match &mut config.target {
        TargetConfig::Fabric(fabric) => fabric,
        TargetConfig::Evm(_) => unreachable!("it was made for a channel"),
    }
}

fn copy_all(args: &Args) -> anyhow::Result<()> {
    let home = &args.home.dir;
    copy(&[&args.genesis], &home.join(GENESIS_FILE), 0o644)?;
    copy(&[&args.certificate], &home.join(CERTIFICATE_FILE), 0o644)?;
    copy(&[&args.member_key], &home.join(MEMBER_KEY_FILE), 0o600)?;
    if !args.tls_roots.is_empty() {
        let roots: Vec<&Path> = args.tls_roots.iter().map(PathBuf::as_path).collect();
        copy(&roots, &home.join(ROOTS_FILE), 0o644)?;
    }
    Ok(())
}

/// Copies files, one after the other, into one.
fn copy(from: &[&Path], to: &Path, mode: u32) -> anyhow::Result<()> {
    let mut bytes = Vec::new();
    for file in from {
        let read = fs::read(file).with_context(|| format!("read {}", file.shown()))?;
        bytes.extend_from_slice(&read);
        if bytes.last().is_some_and(|last| *last != b'\n') {
            bytes.push(b'\n');
        }
    }
    let opened = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(mode)
        .open(to);
    let written = opened.and_then(|mut file| file.write_all(&bytes));
    written.with_context(|| format!("write {}", to.shown()))
}

/// Makes the key for the record, or copies it.
fn account(args: &Args) -> anyhow::Result<tbsi_types::Address> {
    let file = args.home.dir.join(KEY_FILE);
    match &args.key {
        Some(given) => copy(&[given], &file, 0o600)?,
        None if !file.exists() => {
            create_secret(&file, KeyKind::Account, None)?;
        }
        None => {}
    }
    let key = open_key(&file, None, &PasswordFile::none())?;
    Ok(key.public_key().address())
}

fn config_names(args: &Args) -> RelayerConfig {
    RelayerConfig {
        name_zh_tw: args.name_zh_tw.clone(),
        name_en: args.name_en.clone(),
        key: Some(KEY_FILE.into()),
        password_file: None,
        signer: None,
        registered: args.registered,
    }
}

fn config(args: &Args) -> Config {
    let gateways = args.gateway.clone();
    let usual = FabricConfig::new(&args.channel, B256::ZERO, gateways, &args.msp_id);
    Config {
        relayer: config_names(args),
        source: SourceConfig {
            genesis: GENESIS_FILE.into(),
            rpc: args.source.clone(),
            agree: 1,
            poll_ms: 500,
        },
        target: TargetConfig::Fabric(FabricConfig {
            chaincode: args.chaincode.clone(),
            agree: args.agree,
            tls_roots: (!args.tls_roots.is_empty()).then(|| ROOTS_FILE.into()),
            certificate: CERTIFICATE_FILE.into(),
            key: MEMBER_KEY_FILE.into(),
            ..usual
        }),
        select: SelectConfig {
            all: args.all,
            ..SelectConfig::default()
        },
        batch: BatchConfig::default(),
        audit: AuditConfig::default(),
        metrics: HealthConfig::default(),
    }
}

fn reader(
    home: &Path,
    config: &FabricConfig,
    relayer: &RelayerConfig,
    source: ChainIdentity,
) -> anyhow::Result<ChannelReader<Gateways>> {
    let member = ChannelMember {
        identity: identity(home, config)?,
        name_en: relayer.name_en.clone(),
        name_zh_tw: relayer.name_zh_tw.clone(),
        source,
    };
    let gateways = gateways(home, config)?;
    Ok(ChannelReader::new(
        gateways,
        member,
        config.clone(),
        relay::now_ms,
    ))
}

/// A reader of the channel that a home directory is for.
pub(crate) fn reader_of(
    home: &Path,
    config: &Config,
    fabric: &FabricConfig,
) -> anyhow::Result<ChannelReader<Gateways>> {
    let genesis = proof::load_genesis(&home.join(&config.source.genesis))?;
    reader(home, fabric, &config.relayer, genesis.identity())
}

/// The sender to the channel of a configuration.
pub(super) fn open(
    home: &Path,
    config: &FabricConfig,
    relayer: &RelayerConfig,
    source: ChainIdentity,
) -> anyhow::Result<Fabric<Gateways>> {
    Ok(Fabric::new(reader(home, config, relayer, source)?))
}

/// What `check` found.
struct Checked<'a> {
    home: &'a Path,
    parties: &'a Parties,
    status: ClientStatus,
    newest: TargetBlock,
    named: Option<NamedRelayer>,
}

/// What `tbsi relay check` shows of a channel, which was checked.
pub(super) fn check(
    look: &Look,
    parts: &Parts<ConfiguredTarget>,
    fabric: &Fabric<Gateways>,
    runtime: &Runtime,
) -> anyhow::Result<ExitCode> {
    let reader = fabric.reader();
    let checked = runtime.block_on(async {
        anyhow::Ok(Checked {
            home: &look.home.dir,
            parties: &parts.parties,
            status: reader.status().await?,
            newest: reader.newest().await?,
            named: reader.relayer().await?.filter(|it| it.active),
        })
    })?;
    let names = checked.named.as_ref();
    let json = json!({
        "parties": parts.parties,
        "clientHeight": checked.status.head.height,
        "status": checked.status.status,
        "strict": checked.status.config.strict,
        "newestBlock": checked.newest.number,
        "registeredAs": names.map(|it| json!({ "nameEn": it.name_en, "nameZhTw": it.name_zh_tw })),
    });
    look.say.format.print(&checked.text(look.say), &json)
}

impl Checked<'_> {
    fn text(&self, say: Say) -> String {
        let (parties, status) = (self.parties, &self.status);
        let (en, zh_tw) = (&parties.name_en, &parties.name_zh_tw);
        let (target, home) = (&parties.target, self.home.shown());
        let (chain, hash) = (parties.source_chain_id, parties.source_genesis_hash);
        let (height, block) = (status.head.height, self.newest.number);
        let word = shown::line(&status.status);
        let named = match &self.named {
            Some(it) => {
                let [en, zh_tw] = [&it.name_en, &it.name_zh_tw].map(|it| shown::line(it));
                say.pick(
                    format!("registered there as {en} ({zh_tw})"),
                    format!("該處登記名稱：{zh_tw}（{en}）"),
                )
            }
            None => say.pick(
                "not registered there by name".into(),
                "該處未登記名稱".into(),
            ),
        };
        let account = parties.account;
        let (client, member, of) = (&target.client, &target.account, &target.chain);
        say.pick(
            format!(
                "{home} relays as {account} for {en} ({zh_tw})\n\
                 source: chain id {chain}, genesis hash {hash}\n\
                 target: channel and chaincode {client} ({of}), light client at height {height}, \
                 {word}, block {block}\ntarget: as {member}, {named}"
            ),
            format!(
                "{home} 以帳戶 {account} 為 {zh_tw}（{en}）中繼\n\
                 來源鏈：鏈識別碼 {chain}，創世檔雜湊 {hash}\n\
                 目標：通道與鏈碼 {client}（{of}），輕客戶端在高度 {height}，狀態 {word}，區塊 {block}\n\
                 目標：身分 {member}，{named}"
            ),
        )
    }
}
