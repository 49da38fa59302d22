//! Named maxima of the consensus room, with their units.

use std::time::Duration;

use tbsi_types::limits::BLOCK_BYTES_MAX;

/// Bytes of block data in one proposal part.
pub const PART_BYTES: usize = 128 * 1024;

/// Parts of one stream: the block's parts, the first part and the end.
pub const STREAM_PARTS_MAX: u64 = (BLOCK_BYTES_MAX / PART_BYTES) as u64 + 3;

/// Unfinished streams kept for one publisher; the oldest gives way.
pub const STREAMS_PER_PEER_MAX: usize = 4;

/// Unfinished and waiting stream bytes kept for one publisher.
pub const STREAM_BYTES_PER_PEER_MAX: usize = 2 * BLOCK_BYTES_MAX;

/// Bytes of a stream id.
pub const STREAM_ID_BYTES_MAX: usize = 32;

/// How far above the tip a streamed proposal may be.
pub const STREAM_HEIGHTS_AHEAD_MAX: u64 = 4;

/// Complete proposals that wait for their height, round or votes. Of the publisher that has the
/// most, the oldest gives way.
pub const WAITING_PROPOSALS_MAX: usize = 16;

/// Of these, those of one publisher; its oldest gives way.
pub const WAITING_PER_PUBLISHER_MAX: usize = 2;

/// Decided blocks in one sync response.
pub const SYNC_BATCH_BLOCKS_MAX: usize = 32;

/// Bytes of one sync response.
pub const SYNC_RESPONSE_BYTES_MAX: usize = BLOCK_BYTES_MAX + 1024 * 1024;

/// Bytes of one sync request.
pub const SYNC_REQUEST_BYTES_MAX: usize = 1024;

/// A sync request without a response fails after this.
pub const SYNC_REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// Messages of the engine that wait for the network task.
pub const NETWORK_COMMANDS_MAX: usize = 256;

/// Bytes of one gossip message.
pub const GOSSIP_BYTES_MAX: usize = 1024 * 1024;

/// Buffered consensus inputs for one future height: votes and a proposal of a full set
/// over several rounds.
pub const QUEUED_INPUTS_PER_HEIGHT_MAX: usize = 2_000;

/// Bytes of a peer id's multihash.
pub const PEER_ID_BYTES_MAX: usize = 64;

/// Engine state requests that may wait.
pub const REQUESTS_MAX: usize = 16;

/// How far above the running round a proposal, which waits for its round, is not worth a word.
pub const PROPOSAL_ROUNDS_AHEAD_MAX: u32 = 8;

/// How far below the running round a proposal may be.
pub const PROPOSAL_ROUNDS_BEHIND_MAX: u32 = 64;

/// Different byte strings of one publisher that are executed for one round: one is honest, two
/// are evidence.
pub const JUDGED_PER_ROUND_MAX: usize = 2;

/// Byte strings whose verdict is remembered while a height runs.
pub const VERDICTS_MAX: usize = 512;

/// Valid blocks that wait for a polka because of their time; the oldest gives way.
pub const UNTIMELY_MAX: usize = 64;

/// Votes that the engine verified and the host has not looked at; the oldest gives way.
pub const VERIFIED_VOTES_MAX: usize = 8_192;

/// How often a node that waits for the time of day looks at the clock, which may be set.
pub const CLOCK_LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// Blocks of one height that are remembered because a quorum prevoted them: honest validators
/// give at most one a round, and only the last ones matter.
pub const POLKAS_MAX: usize = 32;
