//! Which crate may know which.

use std::process::Command;

use serde::Deserialize;

use crate::{complains, keep, root};

/// Of the product, which `testnet` and `tests` are not.
const CRATES_MAX: usize = 15;
const NOT_PRODUCT: &[&str] = &["tbsi-fuzz", "tbsi-simulation", "tbsi-testnet", "tbsi-tests"];

/// Every crate, and the crates of this workspace that it may depend on: arrows go down only.
const ARROWS: &[(&str, &[&str])] = &[
    ("tbsi-types", &[]),
    ("tbsi-light", &["tbsi-types"]),
    ("tbsi-p2p", &["tbsi-types"]),
    ("tbsi-keys", &["tbsi-light", "tbsi-types"]),
    (
        "tbsi-engine",
        &["tbsi-keys", "tbsi-light", "tbsi-p2p", "tbsi-types"],
    ),
    ("tbsi-bindings", &["tbsi-types"]),
    ("tbsi-governance", &["tbsi-bindings", "tbsi-types"]),
    (
        "tbsi-execution",
        &[
            "tbsi-bindings",
            "tbsi-governance",
            "tbsi-light",
            "tbsi-types",
        ],
    ),
    (
        "tbsi-home",
        &[
            "tbsi-execution",
            "tbsi-governance",
            "tbsi-keys",
            "tbsi-types",
        ],
    ),
    ("tbsi-store", &["tbsi-types"]),
    ("tbsi-rpc", &["tbsi-types"]),
    (
        "tbsi-node",
        &[
            "tbsi-bindings",
            "tbsi-engine",
            "tbsi-execution",
            "tbsi-governance",
            "tbsi-home",
            "tbsi-keys",
            "tbsi-light",
            "tbsi-p2p",
            "tbsi-rpc",
            "tbsi-store",
            "tbsi-types",
        ],
    ),
    (
        "tbsi-testnet",
        &[
            "tbsi-governance",
            "tbsi-home",
            "tbsi-keys",
            "tbsi-rpc",
            "tbsi-types",
        ],
    ),
    (
        "tbsi-bridge",
        &["tbsi-bindings", "tbsi-light", "tbsi-rpc", "tbsi-types"],
    ),
    (
        "tbsi-warroom",
        &[
            "tbsi-bindings",
            "tbsi-governance",
            "tbsi-light",
            "tbsi-rpc",
            "tbsi-types",
        ],
    ),
    (
        "tbsi",
        &[
            "tbsi-bindings",
            "tbsi-bridge",
            "tbsi-governance",
            "tbsi-home",
            "tbsi-keys",
            "tbsi-light",
            "tbsi-node",
            "tbsi-rpc",
            "tbsi-testnet",
            "tbsi-types",
            "tbsi-warroom",
        ],
    ),
    (
        "tbsi-fuzz",
        &[
            "tbsi-engine",
            "tbsi-governance",
            "tbsi-home",
            "tbsi-keys",
            "tbsi-light",
            "tbsi-node",
            "tbsi-rpc",
            "tbsi-types",
        ],
    ),
    (
        "tbsi-tests",
        &[
            "tbsi-bindings",
            "tbsi-bridge",
            "tbsi-engine",
            "tbsi-execution",
            "tbsi-governance",
            "tbsi-home",
            "tbsi-keys",
            "tbsi-light",
            "tbsi-node",
            "tbsi-p2p",
            "tbsi-rpc",
            "tbsi-store",
            "tbsi-testnet",
            "tbsi-types",
        ],
    ),
    (
        "tbsi-simulation",
        &[
            "tbsi-bindings",
            "tbsi-bridge",
            "tbsi-engine",
            "tbsi-execution",
            "tbsi-governance",
            "tbsi-home",
            "tbsi-keys",
            "tbsi-light",
            "tbsi-node",
            "tbsi-p2p",
            "tbsi-rpc",
            "tbsi-store",
            "tbsi-types",
        ],
    ),
];

/// Libraries, by the beginning of their names, that one crate alone may name.
const OWNERS: &[(&str, &str)] = &[
    ("arc-malachitebft-", "tbsi-engine"),
    ("revm", "tbsi-execution"),
    ("alloy-evm", "tbsi-execution"),
    ("rocksdb", "tbsi-store"),
    ("libp2p", "tbsi-p2p"),
];

