//! The HTTP server: the API below `/api/v1`, the page's files beside it. Every request has a
//! limit: of its length, of how many come from one address, of how many wait.

mod page;
mod rate;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use alloy_primitives::hex;
use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::Response;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::spawn_blocking;

use crate::api::{self, Answer, Beside, Params, Problem};
use crate::clock;
use crate::desk::Desk;
use crate::limits::TARGET_BYTES_MAX;
use crate::said::said;
use crate::shared::Shared;
use page::Pages;
use rate::Rates;

/// What the server answers from.
#[derive(Clone)]
struct Server {
    shared: Arc<Shared>,
    pages: Option<Arc<Pages>>,
    rates: Arc<Mutex<Rates>>,
    /// Whether a proxy in front says who asks.
    behind_proxy: bool,
    /// Subscriptions, if alerts are sent.
    desk: Option<Arc<Mutex<Desk>>>,
}

/// Serves until `stop` turns true.
pub(crate) async fn serve(
    listener: TcpListener,
    shared: Arc<Shared>,
    web: Option<PathBuf>,
    behind_proxy: bool,
    desk: Option<Arc<Mutex<Desk>>>,
    mut stop: watch::Receiver<bool>,
) {
    let server = Server {
        shared,
        pages: web.map(|directory| Arc::new(Pages::new(directory))),
        rates: Arc::new(Mutex::new(Rates::default())),
        behind_proxy,
        desk,
    };
    let router = Router::new().fallback(answer).with_state(server);
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let served = axum::serve(listener, service).with_graceful_shutdown(async move {
        // A closed channel means that the war room is gone, which is a reason to stop too.
        let _stopped = stop.wait_for(|stop| *stop).await;
    });
    if let Err(error) = served.await {
        tracing::error!(%error, "nothing is served any more");
    }
}

async fn answer(
    State(server): State<Server>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let headers = request.headers();
    let known = headers.get(header::IF_NONE_MATCH).cloned();
    let client = client(&server, peer, headers);
    let allowed = {
        let mut rates = server.rates.lock().expect("nobody panics with it");
        rates.take(client, Instant::now())
    };
    if !allowed {
        return problem(&Problem::too_many());
    }
    if method != Method::GET && method != Method::HEAD {
        return problem(&Problem::method());
    }
    if uri.path().len() + uri.query().map_or(0, str::len) > TARGET_BYTES_MAX {
        return problem(&Problem::parameter(
            "q",
            &said(
                format!("path and query have at most {TARGET_BYTES_MAX} bytes"),
                format!("路徑與查詢最多 {TARGET_BYTES_MAX} 位元組"),
            ),
        ));
    }
    match uri.path().strip_prefix("/api/v1/") {
        Some(path) => {
            let path = path.to_owned();
            match of_api(&server, path, &uri).await {
                Ok(answer) => whole(answer, known.as_ref(), &method),
                Err(refused) => problem(&refused),
            }
        }
        None => match &server.pages {
            Some(pages) => pages.answer(uri.path(), &method, known.as_ref()),
            None => problem(&Problem::no_path()),
        },
    }
}

/// Who asks: the peer, or whom the proxy in front names last.
fn client(server: &Server, peer: SocketAddr, headers: &HeaderMap) -> std::net::IpAddr {
    let named = headers
        .get("x-forwarded-for")
        .filter(|_| server.behind_proxy);
    let named = named.and_then(|value| value.to_str().ok());
    let named = named.and_then(|value| value.rsplit(',').next()?.trim().parse().ok());
    named.unwrap_or_else(|| peer.ip())
}

