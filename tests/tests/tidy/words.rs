//! One word, one meaning.

use crate::{File, complains, files, keep};

/// Words that are not used here, and the one that is. Only such as mean nothing else.
const REPLACED: &[(&str, &str)] = &[
    ("app hash", "state root"),
    ("attester", "issuer"),
    ("committee", "validator set"),
    ("double sign", "equivocation"),
    ("double signing", "equivocation"),
    ("leader", "proposer"),
    ("merkle proof", "inclusion proof"),
    ("organization", "organisation"),
    ("qc", "commit certificate"),
    ("quorum certificate", "commit certificate"),
    ("signed tree head", "checkpoint"),
    ("stake", "voting power"),
    ("sth", "checkpoint"),
];

/// Files that have to use a word that is not ours.
const ALLOWED: &[(&str, &str)] = &[
    // Ethereum's own word, for a kind of client that has its number already.
    ("SPEC.md", "committee"),
    ("consensus/light/tests/foreign/main.rs", "committee"),
    ("consensus/types/src/log/assurance.rs", "committee"),
    // A field of other people's API.
    ("tests/matrix/eas/run.mjs", "attester"),
];

const CHECKED: &[&str] = &["md", "mjs", "rs", "sh", "sol", "toml"];

fn check(files: &[File]) -> Vec<String> {
    let checked = files
        .iter()
        .filter(|file| CHECKED.iter().any(|extension| file.is(extension)));
    checked.flat_map(check_file).collect()
}

fn check_file(file: &File) -> Vec<String> {
    let mut complaints = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        let words = words(line);
        for (banned, instead) in REPLACED {
            let allowed = ALLOWED.contains(&(file.path.as_str(), *banned));
            let banned_words: Vec<&str> = banned.split(' ').collect();
            if !allowed && words.windows(banned_words.len()).any(|w| w == banned_words) {
                let at = file.at(index);
                complaints.push(format!("{at}: say `{instead}` instead of `{banned}`"));
            }
        }
    }
    complaints
}

/// The words of a line in lower case; `app_hash`, `app-hash` and `AppHash` are two.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    for letter in line.chars() {
        let hump = letter.is_uppercase() && before.is_lowercase();
        if hump || !letter.is_alphabetic() {
            words.push(String::new());
        }
        if letter.is_alphabetic() {
            let word = words.last_mut().expect("there is always one");
            word.extend(letter.to_lowercase());
        }
        before = letter;
    }
    words.retain(|word| !word.is_empty());
    words
}

#[test]
fn one_word_has_one_meaning() {
    keep(&check(&files()));
}

#[test]
fn a_banned_word_is_found() {
    let text = "A mistake in a URL.\nlet staked = app_hash;\n// Double-sign!\nfn isLeader() {}\n\
                StakeTable mySTH";
    let file = |path| File::example(path, text);
    complains(
        &check(&[file("a.rs"), file("a.json")]),
        &[
            "a.rs:2: say `state root` instead of `app hash`",
            "a.rs:3: say `equivocation` instead of `double sign`",
            "a.rs:4: say `proposer` instead of `leader`",
            "a.rs:5: say `voting power` instead of `stake`",
            "a.rs:5: say `checkpoint` instead of `sth`",
        ],
    );
}
