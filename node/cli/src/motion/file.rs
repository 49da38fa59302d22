//! The file that describes an organisation in a motion.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use alloy_primitives::{Address, B256};
use anyhow::{Context, bail};
use serde::Deserialize;
use tbsi_governance::contracts::{Admission, Details};
use tbsi_governance::standing::UNLIMITED;
use tbsi_types::genesis::{OrganisationKind, Permission, QuotaEntry};
use tbsi_types::json::from_json;

use crate::misfit::{parse_toml, unread};
use crate::shown::PathShown;

const FILE_BYTES_MAX: u64 = 64 * 1024;

/// As in a genesis file, and for a new organisation what it may do.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    #[serde(default)]
    name_zh_tw: String,
    name_en: String,
    kind: OrganisationKind,
    votes: Option<bool>,
    #[serde(default)]
    tax_id: String,
    #[serde(default)]
    lei: String,
    jurisdiction: String,
    agreement_hash: B256,
    credential_hash: Option<B256>,
    #[serde(default)]
    contact_url: String,
    permissions: Option<BTreeSet<Permission>>,
    quota: Option<QuotaEntry>,
    account: Option<Address>,
}

impl Entry {
    /// Reads a file in TOML, or in JSON if its name ends so.
    pub(super) fn load(path: &Path) -> anyhow::Result<Self> {
        let shown = path.shown();
        let mut bytes = Vec::new();
        let file = File::open(path).with_context(|| format!("open {shown}"))?;
        file.take(FILE_BYTES_MAX + 1)
            .read_to_end(&mut bytes)
            .with_context(|| format!("read {shown}"))?;
        let text = String::from_utf8(bytes).map_err(|error| unread(path, error))?;
        if text.len() as u64 > FILE_BYTES_MAX {
            bail!("{shown} has more than {FILE_BYTES_MAX} bytes; it describes one organisation");
        }
        let json = path
            .extension()
            .is_some_and(|extension| extension == "json");
        let parsed = if json {
            from_json(text.as_bytes()).map_err(anyhow::Error::from)
        } else {
            parse_toml(&text)
        };
        let parsed = parsed.map_err(|error| unread(path, error));
        parsed.with_context(|| format!("{shown} does not describe an organisation"))
    }

    /// For a new organisation.
    pub(super) fn admission(self) -> anyhow::Result<Admission> {
        let Some(account) = self.account else {
            bail!("key `account` is missing: the address of the organisation's first account");
        };
        let Some(permissions) = &self.permissions else {
            bail!(
                "key `permissions` is missing: what the organisation may do, such as \
                 [\"send\", \"attest\", \"administer\", \"vote\"]"
            );
        };
        if self.votes.is_none() {
            bail!("key `votes` is missing: true or false, for ever");
        }
        let quota = self.quota.unwrap_or_default();
        Ok(Admission {
            permissions: permissions.iter().fold(0, |bits, it| bits | it.bit()),
            gas: quota.gas.unwrap_or(UNLIMITED),
            leaves: quota.leaves.unwrap_or(UNLIMITED),
            account,
            details: self.details(false),
        })
    }

    /// For an organisation that is there; `votes` as it is.
    pub(super) fn amendment(self, votes: bool) -> anyhow::Result<Details> {
        let extra = [
            ("permissions", self.permissions.is_some()),
            ("quota", self.quota.is_some()),
            ("account", self.account.is_some()),
        ];
        if let Some((key, _)) = extra.iter().find(|(_, given)| *given) {
            bail!(
                "key `{key}` is of a new organisation; leave it out: other motions change that \
                 (set-permissions, set-quota, set-account)"
            );
        }
        Ok(self.details(votes))
    }

    fn details(self, votes: bool) -> Details {
        Details {
            nameZhTw: self.name_zh_tw,
            nameEn: self.name_en,
            kind: self.kind.code(),
            votes: self.votes.unwrap_or(votes),
            taxId: self.tax_id,
            lei: self.lei,
            jurisdiction: self.jurisdiction,
            agreementHash: self.agreement_hash,
            credentialHash: self.credential_hash.unwrap_or_default(),
            contactUrl: self.contact_url,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENTRY: &str = "\
name_zh_tw = \"台灣測試公會戊\"
name_en = \"Test Association E\"
kind = \"association\"
tax_id = \"04595257\"
jurisdiction = \"TW\"
agreement_hash = \"0x1111111111111111111111111111111111111111111111111111111111111111\"
";
    const NEW: &str = "\
votes = true
permissions = [\"send\", \"vote\"]
account = \"0x7777777777777777777777777777777777777777\"
quota = { gas = 5 }
";

    fn parse(text: &str) -> Entry {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn describes_a_new_organisation() {
        let admission = parse(&format!("{ENTRY}{NEW}")).admission().unwrap();
        assert_eq!((admission.permissions, admission.gas), (33, 5));
        assert_eq!(admission.leaves, UNLIMITED);
        assert_eq!(admission.details.taxId, "04595257");
        assert!(admission.details.votes);
        let json = serde_json::json!({
            "name_en": "E", "kind": "issuer", "votes": false, "lei": "5493001KJTIIGC8Y1R12",
            "jurisdiction": "US", "agreement_hash": B256::repeat_byte(1),
            "permissions": [], "account": Address::repeat_byte(1),
        });
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("e.json");
        std::fs::write(&path, json.to_string()).unwrap();
        let admission = Entry::load(&path).unwrap().admission().unwrap();
        assert_eq!(admission.details.kind, 3);
        assert!(!admission.details.votes);
    }

    #[test]
    fn says_which_key_is_missing_or_too_much() {
        let fails = |result: anyhow::Result<()>, word: &str| {
            let error = result.unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
        };
        for key in ["votes", "permissions", "account"] {
            let line = NEW.lines().filter(|line| !line.starts_with(key));
            let text = format!("{ENTRY}{}", line.collect::<Vec<_>>().join("\n"));
            fails(parse(&text).admission().map(|_| ()), key);
            let line = NEW.lines().filter(|line| line.starts_with(key));
            let text = format!("{ENTRY}{}", line.collect::<Vec<_>>().join("\n"));
            if key != "votes" {
                fails(parse(&text).amendment(true).map(|_| ()), key);
            }
        }
        assert!(!parse(ENTRY).amendment(false).unwrap().votes);
        assert!(toml::from_str::<Entry>(&format!("{ENTRY}colour = 1")).is_err());
    }
}
