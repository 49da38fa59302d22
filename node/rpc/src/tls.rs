//! TLS 1.3 of a listener. Its files are read again when they change: a certificate is renewed
//! without a restart, and one that is wrong leaves the last that was right in use.

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use futures_rustls::TlsAcceptor;
use rustls::ServerConfig;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::sync::oneshot;
use tokio::time::timeout;

/// How often the files are looked at, at most.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// How long a connection waits for a look at them.
const LOOK_MAX: Duration = Duration::from_secs(1);

/// What others than owner and group may do with a file.
const MODE_OTHERS: u32 = 0o007;

/// Bytes of either file.
const FILE_BYTES_MAX: u64 = 256 * 1024;

/// PEM files of a listener with TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate, then those between it and its root, if any.
    pub certificate: PathBuf,
    /// The certificate's private key.
    pub key: PathBuf,
}

/// Why there is no TLS with these files.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("read {}", file.display())]
    Read {
        /// Its path.
        file: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// A file is not what it should be.
    #[error("{} has no {wanted} in PEM: {problem}", file.display())]
    Pem {
        /// Its path.
        file: PathBuf,
        /// What it should have.
        wanted: &'static str,
        /// What is wrong.
        problem: String,
    },
    /// Others may read the key.
    #[error(
        "others may read the key in {} (mode {mode:04o}); let only its owner, or a group, read it \
         (chmod 600 or 640)",
        file.display()
    )]
    Mode {
        /// Its path.
        file: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// The two do not belong together, or the key is of no kind that is known.
    #[error(
        "the certificate in {} cannot be used with the key in {}",
        certificate.display(),
        key.display()
    )]
    Pair {
        /// Path of the one.
        certificate: PathBuf,
        /// Path of the other.
        key: PathBuf,
        /// Why not.
        #[source]
        source: Box<rustls::Error>,
    },
}

/// What tells a file from what it was: `None` if there is none.
type Stamp = Option<(SystemTime, u64)>;

struct Current {
    config: Arc<ServerConfig>,
    stamps: [Stamp; 2],
    looked: Instant,
    /// Somebody looks: nobody else does meanwhile.
    looking: bool,
}

/// The certificate in use.
pub(crate) struct Certificates {
    files: TlsFiles,
    current: Mutex<Current>,
}

impl Certificates {
    /// Reads the files for the first time.
    pub(crate) fn open(files: TlsFiles) -> Result<Self, TlsError> {
        let stamps = stamps(&files);
        let current = Current {
            config: configuration(&files)?,
            stamps,
            looked: Instant::now(),
            looking: false,
        };
        Ok(Self {
            files,
            current: Mutex::new(current),
        })
    }

    /// For the next connection. Looks whether there are new files once in a second. A disk that
    /// does not answer keeps a thread of its own, and the connection for a moment.
    pub(crate) async fn acceptor(self: &Arc<Self>) -> TlsAcceptor {
        if self.is_due() {
            let (done, looked) = oneshot::channel::<()>();
            let this = Arc::clone(self);
            let look = move || {
                this.look();
                drop(done);
            };
            let started = thread::Builder::new().name("tls-files".into()).spawn(look);
            if let Err(error) = started {
                tracing::warn!(%error, "cannot look for a new TLS certificate");
                self.current().looking = false;
            } else if timeout(LOOK_MAX, looked).await.is_err() {
                let file = self.files.certificate.display();
                tracing::warn!(%file, "cannot be read; the last TLS certificate stays in use");
            }
        }
        Arc::clone(&self.current().config).into()
    }

    fn current(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it is time to look. The caller does so.
    fn is_due(&self) -> bool {
        let mut current = self.current();
        if current.looking || current.looked.elapsed() < LOOK_INTERVAL {
            return false;
        }
        current.looked = Instant::now();
        current.looking = true;
        true
    }

    /// Nothing is locked while files are read.
    fn look(&self) {
        let stamps = stamps(&self.files);
        let is_new = stamps != self.current().stamps;
        let read = is_new.then(|| configuration(&self.files));
        let mut current = self.current();
        current.looking = false;
        current.stamps = stamps;
        let file = self.files.certificate.display();
        match read {
            None => {}
            Some(Ok(config)) => {
                current.config = config;
                tracing::info!(%file, "new TLS certificate in use");
            }
            // While only one of the two is new, too.
            Some(Err(error)) => tracing::warn!(
                %file,
                "the last TLS certificate stays in use: {}",
                with_causes(&error)
            ),
        }
    }
}

fn with_causes(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", with_causes(source)),
        None => error.to_string(),
    }
}

fn stamps(files: &TlsFiles) -> [Stamp; 2] {
    let stamp = |metadata: Metadata| Some((metadata.modified().ok()?, metadata.len()));
    let of = |file: &Path| std::fs::metadata(file).ok().and_then(stamp);
    [of(&files.certificate), of(&files.key)]
}

fn read(file: &Path) -> Result<Vec<u8>, TlsError> {
    let failed = |source| TlsError::Read {
        file: file.into(),
        source,
    };
    let found = std::fs::metadata(file).map_err(failed)?;
    if !found.is_file() {
        // A pipe would not end.
        let problem = "it is no regular file; put the PEM file itself there";
        return Err(failed(io::Error::other(problem)));
    }
    let bytes = found.len();
    if bytes > FILE_BYTES_MAX {
        let problem = format!("it has {bytes} bytes, {FILE_BYTES_MAX} are allowed");
        return Err(failed(io::Error::other(problem)));
    }
    std::fs::read(file).map_err(failed)
}

/// Others than its owner must not read the key.
fn check_mode(file: &Path) -> Result<(), TlsError> {
    let failed = |source| TlsError::Read {
        file: file.into(),
        source,
    };
    let mode = std::fs::metadata(file)
        .map_err(failed)?
        .permissions()
        .mode()
        & 0o7777;
    if mode & MODE_OTHERS == 0 {
        return Ok(());
    }
    Err(TlsError::Mode {
        file: file.into(),
        mode,
    })
}

fn configuration(files: &TlsFiles) -> Result<Arc<ServerConfig>, TlsError> {
    let wrong = |file: &Path, wanted, problem: String| TlsError::Pem {
        file: file.into(),
        wanted,
        problem,
    };
    let no_certificate = |problem| wrong(&files.certificate, "certificate", problem);
    let certificates = read(&files.certificate)?;
    let certificates = CertificateDer::pem_slice_iter(&certificates);
    let certificates: Result<Vec<_>, pem::Error> = certificates.collect();
    let certificates = certificates.map_err(|error| no_certificate(error.to_string()))?;
    if certificates.is_empty() {
        return Err(no_certificate("there is no such section".into()));
    }
    check_mode(&files.key)?;
    let key = PrivateKeyDer::from_pem_slice(&read(&files.key)?)
        .map_err(|error| wrong(&files.key, "private key", error.to_string()))?;
    let pair = |source| TlsError::Pair {
        certificate: files.certificate.clone(),
        key: files.key.clone(),
        source: Box::new(source),
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(pair)?
        .with_no_client_auth()
        .with_single_cert(certificates, key)
        .map_err(pair)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

#[cfg(test)]
mod tests;
