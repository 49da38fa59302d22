//! What a gateway says when it does not do what it was asked for.

use prost::Message;
use tonic::{Code, Status};

use super::messages::{ErrorDetail, RpcStatus};

/// What the gateway writes before what a chaincode says.
const CHAINCODE: &str = "chaincode response ";

/// Bytes of what a stranger says that are kept.
const SAID_BYTES_MAX: usize = 1_024;

/// Why a call came to nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The chaincode refuses, for a reason with a name (SPEC §17.6).
    #[error("the chaincode refuses: {code}: {detail}")]
    Chaincode {
        /// Whose fault it is: 400 and above.
        status: u16,
        /// The reason's name.
        code: String,
        /// More for people.
        detail: String,
    },
    /// Gateway, peers or orderers say that they do not do it.
    #[error("declined: {0}")]
    Declined(String),
    /// No answer, or one that leaves open whether it was done.
    #[error("no answer: {0}")]
    Silent(String),
    /// Too few gateways answered alike.
    #[error("{agreed} of {needed} gateways answered alike: {problem}")]
    Apart {
        /// That gave the same answer.
        agreed: usize,
        /// That are needed.
        needed: usize,
        /// What one of them said.
        problem: String,
    },
}

/// Text of bounded length.
pub(super) fn bounded(mut text: String) -> String {
    if text.len() > SAID_BYTES_MAX {
        let end = (0..=SAID_BYTES_MAX).rev();
        let end = end.into_iter().find(|at| text.is_char_boundary(*at));
        text.truncate(end.unwrap_or(0));
    }
    text
}

/// `chaincode response 409, LightClientPaused: ...`, wherever it stands in what was said.
fn chaincode(said: &str) -> Option<CallError> {
    let (_, rest) = said.split_once(CHAINCODE)?;
    let (status, rest) = rest.split_once(", ")?;
    let status = status.parse().ok()?;
    let (code, detail) = rest.split_once(": ").unwrap_or((rest, ""));
    let plain = |byte: u8| byte.is_ascii_alphanumeric();
    let (code, detail) = if !code.is_empty() && code.bytes().all(plain) {
        (code, detail)
    } else {
        // Of another chaincode than ours.
        ("chaincode", rest)
    };
    Some(CallError::Chaincode {
        status,
        code: code.into(),
        detail: bounded(detail.into()),
    })
}

/// What each peer or orderer said.
fn details(status: &Status) -> Vec<ErrorDetail> {
    let unpacked = RpcStatus::decode(status.details()).unwrap_or_default();
    let all = unpacked.details.into_iter();
    let ours = all.filter(|one| one.type_url.ends_with("/gateway.ErrorDetail"));
    ours.filter_map(|one| ErrorDetail::decode(&one.value[..]).ok())
        .collect()
}

/// An error, with what caused it.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = String::new();
    let mut cause = error.source();
    while let Some(error) = cause {
        text += &format!(": {error}");
        cause = error.source();
    }
    text
}

impl CallError {
    /// What an answer of gRPC means.
    pub(super) fn of(status: &Status) -> Self {
        let details = details(status);
        let mut texts = details.iter().map(|one| one.message.as_str());
        let said = texts.find_map(chaincode);
        if let Some(refused) = said.or_else(|| chaincode(status.message())) {
            return refused;
        }
        let mut text = format!("{:?}: {}", status.code(), status.message());
        text += &causes(status);
        for one in details {
            text += &format!("; {} at {}: {}", one.msp_id, one.address, one.message);
        }
        let text = bounded(text);
        match status.code() {
            Code::InvalidArgument
            | Code::NotFound
            | Code::AlreadyExists
            | Code::PermissionDenied
            | Code::FailedPrecondition
            | Code::Aborted
            | Code::OutOfRange
            | Code::Unimplemented
            | Code::Unauthenticated => Self::Declined(text),
            Code::Ok
            | Code::Cancelled
            | Code::Unknown
            | Code::DeadlineExceeded
            | Code::ResourceExhausted
            | Code::Internal
            | Code::Unavailable
            | Code::DataLoss => Self::Silent(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fabric::messages::AnyMessage;

    fn status(code: Code, message: &str, details: &[(&str, &str)]) -> Status {
        let details = details.iter().map(|(msp_id, message)| {
            let detail = ErrorDetail {
                address: "127.0.0.1:7051".into(),
                msp_id: (*msp_id).into(),
                message: (*message).into(),
            };
            AnyMessage {
                type_url: "type.googleapis.com/gateway.ErrorDetail".into(),
                value: detail.encode_to_vec(),
            }
        });
        let packed = RpcStatus {
            details: details.collect(),
        };
        Status::with_details(code, message, packed.encode_to_vec().into())
    }

    fn refused(status: u16, code: &str, detail: &str) -> CallError {
        CallError::Chaincode {
            status,
            code: code.into(),
            detail: detail.into(),
        }
    }

    #[test]
    fn a_refusal_of_the_chaincode_is_found_wherever_it_is() {
        let told = "chaincode response 409, LightClientPaused: `proofs` is paused";
        let expected = refused(409, "LightClientPaused", "`proofs` is paused");
        let failed = "failed to endorse transaction, see attached details for more info";
        let aborted = status(Code::Aborted, failed, &[("Org1MSP", told)]);
        assert_eq!(CallError::of(&aborted), expected);
        let evaluated = format!("evaluate call to endorser returned error: {told}");
        assert_eq!(
            CallError::of(&status(Code::Unknown, &evaluated, &[])),
            expected
        );
        let other = status(Code::Unknown, "chaincode response 500, no such key", &[]);
        assert_eq!(
            CallError::of(&other),
            refused(500, "chaincode", "no such key")
        );
    }

    #[test]
    fn what_everybody_said_is_unpacked() {
        let failed = status(
            Code::Aborted,
            "failed to collect enough transaction endorsements",
            &[("Org1MSP", "no"), ("Org2MSP", "never")],
        );
        let CallError::Declined(text) = CallError::of(&failed) else {
            panic!("{failed}");
        };
        for part in ["Aborted", "Org1MSP at 127.0.0.1:7051: no", "Org2MSP"] {
            assert!(text.contains(part), "{text}");
        }
    }

    #[test]
    fn what_leaves_it_open_is_no_refusal() {
        for code in [
            Code::Unavailable,
            Code::DeadlineExceeded,
            Code::Internal,
            Code::Unknown,
        ] {
            let error = CallError::of(&status(code, "x", &[]));
            assert!(matches!(error, CallError::Silent(_)), "{error}");
        }
    }

    #[test]
    fn long_and_broken_words_are_bounded() {
        let long = "é".repeat(5_000);
        let CallError::Declined(text) = CallError::of(&Status::aborted(long)) else {
            panic!("declined");
        };
        assert!(text.len() <= SAID_BYTES_MAX);
        let broken = Status::with_details(Code::Aborted, "x", vec![0xff; 9].into());
        assert!(matches!(CallError::of(&broken), CallError::Declined(_)));
    }
}
