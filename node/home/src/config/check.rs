//! What values a configuration may have.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;

use tbsi_keys::keyfile::is_peer_id;
use tbsi_types::PublicKey;
use tbsi_types::limits::{BLOCK_BYTES_MAX, NODES_MAX, STATE_WINDOW_MIN, TRANSACTION_BYTES_MAX};
use tbsi_types::log::ots::is_calendar_url;
use tbsi_types::log::{NoteVerifier, SignatureType};

use super::rpc::check_keys;
use super::{
    AttestationLogConfig, CalendarConfig, Config, HISTORY_ALL, P2pConfig, SignerConfig, TSA_POLICY,
    TsaConfig,
};
use crate::limits::{API_PER_MINUTE_MAX, KEEP_BLOCKS_MIN, WITNESSED_MAX, WITNESSES_MAX};

const NAME_BYTES_MAX: usize = 64;
const HISTORY_BLOCKS_MAX: u64 = 10_000_000;
const KEEP_BLOCKS_MAX: u64 = 10_000_000_000;

/// A key with a value that cannot be.
#[derive(Debug)]
pub(super) struct Wrong {
    pub(super) field: String,
    pub(super) problem: String,
}

pub(super) fn wrong(field: &str, problem: impl Into<String>) -> Result<(), Wrong> {
    Err(Wrong {
        field: field.into(),
        problem: problem.into(),
    })
}

const MIB: u64 = 1024 * 1024;

/// Fields with their values, and the least and the greatest that each may have.
fn within_all<const N: usize>(fields: [(&str, u64, u64, u64); N]) -> Result<(), Wrong> {
    fields
        .into_iter()
        .try_for_each(|(field, value, min, max)| within(field, value, min, max))
}

pub(super) fn within(field: &str, value: u64, min: u64, max: u64) -> Result<(), Wrong> {
    if (min..=max).contains(&value) {
        return Ok(());
    }
    wrong(field, format!("{value} is outside {min}..={max}"))
}

impl Config {
    /// Checks every value. The parser has done so already for what it returned.
    pub(super) fn check(&self) -> Result<(), Wrong> {
        check_name("name", &self.name)?;
        self.check_numbers()?;
        self.rpc.check()?;
        self.check_listen()?;
        check_peers(&self.p2p)?;
        check_attestation_log(&self.attestation_log)?;
        if let Some(signer) = &self.signer {
            check_signer(signer, self.validator)?;
        }
        if let Some(file) = &self.keys.password_file {
            check_path("keys.password_file", file)?;
        }
        self.tsa.as_ref().map_or(Ok(()), check_tsa)
    }

    fn check_numbers(&self) -> Result<(), Wrong> {
        let mempool = &self.mempool;
        let all: u64 = mempool.transactions_max.into();
        let history = match self.store.history_blocks {
            HISTORY_ALL => HISTORY_BLOCKS_MAX,
            blocks => blocks,
        };
        let kept = match self.store.keep_blocks {
            HISTORY_ALL => KEEP_BLOCKS_MAX,
            blocks => blocks,
        };
        within_all([
            (
                "store.history_blocks",
                history,
                STATE_WINDOW_MIN,
                HISTORY_BLOCKS_MAX,
            ),
            ("store.keep_blocks", kept, KEEP_BLOCKS_MIN, KEEP_BLOCKS_MAX),
            ("keys.twin_watch_ms", self.keys.twin_watch_ms, 0, 60_000),
            ("mempool.transactions_max", all, 1, 1_000_000),
            ("mempool.bytes_max", mempool.bytes_max, MIB, 4_096 * MIB),
            ("mempool.own_part", mempool.own_part.into(), 1, 100),
            (
                "mempool.per_sender_max",
                mempool.per_sender_max.into(),
                1,
                all,
            ),
            (
                "mempool.nonce_gap_max",
                mempool.nonce_gap_max.into(),
                0,
                all,
            ),
        ])?;
        self.check_rpc_numbers()
    }

