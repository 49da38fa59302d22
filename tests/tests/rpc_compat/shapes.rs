//! Shapes of results, for conversations that are compared by them alone: a small language for
//! what execution-apis says of a method's result in OpenRPC.

use anyhow::{bail, ensure};
use serde_json::{Map, Value, json};

/// The shape of a method's result. A string names a kind of value; an array has one shape for all
/// its elements; the fields of an object must be there unless their name ends with `?`, and no
/// others may; a field `*` stands for any name.
fn shape(method: &str) -> Option<Value> {
    let range = json!({
        "disabled": "boolean", "oldestBlock": "quantity", "deleteStrategy?": {
            "type": "text", "retentionBlocks?": "quantity",
        },
    });
    let pooled = json!({ "*": { "*": {
        "blockHash": "any", "blockNumber": "any", "blockTimestamp?": "any", "from": "address",
        "gas": "quantity", "hash": "hash", "input": "bytes", "nonce": "quantity",
        "to": "any", "transactionIndex": "any", "value": "quantity", "type": "quantity",
        "chainId?": "quantity", "v": "quantity", "r": "quantity", "s": "quantity",
        "gasPrice?": "quantity", "maxFeePerGas?": "quantity", "maxPriorityFeePerGas?": "quantity",
        "accessList?": "any", "yParity?": "quantity", "authorizationList?": "any",
        "maxFeePerBlobGas?": "quantity", "blobVersionedHashes?": ["hash"],
    } } });
    let of_one = json!({ "*": pooled["*"]["*"] });
    let frame = json!({
        "gas": "number", "failed": "boolean", "returnValue": "bytes", "structLogs": [{
            "pc": "number", "op": "text", "gas": "number", "gasCost": "number", "depth": "number",
            "error?": "any", "stack?": ["text"], "memory?": ["text"], "storage?": { "*": "text" },
            "returnData?": "bytes", "refund?": "number",
        }],
    });
    Some(match method {
        "eth_capabilities" => json!({
            "head": { "number": "quantity", "hash": "hash" },
            "state": range, "tx": range, "logs": range, "receipts": range, "blocks": range,
            "stateproofs": range,
        }),
        "eth_createAccessList" => json!({
            "accessList": [{ "address": "address", "storageKeys": ["hash"] }],
            "error?": "text", "gasUsed": "quantity",
        }),
        "eth_estimateGas" => json!("quantity"),
        "eth_feeHistory" => json!({
            "oldestBlock": "quantity", "baseFeePerGas": ["quantity"], "gasUsedRatio": ["number"],
            "reward?": [["quantity"]], "baseFeePerBlobGas?": ["quantity"],
            "blobGasUsedRatio?": ["number"],
        }),
        "txpool_status" => json!({ "pending": "quantity", "queued": "quantity" }),
        "txpool_content" => json!({ "pending": pooled, "queued": pooled }),
        "txpool_contentFrom" => json!({ "pending": of_one, "queued": of_one }),
        "debug_traceTransaction" => frame,
        "debug_traceBlockByHash" | "debug_traceBlockByNumber" => {
            json!([{ "txHash": "hash", "result": frame }])
        }
        _ => return None,
    })
}

/// An answer must have the result's shape, or be the error that is expected.
pub(crate) fn check(method: &str, answer: &Value, expected: &Value) -> anyhow::Result<()> {
    let Some(result) = answer.get("result") else {
        let code = &answer["error"]["code"];
        let theirs = &expected["error"]["code"];
        ensure!(code == theirs, "error {} not {theirs}", answer["error"]);
        return Ok(());
    };
    match shape(method) {
        Some(shape) => fits(result, &shape, "result"),
        None => bail!("no shape is known for {method}"),
    }
}

fn fits(value: &Value, shape: &Value, path: &str) -> anyhow::Result<()> {
    match (shape, value) {
        (Value::String(kind), _) => {
            ensure!(is(kind, value), "{path}: {value} is not of kind {kind}");
            Ok(())
        }
        (Value::Array(shapes), Value::Array(values)) => {
            let mut values = values.iter().enumerate();
            values.try_for_each(|(index, it)| fits(it, &shapes[0], &format!("{path}[{index}]")))
        }
        (Value::Object(shapes), Value::Object(fields)) => fields_fit(fields, shapes, path),
        _ => bail!("{path}: {value} is no {shape}"),
    }
}

fn fields_fit(
    fields: &Map<String, Value>,
    shapes: &Map<String, Value>,
    path: &str,
) -> anyhow::Result<()> {
    for (name, value) in fields {
        let optional = format!("{name}?");
        let shape = shapes.get(name).or_else(|| shapes.get(&optional));
        match shape.or_else(|| shapes.get("*")) {
            Some(shape) => fits(value, shape, &format!("{path}.{name}"))?,
            None => bail!("{path}.{name} is not known"),
        }
    }
    let mut needed = shapes
        .keys()
        .filter(|name| !name.ends_with('?') && *name != "*");
    match needed.find(|name| !fields.contains_key(*name)) {
        Some(missing) => bail!("{path}.{missing} is missing"),
        None => Ok(()),
    }
}

fn is(kind: &str, value: &Value) -> bool {
    let hex = |digits: Option<usize>| {
        let text = value.as_str().and_then(|text| text.strip_prefix("0x"));
        text.is_some_and(|text| {
            let length = digits.is_none_or(|digits| digits == text.len());
            length && text.bytes().all(|byte| byte.is_ascii_hexdigit())
        })
    };
    match kind {
        "any" => true,
        "boolean" => value.is_boolean(),
        "number" => value.is_number(),
        "text" => value.is_string(),
        "hash" => hex(Some(64)),
        "address" => hex(Some(40)),
        "bytes" => hex(None) && value.as_str().is_some_and(|text| text.len() % 2 == 0),
        "quantity" => {
            let text = value.as_str().unwrap_or_default();
            hex(None) && text.len() > 2 && (text == "0x0" || !text.starts_with("0x0"))
        }
        _ => unreachable!("{kind} is none of the kinds above"),
    }
}

#[test]
fn a_shape_fits_what_it_says_and_nothing_else() {
    let shape = json!({ "a": "quantity", "b?": ["hash"] });
    let check = |value: Value, problem: Option<&str>| {
        let found = fits(&value, &shape, "it").err().map(|it| it.to_string());
        match (&found, problem) {
            (None, None) => {}
            (Some(found), Some(words)) => assert!(found.contains(words), "{found}"),
            _ => panic!("{value}: {found:?}"),
        }
    };
    let hash = format!("0x{}", "0a".repeat(32));
    check(json!({ "a": "0x0" }), None);
    check(json!({ "a": "0x10", "b": [hash] }), None);
    check(json!({ "a": "0x00" }), Some("it.a"));
    check(json!({ "a": "0x" }), Some("it.a"));
    check(json!({ "a": 1 }), Some("it.a"));
    check(json!({}), Some("it.a is missing"));
    check(json!({ "a": "0x1", "b": ["0x1"] }), Some("it.b[0]"));
    check(json!({ "a": "0x1", "c": 1 }), Some("it.c is not known"));
    check(json!([]), Some("is no"));
}
