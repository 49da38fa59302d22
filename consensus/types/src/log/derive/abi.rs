//! Reading canonical ABI encoding: whole words, padding zero, arrays last and in place.

use alloy_primitives::{Address, B256};

/// Words of event data that are still to be read.
pub(super) struct Words<'a>(&'a [u8]);

impl<'a> Words<'a> {
    pub(super) fn new(data: &'a [u8]) -> Self {
        Self(data)
    }

    /// The next 32 bytes.
    pub(super) fn word(&mut self) -> Option<B256> {
        let (word, rest) = self.0.split_first_chunk::<32>()?;
        self.0 = rest;
        Some(B256::from(*word))
    }

    /// An unsigned integer of at most 64 bits; narrow it with `try_from`.
    pub(super) fn integer(&mut self) -> Option<u64> {
        integer(self.word()?)
    }

    /// The rest: an array of one-word elements that takes all of it, and whose offset from the
    /// start of the data is `offset` bytes.
    pub(super) fn array(mut self, offset: u64) -> Option<&'a [u8]> {
        if self.integer()? != offset {
            return None;
        }
        let count = usize::try_from(self.integer()?).ok()?;
        let bytes = count.checked_mul(32)?;
        (self.0.len() == bytes).then_some(self.0)
    }

    /// Nothing is left.
    pub(super) fn end(self) -> Option<()> {
        self.0.is_empty().then_some(())
    }
}

/// A word as an integer of at most 64 bits.
pub(super) fn integer(word: B256) -> Option<u64> {
    let (high, low) = word.split_at(24);
    high.iter().all(|byte| *byte == 0).then_some(())?;
    Some(u64::from_be_bytes(low.try_into().ok()?))
}

/// A word as an address.
pub(super) fn address(word: B256) -> Option<Address> {
    let (high, low) = word.split_at(12);
    high.iter().all(|byte| *byte == 0).then_some(())?;
    Some(Address::from_slice(low))
}
