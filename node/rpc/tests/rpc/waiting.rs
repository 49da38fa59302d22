//! A transaction's receipt in one call, and the pool.

use serde_json::{Value, json};
use tbsi_rpc::RpcLimits;

use crate::http::Fixture;
use crate::transactions::{one_of_each_type, sender, transfer};

const METHOD: &str = "eth_sendRawTransactionSync";

#[tokio::test]
async fn a_receipt_comes_when_its_transaction_is_final() {
    let fixture = Fixture::new().await;
    let known = &one_of_each_type()[1];
    let expected = json!([known.hash()]);
    let expected = fixture.result("eth_getTransactionReceipt", expected).await;
    for timeout in [Value::Null, json!(1), json!("0x1")] {
        let params = json!([known.encoded(), timeout]);
        assert_eq!(fixture.result(METHOD, params).await, expected);
    }

    let late = transfer(7);
    let params = json!([late.encoded()]);
    let sent = fixture.result(METHOD, params);
    let included = async {
        // The chain of this test tells nobody of what waits: wait until the call has begun.
        while fixture.chain.listeners() == 0 {
            tokio::task::yield_now().await;
        }
        fixture.chain.append(vec![late.clone()], 0);
    };
    let (receipt, ()) = tokio::join!(sent, included);
    assert_eq!(receipt["transactionHash"], json!(late.hash()));
    assert_eq!(receipt["blockNumber"], "0x3");
}

#[tokio::test]
async fn who_waits_in_vain_is_told_why() {
    let fixture = Fixture::new().await;
    let pending = fixture.chain.pending();
    let (code, message, data) = fixture
        .error(METHOD, json!([pending.encoded(), "0x14"]))
        .await;
    assert_eq!((code, data), (4, json!(pending.hash())));
    assert!(
        message.starts_with("The transaction was added"),
        "{message}"
    );
    let dropped = fixture.chain.to_be_dropped();
    let (code, message, _) = fixture.error(METHOD, json!([dropped.encoded()])).await;
    assert_eq!(code, -32000);
    assert!(
        message.ends_with("was dropped: replaced by another"),
        "{message}"
    );
    let refused = fixture.error(METHOD, json!(["0x03"])).await;
    assert!(refused.1.starts_with("transaction type not supported"));
    for wrong in [json!(0), json!("0x0"), json!(-1), json!("soon")] {
        let (code, message, _) = fixture
            .error(METHOD, json!([pending.encoded(), wrong]))
            .await;
        assert_eq!(code, -32602, "{wrong}: {message}");
        assert!(message.starts_with("invalid argument 1: "), "{message}");
    }
}

#[tokio::test]
async fn the_pool_is_shown_by_sender_and_nonce_if_it_fits() {
    let fixture = Fixture::new().await;
    let pending = fixture.chain.pending();
    let (address, nonce) = (sender().to_checksum(None), pending.nonce().to_string());
    let content = fixture.result("txpool_content", json!([])).await;
    assert_eq!(
        content["pending"][&address][&nonce]["hash"],
        json!(pending.hash())
    );
    assert_eq!(content["queued"], json!({}));
    let of_sender = fixture
        .result("txpool_contentFrom", json!([sender()]))
        .await;
    assert_eq!(of_sender["pending"], content["pending"][&address]);
    let lines = fixture.result("txpool_inspect", json!([])).await;
    let line = lines["pending"][&address][&nonce].as_str().unwrap();
    assert!(
        line.contains(" wei + ") && line.contains(" gas × "),
        "{line}"
    );
    let limits = RpcLimits {
        response_bytes_max: 1_000,
        ..RpcLimits::default()
    };
    let fixture = Fixture::with_limits(limits).await;
    let (code, message, data) = fixture.error("txpool_content", json!([])).await;
    assert_eq!((code, &data["limit"]), (-32005, &json!(1_000)));
    assert!(
        message.contains("ask txpool_contentFrom for one sender"),
        "{message}"
    );
}
