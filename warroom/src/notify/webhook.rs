//! Signed POSTs. Redirects are not followed, proxies of the environment not used: who receives is
//! the address that was entered.

use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::hex;
use hmac::{Hmac, Mac};
use reqwest::{Client, Url, redirect};
use serde_json::Value;
use sha2::Sha256;

use super::address::AllowedHosts;
use crate::desk::Subscription;
use crate::limits::{ANSWER_BYTES_MAX, SEND_MS_MAX};

/// Who speaks HTTP.
pub(super) struct Webhooks {
    client: Client,
    allowed: AllowedHosts,
}

impl Webhooks {
    pub(super) fn new(private_hosts: &[String]) -> Result<Self, String> {
        // Whoever was first has installed it already, which is as good.
        rustls::crypto::ring::default_provider()
            .install_default()
            .ok();
        let allowed = AllowedHosts::new(private_hosts);
        let client = Client::builder()
            .no_proxy()
            .redirect(redirect::Policy::none())
            .timeout(Duration::from_millis(SEND_MS_MAX))
            .dns_resolver(Arc::new(allowed.clone()))
            .user_agent("tbsi-warroom")
            .build();
        Ok(Self {
            client: client.map_err(|error| crate::said::causes(&error))?,
            allowed,
        })
    }

    /// Sends a body, and returns the beginning of what is answered. Any status of success will do.
    pub(super) async fn send(
        &self,
        to: &Subscription,
        body: &Value,
        now_ms: u64,
    ) -> Result<Vec<u8>, String> {
        let url = Url::parse(&to.address).map_err(|error| error.to_string())?;
        if !self.allowed.allow(&url) {
            return Err("the address is private; `private_hosts` can allow it".into());
        }
        let body = body.to_string();
        let seconds = now_ms / 1_000;
        let request = self
            .client
            .post(url)
            .header("content-type", "application/json")
            .header("x-tbsi-timestamp", seconds.to_string())
            .header("x-tbsi-signature", signature(&to.secret, seconds, &body))
            .body(body);
        let sent = request.send().await;
        let mut answer = sent.map_err(|error| crate::said::causes(&error.without_url()))?;
        if !answer.status().is_success() {
            return Err(format!("status {}", answer.status().as_u16()));
        }
        let mut begun = Vec::new();
        while begun.len() < ANSWER_BYTES_MAX {
            let piece = answer.chunk().await;
            let piece = piece.map_err(|error| crate::said::causes(&error.without_url()))?;
            let Some(piece) = piece else {
                break;
            };
            begun.extend_from_slice(&piece);
        }
        begun.truncate(ANSWER_BYTES_MAX);
        Ok(begun)
    }
}

/// `sha256=` and the HMAC-SHA256 of the seconds, a full stop and the body.
fn signature(secret: &[u8], seconds: u64, body: &str) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(secret);
    let mut mac = mac.expect("HMAC takes a key of any length");
    mac.update(format!("{seconds}.").as_bytes());
    mac.update(body.as_bytes());
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made with `printf '1700000000.{"a":1}' | openssl dgst -sha256 -mac HMAC -macopt
    /// hexkey:0b…0b` (32 bytes).
    #[test]
    fn signatures_are_those_of_openssl() {
        let got = signature(&[0x0b; 32], 1_700_000_000, "{\"a\":1}");
        assert_eq!(got, SIGNED);
    }

    const SIGNED: &str = "sha256=83604725aec31f39ae0b1b0f1e1f87e46d9cd48606467e66828569c0a46004d3";
}