/// Crates without clock, randomness, tasks, files and sockets.
const PURE: &[&str] = &[
    "tbsi-types",
    "tbsi-light",
    "tbsi-bindings",
    "tbsi-governance",
    "tbsi-execution",
];

/// Libraries, by the beginning of their names, that a pure crate has no use for.
const IMPURE: &[&str] = &["async-", "futures", "rand", "tokio", "tracing"];

/// A crate as `cargo metadata` shows it.
#[derive(Deserialize)]
struct Package {
    name: String,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    /// `dev`, `build`, or none for an ordinary one.
    kind: Option<String>,
}

fn packages() -> Vec<Package> {
    #[derive(Deserialize)]
    struct Metadata {
        packages: Vec<Package>,
    }
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps"])
        .args(["--offline", "--locked"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo metadata: {said}");
    let metadata: Metadata = serde_json::from_slice(&output.stdout).expect("cargo writes JSON");
    metadata.packages
}

fn check(packages: &[Package]) -> Vec<String> {
    let mut complaints: Vec<String> = packages.iter().flat_map(check_package).collect();
    let product = |package: &&Package| !NOT_PRODUCT.contains(&package.name.as_str());
    let count = packages.iter().filter(product).count();
    if count > CRATES_MAX {
        complaints.push(format!(
            "{count} crates are more than {CRATES_MAX}: make a module instead"
        ));
    }
    complaints
}

fn check_package(package: &Package) -> Vec<String> {
    let name = package.name.as_str();
    let Some((_, allowed)) = ARROWS.iter().find(|(known, _)| *known == name) else {
        return vec![format!("{name}: give it a place in ARROWS")];
    };
    let mut complaints = Vec::new();
    for dependency in &package.dependencies {
        let used = dependency.name.as_str();
        if used.starts_with("tbsi") && !allowed.contains(&used) {
            complaints.push(format!("{name} → {used}: arrows go down only"));
        }
        for (library, owner) in OWNERS {
            if used.starts_with(library) && name != *owner {
                complaints.push(format!("{name} → {used}: only {owner} may name it"));
            }
        }
        let ordinary = dependency.kind.as_deref() != Some("dev");
        let impure = IMPURE.iter().any(|library| used.starts_with(library));
        if PURE.contains(&name) && ordinary && impure {
            complaints.push(format!("{name} → {used}: {name} is pure"));
        }
    }
    complaints
}

#[test]
fn arrows_go_down_only() {
    let packages = packages();
    assert_eq!(packages.len(), ARROWS.len(), "ARROWS lists every crate");
    keep(&check(&packages));
}

#[test]
fn a_wrong_arrow_is_found() {
    let package = |name: &str, used: &[(&str, Option<&str>)]| Package {
        name: name.into(),
        dependencies: used
            .iter()
            .map(|(name, kind)| Dependency {
                name: (*name).into(),
                kind: kind.map(Into::into),
            })
            .collect(),
    };
    let good = package("tbsi-store", &[("rocksdb", None), ("tbsi-types", None)]);
    complains(&check(&[good]), &[]);
    let bad = [
        package("tbsi-types", &[("tbsi-light", Some("dev"))]),
        package("tbsi-rpc", &[("rocksdb", None)]),
        package("tbsi-light", &[("tokio", None), ("proptest", Some("dev"))]),
        package("tbsi-node", &[("arc-malachitebft-peer", None)]),
        package("tbsi", &[("tbsi-tests", None)]),
        package("tbsi-new", &[]),
    ];
    complains(
        &check(&bad),
        &[
            "tbsi-types → tbsi-light: arrows go down only",
            "tbsi-rpc → rocksdb: only tbsi-store may name it",
            "tbsi-light → tokio: tbsi-light is pure",
            "tbsi-node → arc-malachitebft-peer: only tbsi-engine may name it",
            "tbsi → tbsi-tests: arrows go down only",
            "tbsi-new: give it a place in ARROWS",
        ],
    );
    let mut many: Vec<Package> = (0..CRATES_MAX)
        .map(|_| package("tbsi-types", &[]))
        .collect();
    many.push(package("tbsi-tests", &[]));
    complains(&check(&many), &[]);
    many.push(package("tbsi-types", &[]));
    complains(
        &check(&many),
        &[&format!(
            "{} crates are more than {CRATES_MAX}: make a module instead",
            CRATES_MAX + 1
        )],
    );
}
