//! Small files that must survive a crash: keys, marks, what was decided or cosigned.
//!
//! There is one way to replace such a file, and it is here; what only appends (the relayer's
//! journal, consensus' log) and what writes in place (the sign-state) sync by themselves.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Replaces a file by one that only its owner may read. After a crash it has the old bytes or the
/// new ones, all of them; when this returns, the new ones.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".new");
    let next = path.with_file_name(name);
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&next)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    drop(file);
    fs::rename(&next, path)?;
    sync_directory(path)
}

/// Makes the name of a file durable.
pub fn sync_directory(path: &Path) -> io::Result<()> {
    let directory = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        Some(_) | None => Path::new("."),
    };
    File::open(directory)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn replaces_whatever_was_left() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a.b");
        for bytes in ["one", "another", ""] {
            // Of an attempt that did not end.
            fs::write(dir.path().join("a.b.new"), "half of a longer text").unwrap();
            replace(&file, bytes.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&file).unwrap(), bytes);
            assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        }
        let made = dir.path().join("made");
        replace(&made, b"x").unwrap();
        let mode = fs::metadata(&made).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn what_cannot_be_replaced_stays() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a");
        fs::write(&file, "old").unwrap();
        // A folder in the way stands for a disk that refuses.
        fs::create_dir(dir.path().join("a.new")).unwrap();
        assert!(replace(&file, b"new").is_err());
        assert_eq!(fs::read_to_string(&file).unwrap(), "old");
        assert!(replace(&dir.path().join("none/a"), b"new").is_err());
    }
}
