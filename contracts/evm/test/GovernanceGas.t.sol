// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMotions} from "../src/IMotions.sol";
import {INodes} from "../src/INodes.sol";
import {IOrganisations} from "../src/IOrganisations.sol";
import {IUpgrades} from "../src/IUpgrades.sol";
import {Equivocating} from "./Equivocating.sol";

/// @notice Gas of calls to the governance contracts, without what a transaction costs by itself;
/// kept in snapshots/Governance.json.
contract GovernanceGasTest is Equivocating {
    /// EIP-7825: gas of one transaction.
    uint256 private constant TRANSACTION_GAS_MAX = 16_777_216;

    function test_Motions() public {
        found(5);
        bytes memory arguments = admission(6);
        measure("propose, organisation", address(motions), admin(1), proposal(1, arguments));
        measure("vote", address(motions), admin(1), abi.encodeCall(motions.vote, (1, 1)));
        passed(1);
        measure("execute, organisation", address(motions), STRANGER, executing(1));
        uint32 node = registered(6, 6);
        arguments = abi.encode(node, uint64(10));
        measure("propose, validator", address(motions), admin(1), proposal(6, arguments));
        passed(2);
        measure("execute, validator", address(motions), STRANGER, executing(2));
    }

    function test_Nodes() public {
        found(5);
        INodes.Registration memory node = registration(7);
        INodes.Possession memory proofs = possession(2, 7);
        measure(
            "registerNode",
            address(nodes),
            admin(2),
            abi.encodeCall(nodes.registerNode, (node, proofs))
        );
        bytes memory evidence = votes(2, 1, 0);
        measure(
            "submitEvidence",
            address(nodes),
            STRANGER,
            abi.encodeCall(nodes.submitEvidence, (evidence))
        );
    }

    function test_Charge() public {
        found(5);
        uint32[] memory who = new uint32[](6);
        for (uint32 i = 0; i < 6; i++) {
            who[i] = i;
        }
        uint64[] memory amounts = new uint64[](6);
        measure(
            "charge, 6 organisations",
            address(permissions),
            SYSTEM,
            abi.encodeCall(permissions.charge, (who, amounts, amounts))
        );
    }

    /// What the node calls after every block, and the dearest acts, at the limits.
    function test_AtTheLimits() public {
        foundLargest();
        bytes memory set = abi.encodeCall(nodes.validatorSet, ());
        measure("validatorSet, 128 with the longest names", address(nodes), SYSTEM, set);
        measure("peers, 128", address(nodes), SYSTEM, abi.encodeCall(nodes.peers, ()));
        settlesAtTheLimits();
        bytes memory evidence = votes(1, 1, 0);
        measureTransaction(
            "submitEvidence, 128 validators",
            address(nodes),
            abi.encodeCall(nodes.submitEvidence, (evidence))
        );
    }

    /// A system call has 30 million gas.
    function settlesAtTheLimits() private {
        IUpgrades.Plan memory made = plan(uint64(block.number + 100), 2, 0);
        made.settings = new IUpgrades.Setting[](7);
        for (uint8 i = 1; i <= 7; i++) {
            (, uint64 most) = upgrades.boundsOf(i);
            made.settings[i - 1] = IUpgrades.Setting(i, most);
        }
        vm.prank(address(motions));
        upgrades.schedule(made);
        vm.roll(made.height - 1);
        bytes memory data = abi.encodeCall(upgrades.settle, ());
        // Without declarations, all of which are looked at.
        uint256 gas = measure("settle, 128 validators", address(upgrades), SYSTEM, data);
        vm.assertLe(gas, 30_000_000);
    }

    /// All but four equivocated, and nothing could be done so far.
    function test_ManySuspensionsFitIntoTransactions() public {
        foundLargest();
        // Nodes are suspended behind the contract's back: bit 48 of the first word.
        for (uint256 n = 5; n <= 128; n++) {
            bytes32 word = keccak256(abi.encode(n, nodesSlot()));
            uint256 found_ = uint256(vm.load(address(nodes), word));
            vm.store(address(nodes), word, bytes32(found_ | (1 << 48)));
            vm.assertTrue(nodes.nodeOf(uint32(n)).suspended);
        }
        bytes memory data = abi.encodeCall(nodes.enforceSuspensions, ());
        measureTransaction("enforceSuspensions, 16 of 124", address(nodes), data);
        vm.assertEq(nodes.validatorSet().length, 112);
        for (uint256 left = 96; left >= 16; left -= 16) {
            vm.assertTrue(send(STRANGER, address(nodes), data));
            vm.assertEq(nodes.validatorSet().length, left);
        }
        vm.assertEq(nodes.enforceSuspensions(), 12);
        vm.assertEq(nodes.validatorSet().length, 4);
        vm.assertEq(nodes.enforceSuspensions(), 0);
    }

    /// 128 organisations with one validator each, and the longest texts.
    function foundLargest() private {
        place();
        vm.prank(SYSTEM);
        nodes.foundEpoch(0);
        string memory longest = repeated("x", 512);
        for (uint32 n = 1; n <= 128; n++) {
            IOrganisations.Details memory long = details(n);
            (long.nameZhTw, long.nameEn) =
            (string.concat(unicode"會", repeated("x", 509)), longest);
            vm.prank(SYSTEM);
            organisations.foundOrganisation(long);
            INodes.Registration memory node = registration(n);
            node.name = string.concat(node.name, repeated("x", 54));
            node.endpoint = string.concat("/", repeated("x", 127));
            vm.prank(SYSTEM);
            nodes.foundNode(n, node, 1);
        }
        vm.roll(1);
        vm.prank(SYSTEM);
        nodes.bindGenesis(GENESIS);
    }

    function nodesSlot() private pure returns (uint256) {
        return 2;
    }

    function repeated(string memory letter, uint256 count) private pure returns (string memory) {
        bytes memory text = new bytes(count);
        for (uint256 i = 0; i < count; i++) {
            text[i] = bytes(letter)[0];
        }
        return string(text);
    }

    function proposal(uint8 kind, bytes memory arguments) private pure returns (bytes memory) {
        return abi.encodeCall(motions.propose, (kind, arguments));
    }

    function executing(uint32 motion) private pure returns (bytes memory) {
        return abi.encodeCall(motions.execute, (motion));
    }

    function measureTransaction(string memory name, address target, bytes memory data) private {
        uint256 gas = measure(name, target, STRANGER, data);
        vm.assertLe(gas + 21_000 + 40 * data.length, TRANSACTION_GAS_MAX, name);
    }

    function measure(string memory name, address target, address sender, bytes memory data)
        private
        returns (uint256 gas)
    {
        vm.cool(address(motions));
        vm.cool(address(nodes));
        vm.cool(address(organisations));
        vm.cool(address(permissions));
        vm.cool(address(upgrades));
        vm.assertTrue(send(sender, target, data), name);
        gas = vm.lastCallGas().gasTotalUsed;
        vm.snapshotValue("Governance", name, gas);
    }
}
