use std::time::Duration;

use tbsi_types::VotingPower;
use tbsi_types::log::{NoteSigner, SignatureType};

use super::*;

const ORIGIN: &str = "tbsi/1/aa";

fn signer(name: u8) -> NoteSigner {
    NoteSigner::new(&format!("{ORIGIN}/{name}"), &[name; 32]).unwrap()
}

/// Of validator `name`; in their order, as positions are.
fn address(name: u8) -> Address {
    Address::repeat_byte(name)
}

/// Validators 1 to `count` with these powers, and the sum.
fn set(powers: &[u64]) -> (Vec<Cosigner>, u128) {
    let cosigner = |(name, power): (u8, &u64)| Cosigner {
        validator: address(name),
        power: VotingPower(*power),
        key: signer(name).verifier(SignatureType::Cosignature),
    };
    let total = powers.iter().map(|power| u128::from(*power)).sum();
    ((1..).zip(powers).map(cosigner).collect(), total)
}

fn follow(pool: &mut CosignaturePool, powers: &[u64]) {
    let (cosigners, total) = set(powers);
    pool.follow(cosigners, total);
}

/// Validators with these powers, and two outside witnesses.
fn pool(powers: &[u64]) -> CosignaturePool {
    let outside = [200, 201].map(|name| signer(name).verifier(SignatureType::Cosignature));
    let mut pool = CosignaturePool::new(ORIGIN.into(), outside.into());
    follow(&mut pool, powers);
    pool
}

fn log(size: u64) -> LogState {
    (
        TreeSize(size),
        B256::repeat_byte(u8::try_from(size % 251).unwrap()),
    )
}

fn signature(pool: &CosignaturePool, name: u8, log: LogState, time: u64) -> TimestampedSignature {
    let line = signer(name).cosign(&pool.text(log), time).unwrap();
    line.bytes.try_into().unwrap()
}

/// As the node does: verified, then added.
fn add(pool: &mut CosignaturePool, name: u8, log: LogState, time: u64) -> Result<(), Dropped> {
    let bytes = signature(pool, name, log, time);
    offer(pool, name, log, bytes)
}

fn offer(
    pool: &mut CosignaturePool,
    name: u8,
    log: LogState,
    bytes: TimestampedSignature,
) -> Result<(), Dropped> {
    let (key, line) = pool.to_verify(log, address(name), &bytes)?;
    let verified = key.verify(&pool.text(log), &line);
    verified.map_err(|_| Dropped::Invalid)?;
    pool.add(log, address(name), bytes, Instant::now())
}

#[test]
fn serves_the_log_that_a_quorum_cosigned_but_not_for_long() {
    let (mut pool, now) = (pool(&[1; 4]), Instant::now());
    assert_eq!(pool.served(log(5), now), log(5), "nothing is cosigned");
    pool.note_log(log(5), now);
    for name in [1, 2] {
        assert_eq!(add(&mut pool, name, log(5), 10), Ok(()));
    }
    pool.note_log(log(6), now);
    assert_eq!(
        pool.served(log(6), now),
        log(6),
        "two of four are no quorum"
    );
    assert_eq!(add(&mut pool, 3, log(5), 10), Ok(()));
    // From the moment of the quorum on, whatever was larger then.
    let now = Instant::now();
    assert_eq!(pool.served(log(6), now), log(5));
    let late = now + COSIGNED_AGE_MAX + Duration::from_secs(1);
    assert_eq!(pool.served(log(6), late), log(6));
    for name in [4, 3, 2] {
        assert_eq!(add(&mut pool, name, log(6), 11), Ok(()));
    }
    assert_eq!(pool.served(log(6), late), log(6));
    assert_eq!(pool.lines(log(6)).len(), 3);
    assert_eq!(pool.lines(log(5)).len(), 3);
    assert_eq!(pool.lines((TreeSize(6), B256::ZERO)), []);
}

#[test]
fn quorum_is_by_voting_power_of_all_validators() {
    let mut pool = pool(&[3, 1, 1, 1]);
    pool.note_log(log(5), Instant::now());
    for name in [2, 3, 4] {
        add(&mut pool, name, log(5), 10).unwrap();
    }
    assert_eq!(pool.quorum, None, "3 of 6");
    add(&mut pool, 1, log(5), 10).unwrap();
    assert_eq!(pool.quorum, Some(TreeSize(5)));
    // The most powerful first, then by address.
    let names: Vec<_> = pool
        .lines(log(5))
        .into_iter()
        .map(|line| line.name)
        .collect();
    let expected = [1, 2, 3, 4].map(|name| format!("{ORIGIN}/{name}"));
    assert_eq!(names, expected);
}

