// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {INodes} from "../src/INodes.sol";
import {Rotating} from "./Rotating.sol";
import {Vm} from "./Vm.sol";

/// @notice Rotation of keys, with and without overlap.
contract KeysTest is Rotating {
    function setUp() public {
        found(5);
    }

    function test_AValidatorRotatesItsKey() public {
        vm.roll(20);
        address before = wallet(2).addr;
        vm.expectEmit(address(nodes));
        emit INodes.ValidatorKeySet(2, wallet(30).addr, before);
        rotateValidator(2, 2, 30);
        vm.assertEq(nodes.nodeOf(2).validator, wallet(30).addr);
        endBlock();
        vm.assertEq(nodes.validatorKeyOf(before).first, 1);
        vm.assertEq(nodes.validatorKeyOf(before).last, 20);
        vm.assertEq(nodes.validatorKeyOf(wallet(30).addr).first, 21);
        vm.assertEq(nodes.validatorKeyOf(wallet(30).addr).last, type(uint64).max);
        INodes.ValidatorView[] memory set = nodes.validatorSet();
        vm.assertEq(set.length, 5);
        bool found = false;
        for (uint256 i = 0; i < 5; i++) {
            if (i > 0) vm.assertTrue(set[i - 1].validator < set[i].validator);
            vm.assertTrue(set[i].validator != before);
            if (set[i].validator != wallet(30).addr) continue;
            found = true;
            vm.assertEq(set[i].power, 10);
            vm.assertEq(bytes32(slice(set[i].publicKey)), bytes32(wallet(30).publicKeyX));
            bool odd = wallet(30).publicKeyY % 2 == 1;
            vm.assertEq(uint8(set[i].publicKey[0]), odd ? 3 : 2);
        }
        vm.assertTrue(found);
    }

    function test_AnObserversRotationLeavesTheSet() public {
        uint32 node = registered(2, 7);
        vm.recordLogs();
        rotateValidator(2, node, 8);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        vm.assertEq(logs.length, 1);
        vm.assertEq(nodes.nodeOf(node).rotation, 0);
        // Not a validator: as often as it likes.
        rotateValidator(2, node, 9);
    }

    function test_OneRotationOfAValidatorInAnEpoch() public {
        rotateValidator(2, 2, 30);
        uint64 deadline = uint64(NOW + 3600);
        INodes.Registration memory key = registration(31);
        INodes.Signature memory proof = validatorProof(2, 31, deadline);
        bytes memory data = abi.encodeCall(
            nodes.rotateValidatorKey, (2, key.validatorX, key.validatorY, proof, deadline)
        );
        bytes memory reason = abi.encodeWithSelector(INodes.NodesRotatedRecently.selector, NOW);
        refuses(admin(2), address(nodes), data, reason);
        endBlock();
        vm.assertTrue(send(admin(2), address(nodes), data));
        refuses(admin(2), address(nodes), data, reason);
    }

    function test_RotationNeedsProofs() public {
        uint64 deadline = uint64(NOW + 60);
        INodes.Registration memory key = registration(30);
        INodes.Signature memory wrong = validatorProof(3, 30, deadline);
        refuses(
            admin(2),
            address(nodes),
            abi.encodeCall(
                nodes.rotateValidatorKey, (2, key.validatorX, key.validatorY, wrong, deadline)
            ),
            invalid(2)
        );
        wrong = edProof(2, 3, edKey(30), deadline);
        refuses(
            admin(2),
            address(nodes),
            abi.encodeCall(nodes.rotatePeerKey, (2, edKey(30), wrong, deadline, 0)),
            invalid(1)
        );
        wrong = edProof(2, 1, edKey(30), deadline);
        refuses(
            admin(2),
            address(nodes),
            abi.encodeCall(nodes.rotateLogKey, (2, edKey(30), wrong, deadline)),
            invalid(3)
        );
        bytes memory missing = abi.encodeWithSelector(INodes.NodesKeyMissing.selector, 3);
        bytes memory data = abi.encodeCall(nodes.rotateLogKey, (2, 0, wrong, deadline));
        refuses(admin(2), address(nodes), data, missing);
    }

    function test_AnOldPeerKeyIsAdmittedForAWhile() public {
        uint64 end = uint64(NOW + 1 days);
        rotatePeer(2, 2, edKey(30), end);
        vm.assertEq(nodes.nodeByKey(edKey(2)), 2);
        hasPeers(6, edKey(2), true);
        hasPeers(6, edKey(30), true);
        vm.warp(end);
        hasPeers(6, edKey(2), true);
        vm.warp(end + 1);
        hasPeers(5, edKey(2), false);
        // The next rotation leaves no more than one old key.
        rotatePeer(2, 2, edKey(31), end + 100);
        rotatePeer(2, 2, edKey(32), end + 100);
        hasPeers(6, edKey(30), false);
        hasPeers(6, edKey(31), true);
        // At once.
        rotatePeer(2, 2, edKey(33), 0);
        hasPeers(5, edKey(32), false);
        INodes.Signature memory proof = edProof(2, 1, edKey(34), uint64(block.timestamp));
        refuses(
            admin(2),
            address(nodes),
            abi.encodeCall(
                nodes.rotatePeerKey,
                (2, edKey(34), proof, uint64(block.timestamp), uint64(block.timestamp + 1 days + 1))
            ),
            abi.encodeWithSelector(INodes.NodesOverlapTooLong.selector, 1 days, 1 days + 1)
        );
    }

    function test_ALogKeyIsReplaced() public {
        vm.expectEmit(address(nodes));
        emit INodes.LogKeySet(2, edKey(30), edKey(1002));
        rotateLog(2, 2, edKey(30));
        vm.assertEq(nodes.nodeOf(2).logKey, edKey(30));
        vm.assertEq(nodes.nodeByKey(edKey(1002)), 2);
    }

    function test_APostQuantumKeyIsSetReplacedAndRevoked() public {
        setPostQuantum(2, 2, keccak256("one"), 0);
        vm.assertEq(nodes.nodeOf(2).postQuantumKey, keccak256("one"));
        vm.assertEq(nodes.peers()[1].postQuantumKey, keccak256("one"));
        setPostQuantum(2, 2, keccak256("two"), keccak256("one"));
        setPostQuantum(2, 2, 0, keccak256("two"));
        vm.assertEq(nodes.nodeOf(2).postQuantumKey, 0);
        vm.assertEq(nodes.peers()[1].postQuantumKey, 0);
        // None again: nothing forbids it.
        setPostQuantum(2, 2, 0, 0);
        // What was revoked stays revoked, and two nodes of an organisation have no key in common.
        uint32 other = registered(2, 7);
        refusesUsed(2, keccak256("one"), 2);
        refusesUsed(other, keccak256("two"), 2);
        // Nobody else can keep an organisation's key out by registering it.
        setPostQuantum(3, 3, keccak256("two"), 0);
    }

    function test_OnlyTheOperatorSetsAPostQuantumKey() public {
        bytes memory data = abi.encodeCall(nodes.setPostQuantumKey, (2, keccak256("one")));
        bytes memory reason = abi.encodeWithSelector(INodes.NodesNotOperator.selector, 2, 3);
        refuses(admin(3), address(nodes), data, reason);
    }

    function setPostQuantum(uint32 organisation, uint32 node, bytes32 key, bytes32 before) private {
        vm.expectEmit(address(nodes));
        emit INodes.PostQuantumKeySet(node, key, before);
        vm.prank(admin(organisation));
        nodes.setPostQuantumKey(node, key);
    }

    function refusesUsed(uint32 node, bytes32 key, uint32 by) private {
        bytes32 taken = keccak256(abi.encode(uint32(2), key));
        bytes memory data = abi.encodeCall(nodes.setPostQuantumKey, (node, key));
        bytes memory reason = abi.encodeWithSelector(INodes.NodesKeyUsed.selector, taken, by);
        refuses(admin(2), address(nodes), data, reason);
    }

    function rotatePeer(uint32 organisation, uint32 node, bytes32 key, uint64 end) private {
        uint64 deadline = uint64(block.timestamp);
        INodes.Signature memory proof = edProof(organisation, 1, key, deadline);
        vm.prank(admin(organisation));
        nodes.rotatePeerKey(node, key, proof, deadline, end);
    }

    function hasPeers(uint256 count, bytes32 key, bool listed) private view {
        INodes.PeerView[] memory peers = nodes.peers();
        vm.assertEq(peers.length, count);
        bool found = false;
        for (uint256 i = 0; i < peers.length; i++) {
            found = found || peers[i].peerKey == key;
        }
        vm.assertTrue(found == listed);
    }

    /// All but the first byte.
    function slice(bytes memory key) private pure returns (bytes memory rest) {
        rest = new bytes(key.length - 1);
        for (uint256 i = 0; i < rest.length; i++) {
            rest[i] = key[i + 1];
        }
    }
}
