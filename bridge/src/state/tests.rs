use serde_json::json;

use super::*;
use crate::record::tests::parties;
use crate::record::{RECORD_VERSION, TrustBasis};

fn record(number: u64, event: Event) -> Record {
    Record {
        version: RECORD_VERSION,
        number,
        previous: B256::ZERO,
        time_ms: 1_000 + number,
        parties: parties(),
        event,
    }
}

fn of(events: &[Event]) -> Result<State, Illegal> {
    let records = (0..)
        .zip(events)
        .map(|(number, event)| record(number, event.clone()));
    State::of(&records.collect::<Vec<_>>())
}

fn discovered() -> Event {
    Event::Discovered {
        items: vec![Item::Leaf(3)],
        scanned: 4,
        requested: false,
    }
}

fn proven() -> Event {
    Event::Proven {
        items: vec![Item::Leaf(3)],
        height: 9,
        checkpoint: B256::repeat_byte(9),
        log_size: 4,
        validator_set: B256::repeat_byte(8),
        signers: vec![],
        assurance: TrustBasis::ValidatorQuorum,
    }
}

fn planned(plan: u64) -> Event {
    Event::Planned {
        plan,
        items: vec![Item::Leaf(3)],
    }
}

fn step(plan: u64, name: &str) -> Event {
    let step = SendStep {
        name: name.into(),
        body: json!({ "of": plan }),
    };
    Event::Step { plan, step }
}

fn inclusion(number: u8, success: bool) -> Inclusion {
    Inclusion {
        transaction: B256::repeat_byte(number),
        block: 1,
        block_hash: B256::repeat_byte(0xbb),
        cost: BTreeMap::new(),
        success,
    }
}

/// A plan that was sent twice.
fn sent() -> Vec<Event> {
    vec![
        discovered(),
        proven(),
        planned(1),
        step(1, "signed"),
        step(1, "sent"),
        step(1, "sent"),
    ]
}

fn with(mut events: Vec<Event>, more: &[Event]) -> Result<State, Illegal> {
    events.extend_from_slice(more);
    of(&events)
}

fn final_block(success: bool) -> Event {
    Event::Final {
        plan: 1,
        items: vec![],
        inclusion: inclusion(1, success),
    }
}

#[test]
fn an_item_goes_through_all_states() {
    let state = of(&sent()).unwrap();
    assert_eq!((state.backlog(), state.waiting.len()), (1, 0));
    assert_eq!(state.oldest_ms(), Some(1_000));
    // A step that is repeated is kept once.
    assert_eq!(state.plans[&1].steps.len(), 2);
    let included = Event::Included {
        plan: 1,
        inclusion: inclusion(1, true),
    };
    let state = with(sent(), &[included, final_block(true)]).unwrap();
    assert_eq!((state.backlog(), state.settled), (0, 1));
    assert!(state.plans.is_empty());
    assert_eq!(state.progress_ms, 1_007);
}

#[test]
fn what_failed_waits_again() {
    let state = with(sent(), &[final_block(false)]).unwrap();
    assert_eq!(state.items[&Item::Leaf(3)].failures, 1);
    assert_eq!(state.waiting.len(), 1);
    let reason = Reason {
        code: "x".into(),
        detail: String::new(),
    };
    let items = vec![Item::Leaf(3)];
    let aside = Event::Quarantined {
        items: items.clone(),
        reason,
    };
    let state = with(sent(), &[final_block(false), aside.clone()]).unwrap();
    assert_eq!((state.backlog(), state.quarantined().count()), (0, 1));
    let again = Event::Retried { items };
    let state = with(sent(), &[final_block(false), aside, again]).unwrap();
    assert_eq!(
        (state.backlog(), state.items[&Item::Leaf(3)].failures),
        (1, 0)
    );
}

