//! Which node a command asks.

use std::env;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use tbsi_home::Home;
use tbsi_home::config::Config;
use tbsi_rpc::{Client, Http, LogReader};

use crate::http::{http, http_of};
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
    /// its ETH_RPC_URL, or else http://127.0.0.1:8545]. Roots of TLS, API keys and proxies are in
    /// the file that TBSI_HTTP names (docs/http.md).
    #[arg(long, value_name = "URL")]
    rpc: Option<String>,
    /// How it is reached, if not as usual.
    #[arg(skip)]
    http: Option<Http>,
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
    /// The node of a home that is at hand: at `url`, or else where its configuration has it
    /// listen, as this machine reaches that. Then it shows the certificate in its home.
    pub(crate) fn of_home(
        home: &Home,
        config: &Config,
        url: Option<String>,
    ) -> anyhow::Result<Self> {
        let http = http_of(home.dir())?;
        let (url, http) = match (url, &config.rpc.tls) {
            (Some(url), _) => (url, http),
            (None, None) => (own_url("http", config), http),
            (None, Some(tls)) => {
                let http = http.pinned(&home.dir().join(&tls.certificate));
                let http = http.map_err(|error| refuse(error.into()))?;
                (own_url("https", config), http)
            }
        };
        let (rpc, http) = (Some(url), Some(http));
        Ok(Self { rpc, http })
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
        let http = match &self.http {
            Some(http) => http.clone(),
            None => http()?,
        };
        let client = Client::through(&http, &url);
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

/// Where a node listens, from this machine.
fn own_url(scheme: &str, config: &Config) -> String {
    format!("{scheme}://{}", reachable(config.rpc.listen))
}

/// Where this machine reaches what listens there.
pub(crate) fn reachable(listen: SocketAddr) -> SocketAddr {
    SocketAddr::new(own(listen.ip()), listen.port())
}

/// An address of this machine, for one that stands for all.
fn own(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(address) if address.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(address) if address.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        IpAddr::V4(_) | IpAddr::V6(_) => address,
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

    #[test]
    fn the_node_is_asked_where_it_listens() {
        let check = |listen: &str, url: &str| {
            let mut config = Config::new("a", true);
            config.rpc.listen = listen.parse().unwrap();
            assert_eq!(own_url("https", &config), url);
        };
        check("0.0.0.0:8545", "https://127.0.0.1:8545");
        check("[::]:8545", "https://[::1]:8545");
        check("192.0.2.7:1", "https://192.0.2.7:1");
        check("[2001:db8::1]:2", "https://[2001:db8::1]:2");
    }
}
