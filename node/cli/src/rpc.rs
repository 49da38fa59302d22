//! Which node a command asks.

use std::env;

use tbsi_rpc::{Client, LogReader};

use crate::http::http;
use crate::lang::{SayContext, Sentence};
use crate::report::refuse;
use crate::shown;

/// Variables of the environment that name a node; the first that is set counts. The second is
/// that of other Ethereum tools.
const VARIABLES: [&str; 2] = ["TBSI_RPC_URL", "ETH_RPC_URL"];

const DEFAULT_URL: &str = "http://127.0.0.1:8545";

/// A node, by its address.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Rpc {
    /// JSON-RPC address of the node [default: what the environment's TBSI_RPC_URL says, or else
    /// its ETH_RPC_URL, or else http://127.0.0.1:8545].
    #[arg(long, value_name = "URL")]
    rpc: Option<String>,
}

/// The log of a node, by its address.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct LogUrl {
    /// Where to fetch them: the address of a node's log, or of a copy of it [default: /log of
    /// TBSI_RPC_URL, ETH_RPC_URL or http://127.0.0.1:8545, as for --rpc].
    #[arg(long, value_name = "URL")]
    log: Option<String>,
}

/// An address, and the variable that it is from.
fn chosen(
    given: Option<&String>,
    variable: impl Fn(&str) -> Option<String>,
) -> (String, Option<&'static str>) {
    if let Some(url) = given {
        return (url.clone(), None);
    }
    let mut set = VARIABLES.into_iter().filter_map(|name| {
        let url = variable(name).filter(|url| !url.trim().is_empty())?;
        Some((url.trim().to_owned(), Some(name)))
    });
    set.next().unwrap_or_else(|| (DEFAULT_URL.into(), None))
}

fn of_environment(name: &str) -> Option<String> {
    env::var_os(name).map(|url| url.to_string_lossy().into_owned())
}

/// Where an address is from that the command line does not show.
fn variable(name: &'static str) -> Sentence {
    (
        format!("environment variable {name}"),
        format!("環境變數 {name}"),
    )
}

impl Rpc {
    /// The node at an address that is known.
    pub(crate) fn at(url: String) -> Self {
        Self { rpc: Some(url) }
    }

    /// The address.
    pub(crate) fn url(&self) -> String {
        chosen(self.rpc.as_ref(), of_environment).0
    }

    /// The address, as a word of a shell.
    pub(crate) fn word(&self) -> String {
        shown::word(self.url().as_ref())
    }

    /// A client of the node; an address that is none is refused.
    pub(crate) fn client(&self) -> anyhow::Result<Client> {
        let (url, from) = chosen(self.rpc.as_ref(), of_environment);
        let client = Client::through(&http()?, &url);
        match from {
            Some(name) => client.or_say(|| variable(name)).map_err(refuse),
            None => client.map_err(|error| refuse(error.into())),
        }
    }
}

impl LogUrl {
    /// The address.
    pub(crate) fn url(&self) -> String {
        match &self.log {
            Some(url) => url.clone(),
            None => log_of(&chosen(None, of_environment).0),
        }
    }

    /// A reader of the log; an address that is none is refused.
    pub(crate) fn reader(&self) -> anyhow::Result<LogReader> {
        let reader = LogReader::through(&http()?, &self.url());
        let from = chosen(self.log.as_ref(), of_environment).1;
        match from {
            Some(name) => reader.or_say(|| variable(name)).map_err(refuse),
            None => reader.map_err(|error| refuse(error.into())),
        }
    }
}

/// The log of the node at an address.
pub(crate) fn log_of(url: &str) -> String {
    format!("{}/log", url.trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_counts_then_our_variable_then_that_of_others() {
        let check =
            |given: Option<&str>, set: [Option<&str>; 2], expected: (&str, Option<&str>)| {
                let variable = |name: &str| {
                    let index = VARIABLES.iter().position(|it| *it == name)?;
                    set[index].map(str::to_owned)
                };
                let (url, from) = chosen(given.map(str::to_owned).as_ref(), variable);
                assert_eq!((url.as_str(), from), expected);
            };
        let both = [Some("http://tbsi"), Some("http://eth")];
        check(Some("http://a"), both, ("http://a", None));
        check(None, both, ("http://tbsi", Some("TBSI_RPC_URL")));
        check(None, [None, both[1]], ("http://eth", Some("ETH_RPC_URL")));
        check(
            None,
            [Some(" "), both[1]],
            ("http://eth", Some("ETH_RPC_URL")),
        );
        check(None, [None, None], (DEFAULT_URL, None));
        assert_eq!(log_of("http://a:1/"), "http://a:1/log");
    }
}
