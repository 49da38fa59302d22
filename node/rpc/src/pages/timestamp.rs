//! `/tsa`: time stamps of RFC 3161 over HTTP (its §3.4). A reply comes when the attestation of
//! the digest is final, and not before.

use std::error::Error;
use std::net::Ipv4Addr;
use std::time::Duration;

use alloy_primitives::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Method, StatusCode};
use jsonrpsee::server::HttpRequest;
use tbsi_types::Height;
use tokio::sync::{SemaphorePermit, broadcast};
use tokio::time::{Instant, timeout_at};

use super::{Caching, Hint, Page, Pages, read};
use crate::api::{Api, Runner};
use crate::backend::{
    PendingTimestamp, Timestamp, TimestampAdmission, TimestampClient, TimestampFailure,
};
use crate::caller::{Caller, api_key};
use crate::error::Failure;
use crate::limits::{
    FINALITY_S_MAX, TIMESTAMP_QUERY_BYTES_MAX, TIMESTAMPS_MAX, TIMESTAMPS_WITH_KEY_MAX,
};

const QUERY: &str = "application/timestamp-query";
const REPLY: &str = "application/timestamp-reply";

/// Answers a request to `/tsa`.
pub(super) async fn answer<B>(pages: &Pages, request: HttpRequest<B>) -> Page
where
    B: http_body::Body<Data = bytes::Bytes> + Send + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    if request.method() != Method::POST {
        return Page::wrong_method("POST");
    }
    if !is_query(request.headers()) {
        let sentence = format!("content-type must be {QUERY}");
        return Page::refusal(StatusCode::UNSUPPORTED_MEDIA_TYPE, sentence);
    }
    // Before anything is read, looked up or attested.
    let client = match admit(pages, &request) {
        Ok(client) => client,
        Err(refusal) => return refusal,
    };
    let query = match read(request.into_body(), TIMESTAMP_QUERY_BYTES_MAX).await {
        Ok(query) => query,
        Err(refusal) => return refusal,
    };
    let _place = match place(pages, &client) {
        Ok(place) => place,
        Err(refusal) => return refusal,
    };
    let page = stamp(&pages.runner, query).await;
    page.unwrap_or_else(|failure| Page::failure(&failure))
}

/// Counts who asks for something that is attested.
pub(super) fn admit<B>(pages: &Pages, request: &HttpRequest<B>) -> Result<TimestampClient, Page> {
    let client = client(request);
    let admission = pages.runner.api.backend.admit_timestamp(&client);
    refusal(admission).map_or(Ok(client), Err)
}

/// A place among those who wait for finality.
pub(super) fn place<'a>(
    pages: &'a Pages,
    client: &TimestampClient,
) -> Result<SemaphorePermit<'a>, Page> {
    let (places, max) = match client.key {
        None => (&pages.timestamps, TIMESTAMPS_MAX),
        Some(_) => (&pages.timestamps_with_key, TIMESTAMPS_WITH_KEY_MAX),
    };
    places.try_acquire().map_err(|_| {
        let backend = &pages.runner.api.backend;
        backend.timestamp_failed(TimestampFailure::Busy);
        Page::busy(format!("{max} time stamps are being made; retry later"))
    })
}

fn client<B>(request: &HttpRequest<B>) -> TimestampClient {
    let caller = request.extensions().get::<Caller>();
    TimestampClient {
        // The server adds the caller to every request.
        address: caller.map_or(Ipv4Addr::UNSPECIFIED.into(), |caller| caller.0),
        key: api_key(request.headers()).map(|key| tbsi_types::sha256(&[key])),
    }
}

/// `None` for a client that is admitted.
fn refusal(admission: TimestampAdmission) -> Option<Page> {
    Some(match admission {
        TimestampAdmission::Admitted => return None,
        TimestampAdmission::TooMany {
            retry_after_s,
            sentence,
        } => Page {
            hint: Some(Hint::RetryAfterS(retry_after_s)),
            ..Page::refusal(StatusCode::TOO_MANY_REQUESTS, sentence)
        },
        TimestampAdmission::UnknownKey => Page::unauthorized(
            "this API key is not known here; leave it out, or ask the operator for one",
        ),
        TimestampAdmission::NotConfigured => Page::refusal(
            StatusCode::SERVICE_UNAVAILABLE,
            "this node makes no time stamps; its operator can change that with the table [tsa] \
             of config.toml",
        ),
    })
}

fn is_query(headers: &HeaderMap) -> bool {
    let value = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let essence = value.and_then(|value| value.split(';').next());
    essence.is_some_and(|essence| essence.trim().eq_ignore_ascii_case(QUERY))
}

async fn stamp(runner: &Runner, query: Bytes) -> Result<Page, Failure> {
    let heads = runner.api.backend.subscribe();
    let asked = query.clone();
    let begun = runner
        .run(move |api| Ok(api.backend.timestamp(&asked)?))
        .await?;
    let pending = match begun {
        Timestamp::Refused(reply) => return Ok(Page::new(REPLY, Caching::Never, reply)),
        Timestamp::Pending(pending) => pending,
    };
    let look = move |api: &Api| {
        let reply = api.backend.timestamp_reply(&query, pending)?;
        Ok(reply.map(|reply| Page::new(REPLY, Caching::Never, reply)))
    };
    until_final(runner, heads, pending, look).await
}

/// Looks after each new height whether there is an answer, for so long.
pub(super) async fn until_final<F>(
    runner: &Runner,
    mut heads: broadcast::Receiver<Height>,
    pending: PendingTimestamp,
    look: F,
) -> Result<Page, Failure>
where
    F: Fn(&Api) -> Result<Option<Page>, Failure> + Clone + Send + 'static,
{
    let deadline = Instant::now() + Duration::from_secs(FINALITY_S_MAX);
    loop {
        if let Some(page) = runner.run(look.clone()).await? {
            return Ok(page);
        }
        // Lagging or not, a new height is a reason to look again.
        if timeout_at(deadline, heads.recv()).await.is_err() {
            runner.api.backend.timestamp_failed(TimestampFailure::Late);
            let sentence = format!(
                "transaction {} attests the digest and was not final after \
                 {FINALITY_S_MAX} s; retry later",
                pending.transaction
            );
            return Ok(Page::refusal(StatusCode::GATEWAY_TIMEOUT, sentence));
        }
    }
}