#[test]
fn a_block_that_goes_away_leaves_the_plan_open() {
    let included = Event::Included {
        plan: 1,
        inclusion: inclusion(2, true),
    };
    let gone = |byte| Event::Reorganised {
        plan: 1,
        block_hash: B256::repeat_byte(byte),
    };
    let state = with(sent(), &[included.clone(), gone(0xbb)]).unwrap();
    assert_eq!(state.plans[&1].progress, PlanProgress::Lost);
    assert!(with(sent(), &[included, gone(0xcc)]).is_err());
}

#[test]
fn what_cannot_follow_is_refused() {
    let cases: &[(&[Event], &str)] = &[
        (&[proven()], "is unknown"),
        (&[discovered(), discovered()], "is known already"),
        (&[discovered(), planned(1)], "is not proven"),
        (&[discovered(), proven(), planned(2)], "plan 0 was the last"),
        (&[step(1, "signed")], "plan 1 is unknown"),
        (
            &[discovered(), proven(), planned(1), proven()],
            "is part of a plan",
        ),
        (&[final_block(true)], "plan 1 is unknown"),
        (
            &[Event::Resumed {
                reason: Hold::Paused,
            }],
            "not held",
        ),
        (
            &[Event::Retried {
                items: vec![Item::Leaf(1)],
            }],
            "is unknown",
        ),
    ];
    for (events, words) in cases {
        let error = of(events).unwrap_err();
        assert!(error.problem.contains(words), "{error}");
    }
    let included = Event::Included {
        plan: 1,
        inclusion: inclusion(7, true),
    };
    let error = with(sent(), &[included, step(1, "sent")]).unwrap_err();
    assert!(error.problem.contains("in a block"), "{error}");
}

#[test]
fn a_message_that_is_too_late_is_done_with() {
    let found = Event::Discovered {
        items: vec![Item::Message(3), Item::Leaf(4)],
        scanned: 5,
        requested: false,
    };
    let expired = |item| Event::Expired {
        items: vec![item],
        block: 1,
    };
    let state = of(&[found.clone(), expired(Item::Message(3))]).unwrap();
    assert_eq!(
        (state.expired, state.messages(), state.backlog()),
        (1, 0, 1)
    );
    let error = of(&[found.clone(), expired(Item::Leaf(4))]).unwrap_err();
    assert_eq!(error.problem, "only messages expire");
    let error = of(&[found, expired(Item::Message(9))]).unwrap_err();
    assert!(error.problem.contains("is unknown"), "{error}");
}

#[test]
fn a_pause_of_messages_alone_holds_nothing_else() {
    let held = |reason| Event::Held { reason };
    let state = of(&[held(Hold::MessagesPaused)]).unwrap();
    assert!(!state.is_held());
    let state = of(&[
        held(Hold::MessagesPaused),
        held(Hold::Target("dear".into())),
    ])
    .unwrap();
    assert!(state.is_held());
}

/// A plan that the target refused.
fn refused(code: &str) -> Vec<Event> {
    let reason = Reason {
        code: code.into(),
        detail: String::new(),
    };
    let released = Event::Released { plan: 1, reason };
    vec![
        discovered(),
        proven(),
        planned(1),
        step(1, "signed"),
        released,
    ]
}

#[test]
fn a_refusal_counts_against_an_item_that_was_alone() {
    for (code, failures, given_up) in [
        ("sendRefused", 1, true),
        ("tooLarge", 1, true),
        ("notSigned", 0, false),
        ("nonceTaken", 0, false),
    ] {
        let state = of(&refused(code)).unwrap();
        let entry = &state.items[&Item::Leaf(3)];
        assert_eq!(
            (entry.failures, &entry.stage),
            (failures, &Stage::Discovered)
        );
        assert_eq!(state.given_up.contains_key(&1), given_up, "{code}");
    }
}

