//! The server: HTTP and WebSocket on one port, with a limit on everything, and a second port for
//! whoever runs the node.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use crate::web::{HostRule, OriginRule, WebRuleError};
use futures::future::join_all;
use jsonrpsee::RpcModule;
use jsonrpsee::core::RegisterMethodError;
use jsonrpsee::server::{Methods, ServerHandle, StopHandle, stop_channel};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::acceptor::Acceptor;
use crate::allowed::Allowed;
use crate::api::Runner;
use crate::backend::Backend;
use crate::limits::{ADDRESS_PER_MINUTE, RpcLimits, STOP_S_MAX};
use crate::methods::{Audience, Table, served};
use crate::middleware::Rules;
use crate::pages::Pages;
use crate::rates::{Rates, RatesConfig};
use crate::session::Shared;
use crate::subscribe;
use crate::tls::{Certificates, TlsError, TlsFiles};
use crate::token::TokenSecret;

/// Where and to whom the server answers.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// Address of HTTP and WebSocket; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Origins whose web pages and extensions may call, such as `https://explorer.example` or
    /// `moz-extension://*`; `*` is any page, none is no page. Clients that are
    /// not browsers are not concerned.
    pub cors_origins: Vec<String>,
    /// Names under which the node is reached, such as `*.example`, beside addresses and `localhost`.
    pub hosts: Vec<String>,
    /// Namespaces and names of the methods that are served; none is all but `admin`.
    pub methods: Vec<String>,
    /// Addresses of proxies whose `X-Forwarded-For` says who a client is.
    pub trusted_proxies: Vec<IpAddr>,
    /// API keys, and how many calls a minute they and addresses are good for.
    pub rates: RatesConfig,
    /// Without it, plain HTTP.
    pub tls: Option<TlsFiles>,
    /// Limits.
    pub limits: RpcLimits,
    /// A listener for whoever runs the node.
    pub operator: Option<OperatorListener>,
}

/// Where whoever runs the node calls it. Limits are those of the other listener, in places of
/// its own: whatever floods that one, this one answers.
#[derive(Clone, Debug)]
pub struct OperatorListener {
    /// Address of HTTP and WebSocket.
    pub listen: SocketAddr,
    /// Namespaces and names of the methods that are served; none is all.
    pub methods: Vec<String>,
    /// With what callers show who they are; without it, whoever reaches the address may call.
    pub token: Option<TokenSecret>,
    /// Without it, plain HTTP.
    pub tls: Option<TlsFiles>,
}

impl Default for ServerConfig {
    /// Port 8545 on loopback, no web pages, default limits.
    fn default() -> Self {
        Self {
            listen: (Ipv4Addr::LOCALHOST, 8545).into(),
            cors_origins: Vec::new(),
            hosts: Vec::new(),
            methods: Vec::new(),
            trusted_proxies: Vec::new(),
            rates: RatesConfig {
                what: "calls",
                per_minute: None,
                address_per_minute: Some(ADDRESS_PER_MINUTE),
                keys: Vec::new(),
            },
            tls: None,
            limits: RpcLimits::default(),
            operator: None,
        }
    }
}

/// Why the server does not start.
#[derive(Debug, thiserror::Error)]
pub enum RpcError {
    /// The address cannot be bound.
    #[error(
        "cannot listen on {address} (config key `{field}.listen`): {source}; \
         stop what uses the address, or choose another one"
    )]
    Listen {
        /// Which listener.
        field: &'static str,
        /// The address.
        address: SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
    /// An entry of a list of origins or names that means none.
    #[error("config key `rpc.{list}`: {source}")]
    WebRule {
        /// Which list.
        list: &'static str,
        /// What is wrong.
        source: WebRuleError,
    },
    /// An entry of a list of methods that names none.
    #[error(
        "config key `{field}.methods`: `{entry}` is neither a method nor a namespace here; \
         namespaces are {namespaces}"
    )]
    UnknownMethod {
        /// Which listener.
        field: &'static str,
        /// The entry.
        entry: String,
        /// What there is.
        namespaces: String,
    },
    /// Files of TLS.
    #[error("config key `{field}.tls`")]
    Tls {
        /// Which listener.
        field: &'static str,
        /// What is wrong with them.
        #[source]
        source: TlsError,
    },
    /// A limit that lets nothing through.
    #[error("config key `rpc.{limit}` is 0; the least is 1")]
    LimitZero {
        /// Name of the limit.
        limit: &'static str,
    },
    /// Two methods with one name.
    #[error("register methods")]
    Register(#[from] RegisterMethodError),
}

