//! Citations of SPEC.md, and titles of documents.

use std::collections::BTreeSet;

use crate::{File, complains, files, keep};

const SPEC: &str = "SPEC.md";
/// Contents of a book, in which a title begins a part: mdBook's form.
const CONTENTS: &str = "/SUMMARY.md";
/// Where one may cite the specification.
const CITING: &[&str] = &["md", "mjs", "rs", "sol"];

fn check_citations(files: &[File]) -> Vec<String> {
    let spec = files.iter().find(|file| file.path == SPEC);
    let Some(spec) = spec else {
        return vec![format!("{SPEC} is missing")];
    };
    let known: BTreeSet<&str> = headings(spec)
        .filter_map(|(_, _, title)| title.split_whitespace().next())
        .map(|number| number.trim_end_matches('.'))
        .collect();
    let mut complaints = Vec::new();
    for file in files {
        if !CITING.iter().any(|extension| file.is(extension)) {
            continue;
        }
        for cited in cited(file) {
            if !known.contains(cited.as_str()) {
                let path = &file.path;
                complaints.push(format!("{path}: {SPEC} has no section {cited}"));
            }
        }
    }
    complaints
}

/// Numbers of the sections that a file cites. Elsewhere they follow the word SPEC, in the
/// specification itself no other document's name.
fn cited(file: &File) -> Vec<String> {
    let text = unwrapped(&file.text);
    let mut cited = Vec::new();
    let mut of_spec = false;
    for (index, piece) in text.split('§').enumerate() {
        if index > 0 && of_spec {
            let number = piece.find(|letter: char| letter != '.' && !letter.is_ascii_digit());
            let number = &piece[..number.unwrap_or(piece.len())];
            cited.push(number.trim_end_matches('.').to_owned());
        }
        of_spec = if file.path == SPEC {
            !cites_rfc(piece)
        } else {
            piece.ends_with("SPEC ") || (of_spec && index > 0 && goes_on(piece))
        };
    }
    cited
}

/// Whether what stands before a section sign names an RFC.
fn cites_rfc(before: &str) -> bool {
    let mut words = before.split_whitespace().rev();
    words
        .next()
        .is_some_and(|number| number.parse::<u32>().is_ok())
        && words.next() == Some("RFC")
}

/// Whether a section number is followed by another one of the same document.
fn goes_on(piece: &str) -> bool {
    let rest = piece.trim_start_matches(|letter: char| letter == '.' || letter.is_ascii_digit());
    matches!(
        rest,
        ", " | " and " | ", and " | " or " | " to " | "-" | "–"
    )
}

/// The text with comments on one line each.
fn unwrapped(text: &str) -> String {
    let mut whole = String::new();
    for line in text.lines() {
        let line = line
            .trim()
            .trim_start_matches("//")
            .trim_start_matches(['/', '!']);
        whole.push_str(line.trim());
        whole.push(' ');
    }
    whole
}

fn check_titles(files: &[File]) -> Vec<String> {
    let mut complaints = Vec::new();
    let pages = files
        .iter()
        .filter(|file| file.is("md") && !file.path.ends_with(CONTENTS));
    for file in pages {
        let titles = headings(file).filter(|(_, level, _)| *level == 1).count();
        if titles != 1 {
            let path = &file.path;
            complaints.push(format!(
                "{path}: has {titles} titles (`# …`) instead of one"
            ));
        }
    }
    complaints
}

/// Line, level and text of each heading outside code blocks.
fn headings(file: &File) -> impl Iterator<Item = (usize, usize, &str)> {
    let mut fenced = false;
    file.text
        .lines()
        .enumerate()
        .filter_map(move |(index, line)| {
            fenced ^= line.trim_start().starts_with("```");
            let title = line.trim_start_matches('#');
            let level = line.len() - title.len();
            let heading = !fenced && level > 0 && title.starts_with(' ');
            heading.then(|| (index, level, title.trim()))
        })
}

#[test]
fn cited_sections_exist() {
    let files = files();
    keep(&check_citations(&files));
    let cited: usize = files.iter().map(|file| cited(file).len()).sum();
    assert!(cited > 30, "only {cited} citations were found");
}

#[test]
fn documents_have_one_title() {
    keep(&check_titles(&files()));
}

#[test]
fn a_missing_section_is_found() {
    let spec = "# Title\n## 1. One\nSee §1.2 and §3, and RFC 9162 §2.1.\n### 1.2 Two\n";
    let code = "/// SPEC §1, §1.2 and §4.4. RFC 8785 §9.\n/// As SPEC\n/// §5 says; §6 of others.\n\
                // SPEC §1.2.\n";
    let files = [
        File::example(SPEC, spec),
        File::example("a.rs", code),
        File::example("a.json", "SPEC §7"),
    ];
    complains(
        &check_citations(&files),
        &[
            "SPEC.md: SPEC.md has no section 3",
            "a.rs: SPEC.md has no section 4.4",
            "a.rs: SPEC.md has no section 5",
        ],
    );
    complains(&check_citations(&files[1..]), &["SPEC.md is missing"]);
}

#[test]
fn a_second_title_is_found() {
    let files = [
        File::example("a.md", "# One\n```\n# comment\n```\n## Sub\n"),
        File::example("b.md", "# One\n# Two\n#hash\n"),
        File::example("c.md", "Text\n"),
        File::example("book/SUMMARY.md", "# Summary\n# A part\n"),
    ];
    complains(
        &check_titles(&files),
        &[
            "b.md: has 2 titles (`# …`) instead of one",
            "c.md: has 0 titles (`# …`) instead of one",
        ],
    );
}
