//! Events of the governance contracts and of the outbox.

use alloy_primitives::{Address, B256, b256};

use super::LeafWriter;
use super::abi::{Words, address};
use crate::log::leaf::{GOVERNANCE_KIND, LeafError, MESSAGE_KIND, body_hash};

/// `MessageSent(bytes32 indexed destination, bytes32 indexed receiver, address indexed sender,
/// uint64 sequence, uint64 timeout, bytes32 payloadHash)`
pub(super) const MESSAGE_SENT: B256 =
    b256!("a4fb70f1cc92eecc649135c86f3fd465b37fb4ad443ddab419cbf62b7b550916");

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
