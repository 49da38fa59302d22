//! `tbsi relay evidence`.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::process::ExitCode;

use anyhow::bail;
use serde_json::{Value, json};
use tbsi_bridge::evm::{AccountView, Call, Estimate, EvmChain};
use tbsi_bridge::fabric::FabricDraft;
use tbsi_bridge::journal::JournalError;
use tbsi_bridge::kinds::ConfiguredTarget;
use tbsi_bridge::record::{Item, Reason};
use tbsi_bridge::relay::{RelayError, Until, evidence_request};
use tbsi_bridge::source::Proven;
use tbsi_bridge::target::{Load, Prepared, Target};
use tbsi_light::NamedSigner;
use tbsi_types::{Address, Height};
use tokio::runtime::Runtime;

use super::{Home, Opened, Say, ask, relay_until};
use crate::lang::said;
use crate::report::refuse;
use crate::shown;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    home: Home,
    /// Height to ask for.
    #[arg(long, value_name = "HEIGHT", value_parser = clap::value_parser!(u64).range(1..))]
    height: u64,
    /// Show the conflict and what the freeze would cost; send and write nothing.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    pub(super) say: Say,
}

/// Two contradictory checkpoints.
struct Conflict {
    freeze: Freeze,
    culprits: Vec<NamedSigner>,
}

/// What the target would do about it.
enum Freeze {
    Evm {
        view: Box<AccountView>,
        call: Option<Call>,
        verdict: Option<Estimate>,
    },
    Fabric(Prepared<FabricDraft>),
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let runtime = Runtime::new()?;
    let mut opened = Opened::load(&args.home.dir).map_err(refuse)?;
    let all = runtime.block_on(opened.parts.source.all_at(Height(args.height)))?;
    let [one, other, ..] = all.as_slice() else {
        let (count, height) = (all.len(), args.height);
        let text = args.say.pick(
            format!("{count} checkpoint of height {height}: no conflict"),
            format!("高度 {height} 有 {count} 個檢查點：沒有矛盾"),
        );
        let json = json!({ "conflict": false, "checkpoints": count });
        return args.say.format.print(&text, &json);
    };
    let conflict = runtime.block_on(look(&mut opened, one, other))?;
    let (text, json) = describe(args, &opened, &conflict)?;
    if args.dry_run {
        args.say.format.print(&text, &json)?;
        return Ok(ExitCode::FAILURE);
    }
    ask(&args.home.dir, &evidence_request(args.height))?;
    let (told, frozen) = tell(args, opened)?;
    let mut json = json;
    json["frozen"] = frozen.into();
    args.say.format.print(&format!("{text}\n{told}"), &json)
}

async fn look(opened: &mut Opened, one: &Proven, other: &Proven) -> anyhow::Result<Conflict> {
    let target = &mut opened.parts.target;
    target.check().await?;
    let freeze = match target {
        ConfiguredTarget::Evm(evm) => {
            let chain = evm.chain();
            let view = chain.look().await?;
            let call = chain.encode_freeze(one, other, view.latest).await?;
            let verdict = match &call {
                Some(call) => Some(chain.estimate(call).await?),
                None => None,
            };
            Freeze::Evm {
                view: Box::new(view),
                call,
                verdict,
            }
        }
        ConfiguredTarget::Fabric(fabric) => {
            let load = Load::Conflict(Box::new((one.clone(), other.clone())));
            Freeze::Fabric(fabric.prepare(&load).await?)
        }
    };
    let signed: BTreeSet<Address> = one.verified.signers.iter().map(|it| it.validator).collect();
    let both = other.verified.signers.iter();
    let both = both.filter(|signer| signed.contains(&signer.validator));
    Ok(Conflict {
        culprits: both.cloned().collect(),
        freeze,
    })
}

