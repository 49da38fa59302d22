use tbsi_types::VotingPower;
use tbsi_types::log::PostQuantumSigner;

use super::*;

const ORIGIN: &str = "tbsi/1/00";

fn signer(name: u8) -> PostQuantumSigner {
    PostQuantumSigner::new(&format!("{ORIGIN}/{name}"), &[name; 32]).unwrap()
}

fn cosigner(name: u8) -> PostQuantumCosigner {
    PostQuantumCosigner {
        validator: Address::repeat_byte(name),
        power: VotingPower(1),
        name: format!("{ORIGIN}/{name}"),
        key_hash: signer(name).verifier().key_hash(),
    }
}

fn pool(names: std::ops::RangeInclusive<u8>) -> PostQuantumPool {
    let mut pool = PostQuantumPool::new(ORIGIN.into());
    pool.follow(names.map(cosigner).collect());
    pool
}

fn log(size: u64) -> LogState {
    (
        TreeSize(size),
        B256::with_last_byte(u8::try_from(size).unwrap()),
    )
}

fn cosigned(pool: &PostQuantumPool, name: u8, log: LogState, time: u64) -> PostQuantumCosignature {
    let line = signer(name).cosign(&pool.checkpoint(log), time).unwrap();
    PostQuantumCosignature {
        size: log.0,
        root: log.1,
        validator: Address::repeat_byte(name),
        key: Bytes::copy_from_slice(signer(name).verifier().public_key()),
        signature: line.bytes.into(),
    }
}

/// Verifies and adds, as the task does.
fn take(pool: &mut PostQuantumPool, it: PostQuantumCosignature) -> Result<(), Dropped> {
    let (key, signature) = pool.to_verify(&it)?;
    let checkpoint = pool.checkpoint((it.size, it.root));
    let verified = key.verify(&checkpoint, &signature);
    verified.map_err(|_| Dropped::Invalid)?;
    pool.add(it, key)
}

#[test]
fn serves_the_log_with_most_power_that_covers_a_leaf() {
    let mut pool = pool(1..=4);
    for size in [5, 6, 7] {
        pool.note_log(log(size));
    }
    assert_eq!((pool.covering(None), pool.best()), (None, Vec::new()));
    for (name, size) in [(1, 5), (2, 5), (3, 5), (1, 7)] {
        let it = cosigned(&pool, name, log(size), 10);
        assert_eq!(take(&mut pool, it), Ok(()));
    }
    assert_eq!(pool.covering(None), Some(log(5)));
    assert_eq!(pool.covering(Some(4)), Some(log(5)));
    assert_eq!(pool.covering(Some(5)), Some(log(7)));
    assert_eq!(pool.covering(Some(7)), None);
    assert_eq!(pool.lines(log(5)).len(), 3);
    let known: Vec<_> = pool.cosigners().map(|(_, key)| key.is_some()).collect();
    assert_eq!(known, [true, true, true, false]);
    let (best, mut other) = (pool.best(), self::pool(1..=4));
    other.note_log(log(5));
    for it in best {
        assert_eq!(take(&mut other, it), Ok(()));
    }
    assert_eq!(other.lines(log(5)), pool.lines(log(5)));
}

#[test]
fn drops_what_is_unknown_old_wrong_or_of_another_log() {
    let mut pool = pool(1..=3);
    pool.note_log(log(5));
    let stranger = cosigned(&pool, 9, log(5), 10);
    assert_eq!(take(&mut pool, stranger), Err(Dropped::Unknown));
    // The right validator with a key that the chain does not name.
    let mut other_key = cosigned(&pool, 2, log(5), 10);
    other_key.validator = Address::repeat_byte(1);
    assert_eq!(take(&mut pool, other_key), Err(Dropped::Unknown));
    let mut wrong = cosigned(&pool, 1, log(5), 10);
    let mut bytes = wrong.signature.to_vec();
    bytes[100] ^= 1;
    wrong.signature = bytes.into();
    assert_eq!(take(&mut pool, wrong), Err(Dropped::Invalid));
    let good = cosigned(&pool, 1, log(5), 10);
    assert_eq!(take(&mut pool, good.clone()), Ok(()));
    assert_eq!(take(&mut pool, good), Err(Dropped::Old));
    let later = cosigned(&pool, 1, log(5), 11);
    assert_eq!(take(&mut pool, later), Ok(()));
    let fork = cosigned(&pool, 2, (TreeSize(5), B256::ZERO), 10);
    assert_eq!(take(&mut pool, fork), Err(Dropped::OtherRoot));
    let past = cosigned(&pool, 2, log(4), 10);
    assert_eq!(take(&mut pool, past), Err(Dropped::Old));
}

#[test]
fn what_comes_early_waits_for_the_log() {
    let mut pool = pool(1..=3);
    pool.note_log(log(5));
    let early = cosigned(&pool, 1, log(7), 10);
    assert_eq!(take(&mut pool, early), Ok(()));
    let fork = cosigned(&pool, 2, (TreeSize(7), B256::ZERO), 10);
    assert_eq!(take(&mut pool, fork), Ok(()));
    assert_eq!(pool.covering(None), None);
    assert!(pool.note_log(log(6)).is_empty());
    assert_eq!(pool.note_log(log(7)), [Address::repeat_byte(2)]);
    assert_eq!(pool.covering(None), Some(log(7)));
    assert_eq!(pool.lines(log(7)).len(), 1);
}

#[test]
fn a_key_that_is_revoked_counts_no_more_and_the_oldest_logs_give_way() {
    let mut pool = pool(1..=2);
    for size in 1..=20 {
        pool.note_log(log(size));
        let it = cosigned(&pool, 1, log(size), size);
        assert_eq!(take(&mut pool, it), Ok(()));
    }
    assert_eq!(pool.logs.len(), POST_QUANTUM_SIZES_MAX);
    assert_eq!(pool.covering(None), Some(log(20)));
    pool.follow(vec![cosigner(2)]);
    assert_eq!((pool.covering(None), pool.keys.len()), (None, 0));
    let revoked = cosigned(&pool, 1, log(20), 21);
    assert_eq!(take(&mut pool, revoked), Err(Dropped::Unknown));
}
