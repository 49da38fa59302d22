//! Headers as Besu makes them, by validators with test keys; words of storage.

use alloy_primitives::{Address, B256, U256, keccak256};
use alloy_rlp::Header as RlpHeader;
use tbsi_light::foreign::{encode_validators, mix_hash};
use tbsi_types::SecretKey;
use tbsi_types::log::Assurance;

/// A list of items that are encoded already.
pub(crate) fn list(items: &[Vec<u8>]) -> Vec<u8> {
    let payload_length = items.iter().map(Vec::len).sum();
    let list = true;
    let mut bytes = Vec::new();
    RlpHeader {
        list,
        payload_length,
    }
    .encode(&mut bytes);
    bytes.extend(items.concat());
    bytes
}

pub(crate) fn string(bytes: &[u8]) -> Vec<u8> {
    alloy_rlp::encode(bytes)
}

/// The test validators of these numbers, ascending by address.
pub(crate) struct Keys(Vec<(Address, SecretKey)>);

impl Keys {
    pub(crate) fn new(numbers: impl IntoIterator<Item = usize>) -> Self {
        let key = |number: usize| {
            let key = SecretKey::from_seed(format!("foreign {number}").as_bytes());
            (key.public_key().address(), key)
        };
        let mut keys: Vec<_> = numbers.into_iter().map(key).collect();
        keys.sort_by_key(|(address, _)| *address);
        Self(keys)
    }

    pub(crate) fn addresses(&self) -> Vec<Address> {
        self.0.iter().map(|(address, _)| *address).collect()
    }

    /// As `verify_header` takes them.
    pub(crate) fn trusted(&self) -> Vec<u8> {
        encode_validators(&self.addresses())
    }

    fn seal(&self, position: usize, digest: B256) -> Vec<u8> {
        let mut seal = self.0[position].1.sign(digest).0;
        seal[64] -= 27;
        seal.to_vec()
    }
}

/// A header before it is sealed.
#[derive(Clone)]
pub(crate) struct Draft {
    pub(crate) kind: Assurance,
    pub(crate) height: u64,
    pub(crate) time: u64,
    pub(crate) state_root: B256,
    pub(crate) round: u32,
    pub(crate) vanity: Vec<u8>,
    /// Whom to add or drop.
    pub(crate) vote: Option<(Address, bool)>,
    /// Those of the list; `None` for those who seal.
    pub(crate) validators: Option<Vec<Address>>,
    /// Fields of the fork after the nonce, encoded.
    pub(crate) fork: Vec<Vec<u8>>,
    /// Other encoded fields than this factory's.
    pub(crate) replaced: Vec<(usize, Vec<u8>)>,
}

impl Draft {
    pub(crate) fn new(kind: Assurance, height: u64) -> Self {
        Self {
            kind,
            height,
            time: 1_700_000_000 + height,
            state_root: B256::repeat_byte(0x5a),
            round: 0,
            vanity: vec![0; 32],
            vote: None,
            validators: None,
            fork: Vec::new(),
            replaced: Vec::new(),
        }
    }

    fn vote(&self) -> Vec<u8> {
        let qbft = self.kind == Assurance::Qbft;
        match self.vote {
            None if qbft => vec![0xc0],
            None => vec![0x80],
            Some((recipient, true)) => list(&[string(recipient.as_slice()), vec![0x81, 0xff]]),
            Some((recipient, false)) => {
                let drop = if qbft { 0x80 } else { 0x00 };
                list(&[string(recipient.as_slice()), vec![drop]])
            }
        }
    }

    fn round(&self) -> Vec<u8> {
        match self.kind {
            Assurance::Qbft => alloy_rlp::encode(self.round),
            Assurance::Ibft2 => string(&self.round.to_be_bytes()),
        }
    }

    /// Vanity, validators, vote.
    fn front(&self, keys: &Keys) -> Vec<Vec<u8>> {
        let own = keys.addresses();
        let listed = self.validators.as_ref().unwrap_or(&own);
        let listed: Vec<_> = listed.iter().map(|it| string(it.as_slice())).collect();
        vec![string(&self.vanity), list(&listed), self.vote()]
    }

    fn header(&self, extra: &[u8]) -> Vec<u8> {
        let word = |byte| string(B256::repeat_byte(byte).as_slice());
        let mut fields = vec![
            word(1),
            string(keccak256([0xc0]).as_slice()),
            string(&[2; 20]),
            string(self.state_root.as_slice()),
            word(4),
            word(5),
            string(&[0; 256]),
            alloy_rlp::encode(1_u8),
            alloy_rlp::encode(self.height),
            alloy_rlp::encode(u64::from(u32::MAX)),
            alloy_rlp::encode(21_000_u64),
            alloy_rlp::encode(self.time),
            string(extra),
            string(mix_hash().as_slice()),
            string(&[0; 8]),
        ];
        fields.extend(self.fork.clone());
        for (position, field) in &self.replaced {
            fields[*position].clone_from(field);
        }
        list(&fields)
    }

    /// What the block hash is over, and what validators seal.
    pub(crate) fn hashes(&self, keys: &Keys) -> (B256, B256) {
        let front = self.front(keys);
        let (on_chain, sealed): (&[Vec<u8>], &[Vec<u8>]) = match self.kind {
            Assurance::Qbft => (&[vec![0x80], vec![0xc0]], &[self.round(), vec![0xc0]]),
            Assurance::Ibft2 => (&[], &[self.round()]),
        };
        let hash =
            |rest: &[Vec<u8>]| keccak256(self.header(&list(&[front.as_slice(), rest].concat())));
        (hash(on_chain), hash(sealed))
    }

    /// Sealed by the validators at these positions.
    pub(crate) fn sealed_by(&self, keys: &Keys, positions: impl Iterator<Item = usize>) -> Vec<u8> {
        let (_, digest) = self.hashes(keys);
        self.with_seals(keys, positions.map(|at| keys.seal(at, digest)).collect())
    }

    /// Sealed by the first `count`.
    pub(crate) fn sealed(&self, keys: &Keys, count: usize) -> Vec<u8> {
        self.sealed_by(keys, 0..count)
    }

    pub(crate) fn seals(&self, keys: &Keys, digest: B256, count: usize) -> Vec<Vec<u8>> {
        (0..count).map(|at| keys.seal(at, digest)).collect()
    }

    pub(crate) fn with_seals(&self, keys: &Keys, seals: Vec<Vec<u8>>) -> Vec<u8> {
        let seals: Vec<_> = seals.iter().map(|seal| string(seal)).collect();
        let rest = [self.round(), list(&seals)];
        self.header(&list(&[self.front(keys), rest.to_vec()].concat()))
    }
}

/// Fields of forks after Berlin: London, Shanghai, Cancun, Prague.
pub(crate) fn forks() -> [Vec<Vec<u8>>; 5] {
    let fields = [
        vec![0x80],
        string(&[7; 32]),
        vec![0x80],
        vec![0x80],
        string(&[8; 32]),
        string(&[9; 32]),
    ];
    [0, 1, 2, 5, 6].map(|count| fields[..count].to_vec())
}

/// Every encoding of a number of words under slots 0 and up.
pub(crate) fn words(count: usize) -> Vec<(B256, U256)> {
    let word = |at: usize| (slot(at), U256::from(at + 1));
    (0..count).map(word).collect()
}

pub(crate) fn slot(number: usize) -> B256 {
    B256::from(U256::from(number))
}
