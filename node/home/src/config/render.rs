//! The configuration as a file with an explanation of each key.

use std::path::Path;

use toml::Value;

use super::rpc::render_keys;
use super::{
    AttestationLogConfig, CalendarConfig, Config, HISTORY_ALL, KeysConfig, MempoolConfig,
    P2pConfig, PeerConfig, SignerConfig, TSA_POLICY, TsaConfig,
};

impl Config {
    /// The text of `config.toml`; [`Config::parse`] reads it back.
    pub fn to_toml(&self) -> String {
        format!(
            "\
# Configuration of one TBSI node. `tbsi config check --home DIR` checks it.
# What all nodes must agree on is in genesis.json.

# This node's name in genesis.json.
name = {name}
# Whether the node votes; if so, keys/validator.key must be there.
validator = {validator}

{rpc}
# /livez, /readyz and /metrics over HTTP.
[metrics]
listen = \"{metrics}\"

[store]
# What is kept: \"archive\" (every block, and every state from now on, as `tbsi node run --archive`
# does), \"full\" (every block, the states of 256), \"light\" (transactions and receipts of 100,000
# blocks, the states of 256). The log, headers and certificates are kept for ever.
preset = \"{preset}\"
# Blocks behind the tip whose state can still be read, proved and traced, at least 128, or \"all\".
{history_blocks}
# Blocks behind the tip whose transactions and receipts are kept, at least 1000, or \"all\".
{keep_blocks}
# An index, of the blocks from now on, of who takes part in transactions: for explorers
# (ots_searchTransactionsBefore, …After), which otherwise look through 10,000 blocks.
address_index = {address_index}

{mempool}
{attestation_log}
{keys}
{signer}
{tsa}
# The log is on stderr.
[log]
# error, warn, info, debug or trace.
level = \"{level}\"
# text or json.
format = \"{format}\"

{p2p}",
            name = Value::from(self.name.as_str()),
            validator = self.validator,
            rpc = self.rpc.to_toml(),
            metrics = self.metrics.listen,
            preset = self.store.preset.as_str(),
            history_blocks = kept(
                "history_blocks",
                self.store.history_blocks,
                self.store.preset.history_blocks(),
            ),
            keep_blocks = kept(
                "keep_blocks",
                self.store.keep_blocks,
                self.store.preset.keep_blocks(),
            ),
            address_index = self.store.address_index,
            mempool = mempool(&self.mempool),
            attestation_log = attestation_log(&self.attestation_log),
            keys = keys(&self.keys),
            signer = signer(self.signer.as_ref()),
            tsa = tsa(self.tsa.as_ref()),
            level = self.log.level.as_str(),
            format = self.log.format.as_str(),
            p2p = p2p(&self.p2p),
        )
    }
}

/// A comment where it is as the preset says.
fn kept(key: &str, blocks: u64, preset: u64) -> String {
    let mark = if blocks == preset { "# " } else { "" };
    match blocks {
        HISTORY_ALL => format!("{mark}{key} = \"all\""),
        blocks => format!("{mark}{key} = {blocks}"),
    }
}

fn mempool(mempool: &MempoolConfig) -> String {
    format!(
        "\
# Transactions that wait for a block.
[mempool]
transactions_max = {transactions_max}
bytes_max = {bytes_max}
# One part in so many is for what is sent to this node, the rest for what other nodes pass on.
own_part = {own_part}
per_sender_max = {per_sender_max}
# How many nonces may be missing before a transaction.
nonce_gap_max = {nonce_gap_max}
",
        transactions_max = mempool.transactions_max,
        bytes_max = mempool.bytes_max,
        own_part = mempool.own_part,
        per_sender_max = mempool.per_sender_max,
        nonce_gap_max = mempool.nonce_gap_max,
    )
}

fn attestation_log(log: &AttestationLogConfig) -> String {
    let mut text = format!(
        "\
# The attestation log and those who witness logs, by C2SP tlog-witness.
[attestation_log]
# How often outside witnesses are asked to cosign a log that grows, seconds.
submit_interval_s = {}
",
        log.submit_interval_s
    );
    if log.witnesses.is_empty() {
        text.push_str(
            "\
# One such table for each witness to ask:
# [[attestation_log.witnesses]]
# key = \"<name>+<id>+<base64>\"
# url = \"https://witness.example\"  # a login, a proxy or roots for it: http.toml beside this file
",
        );
    }
    for witness in &log.witnesses {
        let (key, url) = (Value::from(&*witness.key), Value::from(&*witness.url));
        text += &format!("\n[[attestation_log.witnesses]]\nkey = {key}\nurl = {url}\n");
    }
    if log.witnessed.is_empty() {
        text.push_str(
            "\
# One such table for each key of a log to cosign at /add-checkpoint:
# [[attestation_log.witnessed]]
# key = \"<name>+<id>+<base64>\"
# origin = \"...\"  # if it is not the key's name
",
        );
    }
    for witnessed in &log.witnessed {
        let key = Value::from(&*witnessed.key);
        text += &format!("\n[[attestation_log.witnessed]]\nkey = {key}\n");
        if let Some(origin) = &witnessed.origin {
            text += &format!("origin = {}\n", Value::from(origin.as_str()));
        }
    }
    text
}

