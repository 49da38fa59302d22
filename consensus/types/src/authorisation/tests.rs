use alloy_primitives::keccak256;

use super::*;

const ACT: &str = "(uint32,uint32,address,bytes32,(bytes32,uint64,uint64,bytes32[]),\
                   (string,string,string,string,string),(string,string,string,string,string))";

fn word(value: u64) -> [u8; 32] {
    U256::from(value).to_be_bytes()
}

fn text(text: &str) -> Vec<u8> {
    let mut bytes = word(text.len() as u64).to_vec();
    bytes.extend_from_slice(text.as_bytes());
    bytes.resize(bytes.len().next_multiple_of(32), 0);
    bytes
}

fn texts(all: [&str; 5]) -> Vec<u8> {
    let (mut heads, mut tails) = (Vec::new(), Vec::new());
    for one in all {
        heads.extend(word((5 * 32 + tails.len()) as u64));
        tails.extend(text(one));
    }
    [heads, tails].concat()
}

/// As the contract's compiler lays it out.
fn act() -> Vec<u8> {
    let terms = [
        word(0xa9),
        word(100),
        word(200),
        word(128),
        word(2),
        word(7),
        word(9),
    ]
    .concat();
    let [one, other] = [
        texts(["甲公會", "Guild A", "10458575", "", "TW"]),
        texts(["", "Guild B", "", "LEI", "JP"]),
    ];
    let heads = 7 * 32;
    let places = [heads, heads + terms.len(), heads + terms.len() + one.len()];
    let places = places.map(|place| word(place as u64));
    let tuple = [
        [word(1), word(2), word(0xacc), word(0xda7a)].concat(),
        places.concat(),
        terms,
        one,
        other,
    ];
    [word(32).to_vec(), tuple.concat()].concat()
}

fn topics() -> [B256; 3] {
    [5, 2, 3].map(|number| B256::from(word(number)))
}

#[test]
fn events_have_the_signatures_of_the_contract() {
    let stated = |name: &str| format!("{name}(uint32,uint32,uint32,{ACT})");
    let check =
        |topic: B256, signature: String| assert_eq!(topic, keccak256(&signature), "{signature}");
    check(AUTHORISATION_OFFERED, stated("AuthorisationOffered"));
    check(AUTHORISATION_ACCEPTED, stated("AuthorisationAccepted"));
    check(AUTHORISATION_NARROWED, stated("AuthorisationNarrowed"));
    check(
        AUTHORISATION_REVOKED,
        "AuthorisationRevoked(uint32,uint32,uint32,uint32,address,uint16)".into(),
    );
    check(
        AUTHORISATION_RELIED_ON,
        "AuthorisationReliedOn(uint32,uint32,uint32,uint32,address,bytes32,bytes32)".into(),
    );
}

#[test]
fn an_act_is_read_with_terms_and_parties() {
    let event = AuthorisationEvent::decode(AUTHORISATION_NARROWED, &topics(), &act()).unwrap();
    assert_eq!(
        (event.authorisation, event.grantor, event.grantee),
        (5, 2, 3)
    );
    let stated = event.stated().unwrap();
    assert_eq!((stated.version, stated.by), (1, 2));
    assert_eq!(stated.data_set, B256::from(word(0xda7a)));
    let terms = &stated.terms;
    assert_eq!((terms.from, terms.until), (100, 200));
    assert_eq!(terms.purposes, [7, 9].map(|it| B256::from(word(it))));
    assert_eq!(stated.grantor.name_zh_tw, "甲公會");
    assert_eq!(stated.grantor.tax_id, "10458575");
    assert_eq!(stated.grantee.name_en, "Guild B");
    assert_eq!(stated.grantee.jurisdiction, "JP");
    assert!(terms.allow(None) && terms.allow(Some(B256::from(word(9)))));
    assert!(!terms.allow(Some(B256::ZERO)));
    let covered = [99, 100, 199, 200].map(|second| terms.cover(second));
    assert_eq!(covered, [false, true, true, false]);
}

#[test]
fn the_other_events_are_read() {
    let data = [word(3), word(0xacc), word(8)].concat();
    let event = AuthorisationEvent::decode(AUTHORISATION_REVOKED, &topics(), &data).unwrap();
    let account = Address::left_padding_from(&[0xa, 0xcc]);
    let (by, reason) = (3, 8);
    let expected = AuthorisationAct::Revoked {
        by,
        account,
        reason,
    };
    assert_eq!((event.act, event.authorisation), (expected, 5));
    let data = [word(1), word(0xacc), word(7), word(9)].concat();
    let event = AuthorisationEvent::decode(AUTHORISATION_RELIED_ON, &topics(), &data).unwrap();
    let expected = AuthorisationAct::ReliedOn {
        version: 1,
        account,
        purpose: B256::from(word(7)),
        subject: B256::from(word(9)),
    };
    assert_eq!(event.act, expected);
}

#[test]
fn bytes_that_are_cut_short_or_out_of_range_are_nothing() {
    let whole = act();
    let read = |data: &[u8]| AuthorisationEvent::decode(AUTHORISATION_OFFERED, &topics(), data);
    assert!(read(&whole).is_some());
    // The padding of the last text is not looked at.
    for end in 0..whole.len() - 32 {
        assert_eq!(read(&whole[..end]), None, "{end} bytes");
    }
    for place in (0..whole.len() / 32).map(|it| it * 32) {
        let mut wide = whole.clone();
        wide[place] = 0xff;
        // Nothing panics; what is no offset, length or number may be anything.
        let _ = read(&wide);
    }
    let none = AuthorisationEvent::decode(B256::ZERO, &topics(), &whole);
    assert_eq!(none, None);
    let none = AuthorisationEvent::decode(AUTHORISATION_OFFERED, &topics()[..2], &whole);
    assert_eq!(none, None);
}

#[test]
fn a_version_is_in_force_from_block_to_block() {
    let word = |parts: [u64; 4]| U256::from_limbs(parts);
    let read = |parts| TermsInForce::decode(word(parts));
    assert_eq!(read([0; 4]), None);
    let since = (1_700, Height(9));
    let open = TermsInForce { since, until: None };
    assert_eq!(read([1_700, 0, 9, 0]), Some(open));
    let until = Some((1_800, Height(12)));
    let ended = TermsInForce { since, until };
    assert_eq!(read([1_700, 1_800, 9, 12]), Some(ended));
    assert_ne!(TermsInForce::slot(1, 0), TermsInForce::slot(1, 1));
    assert_ne!(TermsInForce::slot(1, 0), TermsInForce::slot(2, 0));
}
