//! Alerts: to a receiver of webhooks and to a relay for e-mail, both on this machine.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use alloy_primitives::hex;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use tbsi_warroom::{
    Channel, NewSubscription, NotifyConfig, SmtpConfig, SmtpTls, Subscription, WarroomConfig,
    subscribe, subscriptions, unsubscribe,
};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::made::MadeLog;
use crate::{Serving, directory, of_tiles};

const SECRET: [u8; 32] = [7; 32];

/// What a receiver got, and how it answers.
#[derive(Default)]
struct Received {
    posts: Vec<Value>,
    signed: Vec<bool>,
    /// Answers that fail before others.
    fail: usize,
    confirms: bool,
}

type Shared = Arc<Mutex<Received>>;

async fn receive(
    State(shared): State<Shared>,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, String) {
    let header = |name: &str| headers[name].to_str().unwrap().to_owned();
    let mut mac = Hmac::<Sha256>::new_from_slice(&SECRET).unwrap();
    mac.update(format!("{}.", header("x-tbsi-timestamp")).as_bytes());
    mac.update(&body);
    let expected = format!("sha256={}", hex::encode(mac.finalize().into_bytes()));
    let value: Value = serde_json::from_slice(&body).unwrap();
    let mut received = shared.lock().unwrap();
    received.signed.push(header("x-tbsi-signature") == expected);
    received.posts.push(value.clone());
    if received.fail > 0 {
        received.fail -= 1;
        return (StatusCode::SERVICE_UNAVAILABLE, String::new());
    }
    if received.confirms && !value["confirm"].is_null() {
        let answer = json!({ "confirm": value["confirm"] });
        return (StatusCode::OK, answer.to_string());
    }
    (StatusCode::OK, "anything".into())
}

/// A receiver of webhooks.
async fn receiver(confirms: bool) -> (SocketAddr, Shared) {
    let shared = Shared::default();
    shared.lock().unwrap().confirms = confirms;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = axum::Router::new().fallback(receive);
    let service = router.with_state(Arc::clone(&shared)).into_make_service();
    tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
    (address, shared)
}

fn new(channel: Channel, address: String) -> NewSubscription {
    NewSubscription {
        channel,
        address,
        filter: "kind=any&organisation=2".into(),
        zh_tw: false,
        secret: SECRET,
        token: [9; 32],
    }
}

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..2_400 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{what}: not in two minutes");
}

fn with(config: WarroomConfig, notify: NotifyConfig) -> WarroomConfig {
    WarroomConfig {
        notify: Some(notify),
        ..config
    }
}

fn one(log: &MadeLog, data: &Path) -> Subscription {
    let all = subscriptions(data, log.genesis.hash()).unwrap();
    all.into_iter().next().unwrap()
}

#[tokio::test]
async fn a_webhook_confirms_and_is_told_again_until_it_takes_it() {
    let dir = directory();
    let (files, data) = (dir.path().join("files"), dir.path().join("data"));
    let mut log = MadeLog::new("webhook");
    log.attest(1, 10);
    log.write(&files);
    let (address, shared) = receiver(true).await;
    let url = format!("http://{address}/hook");
    let genesis = log.genesis.hash();
    let number = subscribe(&data, genesis, &new(Channel::Webhook, url)).unwrap();
    let notify = NotifyConfig {
        private_hosts: vec!["127.0.0.1".into()],
        ..NotifyConfig::default()
    };
    let room = Serving::start(with(of_tiles(&log, &files, &data), notify)).await;
    until("confirmed", || one(&log, &data).confirmed_ms.is_some()).await;
    // All that it did not have yet, once it takes it.
    until("told of ten", || one(&log, &data).next >= 10).await;
    shared.lock().unwrap().fail = 1;
    log.attest(0, 2);
    log.attest(1, 3);
    log.write(&files);
    until("told of three", || one(&log, &data).next >= 15).await;
    room.end().await;
    let received = shared.lock().unwrap();
    assert!(
        received.signed.iter().all(|it| *it),
        "{:?}",
        received.signed
    );
    assert_eq!(received.posts[0]["subscription"], number);
    let items = |post: &Value| post["items"].as_array().map_or(0, Vec::len);
    let counts: Vec<_> = received.posts.iter().map(items).collect();
    // The question, ten leaves, three that failed, and the same three.
    assert_eq!(counts, [0, 10, 3, 3]);
    assert_eq!(received.posts[2]["items"], received.posts[3]["items"]);
    assert_eq!(received.posts[3]["items"][0]["position"], 12);
    assert!(unsubscribe(&data, genesis, number).unwrap());
    assert!(!unsubscribe(&data, genesis, number).unwrap());
}

