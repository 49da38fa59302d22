//! What is left out by pattern: `--exclude`, and files named `.tbsiignore`.
//!
//! As in a `.gitignore`: the last pattern that matches decides, `!` takes back in, a slash at the
//! end means directories, one elsewhere that the pattern is about paths from the file's directory
//! on; what is in a directory that is left out is left out with it.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::Context;
use glob::{MatchOptions, Pattern};

use crate::lang::{SayContext, Sentence, demand, said};
use crate::misfit;
use crate::shown::{self, PathShown};

/// Name of a file of patterns.
pub(super) const IGNORE_FILE: &str = ".tbsiignore";

/// Bytes of such a file.
const FILE_BYTES_MAX: u64 = 64 * 1024;

const OPTIONS: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: false,
};

/// One line of a file, or one `--exclude`.
#[derive(Debug)]
struct Rule {
    /// Paths are compared from here on.
    base: PathBuf,
    pattern: Pattern,
    /// Of a path, not of a name anywhere.
    anchored: bool,
    directories_only: bool,
    takes_back: bool,
}

/// All that are known so far.
#[derive(Debug)]
pub(super) struct Patterns {
    /// In the order in which they were read; later ones count more.
    of_files: Vec<Rule>,
    /// Of the command line, which counts most.
    excluded: Vec<Rule>,
}

impl Patterns {
    /// Those of the command line, about what is in `dir`.
    pub(super) fn new(dir: &Path, exclude: &[String]) -> anyhow::Result<Self> {
        let rule = |text: &String| {
            let problem = || -> Sentence {
                let text = shown::line(text);
                (
                    format!("--exclude {text} is no pattern; use one such as *.log or /drafts/"),
                    format!("--exclude {text} 不是樣式；請用如 *.log 或 /drafts/"),
                )
            };
            let rule = Rule::parse(dir, text).or_say(problem)?;
            let (en, zh_tw) = problem();
            rule.ok_or_else(|| said(en, zh_tw))
        };
        Ok(Self {
            of_files: Vec::new(),
            excluded: exclude.iter().map(rule).collect::<anyhow::Result<_>>()?,
        })
    }

    /// Reads the file of a directory that is gone into, if there is one.
    pub(super) fn enter(&mut self, dir: &Path) -> anyhow::Result<()> {
        let path = dir.join(IGNORE_FILE);
        if !path.is_file() {
            return Ok(());
        }
        let shown = path.shown();
        let mut bytes = Vec::new();
        File::open(&path)
            .and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes))
            .or_say(|| (format!("read {shown}"), format!("讀取 {shown}")))?;
        demand(bytes.len() as u64 <= FILE_BYTES_MAX, || {
            (
                format!("{shown} has more than {FILE_BYTES_MAX} bytes; use fewer patterns"),
                format!("{shown} 超過 {FILE_BYTES_MAX} 位元組；請減少樣式"),
            )
        })?;
        let text = match String::from_utf8(bytes) {
            Ok(text) if !text.starts_with('\u{feff}') => text,
            Ok(text) => return Err(no_text(&path, text.as_bytes())),
            Err(error) => return Err(no_text(&path, error.as_bytes())),
        };
        for (number, line) in (1..).zip(text.lines()) {
            let rule = Rule::parse(dir, line).or_say(|| {
                let line = shown::line(line);
                (
                    format!("{shown}, line {number}: {line} is no pattern"),
                    format!("{shown} 第 {number} 行：{line} 不是樣式"),
                )
            })?;
            self.of_files.extend(rule);
        }
        Ok(())
    }

    /// Whether what is at `path` is left out.
    pub(super) fn leave_out(&self, path: &Path, is_dir: bool) -> bool {
        let last = |rules: &[Rule]| {
            let mut rules = rules.iter().rev();
            let found = rules.find(|rule| rule.matches(path, is_dir));
            found.map(|rule| !rule.takes_back)
        };
        let of_files = || last(&self.of_files);
        last(&self.excluded).or_else(of_files).unwrap_or(false)
    }
}

/// Why a file of patterns cannot be read.
fn no_text(path: &Path, bytes: &[u8]) -> anyhow::Error {
    let shown = path.shown();
    let (en, zh_tw) = misfit::of_bytes(path, bytes).unwrap_or_else(|| {
        (
            format!("{shown} is no UTF-8 text"),
            format!("{shown} 不是 UTF-8 文字"),
        )
    });
    said(en, zh_tw)
}

impl Rule {
    /// `None` for a comment, or for nothing.
    fn parse(base: &Path, line: &str) -> anyhow::Result<Option<Self>> {
        let line = without_spaces(line);
        if line.is_empty() || line.starts_with('#') {
            return Ok(None);
        }
        let (takes_back, rest) = match line.strip_prefix('!') {
            Some(rest) => (true, rest),
            None => (false, line),
        };
        let directories_only = rest.ends_with('/');
        let rest = rest.trim_end_matches('/');
        let anchored = rest.contains('/');
        let rest = rest.trim_start_matches('/');
        if rest.is_empty() {
            return Ok(None);
        }
        Ok(Some(Self {
            base: base.into(),
            pattern: Pattern::new(&translated(rest)?)?,
            anchored,
            directories_only,
            takes_back,
        }))
    }

