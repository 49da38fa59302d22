//! Accepts connections of one listener, and serves each in a task of its own.

use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use jsonrpsee::server::{ConnectionId, StopHandle};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::compat::{FuturesAsyncReadCompatExt as _, TokioAsyncReadCompatExt as _};
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{Predicate as _, SizeAbove};
use tower_http::cors::{AllowHeaders, AllowOrigin, Any, CorsLayer};

use crate::caller::{Called, Connections};
use crate::limits::{
    ACCEPT_RETRY_MS, COMPRESSED_BYTES_MIN, HANDSHAKE_S_MAX, HEADERS_S_MAX, IDLE_S_MAX,
};
use crate::linger::Lingering;
use crate::middleware::{Ruled, Rules, WithToken};
use crate::pages::{Pages, PagesThen, is_compressible};
use crate::post::{JsonRpc, UpgradeSlot};
use crate::session::Shared;
use crate::stream::PacedStream;
use crate::timed::InTime;
use crate::tls::Certificates;
use crate::token::TokenSecret;
use crate::web::OriginRule;

/// One listener.
pub(crate) struct Acceptor {
    pub(crate) listener: TcpListener,
    pub(crate) shared: Arc<Shared>,
    pub(crate) rules: Arc<Rules>,
    pub(crate) trusted_proxies: Vec<IpAddr>,
    /// `None` if only JSON-RPC is served.
    pub(crate) pages: Option<Pages>,
    /// With what whoever asks for anything shows that it may.
    pub(crate) token: Option<Arc<TokenSecret>>,
    pub(crate) certificates: Option<Arc<Certificates>>,
    pub(crate) stop: StopHandle,
}

/// What all connections of a listener have in common.
struct Common {
    trusted: Arc<[IpAddr]>,
    numbers: AtomicUsize,
}

impl Acceptor {
    /// Each connection is a task of `open`.
    pub(crate) async fn run(&self, open: &mut JoinSet<()>) {
        let limits = self.shared.limits;
        let trusted = self.trusted_proxies.iter().map(IpAddr::to_canonical);
        let common = Common {
            trusted: trusted.collect(),
            numbers: AtomicUsize::new(0),
        };
        let connections = Arc::new(Connections::new(
            limits.connections_max,
            limits.connections_per_address_max,
            Arc::clone(&common.trusted),
        ));
        loop {
            let (socket, other_end) = tokio::select! {
                accepted = accept(&self.listener) => accepted,
                Some(_) = open.join_next() => continue,
            };
            let Some(place) = connections.admit(other_end.ip()) else {
                refuse(&socket, self.certificates.is_some());
                continue;
            };
            let connection = self.connection(socket, other_end, &common);
            open.spawn(async move {
                let _place = place;
                connection.await;
            });
        }
    }

    /// What becomes of a connection, until it ends.
    fn connection(
        &self,
        socket: TcpStream,
        other_end: SocketAddr,
        common: &Common,
    ) -> impl Future<Output = ()> + Send + use<> {
        let number = common.numbers.fetch_add(1, Ordering::Relaxed);
        let upgraded = UpgradeSlot::default();
        let json_rpc = JsonRpc {
            shared: Arc::clone(&self.shared),
            has_log: self.pages.is_some(),
            connection: ConnectionId(number),
            upgraded: Arc::clone(&upgraded),
            stop: self.stop.clone(),
        };
        let service = Served {
            json_rpc,
            pages: self.pages.clone(),
            rules: Arc::clone(&self.rules),
            token: self.token.clone(),
            other_end: other_end.ip(),
            trusted: Arc::clone(&common.trusted),
        };
        let certificates = self.certificates.clone();
        let stop = self.stop.clone();
        async move {
            let stream = PacedStream::new(socket, Duration::from_secs(IDLE_S_MAX));
            match certificates {
                None => serve(stream, service, stop).await,
                Some(certificates) => {
                    let handshake = certificates.acceptor().await.accept(stream.compat());
                    let limit = Duration::from_secs(HANDSHAKE_S_MAX);
                    match timeout(limit, handshake).await {
                        Ok(Ok(stream)) => serve(stream.compat(), service, stop).await,
                        Ok(Err(error)) => {
                            tracing::debug!(%error, "a TLS handshake failed");
                            return;
                        }
                        Err(_) => return,
                    }
                }
            }
            let socket = upgraded
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take();
            if let Some(socket) = socket {
                socket.await;
            }
        }
    }
}

/// What answers the requests of one connection.
struct Served {
    json_rpc: JsonRpc,
    pages: Option<Pages>,
    rules: Arc<Rules>,
    token: Option<Arc<TokenSecret>>,
    other_end: IpAddr,
    trusted: Arc<[IpAddr]>,
}

/// Serves HTTP/1.1 until the connection ends or has become something else.
async fn serve<S>(stream: S, served: Served, stop: StopHandle)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let Served {
        json_rpc,
        pages,
        rules,
        token,
        other_end,
        trusted,
    } = served;
    let compressed = SizeAbove::new(COMPRESSED_BYTES_MIN.into()).and(is_compressible);
    let compression = CompressionLayer::new()
        .quality(CompressionLevel::Fastest)
        .compress_when(compressed);
    let service = tower::ServiceBuilder::new()
        .layer_fn(Lingering)
        .layer_fn(move |inner| Called {
            inner,
            other_end,
            trusted: Arc::clone(&trusted),
        })
        .layer(compression)
        .layer_fn(move |inner| WithToken {
            inner,
            token: token.clone(),
        })
        .layer(cors(Arc::clone(&rules)))
        .layer_fn(move |inner| Ruled {
            inner,
            rules: Arc::clone(&rules),
        })
        .layer_fn(move |inner| PagesThen {
            pages: pages.clone(),
            inner,
        })
        .layer_fn(InTime)
        .service(json_rpc);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(HEADERS_S_MAX))
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service))
        .with_upgrades();
    tokio::pin!(connection);
    let stopped = stop.shutdown();
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stopped => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "JSON-RPC connection ended");
    }
}

/// Tells browsers the same that [`Rules`] do.
fn cors(rules: Arc<Rules>) -> CorsLayer {
    let origin = if rules.origins.contains(&OriginRule::ANY) {
        AllowOrigin::any()
    } else {
        AllowOrigin::predicate(move |origin, _| rules.allows_origin(origin.as_bytes()))
    };
    CorsLayer::new()
        .allow_origin(origin)
        .allow_methods(Any)
        // `*` would not be `authorization`, in which API keys are.
        .allow_headers(AllowHeaders::mirror_request())
}

/// The next connection and its other end.
async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        let accepted = listener.accept().await;
        let prepared = accepted.and_then(|(socket, other_end)| {
            socket.set_nodelay(true)?;
            Ok((socket, other_end))
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

/// Tells a client that there is no place for it, if its socket takes the words at once. Of one
/// that speaks TLS they would not be understood.
fn refuse(socket: &TcpStream, is_tls: bool) {
    const BUSY: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\n\
        retry-after: 1\r\ncontent-length: 34\r\n\r\ntoo many connections; retry later\n";
    if is_tls {
        return;
    }
    if let Err(error) = socket.try_write(BUSY) {
        tracing::debug!(%error, "refused a JSON-RPC connection without words");
    }
}
