//! The table of methods as an OpenRPC document (version 1.3 of that specification).

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::entry::{Argument, Form, Kind, Method, Run, Schema};
use super::{NAMESPACES, audience};

/// What `rpc.discover` answers where these methods are served.
pub(super) fn document(methods: &[&'static Method]) -> Value {
    let mut schemas = BTreeMap::new();
    for method in methods {
        collect(&mut schemas, method.result);
        for argument in method.arguments {
            collect(&mut schemas, argument.kind);
        }
    }
    let served = |name: &str| methods.iter().any(|method| method.namespace() == name);
    let tags = NAMESPACES.iter().filter(|it| served(it.name));
    let tags = tags.map(|it| json!({ "name": it.name, "description": it.about }));
    json!({
        "openrpc": "1.3.2",
        "info": {
            "title": "JSON-RPC of TBSI",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Ethereum's methods on a chain without fees whose blocks are final \
                at once, and those of the attestation log.",
            "license": { "name": "Apache-2.0" },
        },
        "methods": methods.iter().map(|it| method_object(it)).collect::<Vec<_>>(),
        "components": {
            "schemas": schemas.into_iter().collect::<Map<String, Value>>(),
            "tags": tags.map(|tag| (tag["name"].as_str().unwrap_or_default().to_owned(), tag))
                .collect::<Map<String, Value>>(),
        },
    })
}

fn method_object(method: &Method) -> Value {
    let params = method.arguments.iter().map(|argument| {
        json!({
            "name": argument.name,
            "required": argument.required,
            "schema": kind_object(argument.kind),
        })
    });
    json!({
        "name": method.name,
        "summary": method.about,
        "tags": [{ "$ref": format!("#/components/tags/{}", method.namespace()) }],
        "paramStructure": "by-position",
        "params": params.collect::<Vec<_>>(),
        "result": { "name": "result", "schema": kind_object(method.result) },
        "x-audience": format!("{:?}", audience(method)).to_lowercase(),
        "x-transport": match method.run {
            Run::Subscription => "websocket",
            Run::Call(_)
            | Run::Whole(_)
            | Run::Turn(_)
            | Run::CallOf(_)
            | Run::Submit(_)
            | Run::Wait(_)
            | Run::About(_) => "any",
        },
    })
}

/// Adds a schema, and those that it names.
fn collect(schemas: &mut BTreeMap<String, Value>, kind: Kind) {
    let schema = schema_of(kind);
    if schemas.contains_key(schema.name) {
        return;
    }
    schemas.insert(schema.name.to_owned(), schema_object(schema));
    match schema.form {
        Form::Json(_) => {}
        Form::Object(fields) => fields.iter().for_each(|field| collect(schemas, field.kind)),
        Form::AnyOf(kinds) => kinds.iter().for_each(|kind| collect(schemas, *kind)),
    }
}

pub(super) fn schema_of(kind: Kind) -> &'static Schema {
    let (Kind::One(schema) | Kind::List(schema) | Kind::Maybe(schema) | Kind::MaybeList(schema)) =
        kind;
    schema
}

fn kind_object(kind: Kind) -> Value {
    let one = |schema: &Schema| json!({ "$ref": format!("#/components/schemas/{}", schema.name) });
    let list = |schema| json!({ "type": "array", "items": one(schema) });
    let maybe = |value: Value| json!({ "anyOf": [value, { "type": "null" }] });
    match kind {
        Kind::One(schema) => one(schema),
        Kind::List(schema) => list(schema),
        Kind::Maybe(schema) => maybe(one(schema)),
        Kind::MaybeList(schema) => maybe(list(schema)),
    }
}

fn schema_object(schema: &Schema) -> Value {
    let mut object = match schema.form {
        // A test reads every one of them.
        Form::Json(text) => serde_json::from_str(text).expect("the text of a schema is JSON"),
        Form::Object(fields) => fields_object(fields),
        Form::AnyOf(kinds) => {
            json!({ "anyOf": kinds.iter().map(|it| kind_object(*it)).collect::<Vec<_>>() })
        }
    };
    object["title"] = schema.name.into();
    object["description"] = schema.about.into();
    object
}

fn fields_object(fields: &[Argument]) -> Value {
    let required = fields.iter().filter(|field| field.required);
    let required: Vec<&str> = required.map(|field| field.name).collect();
    let properties = fields
        .iter()
        .map(|field| (field.name.to_owned(), kind_object(field.kind)));
    json!({
        "type": "object",
        "required": required,
        "properties": properties.collect::<Map<String, Value>>(),
    })
}
