//! The light client's ABI, as far as the relayer uses it (SPEC §14).

#![allow(missing_docs, unreachable_pub, reason = "as the macro writes it")]

use alloy_sol_types::{SolInterface, sol};

sol! {
    #[derive(Debug)]
    struct Latest {
        uint64 height;
        uint64 timeMs;
        uint64 logSize;
        bytes32 digest;
        uint32 setId;
        bytes32 validatorSetHash;
        bool closing;
    }

    #[derive(Debug)]
    interface LightClient {
        event CheckpointAccepted(uint64 indexed height, bytes32 digest, uint128 signers);
        event ValidatorSetHandedOver(
            uint32 indexed setId, bytes32 indexed validatorSetHash, uint64 height
        );
        event AttestationRecorded(
            bytes32 indexed id,
            address indexed issuer,
            bytes32 indexed schema,
            uint64 index,
            uint48 timeMs
        );

        function update(bytes calldata decision) external returns (bool fresh);
        function handover(bytes calldata last, bytes calldata validatorSet, bytes calldata first)
            external returns (bool fresh);
        function freeze(uint32 setIdA, bytes calldata a, uint32 setIdB, bytes calldata b) external;
        function recordMany(
            bytes[] calldata leaves,
            uint64[] calldata indexes,
            bytes calldata checkpoint,
            bytes32[] calldata nodes
        ) external returns (uint256 fresh);
        function multicall(bytes[] calldata data) external returns (bytes[] memory results);
        function isRecorded(uint64 index) external view returns (bool);
        function status() external view returns (uint8);
        function latest() external view returns (Latest memory);
        function trustedUntilMs() external view returns (uint256);
        function validatorSetOf(uint32 setId) external view
            returns (bytes32 hash, uint64 sinceHeight, uint64 sinceMs, uint64 power);
        function digestAt(uint64 height) external view returns (bytes32);
        function pausedUntil(uint8 scope) external view returns (uint64);
        function SOURCE_CHAIN_ID() external view returns (uint64);
        function GENESIS_HASH() external view returns (bytes32);

        error CertificateSigners(uint128 signers, uint256 validators);
        error CertificateSignaturesLength(uint256 expected, uint256 given);
        error CertificateSignature(uint256 position);
        error CertificateNoQuorum(uint256 power, uint256 total);
        error LeafLength(uint256 length);
        error LeafVersion(uint8 version);
        error LeafKind(uint8 expected, uint8 given);
        error LeafDigestLength(uint32 algorithm, uint8 length);
        error MerkleLogIndex(uint64 index, uint64 size);
        error MerkleLogPathLength(uint256 given);
        error MerkleLogIndexOrder(uint256 position);
        error MerkleLogLeafCount(uint256 leaves, uint256 indexes);
        error Sha256Unavailable();
        error ValidatorSetLength(uint256 length);
        error ValidatorSetOrder(uint256 position);
        error ValidatorSetNoPower(uint256 position);
        error ValidatorSetPowerOverflow();
        error ValidatorSetNotStored();
        error LightClientChain(uint64 expected, uint64 given);
        error LightClientDecisionLength(uint256 least, uint256 given);
        error LightClientValidatorSet(bytes32 expected, bytes32 given);
        error LightClientNotAhead(uint64 height, uint64 timeMs, uint64 logSize);
        error LightClientTooLarge(uint64 height, uint64 timeMs, uint64 logSize);
        error LightClientFuture(uint64 timeMs, uint256 latestMs);
        error LightClientConflict(uint64 height, bytes32 accepted, bytes32 given);
        error LightClientHandoverNeeded(uint64 height);
        error LightClientNotAHandover(uint64 last, uint64 first);
        error LightClientNoConflict();
        error LightClientSetTooOld(uint32 setId, uint256 untilMs);
        error LightClientBeforeStart(uint64 start, uint64 given);
        error LightClientUnknownSet(uint32 setId);
        error LightClientFrozen();
        error LightClientExpired(uint256 untilMs);
        error LightClientPaused(uint8 scope, uint64 until);
        error LightClientUnknownCheckpoint(uint64 height, bytes32 digest);
        error LightClientLogRoot(bytes32 expected, bytes32 given);
        error LightClientLeafTime(uint64 height, uint64 timeMs);
        error RelayersReserved(address account, uint256 untilMs);
    }
}

sol! {
    #[derive(Debug)]
    interface Inbox {
        event MessageDelivered(
            uint64 indexed sequence,
            address indexed sender,
            address indexed receiver,
            bytes32 payloadHash
        );

        function deliver(
            bytes calldata leaf,
            bytes calldata payload,
            uint64 index,
            bytes calldata checkpoint,
            bytes32[] calldata path
        ) external;
        function isDelivered(uint64 sequence) external view returns (bool);
        function CLIENT() external view returns (address);
        function CHAIN_ID() external view returns (uint256);

        error InboxPaused(uint64 until);
        error InboxDestination(bytes32 expected, bytes32 given);
        error InboxChainId(uint256 expected, uint256 given);
        error InboxReceiver(bytes32 receiver);
        error InboxPayload(bytes32 expected, bytes32 given);
        error InboxDelivered(uint64 sequence);
        error InboxTimeout(uint64 timeout, uint256 blockTime);
    }
}

pub use Inbox::InboxErrors as InboxRefusal;
pub use LightClient::LightClientErrors as Refusal;

/// `Scope.Messages` of the contract.
pub const SCOPE_MESSAGES: u8 = 2;

/// `Status` of the contract.
pub const STATUS_PAUSED: u8 = 1;
pub const STATUS_EXPIRED: u8 = 2;
pub const STATUS_FROZEN: u8 = 3;

/// What a refusal of either contract says: its name, and its arguments as Rust shows them.
pub fn explain(data: &[u8]) -> Option<(String, String)> {
    let shown = match Refusal::abi_decode(data) {
        Ok(refusal) => format!("{refusal:?}"),
        Err(_) => format!("{:?}", InboxRefusal::abi_decode(data).ok()?),
    };
    let name = shown.split(['(', ' ', '{']).next().unwrap_or_default();
    Some((name.to_owned(), shown.clone()))
}
