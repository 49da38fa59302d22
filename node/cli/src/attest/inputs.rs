//! Which files, and where their proofs go. Everything is checked before anything is sent.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use crate::digest::reading;
use crate::lang::{SayContext, demand, said, wrap};
use crate::salt::{self, Salt, directory_of};
use crate::{proof, report};

/// Files that one command attests.
const FILES_MAX: usize = 100_000;

/// Directories within directories.
const DEPTH_MAX: usize = 64;

/// What to attest.
#[derive(Debug, clap::Args)]
pub(super) struct Inputs {
    /// Files to attest.
    #[arg(value_name = "FILE", required_unless_present = "dir")]
    files: Vec<PathBuf>,
    /// Attest the files in this directory too, except proofs, salts, the key and symbolic links.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// With --dir: and those in the directories within it.
    #[arg(long, requires = "dir")]
    recursive: bool,
    /// Directory for the proofs and salts; made if absent [default: next to each file].
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// A file and what is written about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) file: PathBuf,
    pub(super) bytes: u64,
    pub(super) proof: PathBuf,
    pub(super) salt: PathBuf,
}

impl Inputs {
    /// All files, each once, in the order given, but not the `key`: who published its digest
    /// would only help others to recognise it. Nothing is written except `out` itself.
    pub(super) fn collect(&self, key: &Path) -> anyhow::Result<Vec<Target>> {
        let mut targets = Vec::new();
        for file in &self.files {
            demand(!same_file(file, key), || {
                let file = file.display();
                (
                    format!("{file} is the key; leave it out"),
                    format!("{file} 是金鑰；請略過它"),
                )
            })?;
            let name = file.file_name().map(Path::new);
            let no_name = || {
                let file = file.display();
                said(
                    format!("{file} is no file name"),
                    format!("{file} 不是檔名"),
                )
            };
            let name = name.ok_or_else(no_name)?;
            targets.push(self.target(file, name)?);
        }
        if let Some(dir) = &self.dir {
            self.walk(dir, key, &mut targets)?;
        }
        let count = targets.len();
        demand(count <= FILES_MAX, || {
            (
                format!(
                    "{count} files are given, at most {FILES_MAX} are allowed; give fewer at a time"
                ),
                format!("給了 {count} 個檔案，上限為 {FILES_MAX}；請分次存證"),
            )
        })?;
        let targets = each_once(targets)?;
        check_writable(&targets)?;
        Ok(targets)
    }

    /// `name` is where below `out` the proof goes.
    fn target(&self, file: &Path, name: &Path) -> anyhow::Result<Target> {
        let bytes = check_file(file)?;
        let base = match &self.out {
            Some(out) => out.join(name),
            None => file.into(),
        };
        let mut proof = base.clone().into_os_string();
        proof.push(proof::EXTENSION);
        Ok(Target {
            file: file.into(),
            bytes,
            proof: proof.into(),
            salt: Salt::path_of(&base),
        })
    }

    fn walk(&self, dir: &Path, key: &Path, targets: &mut Vec<Target>) -> anyhow::Result<()> {
        let before = targets.len();
        let walk = WalkDir::new(dir).sort_by_file_name().max_depth(DEPTH_MAX);
        let mut walk = walk.into_iter();
        while let Some(entry) = walk.next() {
            let entry = entry.map_err(|error| unreadable(dir, error))?;
            if entry.file_type().is_dir() {
                self.check_directory(&entry)?;
                if self.is_out(entry.path()) {
                    walk.skip_current_dir();
                }
            } else if entry.file_type().is_file() && same_file(entry.path(), key) {
                let path = entry.path().display();
                report::note(&format!("{path} is the key: left out"));
            } else if entry.file_type().is_file() && !is_ours(entry.path()) {
                let path = entry.path();
                let name = path.strip_prefix(dir).unwrap_or(path);
                targets.push(self.target(path, name)?);
                demand(targets.len() <= FILES_MAX, || {
                    let dir = dir.display();
                    (
                        format!(
                            "{dir} has more than {FILES_MAX} files; attest its directories one by one"
                        ),
                        format!("{dir} 的檔案超過 {FILES_MAX} 個；請逐一存證其下的目錄"),
                    )
                })?;
            } else if entry.path_is_symlink() {
                let path = entry.path().display();
                report::note(&format!("{path} is a symbolic link: left out"));
            }
        }
        demand(targets.len() > before, || {
            let dir = dir.display();
            (
                format!("{dir} has no file to attest"),
                format!("{dir} 沒有可存證的檔案"),
            )
        })
    }

