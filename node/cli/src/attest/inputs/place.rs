//! Where the proof of a file goes, and whether it can have that name.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use tbsi_types::sha256;

use super::{Inputs, Target};
use crate::lang::{Sentence, demand};
use crate::proof;
use crate::salt::{Salt, directory_of};
use crate::shown::PathShown;

/// What the name of a proof ends in that `--out` gives.
const JSON: &str = ".json";

/// Bytes of a file's own name in a shorter one that is offered.
const SHORT_STEM_BYTES: usize = 60;

/// Where proofs go.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place {
    Beside,
    Directory(PathBuf),
    /// Of one file.
    Proof(PathBuf),
}

impl Place {
    /// As the command line says. One file may be given the name of its proof; what is a directory
    /// stays one.
    pub(super) fn of(inputs: &Inputs) -> anyhow::Result<Self> {
        let Some(out) = &inputs.out else {
            return Ok(Self::Beside);
        };
        let names_file = out.as_os_str().as_bytes().ends_with(JSON.as_bytes()) && !out.is_dir();
        if !names_file {
            return Ok(Self::Directory(out.clone()));
        }
        demand(inputs.files.len() == 1 && inputs.dir.is_none(), || {
            let out = out.shown();
            (
                format!(
                    "--out {out} is the name of one proof; give one FILE, or a directory for the \
                     proofs of several"
                ),
                format!("--out {out} 是單一證明的檔名；請只給一個 FILE，或為多個證明指定目錄"),
            )
        })?;
        Ok(Self::Proof(out.clone()))
    }

    /// `name` is where below a directory the proof goes.
    pub(super) fn target(&self, file: &Path, name: &Path, bytes: u64) -> Target {
        let base = match self {
            Self::Beside => file.into(),
            Self::Directory(out) => out.join(name),
            Self::Proof(proof) => {
                return Target {
                    file: file.into(),
                    bytes,
                    salt: Salt::path_of(&stem(proof)),
                    proof: proof.clone(),
                };
            }
        };
        let mut proof = base.clone().into_os_string();
        proof.push(proof::EXTENSION);
        Target {
            file: file.into(),
            bytes,
            proof: proof.into(),
            salt: Salt::path_of(&base),
        }
    }

    /// The directory that proofs go into, if it is not that of the files.
    pub(super) fn directory(&self) -> Option<&Path> {
        match self {
            Self::Directory(out) => Some(out),
            Self::Beside | Self::Proof(_) => None,
        }
    }
}

/// A proof's name without its end.
fn stem(proof: &Path) -> PathBuf {
    proof::named_after(proof).unwrap_or_else(|| proof.with_extension(""))
}

/// Why a proof cannot have its name, and a name that it can have. The file system is asked: names
/// that it would not store it does not look up either.
pub(super) fn unnameable(target: &Target) -> Option<Sentence> {
    let long = [&target.proof, &target.salt].into_iter().find(|path| {
        let found = fs::symlink_metadata(path);
        found.is_err_and(|error| error.kind() == ErrorKind::InvalidFilename)
    })?;
    let name = long.file_name()?;
    let (shown, length) = (Path::new(name).shown(), name.len());
    let offered = directory_of(&target.proof).join(shorter(&target.file));
    let (file, offered) = (target.file.word(), offered.word());
    Some((
        format!(
            "its proof cannot be stored as {shown}, a name of {length} bytes; attest it with a \
             shorter one: tbsi attest {file} --out {offered}"
        ),
        format!(
            "檔案系統無法存放名為 {shown} 的證明（{length} 位元組）；請以較短的檔名存證：\
             tbsi attest {file} --out {offered}"
        ),
    ))
}

/// As much of the name as is readable, and what tells it from others that begin alike.
fn shorter(file: &Path) -> String {
    let name = file.file_name().unwrap_or_default();
    let digest = sha256(&[name.as_bytes()]).to_string();
    let text = name.to_string_lossy();
    let mut end = text.len().min(SHORT_STEM_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let readable: String = text[..end]
        .chars()
        .map(|letter| {
            if letter.is_alphanumeric() {
                letter
            } else {
                '-'
            }
        })
        .collect();
    format!("{readable}-{}{}", &digest[2..10], proof::EXTENSION)
}
