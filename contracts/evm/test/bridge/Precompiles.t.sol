// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Certificates} from "../../src/bridge/Certificates.sol";
import {ILightClient} from "../../src/bridge/ILightClient.sol";
import {LightClient} from "../../src/bridge/LightClient.sol";
import {Sha256} from "../../src/bridge/Sha256.sol";
import {Network} from "./Network.sol";

/// @notice Test 66: chains without a precompile. Such a chain cannot be had here, so the client's
/// code is changed to call an address that has no code in the precompile's stead.
contract PrecompilesTest is Network {
    bytes private decision;

    function setUp() public {
        deploy(setOf(1, 4), noPolicy());
        decision = decide(checkpointAt(200, current, current), current, 7);
        vm.assertTrue(client.isCertified(decision));
    }

    /// Replaces PUSH1 address, GAS, STATICCALL; returns how often.
    function redirect(uint8 precompile) private returns (uint256 count) {
        bytes memory code = address(client).code;
        for (uint256 i = 0; i + 4 <= code.length; i++) {
            if (
                code[i] == 0x60 && uint8(code[i + 1]) == precompile && code[i + 2] == 0x5a
                    && code[i + 3] == 0xfa
            ) {
                code[i + 1] = 0xee;
                count++;
            }
        }
        vm.etch(address(client), code);
    }

    function test_66_WithoutSha256NothingIsAccepted() public {
        vm.assertGe(redirect(2), 2);
        bytes memory reason = abi.encodeWithSelector(Sha256.Sha256Unavailable.selector);
        vm.assertFalse(client.isCertified(decision));
        refuses(updateCall(decision), reason);
        bytes memory checkpoint = encode(checkpointAt(100, current, current));
        refuses(abi.encodeCall(ILightClient.acceptedCheckpoint, (checkpoint)), reason);
    }

    function test_66_WithoutEcrecoverNothingIsAccepted() public {
        vm.assertGe(redirect(1), 1);
        vm.assertFalse(client.isCertified(decision));
        refuses(
            updateCall(decision),
            abi.encodeWithSelector(Certificates.CertificateSignature.selector, 0)
        );
    }

    /// The same change, but to a contract that answers with 32 bytes: it is the answer's length
    /// that is checked, and a chain whose precompiles lie cannot be detected.
    function test_66_TheChangeIsWhatMakesTheDifference() public {
        redirect(2);
        // CALLDATASIZE copy, then SHA-256 of it by the real precompile.
        vm.etch(address(0xee), hex"365f5f3760205f365f60025afa5060205ff3");
        vm.assertTrue(client.isCertified(decision));
    }

    function test_66_DeploymentNeedsSha256() public {
        bytes memory creation =
            bytes.concat(type(LightClient).creationCode, abi.encode(trustIn(current), noPolicy()));
        uint256 length = type(LightClient).creationCode.length;
        vm.assertTrue(create(creation) != address(0));
        for (uint256 i = 0; i + 4 <= length; i++) {
            if (
                creation[i] == 0x60 && creation[i + 1] == 0x02 && creation[i + 2] == 0x5a
                    && creation[i + 3] == 0xfa
            ) creation[i + 1] = 0xee;
        }
        vm.assertTrue(create(creation) == address(0));
    }

    function create(bytes memory creation) private returns (address made) {
        assembly ("memory-safe") {
            made := create(0, add(creation, 32), mload(creation))
        }
    }
}
