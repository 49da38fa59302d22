//! The files of a directory.

use std::fs::FileType;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

use walkdir::{DirEntry, WalkDir};

use super::patterns::{IGNORE_FILE, Patterns};
use super::place::{Place, unnameable};
use super::{Collected, FILES_MAX, Inputs, LeftOut, check_file, is_empty, same_file, say_skipped};
use crate::lang::{Language, SayContext, Sentence, demand, said, wrap};
use crate::shown::PathShown;
use crate::{proof, salt};

/// Directories within directories.
const DEPTH_MAX: usize = 64;

/// Adds what is in `dir` to what was found.
pub(super) fn walk(
    inputs: &Inputs,
    dir: &Path,
    key: &Path,
    place: &Place,
    found: &mut Collected,
    lang: Language,
) -> anyhow::Result<()> {
    demand(!dir.is_file(), || {
        let dir = dir.shown();
        (
            format!("{dir} is a file; give it without --dir"),
            format!("{dir} 是檔案；請不要加 --dir"),
        )
    })?;
    let before = found.targets.len();
    let out = place.directory().and_then(|out| out.canonicalize().ok());
    // Proofs of an earlier run are not attested.
    let is_out = |path: &Path| out.is_some() && out == path.canonicalize().ok();
    let mut patterns = Patterns::new(dir, &inputs.exclude)?;
    let walk = WalkDir::new(dir).sort_by_file_name().max_depth(DEPTH_MAX);
    let mut walk = walk.into_iter();
    while let Some(entry) = walk.next() {
        let entry = entry.map_err(|error| unreadable(dir, error))?;
        let (kind, depth) = (entry.file_type(), entry.depth());
        let left_out = depth > 0 && patterns.leave_out(entry.path(), kind.is_dir());
        if kind.is_dir() {
            if left_out || depth > 0 && is_out(entry.path()) {
                walk.skip_current_dir();
                continue;
            }
            check_directory(inputs, &entry)?;
            patterns.enter(entry.path())?;
        }
        if left_out || kind.is_dir() {
            continue;
        }
        let path = entry.path();
        if let Some(why) = skipped(path, kind, key)? {
            let file = path.into();
            found.skipped.push(LeftOut { file, why });
            continue;
        }
        if !is_ours(path) {
            let name = path.strip_prefix(dir).unwrap_or(path);
            let target = place.target(path, name, check_file(path)?);
            match unnameable(&target) {
                None => found.targets.push(target),
                Some(why) => {
                    let file = target.file;
                    found.left_out.push(LeftOut { file, why });
                }
            }
        }
        demand(found.targets.len() <= FILES_MAX, || too_many(dir))?;
    }
    let nothing = found.targets.len() == before && found.left_out.is_empty();
    if nothing {
        // Otherwise it is said later, when all is known.
        say_skipped(&found.skipped, lang);
    }
    demand(!nothing, || {
        let dir = dir.shown();
        (
            format!("{dir} has no file to attest"),
            format!("{dir} 沒有可存證的檔案"),
        )
    })
}

fn too_many(dir: &Path) -> Sentence {
    let dir = dir.shown();
    (
        format!("{dir} has more than {FILES_MAX} files; attest its directories one by one"),
        format!("{dir} 的檔案超過 {FILES_MAX} 個；請逐一存證其下的目錄"),
    )
}

/// Why it is nothing to attest, although somebody may think so.
fn skipped(path: &Path, kind: FileType, key: &Path) -> anyhow::Result<Option<Sentence>> {
    let why = |en: &str, zh_tw: &str| Ok(Some((en.to_owned(), zh_tw.to_owned())));
    if kind.is_symlink() {
        return why("it is a symbolic link", "是符號連結");
    }
    if kind.is_fifo() {
        return why(
            "it is a pipe, not a regular file",
            "是具名管道，不是一般檔案",
        );
    }
    if kind.is_socket() {
        return why(
            "it is a socket, not a regular file",
            "是 socket，不是一般檔案",
        );
    }
    if !kind.is_file() {
        return why("it is a device, not a regular file", "是裝置，不是一般檔案");
    }
    if same_file(path, key) {
        return why("it is the key", "是金鑰");
    }
    let length = path
        .metadata()
        .or_say(|| crate::digest::reading(path))?
        .len();
    Ok((length == 0 && !is_ours(path)).then(is_empty))
}

fn check_directory(inputs: &Inputs, entry: &DirEntry) -> anyhow::Result<()> {
    let path = entry.path().shown();
    demand(inputs.recursive || entry.depth() == 0, || {
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

fn unreadable(dir: &Path, error: walkdir::Error) -> anyhow::Error {
    let path = error.path().unwrap_or(dir).shown();
    let sentence = (format!("read directory {path}"), format!("讀取目錄 {path}"));
    // Links are not followed, so there are no loops, which is what has no cause.
    match error.into_io_error() {
        Some(cause) => wrap(cause, sentence),
        None => said(sentence.0, sentence.1),
    }
}

fn is_ours(path: &Path) -> bool {
    let name = path.as_os_str().as_bytes();
    let ours = [proof::EXTENSION, salt::EXTENSION, proof::UNFINISHED];
    ours.iter().any(|end| name.ends_with(end.as_bytes()))
        || path.file_name().is_some_and(|name| name == IGNORE_FILE)
}
