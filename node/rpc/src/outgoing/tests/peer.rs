//! Somebody who answers as a test wants, with a certificate or without.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use futures::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use futures_rustls::TlsAcceptor;
use rcgen::{BasicConstraints, Certificate, CertificateParams, IsCa, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::compat::TokioAsyncReadCompatExt as _;

use super::super::{Http, Remote};

/// An authority of the tests.
pub(super) struct Authority {
    certificate: Certificate,
    key: KeyPair,
}

/// A certificate and its key, in PEM.
pub(super) struct Pair {
    pub(super) certificate: String,
    pub(super) key: String,
}

impl Authority {
    pub(super) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Self { certificate, key }
    }

    pub(super) fn pem(&self) -> String {
        self.certificate.pem()
    }

    /// A certificate for this name, valid or long expired.
    pub(super) fn issue(&self, name: &str, is_valid: bool) -> Pair {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        if !is_valid {
            params.not_before = rcgen::date_time_ymd(2001, 1, 1);
            params.not_after = rcgen::date_time_ymd(2002, 1, 1);
        }
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.certificate, &self.key);
        Pair {
            certificate: certificate.unwrap().pem(),
            key: key.serialize_pem(),
        }
    }

    /// TLS with this certificate; of clients one by `clients` is wanted, if that is somebody.
    pub(super) fn tls(pair: &Pair, clients: Option<&Self>) -> Arc<ServerConfig> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider));
        let builder = builder.with_safe_default_protocol_versions().unwrap();
        let builder = match clients {
            None => builder.with_no_client_auth(),
            Some(authority) => {
                let mut roots = RootCertStore::empty();
                roots.add(authority.certificate.der().clone()).unwrap();
                let verifier =
                    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                builder.with_client_cert_verifier(verifier.build().unwrap())
            }
        };
        let certificate =
            rustls::pki_types::CertificateDer::from_pem_slice(pair.certificate.as_bytes());
        let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).unwrap();
        let config = builder.with_single_cert(vec![certificate.unwrap()], key);
        Arc::new(config.unwrap())
    }
}

/// Answers every request with the same bytes and closes, or holds the connection.
pub(super) struct Peer {
    pub(super) address: SocketAddr,
    heard: Arc<Mutex<Vec<String>>>,
    _answering: JoinSet<()>,
}

impl Peer {
    pub(super) async fn new(tls: Option<Arc<ServerConfig>>, answer: Option<&str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (hears, answer) = (Arc::clone(&heard), answer.map(str::to_owned));
        let mut answering = JoinSet::new();
        answering.spawn(async move {
            let mut held = Vec::new();
            while let Ok((stream, _)) = listener.accept().await {
                let Some(answer) = &answer else {
                    held.push(stream);
                    continue;
                };
                serve(stream, tls.as_ref(), answer, &hears).await;
            }
        });
        Self {
            address,
            heard,
            _answering: answering,
        }
    }

    /// Heads of the requests so far.
    pub(super) fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }
}

async fn serve(
    stream: TcpStream,
    tls: Option<&Arc<ServerConfig>>,
    answer: &str,
    heard: &Mutex<Vec<String>>,
) {
    match tls {
        None => say(stream.compat(), answer, heard).await,
        Some(config) => {
            let accepted = TlsAcceptor::from(Arc::clone(config)).accept(stream.compat());
            if let Ok(stream) = accepted.await {
                say(stream, answer, heard).await;
            }
        }
    }
}

async fn say(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    answer: &str,
    heard: &Mutex<Vec<String>>,
) {
    let mut head = Vec::new();
    let mut byte = [0];
    // TLS where plain HTTP is spoken begins with 22 and has no end of a head.
    while !head.ends_with(b"\r\n\r\n") && head.first() != Some(&22) {
        match stream.read(&mut byte).await {
            Ok(1) => head.push(byte[0]),
            Ok(_) | Err(_) => return,
        }
    }
    let text = String::from_utf8_lossy(&head).into_owned();
    heard.lock().unwrap().push(text);
    // Who stops listening before the end is not of interest here.
    stream.write_all(answer.as_bytes()).await.ok();
    stream.close().await.ok();
}

/// A directory with `http.toml` and what that names.
pub(super) struct Dir(tempfile::TempDir);

impl Dir {
    pub(super) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }

    /// A file that only its owner may read.
    pub(super) fn write(&self, name: &str, text: &str) -> PathBuf {
        use std::os::unix::fs::PermissionsExt as _;
        let file = self.path().join(name);
        std::fs::write(&file, text).unwrap();
        let private = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(&file, private).unwrap();
        file
    }

    pub(super) fn http(&self, text: &str) -> Http {
        let file = self.write("http.toml", text);
        Http::open(&file).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    /// Why the file is refused.
    pub(super) fn refusal(&self, text: &str) -> String {
        let file = self.write("http.toml", text);
        let refused = Http::open(&file).expect_err(text);
        super::super::problem::causes(&refused)
    }
}

/// The address at which a certificate for `localhost` is good.
pub(super) fn remote(http: &Http, scheme: &str, peer: &Peer) -> Remote {
    let url = format!("{scheme}://localhost:{}/rpc", peer.address.port());
    http.remote(&url).unwrap()
}
