use alloy_primitives::{U256, address, b256, hex, keccak256};

use super::*;

const CREATE2_DEPLOYER: Address = address!("4e59b44847b379578588920cA78FbF26c0B4956C");

fn known(name: &str) -> &'static Predeploy {
    let mut found = PREDEPLOYS.iter().filter(|it| it.name == name);
    found.next().unwrap()
}

/// The address of a permit or entry point follows from its init code and a salt, so the hashes
/// that are known here are those of the contracts on other chains.
#[test]
fn hashes_are_those_that_addresses_come_from() {
    let salted = [
        (
            "permit2",
            b256!("0000000000000000000000000000000000000000d3af2663da51c10215000000"),
        ),
        (
            "entry-point-0.7",
            b256!("90d8084deab30c2a37c45e8d47f49f2f7965183cb6990a98943ef94940681de3"),
        ),
    ];
    for (name, salt) in salted {
        let it = known(name);
        let address = CREATE2_DEPLOYER.create2(salt, it.init_code_hash);
        assert_eq!(address, it.address, "{name}");
    }
}

#[test]
fn addresses_and_contracts_are_named_once() {
    let mut addresses: Vec<Address> = PREDEPLOYS.iter().map(|it| it.address).collect();
    addresses.sort();
    addresses.dedup();
    assert_eq!(addresses.len(), PREDEPLOYS.len());
    let mut names = names();
    names.sort_unstable();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count, "contracts of one name stand together");
}

#[test]
fn what_is_prescribed_needs_no_package() {
    let (found, lacking) = find_all(None);
    assert_eq!(found, prescribed());
    assert_eq!(found.len(), 2);
    assert_eq!(lacking.len(), names().len() - 2);
    for error in &lacking {
        let said = error.to_string();
        assert!(said.contains("npm package"), "{said}");
        assert!(said.contains("--packages"), "{said}");
    }
    let accounts = accounts(7, &found).unwrap();
    for account in accounts.values() {
        // As it is on other chains.
        let code = b256!("2fa86add0aed31f33a762c9d88e807c475bd51d0f52bd0955754b2608f7e4989");
        assert_eq!(keccak256(&account.code), code);
        assert_eq!((account.nonce, account.balance), (1, U256::ZERO));
    }
}

#[test]
fn refuses_what_is_not_known() {
    let said = |error: PredeployError| error.to_string();
    let unknown = said(find(&["multicall4".into()], None).unwrap_err());
    assert!(unknown.contains("`multicall4`"), "{unknown}");
    assert!(unknown.contains("multicall3, "), "{unknown}");
    let missing = said(find(&["multicall3".into()], Some("nowhere".as_ref())).unwrap_err());
    assert!(missing.contains("nowhere/"), "{missing}");

    let mut codes = prescribed();
    let mut other = codes[&CREATE2_DEPLOYER].to_vec();
    other[20] ^= 1;
    codes.insert(CREATE2_DEPLOYER, other.into());
    let changed = said(accounts(7, &codes).unwrap_err());
    assert!(changed.contains("`create2-deployer`"), "{changed}");
    let expected = known("create2-deployer").init_code_hash.to_string();
    assert!(changed.contains(&expected), "{changed}");

    let elsewhere = Address::repeat_byte(7);
    let codes = InitCodes::from([(elsewhere, codes[&CREATE2_DEPLOYER].clone())]);
    let stray = said(check(&codes).unwrap_err());
    assert!(stray.contains(&elsewhere.to_string()), "{stray}");
}

/// The CREATE2 deployer was created by a transaction that nobody has a key for: its signature was
/// made up, so the address follows from the init code.
#[test]
fn the_deployer_is_what_its_transaction_creates() {
    let code = &prescribed()[&CREATE2_DEPLOYER];
    // RLP of nonce 0, gas price 100 gwei, gas 100,000, no recipient, no value, the code.
    let fields = [
        &hex::decode("8085174876e800830186a08080b853").unwrap()[..],
        code,
    ]
    .concat();
    let unsigned = [&[0xf8, u8::try_from(fields.len()).unwrap()], &fields[..]].concat();
    let mut signature = [0x22; 65];
    signature[64] = 27;
    let sender = tbsi_types::Signature::parse(&signature).unwrap();
    let sender = sender.recover(keccak256(unsigned)).unwrap();
    assert_eq!(sender.create(0), CREATE2_DEPLOYER);
}

#[test]
fn packages_and_files_are_those_that_are_fetched() {
    let fetched = include_str!("../../../../contracts/predeploys/packages.txt");
    let mut wanted = std::collections::BTreeSet::new();
    for it in PREDEPLOYS {
        if let Source::Package {
            package,
            version,
            file,
            ..
        } = it.source
        {
            wanted.insert((format!("{package}@{version}"), file));
        }
    }
    let lines = fetched.lines().map(|line| line.split(' ').skip(1));
    let named = lines.flat_map(|mut parts| {
        let package = parts.next().unwrap().to_owned();
        parts.map(move |file| (package.clone(), file))
    });
    assert_eq!(named.collect::<std::collections::BTreeSet<_>>(), wanted);
}
