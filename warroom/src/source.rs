//! Where the log is read: a node's JSON-RPC and the files beside it, or files alone. What comes
//! from here is parsed and not believed.

mod acts;
mod files;

use alloy_eips::BlockNumberOrTag;
use alloy_primitives::B256;
use serde::Deserialize;
use tbsi_rpc::{Client, ClientError, Http};
use tbsi_types::bundle::BUNDLE_BYTES_MAX;
use tbsi_types::bundle::chain::PAGE_BYTES_MAX;
use tbsi_types::log::tile::{ENTRY_BUNDLE_BYTES_MAX, TILE_BYTES_MAX};
use tbsi_types::log::{EntryBundle, SignedNote, Tile};
use tbsi_types::{
    Checkpoint, CommitCertificate, Decision, Genesis, Height, LeafIndex, ProofBundle,
};

use crate::alarm::{Alarm, AlarmCode};
use crate::limits::TEXT_BYTES_MAX;
use crate::said::{Said, WarroomError, causes, said};

pub(crate) use acts::{Act, ActLeaf, acts_path, encode_acts};
use files::{FetchError, Files};

/// What a source is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SourceKind {
    /// A node.
    Rpc,
    /// Static files.
    Tiles,
}

impl SourceKind {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Rpc => "rpc",
            Self::Tiles => "tiles",
        }
    }
}

/// One source.
#[derive(Clone, Debug)]
pub(crate) struct LogSource {
    pub(crate) kind: SourceKind,
    /// Address, or a directory's path.
    pub(crate) name: String,
    files: Files,
    rpc: Option<Client>,
}

/// Of a node's status, which network it is of.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct NetworkStatus {
    chain_id: u64,
    genesis_hash: B256,
}

/// What a source shows as the newest log.
#[derive(Clone, Debug, Default)]
pub(crate) struct ShownLog {
    /// A checkpoint with its certificate.
    pub(crate) decision: Option<Decision>,
    /// A signed note, which may be of another size.
    pub(crate) note: Option<SignedNote>,
}

impl LogSource {
    /// A node at this address; its log is below `/log`.
    pub(crate) fn node(http: &Http, url: &str) -> Result<Self, WarroomError> {
        let client = Client::through(http, url).map_err(|error| refused("--rpc", &error))?;
        let log = client.log().map_err(|error| refused("--rpc", &error))?;
        Ok(Self {
            kind: SourceKind::Rpc,
            name: client.url().into(),
            files: Files::Web(Box::new(log)),
            rpc: Some(client),
        })
    }

    /// Files below an address or in a directory.
    pub(crate) fn tiles(http: &Http, place: &str) -> Result<Self, WarroomError> {
        let files = Files::open(http, place).map_err(|error| refused("--tiles", &error))?;
        Ok(Self {
            kind: SourceKind::Tiles,
            name: files.name(place),
            files,
            rpc: None,
        })
    }

    /// The newest log that it shows.
    pub(crate) async fn shown(&self, genesis: &Genesis) -> Result<ShownLog, Alarm> {
        if let Some(rpc) = &self.rpc {
            self.check_network(rpc, genesis).await?;
        }
        // The note first, so that the decision's log is no smaller.
        let note = self.note(genesis).await?;
        let decision = match &self.rpc {
            Some(rpc) => self.decision(rpc, BlockNumberOrTag::Latest).await?,
            None => self.bundled_decision(genesis).await?,
        };
        Ok(ShownLog { decision, note })
    }

    /// The decision of a height; `None` if the source has none.
    pub(crate) async fn decision_at(&self, height: Height) -> Result<Option<Decision>, Alarm> {
        match &self.rpc {
            Some(rpc) => self.decision(rpc, BlockNumberOrTag::Number(height.0)).await,
            None => Ok(None),
        }
    }

    async fn check_network(&self, rpc: &Client, genesis: &Genesis) -> Result<(), Alarm> {
        let status = rpc.request::<NetworkStatus>("tbsi_status", &[]).await;
        let status = status.map_err(|error| self.silent(&error))?;
        let chain = genesis.identity();
        let got = (status.chain_id, status.genesis_hash);
        if got == (chain.chain_id, chain.genesis_hash) {
            return Ok(());
        }
        let (got, expected) = (status.genesis_hash, chain.genesis_hash);
        Err(self.other_network(&got.to_string(), &expected.to_string()))
    }

