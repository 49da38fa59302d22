//! COSE receipts (SPEC §10.8): one node's word for a log, and the path from a leaf to it.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tbsi_light::verify_cose_receipt;
use tbsi_types::bundle::describe;
use tbsi_types::genesis::OrganisationEntry;
use tbsi_types::log::cose::{COSE_SIGN1_TAG, CoseReceiptError};
use tbsi_types::log::leaf::LEAF_BYTES_MAX;
use tbsi_types::log::{CoseReceipt, Leaf, LogCheckpoint, NoteVerifier, SignatureType};
use tbsi_types::{Genesis, Roster};

use super::compare::Compared;
use super::identity::Owner;
use super::steps::{Mark, Step, Steps};
use super::{Args, Failure, Verdict, VerdictKind, compare_file, en, identity, zh_tw};
use crate::lang::{Language, SayContext, Sentence, counted, demand, said, wrap};
use crate::proof::{load_genesis, without_end};
use crate::prove::cose::leaf_beside;
use crate::shown::PathShown;

/// What a receipt has behind the name of the file that it is about.
const EXTENSION: &str = ".cose";

/// Whether bytes are to be read as a receipt.
pub(crate) fn is_receipt(bytes: &[u8]) -> bool {
    bytes.first() == Some(&COSE_SIGN1_TAG)
}

/// Why a receipt is not enough for what needs a quorum, and what is.
pub(crate) fn no_certificate(path: &Path) -> Sentence {
    let path = path.shown();
    (
        format!(
            "{path} is a COSE receipt, the word of one node, and has no certificate; fetch the \
             proof with `tbsi prove` without --format cose (`tbsi verify` verifies a receipt)"
        ),
        format!(
            "{path} 是 COSE 收據，僅為單一節點的陳述，未附提交憑證；請以不加 --format cose 的 \
             `tbsi prove` 取得證明（`tbsi verify` 可驗證收據）"
        ),
    )
}

/// What a receipt takes to be verified.
#[derive(Debug, clap::Args)]
pub(super) struct ReceiptArgs {
    /// Leaf that a COSE receipt is of [default: PROOF.leaf].
    #[arg(long, value_name = "FILE")]
    leaf: Option<PathBuf>,
    /// Key of the node that signed a COSE receipt, as /log/key of a node has it: for a node that
    /// the genesis file does not name.
    #[arg(long, value_name = "KEY")]
    log_key: Option<String>,
}

impl ReceiptArgs {
    /// Of a proof that is no receipt.
    pub(super) fn must_be_unused(&self) -> Result<(), Failure> {
        let unused = demand(self.leaf.is_none() && self.log_key.is_none(), || {
            (
                "--leaf and --log-key are for COSE receipts; leave them out".into(),
                "--leaf 與 --log-key 僅用於 COSE 收據；請移除".into(),
            )
        });
        unused.map_err(|error| Failure::could_not_tell("trust", error))
    }
}

/// All that was verified.
pub(super) struct Receipt {
    genesis: Option<Genesis>,
    /// Of the node that signed, by the genesis file.
    organisation: Option<OrganisationEntry>,
    receipt: CoseReceipt,
    log: LogCheckpoint,
    leaf: Leaf,
    file: Option<Compared>,
}

pub(super) fn verify(args: &Args, bytes: &[u8]) -> Result<Receipt, Failure> {
    check_options(args).map_err(|error| Failure::could_not_tell("trust", error))?;
    let inputs = &args.inputs;
    let shown = inputs.proof.shown().to_string();
    let receipt = CoseReceipt::decode(bytes).map_err(|error| of_form(error, &shown))?;
    let leaf_bytes = read_leaf(args).map_err(|error| Failure::could_not_tell("leaf", error))?;
    let trust = |error: anyhow::Error| Failure::could_not_tell("trust", error);
    let genesis = inputs.trust.genesis.as_deref().map(load_genesis);
    let genesis = genesis.transpose().map_err(trust)?;
    let key = key(args, genesis.as_ref(), &receipt)?;
    let log = verify_cose_receipt(&leaf_bytes, &receipt, &key);
    let log = log.map_err(|error| Failure::invalid("inclusion", error))?;
    let leaf = Leaf::decode(&leaf_bytes).map_err(|error| Failure::invalid("leaf", error))?;
    let chain = format!("tbsi/{}/", leaf.head.chain_id);
    let same = demand(log.origin.starts_with(&chain), || {
        let (id, origin) = (leaf.head.chain_id, &log.origin);
        (
            format!("the leaf is of chain id {id}, the log is {origin}"),
            format!("紀錄的鏈識別碼是 {id}，日誌卻是 {origin}"),
        )
    });
    same.map_err(|error| Failure::invalid("leaf", error))?;
    let organisation = genesis.as_ref().and_then(|it| organisation(it, &receipt));
    Ok(Receipt {
        organisation: organisation.cloned(),
        file: compare_file(inputs, &leaf, None, named_after(&inputs.proof))?,
        genesis,
        receipt,
        log,
        leaf,
    })
}

