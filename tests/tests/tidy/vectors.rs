//! Files that somebody has to name, because otherwise nothing reads them.

use crate::{File, complains, files, keep};

const VECTORS: &str = "tests/vectors/";
/// Languages that tests are written in.
const TESTING: &[&str] = &["go", "rs", "sol"];

fn check(files: &[File]) -> Vec<String> {
    let tests = |file: &&File| TESTING.iter().any(|language| file.is(language));
    let sources: Vec<&File> = files.iter().filter(tests).collect();
    let vectors = files.iter().filter_map(|file| {
        let name = file.path.strip_prefix(VECTORS)?;
        let quoted = |source: &&File| source.text.contains(&format!("{name}\""));
        let document = file.is("md");
        let dead = !document && !sources.iter().any(quoted);
        dead.then(|| format!("{}: no test reads it", file.path))
    });
    vectors.collect()
}

#[test]
fn every_vector_is_read() {
    let files = files();
    keep(&check(&files));
    assert!(files.iter().any(|file| file.path.starts_with(VECTORS)));
}

#[test]
fn a_dead_vector_is_found() {
    let files = [
        File::example("tests/vectors/live.json", "{}"),
        File::example("tests/vectors/solidity.json", "{}"),
        File::example("tests/vectors/dead.json", "{}"),
        File::example("tests/vectors/README.md", "# Vectors\n"),
        File::example("a/tests/v.rs", "load(\"live.json\") // dead.json\n"),
        File::example("a/test/V.t.sol", "vm.readFile(\"../solidity.json\");\n"),
        File::example("a/v.mjs", "write(\"dead.json\")\n"),
    ];
    complains(
        &check(&files),
        &["tests/vectors/dead.json: no test reads it"],
    );
}
