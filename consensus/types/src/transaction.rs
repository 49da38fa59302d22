//! Ethereum transactions: parsed and verified once (SPEC §5.1), built and signed in one place.

mod signing;

use alloy_consensus::{EthereumTxEnvelope, Transaction as _, TxEip4844};
use alloy_eips::eip2718::{Decodable2718, Encodable2718};
use alloy_primitives::{Address, B256, Bytes, Signature as EthSignature};
use secp256k1::ecdsa::{RecoverableSignature, RecoveryId};
use secp256k1::{Message, SECP256K1};

use crate::limits::{TRANSACTION_BYTES_MAX, TRANSACTION_GAS_MAX};

pub use signing::{SignedTransaction, UnsignedTransaction, sign};

/// A signed Ethereum transaction of any type (EIP-2718).
pub type TxEnvelope = EthereumTxEnvelope<TxEip4844>;

/// What a transaction did: type, status, cumulative gas, logs.
pub type Receipt = alloy_consensus::ReceiptEnvelope;

/// Why bytes are not a transaction that this chain takes. The words are go-ethereum's, which
/// wallets match on.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum TransactionError {
    /// Above the size limit.
    #[error(
        "oversized data: transaction size {size}, limit {TRANSACTION_BYTES_MAX}; split the data \
         over several transactions"
    )]
    TooLarge {
        /// Bytes given.
        size: usize,
    },
    /// Not RLP, not a known type, or bytes left over.
    #[error("rlp: {0}; expected are the bytes of one signed transaction (EIP-2718)")]
    Malformed(String),
    /// A type that TBSI does not take: blobs (EIP-4844).
    #[error("transaction type not supported; types 0, 1, 2 and 4 are")]
    TypeNotSupported,
    /// No chain id: could be replayed from anywhere.
    #[error(
        "only replay-protected (EIP-155) transactions allowed over RPC; sign with the chain id"
    )]
    Unprotected,
    /// Signed for another chain.
    #[error("invalid chain id for signer: have {have} want {want}; sign again with {want}")]
    ChainId {
        /// In the transaction.
        have: u64,
        /// Of this chain.
        want: u64,
    },
    /// High s, or no key recovers.
    #[error("invalid sender: signature does not recover (r, s or v out of range)")]
    Signature,
    /// Tip above the fee cap; TBSI charges neither, but the transaction is ill-formed.
    #[error("max priority fee per gas higher than max fee per gas: tip {tip}, cap {cap}")]
    TipAboveFeeCap {
        /// maxPriorityFeePerGas.
        tip: u128,
        /// maxFeePerGas.
        cap: u128,
    },
    /// Above EIP-7825.
    #[error(
        "transaction gas limit too high (cap: {TRANSACTION_GAS_MAX}, tx: {gas}); ask for less, \
         or split the work over several transactions"
    )]
    GasLimitTooHigh {
        /// Gas asked for.
        gas: u64,
    },
    /// Sender nonce may not be 2^64 - 1 (EIP-2681).
    #[error("nonce has max value")]
    NonceMax,
    /// A set-code transaction needs authorizations (EIP-7702).
    #[error("EIP-7702 transaction with empty auth list")]
    EmptyAuthorizationList,
    /// A set-code transaction cannot create.
    #[error("EIP-7702 transaction cannot be used to create contract")]
    SetCodeCreate,
}

/// A transaction whose bytes, shape, chain id and signature were verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction {
    envelope: TxEnvelope,
    sender: Address,
    encoded: Bytes,
}

impl Transaction {
    /// Parses EIP-2718 bytes and verifies all that needs no state.
    pub fn parse_and_verify(encoded: &[u8], chain_id: u64) -> Result<Self, TransactionError> {
        let envelope = parse(encoded)?;
        check_shape(&envelope, chain_id)?;
        let sender = recover_sender(&envelope)?;
        Ok(Self {
            envelope,
            sender,
            encoded: Bytes::copy_from_slice(encoded),
        })
    }

    /// Accepts transactions of an unknown chain or without chain id, which conformance tests
    /// carry; the signature is still verified.
    pub fn parse_any_chain(encoded: &[u8]) -> Result<Self, TransactionError> {
        let envelope = TxEnvelope::decode_2718_exact(encoded)
            .map_err(|error| TransactionError::Malformed(error.to_string()))?;
        let sender = recover_sender(&envelope)?;
        Ok(Self {
            envelope,
            sender,
            encoded: Bytes::copy_from_slice(encoded),
        })
    }

