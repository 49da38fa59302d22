//! `/log/` and `/tsa`: statuses, headers and bodies.

use std::net::Ipv4Addr;
use std::time::Duration;

use tbsi_rpc::limits::WITNESS_REQUESTS_MAX;
use tbsi_rpc::wire::ValidatorName;
use tbsi_rpc::{ServerConfig, TimestampClient};
use tbsi_types::log::{NoteVerifier, SignatureType, SignedNote, TlogProof};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::chain::{FLOODS, NO_AUTHORITY, cosigner, log_signer};
use crate::http::{Answer, Fixture, config, exchange_at};
use crate::validators::members;

const QUERY: &str = "content-type: application/timestamp-query";

async fn get(fixture: &Fixture, path: &str) -> Answer {
    exchange_at(fixture.address(), "GET", path, &[], b"").await
}

fn assert_header(answer: &Answer, line: &str) {
    let found = answer
        .head
        .lines()
        .any(|found| found.eq_ignore_ascii_case(line));
    assert!(found, "{line:?} is not in:\n{}", answer.head);
}

fn first_validator() -> ValidatorName {
    members().iter().map(ValidatorName::of).next().unwrap()
}

#[tokio::test]
async fn serves_checkpoint_key_and_proof_as_text() {
    let fixture = Fixture::new().await;
    let key = get(&fixture, "/log/key").await;
    assert_eq!(key.status, 200);
    let lines: Vec<&str> = key.body.lines().collect();
    let name = first_validator();
    let zh = &name.organisation.name_zh_tw;
    let joint = if zh.is_empty() { "" } else { " / " };
    let en = &name.organisation.name_en;
    let names = format!("# {zh}{joint}{en} ({})", name.node_name);
    let other = cosigner().verifier(SignatureType::Cosignature).encode();
    assert_eq!(lines[1..], [&names, &other]);
    let key = NoteVerifier::parse(lines[0]).unwrap();
    assert_eq!(key, log_signer().verifier(key.signature_type()));

    let checkpoint = get(&fixture, "/log/checkpoint").await;
    assert_eq!(checkpoint.status, 200);
    assert_header(&checkpoint, "content-type: text/plain; charset=utf-8");
    assert_header(&checkpoint, "cache-control: no-cache");
    let note = SignedNote::parse(&checkpoint.body).unwrap();
    assert_eq!(key.verify(note.text(), &note.signatures()[0]), Ok(None));

    let proof = get(&fixture, "/log/proof/0.tlog-proof").await;
    assert_eq!(TlogProof::parse(&proof.body).unwrap().note, note);
    assert_header(&proof, "cache-control: no-cache");
    let proof = get(&fixture, "/log/proof/1.tlog-proof").await;
    assert_eq!(proof.status, 404);
    assert_eq!(proof.body, "leaf 1 does not exist: the log has 0 leaves\n");

    let receipt = get(&fixture, "/log/proof/0.cose").await;
    assert_eq!(receipt.status, 200);
    assert_header(
        &receipt,
        "content-type: application/cose; cose-type=\"cose-sign1\"",
    );
    assert_header(&receipt, "cache-control: no-cache");
    assert_eq!(get(&fixture, "/log/proof/1.cose").await.status, 404);
}

#[tokio::test]
async fn serves_tiles_with_the_caching_that_they_allow() {
    let fixture = Fixture::new().await;
    let full = get(&fixture, "/log/tile/0/000").await;
    assert_eq!((full.status, full.body.len()), (200, 8_192));
    assert_header(&full, "content-type: application/octet-stream");
    assert_header(&full, "cache-control: public, max-age=31536000, immutable");
    let partial = get(&fixture, "/log/tile/0/000.p/3?x=y").await;
    assert_eq!((partial.status, partial.body.len()), (200, 96));
    assert_header(&partial, "cache-control: public, max-age=60");
    let entries = get(&fixture, "/log/tile/entries/000").await;
    assert_eq!((entries.status, entries.body.len()), (200, 10_000));
    assert_header(&entries, "content-type: application/octet-stream");
    let absent = get(&fixture, "/log/tile/0/001").await;
    assert_eq!(absent.status, 404);
    assert_header(&absent, "cache-control: no-cache");
    assert!(
        absent.body.starts_with("tile/0/001 does not exist"),
        "{}",
        absent.body
    );
    let broken = get(&fixture, "/log/tile/entries/001").await;
    assert_eq!(broken.status, 500);
    assert!(!broken.body.contains("fire"), "{}", broken.body);
}

