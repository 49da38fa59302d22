//! `tbsi erase`: a salt is destroyed, and there is a receipt of it (SPEC §12.10).

mod check;

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;
use serde_json::json;
use tbsi_light::verify_erasure;
use tbsi_types::erasure::{ERASURE_BYTES_MAX, ERASURE_FORMAT};
use tbsi_types::log::leaf_hash;
use tbsi_types::{Address, ChainIdentity, Erasure, SecretKey, SignedErasure};

use crate::contract::load_key;
use crate::lang::{Language, SayContext, demand, said};
use crate::misfit::unread;
use crate::password::PasswordFile;
use crate::proof::{self, named_after};
use crate::report::{Format, in_language, note, refuse};
use crate::salt::{Salt, directory_of, is_there};
use crate::shown::PathShown;
use crate::verify::{Checks, Inputs, Verified, verify};

/// What a statement has behind the name of the file that was attested.
pub(crate) const EXTENSION: &str = ".tbsi.erasure";

const SALT_HELP: &str = "\
First the statement is written and signed, then the salt file is overwritten and removed. The same
command can be repeated: it goes on where it was stopped. Then attest the statement like any
document; whoever gets both proofs checks the receipt with `tbsi erase check`.

What this cannot reach: backups, snapshots, copies that a journaling or copy-on-write file system
or flash storage made, and copies that others were given. Destroy those too; the statement says
that you did.

Exit codes: 0 destroyed, now or before; 1 failed; 2 refused before anything was done.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Destroy the salt of an attestation, and sign a statement of it.
    #[command(after_help = SALT_HELP)]
    Salt(Box<SaltArgs>),
    /// Check a statement, its proof, and that it names the attestation.
    Check(Box<check::CheckArgs>),
}

#[derive(Debug, clap::Args)]
pub(crate) struct SaltArgs {
    #[command(flatten)]
    inputs: Inputs,
    /// File with the issuer's secret key.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    #[command(flatten)]
    password: PasswordFile,
    /// Statement to write [default: the attested file's name and .tbsi.erasure].
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Language of the text.
    #[arg(long, value_name = "LANG", default_value = "en")]
    lang: Language,
    #[command(flatten)]
    format: Format,
}

pub(crate) fn run(command: &Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Salt(args) => in_language(salt(args), args.lang),
        Command::Check(args) => in_language(check::run(args), args.lang),
    }
}

/// What is to be done, all of it known to be possible.
struct Plan {
    statement: PathBuf,
    /// `None` if an earlier command wrote it.
    to_write: Option<SignedErasure>,
    /// `None` if an earlier command destroyed it.
    salt: Option<PathBuf>,
    compared: bool,
    erasure: Erasure,
}

fn salt(args: &SaltArgs) -> anyhow::Result<ExitCode> {
    let key = load_key(&args.key, &args.password).map_err(refuse)?;
    let plan = plan(args, &key).map_err(refuse)?;
    let statement = plan.statement.shown();
    if let Some(signed) = &plan.to_write {
        store(&plan.statement, &signed.encode()).or_say(|| {
            (
                format!("write statement {statement}; the salt is as it was"),
                format!("寫入聲明 {statement}；鹽值原封不動"),
            )
        })?;
    }
    if let Some(salt) = &plan.salt {
        Salt::destroy(salt).or_say(|| {
            let salt = salt.shown();
            (
                format!(
                    "destroy salt {salt}; {statement} says that it is destroyed: repeat the \
                     command, and do not attest the statement before"
                ),
                format!(
                    "銷毀鹽值 {salt}；{statement} 聲明其已銷毀：請重複此指令，在此之前請勿存證該聲明"
                ),
            )
        })?;
    }
    print(args, &plan)
}

fn plan(args: &SaltArgs, key: &SecretKey) -> anyhow::Result<Plan> {
    let statement = statement_path(args)?;
    let before = is_there(&statement).then(|| read(&statement)).transpose()?;
    let salt = find_salt(&args.inputs);
    let mut inputs = args.inputs.clone();
    // What an earlier command overwrote compares with nothing any more.
    inputs.without_file = before.is_some() || salt.is_none();
    let verified = verify(&inputs, &Checks::default()).map_err(|failure| failure.into_error())?;
    let chain = verified.trusted.chain(&verified.bundle.leaf);
    let signed = sign(&verified, &chain, key)?;
    let to_write = match before {
        None => Some(signed.clone()),
        Some(before) => {
            demand(before.erasure == signed.erasure, || {
                let shown = statement.shown();
                (
                    format!("{shown} is about another attestation; choose another --out"),
                    format!("{shown} 是另一項存證的聲明；請另選 --out"),
                )
            })?;
            None
        }
    };
    let given = args.inputs.salt.as_deref();
    demand(salt.is_some() || to_write.is_none(), || match given {
        Some(path) => {
            let path = path.shown();
            (
                format!("there is no salt file {path} to destroy"),
                format!("找不到要銷毀的鹽值檔 {path}"),
            )
        }
        None => (
            "there is no .tbsi.salt file beside the file or the proof; give --salt".into(),
            "檔案或證明旁沒有 .tbsi.salt 檔；請以 --salt 指定".into(),
        ),
    })?;
    Ok(Plan {
        statement,
        to_write,
        salt,
        compared: verified.file.is_some(),
        erasure: signed.erasure,
    })
}

