//! Progress bars, on a terminal only.

use indicatif::{ProgressBar, ProgressStyle};

/// A bar of bytes.
pub(crate) fn bytes(total: u64, what: &'static str) -> ProgressBar {
    bar(
        total,
        what,
        "{msg} [{bar:30}] {bytes}/{total_bytes} {bytes_per_sec} {eta}",
    )
}

/// A bar of things that are counted.
pub(crate) fn count(total: u64, what: &'static str) -> ProgressBar {
    bar(
        total,
        what,
        "{msg} [{bar:30}] {human_pos}/{human_len} {per_sec} {eta}",
    )
}

/// Hidden if stderr is not a terminal, which is the library's rule.
fn bar(total: u64, what: &'static str, template: &str) -> ProgressBar {
    let style = ProgressStyle::with_template(template).expect("the templates here are valid");
    ProgressBar::new(total)
        .with_style(style.progress_chars("=> "))
        .with_message(what)
}
