//! What contracts and nodes mean by their refusals.

use super::abi::{self, Refusal};
use crate::record::Hold;
use crate::target::{Sent, Verdict};

/// What a contract's refusal means.
pub(super) fn refusal(data: &[u8], said: &str) -> Verdict {
    let Some((code, detail, refusal)) = abi::explain(data) else {
        let known = data.get(..4).map(alloy_primitives::hex::encode_prefixed);
        return Verdict::Refused {
            code: known.unwrap_or_else(|| "revert".into()),
            detail: said.into(),
            hold: None,
        };
    };
    let hold = if let Refusal::LightClientPaused(_) = refusal {
        Some(Hold::Paused)
    } else if let Refusal::LightClientFrozen(_) = refusal {
        Some(Hold::Frozen)
    } else if let Refusal::LightClientExpired(_) = refusal {
        Some(Hold::TrustExpired)
    } else {
        None
    };
    Verdict::Refused { code, detail, hold }
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
