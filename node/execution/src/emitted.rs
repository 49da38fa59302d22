//! Numbers of the logs of a simulated block, as go-ethereum gives them: in the order in which
//! they are emitted, those among them that are undone later.

/// How many logs there were, and which of them are not undone.
#[derive(Debug, Default)]
pub(crate) struct Emitted {
    count: u64,
    kept: Vec<u64>,
}

impl Emitted {
    /// A log after `before` others of its transaction: what the journal has undone by now is
    /// beyond them.
    pub(crate) fn log(&mut self, before: usize) {
        self.kept.truncate(before);
        self.kept.push(self.count);
        self.count += 1;
    }

    /// A log that is undone already.
    pub(crate) fn undone(&mut self) {
        self.count += 1;
    }

    /// The numbers of a transaction's logs, `logs` of which are left of it.
    pub(crate) fn take(&mut self, logs: usize) -> Vec<u64> {
        self.kept.truncate(logs);
        std::mem::take(&mut self.kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_undone_keeps_its_number() {
        let mut emitted = Emitted::default();
        emitted.log(0);
        emitted.log(1);
        emitted.undone();
        // The second one was undone.
        emitted.log(1);
        assert_eq!(emitted.take(2), [0, 3]);
        // All of the next transaction are.
        emitted.log(0);
        assert_eq!(emitted.take(0), [0; 0]);
        emitted.log(0);
        assert_eq!(emitted.take(1), [5]);
    }
}
