use tbsi_types::{Member, Members, PeerEntry, SecretKey, VotingPower};
use tokio::time::timeout;

use super::*;

const PATIENCE: std::time::Duration = std::time::Duration::from_secs(20);

fn roster(endpoints: &[(&str, &str)]) -> Roster {
    let member = Member {
        public_key: SecretKey::from_seed(b"a").public_key(),
        power: VotingPower(1),
        organisation: 1,
        name_zh_tw: String::new(),
        name_en: "A".into(),
        node: "a".into(),
    };
    let peer = |(id, endpoint): &(&str, &str)| {
        let entry = PeerEntry {
            organisation: 1,
            name: (*id).into(),
            endpoint: (*endpoint).into(),
            validator: None,
            log_key: None,
            post_quantum_key: None,
        };
        ((*id).to_owned(), entry)
    };
    let peers = endpoints.iter().map(peer).collect();
    Roster::new(Members::new(vec![member]).unwrap(), peers)
}

fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn finder(listen: &str, roster: &Roster) -> AddressFinder {
    let config = P2pConfig {
        consensus: SocketAddr::new(listen.parse().unwrap(), 27_000),
        ..P2pConfig::default()
    };
    AddressFinder::of(&config, "own".into(), roster)
}

#[test]
fn addresses_are_those_that_the_chain_names() {
    let roster = roster(&[
        ("own", "/ip4/192.0.2.1/tcp/27000"),
        ("four", "/ip4/192.0.2.2/tcp/27000"),
        ("six", "/ip6/2001:db8::3/tcp/27010"),
        ("silent", ""),
        ("odd", "/ip4/192.0.2.4/udp/27000"),
        ("named", "/dns4/node.example.org/tcp/27000"),
        ("inside", "/ip4/127.0.0.1/tcp/27000"),
        ("mapped", "/ip6/::ffff:127.0.0.1/tcp/27000"),
        ("link", "/ip4/169.254.169.254/tcp/80"),
        ("link6", "/ip6/fe80::1/tcp/80"),
    ]);
    let finder = finder("0.0.0.0", &roster);
    let expected = |four: &str, six: &str| -> FoundAddresses {
        [
            ("four".into(), vec![at(four)]),
            ("six".into(), vec![at(six)]),
        ]
        .into()
    };
    let consensus = expected("192.0.2.2:27000", "[2001:db8::3]:27010");
    let gossip = expected("192.0.2.2:27001", "[2001:db8::3]:27011");
    assert_eq!(*finder.consensus.borrow(), consensus);
    assert_eq!(*finder.gossip.borrow(), gossip);
    // On a network of one machine its own address is that of others.
    let inside = self::finder("127.0.0.1", &roster);
    let inside = inside.consensus.borrow().clone();
    assert_eq!(inside["inside"], [at("127.0.0.1:27000")]);
    assert!(!inside.contains_key("own") && !inside.contains_key("link"));
    let config = P2pConfig {
        registry_addresses: false,
        ..P2pConfig::default()
    };
    let silent = AddressFinder::of(&config, "own".into(), &roster);
    assert!(silent.gossip.borrow().is_empty());
}

#[test]
fn a_name_that_is_not_found_keeps_its_addresses() {
    let both = roster(&[
        ("any", "/dns/n.example.org/tcp/27000"),
        ("four", "/dns4/n.example.org/tcp/27000"),
    ]);
    let mut finder = finder("0.0.0.0", &both);
    let endpoints = finder.endpoints(&both);
    let name = || "n.example.org".to_owned();
    let addresses = [
        "2001:db8::1",
        "192.0.2.9",
        "192.0.2.1",
        "192.0.2.9",
        "127.0.0.1",
    ];
    let addresses: Vec<IpAddr> = addresses.map(|it| it.parse().unwrap()).into();
    for found in [addresses, Vec::new()] {
        finder.names.take([(name(), found)].into());
        finder.tell(&endpoints);
        let found = finder.consensus.borrow().clone();
        let four = [at("192.0.2.1:27000"), at("192.0.2.9:27000")];
        assert_eq!(found["four"], four);
        assert_eq!(found["any"][..2], four);
        assert_eq!(found["any"][2], at("[2001:db8::1]:27000"));
        assert_eq!(found["any"].len(), 3);
    }
    assert!(finder.names.failing.contains(&name()));
    // However many a name has, few are dialled.
    let many = (0..=255u8).map(|last| IpAddr::from([192, 0, 2, last]));
    finder.names.take([(name(), many.collect())].into());
    assert!(finder.names.failing.is_empty());
    finder.tell(&endpoints);
    assert_eq!(finder.consensus.borrow()["any"].len(), ADDRESSES_MAX);
    // Nobody asks for it any more.
    finder.names.take(BTreeMap::new());
    assert!(finder.names.known.is_empty());
}

#[tokio::test]
async fn follows_the_chain_and_the_names() {
    let before = roster(&[("a", "/ip4/192.0.2.1/tcp/27000")]);
    let finder = finder("127.0.0.1", &before);
    let mut consensus = finder.consensus.subscribe();
    let (rosters, seen) = watch::channel(Arc::new(before));
    let (stop, stopping) = watch::channel(false);
    let running = tokio::spawn(finder.run(seen, stopping));
    assert_eq!(consensus.borrow()["a"], [at("192.0.2.1:27000")]);
    let moved = [
        ("a", "/ip4/192.0.2.2/tcp/27000"),
        ("b", "/dns4/localhost/tcp/27000"),
    ];
    rosters.send_replace(Arc::new(roster(&moved)));
    let both = consensus.wait_for(|found| found.len() == 2);
    let both = timeout(PATIENCE, both).await.unwrap().unwrap().clone();
    assert_eq!(both["a"], [at("192.0.2.2:27000")]);
    assert_eq!(both["b"], [at("127.0.0.1:27000")]);
    stop.send_replace(true);
    timeout(PATIENCE, running).await.unwrap().unwrap();
}
