//! The Debian package: built twice alike, installed, started, upgraded, removed and purged.

use std::path::Path;
use std::process::Command;

use tbsi_tests::harness::{skip, tbsi_binary};

/// Exit code of a script that cannot run on this machine.
const CANNOT: i32 = 77;

#[test]
fn the_package_lives() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/debian/test.sh");
    let output = Command::new(&script).arg(tbsi_binary()).output();
    let output = output.expect("bash runs it");
    let said = String::from_utf8_lossy(&output.stdout);
    let wrong = String::from_utf8_lossy(&output.stderr);
    if output.status.code() == Some(CANNOT) {
        let why = said.lines().last().unwrap_or_default();
        skip(
            "the life of the Debian package",
            why,
            "run it as root on a Debian machine",
        );
        return;
    }
    assert!(output.status.success(), "{said}{wrong}");
    let kept = said
        .lines()
        .filter(|line| line.starts_with("kept "))
        .count();
    assert_eq!(kept, 7, "{said}{wrong}");
}
