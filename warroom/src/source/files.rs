//! Files of a log, over HTTP or in a directory.

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;

use tbsi_rpc::{ClientError, Http, LogReader};

use crate::said::causes;

/// Why a file cannot be had.
#[derive(Debug)]
pub(super) enum FetchError {
    /// There is none.
    Missing,
    /// It is not known whether there is one.
    Unreachable(String),
}

/// Where files are.
#[derive(Clone, Debug)]
pub(super) enum Files {
    Web(Box<LogReader>),
    Directory(PathBuf),
}

impl Files {
    /// An address, or a directory that exists.
    pub(super) fn open(http: &Http, place: &str) -> Result<Self, ClientError> {
        let directory = PathBuf::from(place);
        if directory.is_dir() {
            return Ok(Self::Directory(directory));
        }
        Ok(Self::Web(Box::new(LogReader::through(http, place)?)))
    }

    /// What was given, as it may be shown.
    pub(super) fn name(&self, place: &str) -> String {
        match self {
            Self::Web(reader) => reader.url().into(),
            Self::Directory(_) => place.into(),
        }
    }

    /// A file of at most `bytes_max` bytes.
    pub(super) async fn get(&self, path: &str, bytes_max: usize) -> Result<Vec<u8>, FetchError> {
        match self {
            Self::Web(reader) => match reader.file(path, bytes_max).await {
                Ok(bytes) => Ok(bytes.into()),
                Err(ClientError::Status { status: 404, .. }) => Err(FetchError::Missing),
                Err(error) => Err(FetchError::Unreachable(causes(&error))),
            },
            Self::Directory(directory) => {
                let file = directory.join(path);
                match read(&file, bytes_max) {
                    Ok(bytes) => Ok(bytes),
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {
                        Err(FetchError::Missing)
                    }
                    Err(error) => Err(FetchError::Unreachable(format!("{path}: {error}"))),
                }
            }
        }
    }
}

fn read(file: &PathBuf, bytes_max: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let max = bytes_max as u64;
    File::open(file)?.take(max + 1).read_to_end(&mut bytes)?;
    if bytes.len() > bytes_max {
        let problem = format!("more than {bytes_max} bytes");
        return Err(io::Error::new(io::ErrorKind::InvalidData, problem));
    }
    Ok(bytes)
}
