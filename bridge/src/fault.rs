//! Fail points for the tests that kill the relayer: in a build with debug assertions, the
//! process kills itself at the point that `TBSI_RELAY_KILL_AT` names. A release build has none.

/// Ends the process with SIGKILL if `point` is the one that a test asks for.
#[cfg(debug_assertions)]
pub(crate) fn point(point: &str) {
    use nix::sys::signal::{Signal, kill};
    use nix::unistd::Pid;

    if std::env::var("TBSI_RELAY_KILL_AT").as_deref() == Ok(point) {
        kill(Pid::this(), Signal::SIGKILL).ok();
    }
}

/// Nothing.
#[cfg(not(debug_assertions))]
pub(crate) fn point(_: &str) {}
