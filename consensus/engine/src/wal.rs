//! Consensus' write-ahead log, looked at before the engine opens it (SPEC §6.4).
//!
//! The engine takes its file for whole: with a header that is cut short it does not start, and an
//! entry that cannot be read makes it hang until somebody acts. So a damaged end is cut off here.
//! What a crash can take was never synced, and whatever this validator said was synced before it
//! was said: a statement of its own behind the damage shows that the disk lost what it had kept.
//! The log says on which block the validator is locked, so that such a log is not mended.
//!
//! The file: version u32 = 1, height u64; then entries: compressed u8 = 0, length u64, CRC-32 of
//! the bytes u32, bytes. Integers are big-endian.

#[cfg(test)]
mod tests;

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use arc_malachitebft_app_channel::app::consensus::Input;
use arc_malachitebft_app_channel::app::engine::wal::decode_entry;
use arc_malachitebft_app_channel::app::types::core as mc;
use tbsi_types::{Address, Height, Round, VoteKind};
use tracing::warn;

use crate::codec::WireCodec;
use crate::context::Ctx;
use crate::limits::{WAL_ENTRY_BYTES_MAX, WAL_SET_ASIDE_MAX, WAL_TAIL_BYTES_MAX};

const VERSION: u32 = 1;
const HEADER_BYTES: u64 = 12;
const ENTRY_HEADER: usize = 1 + 8 + 4;
const ENTRY_HEADER_BYTES: u64 = ENTRY_HEADER as u64;

/// What was done to a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogMended {
    /// So many bytes were cut off its end.
    Cut(u64),
    /// It had no header, and was renamed.
    SetAside,
}

impl LogMended {
    /// A stable word for metrics.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Cut(_) => "cut",
            Self::SetAside => "set_aside",
        }
    }
}

/// Why a log is neither used nor mended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WalError {
    #[error(
        "it is damaged at byte {at}, before something that this validator signed at height \
         {height}: it may be locked on a block there, and nobody knows on which. Run `tbsi node \
         recover --home HOME`, which clears it and keeps what was signed"
    )]
    Lost { at: u64, height: Height },
    #[error(
        "{WAL_SET_ASIDE_MAX} damaged ones were set aside already: see to the disk, and move them \
         out of the folder"
    )]
    TooManyAside,
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// Makes the log fit to be opened by the engine, for the height `next` to be decided. `own` is the
/// validator that signs here, if one does.
pub(crate) fn mend(
    path: &Path,
    own: Option<Address>,
    next: Height,
) -> Result<Option<LogMended>, WalError> {
    let file = match OpenOptions::new().read(true).write(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let length = file.metadata()?.len();
    let mut log = Log {
        file: BufReader::new(file),
        length,
    };
    let Some(height) = log.header()? else {
        // The engine makes a header where there is nothing at all.
        if length == 0 {
            return Ok(None);
        }
        log.refuse_lost(0, HEADER_BYTES.min(length), own, next)?;
        return set_aside(path).map(Some);
    };
    let (end, said) = log.whole_entries(own, next)?;
    // The engine empties the log of another height. Its own statements are of the right one, so
    // the header is wrong.
    if height != next && said {
        return Err(WalError::Lost {
            at: 4,
            height: next,
        });
    }
    if end == length {
        return Ok(None);
    }
    log.refuse_lost(end, end + 1, own, next)?;
    let file = log.file.into_inner();
    file.set_len(end)?;
    file.sync_all()?;
    let cut = length - end;
    warn!(
        log = %path.display(), cut, kept = end,
        "the end of consensus' write-ahead log was damaged, as a crash does; it is cut off"
    );
    Ok(Some(LogMended::Cut(cut)))
}

/// The round of the newest precommit for a block that `own` cast at `next`, as a log says that
/// was mended: the core knows of it when the log is replayed.
pub(crate) fn newest_lock(path: &Path, own: Address, next: Height) -> io::Result<Option<Round>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let length = file.metadata()?.len();
    let mut log = Log {
        file: BufReader::new(file),
        length,
    };
    if log.header()? != Some(next) {
        return Ok(None);
    }
    let mut newest = None;
    log.each_entry(|input| newest = newest.max(lock_of(&input, own, next)))?;
    Ok(newest)
}

/// The round of a precommit for a block that `own` cast at `next`.
pub(crate) fn lock_of(input: &Input<Ctx>, own: Address, next: Height) -> Option<Round> {
    let Input::Vote(vote) = input else {
        return None;
    };
    let (by, vote) = (
        mc::Vote::<Ctx>::validator_address(&vote.message).0,
        vote.message.statement(),
    );
    let precommit = vote.kind == VoteKind::Precommit && vote.value.is_some();
    (by == own && vote.height == next && precommit).then_some(vote.round)
}

/// Keeps the file under another name.
fn set_aside(path: &Path) -> Result<LogMended, WalError> {
    let name = |number: u32| -> PathBuf {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".damaged-{number}"));
        name.into()
    };
    let mut names = (1..=WAL_SET_ASIDE_MAX).map(name);
    let to = names.find(|name| matches!(name.try_exists(), Ok(false)));
    let to = to.ok_or(WalError::TooManyAside)?;
    fs::rename(path, &to)?;
    if let Some(folder) = path.parent() {
        File::open(folder)?.sync_all()?;
    }
    warn!(
        log = %path.display(), kept = %to.display(),
        "consensus' write-ahead log had no header; it is kept under another name, and begun anew"
    );
    Ok(LogMended::SetAside)
}

