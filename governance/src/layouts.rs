//! Whether new code of a contract finds what its old code wrote: an upgrade replaces code and
//! keeps storage (SPEC §13.12).

/// A variable of a contract, as the compiler places it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub label: String,
    /// Slot.
    pub slot: u64,
    /// First byte in the slot, from the low end.
    pub offset: u64,
    /// Bytes that it takes.
    pub bytes: u64,
    /// Its type, with the members of structs.
    pub kind: String,
}

impl Variable {
    /// Bytes from the beginning of storage.
    fn place(&self) -> u64 {
        self.slot.saturating_mul(32).saturating_add(self.offset)
    }
}

/// Why new code does not fit the storage of old code; each names the variable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// The new code does not have it; a name that changed is a variable that was removed.
    #[error("{0}: removed")]
    Removed(String),
    /// The new code has it elsewhere.
    #[error("{0}: moved")]
    Moved(String),
    /// The new code takes it for something else.
    #[error("{0}: retyped")]
    Retyped(String),
    /// A new one, not behind all that was there.
    #[error("{0}: in between")]
    Between(String),
}

/// What was there stays where it was, as what it was; what is new comes behind it.
pub fn require_fits(before: &[Variable], after: &[Variable]) -> Result<(), Misfit> {
    for (index, old) in before.iter().enumerate() {
        let position = after.iter().position(|it| it.label == old.label);
        let Some((position, found)) = position.and_then(|at| Some((at, after.get(at)?))) else {
            return Err(Misfit::Removed(old.label.clone()));
        };
        if found.place() != old.place() {
            return Err(Misfit::Moved(old.label.clone()));
        }
        if (&found.kind, found.bytes) != (&old.kind, old.bytes) {
            return Err(Misfit::Retyped(old.label.clone()));
        }
        if position != index {
            return Err(Misfit::Between(after[index].label.clone()));
        }
    }
    let end = before.last().map_or(0, |last| last.place() + last.bytes);
    let mut new = after.iter().skip(before.len());
    match new.find(|it| it.place() < end) {
        Some(early) => Err(Misfit::Between(early.label.clone())),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Placed {
        label: String,
        slot: u64,
        offset: u64,
        bytes: u64,
        #[serde(rename = "type")]
        kind: String,
    }

    #[derive(Deserialize)]
    struct Case {
        name: String,
        before: Vec<Placed>,
        after: Vec<Placed>,
        misfit: Option<String>,
    }

    #[derive(Deserialize)]
    struct Vectors {
        cases: Vec<Case>,
        contracts: BTreeMap<String, Vec<Placed>>,
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Artifact {
        storage_layout: Vec<Placed>,
    }

    macro_rules! artifacts {
        ($($name:literal)*) => {
            [$(($name, include_str!(concat!("../../contracts/evm/artifacts/", $name, ".json"))),)*]
        };
    }

    const ARTIFACTS: [(&str, &str); 11] = artifacts!(
        "Attestations" "Authorisations" "Chains" "Equivocations" "Facts" "Motions" "Nodes"
        "Organisations" "Outbox" "Permissions" "Upgrades"
    );

    fn variables(placed: Vec<Placed>) -> Vec<Variable> {
        let variable = |it: Placed| Variable {
            label: it.label,
            slot: it.slot,
            offset: it.offset,
            bytes: it.bytes,
            kind: it.kind,
        };
        placed.into_iter().map(variable).collect()
    }

    fn vectors() -> Vectors {
        let text = include_str!("../../tests/vectors/storage_layouts.json");
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn judges_as_the_vectors_say() {
        let cases = vectors().cases;
        assert!(cases.iter().any(|case| case.misfit.is_none()));
        for case in cases {
            let (before, after) = (variables(case.before), variables(case.after));
            let misfit = require_fits(&before, &after).err().map(|it| it.to_string());
            assert_eq!(misfit, case.misfit, "{}", case.name);
        }
    }

    /// The code of this version could take the place of that of the vectors' version.
    #[test]
    fn the_contracts_fit_the_storage_of_networks_that_run() {
        let mut known = vectors().contracts;
        for (name, text) in ARTIFACTS {
            let before = known.remove(name).unwrap();
            let artifact: Artifact = serde_json::from_str(text).unwrap();
            let fits = require_fits(&variables(before), &variables(artifact.storage_layout));
            assert_eq!(fits, Ok(()), "{name}");
        }
        assert!(known.is_empty(), "{:?}", known.keys());
    }
}
