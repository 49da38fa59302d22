//! Cosigns the checkpoints of other logs: the witness of C2SP tlog-witness (SPEC §9.7). Of each
//! log it keeps the last checkpoint that it cosigned, on disk before the signature leaves, and
//! signs nothing that does not continue it.

pub(crate) mod submit;

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder};
use std::io::{self, ErrorKind};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tbsi_home::config::WitnessedConfig;
use tbsi_keys::disk;
use tbsi_light::{LogError, verify_consistency};
use tbsi_rpc::Witnessing;
use tbsi_types::log::note::NoteError;
use tbsi_types::log::{AddCheckpoint, ConsistencyProof, LogCheckpoint, NoteSigner, NoteVerifier};
use tbsi_types::{TreeSize, sha256};

/// Bytes of a checkpoint's text: a name, a number and a root.
const STATE_BYTES_MAX: u64 = 512;

/// Why a witness cannot start, or cannot keep what it signed.
#[derive(Debug, thiserror::Error)]
pub enum WitnessError {
    /// The file is not what this node wrote.
    #[error(
        "witness state {file}: {problem}. It says which checkpoint was cosigned last: restore \
         it, or ask the log's operator which one that was, and remove it only if that log is new",
        file = file.display()
    )]
    Damaged {
        /// Its path.
        file: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// A network does not witness itself from outside.
    #[error(
        "config.toml, key `attestation_log.witnessed[{0}]`: this is the node's own log; its \
         validators cosign it without being told"
    )]
    OwnLog(usize),
    /// The disk.
    #[error("{operation} witness state {path}", path = path.display())]
    Io {
        /// What was being done.
        operation: &'static str,
        /// On what.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
}

/// The logs that this node cosigns.
pub struct WitnessedLogs {
    signer: Arc<NoteSigner>,
    logs: BTreeMap<String, WitnessedLog>,
}

/// One of them.
struct WitnessedLog {
    keys: Vec<NoteVerifier>,
    file: PathBuf,
    /// What was cosigned last. Held from the comparison to the signature, so that two requests
    /// cannot both continue it.
    last: Mutex<Option<LogCheckpoint>>,
}

fn failed(operation: &'static str, path: &Path) -> impl FnOnce(io::Error) -> WitnessError + use<> {
    let path = path.to_path_buf();
    move |source| WitnessError::Io {
        operation,
        path,
        source,
    }
}

impl WitnessedLogs {
    /// Reads what was cosigned so far. `dir` is made if there is something to keep in it; `own`
    /// is the origin of the node's own log.
    pub fn open(
        dir: &Path,
        witnessed: &[WitnessedConfig],
        own: &str,
        signer: Arc<NoteSigner>,
    ) -> Result<Self, WitnessError> {
        let mut logs: BTreeMap<String, WitnessedLog> = BTreeMap::new();
        for (index, entry) in witnessed.iter().enumerate() {
            let key = NoteVerifier::parse(&entry.key).expect("the configuration was checked");
            let origin = entry.origin.as_deref().unwrap_or(key.name()).to_owned();
            if origin == own {
                return Err(WitnessError::OwnLog(index));
            }
            if let Some(log) = logs.get_mut(&origin) {
                log.keys.push(key);
                continue;
            }
            let name = alloy_primitives::hex::encode(sha256(&[origin.as_bytes()]));
            let file = dir.join(format!("{name}.checkpoint"));
            let last = Mutex::new(read(&file, &origin)?);
            let keys = vec![key];
            logs.insert(origin, WitnessedLog { keys, file, last });
        }
        if !logs.is_empty() {
            let made = DirBuilder::new().recursive(true).mode(0o700).create(dir);
            made.map_err(failed("create the directory of", dir))?;
        }
        Ok(Self { signer, logs })
    }