    fn matches(&self, path: &Path, is_dir: bool) -> bool {
        let Ok(below) = path.strip_prefix(&self.base) else {
            return false;
        };
        if self.directories_only && !is_dir {
            return false;
        }
        let compared = if self.anchored {
            Some(below.as_os_str())
        } else {
            below.file_name()
        };
        // What is no UTF-8 is compared as it is shown.
        compared.is_some_and(|it| self.pattern.matches_with(&it.to_string_lossy(), OPTIONS))
    }
}

/// A line without the spaces at its end, but for one after a backslash.
fn without_spaces(line: &str) -> &str {
    let trimmed = line.trim_end();
    let backslashes = trimmed.len() - trimmed.trim_end_matches('\\').len();
    match line[trimmed.len()..].starts_with(' ') && backslashes % 2 == 1 {
        true => &line[..=trimmed.len()],
        false => trimmed,
    }
}

/// A pattern as the library has it, which knows no backslashes and writes `[^a]` as `[!a]`.
fn translated(pattern: &str) -> anyhow::Result<String> {
    let mut made = String::with_capacity(pattern.len());
    let mut letters = pattern.chars().peekable();
    let mut in_class = false;
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => {
                let literal = letters.next();
                let literal =
                    literal.context("a backslash stands before what is meant as it is")?;
                match in_class {
                    true => made.push(literal),
                    false => made += &Pattern::escape(literal.encode_utf8(&mut [0; 4])),
                }
            }
            '[' if !in_class => {
                in_class = true;
                made.push('[');
                if let Some('^' | '!') = letters.peek() {
                    letters.next();
                    made.push('!');
                }
                // At the beginning it belongs to the class.
                if let Some(bracket) = letters.next_if_eq(&']') {
                    made.push(bracket);
                }
            }
            ']' => {
                in_class = false;
                made.push(']');
            }
            letter => made.push(letter),
        }
    }
    Ok(made)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_those_of_gitignore() {
        let check = |lines: &[&str], path: &str, is_dir: bool, expected: bool| {
            let mut patterns = Patterns::new(Path::new("d"), &[]).unwrap();
            for line in lines {
                let rule = Rule::parse(Path::new("d"), line).unwrap();
                patterns.of_files.extend(rule);
            }
            let path = Path::new("d").join(path);
            assert_eq!(
                patterns.leave_out(&path, is_dir),
                expected,
                "{lines:?} {path:?}"
            );
        };
        check(&["*.log"], "a.log", false, true);
        check(&["*.log"], "x/y/a.log", false, true);
        check(&["*.log"], "a.log.txt", false, false);
        check(&["*.log", "!keep.log"], "x/keep.log", false, false);
        check(&["!keep.log", "*.log"], "keep.log", false, true);
        check(&["/a"], "a", false, true);
        check(&["/a"], "x/a", false, false);
        check(&["x/a"], "x/a", false, true);
        check(&["x/a"], "y/x/a", false, false);
        check(&["**/x/a"], "y/x/a", false, true);
        check(&["x/*"], "x/y/a", false, false);
        check(&["x/**/a"], "x/y/z/a", false, true);
        check(&["drafts/"], "drafts", true, true);
        check(&["drafts/"], "drafts", false, false);
        check(&["# a", "", "  "], "# a", false, false);
        check(&[r"\#a", r"\!b"], "#a", false, true);
        check(&[r"\#a", r"\!b"], "!b", false, true);
        // A backslash takes the next letter as it is, a space at the end too.
        check(&[r"br\[a\].txt"], "br[a].txt", false, true);
        check(&[r"br\[a\].txt"], "bra.txt", false, false);
        check(&[r"\*"], "*", false, true);
        check(&[r"\*"], "a", false, false);
        check(&[r"a\b"], "ab", false, true);
        check(&[r"a\\b"], r"a\b", false, true);
        check(&[r"sp\ "], "sp ", false, true);
        check(&[r"sp\ "], "sp", false, false);
        check(&[r"sp\  "], "sp ", false, true);
        check(&["sp "], "sp", false, true);
        check(&["[^a]"], "b", false, true);
        check(&["[!a]"], "a", false, false);
        check(&["[]]"], "]", false, true);
        check(&[r"[\*]"], "*", false, true);
        check(&["[ab]?"], "b1", false, true);
        check(&[".*"], ".hidden", false, true);
        check(&["*"], ".hidden", false, true);
        check(&["會議*"], "會議紀錄", false, true);
        check(&["A"], "a", false, false);
    }

    #[test]
    fn the_command_line_counts_more_than_files() {
        let mut patterns = Patterns::new(
            Path::new("d"),
            &["*.txt".into(), "!b.txt".into(), "!c.log".into()],
        )
        .unwrap();
        let log = Rule::parse(Path::new("d"), "*.log").unwrap();
        patterns.of_files.extend(log);
        for (name, expected) in [
            ("a.txt", true),
            ("b.txt", false),
            ("c.log", false),
            ("d.log", true),
        ] {
            let path = Path::new("d").join(name);
            assert_eq!(patterns.leave_out(&path, false), expected, "{name}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for bad in ["!", "", "[", "a/***", "#", "/", "a\\"] {
            assert!(
                Patterns::new(Path::new("d"), &[bad.into()]).is_err(),
                "{bad}"
            );
        }
    }
}
