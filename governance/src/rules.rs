//! The rules for the organisations and nodes of a genesis file (SPEC §2.4).
//!
//! [`check_stated`] is for every genesis: what is there must be right. [`check_complete`] is for
//! a network that is to last: everything must be there, and no organisation may weigh more than
//! a third.

use std::collections::{BTreeMap, BTreeSet};

use tbsi_types::genesis::{NodeEntry, OrganisationEntry, Permission};
use tbsi_types::limits::VALIDATORS_MIN;
use tbsi_types::{B256, Genesis};

use crate::identifiers::{IdentifierError, check_jurisdiction, check_lei, check_tax_id};
use crate::texts::{
    TextError, check_chinese_name, check_endpoint, check_english_name, check_label, check_url,
};

/// Accounts of one organisation.
pub const ACCOUNTS_MAX: usize = 256;
/// From this many organisations on, none may have more than a third of the voting power.
const ORGANISATIONS_BALANCED: usize = 4;

/// What a genesis file must not say, or must.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// An identifier.
    #[error("genesis field `organisations.{organisation}.{field}`: {source}")]
    Identifier {
        /// Its short id.
        organisation: String,
        /// Name of the field.
        field: &'static str,
        /// What is wrong with it.
        source: IdentifierError,
    },
    /// A text.
    #[error("genesis field `{field}`: {source}")]
    Text {
        /// Path of the field.
        field: String,
        /// What is wrong with it.
        source: TextError,
    },
    /// A value that two have.
    #[error("genesis field `{field}`: `{first}` has the same; each has its own")]
    Twice {
        /// Path of the second.
        field: String,
        /// Who has it too.
        first: String,
    },
    /// A value that is missing or cannot be.
    #[error("genesis field `{field}`: {problem}")]
    Field {
        /// Path of the field.
        field: String,
        /// What is wrong and what is allowed.
        problem: String,
    },
    /// Too few to tolerate a fault.
    #[error(
        "{0} validators tolerate no fault: at least {VALIDATORS_MIN} are needed, except for \
         development"
    )]
    Validators(usize),
    /// One organisation could stop the network by itself.
    #[error(
        "`{organisation}` has {power} of {total} voting power: with {ORGANISATIONS_BALANCED} or \
         more organisations none may have more than a third"
    )]
    Balance {
        /// Its short id.
        organisation: String,
        /// Its voting power.
        power: u128,
        /// That of all.
        total: u128,
    },
}

/// Checks what the file states: identifiers, texts, and that nobody has another's.
pub fn check_stated(genesis: &Genesis) -> Result<(), RuleError> {
    let mut taken = BTreeMap::new();
    let mut take =
        |field: String, value: String, owner: &str| match taken.insert(value, owner.to_owned()) {
            None => Ok(()),
            Some(first) => Err(RuleError::Twice { field, first }),
        };
    for (id, organisation) in &genesis.organisations {
        check_organisation(id, organisation)?;
        let path = |field: &str| format!("organisations.{id}.{field}");
        for (field, value) in [("tax_id", &organisation.tax_id), ("lei", &organisation.lei)] {
            if let Some(value) = value {
                take(path(field), value.clone(), id)?;
            }
        }
        for address in organisation.accounts.keys() {
            take(path("accounts"), address.to_string(), id)?;
        }
    }
    for node in &genesis.nodes {
        if let Some(endpoint) = &node.endpoint {
            let field = format!("nodes[{}].endpoint", node.name);
            check_endpoint(endpoint).map_err(|source| RuleError::Text { field, source })?;
        }
    }
    let set = genesis.validator_set().into_iter().flat_map(|set| {
        let addresses = set.iter().map(|validator| validator.address);
        addresses.collect::<Vec<_>>()
    });
    for address in set {
        take("accounts".into(), address.to_string(), "a validator")?;
    }
    Ok(())
}

