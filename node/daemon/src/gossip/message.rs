//! What one gossip message holds: borsh, read by hand, every length checked before it is used.
//!
//! salt (u64), kind (u8: 0 transactions, 1 tip), then count (u32) and each transaction as
//! length (u32) and bytes, or height (u64). Little-endian, as borsh is.

use std::sync::Arc;

use borsh::BorshSerialize;
use tbsi_types::cursor::{Cursor, CursorError};
use tbsi_types::limits::TRANSACTION_BYTES_MAX;
use tbsi_types::{Bytes, Height, Transaction};

use crate::limits::{GOSSIP_MESSAGE_BYTES_MAX, GOSSIP_MESSAGE_TRANSACTIONS_MAX};

/// Bytes of salt, kind and count.
pub(super) const HEAD_BYTES: usize = 8 + 1 + 4;

/// Bytes that one transaction adds to its own.
pub(super) const LENGTH_BYTES: usize = 4;

const TRANSACTIONS: u8 = 0;
const TIP: u8 = 1;

/// A message without its salt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Message {
    /// 1 to [`GOSSIP_MESSAGE_TRANSACTIONS_MAX`], slices of the message's bytes.
    Transactions(Vec<Bytes>),
    /// The sender's last block.
    Tip(Height),
}

/// Why bytes are not a message.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(super) enum MessageError {
    #[error("message of {0} bytes, at most {GOSSIP_MESSAGE_BYTES_MAX} are allowed")]
    TooLarge(usize),
    #[error("message bytes")]
    Bytes(#[from] CursorError),
    #[error("message kind {0} is unknown")]
    Kind(u8),
    #[error("message of {0} transactions, 1 to {GOSSIP_MESSAGE_TRANSACTIONS_MAX} are allowed")]
    Count(usize),
    #[error("transaction of {0} bytes, 1 to {TRANSACTION_BYTES_MAX} are allowed")]
    TransactionSize(usize),
}

/// Sets apart messages of equal content: gossipsub suppresses copies by their hash, and neither
/// the same tip of two nodes nor the same transactions for a peer that came later are copies.
#[derive(Debug)]
pub(super) struct Salt(u64);

impl Salt {
    /// Starts at a place of its own for each run of each node.
    pub(super) fn new(unique: &[&[u8]]) -> Self {
        let hash = tbsi_types::sha256(unique);
        let (start, _) = hash.split_at(8);
        Self(u64::from_le_bytes(start.try_into().expect("split at 8")))
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(1);
        self.0
    }
}

/// The caller keeps to the limits of a message: see [`super::outgoing`].
pub(super) fn encode_transactions(salt: &mut Salt, transactions: &[Arc<Transaction>]) -> Vec<u8> {
    let list: Vec<&[u8]> = transactions
        .iter()
        .map(|tx| tx.encoded().as_ref())
        .collect();
    encode(&(salt.next(), TRANSACTIONS, list))
}

pub(super) fn encode_tip(salt: &mut Salt, height: Height) -> Vec<u8> {
    encode(&(salt.next(), TIP, height.0))
}

pub(super) fn encode(value: &impl BorshSerialize) -> Vec<u8> {
    borsh::to_vec(value).expect("writing to memory does not fail, and no length leaves u32")
}

/// Accepts only what the functions above write. Allocates no more than the bytes it was given.
pub(super) fn decode(data: Vec<u8>) -> Result<Message, MessageError> {
    if data.len() > GOSSIP_MESSAGE_BYTES_MAX {
        return Err(MessageError::TooLarge(data.len()));
    }
    let bytes = Bytes::from(data);
    let mut cursor = Cursor::new(&bytes);
    cursor.take("salt", 8)?;
    let message = match cursor.u8("kind")? {
        TRANSACTIONS => Message::Transactions(transactions(&bytes, &mut cursor)?),
        TIP => Message::Tip(Height(u64::from_le_bytes(cursor.array("height")?))),
        other => return Err(MessageError::Kind(other)),
    };
    cursor.end()?;
    Ok(message)
}

