//! TLS: a client that knows the certificate is served, and a new certificate needs no restart.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures::{AsyncReadExt as _, AsyncWriteExt as _};
use futures_rustls::TlsConnector;
use futures_rustls::client::TlsStream;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tbsi_rpc::wire::{LeafFilter, LeafNotice};
use tbsi_rpc::{Client, ClientError, Http, HttpProblem, RpcError, ServerConfig, TlsFiles};
use tbsi_types::LeafIndex;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_util::compat::{Compat, TokioAsyncReadCompatExt as _};

use crate::chain::Chain;
use crate::http::{Fixture, config, exchange};
use crate::transactions::CHAIN_ID;

/// A certificate for `localhost`, in both forms, and its key.
struct Issued {
    pem: String,
    der: CertificateDer<'static>,
    key: String,
}

fn issue() -> Issued {
    let pair = rcgen::generate_simple_self_signed(vec!["localhost".to_string()]).unwrap();
    let pem = pair.cert.pem();
    Issued {
        der: CertificateDer::from_pem_slice(pem.as_bytes()).unwrap(),
        pem,
        key: pair.key_pair.serialize_pem(),
    }
}

/// Its owner alone may read it.
fn write_key(file: &Path, issued: &Issued) {
    std::fs::write(file, &issued.key).unwrap();
    std::fs::set_permissions(file, Permissions::from_mode(0o600)).unwrap();
}

async fn connect(
    fixture: &Fixture,
    trusted: &Issued,
) -> std::io::Result<TlsStream<Compat<TcpStream>>> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.der.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(fixture.address()).await?.compat();
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(client))
        .connect(name, stream)
        .await
}

async fn ask(mut stream: TlsStream<Compat<TcpStream>>) -> String {
    const REQUEST: &str = "GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    stream.write_all(REQUEST.as_bytes()).await.unwrap();
    stream.flush().await.unwrap();
    let mut answer = Vec::new();
    // Whether the server says goodbye is not asked here.
    stream.read_to_end(&mut answer).await.ok();
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn a_new_certificate_needs_no_restart() {
    let dir = tempfile::tempdir().unwrap();
    let files = TlsFiles {
        certificate: dir.path().join("certificate.pem"),
        key: dir.path().join("key.pem"),
    };
    let write = |issued: &Issued| {
        std::fs::write(&files.certificate, &issued.pem).unwrap();
        write_key(&files.key, issued);
    };
    let (first, second) = (issue(), issue());
    write(&first);
    let with_tls = || ServerConfig {
        tls: Some(files.clone()),
        ..config()
    };
    let fixture = Fixture::with(with_tls()).await;
    let answer = ask(connect(&fixture, &first).await.unwrap()).await;
    assert!(answer.contains("This is a TBSI node"), "{answer}");
    assert!(connect(&fixture, &second).await.is_err());
    let plain = exchange(fixture.address(), "GET", &[], b"").await;
    assert_ne!(plain.status, 200, "it speaks TLS only");

    std::fs::write(&files.certificate, "no certificate").unwrap();
    let kept = connect(&fixture, &first).await;
    assert!(kept.is_ok(), "the last one stays in use");
    write(&second);
    let renewed = async {
        loop {
            match connect(&fixture, &second).await {
                Ok(stream) => return ask(stream).await,
                Err(_) => tokio::task::yield_now().await,
            }
        }
    };
    let renewed = timeout(Duration::from_secs(20), renewed).await.unwrap();
    assert!(renewed.contains("This is a TBSI node"), "{renewed}");

    std::fs::write(&files.key, &first.key).unwrap();
    let refused = tbsi_rpc::listen(with_tls(), Arc::new(Chain::new())).await;
    let refused = refused.err().unwrap();
    assert!(matches!(refused, RpcError::Tls { .. }), "{refused}");
    assert_eq!(refused.to_string(), "config key `rpc.tls`");
}

/// Calls over https, the files of the log, and a subscription over wss.
#[tokio::test]
async fn our_client_speaks_tls() {
    let dir = tempfile::tempdir().unwrap();
    let files = TlsFiles {
        certificate: dir.path().join("certificate.pem"),
        key: dir.path().join("key.pem"),
    };
    let issued = issue();
    std::fs::write(&files.certificate, &issued.pem).unwrap();
    write_key(&files.key, &issued);
    let with_tls = ServerConfig {
        tls: Some(files),
        ..config()
    };
    let fixture = Fixture::with(with_tls).await;
    fixture.chain.grow_log(3);
    let file = dir.path().join("http.toml");
    std::fs::write(&file, "roots = [\"certificate.pem\"]\n").unwrap();
    let http = Http::open(&file).unwrap();
    let url = format!("https://localhost:{}", fixture.address().port());
    let client = Client::through(&http, &url).unwrap();
    assert_eq!(client.chain_id().await.unwrap(), CHAIN_ID);
    let count = client.log().unwrap().handover_count().await.unwrap();
    assert_eq!(count, 3);
    let from = LeafFilter {
        from_index: Some(LeafIndex(1)),
        ..LeafFilter::default()
    };
    let mut leaves = client.leaves(&from).await.unwrap();
    for index in [1, 2] {
        let Some(LeafNotice::Leaf(leaf)) = leaves.next().await.unwrap() else {
            panic!("no leaf {index}");
        };
        assert_eq!(leaf.index, LeafIndex(index));
    }
    // The certificate itself is believed, whatever name it has; another is not.
    let by_address = format!("https://{}", fixture.address());
    let pinned = Http::default().pinned(&dir.path().join("certificate.pem"));
    let known = Client::through(&pinned.unwrap(), &by_address).unwrap();
    assert_eq!(known.chain_id().await.unwrap(), CHAIN_ID);
    std::fs::write(dir.path().join("other.pem"), issue().pem).unwrap();
    let pinned = Http::default().pinned(&dir.path().join("other.pem"));
    let other = Client::through(&pinned.unwrap(), &by_address).unwrap();
    let refused = other.chain_id().await.unwrap_err().to_string();
    assert!(
        refused.contains("its certificate is not trusted"),
        "{refused}"
    );
    assert!(Http::default().pinned(&file).is_err());
    let stranger = Client::through(&Http::default(), &url);
    // Refused at once where the system has no roots at all.
    if let Ok(stranger) = stranger {
        let refused = stranger.chain_id().await.unwrap_err();
        let ClientError::Unreachable { problem, .. } = refused else {
            panic!("{refused}");
        };
        assert!(matches!(problem, HttpProblem::Untrusted(_)), "{problem}");
    }
}