/// Options that say something of certificates, or of the map, say nothing here.
fn check_options(args: &Args) -> anyhow::Result<()> {
    let (trust, checks) = (&args.inputs.trust, &args.checks);
    let used = trust.rpc.is_none() && trust.checkpoint.is_none() && trust.handovers.is_none();
    demand(used, || {
        (
            "--rpc, --checkpoint and --handovers are for proofs with a certificate, which a COSE \
             receipt has not; leave them out"
                .into(),
            "--rpc、--checkpoint、--handovers 用於附有提交憑證的證明，COSE 收據沒有；請移除".into(),
        )
    })?;
    let used = checks.status_max_age.is_none() && checks.post_quantum.post_quantum.is_none();
    demand(used, || {
        (
            "--status-max-age and --post-quantum are for proofs with a certificate, which a COSE \
             receipt has not; leave them out"
                .into(),
            "--status-max-age、--post-quantum 用於附有提交憑證的證明，COSE 收據沒有；請移除".into(),
        )
    })
}

fn of_form(error: CoseReceiptError, shown: &str) -> Failure {
    let file = (shown.to_owned(), shown.to_owned());
    match error {
        CoseReceiptError::TooLong(_) | CoseReceiptError::Message(_) => {
            Failure::could_not_tell("unreadable", wrap(error, file))
        }
        CoseReceiptError::Part { .. }
        | CoseReceiptError::Size { .. }
        | CoseReceiptError::NotCanonical => Failure::invalid("form", wrap(error, file)),
    }
}

/// The leaf, which is no part of the receipt.
fn read_leaf(args: &Args) -> anyhow::Result<Vec<u8>> {
    let given = args.receipt.leaf.clone();
    let path = given.unwrap_or_else(|| leaf_beside(&args.inputs.proof));
    let mut bytes = Vec::new();
    let read = File::open(&path).and_then(|file| {
        let mut limited = file.take(LEAF_BYTES_MAX as u64 + 1);
        limited.read_to_end(&mut bytes)
    });
    read.or_say(|| {
        let path = path.shown();
        (
            format!("read leaf {path}; --leaf names the file that `tbsi prove` wrote"),
            format!("讀取紀錄 {path}；可用 --leaf 指定 `tbsi prove` 寫出的檔案"),
        )
    })?;
    Ok(bytes)
}

/// The key that counts: one that the user gave, or a validator's of the genesis file.
fn key(
    args: &Args,
    genesis: Option<&Genesis>,
    receipt: &CoseReceipt,
) -> Result<NoteVerifier, Failure> {
    let trust = |error: anyhow::Error| Failure::could_not_tell("trust", error);
    if let Some(genesis) = genesis {
        let own = genesis.identity().log_origin();
        if receipt.origin != own {
            let origin = &receipt.origin;
            let other = said(
                format!("the receipt is of log {origin}; that of the genesis file is {own}"),
                format!("收據屬於日誌 {origin}；創世檔的日誌是 {own}"),
            );
            return Err(Failure::could_not_tell("otherNetwork", other));
        }
    }
    if let Some(given) = &args.receipt.log_key {
        return NoteVerifier::parse(given).map_err(|error| trust(error.into()));
    }
    let Some(genesis) = genesis else {
        return Err(trust(said(
            "nothing is trusted yet; give --genesis with the network's genesis file, or --log-key \
             with the key of the node that signed",
            "尚未指定信任的依據；請以 --genesis 指定該網路的創世檔，或以 --log-key 指定簽署節點的\
             金鑰",
        )));
    };
    let roster = Roster::of_genesis(genesis).map_err(|error| trust(error.into()))?;
    let mut known = roster.cosigners(&genesis.identity()).into_iter();
    let named = known
        .find(|it| it.key.name() == receipt.signer && *it.key.public_key() == receipt.public_key);
    named.map(|it| it.key).ok_or_else(|| {
        let kind = SignatureType::Cosignature;
        let key = NoteVerifier::new(&receipt.signer, kind, &receipt.public_key);
        let key = key.map_or_else(|error| error.to_string(), |key| key.encode());
        Failure::could_not_tell(
            "signer",
            said(
                format!(
                    "the genesis file has no validator with the key that signed; if you know from \
                     elsewhere whose it is, give --log-key {key}"
                ),
                format!(
                    "創世檔中沒有使用此簽署金鑰的驗證者；若您從他處得知金鑰屬於何人，請加上 \
                     --log-key {key}"
                ),
            ),
        )
    })
}

