//! What happened, as lines that people read and one hash over all of them.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use crate::clock::Moment;

/// The trace of a run.
#[derive(Debug)]
pub struct Trace {
    hash: Sha256,
    lines: u64,
    prints: bool,
    line: String,
}

impl Trace {
    /// An empty trace; `prints` says whether its lines go to stdout as they come.
    pub fn new(prints: bool) -> Self {
        Self {
            hash: Sha256::new(),
            lines: 0,
            prints,
            line: String::new(),
        }
    }

    /// Adds a line.
    pub fn add(&mut self, now: Moment, what: std::fmt::Arguments<'_>) {
        self.line.clear();
        let (ms, us) = (now.0 / 1_000, now.0 % 1_000);
        let written = write!(self.line, "{ms:>7}.{us:03} {what}");
        written.expect("a string takes everything");
        self.hash.update(self.line.as_bytes());
        self.hash.update(b"\n");
        self.lines += 1;
        if self.prints {
            println!("{}", self.line);
        }
    }

    /// Lines so far.
    pub fn lines(&self) -> u64 {
        self.lines
    }

    /// SHA-256 over all lines.
    pub fn hash(&self) -> [u8; 32] {
        self.hash.clone().finalize().into()
    }
}
