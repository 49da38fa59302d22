//! Which keys exist, so that an unknown one can be named with its nearest neighbour.

use std::path::PathBuf;

use alloy_primitives::{B256, Bytes};
use tbsi_keys::signer::SignerAddress;
use toml::{Table, Value};

use super::{
    ApiKeyConfig, CalendarConfig, Config, OperatorConfig, PeerConfig, SignerConfig, TlsConfig,
    TsaConfig, WitnessConfig, WitnessedConfig,
};

/// The first key of `table` that [`Config`] does not have, and the valid key nearest to it.
pub(super) fn unknown_key(table: &Table) -> Option<(String, String)> {
    let schema = schema();
    let key = first_unknown(table, &schema, "")?;
    let mut valid = Vec::new();
    paths(&schema, "", &mut valid);
    let nearest = valid
        .into_iter()
        .min_by_key(|path| distance(path, &key.to_lowercase()))
        .expect("the configuration has keys");
    Some((key, nearest))
}

/// A configuration in which every key has a value, as a table.
fn schema() -> Table {
    let mut full = Config::new("", false);
    full.p2p.peers.push(PeerConfig {
        peer_id: String::new(),
        consensus: full.p2p.consensus,
        gossip: full.p2p.gossip,
    });
    full.attestation_log.witnesses.push(WitnessConfig {
        key: String::new(),
        url: String::new(),
    });
    full.attestation_log.witnessed.push(WitnessedConfig {
        origin: Some(String::new()),
        key: String::new(),
    });
    full.signer = Some(SignerConfig {
        address: SignerAddress::Tcp(full.p2p.consensus),
        public_key: B256::ZERO,
        validator_key: Bytes::new(),
    });
    full.keys.password_file = Some(PathBuf::new());
    let mut tsa = TsaConfig::new("", "", "");
    let key = ApiKeyConfig {
        name: String::new(),
        sha256: B256::ZERO,
        per_minute: 0,
    };
    tsa.keys.push(key.clone());
    let mut calendar = CalendarConfig::new("");
    calendar.upstream = Some(String::new());
    tsa.calendar = Some(calendar);
    full.tsa = Some(tsa);
    let tls = TlsConfig {
        certificate: PathBuf::new(),
        key: PathBuf::new(),
    };
    full.rpc.keys.push(key);
    full.rpc.operator = Some(OperatorConfig {
        token_secret: Some(PathBuf::new()),
        tls: Some(tls.clone()),
        ..OperatorConfig::default()
    });
    full.rpc.tls = Some(tls);
    Table::try_from(full).expect("a configuration has string keys only")
}

fn first_unknown(table: &Table, schema: &Table, prefix: &str) -> Option<String> {
    for (key, value) in table {
        let path = format!("{prefix}{key}");
        let Some(expected) = schema.get(key) else {
            return Some(path);
        };
        let tables = value.as_table().zip(expected.as_table());
        let arrays = value.as_array().zip(expected.as_array());
        // Another type than expected is for deserializing to name.
        let unknown = tables
            .and_then(|(value, expected)| first_unknown(value, expected, &format!("{path}.")))
            .or_else(|| {
                arrays.and_then(|(value, expected)| first_unknown_in_array(value, expected, &path))
            });
        if unknown.is_some() {
            return unknown;
        }
    }
    None
}

fn first_unknown_in_array(values: &[Value], expected: &[Value], path: &str) -> Option<String> {
    let expected = expected.first().and_then(Value::as_table)?;
    values.iter().enumerate().find_map(|(index, value)| {
        first_unknown(value.as_table()?, expected, &format!("{path}[{index}]."))
    })
}

/// Every key of `schema`, with the keys that lead to it.
fn paths(schema: &Table, prefix: &str, found: &mut Vec<String>) {
    for (key, value) in schema {
        let path = format!("{prefix}{key}");
        let inner = match value {
            Value::Array(values) => values.first().and_then(Value::as_table),
            Value::Table(table) => Some(table),
            Value::String(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::Boolean(_)
            | Value::Datetime(_) => None,
        };
        if let Some(inner) = inner {
            paths(inner, &format!("{path}."), found);
        }
        found.push(path);
    }
}

/// Levenshtein distance in characters.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_edits() {
        for (a, b, edits) in [
            ("", "", 0),
            ("", "abc", 3),
            ("abc", "", 3),
            ("kitten", "sitting", 3),
            ("listen", "lsten", 1),
            ("公會甲", "公會乙", 1),
        ] {
            assert_eq!(distance(a, b), edits, "{a} {b}");
        }
    }
}