    fn check_directory(&self, entry: &DirEntry) -> anyhow::Result<()> {
        let path = entry.path().display();
        demand(self.recursive || entry.depth() == 0, || {
            (
                format!("{path} is a directory; add --recursive to attest what is in it"),
                format!("{path} 是目錄；加上 --recursive 才會存證其中的檔案"),
            )
        })?;
        demand(entry.depth() < DEPTH_MAX, || {
            (
                format!(
                    "{path} is below {DEPTH_MAX} directories, which is the most that are looked into"
                ),
                format!("{path} 的目錄深度超過上限 {DEPTH_MAX} 層"),
            )
        })
    }

    /// Proofs of an earlier run are not attested.
    fn is_out(&self, path: &Path) -> bool {
        let out = self.out.as_ref().and_then(|out| out.canonicalize().ok());
        out.is_some() && out == path.canonicalize().ok()
    }
}

fn unreadable(dir: &Path, error: walkdir::Error) -> anyhow::Error {
    let path = error.path().unwrap_or(dir).display();
    let sentence = (format!("read directory {path}"), format!("讀取目錄 {path}"));
    // Links are not followed, so there are no loops, which is what has no cause.
    match error.into_io_error() {
        Some(cause) => wrap(cause, sentence),
        None => said(sentence.0, sentence.1),
    }
}

fn is_ours(path: &Path) -> bool {
    let name = path.to_string_lossy();
    let ours = [proof::EXTENSION, salt::EXTENSION, proof::UNFINISHED];
    ours.iter().any(|end| name.ends_with(end))
}

/// Whether two paths lead to one file.
fn same_file(one: &Path, other: &Path) -> bool {
    let of = |path: &Path| path.canonicalize().ok();
    of(one).is_some_and(|one| of(other) == Some(one))
}

/// Its length.
fn check_file(file: &Path) -> anyhow::Result<u64> {
    let shown = file.display();
    let metadata = fs::metadata(file).or_say(|| reading(file))?;
    demand(!metadata.is_dir(), || {
        (
            format!(
                "{shown} is a directory; give it with --dir, and --recursive for all within it"
            ),
            format!("{shown} 是目錄；請用 --dir 指定，要包含其下的目錄再加 --recursive"),
        )
    })?;
    demand(metadata.is_file(), || {
        (
            format!("{shown} is not a regular file"),
            format!("{shown} 不是一般檔案"),
        )
    })?;
    demand(metadata.len() > 0, || {
        (
            format!(
                "{shown} is empty: all empty files are the same, so a proof would say nothing; \
                 leave it out"
            ),
            format!("{shown} 是空檔：空檔都相同，證明沒有意義；請略過它"),
        )
    })?;
    File::open(file).or_say(|| reading(file))?;
    Ok(metadata.len())
}

/// Drops files that are given twice; fails if two have one place for their proof.
fn each_once(targets: Vec<Target>) -> anyhow::Result<Vec<Target>> {
    let mut seen = BTreeSet::new();
    let mut proofs: BTreeMap<PathBuf, PathBuf> = BTreeMap::new();
    let mut kept = Vec::with_capacity(targets.len());
    for target in targets {
        let file = target.file.canonicalize();
        let file = file.or_say(|| reading(&target.file))?;
        if !seen.insert(file) {
            continue;
        }
        if let Some(other) = proofs.insert(target.proof.clone(), target.file.clone()) {
            let (one, other) = (target.file.display(), other.display());
            let proof = target.proof.display();
            return Err(said(
                format!(
                    "the proofs of {other} and {one} would both be {proof}; attest them into two \
                     directories"
                ),
                format!("{other} 與 {one} 的證明都會是 {proof}；請存到不同的目錄"),
            ));
        }
        kept.push(target);
    }
    Ok(kept)
}

/// Better to know before something is sent.
fn check_writable(targets: &[Target]) -> anyhow::Result<()> {
    let directories = targets.iter().map(|target| directory_of(&target.proof));
    for directory in directories.collect::<BTreeSet<_>>() {
        fs::create_dir_all(directory)
            .and_then(|()| proof::unfinished_in(directory))
            .or_say(|| {
                let shown = directory.display();
                (
                    format!("write proofs into {shown}; another directory is chosen with --out"),
                    format!("將證明寫入 {shown}；可用 --out 選擇其他目錄"),
                )
            })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
