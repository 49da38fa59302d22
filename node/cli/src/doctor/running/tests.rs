use super::*;

fn metrics(lines: &[&str]) -> MetricsPage {
    MetricsPage(lines.join("\n"))
}

fn verdicts(findings: &[Finding]) -> Vec<Verdict> {
    findings.iter().map(|finding| finding.verdict).collect()
}

#[test]
fn a_clock_is_judged_by_the_median_of_others_blocks() {
    let check = |ahead: &[i64], verdict: Verdict, words: &str| {
        let lines = ahead.iter().enumerate().map(|(index, ms)| {
            format!("tbsi_consensus_clock_ahead_ms{{validator=\"0x{index}\"}} {ms}\n")
        });
        let finding = clock(&MetricsPage(lines.collect()));
        assert_eq!(finding.verdict, verdict, "{}", finding.said());
        assert!(finding.said().contains(words), "{}", finding.said());
    };
    check(&[], Verdict::Unknown, "of 0 validators");
    check(&[0, 0], Verdict::Unknown, "of 2 validators");
    check(&[-150, -80, -90, 3], Verdict::Good, "80 ms ahead");
    // One wrong clock among others says nothing of this one.
    check(&[-100, -120, 3_600_000], Verdict::Good, "100 ms ahead");
    check(&[1_100, 1_200, 1_300], Verdict::Warning, "1200 ms behind");
    check(&[-3_600_000; 4], Verdict::Bad, "3600000 ms ahead");
    check(&[2_500, 2_600, 9_000], Verdict::Bad, "2600 ms behind");
}

#[test]
fn files_that_run_out_are_told() {
    let check = |open: i64, most: i64, verdict: Verdict| {
        let open = format!("tbsi_process_open_files {open}");
        let most = format!("tbsi_process_open_files_max {most}");
        assert_eq!(open_files(&metrics(&[&open, &most])).verdict, verdict);
    };
    check(300, 65_536, Verdict::Good);
    check(300, 1_024, Verdict::Warning);
    check(900, 1_024, Verdict::Bad);
    assert_eq!(open_files(&metrics(&[])).verdict, Verdict::Unknown);
}

#[test]
fn peers_count_on_both_networks() {
    let check = |consensus: i64, gossip: i64, others: usize, verdict: Verdict| {
        let consensus = format!("tbsi_p2p_connected{{network=\"consensus\"}} {consensus}");
        let gossip = format!("tbsi_p2p_connected{{network=\"gossip\"}} {gossip}");
        let finding = peers(&metrics(&[&consensus, &gossip]), others);
        assert_eq!(finding.verdict, verdict, "{}", finding.said());
    };
    check(3, 3, 3, Verdict::Good);
    check(3, 0, 3, Verdict::Bad);
    check(0, 3, 3, Verdict::Bad);
    check(2, 1, 6, Verdict::Warning);
    check(0, 0, 0, Verdict::Good);
    assert_eq!(peers(&metrics(&[]), 3).verdict, Verdict::Unknown);
    let came = |count: i64| {
        let of = |network: &str| format!("tbsi_p2p_inbound_peers{{network=\"{network}\"}} {count}");
        reached(&MetricsPage(of("consensus") + "\n" + &of("gossip"))).verdict
    };
    assert_eq!([came(1), came(0)], [Verdict::Good, Verdict::Unknown]);
}

#[test]
fn an_upgrade_that_needs_another_program_is_told_ahead() {
    let own = env!("CARGO_PKG_VERSION");
    let none = version(
        &metrics(&["tbsi_upgrade_supported 1", "tbsi_upgrade_height 0"]),
        Some(own),
    );
    assert_eq!(verdicts(&none), [Verdict::Good]);
    let lines = [
        "tbsi_upgrade_supported 0",
        "tbsi_upgrade_height 700",
        "tbsi_upgrade_protocol 3",
        "tbsi_upgrade_seconds 864000",
    ];
    let both = version(&metrics(&lines), Some("0.0.1"));
    assert_eq!(verdicts(&both), [Verdict::Warning, Verdict::Bad]);
    assert!(both[0].said().contains("runs version 0.0.1"));
    assert!(both[1].said().contains("height 700 (in about 10 days)"));
}

#[test]
fn what_the_node_says_of_itself_comes_with_a_remedy() {
    let page = |status: u16, body: &str| Page {
        status,
        body: body.into(),
    };
    let good = page(
        200,
        r#"{"ready":true,"reasons":[],"warnings":[],"height":7,"behind":0}"#,
    );
    let good = chain(&good);
    assert_eq!(verdicts(&good), [Verdict::Good]);
    assert!(good[0].said().contains("height 7, 0 blocks behind"));
    let bad = page(
        503,
        r#"{"reasons":["no block for 60 s, round 3: votes of node-2","x\u001b"],"warnings":["w"]}"#,
    );
    let bad = chain(&bad);
    assert_eq!(
        verdicts(&bad),
        [Verdict::Bad, Verdict::Bad, Verdict::Warning]
    );
    assert_eq!(bad[1].said(), r"x\u{1b}");
    for odd in ["", "[]", "{}", "null"] {
        assert_eq!(
            verdicts(&chain(&page(503, odd))),
            [Verdict::Unknown],
            "{odd}"
        );
    }
}

/// The words of `/readyz` are another crate's.
#[test]
fn each_reason_leads_to_its_page() {
    for (reason, name) in [
        (
            "another process signs with this validator's key, so",
            "twin",
        ),
        (
            "this validator's last vote was not signed: its",
            "not-signing",
        ),
        ("9 blocks behind, at most 5", "behind"),
        ("0 peers connected, at least 1", "no-peers"),
        ("no block for 60 s, round 3: votes of node-2", "standstill"),
    ] {
        let (en, zh_tw) = chain_remedy(reason);
        assert!(en.ends_with(&format!("docs/runbooks/{name}.md")), "{en}");
        assert!(zh_tw.ends_with(&format!("docs/runbooks/{name}.zh-TW.md")));
    }
    assert!(chain_remedy("consensus has not started").0.contains("log"));
}
