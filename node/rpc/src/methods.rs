//! What can be called: each method is said in one place, a row in the table of its namespace.
//!
//! The row has its name, what it is for, its arguments and its result, and its function. From the
//! rows come the server's table, the OpenRPC document that `rpc.discover` answers, and from that
//! the reference (`docs/rpc.md`) and what the TypeScript client knows of methods
//! (`sdk/typescript/src/client/methods.ts`). A new method is a new row and its function.

mod admin;
mod besu;
mod debug;
mod entry;
mod eth;
mod leaves;
mod objects;
mod openrpc;
mod ots;
mod schemas;
mod tbsi;
mod tools;
mod trace;
mod validators;

use std::collections::BTreeMap;
use std::sync::Arc;

use http::Extensions;
use jsonrpsee::types::Params;
use serde_json::Value;

use crate::api::{Api, Asked, Reply, Runner};
use crate::arguments::Arguments;
use crate::caller::Caller;
use crate::error::method_not_found;
pub use entry::Audience;
pub(crate) use entry::Method;
use entry::{Namespace, Run};

/// In the order of their names.
static NAMESPACES: &[Namespace] = &[
    admin::NAMESPACE,
    debug::NAMESPACE,
    ots::ERIGON,
    eth::NAMESPACE,
    tools::NET,
    ots::NAMESPACE,
    besu::PERM,
    besu::QBFT,
    tools::RPC,
    tbsi::NAMESPACE,
    trace::NAMESPACE,
    tools::TXPOOL,
    tools::WEB3,
];

fn all() -> impl Iterator<Item = &'static Method> {
    NAMESPACES.iter().flat_map(|namespace| namespace.methods)
}

/// The method with this name, whoever may call it.
pub(crate) fn find(name: &str) -> Option<&'static Method> {
    all().find(|method| method.name == name)
}

fn audience(method: &Method) -> Audience {
    let namespace = NAMESPACES.iter().find(|it| it.name == method.namespace());
    // A test sees to it that there is one.
    namespace.map_or(Audience::Operator, |it| it.audience)
}

/// What somebody may call.
pub(crate) fn served(to: Audience) -> Vec<&'static Method> {
    all().filter(|method| audience(method) <= to).collect()
}

/// An OpenRPC document of what somebody may call, as `rpc.discover` answers it.
pub fn openrpc_document(of: Audience) -> Value {
    openrpc::document(&served(of))
}

/// A method that is served.
pub(crate) struct Row {
    method: &'static Method,
    runner: Arc<Runner>,
    /// What it answers, if that was known when the server started.
    known: Option<Reply>,
}

/// What is served, by name, but for subscriptions.
#[derive(Default)]
pub(crate) struct Table(BTreeMap<&'static str, Row>);

impl Table {
    pub(crate) fn new(runner: Runner, methods: &[&'static Method]) -> Self {
        let runner = Arc::new(runner);
        let rows = methods.iter().filter_map(|method| {
            let known = match method.run {
                Run::Subscription => return None,
                Run::About(handler) => Some(handler(methods)),
                Run::Call(_)
                | Run::Whole(_)
                | Run::Turn(_)
                | Run::CallOf(_)
                | Run::Submit(_)
                | Run::Wait(_) => None,
            };
            let row = Row {
                method,
                runner: Arc::clone(&runner),
                known,
            };
            Some((method.name, row))
        });
        Self(rows.collect())
    }

    pub(crate) fn find(&self, name: &str) -> Option<&Row> {
        self.0.get(name)
    }
}

impl Row {
    /// What the method answers.
    pub(crate) async fn answer(&self, params: Params<'static>, extensions: Extensions) -> Reply {
        let (required, count) = (self.method.required(), self.method.arguments.len());
        let asked = Asked {
            required,
            count,
            params,
            pace: self.method.pace,
            caller: extensions.get::<Caller>().copied(),
        };
        match self.method.run {
            Run::Call(handler) => self.runner.call(handler, asked).await,
            Run::Whole(handler) => self.runner.call_whole(handler, asked).await,
            Run::Turn(handler) => self.runner.call_in_turn(handler, asked).await,
            Run::CallOf(handler) => {
                let caller = asked.caller;
                let call =
                    move |api: &Api, arguments: &Arguments<'_>| handler(api, arguments, caller);
                self.runner.call(call, asked).await
            }
            Run::Submit(handler) | Run::Wait(handler) => {
                Arguments::split(&asked.params, count)?.have(required)?;
                handler(Arc::clone(&self.runner), asked.params, extensions).await
            }
            Run::About(_) | Run::Subscription => {
                Arguments::split(&asked.params, count)?;
                let known = self.known.clone();
                known.unwrap_or_else(|| Err(method_not_found(self.method.name)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::limits::ARGUMENTS_MAX;

    #[test]
    fn rows_are_in_order_and_say_what_is_asked_of_them() {
        assert!(NAMESPACES.is_sorted_by(|one, next| one.name < next.name));
        for namespace in NAMESPACES {
            let methods = namespace.methods;
            assert!(methods.is_sorted_by(|one, next| one.name < next.name));
            for method in methods {
                let name = method.name;
                assert_eq!(method.namespace(), namespace.name, "{name}");
                assert_eq!(find(name).map(|it| it.about), Some(method.about));
                assert!(method.arguments.len() < ARGUMENTS_MAX, "{name}");
                let required: Vec<bool> = method.arguments.iter().map(|it| it.required).collect();
                assert!(required.is_sorted_by(|one, next| one >= next), "{name}");
                assert!(method.about.ends_with('.'), "{name}: {}", method.about);
            }
        }
        assert!(find("eth_foo").is_none());
    }

    #[test]
    fn a_document_is_what_openrpc_asks_for() {
        let document = openrpc_document(Audience::Operator);
        assert!(document["openrpc"].as_str().unwrap().starts_with("1."));
        for field in ["title", "version"] {
            assert!(document["info"][field].is_string(), "{field}");
        }
        let methods = document["methods"].as_array().unwrap();
        let names: BTreeSet<&str> = methods
            .iter()
            .map(|it| it["name"].as_str().unwrap())
            .collect();
        assert_eq!(names.len(), all().count(), "each name once");
        for method in methods {
            for described in method["params"].as_array().unwrap() {
                assert!(described["name"].is_string() && described["schema"].is_object());
                assert!(described["required"].is_boolean());
            }
            let result = &method["result"];
            assert!(result["name"].is_string() && result["schema"].is_object());
        }
        let mut named = BTreeSet::new();
        references(&document, &mut named);
        assert!(named.len() > 40, "the test does not see the references");
        for pointer in named {
            let path = pointer.strip_prefix('#').unwrap();
            assert!(document.pointer(path).is_some(), "{pointer} leads nowhere");
        }
    }

    fn references(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(fields) => {
                if let Some(Value::String(pointer)) = fields.get("$ref") {
                    found.insert(pointer.clone());
                }
                fields.values().for_each(|it| references(it, found));
            }
            Value::Array(items) => items.iter().for_each(|it| references(it, found)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    #[test]
    fn one_name_is_one_schema() {
        let mut seen: BTreeMap<&str, String> = BTreeMap::new();
        for method in all() {
            let kinds = method.arguments.iter().map(|it| it.kind);
            for kind in kinds.chain([method.result]) {
                let schema = openrpc::schema_of(kind);
                let first = seen.entry(schema.name).or_insert(schema.about.into());
                assert_eq!(first, schema.about, "{}: two schemas", schema.name);
            }
        }
    }
}
