//! The calls of one client, over HTTP or on a WebSocket: what is waiting already, whose turn it
//! is, whether the method exists here, and the answer in go-ethereum's words.

mod answers;

use std::net::IpAddr;
use std::sync::Arc;

use alloy_primitives::B256;
use http::Extensions;
use jsonrpsee::core::server::{
    BoundedSubscriptions, MethodCallback, MethodResponse, MethodSink, SubscriptionState,
};
use jsonrpsee::server::{ConnectionId, Methods};
use jsonrpsee::types::error::{OVERSIZED_RESPONSE_CODE, reject_too_many_subscriptions};
use jsonrpsee::types::{Id, Params};
use serde_json::value::RawValue;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use crate::allowed::Allowed;
use crate::caller::{Caller, PerAddress};
use crate::envelope::{Call, CallId, Item, Message, PLACEHOLDER, answered, failed, succeeded};
use crate::error::{
    Failure, answers_unread, batch_too_large, empty_batch, internal, invalid_request,
    limit_exceeded, method_not_found, notifications_not_supported, parse_error, response_too_large,
    too_often,
};
use crate::guarded::GuardedCall;
use crate::limits::{
    ANSWERS_KIB_MAX, ANSWERS_KIB_PER_ADDRESS_MAX, RpcLimits, UNREAD_MESSAGES_MAX, WAITING_KIB_MAX,
    WHOLE_BYTES_MAX,
};
use crate::methods::{self, Method, Row, Table};
use crate::order::{Admission, Order, OrderPlace, submits};
use crate::rates::{Rates, TooOften};
use crate::subscribe::HexIds;
use answers::BatchAnswers;
pub(crate) use answers::{Answer, AnswerRoom};

/// State that all connections of a listener share.
pub(crate) struct Shared {
    methods: Table,
    subscriptions: Methods,
    allowed: Allowed,
    pub(crate) limits: RpcLimits,
    rates: Rates,
    turns: PerAddress,
    waiting_kib: Arc<Semaphore>,
    answers_kib: Arc<Semaphore>,
    answers_of: PerAddress,
    subscription_ids: HexIds,
}

impl Shared {
    pub(crate) fn new(
        (methods, subscriptions): (Table, Methods),
        allowed: Allowed,
        limits: RpcLimits,
        rates: Rates,
    ) -> Self {
        Self {
            methods,
            subscriptions,
            allowed,
            limits,
            rates,
            // One address runs at most half of the calls: others' never wait for its.
            turns: PerAddress::new((limits.calls_max / 2).max(1)),
            waiting_kib: Arc::new(Semaphore::new(WAITING_KIB_MAX as usize)),
            answers_kib: Arc::new(Semaphore::new(ANSWERS_KIB_MAX as usize)),
            answers_of: PerAddress::new(ANSWERS_KIB_PER_ADDRESS_MAX as usize),
            subscription_ids: HexIds::default(),
        }
    }

    /// Bytes of an answer of which nobody could ask for less.
    fn whole_bytes_max(&self) -> u32 {
        WHOLE_BYTES_MAX.max(self.limits.response_bytes_max)
    }

    /// Whether anybody has an API key.
    pub(crate) fn has_keys(&self) -> bool {
        self.rates.has_keys()
    }

    /// Whether a client may send this API key.
    pub(crate) fn knows(&self, key: &B256) -> bool {
        self.rates.knows(key)
    }

    /// Takes a place for `requests` with `bytes` of parameters, or refuses at once: whoever
    /// waits here would hold memory that nothing else bounds.
    fn admit(&self, requests: usize, bytes: usize) -> Result<OwnedSemaphorePermit, Failure> {
        let kib = u32::try_from(requests + bytes / 1024).unwrap_or(u32::MAX);
        let permit = Arc::clone(&self.waiting_kib).try_acquire_many_owned(kib);
        permit.map_err(|_| {
            limit_exceeded(
                format!(
                    "too many requests in flight: {WAITING_KIB_MAX} KiB of requests are \
                     waiting or running; retry later"
                ),
                serde_json::json!({ "limitKib": WAITING_KIB_MAX }),
            )
        })
    }
}