    fn check_rpc_numbers(&self) -> Result<(), Wrong> {
        let rpc = &self.rpc;
        // A request must have room for the largest transaction in hex, a reply for a block.
        let request_min = 4 * TRANSACTION_BYTES_MAX as u64;
        let response_min = 2 * BLOCK_BYTES_MAX as u64;
        within_all([
            ("rpc.connections_max", rpc.connections_max.into(), 1, 65_536),
            (
                "rpc.connections_per_address_max",
                rpc.connections_per_address_max.into(),
                1,
                65_536,
            ),
            (
                "rpc.request_bytes_max",
                rpc.request_bytes_max.into(),
                request_min,
                128 * MIB,
            ),
            (
                "rpc.response_bytes_max",
                rpc.response_bytes_max.into(),
                response_min,
                256 * MIB,
            ),
            ("rpc.batch_items_max", rpc.batch_items_max.into(), 1, 10_000),
            (
                "rpc.subscriptions_max",
                rpc.subscriptions_max.into(),
                1,
                1_024,
            ),
            ("rpc.calls_max", rpc.calls_max.into(), 1, 512),
            ("rpc.log_blocks_max", rpc.log_blocks_max, 1, 1_000_000),
            (
                "rpc.log_results_max",
                rpc.log_results_max.into(),
                1,
                100_000,
            ),
        ])
    }

    fn check_listen(&self) -> Result<(), Wrong> {
        let mut listens = vec![
            ("rpc.listen", self.rpc.listen),
            ("metrics.listen", self.metrics.listen),
            ("p2p.consensus", self.p2p.consensus),
            ("p2p.gossip", self.p2p.gossip),
        ];
        let operator = self.rpc.operator.as_ref();
        listens.extend(operator.map(|it| ("rpc.operator.listen", it.listen)));
        for (index, (field, address)) in listens.iter().enumerate() {
            for (other, earlier) in &listens[..index] {
                if clash(*address, *earlier) {
                    return wrong(field, format!("{address} is already taken by `{other}`"));
                }
            }
        }
        check_port("p2p.consensus", self.p2p.consensus)?;
        check_port("p2p.gossip", self.p2p.gossip)
    }
}

fn check_attestation_log(log: &AttestationLogConfig) -> Result<(), Wrong> {
    let field = "attestation_log.submit_interval_s";
    within(field, log.submit_interval_s, 1, 86_400)?;
    let counts = [
        ("witnesses", log.witnesses.len(), WITNESSES_MAX),
        ("witnessed", log.witnessed.len(), WITNESSED_MAX),
    ];
    for (field, count, max) in counts {
        within(
            &format!("attestation_log.{field}"),
            count as u64,
            0,
            max as u64,
        )?;
    }
    let mut seen = BTreeSet::new();
    for (index, witness) in log.witnesses.iter().enumerate() {
        let field = |key: &str| format!("attestation_log.witnesses[{index}].{key}");
        let key = check_key(&field("key"), &witness.key, SignatureType::Cosignature)?;
        if !seen.insert(*key.public_key()) {
            return wrong(&field("key"), "this public key appears twice");
        }
        if !is_web(&witness.url) {
            let problem = format!("`{}` is not like `https://witness.example`", witness.url);
            return wrong(&field("url"), problem);
        }
    }
    let mut seen = BTreeSet::new();
    for (index, entry) in log.witnessed.iter().enumerate() {
        let field = |key: &str| format!("attestation_log.witnessed[{index}].{key}");
        let key = check_key(&field("key"), &entry.key, SignatureType::Note)?;
        let origin = entry.origin.as_deref().unwrap_or(key.name());
        if NoteVerifier::new(origin, SignatureType::Note, key.public_key()).is_err() {
            return wrong(&field("origin"), format!("`{origin}` cannot be an origin"));
        }
        if !seen.insert((origin.to_owned(), *key.public_key())) {
            return wrong(&field("key"), format!("appears twice for `{origin}`"));
        }
    }
    Ok(())
}

fn check_key(field: &str, text: &str, expected: SignatureType) -> Result<NoteVerifier, Wrong> {
    let refused = |problem: String| Wrong {
        field: field.into(),
        problem,
    };
    let key = NoteVerifier::parse(text).map_err(|error| refused(error.to_string()))?;
    if key.signature_type() == expected {
        return Ok(key);
    }
    Err(refused(match expected {
        SignatureType::Cosignature => "is a log's key (type 0x01); a cosigner's is wanted".into(),
        SignatureType::Note => "is a cosigner's key (type 0x04); a log's is wanted".into(),
    }))
}

fn check_tsa(tsa: &TsaConfig) -> Result<(), Wrong> {
    let paths = [
        ("tsa.certificate", &tsa.certificate),
        ("tsa.key", &tsa.key),
        ("tsa.issuer_key", &tsa.issuer_key),
    ];
    for (field, path) in paths {
        check_path(field, path)?;
    }
    if tsa.policy.parse::<der::asn1::ObjectIdentifier>().is_err() {
        let problem = format!("`{}` is not an OID such as {TSA_POLICY}", tsa.policy);
        return wrong("tsa.policy", problem);
    }
    let rate = |field: &str, value: u32| within(field, value.into(), 1, API_PER_MINUTE_MAX.into());
    rate("tsa.per_minute", tsa.per_minute)?;
    rate("tsa.address_per_minute", tsa.address_per_minute)?;
    check_keys("tsa.keys", &tsa.keys)?;
    tsa.calendar.as_ref().map_or(Ok(()), check_calendar)
}

