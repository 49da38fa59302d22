//! Copies of the database of a node that runs, for `tbsi backup` and `tbsi db verify`.
//!
//! The database is open in one process at a time, so another one asks this one, at the socket
//! `data/control`, which only the node's user can reach. One copy is made at a time, of links to
//! files that never change, below `data`. It stays while whoever asked is connected, and is removed
//! then, however that process ended.
//!
//! ```text
//! asked     copy LF
//! answered  ok NAME LF      the name of the copy in the data directory
//!           error WORDS LF
//! ```

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream as BlockingStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tbsi_home::Home;
use tbsi_store::Store;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::time::timeout;
use tracing::{info, warn};

use crate::limits::{CONTROL_ANSWER_BYTES_MAX, CONTROL_REQUEST_TIMEOUT, CONTROL_TIMEOUT};
use crate::node::{Node, causes};

const COPY: &[u8] = b"copy\n";
/// How the names of copies begin.
const COPY_PREFIX: &str = "copy-";

/// Where requests come in, and where copies go.
pub(crate) struct Control {
    listener: UnixListener,
    data: PathBuf,
}

impl Control {
    /// Listens in the data directory of a home whose database is open in this process, and removes
    /// what is left of earlier copies.
    pub(crate) fn listen(home: &Home) -> anyhow::Result<Self> {
        let data = home.data_dir();
        remove_copies(&data)?;
        let file = home.control_file();
        // Of a process that was killed: nobody else has the database.
        match fs::remove_file(&file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                anyhow::bail!("remove {}: {error}", file.display());
            }
            Ok(()) | Err(_) => {}
        }
        let listener = short(&data, |short| UnixListener::bind(short));
        let listener = listener.map_err(|error| {
            anyhow::anyhow!("listen at {} for `tbsi backup`: {error}", file.display())
        })?;
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600))?;
        Ok(Self { listener, data })
    }

    /// Makes copies for whoever asks, one after the other, until told to stop.
    pub(crate) async fn run(
        self,
        node: Arc<Node>,
        mut stop: watch::Receiver<bool>,
    ) -> anyhow::Result<()> {
        loop {
            let stream = tokio::select! {
                _ = stop.wait_for(|stop| *stop) => break,
                accepted = self.listener.accept() => accepted?.0,
            };
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => break,
                () = self.serve(&node, stream) => {}
            }
            self.clean();
        }
        self.clean();
        Ok(())
    }

    async fn serve(&self, node: &Arc<Node>, mut stream: UnixStream) {
        let mut request = [0; COPY.len()];
        let read = timeout(CONTROL_REQUEST_TIMEOUT, stream.read_exact(&mut request)).await;
        if !matches!(read, Ok(Ok(_))) || request != COPY {
            return;
        }
        let answer = match self.copy(node).await {
            Ok(name) => format!("ok {name}\n"),
            Err(error) => {
                warn!("copy of the database: {error}");
                format!("error {}\n", error.replace('\n', " "))
            }
        };
        if stream.write_all(answer.as_bytes()).await.is_ok() {
            // Until the other side has closed, or says something more.
            stream.read_u8().await.ok();
        }
    }

    async fn copy(&self, node: &Arc<Node>) -> Result<String, String> {
        let height = node.tip().height;
        let name = format!("{COPY_PREFIX}{height}");
        let (dir, copied) = (self.data.join(&name), Arc::clone(node));
        let made = tokio::task::spawn_blocking(move || copied.store.copy_to(&dir)).await;
        match made {
            Ok(Ok(())) => {
                info!(%height, "copy of the database made for `tbsi`");
                Ok(name)
            }
            Ok(Err(error)) => Err(causes(&error)),
            Err(error) => Err(error.to_string()),
        }
    }

    fn clean(&self) {
        if let Err(error) = remove_copies(&self.data) {
            warn!("remove a copy of the database: {error}");
        }
    }
}

/// Removes all copies in a data directory.
fn remove_copies(data: &Path) -> io::Result<()> {
    for entry in fs::read_dir(data)? {
        let entry = entry?;
        let name = entry.file_name();
        if name.as_encoded_bytes().starts_with(COPY_PREFIX.as_bytes()) {
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

/// Uses a path of the socket that is short enough for the operating system, however long that of
/// the data directory is.
fn short<T>(data: &Path, with: impl FnOnce(&Path) -> io::Result<T>) -> io::Result<T> {
    let directory = File::open(data)?;
    let path = format!("/proc/self/fd/{}/control", directory.as_raw_fd());
    with(Path::new(&path))
}

/// Why there is no copy of a running node's database.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// Nobody listens.
    #[error(
        "the database is in use, and nobody answers at {socket}: if that is not a node, wait until \
         it ends; if it is one, see its log",
        socket = socket.display()
    )]
    Unreachable {
        /// The socket.
        socket: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The node could not make one.
    #[error("the running node made no copy of its database: {words}")]
    Refused {
        /// In its words.
        words: String,
    },
}

/// A copy of a database, which is removed with this value.
pub(crate) enum DatabaseCopy {
    /// By the node that made it, when the connection ends.
    OfRunning {
        _connection: BlockingStream,
        dir: PathBuf,
    },
    /// Of a node that does not run.
    OfStopped { dir: PathBuf },
}

impl DatabaseCopy {
    /// Where it is.
    pub(crate) fn dir(&self) -> &Path {
        match self {
            Self::OfRunning { dir, .. } | Self::OfStopped { dir } => dir,
        }
    }

    /// Asks the node that runs in a home.
    pub(crate) fn of_running(home: &Home) -> Result<Self, ControlError> {
        let (data, socket) = (home.data_dir(), home.control_file());
        let failed = |source| ControlError::Unreachable {
            socket: socket.clone(),
            source,
        };
        let asked = short(&data, |short| BlockingStream::connect(short)).and_then(|mut stream| {
            stream.set_read_timeout(Some(CONTROL_TIMEOUT))?;
            stream.write_all(COPY)?;
            let mut line = String::new();
            let limited = Read::by_ref(&mut stream).take(CONTROL_ANSWER_BYTES_MAX);
            BufReader::new(limited).read_line(&mut line)?;
            Ok((stream, line))
        });
        let (connection, line) = asked.map_err(failed)?;
        let refused = |words: &str| ControlError::Refused {
            words: words.to_owned(),
        };
        let line = line.trim_end();
        let Some(name) = line.strip_prefix("ok ") else {
            return Err(refused(line.strip_prefix("error ").unwrap_or(line)));
        };
        let plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
        if !name.starts_with(COPY_PREFIX) || !name.chars().all(plain) {
            return Err(refused("it names no copy"));
        }
        Ok(Self::OfRunning {
            _connection: connection,
            dir: data.join(name),
        })
    }

    /// Makes one of a store that is open in this process.
    pub(crate) fn of_open(home: &Home, store: &Store) -> Result<Self, tbsi_store::StoreError> {
        let dir = home.data_dir().join(format!("{COPY_PREFIX}stopped"));
        // Of an attempt that was killed: the store is open here alone.
        fs::remove_dir_all(&dir).ok();
        store.copy_to(&dir)?;
        Ok(Self::OfStopped { dir })
    }
}

impl Drop for DatabaseCopy {
    fn drop(&mut self) {
        if let Self::OfStopped { dir } = self {
            // The next start of the node removes what stays.
            fs::remove_dir_all(dir).ok();
        }
    }
}
