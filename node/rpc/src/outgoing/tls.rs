//! TLS towards others: rustls on ring, as everywhere here.

use std::sync::{Arc, OnceLock};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};

use super::config::{Identity, Settings};
use super::problem::causes;

/// The roots of the system, read once.
fn system_roots() -> Result<&'static RootCertStore, String> {
    static ROOTS: OnceLock<Result<RootCertStore, String>> = OnceLock::new();
    let read = || {
        let found = rustls_native_certs::load_native_certs();
        let mut roots = RootCertStore::empty();
        let (known, _) = roots.add_parsable_certificates(found.certs);
        if known > 0 {
            return Ok(roots);
        }
        let problem = found.errors.first().map(|error| causes(error));
        Err(problem.unwrap_or_else(|| "there are none".into()))
    };
    ROOTS.get_or_init(read).as_ref().map_err(Clone::clone)
}

/// What a client shows and trusts; nobody, unless `with_roots`.
pub(super) fn client(
    settings: &Settings,
    identity: Option<&Identity>,
    with_roots: bool,
) -> Result<ClientConfig, String> {
    let with_roots = with_roots && settings.pinned.is_empty();
    let mut roots = RootCertStore::empty();
    if with_roots && settings.system_roots {
        match system_roots() {
            Ok(system) => roots = system.clone(),
            Err(problem) if settings.roots.is_empty() => {
                return Err(format!(
                    "this system has no root certificates ({problem}): name a file with them as \
                     `roots` in {}, or install them (package ca-certificates)",
                    super::HTTP_FILE
                ));
            }
            Err(_) => {}
        }
    }
    if with_roots {
        // Each was parsed when the file was read.
        roots.add_parsable_certificates(settings.roots.iter().cloned());
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| causes(&error))?;
    let config = match settings.pinned.is_empty() {
        true => config.with_root_certificates(roots),
        false => config
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Pinned {
                certificates: settings.pinned.clone(),
                provider,
            })),
    };
    let mut config = match identity {
        None => config.with_no_client_auth(),
        Some(identity) => config
            .with_client_auth_cert(identity.certificates.clone(), identity.key.clone_key())
            .map_err(|error| format!("the client certificate cannot be used: {error}"))?,
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// Trusts who has one of these certificates, and its key.
#[derive(Debug)]
struct Pinned {
    certificates: Vec<CertificateDer<'static>>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let is_known = self.certificates.iter().any(|known| known == end_entity);
        match is_known {
            true => Ok(ServerCertVerified::assertion()),
            false => Err(CertificateError::UnknownIssuer.into()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let algorithms = &self.provider.signature_verification_algorithms;
        algorithms.supported_schemes()
    }
}