async fn of_api(server: &Server, path: String, uri: &Uri) -> Result<Answer, Problem> {
    let query = Query::<Vec<(String, String)>>::try_from_uri(uri);
    let Query(pairs) = query.map_err(|_| {
        Problem::parameter("q", &said("the query cannot be read", "無法解讀查詢字串"))
    })?;
    let params = Params(pairs);
    let shared = &server.shared;
    let _place = shared
        .waiting
        .try_acquire()
        .map_err(|_| Problem::too_many())?;
    let segments: Vec<&str> = path.split('/').collect();
    if let (Some(desk), ["subscriptions", what @ ("confirm" | "end")]) =
        (&server.desk, segments.as_slice())
    {
        let desk = desk.lock().expect("nobody panics with it");
        return api::by_receiver(&desk, what, &params, clock::now_ms());
    }
    let mut beside = Beside {
        now_ms: clock::now_ms(),
        transaction: None,
    };
    if let Some(hash) = api::asked_transaction(&segments, &params) {
        for source in &shared.sources {
            beside.transaction = source.leaves_of(hash).await;
            if beside.transaction.is_some() {
                break;
            }
        }
    }
    let _making = shared
        .making
        .acquire()
        .await
        .map_err(|_| Problem::too_many())?;
    let shared = Arc::clone(shared);
    let made = spawn_blocking(move || {
        let segments: Vec<&str> = path.split('/').collect();
        api::answer(&shared, &segments, &params, beside)
    });
    made.await
        .unwrap_or_else(|error| Err(Problem::index(&error.to_string())))
}

/// A tag of what is in a body.
fn tag_of(body: &[u8]) -> String {
    let hash = tbsi_types::sha256(&[body]);
    format!("\"{}\"", hex::encode(&hash[..16]))
}

fn same(known: Option<&HeaderValue>, tag: &str) -> bool {
    let known = known.and_then(|known| known.to_str().ok());
    known.is_some_and(|known| {
        known == "*"
            || known
                .split(',')
                .any(|one| one.trim().trim_start_matches("W/") == tag)
    })
}

fn whole(answer: Answer, known: Option<&HeaderValue>, method: &Method) -> Response {
    let tag = tag_of(&answer.body);
    let cache = if answer.fixed {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let fresh = same(known, &tag);
    let status = if fresh {
        StatusCode::NOT_MODIFIED
    } else {
        StatusCode::OK
    };
    let body = if fresh || method == Method::HEAD {
        Vec::new()
    } else {
        answer.body
    };
    response(
        status,
        answer.kind,
        body,
        &[(header::ETAG, tag.as_str()), (header::CACHE_CONTROL, cache)],
    )
}

fn problem(problem: &Problem) -> Response {
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::BAD_REQUEST);
    let body = problem.json().to_string().into_bytes();
    let mut headers = vec![(header::CACHE_CONTROL, "no-store")];
    match status {
        StatusCode::TOO_MANY_REQUESTS => headers.push((header::RETRY_AFTER, "1")),
        StatusCode::METHOD_NOT_ALLOWED => headers.push((header::ALLOW, "GET, HEAD")),
        _ => {}
    }
    response(
        status,
        "application/problem+json; charset=utf-8",
        body,
        &headers,
    )
}

/// A response of the API: nothing in it is a page, and any page may read it.
fn response(
    status: StatusCode,
    kind: &str,
    body: Vec<u8>,
    headers: &[(header::HeaderName, &str)],
) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let all = response.headers_mut();
    let fixed = [
        (header::CONTENT_TYPE, kind),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; frame-ancestors 'none'",
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::ACCESS_CONTROL_EXPOSE_HEADERS, "ETag, Retry-After"),
    ];
    for (name, value) in fixed.iter().chain(headers) {
        if let Ok(value) = HeaderValue::from_str(value) {
            all.insert(name, value);
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_known_in_any_list() {
        let value = |text: &'static str| HeaderValue::from_static(text);
        let tag = tag_of(b"body");
        assert_eq!(tag.len(), 34);
        assert!(!same(None, &tag));
        assert!(same(Some(&value("*")), &tag));
        assert!(!same(Some(&value("\"0\"")), &tag));
        let listed = HeaderValue::from_str(&format!("\"0\", W/{tag}")).unwrap();
        assert!(same(Some(&listed), &tag));
    }
}
