//! The envelope of JSON-RPC 2.0: what a client sent, as far as it has to be understood before a
//! method is called, and the texts that go back. Ids are never interpreted: what came is echoed.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::error::Failure;

/// An id as it came: the text of a number, of a string, or `null`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CallId(Box<str>);

impl CallId {
    /// For answers to what has none.
    pub(crate) fn null() -> Self {
        Self("null".into())
    }

    fn parse(raw: &RawValue) -> Option<Self> {
        let text = raw.get();
        let allowed = text.starts_with(|first: char| matches!(first, '0'..='9' | '-' | '"'));
        (allowed || text == "null").then(|| Self(text.into()))
    }

    #[cfg(test)]
    fn as_str(&self) -> &str {
        &self.0
    }
}

/// A call of a method.
#[derive(Debug)]
pub(crate) struct Call {
    /// `None` in a notification: nobody wants the answer.
    pub(crate) id: Option<CallId>,
    pub(crate) method: String,
    pub(crate) params: Option<Box<RawValue>>,
}

/// What is no call, and why.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Invalid {
    pub(crate) id: CallId,
    pub(crate) problem: &'static str,
}

/// A request, or one of a batch.
pub(crate) type Item = Result<Call, Invalid>;

/// What a client sent.
#[derive(Debug)]
pub(crate) enum Message {
    One(Item),
    Batch(Vec<Item>),
    /// A batch of more requests than are allowed, with the id of its first.
    TooManyItems(CallId),
    /// No JSON, or neither an object nor an array.
    Unreadable,
}

impl Message {
    /// Reads what came, of which nothing is kept but what is returned.
    pub(crate) fn parse(bytes: &[u8], items_max: usize) -> Self {
        let Ok(text) = std::str::from_utf8(bytes) else {
            return Self::Unreadable;
        };
        match text.trim_ascii_start().bytes().next() {
            Some(b'{') => match serde_json::from_str::<&RawValue>(text) {
                Ok(raw) => Self::One(item(raw)),
                Err(_) => Self::Unreadable,
            },
            Some(b'[') => Self::parse_batch(text, items_max),
            Some(_) | None => Self::Unreadable,
        }
    }

    fn parse_batch(text: &str, items_max: usize) -> Self {
        let mut json = serde_json::Deserializer::from_str(text);
        let items = AtMost(items_max).deserialize(&mut json);
        match items.and_then(|items| json.end().map(|()| items)) {
            Ok((items, false)) => Self::Batch(items),
            Ok((items, true)) => {
                let first = items.into_iter().flatten().find_map(|call| call.id);
                Self::TooManyItems(first.unwrap_or_else(CallId::null))
            }
            Err(_) => Self::Unreadable,
        }
    }
}

fn item(raw: &RawValue) -> Item {
    /// A request's members, none judged yet.
    #[derive(Deserialize)]
    struct Members<'a> {
        #[serde(borrow, default)]
        jsonrpc: Option<&'a RawValue>,
        // An id that is null is one, and one that is absent is none.
        #[serde(borrow, default, deserialize_with = "present")]
        id: Option<&'a RawValue>,
        #[serde(borrow, default)]
        method: Option<&'a RawValue>,
        #[serde(borrow, default)]
        params: Option<&'a RawValue>,
    }
    fn present<'de, D: Deserializer<'de>>(json: D) -> Result<Option<&'de RawValue>, D::Error> {
        <&RawValue>::deserialize(json).map(Some)
    }
    let invalid = |id: Option<CallId>, problem| Invalid {
        id: id.unwrap_or_else(CallId::null),
        problem,
    };
    let Ok(members) = serde_json::from_str::<Members<'_>>(raw.get()) else {
        return Err(invalid(
            None,
            "a request is an object with each member once",
        ));
    };
    let id = members.id.and_then(CallId::parse);
    if members.id.is_some() && id.is_none() {
        return Err(invalid(None, "`id` must be a number, a string or null"));
    }
    if members.jsonrpc.is_none_or(|it| it.get() != "\"2.0\"") {
        return Err(invalid(id, "`jsonrpc` must be \"2.0\""));
    }
    let method = members.method.map(RawValue::get);
    let method = method.and_then(|text| serde_json::from_str::<Cow<'_, str>>(text).ok());
    match method {
        Some(method) if !method.is_empty() => Ok(Call {
            id,
            method: method.into_owned(),
            params: members.params.map(ToOwned::to_owned),
        }),
        Some(_) | None => Err(invalid(id, "`method` must be the name of a method")),
    }
}

