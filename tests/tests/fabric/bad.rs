//! Listeners that are no gateways: pages, silence, wrong certificates, nothing.

use std::time::Duration;

use alloy_primitives::B256;
use tbsi_bridge::fabric::messages::Envelope;
use tbsi_bridge::fabric::{
    CallError, ChaincodeCall, FabricPeers, GatewayTls, Gateways, Identity, IdentityError, Proposal,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// What a listener does with a connection.
#[derive(Clone, Copy)]
enum Manner {
    /// Answers with a page.
    Page,
    /// Closes it.
    Close,
    /// Holds it, and says nothing.
    Hold,
}

async fn listen(manner: Manner) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mut held = Vec::new();
        loop {
            let (mut connection, _) = listener.accept().await.unwrap();
            match manner {
                Manner::Page => {
                    let mut asked = [0; 1_024];
                    let _asked = connection.read(&mut asked).await.unwrap_or(0);
                    let page =
                        "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n\r\n<html>a page</html>";
                    connection.write_all(page.as_bytes()).await.ok();
                }
                Manner::Close => {}
                Manner::Hold => held.push(connection),
            }
        }
    });
    format!("127.0.0.1:{}", address.port())
}

fn somebody() -> (Identity, String) {
    let made = rcgen::generate_simple_self_signed(vec!["somebody.test".into()]).unwrap();
    let pem = made.cert.pem();
    let key = made.key_pair.serialize_pem();
    let identity = Identity::new("Org1MSP", pem.as_bytes(), &key).unwrap();
    (identity, pem)
}

async fn asked(address: &str, roots: &str) -> CallError {
    let (identity, _) = somebody();
    let tls = GatewayTls {
        roots: roots.into(),
        client: None,
    };
    let gateways = Gateways::new(&[address.into()], "channel-1", &tls).unwrap();
    let call = ChaincodeCall::new("tbsi", &["GetStatus", "{}"]);
    let proposal = Proposal::new(&identity, "channel-1", call, 1_700_000_000_000);
    let submitted = gateways.submit(B256::ZERO, &Envelope::default()).await;
    let evaluated = gateways.evaluate(&proposal).await.swap_remove(0);
    // Nothing of it is taken for an answer.
    assert!(
        matches!(submitted, Err(CallError::Silent(_))),
        "{submitted:?}"
    );
    evaluated.unwrap_err()
}

#[tokio::test]
async fn what_is_no_gateway_is_no_answer() {
    let (_, roots) = somebody();
    for (manner, scheme) in [
        (Manner::Page, "http"),
        (Manner::Close, "http"),
        (Manner::Page, "https"),
        (Manner::Close, "https"),
    ] {
        let address = listen(manner).await;
        let error = asked(&format!("{scheme}://{address}"), &roots).await;
        assert!(matches!(error, CallError::Silent(_)), "{error}");
    }
    let error = asked("http://127.0.0.1:1", &roots).await;
    assert!(error.to_string().contains("refused"), "{error}");
}

/// Its time is virtual: nobody waits for it.
#[tokio::test(start_paused = true)]
async fn who_holds_the_connection_is_not_waited_for_for_ever() {
    let (_, roots) = somebody();
    for scheme in ["http", "https"] {
        let address = listen(Manner::Hold).await;
        let address = format!("{scheme}://{address}");
        let asked = asked(&address, &roots);
        let error = tokio::time::timeout(Duration::from_secs(600), asked).await;
        let error = error.expect("it ends");
        assert!(matches!(error, CallError::Silent(_)), "{error}");
    }
}

#[test]
fn files_that_are_no_identity_are_refused_by_name() {
    let made = |name: &str| {
        let made = rcgen::generate_simple_self_signed(vec![name.into()]).unwrap();
        (made.cert.pem(), made.key_pair.serialize_pem())
    };
    let ((certificate, key), (_, other)) = (made("one.test"), made("two.test"));
    let new = |certificate: &str, key: &str| {
        Identity::new("Org1MSP", certificate.as_bytes(), key).unwrap_err()
    };
    assert!(matches!(new(&certificate, &other), IdentityError::OtherKey));
    for bad in ["", "text", &key, &certificate[..100]] {
        let error = new(bad, &key);
        assert!(matches!(error, IdentityError::Certificate(_)), "{error}");
    }
    for bad in ["", "text", &certificate, &key[..60]] {
        let error = new(&certificate, bad);
        assert!(matches!(error, IdentityError::Key(_)), "{error}");
    }
}

#[test]
fn roots_that_are_none_are_refused() {
    let tls = GatewayTls {
        roots: b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_vec(),
        client: None,
    };
    let made = Gateways::new(&["https://127.0.0.1:1".into()], "channel-1", &tls);
    let Err(said) = made else {
        panic!("it was taken");
    };
    assert!(said.contains("https://127.0.0.1:1"), "{said}");
    assert!(Gateways::new(&["not an address".into()], "c", &GatewayTls::default()).is_err());
}