#[tokio::test]
async fn refuses_paths_and_verbs_that_it_has_not() {
    let fixture = Fixture::new().await;
    for (path, status, words) in [
        ("/log", 404, "/log/checkpoint"),
        ("/log/nothing", 404, "/log/checkpoint"),
        ("/log/tile/9/000", 400, "not the path of a tile"),
        ("/log/tile/entries/0", 400, "not the path of a tile"),
        ("/log/proof/x", 400, "<leaf index>.tlog-proof"),
        ("/tsa", 405, "POST"),
        ("/add-checkpoint", 405, "POST"),
    ] {
        let answer = get(&fixture, path).await;
        assert_eq!(answer.status, status, "{path}");
        assert!(answer.body.contains(words), "{path}: {}", answer.body);
    }
    for verb in ["POST", "PUT", "DELETE"] {
        let answer = exchange_at(fixture.address(), verb, "/log/checkpoint", &[], b"").await;
        assert_eq!(answer.status, 405, "{verb}");
        assert_header(&answer, "allow: GET, HEAD");
    }
    // JSON-RPC is where it was.
    assert_eq!(
        fixture
            .result("eth_blockNumber", serde_json::json!([]))
            .await,
        "0x2"
    );
}

#[tokio::test]
async fn head_has_the_headers_without_the_body() {
    let fixture = Fixture::new().await;
    let answer = exchange_at(fixture.address(), "HEAD", "/log/tile/0/000", &[], b"").await;
    assert_eq!((answer.status, answer.body.as_str()), (200, ""));
    assert_header(&answer, "content-length: 8192");
    let answer = exchange_at(fixture.address(), "HEAD", "/log/tile/0/001", &[], b"").await;
    assert_eq!((answer.status, answer.body.as_str()), (404, ""));
}

#[tokio::test]
async fn compresses_leaves_but_not_hashes() {
    let fixture = Fixture::new().await;
    let gzip = ["accept-encoding: gzip"];
    let entries = exchange_at(
        fixture.address(),
        "GET",
        "/log/tile/entries/000",
        &gzip,
        b"",
    )
    .await;
    assert_header(&entries, "content-encoding: gzip");
    let tile = exchange_at(fixture.address(), "GET", "/log/tile/0/000", &gzip, b"").await;
    assert!(!tile.head.contains("content-encoding"), "{}", tile.head);
    assert_eq!(tile.body.len(), 8_192);
}

#[tokio::test]
async fn pages_of_listed_origins_only_may_read() {
    let fixture = Fixture::with(ServerConfig {
        cors_origins: vec!["https://a.example".into()],
        ..config()
    })
    .await;
    let from = async |origin: &str| {
        let path = "/log/checkpoint";
        exchange_at(fixture.address(), "GET", path, &[origin], b"").await
    };
    let listed = from("origin: https://a.example").await;
    assert_eq!(listed.status, 200);
    assert_header(&listed, "access-control-allow-origin: https://a.example");
    assert_eq!(from("origin: https://b.example").await.status, 403);
}

#[tokio::test]
async fn a_time_stamp_waits_for_finality() {
    let fixture = Fixture::new().await;
    let address = fixture.address();
    let asking = exchange_at(address, "POST", "/tsa", &[QUERY], b"attest");
    let mut asking = std::pin::pin!(asking);
    let early = tokio::time::timeout(Duration::from_millis(300), &mut asking).await;
    assert!(early.is_err(), "answered before the transaction was final");
    fixture.chain.append(vec![], 0);
    let reply = asking.await;
    assert_eq!((reply.status, reply.body.as_str()), (200, "token"));
    assert_header(&reply, "content-type: application/timestamp-reply");
}

