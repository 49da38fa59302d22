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

/// The receipt of one transaction, and what those before it in its block add up to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CountedReceipt {
    /// What it did.
    pub receipt: Receipt,
    /// Gas that those before it used.
    pub gas_before: u64,
    /// Logs of those before it.
    pub logs_before: u64,
}

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

    /// The transaction at `index` of the block at `height`, from 0, and the block's header; `None`
    /// if there is none. The others are passed over, not read.
    pub fn transaction_at(
        &self,
        height: Height,
        index: usize,
    ) -> Result<Option<(Header, Transaction)>, StoreError> {
        let Some(bytes) = self.proposed_bytes(height)? else {
            return Ok(None);
        };
        let senders = self.part(height, Part::Senders, "senders")?;
        decode_one(&bytes, &senders.unwrap_or_default(), index)
            .map_err(|problem| corrupt(format!("block {height}"))(&problem))
    }

    /// The receipt of that transaction; `None` if there is none. The others are passed over.
    pub fn receipt_at(
        &self,
        height: Height,
        index: usize,
    ) -> Result<Option<CountedReceipt>, StoreError> {
        let Some(bytes) = self.part(height, Part::Receipts, "receipts")? else {
            return Ok(None);
        };
        receipt_in(&bytes, index).map_err(|error| corrupt(format!("receipts {height}"))(&error))
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
        let stored = self
            .database
            .get(Table::Chain, &keys::part(height, part), what)?;
        if stored.is_none() && matches!(part, Part::Body | Part::Senders | Part::Receipts) {
            self.check_kept(height)?;
        }
        Ok(stored)
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

/// Reads one transaction of what `ProposedBlock::encode` wrote, and the header.
fn decode_one(
    bytes: &[u8],
    senders: &[u8],
    index: usize,
) -> Result<Option<(Header, Transaction)>, String> {
    let say = |error: alloy_rlp::Error| error.to_string();
    let (_, mut bytes) = bytes
        .split_first_chunk::<8>()
        .ok_or("shorter than its time")?;
    let mut block = alloy_rlp::Header::decode_bytes(&mut bytes, true).map_err(say)?;
    let header = Header::decode(&mut block).map_err(say)?;
    let mut list = alloy_rlp::Header::decode_bytes(&mut block, true).map_err(say)?;
    for _ in 0..index {
        if list.is_empty() {
            return Ok(None);
        }
        next_transaction(&mut list).map_err(say)?;
    }
    if list.is_empty() {
        return Ok(None);
    }
    let encoded = next_transaction(&mut list).map_err(say)?;
    let (senders, []) = senders.as_chunks() else {
        return Err("senders are not whole addresses".into());
    };
    let sender = senders.get(index).ok_or("a transaction has no sender")?;
    let transaction = Transaction::from_stored(encoded.to_vec().into(), Address::new(*sender));
    let transaction = transaction.map_err(|error| error.to_string())?;
    Ok(Some((header, transaction)))
}

/// The receipt at `index` of a block's list.
fn receipt_in(mut bytes: &[u8], index: usize) -> alloy_rlp::Result<Option<CountedReceipt>> {
    let mut list = alloy_rlp::Header::decode_bytes(&mut bytes, true)?;
    let (mut gas_before, mut logs_before) = (0, 0);
    for _ in 0..index {
        if list.is_empty() {
            return Ok(None);
        }
        let (gas, logs) = tally(item(&mut list)?)?;
        gas_before = gas;
        logs_before += logs;
    }
    if list.is_empty() {
        return Ok(None);
    }
    Ok(Some(CountedReceipt {
        receipt: Receipt::decode(&mut item(&mut list)?)?,
        gas_before,
        logs_before,
    }))
}

/// Gas of the block up to a receipt, and how many logs it has.
fn tally(receipt: &[u8]) -> alloy_rlp::Result<(u64, u64)> {
    let mut fields = receipt;
    let head = alloy_rlp::Header::decode(&mut fields)?;
    if !head.list {
        // The type, then the same.
        fields = fields.get(1..).ok_or(alloy_rlp::Error::InputTooShort)?;
        alloy_rlp::Header::decode(&mut fields)?;
    }
    // Status, gas, bloom filter, logs.
    item(&mut fields)?;
    let gas = u64::decode(&mut fields)?;
    item(&mut fields)?;
    let mut logs = alloy_rlp::Header::decode_bytes(&mut fields, true)?;
    let mut count = 0;
    while !logs.is_empty() {
        item(&mut logs)?;
        count += 1;
    }
    Ok((gas, count))
}

/// Splits the next item off a list, with its head.
fn item<'a>(list: &mut &'a [u8]) -> alloy_rlp::Result<&'a [u8]> {
    let start = *list;
    let head = alloy_rlp::Header::decode(list)?;
    let rest = list.get(head.payload_length..);
    *list = rest.ok_or(alloy_rlp::Error::InputTooShort)?;
    Ok(&start[..start.len() - list.len()])
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
