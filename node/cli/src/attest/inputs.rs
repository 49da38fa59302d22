//! Which files, and where their proofs go. Everything is checked before anything is sent.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use tempfile::NamedTempFile;
use walkdir::{DirEntry, WalkDir};

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
    /// Attest the files in this directory too, except proofs, salts and symbolic links.
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
    /// All files, each once, in the order given. Nothing is written except `out` itself.
    pub(super) fn collect(&self) -> anyhow::Result<Vec<Target>> {
        let mut targets = Vec::new();
        for file in &self.files {
            let name = file.file_name().map(Path::new);
            let name = name.with_context(|| format!("{} is no file name", file.display()))?;
            targets.push(self.target(file, name)?);
        }
        if let Some(dir) = &self.dir {
            self.walk(dir, &mut targets)?;
        }
        ensure!(
            targets.len() <= FILES_MAX,
            "{} files are given, at most {FILES_MAX} are allowed; give fewer at a time",
            targets.len()
        );
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

    fn walk(&self, dir: &Path, targets: &mut Vec<Target>) -> anyhow::Result<()> {
        let before = targets.len();
        let walk = WalkDir::new(dir).sort_by_file_name().max_depth(DEPTH_MAX);
        let mut walk = walk.into_iter();
        while let Some(entry) = walk.next() {
            let entry = entry.with_context(|| format!("read directory {}", dir.display()))?;
            if entry.file_type().is_dir() {
                self.check_directory(&entry)?;
                if self.is_out(entry.path()) {
                    walk.skip_current_dir();
                }
            } else if entry.file_type().is_file() && !is_ours(entry.path()) {
                let path = entry.path();
                let name = path.strip_prefix(dir).unwrap_or(path);
                targets.push(self.target(path, name)?);
                ensure!(
                    targets.len() <= FILES_MAX,
                    "{} has more than {FILES_MAX} files; attest its directories one by one",
                    dir.display()
                );
            } else if entry.path_is_symlink() {
                let path = entry.path().display();
                report::note(&format!("{path} is a symbolic link: left out"));
            }
        }
        ensure!(
            targets.len() > before,
            "{} has no file to attest",
            dir.display()
        );
        Ok(())
    }

    fn check_directory(&self, entry: &DirEntry) -> anyhow::Result<()> {
        let path = entry.path().display();
        ensure!(
            self.recursive || entry.depth() == 0,
            "{path} is a directory; add --recursive to attest what is in it"
        );
        ensure!(
            entry.depth() < DEPTH_MAX,
            "{path} is below {DEPTH_MAX} directories, which is the most that are looked into"
        );
        Ok(())
    }

    /// Proofs of an earlier run are not attested.
    fn is_out(&self, path: &Path) -> bool {
        let out = self.out.as_ref().and_then(|out| out.canonicalize().ok());
        out.is_some() && out == path.canonicalize().ok()
    }
}

fn is_ours(path: &Path) -> bool {
    let name = path.to_string_lossy();
    name.ends_with(proof::EXTENSION) || name.ends_with(salt::EXTENSION)
}

/// Its length.
fn check_file(file: &Path) -> anyhow::Result<u64> {
    let shown = file.display();
    let metadata = fs::metadata(file).with_context(|| format!("read {shown}"))?;
    if metadata.is_dir() {
        bail!("{shown} is a directory; give it with --dir, and --recursive for all within it");
    }
    ensure!(metadata.is_file(), "{shown} is not a regular file");
    ensure!(
        metadata.len() > 0,
        "{shown} is empty: all empty files are the same, so a proof would say nothing; \
         leave it out"
    );
    File::open(file).with_context(|| format!("read {shown}"))?;
    Ok(metadata.len())
}

/// Drops files that are given twice; fails if two have one place for their proof.
fn each_once(targets: Vec<Target>) -> anyhow::Result<Vec<Target>> {
    let mut seen = BTreeSet::new();
    let mut proofs: BTreeMap<PathBuf, PathBuf> = BTreeMap::new();
    let mut kept = Vec::with_capacity(targets.len());
    for target in targets {
        let file = target.file.canonicalize();
        let file = file.with_context(|| format!("read {}", target.file.display()))?;
        if !seen.insert(file) {
            continue;
        }
        if let Some(other) = proofs.insert(target.proof.clone(), target.file.clone()) {
            bail!(
                "the proofs of {} and {} would both be {}; attest them into two directories",
                other.display(),
                target.file.display(),
                target.proof.display()
            );
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
            .and_then(|()| NamedTempFile::new_in(directory))
            .with_context(|| {
                let shown = directory.display();
                format!("write proofs into {shown}; another directory is chosen with --out")
            })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
