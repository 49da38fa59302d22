//! Flags that many commands take, and values as they are typed.

use std::path::PathBuf;

use tbsi_governance::standing::{Permissions, UNLIMITED};
use tbsi_types::NodeEndpoint;

use super::words::REASONS;
use crate::lang::Language;
use crate::password::PasswordFile;
use crate::report::Format;
use crate::rpc::Rpc;

/// Of a command that reads.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Read {
    #[command(flatten)]
    pub(crate) rpc: Rpc,
    /// Language of the text.
    #[arg(long, value_name = "LANG", default_value = "en")]
    pub(crate) lang: Language,
    #[command(flatten)]
    pub(crate) format: Format,
}

/// Of a command that changes something.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Write {
    /// File with the secret key of an account of your organisation.
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
    #[command(flatten)]
    pub(crate) password: PasswordFile,
    /// Say what would change, and send nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) read: Read,
}

/// A sum of permissions, such as `send,attest`; `none`; `all`.
pub(crate) fn parse_permissions(text: &str) -> Result<u32, String> {
    let all = Permissions::NAMES.iter().map(|(bit, _)| bit.0);
    match text {
        "none" => return Ok(0),
        "all" => return Ok(all.sum()),
        _ => {}
    }
    let mut bits = 0;
    for word in text.split(',') {
        let known = Permissions::NAMES.iter().find(|(_, name)| *name == word);
        let Some((bit, _)) = known else {
            let names = Permissions::NAMES.map(|(_, name)| name).join(", ");
            return Err(format!(
                "`{word}` is no permission; use {names} with commas between, or all, or none"
            ));
        };
        bits |= bit.0;
    }
    Ok(bits)
}

/// Gas or leaves; `unlimited`.
pub(crate) fn parse_amount(text: &str) -> Result<u64, String> {
    if text == "unlimited" {
        return Ok(UNLIMITED);
    }
    let number = text.replace('_', "").parse().ok();
    number
        .filter(|number| *number < UNLIMITED)
        .ok_or_else(|| "use a number, or unlimited".into())
}

/// A multiaddr by which nodes find each other, or nothing.
pub(crate) fn parse_endpoint(text: &str) -> Result<String, String> {
    if !text.is_empty() {
        NodeEndpoint::parse(text).map_err(|error| error.to_string())?;
    }
    Ok(text.into())
}

/// Why something is done to an organisation, a validator or a motion.
pub(crate) fn parse_reason(text: &str) -> Result<u16, String> {
    let named = (1..).zip(REASONS).find(|(_, words)| words.0 == text);
    let code = named.map(|(code, _)| code).or_else(|| text.parse().ok());
    code.filter(|code| (1..=REASONS.len()).contains(&usize::from(*code)))
        .ok_or_else(|| {
            let words = REASONS.map(|words| words.0).join(", ");
            format!("use 1 to {}, or one of {words}", REASONS.len())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permissions_are_read_by_name() {
        assert_eq!(parse_permissions("send"), Ok(1));
        assert_eq!(parse_permissions("attest,send,vote"), Ok(37));
        assert_eq!(parse_permissions("all"), Ok(63));
        for bits in [0, 1, 5, 63] {
            let typed = super::super::words::permissions_argument(bits);
            assert_eq!(parse_permissions(&typed), Ok(bits), "{typed}");
        }
        assert_eq!(parse_permissions("none"), Ok(0));
        for bad in ["", "Send", "send,", "send attest", "7", "send,all"] {
            assert!(parse_permissions(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn amounts_are_numbers_or_unlimited() {
        assert_eq!(parse_amount("1_000"), Ok(1_000));
        assert_eq!(parse_amount("0"), Ok(0));
        assert_eq!(parse_amount("unlimited"), Ok(u64::MAX));
        for bad in ["", "-1", "1e6", "18446744073709551615", "none"] {
            assert!(parse_amount(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn endpoints_are_those_that_nodes_find() {
        for good in ["", "/dns4/node.example.org/tcp/27000"] {
            assert_eq!(parse_endpoint(good), Ok(good.into()));
        }
        let error = parse_endpoint("node.example.org:27000").unwrap_err();
        assert!(error.contains("does not begin with `/`"), "{error}");
    }

    #[test]
    fn reasons_are_words_or_numbers() {
        assert_eq!(parse_reason("own-request"), Ok(2));
        assert_eq!(parse_reason("8"), Ok(8));
        for bad in ["", "0", "9", "whim"] {
            assert!(parse_reason(bad).is_err(), "{bad}");
        }
    }
}
