//! Blocks: an Ethereum header and its transactions (SPEC §4).

use std::sync::Arc;

use alloy_consensus::constants::{EMPTY_OMMER_ROOT_HASH, EMPTY_WITHDRAWALS};
use alloy_consensus::proofs::calculate_transaction_root;
use alloy_consensus::{BlockBody, Header};
use alloy_eips::eip4895::Withdrawals;
use alloy_eips::eip7685::EMPTY_REQUESTS_HASH;
use alloy_primitives::{Address, B64, B256, Bloom, Bytes, U256, keccak256};
use alloy_rlp::{Decodable, Encodable};

use crate::limits::BLOCK_BYTES_MAX;
use crate::number::{Height, TimestampMs};
use crate::transaction::{Transaction, TransactionError, TxEnvelope};

const PREVRANDAO_TAG: &[u8] = b"TBSI-PREVRANDAO-1";

type RlpBlock = alloy_consensus::Block<TxEnvelope>;

/// Header and verified transactions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Hashes and roots.
    pub header: Header,
    /// In execution order. Shared with the mempool: a transaction is verified once.
    pub transactions: Vec<Arc<Transaction>>,
}

impl Block {
    /// Keccak-256 of the RLP header.
    pub fn hash(&self) -> B256 {
        self.header.hash_slow()
    }

    /// Position in the chain.
    pub fn height(&self) -> Height {
        Height(self.header.number)
    }

    /// The block with plain envelopes, as Ethereum encodes it.
    ///
    /// A TBSI block has an empty list of withdrawals. A header of before Shanghai, which only
    /// conformance tests store, names no root of one, and its block has none.
    fn to_rlp(&self) -> RlpBlock {
        let withdrawals = self.header.withdrawals_root;
        let transactions = self
            .transactions
            .iter()
            .map(|tx| tx.envelope().clone())
            .collect();
        RlpBlock {
            header: self.header.clone(),
            body: BlockBody {
                transactions,
                ommers: Vec::new(),
                withdrawals: withdrawals.map(|_| Withdrawals::default()),
            },
        }
    }

    /// RLP of `[header, transactions, ommers, withdrawals]`.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.to_rlp().encode(&mut bytes);
        bytes
    }
}

/// A block with the millisecond time of its checkpoint: the bytes that proposal parts and
/// value sync carry (SPEC §4.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProposedBlock {
    /// Checkpoint time; its seconds are the header's timestamp.
    pub time: TimestampMs,
    /// The block.
    pub block: Block,
}

/// Why bytes are not a block.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum BlockError {
    /// Above the size limit.
    #[error("block of {0} bytes, at most {BLOCK_BYTES_MAX} are allowed")]
    TooLarge(usize),
    /// Not the canonical RLP of a block.
    #[error("block bytes are not canonical RLP: {0}")]
    Malformed(String),
    /// Ommers or withdrawals, which TBSI never has.
    #[error("block has ommers or withdrawals")]
    Body,
    /// The header's second is not the checkpoint's.
    #[error("header timestamp {header} s does not match block time {time} ms")]
    Time {
        /// Header timestamp, seconds.
        header: u64,
        /// Checkpoint time, milliseconds.
        time: TimestampMs,
    },
    /// A transaction that may not be in a block.
    #[error("transaction {index}")]
    Transaction {
        /// Position in the block.
        index: usize,
        /// What is wrong with it.
        #[source]
        source: TransactionError,
    },
}

impl ProposedBlock {
    /// Time (u64, big-endian), then the RLP block.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = self.time.0.to_be_bytes().to_vec();
        self.block.to_rlp().encode(&mut bytes);
        bytes
    }

    /// Accepts only what [`ProposedBlock::encode`] writes, and verifies each transaction that
    /// `known` does not return. Roots and execution are not checked here.
    pub fn decode(
        bytes: &[u8],
        chain_id: u64,
        known: &dyn Fn(&B256) -> Option<Arc<Transaction>>,
    ) -> Result<Self, BlockError> {
        if bytes.len() > BLOCK_BYTES_MAX {
            return Err(BlockError::TooLarge(bytes.len()));
        }
        let malformed = |error: &dyn std::fmt::Display| BlockError::Malformed(error.to_string());
        let (time, mut rest) = bytes
            .split_at_checked(8)
            .ok_or_else(|| malformed(&"shorter than its time"))?;
        let time = TimestampMs(u64::from_be_bytes(time.try_into().expect("split at 8")));
        let rlp = RlpBlock::decode(&mut rest).map_err(|error| malformed(&error))?;
        if !rest.is_empty() {
            return Err(malformed(&"bytes after the block"));
        }
        let withdrawals = rlp.body.withdrawals.as_ref();
        if !rlp.body.ommers.is_empty() || withdrawals.is_none_or(|list| !list.is_empty()) {
            return Err(BlockError::Body);
        }
        if rlp.header.timestamp != time.seconds() {
            return Err(BlockError::Time {
                header: rlp.header.timestamp,
                time,
            });
        }
        let transactions = verify_all(rlp.body.transactions, chain_id, known)?;
        let block = Self {
            time,
            block: Block {
                header: rlp.header,
                transactions,
            },
        };
        if block.encode() != bytes {
            return Err(malformed(&"another encoding of the same block"));
        }
        Ok(block)
    }
}

