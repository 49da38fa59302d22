//! What it answers: as `openapi.json` says, the same from a node and from files, and provable.

use alloy_primitives::{B256, keccak256};
use serde_json::Value;
use tbsi_bindings::SolEvent;
use tbsi_bindings::contracts::{AUTHORISATIONS, CHAINS, MOTIONS, ORGANISATIONS, PERMISSIONS};
use tbsi_bindings::genesis::{
    Act, Authorisations, Chains, Motions, Organisations, Party, Permissions, Terms,
};
use tbsi_light::{TrustAnchor, verify_bundle, verify_cosigned};
use tbsi_types::log::{Cosigner, Statement, TlogProof, leaf_hash};
use tbsi_types::{Address, ProofBundle, VotingPower, sha256};
use tbsi_warroom::WarroomConfig;

use crate::contract::Contract;
use crate::made::{FILE_SCHEMA, MadeLog, account, file};
use crate::stand_in::StandIn;
use crate::{Serving, codes, config, directory, of_tiles, once};

/// Emits an event as an act of governance.
fn emit(log: &mut MadeLog, contract: Address, event: &impl SolEvent) {
    let data = event.encode_log_data();
    log.act(contract, data.topics(), &data.data);
}

/// The digest of the file that is revoked, and its id.
fn digest() -> B256 {
    sha256(&[b"a file"])
}

/// A log with something of everything.
pub(crate) fn rich() -> MadeLog {
    let mut log = MadeLog::new("rich");
    log.attest(0, 300);
    log.block(&[(account(1), file(digest()))]);
    let id = |log: &MadeLog| {
        let leaf = tbsi_types::log::Leaf::decode(log.leaves.last().unwrap()).unwrap();
        leaf.attestation_id().unwrap()
    };
    let old = id(&log);
    log.block(&[(account(1), file(sha256(&[b"a newer file"])))]);
    let new = id(&log);
    let successor = new;
    log.block(&[
        (account(2), Statement::Revocation { id: old, reason: 2 }),
        (account(1), Statement::Supersession { id: old, successor }),
        (account(1), Statement::Revocation { id: old, reason: 3 }),
        (account(2), file(digest())),
    ]);
    let destination = keccak256("eip155:1");
    log.block(&[(
        account(1),
        Statement::Message {
            destination,
            receiver: B256::repeat_byte(1),
            sequence: 1,
            timeout: 9,
            payload_hash: B256::ZERO,
        },
    )]);
    let joined = Organisations::OrganisationJoined {
        organisation: 5,
        kind: 3,
        votes: false,
        nameZhTw: "戊<img src=x onerror=alert(1)>公司".into(),
        nameEn: "Issuer E".into(),
    };
    emit(&mut log, ORGANISATIONS, &joined);
    let set = Permissions::AccountSet {
        organisation: 5,
        account: account(9),
        permissions: 5,
        by: account(0),
    };
    emit(&mut log, PERMISSIONS, &set);
    govern(&mut log);
    authorise(&mut log);
    log.attest(9, 40);
    log
}

/// A motion with a vote, quotas, a chain.
fn govern(log: &mut MadeLog) {
    let proposed = Motions::MotionProposed {
        motion: 1,
        kind: 13,
        organisation: 1,
        account: account(0),
        subject: 0,
        deadline: 1_900_000_000,
        arguments: B256::with_last_byte(60).to_vec().into(),
    };
    emit(log, MOTIONS, &proposed);
    let length = 3_600;
    emit(log, PERMISSIONS, &Permissions::PeriodSet { length });
    let quota = Permissions::QuotaSet {
        organisation: 5,
        gas: u64::MAX,
        leaves: 41,
    };
    emit(log, PERMISSIONS, &quota);
    let vote = Motions::VoteCast {
        motion: 1,
        organisation: 2,
        account: account(1),
        choice: 1,
    };
    emit(log, MOTIONS, &vote);
    let registered = Chains::ChainRegistered {
        chain: 1,
        operator: 2,
        caip2: "eip155:1".into(),
        technology: "Ethereum".into(),
    };
    emit(log, CHAINS, &registered);
}

