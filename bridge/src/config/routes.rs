//! Several routes of one process: a table for each, in one file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::check::{between, wrong};
use super::{ConfigError, read_limited};
use crate::limits::{ROUTE_NAME_BYTES_MAX, ROUTES_MAX};

/// Name of the file in a directory with several homes.
pub const ROUTES_FILE: &str = "routes.toml";

/// All routes, by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Routes {
    /// A table for each: `[route.NAME]`.
    pub route: BTreeMap<String, RouteConfig>,
}

/// From one source to one target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RouteConfig {
    /// Its home directory, made by `tbsi relay init`; relative to the file's.
    pub home: PathBuf,
}

impl Routes {
    /// Reads and checks the file in a directory.
    pub fn load(dir: &Path) -> Result<Self, ConfigError> {
        let file = dir.join(ROUTES_FILE);
        let text = read_limited(&file)?;
        let routes: Self = toml::from_str(&text).map_err(|error| ConfigError::Syntax {
            file,
            problem: error.to_string(),
        })?;
        routes.check()?;
        Ok(routes)
    }

    fn check(&self) -> Result<(), ConfigError> {
        between("route", self.route.len() as u64, 1, ROUTES_MAX as u64)?;
        let mut homes: BTreeMap<&Path, &str> = BTreeMap::new();
        for (name, route) in &self.route {
            let plain =
                |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
            if name.is_empty() || name.len() > ROUTE_NAME_BYTES_MAX || !name.bytes().all(plain) {
                let problem = format!(
                    "has the name `{name}`; 1 to {ROUTE_NAME_BYTES_MAX} of a-z, 0-9 and - are \
                     allowed"
                );
                return wrong("route", &problem);
            }
            if let Some(other) = homes.insert(&route.home, name) {
                let home = route.home.display();
                let problem = format!("is {home} for `{other}` and `{name}`; each has its own");
                return wrong("route.home", &problem);
            }
        }
        Ok(())
    }

    /// The home of each.
    pub fn homes(&self, dir: &Path) -> BTreeMap<String, PathBuf> {
        let home = |(name, route): (&String, &RouteConfig)| (name.clone(), dir.join(&route.home));
        self.route.iter().map(home).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> Result<Routes, ConfigError> {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(ROUTES_FILE), text).unwrap();
        Routes::load(dir.path())
    }

    #[test]
    fn each_route_has_a_name_and_a_home() {
        let text = "[route.ethereum]\nhome = \"e\"\n[route.besu-2]\nhome = \"/srv/b\"\n";
        let homes = load(text).unwrap().homes(Path::new("/r"));
        let expected = [("besu-2", "/srv/b"), ("ethereum", "/r/e")];
        let expected = expected.map(|(name, home)| (name.to_owned(), PathBuf::from(home)));
        assert_eq!(homes, expected.into());
    }

    #[test]
    fn what_is_wrong_with_routes_is_named() {
        let many: String = (0..=ROUTES_MAX)
            .map(|number| format!("[route.r{number}]\nhome = \"{number}\"\n"))
            .collect();
        for (text, words) in [
            ("route = {}", "`route` is 0; 1 to 64"),
            (&many, "`route` is 65; 1 to 64"),
            (
                "[route.\"A b\"]\nhome = \"a\"",
                "has the name `A b`; 1 to 32",
            ),
            (
                "[route.a]\nhome = \"x\"\n[route.b]\nhome = \"x\"",
                "for `a` and `b`",
            ),
            ("[route.a]\nhouse = \"x\"", "unknown field `house`"),
            ("[route.a]\n", "missing field `home`"),
            ("", "missing field `route`"),
        ] {
            let error = load(text).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}