    /// Answers a request, at a time in seconds since the Unix epoch. An error is this node's
    /// fault, and nothing was signed.
    pub fn add(&self, request: &str, seconds: u64) -> Result<Witnessing, WitnessError> {
        let request = match AddCheckpoint::parse(request) {
            Ok(request) => request,
            Err(error) => return Ok(Witnessing::Malformed(error.to_string())),
        };
        let text = request.note.text();
        let origin = text.split('\n').next().unwrap_or_default();
        let Some(log) = self.logs.get(origin) else {
            return Ok(Witnessing::UnknownOrigin);
        };
        if !log.has_signed(&request) {
            return Ok(Witnessing::NotSigned);
        }
        let checkpoint = match LogCheckpoint::parse(text) {
            Ok(checkpoint) => checkpoint,
            Err(error) => return Ok(Witnessing::Malformed(error.to_string())),
        };
        let mut last = log.last();
        if let Some(refusal) = refusal(last.as_ref(), &request, &checkpoint) {
            return Ok(refusal);
        }
        if last.as_ref() != Some(&checkpoint) {
            let written = disk::replace(&log.file, text.as_bytes());
            written.map_err(failed("write", &log.file))?;
            *last = Some(checkpoint);
        }
        // Under the lock still: times do not run backwards between two checkpoints.
        let line = self.signer.cosign(text, seconds);
        let line = line.expect("the clock is below 2^63 seconds");
        Ok(Witnessing::Cosigned(line.line()))
    }
}

impl WitnessedLog {
    fn last(&self) -> MutexGuard<'_, Option<LogCheckpoint>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether one of the log's keys signed; signatures of others count for nothing.
    fn has_signed(&self, request: &AddCheckpoint) -> bool {
        let note = &request.note;
        let good = |key: &NoteVerifier| {
            let mut lines = note.signatures().iter().filter(|line| key.claims(line));
            lines.any(|line| key.verify(note.text(), line).is_ok())
        };
        self.keys.iter().any(good)
    }
}

/// Why a checkpoint of a known log, which it signed, is not cosigned. In the order of C2SP.
fn refusal(
    last: Option<&LogCheckpoint>,
    request: &AddCheckpoint,
    checkpoint: &LogCheckpoint,
) -> Option<Witnessing> {
    let (old, size) = (request.old, checkpoint.size);
    if old > size {
        let sentence = format!("old size {old} is above the checkpoint's size {size}");
        return Some(Witnessing::Malformed(sentence));
    }
    let known = last.map_or(TreeSize(0), |last| last.size);
    if old != known {
        return Some(Witnessing::Conflict(known));
    }
    let continues = match last {
        Some(last) if old == size => {
            if last.root != checkpoint.root {
                return Some(Witnessing::Conflict(known));
            }
            empty(&request.proof)
        }
        Some(last) if known.0 > 0 => verify_consistency(
            (last.size, last.root),
            (size, checkpoint.root),
            &request.proof,
        )
        .map_err(|error: LogError| error.to_string()),
        // The empty log begins every log.
        Some(_) | None => empty(&request.proof).and_then(|()| empty_root(checkpoint)),
    };
    continues.err().map(Witnessing::Inconsistent)
}

fn empty(proof: &ConsistencyProof) -> Result<(), String> {
    if proof.0.is_empty() {
        return Ok(());
    }
    Err("there is nothing to prove between these sizes, and yet there is a proof".into())
}

fn empty_root(checkpoint: &LogCheckpoint) -> Result<(), String> {
    let wrong = checkpoint.size.0 == 0 && checkpoint.root != sha256(&[]);
    if wrong {
        return Err("the root of an empty log is another".into());
    }
    Ok(())
}

fn read(file: &Path, origin: &str) -> Result<Option<LogCheckpoint>, WitnessError> {
    let length = match fs::metadata(file) {
        Ok(metadata) => metadata.len(),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed("open", file)(error)),
    };
    let damaged = |problem: String| WitnessError::Damaged {
        file: file.into(),
        problem,
    };
    if length > STATE_BYTES_MAX {
        return Err(damaged(format!(
            "{length} bytes, at most {STATE_BYTES_MAX} are possible"
        )));
    }
    let text = fs::read_to_string(file).map_err(failed("read", file))?;
    let parsed = LogCheckpoint::parse(&text);
    let checkpoint = parsed.map_err(|error: NoteError| damaged(error.to_string()))?;
    if checkpoint.origin != origin {
        let problem = format!("it is of log `{}`, not `{origin}`", checkpoint.origin);
        return Err(damaged(problem));
    }
    Ok(Some(checkpoint))
}

#[cfg(test)]
mod tests;
