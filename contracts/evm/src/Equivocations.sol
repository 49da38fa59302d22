// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

import {INodes} from "./INodes.sol";

/// @title Evidence of equivocation: two signed statements that contradict each other.
/// @dev Layout in SPEC §3.8, what is signed in SPEC §3.5.
library Equivocations {
    uint8 internal constant VOTES = 1;
    uint8 internal constant PROPOSALS = 2;
    /// kind u8 || validator 20.
    uint256 private constant HEAD = 21;
    /// kind u8 || height u64 || round u32 || flag u8 || value 32.
    uint256 private constant VOTE = 46;
    /// height u64 || round u32 || polka round u32 || value 32.
    uint256 private constant PROPOSAL = 48;
    uint256 private constant SIGNATURE = 65;
    /// Stands for "no polka round", and is no round.
    uint32 private constant NO_ROUND = type(uint32).max;

    /// Who is accused of what. `step` is 1 for prevotes, 2 for precommits, 0 for proposals.
    struct Accusation {
        uint8 kind;
        uint8 step;
        address validator;
        uint64 height;
        uint32 round;
    }

    /// @notice Reads evidence and verifies that the accused signed both statements, on this
    /// chain. Whether the accused is a validator is the caller's concern.
    function verify(bytes calldata evidence, bytes32 genesisHash)
        internal
        view
        returns (Accusation memory accused)
    {
        uint8 kind = evidence.length == 0 ? 0 : uint8(evidence[0]);
        if (kind != VOTES && kind != PROPOSALS) revert INodes.NodesEvidenceKind(kind);
        uint256 half = (kind == VOTES ? VOTE : PROPOSAL) + SIGNATURE;
        if (evidence.length != HEAD + 2 * half) {
            revert INodes.NodesEvidenceLength(HEAD + 2 * half, evidence.length);
        }
        accused.kind = kind;
        accused.validator = address(bytes20(evidence[1:HEAD]));
        bytes calldata first = evidence[HEAD:HEAD + half];
        bytes calldata second = evidence[HEAD + half:];
        if (kind == VOTES) readVotes(accused, first, second);
        else readProposals(accused, first, second);
        if (accused.round == NO_ROUND) revert INodes.NodesEvidenceStatement();
        if (keccak256(statementOf(first)) == keccak256(statementOf(second))) {
            revert INodes.NodesEvidenceNoContradiction();
        }
        bytes memory tag = kind == VOTES ? bytes("TBSI-VOTE-1") : bytes("TBSI-PROPOSAL-1");
        bytes memory head = abi.encodePacked(tag, uint64(block.chainid), genesisHash);
        requireSigned(accused.validator, head, first, 1);
        requireSigned(accused.validator, head, second, 2);
    }

    /// A statement without the signature after it.
    function statementOf(bytes calldata signed) private pure returns (bytes calldata) {
        return signed[:signed.length - SIGNATURE];
    }

    function readVotes(Accusation memory accused, bytes calldata first, bytes calldata second)
        private
        pure
    {
        requireVote(first);
        requireVote(second);
        // Kind, height and round are the first 13 bytes.
        if (bytes13(first[:13]) != bytes13(second[:13])) {
            revert INodes.NodesEvidenceNoContradiction();
        }
        accused.step = uint8(first[0]);
        accused.height = uint64(bytes8(first[1:9]));
        accused.round = uint32(bytes4(first[9:13]));
    }

    function readProposals(Accusation memory accused, bytes calldata first, bytes calldata second)
        private
        pure
    {
        // Height and round are the first 12 bytes.
        if (bytes12(first[:12]) != bytes12(second[:12])) {
            revert INodes.NodesEvidenceNoContradiction();
        }
        accused.height = uint64(bytes8(first[:8]));
        accused.round = uint32(bytes4(first[8:12]));
    }

    /// Kind 1 or 2; flag 1, or flag 0 and value 0.
    function requireVote(bytes calldata vote) private pure {
        (uint8 kind, uint8 flag) = (uint8(vote[0]), uint8(vote[13]));
        bool nil = flag == 0 && bytes32(vote[14:VOTE]) == 0;
        if (kind == 0 || kind > 2 || !(flag == 1 || nil)) revert INodes.NodesEvidenceStatement();
    }

    function requireSigned(address validator, bytes memory head, bytes calldata signed, uint8 which)
        private
        pure
    {
        bytes calldata signature = signed[signed.length - SIGNATURE:];
        // The third value only details the fault.
        // slither-disable-next-line unused-return
        (address signer, ECDSA.RecoverError fault,) = ECDSA.tryRecover(
            sha256(abi.encodePacked(head, statementOf(signed))),
            uint8(signature[64]),
            bytes32(signature[:32]),
            bytes32(signature[32:64])
        );
        if (fault != ECDSA.RecoverError.NoError || signer != validator) {
            revert INodes.NodesEvidenceSignature(which);
        }
    }
}
