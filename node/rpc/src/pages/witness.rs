//! `/add-checkpoint`: C2SP tlog-witness (SPEC §9.7).

use std::error::Error;

use http::{Method, StatusCode};
use jsonrpsee::server::HttpRequest;
use tbsi_types::log::add_checkpoint::ADD_CHECKPOINT_BYTES_MAX;

use super::{Caching, Page, Pages, TEXT, read};
use crate::backend::Witnessing;
use crate::limits::WITNESS_REQUESTS_MAX;

/// Answers a request to `/add-checkpoint`.
pub(super) async fn answer<B>(pages: &Pages, request: HttpRequest<B>) -> Page
where
    B: http_body::Body<Data = bytes::Bytes> + Send + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    if request.method() != Method::POST {
        return Page::wrong_method("POST");
    }
    let body = match read(request.into_body(), ADD_CHECKPOINT_BYTES_MAX).await {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    let Ok(text) = String::from_utf8(body.into()) else {
        return Page::refusal(StatusCode::BAD_REQUEST, "the body is not UTF-8");
    };
    // Only now: whoever sends slowly takes no place.
    let Ok(_place) = pages.witness.try_acquire() else {
        return Page::busy(format!(
            "{WITNESS_REQUESTS_MAX} checkpoints are being looked at; retry later"
        ));
    };
    let answered = pages
        .runner
        .run(move |api| Ok(api.backend.add_checkpoint(&text)?))
        .await;
    answered.map_or_else(|failure| Page::failure(&failure), page)
}

fn page(answer: Witnessing) -> Page {
    match answer {
        Witnessing::Cosigned(line) => Page::new(TEXT, Caching::Never, line.into_bytes()),
        Witnessing::Malformed(sentence) => Page::refusal(StatusCode::BAD_REQUEST, sentence),
        Witnessing::UnknownOrigin => Page::refusal(
            StatusCode::NOT_FOUND,
            "this node does not witness a log of this origin; its operator can change that with \
             [[attestation_log.witnessed]] of config.toml",
        ),
        Witnessing::NotSigned => Page::refusal(
            StatusCode::FORBIDDEN,
            "no signature is that of a key that this node knows for this origin",
        ),
        Witnessing::Conflict(size) => Page {
            status: StatusCode::CONFLICT,
            ..Page::new(
                "text/x.tlog.size",
                Caching::Never,
                format!("{size}\n").into_bytes(),
            )
        },
        Witnessing::Inconsistent(sentence) => {
            Page::refusal(StatusCode::UNPROCESSABLE_ENTITY, sentence)
        }
    }
}
