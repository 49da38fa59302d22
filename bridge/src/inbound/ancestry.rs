//! That a block of another chain comes after one that TBSI has accepted (SPEC §16.5): by the
//! headers between, or by a hash that the chain itself keeps.

use alloy_primitives::{B256, Bytes, U64};
use serde::Deserialize;
use serde_json::json;
use tbsi_light::foreign::limits::ANCESTRY_HEADERS_MAX;
use tbsi_light::foreign::{
    Ancestor, Ancestry, HISTORY_ADDRESS, HISTORY_BLOCKS, hashed_header, history_slot, keeper_slot,
    verify_ancestor,
};

use super::{EncodedHeader, ForeignChain, InboundError};

/// Up to so many headers are less than a proof of storage.
const HEADERS_FEW: u64 = 4;

#[derive(Deserialize)]
struct BlockHash {
    hash: B256,
}

impl ForeignChain {
    /// Hash of the chain's block 0, as the endpoint says.
    pub async fn genesis(&self) -> Result<B256, InboundError> {
        let params = [json!(U64::ZERO), json!(false)];
        let block: Option<BlockHash> = self
            .ask("the genesis block", "eth_getBlockByNumber", &params)
            .await?;
        block.map(|block| block.hash).ok_or(InboundError::NoBlock {
            url: self.url(),
            height: 0,
        })
    }

    /// Fails unless the endpoint says that its chain begins with this block. Headers prove it, if
    /// they follow from the client's.
    pub async fn check_genesis(&self, expected: B256) -> Result<(), InboundError> {
        let got = self.genesis().await?;
        if got != expected {
            let url = self.url();
            return Err(InboundError::Genesis { url, expected, got });
        }
        Ok(())
    }

    /// That a header's block comes after an ancestor, verified; `None` if that is too far away and
    /// the chain keeps no hash of it.
    pub async fn ancestry(
        &self,
        ancestor: &Ancestor,
        header: &EncodedHeader,
    ) -> Result<Option<Bytes>, InboundError> {
        let distance = header.read.height.saturating_sub(ancestor.height);
        if distance <= HEADERS_FEW {
            return self.by_parents(ancestor, header).await;
        }
        if let Some(ancestry) = self.by_storage(ancestor, header).await {
            return Ok(Some(ancestry));
        }
        if distance > 1 + ANCESTRY_HEADERS_MAX as u64 {
            return Ok(None);
        }
        self.by_parents(ancestor, header).await
    }

    async fn by_storage(&self, ancestor: &Ancestor, header: &EncodedHeader) -> Option<Bytes> {
        let height = header.read.height;
        if height - ancestor.height <= HISTORY_BLOCKS {
            let slot = history_slot(ancestor.height);
            // A node that has no state of that block any more has no proof: there are other ways.
            if let Ok(proof) = self.proof(height, HISTORY_ADDRESS, slot).await
                && let Some(found) = verified(ancestor, header, &Ancestry::History(proof))
            {
                return Some(found);
            }
        }
        let keeper = self.keeper?;
        let slot = keeper_slot(ancestor.height);
        let proof = self.proof(height, keeper, slot).await.ok()?;
        verified(ancestor, header, &Ancestry::Keeper(keeper, proof))
    }

    async fn by_parents(
        &self,
        ancestor: &Ancestor,
        header: &EncodedHeader,
    ) -> Result<Option<Bytes>, InboundError> {
        let mut headers = Vec::new();
        for height in (ancestor.height + 1..header.read.height).rev() {
            let found = self.header(height).await?;
            let hashed = hashed_header(self.assurance, &found.bytes);
            let hashed = hashed.map_err(|source| InboundError::Header { height, source })?;
            headers.push(hashed.into());
        }
        let found = verified(ancestor, header, &Ancestry::Parents(headers));
        let (height, base) = (header.read.height, ancestor.height);
        // Many headers of many validators are too many bytes: fewer may do.
        if found.is_none() && height - base <= HEADERS_FEW {
            let url = self.url();
            return Err(InboundError::NoAncestry { url, height, base });
        }
        Ok(found)
    }
}

/// Its bytes, if they show it.
fn verified(ancestor: &Ancestor, header: &EncodedHeader, ancestry: &Ancestry) -> Option<Bytes> {
    let bytes = ancestry.encode().ok()?;
    let shown = verify_ancestor(&header.bytes, ancestor, &bytes);
    shown.is_ok().then(|| bytes.into())
}
