//! On what the figures were measured.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde::Serialize;

/// A machine and a checkout. What cannot be found out is empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Environment {
    /// Processors that this process may use.
    pub cores: usize,
    /// Their model.
    pub cpu_model: String,
    /// Memory, KiB.
    pub memory_kib: u64,
    /// Kernel release.
    pub kernel: String,
    /// Load averages before the first run.
    pub load_average: String,
    /// File system of the nodes' data; fsync costs nothing on tmpfs.
    pub file_system: String,
    /// Commit of the checkout, with `+` if files differ from it.
    pub commit: String,
    /// How the benchmark was called.
    pub arguments: Vec<String>,
}

impl Environment {
    /// Looks around; `data` is where the nodes' data will be, `checkout` a folder of it.
    pub fn read(data: &Path, checkout: &Path) -> Self {
        let file = |path: &str| fs::read_to_string(path).unwrap_or_default();
        Self {
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            cpu_model: field(&file("/proc/cpuinfo"), "model name").unwrap_or_default(),
            memory_kib: field(&file("/proc/meminfo"), "MemTotal")
                .and_then(|text| text.strip_suffix(" kB")?.parse().ok())
                .unwrap_or(0),
            kernel: file("/proc/sys/kernel/osrelease").trim().into(),
            load_average: file("/proc/loadavg").trim().into(),
            file_system: file_system(&file("/proc/self/mounts"), data).unwrap_or_default(),
            commit: commit(checkout).unwrap_or_default(),
            arguments: std::env::args().skip(1).collect(),
        }
    }
}

/// The value of the first `name : value` line.
fn field(text: &str, name: &str) -> Option<String> {
    let mut fields = text.lines().filter_map(|line| line.split_once(':'));
    fields.find_map(|(key, value)| (key.trim() == name).then(|| value.trim().into()))
}

/// Type of the file system with the longest mount point above `path`.
fn file_system(mounts: &str, path: &Path) -> Option<String> {
    let mounts = mounts.lines().filter_map(|line| {
        let mut fields = line.split(' ').skip(1);
        let (point, kind) = (Path::new(fields.next()?), fields.next()?);
        path.starts_with(point)
            .then_some((point.as_os_str().len(), kind))
    });
    mounts
        .max_by_key(|(length, _)| *length)
        .map(|(_, kind)| kind.into())
}

fn commit(checkout: &Path) -> Option<String> {
    let git = |arguments: &[&str]| {
        let output = Command::new("git")
            .arg("-C")
            .arg(checkout)
            .args(arguments)
            .output()
            .ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        output.status.success().then(|| text.trim().to_string())
    };
    let changed = git(&["status", "--porcelain"])?;
    let mark = if changed.is_empty() { "" } else { "+" };
    Some(git(&["rev-parse", "HEAD"])? + mark)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_a_field() {
        let text = "processor\t: 0\nmodel name\t: Some CPU: fast\nMemTotal:  12 kB\n";
        assert_eq!(field(text, "model name").as_deref(), Some("Some CPU: fast"));
        assert_eq!(field(text, "MemTotal").as_deref(), Some("12 kB"));
        assert_eq!(field(text, "model"), None);
    }

    #[test]
    fn takes_the_innermost_mount() {
        let mounts = "/dev/a / ext4 rw 0 0\ntmpfs /fast tmpfs rw 0 0\ntmpfs /t tmpfs rw 0 0\n";
        let check = |path: &str, expected: Option<&str>| {
            assert_eq!(
                file_system(mounts, Path::new(path)).as_deref(),
                expected,
                "{path}"
            );
        };
        check("/fast/bench", Some("tmpfs"));
        check("/fastfoo", Some("ext4"));
        check("relative", None);
    }
}
