//! The files that a configuration names: certificates and keys in PEM.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::grpc::{GatewayTls, Gateways};
use super::identity::{Identity, IdentityError};
use crate::config::FabricConfig;
use crate::limits::PEM_BYTES_MAX;

/// Why a file is not taken.
#[derive(Debug, thiserror::Error)]
pub enum FabricFileError {
    /// It cannot be read.
    #[error("read {file} (configuration key `{key}`)", file = file.display())]
    Read {
        /// What names it.
        key: &'static str,
        /// The file.
        file: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// It is too large, or others may read it.
    #[error("{file} (configuration key `{key}`) {problem}", file = file.display())]
    Refused {
        /// What names it.
        key: &'static str,
        /// The file.
        file: PathBuf,
        /// What is wrong, and what would be right.
        problem: String,
    },
    /// Certificate and key.
    #[error("configuration keys `target.certificate` and `target.key`")]
    Identity(#[source] IdentityError),
    /// An address, or what TLS needs.
    #[error("configuration keys `target.gateways` and `target.tls_…`: {0}")]
    Gateways(String),
}

fn read(
    home: &Path,
    key: &'static str,
    file: &Path,
    secret: bool,
) -> Result<Vec<u8>, FabricFileError> {
    let file = home.join(file);
    let mut bytes = Vec::new();
    let opened = File::open(&file).and_then(|opened| {
        let mode = opened.metadata()?.permissions().mode();
        opened.take(PEM_BYTES_MAX + 1).read_to_end(&mut bytes)?;
        Ok(mode)
    });
    let mode = match opened {
        Ok(mode) => mode,
        Err(source) => return Err(FabricFileError::Read { key, file, source }),
    };
    let refused = |problem: String| FabricFileError::Refused {
        key,
        file: file.clone(),
        problem,
    };
    if secret && mode & 0o077 != 0 {
        let problem = format!(
            "has mode {:o}; others may not read it: chmod 600",
            mode & 0o777
        );
        return Err(refused(problem));
    }
    if bytes.len() as u64 > PEM_BYTES_MAX {
        return Err(refused(format!(
            "has more than the {PEM_BYTES_MAX} bytes that are allowed"
        )));
    }
    Ok(bytes)
}

/// The relayer's certificate and key.
pub fn identity(home: &Path, config: &FabricConfig) -> Result<Identity, FabricFileError> {
    let certificate = read(home, "target.certificate", &config.certificate, false)?;
    let key = read(home, "target.key", &config.key, true)?;
    let wrong = |_| FabricFileError::Identity(IdentityError::Key("it is no text".into()));
    let key = String::from_utf8(key).map_err(wrong)?;
    Identity::new(&config.msp_id, &certificate, &key).map_err(FabricFileError::Identity)
}

/// The gateways, with what TLS needs.
pub fn gateways(home: &Path, config: &FabricConfig) -> Result<Gateways, FabricFileError> {
    let mut tls = GatewayTls::default();
    if let Some(roots) = &config.tls_roots {
        tls.roots = read(home, "target.tls_roots", roots, false)?;
    }
    if let (Some(certificate), Some(key)) = (&config.tls_certificate, &config.tls_key) {
        let certificate = read(home, "target.tls_certificate", certificate, false)?;
        let key = read(home, "target.tls_key", key, true)?;
        tls.client = Some((certificate, key));
    }
    Gateways::new(&config.gateways, &config.channel, &tls).map_err(FabricFileError::Gateways)
}
