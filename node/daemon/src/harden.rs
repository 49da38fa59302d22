//! What a process that holds keys asks of the kernel.

use anyhow::Context;
use nix::sys::prctl::set_dumpable;
use nix::sys::resource::{Resource, setrlimit};

/// No core dump, and no other process of the same user may read this one's memory: keys are in
/// there.
pub fn forbid_core_dumps() -> anyhow::Result<()> {
    setrlimit(Resource::RLIMIT_CORE, 0, 0).context("forbid core dumps (RLIMIT_CORE)")?;
    set_dumpable(false).context("forbid core dumps (PR_SET_DUMPABLE)")
}
