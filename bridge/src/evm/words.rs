//! What contracts and nodes mean by their refusals.

use super::abi;
use super::{Estimate, Sent};
use crate::limits::REFUSAL_BYTES_MAX;
use crate::record::Hold;

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

/// What words hint at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hint {
    Known,
    NonceTaken,
    Underpriced,
    Busy,
    Balance,
    TooLarge,
    Refused,
}

/// Words of go-ethereum, GoQuorum, Besu, Nethermind, Erigon, Reth, anvil and of those who run nodes
/// for others, in lower case. The first that occur decide.
const HINTS: [(&str, Hint); 47] = [
    ("unknown transaction", Hint::Refused),
    ("already known", Hint::Known),
    ("alreadyknown", Hint::Known),
    ("already imported", Hint::Known),
    ("already exists", Hint::Known),
    ("known transaction", Hint::Known),
    ("same hash", Hint::Known),
    ("nonce too low", Hint::NonceTaken),
    ("nonce_too_low", Hint::NonceTaken),
    ("nonce is too low", Hint::NonceTaken),
    ("oldnonce", Hint::NonceTaken),
    ("underpriced", Hint::Underpriced),
    ("fee too low", Hint::Underpriced),
    ("feetoolow", Hint::Underpriced),
    ("replacementnotallowed", Hint::Underpriced),
    ("not replaced", Hint::Underpriced),
    ("could not replace", Hint::Underpriced),
    ("gas price not high enough", Hint::Underpriced),
    ("below configured minimum gas price", Hint::Underpriced),
    ("less than block base fee", Hint::Underpriced),
    ("insufficient funds", Hint::Balance),
    ("insufficientfunds", Hint::Balance),
    ("insufficient balance", Hint::Balance),
    ("upfront cost", Hint::Balance),
    ("oversized data", Hint::TooLarge),
    ("rlp too l", Hint::TooLarge),
    ("maxtxsizeexceeded", Hint::TooLarge),
    ("request entity too large", Hint::TooLarge),
    ("block gas limit", Hint::TooLarge),
    ("gas limit too high", Hint::TooLarge),
    ("gas limit is too", Hint::TooLarge),
    ("gaslimitexceeded", Hint::TooLarge),
    ("intrinsic gas too high", Hint::TooLarge),
    ("exceeds allowance", Hint::TooLarge),
    ("pool is full", Hint::Busy),
    ("pool overflow", Hint::Busy),
    ("limit exceeded", Hint::Busy),
    ("limit reached", Hint::Busy),
    ("rate limit", Hint::Busy),
    ("rate exceeded", Hint::Busy),
    ("too many requests", Hint::Busy),
    ("capacity", Hint::Busy),
    ("internal error", Hint::Busy),
    ("timed out", Hint::Busy),
    ("timeout", Hint::Busy),
    ("deadline exceeded", Hint::Busy),
    ("temporarily unavailable", Hint::Busy),
];

fn hint(said: &str) -> Hint {
    let said = said.to_ascii_lowercase();
    let found = HINTS.iter().find(|(words, _)| said.contains(words));
    found.map_or(Hint::Refused, |(_, hint)| *hint)
}

/// What a node may mean by refusing a transaction.
pub(super) fn classify(said: &str) -> Sent {
    match hint(said) {
        Hint::Known => Sent::Known,
        Hint::NonceTaken => Sent::NonceTaken,
        Hint::Underpriced => Sent::Underpriced,
        Hint::Busy => Sent::Busy(said.into()),
        Hint::Balance => Sent::Balance,
        Hint::TooLarge => Sent::TooLarge(said.into()),
        Hint::Refused => Sent::Refused(said.into()),
    }
}

/// Whether a node may mean that no transaction can do as much as was to be estimated.
pub(super) fn is_too_large(said: &str) -> bool {
    hint(said) == Hint::TooLarge || said.to_ascii_lowercase().contains("out of gas")
}

