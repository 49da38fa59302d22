//! Tokens of an operator's listener: JSON Web Tokens with HS256, as Ethereum's engine API has
//! them. The secret is 32 bytes that both sides have in a file; a token is good for a minute.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use ring::hmac;
use serde::Deserialize;
use tbsi_types::TimestampMs;

/// Seconds that a token's time may be away from ours.
const AGE_S_MAX: u64 = 60;

/// Bytes of a token.
const TOKEN_BYTES_MAX: usize = 4 * 1024;

/// With what tokens are checked.
#[derive(Clone)]
pub struct TokenSecret {
    secret: [u8; 32],
    clock: fn() -> TimestampMs,
}

impl std::fmt::Debug for TokenSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenSecret")
    }
}

#[derive(Deserialize)]
struct Header {
    alg: String,
}

#[derive(Deserialize)]
struct Claims {
    iat: Option<u64>,
    exp: Option<u64>,
}

impl TokenSecret {
    /// Compares times with what `clock` says.
    pub fn new(secret: [u8; 32], clock: fn() -> TimestampMs) -> Self {
        Self { secret, clock }
    }

    /// Whether a request carries a token that is good now; if not, why.
    pub(crate) fn check(&self, headers: &HeaderMap) -> Result<(), String> {
        let value = headers.get(AUTHORIZATION);
        let value = value.and_then(|value| value.to_str().ok());
        let token = value.and_then(|value| {
            let (scheme, token) = value.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
        });
        let Some(token) = token else {
            return Err(
                "missing token: send `authorization: Bearer TOKEN`, a JSON Web Token with HS256"
                    .into(),
            );
        };
        self.check_token(token, (self.clock)().0 / 1_000)
    }

    fn check_token(&self, token: &str, now: u64) -> Result<(), String> {
        let parts: Vec<&str> = token.split('.').collect();
        let [header, claims, signature] = parts[..] else {
            return Err("token is malformed: it has not three parts".into());
        };
        if token.len() > TOKEN_BYTES_MAX {
            return Err(format!("token has more than {TOKEN_BYTES_MAX} bytes"));
        }
        let malformed = |part: &str| format!("token is malformed: its {part} cannot be read");
        let algorithm = decode::<Header>(header)
            .ok_or_else(|| malformed("header"))?
            .alg;
        if algorithm != "HS256" {
            return Err("signing method is invalid: HS256 is wanted".into());
        }
        let signed = &token[..header.len() + 1 + claims.len()];
        let signature = URL_SAFE_NO_PAD.decode(signature);
        let signature = signature.map_err(|_| malformed("signature"))?;
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.secret);
        if hmac::verify(&key, signed.as_bytes(), &signature).is_err() {
            return Err("signature is invalid: it is not made with this node's secret".into());
        }
        let claims = decode::<Claims>(claims).ok_or_else(|| malformed("claims"))?;
        if claims.exp.is_some_and(|exp| exp <= now) {
            return Err("token is expired".into());
        }
        let Some(issued) = claims.iat else {
            return Err("missing issued-at: `iat` must be seconds since 1970".into());
        };
        let (word, distance) = if issued > now {
            ("future", issued - now)
        } else {
            ("stale", now - issued)
        };
        if distance <= AGE_S_MAX {
            return Ok(());
        }
        Err(format!(
            "{word} token: its time is {distance} s from this node's, {AGE_S_MAX} are allowed; \
             make a new one, or compare the clocks"
        ))
    }
}

fn decode<T: for<'de> Deserialize<'de>>(part: &str) -> Option<T> {
    let json = URL_SAFE_NO_PAD.decode(part).ok()?;
    serde_json::from_slice(&json).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_700_000_000;

    fn secret() -> TokenSecret {
        TokenSecret::new([7; 32], || TimestampMs(NOW * 1_000 + 999))
    }

    fn token(header: &str, claims: &str, key: [u8; 32]) -> String {
        let parts = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part));
        let signed = parts.join(".");
        let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
        let signature = URL_SAFE_NO_PAD.encode(hmac::sign(&key, signed.as_bytes()));
        format!("{signed}.{signature}")
    }

    fn check(token: &str, words: Option<&str>) {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, format!("bearer {token}").parse().unwrap());
        let checked = secret().check(&headers);
        match words {
            None => assert_eq!(checked, Ok(()), "{token}"),
            Some(words) => {
                let reason = checked.expect_err(token);
                assert!(reason.contains(words), "{reason}");
            }
        }
    }

    #[test]
    fn takes_tokens_of_its_secret_for_a_minute() {
        const HEADER: &str = r#"{"typ":"JWT","alg":"HS256"}"#;
        let good = |claims: &str| token(HEADER, claims, [7; 32]);
        for (age, words) in [
            (0, None),
            (60, None),
            (-60, None),
            (61, Some("stale token: its time is 61 s")),
            (-61, Some("future token: its time is 61 s")),
        ] {
            let iat = NOW.checked_add_signed(-age).unwrap();
            check(&good(&format!(r#"{{"iat":{iat}}}"#)), words);
        }
        check(&good("{}"), Some("missing issued-at"));
        check(&good(r#"{"iat":null}"#), Some("missing issued-at"));
        check(&good(r#"{"iat":"now"}"#), Some("claims cannot be read"));
        let expired = format!(r#"{{"iat":{NOW},"exp":{NOW}}}"#);
        check(&good(&expired), Some("token is expired"));
        let ends = format!(r#"{{"iat":{NOW},"exp":{},"id":"x"}}"#, NOW + 1);
        check(&good(&ends), None);
        let claims = format!(r#"{{"iat":{NOW}}}"#);
        check(
            &token(HEADER, &claims, [8; 32]),
            Some("signature is invalid"),
        );
        for header in [
            r#"{"alg":"none"}"#,
            r#"{"alg":"hs256"}"#,
            r#"{"alg":"HS512"}"#,
        ] {
            check(
                &token(header, &claims, [7; 32]),
                Some("signing method is invalid"),
            );
        }
        let whole = good(&claims);
        let (signed, _) = whole.rsplit_once('.').unwrap();
        check(signed, Some("three parts"));
        check(&format!("{signed}."), Some("signature is invalid"));
        check(&format!("{whole}A"), Some("signature"));
        check(&format!("{signed}.!"), Some("signature cannot be read"));
        check(&format!("{}.b.c", "a".repeat(5_000)), Some("4096 bytes"));
        check("a.b.c", Some("header cannot be read"));
    }

    #[test]
    fn says_that_there_is_no_token() {
        for value in [None, Some("Basic dXNlcg=="), Some("bearer"), Some("")] {
            let mut headers = HeaderMap::new();
            if let Some(value) = value {
                headers.insert(AUTHORIZATION, value.parse().unwrap());
            }
            let reason = secret().check(&headers).unwrap_err();
            assert!(reason.starts_with("missing token"), "{reason}");
        }
        assert_eq!(format!("{:?}", secret()), "TokenSecret");
    }
}
