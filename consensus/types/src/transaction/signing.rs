//! The transactions that TBSI's own programs send, built and signed here alone: type 2 (EIP-1559),
//! and to chains with older rules type 0 (EIP-155).

use alloy_consensus::{SignableTransaction, Signed, TxEip1559, TxLegacy};
use alloy_eips::eip2718::{Decodable2718, Encodable2718};
use alloy_primitives::{Address, B256, Bytes, Signature as EthSignature, TxKind, U256};

use super::{TransactionError, TxEnvelope};
use crate::keys::{KeyError, SecretKey, Signature};

/// A transaction without access list that somebody is to sign. Fees are 0 unless they are given:
/// TBSI charges none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnsignedTransaction {
    /// Of the chain that takes it (EIP-155).
    pub chain_id: u64,
    /// The sender's.
    pub nonce: u64,
    /// Gas, at most.
    pub gas_limit: u64,
    /// Wei for a unit of gas, at most.
    pub max_fee_per_gas: u128,
    /// Of them, wei for whoever makes the block.
    pub max_priority_fee_per_gas: u128,
    /// Whom it calls; `None` creates a contract.
    pub to: Option<Address>,
    /// Wei.
    pub value: U256,
    /// The call's data, or the contract's creation code.
    pub input: Bytes,
    /// Of type 0, whose gas price is `max_fee_per_gas`: for chains with rules before London, which
    /// know no other price.
    pub legacy: bool,
}

/// A transaction as it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedTransaction {
    /// Keccak-256 of the encoding.
    pub hash: B256,
    /// EIP-2718 bytes.
    pub encoded: Bytes,
}

impl UnsignedTransaction {
    /// What was signed, of EIP-2718 bytes; `None` if that is not of this form.
    pub fn of_signed(encoded: &[u8]) -> Result<Option<Self>, TransactionError> {
        let envelope = TxEnvelope::decode_2718_exact(encoded)
            .map_err(|error| TransactionError::Malformed(error.to_string()))?;
        if let TxEnvelope::Legacy(signed) = envelope {
            return Ok(Self::of_legacy(signed.strip_signature()));
        }
        let TxEnvelope::Eip1559(signed) = envelope else {
            return Ok(None);
        };
        let transaction = signed.strip_signature();
        if !transaction.access_list.0.is_empty() {
            return Ok(None);
        }
        Ok(Some(Self {
            chain_id: transaction.chain_id,
            nonce: transaction.nonce,
            gas_limit: transaction.gas_limit,
            max_fee_per_gas: transaction.max_fee_per_gas,
            max_priority_fee_per_gas: transaction.max_priority_fee_per_gas,
            to: transaction.to.to().copied(),
            value: transaction.value,
            input: transaction.input,
            legacy: false,
        }))
    }

    /// One without chain id could be replayed from anywhere: it is not of this form.
    fn of_legacy(transaction: TxLegacy) -> Option<Self> {
        Some(Self {
            chain_id: transaction.chain_id?,
            nonce: transaction.nonce,
            gas_limit: transaction.gas_limit,
            max_fee_per_gas: transaction.gas_price,
            max_priority_fee_per_gas: transaction.gas_price,
            to: transaction.to.to().copied(),
            value: transaction.value,
            input: transaction.input,
            legacy: true,
        })
    }

    /// What its sender's key signs.
    pub fn signature_hash(&self) -> B256 {
        if self.legacy {
            return self.clone().untyped().signature_hash();
        }
        self.clone().typed().signature_hash()
    }

    /// Signed with a key of this process.
    pub fn sign(self, key: &SecretKey) -> SignedTransaction {
        if self.legacy {
            return sign(self.untyped(), key);
        }
        sign(self.typed(), key)
    }

    /// With a signature over [`Self::signature_hash`] that another process made. Fails if it has
    /// not the form of one; whose it is, is not checked.
    pub fn with_signature(self, signature: &Signature) -> Result<SignedTransaction, KeyError> {
        let signature = ethereum(signature)?;
        Ok(if self.legacy {
            finish(self.untyped(), signature)
        } else {
            finish(self.typed(), signature)
        })
    }

