//! Parameters of a request, each with its bounds.

use alloy_primitives::{Address, B256};

use super::Problem;
use crate::limits::{PAGE, PAGE_MAX};
use crate::said::said;

/// Names and values of a query, decoded.
#[derive(Clone, Debug, Default)]
pub(crate) struct Params(pub(crate) Vec<(String, String)>);

impl Params {
    /// The value of a parameter; the last one, if it is there twice.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let mut all = self.0.iter().rev();
        let found = all.find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// A number between bounds.
    pub(crate) fn number(
        &self,
        name: &'static str,
        (min, max): (u64, u64),
    ) -> Result<Option<u64>, Problem> {
        let Some(text) = self.get(name) else {
            return Ok(None);
        };
        let number = text.parse().ok();
        let number = number.filter(|number| (min..=max).contains(number));
        number.map(Some).ok_or_else(|| {
            Problem::parameter(
                name,
                &said(
                    format!("a whole number from {min} to {max} is expected"),
                    format!("應為 {min} 至 {max} 的整數"),
                ),
            )
        })
    }

    pub(crate) fn limit(&self) -> Result<usize, Problem> {
        let limit = self.number("limit", (1, PAGE_MAX))?;
        Ok(usize::try_from(limit.unwrap_or(PAGE)).expect("a page is small"))
    }

    /// Where a page begins: what `next` of the one before said.
    pub(crate) fn cursor(&self) -> Result<Option<u64>, Problem> {
        self.number("cursor", (0, i64::MAX as u64))
    }

    pub(crate) fn hash(&self, name: &'static str) -> Result<Option<B256>, Problem> {
        let parse = |text: &str| text.parse().ok().filter(|_| text.starts_with("0x"));
        self.parsed(
            name,
            parse,
            "0x and 64 hex digits",
            "0x 與 64 個十六進位數字",
        )
    }

    pub(crate) fn account(&self, name: &'static str) -> Result<Option<Address>, Problem> {
        let parse = |text: &str| text.parse().ok().filter(|_| text.starts_with("0x"));
        self.parsed(
            name,
            parse,
            "0x and 40 hex digits",
            "0x 與 40 個十六進位數字",
        )
    }

    fn parsed<T>(
        &self,
        name: &'static str,
        parse: impl Fn(&str) -> Option<T>,
        en: &str,
        zh_tw: &str,
    ) -> Result<Option<T>, Problem> {
        let Some(text) = self.get(name) else {
            return Ok(None);
        };
        let wrong = || {
            Problem::parameter(
                name,
                &said(format!("{en} are expected"), format!("應為 {zh_tw}")),
            )
        };
        parse(text).map(Some).ok_or_else(wrong)
    }

    /// One of some words, by its place among them.
    pub(crate) fn choice(
        &self,
        name: &'static str,
        words: &[&str],
    ) -> Result<Option<usize>, Problem> {
        let Some(text) = self.get(name) else {
            return Ok(None);
        };
        let place = words.iter().position(|word| *word == text);
        place.map(Some).ok_or_else(|| {
            let words = words.join(", ");
            Problem::parameter(
                name,
                &said(
                    format!("one of {words} is expected"),
                    format!("應為下列之一：{words}"),
                ),
            )
        })
    }
}
