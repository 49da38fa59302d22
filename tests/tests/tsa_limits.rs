//! Time stamps are bounded by who asks: a flood neither fills the log nor keeps others out.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Instant;

use tbsi_home::config::ApiKeyConfig;
use tbsi_tests::harness::{Answer, TestNetwork, http};
use tbsi_types::sha256;
use tokio::task::JoinSet;

const KEY: &str = "d6b1f0c2";

/// Buckets of 2 and 20; one more in five seconds and in half a second.
const ADDRESS_PER_MINUTE: u32 = 12;
const PER_MINUTE: u32 = 120;

/// A query of RFC 3161 for a SHA-256 digest, without options.
fn query(number: u32) -> Vec<u8> {
    const BEFORE_DIGEST: [u8; 24] = [
        0x30, 0x36, 0x02, 0x01, 0x01, 0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
        0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20,
    ];
    let digest = sha256(&[&number.to_be_bytes()]);
    [BEFORE_DIGEST.as_slice(), digest.as_slice()].concat()
}

/// Asks through the proxy that the node believes, which is this test.
async fn ask(node: SocketAddr, from: Ipv4Addr, key: Option<&str>, number: u32) -> Answer {
    let from = format!("x-forwarded-for: {from}");
    let mut headers = vec!["content-type: application/timestamp-query".to_owned(), from];
    headers.extend(key.map(|key| format!("authorization: Bearer {key}")));
    let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
    http(node, "POST", "/tsa", &headers, &query(number)).await
}

/// Asks from all these addresses at once; how many were granted.
async fn flood(node: SocketAddr, addresses: impl Iterator<Item = Ipv4Addr>) -> u64 {
    let mut asked = JoinSet::new();
    for (number, from) in (0..).zip(addresses) {
        asked.spawn(ask(node, from, None, number));
    }
    let mut granted = 0;
    for answer in asked.join_all().await {
        if answer.status == 200 {
            granted += 1;
            continue;
        }
        assert_eq!(answer.status, 429, "{}", answer.text());
        assert!(answer.head.contains("retry-after: "), "{}", answer.head);
        assert!(answer.text().contains("a minute"), "{}", answer.text());
    }
    granted
}

/// What a full bucket and the time since `started` allow.
fn allowed(per_minute: u32, started: Instant) -> u64 {
    u64::from(per_minute / 6) + started.elapsed().as_secs() * u64::from(per_minute) / 60 + 1
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn floods_of_time_stamps_are_bounded_and_others_are_served() {
    let network = TestNetwork::create(1, 0);
    network.configure(0, |config| {
        config.rpc.trusted_proxies = vec![Ipv4Addr::LOCALHOST.into()];
        let tsa = config.tsa.as_mut().unwrap();
        tsa.per_minute = PER_MINUTE;
        tsa.address_per_minute = ADDRESS_PER_MINUTE;
        tsa.keys.push(ApiKeyConfig {
            name: "land registry".into(),
            sha256: sha256(&[KEY.as_bytes()]),
            per_minute: 600,
        });
    });
    let net = network.started().await;
    let node = net.network.nodes()[0].rpc;
    let started = Instant::now();

    let flooder = Ipv4Addr::new(198, 51, 100, 7);
    let other = Ipv4Addr::new(203, 0, 113, 9);
    let (of_one, served) = tokio::join!(
        flood(node, std::iter::repeat_n(flooder, 100)),
        ask(node, other, None, 1_000)
    );
    assert!(of_one >= 2, "{of_one}");
    assert!(of_one <= allowed(ADDRESS_PER_MINUTE, started), "{of_one}");
    assert_eq!(served.status, 200, "{}", served.text());

    // Each of a network of its own.
    let many = (0..200).map(|number| Ipv4Addr::new(100, number, 1, 1));
    let of_many = flood(node, many).await;
    let anonymous = of_one + 1 + of_many;
    assert!(anonymous <= allowed(PER_MINUTE, started), "{anonymous}");
    let mut granted = anonymous;
    for number in 2_000..2_010 {
        let answer = ask(node, flooder, Some(KEY), number).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        granted += 1;
    }
    let unknown = ask(node, flooder, Some("guess"), 3_000).await;
    assert_eq!(unknown.status, 401, "{}", unknown.text());

    // Nothing but what was granted is in the log, and each refusal was counted.
    let checkpoint = net.client(0).checkpoint(Default::default()).await.unwrap();
    assert_eq!(checkpoint.unwrap().log_size.0, granted);
    let metrics = http(net.network.nodes()[0].metrics, "GET", "/metrics", &[], b"").await;
    let metrics = metrics.text();
    let counted = |line: &str| -> u64 {
        let mut lines = metrics.lines().filter_map(|it| it.strip_prefix(line));
        lines
            .next()
            .map_or(0, |count| count.trim().parse().unwrap())
    };
    let refused = |reason| counted(&format!("tbsi_tsa_refused_total{{reason=\"{reason}\"}}"));
    assert_eq!(counted("tbsi_tsa_admitted_total"), granted);
    assert_eq!(refused("unknown_key"), 1);
    assert_eq!(refused("address") + refused("all"), 301 - anonymous);
    net.assert_no_panic();
}
