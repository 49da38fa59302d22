//! Reading blocks and what belongs to them.

use std::sync::Arc;

use alloy_consensus::Header;
use alloy_primitives::{Address, B256};
use alloy_rlp::Decodable;
use tbsi_types::cursor::Cursor;
use tbsi_types::{
    Block, Checkpoint, CommitCertificate, Height, ProposedBlock, Receipt, TimestampMs, Transaction,
};

use crate::database::Table;
use crate::error::{StoreError, corrupt};
use crate::keys::{self, Part};
use crate::store::Store;

impl Store {
    /// The header of the block at `height`.
    pub fn header(&self, height: Height) -> Result<Option<Header>, StoreError> {
        let bytes = self.part(height, Part::Header, "header")?;
        let decode = |bytes: Vec<u8>| {
            alloy_rlp::decode_exact(&bytes)
                .map_err(|error| corrupt(format!("header {height}"))(&error))
        };
        bytes.map(decode).transpose()
    }

    /// The block at `height` with its time. Senders are as verified before it was stored.
    pub fn block(&self, height: Height) -> Result<Option<ProposedBlock>, StoreError> {
        let Some(bytes) = self.proposed_bytes(height)? else {
            return Ok(None);
        };
        let senders = self.part(height, Part::Senders, "senders")?;
        decode_block(&bytes, &senders.unwrap_or_default())
            .map(Some)
            .map_err(|problem| corrupt(format!("block {height}"))(&problem))
    }

    /// `ProposedBlock::encode` of the block at `height`, as value sync sends it.
    pub fn proposed_bytes(&self, height: Height) -> Result<Option<Vec<u8>>, StoreError> {
        self.part(height, Part::Body, "block")
    }

    /// The receipts of the block at `height`, one for each transaction.
    pub fn receipts(&self, height: Height) -> Result<Option<Vec<Receipt>>, StoreError> {
        let bytes = self.part(height, Part::Receipts, "receipts")?;
        let decode = |bytes: Vec<u8>| {
            alloy_rlp::decode_exact(&bytes)
                .map_err(|error| corrupt(format!("receipts {height}"))(&error))
        };
        bytes.map(decode).transpose()
    }

    /// The checkpoint of the block at `height`.
    pub fn checkpoint(&self, height: Height) -> Result<Option<Checkpoint>, StoreError> {
        read_checkpoint(height, |key| {
            self.database.get(Table::Chain, key, "checkpoint")
        })
    }

    /// The certificate of the block at `height`; genesis has none.
    pub fn certificate(&self, height: Height) -> Result<Option<CommitCertificate>, StoreError> {
        let bytes = self.part(height, Part::Certificate, "certificate")?;
        let decode = |bytes: Vec<u8>| {
            CommitCertificate::decode(&bytes)
                .map_err(|error| corrupt(format!("certificate {height}"))(&error))
        };
        bytes.map(decode).transpose()
    }

    /// The hash of the block at `height`.
    pub fn block_hash(&self, height: Height) -> Result<Option<B256>, StoreError> {
        let checkpoint = self.checkpoint(height)?;
        Ok(checkpoint.map(|checkpoint| checkpoint.block_hash))
    }

    /// The height of the block with this hash.
    pub fn height_of(&self, block_hash: B256) -> Result<Option<Height>, StoreError> {
        let key = keys::block_hash(&block_hash);
        let bytes = self.database.get(Table::Index, &key, "block index")?;
        let decode = |bytes: Vec<u8>| {
            let mut cursor = Cursor::new(&bytes);
            let height = Height(cursor.u64("height")?);
            cursor.end().map(|()| height)
        };
        bytes
            .map(|bytes| decode(bytes).map_err(|error| corrupt("block index")(&error)))
            .transpose()
    }

    /// The height of the block with this transaction, and the transaction's place in it,
    /// from 0.
    pub fn transaction_location(
        &self,
        transaction_hash: B256,
    ) -> Result<Option<(Height, u32)>, StoreError> {
        let key = keys::transaction_hash(&transaction_hash);
        let bytes = self.database.get(Table::Index, &key, "transaction index")?;
        let decode = |bytes: Vec<u8>| {
            let mut cursor = Cursor::new(&bytes);
            let location = (Height(cursor.u64("height")?), cursor.u32("index")?);
            cursor.end().map(|()| location)
        };
        bytes
            .map(|bytes| decode(bytes).map_err(|error| corrupt("transaction index")(&error)))
            .transpose()
    }

    fn part(
        &self,
        height: Height,
        part: Part,
        what: &'static str,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        self.database
            .get(Table::Chain, &keys::part(height, part), what)
    }
}

/// A checkpoint, from wherever `get` reads.
pub(crate) fn read_checkpoint(
    height: Height,
    get: impl FnOnce(&[u8]) -> Result<Option<Vec<u8>>, StoreError>,
) -> Result<Option<Checkpoint>, StoreError> {
    let bytes = get(&keys::part(height, Part::Checkpoint))?;
    let decode = |bytes: Vec<u8>| {
        Checkpoint::decode(&bytes).map_err(|error| corrupt(format!("checkpoint {height}"))(&error))
    };
    bytes.map(decode).transpose()
}

/// Reads what `ProposedBlock::encode` wrote, without verifying what was verified before.
fn decode_block(bytes: &[u8], senders: &[u8]) -> Result<ProposedBlock, String> {
    let say = |error: alloy_rlp::Error| error.to_string();
    let (time, mut bytes) = bytes.split_first_chunk().ok_or("shorter than its time")?;
    let mut block = alloy_rlp::Header::decode_bytes(&mut bytes, true).map_err(say)?;
    let header = Header::decode(&mut block).map_err(say)?;
    let mut list = alloy_rlp::Header::decode_bytes(&mut block, true).map_err(say)?;
    let (senders, []) = senders.as_chunks() else {
        return Err("senders are not whole addresses".into());
    };
    let mut senders = senders.iter();
    let mut transactions = Vec::with_capacity(senders.len());
    while !list.is_empty() {
        let encoded = next_transaction(&mut list).map_err(say)?;
        let sender = senders.next().ok_or("a transaction has no sender")?;
        let transaction = Transaction::from_stored(encoded.to_vec().into(), Address::new(*sender))
            .map_err(|error| error.to_string())?;
        transactions.push(Arc::new(transaction));
    }
    if senders.next().is_some() {
        return Err("a sender has no transaction".into());
    }
    Ok(ProposedBlock {
        time: TimestampMs(u64::from_be_bytes(*time)),
        block: Block {
            header,
            transactions,
        },
    })
}

/// Splits the EIP-2718 bytes of the next transaction off a block's list: a legacy one is a
/// list, the others are strings.
fn next_transaction<'a>(list: &mut &'a [u8]) -> alloy_rlp::Result<&'a [u8]> {
    let start = *list;
    let item = alloy_rlp::Header::decode(list)?;
    let (payload, rest) = list
        .split_at_checked(item.payload_length)
        .ok_or(alloy_rlp::Error::InputTooShort)?;
    *list = rest;
    Ok(if item.list {
        &start[..start.len() - rest.len()]
    } else {
        payload
    })
}
