//! Whether a file is the one that was attested.

use std::path::{Path, PathBuf};

use alloy_primitives::{B256, Bytes};
use anyhow::{anyhow, bail};
use tbsi_types::log::algorithm::{DigestAlgorithm, by_code};
use tbsi_types::log::{Attestation, DigestWords, Leaf, Statement};

use super::Failure;
use crate::digest::{digest_file, parse_algorithm};
use crate::salt::Salt;
use crate::{progress, schema};

/// A file whose digest is the one in the leaf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Compared {
    pub(super) file: PathBuf,
    pub(super) digest: Bytes,
    pub(super) algorithm: &'static str,
    pub(super) salted: bool,
}

/// Where a salt may be.
pub(super) struct Places {
    /// On the command line.
    pub(super) given: Option<PathBuf>,
    /// Otherwise the first of these that exists.
    pub(super) beside: Vec<PathBuf>,
}

/// Hashes `file` as the leaf says and compares.
pub(super) fn file(leaf: &Leaf, file: &Path, salt: &Places) -> Result<Compared, Failure> {
    let (attestation, algorithm, digest, salted) =
        digest(leaf, file, salt).map_err(Failure::could_not_tell)?;
    let words = DigestWords::of(attestation.algorithm, &digest);
    if words != Some(attestation.digest) {
        let with = if salted { " with this salt" } else { "" };
        return Err(Failure::invalid(anyhow!(
            "{} is not the file that was attested: its {} digest{with} is {}, attested is {}",
            file.display(),
            algorithm.name,
            Bytes::from(digest),
            attested_digest(&attestation)
        )));
    }
    Ok(Compared {
        file: file.into(),
        digest: digest.into(),
        algorithm: algorithm.name,
        salted,
    })
}

type Digested = (Attestation, &'static DigestAlgorithm, Vec<u8>, bool);

fn digest(leaf: &Leaf, file: &Path, salt: &Places) -> anyhow::Result<Digested> {
    let Statement::Attestation(attestation) = leaf.statement else {
        bail!(
            "this proof is not of an attestation, so there is no digest to compare {} with",
            file.display()
        );
    };
    let algorithm = algorithm_of(attestation.algorithm)?;
    let salt = salt_of(attestation.schema, salt)?;
    let bytes = std::fs::metadata(file).map_or(0, |metadata| metadata.len());
    let bar = progress::bytes(bytes, "hashing");
    let digest = digest_file(file, algorithm, salt.as_ref(), &|read| bar.inc(read))?;
    bar.finish_and_clear();
    Ok((attestation, algorithm, digest, salt.is_some()))
}

fn algorithm_of(code: u32) -> anyhow::Result<&'static DigestAlgorithm> {
    let Some(known) = by_code(code) else {
        bail!("digest algorithm {code:#x} is not known here; use newer software");
    };
    parse_algorithm(known.name).map_err(|_| {
        let name = known.name;
        anyhow!("this program does not compute {name}; compare the file with another tool")
    })
}

/// A built-in schema says whether there is a salt; of others, the user has to know.
fn salt_of(schema: B256, places: &Places) -> anyhow::Result<Option<Salt>> {
    let mut beside = places.beside.iter().filter(|path| path.exists());
    match (schema, &places.given, beside.next()) {
        (schema::FILE, Some(_), _) => {
            bail!("the proof is of a file without a salt (tbsi:file:v1); leave --salt out")
        }
        (schema::FILE, None, _) => Ok(None),
        (_, Some(path), _) | (_, None, Some(path)) => Salt::load(path).map(Some),
        (schema::SALTED_FILE, None, None) => {
            bail!("the proof is of a file with a salt, and no .tbsi.salt is there; give --salt")
        }
        (_, None, None) => Ok(None),
    }
}

/// As long as the algorithm makes it, if that is known.
pub(super) fn attested_digest(attestation: &Attestation) -> Bytes {
    let mut bytes = attestation.digest.to_bytes();
    if let Some(known) = by_code(attestation.algorithm) {
        bytes.truncate(usize::from(known.bits / 8));
    }
    bytes.into()
}
