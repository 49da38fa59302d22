// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {INodes} from "../src/INodes.sol";
import {World} from "./World.sol";

/// @notice Rotates keys with good proofs.
abstract contract Rotating is World {
    function rotateValidator(uint32 organisation, uint32 node, uint256 seed) internal {
        uint64 deadline = uint64(block.timestamp);
        INodes.Registration memory key = registration(seed);
        INodes.Signature memory proof = validatorProof(organisation, seed, deadline);
        vm.prank(admin(organisation));
        nodes.rotateValidatorKey(node, key.validatorX, key.validatorY, proof, deadline);
    }

    function rotateLog(uint32 organisation, uint32 node, bytes32 key) internal {
        uint64 deadline = uint64(block.timestamp);
        INodes.Signature memory proof = edProof(organisation, 3, key, deadline);
        vm.prank(admin(organisation));
        nodes.rotateLogKey(node, key, proof, deadline);
    }

    function invalid(uint8 kind) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(INodes.NodesPossessionInvalid.selector, kind);
    }
}
