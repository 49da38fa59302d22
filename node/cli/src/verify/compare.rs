//! Whether a file is the one that was attested.

use std::path::{Path, PathBuf};

use alloy_primitives::{B256, Bytes};
use tbsi_light::VerifiedMap;
use tbsi_types::log::algorithm::{ALGORITHMS, DigestAlgorithm, by_code};
use tbsi_types::log::{Attestation, DigestWords, Leaf, Statement};
use tbsi_types::map::MapQuestion;

use super::Failure;
use crate::digest::{digest_file, parse_algorithm};
use crate::lang::said;
use crate::salt::Salt;
use crate::shown::PathShown;
use crate::{progress, schema};

/// A file whose digest is the one in the leaf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Compared {
    pub(crate) file: PathBuf,
    pub(crate) digest: Bytes,
    pub(crate) algorithm: &'static str,
    /// The file of the salt, if there is one.
    pub(crate) salt: Option<PathBuf>,
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
    let (attestation, algorithm, digest, salt) =
        digest(leaf, file, salt).map_err(|error| Failure::could_not_tell("file", error))?;
    let words = DigestWords::of(attestation.algorithm, &digest);
    if words != Some(attestation.digest) {
        let (with, added) = if salt.is_some() {
            (" with this salt", "加上此鹽值後的 ")
        } else {
            ("", "的 ")
        };
        let (file, name) = (file.shown(), algorithm.name);
        let (got, attested) = (Bytes::from(digest), attested_digest(&attestation));
        let differs = said(
            format!(
                "{file} is not the file that was attested: its {name} digest{with} is {got}, \
                 attested is {attested}"
            ),
            format!("{file} 不是存證的那個檔案：它{added}{name} 摘要為 {got}，存證的是 {attested}"),
        );
        return Err(Failure::invalid("otherFile", differs));
    }
    Ok(Compared {
        file: file.into(),
        digest: digest.into(),
        algorithm: algorithm.name,
        salt,
    })
}

/// Hashes `file` by each algorithm whose digests are as long as the one that was asked about.
pub(super) fn asked(map: &VerifiedMap, file: &Path, places: &Places) -> Result<Compared, Failure> {
    let failed = |error| Failure::could_not_tell("file", error);
    let salt = places.given.as_deref().map(Salt::load).transpose();
    let salt = salt.map_err(failed)?;
    for known in ALGORITHMS {
        let Ok(algorithm) = parse_algorithm(known.name) else {
            continue;
        };
        let digest = digest_file(file, algorithm, salt.as_ref(), &|_| {});
        let digest = digest.map_err(failed)?;
        let question = MapQuestion::digest(&digest);
        if map
            .digests
            .iter()
            .any(|(asked, _)| Some(*asked) == question)
        {
            return Ok(Compared {
                file: file.into(),
                digest: digest.into(),
                algorithm: algorithm.name,
                salt: places.given.clone(),
            });
        }
    }
    let file = file.shown();
    let differs = said(
        format!("the proof is about another digest than any of {file}"),
        format!("證明所問的摘要與 {file} 的都不同"),
    );
    Err(Failure::invalid("otherFile", differs))
}

type Digested = (
    Attestation,
    &'static DigestAlgorithm,
    Vec<u8>,
    Option<PathBuf>,
);

fn digest(leaf: &Leaf, file: &Path, salt: &Places) -> anyhow::Result<Digested> {
    let Statement::Attestation(attestation) = leaf.statement else {
        let file = file.shown();
        return Err(said(
            format!(
                "this proof is not of an attestation, so there is no digest to compare {file} with"
            ),
            format!("這份證明的陳述不是存證，沒有摘要可與 {file} 比對"),
        ));
    };
    let algorithm = algorithm_of(attestation.algorithm)?;
    let path = salt_of(attestation.schema, salt)?;
    let salt = path.as_deref().map(Salt::load).transpose()?;
    let bytes = std::fs::metadata(file).map_or(0, |metadata| metadata.len());
    let bar = progress::bytes(bytes, "hashing");
    let digest = digest_file(file, algorithm, salt.as_ref(), &|read| bar.inc(read))?;
    bar.finish_and_clear();
    Ok((attestation, algorithm, digest, path))
}

fn algorithm_of(code: u32) -> anyhow::Result<&'static DigestAlgorithm> {
    let Some(known) = by_code(code) else {
        return Err(said(
            format!("digest algorithm {code:#x} is not known here; use newer software"),
            format!("本軟體不認得摘要演算法 {code:#x}；請使用較新的軟體"),
        ));
    };
    parse_algorithm(known.name).map_err(|_| {
        let name = known.name;
        said(
            format!("this program does not compute {name}; compare the file with another tool"),
            format!("本程式不計算 {name}；請用其他工具比對檔案"),
        )
    })
}

/// A built-in schema says whether there is a salt; of others, the user has to know.
fn salt_of(schema: B256, places: &Places) -> anyhow::Result<Option<PathBuf>> {
    let mut beside = places.beside.iter().filter(|path| path.exists());
    match (schema, &places.given, beside.next()) {
        (schema::FILE, Some(_), _) => Err(said(
            "the proof is of a file without a salt (tbsi:file:v1); leave --salt out",
            "這是未加鹽值的檔案證明（tbsi:file:v1）；請不要加 --salt",
        )),
        (schema::FILE, None, _) => Ok(None),
        (_, Some(path), _) | (_, None, Some(path)) => Ok(Some(path.clone())),
        (schema::SALTED_FILE, None, None) => Err(said(
            "the proof is of a file with a salt, and no .tbsi.salt is there; give --salt",
            "這是加了鹽值的檔案證明，卻找不到 .tbsi.salt 檔；請用 --salt 指定",
        )),
        (_, None, None) => Ok(None),
    }
}

/// As long as the algorithm makes it, if that is known.
pub(crate) fn attested_digest(attestation: &Attestation) -> Bytes {
    let mut bytes = attestation.digest.to_bytes();
    if let Some(known) = by_code(attestation.algorithm) {
        bytes.truncate(usize::from(known.bits / 8));
    }
    bytes.into()
}
