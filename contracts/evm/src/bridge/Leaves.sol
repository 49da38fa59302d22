// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Words} from "./Words.sol";

/// @title Leaves of the attestation log (SPEC §9.3): what this side needs to read.
library Leaves {
    /// @notice Kind of an attestation.
    uint8 internal constant ATTESTATION = 1;
    /// @notice Kind of a message to another chain.
    uint8 internal constant MESSAGE = 32;
    /// @notice Bytes of a leaf, at most.
    uint256 internal constant LENGTH_MAX = 512;
    /// First word of an attestation id's preimage (SPEC §12.1).
    bytes32 private constant _ATTESTATION_TAG = keccak256("TBSI attestation v1");
    /// Bytes that all leaves begin with.
    uint256 private constant _HEAD = 48;

    /// @notice The leaf's length is not that of its kind.
    error LeafLength(uint256 length);
    /// @notice Another version than 1.
    error LeafVersion(uint8 version);
    /// @notice Another kind than the function takes.
    error LeafKind(uint8 expected, uint8 given);
    /// @notice A digest length that is not the algorithm's (SPEC §9.4).
    error LeafDigestLength(uint32 algorithm, uint8 length);

    /// @notice What all leaves begin with.
    struct Head {
        uint8 kind;
        uint64 chainId;
        uint48 height;
        uint48 timeMs;
        address issuer;
    }

    /// @notice An attestation. `words` is the digest, as in the attestation contract: one word up
    /// to 256 bits, two above. `id` is that contract's id (SPEC §12.1).
    struct Attestation {
        bytes32 id;
        uint64 chainId;
        uint48 height;
        uint48 timeMs;
        address issuer;
        bytes32 schema;
        uint32 algorithm;
        bytes32[] words;
    }

    /// @notice A message to another chain (SPEC §9.3). `timeout` is in seconds of the
    /// destination's block time.
    struct Message {
        uint64 chainId;
        uint48 height;
        uint48 timeMs;
        address sender;
        bytes32 destination;
        bytes32 receiver;
        uint64 sequence;
        uint64 timeout;
        bytes32 payloadHash;
    }

    /// @notice Reads what all leaves begin with; the kind may be any.
    function decodeHead(bytes memory leaf) internal pure returns (Head memory head) {
        if (leaf.length < _HEAD || leaf.length > LENGTH_MAX) revert LeafLength(leaf.length);
        uint256 word = Words.load(leaf, 0);
        // Version 1, kind 1, chain id 8, height 6, time 6; transaction index and ordinal follow.
        uint8 version = uint8(word >> 248);
        if (version != 1) revert LeafVersion(version);
        head.kind = uint8(word >> 240);
        head.chainId = uint64(word >> 176);
        head.height = uint48(word >> 128);
        head.timeMs = uint48(word >> 80);
        head.issuer = address(uint160(Words.load(leaf, 28) >> 96));
    }

    /// @notice Reads an attestation, refusing any other bytes.
    function decodeAttestation(bytes memory leaf)
        internal
        pure
        returns (Attestation memory attestation)
    {
        Head memory head = decodeHead(leaf);
        if (head.kind != ATTESTATION) revert LeafKind(ATTESTATION, head.kind);
        if (leaf.length < 85) revert LeafLength(leaf.length);
        attestation.chainId = head.chainId;
        attestation.height = head.height;
        attestation.timeMs = head.timeMs;
        attestation.issuer = head.issuer;
        attestation.schema = bytes32(Words.load(leaf, 48));
        uint256 word = Words.load(leaf, 80);
        // Algorithm 4, digest length 1.
        (uint32 algorithm, uint8 length) = (uint32(word >> 224), uint8(word >> 216));
        uint256 count = _hasTwoWords(algorithm) ? 2 : 1;
        if (length != 32 * count) revert LeafDigestLength(algorithm, length);
        if (leaf.length != 85 + 32 * count) revert LeafLength(leaf.length);
        attestation.algorithm = algorithm;
        attestation.words = new bytes32[](count);
        attestation.words[0] = bytes32(Words.load(leaf, 85));
        if (count == 2) attestation.words[1] = bytes32(Words.load(leaf, 117));
        attestation.id = keccak256(
            abi.encode(
                _ATTESTATION_TAG,
                uint256(head.chainId),
                head.issuer,
                attestation.schema,
                algorithm,
                attestation.words
            )
        );
    }

    /// @notice Reads a message, refusing any other bytes.
    function decodeMessage(bytes memory leaf) internal pure returns (Message memory message) {
        Head memory head = decodeHead(leaf);
        if (head.kind != MESSAGE) revert LeafKind(MESSAGE, head.kind);
        if (leaf.length != 160) revert LeafLength(leaf.length);
        message.chainId = head.chainId;
        message.height = head.height;
        message.timeMs = head.timeMs;
        message.sender = head.issuer;
        message.destination = bytes32(Words.load(leaf, 48));
        message.receiver = bytes32(Words.load(leaf, 80));
        message.sequence = Words.u64(leaf, 112);
        message.timeout = Words.u64(leaf, 120);
        message.payloadHash = bytes32(Words.load(leaf, 128));
    }

    /// SPEC §9.4: codes of digests with more than 256 bits.
    function _hasTwoWords(uint32 algorithm) private pure returns (bool) {
        return (algorithm >= 0x13 && algorithm <= 0x15) || algorithm == 0x1c || algorithm == 0x1d
            || algorithm == 0x20 || (algorithm >= 0xb221 && algorithm <= 0xb240);
    }
}
