//! Metrics of the process and of the disk that it writes to.

use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicU64;

use nix::sys::resource::{Resource, getrlimit};
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::clock::wall_clock;
use crate::machine::{DiskSpace, disk_space};

/// What the kernel says, as of the last look.
#[derive(Debug, Default)]
pub(crate) struct ProcessMetrics {
    started_ms: Gauge<u64, AtomicU64>,
    files: Gauge<u64, AtomicU64>,
    files_max: Gauge<u64, AtomicU64>,
    memory: Gauge<u64, AtomicU64>,
    disk: Gauge<u64, AtomicU64>,
    disk_free: Gauge<u64, AtomicU64>,
}

impl ProcessMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        let mut gauge = |name: &str, help: &str, gauge: &Gauge<u64, AtomicU64>| {
            registry.register(name, help, gauge.clone());
        };
        let help = "When the node started, milliseconds since 1970";
        gauge("process_started_ms", help, &self.started_ms);
        let help = "Files and connections that the process has open";
        gauge("process_open_files", help, &self.files);
        let help = "How many it may have open (RLIMIT_NOFILE)";
        gauge("process_open_files_max", help, &self.files_max);
        let help = "Resident memory of the process";
        gauge("process_memory_bytes", help, &self.memory);
        let help = "Size of the file system that holds the home's data";
        gauge("disk_bytes", help, &self.disk);
        let help = "Bytes of it that are free for this process";
        gauge("disk_free_bytes", help, &self.disk_free);
    }

    /// Notes that the node starts now.
    pub(crate) fn start(&self) {
        self.started_ms.set(wall_clock().0);
    }

    /// Asks the kernel. What it does not say stays as it was.
    pub(crate) fn look(&self, data: &Path) {
        if let Ok(open) = fs::read_dir("/proc/self/fd") {
            self.files.set(open.count() as u64);
        }
        if let Ok((soft, _)) = getrlimit(Resource::RLIMIT_NOFILE) {
            self.files_max.set(soft);
        }
        let status = fs::read_to_string("/proc/self/status");
        if let Some(bytes) = status.ok().as_deref().and_then(resident_bytes) {
            self.memory.set(bytes);
        }
        if let Ok(DiskSpace { bytes, free }) = disk_space(data) {
            self.disk.set(bytes);
            self.disk_free.set(free);
        }
    }
}

/// `VmRSS:    1234 kB`.
fn resident_bytes(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1_024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_says_what_this_process_uses() {
        let metrics = ProcessMetrics::default();
        metrics.start();
        metrics.look(&std::env::temp_dir());
        assert!(metrics.files.get() > 2);
        assert!(metrics.files_max.get() >= metrics.files.get());
        assert!(metrics.memory.get() > 1_000_000);
        assert!(metrics.disk.get() >= metrics.disk_free.get());
        assert!(metrics.disk.get() > 0 && metrics.started_ms.get() > 0);
        assert_eq!(resident_bytes("Name: x\nVmRSS:\t   12 kB\n"), Some(12_288));
        for bad in ["", "VmRSS: 12", "VmRSS: x kB"] {
            assert_eq!(resident_bytes(bad), None);
        }
    }
}
