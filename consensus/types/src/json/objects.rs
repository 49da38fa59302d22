//! JSON in which what has named fields is an object.
//!
//! A type that derives `Deserialize` also takes a list of its fields' values in their order.
//! Readers in other languages do not, so such a file would be good here and no file there. All
//! JSON that strangers hand in is read with [`from_json`], at any depth.

use std::cell::RefCell;
use std::fmt;

use serde::de::value::StringDeserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error, IntoDeserializer,
    MapAccess, SeqAccess, VariantAccess, Visitor,
};

/// Reads one JSON value. A struct that is given as a list is refused. A value that does not fit is
/// refused with the name of its field.
///
/// Keys of maps are read as text. Types that look ahead (`flatten`, `untagged`, tags inside)
/// are not looked into.
pub fn from_json<T: DeserializeOwned>(text: &[u8]) -> serde_json::Result<T> {
    let mut source = serde_json::Deserializer::from_slice(text);
    let fault = Fault::default();
    let read = T::deserialize(Objects {
        inner: &mut source,
        path: &Path::Whole(&fault),
    });
    let value = read.map_err(|error| with_field(error, fault.into_inner()))?;
    source.end()?;
    Ok(value)
}

/// The field in which a value did not fit: the innermost is the first to know.
type Fault = RefCell<Option<String>>;

/// The same error, which names the field. Text that is no JSON has none.
fn with_field(error: serde_json::Error, field: Option<String>) -> serde_json::Error {
    let words = error.to_string();
    match field {
        Some(field) if error.is_data() && !words.contains(&format!("`{field}`")) => {
            serde_json::Error::custom(format!("field `{field}`: {words}"))
        }
        Some(_) | None => error,
    }
}

/// Where in the document.
enum Path<'a> {
    Whole(&'a Fault),
    Key(&'a Path<'a>, &'a str),
    Item(&'a Path<'a>, usize),
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(_) => Ok(()),
            Self::Key(Self::Whole(_), key) => f.write_str(key),
            Self::Key(parent, key) => write!(f, "{parent}.{key}"),
            Self::Item(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

impl Path<'_> {
    /// Remembers that what is here did not fit, unless something within it did not.
    fn is_at_fault(&self) {
        match self {
            Self::Whole(_) => {}
            Self::Key(parent, _) | Self::Item(parent, _) => {
                let mut fault = parent.fault().borrow_mut();
                fault.get_or_insert_with(|| self.to_string());
            }
        }
    }

    fn fault(&self) -> &Fault {
        match self {
            Self::Whole(fault) => fault,
            Self::Key(parent, _) | Self::Item(parent, _) => parent.fault(),
        }
    }
}

/// A deserializer, seed, access or visitor of the same kind as `inner`, for what is at `path`.
struct Objects<'a, T> {
    inner: T,
    path: &'a Path<'a>,
}

/// A visitor for what has named fields, if `named`.
struct Inside<'a, V> {
    inner: V,
    path: &'a Path<'a>,
    named: bool,
}

impl<'a, T> Objects<'a, T> {
    fn inside<V>(&self, inner: V) -> Inside<'a, V> {
        let (path, named) = (self.path, false);
        Inside { inner, path, named }
    }

    fn named<V>(&self, inner: V) -> Inside<'a, V> {
        let (path, named) = (self.path, true);
        Inside { inner, path, named }
    }
}

