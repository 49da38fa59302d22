//! Asking a time-stamping authority, this project's or another, over HTTP (RFC 3161 §3.4).

use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::Client as Http;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::time::timeout;

use super::{ClientError, causes};
use crate::limits::{CLIENT_ANSWER_S_MAX, CLIENT_CONNECT_S_MAX};

/// Bytes of a refusal that are repeated.
const SENTENCE_BYTES_MAX: usize = 300;

/// Posts a TimeStampReq to `url` (`http://` only) and returns the body of the answer, of at most
/// `bytes_max` bytes, unchecked.
pub async fn request_timestamp(
    url: &str,
    query: Vec<u8>,
    bytes_max: usize,
) -> Result<Bytes, ClientError> {
    let wrong = |problem: String| ClientError::Url {
        url: url.into(),
        problem,
    };
    let uri: Uri = url.parse().map_err(|error| wrong(format!("{error}")))?;
    if uri.scheme_str() != Some("http") {
        return Err(wrong("http:// is expected".into()));
    }
    let request = Request::post(uri)
        .header(CONTENT_TYPE, "application/timestamp-query")
        .body(Full::new(Bytes::from(query)))
        .map_err(|error| wrong(error.to_string()))?;
    let mut connector = HttpConnector::new();
    connector.set_connect_timeout(Some(Duration::from_secs(CLIENT_CONNECT_S_MAX)));
    let http = Http::builder(TokioExecutor::new()).build::<_, Full<Bytes>>(connector);
    let exchange = async {
        let response = http
            .request(request)
            .await
            .map_err(|error| causes(&error))?;
        let status = response.status();
        let body = Limited::new(response.into_body(), bytes_max)
            .collect()
            .await;
        let body = body.map_err(|error| causes(error.as_ref()))?;
        Ok((status, body.to_bytes()))
    };
    let limit = Duration::from_secs(CLIENT_ANSWER_S_MAX);
    let answer = timeout(limit, exchange).await;
    let answer = answer.unwrap_or_else(|_| Err(format!("no answer within {limit:?}")));
    match answer {
        Ok((StatusCode::OK, body)) => Ok(body),
        Ok((status, body)) => {
            let sentence = &body[..body.len().min(SENTENCE_BYTES_MAX)];
            Err(ClientError::Status {
                url: url.into(),
                status: status.as_u16(),
                sentence: String::from_utf8_lossy(sentence).trim().to_owned(),
            })
        }
        Err(problem) => Err(ClientError::Unreachable {
            url: url.into(),
            problem,
        }),
    }
}
