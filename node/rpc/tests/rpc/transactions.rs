//! Signed transactions, and receipts by hand.

use std::sync::Arc;

use alloy_consensus::{
    Eip658Value, ReceiptWithBloom, SignableTransaction, TxEip1559, TxEip2930, TxEip7702, TxLegacy,
    TxType,
};
use alloy_eips::eip2718::Encodable2718;
use alloy_eips::eip2930::{AccessList, AccessListItem};
use alloy_eips::eip7702::{Authorization, SignedAuthorization};
use alloy_primitives::{Log, LogData, TxKind};
use tbsi_types::{Address, B256, ChainIdentity, Receipt, SecretKey, Transaction, TxEnvelope, U256};

pub(crate) const CHAIN_ID: u64 = 8_862_026;
pub(crate) const CONTRACT: Address = Address::repeat_byte(0xcc);
/// Topic of every log, and the second topic of every other one.
pub(crate) const TOPIC: B256 = B256::repeat_byte(0x70);
pub(crate) const TOPIC_ODD: B256 = B256::repeat_byte(0x71);

pub(crate) fn identity() -> ChainIdentity {
    ChainIdentity {
        chain_id: CHAIN_ID,
        genesis_hash: B256::repeat_byte(9),
    }
}

fn sender_key() -> SecretKey {
    SecretKey::from_seed(b"sender")
}

pub(crate) fn sender() -> Address {
    sender_key().public_key().address()
}

fn eth_signature(digest: B256) -> alloy_primitives::Signature {
    let bytes = sender_key().sign(digest).0;
    let r = U256::from_be_slice(&bytes[..32]);
    let s = U256::from_be_slice(&bytes[32..64]);
    alloy_primitives::Signature::new(r, s, bytes[64] == 28)
}

fn signed<T>(unsigned: T) -> Arc<Transaction>
where
    T: SignableTransaction<alloy_primitives::Signature>,
    TxEnvelope: From<alloy_consensus::Signed<T>>,
{
    let signature = eth_signature(unsigned.signature_hash());
    let envelope = TxEnvelope::from(unsigned.into_signed(signature));
    Arc::new(Transaction::parse_and_verify(&envelope.encoded_2718(), CHAIN_ID).unwrap())
}

/// A contract creation of type 0, and calls of types 1, 2 and 4.
pub(crate) fn one_of_each_type() -> Vec<Arc<Transaction>> {
    let access_list = AccessList(vec![AccessListItem {
        address: CONTRACT,
        storage_keys: vec![B256::ZERO],
    }]);
    let authorization = Authorization {
        chain_id: U256::from(CHAIN_ID),
        address: CONTRACT,
        nonce: 7,
    };
    let signature = eth_signature(authorization.signature_hash());
    let authorization: SignedAuthorization = authorization.into_signed(signature);
    let to = TxKind::Call(CONTRACT);
    vec![
        signed(TxLegacy {
            chain_id: Some(CHAIN_ID),
            nonce: 0,
            gas_price: 5,
            gas_limit: 100_000,
            to: TxKind::Create,
            input: vec![0x60, 0x00].into(),
            ..Default::default()
        }),
        signed(TxEip2930 {
            chain_id: CHAIN_ID,
            nonce: 1,
            gas_price: 5,
            gas_limit: 100_000,
            to,
            access_list: access_list.clone(),
            ..Default::default()
        }),
        transfer(2),
        signed(TxEip7702 {
            chain_id: CHAIN_ID,
            nonce: 3,
            gas_limit: 100_000,
            max_fee_per_gas: 9,
            max_priority_fee_per_gas: 1,
            to: CONTRACT,
            authorization_list: vec![authorization],
            ..Default::default()
        }),
    ]
}

/// A transaction of type 2.
pub(crate) fn transfer(nonce: u64) -> Arc<Transaction> {
    signed(TxEip1559 {
        chain_id: CHAIN_ID,
        nonce,
        gas_limit: 100_000,
        max_fee_per_gas: 9,
        max_priority_fee_per_gas: 1,
        to: TxKind::Call(CONTRACT),
        value: U256::from(3),
        input: vec![0xab].into(),
        ..Default::default()
    })
}

/// A receipt with `logs` logs by [`CONTRACT`].
pub(crate) fn receipt(transaction: &Transaction, cumulative_gas_used: u64, logs: usize) -> Receipt {
    let log = |index: usize| {
        let second = (index % 2 == 1).then_some(TOPIC_ODD);
        let topics = [TOPIC].into_iter().chain(second).collect();
        let data = LogData::new_unchecked(topics, vec![0xda].into());
        Log {
            address: CONTRACT,
            data,
        }
    };
    let receipt = alloy_consensus::Receipt {
        status: Eip658Value::Eip658(true),
        cumulative_gas_used,
        logs: (0..logs).map(log).collect(),
    };
    let kind: TxType = transaction.envelope().tx_type();
    Receipt::from_typed(kind, ReceiptWithBloom::from(receipt))
}
