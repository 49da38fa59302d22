//! Gateways over gRPC: one connection each, with TLS of its own roots.

use std::time::Duration;

use alloy_primitives::B256;
use futures::future::join_all;
use http::uri::PathAndQuery;
use prost::Message;
use tokio::sync::OnceCell;
use tokio::time::timeout;
use tonic::client::Grpc;
use tonic::codec::Streaming;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};
use tonic::{Code, Request, Status};
use tonic_prost::ProstCodec;

use super::messages::{
    ChaincodeEventsResponse, CommitStatusResponse, EndorseResponse, Envelope, EvaluateResponse,
    ProposalRequest, SignedRequest, SubmitRequest, SubmitResponse,
};
use super::peers::{Evaluated, FabricPeers};
use super::proposal::{Proposal, id_text};
use super::refusal::CallError;
use crate::limits::{
    ANSWER_MS_MAX, COMMIT_WAIT_MS, ENDORSE_MS_MAX, FABRIC_ANSWER_BYTES_MAX, KEEP_ALIVE_MS,
    SUBMIT_MS_MAX,
};

/// How TLS is spoken with gateways; all in PEM.
#[derive(Clone, Default)]
pub struct GatewayTls {
    /// Who may have certified them.
    pub roots: Vec<u8>,
    /// What the relayer shows, if they ask: certificate and key.
    pub client: Option<(Vec<u8>, Vec<u8>)>,
}

struct Gateway {
    address: String,
    endpoint: Endpoint,
    channel: OnceCell<Channel>,
}

/// Gateways of the peers of one channel.
pub struct Gateways {
    all: Vec<Gateway>,
    channel: String,
}

const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";

/// A stream of events of a chaincode, block by block.
pub type EventStream = Streaming<ChaincodeEventsResponse>;

/// The connection would find out only when it is made, and not say why.
fn check_roots(pem: &[u8]) -> Result<(), String> {
    let begins = pem.windows(BEGIN.len()).any(|window| window == BEGIN);
    if !begins {
        return Err("its TLS roots have no certificate in PEM".into());
    }
    x509_cert::Certificate::load_pem_chain(pem)
        .map(|_| ())
        .map_err(|error| format!("its TLS roots are no certificates in PEM: {error}"))
}

impl Gateway {
    fn new(address: &str, tls: &GatewayTls) -> Result<Self, String> {
        let wrong = |error: &dyn std::fmt::Display| format!("{address}: {error}");
        let endpoint = Endpoint::from_shared(address.to_owned()).map_err(|it| wrong(&it))?;
        let mut endpoint = endpoint
            .connect_timeout(Duration::from_millis(ANSWER_MS_MAX))
            .http2_keep_alive_interval(Duration::from_millis(KEEP_ALIVE_MS))
            .keep_alive_timeout(Duration::from_millis(ANSWER_MS_MAX));
        if address.starts_with("https://") {
            check_roots(&tls.roots).map_err(|it| wrong(&it))?;
            let mut config =
                ClientTlsConfig::new().ca_certificate(Certificate::from_pem(&tls.roots));
            if let Some((certificate, key)) = &tls.client {
                config = config.identity(Identity::from_pem(certificate, key));
            }
            endpoint = endpoint.tls_config(config).map_err(|it| wrong(&it))?;
        }
        Ok(Self {
            address: address.into(),
            endpoint,
            channel: OnceCell::new(),
        })
    }

    async fn client(&self) -> Result<Grpc<Channel>, Status> {
        // Only inside a runtime: the connection is one of its tasks.
        let channel = self
            .channel
            .get_or_init(|| async { self.endpoint.connect_lazy() });
        let channel = channel.await.clone();
        let mut grpc = Grpc::new(channel)
            .max_decoding_message_size(FABRIC_ANSWER_BYTES_MAX)
            .max_encoding_message_size(FABRIC_ANSWER_BYTES_MAX);
        let ready = grpc.ready().await;
        ready.map_err(|error| Status::from_error(Box::new(error)))?;
        Ok(grpc)
    }

