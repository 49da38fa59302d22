//! Doors for `tests/fuzz`: what a decoder accepts, encoded again. Not an interface.

#![allow(missing_docs, reason = "the names say which message it is")]

use super::cosignatures::Cosignatures;
use super::message::{self, Message, encode};
use super::post_quantum::PostQuantumCosignature;

pub fn message(bytes: &[u8]) -> Option<Vec<u8>> {
    let decoded = message::decode(bytes.to_vec()).ok()?;
    let salt = salt(bytes);
    Some(match decoded {
        Message::Transactions(list) => {
            let list: Vec<&[u8]> = list.iter().map(AsRef::as_ref).collect();
            encode(&(salt, 0u8, list))
        }
        Message::Tip(height) => encode(&(salt, 1u8, height.0)),
    })
}

pub fn cosignatures(bytes: &[u8]) -> Option<Vec<u8>> {
    let decoded = Cosignatures::decode(bytes).ok()?;
    let list: Vec<([u8; 20], [u8; 72])> = decoded
        .list
        .iter()
        .map(|(validator, signature)| (validator.into_array(), *signature))
        .collect();
    Some(encode(&(salt(bytes), decoded.size.0, decoded.root.0, list)))
}

pub fn post_quantum(bytes: &[u8]) -> Option<Vec<u8>> {
    let decoded = PostQuantumCosignature::decode(bytes).ok()?;
    Some(decoded.encode_with(&salt(bytes)))
}

fn salt(message: &[u8]) -> [u8; 8] {
    let (salt, _) = message.split_first_chunk().expect("it was decoded");
    *salt
}
