//! Errors (RFC 9457).

use serde_json::{Value, json};

use crate::said::{Said, said};
use crate::store::ViewError;

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    code: &'static str,
    pub(crate) status: u16,
    said: Said,
    parameter: Option<&'static str>,
}

impl Problem {
    fn new(code: &'static str, status: u16, said: Said) -> Self {
        Self {
            code,
            status,
            said,
            parameter: None,
        }
    }

    /// What is wrong, for people.
    pub(crate) fn said(&self) -> Said {
        self.said.clone()
    }

    /// A parameter with a value that cannot be: `allowed` says which can.
    pub(crate) fn parameter(name: &'static str, allowed: &Said) -> Self {
        let said = said(
            format!("`{name}`: {}", allowed.en),
            format!("`{name}`：{}", allowed.zh_tw),
        );
        Self {
            parameter: Some(name),
            ..Self::new("parameter", 400, said)
        }
    }

    /// The log, as far as it is indexed, has no such thing.
    pub(crate) fn not_found(what: &Said) -> Self {
        Self::new("notFound", 404, what.clone())
    }

    pub(crate) fn no_path() -> Self {
        Self::not_found(&said(
            "There is no such path; /api/v1/openapi.json has all.",
            "沒有此路徑；全部路徑見 /api/v1/openapi.json。",
        ))
    }

    /// It may exist; the war room cannot prove it.
    pub(crate) fn not_known(what: &Said) -> Self {
        Self::new("notKnown", 404, what.clone())
    }

    pub(crate) fn too_many() -> Self {
        Self::new(
            "tooMany",
            429,
            said(
                "Too many requests from this address; wait a second.",
                "此位址的請求過多；請稍候一秒。",
            ),
        )
    }

    pub(crate) fn method() -> Self {
        Self::new(
            "method",
            405,
            said("Only GET and HEAD are answered.", "僅接受 GET 與 HEAD。"),
        )
    }

    pub(crate) fn index(problem: &str) -> Self {
        Self::new(
            "index",
            503,
            said(
                format!("The index cannot be read: {problem}"),
                format!("無法讀取索引：{problem}"),
            ),
        )
    }

    pub(crate) fn json(&self) -> Value {
        let title = match self.code {
            "parameter" => "A parameter is refused",
            "notFound" => "There is no such thing in the log",
            "notKnown" => "It is not known",
            "tooMany" => "Too many requests",
            "method" => "Another method than GET",
            _ => "The index cannot be read",
        };
        json!({
            "type": format!("urn:tbsi:warroom:{}", self.code),
            "title": title,
            "status": self.status,
            "detail": self.said.en,
            "detailZhTw": self.said.zh_tw,
            "parameter": self.parameter,
        })
    }
}

impl From<ViewError> for Problem {
    fn from(error: ViewError) -> Self {
        Self::index(&crate::said::causes(&error))
    }
}
