//! Proof files, in either form.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use tbsi_rpc::Client;
use tbsi_types::bundle::{
    BUNDLE_JSON_BYTES_MAX, BundleError, LeafProof, MAP_FORMAT, MapBundle, REGISTRY_FORMAT,
    RegistryBundle, RegistryPart,
};
use tbsi_types::log::LeafError;
use tbsi_types::{Genesis, Handover, Height, ProofBundle};
use tempfile::NamedTempFile;

use crate::lang::{SayContext, demand};
use crate::shown::PathShown;

/// What the JSON form has behind the name of the file that it is about.
pub(crate) const EXTENSION: &str = ".tbsi.json";

/// What a compact proof has behind the name of the file that it is about.
const COMPACT_EXTENSION: &str = ".tbsi";

/// What files that are being written end with. One that was left behind is nobody's document.
pub(crate) const UNFINISHED: &str = ".tbsi.tmp";

/// What the compact form begins with, in all versions.
const COMPACT_MAGIC: &[u8] = b"TBP";

/// What the compact form begins with if it has a map part, in all versions.
const COMPACT_MAP_MAGIC: &[u8] = b"TBM";

/// What the compact form begins with if it has a registry part, in all versions.
const COMPACT_REGISTRY_MAGIC: &[u8] = b"TBR";

/// Changes of the validator set that are followed to one checkpoint.
const HANDOVERS_MAX: usize = 10_000;

/// The bytes of a proof file.
pub(crate) fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| {
            let mut limited = file.take(BUNDLE_JSON_BYTES_MAX as u64 + 1);
            limited.read_to_end(&mut bytes)
        })
        .or_say(|| {
            let path = path.shown();
            (format!("read proof {path}"), format!("讀取證明 {path}"))
        })?;
    demand(bytes.len() <= BUNDLE_JSON_BYTES_MAX, || {
        let path = path.shown();
        (
            format!("{path} has more than {BUNDLE_JSON_BYTES_MAX} bytes, so it is no proof"),
            format!("{path} 超過 {BUNDLE_JSON_BYTES_MAX} 位元組，不是證明"),
        )
    })?;
    Ok(bytes)
}

/// The file that a proof is of, by its name.
pub(crate) fn named_after(proof: &Path) -> Option<PathBuf> {
    let extensions = [EXTENSION, COMPACT_EXTENSION];
    extensions.iter().find_map(|end| without_end(proof, end))
}

/// A path without the end of its name; `None` if it has another one, or nothing else.
pub(crate) fn without_end(path: &Path, end: &str) -> Option<PathBuf> {
    let name = path.file_name()?.as_bytes();
    let stem = name.strip_suffix(end.as_bytes())?;
    (!stem.is_empty()).then(|| path.with_file_name(OsStr::from_bytes(stem)))
}

/// Reads either form.
pub(crate) fn parse(bytes: &[u8]) -> Result<ProofBundle, BundleError> {
    if bytes.starts_with(COMPACT_MAGIC) {
        ProofBundle::decode(bytes)
    } else {
        ProofBundle::parse_json(bytes)
    }
}

/// A proof, and what the map and the registry say beside it if it has such parts.
pub(crate) struct ProofFile {
    pub(crate) bundle: ProofBundle,
    pub(crate) map: Option<MapBundle>,
    pub(crate) registry: Option<RegistryPart>,
}

impl ProofFile {
    fn of(proof: LeafProof, registry: Option<RegistryPart>) -> Self {
        let (bundle, map) = match proof {
            LeafProof::Bundle(bundle) => (bundle, None),
            LeafProof::Map(map) => (map.proof.clone(), Some(map)),
        };
        Self {
            bundle,
            map,
            registry,
        }
    }

    /// The compact form.
    pub(crate) fn encode(&self) -> Result<Vec<u8>, BundleError> {
        let Some(part) = &self.registry else {
            return match &self.map {
                Some(map) => map.encode(),
                None => self.bundle.encode(),
            };
        };
        let proof = match &self.map {
            Some(map) => LeafProof::Map(map.clone()),
            None => LeafProof::Bundle(self.bundle.clone()),
        };
        let part = part.clone();
        RegistryBundle { proof, part }.encode()
    }
}

/// Reads either form, with or without further parts.
pub(crate) fn parse_any(bytes: &[u8]) -> Result<ProofFile, BundleError> {
    let registry = |it: RegistryBundle| ProofFile::of(it.proof, Some(it.part));
    let map = |it: MapBundle| ProofFile::of(LeafProof::Map(it), None);
    if bytes.starts_with(COMPACT_REGISTRY_MAGIC) {
        return RegistryBundle::decode(bytes).map(registry);
    }
    if bytes.starts_with(COMPACT_MAP_MAGIC) {
        return MapBundle::decode(bytes).map(map);
    }
    let format = format_of(bytes);
    let is = |known: &str| {
        let kind = known.trim_end_matches(|it: char| it.is_ascii_digit());
        format.as_ref().is_some_and(|it| it.starts_with(kind))
    };
    if is(REGISTRY_FORMAT) {
        RegistryBundle::parse_json(bytes).map(registry)
    } else if is(MAP_FORMAT) {
        MapBundle::parse_json(bytes).map(map)
    } else {
        parse(bytes).map(|bundle| ProofFile::of(LeafProof::Bundle(bundle), None))
    }
}

/// What JSON says that it is.
fn format_of(bytes: &[u8]) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Named {
        format: String,
    }
    let named = serde_json::from_slice::<Named>(bytes);
    named.ok().map(|named| named.format)
}

/// A file that gets its name when it is whole.
pub(crate) fn unfinished_in(directory: &Path) -> std::io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder
        .prefix(".")
        .suffix(UNFINISHED)
        .tempfile_in(directory)
}

/// Whether newer software may be able to read it.
pub(crate) fn is_of_another_version(error: &BundleError) -> bool {
    matches!(
        error,
        BundleError::Format | BundleError::Leaf(LeafError::Version(_) | LeafError::Kind(_))
    )
}

/// Changes of the validator set from genesis up to the set that decides `height`, as a node
/// tells: to be verified.
pub(crate) async fn handovers_to(client: &Client, height: Height) -> anyhow::Result<Vec<Handover>> {
    let mut all: Vec<Handover> = Vec::new();
    loop {
        let from = all.last().map(|last| last.first.checkpoint.height);
        let page = client.handovers(from.unwrap_or_default()).await?;
        let known = all.len();
        let wanted = page
            .into_iter()
            .filter(|next| Some(next.first.checkpoint.height) > from)
            .take_while(|next| next.first.checkpoint.height <= height);
        all.extend(wanted);
        demand(all.len() <= HANDOVERS_MAX, || {
            let url = client.url();
            (
                format!("{url} gave more than {HANDOVERS_MAX} changes of the validator set"),
                format!("{url} 給了超過 {HANDOVERS_MAX} 次驗證者集合變更"),
            )
        })?;
        if all.len() == known {
            return Ok(all);
        }
    }
}

/// A genesis file that proofs are verified with.
pub(crate) fn load_genesis(path: &Path) -> anyhow::Result<Genesis> {
    Ok(tbsi_home::load_genesis(path)?)
}
