//! Arrows between the modules of a crate go one way, as those between crates do.

use std::collections::{BTreeMap, BTreeSet};

use crate::{File, complains, files, keep, product_lines};

/// Crates of the product.
const CRATES: &[&str] = &[
    "bridge",
    "consensus/engine",
    "consensus/keys",
    "consensus/light",
    "consensus/p2p",
    "consensus/types",
    "governance",
    "node/cli",
    "node/daemon",
    "node/execution",
    "node/home",
    "node/rpc",
    "node/store",
    "warroom",
];

/// Modules that need one another so far; none may be added.
const KNOWN: &[(&str, &[&str])] = &[
    ("consensus/engine", &["codec", "network", "signing"]),
    // Malachite's context names its timeouts, which are written for that context.
    ("consensus/engine", &["context", "tally"]),
    ("consensus/engine", &["serve", "start"]),
    ("consensus/keys", &["keyfile", "keystore", "password"]),
    // Errors say what does not fit, in the words of a language.
    ("node/cli", &["lang", "misfit"]),
    ("node/daemon", &["cosign", "node"]),
    // A caller's access list is found by calling.
    ("node/execution", &["access_list", "call"]),
    // The parts of one type.
    (
        "node/store",
        &["chain", "consensus", "roster", "state", "store"],
    ),
];

type Arrows = BTreeMap<String, BTreeSet<String>>;

fn check(files: &[File], known: &[(&str, &[&str])]) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut found = Vec::new();
    for name in CRATES {
        for circle in circles(&arrows(files, name)) {
            let modules: Vec<&str> = circle.iter().map(String::as_str).collect();
            if !known.contains(&(name, modules.as_slice())) {
                complaints.push(format!(
                    "{name}: {} need one another: move what they share into a module of its own",
                    modules.join(", ")
                ));
            }
            found.push((*name, circle));
        }
    }
    for (name, modules) in known {
        let there = |(of, circle): &(&str, Vec<String>)| of == name && circle == modules;
        if !found.iter().any(there) {
            let modules = modules.join(", ");
            complaints.push(format!("KNOWN: {name}: {modules} are no circle: remove it"));
        }
    }
    complaints
}

/// Modules at the root of a crate, with what is below them, and the other ones that they name.
fn arrows(files: &[File], name: &str) -> Arrows {
    let mut sources: BTreeMap<String, Vec<&File>> = BTreeMap::new();
    let mut root = None;
    for file in files.iter().filter(|file| file.is("rs")) {
        let Some(path) = file.path.strip_prefix(&format!("{name}/src/")) else {
            continue;
        };
        let test = |part: &str| matches!(part, "tests" | "tests.rs" | "testing.rs");
        let module = path.split('/').next().unwrap_or(path);
        match module.strip_suffix(".rs").unwrap_or(module) {
            "lib" | "main" => root = Some(file),
            _ if path.split('/').any(test) => {}
            module => sources.entry(module.to_owned()).or_default().push(file),
        }
    }
    let shown = root.map(shown).unwrap_or_default();
    let mut arrows = Arrows::new();
    for (module, files) in &sources {
        let named = files.iter().flat_map(|file| named(&file.text));
        let named = named.map(|name| shown.get(&name).cloned().unwrap_or(name));
        let others = named.filter(|name| name != module && sources.contains_key(name));
        arrows.insert(module.clone(), others.collect());
    }
    arrows
}

/// What the root shows of its modules: names and where they are from.
fn shown(root: &File) -> BTreeMap<String, String> {
    let mut shown = BTreeMap::new();
    for statement in root.text.split("pub use ").skip(1) {
        let statement = statement.trim_start_matches("crate::");
        let statement = statement.split(';').next().unwrap_or(statement);
        if let Some((module, names)) = statement.split_once("::") {
            shown.extend(words(names).map(|name| (name.to_owned(), module.to_owned())));
        }
    }
    shown
}

/// The first words of paths that begin with `crate::`.
fn named(text: &str) -> Vec<String> {
    let code: Vec<&str> = product_lines(text).map(|(_, line)| line).collect();
    let code = code.join(" ");
    let mut named = Vec::new();
    for path in code.split("crate::").skip(1) {
        match path.strip_prefix('{') {
            Some(list) => named.extend(firsts(list)),
            None => named.extend(words(path).next().map(str::to_owned)),
        }
    }
    named
}

/// The first word of each path in a list up to its closing brace.
fn firsts(list: &str) -> Vec<String> {
    let (mut depth, mut piece, mut pieces) = (1u32, String::new(), Vec::new());
    for letter in list.chars() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 || (letter == ',' && depth == 1) {
            pieces.push(std::mem::take(&mut piece));
        } else {
            piece.push(letter);
        }
        if depth == 0 {
            break;
        }
    }
    let first = |piece: &String| words(piece).next().map(str::to_owned);
    pieces.iter().filter_map(first).collect()
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !letter.is_alphanumeric() && letter != '_')
        .filter(|word| !word.is_empty())
}

/// Groups of modules each of which reaches all others of its group.
fn circles(arrows: &Arrows) -> Vec<Vec<String>> {
    let reached: BTreeMap<&String, BTreeSet<&String>> = arrows
        .keys()
        .map(|module| (module, reachable(arrows, module)))
        .collect();
    let mut circles = BTreeSet::new();
    for (module, others) in &reached {
        let back = |other: &&&String| reached[**other].contains(module);
        let circle: Vec<String> = others.iter().filter(back).map(|it| (*it).clone()).collect();
        if circle.len() > 1 {
            circles.insert(circle);
        }
    }
    circles.into_iter().collect()
}

fn reachable<'a>(arrows: &'a Arrows, from: &'a String) -> BTreeSet<&'a String> {
    let (mut seen, mut next) = (BTreeSet::new(), vec![from]);
    while let Some(module) = next.pop() {
        let others = arrows.get(module).into_iter().flatten();
        next.extend(others.filter(|other| seen.insert(*other)));
    }
    seen
}

#[test]
fn modules_form_no_circles() {
    let files = files();
    keep(&check(&files, KNOWN));
    for name in CRATES {
        let arrows = arrows(&files, name);
        assert!(!arrows.is_empty(), "{name} has no modules");
    }
}

#[test]
fn a_circle_is_found() {
    let files = [
        File::example("bridge/src/lib.rs", "mod a;\npub use b::{Own, Other};\n"),
        File::example("bridge/src/a.rs", "use crate::{Own, d::Deep};\n"),
        File::example("bridge/src/b.rs", "use crate::c::Thing;\n"),
        File::example("bridge/src/c/below.rs", "fn f() -> crate::a::It {}\n"),
        File::example("bridge/src/d.rs", "// crate::a\n"),
        File::example("bridge/src/d/tests.rs", "use crate::a::It;\n"),
    ];
    complains(
        &check(&files, &[("governance", &["a", "b"])]),
        &[
            "bridge: a, b, c need one another: move what they share into a module of its own",
            "KNOWN: governance: a, b are no circle: remove it",
        ],
    );
    complains(&check(&files, &[("bridge", &["a", "b", "c"])]), &[]);
}
