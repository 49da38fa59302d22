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
        exclude: Vec::new(),
        out: None,
    }
}

fn names(dir: &Path, inputs: &Inputs) -> Vec<(String, String)> {
    let below = |path: &Path| {
        let path = path.strip_prefix(dir).unwrap();
        path.to_string_lossy().into_owned()
    };
    let found = inputs.collect(Path::new("none"), Language::En).unwrap();
    let targets = found.targets;
    let named = |target: &Target| (below(&target.file), below(&target.proof));
    targets.iter().map(named).collect()
}

fn refuses(inputs: &Inputs, words: &str) {
    let error = format!(
        "{:#}",
        inputs.collect(Path::new("none"), Language::En).unwrap_err()
    );
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
    refuses(&inputs(dir, &["a", "empty"]), "empty: it is empty");
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
    let found = given
        .collect(&dir.join("sub/../sub/a"), Language::En)
        .unwrap();
    let files: Vec<&Path> = found.targets.iter().map(|it| it.file.as_path()).collect();
    assert_eq!(files, [dir.join("sub/b")]);
    let skipped: Vec<_> = found.skipped.iter().map(|it| it.why.0.as_str()).collect();
    assert_eq!(skipped, ["it is the key"]);
    let given = inputs(dir, &["a"]);
    let error = given.collect(&dir.join("link"), Language::En).unwrap_err();
    assert!(error.to_string().contains("is the key"), "{error}");
}

#[test]
fn patterns_leave_files_out() {
    let dir = tree();
    let dir = dir.path();
    fs::create_dir_all(dir.join("drafts/old")).unwrap();
    for name in [
        "drafts/x",
        "drafts/old/y",
        "b.log",
        "sub/c.log",
        "sub/keep.log",
        ".hidden",
    ] {
        fs::write(dir.join(name), name).unwrap();
    }
    let mut given = inputs(dir, &[]);
    given.dir = Some(dir.into());
    given.recursive = true;
    let files = |given: &Inputs| -> Vec<String> {
        names(dir, given)
            .into_iter()
            .map(|(file, _)| file)
            .collect()
    };
    let all = files(&given);
    assert_eq!(all.len(), 9, "{all:?}");
    given.exclude = vec!["*.log".into(), "/drafts/".into()];
    assert_eq!(files(&given), [".hidden", "a", "sub/a", "sub/b"]);
    given.exclude = vec!["old".into()];
    assert_eq!(files(&given).len(), 8);
    given.exclude = Vec::new();
    fs::write(
        dir.join(".tbsiignore"),
        "# notes\n*.log\n!keep.log\n/drafts\n",
    )
    .unwrap();
    fs::write(dir.join("sub/.tbsiignore"), "b\n").unwrap();
    assert_eq!(files(&given), [".hidden", "a", "sub/a", "sub/keep.log"]);
    // What is left out need not be asked for.
    given.recursive = false;
    given.exclude = vec!["sub".into()];
    assert_eq!(files(&given), [".hidden", "a"]);
    for bad in ["", "[", "a/***"] {
        given.exclude = vec![bad.into()];
        refuses(&given, "is no pattern");
    }
    given.exclude = Vec::new();
    fs::write(dir.join(".tbsiignore"), "sub\n[a\n").unwrap();
    refuses(&given, ".tbsiignore, line 2: [a is no pattern");
}

#[test]
fn one_file_may_have_its_proof_by_name() {
    let dir = tree();
    let dir = dir.path();
    let mut given = inputs(dir, &["a"]);
    given.out = Some(dir.join("p.json"));
    assert_eq!(names(dir, &given), [pair("a", "p.json")]);
    assert!(!dir.join("p.json").exists(), "it is no directory");
    given.out = Some(dir.join("new/p.tbsi.json"));
    let found = given.collect(Path::new("none"), Language::En).unwrap();
    assert_eq!(found.targets[0].salt, dir.join("new/p.tbsi.salt"));
    fs::create_dir(dir.join("d.json")).unwrap();
    given.out = Some(dir.join("d.json"));
    assert_eq!(names(dir, &given), [pair("a", "d.json/a.tbsi.json")]);
    let mut given = inputs(dir, &["a", "sub/b"]);
    given.out = Some(dir.join("p.json"));
    refuses(&given, "is the name of one proof");
    let mut given = inputs(dir, &["a"]);
    given.dir = Some(dir.join("sub"));
    given.out = Some(dir.join("p.json"));
    refuses(&given, "is the name of one proof");
}

#[test]
fn a_name_without_room_for_its_ending_is_left_out_of_many() {
    let dir = tree();
    let dir = dir.path();
    let long = "x".repeat(246);
    fs::write(dir.join("sub").join(&long), "long").unwrap();
    let mut given = inputs(dir, &[]);
    given.dir = Some(dir.join("sub"));
    let found = given.collect(Path::new("none"), Language::En).unwrap();
    assert_eq!(found.targets.len(), 2, "the others are attested");
    let [left_out] = found.left_out.as_slice() else {
        panic!("{:?}", found.left_out);
    };
    assert!(
        left_out.why.0.contains("a name of 256 bytes"),
        "{}",
        left_out.why.0
    );
    assert!(left_out.why.0.contains(".tbsi.json"), "{}", left_out.why.0);
    refuses(
        &inputs(dir, &[&format!("sub/{long}")]),
        "with a shorter one",
    );
}
