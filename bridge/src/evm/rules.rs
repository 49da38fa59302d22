//! Which of Ethereum's rules a chain has, by the instructions that it knows, and which some code
//! needs. Asked with calls that change nothing; contracts/evm/tools/opcodes.mjs has the same table.

use std::fmt;

use alloy_primitives::{Bytes, hex};
use serde_json::{Value, json};
use tbsi_rpc::{Client, ClientError};

use super::deploy::artifacts;

/// Rules that can be told apart by an instruction, the oldest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rules {
    /// Before Istanbul.
    Older,
    /// Istanbul or Berlin.
    Istanbul,
    /// London or Paris.
    London,
    /// Shanghai.
    Shanghai,
    /// Cancun or Prague.
    Cancun,
    /// Osaka or later.
    Osaka,
}

/// Instructions with the rules that they came with.
const SINCE: [(u8, Rules); 10] = [
    (0x46, Rules::Istanbul), // CHAINID
    (0x47, Rules::Istanbul), // SELFBALANCE
    (0x48, Rules::London),   // BASEFEE
    (0x5f, Rules::Shanghai), // PUSH0
    (0x49, Rules::Cancun),   // BLOBHASH
    (0x4a, Rules::Cancun),   // BLOBBASEFEE
    (0x5c, Rules::Cancun),   // TLOAD
    (0x5d, Rules::Cancun),   // TSTORE
    (0x5e, Rules::Cancun),   // MCOPY
    (0x1e, Rules::Osaka),    // CLZ
];

/// Creation code that succeeds where the rules have the instruction in it: CHAINID, BASEFEE, PUSH0,
/// MCOPY, CLZ.
const PROBES: [(Rules, &[u8]); 5] = [
    (Rules::Istanbul, &hex!("4600")),
    (Rules::London, &hex!("4800")),
    (Rules::Shanghai, &hex!("5f00")),
    (Rules::Cancun, &hex!("6000600060005e00")),
    (Rules::Osaka, &hex!("60011e00")),
];

/// Succeeds under all rules, and fails under all.
const CONTROLS: (&[u8], &[u8]) = (&hex!("00"), &hex!("0c"));

impl fmt::Display for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Older => "older than Istanbul",
            Self::Istanbul => "Istanbul or Berlin",
            Self::London => "London or Paris",
            Self::Shanghai => "Shanghai",
            Self::Cancun => "Cancun or Prague",
            Self::Osaka => "Osaka or later",
        })
    }
}

/// The oldest rules under which every instruction of some code exists. All bytes are read as code,
/// in the compiler's order: what a contract creates stands behind its own.
fn needed(code: &[u8]) -> Rules {
    let mut needed = Rules::Older;
    let mut at = 0;
    while let Some(instruction) = code.get(at) {
        let since = SINCE.iter().find(|(known, _)| known == instruction);
        needed = since.map_or(needed, |(_, rules)| needed.max(*rules));
        at += 1 + match instruction {
            0x60..=0x7f => usize::from(instruction - 0x5f),
            _ => 0,
        };
    }
    needed
}

/// The oldest rules under which what is deployed on other chains runs, whatever its arguments are.
pub fn needed_by_contracts() -> Rules {
    let needed = artifacts().into_iter().map(|code| needed(&code));
    needed.max().unwrap_or(Rules::Older)
}

/// Creation code and how the question for it is asked: nobody is called, and nothing is kept.
fn question(code: &[u8]) -> [Value; 2] {
    let data = Bytes::copy_from_slice(code);
    [json!({ "data": data }), json!("latest")]
}

/// Whether creation code runs; an endpoint that does not answer is an error.
async fn runs(client: &Client, code: &[u8]) -> Result<bool, ClientError> {
    match client.request::<Bytes>("eth_call", &question(code)).await {
        Ok(_) => Ok(true),
        Err(ClientError::Refused { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

/// The newest rules whose instruction an endpoint's chain runs; `None` if it does not tell, because
/// it runs everything or nothing without a recipient.
pub async fn rules_of(client: &Client) -> Result<Option<Rules>, ClientError> {
    let (always, never) = CONTROLS;
    if !runs(client, always).await? || runs(client, never).await? {
        return Ok(None);
    }
    let mut newest = Rules::Older;
    for (rules, code) in PROBES {
        if runs(client, code).await? {
            newest = newest.max(rules);
        }
    }
    Ok(Some(newest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instructions_tell_the_rules_and_constants_do_not() {
        for (code, expected) in [
            ("6000600055", Rules::Older),
            ("615f5e00", Rules::Older),
            ("46", Rules::Istanbul),
            ("4648", Rules::London),
            ("615f5f5f", Rules::Shanghai),
            ("5f5e", Rules::Cancun),
            ("1e5f", Rules::Osaka),
            ("61ff", Rules::Older),
            ("", Rules::Older),
        ] {
            assert_eq!(needed(&hex::decode(code).unwrap()), expected, "{code}");
        }
        for (rules, code) in PROBES {
            assert_eq!(needed(code), rules);
        }
    }

    /// What is deployed where others decide about the rules needs no newer ones than they have.
    #[test]
    fn what_is_deployed_on_other_chains_runs_on_older_ones() {
        for contract in artifacts() {
            assert!(needed(&contract) <= Rules::Istanbul);
        }
    }
}
