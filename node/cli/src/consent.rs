//! `tbsi consent`: authorisations between organisations to use a data set.

mod audit;
mod fetch;
mod give;
mod list;
mod prove;
mod take;
mod verify;

use std::path::Path;
use std::process::ExitCode;

use alloy_primitives::{B256, keccak256};
use alloy_sol_types::SolValue;
use clap::Subcommand;
use tbsi_governance::contracts::{Authorisation, Authorisations, Terms};
use tbsi_types::contracts::AUTHORISATIONS;
use tbsi_types::log::algorithm::by_name;
use tbsi_types::sha256;

use crate::digest::{DEFAULT_ALGORITHM, digest_file};
use crate::govern::words::time;
use crate::govern::{CODES, Read, RegistryClient, block_on};
use crate::lang::Language;
use crate::report::{refuse, refused};

const HELP: &str = "\
What gives (grant, extend) needs both organisations: the grantor offers, the grantee accepts. What
takes away (narrow, revoke) either of them does alone. Each act is a leaf of the log. Agreement,
data set and purposes are named by SHA-256 alone, which is computed here: nothing else is sent.";

#[derive(Debug, Subcommand)]
#[command(after_help = HELP)]
pub(crate) enum Command {
    /// Offer another organisation to use a data set, for purposes and a time.
    #[command(after_help = CODES)]
    Grant(give::GrantArgs),
    /// Accept what was offered to your organisation, as it is shown.
    #[command(after_help = CODES)]
    Accept(give::AcceptArgs),
    /// Offer more time or purposes; they hold when the grantee accepts.
    #[command(after_help = CODES)]
    Extend(give::ExtendArgs),
    /// Take time or purposes away, at once.
    #[command(after_help = CODES)]
    Narrow(take::NarrowArgs),
    /// End an authorisation for ever, or withdraw or refuse an offer.
    #[command(after_help = CODES)]
    Revoke(take::RevokeArgs),
    /// State that your organisation used the data set now, for a purpose.
    #[command(after_help = CODES)]
    Rely(take::RelyArgs),
    /// Authorisations: whose data sets, who may use them, how they stand.
    List {
        #[command(flatten)]
        read: Read,
    },
    /// Who relied on an authorisation, when and for what.
    Audit(audit::Args),
    /// Fetch the proof that an organisation was authorised.
    #[command(after_help = prove::HELP)]
    Prove(prove::Args),
    /// Verify such a proof offline: was the organisation authorised at a time?
    #[command(after_help = verify::HELP)]
    Verify(verify::Args),
}

pub(crate) fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Grant(args) => block_on(args.write.read.lang, give::grant(args)),
        Command::Accept(args) => block_on(args.write.read.lang, give::accept(args)),
        Command::Extend(args) => block_on(args.write.read.lang, give::extend(args)),
        Command::Narrow(args) => block_on(args.write.read.lang, take::narrow(args)),
        Command::Revoke(args) => block_on(args.write.read.lang, take::revoke(args)),
        Command::Rely(args) => block_on(args.write.read.lang, take::rely(args)),
        Command::List { read } => block_on(read.lang, list::run(read)),
        Command::Audit(args) => block_on(args.read.lang, audit::run(args)),
        Command::Prove(args) => block_on(args.read.lang, prove::run(args)),
        Command::Verify(args) => verify::run(&args),
    }
}

/// A digest as it is, or the SHA-256 of any other text.
fn parse_text(text: &str) -> Result<B256, String> {
    if text.is_empty() {
        return Err("use a text, or a digest of 0x and 64 hex digits".into());
    }
    Ok(as_digest(text).unwrap_or_else(|| sha256(&[text.as_bytes()])))
}

fn as_digest(text: &str) -> Option<B256> {
    text.strip_prefix("0x")?.parse().ok()
}

/// A digest as it is, or the SHA-256 of a file.
fn digest_of(text: &str) -> anyhow::Result<B256> {
    if let Some(digest) = as_digest(text) {
        return Ok(digest);
    }
    let algorithm = by_name(DEFAULT_ALGORITHM).expect("the default is one of them");
    let digest = digest_file(Path::new(text), algorithm, None, &|_| ()).map_err(refuse)?;
    Ok(B256::from_slice(&digest))
}

/// RFC 3339, as whole seconds.
fn parse_second(text: &str) -> Result<u64, String> {
    crate::verify::status::parse_time(text).map(|time| time.0 / 1_000)
}

/// An authorisation, as the contract has it.
async fn find(registry: &RegistryClient, number: u32) -> anyhow::Result<Authorisation> {
    let call = Authorisations::authorisationOfCall {
        authorisation: number,
    };
    registry.ask(AUTHORISATIONS, call).await
}

/// The terms in force, or that nothing is.
fn in_force(found: &Authorisation, number: u32, lang: Language) -> anyhow::Result<&Terms> {
    if found.versions != 0 {
        return Ok(&found.terms);
    }
    Err(refused(lang.pick(
        format!("authorisation {number} was offered and not accepted: there are no terms yet"),
        format!("授權 {number} 已提出但尚未接受：尚無有效條件"),
    )))
}

/// What the contract makes of an offer (`offerHash`): what is accepted is what was read.
fn offer_hash(number: u32, found: &Authorisation) -> B256 {
    let offered = (number, found.versions, found.dataSet, found.offered.clone());
    keccak256(offered.abi_encode_params())
}

/// Terms in a line.
fn terms_words(terms: &Terms, lang: Language) -> String {
    let purposes: Vec<_> = terms.purposes.iter().map(B256::to_string).collect();
    let (from, until) = (time(terms.from, lang), time(terms.until, lang));
    let (agreement, purposes) = (terms.agreement, purposes.join(", "));
    lang.pick(
        format!("from {from} to before {until}, purposes {purposes}, agreement {agreement}"),
        format!("自 {from} 至 {until} 之前，目的 {purposes}，協議 {agreement}"),
    )
}

/// Purposes as the contract wants them.
fn ascending(mut purposes: Vec<B256>) -> Vec<B256> {
    purposes.sort_unstable();
    purposes.dedup();
    purposes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_hashed_and_a_digest_is_not() {
        let digest = B256::repeat_byte(0xab);
        assert_eq!(parse_text(&digest.to_string()), Ok(digest));
        assert_eq!(parse_text("audit"), Ok(sha256(&[b"audit"])));
        assert_eq!(parse_text("0xab"), Ok(sha256(&[b"0xab"])));
        assert!(parse_text("").is_err());
        let both = ascending(vec![digest, B256::ZERO, digest]);
        assert_eq!(both, [B256::ZERO, digest]);
    }
}
