//! `/tsa`: time stamps of RFC 3161 over HTTP (its §3.4). A reply comes when the attestation of
//! the digest is final, and not before.

use std::error::Error;
use std::time::Duration;

use alloy_primitives::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Method, StatusCode};
use jsonrpsee::server::HttpRequest;
use tokio::time::{Instant, timeout_at};

use super::{Caching, Page, Pages, read};
use crate::api::Runner;
use crate::backend::Timestamp;
use crate::error::Failure;
use crate::limits::{FINALITY_S_MAX, TIMESTAMP_QUERY_BYTES_MAX, TIMESTAMPS_MAX};

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
    let query = match read(request.into_body(), TIMESTAMP_QUERY_BYTES_MAX).await {
        Ok(query) => query,
        Err(refusal) => return refusal,
    };
    let Ok(_place) = pages.timestamps.try_acquire() else {
        let sentence = format!("{TIMESTAMPS_MAX} time stamps are being made; retry later");
        return Page::refusal(StatusCode::SERVICE_UNAVAILABLE, sentence);
    };
    let page = stamp(&pages.runner, query).await;
    page.unwrap_or_else(|failure| Page::failure(&failure))
}

fn is_query(headers: &HeaderMap) -> bool {
    let value = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let essence = value.and_then(|value| value.split(';').next());
    essence.is_some_and(|essence| essence.trim().eq_ignore_ascii_case(QUERY))
}

async fn stamp(runner: &Runner, query: Bytes) -> Result<Page, Failure> {
    let mut heads = runner.api.backend.subscribe();
    let deadline = Instant::now() + Duration::from_secs(FINALITY_S_MAX);
    let asked = query.clone();
    let begun = runner
        .run(move |api| Ok(api.backend.timestamp(&asked)?))
        .await?;
    let pending = match begun {
        Timestamp::Refused(reply) => return Ok(Page::new(REPLY, Caching::Never, reply)),
        Timestamp::NotConfigured => {
            let sentence = "this node makes no time stamps; its operator can change that with \
                            the table [tsa] of config.toml";
            return Ok(Page::refusal(StatusCode::SERVICE_UNAVAILABLE, sentence));
        }
        Timestamp::Pending(pending) => pending,
    };
    loop {
        let query = query.clone();
        let look = move |api: &crate::api::Api| Ok(api.backend.timestamp_reply(&query, pending)?);
        if let Some(reply) = runner.run(look).await? {
            return Ok(Page::new(REPLY, Caching::Never, reply));
        }
        // Lagging or not, a new height is a reason to look again.
        if timeout_at(deadline, heads.recv()).await.is_err() {
            let sentence = format!(
                "transaction {} attests the digest and was not final after \
                 {FINALITY_S_MAX} s; retry later",
                pending.transaction
            );
            return Ok(Page::refusal(StatusCode::GATEWAY_TIMEOUT, sentence));
        }
    }
}