fn keys(keys: &KeysConfig) -> String {
    let file = match &keys.password_file {
        Some(file) => {
            let path = Value::from(file.to_string_lossy().as_ref());
            format!("password_file = {path}")
        }
        None => "# password_file = \"keys/password\"".into(),
    };
    format!(
        "\
[keys]
# File with the password of encrypted key files, relative to the home. `tbsi keys encrypt`.
{file}
# How long a validator that has signed before listens, when it starts, whether another process
# signs with its key. It signs nothing if one does, then or later. 0 looks out for none.
twin_watch_ms = {twin_watch_ms}
",
        twin_watch_ms = keys.twin_watch_ms
    )
}

fn signer(signer: Option<&SignerConfig>) -> String {
    let Some(signer) = signer else {
        return "\
# A process of its own that holds the validator key: `tbsi signer`.
# [signer]
# address = \"unix:/run/tbsi/signer.sock\"
# public_key = \"0x...\"
# validator_key = \"0x...\"
"
        .into();
    };
    let address = Value::from(signer.address.to_string());
    format!(
        "\
# A process of its own that holds the validator key: `tbsi signer`.
[signer]
# unix:PATH or IP:PORT.
address = {address}
# Its signer key, as `tbsi keys show` prints it.
public_key = \"{}\"
# The validator key that it signs with.
validator_key = \"{}\"
",
        signer.public_key, signer.validator_key
    )
}

fn tsa(tsa: Option<&TsaConfig>) -> String {
    let Some(tsa) = tsa else {
        return format!(
            "\
# Time stamps of RFC 3161 at /tsa; paths are relative to the home.
# [tsa]
# certificate = \"tsa/certificate.pem\"
# key = \"tsa/key.pem\"
# issuer_key = \"keys/issuer.key\"
# policy = \"{TSA_POLICY}\"
# per_minute = 1200
# address_per_minute = 120
"
        );
    };
    let path = |path: &Path| Value::from(path.to_string_lossy().as_ref());
    format!(
        "\
# Time stamps of RFC 3161 at /tsa; paths are relative to the home.
[tsa]
# PEM files of the authority's certificate and of its key: P-256, or RSA for verifiers that
# know nothing else.
certificate = {certificate}
key = {key}
# The account that attests the digests.
issuer_key = {issuer_key}
policy = {policy}
# Time stamps a minute of all who have no API key, and of one address of theirs.
per_minute = {per_minute}
address_per_minute = {address_per_minute}
{keys}{calendar}",
        certificate = path(&tsa.certificate),
        key = path(&tsa.key),
        issuer_key = path(&tsa.issuer_key),
        policy = Value::from(tsa.policy.as_str()),
        per_minute = tsa.per_minute,
        address_per_minute = tsa.address_per_minute,
        keys = render_keys("tsa", &tsa.keys),
        calendar = calendar(tsa.calendar.as_ref()),
    )
}

fn calendar(calendar: Option<&CalendarConfig>) -> String {
    let Some(calendar) = calendar else {
        return "\
# A calendar of OpenTimestamps at /digest and /timestamp:
# [tsa.calendar]
# url = \"https://node.example.org\"
# upstream = \"https://calendar.example\"
# interval_s = 3600
"
        .into();
    };
    let upstream = match &calendar.upstream {
        Some(upstream) => format!("upstream = {}", Value::from(upstream.as_str())),
        None => "# upstream = \"https://calendar.example\"".into(),
    };
    format!(
        "
# A calendar of OpenTimestamps at /digest and /timestamp.
[tsa.calendar]
# Under which clients reach this node's RPC port; it is in every timestamp.
url = {url}
# A calendar that is anchored in Bitcoin, and how often the log's root is sent there, seconds.
{upstream}
interval_s = {interval_s}
",
        url = Value::from(calendar.url.as_str()),
        interval_s = calendar.interval_s,
    )
}

fn p2p(p2p: &P2pConfig) -> String {
    format!(
        "\
# TCP addresses for other nodes. Where the chain says that this node is, others look for
# consensus at the port that is named there, and for transactions at the port after it.
[p2p]
consensus = \"{consensus}\"
gossip = \"{gossip}\"
# Whether other nodes are looked for where the chain says that they listen.
registry_addresses = {registry_addresses}
{peers}",
        registry_addresses = p2p.registry_addresses,
        consensus = p2p.consensus,
        gossip = p2p.gossip,
        peers = peers(&p2p.peers),
    )
}

fn peers(peers: &[PeerConfig]) -> String {
    if peers.is_empty() {
        return "\
# One such table for each node whose address the chain does not say, or not rightly:
# [[p2p.peers]]
# peer_id = \"12D3Koo...\"
# consensus = \"192.0.2.7:27000\"
# gossip = \"192.0.2.7:27001\"
"
        .into();
    }
    let table = |peer: &PeerConfig| {
        format!(
            "\n[[p2p.peers]]\npeer_id = {}\nconsensus = \"{}\"\ngossip = \"{}\"\n",
            Value::from(peer.peer_id.as_str()),
            peer.consensus,
            peer.gossip
        )
    };
    peers.iter().map(table).collect()
}
