//! Files, and what there is of each.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256, Sha384, Sha512};
use tbsi_light::archive::limits::{FILES_MAX, RECORD_BYTES_MAX, REPLY_BYTES_MAX};
use tbsi_light::archive::{ArchiveDigest, Basis, Digests, EvidenceRecord, Token, reply_token};
use walkdir::WalkDir;

use crate::lang::{Language, SayContext, demand, said};
use crate::report::note;
use crate::shown::PathShown;

/// What a record has behind the name of its file.
pub(super) const RECORD: &str = ".ers";
/// What a reply of RFC 3161 has.
const REPLY: &str = ".tsr";
/// Endings of what is about another file.
const ABOUT_OTHERS: &[&str] = &[RECORD, REPLY, ".tsq", ".ers.tmp"];
/// Bytes of a list of files.
const LIST_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Which files.
#[derive(Debug, clap::Args)]
pub(super) struct Selection {
    /// Files, and directories with all that is in them.
    #[arg(value_name = "PATH", required_unless_present = "list")]
    paths: Vec<PathBuf>,
    /// File with one path a line.
    #[arg(long, value_name = "FILE")]
    list: Option<PathBuf>,
}

impl Selection {
    /// In order, each once.
    pub(super) fn files(&self, lang: Language) -> anyhow::Result<Vec<PathBuf>> {
        let mut paths = self.paths.clone();
        if let Some(list) = &self.list {
            let bytes = read(list, LIST_BYTES_MAX)?;
            // A name is any bytes but these.
            let lines = bytes.split(|byte| matches!(byte, b'\n' | b'\r' | 0));
            let lines = lines.filter(|line| !line.is_empty());
            paths.extend(lines.map(|line| PathBuf::from(OsStr::from_bytes(line))));
        }
        let mut files = Vec::new();
        for path in paths {
            for entry in WalkDir::new(&path).sort_by_file_name() {
                let entry = entry.or_say(|| {
                    let path = path.shown();
                    (format!("look into {path}"), format!("檢視 {path}"))
                })?;
                let kind = entry.file_type();
                if kind.is_file() && !is_about_another(entry.path()) {
                    files.push(entry.into_path());
                } else if !kind.is_file() && !kind.is_dir() {
                    let path = entry.path().shown();
                    note(&lang.pick(
                        format!("skipped: {path}: it is not a regular file"),
                        format!("未處理：{path}：不是一般檔案"),
                    ));
                }
            }
        }
        files.sort();
        files.dedup();
        let count = files.len();
        demand((1..=FILES_MAX).contains(&count), || {
            (
                format!("{count} files, 1 to {FILES_MAX} are possible at a time"),
                format!("共 {count} 個檔案，一次可處理 1 至 {FILES_MAX} 個"),
            )
        })?;
        Ok(files)
    }
}

fn is_about_another(path: &Path) -> bool {
    let name = path.to_string_lossy();
    ABOUT_OTHERS.iter().any(|ending| name.ends_with(ending))
}

/// The path with something behind it.
pub(super) fn with(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    name.into()
}

/// What there is of a file.
pub(super) fn basis(file: &Path) -> anyhow::Result<Basis> {
    let (record, reply) = (with(file, RECORD), with(file, REPLY));
    if exists(&record)? {
        return Ok(Basis::Record(Box::new(read_record(&record)?)));
    }
    if exists(&reply)? {
        let bytes = read(&reply, REPLY_BYTES_MAX as u64)?;
        // Some software keeps the token without the reply around it.
        let token = reply_token(&bytes).or_else(|error| Token::parse(&bytes).map_err(|_| error));
        let token = token.or_say(|| named(&reply))?;
        return Ok(Basis::Record(Box::new(EvidenceRecord::of_token(token))));
    }
    Ok(Basis::File)
}

