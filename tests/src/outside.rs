//! Programs that others wrote, and the machine without its network that they run on.

use std::ffi::OsStr;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use tokio::time::timeout;

use crate::harness::skip;

/// Runs the rest of its arguments unless it can reach somebody. A new network namespace has a
/// loopback device, which is down, and nothing else.
const UNLESS_ONLINE: &str = r#"
devices=$(sed 1,2d /proc/self/net/dev | cut -d: -f1 | tr -d ' ')
[ "$devices" = lo ] || { echo "devices: $devices" >&2; exit 97; }
if (exec 3<>"/dev/tcp/$1/$2") 2>/dev/null; then echo "$1:$2 can be reached" >&2; exit 98; fi
shift 2
exec "$@""#;

/// A network namespace without interfaces.
#[derive(Debug)]
pub struct Offline {
    unshare: &'static str,
    reachable: SocketAddr,
}

impl Offline {
    /// `reachable` is where somebody listens, whom no program in the namespace may reach.
    /// `None`, and said so, if the machine makes no namespaces; `what` is then skipped.
    pub fn new(what: &str, reachable: SocketAddr) -> Option<Self> {
        TcpStream::connect(reachable).unwrap_or_else(|error| panic!("{reachable}: {error}"));
        // The second, for those who are not root, makes a user namespace as well.
        for unshare in ["-n", "-Urn"] {
            let mut tried = Command::new("unshare");
            let tried = tried.args([unshare, "true"]).output();
            if tried.is_ok_and(|tried| tried.status.success()) {
                return Some(Self { unshare, reachable });
            }
        }
        let remedy = "run as root, or where users may make user namespaces";
        skip(what, "`unshare -n` is not allowed", remedy);
        None
    }

    /// A program that runs in it; it ends with code 97 or 98 if that is not offline.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("unshare");
        let (host, port) = (self.reachable.ip(), self.reachable.port());
        command
            .args([self.unshare, "--", "bash", "-c", UNLESS_ONLINE, "offline"])
            .args([host.to_string(), port.to_string()])
            .arg(program);
        command
    }
}

/// Exit code and all that a program says.
pub fn run(command: &mut Command) -> (Option<i32>, String) {
    let output = command.stdin(Stdio::null()).output();
    let output = output.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    (output.status.code(), said)
}

/// Runs a command to its end, which must come within `limit` and be a good one.
pub async fn ends_well(name: &str, mut command: tokio::process::Command, limit: Duration) {
    let running = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap_or_else(|error| panic!("{name}: {error}"))
        .wait_with_output();
    let ended = timeout(limit, running)
        .await
        .unwrap_or_else(|_| panic!("{name}: not done after {limit:?}"))
        .expect("read what the command prints");
    let said = String::from_utf8_lossy(&ended.stdout);
    let complaint = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "{name}: {said}{complaint}");
}

/// The program does it.
#[track_caller]
pub fn accepts(command: &mut Command) -> String {
    let (code, said) = run(command);
    assert_eq!(code, Some(0), "{command:?}: {said}");
    said
}

/// The program refuses with code 1 and these words.
#[track_caller]
pub fn refuses(command: &mut Command, words: &str) {
    let (code, said) = run(command);
    assert_eq!(code, Some(1), "{command:?}: {said}");
    assert!(
        said.contains(words),
        "{command:?}: {words:?} is not in: {said}"
    );
}

/// The folder `outside` of the tests.
pub fn outside() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("outside")
}

/// Builds a Go program of `outside` into `dir`; `None`, and said so, if that cannot be.
pub fn go_program(dir: &Path, name: &str) -> Option<PathBuf> {
    let what = format!("the log with Go ({name})");
    let program = dir.join(name);
    let built = Command::new("go")
        .args(["build", "-o"])
        .arg(&program)
        .arg(format!("./{name}"))
        .current_dir(outside())
        .output();
    match built {
        Ok(Output { status, .. }) if status.success() => Some(program),
        Ok(Output { stderr, .. }) => {
            let said = String::from_utf8_lossy(&stderr);
            // All else is a mistake in the program.
            let missing = ["dial tcp", "no required module", "toolchain not available"];
            assert!(missing.iter().any(|words| said.contains(words)), "{said}");
            skip(&what, said.trim(), "run `go mod download` in tests/outside");
            None
        }
        Err(error) => {
            skip(&what, &error.to_string(), "install Go 1.26");
            None
        }
    }
}

/// Python with the packages of `outside/requirements.txt`; `None`, and said so, if
/// `testnet/setup.sh` has not installed it.
pub fn python(what: &str) -> Option<PathBuf> {
    let home = std::env::var_os("HOME")
        .map(PathBuf::from)
        .unwrap_or_default();
    let python = home.join(".cache/tbsi/python");
    let read = |path: &Path| std::fs::read(path).ok();
    let wanted = read(&outside().join("requirements.txt"));
    if wanted.is_some() && read(&python.join("installed.txt")) == wanted {
        return Some(python.join("bin/python"));
    }
    let missing = format!("{} has not the packages wanted", python.display());
    skip(
        what,
        &missing,
        "run testnet/setup.sh with python3 and python3-venv",
    );
    None
}

/// Java with veraPDF, for a PDF and flavours such as `2a` and `ua1` as arguments; `None`, and
/// said so, if `testnet/setup.sh` has not fetched it.
pub fn verapdf(what: &str) -> Option<Command> {
    let home = std::env::var_os("HOME")
        .map(PathBuf::from)
        .unwrap_or_default();
    let jars = home.join(".cache/tbsi/verapdf");
    let sums = std::fs::read_to_string(outside().join("verapdf/jars.sha256"));
    let sums = sums.expect("the list of jars");
    let mut named = sums.lines().filter_map(|line| line.split("  ").nth(1));
    let java = Command::new("java").arg("-version").output();
    if !java.is_ok_and(|ran| ran.status.success()) || !named.all(|jar| jars.join(jar).is_file()) {
        let missing = "no Java, or not its jars";
        skip(
            what,
            missing,
            "install Java 17 and Maven, run testnet/setup.sh",
        );
        return None;
    }
    let mut command = Command::new("java");
    command
        .arg("-cp")
        .arg(jars.join("*"))
        .arg(outside().join("verapdf/Verify.java"));
    Some(command)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn a_program_that_could_reach_somebody_is_not_run() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port().to_string();
        let mut online = Command::new("bash");
        online.args(["-c", UNLESS_ONLINE, "offline", "127.0.0.1", &port, "true"]);
        let (code, said) = run(&mut online);
        // 97 where there are other devices than loopback, 98 where there are none.
        assert!(matches!(code, Some(97 | 98)), "{code:?}: {said}");
        let address = listener.local_addr().unwrap();
        if let Some(offline) = Offline::new("being offline", address) {
            accepts(&mut offline.command("true"));
            refuses(&mut offline.command("false"), "");
        }
    }
}
