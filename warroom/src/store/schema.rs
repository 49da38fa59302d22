//! The index's form, and how an older one becomes the newest.

use alloy_primitives::B256;
use rusqlite::{Connection, OptionalExtension, params};

use super::{Doing, IndexError};

/// Each brings an index from the form of its number to the next; SQLite's `user_version` is the
/// number of those that were done.
const MIGRATIONS: [&str; 2] = [FORM_1, FORM_2];

const FORM_1: &str = "
CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
-- Bundles of leaves as the log has them, with height and time of their first and last leaf.
CREATE TABLE bundle (
    number INTEGER PRIMARY KEY, width INTEGER NOT NULL,
    first_height INTEGER NOT NULL, last_height INTEGER NOT NULL,
    first_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL,
    entries BLOB NOT NULL
);
CREATE INDEX bundle_by_height ON bundle (last_height);
CREATE INDEX bundle_by_time ON bundle (last_ms);
-- Tiles above level 0; those of level 0 follow from the bundles.
CREATE TABLE tile (number INTEGER PRIMARY KEY, hashes BLOB NOT NULL);
-- Eight bytes of a hash of what a leaf is found by, and its position.
CREATE TABLE found (
    hash INTEGER NOT NULL, position INTEGER NOT NULL, PRIMARY KEY (hash, position)
) WITHOUT ROWID;
-- What leaves are counted by.
CREATE TABLE term (
    number INTEGER PRIMARY KEY, facet INTEGER NOT NULL, word BLOB NOT NULL,
    count INTEGER NOT NULL, last_ms INTEGER NOT NULL, UNIQUE (facet, word)
);
CREATE TABLE posting (
    term INTEGER NOT NULL, bundle INTEGER NOT NULL, count INTEGER NOT NULL,
    PRIMARY KEY (term, bundle)
) WITHOUT ROWID;
CREATE TABLE hourly (
    term INTEGER NOT NULL, from_ms INTEGER NOT NULL, count INTEGER NOT NULL,
    PRIMARY KEY (term, from_ms)
) WITHOUT ROWID;
CREATE TABLE minutely (from_ms INTEGER PRIMARY KEY, count INTEGER NOT NULL);
CREATE TABLE act (
    position INTEGER PRIMARY KEY, topics BLOB NOT NULL, data BLOB NOT NULL
);
-- What sources showed: not of the log, so that two indexes of one log may differ in it.
CREATE TABLE seen_decision (
    height INTEGER PRIMARY KEY, checkpoint BLOB NOT NULL, certificate BLOB NOT NULL
);
CREATE TABLE seen_validator (
    address BLOB PRIMARY KEY, seen INTEGER NOT NULL, signed INTEGER NOT NULL, last_ms INTEGER
) WITHOUT ROWID;
CREATE TABLE alarm (
    number INTEGER PRIMARY KEY, code TEXT NOT NULL, source TEXT NOT NULL, since_ms INTEGER NOT NULL,
    en TEXT NOT NULL, zh_tw TEXT NOT NULL, evidence TEXT, UNIQUE (code, source)
);
";

const FORM_2: &str = "
-- Who is told of new leaves; not of the log.
CREATE TABLE subscription (
    number INTEGER PRIMARY KEY, channel TEXT NOT NULL, address TEXT NOT NULL,
    filter TEXT NOT NULL, zh_tw INTEGER NOT NULL, secret BLOB NOT NULL, token TEXT NOT NULL UNIQUE,
    confirmed_ms INTEGER, asked INTEGER NOT NULL DEFAULT 0, next INTEGER NOT NULL,
    failures INTEGER NOT NULL DEFAULT 0, due_ms INTEGER NOT NULL DEFAULT 0, problem TEXT
);
CREATE INDEX subscription_by_due ON subscription (due_ms);
";

/// Brings the index to the newest form. One of another network, or of newer software, is refused.
pub(super) fn migrate(connection: &Connection, genesis_hash: B256) -> Result<(), IndexError> {
    let known = i64::try_from(MIGRATIONS.len()).expect("there are few");
    let got: i64 = connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .doing("read its form")?;
    if got > known || got < 0 {
        return Err(IndexError::Newer { got, known });
    }
    for (number, migration) in (1i64..).zip(MIGRATIONS) {
        if number > got {
            let script =
                format!("BEGIN IMMEDIATE; {migration} PRAGMA user_version = {number}; COMMIT;");
            connection
                .execute_batch(&script)
                .doing("bring it to the newest form")?;
        }
    }
    check_network(connection, genesis_hash)
}

fn check_network(connection: &Connection, expected: B256) -> Result<(), IndexError> {
    let found: Option<Vec<u8>> = connection
        .query_row("SELECT value FROM meta WHERE name = 'genesis'", [], |row| {
            row.get(0)
        })
        .optional()
        .doing("read its network")?;
    let Some(found) = found else {
        connection
            .execute(
                "INSERT INTO meta VALUES ('genesis', ?)",
                params![expected.as_slice()],
            )
            .doing("write its network")?;
        return Ok(());
    };
    let got = B256::try_from(found.as_slice());
    let got = got.map_err(|_| IndexError::Damaged("genesis"))?;
    if got == expected {
        return Ok(());
    }
    Err(IndexError::OtherNetwork { got, expected })
}