fn check_organisation(id: &str, entry: &OrganisationEntry) -> Result<(), RuleError> {
    type Check = fn(&str) -> Result<(), IdentifierError>;
    let identifiers: [(&'static str, &Option<String>, Check); 3] = [
        ("tax_id", &entry.tax_id, check_tax_id),
        ("lei", &entry.lei, check_lei),
        ("jurisdiction", &entry.jurisdiction, check_jurisdiction),
    ];
    for (field, value, check) in identifiers {
        if let Some(value) = value {
            check(value).map_err(|source| RuleError::Identifier {
                organisation: id.into(),
                field,
                source,
            })?;
        }
    }
    if let Some(url) = &entry.contact_url {
        let field = format!("organisations.{id}.contact_url");
        check_url(url).map_err(|source| RuleError::Text { field, source })?;
    }
    if entry.accounts.len() > ACCOUNTS_MAX {
        let count = entry.accounts.len();
        let problem = format!("{count} accounts, at most {ACCOUNTS_MAX} are allowed");
        return Err(wrong(format!("organisations.{id}.accounts"), problem));
    }
    Ok(())
}

fn wrong(field: String, problem: impl Into<String>) -> RuleError {
    RuleError::Field {
        field,
        problem: problem.into(),
    }
}

/// Checks that a network which is to last can be founded with this file. A network for
/// development may have fewer validators, and any balance.
pub fn check_complete(genesis: &Genesis, development: bool) -> Result<(), RuleError> {
    check_stated(genesis)?;
    for (id, organisation) in &genesis.organisations {
        check_founder(id, organisation)?;
    }
    for node in &genesis.nodes {
        check_founding_node(node)?;
    }
    let operators: BTreeSet<&String> = genesis
        .nodes
        .iter()
        .map(|node| &node.organisation)
        .collect();
    if let Some(id) = genesis
        .organisations
        .keys()
        .find(|id| !operators.contains(id))
    {
        return Err(wrong(format!("organisations.{id}"), "has no node"));
    }
    if development {
        return Ok(());
    }
    check_balance(genesis)
}

fn check_founder(id: &str, entry: &OrganisationEntry) -> Result<(), RuleError> {
    let path = |field: &str| format!("organisations.{id}.{field}");
    let text = |field: &str| {
        let field = path(field);
        move |source| RuleError::Text { field, source }
    };
    check_label(id).map_err(text(""))?;
    check_chinese_name(&entry.name_zh_tw).map_err(text("name_zh_tw"))?;
    check_english_name(&entry.name_en).map_err(text("name_en"))?;
    if entry.kind.is_none() {
        return Err(wrong(path("kind"), "is missing, such as `association`"));
    }
    if entry.votes.is_none() {
        return Err(wrong(path("votes"), "is missing: `true` or `false`"));
    }
    let Some(jurisdiction) = &entry.jurisdiction else {
        return Err(wrong(path("jurisdiction"), "is missing, such as `TW`"));
    };
    if jurisdiction == "TW" && entry.tax_id.is_none() {
        let problem = "a legal entity of Taiwan has a 統一編號: give it";
        return Err(wrong(path("tax_id"), problem));
    }
    if entry.tax_id.is_none() && entry.lei.is_none() {
        let problem = "is missing: a legal entity elsewhere than in Taiwan needs its LEI";
        return Err(wrong(path("lei"), problem));
    }
    if entry.agreement_hash.is_none_or(|hash| hash == B256::ZERO) {
        let problem = "is missing: the SHA-256 of the agreement that the founders signed";
        return Err(wrong(path("agreement_hash"), problem));
    }
    let may = |permission: Permission| {
        let mut accounts = entry.accounts.values();
        accounts.any(|permissions| permissions.contains(&permission))
    };
    if !may(Permission::Administer) || (entry.votes == Some(true) && !may(Permission::Vote)) {
        let problem = "no account may `administer`, or none may `vote` for a voting organisation";
        return Err(wrong(path("accounts"), problem));
    }
    Ok(())
}

fn check_founding_node(node: &NodeEntry) -> Result<(), RuleError> {
    let path = |field: &str| format!("nodes[{}].{field}", node.name);
    let field = path("name");
    check_label(&node.name).map_err(|source| RuleError::Text { field, source })?;
    if node.endpoint.is_none() {
        return Err(wrong(path("endpoint"), "is missing: a multiaddr"));
    }
    if let Some(validator) = &node.validator
        && validator.log_key.is_none()
    {
        return Err(wrong(path("validator.log_key"), "is missing"));
    }
    Ok(())
}

fn check_balance(genesis: &Genesis) -> Result<(), RuleError> {
    let mut powers: BTreeMap<&str, u128> = BTreeMap::new();
    let mut validators = 0;
    for node in &genesis.nodes {
        if let Some(validator) = &node.validator {
            *powers.entry(&node.organisation).or_default() += u128::from(validator.power);
            validators += 1;
        }
    }
    if validators < VALIDATORS_MIN {
        return Err(RuleError::Validators(validators));
    }
    let total: u128 = powers.values().sum();
    if powers.len() < ORGANISATIONS_BALANCED {
        return Ok(());
    }
    match powers.iter().find(|(_, power)| **power * 3 > total) {
        None => Ok(()),
        Some((organisation, power)) => Err(RuleError::Balance {
            organisation: (*organisation).to_owned(),
            power: *power,
            total,
        }),
    }
}

#[cfg(test)]
mod tests;
