//! A panic inside a method ends that call, and nothing else. A node that runs ends with any other
//! panic: a dead task inside it would look alive and be not.

use std::any::Any;
use std::cell::Cell;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

thread_local! {
    /// Whether what runs on this thread now is a call, which alone ends if it panics.
    static IN_CALL: Cell<bool> = const { Cell::new(false) };
}

/// Whether a panic on this thread now ends a call only, so that the process may go on.
pub fn panic_ends_call_only() -> bool {
    IN_CALL.get()
}

/// Sets the mark, and sets it back when dropped.
struct Mark {
    before: bool,
}

impl Mark {
    fn set(in_call: bool) -> Self {
        Self {
            before: IN_CALL.replace(in_call),
        }
    }
}

impl Drop for Mark {
    fn drop(&mut self) {
        IN_CALL.set(self.before);
    }
}

/// Does part of a call that changes what others rely on, such as the pool of transactions: if it
/// panics half-way, going on would be doubtful, so the process ends.
pub fn vital<T>(work: impl FnOnce() -> T) -> T {
    let _mark = Mark::set(false);
    work()
}

/// Runs part of a call; the words of its panic, if it panics.
pub(crate) fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    let _mark = Mark::set(true);
    // What it worked on is dropped with it, or is behind locks that say so.
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| words(panic.as_ref()))
}

fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    format!("a method panicked: {}", text.unwrap_or("without words"))
}

/// A call whose panic is its result.
pub(crate) struct GuardedCall<F>(Pin<Box<F>>);

impl<F> GuardedCall<F> {
    pub(crate) fn new(call: F) -> Self {
        Self(Box::pin(call))
    }
}

impl<F: Future> Future for GuardedCall<F> {
    type Output = Result<F::Output, String>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match guarded(|| self.0.as_mut().poll(context)) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
            Err(words) => Poll::Ready(Err(words)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_what_may_panic_alone() {
        assert!(!panic_ends_call_only());
        let marks = guarded(|| {
            let inside = panic_ends_call_only();
            (inside, vital(panic_ends_call_only), panic_ends_call_only())
        });
        assert_eq!(marks, Ok((true, false, true)));
        assert!(!panic_ends_call_only());
        let panicked = guarded(|| -> () { panic!("{} of them", 7) });
        assert_eq!(panicked, Err("a method panicked: 7 of them".into()));
        assert!(!panic_ends_call_only());
    }

    #[tokio::test]
    async fn a_call_that_panics_after_a_while_says_so() {
        let call = GuardedCall::new(async {
            tokio::task::yield_now().await;
            assert!(panic_ends_call_only());
            if panic_ends_call_only() {
                panic!("planted");
            }
        });
        assert_eq!(call.await, Err("a method panicked: planted".into()));
        assert_eq!(GuardedCall::new(async { 7 }).await, Ok(7));
        assert!(!panic_ends_call_only());
    }
}
