//! Organisations that govern a test network, and what they sign.

use alloy_consensus::TxEip1559;
use alloy_eips::BlockNumberOrTag;
use alloy_primitives::{Address, B256, Bytes, TxKind};
use ed25519_dalek::{Signer as _, SigningKey};
use tbsi_bindings::SolCall;
pub use tbsi_bindings::genesis::Motions::{
    addOrganisationCall, amendOrganisationCall, executeCall, motionCountCall, proposeCall,
    removeOrganisationCall, statusOfCall, suspendOrganisationCall, voteCall,
};
pub use tbsi_bindings::genesis::Nodes::{
    addValidatorCall, nodeByNameCall, registerNodeCall, removeValidatorCall, rotateValidatorKeyCall,
};
pub use tbsi_bindings::genesis::Organisations::organisationCountCall;
pub use tbsi_bindings::genesis::Permissions::{
    addAccountCall, grantCall, setPublicPermissionsCall, setQuotaCall,
};
use tbsi_bindings::genesis::Signature as Proof;
pub use tbsi_bindings::genesis::{Admission, Details, Possession, Registration};
use tbsi_governance::abi::{MOTIONS, NODES};
use tbsi_governance::consent::{Joining, consent};
use tbsi_keys::keyfile::LogKey;
use tbsi_rpc::Client;
use tbsi_types::roster::peer_key_of;
use tbsi_types::{ChainIdentity, Height, SecretKey, sha256};

use crate::harness::{Sender, wait_receipt};

/// Numbers of kinds of motions (`IMotions.Kind`).
pub mod kind {
    /// `addOrganisation`.
    pub const ADD_ORGANISATION: u8 = 1;
    /// `suspendOrganisation`.
    pub const SUSPEND_ORGANISATION: u8 = 2;
    /// `removeOrganisation`.
    pub const REMOVE_ORGANISATION: u8 = 3;
    /// `reinstateOrganisation`.
    pub const REINSTATE_ORGANISATION: u8 = 4;
    /// `amendOrganisation`.
    pub const AMEND_ORGANISATION: u8 = 5;
    /// `addValidator`.
    pub const ADD_VALIDATOR: u8 = 6;
    /// `removeValidator`.
    pub const REMOVE_VALIDATOR: u8 = 7;
    /// `setQuota`.
    pub const SET_QUOTA: u8 = 10;
    /// `setPublicPermissions`.
    pub const SET_PUBLIC_PERMISSIONS: u8 = 12;
    /// `Upgrades.schedule`.
    pub const SCHEDULE_UPGRADE: u8 = 17;
}

/// Gas of an act; the largest needs a fraction.
const GAS: u64 = 8_000_000;
/// Every permission.
pub const EVERYTHING: u32 = 63;
/// A deadline that no test reaches.
const DEADLINE: u64 = 4_000_000_000;

/// Calls a contract and returns what it answers.
pub async fn ask<C: SolCall>(client: &Client, to: Address, call: &C) -> C::Return {
    let request = serde_json::json!({ "to": to, "data": Bytes::from(call.abi_encode()) });
    let answer: Bytes = client
        .request("eth_call", &[request, "latest".into()])
        .await
        .unwrap_or_else(|error| panic!("{}: {error}", C::SIGNATURE));
    C::abi_decode_returns(&answer).expect("the contract answers in its own ABI")
}

/// An account that acts on contracts, one act after the other.
pub struct Actor {
    sender: Sender,
}

impl Actor {
    /// With the key of a node's own account, or any other.
    pub fn new(key: SecretKey, chain_id: u64) -> Self {
        Self {
            sender: Sender::of(key, chain_id),
        }
    }

    /// Its address.
    pub fn address(&self) -> Address {
        self.sender.address()
    }

    /// Creates a contract with this code and returns where it is.
    pub async fn deploy(&self, client: &Client, code: &[u8]) -> Address {
        let latest = BlockNumberOrTag::Latest;
        let nonce = client.transaction_count(self.address(), latest).await;
        let nonce = nonce.expect("the node answers");
        let [high, low] = u16::try_from(code.len()).expect("EIP-170").to_be_bytes();
        // PUSH2 length, DUP1, PUSH1 10, PUSH0, CODECOPY, PUSH0, RETURN.
        let copy = [0x61, high, low, 0x80, 0x60, 10, 0x5f, 0x39, 0x5f, 0xf3];
        let encoded = self.sender.sign(TxEip1559 {
            chain_id: self.sender.chain_id(),
            nonce,
            gas_limit: GAS,
            to: TxKind::Create,
            input: [&copy[..], code].concat().into(),
            ..TxEip1559::default()
        });
        let sent = client.send_raw_transaction(&encoded).await;
        let hash = sent.unwrap_or_else(|error| panic!("deploy: {error}"));
        wait_receipt(client, hash).await;
        self.address().create(nonce)
    }

    /// Sends a call and waits until it is final; fails if it reverts.
    pub async fn act(&self, client: &Client, to: Address, call: &impl SolCall) -> Height {
        let latest = BlockNumberOrTag::Latest;
        let nonce = client.transaction_count(self.address(), latest).await;
        let input = Bytes::from(call.abi_encode());
        let encoded = self.sender.sign(TxEip1559 {
            chain_id: self.sender.chain_id(),
            nonce: nonce.expect("the node answers"),
            gas_limit: GAS,
            to: TxKind::Call(to),
            input: input.clone(),
            ..TxEip1559::default()
        });
        let sent = client.send_raw_transaction(&encoded).await;
        let hash = sent.unwrap_or_else(|error| panic!("{to}: {error}"));
        let height = wait_receipt(client, hash).await;
        let receipt = client.transaction_receipt(hash).await;
        let receipt = receipt.expect("the node answers").expect("it is final");
        if !receipt.status() {
            let request = serde_json::json!({ "from": self.address(), "to": to, "data": input });
            let again: Result<Bytes, _> = client
                .request("eth_call", &[request, "latest".into()])
                .await;
            panic!("{to} refuses {input}: {again:?}");
        }
        height
    }
}

