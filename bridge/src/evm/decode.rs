//! What is in a signed transaction, for those who check the record.

use alloy_consensus::{Transaction, TxEnvelope};
use alloy_eips::eip2718::Decodable2718;
use alloy_primitives::{Bytes, keccak256};
use alloy_sol_types::SolCall;
use tbsi_types::Checkpoint;
use tbsi_types::checkpoint::CHECKPOINT_BYTES;

use super::abi::Inbox::deliverCall;
use super::abi::LightClient;
use super::{Attempt, Contents};

pub(super) fn contents(attempt: &Attempt) -> Result<Contents, String> {
    let decoded = TxEnvelope::decode_2718_exact(&attempt.raw);
    let transaction = decoded.map_err(|error| format!("no transaction: {error}"))?;
    let (hash, signature) = match &transaction {
        TxEnvelope::Eip1559(signed) => (signed.signature_hash(), signed.signature()),
        TxEnvelope::Legacy(signed) => (signed.signature_hash(), signed.signature()),
        TxEnvelope::Eip2930(_) | TxEnvelope::Eip4844(_) | TxEnvelope::Eip7702(_) => {
            return Err("a transaction of another type".into());
        }
    };
    let signer = signature.recover_address_from_prehash(&hash);
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
    match data.first_chunk().copied() {
        Some(LightClient::multicallCall::SELECTOR) if nested => {
            for call in call::<LightClient::multicallCall>(data)?.data {
                add(&call, contents, false)?;
            }
        }
        Some(LightClient::updateCall::SELECTOR) => {
            let call = call::<LightClient::updateCall>(data)?;
            contents.checkpoints.push(checkpoint(&call.decision)?);
        }
        Some(LightClient::handoverCall::SELECTOR) => {
            let call = call::<LightClient::handoverCall>(data)?;
            contents.checkpoints.push(checkpoint(&call.last)?);
            contents.checkpoints.push(checkpoint(&call.first)?);
            contents.handovers += 1;
        }
        Some(LightClient::recordManyCall::SELECTOR) => {
            let call = call::<LightClient::recordManyCall>(data)?;
            let leaves = call.indexes.into_iter().zip(call.leaves);
            contents.leaves.extend(leaves);
        }
        Some(LightClient::freezeCall::SELECTOR) => {
            let bytes = checkpoint(&call::<LightClient::freezeCall>(data)?.a)?;
            let decoded = Checkpoint::decode(&bytes).map_err(|error| error.to_string())?;
            contents.evidence = Some(decoded.height.0);
        }
        Some(_) | None => return Err("a call that a relayer does not make".into()),
    }
    Ok(())
}

fn call<C: SolCall>(data: &[u8]) -> Result<C, String> {
    C::abi_decode(data).map_err(|error| format!("no call: {error}"))
}

fn checkpoint(decision: &Bytes) -> Result<Bytes, String> {
    let bytes = decision.get(..CHECKPOINT_BYTES);
    let bytes = bytes.ok_or("a decision that is too short")?;
    Ok(Bytes::copy_from_slice(bytes))
}
