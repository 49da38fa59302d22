//! What contracts and nodes mean by their refusals.

use super::abi;
use crate::limits::REFUSAL_BYTES_MAX;
use crate::record::Hold;
use crate::target::{Estimate, Sent};

/// What a contract's refusal means. Data that is none of the two contracts' errors is another
/// contract's: for a message, its receiver's.
pub(super) fn refusal(data: &[u8], said: &str) -> Estimate {
    let Some((code, detail)) = abi::explain(data) else {
        let known = data.get(..4).map(alloy_primitives::hex::encode_prefixed);
        let shown = &data[..data.len().min(REFUSAL_BYTES_MAX)];
        let detail = if shown.is_empty() {
            said.into()
        } else {
            alloy_primitives::hex::encode_prefixed(shown)
        };
        return Estimate::Refused {
            code: known.unwrap_or_else(|| "revert".into()),
            detail,
            hold: None,
        };
    };
    let hold = match code.as_str() {
        "LightClientPaused" => Some(Hold::Paused),
        "LightClientFrozen" => Some(Hold::Frozen),
        "LightClientExpired" => Some(Hold::TrustExpired),
        "InboxPaused" => Some(Hold::MessagesPaused),
        _ => None,
    };
    Estimate::Refused { code, detail, hold }
}

/// What nodes mean: words of go-ethereum, Besu, Nethermind, Reth and anvil.
pub(super) fn classify(said: &str) -> Sent {
    let said = said.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| said.contains(word));
    if has(&[
        "already known",
        "already imported",
        "known transaction",
        "already exists",
    ]) {
        Sent::Taken
    } else if has(&["nonce too low", "nonce_too_low", "nonce is too low"]) {
        Sent::NonceTaken
    } else if has(&["underpriced", "fee too low", "gas price not high enough"]) {
        Sent::Underpriced
    } else if has(&["insufficient funds", "insufficient balance", "upfront cost"]) {
        Sent::Balance
    } else {
        Sent::Refused(said)
    }
}
