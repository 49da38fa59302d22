//! Post-quantum cosignatures of the log that the proof's leaf is in (SPEC §9.12).

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use serde_json::{Value, json};
use tbsi_light::{LogError, VerifiedPostQuantum, verify_post_quantum_proof};
use tbsi_types::limits::VALIDATORS_MAX;
use tbsi_types::log::tlog_proof::TLOG_PROOF_BYTES_MAX;
use tbsi_types::log::{PostQuantumVerifier, TlogProof};
use tbsi_types::{ChainIdentity, ProofBundle};

use super::failure::Failure;
use super::steps::{self, Mark, Steps};
use crate::lang::{Language, SayContext, counted, demand, said};
use crate::shown::PathShown;

/// Bytes of a file of keys: as many as there can be validators, each with its comment.
const KEYS_BYTES_MAX: usize = VALIDATORS_MAX * 4 * 1024;

/// What was given to look at.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct PostQuantumArgs {
    /// Post-quantum cosignatures of a log that holds the leaf, from `tbsi log post-quantum`.
    #[arg(long, value_name = "FILE", requires = "post_quantum_keys")]
    pub(crate) post_quantum: Option<PathBuf>,
    /// Post-quantum keys that you trust, as `tbsi log post-quantum` writes them.
    #[arg(long, value_name = "FILE", requires = "post_quantum")]
    pub(crate) post_quantum_keys: Option<PathBuf>,
}

/// Which of the proof's validators cosigned; `None` if nothing was given.
pub(super) fn verify(
    args: &PostQuantumArgs,
    bundle: &ProofBundle,
) -> Result<Option<VerifiedPostQuantum>, Failure> {
    let (Some(file), Some(keys)) = (&args.post_quantum, &args.post_quantum_keys) else {
        return Ok(None);
    };
    let unreadable = |error| Failure::could_not_tell(CODE, error);
    let proof = read_proof(file).map_err(unreadable)?;
    let keys = read_keys(keys).map_err(unreadable)?;
    let (index, expected) = (proof.index, bundle.leaf_index);
    demand(index == expected, || {
        let file = file.shown();
        (
            format!("{file} is of leaf {index}, the proof of leaf {expected}"),
            format!("{file} 是第 {index} 筆的，證明是第 {expected} 筆的"),
        )
    })
    .map_err(unreadable)?;
    let chain = ChainIdentity {
        chain_id: bundle.decision.checkpoint.chain_id,
        genesis_hash: bundle.genesis_hash,
    };
    let verified =
        verify_post_quantum_proof(&bundle.leaf, &proof, &chain, &bundle.validators, &keys)
            .map_err(|error| of_error(error, file))?;
    if verified.signatories.is_empty() {
        return Err(unreadable(absent(file)));
    }
    Ok(Some(verified))
}

const CODE: &str = "postQuantum";

fn of_error(error: LogError, file: &Path) -> Failure {
    let other_log = matches!(error, LogError::Origin { .. });
    let shown = file.shown().to_string();
    let error = anyhow!(error).context(shown);
    if other_log {
        return Failure::could_not_tell(CODE, error);
    }
    Failure::invalid(CODE, error)
}

fn absent(file: &Path) -> anyhow::Error {
    let file = file.shown();
    said(
        format!(
            "{file} has no cosignature by a key that was given under a name of the proof's \
             validators; the proof is not at fault, and has no post-quantum cosignature"
        ),
        format!(
            "{file} 沒有以所給金鑰、證明中驗證者之名作成的共同簽章；證明本身無誤，但沒有後量子共同簽章"
        ),
    )
}

/// Reads a `.tlog-proof`.
pub(crate) fn read_proof(path: &Path) -> anyhow::Result<TlogProof> {
    let text = read(path, TLOG_PROOF_BYTES_MAX)?;
    TlogProof::parse(&text).or_say(|| {
        let path = path.shown();
        (
            format!("{path} is no tlog-proof"),
            format!("{path} 不是 tlog-proof"),
        )
    })
}

/// Reads keys, one a line; lines that begin with `#` are for people.
pub(crate) fn read_keys(path: &Path) -> anyhow::Result<Vec<PostQuantumVerifier>> {
    parse_keys(&read(path, KEYS_BYTES_MAX)?).or_say(|| {
        let path = path.shown();
        (
            format!("{path} is no list of post-quantum keys"),
            format!("{path} 不是後量子金鑰清單"),
        )
    })
}

