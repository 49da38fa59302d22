//! Which methods a listener serves: those that its configuration names.

use std::collections::BTreeSet;

/// Names of methods.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Allowed(BTreeSet<&'static str>);

impl Allowed {
    /// These methods.
    pub(crate) fn of(names: impl IntoIterator<Item = &'static str>) -> Self {
        Self(names.into_iter().collect())
    }

    /// The methods that these entries name, each of them or by their namespace; an entry that
    /// names none, and what there is instead.
    pub(crate) fn named(
        entries: &[String],
        known: impl IntoIterator<Item = &'static str>,
    ) -> Result<Self, UnknownEntry> {
        let known: BTreeSet<&'static str> = known.into_iter().collect();
        let mut named = BTreeSet::new();
        for entry in entries {
            let count = named.len();
            let meant = |name: &&&str| **name == entry || namespace(name) == entry;
            named.extend(known.iter().filter(meant));
            if named.len() == count && !named.iter().any(|name| meant(&name)) {
                let namespaces: BTreeSet<_> = known.iter().map(|name| namespace(name)).collect();
                let namespaces: Vec<_> = namespaces.into_iter().collect();
                return Err(UnknownEntry {
                    entry: entry.clone(),
                    namespaces: namespaces.join(", "),
                });
            }
        }
        Ok(Self(named))
    }

    pub(crate) fn serves(&self, method: &str) -> bool {
        self.0.contains(method)
    }
}

/// An entry that names no method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UnknownEntry {
    pub(crate) entry: String,
    pub(crate) namespaces: String,
}

/// What stands before the first `_` or `.`.
fn namespace(method: &str) -> &str {
    method.split(['_', '.']).next().unwrap_or(method)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 6] = [
        "admin_peers",
        "eth_call",
        "eth_chainId",
        "ethx_call",
        "rpc.discover",
        "rpc_modules",
    ];

    fn named(entries: &[&str]) -> Result<Vec<&'static str>, UnknownEntry> {
        let entries: Vec<_> = entries.iter().map(ToString::to_string).collect();
        let allowed = Allowed::named(&entries, KNOWN)?;
        Ok(KNOWN.into_iter().filter(|it| allowed.serves(it)).collect())
    }

    #[test]
    fn entries_are_namespaces_or_names() {
        assert_eq!(named(&["eth"]), Ok(vec!["eth_call", "eth_chainId"]));
        let some = named(&["rpc", "eth_call", "eth_call", "admin_peers"]);
        assert_eq!(
            some,
            Ok(vec![
                "admin_peers",
                "eth_call",
                "rpc.discover",
                "rpc_modules"
            ])
        );
        assert_eq!(named(&[]), Ok(vec![]));
        for entry in ["", "et", "eth_", "eth_sign", "ETH", "*"] {
            let unknown = named(&["eth", entry]).unwrap_err();
            assert_eq!(unknown.entry, entry);
            assert_eq!(unknown.namespaces, "admin, eth, ethx, rpc");
        }
    }
}
