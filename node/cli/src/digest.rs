//! Digests of files, read once and in pieces: memory does not grow with the file.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use blake2::{Blake2b, Blake2b512, Blake2s256};
use sha2::digest::consts::U32;
use tbsi_types::log::algorithm::{ALGORITHMS, DigestAlgorithm, by_name};

use crate::lang::{SayContext, Sentence, demand};
use crate::salt::Salt;
use crate::shown::PathShown;

/// Name of the algorithm that is used if none is asked for.
pub(crate) const DEFAULT_ALGORITHM: &str = "sha2-256";

/// Bytes read at a time.
const PIECE_BYTES: usize = 1024 * 1024;

/// A digest in the making. Two versions of RustCrypto's traits are in use, so this is a third.
trait Hasher {
    fn update(&mut self, bytes: &[u8]);
    fn finish(self: Box<Self>) -> Vec<u8>;
}

/// Of the traits of sha2 0.10.
struct Older<D>(D);

impl<D: sha2::Digest> Hasher for Older<D> {
    fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(self: Box<Self>) -> Vec<u8> {
        self.0.finalize().to_vec()
    }
}

/// Of the traits of sha3 0.11.
struct Newer<D>(D);

impl<D: sha3::Digest> Hasher for Newer<D> {
    fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(self: Box<Self>) -> Vec<u8> {
        self.0.finalize().to_vec()
    }
}

impl Hasher for blake3::Hasher {
    fn update(&mut self, bytes: &[u8]) {
        self.update(bytes);
    }

    fn finish(self: Box<Self>) -> Vec<u8> {
        self.finalize().as_bytes().to_vec()
    }
}

fn older<D: sha2::Digest + 'static>() -> Box<dyn Hasher> {
    Box::new(Older(D::new()))
}

fn newer<D: sha3::Digest + 'static>() -> Box<dyn Hasher> {
    Box::new(Newer(D::new()))
}

/// `None` for an algorithm that this program does not compute.
fn hasher(name: &str) -> Option<Box<dyn Hasher>> {
    Some(match name {
        "sha2-256" => older::<sha2::Sha256>(),
        "sha2-384" => older::<sha2::Sha384>(),
        "sha2-512" => older::<sha2::Sha512>(),
        "sha2-512-256" => older::<sha2::Sha512_256>(),
        "sha3-256" => newer::<sha3::Sha3_256>(),
        "sha3-384" => newer::<sha3::Sha3_384>(),
        "sha3-512" => newer::<sha3::Sha3_512>(),
        "keccak-256" => newer::<sha3::Keccak256>(),
        "keccak-384" => newer::<sha3::Keccak384>(),
        "keccak-512" => newer::<sha3::Keccak512>(),
        "blake3" => Box::new(blake3::Hasher::new()),
        "sm3-256" => older::<sm3::Sm3>(),
        "blake2b-256" => older::<Blake2b<U32>>(),
        "blake2b-512" => older::<Blake2b512>(),
        "blake2s-256" => older::<Blake2s256>(),
        _ => return None,
    })
}

/// The algorithm of a multicodec name, if this program computes it.
pub(crate) fn parse_algorithm(name: &str) -> Result<&'static DigestAlgorithm, String> {
    let known = by_name(name).filter(|algorithm| hasher(algorithm.name).is_some());
    known.ok_or_else(|| {
        let names = ALGORITHMS.iter().map(|algorithm| algorithm.name);
        let names: Vec<_> = names.filter(|name| hasher(name).is_some()).collect();
        format!("use one of {}", names.join(", "))
    })
}

