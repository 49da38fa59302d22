//! The salt of a file: what keeps others from guessing the file by its digest.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use alloy_primitives::hex;

use crate::lang::{SayContext, said};
use crate::misfit::unread;
use crate::proof;
use crate::shown::PathShown;

/// 64 digits, perhaps `0x` before and a line feed (or CR LF) after them.
const FILE_BYTES_MAX: u64 = 68;

/// What the salt's file has behind the name of the file.
pub(crate) const EXTENSION: &str = ".tbsi.salt";

/// 32 bytes in front of a file's.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Salt([u8; 32]);

impl fmt::Debug for Salt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Salt(..)")
    }
}

impl Salt {
    #[cfg(test)]
    pub(crate) fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Where the salt of a file is kept.
    pub(crate) fn path_of(file: &Path) -> PathBuf {
        let mut name = file.as_os_str().to_owned();
        name.push(EXTENSION);
        name.into()
    }

    /// Reads a salt file.
    pub(crate) fn load(path: &Path) -> anyhow::Result<Self> {
        let mut bytes = Vec::new();
        File::open(path)
            .and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes))
            .or_say(|| {
                let path = path.shown();
                (
                    format!("read salt file {path}"),
                    format!("讀取鹽值檔 {path}"),
                )
            })?;
        let digits = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
        let digits = digits.strip_suffix(b"\r").unwrap_or(digits);
        let mut salt = [0; 32];
        hex::decode_to_slice(digits, &mut salt).map_err(|_| {
            let shown = path.shown();
            let wrong = said(
                format!("salt file {shown} must hold 64 hex digits"),
                format!("鹽值檔 {shown} 必須是 64 個十六進位數字"),
            );
            unread(path, wrong)
        })?;
        Ok(Self(salt))
    }

    /// Reads a salt file, or makes one that its owner alone can read. One that exists is never
    /// replaced: without it, nobody can show any more what was attested.
    pub(crate) fn ensure(path: &Path) -> anyhow::Result<Self> {
        if path.exists() {
            return Self::load(path);
        }
        let mut salt = [0; 32];
        getrandom::fill(&mut salt).map_err(|error| {
            said(
                format!("the system gives no random bytes: {error}"),
                format!("系統無法提供亂數：{error}"),
            )
        })?;
        let salt = Self(salt);
        let stored = salt.store(path);
        if let Err(error) = &stored
            && error.kind() == io::ErrorKind::AlreadyExists
        {
            // Another command made one meanwhile.
            return Self::load(path);
        }
        stored.or_say(|| {
            let path = path.shown();
            (
                format!("write salt file {path}"),
                format!("寫入鹽值檔 {path}"),
            )
        })?;
        Ok(salt)
    }

    /// Overwrites a salt file and removes its name. One that an earlier attempt overwrote already
    /// is removed too. What the file system, the disk or a backup keeps elsewhere is out of reach.
    pub(crate) fn destroy(path: &Path) -> io::Result<()> {
        let metadata = fs::symlink_metadata(path)?;
        if !metadata.is_file() || metadata.len() > FILE_BYTES_MAX {
            let problem = "it is no salt file: links and other files are not destroyed";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, problem));
        }
        let mut file = OpenOptions::new().write(true).open(path)?;
        let length = usize::try_from(metadata.len()).unwrap_or_default();
        file.write_all(&vec![0; length])?;
        file.sync_all()?;
        fs::remove_file(path)?;
        File::open(directory_of(path))?.sync_all()
    }

    /// On the disk, name included, before anything is sent that depends on it.
    fn store(&self, path: &Path) -> io::Result<()> {
        let directory = directory_of(path);
        // A temporary file of this library has mode 0600.
        let mut file = proof::unfinished_in(directory)?;
        writeln!(file, "{}", hex::encode(self.0))?;
        file.as_file().sync_all()?;
        file.persist_noclobber(path).map_err(|error| error.error)?;
        File::open(directory)?.sync_all()
    }
}

/// The directory of a file, `.` for a bare name.
pub(crate) fn directory_of(path: &Path) -> &Path {
    let parent = path.parent().unwrap_or(Path::new("."));
    if parent.as_os_str().is_empty() {
        Path::new(".")
    } else {
        parent
    }
}

/// Whether a path is there, even as a dangling link.
pub(crate) fn is_there(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn is_made_once_for_its_owner_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = Salt::path_of(&dir.path().join("a.pdf"));
        assert!(path.ends_with("a.pdf.tbsi.salt"));
        let salt = Salt::ensure(&path).unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(Salt::ensure(&path).unwrap(), salt);
        let other = Salt::ensure(&dir.path().join("b")).unwrap();
        assert_ne!(other, salt);
        assert_eq!(format!("{salt:?}"), "Salt(..)");
    }

    #[test]
    fn is_overwritten_before_its_name_goes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("salt");
        Salt::ensure(&path).unwrap();
        // What another name of the file shows afterwards.
        let other = dir.path().join("other");
        fs::hard_link(&path, &other).unwrap();
        Salt::destroy(&path).unwrap();
        assert!(!is_there(&path));
        assert_eq!(fs::read(&other).unwrap(), [0; 65]);
        // An attempt that ended in between leaves such a file.
        Salt::destroy(&other).unwrap();
        assert!(!is_there(&other));
        assert!(Salt::destroy(&path).is_err());
    }

    #[test]
    fn nothing_but_a_salt_is_destroyed() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        fs::write(path("document"), [1; 69]).unwrap();
        Salt::ensure(&path("salt")).unwrap();
        std::os::unix::fs::symlink(path("salt"), path("link")).unwrap();
        for name in ["document", "link", "."] {
            assert!(Salt::destroy(&path(name)).is_err(), "{name}");
        }
        assert_eq!(fs::read(path("document")).unwrap(), [1; 69]);
        Salt::load(&path("salt")).unwrap();
    }

    #[test]
    fn refuses_what_is_not_32_bytes_of_hex() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("salt");
        let digits = "0123456789abcdef".repeat(4);
        for (text, good) in [
            (format!("{digits}\n"), true),
            (format!("0x{digits}\r\n"), true),
            (digits[2..].to_owned(), false),
            (format!("{digits}00"), false),
            (digits.replace('f', "g"), false),
            (String::new(), false),
        ] {
            fs::write(&path, &text).unwrap();
            assert_eq!(Salt::load(&path).is_ok(), good, "{text}");
            // An existing file is never replaced, not even one that is no salt.
            assert_eq!(Salt::ensure(&path).is_ok(), good, "{text}");
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        assert!(Salt::load(&dir.path().join("missing")).is_err());
    }
}
