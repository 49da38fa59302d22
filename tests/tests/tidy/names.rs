//! One public name, one noun: a type's name says which one it is, whatever crate it is of.

use std::collections::BTreeMap;

use crate::{File, complains, files, keep};

/// Names that two files of the product may give to a public type, and why.
const SHARED: &[(&str, &str)] = &[
    ("Attestation", WIRE),
    ("Checkpoint", WIRE),
    ("Evidence", WIRE),
    ("LogKeys", WIRE),
    ("Validator", WIRE),
    ("ValidatorSet", WIRE),
    ("Config", "the configuration file of one program, each"),
    ("ConfigError", "why that file is refused"),
    ("Metrics", "all metrics of one program, each"),
];
const WIRE: &str = "node/rpc/src/wire.rs has the JSON form of the same noun";

/// Folders with code that is no part of the product, and those of other people's.
const NOT_PRODUCT: &[&str] = &["tests", "testnet", "vendor"];

fn check(files: &[File], shared: &[(&str, &str)]) -> Vec<String> {
    let mut places: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for file in files.iter().filter(|file| is_product(file)) {
        for (index, line) in file.text.lines().enumerate() {
            if let Some(name) = public_type(line) {
                places.entry(name).or_default().push(file.at(index));
            }
        }
    }
    let mut complaints = Vec::new();
    for (name, places) in &places {
        let allowed = shared.iter().any(|(shared, _)| shared == name);
        if places.len() > 1 && !allowed {
            complaints.push(format!(
                "{}: `{name}` is the name of another public type too: rename one, or make it \
                 `pub(crate)`",
                places.join(", ")
            ));
        }
    }
    for (name, _) in shared {
        if places.get(name).is_none_or(|places| places.len() < 2) {
            complaints.push(format!("SHARED: `{name}` is not shared: remove it"));
        }
    }
    complaints
}

fn is_product(file: &File) -> bool {
    let mut parts = file.path.split('/');
    let outside = parts.next().is_none_or(|top| NOT_PRODUCT.contains(&top));
    file.is("rs") && !outside && !parts.any(|part| matches!(part, "tests" | "tests.rs"))
}

/// The name of the public type that a line defines.
fn public_type(line: &str) -> Option<&str> {
    let rest = line.trim_start().strip_prefix("pub ")?;
    let kinds = ["struct ", "enum ", "trait ", "type "];
    let rest = kinds.iter().find_map(|kind| rest.strip_prefix(kind))?;
    let end = rest.find(|letter: char| !letter.is_alphanumeric() && letter != '_');
    Some(&rest[..end.unwrap_or(rest.len())])
}

#[test]
fn one_public_name_has_one_meaning() {
    let files = files();
    keep(&check(&files, SHARED));
    let types = files.iter().filter(|file| is_product(file));
    let types = types.flat_map(|file| file.text.lines().filter_map(public_type));
    assert!(types.count() > 300, "the rule does not see the types");
}

#[test]
fn a_name_of_two_types_is_found() {
    let files = [
        File::example("node/a.rs", "pub struct Voter;\npub(crate) enum Role {}\n"),
        File::example(
            "node/b.rs",
            "    pub type Voter<T> = Vec<T>;\npub enum Role {}\n",
        ),
        File::example("node/c.rs", "pub trait Shared {}\nfn f() {}\n"),
        File::example("bridge/d.rs", "pub struct Shared(u8);\n"),
        File::example("node/tests/e.rs", "pub struct Role;\n"),
        File::example("testnet/src/f.rs", "pub struct Role;\n"),
    ];
    complains(
        &check(
            &files,
            &[("Shared", "an example"), ("Role", "a line too many")],
        ),
        &[
            "node/a.rs:1, node/b.rs:1: `Voter` is the name of another public type too: rename \
             one, or make it `pub(crate)`",
            "SHARED: `Role` is not shared: remove it",
        ],
    );
}