pub(super) fn read_record(path: &Path) -> anyhow::Result<EvidenceRecord> {
    let bytes = read(path, RECORD_BYTES_MAX as u64)?;
    EvidenceRecord::parse(&bytes).or_say(|| named(path))
}

fn named(path: &Path) -> (String, String) {
    let path = path.shown().to_string();
    (path.clone(), path)
}

/// Whether there is a file. A disk that does not say is an error.
fn exists(path: &Path) -> anyhow::Result<bool> {
    path.try_exists().or_say(|| {
        let path = path.shown();
        (format!("look for {path}"), format!("尋找 {path}"))
    })
}

fn read(path: &Path, bytes_max: u64) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(bytes_max + 1).read_to_end(&mut bytes))
        .or_say(|| {
            let path = path.shown();
            (format!("read {path}"), format!("讀取 {path}"))
        })?;
    demand(bytes.len() as u64 <= bytes_max, || {
        let path = path.shown();
        (
            format!("{path} has more than {bytes_max} bytes"),
            format!("{path} 超過 {bytes_max} 位元組"),
        )
    })?;
    Ok(bytes)
}

/// A file's digests by all algorithms, in one reading.
pub(super) fn digests(file: &Path) -> anyhow::Result<Digests> {
    let reading = || {
        let path = file.shown();
        (format!("read {path}"), format!("讀取 {path}"))
    };
    let mut source = File::open(file).or_say(reading)?;
    let (mut a, mut b, mut c) = (Sha256::new(), Sha384::new(), Sha512::new());
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let count = source.read(&mut buffer).or_say(reading)?;
        let Some(part) = buffer.get(..count).filter(|part| !part.is_empty()) else {
            break;
        };
        a.update(part);
        b.update(part);
        c.update(part);
    }
    Ok(Digests::from([
        (ArchiveDigest::Sha256, a.finalize().to_vec()),
        (ArchiveDigest::Sha384, b.finalize().to_vec()),
        (ArchiveDigest::Sha512, c.finalize().to_vec()),
    ]))
}

/// Where a file's record is while it is written.
fn unfinished(file: &Path) -> PathBuf {
    with(file, ".ers.tmp")
}

/// Puts all records into their places: none is there until all are written.
pub(super) fn write_all(records: &[(PathBuf, EvidenceRecord)]) -> anyhow::Result<()> {
    let writing = |path: &Path| {
        let path = path.shown();
        (format!("write {path}"), format!("寫入 {path}"))
    };
    for (file, record) in records {
        let path = unfinished(file);
        let written = File::create(&path).and_then(|mut out| {
            std::io::Write::write_all(&mut out, &record.encode())?;
            out.sync_all()
        });
        if let Err(error) = written {
            for (file, _) in records {
                // Some were not made; what matters is the first error.
                let _absent = fs::remove_file(unfinished(file));
            }
            return Err(error).or_say(|| writing(&path));
        }
    }
    for (file, _) in records {
        let (from, to) = (unfinished(file), with(file, RECORD));
        fs::rename(from, &to).or_say(|| writing(&to))?;
    }
    Ok(())
}

/// Fails if the file's record cannot have its name, before anything is asked for.
pub(super) fn check_nameable(file: &Path) -> anyhow::Result<()> {
    let path = unfinished(file);
    let found = fs::symlink_metadata(&path);
    let fits = !found.is_err_and(|error| error.kind() == ErrorKind::InvalidFilename);
    demand(fits, || {
        let path = path.shown();
        (
            format!(
                "the name {path} is too long for this file system; give the file a shorter one"
            ),
            format!("檔名 {path} 超過此檔案系統的上限；請縮短該檔案的名稱"),
        )
    })
}

/// That a file is what an error is about.
pub(super) fn about(file: &Path, error: impl Into<anyhow::Error>) -> anyhow::Error {
    crate::lang::wrap(error, named(file))
}

/// That nothing was asked for.
pub(super) fn nothing() -> anyhow::Error {
    said("nothing is due", "沒有到期的檔案")
}
