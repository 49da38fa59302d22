// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

import {IEquivocations} from "./IEquivocations.sol";
import {INodes} from "./INodes.sol";

/// @title Evidence of equivocation, at 0x0000000000000000000000000000000000001008.
/// @dev Code alone, without storage: what `Nodes` has no room for. What is signed: SPEC §3.5.
contract Equivocations is IEquivocations {
    uint8 private constant _VOTES = 1;
    uint8 private constant _PROPOSALS = 2;
    /// kind u8 || validator 20.
    uint256 private constant _HEAD = 21;
    /// kind u8 || height u64 || round u32 || flag u8 || value 32.
    uint256 private constant _VOTE = 46;
    /// height u64 || round u32 || polka round u32 || value 32.
    uint256 private constant _PROPOSAL = 48;
    uint256 private constant _SIGNATURE = 65;
    /// Stands for "no polka round", and is no round.
    uint32 private constant _NO_ROUND = type(uint32).max;

    /// @inheritdoc IEquivocations
    function verify(bytes calldata evidence, bytes32 genesisHash)
        external
        view
        returns (Accusation memory accused)
    {
        uint8 kind = evidence.length == 0 ? 0 : uint8(evidence[0]);
        if (kind != _VOTES && kind != _PROPOSALS) revert INodes.NodesEvidenceKind(kind);
        uint256 half = (kind == _VOTES ? _VOTE : _PROPOSAL) + _SIGNATURE;
        if (evidence.length != _HEAD + 2 * half) {
            revert INodes.NodesEvidenceLength(_HEAD + 2 * half, evidence.length);
        }
        accused.kind = kind;
        accused.validator = address(bytes20(evidence[1:_HEAD]));
        bytes calldata first = evidence[_HEAD:_HEAD + half];
        bytes calldata second = evidence[_HEAD + half:];
        if (kind == _VOTES) _readVotes(accused, first, second);
        else _readProposals(accused, first, second);
        if (accused.round == _NO_ROUND) revert INodes.NodesEvidenceStatement();
        if (keccak256(_statementOf(first)) == keccak256(_statementOf(second))) {
            revert INodes.NodesEvidenceNoContradiction();
        }
        bytes memory tag = kind == _VOTES ? bytes("TBSI-VOTE-1") : bytes("TBSI-PROPOSAL-1");
        bytes memory head = abi.encodePacked(tag, uint64(block.chainid), genesisHash);
        _requireSigned(accused.validator, head, first, 1);
        _requireSigned(accused.validator, head, second, 2);
    }

    /// A statement without the signature after it.
    function _statementOf(bytes calldata signed) private pure returns (bytes calldata) {
        return signed[:signed.length - _SIGNATURE];
    }

    function _readVotes(Accusation memory accused, bytes calldata first, bytes calldata second)
        private
        pure
    {
        _requireVote(first);
        _requireVote(second);
        // Kind, height and round are the first 13 bytes.
        if (bytes13(first[:13]) != bytes13(second[:13])) {
            revert INodes.NodesEvidenceNoContradiction();
        }
        accused.step = uint8(first[0]);
        accused.height = uint64(bytes8(first[1:9]));
        accused.round = uint32(bytes4(first[9:13]));
    }

    function _readProposals(Accusation memory accused, bytes calldata first, bytes calldata second)
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
    function _requireVote(bytes calldata vote) private pure {
        (uint8 kind, uint8 flag) = (uint8(vote[0]), uint8(vote[13]));
        bool nil = flag == 0 && bytes32(vote[14:_VOTE]) == 0;
        if (kind == 0 || kind > 2 || !(flag == 1 || nil)) revert INodes.NodesEvidenceStatement();
    }

    function _requireSigned(
        address validator,
        bytes memory head,
        bytes calldata signed,
        uint8 which
    ) private pure {
        bytes calldata signature = signed[signed.length - _SIGNATURE:];
        // The third value only details the fault; the head has one length, so that nothing collides.
        // slither-disable-next-line unused-return,encode-packed-collision
        (address signer, ECDSA.RecoverError fault,) = ECDSA.tryRecover(
            sha256(abi.encodePacked(head, _statementOf(signed))),
            uint8(signature[64]),
            bytes32(signature[:32]),
            bytes32(signature[32:64])
        );
        if (fault != ECDSA.RecoverError.NoError || signer != validator) {
            revert INodes.NodesEvidenceSignature(which);
        }
    }
}
