//! The `--help` of every command is the text in `tests/help/`: a change of the command line
//! is seen in review. `UPDATE_HELP=1` rewrites the files.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

/// Every command, as it is typed after `tbsi`.
const COMMANDS: [&str; 184] = [
    "",
    "attest",
    "backup",
    "backup create",
    "backup restore",
    "backup verify",
    "checkpoint",
    "checkpoint get",
    "checkpoint verify",
    "completions",
    "config",
    "config check",
    "consent",
    "consent accept",
    "consent audit",
    "consent extend",
    "consent grant",
    "consent list",
    "consent narrow",
    "consent prove",
    "consent rely",
    "consent revoke",
    "consent verify",
    "countersign",
    "countersign open",
    "countersign sign",
    "db",
    "db compact",
    "db stats",
    "db verify",
    "delegate",
    "delegate attest",
    "delegate cancel",
    "delegate revoke",
    "delegate send",
    "delegate withdraw",
    "doctor",
    "erase",
    "erase check",
    "erase salt",
    "fact",
    "fact clients",
    "fact fabric",
    "fact fabric deploy",
    "fact fabric describe",
    "fact fabric import",
    "fact fabric register",
    "fact fabric show",
    "fact freeze",
    "fact import",
    "fact keep",
    "fact open",
    "genesis",
    "genesis add-founder",
    "genesis build",
    "genesis check",
    "genesis founder",
    "genesis new",
    "genesis sign",
    "keys",
    "keys change-password",
    "keys encrypt",
    "keys export",
    "keys import",
    "keys new",
    "keys reset-sign-state",
    "keys rotate",
    "keys show",
    "log",
    "log audit",
    "log consistency",
    "log follow",
    "log handovers",
    "log post-quantum",
    "log status",
    "man",
    "motion",
    "motion execute",
    "motion list",
    "motion propose",
    "motion propose add-organisation",
    "motion propose add-validator",
    "motion propose amend-organisation",
    "motion propose cancel-upgrade",
    "motion propose reinstate-organisation",
    "motion propose reinstate-validator",
    "motion propose remove-organisation",
    "motion propose remove-validator",
    "motion propose resolve",
    "motion propose schedule-upgrade",
    "motion propose set-account",
    "motion propose set-algorithm",
    "motion propose set-chain",
    "motion propose set-period",
    "motion propose set-permissions",
    "motion propose set-public-permissions",
    "motion propose set-quota",
    "motion propose set-rule",
    "motion propose suspend-organisation",
    "motion show",
    "motion vote",
    "motion withdraw",
    "node",
    "node init",
    "node recover",
    "node run",
    "operator",
    "operator enforce",
    "operator evidence",
    "operator evidence list",
    "operator list",
    "operator move",
    "operator move arrive",
    "operator move check",
    "operator move leave",
    "operator record",
    "operator register",
    "operator retire",
    "operator show",
    "operator update",
    "org",
    "org add-account",
    "org chains",
    "org consent",
    "org history",
    "org list",
    "org register-chain",
    "org resume-chain",
    "org retire-chain",
    "org set-contact",
    "org show",
    "org update-chain",
    "org withdraw-account",
    "permission",
    "permission show",
    "prove",
    "quota",
    "quota show",
    "relay",
    "relay audit",
    "relay check",
    "relay clear",
    "relay contract",
    "relay dry-run",
    "relay events",
    "relay evidence",
    "relay inbox",
    "relay init",
    "relay init-fabric",
    "relay payload",
    "relay run",
    "relay send",
    "relay status",
    "renew",
    "renew check",
    "renew due",
    "renew run",
    "report",
    "revoke",
    "schema",
    "schema register",
    "schema show",
    "signer",
    "signer init",
    "signer run",
    "status",
    "supersede",
    "testnet",
    "testnet down",
    "testnet status",
    "testnet up",
    "top",
    "upgrade",
    "upgrade cancel",
    "upgrade declare",
    "upgrade plan",
    "upgrade status",
    "verify",
    "version",
    "warroom",
    "warroom run",
    "warroom subscribe",
    "warroom subscriptions",
    "warroom unsubscribe",
];

fn help(command: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_tbsi"))
        .args(command.split_whitespace())
        .arg("--help")
        .output()
        .unwrap();
    assert!(output.status.success(), "{command}");
    String::from_utf8(output.stdout).unwrap()
}

fn file(command: &str) -> PathBuf {
    let name = format!("tbsi {command}").trim_end().replace(' ', "-");
    PathBuf::from(format!("tests/help/{name}.txt"))
}

#[test]
fn help_is_what_the_files_say() {
    for command in COMMANDS {
        let (text, file) = (help(command), file(command));
        if std::env::var_os("UPDATE_HELP").is_some() {
            fs::write(&file, &text).unwrap();
        }
        let expected = fs::read_to_string(&file).unwrap_or_default();
        assert_eq!(
            text,
            expected,
            "{}; UPDATE_HELP=1 rewrites it",
            file.to_str().unwrap()
        );
    }
}

/// Names under `Commands:` of a help text.
fn subcommands(help: &str) -> Vec<String> {
    let Some((_, list)) = help.split_once("Commands:\n") else {
        return Vec::new();
    };
    let entries = list.lines().take_while(|line| line.starts_with("  "));
    let names = entries.filter_map(|line| {
        let indent = line.len() - line.trim_start().len();
        (indent == 2).then(|| line.split_whitespace().next())?
    });
    names.map(str::to_owned).collect()
}

#[test]
fn every_command_has_a_file() {
    let mut found = BTreeSet::new();
    let mut open = vec![String::new()];
    while let Some(command) = open.pop() {
        let names = subcommands(&help(&command));
        open.extend(
            names
                .iter()
                .map(|name| format!("{command} {name}").trim().to_owned()),
        );
        found.insert(command);
    }
    assert_eq!(found, COMMANDS.map(str::to_owned).into());
    let files = fs::read_dir(file("").parent().unwrap()).unwrap().count();
    assert_eq!(files, COMMANDS.len(), "a file without a command");
}