/// Who calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Credentials {
    pub(crate) address: IpAddr,
    /// SHA-256 of an API key that is known here.
    pub(crate) key: Option<B256>,
}

/// One client's calls.
#[derive(Clone)]
pub(crate) struct Session {
    pub(crate) shared: Arc<Shared>,
    pub(crate) connection: ConnectionId,
    pub(crate) credentials: Credentials,
    /// Places of its subscriptions; there are none over HTTP.
    pub(crate) subscriptions: Option<BoundedSubscriptions>,
}

impl Session {
    /// Reads a message. One that hands over a transaction has its place in the order of `order`.
    pub(crate) fn read(&self, bytes: &[u8], order: &mut Order) -> (Message, Option<OrderPlace>) {
        let items_max = usize::try_from(self.shared.limits.batch_items_max).unwrap_or(usize::MAX);
        let message = Message::parse(bytes, items_max);
        let place = calls(&message).any(|call| submits(&call.method));
        (message, place.then(|| order.place()))
    }

    /// Counts the calls of a message. This machine's own are not counted, unless by a key.
    pub(crate) fn count(&self, message: &Message) -> Result<(), TooOften> {
        let Credentials { address, key } = self.credentials;
        let count = u32::try_from(calls(message).count()).unwrap_or(u32::MAX);
        if count == 0 || (key.is_none() && address.is_loopback()) {
            return Ok(());
        }
        self.shared.rates.admit(address, key, count)
    }

    /// The same error for each call of a message; `None` if nobody wants an answer.
    pub(crate) fn refuse(&self, message: &Message, too_often_now: &TooOften) -> Option<Answer> {
        let failure = too_often(too_often_now);
        let ids = calls(message).filter_map(|call| call.id.as_ref());
        let errors: Vec<_> = ids.map(|id| failed(id, &failure)).collect();
        match (message, errors.as_slice()) {
            (_, []) => None,
            (Message::Batch(_), errors) => Some(Answer::of(format!("[{}]", errors.join(",")))),
            (_, [error, ..]) => Some(Answer::of(error.clone())),
        }
    }

    /// Does what a message asks for; `None` if nobody wants an answer.
    pub(crate) async fn answer(
        &self,
        message: Message,
        place: Option<OrderPlace>,
    ) -> Option<Answer> {
        let id = first_id(&message);
        let answer = match message {
            Message::Unreadable => Some(Answer::of(failed(&CallId::null(), &parse_error()))),
            Message::TooManyItems(id) => {
                let failure = batch_too_large(self.shared.limits.batch_items_max);
                Some(Answer::of(format!("[{}]", failed(&id, &failure))))
            }
            Message::One(item) => self.one(item, place).await,
            Message::Batch(items) if items.is_empty() => {
                Some(Answer::of(failed(&CallId::null(), &empty_batch())))
            }
            Message::Batch(items) => self.batch(items, place).await,
        };
        answer.map(|answer| self.with_room(&id, answer))
    }

    async fn one(&self, item: Item, mut place: Option<OrderPlace>) -> Option<Answer> {
        let call = match item {
            Ok(call) => call,
            Err(wrong) => {
                return Some(Answer::of(failed(
                    &wrong.id,
                    &invalid_request(wrong.problem),
                )));
            }
        };
        let is_wanted = call.id.is_some();
        let answer = match self.shared.admit(1, parameter_bytes(&call)) {
            Ok(_permit) => {
                if let Some(place) = &mut place {
                    place.wait().await;
                }
                let _turn = self.turn(&call.method).await;
                self.call(call, place.map(Admission::new)).await
            }
            Err(failure) => Answer::of(failed(&call.id.unwrap_or_else(CallId::null), &failure)),
        };
        is_wanted.then_some(answer)
    }

