//! The relayer's loop, journal and audit know nothing of one kind of target.

use crate::{File, complains, files, keep, product_lines};

/// What has to do with every kind, in `bridge/src`.
const CORE: &[&str] = &[
    "audit", "health", "journal", "record", "relay", "state", "target",
];

/// Files of it that may, and why.
const MAY: &[(&str, &str)] = &[
    (
        "bridge/src/relay/ack.rs",
        "attests on the source, which is an EVM chain",
    ),
    (
        "bridge/src/record/old.rs",
        "reads records of when there was one kind",
    ),
];

/// Words of EVM chains.
const WORDS: &[&str] = &[
    "nonce", "gas", "wei", "fee", "fees", "evm", "eip155", "base_fee",
];

fn check(files: &[File]) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in files.iter().filter(|file| is_core(file)) {
        for (index, line) in product_lines(&file.text) {
            let code = line.split("//").next().unwrap_or(line);
            let words = code.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
            if let Some(word) = words
                .map(str::to_lowercase)
                .find(|it| WORDS.contains(&&**it))
            {
                let place = file.at(index);
                complaints.push(format!(
                    "{place}: `{word}` is a word of EVM chains: what it is for belongs in \
                     bridge/src/evm"
                ));
            }
        }
    }
    complaints
}

fn is_core(file: &File) -> bool {
    let Some(path) = file.path.strip_prefix("bridge/src/") else {
        return false;
    };
    let module = path.split(['/', '.']).next().unwrap_or_default();
    let may = MAY.iter().any(|(path, _)| *path == file.path);
    let test = path.ends_with("tests.rs");
    file.is("rs") && CORE.contains(&module) && !may && !test
}

#[test]
fn the_relayers_core_speaks_of_no_kind_of_target() {
    let files = files();
    keep(&check(&files));
    assert!(files.iter().filter(|file| is_core(file)).count() > 20);
}

#[test]
fn a_word_of_one_kind_is_found() {
    let bad = File::example("bridge/src/relay/a.rs", "use crate::evm::Evm;\n");
    let worse = File::example("bridge/src/state.rs", "// Of gas.\nlet nonce = 1;\n");
    let good = File::example("bridge/src/evm/a.rs", "let nonce = 1;\n");
    complains(
        &check(&[bad, worse, good]),
        &[
            "bridge/src/relay/a.rs:1: `evm` is a word of EVM chains: what it is for belongs in \
             bridge/src/evm",
            "bridge/src/state.rs:2: `nonce` is a word of EVM chains: what it is for belongs in \
             bridge/src/evm",
        ],
    );
}
