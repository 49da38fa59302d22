//! What `tbsi testnet` tells people.

use std::fmt::Write as _;

use tbsi_testnet::{Network, development};
use tbsi_types::Height;

use crate::predeploys::{self, Listed};
use crate::shown::PathShown;

/// Init code of a contract that answers every call with 42.
const ANSWER_42: &str = "0x600a600c600039600a6000f3602a60005260206000f3";

/// Where everything is, and what to try next.
pub(super) fn running(network: &Network, predeploys: &[Listed]) -> String {
    let mut text = format!(
        "TBSI network in {}\nchain id     {}\ngenesis hash {}\n\n",
        network.dir().shown(),
        network.chain_id(),
        network.genesis_hash()
    );
    for (index, info) in network.nodes().iter().enumerate() {
        let (rpc, metrics) = (network.rpc_url(index), network.metrics_url(index));
        line(
            &mut text,
            &format!("{:<14} rpc {rpc}  metrics {metrics}/metrics", info.name),
        );
    }
    line(&mut text, "");
    text.push_str(&predeploys::text(predeploys));
    line(
        &mut text,
        "\nDevelopment keys. They are PUBLIC, and like all accounts need no funds:",
    );
    for account in development::accounts() {
        line(
            &mut text,
            &format!("{}  {}", account.address, account.secret_key),
        );
    }
    let file = network.development_key_file(1);
    line(
        &mut text,
        &format!("as files for --key: {} and so on", file.shown()),
    );
    text.push_str(&next(network));
    text
}

fn next(network: &Network) -> String {
    let last = network.nodes().len() - 1;
    format!(
        "\nTry next:
  export ETH_RPC_URL={rpc}
  cast send --private-key {key} --create {ANSWER_42}
  cast call CONTRACT_ADDRESS
  tbsi attest FILE --key {key_file} --rpc {other}
  tbsi verify FILE.tbsi.json --genesis {genesis}
  tbsi checkpoint get --rpc {other} --out checkpoint.json
  tbsi checkpoint verify --file checkpoint.json --genesis {genesis}
  tbsi testnet status --dir {dir}
  tbsi testnet down --dir {dir}
",
        rpc = network.rpc_url(0),
        key = development::accounts()[0].secret_key,
        key_file = network.development_key_file(1).word(),
        other = network.rpc_url(last),
        genesis = network.genesis_file().word(),
        dir = network.dir().word(),
    )
}

/// One line per node: process and height.
pub(super) fn status(network: &Network, nodes: &[(Option<i32>, Option<Height>)]) -> String {
    let mut text = String::new();
    for (index, (info, (pid, height))) in network.nodes().iter().zip(nodes).enumerate() {
        let state = match (pid, height) {
            (Some(pid), Some(height)) => format!("runs (pid {pid}), height {height}"),
            (Some(pid), None) => format!("runs (pid {pid}) but does not answer"),
            (None, _) => "does not run".into(),
        };
        line(
            &mut text,
            &format!("{:<14} {}  {state}", info.name, network.rpc_url(index)),
        );
    }
    text
}

fn line(text: &mut String, line: &str) {
    writeln!(text, "{line}").expect("a String takes all");
}