    async fn call<I, O>(&self, method: &'static str, input: I, within_ms: u64) -> Result<O, Status>
    where
        I: Message + 'static,
        O: Message + Default + 'static,
    {
        let within = Duration::from_millis(within_ms);
        let call = async {
            let mut grpc = self.client().await?;
            let mut request = Request::new(input);
            request.set_timeout(within);
            let path = PathAndQuery::from_static(method);
            let codec = ProstCodec::<I, O>::default();
            Ok::<O, Status>(grpc.unary(request, path, codec).await?.into_inner())
        };
        let answer = timeout(within, call).await;
        answer.unwrap_or_else(|_| {
            let text = format!("{} did not answer within {within_ms} ms", self.address);
            Err(Status::deadline_exceeded(text))
        })
    }
}

impl Gateways {
    /// Gateways at these addresses, for a channel; an address, or what TLS needs, may be wrong.
    pub fn new(addresses: &[String], channel: &str, tls: &GatewayTls) -> Result<Self, String> {
        let all = addresses.iter().map(|address| Gateway::new(address, tls));
        Ok(Self {
            all: all.collect::<Result<_, _>>()?,
            channel: channel.into(),
        })
    }

    /// The answer of the first gateway that gives one.
    async fn first<I, O>(
        &self,
        method: &'static str,
        input: &I,
        within_ms: u64,
    ) -> Result<O, CallError>
    where
        I: Message + Clone + 'static,
        O: Message + Default + 'static,
    {
        let mut last = CallError::Silent("there is no gateway".into());
        for gateway in &self.all {
            match gateway.call(method, input.clone(), within_ms).await {
                Ok(answer) => return Ok(answer),
                Err(status) => last = CallError::of(&status),
            }
            if !matches!(last, CallError::Silent(_)) {
                break;
            }
        }
        Err(last)
    }

    fn request(&self, proposal: &Proposal, organisations: &[String]) -> ProposalRequest {
        ProposalRequest {
            transaction_id: id_text(proposal.id),
            channel_id: self.channel.clone(),
            proposed_transaction: Some(proposal.signed.clone()),
            organisations: organisations.to_vec(),
        }
    }

    /// Events of a chaincode from a position on, from the first gateway that takes the request.
    pub async fn events(&self, request: &SignedRequest) -> Result<EventStream, CallError> {
        let mut last = CallError::Silent("there is no gateway".into());
        for gateway in &self.all {
            let call = async {
                let mut grpc = gateway.client().await?;
                let path = PathAndQuery::from_static("/gateway.Gateway/ChaincodeEvents");
                let codec = ProstCodec::<SignedRequest, ChaincodeEventsResponse>::default();
                let request = Request::new(request.clone());
                grpc.server_streaming(request, path, codec).await
            };
            // Headers come with the first event, so that nothing says how long that takes.
            match call.await {
                Ok(stream) => return Ok(stream.into_inner()),
                Err(status) => last = CallError::of(&status),
            }
        }
        Err(last)
    }
}

impl FabricPeers for Gateways {
    async fn evaluate(&self, proposal: &Proposal) -> Vec<Evaluated> {
        let asked = self.all.iter().map(|gateway| async {
            let request = self.request(proposal, &[]);
            let method = "/gateway.Gateway/Evaluate";
            let answer = gateway.call::<_, EvaluateResponse>(method, request, ANSWER_MS_MAX);
            match answer.await {
                Ok(answer) => Ok(answer.result.unwrap_or_default().payload),
                Err(status) => Err(CallError::of(&status)),
            }
        });
        join_all(asked).await
    }

    async fn endorse(
        &self,
        proposal: &Proposal,
        organisations: &[String],
    ) -> Result<Envelope, CallError> {
        let request = self.request(proposal, organisations);
        let method = "/gateway.Gateway/Endorse";
        let answer: EndorseResponse = self.first(method, &request, ENDORSE_MS_MAX).await?;
        let empty = || CallError::Declined("an answer without a transaction".into());
        answer.prepared_transaction.ok_or_else(empty)
    }

    async fn submit(&self, id: B256, envelope: &Envelope) -> Result<(), CallError> {
        let request = SubmitRequest {
            transaction_id: id_text(id),
            channel_id: self.channel.clone(),
            prepared_transaction: Some(envelope.clone()),
        };
        let method = "/gateway.Gateway/Submit";
        let SubmitResponse {} = self.first(method, &request, SUBMIT_MS_MAX).await?;
        Ok(())
    }

    async fn commit_status(
        &self,
        request: &SignedRequest,
    ) -> Result<Option<CommitStatusResponse>, CallError> {
        let method = "/gateway.Gateway/CommitStatus";
        let mut last = CallError::Silent("there is no gateway".into());
        for gateway in &self.all {
            let call =
                gateway.call::<_, CommitStatusResponse>(method, request.clone(), COMMIT_WAIT_MS);
            match call.await {
                Ok(answer) => return Ok(Some(answer)),
                // The gateway waits until the transaction is in a block.
                Err(status) if status.code() == Code::DeadlineExceeded => return Ok(None),
                Err(status) => last = CallError::of(&status),
            }
        }
        Err(last)
    }
}