    /// A transaction that this node verified before it stored it: bytes and sender come from
    /// its own database, so the signature is not checked again.
    pub fn from_stored(encoded: Bytes, sender: Address) -> Result<Self, TransactionError> {
        let envelope = TxEnvelope::decode_2718_exact(&encoded)
            .map_err(|error| TransactionError::Malformed(error.to_string()))?;
        Ok(Self {
            envelope,
            sender,
            encoded,
        })
    }

    /// The signed transaction.
    pub fn envelope(&self) -> &TxEnvelope {
        &self.envelope
    }

    /// Who signed it.
    pub fn sender(&self) -> Address {
        self.sender
    }

    /// Keccak-256 of the encoding.
    pub fn hash(&self) -> B256 {
        *self.envelope.tx_hash()
    }

    /// The sender's nonce.
    pub fn nonce(&self) -> u64 {
        self.envelope.nonce()
    }

    /// EIP-2718 bytes.
    pub fn encoded(&self) -> &Bytes {
        &self.encoded
    }
}

/// Bytes to envelope, bounded, nothing left over.
fn parse(encoded: &[u8]) -> Result<TxEnvelope, TransactionError> {
    if encoded.len() > TRANSACTION_BYTES_MAX {
        return Err(TransactionError::TooLarge {
            size: encoded.len(),
        });
    }
    if matches!(encoded.first(), Some(0x03 | 0x05..=0x7f)) {
        return Err(TransactionError::TypeNotSupported);
    }
    let envelope = TxEnvelope::decode_2718_exact(encoded)
        .map_err(|error| TransactionError::Malformed(error.to_string()))?;
    // One encoding per transaction: whoever re-encodes must get these bytes, or two nodes
    // would keep different bytes for one hash.
    if envelope.encoded_2718() != encoded {
        return Err(TransactionError::Malformed(
            "not the canonical encoding".into(),
        ));
    }
    Ok(envelope)
}

fn check_shape(envelope: &TxEnvelope, chain_id: u64) -> Result<(), TransactionError> {
    if matches!(envelope, TxEnvelope::Eip4844(_)) {
        return Err(TransactionError::TypeNotSupported);
    }
    match envelope.chain_id() {
        None => return Err(TransactionError::Unprotected),
        Some(have) if have != chain_id => {
            return Err(TransactionError::ChainId {
                have,
                want: chain_id,
            });
        }
        Some(_) => {}
    }
    if let Some(tip) = envelope.max_priority_fee_per_gas() {
        let cap = envelope.max_fee_per_gas();
        if tip > cap {
            return Err(TransactionError::TipAboveFeeCap { tip, cap });
        }
    }
    if envelope.gas_limit() > TRANSACTION_GAS_MAX {
        return Err(TransactionError::GasLimitTooHigh {
            gas: envelope.gas_limit(),
        });
    }
    if envelope.nonce() == u64::MAX {
        return Err(TransactionError::NonceMax);
    }
    if let Some(authorizations) = envelope.authorization_list() {
        if authorizations.is_empty() {
            return Err(TransactionError::EmptyAuthorizationList);
        }
        if envelope.is_create() {
            return Err(TransactionError::SetCodeCreate);
        }
    }
    Ok(())
}

/// ecrecover by libsecp256k1: five times the speed of the portable crate.
fn recover_sender(envelope: &TxEnvelope) -> Result<Address, TransactionError> {
    recover(envelope.signature(), envelope.signature_hash()).ok_or(TransactionError::Signature)
}

fn recover(signature: &EthSignature, digest: B256) -> Option<Address> {
    if signature.normalize_s().is_some() {
        return None; // EIP-2
    }
    let id = if signature.v() {
        RecoveryId::One
    } else {
        RecoveryId::Zero
    };
    let mut compact = [0u8; 64];
    compact[..32].copy_from_slice(&signature.r().to_be_bytes::<32>());
    compact[32..].copy_from_slice(&signature.s().to_be_bytes::<32>());
    let recoverable = RecoverableSignature::from_compact(&compact, id).ok()?;
    let key = SECP256K1
        .recover_ecdsa(Message::from_digest(digest.0), &recoverable)
        .ok()?;
    Some(Address::from_raw_public_key(
        &key.serialize_uncompressed()[1..],
    ))
}
