//! Contracts of others that a network can have from genesis at the addresses where clients look
//! for them (SPEC §2.5).
//!
//! Their code is not in this program, except where a specification prescribes a few bytes: it is
//! taken from npm packages when a network is founded. What is here is the hash that it must have.
//! A draft carries init codes, so that everybody who builds from it needs no package, and verifies
//! them all the same; constructors run when the genesis file is made.

mod known;
mod packages;

use std::collections::BTreeMap;
use std::path::Path;

use alloy_primitives::{Address, B256, Bytes, keccak256};
use tbsi_execution::{ConstructionError, construct};
use tbsi_types::genesis::GenesisAccount;

use known::PREDEPLOYS;

/// Init codes by the address of their contract, with arguments.
pub type InitCodes = BTreeMap<Address, Bytes>;

/// A contract that a network can have from genesis.
#[derive(Debug)]
pub struct Predeploy {
    /// What it is asked for by; contracts that belong together have one name.
    pub name: &'static str,
    /// Which contract of that name it is.
    pub contract: &'static str,
    /// Where clients look for it.
    pub address: Address,
    /// Keccak-256 of its init code, arguments included.
    pub init_code_hash: B256,
    source: Source,
}

/// Where the init code comes from.
#[derive(Debug)]
enum Source {
    /// A specification prescribes these bytes.
    Prescribed(&'static [u8]),
    /// A file of an npm package, which holds it in some form.
    Package {
        /// Name of the package, as in its registry.
        package: &'static str,
        /// Version of it in which the code was found.
        version: &'static str,
        /// Path inside of it.
        file: &'static str,
        form: Form,
        /// What follows the code.
        arguments: &'static [u8],
    },
}

/// How a file of a package holds code.
#[derive(Clone, Copy, Debug)]
enum Form {
    /// It is the code.
    Bytes,
    /// JSON: hex digits at this key of the outermost object.
    Json(&'static str),
    /// A constant of this name in a source file, hex digits of a signed transaction that carries
    /// the code: after so many bytes, and so many.
    Carried(&'static str, usize, usize),
    /// The same of the code that the contract has: the init code is such as returns it.
    Deployed(&'static str),
}

/// Why a network cannot have a contract.
#[derive(Debug, thiserror::Error)]
pub enum PredeployError {
    /// Nobody knows it.
    #[error("there is no predeploy `{name}`; these are known: {known}")]
    Unknown {
        /// What was asked for.
        name: String,
        /// What could have been.
        known: String,
    },
    /// An address of a draft.
    #[error(
        "predeploys: this program knows no contract at {0}; a network that is to have it needs a \
         version of the program that does"
    )]
    UnknownAddress(Address),
    /// Its package is not there.
    #[error(
        "predeploy `{name}`: its code is in the npm package {package} {version}, and {problem}; \
         run contracts/predeploys/fetch.sh and give contracts/predeploys/node_modules with \
         --packages, or leave the predeploy out"
    )]
    Missing {
        /// What was asked for.
        name: &'static str,
        /// Name of the package.
        package: &'static str,
        /// The version that has it.
        version: &'static str,
        /// What is wrong with where it should be.
        problem: String,
    },
    /// The code is another one.
    #[error(
        "predeploy `{name}`: the init code of {contract} has the Keccak-256 {got}, it must be \
         {expected}: it is from another version of its package, or was changed"
    )]
    Changed {
        /// What was asked for.
        name: &'static str,
        /// Which contract of it.
        contract: &'static str,
        /// What was found.
        got: B256,
        /// What it must be.
        expected: B256,
    },
    /// A constructor.
    #[error(transparent)]
    Construction(#[from] ConstructionError),
}

/// All that are known, in the order in which they are constructed.
pub fn all() -> &'static [Predeploy] {
    PREDEPLOYS
}

/// What can be asked for, in that order.
pub fn names() -> Vec<&'static str> {
    let mut names: Vec<&'static str> = PREDEPLOYS.iter().map(|it| it.name).collect();
    names.dedup();
    names
}

/// Those that need no package.
pub fn prescribed() -> InitCodes {
    let prescribed = PREDEPLOYS.iter().filter_map(|it| match it.source {
        Source::Prescribed(code) => Some((it.address, Bytes::from_static(code))),
        Source::Package { .. } => None,
    });
    prescribed.collect()
}

/// The init codes of what is asked for; those of packages are read below `packages`, a directory
/// like `node_modules`.
pub fn find(names: &[String], packages: Option<&Path>) -> Result<InitCodes, PredeployError> {
    let mut found = InitCodes::new();
    for name in names {
        let mut wanted = PREDEPLOYS.iter().filter(|it| it.name == name).peekable();
        if wanted.peek().is_none() {
            return Err(PredeployError::Unknown {
                name: name.clone(),
                known: self::names().join(", "),
            });
        }
        for predeploy in wanted {
            found.insert(predeploy.address, packages::read(predeploy, packages)?);
        }
    }
    Ok(found)
}

/// All that can be had with these packages, and what each of the others lacks.
pub fn find_all(packages: Option<&Path>) -> (InitCodes, Vec<PredeployError>) {
    let (mut found, mut lacking) = (InitCodes::new(), Vec::new());
    for name in names() {
        match find(&[name.to_owned()], packages) {
            Ok(codes) => found.extend(codes),
            Err(error) => lacking.push(error),
        }
    }
    (found, lacking)
}

/// Those of the known ones that there are init codes of.
pub fn chosen(init_codes: &InitCodes) -> impl Iterator<Item = &'static Predeploy> {
    let among = |it: &&Predeploy| init_codes.contains_key(&it.address);
    PREDEPLOYS.iter().filter(among)
}

/// That each init code is the one that is known for its address.
pub fn check(init_codes: &InitCodes) -> Result<(), PredeployError> {
    for (address, code) in init_codes {
        let known = PREDEPLOYS.iter().find(|it| it.address == *address);
        let Some(predeploy) = known else {
            return Err(PredeployError::UnknownAddress(*address));
        };
        predeploy.check(code)?;
    }
    Ok(())
}

/// The accounts that a genesis file of this chain has for these init codes: what their
/// constructors leave. Checks them first.
pub fn accounts(
    chain_id: u64,
    init_codes: &InitCodes,
) -> Result<BTreeMap<Address, GenesisAccount>, PredeployError> {
    check(init_codes)?;
    let in_order: Vec<(Address, Bytes)> = chosen(init_codes)
        .map(|it| (it.address, init_codes[&it.address].clone()))
        .collect();
    Ok(construct(chain_id, &in_order)?)
}

impl Predeploy {
    fn check(&self, init_code: &Bytes) -> Result<(), PredeployError> {
        let got = keccak256(init_code);
        if got == self.init_code_hash {
            return Ok(());
        }
        Err(PredeployError::Changed {
            name: self.name,
            contract: self.contract,
            got,
            expected: self.init_code_hash,
        })
    }
}

#[cfg(test)]
mod tests;