#[tokio::test]
async fn refuses_what_is_no_time_stamp_query() {
    let fixture = Fixture::new().await;
    let long = vec![0; 4_097];
    for (header, body, status, words) in [
        (QUERY, b"garbage".as_slice(), 200, "refused"),
        (QUERY, b"broken", 500, "internal error"),
        (QUERY, &long, 413, "at most 4096 bytes"),
        (
            "content-type: text/plain",
            b"attest",
            415,
            "application/timestamp-query",
        ),
        ("accept: */*", b"attest", 415, "application/timestamp-query"),
    ] {
        let answer = exchange_at(fixture.address(), "POST", "/tsa", &[header], body).await;
        assert_eq!(answer.status, status, "{header}: {}", answer.body);
        assert!(answer.body.contains(words), "{header}: {}", answer.body);
    }
}

/// A server that believes this machine's word about who asks.
async fn behind_a_proxy() -> Fixture {
    Fixture::with(ServerConfig {
        trusted_proxies: vec![Ipv4Addr::LOCALHOST.into()],
        ..config()
    })
    .await
}

#[tokio::test]
async fn who_asks_for_too_many_time_stamps_is_told_when_to_ask_again() {
    let fixture = behind_a_proxy().await;
    let ask = async |headers: &[&str]| {
        let headers = [&[QUERY], headers].concat();
        exchange_at(fixture.address(), "POST", "/tsa", &headers, b"garbage").await
    };
    let floods = format!("x-forwarded-for: {FLOODS}");
    let refused = ask(&[&floods]).await;
    assert_eq!((refused.status, refused.body.as_str()), (429, "too many\n"));
    assert_header(&refused, "retry-after: 17");
    // A client cannot name another address in front of the one that the proxy saw.
    let forged = format!("x-forwarded-for: 192.0.2.1, {FLOODS}");
    assert_eq!(ask(&[&forged]).await.status, 429);
    // Others, and one with a key, are answered.
    let other = ask(&["x-forwarded-for: 192.0.2.1"]).await;
    assert_eq!((other.status, other.body.as_str()), (200, "refused"));
    for key in ["authorization: Bearer secret", "x-api-key: secret"] {
        assert_eq!(ask(&[&floods, key]).await.status, 200, "{key}");
    }
    let unknown = ask(&["x-api-key: unknown"]).await;
    assert_eq!(unknown.status, 401);
    assert_header(&unknown, "www-authenticate: Bearer");
    assert!(unknown.body.contains("API key"), "{}", unknown.body);
    let nobody = format!("x-forwarded-for: {NO_AUTHORITY}");
    let absent = ask(&[&nobody]).await;
    assert_eq!(absent.status, 503);
    assert!(absent.body.contains("[tsa]"), "{}", absent.body);

    let secret = Some(tbsi_types::sha256(&[b"secret"]));
    let asked = fixture.chain.asked.lock().unwrap().clone();
    let keys: Vec<_> = asked.iter().map(|client| client.key).collect();
    assert_eq!(keys[..5], [None, None, None, secret, secret]);
}

#[tokio::test]
async fn a_header_of_a_client_that_is_no_trusted_proxy_is_ignored() {
    let fixture = Fixture::new().await;
    let floods = format!("x-forwarded-for: {FLOODS}");
    let headers = [QUERY, floods.as_str()];
    let answer = exchange_at(fixture.address(), "POST", "/tsa", &headers, b"garbage").await;
    assert_eq!(answer.status, 200);
    let asked = fixture.chain.asked.lock().unwrap().clone();
    let expected = TimestampClient {
        address: Ipv4Addr::LOCALHOST.into(),
        key: None,
    };
    assert_eq!(asked, [expected]);
}

