//! Reading nested ABI encoding: whoever reads has the hash of the bytes from the log, so that they
//! are the contract's own. Nothing outside of them is read, whatever they say.

use alloy_primitives::{Address, B256, U256};

/// Bytes of one text; names take at most 512.
const TEXT_BYTES_MAX: usize = 512;

/// A tuple: its words, and what offsets in it count from.
pub(super) struct Tuple<'a>(&'a [u8]);

impl<'a> Tuple<'a> {
    /// Parameters of an event or of a call.
    pub(super) fn of(data: &'a [u8]) -> Self {
        Self(data)
    }

    /// A word as it is.
    pub(super) fn word(&self, position: usize) -> Option<B256> {
        let from = position.checked_mul(32)?;
        let word = self.0.get(from..from.checked_add(32)?)?;
        Some(B256::from_slice(word))
    }

    /// An unsigned integer that fits the field.
    pub(super) fn number<T: TryFrom<U256>>(&self, position: usize) -> Option<T> {
        T::try_from(U256::from_be_bytes(self.word(position)?.0)).ok()
    }

    pub(super) fn address(&self, position: usize) -> Option<Address> {
        let word = self.word(position)?;
        let (high, low) = word.split_at(12);
        high.iter().all(|byte| *byte == 0).then_some(())?;
        Some(Address::from_slice(low))
    }

    /// A tuple with parts of no fixed length.
    pub(super) fn tuple(&self, position: usize) -> Option<Self> {
        let offset: usize = self.number(position)?;
        self.0.get(offset..).map(Self)
    }

    /// A list of at most `max` words.
    pub(super) fn words(&self, position: usize, max: usize) -> Option<Vec<B256>> {
        let list = self.tuple(position)?;
        let count: usize = list.number(0)?;
        (count <= max).then_some(())?;
        (1..=count).map(|place| list.word(place)).collect()
    }

    /// A text in UTF-8.
    pub(super) fn text(&self, position: usize) -> Option<String> {
        let text = self.tuple(position)?;
        let length: usize = text.number(0)?;
        (length <= TEXT_BYTES_MAX).then_some(())?;
        let bytes = text.0.get(32..32 + length)?;
        String::from_utf8(bytes.to_vec()).ok()
    }
}
