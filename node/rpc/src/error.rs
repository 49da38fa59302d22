//! Errors in the codes and words of go-ethereum, which clients match on.

use alloy_primitives::{B256, Bytes, U64};
use alloy_sol_types::{Panic, Revert, SolError};
use jsonrpsee::types::ErrorObjectOwned;
use serde::Serialize;
use serde_json::json;
use tbsi_types::{CallOutcome, Height, SimulationFault, SimulationRefused};

use crate::backend::{BackendError, SubmitError};
use crate::limits::{ECHO_CHARS_MAX, FILTER_IDLE_S_MAX, SUBSCRIPTIONS_ALL_MAX};
use crate::rates::TooOften;

/// What a method answers instead of a result.
pub(crate) type Failure = ErrorObjectOwned;

const REVERTED: i32 = 3;
const NOT_IN_TIME: i32 = 4;
const STATE_PRUNED: i32 = 4444;
/// go-ethereum's code for whatever has no code of its own.
pub(crate) const REFUSED: i32 = -32000;
const TIMED_OUT: i32 = -32002;
/// Also go-ethereum's code for a response that is too large.
const NOT_PERMITTED: i32 = -32003;
const LIMIT_EXCEEDED: i32 = -32005;
const INVALID_REQUEST: i32 = -32600;
const METHOD_NOT_FOUND: i32 = -32601;
const INVALID_PARAMS: i32 = -32602;
const INTERNAL: i32 = -32603;
/// Of a simulated call that neither returned nor reverted.
pub(crate) const VM_ERROR: i32 = -32015;
const UNREADABLE: i32 = -32700;

fn failure(code: i32, message: impl Into<String>) -> Failure {
    Failure::owned(code, message, None::<()>)
}

/// go-ethereum's code for whatever has no code of its own.
pub(crate) fn refused(message: impl Into<String>) -> Failure {
    failure(REFUSED, message)
}

/// State was asked of a block that does not exist.
pub(crate) fn header_not_found() -> Failure {
    refused("header not found")
}

/// The parameters cannot be what the method takes.
pub(crate) fn invalid_params(message: impl Into<String>) -> Failure {
    failure(INVALID_PARAMS, message)
}

/// An argument does not parse, or is not allowed.
pub(crate) fn invalid_argument(index: usize, problem: &str) -> Failure {
    invalid_params(format!("invalid argument {index}: {}", echo(problem)))
}

/// A method outside the list.
pub(crate) fn method_not_found(method: &str) -> Failure {
    let method = echo(method);
    failure(
        METHOD_NOT_FOUND,
        format!("the method {method} does not exist/is not available"),
    )
}

/// What came is no JSON, or neither an object nor an array.
pub(crate) fn parse_error() -> Failure {
    failure(UNREADABLE, "parse error")
}

/// JSON, but no request; `data` says why.
pub(crate) fn invalid_request(problem: &str) -> Failure {
    Failure::owned(INVALID_REQUEST, "invalid request", Some(problem))
}

/// `[]`.
pub(crate) fn empty_batch() -> Failure {
    failure(INVALID_REQUEST, "empty batch")
}

/// More requests in one batch than are allowed.
pub(crate) fn batch_too_large(limit: u32) -> Failure {
    let data = json!({ "limit": limit });
    Failure::owned(INVALID_REQUEST, "batch too large", Some(data))
}

/// A request of more bytes than are allowed.
pub(crate) fn request_too_large(limit: u32) -> Failure {
    let data = json!({ "limitBytes": limit });
    Failure::owned(INVALID_REQUEST, "content length too large", Some(data))
}

/// Answers that nobody reads take all the memory that there is for them.
pub(crate) fn answers_unread(limit_kib: u32) -> Failure {
    limit_exceeded(
        format!(
            "{limit_kib} KiB of answers wait to be read; the call was done, but its answer is \
             dropped: read the others, then ask again"
        ),
        json!({ "limitKib": limit_kib }),
    )
}

/// The client calls more often than it may.
pub(crate) fn too_often(refusal: &TooOften) -> Failure {
    let data = refusal
        .retry_after_s
        .map(|seconds| json!({ "retryAfterS": seconds }));
    Failure::owned(LIMIT_EXCEEDED, refusal.sentence.clone(), data)
}

