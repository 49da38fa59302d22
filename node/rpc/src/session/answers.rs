//! What goes back: an answer with its room, and the answers of a batch.

use serde_json::value::RawValue;
use tokio::sync::{OwnedSemaphorePermit, mpsc};

use crate::envelope::{CallId, failed};
use crate::error::response_too_large;

/// Room for an answer that its client has not read yet.
#[derive(Debug)]
pub(crate) struct AnswerRoom {
    pub(super) _of_all: OwnedSemaphorePermit,
    pub(super) _of_address: Option<OwnedSemaphorePermit>,
}

/// What goes back for one message.
pub(crate) struct Answer {
    pub(crate) text: String,
    /// Notifications of the subscriptions that it began, each with a bounded queue.
    pub(crate) feeds: Vec<mpsc::Receiver<Box<RawValue>>>,
    /// Held until the client has it.
    pub(crate) room: Option<AnswerRoom>,
}

impl Answer {
    pub(super) fn of(text: String) -> Self {
        Self {
            text,
            feeds: Vec::new(),
            room: None,
        }
    }
}

/// The answers of a batch, up to a limit; what comes after it is not done.
pub(super) struct BatchAnswers {
    text: String,
    feeds: Vec<mpsc::Receiver<Box<RawValue>>>,
    limit: u32,
    pub(super) is_full: bool,
}

impl BatchAnswers {
    pub(super) fn new(limit: u32) -> Self {
        Self {
            text: String::new(),
            feeds: Vec::new(),
            limit,
            is_full: false,
        }
    }

    fn push(&mut self, text: &str) {
        self.text.push(if self.text.is_empty() { '[' } else { ',' });
        self.text.push_str(text);
    }

    pub(super) fn add(&mut self, id: Option<CallId>, answer: Answer) {
        self.feeds.extend(answer.feeds);
        let Some(id) = id else {
            return; // a notification
        };
        let bytes = self.text.len() + answer.text.len();
        let is_first = self.text.is_empty();
        self.is_full |= !is_first && u32::try_from(bytes).map_or(true, |it| it > self.limit);
        if self.is_full {
            return self.refuse(Some(id));
        }
        self.push(&answer.text);
    }

    pub(super) fn refuse(&mut self, id: Option<CallId>) {
        if let Some(id) = id {
            self.push(&failed(&id, &response_too_large(self.limit)));
        }
    }

    /// `None` if all were notifications.
    pub(super) fn finish(mut self) -> Option<Answer> {
        if self.text.is_empty() {
            return None;
        }
        self.text.push(']');
        Some(Answer {
            text: self.text,
            feeds: self.feeds,
            room: None,
        })
    }
}
