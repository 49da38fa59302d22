//! Which contracts of others a new network has (SPEC §2.5), as options.

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::bail;
use clap::builder::PossibleValuesParser;
use serde::Serialize;
use tbsi_home::predeploys::{self, InitCodes};
use tbsi_types::{Address, Genesis};

/// What is asked for.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Predeploys {
    /// Contracts of others that the network has from genesis, where clients look for them
    /// [default: those whose code a specification prescribes].
    #[arg(long = "predeploy", value_name = "NAME", value_delimiter = ',',
          value_parser = PossibleValuesParser::new(predeploys::names()))]
    names: Option<Vec<String>>,
    /// The network has no contracts of others.
    #[arg(long, conflicts_with_all = ["names", "packages"])]
    no_predeploys: bool,
    /// Directory of npm packages that has their code: contracts/predeploys/node_modules, which
    /// contracts/predeploys/fetch.sh makes.
    #[arg(long, value_name = "DIR")]
    packages: Option<PathBuf>,
}

impl Predeploys {
    /// Whether anything was asked for.
    pub(crate) fn are_given(&self) -> bool {
        self.names.is_some() || self.no_predeploys || self.packages.is_some()
    }

    /// Init codes of what is asked for; an error if one of them cannot be had.
    pub(crate) fn init_codes(&self) -> anyhow::Result<InitCodes> {
        match &self.names {
            _ if self.no_predeploys => Ok(InitCodes::new()),
            Some(names) => Ok(predeploys::find(names, self.packages.as_deref())?),
            None if self.packages.is_some() => {
                bail!("--packages: say with --predeploy which contracts are taken from there")
            }
            None => Ok(predeploys::prescribed()),
        }
    }

    /// The same; without names all that the packages have, and the sentences that say which of
    /// the others are lacking and why.
    pub(crate) fn init_codes_there(&self) -> anyhow::Result<(InitCodes, Vec<String>)> {
        if self.names.is_some() || self.no_predeploys {
            return Ok((self.init_codes()?, Vec::new()));
        }
        let (found, lacking) = predeploys::find_all(self.packages.as_deref());
        if self.packages.is_some() {
            return Ok((found, lacking.iter().map(ToString::to_string).collect()));
        }
        // Of whoever gave no packages all lack the same.
        let known = listed(&found);
        let is_known = |name: &str| known.iter().any(|it| it.name == name);
        let names = predeploys::names().into_iter().filter(|it| !is_known(it));
        let names = names.collect::<Vec<_>>().join(", ");
        let sentence = format!(
            "{names}, whose code is in npm packages; to have them, run contracts/predeploys/fetch.sh \
             and add --packages contracts/predeploys/node_modules"
        );
        Ok((found, vec![sentence]))
    }
}

/// One contract, for programs.
#[derive(Debug, Serialize)]
pub(crate) struct Listed {
    /// What it is asked for by.
    pub(crate) name: &'static str,
    /// Which contract of that name it is.
    pub(crate) contract: &'static str,
    /// Where it is.
    pub(crate) address: Address,
}

/// Those that there are init codes of.
pub(crate) fn listed(init_codes: &InitCodes) -> Vec<Listed> {
    list(|address| init_codes.contains_key(address))
}

/// Those at whose address a genesis file has an account.
pub(crate) fn listed_in(genesis: &Genesis) -> Vec<Listed> {
    list(|address| genesis.accounts.contains_key(address))
}

fn list(is_there: impl Fn(&Address) -> bool) -> Vec<Listed> {
    let there = predeploys::all().iter().filter(|it| is_there(&it.address));
    let listed = there.map(|it| Listed {
        name: it.name,
        contract: it.contract,
        address: it.address,
    });
    listed.collect()
}

/// The same for people, a line for each.
pub(crate) fn text(listed: &[Listed]) -> String {
    if listed.is_empty() {
        return "No contracts of others.\n".into();
    }
    let mut text = String::from("Contracts of others:\n");
    for it in listed {
        let named = format!("{} ({})", it.name, it.contract);
        writeln!(text, "  {}  {named}", it.address).expect("a String takes all");
    }
    text
}