fn verify_all(
    envelopes: Vec<TxEnvelope>,
    chain_id: u64,
    known: &dyn Fn(&B256) -> Option<Arc<Transaction>>,
) -> Result<Vec<Arc<Transaction>>, BlockError> {
    use alloy_eips::eip2718::Encodable2718;
    let verify = |(index, envelope): (usize, TxEnvelope)| match known(envelope.tx_hash()) {
        Some(transaction) => Ok(transaction),
        None => Transaction::parse_and_verify(&envelope.encoded_2718(), chain_id)
            .map(Arc::new)
            .map_err(|source| BlockError::Transaction { index, source }),
    };
    envelopes.into_iter().enumerate().map(verify).collect()
}

/// What a header is made from; everything else in it is constant (SPEC §4.2).
#[derive(Clone, Copy, Debug)]
pub struct HeaderFields {
    /// Hash of the parent's header.
    pub parent_hash: B256,
    /// Position in the chain.
    pub height: Height,
    /// Block time.
    pub time: TimestampMs,
    /// Address of the validator that built the block.
    pub beneficiary: Address,
    /// From genesis.
    pub gas_limit: u64,
    /// Used by the block's transactions.
    pub gas_used: u64,
    /// After the block.
    pub state_root: B256,
    /// Of the block's transactions.
    pub transactions_root: B256,
    /// Of the block's receipts.
    pub receipts_root: B256,
    /// Of the block's logs.
    pub logs_bloom: Bloom,
}

impl HeaderFields {
    /// The Osaka header.
    pub fn header(self) -> Header {
        Header {
            parent_hash: self.parent_hash,
            ommers_hash: EMPTY_OMMER_ROOT_HASH,
            beneficiary: self.beneficiary,
            state_root: self.state_root,
            transactions_root: self.transactions_root,
            receipts_root: self.receipts_root,
            logs_bloom: self.logs_bloom,
            difficulty: U256::ZERO,
            number: self.height.0,
            gas_limit: self.gas_limit,
            gas_used: self.gas_used,
            timestamp: self.time.seconds(),
            extra_data: Bytes::new(),
            mix_hash: prev_randao(self.parent_hash, self.height),
            nonce: B64::ZERO,
            base_fee_per_gas: Some(0),
            withdrawals_root: Some(EMPTY_WITHDRAWALS),
            blob_gas_used: Some(0),
            excess_blob_gas: Some(0),
            parent_beacon_block_root: Some(B256::ZERO),
            requests_hash: Some(EMPTY_REQUESTS_HASH),
            block_access_list_hash: None,
            slot_number: None,
        }
    }
}

/// PREVRANDAO: Keccak-256 of a tag, the parent's hash and the height. Deterministic, known in
/// advance, **not random** (SPEC §4.2).
pub fn prev_randao(parent_hash: B256, height: Height) -> B256 {
    keccak256(
        [
            PREVRANDAO_TAG,
            parent_hash.as_slice(),
            &height.0.to_be_bytes(),
        ]
        .concat(),
    )
}

/// Merkle-Patricia root of the transactions, as Ethereum defines it.
pub fn transactions_root(transactions: &[Arc<Transaction>]) -> B256 {
    let envelopes: Vec<_> = transactions.iter().map(|tx| tx.envelope()).collect();
    calculate_transaction_root(&envelopes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn empty_block() -> ProposedBlock {
        let fields = HeaderFields {
            parent_hash: B256::repeat_byte(1),
            height: Height(7),
            time: TimestampMs(1_234_567),
            beneficiary: Address::repeat_byte(2),
            gas_limit: 300_000_000,
            gas_used: 0,
            state_root: B256::repeat_byte(3),
            transactions_root: transactions_root(&[]),
            receipts_root: B256::repeat_byte(4),
            logs_bloom: Bloom::ZERO,
        };
        ProposedBlock {
            time: fields.time,
            block: Block {
                header: fields.header(),
                transactions: vec![],
            },
        }
    }

    #[test]
    fn decodes_what_it_encodes() {
        let bytes = empty_block().encode();
        assert_eq!(
            ProposedBlock::decode(&bytes, 1, &|_| None),
            Ok(empty_block())
        );
    }

    #[test]
    fn refuses_other_bytes() {
        let decode = |bytes: &[u8]| ProposedBlock::decode(bytes, 1, &|_| None);
        let bytes = empty_block().encode();
        assert!(decode(&[]).is_err());
        assert!(decode(&bytes[..bytes.len() - 1]).is_err());
        assert!(decode(&[bytes.as_slice(), &[0]].concat()).is_err());
        assert_eq!(
            decode(&vec![0; BLOCK_BYTES_MAX + 1]),
            Err(BlockError::TooLarge(8388609))
        );
        let mut late = empty_block();
        late.time = TimestampMs(2_234_567);
        assert!(matches!(
            decode(&late.encode()),
            Err(BlockError::Time { .. })
        ));
    }

    #[test]
    fn extra_data_stays_within_what_web3_clients_accept() {
        assert!(empty_block().block.header.extra_data.len() <= 32);
    }
}
