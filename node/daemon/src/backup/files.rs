//! Copying files, each with its SHA-256, onto a disk that may be full.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use ring::digest::{Context, SHA256};
use tbsi_types::B256;

use super::CopyProgress;
use super::error::{BackupError, failed};
use super::manifest::BackupFile;
use crate::limits::COPY_BUFFER_BYTES;
use crate::machine::disk_space;

/// Room that is to be left free beside what is copied, bytes.
const SPARE_BYTES: u64 = 64 * 1024 * 1024;

/// A directory that is removed with this value unless it is kept.
pub(crate) struct Draft {
    dir: PathBuf,
    kept: bool,
}

impl Draft {
    /// Makes it, for its owner alone.
    pub(crate) fn make(dir: PathBuf) -> Result<Self, BackupError> {
        make_dir(&dir)?;
        Ok(Self { dir, kept: false })
    }

    /// Where it is.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Gives it its name, durably.
    pub(crate) fn keep(mut self, to: &Path) -> Result<(), BackupError> {
        fs::rename(&self.dir, to).map_err(failed("give its name to", to))?;
        self.kept = true;
        tbsi_keys::disk::sync_directory(to).map_err(failed("sync the directory of", to))
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.kept {
            // What cannot be removed is named by the next attempt.
            fs::remove_dir_all(&self.dir).ok();
        }
    }
}

pub(crate) fn make_dir(dir: &Path) -> Result<(), BackupError> {
    let mut builder = DirBuilder::new();
    let made = builder.recursive(true).mode(0o700).create(dir);
    made.map_err(failed("create", dir))
}

/// Fails unless `bytes` fit where `path` is to be.
pub(crate) fn require_room(path: &Path, bytes: u64) -> Result<(), BackupError> {
    let mut above = path.ancestors().filter(|it| !it.as_os_str().is_empty());
    let there = above.find(|it| it.is_dir()).unwrap_or(Path::new("."));
    let free = disk_space(there)
        .map_err(failed("look at the room of", there))?
        .free;
    let needed = bytes.saturating_add(SPARE_BYTES);
    if free >= needed {
        return Ok(());
    }
    Err(BackupError::Room {
        path: path.into(),
        needed,
        free,
    })
}

/// Names of all files below a directory, in order; fails if something else is there.
pub(crate) fn listed(dir: &Path) -> Result<Vec<String>, BackupError> {
    let mut names = Vec::new();
    let mut open = vec![String::new()];
    while let Some(below) = open.pop() {
        let path = dir.join(&below);
        for entry in fs::read_dir(&path).map_err(failed("list", &path))? {
            let entry = entry.map_err(failed("list", &path))?;
            let unnamed = |problem: &str| BackupError::File {
                path: entry.path(),
                problem: problem.into(),
            };
            let name = entry.file_name().into_string();
            let name = name.map_err(|_| unnamed("its name is no text"))?;
            let name = match below.as_str() {
                "" => name,
                below => format!("{below}/{name}"),
            };
            let kind = entry.file_type().map_err(failed("look at", entry.path()))?;
            if kind.is_dir() {
                open.push(name);
            } else if kind.is_file() {
                names.push(name);
            } else {
                return Err(unnamed("it is neither a file nor a directory"));
            }
        }
    }
    names.sort();
    Ok(names)
}

/// Reads a file to its end; each piece goes to `take`.
fn digest(
    path: &Path,
    mut take: impl FnMut(&[u8]) -> Result<(), BackupError>,
) -> Result<(u64, B256), BackupError> {
    let mut file = File::open(path).map_err(failed("open", path))?;
    let mut buffer = vec![0; COPY_BUFFER_BYTES];
    let (mut bytes, mut context) = (0, Context::new(&SHA256));
    loop {
        let read = match file.read(&mut buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read.map_err(failed("read", path))?,
        };
        if read == 0 {
            let digest = context.finish();
            return Ok((bytes, B256::from_slice(digest.as_ref())));
        }
        bytes += read as u64;
        context.update(&buffer[..read]);
        take(&buffer[..read])?;
    }
}

/// Copies a file, durably; returns its size and SHA-256.
pub(crate) fn copy(
    from: &Path,
    to: &Path,
    mut progress: impl FnMut(u64),
) -> Result<(u64, B256), BackupError> {
    if let Some(above) = to.parent() {
        make_dir(above)?;
    }
    let mut options = OpenOptions::new();
    let made = options.write(true).create_new(true).mode(0o600).open(to);
    let mut file = made.map_err(failed("create", to))?;
    let found = digest(from, |piece| {
        progress(piece.len() as u64);
        file.write_all(piece).map_err(failed("write", to))
    })?;
    file.sync_all().map_err(failed("write", to))?;
    Ok(found)
}

/// Copies the files of a backup from one directory to another, each of which must be as stated.
pub(crate) fn copy_stated<'a>(
    files: impl Iterator<Item = (&'a BackupFile, PathBuf)>,
    from: &Path,
    total: u64,
    progress: &mut CopyProgress<'_>,
) -> Result<(), BackupError> {
    let mut done = 0;
    for (file, to) in files {
        let path = from.join(&file.path);
        let found = copy(&path, &to, |bytes| {
            done += bytes;
            progress(done, total);
        })?;
        check(file, &path, found)?;
    }
    Ok(())
}

/// Reads the files of a backup, which must be as stated, and no others.
pub(crate) fn check_all(
    files: &[BackupFile],
    dir: &Path,
    progress: &mut CopyProgress<'_>,
) -> Result<(), BackupError> {
    let mut there = listed(dir)?;
    there.retain(|name| name != "manifest.json");
    for name in &there {
        if !files.iter().any(|file| file.path == *name) {
            return Err(BackupError::File {
                path: dir.join(name),
                problem: "the manifest does not name it: it is no part of the backup".into(),
            });
        }
    }
    let total = files.iter().map(|file| file.bytes).sum();
    let mut done = 0;
    for file in files {
        let path = dir.join(&file.path);
        let found = digest(&path, |piece| {
            done += piece.len() as u64;
            progress(done, total);
            Ok(())
        })?;
        check(file, &path, found)?;
    }
    Ok(())
}

/// Fails unless a file is as stated.
pub(crate) fn check_file(file: &BackupFile, path: &Path) -> Result<(), BackupError> {
    check(file, path, digest(path, |_| Ok(()))?)
}

/// The same path with something behind its last part.
pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_os_string();
    name.push(suffix);
    name.into()
}

fn check(file: &BackupFile, path: &Path, (bytes, sha256): (u64, B256)) -> Result<(), BackupError> {
    let problem = if bytes != file.bytes {
        format!(
            "it has {bytes} bytes, {} are stated; use another copy",
            file.bytes
        )
    } else if sha256 != file.sha256 {
        format!(
            "its SHA-256 is {sha256}, stated is {}; use another copy",
            file.sha256
        )
    } else {
        return Ok(());
    };
    Err(BackupError::File {
        path: path.into(),
        problem,
    })
}