/// One authorisation that is given, narrowed, used and revoked, and one that is offered.
fn authorise(log: &mut MadeLog) {
    let party = |name: &str| Party {
        nameZhTw: String::new(),
        nameEn: name.into(),
        taxId: "04595257".into(),
        lei: String::new(),
        jurisdiction: "TW".into(),
    };
    let act = |version: u32, by: u32, purposes: &[u8]| Act {
        version,
        by,
        account: account(by.try_into().unwrap()),
        dataSet: B256::repeat_byte(0xda),
        terms: Terms {
            agreement: B256::repeat_byte(0xa9),
            from: 1_700_000_000,
            until: 1_900_000_000,
            purposes: purposes.iter().map(|it| B256::repeat_byte(*it)).collect(),
        },
        grantor: party("A"),
        grantee: party("B"),
    };
    let (authorisation, grantor, grantee) = (1, 1, 2);
    for (authorisation, act) in [(1, act(0, 1, &[1, 2])), (2, act(0, 1, &[1]))] {
        let offered = Authorisations::AuthorisationOffered {
            authorisation,
            grantor,
            grantee,
            act,
        };
        emit(log, AUTHORISATIONS, &offered);
    }
    let accepted = Authorisations::AuthorisationAccepted {
        authorisation,
        grantor,
        grantee,
        act: act(0, 2, &[1, 2]),
    };
    emit(log, AUTHORISATIONS, &accepted);
    let narrowed = Authorisations::AuthorisationNarrowed {
        authorisation,
        grantor,
        grantee,
        act: act(1, 2, &[1]),
    };
    emit(log, AUTHORISATIONS, &narrowed);
    let used = Authorisations::AuthorisationReliedOn {
        authorisation,
        grantor,
        grantee,
        version: 1,
        account: account(2),
        purpose: B256::repeat_byte(1),
        subject: B256::repeat_byte(5),
    };
    emit(log, AUTHORISATIONS, &used);
    let revoked = Authorisations::AuthorisationRevoked {
        authorisation,
        grantor,
        grantee,
        by: 1,
        account: account(1),
        reason: 3,
    };
    emit(log, AUTHORISATIONS, &revoked);
}

