//! Subscriptions in the index: whose they are, and how far each was told.

use std::path::{Path, PathBuf};
use std::time::Duration;

use alloy_primitives::hex;
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::limits::{FAILURES_MAX, RETRY_MS_MAX, SUBSCRIPTIONS_MAX};
use crate::said::{WarroomError, said};

const COLUMNS: &str = "number, channel, address, filter, zh_tw, secret, token, confirmed_ms, \
                       asked, next, failures, problem";

/// By what somebody is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// A signed POST.
    Webhook,
    /// E-mail.
    Email,
}

/// What somebody asks to be told of.
#[derive(Clone, Debug)]
pub struct NewSubscription {
    /// By what.
    pub channel: Channel,
    /// A URL, or an address of e-mail.
    pub address: String,
    /// The query of `/attestations`, such as `organisation=1&kind=any`.
    pub filter: String,
    /// Whether texts are in Traditional Chinese.
    pub zh_tw: bool,
    /// What webhooks are signed with.
    pub secret: [u8; 32],
    /// What confirms it.
    pub token: [u8; 32],
}

/// Somebody who is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// Its number.
    pub number: u64,
    /// By what.
    pub channel: Channel,
    /// Where to.
    pub address: String,
    /// Of what.
    pub filter: String,
    /// When who receives it confirmed it, in milliseconds; `None` before that.
    pub confirmed_ms: Option<u64>,
    /// The position before which all was told.
    pub next: u64,
    /// Attempts that failed since one that did not.
    pub failures: u32,
    /// What was wrong with the last one.
    pub problem: Option<String>,
    pub(crate) zh_tw: bool,
    pub(crate) secret: Vec<u8>,
    pub(crate) token: String,
    pub(crate) asked: u32,
}

/// A connection that writes subscriptions alone.
pub(crate) struct Desk {
    connection: Connection,
    path: PathBuf,
}

impl Desk {
    /// Opens the subscriptions of an index that is of the newest form.
    pub(crate) fn open(path: &Path) -> Result<Self, WarroomError> {
        let open = || -> rusqlite::Result<Connection> {
            let connection = Connection::open(path)?;
            // The follower writes for some seconds at most.
            connection.busy_timeout(Duration::from_secs(60))?;
            Ok(connection)
        };
        let connection = open().map_err(|error| failed(path, &error))?;
        let path = path.to_owned();
        Ok(Self { connection, path })
    }

    fn failed(&self, error: &rusqlite::Error) -> WarroomError {
        failed(&self.path, error)
    }

    /// Enters one that is told of leaves from `next` on, once it is confirmed.
    pub(crate) fn add(&self, new: &NewSubscription, next: u64) -> Result<u64, WarroomError> {
        let count = "SELECT count(*) FROM subscription";
        let count = self
            .connection
            .query_row(count, [], |row| row.get::<_, i64>(0));
        if count.map_err(|error| self.failed(&error))? >= SUBSCRIPTIONS_MAX {
            return Err(said(
                format!("there are {SUBSCRIPTIONS_MAX} subscriptions, the most; end some first"),
                format!("已有 {SUBSCRIPTIONS_MAX} 個訂閱，達到上限；請先終止一些"),
            )
            .into());
        }
        let sql = "INSERT INTO subscription (channel, address, filter, zh_tw, secret, token, next)
                   VALUES (?, ?, ?, ?, ?, ?, ?)";
        let values = params![
            word(new.channel),
            new.address,
            new.filter,
            new.zh_tw,
            new.secret.as_slice(),
            hex::encode(new.token),
            int(next),
        ];
        let done = self.connection.execute(sql, values);
        done.map_err(|error| self.failed(&error))?;
        Ok(uint(self.connection.last_insert_rowid()))
    }

    /// All of them.
    pub(crate) fn all(&self) -> Result<Vec<Subscription>, WarroomError> {
        self.rows(
            &format!("SELECT {COLUMNS} FROM subscription ORDER BY number"),
            &[],
        )
    }

