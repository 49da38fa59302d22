//! How a command reaches others.

use std::env;
use std::path::{Path, PathBuf};

use tbsi_rpc::{Client, Http, LogReader};

use crate::report::refuse;

/// Variable of the environment that names the file about it, for commands without a home.
const VARIABLE: &str = "TBSI_HTTP";

/// As the file says that the environment names; otherwise as by default.
pub(crate) fn http() -> anyhow::Result<Http> {
    match env::var_os(VARIABLE).filter(|file| !file.is_empty()) {
        Some(file) => Http::open(&PathBuf::from(file)).map_err(|error| refuse(error.into())),
        None => Ok(Http::default()),
    }
}

/// As `http.toml` in a home says; without one, as for commands that have no home.
pub(crate) fn http_of(home: &Path) -> anyhow::Result<Http> {
    match Http::of_home(home).map_err(|error| refuse(error.into()))? {
        Some(http) => Ok(http),
        None => http(),
    }
}

/// A client of the node at an address; one that is none is refused.
pub(crate) fn client(url: &str) -> anyhow::Result<Client> {
    Client::through(&http()?, url).map_err(|error| refuse(error.into()))
}

/// A reader of the log at an address; one that is none is refused.
pub(crate) fn reader(url: &str) -> anyhow::Result<LogReader> {
    LogReader::through(&http()?, url).map_err(|error| refuse(error.into()))
}
