// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Vm} from "./Vm.sol";
import {World} from "./World.sol";

/// @notice Makes evidence against the keys of a seed: SPEC §3.5, §3.8.
abstract contract Equivocating is World {
    /// Two prevotes of seed's key.
    function votes(uint256 seed, uint64 height, uint32 round) internal returns (bytes memory) {
        return pair(seed, vote(1, height, round, "a"), vote(1, height, round, "b"));
    }

    function vote(uint8 kind, uint64 height, uint32 round, string memory value)
        internal
        pure
        returns (bytes memory)
    {
        return abi.encodePacked(kind, height, round, uint8(1), keccak256(bytes(value)));
    }

    function pair(uint256 seed, bytes memory first, bytes memory second)
        internal
        returns (bytes memory)
    {
        return whole(1, "TBSI-VOTE-1", seed, first, second);
    }

    function proposals(uint256 seed, uint64 height, uint32 round) internal returns (bytes memory) {
        bytes memory first = abi.encodePacked(height, round, type(uint32).max, keccak256("a"));
        bytes memory second = abi.encodePacked(height, round, type(uint32).max, keccak256("b"));
        return whole(2, "TBSI-PROPOSAL-1", seed, first, second);
    }

    function whole(
        uint8 kind,
        string memory tag,
        uint256 seed,
        bytes memory first,
        bytes memory second
    ) internal returns (bytes memory) {
        Vm.Wallet memory key = wallet(seed);
        return abi.encodePacked(
            kind,
            key.addr,
            first,
            signed(key.privateKey, tag, first),
            second,
            signed(key.privateKey, tag, second)
        );
    }

    function signed(uint256 key, string memory tag, bytes memory statement)
        internal
        pure
        returns (bytes memory)
    {
        bytes32 digest = sha256(abi.encodePacked(tag, uint64(CHAIN), GENESIS, statement));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }
}
