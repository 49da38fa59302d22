//! Calls that want to take the node's time or memory: each gets the documented error, and the
//! server goes on.

use serde_json::{Value, json};
use tbsi_rpc::limits::{OVERRIDES_MAX, SIMULATED_CALLS_MAX};
use tbsi_tests::bench::http::Connection;

const CONTRACT: &str = "0xc0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0";

/// JUMPDEST, PUSH0, JUMP.
const LOOPS: &str = "0x5b5f56";
/// Calls itself with all gas, again and again.
const RECURSES: &str = "0x5b5f5f5f5f5f305af1505f56";
/// Returns 4 GiB.
const RETURNS_ALL: &str = "0x63ffffffff5ff3";

fn coded(code: &str) -> Value {
    json!({ CONTRACT: { "code": code } })
}

async fn ask(connection: &mut Connection, method: &str, params: Value) -> Value {
    let request = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
    let answer = connection.post(request.to_string().into()).await;
    let answer = answer.unwrap_or_else(|error| panic!("{method}: {error:#}"));
    serde_json::from_slice(&answer).expect("JSON")
}

/// The error of a call, after which the server answers another one.
async fn error(connection: &mut Connection, method: &str, params: Value) -> (i64, String) {
    let answer = ask(connection, method, params).await;
    let error = &answer["error"];
    let code = error["code"].as_i64();
    let code = code.unwrap_or_else(|| panic!("{method} is answered: {answer}"));
    let version = ask(connection, "net_version", json!([])).await;
    assert!(version["result"].is_string(), "{version}");
    (
        code,
        error["message"].as_str().unwrap_or_default().to_owned(),
    )
}

/// Asks for all of it.
pub(crate) async fn check(connection: &mut Connection) {
    let call = json!({ "to": CONTRACT });
    for code in [LOOPS, RECURSES, RETURNS_ALL] {
        let params = json!([call, "latest", coded(code)]);
        let (found, message) = error(connection, "eth_call", params.clone()).await;
        assert_eq!((found, message.as_str()), (-32000, "out of gas"), "{code}");
        let (found, message) = error(connection, "eth_estimateGas", params.clone()).await;
        assert_eq!(found, -32000);
        assert_eq!(message, "gas required exceeds allowance (16777216)");
        let listed = ask(connection, "eth_createAccessList", params).await;
        assert_eq!(listed["result"]["error"], "out of gas", "{listed}");
        let blocks = json!([{ "stateOverrides": coded(code), "calls": [call] }]);
        let options = json!([{ "blockStateCalls": blocks }]);
        let simulated = ask(connection, "eth_simulateV1", options).await;
        let ended = &simulated["result"][0]["calls"][0]["error"];
        assert_eq!(ended["code"], -32015, "{simulated}");
    }
    let blocks = vec![json!({}); 257];
    let options = json!([{ "blockStateCalls": blocks }]);
    let (code, message) = error(connection, "eth_simulateV1", options).await;
    assert_eq!(
        (code, message.contains("256 at most")),
        (-38026, true),
        "{message}"
    );
    let calls = vec![call.clone(); SIMULATED_CALLS_MAX + 1];
    let options = json!([{ "blockStateCalls": [{ "calls": calls }] }]);
    let (code, message) = error(connection, "eth_simulateV1", options).await;
    assert_eq!(
        (code, message.contains("too many calls")),
        (-38026, true),
        "{message}"
    );
    let slots: serde_json::Map<String, Value> = (0..OVERRIDES_MAX)
        .map(|slot| (format!("0x{slot:064x}"), json!(format!("0x{slot:064x}"))))
        .collect();
    let overrides = json!({ CONTRACT: { "stateDiff": slots } });
    let params = json!([call, "latest", overrides]);
    let (code, message) = error(connection, "eth_call", params).await;
    assert_eq!(
        (code, message.contains("too many overrides")),
        (-32602, true),
        "{message}"
    );
}