    /// Those that something may be sent to now.
    pub(crate) fn due(&self, now_ms: u64, max: i64) -> Result<Vec<Subscription>, WarroomError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM subscription WHERE due_ms <= ? AND failures < ?
             ORDER BY due_ms, number LIMIT ?"
        );
        let values: [&dyn rusqlite::ToSql; 3] = [&int(now_ms), &FAILURES_MAX, &max];
        self.rows(&sql, &values)
    }

    fn rows(
        &self,
        sql: &str,
        values: &[&dyn rusqlite::ToSql],
    ) -> Result<Vec<Subscription>, WarroomError> {
        let read = || -> rusqlite::Result<Vec<Subscription>> {
            let mut statement = self.connection.prepare_cached(sql)?;
            let rows = statement.query_map(values, subscription)?;
            rows.collect()
        };
        read().map_err(|error| self.failed(&error))
    }

    /// Ends one; whether there was one of this number.
    pub(crate) fn end(&self, number: u64) -> Result<bool, WarroomError> {
        self.changed(
            "DELETE FROM subscription WHERE number = ?",
            params![int(number)],
        )
    }

    /// Ends the one with a token.
    pub(crate) fn end_by(&self, token: &str) -> Result<bool, WarroomError> {
        self.changed("DELETE FROM subscription WHERE token = ?", params![token])
    }

    /// Who receives it wants it; the number, if there is one with this token.
    pub(crate) fn confirm(&self, token: &str, now_ms: u64) -> Result<Option<u64>, WarroomError> {
        let sql = "UPDATE subscription SET confirmed_ms = coalesce(confirmed_ms, ?), due_ms = 0,
                   failures = 0, problem = NULL WHERE token = ? RETURNING number";
        let row = self
            .connection
            .query_row(sql, params![int(now_ms), token], |row| row.get(0));
        let number: Option<i64> = row.optional().map_err(|error| self.failed(&error))?;
        Ok(number.map(uint))
    }

    /// Its receiver was asked to confirm it; not again before `due_ms`.
    pub(crate) fn asked(&self, number: u64, due_ms: u64) -> Result<(), WarroomError> {
        let sql = "UPDATE subscription SET asked = asked + 1, due_ms = ?, failures = 0,
                   problem = NULL WHERE number = ?";
        self.changed(sql, params![int(due_ms), int(number)])
            .map(drop)
    }

    /// It was told of all before a position; of more not before `due_ms`.
    pub(crate) fn told(&self, number: u64, next: u64, due_ms: u64) -> Result<(), WarroomError> {
        let sql = "UPDATE subscription SET next = ?, due_ms = ?, failures = 0, problem = NULL
                   WHERE number = ?";
        self.changed(sql, params![int(next), int(due_ms), int(number)])
            .map(drop)
    }

    /// Something could not be sent: later again, ever later.
    pub(crate) fn missed(
        &self,
        it: &Subscription,
        now_ms: u64,
        problem: &str,
    ) -> Result<(), WarroomError> {
        let wait = 1_000_u64 << it.failures.min(20);
        let due = now_ms.saturating_add(wait.min(RETRY_MS_MAX));
        let sql = "UPDATE subscription SET failures = failures + 1, due_ms = ?, problem = ?
                   WHERE number = ?";
        let values = params![int(due), problem, int(it.number)];
        self.changed(sql, values).map(drop)
    }

    fn changed(&self, sql: &str, values: &[&dyn rusqlite::ToSql]) -> Result<bool, WarroomError> {
        let done = self.connection.execute(sql, values);
        done.map(|rows| rows > 0)
            .map_err(|error| self.failed(&error))
    }
}

fn failed(path: &Path, error: &rusqlite::Error) -> WarroomError {
    let path = path.display();
    said(
        format!("subscriptions in {path}: {error}"),
        format!("{path} 中的訂閱：{error}"),
    )
    .into()
}

fn word(channel: Channel) -> &'static str {
    match channel {
        Channel::Webhook => "webhook",
        Channel::Email => "email",
    }
}

fn int(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn uint(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

fn subscription(row: &Row<'_>) -> rusqlite::Result<Subscription> {
    let channel: String = row.get(1)?;
    Ok(Subscription {
        number: uint(row.get(0)?),
        channel: if channel == "email" {
            Channel::Email
        } else {
            Channel::Webhook
        },
        address: row.get(2)?,
        filter: row.get(3)?,
        zh_tw: row.get(4)?,
        secret: row.get(5)?,
        token: row.get(6)?,
        confirmed_ms: row.get::<_, Option<i64>>(7)?.map(uint),
        asked: row.get(8)?,
        next: uint(row.get(9)?),
        failures: row.get(10)?,
        problem: row.get(11)?,
    })
}
