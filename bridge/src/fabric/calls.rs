//! Which call of the chaincode a load is, and what it may write (SPEC §17.2, §17.3).

use serde_json::Value;

use super::arguments;
use super::proposal::ChaincodeCall;
use crate::record::Hold;
use crate::target::Advance;

/// A call that the chaincode would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FabricDraft {
    /// Function and argument.
    pub call: ChaincodeCall,
}

/// What the keys begin with that a call may write.
pub(super) fn keys(call: &ChaincodeCall) -> Vec<String> {
    let [function, argument] = &call.args[..] else {
        return Vec::new();
    };
    match function.as_slice() {
        b"UpdateClient" => ["tbsi/head", "tbsi/checkpoint/", "tbsi/set/"]
            .map(String::from)
            .to_vec(),
        b"SubmitMisbehaviour" => vec!["tbsi/frozen".into()],
        b"Anchor" => {
            let argument = serde_json::from_slice::<Value>(argument).unwrap_or_default();
            let index = argument["index"].as_u64();
            index.map(leaf_key).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

fn leaf_key(index: u64) -> String {
    format!("tbsi/leaf/{index:015}")
}

/// Why the client does not take something now, if it may later.
pub(super) fn passing(code: &str) -> Option<Hold> {
    match code {
        "LightClientPaused" => Some(Hold::Paused),
        "LightClientFrozen" => Some(Hold::Frozen),
        "LightClientExpired" => Some(Hold::TrustExpired),
        _ => None,
    }
}

/// Function and argument for an advance: handovers and a checkpoint, or one leaf.
pub(super) fn of_advance(advance: &Advance) -> Result<(&'static str, String), &'static str> {
    let moves = advance.checkpoint.is_some() || !advance.handovers.is_empty();
    match &advance.leaves {
        None => Ok(("UpdateClient", arguments::update(advance))),
        Some(_) if moves => Err("a leaf goes into a transaction of its own"),
        Some((proven, under)) => {
            let argument = arguments::anchor(proven, under);
            Ok((
                "Anchor",
                argument.ok_or("one leaf goes into one transaction")?,
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_writes_its_own_keys_alone() {
        let keys = |args: &[&str]| keys(&ChaincodeCall::new("tbsi", args));
        assert_eq!(
            keys(&["Anchor", r#"{"index":12}"#]),
            ["tbsi/leaf/000000000000012"]
        );
        assert_eq!(keys(&["UpdateClient", "{}"]).len(), 3);
        assert_eq!(keys(&["SubmitMisbehaviour", "{}"]), ["tbsi/frozen"]);
        for none in [
            &["Anchor", "{}"][..],
            &["GetStatus", "{}"],
            &["UpdateClient"],
        ] {
            assert!(keys(none).is_empty(), "{none:?}");
        }
    }
}
