//! The server: HTTP and WebSocket on one port, with a limit on everything.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use jsonrpsee::core::RegisterMethodError;
use jsonrpsee::core::middleware::RpcServiceBuilder;
use jsonrpsee::server::{
    BatchRequestConfig, Methods, PingConfig, Server, ServerHandle, StopHandle,
    serve_with_graceful_shutdown, stop_channel,
};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{Predicate as _, SizeAbove};
use tower_http::cors::{AllowOrigin, Any, CorsLayer};

use crate::api::Runner;
use crate::backend::Backend;
use crate::caller::{Called, Connections};
use crate::limits::{
    ACCEPT_RETRY_MS, COMPRESSED_BYTES_MIN, IDLE_S_MAX, RpcLimits, STOP_S_MAX, UNREAD_MESSAGES_MAX,
    WHOLE_BYTES_MAX,
};
use crate::methods::{Audience, module, served};
use crate::middleware::{Gate, OriginGate, Shared};
use crate::pages::{Pages, is_compressible};
use crate::stream::PacedStream;
use crate::subscribe::{self, HexIds};
use crate::timed::InTime;

/// Where and to whom the server answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerConfig {
    /// Address of HTTP and WebSocket; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Origins whose web pages may call, such as `https://explorer.example`; `*` is any page,
    /// none is no page. Clients that are not browsers are not concerned.
    pub cors_origins: Vec<String>,
    /// Addresses of proxies whose `X-Forwarded-For` says who a client is.
    pub trusted_proxies: Vec<IpAddr>,
    /// Limits.
    pub limits: RpcLimits,
}

impl Default for ServerConfig {
    /// Port 8545 on loopback, no web pages, default limits.
    fn default() -> Self {
        Self {
            listen: (Ipv4Addr::LOCALHOST, 8545).into(),
            cors_origins: Vec::new(),
            trusted_proxies: Vec::new(),
            limits: RpcLimits::default(),
        }
    }
}

/// Why the server does not start.
#[derive(Debug, thiserror::Error)]
pub enum RpcError {
    /// The address cannot be bound.
    #[error(
        "cannot listen on {address} (config key `rpc.listen`): {source}; \
         stop what uses the address, or choose another one"
    )]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
    /// Not an origin.
    #[error("config key `rpc.cors_origins`: {origin:?} is not an origin such as https://a.example")]
    Origin {
        /// The entry.
        origin: String,
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
    listener: TcpListener,
    acceptor: Acceptor,
    handle: ServerHandle,
}

impl RpcServer {
    /// The bound address, with the port that was chosen.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Answers until `stop` turns true or its other end is gone. Then it accepts nothing new, lets
    /// running calls finish within five seconds and closes the rest: no connection is left.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let Self {
            listener,
            acceptor,
            handle,
            ..
        } = self;
        let mut connections = JoinSet::new();
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => {}
            () = acceptor.run(&listener, &mut connections) => {}
        }
        drop((listener, acceptor));
        if handle.stop().is_err() {
            return; // nobody is left who could be told
        }
        let ended = async {
            while connections.join_next().await.is_some() {}
            // Those that became WebSockets are jsonrpsee's.
            handle.stopped().await;
        };
        let limit = Duration::from_secs(STOP_S_MAX);
        if tokio::time::timeout(limit, ended).await.is_err() {
            tracing::warn!(seconds = STOP_S_MAX, "JSON-RPC connections were cut off");
        }
        connections.shutdown().await;
    }
}

/// Binds the address, to answer from `backend`.
pub async fn listen(
    config: ServerConfig,
    backend: Arc<dyn Backend>,
) -> Result<RpcServer, RpcError> {
    if let Some(limit) = config.limits.zero() {
        return Err(RpcError::LimitZero { limit });
    }
    let cors = cors(&config.cors_origins)?;
    let runner = Runner::new(backend, config.limits);
    let mut module = module(runner.clone(), &served(Audience::Public))?;
    subscribe::register(&mut module)?;
    let address = config.listen;
    let failed = |source| RpcError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let local_addr = listener.local_addr().map_err(failed)?;
    let (stop, handle) = stop_channel();
    Ok(RpcServer {
        local_addr,
        listener,
        acceptor: Acceptor {
            config,
            cors,
            pages: Pages::new(runner),
            methods: module.into(),
            stop,
        },
        handle,
    })
}