fn describe(args: &Args, opened: &Opened, conflict: &Conflict) -> anyhow::Result<(String, Value)> {
    let (say, height) = (args.say, args.height);
    let mut text = say.pick(
        format!("CONFLICT at height {height}: two checkpoints, both validly signed by\n"),
        format!("高度 {height} 有矛盾：兩個檢查點都有效，且都由以下驗證者簽署\n"),
    );
    for signer in &conflict.culprits {
        let [zh_tw, en] = [&signer.name_zh_tw, &signer.name_en].map(|it| shown::line(it));
        let address = signer.validator;
        writeln!(text, "  {address} {zh_tw} {en}")?;
    }
    let (client, named) = (&opened.parts.parties.target.client, &conflict.culprits);
    let (verdict, gas, call) = match &conflict.freeze {
        Freeze::Evm {
            view,
            call,
            verdict,
        } => {
            let (verdict, gas) = of_evm(say, client, view, verdict.as_ref());
            (verdict, gas, call.as_ref().map(|call| call.data.clone()))
        }
        Freeze::Fabric(prepared) => (of_fabric(say, client, prepared), None, None),
    };
    text += &verdict;
    let named: Vec<_> = named.iter().map(|it| it.validator).collect();
    let json = json!({
        "conflict": true,
        "culprits": named,
        "contract": client,
        "call": call,
        "gas": gas,
        "frozen": false,
    });
    Ok((text, json))
}

fn of_fabric(say: Say, client: &str, prepared: &Prepared<FabricDraft>) -> String {
    match prepared {
        Prepared::Ready(_) => say.pick(
            format!("the light client {client} would freeze"),
            format!("輕客戶端 {client} 將會凍結"),
        ),
        Prepared::Refused { code, detail, .. } | Prepared::TooLarge(Reason { code, detail }) => {
            refused(say, client, code, detail)
        }
    }
}

fn refused(say: Say, client: &str, code: &str, detail: &str) -> String {
    say.pick(
        format!("the light client {client} refuses it: {code} ({detail})"),
        format!("輕客戶端 {client} 拒絕：{code}（{detail}）"),
    )
}

/// What an EVM chain would do, and for how much gas.
fn of_evm(
    say: Say,
    client: &str,
    view: &AccountView,
    verdict: Option<&Estimate>,
) -> (String, Option<u64>) {
    let mut gas = None;
    let text = match verdict {
        Some(Estimate::Gas(needed)) => {
            gas = Some(*needed);
            let market = view.market;
            let price = u128::from(market.base_fee) + u128::from(market.tip);
            let cost = price.saturating_mul((*needed).into());
            say.pick(
                format!("the freeze of {client} needs {needed} gas, about {cost} wei now"),
                format!("凍結 {client} 需要 {needed} gas，目前約 {cost} wei"),
            )
        }
        Some(Estimate::Refused { code, detail, .. }) => refused(say, client, code, detail),
        Some(Estimate::TooLarge(detail)) => say.pick(
            format!("no transaction takes the freeze of {client}: {detail}"),
            format!("凍結 {client} 超出單筆交易的上限：{detail}"),
        ),
        None => say.pick(
            format!("the light client {client} does not know the set that signed"),
            format!("輕客戶端 {client} 不認得簽署的驗證者集合"),
        ),
    };
    (text, gas)
}

/// Sends it, or leaves that to the process that has the journal; whether it is final.
fn tell(args: &Args, opened: Opened) -> anyhow::Result<(String, bool)> {
    let say = args.say;
    let state = match relay_until(opened, Until::Told(args.height)) {
        Ok(state) => state,
        Err(error) if is_in_use(&error) => {
            let text = say.pick(
                "`tbsi relay run` sends it; `tbsi relay status` shows what becomes of it",
                "由執行中的 `tbsi relay run` 傳送；以 `tbsi relay status` 查看結果",
            );
            return Ok((text.into(), false));
        }
        Err(error) => return Err(error),
    };
    let item = Item::Evidence(args.height);
    if let Some((_, reason)) = state.quarantined().find(|(one, _)| *one == item) {
        let (code, detail) = (&reason.code, &reason.detail);
        return Err(said(
            format!("the freeze was not sent: {code}: {detail}"),
            format!("凍結未送出：{code}：{detail}"),
        ));
    }
    if state.items.contains_key(&item) {
        bail!("stopped before the freeze was final; `tbsi relay run` goes on with it");
    }
    let text = say.pick(
        "the light client is frozen, and its event names the culprits",
        "輕客戶端已凍結，事件中列出違規的驗證者",
    );
    Ok((text.into(), true))
}

fn is_in_use(error: &anyhow::Error) -> bool {
    let journal = matches!(
        error.downcast_ref::<RelayError>(),
        Some(RelayError::Journal(JournalError::InUse(_)))
    );
    journal || matches!(error.downcast_ref(), Some(JournalError::InUse(_)))
}
