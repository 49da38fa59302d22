//! `/digest` and `/timestamp/<hex>`: a calendar of OpenTimestamps (SPEC §10.9). A digest is
//! attested like that of a time stamp, and is counted with those.

use std::error::Error;

use http::{Method, StatusCode};
use jsonrpsee::server::HttpRequest;
use tbsi_types::B256;
use tbsi_types::log::OtsCommitment;

use super::timestamp::{admit, place, until_final};
use super::{BYTES, Caching, Page, Pages, read};
use crate::api::{Api, Runner};
use crate::backend::CalendarAnswer;
use crate::error::Failure;

/// What a client sends.
const DIGEST_BYTES: usize = 32;

/// Answers `POST /digest`.
pub(super) async fn digest<B>(pages: &Pages, request: HttpRequest<B>) -> Page
where
    B: http_body::Body<Data = bytes::Bytes> + Send + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    if request.method() != Method::POST {
        return Page::wrong_method("POST");
    }
    if !pages.runner.api.backend.is_calendar() {
        return no_calendar();
    }
    // Before anything is read or attested.
    let client = match admit(pages, &request) {
        Ok(client) => client,
        Err(refusal) => return refusal,
    };
    let body = match read(request.into_body(), DIGEST_BYTES).await {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    let Ok(digest) = B256::try_from(&body[..]) else {
        let got = body.len();
        let sentence = format!("a digest has {DIGEST_BYTES} bytes (SHA-256), this one {got}");
        return Page::refusal(StatusCode::BAD_REQUEST, sentence);
    };
    let _place = match place(pages, &client) {
        Ok(place) => place,
        Err(refusal) => return refusal,
    };
    let page = stamp(&pages.runner, digest).await;
    page.unwrap_or_else(|failure| Page::failure(&failure))
}

async fn stamp(runner: &Runner, digest: B256) -> Result<Page, Failure> {
    let heads = runner.api.backend.subscribe();
    let begun = runner
        .run(move |api| Ok(api.backend.calendar_digest(digest)?))
        .await?;
    let pending = match begun {
        Ok(pending) => pending,
        Err(sentence) => return Ok(Page::busy(sentence)),
    };
    let look = move |api: &Api| {
        let reply = api.backend.calendar_reply(pending)?;
        Ok(reply.map(|answer| page(answer, StatusCode::SERVICE_UNAVAILABLE)))
    };
    until_final(runner, heads, pending, look).await
}

/// Answers `/timestamp/<hex>`, after that prefix.
pub(super) async fn later(runner: &Runner, method: &Method, commitment: &str) -> Page {
    if !matches!(*method, Method::GET | Method::HEAD) {
        return Page::wrong_method("GET, HEAD");
    }
    if !runner.api.backend.is_calendar() {
        return no_calendar();
    }
    let commitment = match OtsCommitment::parse(commitment) {
        Ok(commitment) => commitment,
        Err(error) => return Page::refusal(StatusCode::BAD_REQUEST, error.to_string()),
    };
    let look = move |api: &Api| Ok(api.backend.calendar_later(&commitment)?);
    let answer = runner.run(look).await;
    answer.map_or_else(
        |failure| Page::failure(&failure),
        |answer| page(answer, StatusCode::NOT_FOUND),
    )
}

/// A timestamp, or why there is none.
pub(super) fn page(answer: CalendarAnswer, refused: StatusCode) -> Page {
    match answer {
        Ok(timestamp) => Page {
            compressible: false,
            ..Page::new(BYTES, Caching::Never, timestamp)
        },
        Err(sentence) => Page::refusal(refused, sentence),
    }
}

fn no_calendar() -> Page {
    Page::refusal(
        StatusCode::SERVICE_UNAVAILABLE,
        "this node is no calendar; its operator can change that with the table [tsa.calendar] of \
         config.toml",
    )
}
