//! The page of a war room in `warroom/web`: its types, its build, and its own tests in Chromium
//! against war rooms that tell the truth and such that lie.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tbsi_tests::harness::skip;
use tbsi_tests::outside::ends_well;
use tokio::process::Command;

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
        ends_well(script, npm, STEP_TIMEOUT).await;
    }
}
