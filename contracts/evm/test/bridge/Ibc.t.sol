// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IIbcLightClient} from "../../src/bridge/IIbcLightClient.sol";
import {IbcLightClient} from "../../src/bridge/IbcLightClient.sol";
import {ILightClient} from "../../src/bridge/ILightClient.sol";
import {Trie} from "../../src/bridge/Trie.sol";
import {Network} from "./Network.sol";

/// @notice The library as a contract.
contract TrieLibrary {
    function get(bytes32 root, bytes32 key, bytes[] memory proof)
        external
        pure
        returns (bytes memory)
    {
        return Trie.get(root, key, proof);
    }
}

/// @notice Test 31 and the interface of the router of IBC v2. Tries of real shapes are in the
/// vectors; here are those that no chain would make.
contract IbcTest is Network {
    bytes32 private constant KEY =
        0x1234567890123456789012345678901234567890123456789012345678901234;
    TrieLibrary private lib;
    IbcLightClient private ibc;

    function setUp() public {
        lib = new TrieLibrary();
        deploy(setOf(1, 4), noPolicy());
        ibc = new IbcLightClient(client, address(0x12));
    }

    /// RLP of a list whose items, already encoded, are these.
    function list(bytes memory items) private pure returns (bytes memory) {
        uint256 length = items.length;
        if (length < 56) return bytes.concat(abi.encodePacked(uint8(0xc0 + length)), items);
        if (length < 256) return bytes.concat(abi.encodePacked(hex"f8", uint8(length)), items);
        return bytes.concat(abi.encodePacked(hex"f9", uint16(length)), items);
    }

    function text(bytes memory data) private pure returns (bytes memory) {
        if (data.length == 1 && uint8(data[0]) < 0x80) return data;
        return bytes.concat(abi.encodePacked(uint8(0x80 + data.length)), data);
    }

    /// A leaf with the whole key.
    function leaf(bytes memory path, bytes memory value) private pure returns (bytes memory) {
        return list(bytes.concat(text(path), value));
    }

    function whole() private pure returns (bytes memory) {
        return bytes.concat(hex"20", KEY);
    }

    /// A branch with one child at digit 1 and, in the seventeenth place, this value.
    function branch(bytes memory child, bytes memory value) private pure returns (bytes memory) {
        return list(bytes.concat(hex"80", child, hex"8080808080808080808080808080", value));
    }

    function one(bytes memory node) private pure returns (bytes[] memory proof) {
        proof = new bytes[](1);
        proof[0] = node;
    }

    function two(bytes memory first, bytes memory second)
        private
        pure
        returns (bytes[] memory proof)
    {
        proof = new bytes[](2);
        (proof[0], proof[1]) = (first, second);
    }

    function refusesTrie(bytes[] memory proof, bytes memory reason) private {
        vm.expectRevert(reason);
        lib.get(keccak256(proof[0]), KEY, proof);
    }

    bytes private shape = abi.encodeWithSelector(Trie.TrieShape.selector);

    function test_31_OneLeaf() public view {
        bytes memory node = leaf(whole(), text(hex"0102"));
        vm.assertEq(lib.get(keccak256(node), KEY, one(node)), hex"0102");
        vm.assertEq(lib.get(keccak256(node), ~KEY, one(node)), "");
    }

    function test_31_AnEmptyTrieHasNoProof() public {
        bytes32 empty = keccak256(hex"80");
        vm.assertEq(lib.get(empty, KEY, new bytes[](0)), "");
        vm.expectRevert(abi.encodeWithSelector(Trie.TrieProofLength.selector, 0));
        lib.get(keccak256("root"), KEY, new bytes[](0));
        // No list at all, though its hash is the root.
        refusesAny(empty, one(hex"80"));
        refusesAny(keccak256(""), one(""));
        refusesAny(bytes32(0), one(""));
    }

    function refusesAny(bytes32 root, bytes[] memory proof) private {
        (bool done,) = address(lib).call(abi.encodeCall(lib.get, (root, KEY, proof)));
        vm.assertFalse(done);
    }

    function test_31_RefusesAnotherRoot() public {
        bytes memory node = leaf(whole(), text(hex"0102"));
        vm.expectRevert(abi.encodeWithSelector(Trie.TrieNode.selector, 0));
        lib.get(keccak256("root"), KEY, one(node));
        bytes memory top = branch(text(abi.encode(keccak256(node))), hex"80");
        bytes[] memory proof = two(top, bytes.concat(node, hex"00"));
        refusesTrie(proof, abi.encodeWithSelector(Trie.TrieNode.selector, 1));
    }

    /// Exclusion passed off as inclusion and the other way round.
    function test_31_RefusesValuesOfNothing() public {
        refusesTrie(one(leaf(whole(), hex"80")), shape);
        bytes memory extension = leaf(bytes.concat(hex"11"), hex"80");
        refusesTrie(one(extension), shape);
        // A branch below the last half-byte would have a value of its own.
        refusesTrie(one(leaf(bytes.concat(hex"00", KEY), text(abi.encode(KEY)))), shape);
    }

    /// Flags, lengths, half-bytes that must be zero.
    function test_31_RefusesPathsOfAnotherForm() public {
        bytes memory value = text(hex"0102");
        refusesTrie(one(leaf(bytes.concat(hex"40", KEY), value)), shape);
        refusesTrie(one(leaf(bytes.concat(hex"21", KEY), value)), shape);
        refusesTrie(one(leaf("", value)), shape);
        refusesTrie(one(leaf(bytes.concat(hex"20", KEY, hex"00"), value)), shape);
        refusesTrie(one(leaf(slice(whole(), 0, 32), value)), shape);
        refusesTrie(one(leaf(hex"00", text(abi.encode(KEY)))), shape);
        refusesTrie(one(list("")), shape);
        refusesTrie(one(list(hex"808080")), shape);
        refusesTrie(one(branch(hex"01", hex"80")), shape);
        refusesTrie(one(branch(text(new bytes(31)), hex"80")), shape);
    }

    function test_31_RefusesSurplusAndMissingNodes() public {
        bytes memory node = leaf(whole(), text(hex"0102"));
        bytes memory reason = abi.encodeWithSelector(Trie.TrieProofLength.selector, 2);
        refusesTrie(two(node, node), reason);
        refusesTrie(two(branch(hex"80", hex"80"), node), reason);
        bytes memory top = branch(text(abi.encode(keccak256(node))), hex"80");
        refusesTrie(one(top), abi.encodeWithSelector(Trie.TrieProofLength.selector, 1));
    }

    /// Nodes of less than 32 bytes are inside their parents.
    function test_31_EmbeddedNodes() public view {
        // 62 half-bytes by an extension, then a branch with two leaves of one half-byte each.
        bytes memory near = list(hex"3480");
        near = list(bytes.concat(hex"34", hex"07"));
        bytes memory bottom = list(bytes.concat(hex"808080", near, hex"80808080808080808080808080"));
        bytes memory path = bytes.concat(hex"00", slice(abi.encodePacked(KEY), 0, 31));
        bytes memory top = list(bytes.concat(text(path), bottom));
        vm.assertEq(lib.get(keccak256(top), KEY, one(top)), hex"07");
        bytes32 sibling = bytes32(uint256(KEY) + 1);
        vm.assertEq(lib.get(keccak256(top), sibling, one(top)), "");
        sibling = bytes32(uint256(KEY) + 0x10);
        vm.assertEq(lib.get(keccak256(top), sibling, one(top)), "");
    }

    /// Whatever the bytes are, a proof that is accepted hangs on its root.
    /// forge-config: default.fuzz.runs = 10000
    /// forge-config: long.fuzz.runs = 100000
    function testFuzz_31_AnyBytesProveNothing(bytes memory node, bytes32 key, bytes32 root)
        public
        view
    {
        if (keccak256(node) == root) return;
        try lib.get(root, key, one(node)) returns (bytes memory) {
            vm.assertTrue(false, "accepted");
        } catch {}
    }

    // The interface

    function update(bytes memory call) private pure returns (bytes memory) {
        bytes[] memory calls = new bytes[](1);
        calls[0] = call;
        return abi.encode(calls);
    }

    function test_UpdatesGoToTheClient() public {
        bytes memory message =
            update(updateCall(decide(checkpointAt(200, current, current), current, 7)));
        vm.assertTrue(ibc.updateClient(message) == IIbcLightClient.UpdateResult.Update);
        vm.assertTrue(ibc.updateClient(message) == IIbcLightClient.UpdateResult.NoOp);
        vm.assertEq(client.latest().height, 200);
        Set memory next = setOf(2, 4);
        bytes[] memory calls = new bytes[](2);
        calls[0] = abi.encodeCall(
            ILightClient.handover,
            (
                decide(checkpointAt(300, current, next), current, 7),
                next.encoded,
                decide(checkpointAt(301, next, next), next, 7)
            )
        );
        calls[1] = updateCall(decide(checkpointAt(400, next, next), next, 7));
        vm.assertTrue(ibc.updateClient(abi.encode(calls)) == IIbcLightClient.UpdateResult.Update);
        vm.assertEq(client.latest().height, 400);
        ILightClient.Latest memory latest = client.latest();
        vm.assertEq(
            ibc.getClientState(),
            abi.encode(
                address(client),
                address(0x12),
                latest.height,
                latest.timeMs,
                latest.validatorSetHash,
                ILightClient.Status.Active
            )
        );
    }

    function test_UpdatesAreNothingElse() public {
        vm.expectRevert(
            abi.encodeWithSelector(
                IbcLightClient.IbcUpdateKind.selector, ILightClient.pause.selector
            )
        );
        ibc.updateClient(update(abi.encodeCall(ILightClient.pause, (ILightClient.Scope.Updates))));
        vm.expectRevert(abi.encodeWithSelector(IbcLightClient.IbcUpdateEmpty.selector));
        ibc.updateClient(abi.encode(new bytes[](0)));
        // The client's own reason comes through.
        vm.expectRevert(
            abi.encodeWithSelector(ILightClient.LightClientDecisionLength.selector, 277, 0)
        );
        ibc.updateClient(update(updateCall("")));
        vm.expectRevert(abi.encodeWithSelector(IbcLightClient.IbcUpgradeUnsupported.selector));
        ibc.upgradeClient("");
    }

    function test_MisbehaviourFreezesTheClient() public {
        Checkpoint memory c = checkpointAt(300, current, current);
        bytes memory a = decide(c, current, 7);
        c.stateRoot = 0;
        ibc.misbehaviour(abi.encode(uint32(1), a, uint32(1), decide(c, current, 14)));
        vm.assertTrue(client.status() == ILightClient.Status.Frozen);
    }

    function test_ProofsNameTheirHeightAndOneKey() public {
        bytes memory checkpoint = encode(checkpointAt(100, current, current));
        bytes memory proof = abi.encode(checkpoint, new bytes[](0), new bytes[](0));
        bytes[] memory path = new bytes[](1);
        absentRefused(
            proof,
            IIbcLightClient.Height(0, 101),
            path,
            abi.encodeWithSelector(IbcLightClient.IbcProofHeight.selector, 0, 101, 100)
        );
        absentRefused(
            proof,
            IIbcLightClient.Height(1, 100),
            path,
            abi.encodeWithSelector(IbcLightClient.IbcProofHeight.selector, 1, 100, 100)
        );
        absentRefused(
            proof,
            IIbcLightClient.Height(0, 100),
            new bytes[](2),
            abi.encodeWithSelector(IbcLightClient.IbcPath.selector, 2)
        );
        checkpoint[30] ^= 0x01;
        (bool done,) = address(ibc)
            .call(
                abi.encodeCall(
                    ibc.verifyNonMembership,
                    (IIbcLightClient.MsgVerifyNonMembership(
                            abi.encode(checkpoint, new bytes[](0), new bytes[](0)),
                            IIbcLightClient.Height(0, 100),
                            path
                        ))
                )
            );
        vm.assertFalse(done);
        vm.expectRevert(abi.encodeWithSelector(IbcLightClient.IbcValue.selector, 31));
        ibc.verifyMembership(
            IIbcLightClient.MsgVerifyMembership(
                proof, IIbcLightClient.Height(0, 100), path, new bytes(31)
            )
        );
        vm.expectRevert(abi.encodeWithSelector(IbcLightClient.IbcValue.selector, 32));
        ibc.verifyMembership(
            IIbcLightClient.MsgVerifyMembership(
                proof, IIbcLightClient.Height(0, 100), path, new bytes(32)
            )
        );
    }

    function absentRefused(
        bytes memory proof,
        IIbcLightClient.Height memory height,
        bytes[] memory path,
        bytes memory reason
    ) private {
        vm.expectRevert(reason);
        ibc.verifyNonMembership(IIbcLightClient.MsgVerifyNonMembership(proof, height, path));
    }

    /// A chain without the router proves nothing about its commitments.
    function test_AnAbsentRouterProvesNoAbsence() public {
        Checkpoint memory c = checkpointAt(200, current, current);
        c.stateRoot = keccak256(hex"80");
        bytes memory encoded = encode(c);
        client.update(decide(encoded, 0, current, 7));
        bytes[] memory path = new bytes[](1);
        absentRefused(
            abi.encode(encoded, new bytes[](0), new bytes[](0)),
            IIbcLightClient.Height(0, 200),
            path,
            abi.encodeWithSelector(IbcLightClient.IbcNoRouter.selector, address(0x12))
        );
    }
}
