//! Values against the schemas of an OpenRPC document: as much of JSON Schema as those use, and
//! strict, so that a field nobody has declared is a mistake.

use serde_json::{Map, Value, json};

pub(crate) struct Schemas<'a>(&'a Value);

impl<'a> Schemas<'a> {
    pub(crate) fn of(document: &'a Value) -> Self {
        Self(document)
    }

    fn resolve<'s>(&'s self, schema: &'s Value) -> &'s Value {
        match schema["$ref"].as_str() {
            Some(pointer) => self.0.pointer(&pointer[1..]).unwrap(),
            None => schema,
        }
    }

    /// A value that the schema allows.
    pub(crate) fn example(&self, schema: &Value) -> Value {
        let schema = self.resolve(schema);
        if let Some(example) = schema["examples"].get(0) {
            return example.clone();
        }
        if let Some(first) = schema["enum"].get(0).cloned() {
            return first;
        }
        if let Some(first) = schema["anyOf"].get(0) {
            return self.example(first);
        }
        match schema["type"].as_str() {
            Some("array") => json!([self.example(&schema["items"])]),
            Some("object") => {
                let required = schema["required"].as_array().into_iter().flatten();
                let required = required.map(|name| name.as_str().unwrap());
                let fields: Map<String, Value> = required
                    .map(|name| (name.into(), self.example(&schema["properties"][name])))
                    .collect();
                fields.into()
            }
            other => panic!("no example of {other:?} in {schema}"),
        }
    }

    /// Fails unless the schema allows the value.
    #[track_caller]
    pub(crate) fn check(&self, what: &str, schema: &Value, value: &Value) {
        if let Err(problem) = self.test(schema, value) {
            panic!("{what}: {problem}");
        }
    }

    fn test(&self, schema: &Value, value: &Value) -> Result<(), String> {
        let schema = self.resolve(schema);
        if let Some(kinds) = schema["anyOf"].as_array() {
            let mut told = String::new();
            for kind in kinds {
                match self.test(kind, value) {
                    Ok(()) => return Ok(()),
                    Err(problem) => told = format!("{told}; {problem}"),
                }
            }
            return Err(format!("{value} is none of {}{told}", schema["title"]));
        }
        if let Some(allowed) = schema["enum"].as_array() {
            return match allowed.contains(value) {
                true => Ok(()),
                false => Err(format!("{value} is none of {allowed:?}")),
            };
        }
        let kinds: Vec<&str> = match schema["type"].as_array() {
            Some(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
            None => schema["type"].as_str().into_iter().collect(),
        };
        if !kinds.iter().any(|kind| is(kind, value)) {
            return Err(format!("{value} is no {kinds:?} ({})", schema["title"]));
        }
        match value {
            Value::String(text) => match schema["pattern"].as_str() {
                Some(pattern) if !matches(pattern, text) => {
                    Err(format!("{text:?} is no {}", schema["title"]))
                }
                Some(_) | None => Ok(()),
            },
            Value::Array(items) => items
                .iter()
                .try_for_each(|item| self.test(&schema["items"], item)),
            Value::Object(fields) => self.test_fields(schema, fields),
            Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
        }
    }

    fn test_fields(&self, schema: &Value, fields: &Map<String, Value>) -> Result<(), String> {
        for name in schema["required"].as_array().into_iter().flatten() {
            if !fields.contains_key(name.as_str().unwrap()) {
                return Err(format!("{name} is not in {} {fields:?}", schema["title"]));
            }
        }
        let Some(declared) = schema["properties"].as_object() else {
            let most = schema["maxProperties"].as_u64().unwrap_or(u64::MAX);
            return match fields.len() as u64 <= most {
                true => Ok(()),
                false => Err(format!("{} has fields: {fields:?}", schema["title"])),
            };
        };
        for (name, value) in fields {
            let of = declared.get(name);
            let of = of.ok_or_else(|| format!("{name} is not said of {}", schema["title"]))?;
            self.test(of, value)
                .map_err(|problem| format!("{name}: {problem}"))?;
        }
        Ok(())
    }
}

fn is(kind: &str, value: &Value) -> bool {
    match kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("{other} is no type"),
    }
}

/// The few patterns that the schemas use.
fn matches(pattern: &str, text: &str) -> bool {
    let digits = text.strip_prefix("0x");
    let hex = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let bytes = |from: usize, to: usize| {
        digits
            .is_some_and(|it| hex(it) && it.len() % 2 == 0 && (from..=to).contains(&(it.len() / 2)))
    };
    match pattern {
        "^0x[0-9a-fA-F]{40}$" => bytes(20, 20),
        "^0x[0-9a-fA-F]{64}$" => bytes(32, 32),
        "^0x[0-9a-f]{16}$" => bytes(8, 8),
        "^0x[0-9a-f]{32}$" => bytes(16, 16),
        "^0x[0-9a-f]{512}$" => bytes(256, 256),
        "^0x([0-9a-fA-F]{2})*$" => bytes(0, usize::MAX),
        "^0x([0-9a-fA-F]{2}){28,64}$" => bytes(28, 64),
        "^0x(0|[1-9a-f][0-9a-f]*)$" => digits.is_some_and(|it| {
            let small = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
            it == "0" || !it.is_empty() && !it.starts_with('0') && it.bytes().all(small)
        }),
        "^(0[xX])?[0-9a-fA-F]{0,64}$" => {
            let digits = text.trim_start_matches("0x").trim_start_matches("0X");
            digits.len() <= 64 && hex(digits)
        }
        other => panic!("teach the test what {other} matches"),
    }
}

#[test]
fn what_a_schema_does_not_allow_is_found() {
    let document = json!({"components": {"schemas": {
        "Word": {"title": "Word", "type": "string", "pattern": "^0x[0-9a-fA-F]{64}$"},
        "Thing": {"title": "Thing", "type": "object", "required": ["a"], "properties": {
            "a": {"type": "array", "items": {"$ref": "#/components/schemas/Word"}},
            "b": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
        }},
    }}});
    let schemas = Schemas::of(&document);
    let thing = json!({"$ref": "#/components/schemas/Thing"});
    let word = format!("0x{}", "a".repeat(64));
    let test = |value: Value| schemas.test(&thing, &value);
    assert_eq!(test(json!({"a": [word], "b": null})), Ok(()));
    for (bad, expected) in [
        (json!({"b": 1}), "\"a\" is not in"),
        (json!({"a": ["0x"]}), "a: \"0x\" is no \"Word\""),
        (json!({"a": [], "b": "1"}), "b: \"1\" is none of"),
        (json!({"a": [], "c": 1}), "c is not said of \"Thing\""),
        (json!([]), "[] is no [\"object\"]"),
    ] {
        let problem = test(bad).unwrap_err();
        assert!(problem.starts_with(expected), "{problem}");
    }
}
