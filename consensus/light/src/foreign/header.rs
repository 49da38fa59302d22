//! The fields of an Ethereum block header, of whichever fork.

use alloy_primitives::{B256, b256, keccak256};

use super::error::HeaderError;
use super::limits::HEADER_BYTES_MAX;
use super::rlp::{self, Item};

/// What QBFT and IBFT 2.0 put into `mixHash`: "ctical byzantine fault tolerance" in ASCII.
const MIX_HASH: B256 = b256!("63746963616c2062797a616e74696e65206661756c7420746f6c6572616e6365");

/// Keccak-256 of an empty list.
const NO_OMMERS: B256 = b256!("1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347");

/// Fields up to Berlin, London, Shanghai, Cancun and Prague.
const FIELD_COUNTS: [usize; 5] = [15, 16, 17, 20, 21];
const FIELDS_MAX: usize = 21;

/// Positions of fields.
const PARENT_HASH: usize = 0;
const OMMERS_HASH: usize = 1;
const STATE_ROOT: usize = 3;
const DIFFICULTY: usize = 7;
const NUMBER: usize = 8;
const TIMESTAMP: usize = 11;
const EXTRA_DATA: usize = 12;
const MIX: usize = 13;
const NONCE: usize = 14;

/// The form of each field: bytes of a string, or an integer of at most as many.
#[derive(Clone, Copy)]
enum Form {
    Bytes(usize),
    Integer(usize),
    Any,
}

const FORMS: [Form; FIELDS_MAX] = [
    Form::Bytes(32),   // parent hash
    Form::Bytes(32),   // ommers hash
    Form::Bytes(20),   // beneficiary
    Form::Bytes(32),   // state root
    Form::Bytes(32),   // transactions root
    Form::Bytes(32),   // receipts root
    Form::Bytes(256),  // logs bloom
    Form::Integer(32), // difficulty
    Form::Integer(8),  // number
    Form::Integer(8),  // gas limit
    Form::Integer(8),  // gas used
    Form::Integer(8),  // timestamp
    Form::Any,         // extra data
    Form::Bytes(32),   // mix hash
    Form::Bytes(8),    // nonce
    Form::Integer(32), // base fee
    Form::Bytes(32),   // withdrawals root
    Form::Integer(8),  // blob gas used
    Form::Integer(8),  // excess blob gas
    Form::Bytes(32),   // parent beacon block root
    Form::Bytes(32),   // requests hash
];

/// A header whose fields have the right forms.
pub(super) struct Header<'a> {
    fields: Vec<Item<'a>>,
    pub(super) height: u64,
    pub(super) time: u64,
    pub(super) parent_hash: B256,
    pub(super) state_root: B256,
    pub(super) extra_data: &'a [u8],
}

/// The mix hash by which a chain of these kinds is known.
pub fn mix_hash() -> B256 {
    MIX_HASH
}

impl<'a> Header<'a> {
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, HeaderError> {
        if bytes.len() > HEADER_BYTES_MAX {
            return Err(HeaderError::TooLong(bytes.len() as u64));
        }
        let list = rlp::whole(bytes).filter(|item| item.is_list);
        let list = list.ok_or(HeaderError::Rlp)?;
        // One more than there can be, so that a longer list is told from a broken one.
        let fields = list.items(FIELDS_MAX + 1).ok_or(HeaderError::Rlp)?;
        if !FIELD_COUNTS.contains(&fields.len()) {
            return Err(HeaderError::Fields(fields.len() as u64));
        }
        for (position, (field, form)) in fields.iter().zip(FORMS).enumerate() {
            if !has_form(field, form) {
                return Err(HeaderError::Field(position as u64));
            }
        }
        let integer = |position: usize| fields[position].integer();
        let word = |position: usize| fields[position].array::<32>().map(B256::from);
        let missing = |position: usize| HeaderError::Field(position as u64);
        Ok(Self {
            height: integer(NUMBER).ok_or(missing(NUMBER))?,
            time: integer(TIMESTAMP).ok_or(missing(TIMESTAMP))?,
            parent_hash: word(PARENT_HASH).ok_or(missing(PARENT_HASH))?,
            state_root: word(STATE_ROOT).ok_or(missing(STATE_ROOT))?,
            extra_data: fields[EXTRA_DATA].payload,
            fields,
        })
    }

    /// Whether a header of QBFT or IBFT 2.0 could have these fields.
    pub(super) fn check_constants(&self) -> Result<(), HeaderError> {
        let is = |position: usize, expected: &[u8]| {
            let fits = self.fields[position].payload == expected;
            let constant = HeaderError::Constant(position as u64);
            fits.then_some(()).ok_or(constant)
        };
        is(OMMERS_HASH, NO_OMMERS.as_slice())?;
        is(DIFFICULTY, &[1])?;
        is(MIX, MIX_HASH.as_slice())?;
        is(NONCE, &[0; 8])
    }

    /// Hash of this header with other extra data.
    pub(super) fn hash_with(&self, extra_data: &[u8]) -> B256 {
        keccak256(self.encode_with(extra_data))
    }

    /// This header with other extra data.
    pub(super) fn encode_with(&self, extra_data: &[u8]) -> Vec<u8> {
        let mut encoded = Vec::with_capacity(extra_data.len() + 9);
        alloy_rlp::Encodable::encode(extra_data, &mut encoded);
        let encoded = encoded.as_slice();
        let field = |(position, field): (usize, &Item<'a>)| match position {
            EXTRA_DATA => encoded,
            _ => field.raw,
        };
        rlp::list(self.fields.iter().enumerate().map(field))
    }
}

fn has_form(field: &Item<'_>, form: Form) -> bool {
    let Some(bytes) = field.bytes() else {
        return false;
    };
    match form {
        Form::Bytes(length) => bytes.len() == length,
        Form::Integer(length) => bytes.len() <= length && bytes.first() != Some(&0),
        Form::Any => true,
    }
}
