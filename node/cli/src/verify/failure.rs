//! Why there is nothing to report.

use tbsi_light::{DecisionError, VerifyBundleError, VerifyMapError};
use tbsi_types::ProofBundle;
use tbsi_types::bundle::BundleError;

use super::{Verdict, VerdictKind};
use crate::lang::{Language, Sentence, causes, wrap};
use crate::proof::is_of_another_version;

/// A verdict against the proof, or none.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The proof or the file is wrong; or what would tell is missing, or is of another kind than
    /// what is asked for.
    kind: VerdictKind,
    /// For programs: the same in every language and version (SPEC §10.5).
    pub(crate) code: &'static str,
    error: anyhow::Error,
}

impl Failure {
    pub(crate) fn invalid(code: &'static str, error: impl Into<anyhow::Error>) -> Self {
        let kind = VerdictKind::Invalid;
        let error = error.into();
        Self { kind, code, error }
    }

    pub(crate) fn could_not_tell(code: &'static str, error: impl Into<anyhow::Error>) -> Self {
        let kind = VerdictKind::CouldNotTell;
        let error = error.into();
        Self { kind, code, error }
    }

    /// For commands that do nothing then.
    pub(crate) fn into_error(self) -> anyhow::Error {
        self.error
    }

    /// What it comes to, in one sentence.
    pub(crate) fn verdict(&self, lang: Language) -> Verdict {
        let reason = causes(self.error.as_ref(), lang);
        let shown = if self.kind == VerdictKind::Invalid {
            lang.pick("INVALID: ", "證明無效：")
        } else {
            lang.pick("COULD NOT TELL: ", "無法判斷：")
        };
        Verdict {
            kind: self.kind,
            code: Some(self.code),
            words: format!("{shown}{reason}"),
            reason: Some(reason),
        }
    }

    /// Of a proof that was read, under what is trusted.
    pub(crate) fn of_proof(error: VerifyBundleError, bundle: &ProofBundle) -> Self {
        use VerifyBundleError as E;
        let begins_elsewhere = match &error {
            E::Handover { number: 1, source } => is_another_set(source),
            E::Decision(source) => bundle.handovers.is_empty() && is_another_set(source),
            E::Handover { .. }
            | E::Genesis { .. }
            | E::Leaf(_)
            | E::LeafChainId { .. }
            | E::LeafPlace { .. }
            | E::Inclusion(_) => false,
        };
        if begins_elsewhere {
            // Nothing is known of the set that it begins with.
            let remedy = (
                "the proof begins after a change of the validators that is not in it; give \
                 --handovers, or --checkpoint of where it begins"
                    .into(),
                "證明始於一次未附上的驗證者變更之後；請以 --handovers 指定交接檔，或以 --checkpoint \
                 指定其起點的檢查點"
                    .into(),
            );
            return Self::could_not_tell("gap", wrap(error, remedy));
        }
        let code = match &error {
            // Not a word about the proof: it may be a good one of another network.
            E::Genesis { .. } => return Self::could_not_tell("otherNetwork", error),
            // Whoever trusts a later checkpoint only cannot judge what came before it.
            E::Decision(DecisionError::Before { .. }) => {
                return Self::could_not_tell("beforeTrusted", error);
            }
            E::Leaf(_) | E::LeafChainId { .. } | E::LeafPlace { .. } => "leaf",
            E::Inclusion(_) => "inclusion",
            E::Handover { .. } => "handover",
            E::Decision(DecisionError::Fork { .. }) => "fork",
            E::Decision(_) => "checkpoint",
        };
        Self::invalid(code, error)
    }

    /// The same of one with a map part.
    pub(super) fn of_map(error: VerifyMapError, bundle: &ProofBundle) -> Self {
        match error {
            VerifyMapError::Bundle(error) => Self::of_proof(error, bundle),
            error @ (VerifyMapError::Leaf(_)
            | VerifyMapError::Place(_)
            | VerifyMapError::Inclusion(_)
            | VerifyMapError::NoRoot
            | VerifyMapError::Heights
            | VerifyMapError::Algorithms
            | VerifyMapError::Answer(_)
            | VerifyMapError::Entry(_)
            | VerifyMapError::Root { .. }
            | VerifyMapError::NoQuestion
            | VerifyMapError::Twice
            | VerifyMapError::Question
            | VerifyMapError::NoAttestation
            | VerifyMapError::Older { .. }
            | VerifyMapError::NoSchema) => Self::invalid("map", error),
        }
    }

    /// Of bytes that are no proof, or one that contradicts itself; `file` names it.
    pub(crate) fn of_form(error: BundleError, file: Sentence) -> Self {
        use BundleError as E;
        if is_of_another_version(&error) {
            return Self::could_not_tell("otherVersion", wrap(error, file));
        }
        match &error {
            E::TooLong { .. } | E::Bytes(_) | E::Json(_) | E::Count { .. } => {
                Self::could_not_tell("unreadable", wrap(error, file))
            }
            E::Format
            | E::Number(_)
            | E::Leaf(_)
            | E::Validators(_)
            | E::Certificate(_)
            | E::Inclusion(_)
            | E::Contradiction(_)
            | E::NotCanonical(_)
            | E::Statement => Self::invalid("form", wrap(error, file)),
        }
    }
}

fn is_another_set(error: &DecisionError) -> bool {
    matches!(error, DecisionError::ValidatorSet { .. })
}

/// What a file that is no proof probably is; in both languages.
pub(super) fn looks_like(bytes: &[u8]) -> Option<(&'static str, &'static str)> {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let starts = |words: &str| text.starts_with(words.as_bytes());
    if starts("c2sp.org/tlog-proof@") {
        return Some((
            "this is a tlog-proof, for software that reads C2SP's format; `tbsi prove` fetches the \
             form that this command reads",
            "這是 tlog-proof，供讀取 C2SP 格式的軟體使用；`tbsi prove` 可取得本指令讀取的格式",
        ));
    }
    if bytes.starts_with(b"\0OpenTimestamps") {
        return Some((
            "this is an OpenTimestamps file; `ots verify` verifies it, with a node of Bitcoin",
            "這是 OpenTimestamps 檔；可用 `ots verify` 搭配比特幣節點驗證",
        ));
    }
    if ["TBP", "TBM", "TBR"].iter().any(|it| starts(it)) {
        return None;
    }
    let json = serde_json::from_slice::<serde_json::Value>(text).ok();
    let has = |key: &str| json.as_ref().is_some_and(|json| json.get(key).is_some());
    if has("chain_id") && has("organisations") {
        return Some((
            "this is a genesis file; give it with --genesis, and the proof first",
            "這是創世檔；請以 --genesis 指定它，並先指定證明",
        ));
    }
    if has("checkpoint") && !has("leaf") {
        return Some((
            "this is a checkpoint; give it with --checkpoint, and the proof first",
            "這是檢查點；請以 --checkpoint 指定它，並先指定證明",
        ));
    }
    // DER of a time-stamp response or token.
    if bytes.starts_with(&[0x30, 0x82]) || bytes.starts_with(&[0x30, 0x80]) {
        return Some((
            "this looks like a time stamp; `openssl ts -verify` verifies it",
            "這看起來是時間戳記；可用 `openssl ts -verify` 驗證",
        ));
    }
    let looks_like_json = text.first() == Some(&b'{');
    (!looks_like_json).then_some((
        "this is no proof; a proof is what `tbsi attest` wrote as FILE.tbsi.json, or `tbsi prove` \
         fetched",
        "這不是證明；證明是 `tbsi attest` 寫出的 FILE.tbsi.json，或以 `tbsi prove` 取得",
    ))
}
