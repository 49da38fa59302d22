//! Named maxima of the consensus room, with their units.

use std::time::Duration;

use tbsi_types::limits::BLOCK_BYTES_MAX;

/// What part of a proposal timeout a proposer builds for, as a divisor. Its roots, the way to the
/// others, and their execution, which may share one machine, take the rest.
pub const BUILDING_SHARE: u32 = 8;

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

/// Votes that wait to be asked for again: those of a round.
pub const ASKED_AGAIN_MAX: usize = 2;

/// A signer that did not sign a vote is asked again this long after its last answer.
pub const ASK_AGAIN_AFTER: Duration = Duration::from_millis(250);

/// Bytes of one gossip message.
pub const GOSSIP_BYTES_MAX: usize = 1024 * 1024;

/// Buffered consensus inputs for one future height: votes and a proposal of a full set
/// over several rounds.
pub const QUEUED_INPUTS_PER_HEIGHT_MAX: usize = 4_000;

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

/// How far above the running height a vote or proposal may be. Who is further behind catches up
/// by sync.
pub const HEIGHTS_AHEAD_MAX: u64 = 8;

/// How far above the running round, or round 0 of a later height, a vote may be: as the engine's
/// own bound.
pub const VOTE_ROUNDS_AHEAD_MAX: u32 = 10;

/// How far below the running round a vote may be.
pub const ROUNDS_BEHIND_MAX: u32 = 16;

/// Different statements of one validator for one height, round and kind that are taken: one is
/// honest, two are evidence.
pub const DIFFERENT_STATEMENTS_MAX: usize = 2;

/// The same statement within this time is dropped. Engines repeat their votes, seldom.
pub const REPEAT_INTERVAL: Duration = Duration::from_millis(500);

/// Messages of consensus a second that one neighbour may pass on, for each validator and for four
/// more: two votes and a proposal at dozens of heights or rounds a second.
pub const MESSAGES_PER_VALIDATOR_PER_SECOND_MAX: u32 = 128;

/// Signatures a second in certificates of stuck rounds that one neighbour may pass on, about.
pub const CERTIFICATES_PER_SECOND_MAX: u32 = 2_048;

/// KiB of proposal parts a second that one neighbour may pass on.
pub const PARTS_KIB_PER_SECOND_MAX: u32 = 64 * 1024;

/// Statuses of one neighbour at once: engines tell theirs whenever somebody connects.
pub const STATUSES_MAX: u32 = 256;

/// Statuses of one neighbour in a second.
pub const STATUSES_PER_SECOND_MAX: u32 = 4;

/// Peers whose rates are remembered.
pub const RATED_PEERS_MAX: usize = 2 * tbsi_types::limits::NODES_MAX;

/// Messages of consensus that the engine was given and has not worked off.
pub const ENGINE_MESSAGES_MAX: u64 = 4_096;

/// Of these, after how many the engine is asked how far it is.
pub const ENGINE_MESSAGES_PER_MARK: u64 = 64;

/// Bytes of proposal parts of one publisher that wait for the engine, or in unfinished streams.
pub const PART_BYTES_PER_PEER_MAX: u64 = STREAM_BYTES_PER_PEER_MAX as u64 + BLOCK_BYTES_MAX as u64;

/// Certificates that peers served above the tip and that are kept until their height comes.
pub const OFFERED_CERTIFICATES_MAX: usize = 512;

/// Heights for which the engine buffers votes: those that are let in, and the running one.
pub const QUEUED_HEIGHTS_MAX: usize = 10;
const _: () = assert!(QUEUED_HEIGHTS_MAX as u64 == HEIGHTS_AHEAD_MAX + 2);

/// Rounds of the running height whose votes are counted to know which waits are in vain; the
/// lowest give way.
pub const TALLIED_ROUNDS_MAX: usize = 64;

/// How long a vote for no block is kept from the engine while a block can still win: those that
/// make its wait vain come at about the same time, and it cannot end a wait that it has begun.
pub const NIL_HELD: Duration = Duration::from_millis(25);

/// Votes that are so kept at one time; more go to the engine at once.
pub const NIL_HELD_MAX: usize = 512;

/// Own messages of the running height that a peer is told when it connects: the latest.
pub const TOLD_AGAIN_MAX: usize = 8;

/// How long after a peer has connected, so that others that do so meanwhile are told together.
pub const TELL_AGAIN_AFTER: Duration = Duration::from_millis(50);

/// Bytes of one entry of the write-ahead log: certificates of the largest set take less.
pub const WAL_ENTRY_BYTES_MAX: u64 = 1024 * 1024;

/// Bytes at the end of the write-ahead log that a crash can spoil: what was not synced yet.
pub const WAL_TAIL_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Write-ahead logs without a header that are kept under other names.
pub const WAL_SET_ASIDE_MAX: u32 = 100;