macro_rules! forward {
    ($($method:ident($($name:ident: $kind:ty),*)),* $(,)?) => {$(
        fn $method<V: Visitor<'de>>(
            self, $($name: $kind,)* visitor: V,
        ) -> Result<V::Value, D::Error> {
            let visitor = self.inside(visitor);
            self.inner.$method($($name,)* visitor)
        }
    )*};
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Objects<'_, D> {
    type Error = D::Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let visitor = self.named(visitor);
        self.inner.deserialize_struct(name, fields, visitor)
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }

    forward! {
        deserialize_any(), deserialize_bool(), deserialize_i8(), deserialize_i16(),
        deserialize_i32(), deserialize_i64(), deserialize_i128(), deserialize_u8(),
        deserialize_u16(), deserialize_u32(), deserialize_u64(), deserialize_u128(),
        deserialize_f32(), deserialize_f64(), deserialize_char(), deserialize_str(),
        deserialize_string(), deserialize_bytes(), deserialize_byte_buf(), deserialize_option(),
        deserialize_unit(), deserialize_unit_struct(name: &'static str),
        deserialize_newtype_struct(name: &'static str), deserialize_seq(),
        deserialize_tuple(len: usize),
        deserialize_tuple_struct(name: &'static str, len: usize), deserialize_map(),
        deserialize_enum(name: &'static str, variants: &'static [&'static str]),
        deserialize_identifier(), deserialize_ignored_any(),
    }
}

macro_rules! values {
    ($($method:ident($kind:ty)),* $(,)?) => {$(
        fn $method<E: Error>(self, value: $kind) -> Result<V::Value, E> {
            self.inner.$method(value)
        }
    )*};
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Inside<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.expecting(f)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        if self.named {
            let problem = "must be a JSON object with named fields, not a list of their values";
            return Err(A::Error::custom(match self.path {
                Path::Whole(_) => format!("the document {problem}"),
                path @ (Path::Key(..) | Path::Item(..)) => format!("field `{path}` {problem}"),
            }));
        }
        self.inner.visit_seq(Items {
            inner: access,
            path: self.path,
            next: 0,
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        self.inner.visit_map(Entries {
            inner: access,
            path: self.path,
            key: String::new(),
        })
    }

    fn visit_enum<A: EnumAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        self.inner.visit_enum(Objects {
            inner: access,
            path: self.path,
        })
    }

    fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        let path = self.path;
        self.inner.visit_some(Objects { inner, path })
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        let path = self.path;
        self.inner.visit_newtype_struct(Objects { inner, path })
    }

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.inner.visit_none()
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.inner.visit_unit()
    }

    values! {
        visit_bool(bool), visit_i64(i64), visit_i128(i128), visit_u64(u64), visit_u128(u128),
        visit_f64(f64), visit_char(char), visit_str(&str), visit_borrowed_str(&'de str),
        visit_string(String), visit_bytes(&[u8]), visit_borrowed_bytes(&'de [u8]),
        visit_byte_buf(Vec<u8>),
    }
}

/// A list; each item has its position in the path.
struct Items<'a, A> {
    inner: A,
    path: &'a Path<'a>,
    next: usize,
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Items<'_, A> {
    type Error = A::Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, A::Error> {
        let path = &Path::Item(self.path, self.next);
        self.next += 1;
        let read = self.inner.next_element_seed(Objects { inner: seed, path });
        read.inspect_err(|_| path.is_at_fault())
    }

    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

/// An object; each value has its key in the path.
struct Entries<'a, A> {
    inner: A,
    path: &'a Path<'a>,
    key: String,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Entries<'_, A> {
    type Error = A::Error;

    fn next_key_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, A::Error> {
        let Some(key) = self.inner.next_key::<String>()? else {
            return Ok(None);
        };
        self.key.clone_from(&key);
        let key: StringDeserializer<A::Error> = key.into_deserializer();
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, A::Error> {
        let path = &Path::Key(self.path, &self.key);
        let read = self.inner.next_value_seed(Objects { inner: seed, path });
        read.inspect_err(|_| path.is_at_fault())
    }

    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

impl<'de, T: DeserializeSeed<'de>> DeserializeSeed<'de> for Objects<'_, T> {
    type Value = T::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T::Value, D::Error> {
        let (inner, path) = (deserializer, self.path);
        self.inner.deserialize(Objects { inner, path })
    }
}

impl<'a, 'de, A: EnumAccess<'de>> EnumAccess<'de> for Objects<'a, A> {
    type Error = A::Error;
    type Variant = Objects<'a, A::Variant>;

    fn variant_seed<T: DeserializeSeed<'de>>(
        self,
        seed: T,
    ) -> Result<(T::Value, Self::Variant), A::Error> {
        let (value, inner) = self.inner.variant_seed(seed)?;
        let path = self.path;
        Ok((value, Objects { inner, path }))
    }
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for Objects<'_, A> {
    type Error = A::Error;

    fn unit_variant(self) -> Result<(), A::Error> {
        self.inner.unit_variant()
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, A::Error> {
        let path = self.path;
        let seed = Objects { inner: seed, path };
        self.inner.newtype_variant_seed(seed)
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, A::Error> {
        let visitor = self.inside(visitor);
        self.inner.tuple_variant(len, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        let visitor = self.named(visitor);
        self.inner.struct_variant(fields, visitor)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::Value;

    use super::*;
    use serde::Deserialize;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Part {
        a: u64,
        #[serde(default)]
        b: Option<Box<Part>>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    enum Choice {
        Nothing,
        One(Part),
        Named { part: Part },
        Two(u8, u8),
    }

    #[derive(Debug, Deserialize)]
    struct All {
        parts: Vec<Part>,
        by_name: BTreeMap<String, Part>,
        #[serde(default)]
        choices: Vec<Choice>,
        #[serde(default)]
        pair: (u8, u8),
        #[serde(default)]
        any: Value,
        raw: Vec<u8>,
    }

    const GOOD: &str = r#"{"parts": [{"a": 1}, {"a": 2, "b": {"a": 3}}], "by_name": {"x": {"a": 4}},
        "choices": ["Nothing", {"One": {"a": 5}}, {"Named": {"part": {"a": 6}}}, {"Two": [7, 8]}],
        "pair": [9, 10], "any": {"list": [1, 2.5, null]}, "raw": [ 1 ]}"#;

    #[test]
    fn all_other_json_is_read_as_before() {
        let read: All = from_json(GOOD.as_bytes()).unwrap();
        let plain: All = serde_json::from_str(GOOD).unwrap();
        assert_eq!(format!("{read:?}"), format!("{plain:?}"));
        assert_eq!(read.choices.len(), 4);
        assert_eq!((read.pair, read.raw), ((9, 10), vec![1]));
        assert_eq!(read.by_name["x"].a, 4);
        assert_eq!(read.parts[1].b.as_ref().unwrap().a, 3);
        assert_eq!(read.any["list"][1], 2.5);
    }

    #[test]
    fn a_list_in_place_of_an_object_is_refused_by_name() {
        for (from, to, field) in [
            (r#"[{"a": 1}"#, "[[1, null]", "`parts[0]`"),
            (r#""b": {"a": 3}"#, r#""b": [3, null]"#, "`parts[1].b`"),
            (r#"{"a": 4}"#, "[4, null]", "`by_name.x`"),
            (r#"{"a": 5}"#, "[5, null]", "`choices[1]`"),
            (r#"{"part": {"a": 6}}"#, r#"[{"a": 6}]"#, "`choices[2]`"),
            (GOOD, "[[], {}, [], [1, 2], null, [1]]", "the document"),
        ] {
            let text = GOOD.replace(from, to);
            assert_ne!(text, GOOD);
            // Which is why.
            serde_json::from_str::<All>(&text).unwrap();
            let error = from_json::<All>(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains("must be a JSON object"), "{error}");
            assert!(error.contains(field), "{field} is not in: {error}");
            assert!(error.contains("line "), "{error}");
        }
    }

    #[test]
    fn a_value_that_does_not_fit_is_named() {
        for (from, to, words) in [
            (
                r#"{"a": 4}"#,
                r#"{"a": "x"}"#,
                "field `by_name.x.a`: invalid type",
            ),
            (
                r#""b": {"a": 3}"#,
                r#""b": {"a": -3}"#,
                "field `parts[1].b.a`: invalid value",
            ),
            (
                r#"{"a": 4}"#,
                r#"{"b": null}"#,
                "field `by_name.x`: missing field `a`",
            ),
            (
                r#"{"a": 4}"#,
                r#"{"a": 4, "c": 1}"#,
                "field `by_name.x`: unknown field `c`",
            ),
        ] {
            let text = GOOD.replace(from, to);
            assert_ne!(text, GOOD);
            let error = from_json::<All>(text.as_bytes()).unwrap_err();
            assert!(error.is_data() && error.line() > 0, "{error}");
            assert!(error.to_string().starts_with(words), "{error}");
        }
        let cut = &GOOD[..GOOD.len() - 2];
        assert!(from_json::<All>(cut.as_bytes()).unwrap_err().is_eof());
    }

    #[test]
    fn what_is_wrong_otherwise_stays_wrong() {
        for bad in [
            "",
            "{",
            r#"{"a": 1} 2"#,
            r#"{"a": 1, "a": 2}"#,
            r#"{"a": 1, "c": 2}"#,
            r#"{"a": -1}"#,
            "1",
        ] {
            assert!(from_json::<Part>(bad.as_bytes()).is_err(), "{bad}");
        }
        let deep = [r#"{"a":1,"b":"#.repeat(200), "null".into(), "}".repeat(200)].concat();
        let error = from_json::<Part>(deep.as_bytes()).unwrap_err().to_string();
        assert!(error.contains("recursion limit"), "{error}");
    }
}
