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
        serde_json::from_str(json.get()).map_err(|_| problem::<T>(index, json.get()))
    }

    /// The same of what must be an object: a list is not taken for its fields in their order.
    pub(crate) fn object<T: Deserialize<'a>>(&self, index: usize) -> Result<Option<T>, Failure> {
        let json = self.0.get(index).map(|json| json.get());
        if json.is_some_and(|json| json.starts_with('[')) {
            return Err(invalid_argument(index, "an object is expected, not a list"));
        }
        self.optional(index)
    }
}

/// What is wrong with an argument, and in which field of it.
fn problem<'a, T: Deserialize<'a>>(index: usize, json: &'a str) -> Failure {
    let mut json_reader = serde_json::Deserializer::from_str(json);
    let Err(error) = serde_path_to_error::deserialize::<_, T>(&mut json_reader) else {
        return invalid_argument(index, "one value is expected");
    };
    let path = error.path().to_string();
    let error = error.into_inner();
    let text = error.to_string();
    let position = format!(" at line {} column {}", error.line(), error.column());
    let text = in_words(text.strip_suffix(&position).unwrap_or(&text), json);
    match path.as_str() {
        "." | "" | "?" => invalid_argument(index, text),
        path => invalid_argument(index, &format!("{path}: {text}")),
    }
}

/// The words of a library, unless they say nothing to whoever called.
fn in_words<'a>(text: &'a str, json: &str) -> &'a str {
    let is_block_id = json.starts_with('{')
        && (json.contains("\"blockHash\"") || json.contains("\"blockNumber\""));
    if text.contains("Variadic") {
        "neither such a value (0x and its hex digits) nor a list of them"
    } else if is_block_id && text.starts_with("duplicate field") {
        "a block is named by `blockNumber` alone, or by `blockHash`, which `requireCanonical` may \
         stand beside (EIP-1898)"
    } else {
        text
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
    use alloy_eips::BlockId;
    use alloy_primitives::{Address, B256, U64};
    use alloy_rpc_types_eth::Filter;

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

    #[test]
    fn says_which_field_is_wrong() {
        fn check<T: for<'a> Deserialize<'a>>(json: &str, expected: &str) {
            let params = format!("[{json}]");
            let params = Params::new(Some(&params));
            let arguments = Arguments::split(&params, 1).unwrap();
            let failure = arguments.object::<T>(0).err().expect(json);
            let expected = format!("invalid argument 0: {expected}");
            assert!(
                failure.message().starts_with(&expected),
                "{}",
                failure.message()
            );
        }
        type Call = crate::eth::call::TransactionArguments;
        check::<Call>(r#"{"to":"vitalik.eth"}"#, "to: ");
        check::<Call>(
            r#"{"accessList":[{"address":1}]}"#,
            "accessList[0].address: ",
        );
        check::<Call>("[]", "an object is expected, not a list");
        check::<Call>(
            "\"0x\"",
            "invalid type: string \"0x\", expected a transaction's object",
        );
        let such = "neither such a value";
        check::<Filter>(r#"{"address":"0x1"}"#, &format!("address: {such}"));
        check::<Filter>(r#"{"topics":["0x1"]}"#, "topics");
        let both = format!(r#"{{"blockNumber":"0x1","blockHash":"{}"}}"#, B256::ZERO);
        check::<BlockId>(&both, "a block is named by `blockNumber` alone");
        let canonical = r#"{"blockNumber":"0x1","requireCanonical":true}"#;
        check::<BlockId>(canonical, "a block is named by `blockNumber` alone");
    }
}
