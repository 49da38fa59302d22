// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMotions} from "../src/IMotions.sol";
import {INodes} from "../src/INodes.sol";
import {IPermissions} from "../src/IPermissions.sol";
import {World} from "./World.sol";

/// @notice What the founding leaves, and where the node finds it.
contract FoundingTest is World {
    function setUp() public {
        found(5);
    }

    function test_ArtifactsAreTheTestedCode() public view {
        placed("Chains", address(chains));
        placed("Equivocations", EQUIVOCATIONS);
        placed("Facts", address(facts));
        placed("Motions", address(motions));
        placed("Nodes", address(nodes));
        placed("Organisations", address(organisations));
        placed("Permissions", address(permissions));
        placed("Upgrades", address(upgrades));
    }

    function test_TheSetIsThatOfTheFounding() public {
        INodes.ValidatorView[] memory set = nodes.validatorSet();
        vm.assertEq(set.length, 5);
        for (uint256 i = 0; i < 5; i++) {
            if (i > 0) vm.assertTrue(set[i - 1].validator < set[i].validator);
            uint32 n = set[i].organisation;
            vm.assertEq(set[i].validator, wallet(n).addr);
            vm.assertEq(set[i].publicKey.length, 33);
            vm.assertEq(set[i].power, 10);
            vm.assertEq(set[i].nameEn, details(n).nameEn);
            vm.assertEq(set[i].nameZhTw, details(n).nameZhTw);
            vm.assertEq(set[i].node, registration(n).name);
        }
    }

    function test_PeersAreThoseOfTheFounding() public {
        INodes.PeerView[] memory peers = nodes.peers();
        vm.assertEq(peers.length, 5);
        for (uint32 n = 1; n <= 5; n++) {
            INodes.PeerView memory peer = peers[n - 1];
            vm.assertEq(peer.peerKey, edKey(n));
            vm.assertEq(peer.organisation, n);
            vm.assertEq(peer.nodeType, 1);
            vm.assertEq(peer.validator, wallet(n).addr);
            vm.assertEq(peer.endpoint, registration(n).endpoint);
        }
    }

    /// The node reads these words without calling anything: SPEC §13.4.
    function test_FixedSlots() public {
        vm.assertEq(word(address(organisations), slot(3, 0)), 0x3_0000000000010101);
        uint256 account = word(address(permissions), slot(uint160(admin(3)), 0));
        vm.assertEq(account, (63 << 32) | 3);
        vm.assertEq(word(address(permissions), slot(3, 1)), type(uint128).max);
        vm.assertEq(word(address(permissions), slot(0, 1)), (uint256(10) << 64) | 1_000_000);
        charge(3, 7, 5);
        uint256 period = NOW / PERIOD;
        uint256 used = (uint256(5) << 128) | (uint256(7) << 64) | period;
        vm.assertEq(word(address(permissions), slot(3, 2)), used);
        vm.assertEq(word(address(permissions), bytes32(uint256(3))), (uint256(PERIOD) << 32) | 1);
        vm.assertEq(word(address(nodes), 0), uint256(GENESIS));
        bytes32 second = bytes32(uint256(1));
        vm.assertEq(word(address(nodes), second), 5);
        vm.prank(address(motions));
        nodes.addValidator(2, 11);
        vm.assertEq(word(address(nodes), second), (NOW << 32) | 5);
    }

    function test_GettersAreTheSlots() public {
        charge(3, 7, 5);
        vm.assertEq(organisations.standing(3), word(address(organisations), slot(3, 0)));
        vm.assertEq(
            permissions.accounts(admin(3)), word(address(permissions), slot(uint160(admin(3)), 0))
        );
        vm.assertEq(permissions.quotas(3), word(address(permissions), slot(3, 1)));
        vm.assertEq(permissions.usage(3), word(address(permissions), slot(3, 2)));
        vm.assertEq(permissions.parameters(), word(address(permissions), bytes32(uint256(3))));
    }

    function test_TheGenesisHashIsBoundOnceInBlockOne() public {
        bytes memory data = abi.encodeCall(nodes.bindGenesis, (keccak256("another")));
        bytes memory bound = abi.encodeWithSelector(INodes.NodesGenesisAlreadyBound.selector, 1);
        refuses(SYSTEM, address(nodes), data, bound);
        refuses(STRANGER, address(nodes), data, callerRefused(SYSTEM, STRANGER));
        place();
        vm.roll(2);
        vm.store(address(nodes), 0, 0);
        refuses(
            SYSTEM,
            address(nodes),
            data,
            abi.encodeWithSelector(INodes.NodesGenesisAlreadyBound.selector, 2)
        );
        vm.roll(1);
        data = abi.encodeCall(nodes.bindGenesis, (0));
        refuses(SYSTEM, address(nodes), data, bound);
    }

    function test_FoundingIsOverAfterBlockZero() public {
        bytes[6] memory calls = foundingCalls();
        address[6] memory targets = [
            address(organisations),
            address(nodes),
            address(nodes),
            address(permissions),
            address(permissions),
            address(permissions)
        ];
        for (uint256 i = 0; i < calls.length; i++) {
            vm.roll(1);
            bytes memory late = abi.encodeWithSignature("SystemFoundingIsOver(uint256)", 1);
            refuses(SYSTEM, targets[i], calls[i], late);
            vm.roll(0);
            refuses(STRANGER, targets[i], calls[i], callerRefused(SYSTEM, STRANGER));
            vm.assertTrue(send(SYSTEM, targets[i], calls[i]));
        }
        bytes memory rules = abi.encodeCall(motions.foundRules, (foundingRules()));
        refuses(STRANGER, address(motions), rules, callerRefused(SYSTEM, STRANGER));
        vm.roll(1);
        vm.assertFalse(send(SYSTEM, address(motions), rules));
    }

    function test_FoundingRulesAreComplete() public {
        vm.roll(0);
        IMotions.Rule[] memory rules = new IMotions.Rule[](17);
        refuses(
            SYSTEM,
            address(motions),
            abi.encodeCall(motions.foundRules, (rules)),
            abi.encodeWithSelector(IMotions.MotionsRuleCount.selector, 19, 17)
        );
    }

    function test_FoundsObserversAndSetsOutsideTheRules() public {
        vm.roll(0);
        vm.prank(SYSTEM);
        uint32 observer = nodes.foundNode(1, registration(50), 0);
        vm.assertFalse(nodes.nodeOf(observer).validating);
        // A third and more is the founders' choice.
        vm.prank(SYSTEM);
        nodes.foundNode(1, registration(51), 1000);
        (uint256 own, uint256 total) = powerOf(1);
        vm.assertGt(3 * own, total);
    }

    function test_AFoundedValidatorNeedsAKeyAndAnActiveOrganisation() public {
        vm.roll(0);
        INodes.Registration memory node = registration(50);
        (node.validatorX, node.validatorY) = (0, 0);
        refuses(
            SYSTEM,
            address(nodes),
            abi.encodeCall(nodes.foundNode, (1, node, 10)),
            abi.encodeWithSelector(INodes.NodesKeyMissing.selector, 2)
        );
        refuses(
            SYSTEM,
            address(nodes),
            abi.encodeCall(nodes.foundNode, (6, registration(50), 10)),
            abi.encodeWithSelector(INodes.NodesOrganisationNotActive.selector, 6)
        );
        refuses(
            SYSTEM,
            address(permissions),
            abi.encodeCall(permissions.foundAccount, (1, STRANGER, 0)),
            abi.encodeWithSelector(IPermissions.PermissionsNone.selector)
        );
    }

    function foundingCalls() private returns (bytes[6] memory) {
        return [
            abi.encodeCall(organisations.foundOrganisation, (details(6))),
            abi.encodeCall(nodes.foundEpoch, (3600)),
            abi.encodeCall(nodes.foundNode, (6, registration(6), 10)),
            abi.encodeCall(permissions.foundOrganisation, (6, ALL, FREE, FREE)),
            abi.encodeCall(permissions.foundAccount, (6, admin(6), ALL)),
            abi.encodeCall(permissions.foundParameters, (1, 1, 1, 1))
        ];
    }

    function charge(uint32 organisation, uint64 gas, uint64 leaves) private {
        uint32[] memory who = new uint32[](1);
        uint64[] memory gases = new uint64[](1);
        uint64[] memory counts = new uint64[](1);
        (who[0], gases[0], counts[0]) = (organisation, gas, leaves);
        vm.prank(SYSTEM);
        permissions.charge(who, gases, counts);
    }

    function placed(string memory name, address target) private view {
        string memory file = string.concat("artifacts/", name, ".json");
        bytes memory code = vm.parseJsonBytes(vm.readFile(file), ".deployedBytecode");
        vm.assertEq(code, target.code);
        vm.assertGt(code.length, 0);
        // EIP-170.
        vm.assertLe(code.length, 24576);
    }

    /// Place of a mapping's entry.
    function slot(uint256 key, uint256 position) private pure returns (bytes32) {
        return keccak256(abi.encode(key, position));
    }

    function word(address target, bytes32 place_) private view returns (uint256) {
        return uint256(vm.load(target, place_));
    }
}
