//! Doors for `tests/fuzz`: what a decoder accepts, encoded again. Not an interface.

#![allow(missing_docs, reason = "the names say which message it is")]

use super::message::{Reply, Request};

pub fn request(bytes: &[u8]) -> Option<Vec<u8>> {
    Request::decode(bytes).map(|request| request.encode())
}

pub fn reply(bytes: &[u8]) -> Option<Vec<u8>> {
    Reply::decode(bytes).map(|reply| reply.encode())
}