/// Who answers for the node that signed.
fn organisation<'a>(genesis: &'a Genesis, receipt: &CoseReceipt) -> Option<&'a OrganisationEntry> {
    let mut nodes = genesis.nodes.iter();
    let node = nodes.find(|node| {
        let validator = node.validator.as_ref();
        let key = validator.and_then(|validator| validator.log_key.as_ref());
        key.is_some_and(|key| key.as_ref() == receipt.public_key)
    });
    genesis.organisations.get(&node?.organisation)
}

/// The file that a receipt is of, by its name.
fn named_after(receipt: &Path) -> Option<PathBuf> {
    without_end(receipt, EXTENSION)
}

impl Receipt {
    pub(super) fn verdict(&self, lang: Language) -> Verdict {
        let words = lang.pick(
            "THE RECEIPT HOLDS; revocation not checked",
            "收據驗證通過；未檢查事後是否撤銷",
        );
        Verdict {
            kind: VerdictKind::Valid,
            code: None,
            reason: None,
            words: words.into(),
        }
    }

    /// Each step, in words.
    pub(super) fn steps(&self, lang: Language) -> Vec<Step> {
        let (receipt, log) = (&self.receipt, &self.log);
        let mut steps = Steps::default();
        steps.passed(lang.pick("log: ", "日誌：").to_owned() + &log.origin);
        let (index, size, root) = (receipt.index, log.size, log.root);
        steps.detail(lang.pick(
            format!("leaf {index} is among its {}", counted(size, "leaf")),
            format!("第 {index} 筆紀錄在其 {size} 筆之中"),
        ));
        steps.detail(lang.pick(format!("root {root}"), format!("根雜湊 {root}")));
        steps.passed(lang.pick(
            "signature: one node's word, not a quorum's",
            "簽章：單一節點的陳述，並非法定多數",
        ));
        let unknown = lang.pick(
            "legal name: not proved (you gave its key)",
            "法定名稱：未經證明（金鑰由您指定）",
        );
        let name = self.organisation.as_ref().map_or_else(
            || unknown.to_owned(),
            |of| Owner::from(of).names(lang) + &Owner::from(of).identifiers(),
        );
        steps.detail(format!("- {name}"));
        let key = &receipt.signer;
        steps.detail(lang.pick(format!("  key {key}"), format!("  金鑰 {key}")));
        let genesis = self.genesis.as_ref();
        let issuer = self.leaf.head.issuer;
        let owner = genesis.and_then(|genesis| identity::of_account(genesis, issuer));
        let owner = owner.map(Owner::from);
        match lang {
            Language::En => en::leaf(&mut steps, &self.leaf, genesis, owner),
            Language::ZhTw => zh_tw::leaf(&mut steps, &self.leaf, genesis, owner),
        }
        self.write_file(&mut steps, lang);
        steps.into_vec()
    }

    fn write_file(&self, steps: &mut Steps, lang: Language) {
        let Some(file) = &self.file else {
            let what = lang.pick(
                "file: none was compared; --file FILE compares one",
                "檔案：未比對任何檔案；可用 --file FILE 指定",
            );
            return steps.add(Mark::Skipped, what);
        };
        let shown = file.file.shown();
        steps.passed(lang.pick(
            format!("file: {shown} has this digest, to the last bit"),
            format!("檔案：{shown} 與上述摘要完全相符"),
        ));
    }

    /// For programs.
    pub(super) fn summary(&self) -> Value {
        let receipt = &self.receipt;
        let file = self.file.as_ref().map(|file| {
            json!({
                "file": file.file.json(),
                "digest": file.digest,
                "algorithm": file.algorithm,
                "salted": file.salt.is_some(),
            })
        });
        json!({
            "verdict": "valid",
            "form": "cose",
            "origin": self.log.origin,
            "leafIndex": receipt.index,
            "logSize": self.log.size,
            "logRoot": self.log.root,
            "signer": {
                "key": receipt.signer,
                "organisation": identity::summary(self.organisation.as_ref().map(Owner::from)),
            },
            "statement": describe(&self.leaf),
            "file": file,
            "revocation": { "status": "notChecked" },
        })
    }
}
