// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Equivocating} from "./Equivocating.sol";

/// @notice Evidence with mistakes.
contract EvidenceFuzzTest is Equivocating {
    function setUp() public {
        found(5);
    }

    /// No byte of good evidence can be another without being found.
    function testFuzz_EveryByteCounts(uint256 position, uint8 bits, bool isVote) public {
        vm.assume(bits != 0);
        bytes memory evidence = isVote ? votes(2, 5, 0) : proposals(2, 5, 0);
        position = position % evidence.length;
        evidence[position] ^= bytes1(bits);
        vm.assertFalse(
            send(STRANGER, address(nodes), abi.encodeCall(nodes.submitEvidence, (evidence)))
        );
    }

    function testFuzz_AnyBytesAreRefusedInPeace(bytes memory evidence) public {
        vm.assertFalse(
            send(STRANGER, address(nodes), abi.encodeCall(nodes.submitEvidence, (evidence)))
        );
        vm.assertEq(nodes.offenceCount(), 0);
    }
}
