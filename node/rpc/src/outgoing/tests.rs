//! Those who answer badly, and what is said of them.

mod file;
mod peer;

use peer::{Authority, Dir, Peer, remote};

use super::*;

const TOKEN: &str = "token-that-is-secret";
const PASSWORD: &str = "password-that-is-secret";
const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
/// Short, for those who never answer.
const SHORT: &str = "connect_s = 1\nanswer_s = 1\n";

/// What is said of whoever answers the second request has no secret in it.
async fn problem(remote: &Remote) -> HttpProblem {
    let found = remote.get("a", 10).await.unwrap_err();
    for shown in [
        format!("{found}"),
        format!("{found:?}"),
        format!("{remote:?}"),
    ] {
        assert!(!shown.contains("secret"), "{shown}");
    }
    found
}

fn login(port: u16) -> String {
    format!("[[login]]\nurl = \"https://localhost:{port}\"\nbearer_file = \"token\"\n")
}

#[tokio::test]
async fn a_token_goes_to_the_host_that_it_is_for() {
    let (authority, dir) = (Authority::new(), Dir::new());
    dir.write("token", &format!("{TOKEN}\n"));
    dir.write("password", PASSWORD);
    dir.write("roots.pem", &authority.pem());
    let tls = Authority::tls(&authority.issue("localhost", true), None);
    let peer = Peer::new(Some(Arc::clone(&tls)), Some(OK)).await;
    let other = Peer::new(Some(tls), Some(OK)).await;
    let http = dir.http(&format!(
        "roots = [\"roots.pem\"]\n{}[[login]]\nurl = \"https://localhost:{}\"\nuser = \"me\"\n\
         password_file = \"password\"\n",
        login(peer.address.port()),
        other.address.port()
    ));
    assert!(!format!("{http:?}").contains("secret"), "{http:?}");
    for (peer, expected) in [
        (&peer, format!("Bearer {TOKEN}")),
        (&other, "Basic bWU6cGFzc3dvcmQtdGhhdC1pcy1zZWNyZXQ=".into()),
    ] {
        let remote = remote(&http, "https", peer);
        let answer = remote.get("a/b", 2).await.unwrap();
        assert_eq!(
            (answer.status.as_u16(), &answer.body[..]),
            (200, &b"ok"[..])
        );
        let heard = peer.heard().concat();
        assert!(heard.starts_with("GET /rpc/a/b HTTP/1.1\r\n"), "{heard}");
        assert!(
            heard.contains(&format!("authorization: {expected}\r\n")),
            "{heard}"
        );
    }
    // By another name it is another host, which is shown nothing.
    let plain = Peer::new(None, Some(OK)).await;
    let by_address = http.remote(&format!("http://{}", plain.address)).unwrap();
    by_address.get("", 2).await.unwrap();
    let heard = plain.heard().concat();
    assert!(heard.starts_with("GET / HTTP/1.1\r\n"), "{heard}");
    assert!(!heard.contains("authorization"), "{heard}");
}

#[tokio::test]
async fn certificates_that_cannot_be_trusted_are_named() {
    let (authority, dir) = (Authority::new(), Dir::new());
    dir.write("token", TOKEN);
    dir.write("roots.pem", &authority.pem());
    let check = async |by: &Authority, name: &str, is_valid: bool| {
        let tls = Authority::tls(&by.issue(name, is_valid), None);
        let peer = Peer::new(Some(tls), Some(OK)).await;
        let login = login(peer.address.port());
        let http = dir.http(&format!("roots = [\"roots.pem\"]\n{login}"));
        let found = problem(&remote(&http, "https", &peer)).await;
        assert!(peer.heard().is_empty(), "nothing is sent to it");
        found
    };
    let found = check(&Authority::new(), "localhost", true).await;
    assert!(matches!(found, HttpProblem::Untrusted(_)), "{found:?}");
    assert!(
        found.to_string().contains("`roots` in http.toml"),
        "{found}"
    );
    let found = check(&authority, "localhost", false).await;
    assert!(matches!(found, HttpProblem::Dated(_)), "{found:?}");
    assert!(found.to_string().contains("expired"), "{found}");
    let found = check(&authority, "other.example", true).await;
    assert!(matches!(found, HttpProblem::OtherName(_)), "{found:?}");
}

