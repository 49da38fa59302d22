//! Until when the chain relies on hash algorithms (SPEC §12.6).

use serde_json::json;
use tbsi_bindings::SolCall;
use tbsi_bindings::contracts::ATTESTATIONS;
use tbsi_bindings::genesis::Attestations::{algorithmOfCall, reliedUntilCall};
use tbsi_light::archive::{ArchiveDigest, Sunsets};
use tbsi_rpc::Client;
use tbsi_types::Bytes;

use crate::lang::SayContext;

/// Status of an algorithm that counts for nothing.
const REVOKED: u8 = 3;

/// Asks a node, whose word it is.
pub(super) async fn ask(url: &str) -> anyhow::Result<Sunsets> {
    let client = crate::http::client(url)?;
    let mut sunsets = Sunsets::new();
    for algorithm in ArchiveDigest::ALL {
        let code = algorithm.multihash();
        if call(&client, algorithmOfCall { algorithm: code })
            .await?
            .status
            == REVOKED
        {
            sunsets.insert(algorithm, 0);
            continue;
        }
        let until = relied_until(&client, code).await?;
        sunsets.extend(until.map(|until| (algorithm, until)));
    }
    Ok(sunsets)
}

/// Until when digests of a multihash code are relied upon, in seconds; `None` for no end that is
/// known.
pub(crate) async fn relied_until(client: &Client, code: u32) -> anyhow::Result<Option<u64>> {
    let until = call(client, reliedUntilCall { algorithm: code }).await?;
    Ok(Some(until).filter(|until| *until != 0))
}

async fn call<C: SolCall>(client: &Client, call: C) -> anyhow::Result<C::Return> {
    let data = Bytes::from(call.abi_encode());
    let request = json!({ "to": ATTESTATIONS, "data": data });
    let answer: Bytes = client
        .request("eth_call", &[request, json!("latest")])
        .await?;
    C::abi_decode_returns(&answer).or_say(|| {
        let url = client.url();
        (
            format!("{url} has no table of algorithms with dates"),
            format!("{url} 沒有附日期的演算法表"),
        )
    })
}
