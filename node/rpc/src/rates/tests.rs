use super::*;

const KEY: B256 = B256::repeat_byte(7);
const SECOND: Duration = Duration::from_secs(1);

/// 20 a second of all, 2 of one address, 10 of the key; buckets of 200, 20 and 100.
fn rates() -> Rates {
    Rates::new(&RatesConfig {
        what: "time stamps",
        per_minute: Some(1_200),
        address_per_minute: Some(120),
        keys: vec![(KEY, 600)],
    })
}

/// An address, and the key that it sends.
type Client = (IpAddr, Option<B256>);

fn from(address: impl Into<IpAddr>) -> Client {
    (address.into(), None)
}

fn ip(text: &str) -> Client {
    from(text.parse::<IpAddr>().unwrap())
}

fn with_key(key: B256) -> Client {
    (ip("192.0.2.1").0, Some(key))
}

fn ask(rates: &Rates, client: Client, now: Duration) -> Result<(), Refusal> {
    rates.admit_at(client.0, client.1, 1, now)
}

/// An address in a /64 of its own, of the `number`th /48 of a /32.
fn v6(network: u16, number: u16) -> Client {
    from(Ipv6Addr::new(0x2001, 0xdb8, network, number, 0, 0, 0, 1))
}

fn count(rates: &Rates, clients: impl IntoIterator<Item = Client>, now: Duration) -> u64 {
    let admitted = clients
        .into_iter()
        .filter(|client| ask(rates, *client, now).is_ok());
    admitted.count() as u64
}

fn wait(refusal: Refusal) -> Duration {
    match refusal {
        Refusal::UnknownKey => panic!("no waiting makes a key known"),
        Refusal::Key(_, wait) | Refusal::Network(_, _, wait) | Refusal::All(_, wait) => wait,
    }
}

#[test]
fn an_address_that_floods_gets_its_rate_and_others_theirs() {
    let rates = rates();
    let flooder = ip("198.51.100.7");
    let mut leaves = 0;
    for second in 0..60 {
        let now = SECOND * second;
        leaves += count(&rates, vec![flooder; 1_000], now);
        // Somebody else, from another network each time.
        let other = from(Ipv4Addr::new(203, u8::try_from(second).unwrap(), 113, 9));
        assert_eq!(ask(&rates, other, now), Ok(()), "second {second}");
    }
    assert_eq!(leaves, 20 + 2 * 59);
}

#[test]
fn many_addresses_of_one_provider_leave_room_for_others() {
    let rates = rates();
    let mut leaves = 0;
    for second in 0..60u16 {
        let now = SECOND * second.into();
        // 1,024 new addresses a second, each of which asks twice.
        for network in 0..16 {
            let flood = (0..64).map(|number| v6(network, 64 * second + number));
            leaves += count(&rates, flood.clone().chain(flood), now);
        }
        let other = from(Ipv4Addr::new(203, 0, 113, 9));
        assert_eq!(ask(&rates, other, now), Ok(()), "second {second}");
    }
    // Four times one address, however many there were.
    assert_eq!(leaves, 80 + 8 * 59);
}

#[test]
fn a_flood_from_everywhere_is_bounded_in_all_and_keys_are_served() {
    let rates = rates();
    let mut leaves = 0;
    for second in 0..60u8 {
        let now = SECOND * second.into();
        let flood =
            (0..=255u8).flat_map(|a| (0..8).map(move |b| from(Ipv4Addr::new(a, b, second, 1))));
        leaves += count(&rates, flood, now);
        assert_eq!(count(&rates, [with_key(KEY); 10], now), 10);
    }
    assert_eq!(leaves, 200 + 20 * 59);
    let refused = ask(&rates, ip("9.9.9.9"), SECOND * 59).unwrap_err();
    assert_eq!(refused.reason(), "all");
    // What was refused left nothing behind.
    let remembered = rates.buckets.lock().unwrap().networks.len();
    assert!(remembered as u64 <= 3 * leaves, "{remembered}");
}

