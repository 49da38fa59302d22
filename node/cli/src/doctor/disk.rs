//! The disk that a node writes to: what is free, and how long a synced write takes.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use tbsi_node::machine::{DiskSpace, disk_space};

use super::finding::{Check, Finding, Verdict, both};
use crate::lang::{Language, causes};
use crate::shown::PathShown;

/// Bytes that are to be free.
const FREE_WARNING: u64 = 20 << 30;
const FREE_BAD: u64 = 2 << 30;
/// One part in so many is to be free.
const FREE_PART: u64 = 10;

/// Synced writes that are measured, as large as what a signature costs.
const WRITES: usize = 15;
const WRITE_BYTES: usize = 4096;
/// A validator syncs a few times in a block, of which one may come each second.
const LATENCY_WARNING: Duration = Duration::from_millis(30);
const LATENCY_BAD: Duration = Duration::from_millis(200);

const GIB: u64 = 1 << 30;

/// What is free where the home's data are.
pub(super) fn space(data: &Path) -> Finding {
    match disk_space(nearest(data)) {
        Ok(found) => judge_space(found, data),
        Err(error) => unread(Check::DiskSpace, data, &error),
    }
}

/// How long a write to a new file there takes until it is synced; the file is removed.
pub(super) fn latency(data: &Path) -> Finding {
    match measure(nearest(data)) {
        Ok(took) => judge_latency(took),
        Err(error) => unread(Check::DiskLatency, data, &error),
    }
}

/// The directory, or the nearest one above that is there already.
fn nearest(path: &Path) -> &Path {
    let mut above = path.ancestors().filter(|it| !it.as_os_str().is_empty());
    above.find(|it| it.is_dir()).unwrap_or(Path::new("."))
}

fn unread(check: Check, data: &Path, error: &io::Error) -> Finding {
    let (shown, en, zh_tw) = (
        data.shown(),
        causes(error, Language::En),
        causes(error, Language::ZhTw),
    );
    Finding::of(
        check,
        Verdict::Bad,
        both(
            format!("{shown} cannot be used: {en}"),
            format!("無法使用 {shown}：{zh_tw}"),
        ),
        both(
            "run this as the user of the node, and give it that directory",
            "請以執行節點的使用者身分執行，並給予該目錄的權限",
        ),
    )
}

fn judge_space(found: DiskSpace, data: &Path) -> Finding {
    let DiskSpace { bytes, free } = found;
    let verdict = if free < FREE_BAD {
        Verdict::Bad
    } else if free < FREE_WARNING || free < bytes / FREE_PART {
        Verdict::Warning
    } else {
        Verdict::Good
    };
    let (free, bytes, shown) = (free / GIB, bytes / GIB, data.shown());
    let said = both(
        format!("{free} GiB of {bytes} GiB are free where {shown} is"),
        format!("{shown} 所在的檔案系統共 {bytes} GiB，剩餘 {free} GiB"),
    );
    if verdict == Verdict::Good {
        return Finding::good(Check::DiskSpace, said);
    }
    Finding::of(
        Check::DiskSpace,
        verdict,
        said,
        both(
            "make room or grow the file system before it is full: a node that cannot write stops. \
             The log is kept for ever; `store.preset` in config.toml bounds what else is",
            "請在寫滿前清出空間或擴充檔案系統：無法寫入的節點會停止。日誌永久保存；\
             config.toml 的 `store.preset` 可限制其他內容的用量",
        ),
    )
}

fn judge_latency(took: Duration) -> Finding {
    let verdict = if took >= LATENCY_BAD {
        Verdict::Bad
    } else if took >= LATENCY_WARNING {
        Verdict::Warning
    } else {
        Verdict::Good
    };
    let micros = took.as_micros();
    let (whole, tenths) = (micros / 1_000, micros % 1_000 / 100);
    let said = both(
        format!(
            "a write of {WRITE_BYTES} bytes is on the disk after {whole}.{tenths} ms (median of {WRITES})"
        ),
        format!("寫入 {WRITE_BYTES} 位元組並同步需 {whole}.{tenths} 毫秒（{WRITES} 次的中位數）"),
    );
    if verdict == Verdict::Good {
        return Finding::good(Check::DiskLatency, said);
    }
    Finding::of(
        Check::DiskLatency,
        verdict,
        said,
        both(
            "use a local SSD with power-loss protection, and look for what else writes there: a \
             validator syncs before each vote",
            "請改用具斷電保護的本機 SSD，並檢查是否有其他程式大量寫入：驗證者每次投票前都要同步磁碟",
        ),
    )
}

fn measure(dir: &Path) -> io::Result<Duration> {
    let path = dir.join(format!(".tbsi-doctor-{}", std::process::id()));
    let outcome = writes(&path);
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => outcome,
    }
}

fn writes(path: &Path) -> io::Result<Duration> {
    let mut file = File::options().write(true).create_new(true).open(path)?;
    let bytes = [0x5a; WRITE_BYTES];
    let mut took = Vec::with_capacity(WRITES);
    for _ in 0..WRITES {
        let started = Instant::now();
        file.write_all(&bytes)?;
        file.sync_data()?;
        took.push(started.elapsed());
    }
    took.sort_unstable();
    Ok(took[WRITES / 2])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn space_is_judged_by_what_is_free() {
        let check = |bytes: u64, free: u64, verdict: Verdict| {
            let found = DiskSpace {
                bytes: bytes * GIB,
                free: free * GIB,
            };
            let finding = judge_space(found, Path::new("home/data"));
            assert_eq!(finding.verdict, verdict, "{}", finding.said());
        };
        check(100, 50, Verdict::Good);
        check(1_000, 99, Verdict::Warning);
        check(100, 19, Verdict::Warning);
        check(100, 1, Verdict::Bad);
        check(0, 0, Verdict::Bad);
    }

    #[test]
    fn latency_is_judged_by_what_a_vote_waits_for() {
        let check = |ms: u64, verdict: Verdict| {
            assert_eq!(judge_latency(Duration::from_millis(ms)).verdict, verdict);
        };
        check(0, Verdict::Good);
        check(30, Verdict::Warning);
        check(200, Verdict::Bad);
        let said = judge_latency(Duration::from_micros(1_250));
        assert!(said.said().contains("after 1.2 ms"), "{}", said.said());
    }

    #[test]
    fn a_disk_is_measured_and_left_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data/db");
        assert_eq!(latency(&data).check, Check::DiskLatency);
        assert!(latency(&data).said().contains("is on the disk after"));
        assert!(space(&data).said().contains("are free where"));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
        assert_eq!(nearest(Path::new("nowhere/at/all")), Path::new("."));
    }
}
