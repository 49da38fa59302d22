//! Positional arguments of a call, in go-ethereum's words when they are wrong.

use std::fmt;

use jsonrpsee::types::Params;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::error::{Failure, invalid_argument, invalid_params};
use crate::limits::ARGUMENTS_MAX;

/// The arguments as they came, none parsed yet.
pub(crate) struct Arguments<'a>(Vec<&'a RawValue>);

impl<'a> Arguments<'a> {
    /// Splits the `params` of a call that takes at most `count` arguments.
    pub(crate) fn split(params: &'a Params<'_>, count: usize) -> Result<Self, Failure> {
        let Some(json) = params.as_str().filter(|json| *json != "null") else {
            return Ok(Self(Vec::new()));
        };
        let arguments: Self =
            serde_json::from_str(json).map_err(|_| invalid_params("non-array args"))?;
        if arguments.0.len() > count {
            let message = format!("too many arguments, want at most {count}");
            return Err(invalid_params(message));
        }
        Ok(arguments)
    }

    /// That the first `required` arguments are there, and not null.
    pub(crate) fn have(&self, required: usize) -> Result<(), Failure> {
        let is_there = |index: &usize| self.0.get(*index).is_some_and(|it| it.get() != "null");
        match (0..required).find(|index| !is_there(index)) {
            Some(index) => Err(missing(index)),
            None => Ok(()),
        }
    }

    /// The argument at `index`, which must be there.
    pub(crate) fn required<T: Deserialize<'a>>(&self, index: usize) -> Result<T, Failure> {
        self.optional(index)?.ok_or_else(|| missing(index))
    }

    /// The argument at `index`; `None` if it is absent or null.
    pub(crate) fn optional<T: Deserialize<'a>>(&self, index: usize) -> Result<Option<T>, Failure> {
        let Some(json) = self.0.get(index) else {
            return Ok(None);
        };
        serde_json::from_str(json.get()).map_err(|error| {
            let text = error.to_string();
            let position = format!(" at line {} column {}", error.line(), error.column());
            invalid_argument(index, text.strip_suffix(&position).unwrap_or(&text))
        })
    }
}

fn missing(index: usize) -> Failure {
    invalid_params(format!("missing value for required argument {index}"))
}

impl<'de> Deserialize<'de> for Arguments<'de> {
    /// Keeps [`ARGUMENTS_MAX`] elements and skips the others: what a client sends must not
    /// decide how much is allocated.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Elements;
        impl<'de> Visitor<'de> for Elements {
            type Value = Arguments<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array")
            }

            fn visit_seq<A: SeqAccess<'de>>(
                self,
                mut sequence: A,
            ) -> Result<Self::Value, A::Error> {
                let mut elements = Vec::new();
                while elements.len() < ARGUMENTS_MAX {
                    match sequence.next_element()? {
                        Some(element) => elements.push(element),
                        None => return Ok(Arguments(elements)),
                    }
                }
                while sequence.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Arguments(elements))
            }
        }
        deserializer.deserialize_seq(Elements)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::{Address, U64};

    fn split(params: &str, count: usize) -> Result<usize, String> {
        Arguments::split(&Params::new(Some(params)), count)
            .map(|arguments| arguments.0.len())
            .map_err(|failure| failure.message().into())
    }

    #[test]
    fn takes_arrays_up_to_the_count() {
        assert_eq!(split("[]", 0), Ok(0));
        assert_eq!(split("null", 0), Ok(0));
        assert_eq!(split(r#"["a", {"b": [1]}]"#, 2), Ok(2));
        let too_many = "too many arguments, want at most 2".to_string();
        assert_eq!(split("[1,2,3]", 2), Err(too_many.clone()));
        let flood = format!("[{}1]", "1,".repeat(100_000));
        assert_eq!(split(&flood, 2), Err(too_many));
        assert_eq!(split(r#"{"a":1}"#, 2), Err("non-array args".into()));
        assert!(Arguments::split(&Params::new(None), 0).is_ok());
    }

    #[test]
    fn says_which_argument_is_wrong() {
        let check = |params: &str, expected: &str| {
            let params = Params::new(Some(params));
            let arguments = Arguments::split(&params, 2).unwrap();
            let address = arguments.required::<Address>(0);
            let number = address.and_then(|_| arguments.optional::<U64>(1));
            let failure = number.expect_err(expected);
            assert_eq!(failure.code(), -32602);
            let message = failure.message();
            assert!(message.starts_with(expected), "{message}");
            assert!(!message.contains(" at line "), "{message}");
        };
        check("[]", "missing value for required argument 0");
        check("[null]", "missing value for required argument 0");
        check(r#"["0x12"]"#, "invalid argument 0: ");
        check("[{}]", "invalid argument 0: ");
        let zero = Address::ZERO;
        check(&format!(r#"["{zero}", "0xzz"]"#), "invalid argument 1: ");
        check(&format!(r#"["{zero}", -1]"#), "invalid argument 1: ");
    }
}
