//! Bytes in JSON, in one way only: `0x` and hex digits, none of them a capital. So a proof with
//! any bit changed is another proof.

use std::borrow::Cow;
use std::fmt::Display;
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer, Error};

struct Strict<T>(T);

impl<'de, T: FromStr<Err: Display>> Deserialize<'de> for Strict<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        let capital = text.bytes().any(|byte| byte.is_ascii_uppercase());
        if capital || !text.starts_with("0x") {
            let problem = "bytes must be 0x and hex digits in small letters";
            return Err(D::Error::custom(problem));
        }
        text.parse().map(Self).map_err(D::Error::custom)
    }
}

/// One value.
pub(in crate::bundle) fn one<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: FromStr<Err: Display>,
    D: Deserializer<'de>,
{
    Strict::deserialize(deserializer).map(|strict| strict.0)
}

/// A list of values.
pub(in crate::bundle) fn list<'de, T, D>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    T: FromStr<Err: Display>,
    D: Deserializer<'de>,
{
    let list = Vec::<Strict<T>>::deserialize(deserializer)?;
    Ok(list.into_iter().map(|strict| strict.0).collect())
}

/// A value, or null.
pub(in crate::bundle) fn maybe<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: FromStr<Err: Display>,
    D: Deserializer<'de>,
{
    let value = Option::<Strict<T>>::deserialize(deserializer)?;
    Ok(value.map(|strict| strict.0))
}

/// A value: for what may be missing, but is not null.
pub(in crate::bundle) fn some<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: FromStr<Err: Display>,
    D: Deserializer<'de>,
{
    one(deserializer).map(Some)
}
