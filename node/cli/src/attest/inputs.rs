//! Which files, and where their proofs go. Everything is checked before anything is sent.

mod patterns;
mod place;
mod walk;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use crate::digest::reading;
use crate::lang::{Language, SayContext, Sentence, demand, said};
use crate::proof;
use crate::report::note;
use crate::salt::{directory_of, is_there};
use crate::shown::PathShown;
use place::Place;

/// Files that one command attests.
const FILES_MAX: usize = 100_000;

/// What is left out that is named one by one; `--json` names all.
const NAMED_MAX: usize = 20;

/// What to attest.
#[derive(Debug, clap::Args)]
pub(super) struct Inputs {
    /// Files to attest.
    #[arg(value_name = "FILE", required_unless_present = "dir")]
    files: Vec<PathBuf>,
    /// Attest the files in this directory too, except proofs, salts and the key. Empty files,
    /// links, pipes, sockets and devices are skipped and named.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// With --dir: and those in the directories within it.
    #[arg(long, requires = "dir")]
    recursive: bool,
    /// With --dir: leave out what the pattern matches, as in a .gitignore: `*.log`, `/drafts/`. May
    /// be given several times; a file .tbsiignore in a directory has such patterns, one a line.
    #[arg(long, value_name = "GLOB", requires = "dir")]
    exclude: Vec<String>,
    /// Directory for the proofs and salts, made if absent; for one FILE also a name of the proof
    /// that ends in .json [default: next to each file].
    #[arg(long, value_name = "PATH")]
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

/// A file that is not attested, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LeftOut {
    pub(super) file: PathBuf,
    pub(super) why: Sentence,
}

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Collected {
    /// To attest, each once, in the order given.
    pub(super) targets: Vec<Target>,
    /// Nothing that could be attested.
    pub(super) skipped: Vec<LeftOut>,
    /// What should be attested and cannot be.
    pub(super) left_out: Vec<LeftOut>,
}

impl Inputs {
    /// All files, but not the `key`: who published its digest would only help others to recognise
    /// it. Says what is skipped, and which directories it makes; writes nothing else.
    pub(super) fn collect(&self, key: &Path, lang: Language) -> anyhow::Result<Collected> {
        let place = Place::of(self)?;
        let mut found = Collected::default();
        for file in &self.files {
            demand(!same_file(file, key), || {
                let file = file.shown();
                (
                    format!("{file} is the key; leave it out"),
                    format!("{file} 是金鑰；請略過它"),
                )
            })?;
            let no_name = || {
                let file = file.shown();
                said(
                    format!("{file} is no file name"),
                    format!("{file} 不是檔名"),
                )
            };
            let name = file.file_name().map(Path::new).ok_or_else(no_name)?;
            let target = place.target(file, name, check_file(file)?);
            if let Some((en, zh_tw)) = place::unnameable(&target) {
                return Err(said(en, zh_tw));
            }
            found.targets.push(target);
        }
        if let Some(dir) = &self.dir {
            walk::walk(self, dir, key, &place, &mut found, lang)?;
        }
        let count = found.targets.len();
        demand(count <= FILES_MAX, || {
            (
                format!(
                    "{count} files are given, at most {FILES_MAX} are allowed; give fewer at a time"
                ),
                format!("給了 {count} 個檔案，上限為 {FILES_MAX}；請分次存證"),
            )
        })?;
        found.targets = each_once(found.targets)?;
        say_skipped(&found.skipped, lang);
        make_directories(&found.targets, lang)?;
        Ok(found)
    }
}

/// What is skipped is said before anything is sent.
fn say_skipped(skipped: &[LeftOut], lang: Language) {
    for one in skipped.iter().take(NAMED_MAX) {
        let (shown, why) = (one.file.shown(), lang.pick(&one.why.0, &one.why.1));
        note(&lang.pick(
            format!("skipped: {shown}: {why}"),
            format!("未存證：{shown}：{why}"),
        ));
    }
    let more = skipped.len().saturating_sub(NAMED_MAX);
    if more > 0 {
        note(&lang.pick(
            format!("skipped: {more} more; --json lists all"),
            format!("未存證：另有 {more} 個；--json 會列出全部"),
        ));
    }
}

/// Whether two paths lead to one file.
fn same_file(one: &Path, other: &Path) -> bool {
    let of = |path: &Path| path.canonicalize().ok();
    of(one).is_some_and(|one| of(other) == Some(one))
}

/// Why an empty file is not attested.
fn is_empty() -> Sentence {
    (
        "it is empty: all empty files are the same, so a proof would say nothing".into(),
        "是空檔：空檔都相同，證明沒有意義".into(),
    )
}

/// Its length.
fn check_file(file: &Path) -> anyhow::Result<u64> {
    let shown = file.shown();
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
        let (en, zh_tw) = is_empty();
        (
            format!("{shown}: {en}; leave it out"),
            format!("{shown} {zh_tw}；請略過它"),
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
            let (one, other) = (target.file.shown(), other.shown());
            let proof = target.proof.shown();
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
fn make_directories(targets: &[Target], lang: Language) -> anyhow::Result<()> {
    let directories = targets.iter().map(|target| directory_of(&target.proof));
    for directory in directories.collect::<BTreeSet<_>>() {
        let shown = directory.shown();
        if !is_there(directory) {
            note(&lang.pick(
                format!("making directory {shown} for the proofs"),
                format!("建立證明的目錄 {shown}"),
            ));
        }
        fs::create_dir_all(directory)
            .and_then(|()| proof::unfinished_in(directory))
            .or_say(|| {
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
