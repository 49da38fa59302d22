//! The statement of a leaf of kind 33.

use alloy_primitives::{Address, B256};

use crate::cursor::{Cursor, CursorError};

/// That a slot of an account of another chain held a value after a block (SPEC §16).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ForeignFact {
    /// Number of the client that followed the chain.
    pub client: u32,
    /// Code of [`Assurance`](crate::log::Assurance): 0 to 255 are carried as they are.
    pub assurance: u8,
    /// EIP-155 number of the chain, `eip155:<number>` in CAIP-2, as its operator registered it.
    pub foreign_chain_id: u64,
    /// Number of the block.
    pub foreign_height: u64,
    /// Time of the block, seconds since the Unix epoch.
    pub foreign_time: u64,
    /// Hash of the block.
    pub block_hash: B256,
    /// Account there.
    pub account: Address,
    /// Slot of its storage.
    pub slot: B256,
    /// What was in it; zero also if there is no such slot or account.
    pub value: B256,
}

impl ForeignFact {
    /// In the order of the fields, integers big-endian: 145 bytes.
    pub(super) fn encode(&self, bytes: &mut Vec<u8>) {
        let parts: [&[u8]; 9] = [
            &self.client.to_be_bytes(),
            &[self.assurance],
            &self.foreign_chain_id.to_be_bytes(),
            &self.foreign_height.to_be_bytes(),
            &self.foreign_time.to_be_bytes(),
            self.block_hash.as_slice(),
            self.account.as_slice(),
            self.slot.as_slice(),
            self.value.as_slice(),
        ];
        parts.iter().for_each(|part| bytes.extend_from_slice(part));
    }

    pub(super) fn decode(cursor: &mut Cursor<'_>) -> Result<Self, CursorError> {
        Ok(Self {
            client: cursor.u32("client")?,
            assurance: cursor.u8("assurance")?,
            foreign_chain_id: cursor.u64("foreign chain id")?,
            foreign_height: cursor.u64("foreign height")?,
            foreign_time: cursor.u64("foreign time")?,
            block_hash: cursor.b256("block hash")?,
            account: Address::from(cursor.array::<20>("account")?),
            slot: cursor.b256("slot")?,
            value: cursor.b256("value")?,
        })
    }
}
