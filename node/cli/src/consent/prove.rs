//! `tbsi consent prove`.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use alloy_primitives::B256;
use tbsi_governance::contracts::{Authorisation, Authorisations};
use tbsi_light::{TrustAnchor, verify_authorisation};
use tbsi_rpc::wire::{BundleStart, LeafSelector};
use tbsi_types::authorisation::{
    AUTHORISATION_ACCEPTED, AUTHORISATION_NARROWED, AUTHORISATION_OFFERED, AUTHORISATION_RELIED_ON,
    AuthorisationAct, AuthorisationEvent,
};
use tbsi_types::bundle::AuthorisationBundle;
use tbsi_types::contracts::AUTHORISATIONS;
use tbsi_types::{Height, LeafIndex, ProofBundle};

use super::fetch::{Logged, Places, leaf_at, leaf_of, logged, state_nodes};
use super::{find, in_force, parse_second};
use crate::govern::{Read, RegistryClient};
use crate::lang::{SayContext, said};
use crate::proof;
use crate::report::{note, print_json, refused};
use crate::salt::is_there;
use crate::shown::PathShown;

pub(super) const HELP: &str = "\
The proof has the acts of both organisations, under legal names, and how long the terms held by the
state of the newest checkpoint: it answers for every second before that. `tbsi consent verify`
verifies it and asks nobody.
Exit codes: 0 proof fetched, 1 it failed, 2 refused before asking.";

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Number of the authorisation; `tbsi consent list` shows it.
    #[arg(value_name = "NUMBER")]
    number: u32,
    /// The terms that were in force at this time, in RFC 3339 [default: the last ones].
    #[arg(long, value_name = "TIME", value_parser = parse_second)]
    at: Option<u64>,
    /// With a use under these terms: index of its leaf, from `tbsi consent rely` or `audit`.
    #[arg(long = "use", value_name = "INDEX")]
    uses: Vec<u64>,
    /// Height of a checkpoint that the reader trusts: the proof begins there.
    #[arg(long, value_name = "HEIGHT", default_value_t = 0)]
    from: u64,
    /// File to write, which must not exist; stdout if absent.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    pub(super) read: Read,
}

pub(super) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let lang = args.read.lang;
    if let Some(out) = args.out.as_deref().filter(|out| is_there(out)) {
        let out = out.shown();
        return Err(refused(lang.pick(
            format!("{out} exists; choose another --out"),
            format!("{out} 已存在；請另選 --out"),
        )));
    }
    let registry = RegistryClient::open(&args.read).await?;
    let bundle = bundle(&registry, &args).await?;
    // The node is believed in nothing but who its validators are, which the reader checks.
    let first = bundle.proof.handovers.first();
    let set = first.map_or(&bundle.proof.validators, |it| &it.validators);
    let anchor = TrustAnchor::validator_set(registry.chain, set.hash());
    let url = registry.client.url();
    let proven = verify_authorisation(&bundle, &anchor).or_say(|| {
        (
            format!("{url} gave a wrong proof"),
            format!("{url} 回覆了錯誤的證明"),
        )
    })?;
    let json = bundle.to_json()?;
    match &args.out {
        None => print_json(&json)?,
        Some(out) => write(out, json.as_bytes())?,
    }
    let (version, height) = (proven.stated.version, proven.known);
    note(&lang.pick(
        format!(
            "terms {version} of authorisation {}, as known at height {height}; \
             `tbsi consent verify` verifies it",
            proven.number
        ),
        format!(
            "授權 {} 的第 {version} 版條件，所知截至高度 {height}；可用 `tbsi consent verify` 驗證",
            proven.number
        ),
    ));
    Ok(ExitCode::SUCCESS)
}

fn write(out: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(out)
        .and_then(|mut file| file.write_all(bytes))
        .or_say(|| {
            let out = out.shown();
            (format!("write {out}"), format!("無法寫入 {out}"))
        })
}

async fn bundle(registry: &RegistryClient, args: &Args) -> anyhow::Result<AuthorisationBundle> {
    let (client, number) = (&registry.client, args.number);
    let found = find(registry, number).await?;
    in_force(&found, number, registry.lang)?;
    let version = version_at(registry, &found, args).await?;
    let begun = since(registry, number, version).await?.1;
    let own = act(
        registry,
        number,
        &[AUTHORISATION_ACCEPTED, AUTHORISATION_NARROWED],
        begun,
    );
    let own = own.await?;
    let own = own.of_version(version, None)?;
    let mut others = Vec::new();
    if version != 0 {
        others.extend(given(registry, number, 0).await?);
    }
    if matches!(own.1.act, AuthorisationAct::Accepted(_)) {
        others.push(offer(registry, &own.1).await?);
    }
    for index in &args.uses {
        others.push(used(registry, number, LeafIndex(*index)).await?);
    }
    let (index, ..) = leaf_of(client, &own.0).await?;
    let proof = at_tip(registry, index, Height(args.from)).await?;
    let checkpoint = proof.decision.checkpoint;
    let mut places = Places::new(client, checkpoint.log_size)?;
    let mut acts = Vec::with_capacity(others.len());
    for other in &others {
        acts.push(places.place(other).await?);
    }
    acts.sort_by_key(|it| it.leaf_index);
    acts.dedup_by_key(|it| it.leaf_index);
    Ok(AuthorisationBundle {
        text: own.0.text(),
        nodes: state_nodes(client, (number, version), checkpoint.height).await?,
        acts,
        proof,
    })
}

