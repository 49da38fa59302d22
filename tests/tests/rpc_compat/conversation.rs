//! A recorded conversation: requests and what was answered.

use anyhow::{Context, bail, ensure};
use serde_json::Value;
use tbsi_tests::bench::http::Connection;

use crate::shapes;

/// Characters of an answer that a failure shows.
const SHOWN_MAX: usize = 400;

pub(crate) struct Conversation {
    exchanges: Vec<(String, Value)>,
    /// Only the shape of results is compared.
    shape_only: bool,
}

impl Conversation {
    /// Lines of `>>` are requests, of `<<` answers, of `//` comments.
    pub(crate) fn parse(text: &str) -> anyhow::Result<Self> {
        let mut exchanges = Vec::new();
        let mut asked = None;
        let mut shape_only = false;
        for line in text.lines() {
            if let Some(request) = line.strip_prefix(">>") {
                ensure!(asked.is_none(), "two requests without an answer");
                asked = Some(request.trim().to_owned());
            } else if let Some(answer) = line.strip_prefix("<<") {
                let request = asked.take().context("an answer without a request")?;
                let answer = serde_json::from_str(answer.trim()).context("an answer")?;
                exchanges.push((request, answer));
            } else if let Some(comment) = line.strip_prefix("//") {
                shape_only |= comment.trim().starts_with("speconly:");
            } else if !line.trim().is_empty() {
                bail!("neither request, answer nor comment: {line}");
            }
        }
        ensure!(asked.is_none(), "a request without an answer");
        ensure!(!exchanges.is_empty(), "nothing is asked");
        Ok(Self {
            exchanges,
            shape_only,
        })
    }

    /// Asks everything; the first answer that is another one is an error.
    pub(crate) async fn hold(&self, connection: &mut Connection) -> anyhow::Result<()> {
        for (request, expected) in &self.exchanges {
            let answer = connection.post(request.clone().into()).await?;
            let answer = serde_json::from_slice(&answer).context("the answer is not JSON")?;
            if self.shape_only {
                let request: Value = serde_json::from_str(request).context("a request")?;
                let method = request["method"].as_str().unwrap_or_default();
                shapes::check(method, &answer, expected)?;
            } else {
                same(answer, expected.clone())?;
            }
        }
        Ok(())
    }
}

/// Equal, but for the words of an error.
fn same(mut answer: Value, mut expected: Value) -> anyhow::Result<()> {
    for message in [&mut answer, &mut expected] {
        if let Some(error) = message.get_mut("error").and_then(Value::as_object_mut) {
            error.remove("message");
        }
    }
    if answer == expected {
        return Ok(());
    }
    let difference = difference(&answer, &expected, String::new());
    bail!("{}", difference.unwrap_or_default())
}

/// The first place where two values differ.
fn difference(answer: &Value, expected: &Value, path: String) -> Option<String> {
    match (answer, expected) {
        (Value::Object(ours), Value::Object(theirs)) => {
            let names = theirs.keys().chain(ours.keys());
            let differ = names.filter(|name| ours.get(*name) != theirs.get(*name));
            differ
                .map(|name| {
                    let null = Value::Null;
                    let ours = ours.get(name).unwrap_or(&null);
                    let theirs = theirs.get(name).unwrap_or(&null);
                    difference(ours, theirs, format!("{path}.{name}"))
                        .unwrap_or_else(|| format!("{path}.{name} is null in one, absent in one"))
                })
                .next()
        }
        (Value::Array(ours), Value::Array(theirs)) if ours.len() == theirs.len() => {
            let pairs = ours.iter().zip(theirs).enumerate();
            let mut pairs = pairs.filter(|(_, (ours, theirs))| ours != theirs);
            let (index, (ours, theirs)) = pairs.next()?;
            difference(ours, theirs, format!("{path}[{index}]"))
        }
        (ours, theirs) if ours == theirs => None,
        (ours, theirs) => Some(format!("{path}: {} not {}", shown(ours), shown(theirs))),
    }
}

fn shown(value: &Value) -> String {
    value.to_string().chars().take(SHOWN_MAX).collect()
}

#[test]
fn a_conversation_is_compared_but_for_the_words_of_errors() {
    use serde_json::json;
    let error = |code: i32, message: &str, data: &str| json!({"id": 1, "error": {"code": code, "message": message, "data": data}});
    let differs = |ours: Value, theirs: Value, words: &str| {
        let problem = same(ours, theirs).unwrap_err().to_string();
        assert!(problem.contains(words), "{problem}");
    };
    same(error(3, "a", "0x"), error(3, "b", "0x")).unwrap();
    differs(
        error(3, "a", "0x"),
        error(4, "a", "0x"),
        ".error.code: 3 not 4",
    );
    differs(error(3, "a", "0x"), error(3, "a", "0x1"), ".error.data");
    let result = |value: Value| json!({"id": 1, "result": value});
    same(result(json!([1, {"a": 2}])), result(json!([1, {"a": 2}]))).unwrap();
    let (ours, theirs) = (json!([1, {"a": 2}]), json!([1, {"a": 3}]));
    differs(result(ours), result(theirs), ".result[1].a: 2 not 3");
    differs(result(json!({"a": null})), result(json!({})), "null in one");
    differs(result(json!([])), result(json!([1])), ".result: [] not [1]");
    assert!(Conversation::parse(">> {}").is_err());
    assert!(Conversation::parse("<< {}").is_err());
    assert!(
        Conversation::parse("// speconly: x\n>> {}\n<< {}")
            .unwrap()
            .shape_only
    );
}
