//! Proposed blocks: building and streaming our own, assembling and judging others'.

use std::time::Duration;

use arc_malachitebft_app_channel::app::streaming::{StreamContent, StreamId, StreamMessage};
use arc_malachitebft_app_channel::app::types::core as mc;
use arc_malachitebft_app_channel::app::types::{LocallyProposedValue, PeerId, ProposedValue};
use arc_malachitebft_app_channel::{NetworkMsg, Reply};
use bytes::Bytes;
use mc::Validity;
use tbsi_types::CheckpointDigest;
use tokio::task::block_in_place;
use tracing::{debug, warn};

use super::{Host, Parts, answer};
use crate::context::{
    Address, Ctx, Height, Part, PartInit, Value, round_from_engine, round_to_engine,
};
use crate::limits::{
    JUDGED_PER_ROUND_MAX, PART_BYTES, ROUNDS_AHEAD_MAX, STREAM_HEIGHTS_AHEAD_MAX,
    WAITING_PROPOSALS_MAX,
};
use crate::port::{Chain, ChainError, Origin, Verdict};
use crate::streams::{Assembled, Piece};

impl<C: Chain> Host<C> {
    pub(super) async fn on_get_value(
        &mut self,
        (height, round): (tbsi_types::Height, mc::Round),
        timeout: Duration,
        reply: Reply<LocallyProposedValue<Ctx>>,
        network: &Parts,
    ) -> Result<(), ChainError> {
        let number = round_from_engine(round).unwrap_or_default();
        // Half the time is for building; the rest for the others to receive and execute.
        let digest = block_in_place(|| self.chain.propose(height, number, timeout / 2))?;
        answer(
            reply,
            LocallyProposedValue::new(Height(height), round, Value(digest)),
        )?;
        let proposer = self.own.unwrap_or_default();
        self.stream((height, round, mc::Round::Nil), proposer, digest, network)
            .await
    }

    /// Publishes a block as parts. One that is not here any more is someone else's to stream.
    pub(super) async fn stream(
        &mut self,
        (height, round, polka_round): (tbsi_types::Height, mc::Round, mc::Round),
        proposer: tbsi_types::Address,
        digest: CheckpointDigest,
        network: &Parts,
    ) -> Result<(), ChainError> {
        let Some(bytes) = block_in_place(|| self.chain.proposal_bytes(height, digest))? else {
            debug!(%height, %digest, "asked to stream a block that is not here");
            return Ok(());
        };
        let init = PartInit {
            height,
            round: round_from_engine(round).unwrap_or_default(),
            polka_round: round_from_engine(polka_round),
            proposer,
            digest,
            length: u32::try_from(bytes.len()).expect("a block is below BLOCK_BYTES_MAX"),
        };
        self.streams_started += 1;
        let id = [height.0.to_be_bytes(), self.streams_started.to_be_bytes()].concat();
        for message in stream_messages(StreamId::new(id.into()), init, &bytes) {
            // A closed channel means that the engine is stopping; the loop notices.
            if network
                .send(NetworkMsg::PublishProposalPart(message))
                .await
                .is_err()
            {
                break;
            }
        }
        Ok(())
    }

    pub(super) fn on_part(
        &mut self,
        publisher: PeerId,
        message: StreamMessage<Part>,
    ) -> Result<Option<ProposedValue<Ctx>>, ChainError> {
        let publisher = publisher.to_string();
        if self.chain.validator_of_peer(&publisher).is_none() {
            debug!(
                publisher,
                "ignoring a proposal part of a peer that is no validator"
            );
            return Ok(None);
        }
        let id = message.stream_id.to_bytes();
        let piece = match message.content {
            StreamContent::Data(part) => Piece::Part(part),
            StreamContent::Fin => Piece::End,
        };
        let assembled = match self
            .assembler
            .insert(&publisher, &id, message.sequence, piece)
        {
            Ok(Some(assembled)) => assembled,
            Ok(None) => return Ok(None),
            Err(error) => {
                warn!(publisher, %error, "dropping a proposal stream");
                return Ok(None);
            }
        };
        let (height, next) = (assembled.init.height, self.chain.tip().next());
        if height == next {
            return self.judge(assembled);
        }
        if height > next && height.above(next) <= STREAM_HEIGHTS_AHEAD_MAX {
            self.wait(assembled);
        }
        Ok(None)
    }

    /// Keeps a proposal until its height or round starts; the oldest gives way.
    fn wait(&mut self, proposal: Assembled) {
        if self.waiting.len() == WAITING_PROPOSALS_MAX {
            self.waiting.remove(0);
        }
        self.waiting.push(proposal);
    }

    /// Bounds what each publisher can make this node execute and store.
    fn admits(&mut self, init: &PartInit, publisher: &str) -> bool {
        if init.round.0 > self.round.0.saturating_add(ROUNDS_AHEAD_MAX) {
            return false;
        }
        let judged = self
            .judged
            .entry((init.round, publisher.into()))
            .or_default();
        if judged.len() >= JUDGED_PER_ROUND_MAX && !judged.contains(&init.digest) {
            return false;
        }
        judged.insert(init.digest);
        true
    }

    /// Executes a complete proposal for the next height. A bad one counts against its value
    /// only if it came from the proposer itself: others could otherwise slander a good block.
    pub(super) fn judge(
        &mut self,
        proposal: Assembled,
    ) -> Result<Option<ProposedValue<Ctx>>, ChainError> {
        let Assembled {
            publisher,
            init,
            bytes,
        } = proposal;
        let due = self
            .chain
            .validators(init.height)?
            .proposer(init.height, init.round)
            .address;
        if init.proposer != due {
            warn!(height = %init.height, round = %init.round, %publisher, claimed = %init.proposer,
                %due, "dropping a proposal in the name of a validator whose turn it is not");
            return Ok(None);
        }
        if !self.admits(&init, &publisher) {
            debug!(height = %init.height, round = %init.round, proposer = %init.proposer,
                "dropping one proposal too many, or too far ahead");
            return Ok(None);
        }
        self.proposed = self.proposed.max(init.height);
        let verdict = block_in_place(|| self.chain.check(init.height, &bytes, Origin::Proposal))?;
        let problem = match verdict {
            Verdict::Valid(digest) if digest == init.digest => None,
            Verdict::Valid(digest) => Some(format!("its parts hash to {digest}")),
            Verdict::Invalid(reason) | Verdict::Malformed(reason) => Some(reason),
        };
        if let Some(reason) = &problem {
            warn!(height = %init.height, round = %init.round, proposer = %init.proposer,
                %publisher, digest = %init.digest, reason, "refusing a proposed block");
            if self.chain.validator_of_peer(&publisher) != Some(due) {
                return Ok(None);
            }
        }
        Ok(Some(ProposedValue {
            height: Height(init.height),
            round: round_to_engine(Some(init.round)),
            valid_round: round_to_engine(init.polka_round),
            proposer: Address(init.proposer),
            value: Value(init.digest),
            validity: Validity::from_bool(problem.is_none()),
        }))
    }
}

fn stream_messages(
    id: StreamId,
    init: PartInit,
    bytes: &[u8],
) -> impl Iterator<Item = StreamMessage<Part>> {
    let parts = std::iter::once(Part::Init(init)).chain(
        bytes
            .chunks(PART_BYTES)
            .map(|chunk| Part::Data(Bytes::copy_from_slice(chunk))),
    );
    let contents = parts
        .map(StreamContent::Data)
        .chain(std::iter::once(StreamContent::Fin));
    (0u64..)
        .zip(contents)
        .map(move |(sequence, content)| StreamMessage::new(id.clone(), sequence, content))
}
