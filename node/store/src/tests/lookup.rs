use tbsi_types::log::{Found, Leaf, Lookup, Statement};
use tbsi_types::{Address, B256, LeafIndex};

use super::fixture::ticked;
use super::log::{append, attestation, digest, leaf};
use crate::Store;
use crate::keys;
use crate::limits::POSITIONS_MAX;

const LIMIT: usize = 100;

fn by_digest(digest: B256) -> Lookup {
    Lookup::digest(digest.as_slice()).unwrap()
}

/// A page: positions, and where to look on.
fn page(store: &Store, lookup: &Lookup, from: u64, limit: usize) -> (Vec<u64>, Option<u64>) {
    let Found { positions, next } = store.find(lookup, LeafIndex(from), limit).unwrap();
    let positions = positions.iter().map(|index| index.0).collect();
    (positions, next.map(|next| next.0))
}

/// All that is found, which must fit on a page.
fn all(store: &Store, lookup: &Lookup) -> Vec<u64> {
    let (positions, next) = page(store, lookup, 0, LIMIT);
    assert_eq!(next, None);
    positions
}

fn said_by(issuer: Address, statement: Statement) -> Leaf {
    let mut leaf = leaf(statement, 0);
    leaf.head.issuer = issuer;
    leaf
}

#[test]
fn finds_leaves_by_digest_and_by_what_they_are_about() {
    let (_dir, store) = ticked(0);
    let one = attestation(digest(7), 0);
    let id = one.attestation_id().unwrap();
    let issuer = one.head.issuer;
    let mut alike = digest(7);
    alike.0[31] ^= 1;
    let revocation = leaf(Statement::Revocation { id, reason: 1 }, 3);
    let again = attestation(digest(7), 4);
    append(&store, &[one, attestation(alike, 1), revocation, again]);
    assert_eq!(all(&store, &by_digest(digest(7))), [0, 3]);
    assert_eq!(page(&store, &by_digest(digest(7)), 1, 9), (vec![3], None));
    assert_eq!(all(&store, &by_digest(alike)), [1]);
    assert_eq!(all(&store, &by_digest(digest(8))), [0u64; 0]);
    assert_eq!(all(&store, &Lookup::Attestation(id)), [0, 3]);
    assert_eq!(all(&store, &Lookup::Revocation(id, issuer)), [2]);
    assert_eq!(all(&store, &Lookup::Attestation(B256::ZERO)), [0u64; 0]);
}

/// Nothing that anybody repeats stands before the issuer's own word.
#[test]
fn a_revocation_is_found_behind_any_number_of_other_leaves_about_the_id() {
    let (_dir, store) = ticked(0);
    let one = attestation(digest(7), 0);
    let (id, issuer) = (one.attestation_id().unwrap(), one.head.issuer);
    let revocation = Statement::Revocation { id, reason: 1 };
    let count = u32::try_from(POSITIONS_MAX).unwrap() + 1;
    let mut leaves: Vec<_> = (0..count)
        .map(|number| attestation(digest(7), number))
        .collect();
    leaves.extend((0..count).map(|number| {
        let stranger = Address::left_padding_from(&number.to_be_bytes());
        said_by(stranger, revocation)
    }));
    leaves.push(said_by(issuer, revocation));
    append(&store, &leaves);
    let last = leaves.len() as u64 - 1;
    assert_eq!(all(&store, &Lookup::Revocation(id, issuer)), [last]);
    let (attested, next) = page(&store, &Lookup::Attestation(id), 0, 1);
    assert_eq!((attested, next), (vec![0], Some(1)));
}

#[test]
fn pages_are_bounded_say_where_to_look_on_and_together_are_everything() {
    let (_dir, store) = ticked(0);
    // Every third leaf, over several bundles and blocks.
    let leaves: Vec<_> = (0..900)
        .map(|number| attestation(digest(if number % 3 == 0 { 0 } else { number }), 0))
        .collect();
    append(&store, &leaves[..500]);
    append(&store, &leaves[500..]);
    let mut found = Vec::new();
    let mut next = Some(0);
    while let Some(from) = next {
        let (positions, after) = page(&store, &by_digest(digest(0)), from, 70);
        assert!(positions.len() == 70 || after.is_none());
        found.extend(positions);
        next = after;
    }
    assert_eq!(found, (0..900).step_by(3).collect::<Vec<u64>>());
    let beyond = page(&store, &by_digest(digest(0)), u64::MAX, 70);
    assert_eq!(beyond, (vec![], None));
    // A page that is just full is the last one only if nothing follows.
    assert_eq!(page(&store, &by_digest(digest(0)), 894, 2).1, None);
    assert_eq!(page(&store, &by_digest(digest(0)), 891, 2).1, Some(897));
    assert_eq!(page(&store, &by_digest(digest(0)), 0, 0), (vec![], Some(0)));
}

/// Whoever chooses digests and ids that begin alike makes nobody's search longer.
#[test]
fn what_begins_alike_shares_no_entry_of_the_index() {
    let key = |lookup: Lookup| keys::lookup(&lookup);
    let kinds: [fn(B256) -> Lookup; 6] = [
        by_digest,
        |id| Lookup::Revocation(id, Address::repeat_byte(1)),
        |id| Lookup::Supersession(id, Address::repeat_byte(1)),
        Lookup::Countersigning,
        Lookup::Countersignature,
        Lookup::Schema,
    ];
    for byte in 8..32 {
        let mut alike = digest(7);
        alike.0[byte] ^= 1;
        for lookup in kinds {
            assert_ne!(key(lookup(digest(7))), key(lookup(alike)), "{byte}");
        }
    }
    let said_by = |byte| key(Lookup::Revocation(digest(7), Address::repeat_byte(byte)));
    assert_ne!(said_by(1), said_by(2));
}

/// The index holds the beginning of a hash; what another leaf shares with it is passed over.
#[test]
fn an_entry_of_another_leaf_is_passed_over_and_a_search_ends_all_the_same() {
    let (_dir, store) = ticked(0);
    let count = POSITIONS_MAX as u64 + 2;
    let leaves: Vec<_> = (0..count)
        .map(|number| attestation(digest(number), 0))
        .collect();
    append(&store, &leaves);
    let wanted = by_digest(digest(count - 1));
    let mut batch = store.database.batch();
    for index in 0..count {
        let key = keys::position(&wanted, index);
        batch.put(crate::database::Table::Position, &key, &[]);
    }
    batch.write("collisions").unwrap();
    let looked_at = POSITIONS_MAX as u64;
    let first = page(&store, &wanted, 0, LIMIT);
    assert_eq!(first, (vec![], Some(looked_at)));
    let second = page(&store, &wanted, looked_at, LIMIT);
    assert_eq!(second, (vec![count - 1], None));
}
