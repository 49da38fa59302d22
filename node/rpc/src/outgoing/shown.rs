//! Addresses as they may be shown. Providers of JSON-RPC put keys into them, in the path or the
//! query.

use reqwest::Url;

/// Characters of a part of a path that could be a key.
const KEY_CHARS_MIN: usize = 20;
/// Of which so many are shown, to tell it from another.
const KEY_CHARS_SHOWN: usize = 4;

/// The address that was given, as given where nothing of it could be a secret.
pub(super) fn shown(text: &str, url: &Url) -> String {
    let is_key = |part: &str| part.len() >= KEY_CHARS_MIN;
    if url.query().is_none() && url.fragment().is_none() && !url.path().split('/').any(is_key) {
        return text.into();
    }
    let part = |part: &str| match is_key(part) {
        true => {
            let shown: String = part.chars().take(KEY_CHARS_SHOWN).collect();
            format!("{shown}…")
        }
        false => part.to_owned(),
    };
    let path: Vec<String> = url.path().split('/').map(part).collect();
    let query = if url.query().is_some() { "?…" } else { "" };
    let origin = url.origin().ascii_serialization();
    format!("{origin}{}{query}", path.join("/"))
}

/// Of a text that may be no address: the same as far as it is one, and nothing before an `@` and
/// after a `?` otherwise.
pub(super) fn redacted(text: &str) -> String {
    if let Ok(url) = text.parse::<Url>()
        && url.has_host()
        && url.username().is_empty()
        && url.password().is_none()
    {
        return shown(text, &url);
    }
    let (text, query) = match text.split_once('?') {
        Some((text, _)) => (text, "?…"),
        None => (text, ""),
    };
    match text.rsplit_once('@') {
        Some((_, host)) => format!("…@{host}{query}"),
        None => format!("{text}{query}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_in_addresses_are_not_shown() {
        const KEY: &str = "0123456789abcdef0123456789abcdef";
        for (given, expected) in [
            ("http://127.0.0.1:8545", "http://127.0.0.1:8545"),
            ("https://node.example/rpc/", "https://node.example/rpc/"),
            (
                &*format!("https://rpc.example/v3/{KEY}"),
                "https://rpc.example/v3/0123…",
            ),
            (
                &*format!("https://rpc.example/v3?key={KEY}"),
                "https://rpc.example/v3?…",
            ),
            (&*format!("https://me:{KEY}@rpc.example/"), "…@rpc.example/"),
            (&*format!("me:{KEY}@rpc.example?{KEY}"), "…@rpc.example?…"),
            ("", ""),
            ("x y", "x y"),
        ] {
            let found = redacted(given);
            assert_eq!(found, expected, "{given}");
            assert!(!found.contains(KEY), "{found}");
        }
    }
}
