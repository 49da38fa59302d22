// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ILightClient} from "../../src/bridge/ILightClient.sol";
import {Network} from "./Network.sol";

/// @notice Gas of whole transactions to the light client, kept in snapshots/LightClient.json:
/// as few signatures as make a quorum, hashes without zero bytes, no relayer registered.
/// forge-config: default.isolate = true
/// forge-config: long.isolate = true
contract BridgeGasTest is Network {
    function test_FourValidators() public {
        checkpointAndHandover("4", 4);
    }

    function test_SevenValidators() public {
        checkpointAndHandover("7", 7);
    }

    function test_SixteenValidators() public {
        checkpointAndHandover("16", 16);
    }

    function test_ThirtyOneValidators() public {
        checkpointAndHandover("31", 31);
    }

    function checkpointAndHandover(string memory name, uint256 count) private {
        Set memory set = setOf(1, count);
        deploy(set, noPolicy());
        uint128 signers = quorum(count);
        bytes memory decision = decide(checkpointAt(200, set, set), set, signers);
        measure(string.concat("checkpoint, ", name, " validators"), updateCall(decision));
        Set memory next = setOf(2, count);
        bytes memory last = decide(checkpointAt(300, set, next), set, signers);
        bytes memory first = decide(checkpointAt(301, next, next), next, signers);
        measure(
            string.concat("handover, ", name, " validators"),
            abi.encodeCall(ILightClient.handover, (last, next.encoded, first))
        );
    }

    /// Sends the call as a transaction of its own and records what it costs.
    function measure(string memory name, bytes memory data) private {
        (bool done,) = address(client).call(data);
        vm.assertTrue(done, name);
        vm.snapshotValue("LightClient", name, vm.lastCallGas().gasTotalUsed);
    }
}