    async fn decision(
        &self,
        rpc: &Client,
        at: BlockNumberOrTag,
    ) -> Result<Option<Decision>, Alarm> {
        let shown = rpc.checkpoint(at).await;
        let Some(shown) = shown.map_err(|error| self.silent(&error))? else {
            return Ok(None);
        };
        if shown.height.0 == 0 {
            return Ok(None);
        }
        let at = BlockNumberOrTag::Number(shown.height.0);
        let certificate = rpc.certificate(at).await;
        let Some(certificate) = certificate.map_err(|error| self.silent(&error))? else {
            return Err(self.unverified(&said(
                format!("it has no certificate of height {}", shown.height),
                format!("沒有高度 {} 的憑證", shown.height),
            )));
        };
        let parse = || -> Result<Decision, Box<dyn std::error::Error>> {
            Ok(Decision {
                checkpoint: Checkpoint::decode(&shown.encoded)?,
                certificate: CommitCertificate::decode(&certificate.encoded)?,
            })
        };
        let decision = parse().map_err(|error| self.wrong(error.as_ref()))?;
        if decision.checkpoint.height != shown.height {
            return Err(self.unverified(&said(
                format!(
                    "it gave the checkpoint of height {} as that of height {}",
                    decision.checkpoint.height, shown.height
                ),
                format!(
                    "把高度 {} 的檢查點當作高度 {} 的",
                    decision.checkpoint.height, shown.height
                ),
            )));
        }
        Ok(Some(decision))
    }

    /// The decision in the bundle that a war room adds to its files (SPEC §19.2).
    async fn bundled_decision(&self, genesis: &Genesis) -> Result<Option<Decision>, Alarm> {
        let Some(bytes) = self.optional("newest-bundle", BUNDLE_BYTES_MAX).await? else {
            return Ok(None);
        };
        let bundle = ProofBundle::decode(&bytes).map_err(|error| self.wrong(&error))?;
        let (got, expected) = (bundle.genesis_hash, genesis.hash());
        if got != expected {
            return Err(self.other_network(&got.to_string(), &expected.to_string()));
        }
        Ok(Some(bundle.decision))
    }

    async fn note(&self, genesis: &Genesis) -> Result<Option<SignedNote>, Alarm> {
        let Some(bytes) = self.optional("checkpoint", TEXT_BYTES_MAX).await? else {
            return Ok(None);
        };
        let text = std::str::from_utf8(&bytes).map_err(|error| self.wrong(&error))?;
        let note = SignedNote::parse(text).map_err(|error| self.wrong(&error))?;
        let got = note.text().lines().next().unwrap_or_default();
        let expected = genesis.identity().log_origin();
        if got != expected {
            return Err(self.other_network(got, &expected));
        }
        Ok(Some(note))
    }

    /// The bytes of a bundle of leaves, of a signed log.
    pub(crate) async fn entries(&self, bundle: EntryBundle) -> Result<Vec<u8>, Alarm> {
        self.needed(&bundle.path(), ENTRY_BUNDLE_BYTES_MAX).await
    }

    /// The bytes of a tile of a signed log.
    pub(crate) async fn tile(&self, tile: Tile) -> Result<Vec<u8>, Alarm> {
        let path = tile.path();
        let bytes = self.needed(&path, TILE_BYTES_MAX).await?;
        let (got, expected) = (bytes.len(), 32 * usize::from(tile.width));
        if got != expected {
            return Err(self.gap(&said(
                format!("{path} has {got} bytes, {expected} are needed: it is cut short"),
                format!("{path} 有 {got} 位元組，應有 {expected}：內容被截斷"),
            )));
        }
        Ok(bytes)
    }

    /// How many changes of the validator set it knows; 0 if it has no such file.
    pub(crate) async fn handover_count(&self) -> Result<u64, Alarm> {
        let Some(bytes) = self.optional("handovers/count", 24).await? else {
            return Ok(0);
        };
        let text = String::from_utf8_lossy(&bytes);
        text.trim_end().parse().map_err(|_| {
            self.unverified(&said(
                "handovers/count is no number",
                "handovers/count 不是數字",
            ))
        })
    }

    /// A page of changes of the validator set.
    pub(crate) async fn handovers(&self, page: EntryBundle) -> Result<Vec<u8>, Alarm> {
        let path = page.path().replacen("tile/entries/", "handovers/", 1);
        self.needed(&path, PAGE_BYTES_MAX).await
    }