fn cors(origins: &[String]) -> Result<CorsLayer, RpcError> {
    let any = origins.iter().any(|origin| origin == "*");
    let allowed = if any {
        AllowOrigin::any()
    } else {
        let parse = |origin: &String| {
            let is_origin = origin.contains("://") && !origin.ends_with('/');
            let value = origin.parse().ok().filter(|_| is_origin);
            value.ok_or_else(|| RpcError::Origin {
                origin: origin.clone(),
            })
        };
        let list: Result<Vec<_>, _> = origins.iter().map(parse).collect();
        AllowOrigin::list(list?)
    };
    Ok(CorsLayer::new()
        .allow_origin(allowed)
        .allow_methods(Any)
        .allow_headers(Any))
}

/// Accepts connections. The one of jsonrpsee bounds requests, not connections.
struct Acceptor {
    config: ServerConfig,
    cors: CorsLayer,
    pages: Pages,
    methods: Methods,
    stop: StopHandle,
}

impl Acceptor {
    /// Each connection is a task of `open`.
    async fn run(&self, listener: &TcpListener, open: &mut JoinSet<()>) {
        let limits = self.config.limits;
        let trusted = self.config.trusted_proxies.iter().map(IpAddr::to_canonical);
        let trusted: Arc<[IpAddr]> = trusted.collect();
        let connections = Arc::new(Connections::new(
            limits.connections_max,
            limits.connections_per_address_max,
            Arc::clone(&trusted),
        ));
        let shared = Arc::new(Shared::new(self.methods.clone(), &limits));
        let origins: Arc<[String]> = self.config.cors_origins.clone().into();
        let rpc = RpcServiceBuilder::new().layer_fn(move |inner| Gate {
            inner,
            shared: Arc::clone(&shared),
        });
        let compressed = SizeAbove::new(COMPRESSED_BYTES_MIN.into()).and(is_compressible);
        let compression = CompressionLayer::new()
            .quality(CompressionLevel::Fastest)
            .compress_when(compressed);
        let pages = self.pages.clone();
        let http = tower::ServiceBuilder::new()
            .layer(self.cors.clone())
            .layer(compression)
            .layer_fn(move |inner| OriginGate {
                inner,
                origins: Arc::clone(&origins),
            })
            .layer_fn(move |inner| pages.in_front_of(inner))
            .layer_fn(InTime);
        let builder = Server::builder()
            .set_config(transport(&limits))
            .set_rpc_middleware(rpc)
            .set_http_middleware(http)
            .to_service_builder();
        loop {
            let (socket, other_end) = tokio::select! {
                accepted = accept(listener) => accepted,
                Some(_) = open.join_next() => continue,
            };
            let Some(place) = connections.admit(other_end) else {
                refuse(&socket);
                continue;
            };
            let inner = builder
                .clone()
                .build(self.methods.clone(), self.stop.clone());
            let service = Called {
                inner,
                other_end,
                trusted: Arc::clone(&trusted),
            };
            let stopped = self.stop.clone().shutdown();
            open.spawn(async move {
                let _place = place;
                let stream = PacedStream::new(socket, Duration::from_secs(IDLE_S_MAX));
                if let Err(error) = serve_with_graceful_shutdown(stream, service, stopped).await {
                    tracing::debug!(%error, "JSON-RPC connection ended");
                }
            });
        }
    }
}

/// The next connection and its other end.
async fn accept(listener: &TcpListener) -> (TcpStream, IpAddr) {
    loop {
        let accepted = listener.accept().await;
        let prepared = accepted.and_then(|(socket, other_end)| {
            socket.set_nodelay(true)?;
            Ok((socket, other_end.ip()))
        });
        match prepared {
            Ok(connection) => return connection,
            Err(error) => {
                tracing::warn!(%error, "cannot accept a JSON-RPC connection");
                tokio::time::sleep(Duration::from_millis(ACCEPT_RETRY_MS)).await;
            }
        }
    }
}

/// Tells a client that there is no place for it, if its socket takes the words at once.
fn refuse(socket: &TcpStream) {
    const BUSY: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\n\
        retry-after: 1\r\ncontent-length: 34\r\n\r\ntoo many connections; retry later\n";
    if let Err(error) = socket.try_write(BUSY) {
        tracing::debug!(%error, "refused a JSON-RPC connection without words");
    }
}

fn transport(limits: &RpcLimits) -> jsonrpsee::server::ServerConfig {
    jsonrpsee::server::ServerConfig::builder()
        .max_connections(limits.connections_max)
        .max_request_body_size(limits.request_bytes_max)
        .max_response_body_size(WHOLE_BYTES_MAX.max(limits.response_bytes_max))
        .max_subscriptions_per_connection(limits.subscriptions_max)
        .set_batch_request_config(BatchRequestConfig::Limit(limits.batch_items_max))
        .set_message_buffer_capacity(UNREAD_MESSAGES_MAX)
        .enable_ws_ping(PingConfig::default())
        .set_id_provider(HexIds::default())
        .build()
}