/// Proposes a motion, lets everybody vote yes until it passes, and carries it out.
pub async fn decide(client: &Client, council: &[&Actor], kind: u8, call: &impl SolCall) -> Height {
    let arguments = Bytes::from(call.abi_encode()[4..].to_vec());
    let proposal = proposeCall { kind, arguments };
    council[0].act(client, MOTIONS, &proposal).await;
    let motion = ask(client, MOTIONS, &motionCountCall {}).await;
    let yes = voteCall { motion, choice: 1 };
    for actor in council {
        actor.act(client, MOTIONS, &yes).await;
        if passed(client, motion).await {
            break;
        }
    }
    council[0]
        .act(client, MOTIONS, &executeCall { motion })
        .await
}

/// Whether a motion can be executed now.
async fn passed(client: &Client, motion: u32) -> bool {
    let status = ask(client, MOTIONS, &statusOfCall { motion }).await;
    const EXECUTABLE: u8 = 3;
    status == EXECUTABLE
}

/// A fictitious association.
pub fn association(number: u16, name_zh_tw: &str, name_en: &str) -> Details {
    let tax_id = (0..10)
        .map(|digit| format!("998{number:04}{digit}"))
        .find(|id| tbsi_governance::identifiers::check_tax_id(id).is_ok());
    Details {
        nameZhTw: name_zh_tw.into(),
        nameEn: name_en.into(),
        kind: 1,
        votes: true,
        taxId: tax_id.expect("one of ten last digits fits"),
        lei: String::new(),
        jurisdiction: "TW".into(),
        agreementHash: sha256(&[b"agreement"]),
        credentialHash: B256::ZERO,
        contactUrl: String::new(),
    }
}

/// The call by which an administrator of `organisation` takes an account in that has agreed, for
/// the first time, to join it.
pub fn joining(chain_id: u64, organisation: u32, key: &SecretKey, bits: u32) -> addAccountCall {
    let joining = Joining {
        chain_id,
        organisation,
        account: key.public_key().address(),
        permissions: bits,
        nonce: 0,
        deadline: DEADLINE,
    };
    addAccountCall {
        account: joining.account,
        permissions: bits,
        consent: consent(&joining, key),
    }
}

/// Keys of a node that is to be registered.
pub struct NodeKeys<'a> {
    /// Its unique name.
    pub name: &'a str,
    /// Seed of its libp2p identity.
    pub peer_seed: [u8; 32],
    /// Its libp2p id.
    pub peer_id: &'a str,
    /// Its validator key.
    pub validator: &'a SecretKey,
    /// Its key for the log.
    pub log: &'a LogKey,
}

fn possession(chain: &ChainIdentity, organisation: u32, kind: u8, key: &[u8]) -> B256 {
    sha256(&[
        b"TBSI-POSSESSION-1",
        &chain.chain_id.to_be_bytes(),
        chain.genesis_hash.as_slice(),
        &organisation.to_be_bytes(),
        &[kind],
        key,
        &DEADLINE.to_be_bytes(),
    ])
}

/// A proof that whoever signs holds a validator key.
fn validator_proof(chain: &ChainIdentity, organisation: u32, key: &SecretKey) -> Proof {
    let digest = possession(chain, organisation, 2, &key.public_key().encode());
    let signature = key.sign(digest).0;
    Proof {
        r: B256::from_slice(&signature[..32]),
        s: B256::from_slice(&signature[32..64]),
        v: signature[64],
    }
}

/// The call that registers a node, with proofs of possession.
pub fn registration(
    chain: &ChainIdentity,
    organisation: u32,
    keys: &NodeKeys<'_>,
) -> registerNodeCall {
    let peer_key = peer_key_of(keys.peer_id).expect("a peer id of an Ed25519 key");
    let digest = possession(chain, organisation, 1, &peer_key);
    let peer = SigningKey::from_bytes(&keys.peer_seed).sign(digest.as_slice());
    let digest = possession(chain, organisation, 3, &keys.log.public_key());
    let log = keys.log.sign(digest.as_slice());
    let (x, y) = keys.validator.public_key().coordinates();
    registerNodeCall {
        registration: Registration {
            name: keys.name.into(),
            endpoint: String::new(),
            version: String::new(),
            peerKey: peer_key.into(),
            validatorX: x,
            validatorY: y,
            logKey: keys.log.public_key().into(),
        },
        possession: Possession {
            deadline: DEADLINE,
            peer: ed25519_proof(&peer.to_bytes()),
            validator: validator_proof(chain, organisation, keys.validator),
            log: ed25519_proof(&log),
        },
    }
}

fn ed25519_proof(signature: &[u8; 64]) -> Proof {
    Proof {
        r: B256::from_slice(&signature[..32]),
        s: B256::from_slice(&signature[32..]),
        v: 0,
    }
}

/// The call that gives a node another validator key.
pub async fn rotation(
    client: &Client,
    chain: &ChainIdentity,
    organisation: u32,
    node: &str,
    next: &SecretKey,
) -> rotateValidatorKeyCall {
    let (x, y) = next.public_key().coordinates();
    rotateValidatorKeyCall {
        node: ask(client, NODES, &nodeByNameCall { name: node.into() }).await,
        x,
        y,
        proof: validator_proof(chain, organisation, next),
        deadline: DEADLINE,
    }
}