/// A subscription over HTTP.
pub(crate) fn notifications_not_supported() -> Failure {
    failure(METHOD_NOT_FOUND, "notifications not supported")
}

/// A subscription to something that there is not.
pub(crate) fn subscription_not_found(namespace: &str, name: &str) -> Failure {
    let name = echo(name);
    failure(
        METHOD_NOT_FOUND,
        format!("no {name:?} subscription in {namespace} namespace"),
    )
}

/// As many subscriptions as there may be, over all connections.
pub(crate) fn too_many_subscriptions() -> Failure {
    limit_exceeded(
        format!("this node has {SUBSCRIPTIONS_ALL_MAX} subscriptions already; retry later"),
        json!({ "limit": SUBSCRIPTIONS_ALL_MAX }),
    )
}

/// As many filters as there may be.
pub(crate) fn too_many_filters(of: &str, limit: usize) -> Failure {
    limit_exceeded(
        format!(
            "{of} has {limit} filters already; uninstall one, or retry later: those that are not \
             polled for {FILTER_IDLE_S_MAX} s go"
        ),
        json!({ "limit": limit, "idleSeconds": FILTER_IDLE_S_MAX }),
    )
}

/// More than one answer may have.
pub(crate) fn response_too_large(limit: u32) -> Failure {
    Failure::owned(
        NOT_PERMITTED,
        format!("response too large: an answer has at most {limit} bytes; ask for less"),
        Some(json!({ "limitBytes": limit })),
    )
}

/// A filter that never was, was uninstalled, or was not polled for too long.
pub(crate) fn filter_not_found() -> Failure {
    refused("filter not found")
}

/// A limit of this server; `data` says which and how large.
pub(crate) fn limit_exceeded(message: impl Into<String>, data: impl Serialize) -> Failure {
    Failure::owned(LIMIT_EXCEEDED, message, Some(data))
}

/// Invalid parameters because of a limit of this server.
pub(crate) fn out_of_range(message: impl Into<String>, data: impl Serialize) -> Failure {
    Failure::owned(INVALID_PARAMS, message, Some(data))
}

/// The call took longer than a limit of this server.
pub(crate) fn timed_out(message: impl Into<String>, data: impl Serialize) -> Failure {
    Failure::owned(TIMED_OUT, message, Some(data))
}

/// A transaction was taken, and is not final in time (EIP-7966).
pub(crate) fn not_in_time(message: impl Into<String>, hash: B256) -> Failure {
    Failure::owned(NOT_IN_TIME, message, Some(hash))
}

/// The answer would be larger than a limit of this server.
pub(crate) fn too_large(message: impl Into<String>, data: impl Serialize) -> Failure {
    Failure::owned(NOT_PERMITTED, message, Some(data))
}

/// This node's own fault: the log gets the cause, the client a public sentence.
pub(crate) fn internal(cause: &dyn std::fmt::Display) -> Failure {
    tracing::error!(%cause, "JSON-RPC call failed inside the node");
    failure(
        INTERNAL,
        "internal error; the node's log says what happened",
    )
}

/// A height as Ethereum writes quantities.
pub(crate) fn quantity(height: Height) -> U64 {
    U64::from(height.0)
}

/// At most [`ECHO_CHARS_MAX`] characters of what a client sent.
fn echo(text: &str) -> &str {
    let end = text.char_indices().nth(ECHO_CHARS_MAX);
    end.map_or(text, |(end, _)| &text[..end])
}

impl From<BackendError> for Failure {
    fn from(error: BackendError) -> Self {
        match error {
            BackendError::StateUnavailable { height, oldest }
            | BackendError::BlockUnavailable { height, oldest } => Self::owned(
                STATE_PRUNED,
                "pruned history unavailable",
                Some(json!({ "height": quantity(height), "oldest": quantity(oldest) })),
            ),
            BackendError::Limit(sentence) => failure(LIMIT_EXCEEDED, sentence),
            BackendError::Refused(sentence) => refused(sentence),
            BackendError::Internal(cause) => internal(&cause),
        }
    }
}

impl From<SubmitError> for Failure {
    fn from(error: SubmitError) -> Self {
        match error {
            SubmitError::Refused(message) | SubmitError::Early(message) => refused(message),
            SubmitError::Denied { message, reason } => {
                Self::owned(NOT_PERMITTED, message, Some(json!({ "reason": reason })))
            }
            SubmitError::Internal(cause) => internal(&cause),
        }
    }
}