    /// One call after the other, in their order.
    async fn batch(&self, items: Vec<Item>, mut place: Option<OrderPlace>) -> Option<Answer> {
        let bytes = items.iter().flatten().map(parameter_bytes).sum();
        let _permit = match self.shared.admit(items.len(), bytes) {
            Ok(permit) => permit,
            Err(failure) => return Some(Answer::of(failed(&CallId::null(), &failure))),
        };
        if let Some(place) = &mut place {
            place.wait().await;
        }
        let _turn = self.shared.turns.turn(self.credentials.address).await;
        let submission = |item: &Item| item.as_ref().is_ok_and(|call| submits(&call.method));
        let last_submission = items.iter().rposition(submission);
        let mut answers = BatchAnswers::new(self.shared.limits.response_bytes_max);
        for (index, item) in items.into_iter().enumerate() {
            let admission = (Some(index) == last_submission)
                .then(|| place.take())
                .flatten();
            match item {
                Ok(call) if answers.is_full => answers.refuse(call.id),
                Ok(call) => {
                    let id = call.id.clone();
                    let answer = self.call(call, admission.map(Admission::new)).await;
                    answers.add(id, answer);
                }
                Err(wrong) => {
                    let failure = invalid_request(wrong.problem);
                    answers.add(
                        Some(wrong.id.clone()),
                        Answer::of(failed(&wrong.id, &failure)),
                    );
                }
            }
        }
        answers.finish()
    }

    /// Waiting for finality takes no place among the calls that run, so it needs no turn.
    async fn turn(&self, method: &str) -> Option<OwnedSemaphorePermit> {
        if methods::find(method).is_some_and(Method::waits) {
            return None;
        }
        self.shared.turns.turn(self.credentials.address).await
    }

    async fn call(&self, call: Call, admission: Option<Admission>) -> Answer {
        let id = call.id.unwrap_or_else(CallId::null);
        let mut extensions = Extensions::new();
        extensions.insert(Caller(self.credentials.address));
        if let Some(admission) = admission {
            extensions.insert(admission);
        }
        let params = Params::new(call.params.as_deref().map(RawValue::get)).into_owned();
        match self.shared.methods.find(&call.method) {
            Some(row) if self.shared.allowed.serves(&call.method) => {
                self.answer_by(row, &id, params, extensions).await
            }
            Some(_) | None => self.subscribe(&id, &call.method, params, extensions).await,
        }
    }

    /// The answer of a method.
    async fn answer_by(
        &self,
        row: &Row,
        id: &CallId,
        params: Params<'static>,
        extensions: Extensions,
    ) -> Answer {
        let limit = self.shared.whole_bytes_max();
        let answered = GuardedCall::new(row.answer(params, extensions)).await;
        Answer::of(match answered {
            // Methods have the limit of an answer that can be made smaller themselves.
            Ok(Ok(json)) if json.get().len() as u64 > u64::from(limit) => {
                failed(id, &response_too_large(limit))
            }
            Ok(Ok(json)) => succeeded(id, json.get()),
            Ok(Err(failure)) => failed(id, &failure),
            Err(panic) => failed(id, &internal(&panic)),
        })
    }

    /// The answer of what begins or ends a subscription, or that there is no such method.
    async fn subscribe(
        &self,
        id: &CallId,
        method: &str,
        params: Params<'static>,
        extensions: Extensions,
    ) -> Answer {
        let run = self.run(method, params, extensions);
        let (response, feed) = match GuardedCall::new(run).await {
            Ok(ran) => ran,
            Err(panic) => return Answer::of(failed(id, &internal(&panic))),
        };
        if response.as_error_code() == Some(OVERSIZED_RESPONSE_CODE) {
            let failure = response_too_large(self.shared.whole_bytes_max());
            return Answer::of(failed(id, &failure));
        }
        let text = answered(id, response.as_ref());
        Answer {
            text: text.unwrap_or_else(|| failed(id, &internal(&"an answer of another form"))),
            feeds: feed.into_iter().collect(),
            room: None,
        }
    }

