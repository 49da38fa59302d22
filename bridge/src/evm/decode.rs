//! What is in a signed transaction, for those who check the record.

use alloy_consensus::{Transaction, TxEnvelope};
use alloy_eips::eip2718::Decodable2718;
use alloy_primitives::{Bytes, keccak256};
use alloy_sol_types::{SolCall, SolInterface};
use tbsi_types::Checkpoint;
use tbsi_types::checkpoint::CHECKPOINT_BYTES;

use super::abi::Inbox::deliverCall;
use super::abi::LightClient::{self, LightClientCalls as Calls};
use crate::record::Attempt;
use crate::target::Contents;

pub(super) fn contents(attempt: &Attempt) -> Result<Contents, String> {
    let decoded = TxEnvelope::decode_2718_exact(&attempt.raw);
    let transaction = decoded.map_err(|error| format!("no transaction: {error}"))?;
    let TxEnvelope::Eip1559(signed) = &transaction else {
        return Err("a transaction of another type".into());
    };
    let hash = signed.signature_hash();
    let signer = signed.signature().recover_address_from_prehash(&hash);
    let mut contents = Contents {
        transaction: keccak256(&attempt.raw),
        signer: signer.map_err(|error| format!("no signer: {error}"))?,
        chain_id: transaction.chain_id().unwrap_or_default(),
        nonce: transaction.nonce(),
        to: transaction.to().unwrap_or_default(),
        ..Contents::default()
    };
    if let Ok(call) = deliverCall::abi_decode(transaction.input()) {
        contents.message = Some((call.index, call.leaf));
    } else if !transaction.input().is_empty() {
        add(transaction.input(), &mut contents, true)?;
    }
    Ok(contents)
}

fn add(data: &[u8], contents: &mut Contents, nested: bool) -> Result<(), String> {
    let call = Calls::abi_decode(data).map_err(|error| format!("no call: {error}"))?;
    match call {
        Calls::multicall(LightClient::multicallCall { data }) if nested => {
            for call in data {
                add(&call, contents, false)?;
            }
        }
        Calls::update(call) => contents.checkpoints.push(checkpoint(&call.decision)?),
        Calls::handover(call) => {
            contents.checkpoints.push(checkpoint(&call.last)?);
            contents.checkpoints.push(checkpoint(&call.first)?);
            contents.handovers += 1;
        }
        Calls::recordMany(call) => {
            let leaves = call.indexes.into_iter().zip(call.leaves);
            contents.leaves.extend(leaves);
        }
        Calls::freeze(call) => {
            let bytes = checkpoint(&call.a)?;
            let decoded = Checkpoint::decode(&bytes).map_err(|error| error.to_string())?;
            contents.evidence = Some(decoded.height.0);
        }
        Calls::multicall(_)
        | Calls::isRecorded(_)
        | Calls::status(_)
        | Calls::latest(_)
        | Calls::trustedUntilMs(_)
        | Calls::validatorSetOf(_)
        | Calls::digestAt(_)
        | Calls::pausedUntil(_)
        | Calls::SOURCE_CHAIN_ID(_)
        | Calls::GENESIS_HASH(_) => return Err("a call that a relayer does not make".into()),
    }
    Ok(())
}

fn checkpoint(decision: &Bytes) -> Result<Bytes, String> {
    let bytes = decision.get(..CHECKPOINT_BYTES);
    let bytes = bytes.ok_or("a decision that is too short")?;
    Ok(Bytes::copy_from_slice(bytes))
}
