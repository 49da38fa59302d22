//! Several endpoints of one chain. An answer counts if enough of them give it; who answers
//! otherwise about the same block is reported.

use std::sync::Mutex;
use std::time::Duration;

use futures::future::join_all;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tbsi_rpc::{Client, ClientError, Http};
use tokio::time::timeout;

use crate::limits::ANSWER_MS_MAX;
use crate::target::TargetError;

/// Contradictions that are kept until somebody asks.
const ALARMS_MAX: usize = 100;

/// What an endpoint said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer<T> {
    /// A result.
    Result(T),
    /// An error of the call itself: its message and data.
    Error(String, Option<Vec<u8>>),
    /// Nothing that can be used.
    Silent(String),
}

/// The endpoints.
pub(super) struct Endpoints {
    clients: Vec<Client>,
    agree: usize,
    alarms: Mutex<Vec<String>>,
}

impl Endpoints {
    pub(super) fn new(http: &Http, urls: &[String], agree: usize) -> Result<Self, ClientError> {
        let clients = urls.iter().map(|url| Client::through(http, url));
        Ok(Self {
            clients: clients.collect::<Result<_, _>>()?,
            agree,
            alarms: Mutex::default(),
        })
    }

    pub(super) fn needed(&self) -> usize {
        self.agree
    }

    pub(super) fn clients(&self) -> &[Client] {
        &self.clients
    }

    /// Asks all of them at once.
    pub(super) async fn all<T: DeserializeOwned>(
        &self,
        method: &str,
        params: &[Value],
    ) -> Vec<Answer<T>> {
        let ask = |client: &Client| {
            let client = client.clone();
            async move { one(&client, method, params).await }
        };
        join_all(self.clients.iter().map(ask)).await
    }

    /// The answer that enough of them give, a result or an error of the call. For questions to
    /// which there is one answer: about a block by its hash or number, and final ones.
    pub(super) async fn agreed<T: DeserializeOwned + PartialEq + Clone>(
        &self,
        method: &str,
        params: &[Value],
    ) -> Result<Answer<T>, TargetError> {
        let answers = self.all::<T>(method, params).await;
        let mut best: Option<(usize, &Answer<T>)> = None;
        let mut different = 0;
        let mut problem = "different answers".to_owned();
        for (position, answer) in answers.iter().enumerate() {
            if let Answer::Silent(said) = answer {
                problem.clone_from(said);
                continue;
            }
            if answers[..position].contains(answer) {
                continue;
            }
            different += 1;
            let count = answers.iter().filter(|other| *other == answer).count();
            if best.is_none_or(|(most, _)| count > most) {
                best = Some((count, answer));
            }
        }
        if different > 1 {
            self.alarm(format!(
                "endpoints give {different} different answers to {method}"
            ));
        }
        match best {
            Some((count, answer)) if count >= self.agree => Ok(answer.clone()),
            _ => Err(TargetError::Unavailable {
                agreed: best.map_or(0, |(count, _)| count),
                needed: self.agree,
                what: method.into(),
                problem,
            }),
        }
    }

    /// As [`Endpoints::agreed`], where an error is no answer.
    pub(super) async fn result<T: DeserializeOwned + PartialEq + Clone>(
        &self,
        method: &str,
        params: &[Value],
    ) -> Result<T, TargetError> {
        match self.agreed::<T>(method, params).await? {
            Answer::Result(result) => Ok(result),
            Answer::Error(problem, _) | Answer::Silent(problem) => Err(TargetError::Unavailable {
                agreed: 0,
                needed: self.agree,
                what: method.into(),
                problem,
            }),
        }
    }

    pub(super) fn alarm(&self, what: String) {
        let mut alarms = self.alarms.lock().expect("nobody panics with it");
        if alarms.len() < ALARMS_MAX && !alarms.contains(&what) {
            alarms.push(what);
        }
    }

    pub(super) fn take_alarms(&self) -> Vec<String> {
        std::mem::take(&mut *self.alarms.lock().expect("nobody panics with it"))
    }
}

async fn one<T: DeserializeOwned>(client: &Client, method: &str, params: &[Value]) -> Answer<T> {
    let limit = Duration::from_millis(ANSWER_MS_MAX);
    match timeout(limit, client.request::<T>(method, params)).await {
        Err(_) => Answer::Silent(format!("{}: no answer in {ANSWER_MS_MAX} ms", client.url())),
        Ok(Ok(result)) => Answer::Result(result),
        Ok(Err(ClientError::Refused { message, data, .. })) => {
            let data = data.as_ref().and_then(revert_data);
            // Words differ from node to node; what the contract said does not.
            let message = data.as_ref().map_or(message, |_| String::new());
            Answer::Error(message, data)
        }
        Ok(Err(error)) => Answer::Silent(error.to_string()),
    }
}

/// Where nodes put what a contract reverted with: the data itself, or a field of it.
fn revert_data(data: &Value) -> Option<Vec<u8>> {
    let text = data.as_str().or_else(|| data.get("data")?.as_str())?;
    alloy_primitives::hex::decode(text).ok()
}
