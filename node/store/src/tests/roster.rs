use tbsi_types::roster::{Member, Members};
use tbsi_types::{Height, SecretKey, VotingPower};

use super::fixture::{Decided, OPTIONS, identity, tick, ticked};
use crate::Store;

fn members(seeds: &[&str]) -> Members {
    let member = |seed: &&str| Member {
        public_key: SecretKey::from_seed(seed.as_bytes()).public_key(),
        power: VotingPower(1),
        organisation: 1,
        name_zh_tw: "甲公會".into(),
        name_en: format!("Guild {seed}"),
        node: (*seed).into(),
    };
    Members::new(seeds.iter().map(member).collect()).unwrap()
}

#[test]
fn keeps_every_set_and_where_it_changed() {
    let (dir, store) = ticked(2);
    let next = members(&["a", "b", "c", "d"]);
    let mut three = Decided::next(&store, &tick(3), Vec::new());
    three.hand_over_to(next.clone());
    three.commit(&store).unwrap();
    assert_eq!(store.members_at(Height(4)).unwrap(), Some(next.clone()));
    assert_eq!(store.members_at(Height(3)).unwrap(), None);
    assert_eq!(store.members_at(Height(5)).unwrap(), None);
    let found = |from, to| store.handovers(Height(from), Height(to), 9);
    assert_eq!(found(0, 9), [Height(3)]);
    assert_eq!(found(3, 4), [Height(3)]);
    assert_eq!(found(0, 3), []);
    assert_eq!(found(4, 9), []);
    assert_eq!(store.handovers_by_number(0, 9), [Height(3)]);
    assert_eq!(store.handovers_by_number(1, 9), []);

    drop(store);
    let store = Store::open(dir.path(), identity(), OPTIONS).unwrap();
    assert_eq!(store.handovers_by_number(0, 9), [Height(3)]);
    assert_eq!(store.handover_count(), 1);
    assert_eq!(store.members(next.set().hash()).unwrap(), Some(next));
}

#[test]
fn refuses_another_set_than_the_checkpoint_names() {
    let (_dir, store) = ticked(2);
    let mut three = Decided::next(&store, &tick(3), Vec::new());
    three.hand_over_to(members(&["a", "b", "c", "d"]));
    three.next_members = Some(members(&["a", "b", "c", "e"]));
    let error = three.commit(&store).unwrap_err().to_string();
    assert!(
        error.starts_with("block 3: checkpoint's next validator set is"),
        "{error}"
    );
    three.next_members = None;
    three.commit(&store).unwrap_err();
}
