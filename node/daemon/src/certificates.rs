//! When certificates end.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use x509_cert::Certificate;

use crate::limits::{CERTIFICATE_BYTES_MAX, CERTIFICATES_MAX};

/// Why a file of certificates says nothing.
#[derive(Debug, thiserror::Error)]
pub enum CertificateFileError {
    /// It cannot be read.
    #[error("read {path}", path = path.display())]
    Read {
        /// Its path.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// It is too large.
    #[error("{path} has more than {CERTIFICATE_BYTES_MAX} bytes", path = path.display())]
    Size {
        /// Its path.
        path: PathBuf,
    },
    /// It holds no certificate, or too many.
    #[error(
        "{path} holds {count} certificates, 1 to {CERTIFICATES_MAX} are possible",
        path = path.display()
    )]
    Count {
        /// Its path.
        path: PathBuf,
        /// How many.
        count: usize,
    },
    /// It is no PEM of certificates.
    #[error("{path}: {problem}", path = path.display())]
    Form {
        /// Its path.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
}

/// The certificates of a PEM file, at least one.
pub(crate) fn load_certificates(path: &Path) -> Result<Vec<Certificate>, CertificateFileError> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| {
            let limit = CERTIFICATE_BYTES_MAX as u64 + 1;
            file.take(limit).read_to_end(&mut bytes)
        })
        .map_err(|source| CertificateFileError::Read {
            path: path.into(),
            source,
        })?;
    if bytes.len() > CERTIFICATE_BYTES_MAX {
        return Err(CertificateFileError::Size { path: path.into() });
    }
    // The library counts down from the length.
    let text = bytes.trim_ascii();
    let chain = if text.is_empty() {
        Ok(Vec::new())
    } else {
        Certificate::load_pem_chain(text)
    };
    let chain = chain.map_err(|error| CertificateFileError::Form {
        path: path.into(),
        problem: error.to_string(),
    })?;
    if chain.is_empty() || chain.len() > CERTIFICATES_MAX {
        return Err(CertificateFileError::Count {
            path: path.into(),
            count: chain.len(),
        });
    }
    Ok(chain)
}

/// Seconds since 1970 until which all certificates of a PEM file are valid.
pub fn certificates_end(path: &Path) -> Result<u64, CertificateFileError> {
    Ok(first_end(&load_certificates(path)?))
}

/// The end of the one that ends first; for ever of none.
pub(crate) fn first_end(certificates: &[Certificate]) -> u64 {
    let ends = certificates.iter().map(|certificate| {
        let end = &certificate.tbs_certificate.validity.not_after;
        end.to_unix_duration().as_secs()
    });
    ends.min().unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_certificates_is_refused() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("chain.pem");
        let missing = certificates_end(&path).expect_err("no file").to_string();
        assert!(missing.starts_with("read "), "{missing}");
        for nothing in ["", "\n", "\r\n\n", " "] {
            std::fs::write(&path, nothing).expect("a file");
            let error = certificates_end(&path).expect_err("no certificate");
            let words = error.to_string();
            assert!(words.contains("holds 0 certificates, 1 to"), "{words}");
        }
        std::fs::write(&path, "-----BEGIN CERTIFICATE-----\nAAAA\n").expect("a file");
        assert!(certificates_end(&path).is_err());
    }
}