/// A server that listens. It answers while [`RpcServer::run`] runs.
pub struct RpcServer {
    local_addr: SocketAddr,
    operator_addr: Option<SocketAddr>,
    acceptors: Vec<Acceptor>,
    handle: ServerHandle,
}

impl RpcServer {
    /// The bound address, with the port that was chosen.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// The same of the operator's listener, if there is one.
    pub fn operator_addr(&self) -> Option<SocketAddr> {
        self.operator_addr
    }

    /// Answers until `stop` turns true or its other end is gone. Then it accepts nothing new, lets
    /// running calls finish within five seconds and closes the rest: no connection is left.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let Self {
            acceptors, handle, ..
        } = self;
        let mut open: Vec<JoinSet<()>> = acceptors.iter().map(|_| JoinSet::new()).collect();
        let accepting = acceptors.iter().zip(&mut open);
        let accepting = join_all(accepting.map(|(acceptor, open)| acceptor.run(open)));
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => {}
            _ = accepting => {}
        }
        drop(acceptors);
        if handle.stop().is_err() {
            return; // nobody is left who could be told
        }
        let ended = async {
            for connections in &mut open {
                while connections.join_next().await.is_some() {}
            }
        };
        let limit = Duration::from_secs(STOP_S_MAX);
        if tokio::time::timeout(limit, ended).await.is_err() {
            tracing::warn!(seconds = STOP_S_MAX, "JSON-RPC connections were cut off");
        }
        for connections in &mut open {
            connections.shutdown().await;
        }
    }
}

/// Whether [`listen`] would take this, as far as no address is bound.
pub fn check(config: &ServerConfig) -> Result<(), RpcError> {
    if let Some(limit) = config.limits.zero() {
        return Err(RpcError::LimitZero { limit });
    }
    rules_of(config)?;
    allowed(RPC, &config.methods, Audience::Public)?;
    certificates(RPC, config.tls.clone())?;
    if let Some(operator) = &config.operator {
        allowed(OPERATOR, &operator.methods, Audience::Operator)?;
        certificates(OPERATOR, operator.tls.clone())?;
    }
    Ok(())
}

/// Binds the addresses, to answer from `backend`.
pub async fn listen(
    config: ServerConfig,
    backend: Arc<dyn Backend>,
) -> Result<RpcServer, RpcError> {
    if let Some(limit) = config.limits.zero() {
        return Err(RpcError::LimitZero { limit });
    }
    let rules = rules_of(&config)?;
    let (stop, handle) = stop_channel();
    let runner = Runner::new(Arc::clone(&backend), config.limits);
    let allowed = allowed(RPC, &config.methods, Audience::Public)?;
    let methods = methods(runner.clone(), &allowed)?;
    let rates = Rates::new(&config.rates);
    let mut acceptors = Vec::from([Acceptor {
        listener: bind(RPC, config.listen).await?,
        shared: Arc::new(Shared::new(methods, allowed, config.limits, rates)),
        rules: Arc::new(rules.clone()),
        trusted_proxies: config.trusted_proxies,
        pages: Some(Pages::new(runner)),
        token: None,
        certificates: certificates(RPC, config.tls)?,
        stop: stop.clone(),
    }]);
    if let Some(operator) = config.operator {
        // Web pages have no business there.
        let rules = Rules {
            origins: Vec::new(),
            ..rules
        };
        let runner = Runner::new(backend, config.limits);
        acceptors.push(operator_acceptor(operator, runner, rules, stop).await?);
    }
    let address = |acceptor: &Acceptor, field, address| {
        let bound = acceptor.listener.local_addr();
        bound.map_err(|source| RpcError::Listen {
            field,
            address,
            source,
        })
    };
    let local_addr = address(&acceptors[0], RPC, config.listen)?;
    let operator = acceptors.get(1);
    let operator_addr = operator.map(|it| address(it, OPERATOR, local_addr));
    Ok(RpcServer {
        local_addr,
        operator_addr: operator_addr.transpose()?,
        acceptors,
        handle,
    })
}

