//! The page of a war room in `warroom/web`: its types, its build, and its own tests in Chromium
//! against war rooms that tell the truth and such that lie.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tbsi_tests::harness::skip;
use tokio::process::Command;
use tokio::time::timeout;

/// For each of the three. Together they need some 60 s with an idle machine.
const STEP_TIMEOUT: Duration = Duration::from_secs(600);
const NODE_REMEDY: &str = "install Node.js 20.19 or later, then run `npm ci --prefix warroom/web`";
const BROWSER_REMEDY: &str = "install the Debian package chromium";

#[tokio::test]
async fn the_page_passes_its_tests() {
    let page = Path::new("..").canonicalize().expect("the workspace");
    let page: PathBuf = page.join("warroom/web");
    // npm writes this file last.
    if !page.join("node_modules/.package-lock.json").is_file() {
        skip("page of the war room", "its packages", NODE_REMEDY);
        return;
    }
    let browser = ["/usr/bin/chromium", "/usr/bin/google-chrome"];
    let browser = browser.into_iter().find(|path| Path::new(path).is_file());
    if browser.is_none() {
        skip(
            "page of the war room in a browser",
            "no Chromium",
            BROWSER_REMEDY,
        );
    }
    for script in ["check", "build", "test"] {
        let mut npm = Command::new("npm");
        npm.current_dir(&page).args(["run", script]);
        if let Some(browser) = browser {
            npm.env("TBSI_CHROMIUM", browser);
        }
        run(script, npm).await;
    }
}

/// Runs a command to its end, which must be a good one.
async fn run(name: &str, mut command: Command) {
    let running = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("npm, which installed the packages, starts")
        .wait_with_output();
    let ended = timeout(STEP_TIMEOUT, running)
        .await
        .unwrap_or_else(|_| panic!("npm run {name}: not done after {STEP_TIMEOUT:?}"))
        .expect("read what the command prints");
    let said = String::from_utf8_lossy(&ended.stdout);
    let complaint = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "npm run {name}: {said}{complaint}");
}
