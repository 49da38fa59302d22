//! The reference page, from the line on that says so.

use std::fmt::Write as _;

use serde_json::Value;

use super::name;

/// What is above this line is written by hand.
const BEGINS: &str = "<!-- From here on written by `UPDATE_RPC=1 cargo test -p tbsi-rpc --test rpc reference`. -->\n";

pub(super) fn page(found: &str, document: &Value) -> String {
    let by_hand = found.split(BEGINS).next().unwrap_or_default();
    let mut page = format!("{by_hand}{BEGINS}");
    for (tag, about) in document["components"]["tags"].as_object().unwrap() {
        namespace(&mut page, tag, &about["description"], document);
    }
    page.push_str("\n## Schemas\n");
    for (title, schema) in document["components"]["schemas"].as_object().unwrap() {
        let about = schema["description"].as_str().unwrap();
        write!(page, "\n### {title}\n\n{about}\n").unwrap();
        page.push_str(&body(schema));
    }
    page
}

fn namespace(page: &mut String, tag: &str, about: &Value, document: &Value) {
    let methods = document["methods"].as_array().unwrap().iter();
    let methods = methods.filter(|it| name(it).split(['_', '.']).next() == Some(tag));
    let methods: Vec<&Value> = methods.collect();
    let about = about.as_str().unwrap();
    write!(page, "\n## `{tag}`\n\n{about}").unwrap();
    if methods.iter().all(|it| it["x-audience"] == "operator") {
        page.push_str(" For the operator alone.");
    }
    page.push_str("\n\n| Method | Arguments | Result | |\n| --- | --- | --- | --- |\n");
    for method in methods {
        let params = method["params"].as_array().unwrap().iter().map(|param| {
            let optional = if param["required"] == true { "" } else { "?" };
            format!("`{}{optional}`: {}", name(param), kind(&param["schema"]))
        });
        let params: Vec<String> = params.collect();
        let web_socket = match method["x-transport"].as_str() {
            Some("websocket") => " Over WebSocket only.",
            Some(_) | None => "",
        };
        writeln!(
            page,
            "| `{}` | {} | {} | {}{web_socket} |",
            name(method),
            params.join(", "),
            kind(&method["result"]["schema"]),
            method["summary"].as_str().unwrap(),
        )
        .unwrap();
    }
}

/// A schema in a few words, with links.
fn kind(schema: &Value) -> String {
    if let Some(pointer) = schema["$ref"].as_str() {
        let title = pointer.rsplit('/').next().unwrap();
        return format!("[{title}](#{})", title.to_lowercase());
    }
    if let Some(kinds) = schema["anyOf"].as_array() {
        let kinds: Vec<String> = kinds.iter().map(kind).collect();
        return kinds.join(" or ");
    }
    match schema["type"].as_str() {
        Some("array") => format!("list of {}", kind(&schema["items"])),
        Some(other) => other.into(),
        None => "any".into(),
    }
}

fn body(schema: &Value) -> String {
    if let Some(fields) = schema["properties"].as_object() {
        let required = schema["required"].as_array().cloned().unwrap_or_default();
        let mut body = String::from("\n");
        for (field, of) in fields {
            let always = required.iter().any(|it| it == field);
            let absent = if always { "" } else { ", may be absent" };
            writeln!(body, "- `{field}`: {}{absent}", kind(of)).unwrap();
        }
        return body;
    }
    if let Some(values) = schema["enum"].as_array() {
        let values: Vec<String> = values.iter().map(|it| format!("`{it}`")).collect();
        return format!("\nOne of {}.\n", values.join(", "));
    }
    if schema["anyOf"].is_array() {
        return format!("\n{}.\n", kind(schema));
    }
    match schema["pattern"].as_str() {
        Some(pattern) => format!("\nA string like `{pattern}`.\n"),
        None => format!("\nJSON: {}.\n", kind(schema)),
    }
}
