//! OpenTimestamps: the stock client at our calendar, and a stub of a calendar that is in Bitcoin.
//! No Bitcoin is here: its blocks are the stub's words, and so said.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

use alloy_primitives::{B256, hex};
use tbsi_home::config::CalendarConfig;
use tbsi_tests::harness::{TestNetwork, eventually, tbsi, tbsi_binary};
use tbsi_tests::outside::{Offline, accepts, outside, python, refuses, run};
use tbsi_types::log::ots::read_ots_file;
use tbsi_types::log::{OtsNotary, OtsWriter};
use tbsi_types::sha256;

use crate::table::{Row, attest, prove};

/// The height of the stub's first block.
const FIRST_BLOCK: u64 = 700_000;

/// A calendar that claims to have what it was given in blocks of Bitcoin.
pub(crate) struct StubCalendar {
    address: SocketAddr,
    blocks: Arc<Mutex<Blocks>>,
}

#[derive(Default)]
struct Blocks {
    /// Whether it says so yet.
    mined: bool,
    /// The Merkle root of each, from [`FIRST_BLOCK`] on.
    roots: Vec<B256>,
}

impl StubCalendar {
    /// Listens until the test ends.
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let blocks = Arc::new(Mutex::new(Blocks::default()));
        let held = Arc::clone(&blocks);
        std::thread::spawn(move || {
            for socket in listener.incoming() {
                // Whoever hangs up gets no answer.
                answer(socket.unwrap(), address, &held).ok();
            }
        });
        Self { address, blocks }
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on, what it was given is in its blocks.
    pub(crate) fn mine(&self) {
        self.blocks.lock().unwrap().mined = true;
    }

    /// Configures the first node of a network that does not run yet as a calendar in front of
    /// this one.
    pub(crate) fn configure(&self, net: &TestNetwork) {
        let own = net.network.rpc_url(0);
        net.configure(0, |config| {
            let mut calendar = CalendarConfig::new(own);
            calendar.upstream = Some(self.url());
            calendar.interval_s = 1;
            config.tsa.as_mut().unwrap().calendar = Some(calendar);
        });
    }

    /// The block that an `.ots` file names, and its Merkle root; `None` if it names none.
    fn block_of(&self, file: &Path) -> Option<(u64, B256)> {
        let (_, found) = read_ots_file(&fs::read(file).unwrap()).unwrap();
        let height = found.iter().find_map(|it| match it.notary {
            OtsNotary::Bitcoin(height) => Some(height),
            OtsNotary::Pending(_) | OtsNotary::Other(_) => None,
        })?;
        let index = usize::try_from(height - FIRST_BLOCK).unwrap();
        Some((height, self.blocks.lock().unwrap().roots[index]))
    }
}

