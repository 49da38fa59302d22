//! Records of version 1, which knew one kind of target: what they say in today's form. Their
//! bytes, and so their hashes, stay what they were.

use serde_json::{Map, Value, json};
use tbsi_types::canonical_json;

use super::{Record, RecordError};

/// How a record of that version ends, in canonical form.
const END: &str = "\"version\":1}";

/// Whether bytes are of that version.
pub(super) fn is_old(text: &str) -> bool {
    text.ends_with(END)
}

/// Steps of the sender of that time.
const STEPS: [&str; 4] = ["nonceReserved", "signed", "broadcast", "replaced"];

/// Holds that were the sender's.
const HOLDS: [&str; 2] = ["feeCap", "balance"];

fn bad(problem: &str) -> RecordError {
    RecordError::Old(problem.into())
}

/// Reads a record of version 1.
pub(super) fn parse(text: &str) -> Result<Record, RecordError> {
    let mut value: Value = serde_json::from_str(text)?;
    if canonical_json(&value) != text {
        return Err(RecordError::NotCanonical);
    }
    parties(object(&mut value["parties"], "parties")?)?;
    event(&mut value["event"])?;
    Ok(serde_json::from_value(value)?)
}

fn object<'a>(value: &'a mut Value, name: &str) -> Result<&'a mut Map<String, Value>, RecordError> {
    let problem = format!("`{name}` is no object");
    value.as_object_mut().ok_or(RecordError::Old(problem))
}

fn take(from: &mut Map<String, Value>, name: &str) -> Result<Value, RecordError> {
    let problem = || RecordError::Old(format!("`{name}` is missing"));
    from.remove(name).ok_or_else(problem)
}

fn parties(parties: &mut Map<String, Value>) -> Result<(), RecordError> {
    let chain = take(parties, "targetChainId")?;
    let chain = chain.as_u64().ok_or_else(|| bad("no chain id"))?;
    let client = take(parties, "lightClient")?;
    let account = parties.get("account").cloned().unwrap_or_default();
    let target =
        json!({ "chain": format!("eip155:{chain}"), "client": client, "account": account });
    parties.insert("target".into(), target);
    Ok(())
}

fn event(value: &mut Value) -> Result<(), RecordError> {
    let event = object(value, "event")?;
    let state = event.get("state").and_then(Value::as_str);
    let state = state.ok_or_else(|| bad("no state"))?.to_owned();
    match state.as_str() {
        "planned" => {
            take(event, "to")?;
            take(event, "gas")?;
        }
        "included" | "final" => inclusion(event)?,
        "held" | "resumed" => {
            let reason = event.get("reason").and_then(Value::as_str);
            if let Some(reason) = reason.filter(|reason| HOLDS.contains(reason)) {
                let reason = json!({ "target": reason });
                event.insert("reason".into(), reason);
            }
        }
        name if STEPS.contains(&name) => {
            event.remove("state");
            let plan = take(event, "plan")?;
            let body = std::mem::take(event);
            *value = json!({
                "state": "step", "plan": plan, "step": { "name": name, "body": body },
            });
        }
        _ => {}
    }
    Ok(())
}

fn inclusion(event: &mut Map<String, Value>) -> Result<(), RecordError> {
    let inclusion = event
        .get_mut("inclusion")
        .ok_or_else(|| bad("no inclusion"))?;
    let inclusion = object(inclusion, "inclusion")?;
    let gas = take(inclusion, "gasUsed")?;
    let gas = gas.as_u64().ok_or_else(|| bad("`gasUsed` is no number"))?;
    let price = take(inclusion, "gasPrice")?;
    let cost = json!({ "gasUsed": gas.to_string(), "gasPrice": price });
    inclusion.insert("cost".into(), cost);
    Ok(())
}
