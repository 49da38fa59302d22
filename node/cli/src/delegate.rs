//! `tbsi delegate`: an issuer signs, others send (SPEC §12.7).

mod file;
mod send;
mod withdraw;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use alloy_primitives::{Address, B256, U256};
use clap::Subcommand;
use jiff::Timestamp;
use serde_json::json;
use tbsi_governance::delegation::{Delegated, Delegating, DelegationFile};
use tbsi_types::log::DigestWords;
use tbsi_types::log::algorithm::DigestAlgorithm;

use crate::contract::load_key;
use crate::digest::{DEFAULT_ALGORITHM, digest_file, parse_algorithm};
use crate::govern::words::time;
use crate::lang::{Language, counted, demand, said};
use crate::password::PasswordFile;
use crate::proof::load_genesis;
use crate::reasons::{parse_reason, reason_word};
use crate::report::{Format, in_language, note, refuse};
use crate::revoke::named;
use crate::salt::Salt;
use crate::schema;
use crate::shown::PathShown;

/// Words that the contract takes in one call.
const WORDS_MAX: usize = 13_000;

const SIGN_HELP: &str = "\
Nothing is sent: the file that is written can be carried to whoever has an account that may
attest, and sent with `tbsi delegate send`. It counts once, until the time that is given.

Exit codes: 0 signed, 1 failed, 2 refused.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Sign, offline, that files are attested in your name.
    #[command(after_help = SIGN_HELP)]
    Attest(Box<AttestArgs>),
    /// Sign, offline, that an attestation of yours is revoked.
    #[command(after_help = SIGN_HELP)]
    Revoke(Box<RevokeArgs>),
    /// Sign, offline, that what you signed with a nonce counts for nothing.
    ///
    /// It holds from when it is sent, unless the other was sent before.
    #[command(after_help = SIGN_HELP)]
    Cancel(Box<CancelArgs>),
    /// Send what an issuer signed.
    Send(Box<send::SendArgs>),
    /// Say by a transaction of your own that what you signed with a nonce counts for nothing.
    ///
    /// For an account that may attest; without one, sign it with `cancel`, and others send it.
    Withdraw(Box<withdraw::WithdrawArgs>),
}

/// Who signs, for which network, until when.
#[derive(Debug, clap::Args)]
struct Signing {
    /// Genesis file of the network: what is signed is for its chain id alone.
    #[arg(long, value_name = "FILE")]
    genesis: PathBuf,
    /// File with the issuer's secret key.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    #[command(flatten)]
    password: PasswordFile,
    /// Last second in which it may be sent, such as 2027-01-31T18:00:00+08:00.
    #[arg(long, value_name = "TIME", value_parser = parse_until)]
    until: u64,
    /// File to write; must not exist.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Language of the text.
    #[arg(long, value_name = "LANG", default_value = "en")]
    lang: Language,
    #[command(flatten)]
    format: Format,
}

#[derive(Debug, clap::Args)]
pub(crate) struct AttestArgs {
    /// Files to attest; several are attested as a batch.
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Name or id of a schema [default: tbsi:file:v1, with --salt tbsi:salted-file:v1].
    #[arg(long, value_name = "SCHEMA", value_parser = schema::parse)]
    schema: Option<B256>,
    /// Digest algorithm, such as sha2-512, sha3-256 or sm3-256.
    #[arg(long, value_name = "NAME", default_value = DEFAULT_ALGORITHM, value_parser = parse_algorithm)]
    algorithm: &'static DigestAlgorithm,
    /// Put a random salt in front of each file, kept in FILE.tbsi.salt.
    #[arg(long)]
    salt: bool,
    /// A number that was not used before [default: a random one].
    #[arg(long, value_name = "N")]
    nonce: Option<U256>,
    #[command(flatten)]
    signing: Signing,
}