#[test]
fn a_plan_that_was_given_up_can_come_back() {
    let revived = || Event::Revived { plan: 1 };
    let included = Event::Included {
        plan: 1,
        inclusion: inclusion(1, true),
    };
    let state = with(
        refused("sendRefused"),
        &[revived(), included, final_block_of(1)],
    );
    let state = state.unwrap();
    assert_eq!((state.settled, state.items.len()), (1, 0));
    let other = [proven(), planned(2), step(2, "signed")];
    let error = with(refused("nonceTaken"), &[revived()]).unwrap_err();
    assert_eq!(error.problem, "plan 1 was not given up");
    // What another plan has by then stays there.
    let reason = Reason {
        code: "nonceTaken".into(),
        detail: String::new(),
    };
    let gone = Event::Released { plan: 2, reason };
    let third = [proven(), planned(3)];
    let more = [&other[..], &[gone], &third, &[revived()]].concat();
    let state = with(refused("sendRefused"), &more).unwrap();
    assert!(state.plans[&1].items.is_empty());
    assert_eq!(state.items[&Item::Leaf(3)].stage, Stage::Planned(3));
}

/// The first attempt, which succeeded.
fn final_block_of(plan: u64) -> Event {
    Event::Final {
        plan,
        items: vec![],
        inclusion: inclusion(1, true),
    }
}

/// Every kind of thing that there is to carry over.
fn everything() -> Vec<Event> {
    let many = Event::Discovered {
        items: (10..3_000).map(Item::Leaf).collect(),
        scanned: 3_000,
        requested: false,
    };
    let reason = Reason {
        code: "x".into(),
        detail: "y".repeat(3_000),
    };
    let aside = |from: u64| Event::Quarantined {
        items: (from..from + 200).map(Item::Leaf).collect(),
        reason: reason.clone(),
    };
    let more = [
        many,
        aside(10),
        aside(400),
        Event::Held {
            reason: Hold::Target("dear".into()),
        },
        proven(),
        planned(2),
        step(2, "signed"),
        Event::Included {
            plan: 2,
            inclusion: inclusion(2, true),
        },
    ];
    [refused("tooLarge"), more.to_vec()].concat()
}

#[test]
fn a_snapshot_is_the_whole_state() {
    let state = of(&everything()).unwrap();
    let snapshot = state.snapshot();
    assert_eq!(of(&snapshot).unwrap().snapshot(), snapshot);
    let parts = snapshot
        .iter()
        .map(|event| record(0, event.clone()).encode());
    assert!(parts.map(|part| part.len()).max().unwrap() < 1_000_000);
    // After the events themselves, it says what they said.
    let both = of(&[everything(), snapshot.clone()].concat()).unwrap();
    assert_eq!(both, state);
    // Again, and what goes on from there.
    let included = Event::Final {
        plan: 2,
        items: vec![],
        inclusion: inclusion(2, true),
    };
    let on = of(&[snapshot.clone(), vec![included.clone()]].concat()).unwrap();
    let whole = of(&[everything(), snapshot.clone(), vec![included]].concat()).unwrap();
    assert_eq!((on.settled, on.items), (whole.settled, whole.items));
}

#[test]
fn a_snapshot_that_says_something_else_is_refused() {
    let state = of(&everything()).unwrap();
    let snapshot = state.snapshot();
    for (left_out, words) in [
        (0, "begins with its totals"),
        (1, "not what the records before it lead to"),
        (snapshot.len() - 1, "has no end"),
    ] {
        let mut events = everything();
        let mut rest = snapshot.clone();
        rest.remove(left_out);
        events.extend(rest);
        events.push(Event::Alarm {
            reason: Reason {
                code: "x".into(),
                detail: String::new(),
            },
        });
        let error = of(&events).unwrap_err();
        assert!(error.problem.contains(words), "{left_out}: {error}");
    }
    let twice = [snapshot[..1].to_vec(), snapshot.clone()].concat();
    let error = of(&twice).unwrap_err();
    assert_eq!(error.problem, "a snapshot within a snapshot");
}