/// Refused before its body is read, so that a flood costs headers.
#[tokio::test]
async fn a_time_stamp_that_is_not_admitted_is_refused_without_its_body() {
    let fixture = behind_a_proxy().await;
    let mut socket = TcpStream::connect(fixture.address()).await.unwrap();
    let head = format!(
        "POST /tsa HTTP/1.1\r\nhost: localhost\r\n{QUERY}\r\nx-forwarded-for: {FLOODS}\r\n\
         content-length: 4096\r\n\r\n"
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    socket.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 429");
}

/// Whoever sends a checkpoint slowly takes no place from those who send one at once.
#[tokio::test]
async fn clients_that_stall_do_not_occupy_the_witness() {
    let fixture = Fixture::new().await;
    let mut stalled = Vec::new();
    for _ in 0..2 * WITNESS_REQUESTS_MAX {
        let mut socket = TcpStream::connect(fixture.address()).await.unwrap();
        let head =
            "POST /add-checkpoint HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n\r\nhalf";
        socket.write_all(head.as_bytes()).await.unwrap();
        stalled.push(socket);
    }
    // A connection of each was accepted before this one is.
    let answer = exchange_at(fixture.address(), "POST", "/add-checkpoint", &[], b"good").await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}

#[tokio::test]
async fn a_witness_answers_in_the_statuses_of_tlog_witness() {
    let fixture = Fixture::new().await;
    let long = vec![b'x'; 64 * 1024 + 1];
    for (body, status, words) in [
        (b"good".as_slice(), 200, "— witness AAAA\n"),
        (b"unknown", 404, "attestation_log.witnessed"),
        (b"unsigned", 403, "no signature"),
        (b"conflict", 409, "17\n"),
        (b"inconsistent", 422, "it is a fork"),
        (b"other", 400, "5 bytes"),
        (b"\xff", 400, "not UTF-8"),
        (b"broken", 500, "internal error"),
        (&long, 413, "at most 65536 bytes"),
    ] {
        let answer = exchange_at(fixture.address(), "POST", "/add-checkpoint", &[], body).await;
        assert_eq!(answer.status, status, "{}", answer.body);
        assert!(answer.body.contains(words), "{words}: {}", answer.body);
        assert!(!answer.body.contains("fire"), "{}", answer.body);
        if status == 409 {
            assert_header(&answer, "content-type: text/x.tlog.size");
            assert_eq!(answer.body, "17\n");
        }
    }
}

#[tokio::test]
async fn keys_are_had_over_json_rpc_with_legal_names() {
    let fixture = Fixture::new().await;
    let keys = fixture.result("tbsi_logKeys", serde_json::json!([])).await;
    let log = log_signer();
    assert_eq!(keys["origin"], log.verifier(SignatureType::Note).name());
    assert_eq!(keys["log"], log.verifier(SignatureType::Note).encode());
    let key = cosigner().verifier(SignatureType::Cosignature).encode();
    assert_eq!(
        (&keys["witness"], &keys["cosigners"][0]["key"]),
        (&key.clone().into(), &key.into())
    );
    let name = first_validator();
    let organisation = &keys["cosigners"][0]["organisation"];
    assert_eq!(organisation["nameEn"], name.organisation.name_en);
    assert_eq!(keys["cosigners"][0]["nodeName"], name.node_name);
}

#[tokio::test]
async fn a_calendar_takes_digests_and_says_what_became_of_them() {
    let fixture = Fixture::new().await;
    let post =
        async |body: &[u8]| exchange_at(fixture.address(), "POST", "/digest", &[], body).await;
    let good = post(&[b'd'; 32]).await;
    assert_eq!((good.status, good.body.len()), (200, 32));
    assert_header(&good, "content-type: application/octet-stream");
    assert_eq!(post(&[b'd'; 33]).await.status, 413);
    let short = post(&[b'd'; 31]).await;
    assert_eq!(short.status, 400);
    assert!(short.body.contains("32 bytes (SHA-256), this one 31"));
    let full = post(&[0; 32]).await;
    assert_eq!(
        (full.status, full.body.as_str()),
        (503, "the pool is full\n")
    );
    assert!(full.head.to_lowercase().contains("retry-after: "));
    for (path, status, words) in [
        ("/digest", 405, "POST"),
        ("/timestamp/", 400, "a commitment is the hex of a log root"),
        (
            "/timestamp/zz",
            400,
            "a commitment is the hex of a log root",
        ),
        ("/log/proof/7.ots", 404, "leaf 7 attests nothing"),
    ] {
        let answer = get(&fixture, path).await;
        assert_eq!(answer.status, status, "{path}");
        assert!(answer.body.contains(words), "{path}: {}", answer.body);
    }
    let known = get(&fixture, &format!("/timestamp/{}", "ab".repeat(32))).await;
    assert_eq!(known.status, 200);
    let unknown = get(&fixture, &format!("/timestamp/{}", "00".repeat(32))).await;
    assert_eq!(
        (unknown.status, unknown.body.as_str()),
        (404, "not anchored yet\n")
    );
}