#[derive(Debug, clap::Args)]
pub(crate) struct RevokeArgs {
    /// Id of the attestation, 0x and 64 hex digits; or a file with its proof.
    #[arg(value_name = "ID|PROOF")]
    what: PathBuf,
    /// Why, as a word or a number.
    #[arg(long, value_name = "REASON", value_parser = parse_reason)]
    reason: u16,
    /// A number that was not used before [default: a random one].
    #[arg(long, value_name = "N")]
    nonce: Option<U256>,
    #[command(flatten)]
    signing: Signing,
}

#[derive(Debug, clap::Args)]
pub(crate) struct CancelArgs {
    /// The file that was signed, or the nonce in it.
    #[arg(value_name = "FILE|NONCE")]
    what: PathBuf,
    #[command(flatten)]
    signing: Signing,
}

/// RFC 3339, as Unix seconds.
fn parse_until(text: &str) -> Result<u64, String> {
    let time = text.parse::<Timestamp>().ok();
    let second = time.and_then(|time| u64::try_from(time.as_second()).ok());
    second.ok_or_else(|| "use a date and time with its offset: 2027-01-31T18:00:00+08:00".into())
}

pub(crate) fn run(command: &Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Attest(args) => in_language(attest(args), args.signing.lang),
        Command::Revoke(args) => in_language(revoke(args), args.signing.lang),
        Command::Cancel(args) => in_language(cancel(args), args.signing.lang),
        Command::Send(args) => send::run(args),
        Command::Withdraw(args) => withdraw::run(args),
    }
}

fn attest(args: &AttestArgs) -> anyhow::Result<ExitCode> {
    let lang = args.signing.lang;
    let words = words(args).map_err(refuse)?;
    let default = if args.salt {
        schema::SALTED_FILE
    } else {
        schema::FILE
    };
    let schema = args.schema.unwrap_or(default);
    let algorithm = args.algorithm.code;
    let count = args.files.len();
    let what = if count == 1 {
        Delegated::Attest {
            schema,
            algorithm,
            words,
        }
    } else {
        Delegated::AttestBatch {
            schema,
            algorithm,
            words,
        }
    };
    if args.salt {
        note(lang.pick(
            "warning: keep the .tbsi.salt files with the files, and secret: without its salt a \
             file cannot be shown to be the attested one",
            "注意：請將 .tbsi.salt 檔與原檔一起保存，並且保密：沒有鹽值，就無法證明檔案是存證的\
             那一個",
        ));
    }
    let said = lang.pick(
        format!("attests {}", counted(count, "file")),
        format!("存證 {count} 個檔案"),
    );
    sign(&args.signing, args.nonce.map(Signed::with), what, &said)
}

/// The digests of all files, one after the other.
fn words(args: &AttestArgs) -> anyhow::Result<Vec<B256>> {
    let mut all = Vec::new();
    for file in &args.files {
        let salt = args.salt.then(|| Salt::ensure(&Salt::path_of(file)));
        let salt = salt.transpose()?;
        let digest = digest_file(file, args.algorithm, salt.as_ref(), &|_| {})?;
        let words = DigestWords::of(args.algorithm.code, &digest);
        let words = words.ok_or_else(|| said("digest of impossible length", "摘要長度不可能"))?;
        all.extend_from_slice(words.as_slice());
    }
    let got = all.len();
    demand(got <= WORDS_MAX, || {
        (
            format!("{got} words of digests are more than {WORDS_MAX}; sign fewer files at a time"),
            format!("摘要共 {got} 字組，上限為 {WORDS_MAX}；請減少每次簽署的檔案數"),
        )
    })?;
    Ok(all)
}

fn revoke(args: &RevokeArgs) -> anyhow::Result<ExitCode> {
    let (id, reason) = (named(&args.what).map_err(refuse)?.id, args.reason);
    let lang = args.signing.lang;
    let why = reason_word(reason, lang);
    let said = lang.pick(
        format!("attestation {id} is revoked: {why}"),
        format!("撤銷存證 {id}：{why}"),
    );
    let what = Delegated::Revoke { id, reason };
    sign(&args.signing, args.nonce.map(Signed::with), what, &said)
}