#[tokio::test]
async fn a_client_certificate_is_shown_where_one_is_wanted() {
    let (authority, members, dir) = (Authority::new(), Authority::new(), Dir::new());
    let tls = Authority::tls(&authority.issue("localhost", true), Some(&members));
    let peer = Peer::new(Some(tls), Some(OK)).await;
    let own = members.issue("relayer.example", true);
    dir.write("roots.pem", &authority.pem());
    dir.write("own.pem", &own.certificate);
    dir.write("own.key", &own.key);
    let roots = "roots = [\"roots.pem\"]\nsystem_roots = false\n";
    let without = dir.http(roots);
    let found = problem(&remote(&without, "https", &peer)).await;
    // The refusal comes after the handshake, and with it the end of the connection.
    let named = matches!(found, HttpProblem::Refused(_) | HttpProblem::Broken);
    assert!(named, "{found:?}");
    assert!(peer.heard().is_empty());
    let with = dir.http(&format!(
        "{roots}[[login]]\nurl = \"https://localhost:{}\"\ncertificate = \"own.pem\"\n\
         key = \"own.key\"\n",
        peer.address.port()
    ));
    let answer = remote(&with, "https", &peer).get("a", 2).await.unwrap();
    assert_eq!(&answer.body[..], b"ok");
}

#[tokio::test]
async fn http_and_https_are_told_apart() {
    let (authority, dir) = (Authority::new(), Dir::new());
    dir.write("token", TOKEN);
    dir.write("roots.pem", &authority.pem());
    let plain = Peer::new(None, Some("HTTP/1.1 400 Bad Request\r\n\r\n")).await;
    let login = login(plain.address.port());
    let http = dir.http(&format!("roots = [\"roots.pem\"]\n{login}"));
    let found = problem(&remote(&http, "https", &plain)).await;
    assert_eq!(found, HttpProblem::NoTls);
    assert!(!plain.heard().concat().contains(TOKEN));
    let tls = Authority::tls(&authority.issue("localhost", true), None);
    let secure = Peer::new(Some(tls), Some(OK)).await;
    let found = problem(&remote(&http, "http", &secure)).await;
    // An alert of TLS, or nothing at all.
    let named = matches!(found, HttpProblem::NotHttp(_) | HttpProblem::Broken);
    assert!(named, "{found:?}");
}

#[tokio::test]
async fn answers_that_are_none_are_named() {
    let dir = Dir::new();
    let http = dir.http(SHORT);
    let redirect = "HTTP/1.1 307 Temporary Redirect\r\nlocation: https://u:p@b.example/x?key=secret\
                    \r\ncontent-length: 0\r\n\r\n";
    for (answer, expected) in [
        (None, HttpProblem::Silent { seconds: 1 }),
        (Some(""), HttpProblem::Broken),
        (
            Some("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf"),
            HttpProblem::Broken,
        ),
        (
            Some("HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\n"),
            HttpProblem::TooMuch { bytes_max: 10 },
        ),
        (
            Some("HTTP/1.1 200 OK\r\n\r\n0123456789a"),
            HttpProblem::TooMuch { bytes_max: 10 },
        ),
        (
            Some("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n6\r\n012345\r\n6\r\n012345"),
            HttpProblem::TooMuch { bytes_max: 10 },
        ),
        (
            Some(redirect),
            HttpProblem::Redirect {
                status: 307,
                place: "…@b.example/x?…".into(),
            },
        ),
    ] {
        let peer = Peer::new(None, answer).await;
        let found = problem(&remote(&http, "http", &peer)).await;
        assert_eq!(found, expected, "{answer:?}");
        assert!(peer.heard().len() < 2, "it is asked once");
    }
    let peer = Peer::new(None, Some("SSH-2.0-OpenSSH_9.9\r\n\r\n")).await;
    let found = problem(&remote(&http, "http", &peer)).await;
    assert!(matches!(found, HttpProblem::NotHttp(_)), "{found:?}");
    let nobody = http.remote("http://127.0.0.1:1").unwrap();
    let found = problem(&nobody).await;
    assert!(matches!(found, HttpProblem::NoConnection(_)), "{found:?}");
    assert!(
        found.to_string().ends_with("; is the node running?"),
        "{found}"
    );
    // A handshake that is never answered ends too.
    let silent = Peer::new(None, None).await;
    let found = problem(&remote(&http, "https", &silent)).await;
    assert_eq!(found, HttpProblem::Silent { seconds: 1 });
}

