//! Asking an authority for a time stamp (RFC 3161 §2.4).

use der::asn1::{AnyRef, OctetString, Uint};
use der::{Decode, Encode, Reader, Tag, Tagged};

use crate::archive::asn1::{MessageImprint, Request, lengths_fit};
use crate::archive::digest::ArchiveDigest;
use crate::archive::limits::{NESTING_MAX, REPLY_BYTES_MAX};
use crate::archive::token::{Token, TokenError};

/// PKIStatus: granted, and granted with changes.
const GRANTED: [u8; 2] = [0, 1];

/// Why a reply brings no time stamp.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum QueryError {
    /// Not a TimeStampResp in DER.
    #[error("the reply is no TimeStampResp (RFC 3161) in DER of at most {REPLY_BYTES_MAX} bytes")]
    Malformed,
    /// The authority refuses.
    #[error("the authority refuses: status {status}{text}")]
    Refused {
        /// PKIStatus.
        status: u8,
        /// What it says, after a colon.
        text: String,
    },
    /// An answer to another query.
    #[error("the reply's nonce is not that of the query")]
    Nonce,
    /// The token in it.
    #[error("the reply's time stamp")]
    Token(#[from] TokenError),
}

/// A query for a time stamp over a digest, with certificates.
pub fn query(algorithm: ArchiveDigest, imprint: &[u8], nonce: u64) -> Vec<u8> {
    let request = Request {
        version: 1,
        message_imprint: MessageImprint {
            algorithm: algorithm.identifier(),
            digest: OctetString::new(imprint).expect("a short digest"),
        },
        nonce: Uint::new(&nonce.to_be_bytes()).expect("eight bytes"),
        certificate: true,
    };
    request.to_der().expect("short values")
}

/// The token of a reply.
pub fn reply_token(reply: &[u8]) -> Result<Token, QueryError> {
    let malformed = || QueryError::Malformed;
    if reply.len() > REPLY_BYTES_MAX || !lengths_fit(reply, NESTING_MAX) {
        return Err(malformed());
    }
    let response = AnyRef::from_der(reply).map_err(|_| malformed())?;
    let read = response.sequence(|reader| {
        let status = AnyRef::decode(reader)?.sequence(|info| {
            let status: u8 = info.decode()?;
            let mut text = String::new();
            while !info.is_finished() {
                let value = AnyRef::decode(info)?;
                if value.tag() == Tag::Sequence {
                    text = sentences(value)?;
                }
            }
            Ok((status, text))
        })?;
        let token = if reader.is_finished() {
            None
        } else {
            Some(reader.tlv_bytes()?)
        };
        Ok((status, token))
    });
    let ((status, text), token) = read.map_err(|_| malformed())?;
    let Some(token) = token.filter(|_| GRANTED.contains(&status)) else {
        return Err(QueryError::Refused { status, text });
    };
    Ok(Token::parse(token)?)
}

/// The token of the reply to a query with this nonce.
pub fn read_reply(reply: &[u8], nonce: u64) -> Result<Token, QueryError> {
    let token = reply_token(reply)?;
    // An INTEGER has a zero in front if its first bit is set, and no other.
    let bytes = nonce.to_be_bytes();
    let asked: Vec<u8> = bytes.into_iter().skip_while(|byte| *byte == 0).collect();
    let got = token.nonce().unwrap_or_default();
    let got: Vec<u8> = got.iter().copied().skip_while(|byte| *byte == 0).collect();
    if asked != got {
        return Err(QueryError::Nonce);
    }
    Ok(token)
}

fn sentences(value: AnyRef<'_>) -> der::Result<String> {
    value.sequence(|reader| {
        let mut text = String::new();
        while !reader.is_finished() {
            let part = AnyRef::decode(reader)?;
            text += ": ";
            text += &String::from_utf8_lossy(part.value()).replace(char::is_control, " ");
        }
        Ok(text)
    })
}
