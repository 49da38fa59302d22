//! Fail points for the tests that kill the relayer: in a build with debug assertions, the
//! process kills itself at the point that `TBSI_RELAY_KILL_AT` names, and what runs in a thread
//! dies at the point that [`die_after`] counts to. A release build heeds neither.

use std::cell::Cell;

thread_local! {
    static LEFT: Cell<Option<u32>> = const { Cell::new(None) };
}

/// What a thread unwinds with when it is to die.
#[derive(Debug)]
pub struct Died;

/// The relayer in this thread unwinds with [`Died`] at the point with this number, from 1; `None`
/// lets it live.
pub fn die_after(points: Option<u32>) {
    LEFT.set(points);
}

/// Ends the process with SIGKILL if `point` is the one that a test asks for.
#[cfg(debug_assertions)]
pub(crate) fn point(point: &str) {
    use nix::sys::signal::{Signal, kill};
    use nix::unistd::Pid;

    if std::env::var("TBSI_RELAY_KILL_AT").as_deref() == Ok(point) {
        kill(Pid::this(), Signal::SIGKILL).ok();
    }
    let left = LEFT.get().map(|left| left.saturating_sub(1));
    LEFT.set(left.filter(|left| *left > 0));
    if left == Some(0) {
        std::panic::resume_unwind(Box::new(Died));
    }
}

/// Nothing.
#[cfg(not(debug_assertions))]
pub(crate) fn point(_: &str) {}
