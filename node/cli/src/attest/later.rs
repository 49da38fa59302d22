//! Proofs on a chain whose validator set changed more often than one proof can show: they begin
//! at a later height (SPEC §10.6).

use alloy_eips::BlockNumberOrTag;
use tbsi_light::{HandoverFollower, TrustAnchor};
use tbsi_types::{Handover, Height, NamedValidators};

use super::Session;
use crate::lang::{SayContext, Sentence, said};
use crate::proof::handovers_to;

/// Where proofs begin.
#[derive(Clone, Copy, Debug)]
pub(super) struct Later {
    pub(super) from: Height,
    /// What follows from the genesis file by then; `None` if there is none.
    pub(super) anchor: Option<TrustAnchor>,
}

/// At the latest height. With a genesis file, each change of the validator set up to it is
/// fetched and verified.
pub(super) async fn begin(session: &Session) -> anyhow::Result<Later> {
    let client = &session.client;
    let from = client.status().await?.height;
    let Some(genesis) = session.anchor else {
        return Ok(Later { from, anchor: None });
    };
    let gave = || -> Sentence {
        let url = client.url();
        (
            format!("{url} gave handovers that do not follow"),
            format!("{url} 給的交接不成立"),
        )
    };
    let handovers = handovers_to(client, from).await?;
    let set = client.validators(BlockNumberOrTag::Number(from.0)).await?;
    let set = set.ok_or_else(|| {
        let url = client.url();
        said(
            format!("{url} has no validators for height {from}"),
            format!("{url} 沒有高度 {from} 的驗證者集合"),
        )
    })?;
    let anchor = followed(genesis, &handovers, &set.named()?).or_say(gave)?;
    let anchor = Some(anchor);
    Ok(Later { from, anchor })
}

/// From genesis to who decides now, `last`.
fn followed(
    genesis: TrustAnchor,
    handovers: &[Handover],
    last: &NamedValidators,
) -> anyhow::Result<TrustAnchor> {
    let mut follower = HandoverFollower::from(genesis);
    for (position, handover) in handovers.iter().enumerate() {
        let next = handovers.get(position + 1);
        follower.follow(handover, next.map_or(last, |next| &next.validators))?;
    }
    Ok(*follower.anchor())
}

/// What whoever gets such proofs has to know.
pub(super) fn explanation(from: Height) -> Sentence {
    (
        format!(
            "note: the validator set changed so often that the proofs begin at height {from}; they \
             verify with `tbsi verify --handovers FILE`, a file of `tbsi log handovers`, or with \
             --checkpoint of that height"
        ),
        format!(
            "注意：驗證者集合變更次數過多，證明始於高度 {from}；驗證時請加上 `tbsi verify \
             --handovers FILE`（`tbsi log handovers` 的檔案），或以 --checkpoint 指定該高度的檢查點"
        ),
    )
}