/// Keys of a text.
pub(crate) fn parse_keys(text: &str) -> anyhow::Result<Vec<PostQuantumVerifier>> {
    let lines = text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    let keys: Result<Vec<_>, _> = lines.map(PostQuantumVerifier::parse).collect();
    let keys = keys?;
    demand((1..=VALIDATORS_MAX).contains(&keys.len()), || {
        let count = keys.len();
        (
            format!("{count} keys, 1 to {VALIDATORS_MAX} are expected"),
            format!("有 {count} 把金鑰，應為 1 至 {VALIDATORS_MAX} 把"),
        )
    })?;
    Ok(keys)
}

fn read(path: &Path, bytes_max: usize) -> anyhow::Result<String> {
    let mut text = String::new();
    File::open(path)
        .and_then(|file| {
            let mut limited = file.take(bytes_max as u64 + 1);
            limited.read_to_string(&mut text)
        })
        .or_say(|| {
            let path = path.shown();
            (format!("read {path}"), format!("讀取 {path}"))
        })?;
    demand(text.len() <= bytes_max, || {
        let path = path.shown();
        (
            format!("{path} has more than {bytes_max} bytes"),
            format!("{path} 超過 {bytes_max} 位元組"),
        )
    })?;
    Ok(text)
}

/// For programs; `notChecked` if nothing was given.
pub(crate) fn summary(verified: Option<&VerifiedPostQuantum>) -> Value {
    let Some(verified) = verified else {
        return json!({ "status": "notChecked" });
    };
    let operators = verified.signatories.iter().map(|it| {
        json!({
            "nameZhTw": it.name_zh_tw,
            "nameEn": it.name_en,
            "keys": it.keys,
            "power": it.power,
            "time": it.time,
        })
    });
    json!({
        "status": if verified.is_quorum() { "quorum" } else { "cosigned" },
        "logSize": verified.checkpoint.size,
        "logRoot": verified.checkpoint.root,
        "power": verified.power,
        "totalPower": verified.total,
        "operators": operators.collect::<Vec<_>>(),
    })
}

/// For people: a step, and a line for each operator.
pub(super) fn write(steps: &mut Steps, verified: Option<&VerifiedPostQuantum>, lang: Language) {
    let Some(verified) = verified else {
        let what = lang.pick(
            "post-quantum: not checked; --post-quantum FILE checks cosignatures",
            "後量子：未檢查；可用 --post-quantum FILE 檢查共同簽章",
        );
        steps.add(Mark::Skipped, what);
        return;
    };
    let words = words(verified, lang);
    steps.passed(lang.pick(format!("post-quantum: {words}"), format!("後量子：{words}")));
    for line in operators(verified, lang) {
        steps.detail(line);
    }
}

/// The same, as lines.
pub(crate) fn lines(verified: &VerifiedPostQuantum, lang: Language) -> String {
    let mut steps = Steps::default();
    write(&mut steps, Some(verified), lang);
    steps::lines(&steps.into_vec(), lang)
}

/// How much voting power cosigned, and which log.
pub(crate) fn words(verified: &VerifiedPostQuantum, lang: Language) -> String {
    let (power, total) = (verified.power.0, verified.total.0);
    let quorum = if verified.is_quorum() {
        lang.pick("a quorum", "達法定多數")
    } else {
        lang.pick("NOT a quorum", "未達法定多數")
    };
    let size = verified.checkpoint.size;
    lang.pick(
        format!(
            "power {power} of {total} cosigned the log of {}, {quorum}",
            counted(size, "leaf")
        ),
        format!("投票權 {power}／{total} 共同簽署共 {size} 筆的日誌，{quorum}"),
    )
}

/// Who cosigned.
pub(crate) fn operators(
    verified: &VerifiedPostQuantum,
    lang: Language,
) -> impl Iterator<Item = String> {
    verified.signatories.iter().map(move |it| {
        let names = [&it.name_zh_tw, &it.name_en].map(|name| name.trim());
        let names = names.join(" / ");
        let names = names.trim_start_matches(" / ");
        let power = it.power.0;
        lang.pick(
            format!("{names} (power {power})"),
            format!("{names}（投票權 {power}）"),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_keys_has_comments_and_no_other_kind() {
        let signer = tbsi_types::log::PostQuantumSigner::new("log.example/a", &[7; 32]).unwrap();
        let key = signer.verifier().encode();
        let text = format!("# Guild (node)\n{key}\n# another has not cosigned yet\n");
        assert_eq!(parse_keys(&text).unwrap(), [signer.verifier()]);
        for wrong in ["", "# nobody\n", "log.example+00000000+AAAA\n", "?\n"] {
            assert!(parse_keys(wrong).is_err(), "{wrong}");
        }
    }
}
