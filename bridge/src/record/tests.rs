use super::*;

pub(crate) fn parties() -> Parties {
    Parties {
        name_zh_tw: "台灣測試公會甲".into(),
        name_en: "Test Association A".into(),
        account: Address::repeat_byte(1),
        source_chain_id: 8_862_026,
        source_genesis_hash: B256::repeat_byte(2),
        target: TargetIdentity {
            chain: "eip155:31337".into(),
            client: "0x0303030303030303030303030303030303030303".into(),
            account: "0x0101010101010101010101010101010101010101".into(),
        },
    }
}

fn record(event: Event) -> Record {
    Record {
        version: RECORD_VERSION,
        number: 7,
        previous: B256::repeat_byte(4),
        time_ms: 1_700_000_000_000,
        parties: parties(),
        event,
    }
}

#[test]
fn a_record_has_one_form() {
    let record = record(Event::Released {
        plan: 3,
        reason: Reason {
            code: "notSigned".into(),
            detail: "the process ended".into(),
        },
    });
    let text = record.encode();
    assert_eq!(Record::parse(&text).unwrap(), record);
    assert!(text.starts_with(r#"{"event":{"plan":3,"reason":{"code":"notSigned","#));
    for (bad, words) in [
        (
            text.replace(",\"number\"", ", \"number\""),
            "canonical form",
        ),
        (text.replace("\"version\":2", "\"version\":3"), "version 3"),
        (
            text.replace("\"plan\":3", "\"plan\":3,\"x\":1"),
            "unknown field",
        ),
        (text.replace("released", "lost"), "unknown variant"),
    ] {
        let error = Record::parse(&bad).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn items_and_amounts_are_short_in_json() {
    let items = serde_json::to_string(&[Item::Leaf(5), Item::Handover(6)]).unwrap();
    assert_eq!(items, r#"[{"leaf":5},{"handover":6}]"#);
    let wei = U64Text(u64::MAX);
    let text = serde_json::to_string(&wei).unwrap();
    assert_eq!(text, "\"18446744073709551615\"");
    assert_eq!(serde_json::from_str::<U64Text>(&text).unwrap(), wei);
    assert!(serde_json::from_str::<U64Text>("\"01\"").is_err());
}
