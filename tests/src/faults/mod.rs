//! What goes wrong with processes, links, disks, clocks and people, on real nodes.
//!
//! [`rows`] is the whole fault matrix, F1 to F46: what is shown here is run by [`run`] and
//! judged from the clients' side (nothing acknowledged is lost, all have the same blocks, nobody
//! signed twice); the other rows say where they are shown, or why not. `make faults` prints the
//! table; docs/faults.md explains its rows.

pub mod clocks;
pub mod deaths;
pub mod demands;
pub mod disks;
pub mod floods;
pub mod link;
pub mod links;
pub mod load;
pub mod operators;
pub mod pauses;
pub mod random;
pub mod requests;
pub mod rows;
pub mod stage;
mod strangers;

use std::fmt::Write as _;
use std::pin::Pin;
use std::time::Instant;

use serde::Serialize;

use rows::{Row, Shown};

/// How much of each fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amount {
    /// Kills of one node (F1); other rows take their number from it.
    pub kills: u64,
    /// Of mixed faults (F45).
    pub soak_s: u64,
    /// Of random choices.
    pub seed: u64,
}

impl Amount {
    /// What `make test` runs.
    pub const SHORT: Self = Self {
        kills: 3,
        soak_s: 10,
        seed: 1,
    };

    /// A part of the kills, at least one.
    pub fn part(&self, divisor: u64) -> u64 {
        (self.kills / divisor).max(1)
    }
}

/// What came of a row that was run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// The promises held; with figures.
    Kept(String),
    /// The machine lacks something.
    Skipped(String),
}

/// A fault, injected.
pub type Fault = fn(Amount) -> Pin<Box<dyn Future<Output = anyhow::Result<Found>> + Send>>;

/// A line of the table, and of the ledger.
#[derive(Clone, Debug, Serialize)]
pub struct Line {
    /// As the matrix numbers it.
    pub id: &'static str,
    /// What goes wrong.
    pub what: &'static str,
    /// `kept`, `FAILED`, `skipped`, `simulation`, `test`, `not shown` or `not run`.
    pub status: &'static str,
    /// Figures, a test's name, or a reason.
    pub figures: String,
    /// How long it took, seconds.
    pub seconds: u64,
}

/// Runs one row in a task of its own, so that a panic is a failure of that row alone.
pub async fn run(row: &Row, amount: Amount) -> Line {
    let since = Instant::now();
    let (status, figures) = match row.shown {
        Shown::Here(fault) => match tokio::spawn(fault(amount)).await {
            Ok(Ok(Found::Kept(figures))) => ("kept", figures),
            Ok(Ok(Found::Skipped(why))) => ("skipped", why),
            Ok(Err(error)) => ("FAILED", format!("{error:#}")),
            Err(panic) => ("FAILED", panic.to_string()),
        },
        Shown::Simulation(place) => ("simulation", place.into()),
        Shown::Test(place) => ("test", place.into()),
        Shown::Not(why) => ("not shown", why.into()),
    };
    Line {
        id: row.id,
        what: row.what,
        status,
        figures,
        seconds: since.elapsed().as_secs(),
    }
}

/// A row that nobody asked for.
pub fn not_run(row: &Row) -> Line {
    Line {
        id: row.id,
        what: row.what,
        status: "not run",
        figures: String::new(),
        seconds: 0,
    }
}

/// The table as text.
pub fn table(lines: &[Line]) -> String {
    let widths = lines.iter().fold((4, 10), |(what, status), line| {
        (what.max(line.what.len()), status.max(line.status.len()))
    });
    let mut text = String::new();
    for line in lines {
        let figures = line.figures.replace('\n', " ");
        let (id, what, status) = (line.id, line.what, line.status);
        writeln!(
            text,
            "{id:<4} {what:<what_width$}  {status:<status_width$}  {figures}",
            what_width = widths.0,
            status_width = widths.1
        )
        .expect("a string takes any text");
    }
    text
}

/// A command of this machine, by name.
pub(crate) fn has(command: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|dir| dir.join(command).is_file())
}

/// What a row says that needs a command which this machine lacks.
pub(crate) fn lacks(command: &str) -> Found {
    Found::Skipped(format!(
        "{command} is missing (Debian: apt-get install {command})"
    ))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::rows::{ROWS, Shown};

    #[test]
    fn the_matrix_is_complete_and_no_row_is_empty() {
        let ids: Vec<String> = ROWS.iter().map(|row| row.id.to_owned()).collect();
        let expected: Vec<String> = (1..=46).map(|number| format!("F{number}")).collect();
        assert_eq!(ids, expected);
        let whats: BTreeSet<&str> = ROWS.iter().map(|row| row.what).collect();
        assert_eq!(whats.len(), ROWS.len());
        for row in ROWS {
            match row.shown {
                Shown::Here(_) => {}
                Shown::Simulation(place) | Shown::Test(place) | Shown::Not(place) => {
                    assert!(!place.is_empty(), "{}", row.id);
                }
            }
        }
    }
}
