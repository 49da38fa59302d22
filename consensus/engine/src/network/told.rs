//! What this validator said last at the running height, for peers that connect. No socket, no
//! clock.

use std::collections::VecDeque;

use bytes::Bytes;
use tbsi_types::Height;
use tokio::time::Instant;

use crate::limits::{TELL_AGAIN_AFTER, TOLD_AGAIN_MAX};

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Told {
    height: Height,
    /// Oldest first.
    said: VecDeque<(usize, Bytes)>,
    due: Option<Instant>,
}

impl Told {
    /// Forgets what was said at another height.
    pub(super) fn move_to(&mut self, height: Height) {
        if self.height != height {
            self.height = height;
            self.said.clear();
        }
    }

    pub(super) fn said(&mut self, topic: usize, data: &Bytes) {
        if self.said.len() == TOLD_AGAIN_MAX {
            self.said.pop_front();
        }
        self.said.push_back((topic, data.clone()));
    }

    pub(super) fn peer_connected(&mut self, now: Instant) {
        self.due.get_or_insert(now + TELL_AGAIN_AFTER);
    }

    /// When to tell it again.
    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// What to tell, oldest first.
    pub(super) fn again(&mut self) -> Vec<(usize, Bytes)> {
        self.due = None;
        self.said.iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_the_latest_of_the_running_height_once_for_all_that_connect() {
        let mut told = Told::default();
        let now = Instant::now();
        told.move_to(Height(5));
        let said = |number: usize| Bytes::from(vec![u8::try_from(number).unwrap()]);
        for number in 0..TOLD_AGAIN_MAX + 2 {
            told.said(0, &said(number));
        }
        assert_eq!(told.due(), None);
        told.peer_connected(now);
        told.peer_connected(now + TELL_AGAIN_AFTER / 2);
        assert_eq!(told.due(), Some(now + TELL_AGAIN_AFTER));
        let again = told.again();
        assert_eq!(again.len(), TOLD_AGAIN_MAX);
        assert_eq!(again.last(), Some(&(0, said(TOLD_AGAIN_MAX + 1))));
        assert_eq!(told.due(), None);
        told.peer_connected(now);
        told.move_to(Height(6));
        assert_eq!(told.again(), []);
    }
}
