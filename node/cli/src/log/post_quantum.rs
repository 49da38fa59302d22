//! `tbsi log post-quantum`: fetches post-quantum cosignatures and the keys, to keep them.

use std::path::{Path, PathBuf};

use anyhow::Context;
use serde_json::json;
use tbsi_light::verify_post_quantum_note;
use tbsi_types::bundle::NamedValidators;
use tbsi_types::log::TlogProof;
use tbsi_types::{Genesis, LeafIndex};

use super::{Checked, Failure};
use crate::lang::{Language, SayContext, said};
use crate::proof::load_genesis;
use crate::report::Format;
use crate::rpc::LogUrl;
use crate::shown::PathShown;
use crate::verify::post_quantum::{lines, parse_keys, summary};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Position of the leaf in the log, as `tbsi verify` shows it.
    #[arg(value_name = "INDEX")]
    index: u64,
    /// File to write the cosignatures to, as C2SP tlog-proof.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// File to write the keys to. Keep them apart: who can change both can make up both.
    #[arg(long, value_name = "FILE")]
    keys_out: PathBuf,
    /// Genesis file of the network; whose validators are counted.
    #[arg(long, value_name = "FILE")]
    genesis: PathBuf,
    #[command(flatten)]
    log: LogUrl,
    /// Language of the text.
    #[arg(long, value_name = "LANG", default_value = "en")]
    pub(super) lang: Language,
    #[command(flatten)]
    pub(super) format: Format,
}

pub(super) async fn fetch(args: &Args) -> Checked {
    let genesis = load_genesis(&args.genesis)?;
    let reader = args.log.reader()?;
    let keys_text = reader.post_quantum_keys().await?;
    let keys = parse_keys(&keys_text).or_say(|| {
        let log = args.log.url();
        (
            format!("no validator has cosigned the log at {log} with a post-quantum key"),
            format!("尚無驗證者以後量子金鑰共同簽署 {log} 的日誌"),
        )
    })?;
    let text = reader.post_quantum_proof(LeafIndex(args.index)).await?;
    let proof = TlogProof::parse(&text).context("the node's answer")?;
    if proof.index != LeafIndex(args.index) {
        let error = said("the node answered for another leaf", "節點回答的是另一筆");
        return Err(Failure::No(error));
    }
    let set = founders(&genesis)?;
    let verified = verify_post_quantum_note(&proof.note, &genesis.identity(), &set, &keys);
    let verified = verified.map_err(|error| Failure::No(error.into()))?;
    write(&args.out, &text)?;
    write(&args.keys_out, &keys_text)?;
    let mut shown = lines(&verified, args.lang);
    shown += &args.lang.pick(
        format!(
            "Of the founding validators; `tbsi verify PROOF --post-quantum {} --post-quantum-keys \
             {}` counts those of the proof, and checks that the leaf is in the log.\n",
            args.out.word(),
            args.keys_out.word()
        ),
        format!(
            "以上為創始驗證者；`tbsi verify PROOF --post-quantum {} --post-quantum-keys {}` \
             會以證明中的驗證者計算，並檢查該筆是否在日誌中。\n",
            args.out.word(),
            args.keys_out.word()
        ),
    );
    Ok((shown, json!({ "postQuantum": summary(Some(&verified)) })))
}

fn founders(genesis: &Genesis) -> anyhow::Result<NamedValidators> {
    Ok(NamedValidators::of_genesis(genesis)?)
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    std::fs::write(path, text).or_say(|| {
        let path = path.shown();
        (format!("write {path}"), format!("寫入 {path}"))
    })
}
