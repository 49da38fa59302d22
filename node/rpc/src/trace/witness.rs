//! `debug_executionWitness`.

use alloy_primitives::Bytes;
use serde::Serialize;
use tbsi_types::Height;

use super::{Bounds, not_genesis};
use crate::api::{Api, Reply};
use crate::arguments::Arguments;
use crate::error::{header_not_found, internal};

/// Answer of `debug_executionWitness`, as reth has it.
#[derive(Serialize)]
struct Witness {
    state: Vec<Bytes>,
    codes: Vec<Bytes>,
    keys: Vec<Bytes>,
    /// RLP, the parent's last.
    headers: Vec<Bytes>,
}

/// `debug_executionWitness(block)`: what executing a block reads.
pub(crate) fn execution(api: &Api, arguments: &Arguments<'_>) -> Reply {
    let height = api.height_of_id(arguments.required(0)?)?;
    let height = not_genesis(height.ok_or_else(header_not_found)?)?;
    let bounds = Bounds::most(api);
    let witness = api.backend.execution_witness(height, bounds.allowance);
    let witness = witness.map_err(|error| bounds.failure(api, error))?;
    let mut headers = Vec::new();
    for number in witness.lowest_header.0..height.0 {
        let header = api.backend.header(Height(number))?;
        let header = header.ok_or_else(|| internal(&format!("block {number} has no header")))?;
        headers.push(alloy_rlp::encode(header).into());
    }
    let answer = Witness {
        state: witness.state,
        codes: witness.codes,
        keys: witness.keys,
        headers,
    };
    bounds.reply(api, answer)
}