    fn untyped(self) -> TxLegacy {
        TxLegacy {
            chain_id: Some(self.chain_id),
            nonce: self.nonce,
            gas_price: self.max_fee_per_gas,
            gas_limit: self.gas_limit,
            to: self.to.map_or(TxKind::Create, TxKind::Call),
            value: self.value,
            input: self.input,
        }
    }

    fn typed(self) -> TxEip1559 {
        TxEip1559 {
            chain_id: self.chain_id,
            nonce: self.nonce,
            gas_limit: self.gas_limit,
            max_fee_per_gas: self.max_fee_per_gas,
            max_priority_fee_per_gas: self.max_priority_fee_per_gas,
            to: self.to.map_or(TxKind::Create, TxKind::Call),
            value: self.value,
            input: self.input,
            ..TxEip1559::default()
        }
    }
}

/// Signs a transaction of any type.
pub fn sign<T>(transaction: T, key: &SecretKey) -> SignedTransaction
where
    T: SignableTransaction<EthSignature>,
    TxEnvelope: From<Signed<T>>,
{
    let signature = key.sign(transaction.signature_hash());
    let signature = ethereum(&signature).expect("a key's own signature is well-formed");
    finish(transaction, signature)
}

fn ethereum(signature: &Signature) -> Result<EthSignature, KeyError> {
    if !matches!(signature.0[64], 27 | 28) {
        return Err(KeyError::Signature);
    }
    EthSignature::from_raw_array(&signature.0).map_err(|_| KeyError::Signature)
}

fn finish<T>(transaction: T, signature: EthSignature) -> SignedTransaction
where
    T: SignableTransaction<EthSignature>,
    TxEnvelope: From<Signed<T>>,
{
    let envelope = TxEnvelope::from(transaction.into_signed(signature));
    SignedTransaction {
        hash: *envelope.tx_hash(),
        encoded: envelope.encoded_2718().into(),
    }
}

#[cfg(test)]
mod tests {
    use alloy_eips::eip2930::{AccessList, AccessListItem};

    use super::*;
    use crate::Transaction;

    fn key() -> SecretKey {
        SecretKey::from_seed(b"account")
    }

    fn unsigned() -> UnsignedTransaction {
        UnsignedTransaction {
            chain_id: 7,
            nonce: 3,
            gas_limit: 50_000,
            max_fee_per_gas: 9,
            max_priority_fee_per_gas: 2,
            to: Some(Address::repeat_byte(0x42)),
            value: U256::from(5),
            input: Bytes::from_static(&[1]),
            legacy: false,
        }
    }

    /// Of type 0: there is one price.
    fn legacy() -> UnsignedTransaction {
        UnsignedTransaction {
            max_priority_fee_per_gas: 9,
            legacy: true,
            ..unsigned()
        }
    }

    #[test]
    fn what_was_signed_is_read_back() {
        let create = UnsignedTransaction {
            to: None,
            ..unsigned()
        };
        let old = UnsignedTransaction {
            to: None,
            ..legacy()
        };
        for unsigned in [unsigned(), create, legacy(), old] {
            let signed = unsigned.clone().sign(&key());
            let parsed = Transaction::parse_and_verify(&signed.encoded, 7).unwrap();
            assert_eq!(parsed.sender(), key().public_key().address());
            assert_eq!(parsed.hash(), signed.hash);
            let read = UnsignedTransaction::of_signed(&signed.encoded).unwrap();
            assert_eq!(read, Some(unsigned));
        }
    }

    #[test]
    fn a_signature_of_another_process_gives_the_same_bytes() {
        for unsigned in [unsigned(), legacy()] {
            let signature = key().sign(unsigned.signature_hash());
            let signed = unsigned.clone().with_signature(&signature).unwrap();
            assert_eq!(signed, unsigned.sign(&key()));
        }
        let malformed = unsigned().with_signature(&Signature::ABSTAINED);
        assert_eq!(malformed, Err(KeyError::Signature));
    }

    #[test]
    fn another_form_is_not_read_as_this_one() {
        let unprotected = sign(TxLegacy::default(), &key());
        let mut listed = unsigned().typed();
        listed.access_list = AccessList(vec![AccessListItem::default()]);
        for other in [unprotected, sign(listed, &key())] {
            let read = UnsignedTransaction::of_signed(&other.encoded);
            assert_eq!(read, Ok(None));
        }
        assert!(UnsignedTransaction::of_signed(b"none").is_err());
    }
}