/// The one of several hints that leads furthest: whoever has a transaction matters more than
/// whoever does not take it.
pub(super) fn rank(sent: &Sent) -> u8 {
    match sent {
        Sent::Taken => 0,
        Sent::Known => 1,
        Sent::NonceTaken => 2,
        Sent::Underpriced => 3,
        Sent::Busy(_) => 4,
        Sent::Balance => 5,
        Sent::TooLarge(_) => 6,
        Sent::Refused(_) => 7,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each as a program says it, by name, so that a new version's words are easy to compare.
    const SAID: [(&str, &str, Hint); 41] = [
        ("go-ethereum", "already known", Hint::Known),
        (
            "go-ethereum",
            "nonce too low: next nonce 6, tx nonce 5",
            Hint::NonceTaken,
        ),
        (
            "go-ethereum",
            "replacement transaction underpriced",
            Hint::Underpriced,
        ),
        (
            "go-ethereum",
            "transaction underpriced: gas tip cap 0, minimum needed 1",
            Hint::Underpriced,
        ),
        (
            "go-ethereum",
            "max fee per gas less than block base fee: address 0x1",
            Hint::Underpriced,
        ),
        (
            "go-ethereum",
            "insufficient funds for gas * price + value: balance 0",
            Hint::Balance,
        ),
        (
            "go-ethereum",
            "oversized data: transaction size 131129, limit 131072",
            Hint::TooLarge,
        ),
        ("go-ethereum", "exceeds block gas limit", Hint::TooLarge),
        (
            "go-ethereum",
            "transaction gas limit too high (cap: 16777216, tx: 2)",
            Hint::TooLarge,
        ),
        (
            "go-ethereum",
            "gas required exceeds allowance (4700000)",
            Hint::TooLarge,
        ),
        ("go-ethereum", "txpool is full", Hint::Busy),
        ("go-ethereum", "account limit exceeded", Hint::Busy),
        ("go-ethereum", "invalid sender", Hint::Refused),
        (
            "go-ethereum",
            "intrinsic gas too low: have 1, want 21000",
            Hint::Refused,
        ),
        ("go-ethereum", "unknown transaction type", Hint::Refused),
        ("GoQuorum", "oversized data", Hint::TooLarge),
        ("GoQuorum", "Gas price not 0", Hint::Refused),
        ("GoQuorum", "transaction type not supported", Hint::Refused),
        ("Besu", "Known transaction", Hint::Known),
        ("Besu", "Nonce too low", Hint::NonceTaken),
        (
            "Besu",
            "Replacement transaction underpriced",
            Hint::Underpriced,
        ),
        (
            "Besu",
            "Gas price below configured minimum gas price",
            Hint::Underpriced,
        ),
        (
            "Besu",
            "Upfront cost exceeds account balance",
            Hint::Balance,
        ),
        (
            "Besu",
            "Transaction gas limit exceeds block gas limit",
            Hint::TooLarge,
        ),
        ("Besu", "Internal error", Hint::Busy),
        (
            "Besu",
            "Sender account not authorized to send transactions",
            Hint::Refused,
        ),
        ("Nethermind", "AlreadyKnown", Hint::Known),
        (
            "Nethermind",
            "OldNonce, Current nonce: 5, nonce of rejected tx: 4.",
            Hint::NonceTaken,
        ),
        (
            "Nethermind",
            "FeeTooLow, EffectivePriorityFeePerGas too low",
            Hint::Underpriced,
        ),
        ("Nethermind", "ReplacementNotAllowed", Hint::Underpriced),
        (
            "Nethermind",
            "InsufficientFunds, Account balance: 0",
            Hint::Balance,
        ),
        (
            "Nethermind",
            "MaxTxSizeExceeded, Transaction size is 131129",
            Hint::TooLarge,
        ),
        ("Nethermind", "GasLimitExceeded", Hint::TooLarge),
        ("Erigon", "existing tx with same hash", Hint::Known),
        ("Erigon", "could not replace existing tx", Hint::Underpriced),
        ("Erigon", "rlp too long", Hint::TooLarge),
        ("Reth", "transaction gas limit too high", Hint::TooLarge),
        ("anvil", "transaction already imported", Hint::Known),
        (
            "anvil",
            "Insufficient funds for gas * price + value",
            Hint::Balance,
        ),
        (
            "a provider",
            "daily request count exceeded, request rate limited",
            Hint::Busy,
        ),
        ("a provider", "context deadline exceeded", Hint::Busy),
    ];

    #[test]
    fn t49_what_nodes_say_of_a_transaction_is_understood() {
        for (program, said, expected) in SAID {
            assert_eq!(hint(said), expected, "{program}: {said}");
        }
    }

    #[test]
    fn each_hint_is_in_lower_case_and_none_hides_another() {
        for (position, (words, expected)) in HINTS.iter().enumerate() {
            assert_eq!(*words, words.to_ascii_lowercase());
            assert_eq!(hint(words), *expected, "{words} at {position}");
        }
    }
}