fn answer(socket: TcpStream, own: SocketAddr, held: &Mutex<Blocks>) -> std::io::Result<()> {
    let mut reader = BufReader::new(socket);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        let header = header.trim_end().to_lowercase();
        if header.is_empty() {
            break;
        }
        if let Some(value) = header.strip_prefix("content-length: ") {
            length = value.parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let path = line.split(' ').nth(1).unwrap_or_default();
    let timestamp = if path == "/digest" {
        Some(promised(own))
    } else {
        let commitment = path.strip_prefix("/timestamp/").unwrap();
        mined(&hex::decode(commitment).unwrap(), held)
    };
    let (status, body) = match timestamp {
        Some(timestamp) => ("200 OK", timestamp),
        None => ("404 Not Found", b"not yet\n".to_vec()),
    };
    let socket = reader.get_mut();
    let length = body.len();
    write!(
        socket,
        "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
    )?;
    socket.write_all(&body)
}

/// What a calendar says at first.
fn promised(own: SocketAddr) -> Vec<u8> {
    let mut writer = OtsWriter::default();
    writer.append(b"a stub");
    writer.sha256();
    writer.pending(&format!("http://{own}"), true);
    writer.finish()
}

/// A block for each commitment, if any are mined.
fn mined(commitment: &[u8], held: &Mutex<Blocks>) -> Option<Vec<u8>> {
    let mut blocks = held.lock().unwrap();
    if !blocks.mined {
        return None;
    }
    let mut writer = OtsWriter::default();
    writer.prepend(b"no Bitcoin");
    writer.sha256();
    let height = FIRST_BLOCK + blocks.roots.len() as u64;
    blocks.roots.push(sha256(&[b"no Bitcoin", commitment]));
    Some(writer.finish_with(&bitcoin(height)))
}

/// The attestation of a height, which takes three bytes in LEB128.
fn bitcoin(height: u64) -> Vec<u8> {
    let low = |shift: u32| u8::try_from((height >> shift) & 0x7f).unwrap();
    let number = [low(0) | 0x80, low(7) | 0x80, low(14)];
    let head = [0, 0x05, 0x88, 0x96, 0x0d, 0x73, 0xd7, 0x19, 0x01, 3];
    [head.as_slice(), &number].concat()
}

/// The stock client.
pub(crate) struct Client {
    python: PathBuf,
}

impl Client {
    /// `None`, and said so, if it is not installed.
    pub(crate) fn find() -> Option<Self> {
        let python = python("OpenTimestamps with the stock client")?;
        Some(Self { python })
    }

    fn program(&self) -> PathBuf {
        self.python.with_file_name("ots")
    }

    /// Verifies a file at the stub's block, without any network.
    fn verify(&self, offline: &Offline, stub: &StubCalendar, file: &Path, ots: &Path) -> String {
        let (height, root) = stub.block_of(ots).expect("a block");
        let mut verify = offline.command(&self.python);
        verify.arg(outside().join("ots.py")).arg("verify");
        verify.arg(file).arg(ots).arg(height.to_string());
        accepts(verify.arg(hex::encode(root)))
    }

    /// A file that was attested, once its log is in a block of the stub.
    pub(crate) async fn row(
        &self,
        net: &TestNetwork,
        stub: &StubCalendar,
        offline: &Offline,
        file: &Path,
    ) -> Row {
        let index = attest(net, file).await;
        stub.mine();
        let ots = file.with_extension("ots");
        eventually("the log is in a block of the stub", async || {
            fs::remove_file(&ots).ok();
            prove(net, index, "ots", &ots).await;
            stub.block_of(&ots).is_some()
        })
        .await;
        let said = self.verify(offline, stub, file, &ots);
        Row::said("ots verify (stub of Bitcoin)", "OpenTimestamps file", &said)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_stock_client_stamps_upgrades_and_verifies() {
    let Some(client) = Client::find() else {
        return;
    };
    let stub = StubCalendar::start();
    let net = TestNetwork::create(1, 0);
    stub.configure(&net);
    let net = net.started().await;
    let Some(offline) = Offline::new("OpenTimestamps", net.network.nodes()[0].rpc) else {
        return;
    };
    let dir = net.scratch().join("stamps");
    fs::create_dir(&dir).unwrap();
    fs::write(dir.join("file"), "minutes of the assembly\n").unwrap();
    let url = net.network.rpc_url(0);
    let ots = |mut command: Command, arguments: &str| {
        let words = arguments.split_whitespace();
        command.args(["--no-cache", "--no-default-whitelist", "-l", &url]);
        command.args(words).current_dir(&dir);
        command
    };
    let online = |arguments: &str| ots(Command::new(client.program()), arguments);
    let offline_ots = |arguments: &str| ots(offline.command(client.program()), arguments);
    accepts(&mut online(&format!(
        "stamp -m 1 --timeout 20 -c {url} file"
    )));
    let said = accepts(&mut offline_ots("info file.ots"));
    // The leaf, and the log's root.
    let pending = format!("verify PendingAttestation('{url}')");
    assert_eq!(said.matches(&pending).count(), 2, "{said}");
    // A promise is no proof, and the calendar says so.
    refuses(&mut offline_ots("--no-bitcoin verify file.ots"), "");
    refuses(&mut online("upgrade file.ots"), "is not in Bitcoin yet");
    let tampered = fs::read(dir.join("file.ots")).unwrap();
    fs::write(dir.join("cut.ots"), &tampered[..tampered.len() - 1]).unwrap();
    refuses(&mut offline_ots("info cut.ots"), "Invalid timestamp");
    stub.mine();
    eventually("the stock client upgrades", async || {
        let (code, _) = run(&mut online("upgrade file.ots"));
        code == Some(0)
    })
    .await;
    let file = dir.join("file");
    let said = client.verify(&offline, &stub, &file, &dir.join("file.ots"));
    let row = Row::said("ots", "upgraded", &said);
    assert!(row.accepts && row.refused > 1_000, "{said}");
    fs::write(dir.join("other"), "another file\n").unwrap();
    let row = client.row(&net, &stub, &offline, &dir.join("other")).await;
    // Nothing in it is pending, so nothing in it goes unnoticed.
    assert!(row.accepts && row.unnoticed == 0, "{row:?}");
    let verify = ["verify", "file.ots", "--genesis", "x"];
    let (code, said) = run(Command::new(tbsi_binary()).args(verify).current_dir(&dir));
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("`ots verify` verifies it"), "{said}");
    net.assert_no_panic();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_calendar_without_bitcoin_says_so_and_anchors_survive_a_restart() {
    let stub = StubCalendar::start();
    let net = TestNetwork::create(1, 0);
    stub.configure(&net);
    let mut net = net.started().await;
    let dir = net.scratch().join("stamps");
    fs::create_dir(&dir).unwrap();
    fs::write(dir.join("file"), "minutes of the assembly\n").unwrap();
    let index = attest(&net, &dir.join("file")).await;
    stub.mine();
    let ots = dir.join("file.ots");
    let anchored = async |net: &TestNetwork| {
        fs::remove_file(&ots).ok();
        prove(net, index, "ots", &ots).await;
        stub.block_of(&ots)
    };
    eventually("the log is in a block of the stub", async || {
        anchored(&net).await.is_some()
    })
    .await;
    let before = anchored(&net).await;
    net.network.stop(0).await.unwrap();
    net.configure(0, |config| {
        let calendar = config.tsa.as_mut().unwrap().calendar.as_mut().unwrap();
        calendar.upstream = None;
    });
    net.network.start(0).unwrap();
    let height = tbsi_types::Height(1);
    net.wait_height(0, height).await;
    assert_eq!(anchored(&net).await, before, "what was anchored stays so");
    // What came later is a promise that nobody will keep, and that is said.
    fs::write(dir.join("late"), "late\n").unwrap();
    let late = attest(&net, &dir.join("late")).await;
    let (url, late) = (net.network.rpc_url(0), late.to_string());
    let out = dir.join("late.ots").display().to_string();
    let prove = ["prove", "--index", &late, "--format", "ots", "--out", &out];
    let said = tbsi(&[prove.as_slice(), &["--rpc", &url]].concat()).await;
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert!(
        said.stderr.contains("which proves nothing"),
        "{}",
        said.stderr
    );
    let (_, found) = read_ots_file(&fs::read(&out).unwrap()).unwrap();
    let root = hex::encode(&found[1].message);
    let address = net.network.nodes()[0].rpc;
    for commitment in [hex::encode(&found[0].message), root] {
        let path = format!("/timestamp/{commitment}");
        let answer = tbsi_tests::harness::http(address, "GET", &path, &[], b"").await;
        assert_eq!(answer.status, 404);
        assert!(answer.text().contains("not anchored in Bitcoin"));
    }
    net.assert_no_panic();
}