fn transactions(bytes: &Bytes, cursor: &mut Cursor<'_>) -> Result<Vec<Bytes>, MessageError> {
    let count = length(cursor, "count")?;
    if !(1..=GOSSIP_MESSAGE_TRANSACTIONS_MAX).contains(&count) {
        return Err(MessageError::Count(count));
    }
    let mut list = Vec::new();
    for _ in 0..count {
        let size = length(cursor, "transaction length")?;
        if !(1..=TRANSACTION_BYTES_MAX).contains(&size) {
            return Err(MessageError::TransactionSize(size));
        }
        list.push(bytes.slice_ref(cursor.take("transaction", size)?));
    }
    Ok(list)
}

fn length(cursor: &mut Cursor<'_>, field: &'static str) -> Result<usize, MessageError> {
    let length = u32::from_le_bytes(cursor.array(field)?);
    Ok(usize::try_from(length).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn message(kind: u8, list: &[Vec<u8>]) -> Vec<u8> {
        encode(&(7u64, kind, list))
    }

    #[test]
    fn decodes_what_it_encodes() {
        let mut salt = Salt::new(&[b"a"]);
        let tip = encode_tip(&mut salt, Height(u64::MAX));
        assert_ne!(tip, encode_tip(&mut salt, Height(u64::MAX)));
        assert_eq!(decode(tip), Ok(Message::Tip(Height(u64::MAX))));
    }

    #[test]
    fn the_head_is_as_long_as_outgoing_counts() {
        let one = message(TRANSACTIONS, &[vec![1; 10]]);
        assert_eq!(one.len(), HEAD_BYTES + LENGTH_BYTES + 10);
    }

    #[test]
    fn refuses_what_is_out_of_bounds() {
        let check = |data: Vec<u8>, error: MessageError| assert_eq!(decode(data), Err(error));
        let too_large = GOSSIP_MESSAGE_BYTES_MAX + 1;
        check(vec![0; too_large], MessageError::TooLarge(too_large));
        check(message(2, &[vec![1]]), MessageError::Kind(2));
        check(message(TRANSACTIONS, &[]), MessageError::Count(0));
        let many = vec![vec![1]; GOSSIP_MESSAGE_TRANSACTIONS_MAX + 1];
        check(
            message(TRANSACTIONS, &many),
            MessageError::Count(many.len()),
        );
        check(
            message(TRANSACTIONS, &[vec![1], vec![]]),
            MessageError::TransactionSize(0),
        );
        let large = TRANSACTION_BYTES_MAX + 1;
        check(
            message(TRANSACTIONS, &[vec![1; large]]),
            MessageError::TransactionSize(large),
        );
        // A count and a length that promise more than there is.
        let mut promise = message(TRANSACTIONS, &[vec![1]]);
        promise[9..13].copy_from_slice(&1_000u32.to_le_bytes());
        assert!(matches!(decode(promise), Err(MessageError::Bytes(_))));
        let mut promise = message(TRANSACTIONS, &[vec![1]]);
        promise[13..17].copy_from_slice(&u32::MAX.to_le_bytes());
        assert!(matches!(
            decode(promise),
            Err(MessageError::TransactionSize(_))
        ));
        let mut trailing = encode_tip(&mut Salt::new(&[]), Height(1));
        trailing.push(0);
        check(trailing, MessageError::Bytes(CursorError::Trailing(1)));
        assert!(decode(vec![]).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_decode_or_fail(data in prop::collection::vec(any::<u8>(), 0..64)) {
            if let Ok(Message::Transactions(list)) = decode(data.clone()) {
                let total: usize = list.iter().map(|tx| LENGTH_BYTES + tx.len()).sum();
                prop_assert_eq!(HEAD_BYTES + total, data.len());
            }
        }

        #[test]
        fn agrees_with_borsh(
            list in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..40), 1..40),
            height in any::<u64>(),
        ) {
            let data = message(TRANSACTIONS, &list);
            let borsh: (u64, u8, Vec<Vec<u8>>) = borsh::from_slice(&data).unwrap();
            prop_assert_eq!(&borsh.2, &list);
            let list = list.into_iter().map(Bytes::from).collect();
            prop_assert_eq!(decode(data), Ok(Message::Transactions(list)));
            let data = encode(&(1u64, TIP, height));
            prop_assert_eq!(decode(data), Ok(Message::Tip(Height(height))));
        }

        #[test]
        fn every_truncation_fails(size in 1..40usize, cut in 1..56usize) {
            let mut data = message(TRANSACTIONS, &[vec![1; size]]);
            data.truncate(data.len() - cut.min(data.len()));
            prop_assert!(decode(data).is_err());
        }
    }
}
