//! Rules about this repository itself, so that nobody has to remember them in a review.
//!
//! Each rule is a function from the files (or the crates) to complaints that say where and
//! what to do instead. Each is also shown a bad example, because a rule that never complains
//! looks just like one that is kept.

mod arrows;
mod borders;
mod circles;
mod clocks;
mod commands;
mod evidence;
mod names;
mod paths;
mod sections;
mod sizes;
mod tasks;
mod vectors;
mod words;

use std::path::Path;
use std::process::Command;

/// A file of the repository that is text.
struct File {
    /// Relative to the root, with `/`.
    path: String,
    text: String,
}

impl File {
    /// An example, for a rule's own test.
    fn example(path: &str, text: &str) -> Self {
        Self {
            path: path.into(),
            text: text.into(),
        }
    }

    fn is(&self, extension: &str) -> bool {
        Path::new(&self.path)
            .extension()
            .is_some_and(|found| found == extension)
    }

    /// Where line `index`, from 0, is.
    fn at(&self, index: usize) -> String {
        format!("{}:{}", self.path, index + 1)
    }
}

/// Cargo runs a test in its package's folder.
fn root() -> &'static Path {
    Path::new("..")
}

/// All files that git tracks or would track, except those of this test: it has to name what
/// it forbids.
fn files() -> Vec<File> {
    let listed = Command::new("git")
        // A container's user may be another than the checkout's.
        .args(["-c", "safe.directory=*", "ls-files", "-z"])
        .args(["--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .expect("git, which lists the files, runs");
    let said = String::from_utf8_lossy(&listed.stderr);
    assert!(listed.status.success(), "git ls-files: {said}");
    let listed = String::from_utf8(listed.stdout).expect("file names are UTF-8");
    let files: Vec<File> = listed
        .split_terminator('\0')
        .filter(|path| !path.starts_with("tests/tests/tidy/"))
        .filter_map(|path| {
            // One that was removed but not yet from the index, or that is not text.
            let text = std::fs::read_to_string(root().join(path)).ok()?;
            Some(File::example(path, &text))
        })
        .collect();
    assert!(files.len() > 100, "only {} files were found", files.len());
    files
}

/// Lines of code and their positions from 0: without blank ones, comments, and a test module at
/// the foot of the file. What rustfmt has formatted closes such a module with a brace in the
/// first column.
fn product_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut lines = text.lines().enumerate().peekable();
    std::iter::from_fn(move || {
        loop {
            let (index, line) = lines.next()?;
            let starts_module =
                |next: &(usize, &str)| next.1.starts_with("mod ") && next.1.ends_with('{');
            if line == "#[cfg(test)]" && lines.peek().is_some_and(starts_module) {
                lines.by_ref().find(|(_, line)| *line == "}");
                continue;
            }
            let code = line.split(" // ").next().unwrap_or(line).trim();
            if !code.is_empty() && !code.starts_with("//") {
                return Some((index, code));
            }
        }
    })
}

/// Fails with all complaints at once.
#[track_caller]
fn keep(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

/// Checks that a bad example gets exactly these complaints.
#[track_caller]
fn complains(complaints: &[String], expected: &[&str]) {
    assert_eq!(complaints, expected);
}
