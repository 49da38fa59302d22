//! Why a network cannot be made, started or stopped.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tbsi_home::HomeError;
use tbsi_home::predeploys::PredeployError;
use tbsi_types::{GenesisError, Height};

/// Names what failed, on which node, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    /// A description that makes no network.
    #[error("{field}: {problem}")]
    Spec {
        /// Field of [`crate::NetworkSpec`].
        field: &'static str,
        /// What is wrong and what is allowed.
        problem: String,
    },
    /// Somebody else's files.
    #[error(
        "{dir} is not empty and holds no complete TBSI network; choose another directory, or \
         remove it if it is left over from an interrupted start",
        dir = dir.display()
    )]
    NotEmpty {
        /// The directory.
        dir: PathBuf,
    },
    /// Nothing to open.
    #[error(
        "{dir} holds no TBSI network; `tbsi testnet up --dir {dir}` makes one",
        dir = dir.display()
    )]
    NoNetwork {
        /// The directory.
        dir: PathBuf,
    },
    /// A network description that this version does not write.
    #[error("network description {file}: {problem}", file = file.display())]
    Manifest {
        /// Its path.
        file: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The genesis of the new network.
    #[error("genesis of the network")]
    Genesis(#[from] GenesisError),
    /// Contracts of others in it.
    #[error(transparent)]
    Predeploy(#[from] PredeployError),
    /// The certificates of the first node's time stamps.
    #[error("make the certificates for time stamps: {problem}")]
    Authority {
        /// What failed.
        problem: String,
    },
    /// A node's home.
    #[error("home of {node}")]
    Home {
        /// The node's name.
        node: String,
        /// What is wrong with it.
        #[source]
        source: HomeError,
    },
    /// A port that was asked for.
    #[error("port {port} is not free; stop what uses it, or choose another base port")]
    PortTaken {
        /// The port.
        port: u16,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// No port at all.
    #[error("found only {found} of {wanted} free ports on 127.0.0.1")]
    NoPorts {
        /// Free ports found.
        found: usize,
        /// Free ports needed.
        wanted: usize,
    },
    /// A process that is there already.
    #[error("{node} is already running")]
    Running {
        /// The node's name.
        node: String,
    },
    /// A process that ended by itself.
    #[error("{node} has exited; the end of its log:\n{log}")]
    Exited {
        /// The node's name.
        node: String,
        /// Last lines of its log.
        log: String,
    },
    /// A process that does not get on.
    #[error(
        "{node} did not reach height {height} within {} s ({seen}); the end of its log:\n{log}",
        within.as_secs()
    )]
    TooSlow {
        /// The node's name.
        node: String,
        /// Height waited for.
        height: Height,
        /// How long.
        within: Duration,
        /// What was last seen of it.
        seen: String,
        /// Last lines of its log.
        log: String,
    },
    /// A process that does not end.
    #[error("process {pid} of {node} does not end")]
    Immortal {
        /// The node's name.
        node: String,
        /// Its process id.
        pid: i32,
    },
    /// The operating system.
    #[error("{operation} {path}", path = path.display())]
    Io {
        /// What was being done.
        operation: &'static str,
        /// On what.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
}

/// For `map_err`.
pub(crate) fn failed(
    operation: &'static str,
    path: &Path,
) -> impl FnOnce(io::Error) -> NetworkError + use<> {
    let path = path.to_path_buf();
    move |source| NetworkError::Io {
        operation,
        path,
        source,
    }
}
