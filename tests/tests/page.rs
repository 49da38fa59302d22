//! The page of a war room in `warroom/web`: its types, its build, and its own tests in Chromium
//! against war rooms that tell the truth and such that lie, and against a real one that follows a
//! real network.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tbsi_rpc::LogReader;
use tbsi_tests::harness::{TestNetwork, eventually, skip, tbsi_binary};
use tbsi_tests::outside::ends_well;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

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
    let browser = browser.iter().find(|path| Path::new(path).is_file());
    if browser.is_none() {
        skip(
            "page of the war room in a browser",
            "no Chromium",
            BROWSER_REMEDY,
        );
    }
    let browser = browser.copied();
    let script = async |name: &str, room: Option<&RealRoom>| {
        let mut npm = Command::new("npm");
        npm.current_dir(&page).args(["run", name]);
        if let Some(browser) = browser {
            npm.env("TBSI_CHROMIUM", browser);
        }
        if let Some(room) = room {
            npm.env("TBSI_ROOM", &room.url);
            npm.env("TBSI_GENESIS", &room.genesis);
        }
        ends_well(name, npm, STEP_TIMEOUT).await;
    };
    let built = async {
        script("check", None).await;
        script("build", None).await;
    };
    if browser.is_none() {
        built.await;
        script("test", None).await;
        return;
    }
    let (net, ()) = tokio::join!(with_a_story(), built);
    let room = RealRoom::of(&net, &page.join("dist")).await;
    script("test", Some(&room)).await;
    net.assert_no_panic();
}

/// A network on which something has happened.
async fn with_a_story() -> TestNetwork {
    let net = TestNetwork::start(4, 0).await;
    let mut story = Command::new("../testnet/war-story.sh");
    story.arg(tbsi_binary()).arg(net.network.dir());
    ends_well("war-story.sh", story, STEP_TIMEOUT).await;
    net
}

/// A war room that follows a network and has all of it.
struct RealRoom {
    url: String,
    genesis: PathBuf,
    _process: Child,
}

impl RealRoom {
    async fn of(net: &TestNetwork, page: &Path) -> Self {
        let genesis = net.network.genesis_file();
        let (rpc, data) = (net.network.rpc_url(0), net.scratch().join("warroom"));
        let mut process = Command::new(tbsi_binary())
            .args(["warroom", "run", "--json", "--listen", "127.0.0.1:0"])
            .args(["--poll-ms", "50", "--rpc", &rpc])
            .arg("--genesis")
            .arg(&genesis)
            .arg("--data")
            .arg(data)
            .arg("--web")
            .arg(page)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("the war room starts");
        let out = process.stdout.take().expect("it is piped");
        let line = BufReader::new(out).lines().next_line().await;
        let line = line.expect("it speaks").expect("it says where it is");
        let told: Value = serde_json::from_str(&line).expect("JSON");
        let url = format!("http://{}/", told["listen"].as_str().expect("an address"));
        let api = LogReader::new(&format!("{url}api/v1")).expect("an address");
        eventually("the war room has the story", async || {
            let answer = api.file("consents", 1 << 20).await;
            let answer = answer
                .ok()
                .and_then(|it| serde_json::from_slice::<Value>(&it).ok());
            answer.is_some_and(|it| it["items"].as_array().map(Vec::len) == Some(3))
        })
        .await;
        Self {
            url,
            genesis,
            _process: process,
        }
    }
}