#[test]
fn drops_what_is_unknown_old_wrong_or_of_another_log() {
    let mut pool = pool(&[1; 4]);
    pool.note_log(log(5), Instant::now());
    assert_eq!(add(&mut pool, 9, log(5), 10), Err(Dropped::Unknown));
    assert_eq!(add(&mut pool, 1, log(4), 10), Err(Dropped::Old));
    let good = signature(&pool, 1, log(5), 10);
    for bit in 0..8 * good.len() {
        let mut bad = good;
        bad[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(
            offer(&mut pool, 1, log(5), bad),
            Err(Dropped::Invalid),
            "{bit}"
        );
    }
    // Another validator's, another size's, another root's.
    assert_eq!(offer(&mut pool, 2, log(5), good), Err(Dropped::Invalid));
    assert_eq!(offer(&mut pool, 1, log(6), good), Err(Dropped::Invalid));
    let other = (TreeSize(5), B256::ZERO);
    assert_eq!(offer(&mut pool, 1, other, good), Err(Dropped::Invalid));
    assert_eq!(add(&mut pool, 1, other, 10), Err(Dropped::OtherRoot));
    assert_eq!(pool.lines(log(5)), []);
    // One for each log and validator, and the newest.
    assert_eq!(offer(&mut pool, 1, log(5), good), Ok(()));
    assert_eq!(offer(&mut pool, 1, log(5), good), Err(Dropped::Old));
    assert_eq!(add(&mut pool, 1, log(5), 9), Err(Dropped::Old));
    assert_eq!(add(&mut pool, 1, log(5), 11), Ok(()));
    let lines = pool.lines(log(5));
    assert_eq!((lines.len(), lines[0].bytes[7]), (1, 11));
}

#[test]
fn what_comes_before_its_block_counts_after_it() {
    let (mut pool, now) = (pool(&[1; 4]), Instant::now());
    pool.note_log(log(5), now);
    for name in [1, 2, 3] {
        assert_eq!(add(&mut pool, name, log(7), 10), Ok(()));
    }
    let forked = (TreeSize(7), B256::ZERO);
    assert_eq!(add(&mut pool, 4, forked, 10), Ok(()));
    assert_eq!(
        add(&mut pool, 1, log(6), 11),
        Err(Dropped::Old),
        "it had 7 already"
    );
    assert_eq!(pool.served(log(5), now), log(5));
    assert_eq!(
        pool.note_log(log(7), now),
        [address(4)],
        "who signed another log is named"
    );
    assert_eq!(pool.served(log(7), now), log(7));
    assert_eq!(pool.lines(log(7)).len(), 3);
    let newest = pool.newest().unwrap();
    assert_eq!((newest.size, newest.list.len()), (TreeSize(7), 3));
}

#[test]
fn keeps_a_bounded_number_and_the_best() {
    let (mut pool, now) = (pool(&[1; 4]), Instant::now());
    pool.note_log(log(1), now);
    let line = signer(200).cosign(&pool.text(log(1)), 10).unwrap();
    pool.add_outside(TreeSize(1), 0, line);
    pool.note_log(log(2), now);
    for name in [1, 2, 3] {
        add(&mut pool, name, log(2), 10).unwrap();
    }
    for size in 3..1_000 {
        pool.note_log(log(size), now);
        for name in 1..=2 {
            add(&mut pool, name, log(size), 10).unwrap();
        }
        assert!(pool.logs.len() <= COSIGNED_SIZES_MAX);
    }
    assert_eq!(pool.served(log(999), now), log(2));
    // An outside witness is worth more than validators, most signatures more than few.
    assert_eq!(pool.covering(0), Some(log(1)));
    assert_eq!(pool.covering(1), Some(log(2)));
    assert_eq!(pool.covering(2), Some(log(999)));
    assert_eq!(pool.covering(999), None);
    // Only validators that are known take place.
    assert!(pool.early.len() <= pool.cosigners.len());
}

#[test]
fn a_note_has_as_many_lines_as_every_reader_takes() {
    let mut pool = pool(&[1; 40]);
    pool.note_log(log(5), Instant::now());
    for name in 1..=40 {
        add(&mut pool, name, log(5), 10).unwrap();
    }
    for (position, name) in [(0, 200), (1, 201)] {
        let line = signer(name).cosign(&pool.text(log(5)), 10).unwrap();
        pool.add_outside(TreeSize(5), position, line);
    }
    let lines = pool.lines(log(5));
    assert_eq!(lines.len(), 15, "and one of the log");
    let names: Vec<_> = lines.into_iter().map(|line| line.name).collect();
    let expected = [200, 201].into_iter().chain(1..=13);
    let expected: Vec<_> = expected.map(|name| format!("{ORIGIN}/{name}")).collect();
    assert_eq!(names, expected);
}

#[test]
fn follows_the_validator_set() {
    let mut pool = pool(&[1; 4]);
    pool.note_log(log(5), Instant::now());
    for name in 1..=3 {
        add(&mut pool, name, log(5), 10).unwrap();
    }
    follow(&mut pool, &[1; 4]);
    assert_eq!(pool.lines(log(5)).len(), 3, "the same set is no news");
    // A fifth validator with much power: the four old ones are no quorum now.
    follow(&mut pool, &[1, 1, 1, 1, 9]);
    assert_eq!((pool.cosigners().len(), pool.lines(log(5)).len()), (5, 0));
    for name in 1..=4 {
        add(&mut pool, name, log(5), 11).unwrap();
    }
    assert_eq!(pool.quorum, None);
    add(&mut pool, 5, log(5), 11).unwrap();
    assert_eq!(pool.quorum, Some(TreeSize(5)));
    // Who leaves is unknown.
    follow(&mut pool, &[1, 1]);
    assert_eq!(add(&mut pool, 3, log(6), 12), Err(Dropped::Unknown));
    assert_eq!(add(&mut pool, 2, log(5), 12), Ok(()));
}
