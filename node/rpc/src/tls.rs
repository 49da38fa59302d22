//! TLS 1.3 of a listener. Its files are read again when they change: a certificate is renewed
//! without a restart, and one that is wrong leaves the last that was right in use.

use std::fs::Metadata;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use futures_rustls::TlsAcceptor;
use rustls::ServerConfig;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// How often the files are looked at, at most.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

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
        };
        Ok(Self {
            files,
            current: Mutex::new(current),
        })
    }

    /// For the next connection. Looks whether there are new files once in a second.
    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.looked.elapsed() >= LOOK_INTERVAL {
            current.looked = Instant::now();
            self.refresh(&mut current);
        }
        Arc::clone(&current.config).into()
    }

    fn refresh(&self, current: &mut Current) {
        let stamps = stamps(&self.files);
        if stamps == current.stamps {
            return;
        }
        current.stamps = stamps;
        let file = self.files.certificate.display();
        match configuration(&self.files) {
            Ok(config) => {
                current.config = config;
                tracing::info!(%file, "new TLS certificate in use");
            }
            // While only one of the two is new, too.
            Err(error) => tracing::warn!(
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
    let bytes = std::fs::metadata(file).map_err(failed)?.len();
    if bytes > FILE_BYTES_MAX {
        let problem = format!("it has {bytes} bytes, {FILE_BYTES_MAX} are allowed");
        return Err(failed(io::Error::other(problem)));
    }
    std::fs::read(file).map_err(failed)
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
