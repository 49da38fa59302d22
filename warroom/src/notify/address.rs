//! Where alerts may go. An operator enters addresses that others gave: none may lead into the
//! operator's own network, unless the configuration says so.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::desk::Channel;
use crate::limits::ADDRESS_BYTES_MAX;
use crate::said::{WarroomError, said};

/// Refuses an address to which nothing could ever be sent.
pub(super) fn check(channel: Channel, address: &str) -> Result<(), WarroomError> {
    let fits = address.len() <= ADDRESS_BYTES_MAX;
    let sound = match channel {
        Channel::Webhook => Url::parse(address).is_ok_and(|url| {
            let plain = url.username().is_empty() && url.password().is_none();
            matches!(url.scheme(), "http" | "https") && url.host().is_some() && plain
        }),
        Channel::Email => address.parse::<lettre::Address>().is_ok(),
    };
    if fits && sound {
        return Ok(());
    }
    let (en, zh_tw) = match channel {
        Channel::Webhook => (
            "a URL http:// or https:// without a password",
            "不含密碼的 http:// 或 https:// 網址",
        ),
        Channel::Email => ("an address of e-mail", "電子郵件地址"),
    };
    Err(said(
        format!("the address is not {en} of at most {ADDRESS_BYTES_MAX} bytes"),
        format!("地址須為{zh_tw}，最多 {ADDRESS_BYTES_MAX} 位元組"),
    )
    .into())
}

/// Addresses that nobody on the Internet has, and those of transition schemes, which may lead to
/// one of them.
pub(super) fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(it) => is_private_v4(it),
        IpAddr::V6(it) => is_private_v6(it),
    }
}

fn is_private_v4(it: Ipv4Addr) -> bool {
    let [a, b, c, _] = it.octets();
    it.is_private()
        || it.is_loopback()
        || it.is_link_local()
        || it.is_multicast()
        || it.is_documentation()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && (b == 18 || b == 19))
}

fn is_private_v6(it: Ipv6Addr) -> bool {
    if let Some(mapped) = it.to_ipv4() {
        return is_private_v4(mapped);
    }
    let [a, b, ..] = it.segments();
    let nat64 = a == 0x64 && b == 0xff9b;
    let unique_local = a & 0xfe00 == 0xfc00;
    let link_local = a & 0xffc0 == 0xfe80 || a & 0xffc0 == 0xfec0;
    let documentation = a == 0x2001 && b == 0xdb8;
    it.is_multicast()
        || nat64
        || unique_local
        || link_local
        || documentation
        || a == 0x2002
        || (a == 0x2001 && b == 0)
}

/// Which private hosts may be called.
#[derive(Clone, Debug)]
pub(super) struct AllowedHosts(Vec<String>);

impl AllowedHosts {
    pub(super) fn new(hosts: &[String]) -> Self {
        Self(hosts.iter().map(|it| it.to_lowercase()).collect())
    }

    fn names(&self, host: &str) -> bool {
        let host = host.trim_matches(['[', ']']).to_lowercase();
        self.0.contains(&host)
    }

    /// Whether a URL's host, if it is an address, may be called. Names are looked at when they
    /// are resolved.
    pub(super) fn allow(&self, url: &Url) -> bool {
        let Some(host) = url.host_str() else {
            return false;
        };
        let address: Option<IpAddr> = host.trim_matches(['[', ']']).parse().ok();
        self.names(host) || address.is_none_or(|it| !is_private(it))
    }
}

impl Resolve for AllowedHosts {
    fn resolve(&self, name: Name) -> Resolving {
        let (name, allowed) = (name.as_str().to_owned(), self.names(name.as_str()));
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let may = |it: &SocketAddr| allowed || !is_private(it.ip());
            let found: Vec<SocketAddr> = found.filter(may).collect();
            if found.is_empty() {
                let words = format!("{name} has no address that may be called: it is private");
                return Err(words.into());
            }
            let addresses: Addrs = Box::new(found.into_iter());
            Ok(addresses)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_addresses_are_known_in_every_writing() {
        for private in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "0.0.0.0",
            "100.64.0.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::1",
            "::",
            "fc00::1",
            "fe80::1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "2002:a00:1::",
            "2001:db8::1",
        ] {
            assert!(is_private(private.parse().unwrap()), "{private}");
        }
        for public in ["8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111"] {
            assert!(!is_private(public.parse().unwrap()), "{public}");
        }
    }

    #[test]
    fn a_url_may_not_lead_inwards() {
        let none = AllowedHosts::new(&[]);
        let some = AllowedHosts::new(&["127.0.0.1".into(), "Inside.Example".into()]);
        let url = |text: &str| Url::parse(text).unwrap();
        for inwards in ["http://127.0.0.1:1/", "http://0x7f000001/", "http://[::1]/"] {
            assert!(!none.allow(&url(inwards)), "{inwards}");
        }
        assert!(none.allow(&url("https://example.org/")));
        assert!(some.allow(&url("http://127.0.0.1:99/x")));
        assert!(!some.allow(&url("http://127.0.0.2/")));
        assert!(some.names("inside.example"));
    }

    #[test]
    fn addresses_have_a_form_and_a_length() {
        let long = format!("https://example.org/{}", "a".repeat(ADDRESS_BYTES_MAX));
        for (channel, address, good) in [
            (Channel::Webhook, "https://example.org/hook", true),
            (Channel::Webhook, "ftp://example.org/", false),
            (Channel::Webhook, "https://user:pass@example.org/", false),
            (Channel::Webhook, long.as_str(), false),
            (Channel::Webhook, "example.org", false),
            (Channel::Email, "someone@example.org", true),
            (Channel::Email, "a\r\nBcc: b@example.org", false),
            (Channel::Email, "someone", false),
        ] {
            assert_eq!(check(channel, address).is_ok(), good, "{address}");
        }
    }
}