/// Reads a batch of at most so many requests; whether there are more. Those are not kept.
struct AtMost(usize);

impl<'de> DeserializeSeed<'de> for AtMost {
    type Value = (Vec<Item>, bool);

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for AtMost {
    type Value = (Vec<Item>, bool);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of requests")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while items.len() < self.0 {
            match sequence.next_element::<&RawValue>()? {
                Some(raw) => items.push(item(raw)),
                None => return Ok((items, false)),
            }
        }
        let mut more = false;
        while sequence.next_element::<IgnoredAny>()?.is_some() {
            more = true;
        }
        Ok((items, more))
    }
}

/// The id that methods are called with; [`answered`] puts the client's in its place.
pub(crate) const PLACEHOLDER: u64 = 0;

/// How jsonrpsee's answer to a call with [`PLACEHOLDER`] begins.
const BEGINNING: &str = r#"{"jsonrpc":"2.0","id":0,"#;

/// An answer of a method with the client's id; `None` if it does not begin as it should.
pub(crate) fn answered(id: &CallId, answer: &str) -> Option<String> {
    let rest = answer.strip_prefix(BEGINNING)?;
    Some(format!(r#"{{"jsonrpc":"2.0","id":{},{rest}"#, id.0))
}

/// A result as the answer to the client's call.
pub(crate) fn succeeded(id: &CallId, result: &str) -> String {
    const PARTS: [&str; 3] = [r#"{"jsonrpc":"2.0","id":"#, r#","result":"#, "}"];
    let [before, between, after] = PARTS;
    [before, &id.0, between, result, after].concat()
}

/// An error in the place of an answer.
pub(crate) fn failed(id: &CallId, failure: &Failure) -> String {
    let error = serde_json::to_string(failure).expect("an error object has string keys");
    format!(r#"{{"jsonrpc":"2.0","id":{},"error":{error}}}"#, id.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jsonrpsee::core::server::{MethodResponse, ResponsePayload};
    use jsonrpsee::types::Id;

    /// The id of one call, or what is wrong with it.
    fn one(text: &str) -> Result<Option<String>, (String, &'static str)> {
        let Message::One(item) = Message::parse(text.as_bytes(), 3) else {
            panic!("{text} is not one request");
        };
        match item {
            Ok(call) => Ok(call.id.map(|id| id.as_str().to_owned())),
            Err(invalid) => Err((invalid.id.as_str().to_owned(), invalid.problem)),
        }
    }

    #[test]
    fn keeps_ids_as_they_came() {
        for id in [
            "0.5",
            "-1",
            "1.0",
            "18446744073709551616",
            "1e400",
            "123456789012345678901234567890.5E-3",
            "null",
            "\"a\"",
            "\"\\u0061\\ud800\"",
            "\"\"",
            "-0",
        ] {
            let text = format!(r#" {{"id":{id},"jsonrpc":"2.0","method":"m","params":[1]}} "#);
            assert_eq!(one(&text), Ok(Some(id.into())), "{id}");
        }
        let notification = r#"{"jsonrpc":"2.0","method":"\u006d"}"#;
        assert_eq!(one(notification), Ok(None));
    }

    #[test]
    fn says_what_is_wrong_with_a_request() {
        let check = |text: &str, id: &str, words: &str| {
            let (found, problem) = one(text).expect_err(text);
            assert_eq!(found, id, "{text}");
            assert!(problem.contains(words), "{text}: {problem}");
        };
        for id in ["true", "{}", "[]", "[1]", "{\"a\":1}", "false"] {
            let text = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"m"}}"#);
            check(&text, "null", "`id`");
        }
        check(r#"{"jsonrpc":"2.0","id":1.5}"#, "1.5", "`method`");
        check(r#"{"jsonrpc":"2.0","id":1,"method":""}"#, "1", "`method`");
        check(r#"{"jsonrpc":"2.0","id":1,"method":7}"#, "1", "`method`");
        check(
            r#"{"jsonrpc":"1.0","id":"x","method":"m"}"#,
            "\"x\"",
            "`jsonrpc`",
        );
        check(r#"{"id":"x","method":"m"}"#, "\"x\"", "`jsonrpc`");
        check(
            r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"m"}"#,
            "null",
            "once",
        );
        check("{}", "null", "`jsonrpc`");
    }

    #[test]
    fn reads_batches_up_to_the_limit() {
        let call = r#"{"jsonrpc":"2.0","id":-1,"method":"m"}"#;
        let batch = |items: &[&str]| {
            let text = format!("[{}]", items.join(","));
            Message::parse(text.as_bytes(), 3)
        };
        let Message::Batch(items) = batch(&[call, "1", call]) else {
            panic!("not a batch");
        };
        let valid: Vec<bool> = items.iter().map(Result::is_ok).collect();
        assert_eq!(valid, [true, false, true]);
        assert!(matches!(batch(&[]), Message::Batch(items) if items.is_empty()));
        let many = vec!["{}"; 10_000];
        let Message::TooManyItems(id) = batch(&many) else {
            panic!("not too many");
        };
        assert_eq!(id, CallId::null());
        let Message::TooManyItems(id) = batch(&["{}", call, "1", "1"]) else {
            panic!("not too many");
        };
        assert_eq!(id.as_str(), "-1");
    }

    #[test]
    fn what_is_no_json_is_unreadable_however_deep() {
        let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
        let call = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"m","params":{deep}}}"#);
        assert_eq!(one(&call), Ok(Some("1".into())));
        assert!(matches!(
            Message::parse(deep.as_bytes(), 3),
            Message::Batch(_)
        ));
        let open = "[".repeat(100_000);
        for text in [
            "", " ", "{", "17", "\"a\"", "[1,", "[1]2", "{}{}", "nul", &open,
        ] {
            let message = Message::parse(text.as_bytes(), 3);
            assert!(matches!(message, Message::Unreadable), "{message:?}");
        }
        let not_utf8 = Message::parse(b"{\"jsonrpc\":\"2.0\",\"id\":\"\xff\"}", 3);
        assert!(matches!(not_utf8, Message::Unreadable));
    }

    #[test]
    fn answers_carry_the_clients_id() {
        let payload = ResponsePayload::success("id\":0,");
        let answer = MethodResponse::response(Id::Number(PLACEHOLDER), payload, 1_000);
        let id = CallId("2.50".into());
        let text = answered(&id, answer.as_ref()).expect("it begins as expected");
        assert_eq!(text, r#"{"jsonrpc":"2.0","id":2.50,"result":"id\":0,"}"#);
        assert_eq!(succeeded(&id, "\"id\\\":0,\""), text);
        let error = crate::error::refused("no");
        let expected = r#"{"jsonrpc":"2.0","id":2.50,"error":{"code":-32000,"message":"no"}}"#;
        assert_eq!(failed(&id, &error), expected);
        let failure = MethodResponse::error(Id::Number(PLACEHOLDER), error);
        assert_eq!(answered(&id, failure.as_ref()).as_deref(), Some(expected));
        assert_eq!(answered(&id, "{}"), None);
    }
}
