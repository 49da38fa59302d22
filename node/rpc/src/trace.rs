//! `debug_*` and `trace_*`: what transactions did, by executing them again.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use alloy_rpc_types_trace::geth::GethTrace;
use serde::Serialize;
use serde_json::json;
use tbsi_types::{Block, Height};

use crate::api::{Api, Json, Reply};
use crate::backend::BackendError;
use crate::backend::hindsight::{Allowance, HindsightError};
use crate::error::{Failure, internal, invalid_params, refused, timed_out, too_large};
use crate::limits::{TRACE_MS, TRACE_MS_MAX};

pub(crate) mod accounts;
pub(crate) mod debug;
pub(crate) mod duration;
pub(crate) mod parity;
mod steps;
pub(crate) mod storage;
pub(crate) mod witness;

/// How long a request may take, and how much it may answer; counted from when it begins.
#[derive(Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) ms: u64,
    pub(crate) allowance: Allowance,
}

impl Bounds {
    /// With go-ethereum's `timeout`, such as `300ms` or `1m30s`, of at most [`TRACE_MS_MAX`].
    pub(crate) fn new(api: &Api, timeout: Option<&str>) -> Result<Self, Failure> {
        let ms = match timeout {
            Some(text) => duration::milliseconds(text)
                .ok_or_else(|| {
                    let shown: String = text.chars().take(40).collect();
                    invalid_params(format!(
                        "timeout: {shown:?} is no duration such as \"300ms\" or \"10s\""
                    ))
                })?
                .min(TRACE_MS_MAX),
            None => TRACE_MS,
        };
        Ok(Self::of(api, ms))
    }

    /// Of requests that cannot say how long they would wait.
    pub(crate) fn most(api: &Api) -> Self {
        Self::of(api, TRACE_MS_MAX)
    }

    fn of(api: &Api, ms: u64) -> Self {
        Self {
            ms,
            allowance: Allowance {
                bytes_max: api.limits.response_bytes_max as usize,
                until: Instant::now() + Duration::from_millis(ms),
            },
        }
    }

    /// What is left of them when so many bytes are used.
    pub(crate) fn without(mut self, bytes: usize) -> Self {
        let left = self.allowance.bytes_max.saturating_sub(bytes);
        self.allowance.bytes_max = left;
        self
    }

    pub(crate) fn failure(&self, api: &Api, error: HindsightError) -> Failure {
        match error {
            HindsightError::TooLarge => self.too_large(api),
            HindsightError::TooLong => timed_out(
                format!(
                    "execution timeout: the trace took more than {} ms; `timeout` may be up to \
                     {TRACE_MS_MAX} ms",
                    self.ms
                ),
                json!({ "limitMs": self.ms, "maxMs": TRACE_MS_MAX }),
            ),
            HindsightError::Refused(sentence) => refused(sentence),
            HindsightError::Backend(error) => error.into(),
        }
    }

    fn too_large(&self, api: &Api) -> Failure {
        let limit = api.limits.response_bytes_max;
        too_large(
            format!(
                "response too large: the trace is above {limit} bytes. Trace one transaction \
                 instead of a block; leave out what is not needed (disableStack, disableStorage); \
                 ask for the first instructions with `limit`, or for callTracer (onlyTopCall)"
            ),
            json!({ "limitBytes": limit }),
        )
    }

    /// One trace as the answer, if it is within the bounds.
    pub(crate) fn reply_trace(&self, api: &Api, trace: Option<&GethTrace>) -> Reply {
        match trace {
            Some(GethTrace::Default(frame)) => {
                let text = steps::json(frame, answer_bytes_max(api));
                text.ok_or_else(|| self.too_large(api))
            }
            other => self.reply(api, other),
        }
    }

    /// The answer, if it is within the bounds.
    pub(crate) fn reply(&self, api: &Api, answer: impl Serialize) -> Reply {
        let mut text = Bounded {
            bytes: Vec::new(),
            max: answer_bytes_max(api),
        };
        if let Err(error) = serde_json::to_writer(&mut text, &answer) {
            return Err(if error.is_io() {
                self.too_large(api)
            } else {
                internal(&error)
            });
        }
        let text = String::from_utf8(text.bytes).map_err(|error| internal(&error))?;
        Ok(Json::of(text))
    }
}

/// Leaves room for what stands around an answer.
fn answer_bytes_max(api: &Api) -> usize {
    (api.limits.response_bytes_max as usize).saturating_sub(1_024)
}

/// Takes so many bytes and no more.
struct Bounded {
    bytes: Vec<u8>,
    max: usize,
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() > self.max {
            return Err(io::Error::other("too large"));
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Genesis has no transactions, and no state before it.
pub(crate) fn not_genesis(height: Height) -> Result<Height, Failure> {
    match height {
        Height::GENESIS => Err(refused("genesis is not traceable")),
        height => Ok(height),
    }
}

/// A block that is there.
pub(crate) fn stored(api: &Api, height: Height) -> Result<Block, Failure> {
    let block = api.backend.block(height)?;
    let missing = || BackendError::Internal(format!("block {height} is not stored"));
    Ok(block.ok_or_else(missing)?)
}