fn check_calendar(calendar: &CalendarConfig) -> Result<(), Wrong> {
    let uri = calendar.url.parse::<http::Uri>().ok();
    let plain = |uri: &http::Uri| {
        let scheme = matches!(uri.scheme_str(), Some("http" | "https"));
        scheme && uri.path() == "/" && !calendar.url.ends_with('/')
    };
    if !uri.as_ref().is_some_and(plain) || !is_calendar_url(&calendar.url) {
        let problem = format!(
            "`{}` is not like `https://node.example.org`, without a path and a slash at the end",
            calendar.url
        );
        return wrong("tsa.calendar.url", problem);
    }
    if let Some(upstream) = &calendar.upstream
        && !is_web(upstream)
    {
        let problem = format!("`{upstream}` is not like `https://calendar.example`");
        return wrong("tsa.calendar.upstream", problem);
    }
    within("tsa.calendar.interval_s", calendar.interval_s, 1, 86_400)
}

/// Whether a node can reach it. A name and a password in it would be shown: `http.toml` has those.
fn is_web(url: &str) -> bool {
    let uri = url.parse::<http::Uri>().ok();
    uri.is_some_and(|uri| {
        let web = matches!(uri.scheme_str(), Some("http" | "https")) && uri.query().is_none();
        let plain = uri.authority().is_some_and(|it| !it.as_str().contains('@'));
        web && plain && uri.host().is_some_and(|host| !host.is_empty())
    })
}

fn check_signer(signer: &SignerConfig, validator: bool) -> Result<(), Wrong> {
    if !validator {
        let problem = "only a validator has a signer: set `validator = true`, or leave it out";
        return wrong("signer", problem);
    }
    if let Err(error) = PublicKey::parse(&signer.validator_key) {
        return wrong("signer.validator_key", error.to_string());
    }
    Ok(())
}

/// A path that is not UTF-8 could not be written back.
pub(super) fn check_path(field: &str, path: &Path) -> Result<(), Wrong> {
    if path.to_str().is_none_or(str::is_empty) {
        return wrong(field, "must be the path of a file");
    }
    Ok(())
}

pub(super) fn check_name(field: &str, name: &str) -> Result<(), Wrong> {
    if name.trim().is_empty() || name.len() > NAME_BYTES_MAX || name.chars().any(char::is_control) {
        return wrong(
            field,
            format!("must be 1 to {NAME_BYTES_MAX} bytes of visible text"),
        );
    }
    Ok(())
}

/// Other nodes have to know the port.
fn check_port(field: &str, address: SocketAddr) -> Result<(), Wrong> {
    if address.port() == 0 {
        return wrong(
            field,
            format!("{address} has port 0; a fixed port is needed"),
        );
    }
    Ok(())
}

fn clash(a: SocketAddr, b: SocketAddr) -> bool {
    let same_ip = a.ip() == b.ip() || a.ip().is_unspecified() || b.ip().is_unspecified();
    a.port() != 0 && a.port() == b.port() && same_ip
}

fn check_peers(p2p: &P2pConfig) -> Result<(), Wrong> {
    within("p2p.peers", p2p.peers.len() as u64, 0, NODES_MAX as u64)?;
    let mut seen = BTreeSet::new();
    for (index, peer) in p2p.peers.iter().enumerate() {
        let field = |key: &str| format!("p2p.peers[{index}].{key}");
        if !is_peer_id(&peer.peer_id) {
            let problem = format!("`{}` is not a peer id (`12D3Koo…`)", peer.peer_id);
            return wrong(&field("peer_id"), problem);
        }
        if !seen.insert(&peer.peer_id) {
            return wrong(&field("peer_id"), format!("{} appears twice", peer.peer_id));
        }
        for (key, address) in [("consensus", peer.consensus), ("gossip", peer.gossip)] {
            check_port(&field(key), address)?;
            if address.ip().is_unspecified() {
                let problem = format!("{address} is every address of this machine, not a peer's");
                return wrong(&field(key), problem);
            }
        }
    }
    Ok(())
}
