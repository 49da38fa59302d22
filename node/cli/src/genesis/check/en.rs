//! What was checked, in English.

use std::fmt::Write;

use super::super::ceremony::aloud;
use super::{Checked, list};
use crate::lang::counted;
use crate::shown;
use crate::time::Times;

pub(super) fn text(checked: &Checked) -> String {
    let mut text = String::new();
    write(&mut text, checked).expect("a String takes all");
    text
}

fn write(text: &mut String, checked: &Checked) -> std::fmt::Result {
    let genesis = &checked.genesis;
    let times = Times::of(genesis.time_ms);
    writeln!(
        text,
        "network      {}, chain id {}",
        shown::line(&genesis.name),
        genesis.chain_id
    )?;
    writeln!(text, "time         {} ({})", times.utc, times.taipei)?;
    writeln!(text, "genesis hash {}", genesis.hash())?;
    writeln!(text, "read it out  {}", aloud(genesis.hash()))?;
    for (id, organisation) in &genesis.organisations {
        let names = [&organisation.name_zh_tw, &organisation.name_en].map(|it| shown::line(it));
        writeln!(text, "  {id}: {} {}", names[0], names[1])?;
        let tax_id = organisation
            .tax_id
            .as_deref()
            .map_or("none".into(), shown::line);
        let lei = organisation
            .lei
            .as_deref()
            .map_or("none".into(), shown::line);
        writeln!(text, "    tax id (統一編號) {tax_id}, LEI {lei}")?;
        for node in genesis.nodes.iter().filter(|node| node.organisation == *id) {
            let role = match &node.validator {
                Some(entry) => format!("validator, power {}", entry.power),
                None => "observer".into(),
            };
            writeln!(text, "    {} ({role})", shown::line(&node.name))?;
        }
    }
    match &genesis.governance {
        Some(rules) => writeln!(
            text,
            "governed     motions open {} s, delayed {} s, executed within {} s; validators change every {} s; the public may: {}",
            rules.voting_period_seconds,
            rules.delay_seconds,
            rules.window_seconds,
            rules.epoch_seconds,
            list(&rules.public_permissions).unwrap_or_else(|| "nothing".into())
        )?,
        None => writeln!(text, "governed     not: members and rules stay as they are")?,
    }
    writeln!(text, "OK  identifiers, names, voting power")?;
    match checked.founders {
        Some(count) => writeln!(
            text,
            "OK  what {} make; each key was proved to be held",
            counted(count, "founder file")
        )?,
        None => writeln!(text, "--  founder files: not compared (--draft)")?,
    }
    for it in &checked.predeploys {
        writeln!(
            text,
            "OK  {} ({}) at {}: its code is the known one",
            it.name, it.contract, it.address
        )?;
    }
    match checked.signed {
        Some(count) => writeln!(text, "OK  signed by all {}", counted(count, "founder")),
        None => writeln!(text, "--  signatures: not looked at (--signatures)"),
    }
}
