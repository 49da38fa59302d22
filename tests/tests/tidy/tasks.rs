//! Every task has an owner, with which it ends: those of a node are listed in one file.

use crate::{File, complains, files, keep, product_lines};

/// Files of the product that start tasks or threads, and what ends these.
const OWNERS: &[(&str, &str)] = &[
    (
        "node/daemon/src/run.rs",
        "every task of a node by name; none outlives `run`",
    ),
    (
        "node/rpc/src/acceptor.rs",
        "one for each connection, in a set that ends with the server",
    ),
    (
        "consensus/engine/src/network/actor.rs",
        "two of the network's actor, which ends them when the engine stops it",
    ),
    (
        "consensus/keys/src/signer/server.rs",
        "one for each connection, in a set that ends with the server",
    ),
    (
        "consensus/keys/src/signer/metrics.rs",
        "one for each connection, in a set that is dropped with the page",
    ),
    (
        "consensus/keys/src/signer/client.rs",
        "the connection to the signer, in a set of the client",
    ),
    (
        "consensus/engine/src/network/asking.rs",
        "one question to the signer, in a set that is dropped with the network",
    ),
    (
        "node/rpc/src/tls.rs",
        "a look at the files of TLS, at most one at a time, which a disk may hold up for ever",
    ),
    (
        "node/rpc/src/client/leaves.rs",
        "what reads a subscription, in a set that is dropped with it",
    ),
];

/// How a task or a thread starts. Blocking work that somebody waits for is none.
const STARTS: &[&str] = &["::spawn(", ".spawn(", "spawn_local(", "thread::Builder"];

/// Folders whose programs are no part of the product.
const NOT_PRODUCT: &[&str] = &["tests/", "testnet/", "vendor/"];

fn check(files: &[File], owners: &[(&str, &str)]) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut owning = Vec::new();
    for file in files.iter().filter(|file| is_product(file)) {
        let starts = |line: &str| STARTS.iter().any(|start| line.contains(start));
        let lines = product_lines(&file.text);
        let found: Vec<usize> = lines
            .filter(|(_, line)| starts(line))
            .map(|(index, _)| index)
            .collect();
        if found.is_empty() {
            continue;
        }
        if owners.iter().any(|(path, _)| *path == file.path) {
            owning.push(file.path.as_str());
            continue;
        }
        complaints.extend(found.into_iter().map(|index| {
            format!(
                "{}: a task without an owner: return a future that run.rs spawns by name",
                file.at(index)
            )
        }));
    }
    for (path, _) in owners {
        if !owning.contains(path) {
            complaints.push(format!("OWNERS: {path} starts no task: remove it"));
        }
    }
    complaints
}

fn is_product(file: &File) -> bool {
    let outside = NOT_PRODUCT.iter().any(|top| file.path.starts_with(top));
    let test = |part: &str| matches!(part, "tests" | "tests.rs" | "testing.rs");
    file.is("rs") && !outside && !file.path.split('/').any(test)
}

#[test]
fn every_task_has_an_owner() {
    keep(&check(&files(), OWNERS));
}

#[test]
fn a_task_without_an_owner_is_found() {
    let files = [
        File::example("node/a.rs", "fn f() {\n    tokio::spawn(work());\n}\n"),
        File::example("node/b.rs", "set.spawn(work());\nspawn_blocking(work);\n"),
        File::example("node/c.rs", "spawn_blocking(work); // tokio::spawn(\n"),
        File::example(
            "node/d.rs",
            "#[cfg(test)]\nmod tests {\n    tokio::spawn(work());\n}\n",
        ),
        File::example("node/tests/e.rs", "tokio::spawn(work());\n"),
    ];
    complains(
        &check(
            &files,
            &[("node/b.rs", "an example"), ("node/c.rs", "none")],
        ),
        &[
            "node/a.rs:2: a task without an owner: return a future that run.rs spawns by name",
            "OWNERS: node/c.rs starts no task: remove it",
        ],
    );
}