/// Digest over the salt, if there is one, and all bytes of `source`; tells `read` how many
/// bytes it has read each time.
fn digest_of(
    mut source: impl Read,
    algorithm: &DigestAlgorithm,
    salt: Option<&Salt>,
    read: &dyn Fn(u64),
) -> io::Result<Vec<u8>> {
    let Some(mut hasher) = hasher(algorithm.name) else {
        let problem = format!("this program does not compute {}", algorithm.name);
        return Err(io::Error::new(io::ErrorKind::Unsupported, problem));
    };
    if let Some(salt) = salt {
        hasher.update(salt.as_bytes());
    }
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        match source.read(&mut piece) {
            Ok(0) => return Ok(hasher.finish()),
            Ok(length) => {
                hasher.update(&piece[..length]);
                read(length as u64);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Digest of a file that nobody writes to meanwhile.
pub(crate) fn digest_file(
    path: &Path,
    algorithm: &DigestAlgorithm,
    salt: Option<&Salt>,
    read: &dyn Fn(u64),
) -> anyhow::Result<Vec<u8>> {
    let file = File::open(path).or_say(|| reading(path))?;
    let before = file.metadata().or_say(|| reading(path))?;
    let shown = path.shown();
    demand(before.is_file(), || {
        (
            format!("{shown} is not a file"),
            format!("{shown} 不是檔案"),
        )
    })?;
    let digest = digest_of(&file, algorithm, salt, read).or_say(|| reading(path))?;
    let after = file.metadata().or_say(|| reading(path))?;
    let unchanged = before.len() == after.len() && before.modified().ok() == after.modified().ok();
    demand(unchanged, || {
        (
            format!("{shown} changed while it was read; wait until nobody writes to it"),
            format!("{shown} 在讀取時被更動；請等到沒有程式寫入它"),
        )
    })?;
    Ok(digest)
}

/// What was being done when a file could not be read.
pub(crate) fn reading(path: &Path) -> Sentence {
    let path = path.shown();
    (format!("read {path}"), format!("讀取 {path}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::hex;
    use std::cell::Cell;

    fn check(name: &str, expected: &str) {
        let algorithm = parse_algorithm(name).unwrap();
        let digest = digest_of(&b"abc"[..], algorithm, None, &|_| ()).unwrap();
        assert_eq!(hex::encode(&digest), expected, "{name}");
        assert_eq!(digest.len() * 8, usize::from(algorithm.bits), "{name}");
    }

    /// Published digests of "abc": FIPS 180-4, FIPS 202, RFC 7693, GB/T 32905, the teams of Keccak
    /// and BLAKE3.
    #[test]
    fn digests_are_those_of_the_standards() {
        check(
            "sha2-256",
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        );
        check(
            "sha2-384",
            "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed\
             8086072ba1e7cc2358baeca134c825a7",
        );
        check(
            "sha2-512",
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
             2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        );
        check(
            "sha2-512-256",
            "53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23",
        );
        check(
            "sha3-256",
            "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532",
        );
        check(
            "sha3-384",
            "ec01498288516fc926459f58e2c6ad8df9b473cb0fc08c2596da7cf0e49be4b2\
             98d88cea927ac7f539f1edf228376d25",
        );
        check(
            "sha3-512",
            "b751850b1a57168a5693cd924b6b096e08f621827444f70d884f5d0240d2712e\
             10e116e9192af3c91a7ec57647e3934057340b4cf408d5a56592f8274eec53f0",
        );
        check(
            "keccak-256",
            "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45",
        );
        check(
            "sm3-256",
            "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0",
        );
        check(
            "blake3",
            "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85",
        );
        check(
            "blake2b-512",
            "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1\
             7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923",
        );
        check(
            "blake2s-256",
            "508c5e8c327c14e2e1a72ba34eeb452f37458b209ed63a294d999b4c86675982",
        );
    }

    #[test]
    fn every_length_is_that_of_the_table() {
        let mut computed = 0;
        for algorithm in ALGORITHMS {
            if parse_algorithm(algorithm.name).is_ok() {
                let digest = digest_of(io::empty(), algorithm, None, &|_| ()).unwrap();
                assert_eq!(digest.len() * 8, usize::from(algorithm.bits));
                computed += 1;
            }
        }
        assert_eq!(computed, ALGORITHMS.len());
        for bad in ["", "md5", "sha1", "SHA2-256", "blake3-256"] {
            let error = parse_algorithm(bad).unwrap_err();
            assert!(error.contains("sha2-256, sha2-512"), "{bad}: {error}");
        }
    }

    #[test]
    fn the_salt_comes_first_and_pieces_add_up() {
        let algorithm = parse_algorithm(DEFAULT_ALGORITHM).unwrap();
        let salt = Salt::new([7; 32]);
        let long = vec![1; 2 * PIECE_BYTES + 5];
        let read = Cell::new(0);
        let count = |bytes| read.set(read.get() + bytes);
        let salted = digest_of(long.as_slice(), algorithm, Some(&salt), &count).unwrap();
        assert_eq!(read.get(), long.len() as u64);
        let whole = [[7; 32].as_slice(), &long].concat();
        let expected = digest_of(whole.as_slice(), algorithm, None, &|_| ()).unwrap();
        assert_eq!(salted, expected);
    }

    #[test]
    fn refuses_what_is_no_file() {
        let algorithm = parse_algorithm(DEFAULT_ALGORITHM).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let missing = dir.path().join("missing");
        for path in [dir.path(), &missing] {
            assert!(digest_file(path, algorithm, None, &|_| ()).is_err());
        }
    }
}
