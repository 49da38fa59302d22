//! Events of the governance contracts, of the outbox and of the contract of foreign facts.

use alloy_primitives::{Address, B256, b256};

use super::FACTS;
use super::LeafWriter;
use super::abi::{Words, address, integer};
use crate::log::leaf::{FACT_KIND, GOVERNANCE_KIND, LeafError, MESSAGE_KIND, body_hash};

/// `MessageSent(bytes32 indexed destination, bytes32 indexed receiver, address indexed sender,
/// uint64 sequence, uint64 timeout, bytes32 payloadHash)`
pub(super) const MESSAGE_SENT: B256 =
    b256!("a4fb70f1cc92eecc649135c86f3fd465b37fb4ad443ddab419cbf62b7b550916");

/// `FactImported(uint32 indexed client, address indexed account, bytes32 indexed slot, address
/// importer, uint8 kind, uint64 chainId, uint64 height, uint64 time, bytes32 blockHash, bytes32
/// value)`
pub(super) const FACT_IMPORTED: B256 =
    b256!("cb8ba69e20c323e0ef95a26c0c990df6c8b4d47bc208d757a85584dded170bfe");

/// Any event of a governance contract; one without a signature makes no leaf.
pub(super) fn write_act<F: FnMut(&[u8])>(
    contract: Address,
    topics: &[B256],
    data: &[u8],
    writer: &mut LeafWriter<'_, F>,
) -> Result<(), LeafError> {
    let [event, rest @ ..] = topics else {
        return Ok(());
    };
    let mut leaf = writer.begin(GOVERNANCE_KIND, contract)?;
    leaf.push(event.as_slice());
    leaf.push(body_hash(rest, data).as_slice());
    writer.emit(&mut leaf)
}

/// A message; none if the event is another one or not in canonical form.
pub(super) fn write_message<F: FnMut(&[u8])>(
    topics: &[B256],
    data: &[u8],
    writer: &mut LeafWriter<'_, F>,
) -> Result<(), LeafError> {
    let [MESSAGE_SENT, destination, receiver, sender] = topics else {
        return Ok(());
    };
    let Some((sender, fields)) = message(*sender, data) else {
        return Ok(());
    };
    let mut leaf = writer.begin(MESSAGE_KIND, sender)?;
    leaf.push(destination.as_slice());
    leaf.push(receiver.as_slice());
    leaf.push(&fields);
    writer.emit(&mut leaf)
}

/// Sender; sequence, timeout and payload hash as the leaf has them.
fn message(sender: B256, data: &[u8]) -> Option<(Address, [u8; 48])> {
    let mut words = Words::new(data);
    let (sequence, timeout) = (words.integer()?, words.integer()?);
    let payload_hash = words.word()?;
    words.end()?;
    let mut fields = [0; 48];
    fields[..8].copy_from_slice(&sequence.to_be_bytes());
    fields[8..16].copy_from_slice(&timeout.to_be_bytes());
    fields[16..].copy_from_slice(payload_hash.as_slice());
    Some((address(sender)?, fields))
}

/// An imported fact, none if it is not in canonical form; or any other event of the contract.
pub(super) fn write_of_facts<F: FnMut(&[u8])>(
    topics: &[B256],
    data: &[u8],
    writer: &mut LeafWriter<'_, F>,
) -> Result<(), LeafError> {
    let [FACT_IMPORTED, client, account, slot] = topics else {
        return write_act(FACTS, topics, data, writer);
    };
    let Some((importer, fields)) = fact(*client, *account, *slot, data) else {
        return Ok(());
    };
    let mut leaf = writer.begin(FACT_KIND, importer)?;
    leaf.push(&fields);
    writer.emit(&mut leaf)
}

/// Who brought it, and the fields of the leaf.
fn fact(client: B256, account: B256, slot: B256, data: &[u8]) -> Option<(Address, [u8; 145])> {
    let mut words = Words::new(data);
    let importer = address(words.word()?)?;
    let assurance = u8::try_from(words.integer()?).ok()?;
    let (chain_id, height, time) = (words.integer()?, words.integer()?, words.integer()?);
    let (block_hash, value) = (words.word()?, words.word()?);
    words.end()?;
    let client = u32::try_from(integer(client)?).ok()?;
    let account = address(account)?;
    let parts: [&[u8]; 9] = [
        &client.to_be_bytes(),
        &[assurance],
        &chain_id.to_be_bytes(),
        &height.to_be_bytes(),
        &time.to_be_bytes(),
        block_hash.as_slice(),
        account.as_slice(),
        slot.as_slice(),
        value.as_slice(),
    ];
    let mut fields = [0; 145];
    let mut at = 0;
    for part in parts {
        fields[at..][..part.len()].copy_from_slice(part);
        at += part.len();
    }
    Some((importer, fields))
}