#[tokio::test]
async fn a_refusal_is_read_to_its_limit_only() {
    let http = Http::default();
    let long = format!(
        "HTTP/1.1 403 Forbidden\r\ncontent-type: text/html\r\n\r\n{}",
        "x".repeat(2 * REFUSAL_BYTES_MAX)
    );
    let peer = Peer::new(None, Some(&long)).await;
    let answer = remote(&http, "http", &peer).get("", 1 << 20).await.unwrap();
    assert_eq!(answer.status.as_u16(), 403);
    assert_eq!(answer.body.len(), REFUSAL_BYTES_MAX);
    assert!(answer.is_html);
}

#[tokio::test]
async fn others_are_reached_through_the_proxy_and_this_machine_directly() {
    let dir = Dir::new();
    dir.write("password", PASSWORD);
    let proxy = Peer::new(None, Some(OK)).await;
    let refusing = Peer::new(None, Some("HTTP/1.1 407 No\r\ncontent-length: 0\r\n\r\n")).await;
    let through = |proxy: &Peer| {
        format!(
            "proxy = \"http://{}\"\nno_proxy = [\"direct.invalid\"]\n[proxy_login]\n\
             user = \"me\"\npassword_file = \"password\"\n",
            proxy.address
        )
    };
    let http = dir.http(&through(&proxy));
    assert!(!format!("{http:?}").contains("secret"), "{http:?}");
    let node = http.remote("http://node.invalid/rpc").unwrap();
    node.get("a", 2).await.unwrap();
    let heard = proxy.heard().concat();
    assert!(
        heard.starts_with("GET http://node.invalid/rpc/a HTTP/1.1\r\n"),
        "{heard}"
    );
    let login = "proxy-authorization: Basic bWU6cGFzc3dvcmQtdGhhdC1pcy1zZWNyZXQ=\r\n";
    assert!(
        heard
            .to_ascii_lowercase()
            .contains(&login.to_ascii_lowercase()),
        "{heard}"
    );

    let http = dir.http(&through(&refusing));
    let node = http.remote("https://node.invalid:9/rpc").unwrap();
    let found = problem(&node).await;
    assert!(matches!(found, HttpProblem::Proxy(_)), "{found:?}");
    let heard = refusing.heard().concat();
    assert!(
        heard.starts_with("CONNECT node.invalid:9 HTTP/1.1\r\n"),
        "{heard}"
    );

    let direct = http.remote("http://direct.invalid").unwrap();
    assert!(matches!(
        problem(&direct).await,
        HttpProblem::NoConnection(_)
    ));
    let own = Peer::new(None, Some(OK)).await;
    remote(&http, "http", &own).get("a", 2).await.unwrap();
    assert_eq!(refusing.heard().len(), 1);
    assert!(own.heard().concat().starts_with("GET /rpc/a HTTP/1.1\r\n"));
}

#[test]
fn an_address_is_of_a_web_server_and_has_no_secret() {
    for (url, words) in [
        ("", "relative URL without a base"),
        ("127.0.0.1:8545", "relative URL"),
        ("ws://127.0.0.1", "http:// or https:// is expected"),
        ("file:///etc/passwd", "http:// or https:// is expected"),
        ("https://me:secret@node.example", "put them into a `login`"),
        ("https://secret@node.example", "put them into a `login`"),
        ("http://", "empty host"),
    ] {
        let refused = Http::default().remote(url).unwrap_err().to_string();
        assert!(refused.contains(words), "{url}: {refused}");
        assert!(!refused.contains("secret"), "{refused}");
        assert!(Http::check(url).is_err(), "{url}");
    }
    let key = "https://rpc.example/v3/0123456789abcdef0123456789abcdef?key=secret";
    let remote = Http::default().remote(key);
    let shown = match &remote {
        Ok(remote) => remote.shown().to_owned(),
        // A machine without root certificates.
        Err(error) => error.url.clone(),
    };
    assert_eq!(shown, "https://rpc.example/v3/0123…?…");
}