const RPC: &str = "rpc";
const OPERATOR: &str = "rpc.operator";

async fn operator_acceptor(
    config: OperatorListener,
    runner: Runner,
    rules: Rules,
    stop: StopHandle,
) -> Result<Acceptor, RpcError> {
    let limits = runner.api.limits;
    let allowed = allowed(OPERATOR, &config.methods, Audience::Operator)?;
    let methods = methods(runner, &allowed)?;
    let unlimited = Rates::new(&RatesConfig {
        what: "calls",
        per_minute: None,
        address_per_minute: None,
        keys: Vec::new(),
    });
    Ok(Acceptor {
        listener: bind(OPERATOR, config.listen).await?,
        shared: Arc::new(Shared::new(methods, allowed, limits, unlimited)),
        rules: Arc::new(rules),
        trusted_proxies: Vec::new(),
        pages: None,
        token: config.token.map(Arc::new),
        certificates: certificates(OPERATOR, config.tls)?,
        stop,
    })
}

fn methods(runner: Runner, allowed: &Allowed) -> Result<(Table, Methods), RegisterMethodError> {
    let mut methods = served(Audience::Operator);
    methods.retain(|method| allowed.serves(method.name));
    let table = Table::new(runner.clone(), &methods);
    let mut subscriptions = RpcModule::new(runner);
    subscribe::register(&mut subscriptions)?;
    Ok((table, subscriptions.into()))
}

/// The methods that a listener's configuration names; if it names none, those of its audience.
fn allowed(
    field: &'static str,
    entries: &[String],
    audience: Audience,
) -> Result<Allowed, RpcError> {
    let names = |audience| served(audience).into_iter().map(|method| method.name);
    if entries.is_empty() {
        return Ok(Allowed::of(names(audience)));
    }
    let known = names(Audience::Operator);
    Allowed::named(entries, known).map_err(|unknown| RpcError::UnknownMethod {
        field,
        entry: unknown.entry,
        namespaces: unknown.namespaces,
    })
}

fn rules_of(config: &ServerConfig) -> Result<Rules, RpcError> {
    Ok(Rules {
        origins: rules("cors_origins", &config.cors_origins, OriginRule::parse)?,
        hosts: rules("hosts", &config.hosts, HostRule::parse)?,
    })
}

fn rules<T>(
    list: &'static str,
    entries: &[String],
    parse: fn(&str) -> Result<T, WebRuleError>,
) -> Result<Vec<T>, RpcError> {
    let parsed = entries.iter().map(|entry| parse(entry));
    let parsed: Result<_, _> = parsed.collect();
    parsed.map_err(|source| RpcError::WebRule { list, source })
}

async fn bind(field: &'static str, address: SocketAddr) -> Result<TcpListener, RpcError> {
    let bound = TcpListener::bind(address).await;
    bound.map_err(|source| RpcError::Listen {
        field,
        address,
        source,
    })
}

fn certificates(
    field: &'static str,
    files: Option<TlsFiles>,
) -> Result<Option<Arc<Certificates>>, RpcError> {
    let opened = files.map(Certificates::open).transpose();
    let opened = opened.map_err(|source| RpcError::Tls { field, source })?;
    Ok(opened.map(Arc::new))
}