struct Log {
    file: BufReader<File>,
    length: u64,
}

impl Log {
    /// The height of the log; `None` if it has no header.
    fn header(&mut self) -> io::Result<Option<Height>> {
        if self.length < HEADER_BYTES {
            return Ok(None);
        }
        let (mut version, mut height) = ([0; 4], [0; 8]);
        self.file.read_exact(&mut version)?;
        self.file.read_exact(&mut height)?;
        let known = u32::from_be_bytes(version) == VERSION;
        Ok(known.then_some(Height(u64::from_be_bytes(height))))
    }

    /// Where the last of the entries ends that are whole from the first on, and whether `own` said
    /// something at `next` in them.
    fn whole_entries(&mut self, own: Option<Address>, next: Height) -> io::Result<(u64, bool)> {
        let mut said = false;
        let end = self.each_entry(|input| said |= is_said(&input, own, next))?;
        Ok((end, said))
    }

    /// Reads the entries that are whole from the first on; returns where the last of them ends.
    fn each_entry(&mut self, mut read: impl FnMut(Input<Ctx>)) -> io::Result<u64> {
        let mut end = HEADER_BYTES;
        let mut bytes = Vec::new();
        while self.length - end >= ENTRY_HEADER_BYTES {
            let mut header = [0; ENTRY_HEADER];
            self.file.read_exact(&mut header)?;
            let Some((length, crc)) = entry_header(&header, self.length - end) else {
                break;
            };
            bytes.resize(length, 0);
            self.file.read_exact(&mut bytes)?;
            let Some(input) = entry(&bytes, crc) else {
                break;
            };
            read(input);
            end += ENTRY_HEADER_BYTES + length as u64;
        }
        Ok(end)
    }

    /// Refuses if the log is damaged at `at` and, from `from` on, has anything that `own` said at
    /// `next`. The length of the damaged entry is not believed: another may begin at any byte.
    fn refuse_lost(
        &mut self,
        at: u64,
        from: u64,
        own: Option<Address>,
        next: Height,
    ) -> Result<(), WalError> {
        if own.is_none() {
            return Ok(());
        }
        let lost = Err(WalError::Lost { at, height: next });
        // No crash takes so much: it was synced with every round.
        if self.length - from > WAL_TAIL_BYTES_MAX {
            return lost;
        }
        let mut tail = Vec::new();
        self.file.seek(SeekFrom::Start(from))?;
        self.file.read_to_end(&mut tail)?;
        for begin in 0..tail.len() {
            let rest = &tail[begin..];
            let Some((header, data)) = rest.split_first_chunk() else {
                break;
            };
            let Some((length, crc)) = entry_header(header, rest.len() as u64) else {
                continue;
            };
            if entry(&data[..length], crc).is_some_and(|input| is_said(&input, own, next)) {
                return lost;
            }
        }
        Ok(())
    }
}

/// Length and checksum of an entry, if it ends within `room` bytes of its beginning.
fn entry_header(header: &[u8; ENTRY_HEADER], room: u64) -> Option<(usize, u32)> {
    let (compressed, header) = header.split_first()?;
    let (length, crc) = header.split_first_chunk()?;
    let length = u64::from_be_bytes(*length);
    let fits = length <= WAL_ENTRY_BYTES_MAX && length <= room - ENTRY_HEADER_BYTES;
    if *compressed != 0 || length == 0 || !fits {
        return None;
    }
    let crc = u32::from_be_bytes(crc.try_into().ok()?);
    Some((usize::try_from(length).ok()?, crc))
}

/// What an entry says; `None` if the engine could not read it.
fn entry(bytes: &[u8], crc: u32) -> Option<Input<Ctx>> {
    if crc32(bytes) != crc {
        return None;
    }
    decode_entry(&WireCodec, bytes).ok()
}

/// Whether `own` signed this, at height `next`.
fn is_said(input: &Input<Ctx>, own: Option<Address>, next: Height) -> bool {
    let (validator, height) = match input {
        Input::Vote(vote) => (
            mc::Vote::<Ctx>::validator_address(&vote.message).0,
            vote.message.statement().height,
        ),
        Input::Proposal(proposal) => (
            mc::Proposal::<Ctx>::validator_address(&proposal.message).0,
            proposal.message.statement().height,
        ),
        Input::StartHeight(..)
        | Input::Propose(..)
        | Input::TimeoutElapsed(..)
        | Input::ProposedValue(..)
        | Input::PolkaCertificate(..)
        | Input::RoundCertificate(..)
        | Input::SyncValueResponse(..) => return false,
    };
    own == Some(validator) && height == next
}

/// CRC-32 of IEEE 802.3, bit by bit: logs are short.
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            let carry = crc & 1;
            crc >>= 1;
            if carry == 1 {
                crc ^= 0xedb8_8320;
            }
        }
    }
    !crc
}
