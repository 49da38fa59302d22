//! Passwords of encrypted key files.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::keyfile::{KeyFileError, read_private};

/// Bytes of a new password, at least.
pub const PASSWORD_BYTES_MIN: usize = 8;
/// Bytes of a password, at most.
pub const PASSWORD_BYTES_MAX: usize = 1_024;

/// Why text is not a password.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// Too short to protect anything.
    #[error("a new password has at least {PASSWORD_BYTES_MIN} bytes, this one has {0}")]
    Short(usize),
    /// Too long, or nothing at all.
    #[error("a password has 1 to {PASSWORD_BYTES_MAX} bytes of UTF-8")]
    Length,
    /// No file.
    #[error(
        "password file {path} is missing; give the one that holds the password of the key files",
        path = path.display()
    )]
    Missing {
        /// Expected path.
        path: PathBuf,
    },
    /// The file cannot be used.
    #[error("password file {path}", path = path.display())]
    File {
        /// Its path.
        path: PathBuf,
        /// Why not.
        #[source]
        source: Box<KeyFileError>,
    },
    /// The file holds no password.
    #[error(
        "password file {path} must hold one line of 1 to {PASSWORD_BYTES_MAX} bytes of UTF-8",
        path = path.display()
    )]
    Content {
        /// Its path.
        path: PathBuf,
    },
}

/// A password. Its UTF-8 bytes are used as they are. Never printed; wiped when the last copy
/// is dropped.
#[derive(Clone)]
pub struct Password(Arc<Zeroizing<String>>);

impl Password {
    /// A password that opens what is there already.
    pub fn new(text: Zeroizing<String>) -> Result<Self, PasswordError> {
        if text.is_empty() || text.len() > PASSWORD_BYTES_MAX {
            return Err(PasswordError::Length);
        }
        Ok(Self(Arc::new(text)))
    }

    /// Reads the one line of a file that only its owner may read. Its line feed is not part
    /// of the password.
    pub fn load(path: &Path) -> Result<Self, PasswordError> {
        let bytes = read_private(path, PASSWORD_BYTES_MAX + 2);
        let bytes = bytes.map_err(|source| match source {
            KeyFileError::Missing { path } => PasswordError::Missing { path },
            other @ (KeyFileError::Exists { .. }
            | KeyFileError::Mode { .. }
            | KeyFileError::Malformed { .. }
            | KeyFileError::Encrypted { .. }
            | KeyFileError::Keystore { .. }
            | KeyFileError::Address { .. }
            | KeyFileError::Key { .. }
            | KeyFileError::Io { .. }) => PasswordError::File {
                path: path.into(),
                source: Box::new(other),
            },
        })?;
        let content = || PasswordError::Content { path: path.into() };
        let text = std::str::from_utf8(&bytes).map_err(|_| content())?;
        let text = text.strip_suffix('\n').unwrap_or(text);
        let text = text.strip_suffix('\r').unwrap_or(text);
        if text.contains(['\n', '\r']) {
            return Err(content());
        }
        Self::new(Zeroizing::new(text.to_owned())).map_err(|_| content())
    }

    /// Refuses what is too short for a new key file.
    pub fn require_length(&self) -> Result<(), PasswordError> {
        if self.0.len() < PASSWORD_BYTES_MIN {
            return Err(PasswordError::Short(self.0.len()));
        }
        Ok(())
    }

    /// The bytes, for key derivation.
    pub(crate) fn expose(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// Whether two people typed the same.
    pub fn is_same(&self, other: &Self) -> bool {
        *self.0 == *other.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_file_holds_one_line_that_only_its_owner_reads() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("password");
        let load = |text: &[u8], mode| {
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            Password::load(&path)
        };
        for good in ["公會的密碼", "公會的密碼\n", "公會的密碼\r\n"] {
            let password = load(good.as_bytes(), 0o600).unwrap();
            assert_eq!(password.expose(), "公會的密碼".as_bytes());
            assert_eq!(format!("{password:?}"), "Password(..)");
        }
        let long = vec![b'x'; PASSWORD_BYTES_MAX + 1];
        for bad in [b"".as_slice(), b"\n", b"two\nlines", b"\xff\xfe", &long] {
            let error = load(bad, 0o600).unwrap_err();
            assert!(matches!(error, PasswordError::Content { .. }), "{error}");
        }
        let readable = load(b"secret-enough", 0o644).unwrap_err();
        assert!(matches!(readable, PasswordError::File { .. }), "{readable}");
        let short = load(b"short", 0o600).unwrap();
        assert!(matches!(
            short.require_length(),
            Err(PasswordError::Short(5))
        ));
        assert!(
            load(b"secret-enough", 0o600)
                .unwrap()
                .require_length()
                .is_ok()
        );
    }
}
