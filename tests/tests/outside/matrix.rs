//! Every verifier on what one running network gives out, as a table: what accepts a good proof,
//! refuses changed ones, and works offline. Each cell is what a program did here.

use std::fs;

use tbsi_tests::harness::tbsi_binary;
use tbsi_tests::outside::Offline;

use crate::contract;
use crate::cose::Receipt;
use crate::logs::Served;
use crate::ots::{Client, StubCalendar};
use crate::stamps::Authority;
use crate::table::{Row, attest, flip_each_byte, prove};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_verifier_accepts_and_refuses() {
    let stub = StubCalendar::start();
    let served = Served::start(|net| stub.configure(net)).await;
    let net = &served.net;
    let Some(offline) = Offline::new("the table of verifiers", net.network.nodes()[0].rpc) else {
        return;
    };
    // As long as the log is as large as its copy.
    let mut rows = vec![Some(served.by_tlog_tiles())];
    rows.extend([served.by_sumdb(), served.by_transparency_dev()]);
    let authority = Authority::of(net);
    rows.push(authority.by_openssl(&offline).await);
    rows.push(authority.by_rfc3161_client(&offline, "SHA256").await);

    let dir = net.scratch().join("matrix");
    fs::create_dir(&dir).unwrap();
    for name in ["file", "stamped"] {
        fs::write(dir.join(name), format!("{name} of the assembly\n")).unwrap();
    }
    let index = attest(net, &dir.join("file")).await;
    let receipt = Receipt::fetch(net, index, &dir.join("file.cose")).await;
    rows.push(receipt.by_scitt_cose(&offline));
    if let Some(client) = Client::find() {
        let stamped = dir.join("stamped");
        rows.push(Some(client.row(net, &stub, &offline, &stamped).await));
    } else {
        rows.push(None);
    }
    rows.push(Some(contract::row(net, &offline, index).await));

    let bundle = dir.join("file.tbsi");
    prove(net, index, "compact", &bundle).await;
    let genesis = net.network.genesis_file();
    let refused = flip_each_byte(&bundle, &|bundle| {
        let mut verify = offline.command(tbsi_binary());
        verify.arg("verify").arg(bundle);
        verify.arg("--genesis").arg(&genesis);
        verify
    });
    rows.push(Some(Row {
        verifier: "tbsi verify",
        of: "proof bundle",
        accepts: true,
        refused,
        unnoticed: 0,
        offline: true,
    }));
    rows.push(Some(receipt.by_tbsi(&offline)));

    print(&rows);
    // What this machine lacks is in the list of what was skipped, which fails where all is there.
    assert_eq!(rows.len(), 10);
    for row in rows.iter().flatten() {
        assert!(row.accepts && row.refused > 0, "{row:?}");
        // A contract needs the chain that runs it.
        assert_eq!(row.offline, row.verifier != "LightClient.sol", "{row:?}");
    }
    net.assert_no_panic();
}

/// As `cargo test -p tbsi-tests --test outside matrix -- --nocapture` shows it.
fn print(rows: &[Option<Row>]) {
    let yes = |it: bool| if it { "yes" } else { "no" };
    println!(
        "{:<30} {:<30} {:>7} {:>7} {:>9} {:>7}",
        "verifier", "reads", "accepts", "refuses", "unnoticed", "offline"
    );
    for row in rows {
        let Some(row) = row else {
            println!("one that this machine lacks: see what was skipped");
            continue;
        };
        println!(
            "{:<30} {:<30} {:>7} {:>7} {:>9} {:>7}",
            row.verifier,
            row.of,
            yes(row.accepts),
            row.refused,
            row.unnoticed,
            yes(row.offline)
        );
    }
}
