//! What the TypeScript client knows of the methods.

use std::fmt::Write as _;

use serde_json::Value;

use super::name;

const HEAD: &str = "\
/**
 * The methods of a node, with their arguments and results as they are in JSON. Written by
 * `UPDATE_RPC=1 cargo test -p tbsi-rpc --test rpc reference` from the node's own table.
 */

type Hex = `0x${string}`
";

pub(super) fn module(document: &Value) -> String {
    let mut module = HEAD.to_owned();
    for (title, schema) in document["components"]["schemas"].as_object().unwrap() {
        if primitive(schema).is_none() {
            let about = schema["description"].as_str().unwrap();
            write!(module, "\n/** {about} */\nexport type {title} = ").unwrap();
            writeln!(module, "{}", expanded(schema, document)).unwrap();
        }
    }
    module.push_str("\nexport interface Methods {\n");
    for method in document["methods"].as_array().unwrap() {
        let params = method["params"].as_array().unwrap().iter().map(|param| {
            let optional = if param["required"] == true { "" } else { "?" };
            format!(
                "{}{optional}: {}",
                name(param),
                typed(&param["schema"], document)
            )
        });
        let params: Vec<String> = params.collect();
        let about = method["summary"].as_str().unwrap();
        write!(
            module,
            "  /** {about} */\n  '{}': {{\n    params: [{}]\n    result: {}\n  }}\n",
            name(method),
            params.join(", "),
            typed(&method["result"]["schema"], document),
        )
        .unwrap();
    }
    module.push_str("}\n\nexport type MethodName = keyof Methods\n");
    module
}

/// The type of a schema that needs no name.
fn primitive(schema: &Value) -> Option<&'static str> {
    if schema["enum"].is_array() || schema["pattern"].is_string() {
        return None;
    }
    match schema["type"].as_str()? {
        "boolean" => Some("boolean"),
        "string" => Some("string"),
        "integer" => Some("number | bigint"),
        "number" => Some("number"),
        _ => None,
    }
}

/// A type where it is used: by its name.
fn typed(schema: &Value, document: &Value) -> String {
    match schema["$ref"].as_str() {
        Some(pointer) => {
            let named = document.pointer(&pointer[1..]).unwrap();
            let title = pointer.rsplit('/').next().unwrap();
            primitive(named).unwrap_or(title).into()
        }
        None => expanded(schema, document),
    }
}

fn expanded(schema: &Value, document: &Value) -> String {
    if let Some(kinds) = schema["anyOf"].as_array() {
        let kinds: Vec<String> = kinds.iter().map(|it| typed(it, document)).collect();
        return kinds.join(" | ");
    }
    if let Some(values) = schema["enum"].as_array() {
        let values = values
            .iter()
            .map(|it| format!("'{}'", it.as_str().unwrap()));
        return values.collect::<Vec<_>>().join(" | ");
    }
    if let Value::Array(kinds) = &schema["type"] {
        let kinds = kinds.iter().map(|it| one(it.as_str().unwrap()));
        return kinds.collect::<Vec<_>>().join(" | ");
    }
    match schema["type"].as_str().unwrap() {
        "array" => format!("readonly ({})[]", typed(&schema["items"], document)),
        "object" => fields(schema, document),
        "string"
            if schema["pattern"]
                .as_str()
                .is_some_and(|it| it.starts_with("^0x")) =>
        {
            "Hex".into()
        }
        other => one(other).into(),
    }
}

fn one(kind: &str) -> &'static str {
    match kind {
        "string" => "string",
        "integer" => "number | bigint",
        "number" => "number",
        "boolean" => "boolean",
        "null" => "null",
        other => panic!("teach the test what {other} is in TypeScript"),
    }
}

fn fields(schema: &Value, document: &Value) -> String {
    let Some(fields) = schema["properties"].as_object() else {
        return "Readonly<Record<string, unknown>>".into();
    };
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    let fields = fields.iter().map(|(field, of)| {
        let always = required.iter().any(|it| it == field);
        let optional = if always { "" } else { "?" };
        format!("  readonly {field}{optional}: {}\n", typed(of, document))
    });
    format!("{{\n{}}}", fields.collect::<String>())
}
