//! What an operator decides about a channel of Hyperledger Fabric that is written to.

use std::path::PathBuf;

use alloy_primitives::B256;
use serde::{Deserialize, Serialize};

use super::ConfigError;
use super::check::{between, wrong};
use crate::limits::{
    ARGUMENT_BYTES, ARGUMENT_BYTES_LEAST, ARGUMENT_BYTES_MOST, ENDPOINTS_MAX,
    FABRIC_NAME_BYTES_MAX, ORGANISATIONS_MAX,
};

/// The channel, and who the relayer is on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FabricConfig {
    /// Name of the channel.
    pub channel: String,
    /// Hash of its block 0, by which it differs from all other channels: another one stops the
    /// relayer before it sends. `tbsi relay check` says what the peers show.
    pub genesis_block: B256,
    /// Name of the chaincode.
    #[serde(default = "chaincode")]
    pub chaincode: String,
    /// Addresses of peers with a gateway: `https://HOST:PORT`, or `http://` on this machine alone.
    pub gateways: Vec<String>,
    /// So many of them must give the same answer before it counts.
    #[serde(default = "one")]
    pub agree: usize,
    /// File with the certificates, in PEM, of who may have certified the gateways.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_roots: Option<PathBuf>,
    /// File with the certificate that is shown to gateways that ask for one, in PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_certificate: Option<PathBuf>,
    /// File with its key, in PEM; mode 0600.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_key: Option<PathBuf>,
    /// The organisation whose member the relayer is.
    pub msp_id: String,
    /// File with its certificate, in PEM: `signcerts` of an enrolment.
    pub certificate: PathBuf,
    /// File with the certificate's P-256 key, in PEM (PKCS #8): `keystore` of the same; mode 0600.
    pub key: PathBuf,
    /// Organisations that are to endorse, each by its MSP id; empty for those that the gateway
    /// finds by the chaincode's policy.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub organisations: Vec<String>,
    /// Bytes of an argument of the chaincode.
    #[serde(default = "bytes")]
    pub bytes_max: usize,
    /// Milliseconds after which a transaction that is in no block is handed to the orderers again.
    #[serde(default = "again")]
    pub resend_after_ms: u64,
}

fn chaincode() -> String {
    "tbsi".into()
}

fn one() -> usize {
    1
}

fn bytes() -> usize {
    ARGUMENT_BYTES
}

fn again() -> u64 {
    10_000
}

/// Whether an address is of this machine.
fn is_here(address: &str) -> bool {
    let rest = address.strip_prefix("http://");
    rest.is_some_and(|rest| rest.starts_with("127.0.0.1:") || rest.starts_with("localhost:"))
}

fn name(key: &'static str, text: &str) -> Result<(), ConfigError> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if text.is_empty() || text.len() > FABRIC_NAME_BYTES_MAX || !text.bytes().all(plain) {
        let problem = format!(
            "is `{text}`; 1 to {FABRIC_NAME_BYTES_MAX} of A-Z, a-z, 0-9, `.`, `_` and `-` are allowed"
        );
        return wrong(key, &problem);
    }
    Ok(())
}

impl FabricConfig {
    /// What an operator has to say; the rest as usual.
    pub fn new(channel: &str, genesis_block: B256, gateways: Vec<String>, msp_id: &str) -> Self {
        Self {
            channel: channel.into(),
            genesis_block,
            chaincode: chaincode(),
            gateways,
            agree: one(),
            tls_roots: None,
            tls_certificate: None,
            tls_key: None,
            msp_id: msp_id.into(),
            certificate: "certificate.pem".into(),
            key: "key.pem".into(),
            organisations: Vec::new(),
            bytes_max: bytes(),
            resend_after_ms: again(),
        }
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        name("target.channel", &self.channel)?;
        name("target.chaincode", &self.chaincode)?;
        name("target.msp_id", &self.msp_id)?;
        if self.genesis_block.is_zero() {
            return wrong(
                "target.genesis_block",
                "is zero; give the hash of the channel's block 0, which `tbsi relay init-fabric` \
                 prints",
            );
        }
        self.check_gateways()?;
        self.check_tls()?;
        between(
            "target.organisations",
            self.organisations.len() as u64,
            0,
            ORGANISATIONS_MAX as u64,
        )?;
        for (position, one) in self.organisations.iter().enumerate() {
            name("target.organisations", one)?;
            if self.organisations[..position].contains(one) {
                return wrong("target.organisations", &format!("has `{one}` twice"));
            }
        }
        let (least, most) = (ARGUMENT_BYTES_LEAST as u64, ARGUMENT_BYTES_MOST as u64);
        between("target.bytes_max", self.bytes_max as u64, least, most)?;
        let again = self.resend_after_ms;
        between("target.resend_after_ms", again, 1_000, 3_600_000)
    }

    fn check_gateways(&self) -> Result<(), ConfigError> {
        let count = self.gateways.len() as u64;
        between("target.gateways", count, 1, ENDPOINTS_MAX as u64)?;
        between("target.agree", self.agree as u64, 1, count)?;
        for (position, address) in self.gateways.iter().enumerate() {
            if !address.starts_with("https://") && !is_here(address) {
                let problem = format!(
                    "has `{address}`; an address like https://peer0.org1.example.com:7051 is \
                     expected, without TLS on this machine alone"
                );
                return wrong("target.gateways", &problem);
            }
            if self.gateways[..position].contains(address) {
                let problem = format!("has `{address}` twice; it would agree with itself");
                return wrong("target.gateways", &problem);
            }
        }
        Ok(())
    }

    fn check_tls(&self) -> Result<(), ConfigError> {
        let secured = self.gateways.iter().any(|it| it.starts_with("https://"));
        if secured && self.tls_roots.is_none() {
            return wrong(
                "target.tls_roots",
                "is absent; name the file with the certificates of who certified the gateways",
            );
        }
        if self.tls_certificate.is_some() != self.tls_key.is_some() {
            return wrong(
                "target.tls_key",
                "and target.tls_certificate belong together; give both or none",
            );
        }
        Ok(())
    }
}