#[tokio::test]
async fn nobody_is_told_without_saying_so_or_inside_the_operators_network() {
    let dir = directory();
    let (files, data) = (dir.path().join("files"), dir.path().join("data"));
    let mut log = MadeLog::new("refused");
    log.attest(1, 10);
    log.write(&files);
    let genesis = log.genesis.hash();
    let (address, shared) = receiver(false).await;
    let url = format!("http://{address}/hook");
    subscribe(&data, genesis, &new(Channel::Webhook, url)).unwrap();
    let notify = NotifyConfig::default();
    let room = Serving::start(with(of_tiles(&log, &files, &data), notify)).await;
    until("refused", || one(&log, &data).failures > 0).await;
    assert!(one(&log, &data).problem.unwrap().contains("private"));
    assert!(shared.lock().unwrap().posts.is_empty());
    room.end().await;
    let notify = NotifyConfig {
        private_hosts: vec!["127.0.0.1".into()],
        ..NotifyConfig::default()
    };
    let room = Serving::start(with(of_tiles(&log, &files, &data), notify)).await;
    until("asked", || !shared.lock().unwrap().posts.is_empty()).await;
    until("not confirmed", || {
        one(&log, &data)
            .problem
            .is_some_and(|it| it.contains("confirm"))
    })
    .await;
    assert_eq!(one(&log, &data).confirmed_ms, None);
    assert!(
        shared
            .lock()
            .unwrap()
            .posts
            .iter()
            .all(|it| it["items"].is_null())
    );
    room.end().await;
    for (address, filter) in [
        ("ftp://example.org", "kind=any"),
        ("https://example.org", "kind=nothing"),
        ("https://example.org", "fromMs=1"),
    ] {
        let wrong = NewSubscription {
            filter: filter.into(),
            token: [1; 32],
            ..new(Channel::Webhook, address.into())
        };
        assert!(
            subscribe(&data, genesis, &wrong).is_err(),
            "{address} {filter}"
        );
    }
}

/// Takes mails, as a relay does (RFC 5321), and keeps their texts.
async fn relay() -> (u16, Arc<Mutex<Vec<String>>>) {
    let mails = Arc::new(Mutex::new(Vec::new()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let kept = Arc::clone(&mails);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(converse(stream, Arc::clone(&kept)));
        }
    });
    (port, mails)
}

async fn converse(stream: TcpStream, mails: Arc<Mutex<Vec<String>>>) {
    let (reader, mut writer) = stream.into_split();
    let mut lines = BufReader::new(reader).lines();
    let mut text: Option<String> = None;
    writer.write_all(b"220 relay\r\n").await.unwrap();
    while let Ok(Some(line)) = lines.next_line().await {
        if let Some(mail) = &mut text {
            if line == "." {
                mails.lock().unwrap().push(text.take().unwrap());
                writer.write_all(b"250 taken\r\n").await.unwrap();
            } else {
                mail.push_str(&line);
                mail.push('\n');
            }
            continue;
        }
        let answer: &[u8] = match line.split(' ').next().unwrap() {
            "DATA" => {
                text = Some(String::new());
                b"354 go on\r\n"
            }
            "QUIT" => b"221 bye\r\n",
            _ => b"250 ok\r\n",
        };
        if writer.write_all(answer).await.is_err() {
            return;
        }
    }
}

/// The body without the soft line breaks of quoted-printable.
fn plain(mail: &str) -> String {
    mail.replace("=\n", "").replace("=3D", "=")
}

#[tokio::test]
async fn a_reader_of_mail_confirms_by_a_link_and_ends_by_another() {
    let dir = directory();
    let (files, data) = (dir.path().join("files"), dir.path().join("data"));
    let mut log = MadeLog::new("mail");
    log.attest(1, 4);
    log.write(&files);
    let (port, mails) = relay().await;
    let genesis = log.genesis.hash();
    let reader = new(Channel::Email, "someone@example.org".into());
    subscribe(&data, genesis, &reader).unwrap();
    let notify = NotifyConfig {
        public_url: "https://room.example/".into(),
        private_hosts: Vec::new(),
        smtp: Some(SmtpConfig {
            host: "127.0.0.1".into(),
            port: Some(port),
            tls: SmtpTls::None,
            user: None,
            password_file: None,
            from: "War room <room@example.org>".into(),
        }),
    };
    let room = Serving::start(with(of_tiles(&log, &files, &data), notify)).await;
    until("asked", || mails.lock().unwrap().len() == 1).await;
    let asked = plain(&mails.lock().unwrap()[0]);
    let token = hex::encode(reader.token);
    let link = format!("https://room.example/api/v1/subscriptions/confirm?token={token}");
    assert!(asked.contains(&link), "{asked}");
    assert!(asked.contains("To: someone@example.org"), "{asked}");
    for wrong in ["subscriptions/confirm", "subscriptions/confirm?token=00"] {
        let refused = room.bytes(wrong).await.unwrap_err();
        assert_eq!(refused.0, 404, "{wrong}");
    }
    let path = format!("subscriptions/confirm?token={token}");
    let said = String::from_utf8(room.bytes(&path).await.unwrap()).unwrap();
    assert!(said.contains("Confirmed") && said.contains("已確認"));
    until("told", || mails.lock().unwrap().len() == 2).await;
    let told = plain(&mails.lock().unwrap()[1]);
    for words in ["4 new records", "https://room.example/#/attestation/3"] {
        assert!(told.contains(words), "{words}: {told}");
    }
    let path = format!("subscriptions/end?token={token}");
    assert!(told.contains(&path), "{told}");
    room.bytes(&path).await.unwrap();
    assert_eq!(subscriptions(&data, genesis).unwrap(), []);
    assert_eq!(room.bytes(&path).await.unwrap_err().0, 404);
    room.end().await;
}
