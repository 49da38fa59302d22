//! One node as a process: started detached from the terminal, found again by its pid file.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{self, Signal};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

use crate::error::{NetworkError, failed};

/// Bytes at the end of a log that are searched for its last lines.
const TAIL_BYTES: u64 = 16 * 1024;
/// Lines of a log that an error shows.
const TAIL_LINES: usize = 15;

/// A process, told apart from a later one that got the same id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Process {
    pub(crate) pid: i32,
    /// Clock ticks after boot at which it started.
    started: u64,
}

impl Process {
    /// The process with this id, if there is one that has not ended.
    fn find(pid: i32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The second field, a name in parentheses, may hold anything.
        let mut fields = stat[stat.rfind(')')? + 1..].split_whitespace();
        let state = fields.next()?;
        let started = fields.nth(18)?.parse().ok()?;
        let ended = matches!(state, "Z" | "X" | "x");
        (!ended).then_some(Self { pid, started })
    }

    /// Whether it still runs.
    pub(crate) fn runs(&self) -> bool {
        Self::find(self.pid) == Some(*self)
    }

    /// Sends a signal, if it still runs.
    pub(crate) fn signal(&self, signal: Signal) {
        if self.runs() {
            // It may end at any moment; then there is nobody left to tell.
            signal::kill(Pid::from_raw(self.pid), signal).ok();
        }
    }
}

fn pid_file(home: &Path) -> PathBuf {
    home.join("node.pid")
}

fn log_file(home: &Path) -> PathBuf {
    home.join("node.log")
}

/// The running process of a home.
pub(crate) fn running(home: &Path) -> Option<Process> {
    let text = fs::read_to_string(pid_file(home)).ok()?;
    let process: Process = serde_json::from_str(&text).ok()?;
    process.runs().then_some(process)
}

/// Starts `binary node run --home HOME` in a process group of its own, so that Ctrl-C at this
/// terminal is not its concern.
pub(crate) fn spawn(binary: &Path, home: &Path) -> Result<Child, NetworkError> {
    let log = log_file(home);
    let open = || OpenOptions::new().create(true).append(true).open(&log);
    let child = Command::new(binary)
        .args(["node", "run", "--home"])
        .arg(home)
        .stdin(Stdio::null())
        .stdout(open().map_err(failed("open", &log))?)
        .stderr(open().map_err(failed("open", &log))?)
        .process_group(0)
        .spawn()
        .map_err(failed("start", binary))?;
    let pid = i32::try_from(child.id()).expect("Linux process ids are below 2^22");
    // One that ended already needs no pid file.
    if let Some(process) = Process::find(pid) {
        let file = pid_file(home);
        let text = serde_json::to_string(&process).expect("two numbers");
        fs::write(&file, text).map_err(failed("write", &file))?;
    }
    Ok(child)
}

/// The last lines of a node's log.
pub(crate) fn log_tail(home: &Path) -> String {
    let log = log_file(home);
    let read = || -> std::io::Result<Vec<u8>> {
        let mut file = File::open(&log)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
        let mut bytes = Vec::new();
        file.take(TAIL_BYTES).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    match read() {
        Ok(bytes) => {
            let text = String::from_utf8_lossy(&bytes);
            let lines: Vec<&str> = text.lines().collect();
            lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
        }
        Err(error) => format!("({}: {error})", log.display()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reused_process_id_is_somebody_else() {
        let home = tempfile::tempdir().unwrap();
        assert_eq!(running(home.path()), None);
        let own = Process::find(i32::try_from(std::process::id()).unwrap()).unwrap();
        let write = |process: &Process| {
            let text = serde_json::to_string(process).unwrap();
            fs::write(pid_file(home.path()), text).unwrap();
        };
        write(&own);
        assert_eq!(running(home.path()), Some(own));
        let earlier = Process {
            started: own.started - 1,
            ..own
        };
        write(&earlier);
        assert_eq!(running(home.path()), None);
        earlier.signal(Signal::SIGKILL); // We are still here.
        fs::write(pid_file(home.path()), "damaged").unwrap();
        assert_eq!(running(home.path()), None);
    }

    #[test]
    fn shows_the_end_of_a_log() {
        let home = tempfile::tempdir().unwrap();
        assert!(log_tail(home.path()).contains("No such file"));
        let lines: String = (0..5_000).map(|line| format!("line {line}\n")).collect();
        fs::write(log_file(home.path()), lines).unwrap();
        let tail = log_tail(home.path());
        assert!(
            tail.starts_with("line 4985\n") && tail.ends_with("line 4999"),
            "{tail}"
        );
        fs::write(log_file(home.path()), [0xff, b'\n']).unwrap();
        assert_eq!(log_tail(home.path()), "\u{fffd}");
    }
}
