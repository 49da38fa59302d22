//! Which block of the target cannot go away, and whether the configuration says so rightly.

use alloy_primitives::U64;
use serde_json::json;
use tbsi_light::foreign::mix_hash;

use super::EvmRpc;
use super::answers::Head;
use super::endpoints::Answer;
use super::rules::{Rules, rules_of};
use crate::config::Finality;
use crate::target::TargetError;

const METHOD: &str = "eth_getBlockByNumber";

impl EvmRpc {
    /// The newest block that cannot go away, given the newest one.
    pub(super) async fn final_head(&self, latest: &Head) -> Result<Head, TargetError> {
        match self.finality {
            Finality::Finalized => self.head("finalized").await,
            Finality::Latest | Finality::Instant => Ok(latest.clone()),
            Finality::Depth(blocks) => {
                let number = latest.number.saturating_sub(U64::from(blocks));
                let params = [json!(number), json!(false)];
                let head: Option<Head> = self.endpoints.result(METHOD, &params).await?;
                head.ok_or_else(|| TargetError::Unavailable {
                    agreed: 0,
                    needed: self.endpoints.needed(),
                    what: METHOD.into(),
                    problem: format!("no block {number}"),
                })
            }
        }
    }

    /// That the chain has what `target.finality` says, as far as it shows.
    pub(super) async fn check_finality(&self, latest: &Head) -> Result<(), TargetError> {
        let sealed = latest.mix_hash == Some(mix_hash());
        match self.finality {
            Finality::Finalized => self.check_tag(sealed).await,
            Finality::Instant if !sealed => Err(TargetError::Misconfigured(
                "target.finality is \"instant\", and the newest block is none of QBFT or IBFT \
                 2.0, whose validators seal it once and for all; set \"finalized\" if nodes know \
                 that tag, otherwise { depth = N }; nothing was sent"
                    .into(),
            )),
            Finality::Instant | Finality::Latest | Finality::Depth(_) => Ok(()),
        }
    }

    async fn check_tag(&self, sealed: bool) -> Result<(), TargetError> {
        let params = [json!("finalized"), json!(false)];
        let answers = self.endpoints.all::<Option<Head>>(METHOD, &params).await;
        let mut without = None;
        for answer in answers {
            match answer {
                Answer::Result(Some(_)) => return Ok(()),
                Answer::Result(None) => without = Some("no such block".to_owned()),
                Answer::Error(said, _) => without = Some(said),
                Answer::Silent(_) => {}
            }
        }
        // Nobody answered: that passes, and whoever asks for the block is told.
        let Some(said) = without else {
            return Ok(());
        };
        let remedy = if sealed {
            "its blocks are sealed by QBFT or IBFT 2.0: set target.finality = \"instant\""
        } else {
            "set target.finality = { depth = N }, with as many blocks as the chain may lose, or \
             wait if it has just begun"
        };
        Err(TargetError::Misconfigured(format!(
            "target.finality is \"finalized\", and no endpoint has a block under that tag \
             ({said}); {remedy}; nothing was sent"
        )))
    }

    /// The oldest of the rules that endpoints show; `None` if none of them tells.
    pub async fn rules(&self) -> Option<Rules> {
        let mut oldest: Option<Rules> = None;
        for client in self.endpoints.clients() {
            if let Ok(Some(rules)) = rules_of(client).await {
                oldest = Some(oldest.map_or(rules, |known| known.min(rules)));
            }
        }
        oldest
    }
}
