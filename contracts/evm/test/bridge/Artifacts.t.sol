// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IbcLightClient} from "../../src/bridge/IbcLightClient.sol";
import {Inbox} from "../../src/bridge/Inbox.sol";
import {LightClient} from "../../src/bridge/LightClient.sol";
import {DocumentRegister} from "../../src/bridge/examples/DocumentRegister.sol";
import {Vm} from "../Vm.sol";

/// @notice Forge compiles what the artifacts hold, which were compiled without it.
contract ArtifactsTest {
    Vm private constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    function check(string memory name, bytes memory code) private view {
        string memory file = string.concat("artifacts/", name, ".json");
        vm.assertEq(vm.parseJsonBytes(vm.readFile(file), ".bytecode"), code);
    }

    function test_ArtifactsAreWhatForgeCompiles() public view {
        check("LightClient", type(LightClient).creationCode);
        check("Inbox", type(Inbox).creationCode);
        check("IbcLightClient", type(IbcLightClient).creationCode);
        check("DocumentRegister", type(DocumentRegister).creationCode);
    }
}
