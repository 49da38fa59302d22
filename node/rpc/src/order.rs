//! Submissions of one connection are admitted in the order in which they came. Clients such as
//! web3.js send transactions with rising nonces and wait for no answer; calls run side by side,
//! and would overtake each other.

use std::sync::{Arc, Mutex, PoisonError};

use http::Extensions;
use tokio::sync::oneshot;
use tokio::sync::oneshot::error::TryRecvError;

/// Methods that hand a transaction to the node.
const SUBMISSIONS: &[&str] = &[
    "eth_sendRawTransaction",
    "eth_sendRawTransactionSync",
    "tbsi_sendAttestation",
];

/// Whether a call of this method has a place in the order.
pub(crate) fn submits(method: &str) -> bool {
    SUBMISSIONS.contains(&method)
}

/// When this ends, so has a place; or what that place still waited for when it was given up.
#[derive(Debug)]
struct Link(oneshot::Receiver<Link>);

/// Who came last on a connection.
#[derive(Debug, Default)]
pub(crate) struct Order(Option<Link>);

impl Order {
    /// The place after all that were given before.
    pub(crate) fn place(&mut self) -> OrderPlace {
        let before = self.last();
        let (over, after) = oneshot::channel();
        self.0 = Some(Link(after));
        OrderPlace {
            before,
            over: Some(over),
        }
    }

    /// The last place that is not over. Those that were given up are forgotten here, so that no
    /// chain of them grows.
    fn last(&mut self) -> Option<Link> {
        let mut last = self.0.take();
        while let Some(Link(place)) = &mut last {
            last = match place.try_recv() {
                Ok(earlier) => Some(earlier),
                Err(TryRecvError::Closed) => None,
                Err(TryRecvError::Empty) => break,
            };
        }
        last
    }
}

/// A place in the order of a connection. The next one's time comes when it is dropped, and all
/// before it are over.
#[derive(Debug)]
pub(crate) struct OrderPlace {
    before: Option<Link>,
    over: Option<oneshot::Sender<Link>>,
}

impl OrderPlace {
    /// Waits until all before it are over.
    pub(crate) async fn wait(&mut self) {
        while let Some(Link(before)) = &mut self.before {
            self.before = before.await.ok();
        }
    }
}

impl Drop for OrderPlace {
    fn drop(&mut self) {
        if let Some((before, over)) = self.before.take().zip(self.over.take()) {
            // If nobody comes after it, nobody waits for those before it.
            let _unheard = over.send(before);
        }
    }
}

/// A submission's place, among the extensions of its call: a method that goes on after the
/// transaction was admitted gives it up before.
#[derive(Clone, Debug)]
pub(crate) struct Admission(Arc<Mutex<Option<OrderPlace>>>);

impl Admission {
    pub(crate) fn new(place: OrderPlace) -> Self {
        Self(Arc::new(Mutex::new(Some(place))))
    }

    /// Those after it need not wait any more.
    pub(crate) fn over(&self) {
        drop(self.0.lock().unwrap_or_else(PoisonError::into_inner).take());
    }

    /// The same for the call with these extensions, if it has a place.
    pub(crate) fn is_over(extensions: &Extensions) {
        if let Some(admission) = extensions.get::<Self>() {
            admission.over();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt as _;

    fn waits(place: &mut OrderPlace) -> bool {
        place.wait().now_or_never().is_none()
    }

    #[test]
    fn each_waits_for_all_before_it() {
        let mut order = Order::default();
        let [mut first, mut second, mut third] = [(); 3].map(|()| order.place());
        assert!(!waits(&mut first));
        assert!(waits(&mut second) && waits(&mut third));
        // One that is given up does not let the next pass before those before it.
        drop(second);
        assert!(waits(&mut third));
        let admission = Admission::new(third);
        let mut fourth = order.place();
        admission.over();
        assert!(waits(&mut fourth));
        drop(first);
        assert!(!waits(&mut fourth));
        let mut fifth = order.place();
        assert!(waits(&mut fifth));
        drop(fourth);
        assert!(!waits(&mut fifth) && !waits(&mut fifth));
    }

    #[test]
    fn places_that_are_given_up_leave_nothing_behind() {
        let mut order = Order::default();
        let first = order.place();
        for _ in 0..100_000 {
            drop(order.place());
        }
        assert!(waits(&mut order.place()));
        drop(first);
        assert!(!waits(&mut order.place()));
        assert!(!waits(&mut Order::default().place()));
    }
}