#[test]
fn a_refusal_says_when_there_is_room_and_then_there_is() {
    let check = |client: Client, allowed: u64, reason: &str| {
        let rates = rates();
        let mut now = SECOND * 1_000;
        assert_eq!(count(&rates, vec![client; 1_000], now), allowed);
        for _ in 0..3 {
            let refusal = ask(&rates, client, now).unwrap_err();
            assert_eq!(refusal.reason(), reason);
            let early = now + wait(refusal) - Duration::from_nanos(1);
            assert!(ask(&rates, client, early).is_err());
            now += wait(refusal);
            assert_eq!(ask(&rates, client, now), Ok(()));
        }
        // A bucket fills no further than it was.
        let later = now + SECOND * 100_000;
        assert_eq!(count(&rates, vec![client; 1_000], later), allowed);
    };
    check(ip("192.0.2.1"), 20, "address");
    check(ip("::ffff:192.0.2.1"), 20, "address");
    check(ip("2001:db8::1"), 20, "address");
    check(with_key(KEY), 100, "key");
}

#[test]
fn an_unknown_key_is_refused_and_takes_nothing() {
    let rates = rates();
    let unknown = with_key(B256::ZERO);
    for _ in 0..1_000 {
        let refusal = ask(&rates, unknown, SECOND).unwrap_err();
        assert_eq!(refusal.reason(), "unknown_key");
        let said = rates.explain(refusal);
        assert_eq!(said.retry_after_s, None);
    }
    assert_eq!(count(&rates, vec![ip("192.0.2.1"); 100], SECOND), 20);
}

#[test]
fn a_refusal_names_the_limit_and_the_remedy() {
    let rates = rates();
    let said = |client: Client| {
        count(&rates, vec![client; 300], SECOND);
        let refusal = ask(&rates, client, SECOND).unwrap_err();
        let said = rates.explain(refusal);
        (said.retry_after_s, said.sentence)
    };
    let remedy = "wait, or ask the operator for an API key";
    let of = |network: &str, count| {
        let sentence = format!("{network} may ask for {count} time stamps a minute; {remedy}");
        (Some(1), sentence)
    };
    assert_eq!(said(ip("192.0.2.1")), of("192.0.2.1/32", 120));
    assert_eq!(said(ip("2001:db8::1")), of("2001:db8::/64", 120));
    for number in 0..4 {
        count(&rates, [v6(1, number); 20], SECOND);
    }
    assert_eq!(said(v6(1, 9)), of("2001:db8:1::/48", 240));
    let (_, of_key) = said(with_key(KEY));
    assert_eq!(of_key, "this API key is good for 600 time stamps a minute");
}

#[test]
fn a_batch_takes_as_many_as_it_has_and_owes_what_no_bucket_holds() {
    let rates = rates();
    let (address, now) = (ip("192.0.2.1").0, SECOND);
    // A bucket of 20 is full; 1,000 are more than it ever holds, and take 500 seconds to earn.
    assert_eq!(rates.admit_at(address, None, 1_000, now), Ok(()));
    let refusal = rates.admit_at(address, None, 1, now).unwrap_err();
    assert_eq!(wait(refusal), Duration::from_millis(490_500));
    let later = now + wait(refusal);
    assert_eq!(rates.admit_at(address, None, 1, later), Ok(()));
    assert!(rates.admit_at(address, None, 2, later).is_err());
}

#[test]
fn what_has_no_rate_is_not_counted() {
    let rates = Rates::new(&RatesConfig {
        what: "calls",
        per_minute: None,
        address_per_minute: None,
        keys: vec![(KEY, 6)],
    });
    let now = SECOND;
    assert_eq!(count(&rates, vec![ip("192.0.2.1"); 10_000], now), 10_000);
    assert_eq!(count(&rates, vec![with_key(KEY); 10], now), 1);
    assert!(rates.buckets.lock().unwrap().networks.is_empty());
}

#[test]
fn the_table_of_networks_is_bounded() {
    let mut buckets = Buckets::default();
    let now = SECOND * 10;
    for number in 0..3 * RATE_NETWORKS_MAX as u64 {
        buckets.make_room(now);
        let address = Ipv6Addr::from_bits(u128::from(number) << 64);
        // Full later and later, and some are full.
        let full = Duration::from_micros(number * 100);
        buckets.networks.insert((address.into(), 64), full);
        assert!(buckets.networks.len() <= RATE_NETWORKS_MAX);
    }
    // The last ones are still there: they have most to wait.
    assert!(buckets.networks.len() > RATE_NETWORKS_MAX / 4);
    let last = Ipv6Addr::from_bits(u128::from(3 * RATE_NETWORKS_MAX as u64 - 1) << 64);
    assert!(!buckets.network((last.into(), 64)).is_zero());
}