fn statement_path(args: &SaltArgs) -> anyhow::Result<PathBuf> {
    if let Some(out) = &args.out {
        return Ok(out.clone());
    }
    let file = args.inputs.file.clone();
    let file = file.or_else(|| named_after(&args.inputs.proof));
    let file = file.ok_or_else(|| {
        said(
            "the proof's name says nothing of the file; give --out with a name for the statement",
            "證明的檔名看不出是哪個檔案；請以 --out 指定聲明的檔名",
        )
    })?;
    let mut name = file.into_os_string();
    name.push(EXTENSION);
    Ok(name.into())
}

/// The salt file that was given, or the first beside the file or the proof that exists.
fn find_salt(inputs: &Inputs) -> Option<PathBuf> {
    let given = inputs.salt.clone();
    let of = |file: &PathBuf| Salt::path_of(file);
    let beside = [inputs.file.clone(), named_after(&inputs.proof)];
    let mut places = match given {
        Some(path) => vec![path],
        None => beside.iter().flatten().map(of).collect(),
    };
    places.retain(|path| is_there(path));
    places.into_iter().next()
}

/// Signs what the statement has to say, and verifies it as an auditor will.
fn sign(
    verified: &Verified,
    chain: &ChainIdentity,
    key: &SecretKey,
) -> anyhow::Result<SignedErasure> {
    let (leaf, index) = (&verified.bundle.leaf, verified.bundle.leaf_index);
    let account = key.public_key().address();
    let issuer = leaf.head.issuer;
    check_issuer(issuer, account)?;
    let no_attestation = || {
        said(
            "the proof is not of an attestation, so there is no salt",
            "這份證明的陳述不是存證，沒有鹽值",
        )
    };
    let erasure = Erasure {
        format: ERASURE_FORMAT.into(),
        chain_id: chain.chain_id,
        genesis_hash: chain.genesis_hash,
        issuer,
        attestation: leaf.attestation_id().ok_or_else(no_attestation)?,
        leaf_index: index,
        leaf_hash: leaf_hash(&leaf.encode()?),
    };
    let signed = erasure.sign(key);
    verify_erasure(&signed, chain, index, leaf)?;
    Ok(signed)
}

fn check_issuer(issuer: Address, account: Address) -> anyhow::Result<()> {
    demand(issuer == account, || {
        (
            format!(
                "the attestation is by {issuer}, the key is that of {account}; only the issuer's \
                 statement counts"
            ),
            format!("存證由 {issuer} 簽發，金鑰屬於 {account}；只有簽發者的聲明有效"),
        )
    })
}

/// A statement, as far as its bytes tell.
fn read(path: &Path) -> anyhow::Result<SignedErasure> {
    let reading = || {
        let path = path.shown();
        (format!("read statement {path}"), format!("讀取聲明 {path}"))
    };
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| {
            let mut limited = file.take(ERASURE_BYTES_MAX as u64 + 1);
            limited.read_to_end(&mut bytes)
        })
        .or_say(reading)?;
    let parsed = SignedErasure::parse(&bytes);
    parsed.map_err(|error| unread(path, error)).or_say(reading)
}

/// On the disk, name included, before the salt is touched. Never in the place of another file.
fn store(path: &Path, text: &str) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let directory = directory_of(path);
    let mut file = proof::unfinished_in(directory)?;
    file.write_all(text.as_bytes())?;
    let all_may_read = std::fs::Permissions::from_mode(0o644);
    file.as_file().set_permissions(all_may_read)?;
    file.as_file().sync_all()?;
    file.persist_noclobber(path).map_err(|error| error.error)?;
    std::fs::File::open(directory)?.sync_all()
}

fn print(args: &SaltArgs, plan: &Plan) -> anyhow::Result<ExitCode> {
    let lang = args.lang;
    if plan.salt.is_some() && !plan.compared && plan.to_write.is_some() {
        note(lang.pick(
            "note: the attested file was not there, so the salt was not compared with it",
            "注意：存證的檔案不在，因此未以其比對鹽值",
        ));
    }
    let (shown, id) = (plan.statement.shown(), plan.erasure.attestation);
    let what = match &plan.salt {
        Some(salt) => {
            let salt = salt.shown();
            lang.pick(
                format!("{salt} was overwritten and removed"),
                format!("{salt} 已覆寫並移除"),
            )
        }
        None => lang.pick(
            "the salt was destroyed before".to_owned(),
            "鹽值先前已銷毀".to_owned(),
        ),
    };
    let text = lang.pick(
        format!(
            "{what}; {shown} states that the salt of attestation {id} is destroyed.\n\
             Out of reach: backups, snapshots, copies that the file system or flash storage made, \
             and copies that others were given. Destroy those too.\n\
             Next: tbsi attest {} --key {}",
            plan.statement.word(),
            args.key.word()
        ),
        format!(
            "{what}；{shown} 聲明存證 {id} 的鹽值已銷毀。\n\
             無法觸及者：備份、快照、檔案系統或快閃儲存裝置留下的副本，以及交給他人的副本。請一併\
             銷毀。\n\
             下一步：tbsi attest {} --key {}",
            plan.statement.word(),
            args.key.word()
        ),
    );
    let json = json!({
        "statement": plan.statement.json(),
        "attestation": id,
        "leafIndex": plan.erasure.leaf_index,
        "issuer": plan.erasure.issuer,
        "salt": plan.salt.as_deref().map(PathShown::json),
        "before": plan.salt.is_none(),
        "compared": plan.compared,
    });
    args.format.print(&text, &json)
}
