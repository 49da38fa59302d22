//! `openapi.json` as a checker of answers: the part of JSON Schema that it uses.

use serde_json::Value;

/// The document.
pub(crate) struct Contract(Value);

impl Contract {
    pub(crate) fn open() -> Self {
        let text = include_str!("../../openapi.json");
        Self(serde_json::from_str(text).unwrap())
    }

    /// Everything in an answer that the schema does not allow.
    pub(crate) fn check(&self, schema: &str, value: &Value) -> Vec<String> {
        let schema = &self.0["components"]["schemas"][schema];
        assert!(schema.is_object(), "{schema}");
        let mut wrong = Vec::new();
        self.visit(schema, value, "", &mut wrong);
        wrong
    }

    /// All paths that are answered.
    pub(crate) fn paths(&self) -> Vec<&str> {
        let paths = self.0["paths"].as_object().unwrap();
        paths.keys().map(String::as_str).collect()
    }

    /// Each example of the document itself, and the name of its schema.
    pub(crate) fn examples(&self) -> Vec<(&str, &Value)> {
        let paths = self.0["paths"].as_object().unwrap();
        let mut found = Vec::new();
        for path in paths.values() {
            let json = &path["get"]["responses"]["200"]["content"]["application/json"];
            let Some(reference) = json["schema"]["$ref"].as_str() else {
                continue;
            };
            let name = reference.rsplit('/').next().unwrap();
            found.push((name, &json["example"]));
        }
        found
    }

    fn visit(&self, schema: &Value, value: &Value, at: &str, wrong: &mut Vec<String>) {
        if let Some(reference) = schema["$ref"].as_str() {
            let name = reference.rsplit('/').next().unwrap();
            self.visit(&self.0["components"]["schemas"][name], value, at, wrong);
            return;
        }
        if let Some(any) = schema["oneOf"].as_array() {
            let fits = |one: &Value| {
                let mut wrong = Vec::new();
                self.visit(one, value, at, &mut wrong);
                wrong.is_empty()
            };
            if !any.iter().any(fits) {
                wrong.push(format!("{at}: {value} is none of those allowed"));
            }
            return;
        }
        if !has_type(&schema["type"], value) {
            wrong.push(format!("{at}: {value} is no {}", schema["type"]));
            return;
        }
        if let Some(words) = schema["enum"].as_array()
            && !value.is_null()
            && !words.contains(value)
        {
            wrong.push(format!("{at}: {value} is none of {words:?}"));
        }
        if let (Some(items), Some(values)) = (schema.get("items"), value.as_array()) {
            for (place, value) in values.iter().enumerate() {
                self.visit(items, value, &format!("{at}/{place}"), wrong);
            }
        }
        let Some(fields) = value.as_object() else {
            return;
        };
        for name in schema["required"].as_array().into_iter().flatten() {
            if !fields.contains_key(name.as_str().unwrap()) {
                wrong.push(format!("{at}: {name} is missing"));
            }
        }
        for (name, value) in fields {
            match schema["properties"].get(name) {
                Some(schema) => self.visit(schema, value, &format!("{at}/{name}"), wrong),
                None if schema["additionalProperties"] == false => {
                    wrong.push(format!("{at}: {name} is not in the document"));
                }
                None => {}
            }
        }
    }
}

fn has_type(types: &Value, value: &Value) -> bool {
    let is = |name: &str| match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_u64(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("type {other}"),
    };
    match types {
        Value::String(name) => is(name),
        Value::Array(names) => names.iter().any(|name| is(name.as_str().unwrap())),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => true,
    }
}

#[test]
fn the_documents_examples_follow_it_and_others_do_not() {
    let contract = Contract::open();
    let examples = contract.examples();
    assert!(examples.len() > 10, "{}", examples.len());
    for (name, example) in examples {
        assert_eq!(
            contract.check(name, example),
            Vec::<String>::new(),
            "{name}"
        );
        let mut more = example.clone();
        more["surplus"] = Value::Bool(true);
        assert_eq!(contract.check(name, &more).len(), 1, "{name}");
        assert!(!contract.check(name, &Value::Null).is_empty());
    }
}
