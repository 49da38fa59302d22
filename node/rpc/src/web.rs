//! Which web pages may call a node, and under which names it is reached: what the operator's
//! entries mean, and which of them no browser or client could ever match.

use std::fmt;
use std::net::IpAddr;

/// Ports that browsers leave out of an origin.
const DEFAULT_PORTS: [(&str, u16); 2] = [("http", 80), ("https", 443)];

/// Schemes of pages and of applications that show pages.
const SCHEMES: [&str; 5] = ["http", "https", "capacitor", "ionic", "tauri"];

/// Schemes of browser extensions end so.
const EXTENSION: &str = "-extension";

/// What a name may be.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Name {
    Any,
    /// Every name that ends with this, which begins with a dot.
    Below(String),
    Exact(String),
}

impl Name {
    fn parse(text: &str) -> Option<Self> {
        if text == "*" {
            return Some(Self::Any);
        }
        let (below, rest) = match text.strip_prefix("*.") {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        let labels = || rest.split('.');
        let is_name = labels().all(|label| !label.is_empty() && label.bytes().all(plain));
        let is_v6 = rest
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
            .is_some_and(|address| address.parse::<std::net::Ipv6Addr>().is_ok());
        match (is_name, is_v6, below) {
            (true, _, true) => Some(Self::Below(format!(".{rest}"))),
            (true, _, false) | (_, true, false) => Some(Self::Exact(rest.into())),
            (false, _, _) => None,
        }
    }

    fn allows(&self, name: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Exact(exact) => exact.eq_ignore_ascii_case(name),
            Self::Below(end) => {
                let start = name.len().checked_sub(end.len());
                start.is_some_and(|start| {
                    start > 0
                        && name.is_char_boundary(start)
                        && name[start..].eq_ignore_ascii_case(end)
                })
            }
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Port {
    Any,
    Exact(Option<u16>),
}

/// An entry of a list of origins: `*`, `https://a.example`, `https://*.a.example`,
/// `http://localhost:*`, `chrome-extension://ID` or `moz-extension://*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OriginRule(Option<(String, Name, Port)>);

/// Why an entry is none, and what it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct WebRuleError {
    entry: String,
    problem: &'static str,
}

impl fmt::Display for WebRuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}", self.entry.escape_debug(), self.problem)
    }
}

impl OriginRule {
    /// Any page.
    pub(crate) const ANY: Self = Self(None);

    /// Reads an entry.
    pub(crate) fn parse(entry: &str) -> Result<Self, WebRuleError> {
        let wrong = |problem| WebRuleError {
            entry: entry.into(),
            problem,
        };
        if entry == "*" {
            return Ok(Self::ANY);
        }
        let Some((scheme, rest)) = entry.split_once("://") else {
            return Err(wrong(
                "is not an origin: write its scheme too, like https://a.example",
            ));
        };
        let scheme = scheme.to_ascii_lowercase();
        let is_extension = scheme.len() > EXTENSION.len() && scheme.ends_with(EXTENSION);
        if !is_extension && !SCHEMES.contains(&scheme.as_str()) {
            return Err(wrong(
                "is not an origin of pages or of browser extensions, like https://a.example or \
                 chrome-extension://ID",
            ));
        }
        if rest.contains(['/', '?', '#', '@']) {
            return Err(wrong(
                "is more than an origin: leave out what stands after the host, and the slash",
            ));
        }
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, "*")) => (host, Port::Any),
            Some((host, port)) if !port.contains(']') => {
                let number = port
                    .parse()
                    .ok()
                    .filter(|number: &u16| *number > 0 && number.to_string() == port);
                let Some(number) = number else {
                    return Err(wrong("has no port that can be: use 1 to 65535, or *"));
                };
                (host, Port::Exact(Some(number)))
            }
            Some(_) | None => (rest, Port::Exact(None)),
        };
        if let Port::Exact(Some(number)) = port
            && DEFAULT_PORTS.contains(&(scheme.as_str(), number))
        {
            return Err(wrong("has the port that browsers leave out: leave it out"));
        }
        let name = Name::parse(host).filter(|name| is_extension || *name != Name::Any);
        let name = name.ok_or_else(|| {
            wrong("has no host that can be: use a name, *.name, or an address; for any page, `*`")
        })?;
        Ok(Self(Some((scheme, name, port))))
    }

    /// Whether a page whose browser says that it is from `origin` is meant.
    pub(crate) fn allows(&self, origin: &str) -> bool {
        let Some((scheme, name, port)) = &self.0 else {
            return true;
        };
        let Some((origin_scheme, rest)) = origin.split_once("://") else {
            return false; // `null`
        };
        let (host, origin_port) = match rest.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, port.parse().ok()),
            Some(_) | None => (rest, None),
        };
        let port_matches = match port {
            Port::Any => true,
            Port::Exact(port) => *port == origin_port,
        };
        origin_scheme.eq_ignore_ascii_case(scheme) && port_matches && name.allows(host)
    }
}

/// An entry of a list of names under which a node is reached: `*`, `node.example`,
/// `*.example`. Addresses and `localhost` need no entry: no foreign page can take them over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HostRule(Name);

