//! What processes cost, from `/proc` and the file system.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use anyhow::Context;

/// `USER_HZ`, the unit of `/proc/PID/stat`, is 100 per second on every architecture that the
/// benchmark runs on.
const TICK_US: u64 = 10_000;

/// CPU time that a process used so far, user and system, microseconds.
fn cpu_us(pid: u32) -> anyhow::Result<u64> {
    let path = format!("/proc/{pid}/stat");
    let stat = fs::read_to_string(&path).with_context(|| format!("read {path}"))?;
    parse_cpu_us(&stat).with_context(|| format!("{path} has an unknown format: {stat}"))
}

fn parse_cpu_us(stat: &str) -> Option<u64> {
    // The second field, a name in parentheses, may hold anything.
    let mut fields = stat[stat.rfind(')')? + 1..].split_whitespace();
    let user: u64 = fields.nth(11)?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some((user + system) * TICK_US)
}

/// CPU time of several processes together, microseconds.
fn cpu_us_sum(pids: &[u32]) -> anyhow::Result<u64> {
    pids.iter().map(|pid| cpu_us(*pid)).sum()
}

/// CPU time that the whole machine spent on work so far, time stolen by its host included,
/// microseconds.
fn machine_cpu_us() -> anyhow::Result<u64> {
    let stat = fs::read_to_string("/proc/stat").context("read /proc/stat")?;
    parse_machine_cpu_us(&stat).context("/proc/stat has an unknown format")
}

fn parse_machine_cpu_us(stat: &str) -> Option<u64> {
    let line = stat.lines().next()?.strip_prefix("cpu ")?;
    let fields = line.split_whitespace().map(|field| field.parse().ok());
    let fields: Vec<u64> = fields.collect::<Option<_>>()?;
    // Neither idle nor iowait; what guests used is in user and nice already.
    let [user, nice, system, _, _, irq, softirq, steal, ..] = fields[..] else {
        return None;
    };
    Some((user + nice + system + irq + softirq + steal) * TICK_US)
}

/// CPU time used so far, or between two readings, microseconds.
pub struct Cpu {
    /// By all nodes of a chain.
    pub nodes_us: u64,
    /// By this process.
    pub generator_us: u64,
    machine_us: u64,
}

impl Cpu {
    /// Reads the counters; `pids` are the nodes.
    pub fn read(pids: &[u32]) -> anyhow::Result<Self> {
        Ok(Self {
            nodes_us: cpu_us_sum(pids)?,
            generator_us: cpu_us_sum(&[std::process::id()])?,
            machine_us: machine_cpu_us()?,
        })
    }

    /// What was used since an earlier reading.
    pub fn since(&self, before: &Self) -> Self {
        // The machine's counters may step back a tick; a process's do not.
        Self {
            nodes_us: self.nodes_us - before.nodes_us,
            generator_us: self.generator_us - before.generator_us,
            machine_us: self.machine_us.saturating_sub(before.machine_us),
        }
    }

    /// By everything else on the machine.
    pub fn other_us(&self) -> u64 {
        self.machine_us
            .saturating_sub(self.nodes_us + self.generator_us)
    }
}

/// Highest resident memory of a process so far, KiB.
pub fn peak_rss_kib(pid: u32) -> anyhow::Result<u64> {
    status_kib(pid, "VmHWM:")
}

fn status_kib(pid: u32, field: &str) -> anyhow::Result<u64> {
    let path = format!("/proc/{pid}/status");
    let status = fs::read_to_string(&path).with_context(|| format!("read {path}"))?;
    parse_kib(&status, field).with_context(|| format!("{path} has no {field}"))
}

fn parse_kib(status: &str, field: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

/// Resident memory of a process now, KiB.
pub fn rss_kib(pid: u32) -> anyhow::Result<u64> {
    status_kib(pid, "VmRSS:")
}

/// Bytes that the files below a directory take on disk. Files that vanish meanwhile, as a
/// database's do, take none.
pub fn disk_bytes(dir: &Path) -> anyhow::Result<u64> {
    let walk = || -> io::Result<u64> {
        let mut bytes = 0;
        let mut dirs = vec![dir.to_path_buf()];
        while let Some(dir) = dirs.pop() {
            for entry in fs::read_dir(&dir)? {
                let entry = entry?;
                match entry.metadata() {
                    Ok(file) if file.is_dir() => dirs.push(entry.path()),
                    Ok(file) => bytes += file.blocks() * 512,
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(bytes)
    };
    walk().with_context(|| format!("measure {}", dir.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_cpu_time_behind_a_confusing_name() {
        let stat = "12 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 250 50 0 0 20 0 1 0 99";
        assert_eq!(parse_cpu_us(stat), Some(3_000_000));
        assert_eq!(parse_cpu_us("12 (a) S 1"), None);
        assert_eq!(parse_cpu_us(""), None);
    }

    #[test]
    fn adds_up_the_work_of_the_machine() {
        let stat = "cpu  1 2 3 1000 1000 4 5 6 700 800\ncpu0 9 9 9 9 9 9 9 9 9 9\n";
        assert_eq!(parse_machine_cpu_us(stat), Some(210_000));
        assert_eq!(parse_machine_cpu_us("cpu  1 2 3"), None);
        machine_cpu_us().unwrap();
    }

    #[test]
    fn what_neither_nodes_nor_generator_used_is_others() {
        let reading = |nodes_us, generator_us, machine_us| Cpu {
            nodes_us,
            generator_us,
            machine_us,
        };
        let used = reading(50, 7, 100).since(&reading(20, 5, 10));
        assert_eq!((used.nodes_us, used.generator_us), (30, 2));
        assert_eq!(used.other_us(), 58);
        let stepped_back = reading(50, 7, 9).since(&reading(20, 5, 10));
        assert_eq!(stepped_back.other_us(), 0);
    }

    #[test]
    fn reads_memory() {
        let status = "Name:\tx\nVmHWM:\t  2048 kB\nVmRSS:\t 1 kB\n";
        assert_eq!(parse_kib(status, "VmHWM:"), Some(2_048));
        assert_eq!(parse_kib(status, "VmRSS:"), Some(1));
        assert_eq!(parse_kib("VmRSS: 1 kB", "VmHWM:"), None);
    }

    #[test]
    fn measures_this_process() {
        let own = std::process::id();
        assert!(peak_rss_kib(own).unwrap() > 0);
        cpu_us_sum(&[own, own]).unwrap();
        assert!(cpu_us(u32::MAX).is_err());
    }

    #[test]
    fn adds_up_the_files_of_a_directory() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("below")).unwrap();
        fs::write(dir.path().join("below/file"), [1; 100_000]).unwrap();
        let bytes = disk_bytes(dir.path()).unwrap();
        assert!((100_000..200_000).contains(&bytes), "{bytes}");
        assert!(disk_bytes(&dir.path().join("absent")).is_err());
    }
}
