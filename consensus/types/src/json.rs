//! JSON: the canonical form (RFC 8785), for what is hashed as a document, and how what strangers
//! hand in is read.

mod objects;

pub use objects::from_json;

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

/// The RFC 8785 form of a document without floats: keys sorted, no white space. Keys are
/// expected to be ASCII, whose order is the same in UTF-8 and UTF-16.
pub fn canonical_json(document: &impl Serialize) -> String {
    let value = serde_json::to_value(document).expect("plain data with string keys");
    let mut out = String::new();
    write(&value, &mut out);
    out
}

fn write(value: &Value, out: &mut String) {
    match value {
        Value::Object(map) => {
            let sorted: BTreeMap<_, _> = map.iter().collect();
            out.push('{');
            for (index, (key, value)) in sorted.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write(&Value::String(key.clone()), out);
                out.push(':');
                write(value, out);
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write(item, out);
            }
            out.push(']');
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            out.push_str(&value.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_json_is_sorted_and_tight() {
        let value = serde_json::json!({"b": [1, "é\n"], "a": {"d": null, "c": true}});
        let expected = r#"{"a":{"c":true,"d":null},"b":[1,"é\n"]}"#;
        assert_eq!(canonical_json(&value), expected);
    }
}
