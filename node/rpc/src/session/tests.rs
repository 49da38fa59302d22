use std::net::Ipv4Addr;

use jsonrpsee::RpcModule;
use serde_json::{Value, json};

use super::*;
use crate::rates::RatesConfig;

const STRANGER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

fn shared(limits: RpcLimits) -> Arc<Shared> {
    let mut module = RpcModule::new(());
    module
        .register_async_method("test_echo", |params, _, _| async move {
            let params: Vec<Value> = params.parse()?;
            Ok::<_, Failure>(params)
        })
        .unwrap();
    module
        .register_async_method("test_panic", |params, _, _| async move {
            assert!(params.is_object(), "planted");
        })
        .unwrap();
    let methods: Methods = module.into();
    let rates = Rates::new(&RatesConfig {
        what: "calls",
        per_minute: None,
        address_per_minute: None,
        keys: Vec::new(),
    });
    let allowed = Allowed::of(["test_echo", "test_panic"]);
    let served = (Table::default(), methods);
    Arc::new(Shared::new(served, allowed, limits, rates))
}

fn session(shared: &Arc<Shared>, address: IpAddr) -> Session {
    Session {
        shared: Arc::clone(shared),
        connection: ConnectionId(0),
        credentials: Credentials { address, key: None },
        subscriptions: None,
    }
}

async fn answer(session: &Session, text: &str) -> Option<Answer> {
    let (message, place) = session.read(text.as_bytes(), &mut Order::default());
    session.answer(message, place).await
}

fn echo(bytes: usize) -> String {
    let params = ["x".repeat(bytes)];
    json!({"jsonrpc": "2.0", "id": 7, "method": "test_echo", "params": params}).to_string()
}

#[test]
fn refuses_what_would_wait_beyond_the_limit() {
    let shared = shared(RpcLimits::default());
    let half = 1024 * WAITING_KIB_MAX as usize / 2;
    let first = shared.admit(1, half).unwrap();
    let failure = shared.admit(1, half).unwrap_err();
    assert_eq!(failure.code(), -32005);
    assert!(failure.message().contains("65536 KiB"), "{failure:?}");
    let small = shared.admit(1_000, 1).unwrap();
    drop(first);
    assert!(shared.admit(1, half).is_ok());
    drop(small);
    assert!(shared.admit(usize::MAX / 2, usize::MAX).is_err());
}

#[tokio::test]
async fn a_method_that_panics_ends_its_own_call() {
    let shared = shared(RpcLimits::default());
    let session = session(&shared, STRANGER);
    let panics = r#"{"jsonrpc":"2.0","id":0.5,"method":"test_panic","params":[]}"#;
    let alone = answer(&session, panics).await.unwrap().text;
    let failure: Value = serde_json::from_str(&alone).unwrap();
    assert_eq!(failure["error"]["code"], -32603);
    assert!(!alone.contains("planted"), "{alone}");
    let batch = format!("[{},{panics},{}]", echo(1), echo(1));
    let answers = answer(&session, &batch).await.unwrap().text;
    let answers: Value = serde_json::from_str(&answers).unwrap();
    assert_eq!(answers[1], failure);
    assert_eq!(
        (&answers[0], &answers[2]["result"]),
        (&answers[2], &json!(["x"]))
    );
}

#[test]
fn answers_that_nobody_reads_are_bounded() {
    let shared = shared(RpcLimits::default());
    let answered = |session: &Session, bytes: usize| {
        let id = Message::parse(echo(1).as_bytes(), 1);
        session.with_room(&first_id(&id), Answer::of(" ".repeat(bytes)))
    };
    let (stranger, large) = (session(&shared, STRANGER), 40 * 1024 * 1024);
    let mut unread: Vec<_> = (0..3).map(|_| answered(&stranger, large)).collect();
    assert!(unread.iter().all(|answer| answer.room.is_some()));
    let refused = answered(&stranger, large);
    let refused: Value = serde_json::from_str(&refused.text).unwrap();
    assert_eq!(refused["id"], 7);
    assert_eq!(refused["error"]["data"], json!({"limitKib": 128 * 1024}));
    // What is small needs no room, others have it, and so has who reads.
    assert!(answered(&stranger, 1_000).room.is_none());
    let other = session(&shared, IpAddr::from([203, 0, 113, 9]));
    assert!(answered(&other, large).room.is_some());
    unread.pop();
    assert!(answered(&stranger, large).room.is_some());
}
