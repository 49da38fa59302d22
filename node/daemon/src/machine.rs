//! What the machine has left for a node.

use std::io;
use std::path::Path;

use nix::sys::statvfs::statvfs;

/// Room of a file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiskSpace {
    /// Bytes in all.
    pub bytes: u64,
    /// Bytes that are free for processes of ordinary users.
    pub free: u64,
}

/// Of the file system that holds a path.
pub fn disk_space(path: &Path) -> io::Result<DiskSpace> {
    let found = statvfs(path)?;
    let unit = found.fragment_size();
    Ok(DiskSpace {
        bytes: found.blocks().saturating_mul(unit),
        free: found.blocks_available().saturating_mul(unit),
    })
}
