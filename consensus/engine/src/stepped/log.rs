//! The engine's write-ahead log on a file that forgets what was not synced.

use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_malachitebft_app_channel::app::wal::Storage;
use arc_malachitebft_app_channel::app::wal::log::Log;
use tbsi_types::Height;

/// A file in memory, with what of it is durable.
#[derive(Clone, Debug, Default)]
pub struct CrashFile(Arc<Mutex<Contents>>);

#[derive(Debug, Default)]
struct Contents {
    now: Vec<u8>,
    durable: Vec<u8>,
    lies: bool,
    full: bool,
    /// At this height it is not to be replayed; always durable.
    forgotten: Option<Height>,
}

impl Contents {
    fn check_room(&self) -> io::Result<()> {
        if self.full {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }
}

impl CrashFile {
    fn contents(&self) -> MutexGuard<'_, Contents> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes every later sync a lie.
    pub fn lie(&self) {
        self.contents().lies = true;
    }

    /// Makes every later write and sync fail, until the next crash.
    pub fn fill(&self) {
        self.contents().full = true;
    }

    /// The power goes: `after` says what is left, from what was durable and what was written.
    pub fn crash(&self, after: impl FnOnce(&[u8], &[u8]) -> Vec<u8>) {
        let mut contents = self.contents();
        let left = after(&contents.durable, &contents.now);
        contents.durable.clone_from(&left);
        contents.now = left;
        contents.full = false;
    }
}

/// A file that is open.
#[derive(Debug)]
struct Open {
    file: CrashFile,
    position: usize,
}

fn index(position: u64) -> usize {
    usize::try_from(position).unwrap_or(usize::MAX)
}

impl Read for Open {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let contents = self.file.contents();
        let from = self.position.min(contents.now.len());
        let mut rest = &contents.now[from..];
        let read = rest.read(into)?;
        self.position = from + read;
        Ok(read)
    }
}

impl Write for Open {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut contents = self.file.contents();
        contents.check_room()?;
        let end = self.position + bytes.len();
        if contents.now.len() < end {
            contents.now.resize(end, 0);
        }
        contents.now[self.position..end].copy_from_slice(bytes);
        self.position = end;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Open {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let length = self.file.contents().now.len() as u64;
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::End(offset) => length.checked_add_signed(offset),
            SeekFrom::Current(offset) => (self.position as u64).checked_add_signed(offset),
        };
        let position = position.ok_or(io::ErrorKind::InvalidInput)?;
        self.position = index(position);
        Ok(position)
    }
}

impl Storage for Open {
    type OpenOptions = CrashFile;

    fn open_with(_: impl AsRef<Path>, file: CrashFile) -> io::Result<Self> {
        Ok(Self { file, position: 0 })
    }

    fn size_bytes(&self) -> io::Result<u64> {
        Ok(self.file.contents().now.len() as u64)
    }

    fn truncate_to(&mut self, size: u64) -> io::Result<()> {
        self.file.contents().now.resize(index(size), 0);
        Ok(())
    }

    fn sync_all(&mut self) -> io::Result<()> {
        let mut contents = self.file.contents();
        contents.check_room()?;
        if !contents.lies {
            contents.durable = contents.now.clone();
        }
        Ok(())
    }
}

/// The log, as the engine's log actor keeps it.
#[derive(Debug)]
pub(super) struct CrashLog {
    log: Log<Open>,
    file: CrashFile,
    /// The height that runs, if one does.
    height: Option<Height>,
}

impl CrashLog {
    pub(super) fn open(file: CrashFile) -> io::Result<Self> {
        let log = Log::open_with("in memory", file.clone())?;
        let height = None;
        Ok(Self { log, file, height })
    }

    /// The entries of this height that a run before this one left, or an empty log.
    pub(super) fn start(&mut self, height: Height) -> io::Result<Vec<Vec<u8>>> {
        if self.height.replace(height) == Some(height) {
            return Ok(Vec::new());
        }
        let forgotten = self.file.contents().forgotten == Some(height);
        if self.log.sequence() != height.0 || forgotten {
            self.log.reset(height.0)?;
            return Ok(Vec::new());
        }
        if self.log.is_empty() {
            return Ok(Vec::new());
        }
        self.log.iter()?.collect()
    }

    /// What stands in it at this height is not what the core would derive.
    pub(super) fn forget(&self, height: Height) {
        self.file.contents().forgotten = Some(height);
    }

    pub(super) fn reset(&mut self, height: Height) -> io::Result<()> {
        self.height = Some(height);
        self.log.reset(height.0)
    }

    /// Ignores an entry of another height, as the engine does.
    pub(super) fn append(&mut self, height: Height, entry: &[u8]) -> io::Result<()> {
        if self.height == Some(height) {
            self.log.append(entry)?;
        }
        Ok(())
    }

    pub(super) fn sync(&mut self) -> io::Result<()> {
        self.log.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crash_forgets_what_was_not_synced() {
        let file = CrashFile::default();
        let mut log = CrashLog::open(file.clone()).unwrap();
        assert!(log.start(Height(3)).unwrap().is_empty());
        log.append(Height(3), b"first").unwrap();
        log.sync().unwrap();
        log.append(Height(3), b"second").unwrap();
        file.crash(|durable, now| now[..durable.len() + 7].to_vec());
        let mut log = CrashLog::open(file.clone()).unwrap();
        assert_eq!(log.start(Height(3)).unwrap(), [b"first".to_vec()]);
        log.append(Height(3), b"third").unwrap();
        log.append(Height(4), b"of another height").unwrap();
        file.lie();
        log.sync().unwrap();
        file.crash(|durable, _| durable.to_vec());
        let mut log = CrashLog::open(file).unwrap();
        assert_eq!(log.start(Height(3)).unwrap(), [b"first".to_vec()]);
        assert!(log.start(Height(4)).unwrap().is_empty());
    }
}
