//! Reading fixed layouts: every length is checked before it is used.

use alloy_primitives::B256;

/// The bytes ended early, or did not end where they should.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum CursorError {
    /// Fewer bytes than a field needs.
    #[error("{field}: {needed} bytes needed, {left} left")]
    Short {
        /// The field that was being read.
        field: &'static str,
        /// Bytes the field takes.
        needed: usize,
        /// Bytes that were left.
        left: usize,
    },
    /// Bytes after the last field.
    #[error("{0} bytes after the last field")]
    Trailing(usize),
}

/// A reader over a byte slice.
#[derive(Debug)]
pub struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    /// Starts at the first byte.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Takes `count` bytes.
    pub fn take(&mut self, field: &'static str, count: usize) -> Result<&'a [u8], CursorError> {
        if self.0.len() < count {
            return Err(CursorError::Short {
                field,
                needed: count,
                left: self.0.len(),
            });
        }
        let (head, tail) = self.0.split_at(count);
        self.0 = tail;
        Ok(head)
    }

    /// Takes exactly `N` bytes.
    pub fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], CursorError> {
        Ok(self
            .take(field, N)?
            .try_into()
            .expect("take returns N bytes"))
    }

    /// A big-endian u64.
    pub fn u64(&mut self, field: &'static str) -> Result<u64, CursorError> {
        Ok(u64::from_be_bytes(self.array(field)?))
    }

    /// A big-endian u32.
    pub fn u32(&mut self, field: &'static str) -> Result<u32, CursorError> {
        Ok(u32::from_be_bytes(self.array(field)?))
    }

    /// A big-endian u16.
    pub fn u16(&mut self, field: &'static str) -> Result<u16, CursorError> {
        Ok(u16::from_be_bytes(self.array(field)?))
    }

    /// One byte.
    pub fn u8(&mut self, field: &'static str) -> Result<u8, CursorError> {
        Ok(self.array::<1>(field)?[0])
    }

    /// 32 bytes.
    pub fn b256(&mut self, field: &'static str) -> Result<B256, CursorError> {
        Ok(B256::from(self.array::<32>(field)?))
    }

    /// All that is left.
    pub fn rest(self) -> &'a [u8] {
        self.0
    }

    /// Nothing may be left.
    pub fn end(self) -> Result<(), CursorError> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(CursorError::Trailing(self.0.len()))
        }
    }
}