/// Why there is no simulation, in the codes of execution-apis.
pub(crate) fn simulation_refused(refused: &SimulationRefused) -> Failure {
    let code = match refused.fault {
        SimulationFault::NonceTooLow => -38010,
        SimulationFault::NonceTooHigh => -38011,
        SimulationFault::BidTooLow => -38012,
        SimulationFault::IntrinsicGas => -38013,
        SimulationFault::Funds => -38014,
        SimulationFault::BlockGas => -38015,
        SimulationFault::Numbers => -38020,
        SimulationFault::Times => -38021,
        SimulationFault::InitCode => -38025,
        SimulationFault::Limit => -38026,
        SimulationFault::Overrides => REFUSED,
        SimulationFault::Invalid => INTERNAL,
    };
    failure(code, refused.reason.clone())
}

/// Return data, or how the call failed.
pub(crate) fn returned(outcome: CallOutcome) -> Result<Bytes, Failure> {
    match outcome {
        CallOutcome::Returned { output, .. } => Ok(output),
        CallOutcome::Reverted { output, .. } => {
            let message = match revert_reason(&output) {
                Some(reason) => format!("execution reverted: {reason}"),
                None => "execution reverted".into(),
            };
            Err(Failure::owned(REVERTED, message, Some(output)))
        }
        CallOutcome::Halted { reason, .. } | CallOutcome::Refused { reason } => {
            Err(refused(reason))
        }
    }
}

/// The text of `Error(string)`, or go-ethereum's name for a `Panic(uint256)`.
fn revert_reason(output: &[u8]) -> Option<String> {
    if let Ok(revert) = Revert::abi_decode(output) {
        return Some(revert.reason);
    }
    let code = Panic::abi_decode(output).ok()?.code;
    let name = match u64::try_from(code).ok() {
        Some(0x00) => "generic panic",
        Some(0x01) => "assert(false)",
        Some(0x11) => "arithmetic underflow or overflow",
        Some(0x12) => "division or modulo by zero",
        Some(0x21) => "enum overflow",
        Some(0x22) => "invalid encoded storage byte array accessed",
        Some(0x31) => "out-of-bounds array access; popping on an empty array",
        Some(0x32) => "out-of-bounds access of an array or bytesN",
        Some(0x41) => "out of memory",
        Some(0x51) => "uninitialized function",
        Some(_) | None => return Some(format!("unknown panic code: {code:#x}")),
    };
    Some(name.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::U256;

    fn reverted(output: Vec<u8>) -> Failure {
        let output = output.into();
        returned(CallOutcome::Reverted {
            output,
            gas_used: 1,
        })
        .unwrap_err()
    }

    #[test]
    fn names_the_reason_of_a_revert() {
        let check = |output: Vec<u8>, message: &str| {
            let data = format!("\"{}\"", Bytes::from(output.clone()));
            let failure = reverted(output);
            assert_eq!((failure.code(), failure.message()), (3, message));
            assert_eq!(failure.data().unwrap().get(), data);
        };
        let panic = |code: u64| {
            Panic {
                code: U256::from(code),
            }
            .abi_encode()
        };
        check(vec![], "execution reverted");
        check(vec![1, 2, 3, 4], "execution reverted");
        let error = Revert {
            reason: "user error".into(),
        };
        check(error.abi_encode(), "execution reverted: user error");
        check(
            panic(0x11),
            "execution reverted: arithmetic underflow or overflow",
        );
        check(panic(0x99), "execution reverted: unknown panic code: 0x99");
        // A selector without its argument is data like any other.
        check(panic(1)[..4].to_vec(), "execution reverted");
    }

    #[test]
    fn repeats_only_the_start_of_a_long_input() {
        let long = "公".repeat(10_000);
        assert!(method_not_found(&long).message().chars().count() < 300);
        assert!(invalid_argument(0, &long).message().chars().count() < 300);
    }

    #[test]
    fn keeps_internal_causes_from_clients() {
        let failure = Failure::from(BackendError::Internal("/var/lib/secret".into()));
        assert_eq!(failure.code(), -32603);
        assert!(!failure.message().contains("secret"));
    }
}
