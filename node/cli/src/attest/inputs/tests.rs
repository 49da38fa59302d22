use super::*;
use std::os::unix::fs::symlink;

/// `a` and `sub/a` with contents, `empty`, and a link.
fn tree() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("sub")).unwrap();
    for name in ["a", "sub/a", "sub/b"] {
        fs::write(dir.path().join(name), name).unwrap();
    }
    symlink("a", dir.path().join("link")).unwrap();
    dir
}

fn inputs(dir: &Path, files: &[&str]) -> Inputs {
    Inputs {
        files: files.iter().map(|file| dir.join(file)).collect(),
        dir: None,
        recursive: false,
        out: None,
    }
}

fn names(dir: &Path, inputs: &Inputs) -> Vec<(String, String)> {
    let below = |path: &Path| {
        let path = path.strip_prefix(dir).unwrap();
        path.to_string_lossy().into_owned()
    };
    let targets = inputs.collect(Path::new("none")).unwrap();
    let named = |target: &Target| (below(&target.file), below(&target.proof));
    targets.iter().map(named).collect()
}

fn refuses(inputs: &Inputs, words: &str) {
    let error = format!("{:#}", inputs.collect(Path::new("none")).unwrap_err());
    assert!(error.contains(words), "`{words}` is not in: {error}");
}

fn pair(file: &str, proof: &str) -> (String, String) {
    (file.into(), proof.into())
}

#[test]
fn proofs_are_next_to_the_files_or_below_out() {
    let dir = tree();
    let dir = dir.path();
    let mut given = inputs(dir, &["sub/b", "a", "a", "sub/../a"]);
    let next = [pair("sub/b", "sub/b.tbsi.json"), pair("a", "a.tbsi.json")];
    assert_eq!(names(dir, &given), next);
    given.out = Some(dir.join("out"));
    let below = [
        pair("sub/b", "out/b.tbsi.json"),
        pair("a", "out/a.tbsi.json"),
    ];
    assert_eq!(names(dir, &given), below);
    assert!(dir.join("out").is_dir());
}

#[test]
fn directories_are_walked_and_their_shape_is_kept() {
    let dir = tree();
    let dir = dir.path();
    for ours in ["a.tbsi.json", "a.tbsi.salt", "sub/b.tbsi.json"] {
        fs::write(dir.join(ours), "of an earlier run").unwrap();
    }
    let mut given = inputs(dir, &[]);
    given.dir = Some(dir.into());
    refuses(&given, "sub is a directory; add --recursive");
    given.recursive = true;
    given.out = Some(dir.join("out"));
    let expected = [
        pair("a", "out/a.tbsi.json"),
        pair("sub/a", "out/sub/a.tbsi.json"),
        pair("sub/b", "out/sub/b.tbsi.json"),
    ];
    assert_eq!(names(dir, &given), expected);
    // Again, now that `out` is there; what is in it is not for attesting.
    fs::write(dir.join("out/c"), "c").unwrap();
    assert_eq!(names(dir, &given), expected);
}

#[test]
fn refuses_what_cannot_be_attested() {
    let dir = tree();
    let dir = dir.path();
    fs::write(dir.join("empty"), "").unwrap();
    refuses(&inputs(dir, &["a", "empty"]), "empty is empty");
    refuses(&inputs(dir, &["missing"]), "missing");
    refuses(&inputs(dir, &["sub"]), "give it with --dir");
    refuses(&inputs(dir, &[".."]), "no file name");
    refuses(&inputs(Path::new("/dev"), &["null"]), "not a regular file");
    let mut given = inputs(dir, &[]);
    given.dir = Some(dir.join("missing"));
    refuses(&given, "read directory");
    fs::create_dir(dir.join("none")).unwrap();
    given.dir = Some(dir.join("none"));
    refuses(&given, "no file to attest");
    let mut given = inputs(dir, &["a", "sub/a"]);
    given.out = Some(dir.join("out"));
    refuses(&given, "would both be");
    given = inputs(dir, &["a"]);
    given.out = Some(dir.join("sub/a"));
    refuses(&given, "another directory is chosen with --out");
}

#[test]
fn the_key_and_unfinished_files_are_left_out() {
    let dir = tree();
    let dir = dir.path();
    fs::write(dir.join("sub/.x.tbsi.tmp"), "half a proof").unwrap();
    let mut given = inputs(dir, &[]);
    given.dir = Some(dir.join("sub"));
    let targets = given.collect(&dir.join("sub/../sub/a")).unwrap();
    let files: Vec<&Path> = targets.iter().map(|it| it.file.as_path()).collect();
    assert_eq!(files, [dir.join("sub/b")]);
    let given = inputs(dir, &["a"]);
    let error = given.collect(&dir.join("link")).unwrap_err();
    assert!(error.to_string().contains("is the key"), "{error}");
}
