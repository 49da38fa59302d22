// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IFacts} from "./IFacts.sol";
import {System} from "./System.sol";

/// @title The node's precompiles for what comes from other chains (SPEC §16.3 to §16.5).
/// @dev An address without code answers with nothing: that is no answer.
library Verifiers {
    uint256 internal constant TRUSTED_BYTES_MAX = 20 * 128;
    uint256 internal constant HEADER_BYTES_MAX = 16 * 1024;
    uint256 internal constant PROOF_BYTES_MAX = 2 + 2 * 65 * (2 + 1024);
    uint256 internal constant ANCESTRY_BYTES_MAX = 21 + PROOF_BYTES_MAX;

    struct Verified {
        uint64 height;
        uint64 time;
        bytes32 blockHash;
        bytes32 stateRoot;
        bytes32 trustedHash;
        uint256 validators;
        uint256 signers;
    }

    /// @notice A header that follows from what is trusted, or a revert that says why not.
    function header(uint8 kind, bytes memory trusted, bytes calldata encoded)
        internal
        view
        returns (Verified memory)
    {
        _requireLength(TRUSTED_BYTES_MAX, trusted.length);
        _requireLength(HEADER_BYTES_MAX, encoded.length);
        bytes memory answer = _ask(
            System.FOREIGN_HEADER,
            abi.encodePacked(kind, uint16(trusted.length), trusted, encoded),
            8 * 32
        );
        (uint256 reason, uint256 first, uint256 second) =
            abi.decode(answer, (uint256, uint256, uint256));
        if (reason != 0) revert IFacts.FactsHeaderRefused(reason, first, second);
        (, Verified memory found) = abi.decode(answer, (uint256, Verified));
        return found;
    }

    /// @notice The word that a proof shows, or a revert that says why it shows none.
    function storageWord(bytes32 stateRoot, address account, bytes32 slot, bytes calldata proof)
        internal
        view
        returns (bytes32)
    {
        _requireLength(PROOF_BYTES_MAX, proof.length);
        bytes memory answer =
            _ask(System.FOREIGN_STORAGE, abi.encodePacked(stateRoot, account, slot, proof), 2 * 32);
        (uint256 reason, bytes32 value) = abi.decode(answer, (uint256, bytes32));
        if (reason != 0) revert IFacts.FactsProofRefused(reason, uint256(value));
        return value;
    }

    /// @notice Reverts, and says why, unless the block of this header comes after the one with
    /// this height and hash. Seals are not looked at: `header` does that.
    function requireAncestor(
        bytes calldata encoded,
        uint64 height,
        bytes32 blockHash,
        bytes calldata ancestry
    ) internal view {
        _requireLength(HEADER_BYTES_MAX, encoded.length);
        _requireLength(ANCESTRY_BYTES_MAX, ancestry.length);
        bytes memory answer = _ask(
            System.FOREIGN_ANCESTOR,
            abi.encodePacked(uint16(encoded.length), encoded, height, blockHash, ancestry),
            2 * 32
        );
        (uint256 reason, uint256 figure) = abi.decode(answer, (uint256, uint256));
        if (reason != 0) revert IFacts.FactsAncestryRefused(reason, figure);
    }

    function _ask(address precompile, bytes memory input, uint256 length)
        private
        view
        returns (bytes memory)
    {
        (bool done, bytes memory answer) = precompile.staticcall(input);
        if (!done || answer.length != length) revert IFacts.FactsVerifierUnavailable();
        return answer;
    }

    function _requireLength(uint256 max, uint256 got) private pure {
        if (got > max) revert IFacts.FactsTooLong(max, got);
    }
}
