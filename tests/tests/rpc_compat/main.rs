//! The answers of our JSON-RPC server over Ethereum's own test chain: hive's simulator
//! `rpc-compat` without hive. The chain of execution-apis is executed block by block into a store
//! of ours, a server of ours serves it over HTTP, and every recorded conversation is had with it.
//!
//! As hive does: JSON is compared as a whole, `error.message` alone is not looked at, and of files
//! that say `speconly` the result's shape alone is.
//!
//! Conversations that fail must be those of `tests/expected-failures.txt`, which gives the reason,
//! has at most [`EXPECTED_FAILURES_MAX`] lines, and names none that passes.

mod again;
mod conversation;
mod forks;
mod hostile;
mod import;
mod planted;
mod pool;
mod served;
mod shapes;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tbsi_tests::bench::http::Connection;

use crate::conversation::Conversation;
use crate::import::EthereumChain;
use crate::served::Served;

/// Conversations among the vectors.
const FILES: usize = 169;

/// Lines of the list, which shrinks only.
const EXPECTED_FAILURES_MAX: usize = 20;

const EXPECTED_FAILURES: &str = include_str!("../../expected-failures.txt");

#[tokio::test(flavor = "multi_thread")]
async fn answers_as_ethereum_does() {
    let paths = conversations(&folder().join("tests"));
    assert_eq!(paths.len(), FILES, "conversations");
    let chain = EthereumChain::import(&folder()).expect("import the chain");
    let served = Served::start(Arc::new(chain)).await;
    let mut connection = Connection::new(served.address());
    let mut methods = BTreeMap::<String, (usize, usize)>::new();
    let mut failed = BTreeMap::new();
    for path in paths {
        let name = name_of(&path);
        let text = std::fs::read_to_string(&path).expect("a file that was just listed");
        let conversation = Conversation::parse(&text).unwrap_or_else(|it| panic!("{name}: {it}"));
        let (method, _) = name.split_once('/').expect("a folder and a file");
        let counts = methods.entry(method.to_owned()).or_default();
        counts.1 += 1;
        match conversation.hold(&mut connection).await {
            Ok(()) => counts.0 += 1,
            Err(problem) => {
                failed.insert(name, format!("{problem:#}"));
            }
        }
    }
    served.stop().await;
    for (method, (passed, all)) in &methods {
        println!("{method}: {passed} of {all}");
    }
    compare(&failed);
}

#[tokio::test(flavor = "multi_thread")]
async fn heavy_calls_get_the_documented_error_and_the_server_goes_on() {
    let chain = EthereumChain::import(&folder()).expect("import the chain");
    let served = Served::start(Arc::new(chain)).await;
    hostile::check(&mut Connection::new(served.address())).await;
    served.stop().await;
}

/// What fails must be what is expected to.
fn compare(failed: &BTreeMap<String, String>) {
    let expected = expected_failures();
    assert!(
        expected.len() <= EXPECTED_FAILURES_MAX,
        "the list is too long"
    );
    let unexpected: Vec<String> = failed
        .iter()
        .filter(|(name, _)| !expected.contains_key(name.as_str()))
        .map(|(name, problem)| format!("{name}: {problem}"))
        .collect();
    assert!(
        unexpected.is_empty(),
        "{} conversations fail:\n{}",
        unexpected.len(),
        unexpected.join("\n")
    );
    let passed: Vec<&&str> = expected
        .keys()
        .filter(|name| !failed.contains_key(**name))
        .collect();
    assert!(
        passed.is_empty(),
        "these pass; take them off the list: {passed:?}"
    );
}

/// File and reason of each line; what begins with `#` is none.
fn expected_failures() -> BTreeMap<&'static str, &'static str> {
    let lines = EXPECTED_FAILURES.lines();
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    let pairs = lines.map(|line| line.split_once(": ").expect("a file, a colon, a reason"));
    pairs.collect()
}

fn folder() -> PathBuf {
    let vectors = std::env::var_os("TBSI_VECTORS");
    let vectors = vectors.map_or_else(|| PathBuf::from("../../shared/vectors"), PathBuf::from);
    vectors.join("execution-apis")
}

/// All conversations below a folder, in order.
fn conversations(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}; set TBSI_VECTORS", folder.display()));
    let mut paths: Vec<_> = entries
        .map(|entry| entry.expect("list a folder").path())
        .collect();
    paths.sort();
    paths
        .into_iter()
        .flat_map(|path| match path.extension() {
            Some(extension) if extension == "io" => vec![path],
            _ if path.is_dir() => conversations(&path),
            _ => Vec::new(),
        })
        .collect()
}

/// Folder and file, without the ending.
fn name_of(path: &Path) -> String {
    let part = |path: Option<&std::ffi::OsStr>| {
        let part = path.expect("a file in a folder");
        part.to_string_lossy().into_owned()
    };
    let folder = path.parent().and_then(Path::file_name);
    format!("{}/{}", part(folder), part(path.file_stem()))
}
