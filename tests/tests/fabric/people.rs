//! Members of the channel who are no relayers: they open the client, name relayers, and send.

use std::fs;

use alloy_primitives::{B256, hex};
use prost::Message;
use serde_json::json;
use tbsi_bridge::evm::validator_set;
use tbsi_bridge::fabric::messages::{
    CommitStatusRequest, CommitStatusResponse, Envelope, SignedRequest,
};
use tbsi_bridge::fabric::{
    CallError, ChaincodeCall, EndorsedCall, FabricPeers, GatewayTls, Gateways, Identity, Proposal,
    id_text,
};
use tbsi_bridge::relay::now_ms;
use tbsi_tests::bridge::chain::Chain;
use tbsi_tests::harness::eventually;

use crate::real::{Enrolment, Organisation, Told};

/// Who answers for the relayer.
pub(crate) const NAMES: (&str, &str) = ("Test Association Fabric", "台灣測試公會鏈");

/// Somebody with the gateways of both organisations.
pub(crate) struct Member {
    pub(crate) identity: Identity,
    pub(crate) gateways: Gateways,
    channel: String,
    chaincode: String,
}

/// The gateways of both organisations, in this order.
pub(crate) fn gateways(told: &Told, roots: Option<&[u8]>) -> Gateways {
    let all = told.organisations.iter();
    let addresses: Vec<String> = all.clone().map(|it| it.gateway.clone()).collect();
    let own = || {
        all.flat_map(|it| fs::read(&it.tls_roots).unwrap())
            .collect()
    };
    let tls = GatewayTls {
        roots: roots.map_or_else(own, <[u8]>::to_vec),
        client: None,
    };
    Gateways::new(&addresses, &told.channel, &tls).unwrap()
}

impl Member {
    pub(crate) fn new(told: &Told, of: &Organisation, who: &Enrolment) -> Self {
        let certificate = fs::read(&who.certificate).unwrap();
        let key = fs::read_to_string(&who.key).unwrap();
        Self {
            identity: Identity::new(&of.msp_id, &certificate, &key).unwrap(),
            gateways: gateways(told, None),
            channel: told.channel.clone(),
            chaincode: told.chaincode.clone(),
        }
    }

    pub(crate) fn propose(&self, chaincode: &str, args: &[&str]) -> Proposal {
        let call = ChaincodeCall::new(chaincode, args);
        Proposal::new(&self.identity, &self.channel, call, now_ms())
    }

    /// What the first gateway answers.
    pub(crate) async fn ask(&self, function: &str, argument: &str) -> Result<Vec<u8>, CallError> {
        let proposal = self.propose(&self.chaincode, &[function, argument]);
        self.gateways.evaluate(&proposal).await.swap_remove(0)
    }

    /// A call that is endorsed and signed, and not sent yet.
    pub(crate) async fn endorse(
        &self,
        function: &str,
        argument: &str,
    ) -> Result<(B256, Envelope), CallError> {
        let proposal = self.propose(&self.chaincode, &[function, argument]);
        let mut envelope = self.gateways.endorse(&proposal, &[]).await?;
        let call = EndorsedCall::parse(&envelope.payload).unwrap();
        call.require(&proposal, &["tbsi/".into()]).unwrap();
        assert_eq!(call.organisations().len(), 2, "{}", call.name());
        envelope.signature = self.identity.sign(&envelope.payload);
        Ok((proposal.id, envelope))
    }

    /// What became of a transaction, once it is in a block.
    pub(crate) async fn fate(&self, id: B256) -> CommitStatusResponse {
        let request = CommitStatusRequest {
            transaction_id: id_text(id),
            channel_id: self.channel.clone(),
            identity: self.identity.creator().to_vec(),
        };
        let request = request.encode_to_vec();
        let request = SignedRequest {
            signature: self.identity.sign(&request),
            request,
        };
        let mut found = None;
        eventually("it is in a block", async || {
            found = self.gateways.commit_status(&request).await.unwrap();
            found.is_some()
        })
        .await;
        found.unwrap()
    }

    /// Has a call done; what the peers found of it.
    pub(crate) async fn invoke(&self, function: &str, argument: &str) -> i32 {
        let endorsed = self.endorse(function, argument).await;
        let (id, envelope) = endorsed.unwrap_or_else(|error| panic!("{function}: {error}"));
        self.gateways.submit(id, &envelope).await.unwrap();
        self.fate(id).await.result
    }

    /// Opens the client with the chain's newest checkpoint, for which the administrator vouches.
    pub(crate) async fn open(&self, chain: &Chain) {
        let argument = {
            let held = chain.held();
            let decision = held.decisions.last().unwrap();
            let next = held.sets.last().unwrap();
            json!({
                "adminMspId": self.identity.msp_id(), "adminUnit": "admin",
                "chainId": held.genesis.chain_id, "genesisHash": held.genesis.hash(),
                "checkpoint": hex::encode_prefixed(decision.checkpoint.encode()),
                "validatorSet": hex::encode_prefixed(validator_set(&next.named)),
                "strict": true, "trustPeriodSeconds": 86_400,
            })
        };
        assert_eq!(self.invoke("InitClient", &argument.to_string()).await, 0);
    }

    /// Names a relayer.
    pub(crate) async fn register(&self, relayer: &Identity) {
        let argument = json!({
            "mspId": relayer.msp_id(), "active": true,
            "certificateSha256": hex::encode_prefixed(relayer.certificate()),
            "nameEn": NAMES.0, "nameZhTw": NAMES.1,
        });
        assert_eq!(self.invoke("SetRelayer", &argument.to_string()).await, 0);
    }
}
