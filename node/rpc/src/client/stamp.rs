//! Asking a time-stamping authority, this project's or another, over HTTP (RFC 3161 §3.4).

use bytes::Bytes;

use super::ClientError;
use super::tiles::whole;
use crate::outgoing::Http;

/// Posts a TimeStampReq to `url` and returns the body of the answer, of at most `bytes_max` bytes,
/// unchecked.
pub async fn request_timestamp(
    http: &Http,
    url: &str,
    query: Vec<u8>,
    bytes_max: usize,
) -> Result<Bytes, ClientError> {
    let authority = http.remote(url)?;
    let query = ("application/timestamp-query", query);
    let answer = authority.post("", query, bytes_max);
    whole(authority.shown().into(), answer.await)
}