/// Every answer by its path, and the schema that it has to follow.
const ANSWERS: [(&str, &str); 30] = [
    ("status", "Status"),
    ("now", "Now"),
    ("series", "Series"),
    ("series?step=minute", "Series"),
    ("series?by=organisation&value=1&step=day", "Series"),
    ("series?by=kind&value=attestation", "Series"),
    ("attestations", "LeafPage"),
    ("attestations?kind=any&limit=7&order=oldest", "LeafPage"),
    ("attestations?organisation=5", "LeafPage"),
    ("attestations/0", "Attestation"),
    ("attestations/300", "Attestation"),
    ("attestations/303", "Attestation"),
    ("attestations/307", "Attestation"),
    ("attestations/308", "Attestation"),
    ("organisations", "OrganisationPage"),
    ("organisations?limit=2", "OrganisationPage"),
    ("organisations/1", "Organisation"),
    ("organisations/5", "Organisation"),
    ("motions", "MotionPage"),
    ("motions?status=open", "MotionPage"),
    ("motions/1", "Motion"),
    ("chains", "ChainPage"),
    ("consents", "ConsentPage"),
    ("consents?status=active&organisation=2", "ConsentPage"),
    ("consents/1", "Consent"),
    ("consents/2", "Consent"),
    ("recount", "Recount"),
    ("recount?start=0", "Recount"),
    ("search?q=04595257", "Search"),
    ("search?q=310", "Search"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_are_those_of_the_document_from_a_node_from_files_and_from_a_war_room() {
    let (log, files) = (rich(), directory());
    log.write(files.path());
    let node = StandIn::start(&log).await;
    let data = [directory(), directory(), directory()];
    let of_node = WarroomConfig {
        rpc: vec![node.url()],
        ..config(&log, data[0].path())
    };
    let of_node = Serving::start(of_node).await;
    of_node.shows(log.size()).await;
    let of_files = Serving::start(of_tiles(&log, files.path(), data[1].path())).await;
    of_files.shows(log.size()).await;
    // A war room is a mirror that another one can follow.
    let mirror = WarroomConfig {
        tiles: vec![format!("http://{}/api/v1/tiles", of_node.address)],
        ..config(&log, data[2].path())
    };
    let of_mirror = Serving::start(mirror).await;
    of_mirror.shows(log.size()).await;
    let contract = Contract::open();
    for (path, schema) in ANSWERS {
        let mut answers = Vec::new();
        for room in [&of_node, &of_files, &of_mirror] {
            let answer = room.json(path).await;
            let wrong = contract.check(schema, &answer);
            assert_eq!(wrong, Vec::<String>::new(), "{path}: {answer}");
            answers.push(without_clocks(answer));
        }
        assert_eq!(answers[0], answers[1], "{path}");
        assert_eq!(answers[0], answers[2], "{path}");
    }
    for path in [
        "attestations/300/bundle",
        "attestations/2/tlog-proof",
        "feed.atom?kind=any",
    ] {
        let one = of_node.bytes(path).await.unwrap();
        assert_eq!(one, of_files.bytes(path).await.unwrap(), "{path}");
        assert_eq!(one, of_mirror.bytes(path).await.unwrap(), "{path}");
    }
    assert_eq!(of_node.bytes("genesis").await.unwrap(), log.genesis_json());
    for room in [of_node, of_files, of_mirror] {
        room.end().await;
    }
}

/// Without what depends on who asked whom, and when.
fn without_clocks(mut answer: Value) -> Value {
    for field in ["nowMs", "ageMs", "sources"] {
        if let Some(fields) = answer.as_object_mut() {
            fields.remove(field);
        }
    }
    answer
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_it_says_of_the_log_is_right_and_can_be_proven() {
    let (log, files, data) = (rich(), directory(), directory());
    log.write(files.path());
    let room = Serving::start(of_tiles(&log, files.path(), data.path())).await;
    room.shows(log.size()).await;
    figures(&room, &log).await;
    history(&room).await;
    proofs(&room, &log).await;
    registry(&room).await;
    searches(&room, &log).await;
    refusals(&room).await;
    room.end().await;
}

async fn figures(room: &Serving, log: &MadeLog) {
    let now = room.json("now").await;
    assert_eq!(now["size"], log.size());
    assert_eq!(now["attestations"], 343);
    assert_eq!(now["byKind"][0]["count"], 343);
    let counts: Vec<_> = now["byOrganisation"].as_array().unwrap().iter().collect();
    let of = |number: u64| {
        let found = counts.iter().find(|row| row["organisation"] == number);
        found.map_or(0, |row| row["count"].as_u64().unwrap())
    };
    // Organisation 5's account counts from its act on; contracts are nobody's.
    assert_eq!((of(1), of(2), of(3), of(5), of(0)), (300, 5, 2, 40, 13));
    assert!(now["validators"][0]["nameEn"].is_string());
    let near = now["warnings"].as_array().unwrap().iter();
    let near: Vec<_> = near.filter(|it| it["code"] == "quotaNearEnd").collect();
    assert_eq!(near.len(), 1);
    assert_eq!(near[0]["link"], "/organisations/5");
    assert!(
        near[0]["en"].as_str().unwrap().contains("40 of the 41"),
        "{near:?}"
    );
    let missing = now["validators"].as_array().unwrap().iter();
    assert_eq!(missing.filter(|it| it["signed"] == false).count(), 1);
    // A certificate needs a quorum and no more.
    let warnings = now["warnings"].as_array().unwrap().iter();
    assert!(
        !warnings.clone().any(|it| it["code"] == "validatorMissing"),
        "{now}"
    );
    assert!(
        !warnings.clone().any(|it| it["code"] == "quorumThin"),
        "{now}"
    );
    let recount = room.json("recount?start=0").await;
    let mut sum = 0;
    let mut leaves = 0;
    for range in recount["ranges"].as_array().unwrap() {
        sum += range["counts"]["attestation"].as_u64().unwrap_or(0);
        leaves += range["end"].as_u64().unwrap() - range["start"].as_u64().unwrap();
    }
    assert_eq!((sum, leaves), (343, log.size()));
    // The ranges' hashes are the tree's: two of them lead to the root.
    let hash = |place: usize| -> B256 {
        let text = recount["ranges"][place]["hash"].as_str().unwrap();
        text.parse().unwrap()
    };
    let root = tbsi_types::log::node_hash(&hash(0), &hash(1));
    assert_eq!(recount["root"], root.to_string());
    let all = room
        .json("attestations?kind=any&limit=200&order=oldest")
        .await;
    let next = all["next"].as_str().unwrap();
    let rest = room
        .json(&format!(
            "attestations?kind=any&limit=200&order=oldest&cursor={next}"
        ))
        .await;
    assert_eq!(
        rest["items"].as_array().unwrap().len() as u64,
        log.size() - 200
    );
    assert_eq!(rest["next"], Value::Null);
    let newest = room.json("attestations?organisation=5&limit=30").await;
    assert_eq!(newest["items"][0]["position"], log.size() - 1);
    let next = newest["next"].as_str().unwrap();
    let rest = room
        .json(&format!(
            "attestations?organisation=5&limit=30&cursor={next}"
        ))
        .await;
    assert_eq!(rest["items"].as_array().unwrap().len(), 10);
}

async fn history(room: &Serving) {
    let shown = room.json("attestations/300").await;
    assert_eq!(shown["verdict"], "revoked");
    let history = shown["history"].as_array().unwrap();
    let what: Vec<_> = history
        .iter()
        .map(|event| (event["what"].as_str().unwrap(), event["counts"] == true))
        .collect();
    // What the stranger says of it is not in its history at all.
    assert_eq!(
        what,
        [("attested", true), ("superseded", true), ("revoked", true)]
    );
    assert_eq!(history[2]["reason"], 3);
    assert_eq!(history[1]["otherPosition"], 301);
    let newer = room.json("attestations/301").await;
    assert_eq!(newer["verdict"], "stands");
    assert_eq!(newer["history"][1]["what"], "supersedes");
    let id = shown["id"].as_str().unwrap();
    let graph = room.json(&format!("provenance?id={id}")).await;
    let contract = Contract::open();
    assert_eq!(contract.check("Provenance", &graph), Vec::<String>::new());
    assert_eq!(graph["nodes"].as_array().unwrap().len(), 3);
    assert_eq!(graph["edges"].as_array().unwrap().len(), 2);
}

async fn proofs(room: &Serving, log: &MadeLog) {
    let anchor = TrustAnchor::genesis(&log.genesis).unwrap();
    for position in [0, 300, log.size() - 1] {
        let json = room
            .bytes(&format!("attestations/{position}/bundle"))
            .await
            .unwrap();
        let bundle = ProofBundle::parse_json(&json).unwrap();
        let verified = verify_bundle(&bundle, &anchor).unwrap();
        assert_eq!(verified.leaf_index.0, position);
        assert_eq!(bundle.leaf, log.leaves[usize::try_from(position).unwrap()]);
        let text = room
            .bytes(&format!("attestations/{position}/tlog-proof"))
            .await
            .unwrap();
        let proof = TlogProof::parse(std::str::from_utf8(&text).unwrap()).unwrap();
        let none: [Cosigner; 0] = [];
        let origin = log.genesis.identity().log_origin();
        // Power 0 of 0 is no quorum: only text and origin are looked at here.
        verify_cosigned(&proof.note, &origin, &none, VotingPower(1)).unwrap_err();
        let checkpoint = log.checkpoint();
        let (index, size) = (proof.index, checkpoint.log_size);
        let root = proof
            .inclusion
            .root(leaf_hash(&bundle.leaf), index, size)
            .unwrap();
        assert_eq!(root, checkpoint.log_root);
    }
}

async fn registry(room: &Serving) {
    let five = room.json("organisations/5").await;
    // Escaping is the page's: the API says what the registry says, as JSON.
    assert_eq!(five["name"]["zhTw"], "戊<img src=x onerror=alert(1)>公司");
    assert_eq!(five["taxId"], Value::Null);
    let known: Vec<_> = five["notKnown"].as_array().unwrap().iter().collect();
    assert!(
        known
            .iter()
            .any(|it| it["field"] == "/taxId" && it["code"] == "noRegistry")
    );
    assert_eq!(five["leaves"], 40);
    let motion = room.json("motions/1").await;
    assert_eq!(
        (&motion["yes"], &motion["status"]),
        (&1.into(), &"open".into())
    );
    assert!(
        motion["en"].as_str().unwrap().contains("60 seconds"),
        "{motion}"
    );
    let chains = room.json("chains").await;
    assert_eq!(chains["items"][0]["caip2"], "eip155:1");
    assert_eq!(chains["items"][0]["messages"], 1);
    assert_eq!(chains["items"][0]["received"], Value::Null);
    consents(room).await;
    let feed = room
        .bytes("feed.atom?organisation=5&kind=any")
        .await
        .unwrap();
    let feed = String::from_utf8(feed).unwrap();
    assert!(feed.contains("&lt;img src=x"), "{feed}");
    assert!(!feed.contains("<img"), "{feed}");
    assert_eq!(feed.matches("<entry>").count(), 40);
}

async fn consents(room: &Serving) {
    let all = room.json("consents").await;
    let statuses: Vec<_> = all["items"].as_array().unwrap().iter().collect();
    let statuses: Vec<_> = statuses.iter().map(|it| it["status"].clone()).collect();
    assert_eq!(statuses, ["offered", "revoked"]);
    let one = room.json("consents/1").await;
    assert_eq!((&one["versions"], &one["uses"]), (&2.into(), &1.into()));
    assert_eq!(one["terms"]["purposes"].as_array().map(Vec::len), Some(1));
    let acts = one["acts"].as_array().unwrap().iter();
    let acts: Vec<_> = acts.map(|it| it["what"].as_str().unwrap()).collect();
    assert_eq!(acts, ["offered", "accepted", "narrowed", "revoked"]);
    assert_eq!(one["acts"][3]["reason"], 3);
    assert_eq!(
        one["usesShown"][0]["subject"],
        B256::repeat_byte(5).to_string()
    );
    let none = room.json("consents?organisation=3").await;
    assert_eq!(none["items"], Value::Array(Vec::new()));
    let of_data = format!("consents?dataSet={}&limit=1", B256::repeat_byte(0xda));
    let page = room.json(&of_data).await;
    assert_eq!(
        (&page["items"][0]["consent"], &page["next"]),
        (&2.into(), &"2".into())
    );
    // The text of the act leads from the record of its leaf.
    let position = one["acts"][1]["position"].as_u64().unwrap();
    let leaf = room.json(&format!("attestations/{position}")).await;
    assert_eq!(leaf["act"]["event"], "AuthorisationAccepted");
}

async fn searches(room: &Serving, log: &MadeLog) {
    let last = log.size() - 1;
    for (query, by, link) in [
        (digest().to_string(), "digest", "/attestations/300"),
        (
            FILE_SCHEMA.to_string(),
            "schema",
            &*format!("/attestations?schema={FILE_SCHEMA}"),
        ),
        ("04595257".into(), "taxId", "/organisations/1"),
        ("guild%20a".into(), "name", "/organisations/1"),
        (
            "%E7%94%B2%E5%85%AC%E6%9C%83".into(),
            "name",
            "/organisations/1",
        ),
        (format!("{:#x}", account(9)), "account", "/organisations/5"),
        (
            format!("did:pkh:eip155:7575:{:#x}", account(9)),
            "did",
            "/organisations/5",
        ),
        ("eip155:1".into(), "caip2", "/chains"),
        (
            last.to_string(),
            "position",
            &*format!("/attestations/{last}"),
        ),
        ("2".into(), "height", "/attestations?kind=any&height=2"),
        ("1".into(), "motion", "/motions/1"),
    ] {
        let found = room.json(&format!("search?q={query}")).await;
        let hits = found["hits"].as_array().unwrap();
        let hit = hits.iter().find(|hit| hit["by"] == by);
        assert_eq!(
            hit.map(|hit| &hit["link"]),
            Some(&link.into()),
            "{query}: {found}"
        );
    }
    let found = room
        .json(&format!("search?q={}", B256::repeat_byte(9)))
        .await;
    assert_eq!(found["hits"], Value::Array(Vec::new()));
    // Nothing was found by transaction, because nobody could be asked: that is said.
    assert_eq!(found["notKnown"][0]["code"], "noNode");
}

async fn refusals(room: &Serving) {
    let long = "a".repeat(300);
    for (path, status, words) in [
        ("nothing".to_owned(), 404, "no such path"),
        ("attestations/99999".into(), 404, "none at position"),
        ("attestations/01".into(), 400, "whole number"),
        ("attestations?limit=201".into(), 400, "from 1 to 200"),
        ("attestations?issuer=0x12".into(), 400, "40 hex digits"),
        ("attestations?kind=x".into(), 400, "attestation, revocation"),
        ("attestations?cursor=-1".into(), 400, "cursor"),
        ("organisations/99".into(), 404, "organisation 99"),
        ("motions/9".into(), 404, "motion 9"),
        ("recount?start=5".into(), 400, "multiple of 65536"),
        ("search".into(), 400, "1 to 256 bytes"),
        (format!("search?q={long}"), 400, "1 to 256 bytes"),
        (format!("search?q={}", "a".repeat(3_000)), 400, "2048 bytes"),
        ("series?by=schema".into(), 400, "needed"),
        (
            "series?step=minute&by=kind&value=message".into(),
            400,
            "only `all`",
        ),
        ("series?fromMs=1".into(), 400, "1500 intervals"),
        (
            format!("provenance?id={}", B256::ZERO),
            404,
            "Nobody attested",
        ),
        ("tiles/tile/0/999".into(), 404, "no such file"),
        ("tiles/tile/entries/000.p/300".into(), 404, "no such file"),
        ("tiles/..%2fgenesis".into(), 404, "no such file"),
        ("tiles/acts/900".into(), 404, "no such file"),
    ] {
        let (got, sentence) = room.bytes(&path).await.unwrap_err();
        assert_eq!(got, status, "{path}: {sentence}");
        assert!(
            sentence.contains(words) || sentence.len() >= 300,
            "{path}: {sentence}"
        );
    }
    // A flood is answered with a refusal, and the next second's questions with answers.
    let mut refused = 0;
    for _ in 0..200 {
        refused += usize::from(matches!(room.bytes("nothing").await, Err((429, _))));
    }
    assert!(refused > 0);
}

#[tokio::test]
async fn in_steps_or_at_once_the_index_is_the_same() {
    let whole = rich();
    let (files, at_once, in_steps) = (directory(), directory(), directory());
    let mut log = MadeLog::new("rich");
    log.attest(0, 300);
    log.write(files.path());
    assert_eq!(once(&log, files.path(), in_steps.path()).await.size, 300);
    whole.write(files.path());
    for data in [&at_once, &in_steps, &in_steps] {
        let outcome = once(&whole, files.path(), data.path()).await;
        assert_eq!((outcome.size, codes(&outcome).len()), (whole.size(), 0));
    }
    assert_eq!(dump(at_once.path()), dump(in_steps.path()));
}

/// All rows that follow from the log, in the order of their keys. Numbers of terms are in the order
/// in which they came, so words stand for them.
pub(crate) fn dump(data: &std::path::Path) -> Vec<String> {
    let index = rusqlite::Connection::open(data.join("index.sqlite")).unwrap();
    let mut rows = Vec::new();
    for query in [
        "SELECT * FROM bundle ORDER BY number",
        "SELECT * FROM tile ORDER BY number",
        "SELECT * FROM found ORDER BY hash, position",
        "SELECT facet, word, count, last_ms FROM term ORDER BY facet, word",
        "SELECT facet, word, bundle, posting.count FROM posting JOIN term ON term = number
         ORDER BY facet, word, bundle",
        "SELECT facet, word, from_ms, hourly.count FROM hourly JOIN term ON term = number
         ORDER BY facet, word, from_ms",
        "SELECT * FROM minutely ORDER BY from_ms",
        "SELECT * FROM act ORDER BY position",
        "SELECT value FROM meta WHERE name = 'frontier'",
    ] {
        let mut statement = index.prepare(query).unwrap();
        let columns = statement.column_count();
        let mut found = statement.query([]).unwrap();
        while let Some(row) = found.next().unwrap() {
            let values = (0..columns).map(|it| row.get_ref(it).unwrap());
            rows.push(format!("{:?}", values.collect::<Vec<_>>()));
        }
    }
    assert!(rows.len() > 10);
    rows
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plain_copy_says_what_it_does_not_know() {
    let (log, files, data) = (rich(), directory(), directory());
    log.write_plain(files.path());
    let room = Serving::start(of_tiles(&log, files.path(), data.path())).await;
    let status = room.shows(log.size()).await;
    let contract = Contract::open();
    assert_eq!(contract.check("Status", &status), Vec::<String>::new());
    let checkpoint = &status["checkpoint"];
    assert_eq!(checkpoint["basis"], "cosignatures");
    assert_eq!(checkpoint["height"], Value::Null);
    assert_eq!(
        (&status["acts"]["total"], &status["acts"]["read"]),
        (&13.into(), &0.into())
    );
    let now = room.json("now").await;
    assert_eq!(contract.check("Now", &now), Vec::<String>::new());
    assert_eq!(now["height"], Value::Null);
    let codes = |answer: &Value| -> Vec<String> {
        let all = answer["notKnown"].as_array().unwrap().iter();
        all.map(|it| it["code"].as_str().unwrap().to_owned())
            .collect()
    };
    assert!(codes(&now).contains(&"noActs".into()), "{now}");
    assert!(codes(&now).contains(&"noCertificate".into()), "{now}");
    let motions = room.json("motions").await;
    assert_eq!(codes(&motions), ["noActs"]);
    let shown = room.json("attestations/0").await;
    assert_eq!(shown["links"]["bundle"], Value::Null);
    let (status, _) = room.bytes("attestations/0/bundle").await.unwrap_err();
    assert_eq!(status, 404);
    let proof = room.bytes("attestations/0/tlog-proof").await.unwrap();
    TlogProof::parse(std::str::from_utf8(&proof).unwrap()).unwrap();
    room.end().await;
}

#[test]
fn every_path_of_the_document_is_tried() {
    let contract = Contract::open();
    let tried: Vec<&str> = ANSWERS.iter().map(|(path, _)| *path).collect();
    let elsewhere = [
        "/search",
        "/provenance",
        "/genesis",
        "/feed.atom",
        "/openapi.json",
        "/tiles/{path}",
        "/attestations/{position}/bundle",
        "/attestations/{position}/tlog-proof",
    ];
    for path in contract.paths() {
        let first = path.trim_start_matches('/').split('/').next().unwrap();
        let found = tried
            .iter()
            .any(|it| it.split(['?', '/']).next() == Some(first));
        assert!(found || elsewhere.contains(&path), "{path}");
    }
}