/// Which terms were in force at the time that is asked for; the last ones if none is.
async fn version_at(
    registry: &RegistryClient,
    found: &Authorisation,
    args: &Args,
) -> anyhow::Result<u32> {
    let last = found.versions.saturating_sub(1);
    let Some(at) = args.at else {
        return Ok(last);
    };
    for version in (0..=last).rev() {
        if since(registry, args.number, version).await?.0 <= at {
            return Ok(version);
        }
    }
    Err(refused(registry.lang.pick(
        format!("authorisation {} began after that time", args.number),
        format!("授權 {} 在該時間之後才開始", args.number),
    )))
}

/// Time and height of the block with which a version began.
async fn since(registry: &RegistryClient, number: u32, version: u32) -> anyhow::Result<(u64, u64)> {
    let call = Authorisations::versionOfCall {
        authorisation: number,
        version: alloy_primitives::U256::from(version),
    };
    let found = registry.ask(AUTHORISATIONS, call).await?;
    Ok((found.since, found.sinceHeight))
}

/// Acts in one block.
struct Acts(Vec<(Logged, AuthorisationEvent)>);

impl Acts {
    /// The last one that states these terms.
    fn of_version(
        self,
        version: u32,
        accepted: Option<&AuthorisationEvent>,
    ) -> anyhow::Result<(Logged, AuthorisationEvent)> {
        let states = |it: &(Logged, AuthorisationEvent)| {
            let Some(stated) = it.1.stated() else {
                return false;
            };
            let same = accepted
                .and_then(AuthorisationEvent::stated)
                .is_none_or(|other| other.terms == stated.terms);
            stated.version == version && same
        };
        let found = self.0.into_iter().rfind(states);
        found.ok_or_else(|| {
            said(
                format!("the node has no event of terms {version} where the contract says"),
                format!("節點在合約所指之處沒有第 {version} 版條件的事件"),
            )
        })
    }
}

async fn act(
    registry: &RegistryClient,
    number: u32,
    events: &[B256],
    height: u64,
) -> anyhow::Result<Acts> {
    let all = logged(&registry.client, number, events, (height, height)).await?;
    let read = all
        .into_iter()
        .filter_map(|it| it.read().map(|event| (it, event)));
    Ok(Acts(read.collect()))
}

/// Offer and acceptance of a version.
async fn given(
    registry: &RegistryClient,
    number: u32,
    version: u32,
) -> anyhow::Result<[Logged; 2]> {
    let height = since(registry, number, version).await?.1;
    let acts = act(registry, number, &[AUTHORISATION_ACCEPTED], height).await?;
    let accepted = acts.of_version(version, None)?;
    Ok([offer(registry, &accepted.1).await?, accepted.0])
}

/// The offer that was accepted.
async fn offer(registry: &RegistryClient, accepted: &AuthorisationEvent) -> anyhow::Result<Logged> {
    let (number, version) = (
        accepted.authorisation,
        accepted.stated().map_or(0, |it| it.version),
    );
    let call = Authorisations::offeredAtCall {
        authorisation: number,
        version: alloy_primitives::U256::from(version),
    };
    let height = registry.ask(AUTHORISATIONS, call).await?;
    let acts = act(registry, number, &[AUTHORISATION_OFFERED], height).await?;
    Ok(acts.of_version(version, Some(accepted))?.0)
}

/// The use that a leaf states.
async fn used(registry: &RegistryClient, number: u32, index: LeafIndex) -> anyhow::Result<Logged> {
    let client = &registry.client;
    let (leaf, _) = leaf_at(client, index).await?;
    let height = leaf.head.height.0;
    let all = logged(client, number, &[AUTHORISATION_RELIED_ON], (height, height)).await?;
    for one in all {
        if leaf_of(client, &one).await?.0 == index {
            return Ok(one);
        }
    }
    Err(refused(registry.lang.pick(
        format!("leaf {index} states no use under authorisation {number}"),
        format!("第 {index} 筆紀錄不是授權 {number} 的使用"),
    )))
}

/// The bundle of a leaf under the newest checkpoint.
async fn at_tip(
    registry: &RegistryClient,
    index: LeafIndex,
    from: Height,
) -> anyhow::Result<ProofBundle> {
    let start = BundleStart {
        from,
        // The form with the registry is under the newest checkpoint.
        registry: true,
        ..BundleStart::default()
    };
    let url = registry.client.url();
    let json = registry
        .client
        .proof_with(&LeafSelector::Index(index), &start)
        .await?;
    let json = json.ok_or_else(|| {
        said(
            format!("{url} has no leaf {index}"),
            format!("{url} 沒有第 {index} 筆紀錄"),
        )
    })?;
    let file = proof::parse_any(json.get().as_bytes()).or_say(|| {
        (
            format!("{url}: proof of leaf {index}"),
            format!("{url}：第 {index} 筆紀錄的證明"),
        )
    })?;
    Ok(file.bundle)
}
