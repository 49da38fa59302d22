//! A library with an owner stays inside it: its types are in no public signature of the owner.

use std::collections::BTreeSet;

use crate::{File, complains, files, keep, product_lines};

/// Sources of a room, and how the library that it alone names begins.
const OWNERS: &[(&str, &str)] = &[
    ("consensus/engine/src/", "arc_malachitebft"),
    ("consensus/p2p/src/", "libp2p"),
    ("node/execution/src/", "revm"),
    ("node/store/src/", "rocksdb"),
    ("warroom/src/", "rusqlite"),
];

fn check(files: &[File]) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in files.iter().filter(|file| file.is("rs")) {
        let owner = OWNERS.iter().find(|(room, _)| file.path.starts_with(room));
        let test = |part: &str| matches!(part, "tests" | "tests.rs");
        if let Some((_, library)) = owner
            && !file.path.split('/').any(test)
        {
            complaints.extend(check_file(file, library));
        }
    }
    complaints
}

fn check_file(file: &File, library: &str) -> Vec<String> {
    let theirs = imported(&file.text, library);
    let mut complaints = Vec::new();
    // A signature may go on over several lines.
    let mut public = false;
    for (index, line) in product_lines(&file.text) {
        public |= line.starts_with("pub ");
        let found =
            words(signature(line)).find(|word| word.starts_with(library) || theirs.contains(word));
        if let Some(word) = found.filter(|_| public) {
            let at = file.at(index);
            complaints.push(format!("{at}: `{word}` is {library}'s and leaves the room"));
        }
        public &= !line.ends_with(['{', ';', '}', ',']) || line.ends_with("(,");
    }
    complaints
}

/// What others see of a line. The field of a `struct A(B)` is its own.
fn signature(line: &str) -> &str {
    match line.split_once('(') {
        Some((name, fields)) if name.starts_with("pub struct ") && !fields.contains("pub ") => name,
        Some(_) | None => line,
    }
}

/// The names that a file has from a library.
fn imported<'a>(text: &'a str, library: &str) -> BTreeSet<&'a str> {
    let mut names = BTreeSet::new();
    for statement in text.split("use ").skip(1) {
        if !statement.starts_with(library) {
            continue;
        }
        let end = statement.find(';').unwrap_or(statement.len());
        let (path, _) = statement.split_at(end);
        // Of `a::{b::C, D as E}` the last word of each piece; modules are in lower case.
        for piece in path.split([',', '{', '}']) {
            let last = piece.split([' ', ':']).rfind(|word| !word.is_empty());
            names.extend(last.filter(|name| name.starts_with(char::is_uppercase)));
        }
    }
    names
}

fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|letter: char| !letter.is_alphanumeric() && letter != '_')
}

#[test]
fn libraries_stay_with_their_owners() {
    keep(&check(&files()));
}

#[test]
fn a_type_that_leaves_is_found() {
    let text = "use libp2p::{PeerId as Theirs, ping, swarm::{Swarm, dial::Opts}};\n\
                pub struct PeerId(pub(crate) Theirs);\n\
                pub fn ping() {\n    let own = Theirs::random();\n}\n\
                pub fn ask(\n    swarm: Swarm,\n) {}\n\
                pub(crate) fn inside(of: Opts) {}\n\
                pub use libp2p::Multiaddr;\n";
    let files = [
        File::example("consensus/p2p/src/a.rs", text),
        File::example("consensus/p2p/src/tests.rs", text),
        File::example("node/store/src/a.rs", text),
    ];
    complains(
        &check(&files),
        &[
            "consensus/p2p/src/a.rs:7: `Swarm` is libp2p's and leaves the room",
            "consensus/p2p/src/a.rs:10: `libp2p` is libp2p's and leaves the room",
        ],
    );
}