    /// The texts of acts of governance, as far as the source has them. Each has the hash of its
    /// leaf.
    pub(crate) async fn acts(
        &self,
        bundle: EntryBundle,
        leaves: &[ActLeaf],
    ) -> Result<Vec<Act>, Alarm> {
        if leaves.is_empty() {
            return Ok(Vec::new());
        }
        match &self.rpc {
            Some(rpc) => acts::of_node(rpc, leaves)
                .await
                .map_err(|error| self.silent(&error)),
            None => {
                let max = crate::limits::ACTS_BYTES_MAX;
                let found = self.optional(&acts_path(bundle), max).await?;
                Ok(found.map_or_else(Vec::new, |bytes| acts::of_file(bundle, &bytes, leaves)))
            }
        }
    }

    /// The leaves that a node says a transaction made.
    pub(crate) async fn leaves_of(&self, transaction: B256) -> Option<(LeafIndex, u64)> {
        let range = self.rpc.as_ref()?.leaves_of(transaction).await.ok()??;
        Some((range.first, range.count))
    }

    async fn needed(&self, path: &str, bytes_max: usize) -> Result<Vec<u8>, Alarm> {
        match self.files.get(path, bytes_max).await {
            Ok(bytes) => Ok(bytes),
            Err(FetchError::Missing) => Err(self.gap(&said(
                format!("{path} is not there, though the signed log has it"),
                format!("缺少 {path}，但已簽署的日誌應有此檔"),
            ))),
            Err(FetchError::Unreachable(problem)) => Err(self.unreachable(&problem)),
        }
    }

    async fn optional(&self, path: &str, bytes_max: usize) -> Result<Option<Vec<u8>>, Alarm> {
        match self.files.get(path, bytes_max).await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(FetchError::Missing) => Ok(None),
            Err(FetchError::Unreachable(problem)) => Err(self.unreachable(&problem)),
        }
    }

    fn silent(&self, error: &ClientError) -> Alarm {
        self.unreachable(&causes(error))
    }

    fn unreachable(&self, problem: &str) -> Alarm {
        let said = said(
            format!("{} does not answer: {problem}. Is it running?", self.name),
            format!("{} 沒有回應：{problem}。它在執行嗎？", self.name),
        );
        Alarm::new(AlarmCode::Unreachable, &self.name, said)
    }

    /// It lacks what the signed log has.
    pub(crate) fn gap(&self, what: &Said) -> Alarm {
        let said = said(
            format!(
                "{}: {}. Nothing of it is shown; follow another source as well.",
                self.name, what.en
            ),
            format!(
                "{}：{}。不顯示其中任何內容；請再加上另一個來源。",
                self.name, what.zh_tw
            ),
        );
        Alarm::new(AlarmCode::Gap, &self.name, said)
    }

    /// What it gave is not what was signed.
    pub(crate) fn wrong_tile(&self, what: &Said) -> Alarm {
        let said = said(
            format!(
                "{}: {}. It gave leaves that the validators did not sign; do not use this source.",
                self.name, what.en
            ),
            format!(
                "{}：{}。它給的條目並非驗證者所簽署；請勿使用此來源。",
                self.name, what.zh_tw
            ),
        );
        Alarm::new(AlarmCode::WrongTile, &self.name, said)
    }

    /// What it shows as decided does not verify.
    pub(crate) fn unverified(&self, what: &Said) -> Alarm {
        let said = said(
            format!("{} is not believed: {}", self.name, what.en),
            format!("不採信 {}：{}", self.name, what.zh_tw),
        );
        Alarm::new(AlarmCode::Unverified, &self.name, said)
    }

    /// The same, in the words of whoever verified.
    pub(crate) fn wrong(&self, error: &dyn std::error::Error) -> Alarm {
        let words = causes(error);
        self.unverified(&said(words.clone(), words))
    }

    fn other_network(&self, got: &str, expected: &str) -> Alarm {
        let said = said(
            format!(
                "{} is of another network ({got}, the genesis file is of {expected}). Give the \
                 genesis file of that network, or another source.",
                self.name
            ),
            format!(
                "{} 屬於另一個網路（{got}，創世檔為 {expected}）。請提供該網路的創世檔，或改用其他\
                 來源。",
                self.name
            ),
        );
        Alarm::new(AlarmCode::OtherNetwork, &self.name, said)
    }
}

fn refused(option: &str, error: &dyn std::error::Error) -> WarroomError {
    let words = causes(error);
    said(
        format!("option {option}: {words}"),
        format!("選項 {option}：{words}"),
    )
    .into()
}