impl HostRule {
    /// Reads an entry.
    pub(crate) fn parse(entry: &str) -> Result<Self, WebRuleError> {
        let problem = "is not a name: write it without scheme, port and path, like node.example";
        let name = Name::parse(entry).filter(|_| !entry.starts_with('['));
        name.map(Self).ok_or_else(|| WebRuleError {
            entry: entry.into(),
            problem,
        })
    }

    /// Whether a request whose `Host` header says this is one to the node.
    pub(crate) fn allows(&self, host: &str) -> bool {
        self.0.allows(without_port(host))
    }

    /// Whether what a `Host` header says needs no entry.
    pub(crate) fn is_allowed_always(host: &str) -> bool {
        let name = without_port(host);
        let address = name.trim_start_matches('[').trim_end_matches(']');
        name.eq_ignore_ascii_case("localhost") || address.parse::<IpAddr>().is_ok()
    }
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => name,
        Some(_) | None => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_meant_by_its_scheme_host_and_port() {
        let check = |rule: &str, allowed: &[&str], others: &[&str]| {
            let parsed = OriginRule::parse(rule).unwrap_or_else(|error| panic!("{error}"));
            for origin in allowed {
                assert!(parsed.allows(origin), "{rule} {origin}");
            }
            for origin in others {
                assert!(!parsed.allows(origin), "{rule} {origin}");
            }
        };
        let id = "chrome-extension://nkbihfbeogaeaoehlefnkodbefgpgknn";
        check("*", &["https://a.example", "null", "", id], &[]);
        check(
            "https://a.example",
            &["https://a.example", "HTTPS://A.example"],
            &[
                "http://a.example",
                "https://a.example:8443",
                "https://b.a.example",
                "https://a.example.evil",
                "null",
                "",
                "a.example",
            ],
        );
        check(
            "https://*.a.example",
            &["https://b.a.example", "https://c.b.a.example"],
            &[
                "https://a.example",
                "https://.a.example",
                "https://xa.example",
                "http://b.a.example",
            ],
        );
        check(
            "http://localhost:*",
            &["http://localhost", "http://localhost:5173"],
            &["http://localhost.evil:5173", "https://localhost:5173"],
        );
        check(
            "http://[::1]:3000",
            &["http://[::1]:3000"],
            &["http://[::1]", "http://[::2]:3000"],
        );
        check(
            "http://192.0.2.1:81",
            &["http://192.0.2.1:81"],
            &["http://192.0.2.1"],
        );
        check(
            id,
            &[id],
            &["chrome-extension://other", "moz-extension://nkbi"],
        );
        check(
            "moz-extension://*",
            &["moz-extension://2f2c2a1e-0000-4000-8000-000000000000"],
            &[id, "https://a.example"],
        );
        check(
            "safari-web-extension://ABC-1",
            &["safari-web-extension://abc-1"],
            &[],
        );
        check(
            "tauri://localhost",
            &["tauri://localhost"],
            &["http://localhost"],
        );
    }

    #[test]
    fn what_no_browser_sends_is_refused_with_the_remedy() {
        for (entry, words) in [
            ("", "write its scheme too"),
            ("a.example", "write its scheme too"),
            ("null", "write its scheme too"),
            ("https://", "no host that can be"),
            ("https://*", "for any page, `*`"),
            ("https://a.*.example", "no host that can be"),
            ("https://a..example", "no host that can be"),
            ("https://a example", "no host that can be"),
            ("https://a\n", "no host that can be"),
            ("https://a.example/", "leave out what stands after the host"),
            (
                "https://a.example/b",
                "leave out what stands after the host",
            ),
            (
                "https://u@a.example",
                "leave out what stands after the host",
            ),
            ("https://a.example:443", "leave it out"),
            ("http://a.example:80", "leave it out"),
            ("https://a.example:0", "no port that can be"),
            ("https://a.example:", "no port that can be"),
            ("https://a.example:+81", "no port that can be"),
            ("https://a.example:65536", "no port that can be"),
            ("https://[::g]", "no host that can be"),
            ("ftp://a", "not an origin of pages"),
            ("file://a", "not an origin of pages"),
            ("-extension://a", "not an origin of pages"),
        ] {
            let error = OriginRule::parse(entry).expect_err(entry).to_string();
            assert!(error.contains(words), "{error}");
            assert!(error.starts_with('`') && !error.contains('\n'), "{error}");
        }
    }

    #[test]
    fn a_host_is_meant_by_its_name() {
        let rule = |entry| HostRule::parse(entry).unwrap();
        assert!(rule("node.example").allows("NODE.example:8545"));
        assert!(!rule("node.example").allows("node.example.evil"));
        assert!(rule("*.example").allows("a.b.example"));
        assert!(!rule("*.example").allows("example"));
        assert!(rule("*").allows("anything"));
        for host in [
            "localhost",
            "LOCALHOST:1",
            "127.0.0.1:8545",
            "[::1]:8545",
            "[::1]",
            "192.0.2.1",
        ] {
            assert!(HostRule::is_allowed_always(host), "{host}");
        }
        for host in ["", "localhost.evil", "127.0.0.1.evil", "evil:127", "evil"] {
            assert!(!HostRule::is_allowed_always(host), "{host}");
        }
        for entry in ["", "http://a", "a:1", "a/b", "[::1]", "a b", "*."] {
            let error = HostRule::parse(entry).expect_err(entry).to_string();
            assert!(error.contains("without scheme, port and path"), "{error}");
        }
    }
}