    /// The method's own answer, and the notifications of the subscription that it began.
    async fn run(
        &self,
        method: &str,
        params: Params<'static>,
        extensions: Extensions,
    ) -> (MethodResponse, Option<mpsc::Receiver<Box<RawValue>>>) {
        let id = Id::Number(PLACEHOLDER);
        let found = self.shared.subscriptions.method(method);
        let Some(callback) = found.filter(|_| self.shared.allowed.serves(method)) else {
            return (MethodResponse::error(id, method_not_found(method)), None);
        };
        let limit = usize::try_from(self.shared.whole_bytes_max()).unwrap_or(usize::MAX);
        match callback {
            MethodCallback::Sync(callback) => (callback(id, params, limit, extensions), None),
            MethodCallback::Async(callback) => {
                let ran = callback(id, params, self.connection, limit, extensions);
                (ran.await, None)
            }
            MethodCallback::Subscription(callback) => {
                let Some(places) = &self.subscriptions else {
                    return (
                        MethodResponse::error(id, notifications_not_supported()),
                        None,
                    );
                };
                let Some(subscription_permit) = places.acquire() else {
                    let failure = reject_too_many_subscriptions(places.max());
                    return (MethodResponse::error(id, failure), None);
                };
                let state = SubscriptionState {
                    conn_id: self.connection,
                    id_provider: &self.shared.subscription_ids,
                    subscription_permit,
                };
                let (sink, mut feed) = mpsc::channel(UNREAD_MESSAGES_MAX as usize);
                let begun = callback(id, params, MethodSink::new(sink), state, extensions);
                let response = begun.await;
                // The first message is the answer once more.
                let began = response.is_success() && feed.recv().await.is_some();
                (response, began.then_some(feed))
            }
            MethodCallback::Unsubscription(_) if self.subscriptions.is_none() => (
                MethodResponse::error(id, notifications_not_supported()),
                None,
            ),
            MethodCallback::Unsubscription(callback) => {
                let response = callback(id, params, self.connection, limit, extensions);
                (response, None)
            }
        }
    }

    /// Answers that nobody reads hold memory. One for which there is no room becomes an error.
    fn with_room(&self, id: &CallId, answer: Answer) -> Answer {
        let kib = u32::try_from(answer.text.len() / 1024).unwrap_or(u32::MAX);
        if kib == 0 {
            return answer;
        }
        // One that is larger than all room has it alone: nobody could ask for less.
        let (own, all) = (
            kib.min(ANSWERS_KIB_PER_ADDRESS_MAX),
            kib.min(ANSWERS_KIB_MAX),
        );
        let address = self.credentials.address;
        let of_address = match self.shared.answers_of.of(address) {
            None => None,
            Some(room) => match room.try_acquire_many_owned(own) {
                Ok(permit) => Some(permit),
                Err(_) => return unread(id, ANSWERS_KIB_PER_ADDRESS_MAX),
            },
        };
        match Arc::clone(&self.shared.answers_kib).try_acquire_many_owned(all) {
            Ok(of_all) => Answer {
                room: Some(AnswerRoom {
                    _of_all: of_all,
                    _of_address: of_address,
                }),
                ..answer
            },
            Err(_) => unread(id, ANSWERS_KIB_MAX),
        }
    }
}

fn unread(id: &CallId, limit_kib: u32) -> Answer {
    Answer::of(failed(id, &answers_unread(limit_kib)))
}

/// The id of a message's first call.
fn first_id(message: &Message) -> CallId {
    let id = calls(message).find_map(|call| call.id.clone());
    id.unwrap_or_else(CallId::null)
}

/// The calls of a message.
fn calls(message: &Message) -> impl Iterator<Item = &Call> {
    let items = match message {
        Message::One(item) => std::slice::from_ref(item),
        Message::Batch(items) => items,
        Message::TooManyItems(_) | Message::Unreadable => &[],
    };
    items.iter().flatten()
}

fn parameter_bytes(call: &Call) -> usize {
    call.params.as_ref().map_or(0, |params| params.get().len())
}

#[cfg(test)]
mod tests;