fn cancel(args: &CancelArgs) -> anyhow::Result<ExitCode> {
    let lang = args.signing.lang;
    let signed = signed(&args.what).map_err(refuse)?;
    let nonce = signed.nonce;
    let said = lang.pick(
        format!("what was signed with nonce {nonce} counts for nothing"),
        format!("以 nonce {nonce} 簽署的內容不生效力"),
    );
    sign(&args.signing, Some(signed), Delegated::Cancel {}, &said)
}

/// By whom something is signed, and with which nonce.
struct Signed {
    nonce: U256,
    /// Unknown of a nonce alone.
    issuer: Option<Address>,
}

/// A nonce, or the one in a file.
fn signed(what: &Path) -> anyhow::Result<Signed> {
    let typed = what.to_str().and_then(|text| text.parse().ok());
    if let Some(nonce) = typed {
        return Ok(Signed::with(nonce));
    }
    let file = file::load(what)?;
    Ok(Signed {
        nonce: file.nonce,
        issuer: Some(file.issuer),
    })
}

impl Signed {
    fn with(nonce: U256) -> Self {
        Self {
            nonce,
            issuer: None,
        }
    }

    /// Nonces are each issuer's own: another account's says nothing of what was signed.
    fn is_by(&self, account: Address) -> anyhow::Result<()> {
        let issuer = self.issuer.unwrap_or(account);
        demand(issuer == account, || {
            (
                format!(
                    "it was signed by {issuer}, the key is that of {account}; give the issuer's key"
                ),
                format!("它由 {issuer} 簽署，金鑰屬於 {account}；請用簽發者的金鑰"),
            )
        })
    }
}

fn sign(
    signing: &Signing,
    signed: Option<Signed>,
    what: Delegated,
    change: &str,
) -> anyhow::Result<ExitCode> {
    let genesis = load_genesis(&signing.genesis).map_err(refuse)?;
    let key = load_key(&signing.key, &signing.password).map_err(refuse)?;
    let issuer = key.public_key().address();
    if let Some(signed) = &signed {
        signed.is_by(issuer).map_err(refuse)?;
    }
    let delegating = Delegating {
        chain_id: genesis.chain_id,
        issuer,
        nonce: signed.map_or_else(random_nonce, |signed| Ok(signed.nonce))?,
        deadline: signing.until,
        what,
    };
    let file = DelegationFile::new(&delegating, genesis.hash(), &delegating.sign(&key));
    file::store(&file, &signing.out).map_err(refuse)?;
    let (lang, word) = (signing.lang, signing.out.word());
    let (issuer, nonce) = (delegating.issuer, delegating.nonce);
    let until = time(delegating.deadline, lang);
    let text = lang.pick(
        format!(
            "{issuer} signed: {change}; nonce {nonce}, until {until}\n\
             Whoever may attest sends it: tbsi delegate send {word} --key KEY"
        ),
        format!(
            "{issuer} 已簽署：{change}；nonce {nonce}，有效至 {until}\n\
             由有存證權限者送出：tbsi delegate send {word} --key KEY"
        ),
    );
    let json = json!({ "file": signing.out.json(), "delegation": file });
    signing.format.print(&text, &json)
}

/// Nonces come in no order; nobody hits one of 2^128 twice.
fn random_nonce() -> anyhow::Result<U256> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| {
        said(
            format!("the system gives no random bytes: {error}; give --nonce"),
            format!("系統無法提供亂數：{error}；請指定 --nonce"),
        )
    })?;
    Ok(U256::from_be_slice(&bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_an_offset() {
        assert_eq!(parse_until("1970-01-01T00:01:00Z"), Ok(60));
        assert_eq!(parse_until("1970-01-01T08:00:00+08:00"), Ok(0));
        for bad in [
            "",
            "tomorrow",
            "2027-01-31",
            "2027-01-31T18:00:00",
            "1969-01-01T00:00:00Z",
        ] {
            assert!(parse_until(bad).is_err(), "{bad}");
        }
    }
}
