//! Nothing here depends on the machine or the registry that it was written with.

use crate::{File, complains, files, keep};

/// Beginnings of paths that exist on somebody's machine only.
const OF_A_MACHINE: &[&str] = &["/work/", "/root/", "/tmp/", "/home/", "/Users/"];
const CRATES_IO: &str = "source = \"registry+https://github.com/rust-lang/crates.io-index\"";

fn check_paths(files: &[File]) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in files {
        for (index, line) in file.text.lines().enumerate() {
            for path in OF_A_MACHINE {
                if begins_in(line, path) {
                    let at = file.at(index);
                    complaints.push(format!("{at}: `{path}` is a path of one machine"));
                }
            }
        }
    }
    complaints
}

/// Whether an absolute path that starts with `beginning` occurs in a line. One that goes on a
/// longer path (`state/root/`, `$DIR/tmp/`) is another.
fn begins_in(line: &str, beginning: &str) -> bool {
    line.match_indices(beginning).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        before.is_none_or(|letter| !letter.is_alphanumeric() && !"._-}~/*".contains(letter))
    })
}

fn check_locks(files: &[File]) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in files {
        let (foreign, remedy): (fn(&str) -> bool, _) = match file.path.rsplit('/').next() {
            Some("package-lock.json") => (
                |line| line.trim_start().starts_with("\"resolved\":"),
                "run `npm install --omit-lockfile-registry-resolved`",
            ),
            Some("Cargo.lock") => (
                |line| line.starts_with("source = ") && line != CRATES_IO,
                "depend on crates.io only",
            ),
            Some(_) | None => continue,
        };
        let found = file
            .text
            .lines()
            .enumerate()
            .filter(|(_, line)| foreign(line));
        complaints.extend(found.map(|(index, line)| {
            let at = file.at(index);
            format!("{at}: {}: {remedy}", line.trim())
        }));
    }
    complaints
}

#[test]
fn no_path_is_of_one_machine() {
    keep(&check_paths(&files()));
}

#[test]
fn lock_files_name_no_registry_of_ours() {
    let files = files();
    keep(&check_locks(&files));
    for lock in ["Cargo.lock", "tests/clients/package-lock.json"] {
        assert!(files.iter().any(|file| file.path == lock), "{lock}");
    }
}

#[test]
fn a_path_of_a_machine_is_found() {
    let text = "cd /root/x\nstate/root/x ../work/ $DIR/tmp/ ~/work/\n\"/tmp/y\" /tmp\nC:/Users/me";
    complains(
        &check_paths(&[File::example("a.sh", text)]),
        &[
            "a.sh:1: `/root/` is a path of one machine",
            "a.sh:3: `/tmp/` is a path of one machine",
            "a.sh:4: `/Users/` is a path of one machine",
        ],
    );
}

#[test]
fn a_registry_of_ours_is_found() {
    let npm = "{\n  \"version\": \"1.0.0\",\n  \"resolved\": \"https://npm.example/a.tgz\"\n}\n";
    let cargo = format!("{CRATES_IO}\nsource = \"git+https://git.example/a\"\n");
    let files = [
        File::example("a/package-lock.json", npm),
        File::example("Cargo.lock", &cargo),
        File::example("a.json", npm),
    ];
    complains(
        &check_locks(&files),
        &[
            "a/package-lock.json:3: \"resolved\": \"https://npm.example/a.tgz\": \
             run `npm install --omit-lockfile-registry-resolved`",
            "Cargo.lock:2: source = \"git+https://git.example/a\": depend on crates.io only",
        ],
    );
}
