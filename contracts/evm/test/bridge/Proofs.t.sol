// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ILightClient} from "../../src/bridge/ILightClient.sol";
import {Leaves} from "../../src/bridge/Leaves.sol";
import {LightClient} from "../../src/bridge/LightClient.sol";
import {MerkleLog} from "../../src/bridge/MerkleLog.sol";
import {Sha256} from "../../src/bridge/Sha256.sol";
import {DocumentRegister} from "../../src/bridge/examples/DocumentRegister.sol";
import {Log} from "./Log.sol";
import {Tree} from "./Tree.sol";

/// @notice The library as a contract.
contract MerkleLibrary {
    function root(bytes32 hash, uint64 index, uint64 size, bytes32[] calldata path)
        external
        view
        returns (bytes32)
    {
        return MerkleLog.root(hash, index, size, path);
    }

    function rootOfMany(
        bytes32[] memory hashes,
        uint64[] calldata indexes,
        uint64 size,
        bytes32[] calldata nodes
    ) external view returns (bytes32) {
        return MerkleLog.rootOfMany(hashes, indexes, size, nodes);
    }

    function sha(bytes calldata data) external view returns (bytes32) {
        return Sha256.hash(data);
    }
}

/// @notice Tests 24 to 28: proofs of inclusion, single and multiple, and recording.
/// forge-config: default.fuzz.runs = 10000
/// forge-config: long.fuzz.runs = 100000
contract ProofsTest is Log {
    uint256 private constant SIZE = 11;
    MerkleLibrary private lib;
    bytes[] private leaves;
    bytes32[] private hashes;
    bytes private checkpoint;

    function setUp() public {
        lib = new MerkleLibrary();
        deployEmpty(setOf(1, 4));
        leaves = attestations(SIZE);
        hashes = hashesOf(leaves);
        checkpoint = accept(hashes, 200);
    }

    function deployFrom(bytes memory trusted, Set memory set) internal override {
        client = new LightClient(
            LightClient.Trust(CHAIN, GENESIS, trusted, set.encoded, TRUST_PERIOD), noPolicy()
        );
    }

    function proofOf(uint64 index) private view returns (Proof memory) {
        return Proof(leaves[index], index, checkpoint, Tree.path(hashes, index));
    }

    function call(Proof memory p) private pure returns (bytes memory) {
        return
            abi.encodeCall(ILightClient.verifyAttestation, (p.leaf, p.index, p.checkpoint, p.path));
    }

    function recordCall(Proof memory p) private pure returns (bytes memory) {
        return abi.encodeCall(ILightClient.record, (p.leaf, p.index, p.checkpoint, p.path));
    }

    function test_AllLeavesAreProven() public view {
        for (uint64 i = 0; i < SIZE; i++) {
            Proof memory p = proofOf(i);
            Leaves.Attestation memory a =
                client.verifyAttestation(p.leaf, p.index, p.checkpoint, p.path);
            vm.assertEq(a.chainId, CHAIN);
            vm.assertEq(a.height, LEAF_HEIGHT);
            vm.assertEq(a.timeMs, timeOf(LEAF_HEIGHT));
            vm.assertEq(a.issuer, ISSUER);
            vm.assertEq(a.schema, FILE);
            vm.assertEq(a.algorithm, 0x12);
            vm.assertEq(a.words.length, 1);
            vm.assertEq(a.words[0], keccak256(abi.encode("file", i)));
            vm.assertEq(client.verifyLeaf(p.leaf, p.index, p.checkpoint, p.path), 1);
        }
    }

    /// 24: indexes outside the tree, trees of no size, sizes around powers of two.
    function test_24_RefusesIndexesOutsideTheTree() public {
        Proof memory p = proofOf(10);
        uint64[4] memory outside = [uint64(11), 12, 16, type(uint64).max];
        for (uint256 i = 0; i < 4; i++) {
            p.index = outside[i];
            refuses(
                call(p),
                abi.encodeWithSelector(MerkleLog.MerkleLogIndex.selector, outside[i], uint64(11))
            );
        }
        vm.expectRevert(abi.encodeWithSelector(MerkleLog.MerkleLogIndex.selector, 0, 0));
        lib.root(hashes[0], 0, 0, new bytes32[](0));
    }

    /// 24: every index and size up to 33, and what a neighbouring size makes of it.
    function test_24_SizesAroundPowersOfTwo() public view {
        bytes32[] memory all = hashesOf(attestations(33));
        for (uint64 size = 1; size <= 33; size++) {
            bytes32[] memory part = new bytes32[](size);
            for (uint256 i = 0; i < size; i++) {
                part[i] = all[i];
            }
            bytes32 root = Tree.root(part);
            for (uint64 index = 0; index < size; index++) {
                bytes32[] memory path = Tree.path(part, index);
                vm.assertEq(lib.root(part[index], index, size, path), root);
                vm.assertTrue(rootOr0(part[index], index, size, Tree.add(path, root)) == 0);
                if (path.length != 0) {
                    vm.assertTrue(rootOr0(part[index], index, size, Tree.cut(path)) == 0);
                }
            }
        }
    }

    /// 25: paths that are too long or too short, at every index.
    function test_25_RefusesPathsOfAnotherLength() public {
        for (uint64 i = 0; i < SIZE; i++) {
            Proof memory p = proofOf(i);
            bytes32[] memory right = p.path;
            p.path = Tree.add(right, bytes32(0));
            refusesAs(call(p), MerkleLog.MerkleLogPathLength.selector);
            p.path = Tree.add(right, right[0]);
            refusesAs(call(p), MerkleLog.MerkleLogPathLength.selector);
            p.path = Tree.cut(right);
            refusesAs(call(p), MerkleLog.MerkleLogPathLength.selector);
            p.path = new bytes32[](0);
            refusesAs(call(p), MerkleLog.MerkleLogPathLength.selector);
        }
    }

    /// 26: a node passed off as a leaf: the log of two leaves under a checkpoint of size 1.
    function test_26_NodesAndLeavesHaveOtherHashes() public {
        bytes memory fake = bytes.concat(hashes[0], hashes[1]);
        vm.assertNotEq(Tree.leaf(fake), Tree.node(hashes[0], hashes[1]));
        // The bytes under a node, with the node's own place in the tree.
        bytes32[] memory path = Tree.path(hashes, 0);
        bytes32[] memory rest = new bytes32[](path.length - 1);
        for (uint256 i = 0; i < rest.length; i++) {
            rest[i] = path[i + 1];
        }
        Proof memory p = Proof(fake, 0, checkpoint, rest);
        refusesAs(call(p), MerkleLog.MerkleLogPathLength.selector);
        // Even under a tree of the right height it leads elsewhere.
        vm.assertTrue(lib.root(Tree.leaf(fake), 0, 6, rest) != Tree.root(hashes));
        vm.assertEq(lib.root(Tree.node(hashes[0], hashes[1]), 0, 6, rest), Tree.root(hashes));
    }

    /// 27: empty leaves, zero hashes, checkpoints that were never accepted.
    function test_27_RefusesZeros() public {
        Proof memory p = proofOf(0);
        p.leaf = "";
        refusesAs(call(p), ILightClient.LightClientLogRoot.selector);
        p = proofOf(0);
        p.leaf = new bytes(117);
        refusesAs(call(p), ILightClient.LightClientLogRoot.selector);
        p = proofOf(0);
        p.path = new bytes32[](p.path.length);
        refusesAs(call(p), ILightClient.LightClientLogRoot.selector);
        // A checkpoint of zeros is not taken for the zero that an empty slot holds.
        p = proofOf(0);
        p.checkpoint = bytes.concat(abi.encodePacked(CHAIN), new bytes(184));
        refusesAs(call(p), ILightClient.LightClientUnknownCheckpoint.selector);
    }

    /// 27: an accepted checkpoint whose root or whose leaf hash is zero.
    function test_27_AZeroRootProvesNothing() public {
        bytes memory zero = accept(bytes32(0), 11, 300);
        Proof memory p = proofOf(0);
        p.checkpoint = zero;
        refusesAs(call(p), ILightClient.LightClientLogRoot.selector);
        bytes memory one = accept(bytes32(0), 11, 301);
        p = Proof("", 0, one, new bytes32[](4));
        refusesAs(call(p), ILightClient.LightClientLogRoot.selector);
    }

    /// 28: a proof under the checkpoint of another height.
    function test_28_AProofIsForItsCheckpoint() public {
        bytes[] memory more = attestations(SIZE + 5);
        bytes memory later = accept(hashesOf(more), 300);
        Proof memory p = proofOf(3);
        p.checkpoint = later;
        (bool done,) = address(client).call(call(p));
        vm.assertFalse(done);
        p.path = Tree.path(hashesOf(more), 3);
        client.verifyAttestation(p.leaf, p.index, p.checkpoint, p.path);
        // Both stay good.
        p = proofOf(3);
        client.verifyAttestation(p.leaf, p.index, p.checkpoint, p.path);
        // The same facts at a height that was not accepted.
        Checkpoint memory c = checkpointAt(250, current, current);
        (c.logRoot, c.logSize) = (Tree.root(hashes), uint64(SIZE));
        p.checkpoint = encode(c);
        refusesAs(call(p), ILightClient.LightClientUnknownCheckpoint.selector);
    }

    /// SPEC §10.4, 2.
    function test_TheLeafFitsItsCheckpoint() public {
        uint64 time = timeOf(200);
        leafAt(200, time, true);
        leafAt(199, time - 1, true);
        leafAt(199, time, false);
        leafAt(200, time - 1, false);
        leafAt(201, time + 1, false);
        leafAt(201, time - 1, false);
        leafAt(199, time + 1, false);
    }

    function leafAt(uint48 height, uint64 time, bool good) private {
        // A log of this leaf alone, under a checkpoint with the height and time of number 200.
        deployEmpty(current);
        bytes memory leaf = bytes.concat(
            abi.encodePacked(uint8(1), uint8(1), CHAIN, height, uint48(time), uint48(0), ISSUER),
            abi.encodePacked(FILE, uint32(0x12), uint8(32), bytes32(uint256(1)))
        );
        Proof memory p = Proof(leaf, 0, accept(Tree.leaf(leaf), 1, 200), new bytes32[](0));
        (bool done, bytes memory answer) = address(client).call(call(p));
        vm.assertTrue(done == good);
        if (!good) {
            vm.assertEq(
                answer,
                abi.encodeWithSelector(
                    ILightClient.LightClientLeafTime.selector, uint64(height), time
                )
            );
        }
    }

    function test_TheLeafIsOfTheChain() public {
        deployEmpty(current);
        bytes memory leaf = attestation(bytes32(uint256(1)));
        leaf[9] = bytes1(uint8(leaf[9]) + 1);
        Proof memory p = Proof(leaf, 0, accept(Tree.leaf(leaf), 1, 200), new bytes32[](0));
        refuses(
            call(p),
            abi.encodeWithSelector(ILightClient.LightClientChain.selector, CHAIN, CHAIN + 1)
        );
    }

    function test_AnAttestationIsRecordedOnce() public {
        Proof memory p = proofOf(7);
        vm.assertFalse(client.isRecorded(7));
        Leaves.Attestation memory a =
            client.verifyAttestation(p.leaf, p.index, p.checkpoint, p.path);
        vm.expectEmit(address(client));
        emit ILightClient.AttestationRecorded(a.id, ISSUER, FILE, 7, a.timeMs);
        vm.assertTrue(client.record(p.leaf, p.index, p.checkpoint, p.path));
        vm.assertTrue(client.isRecorded(7));
        vm.assertFalse(client.isRecorded(6));
        vm.assertFalse(client.isRecorded(7 + 256));
        vm.recordLogs();
        vm.assertFalse(client.record(p.leaf, p.index, p.checkpoint, p.path));
        vm.assertEq(vm.getRecordedLogs().length, 0);
        p.leaf[116] ^= 0x01;
        refusesAs(recordCall(p), ILightClient.LightClientLogRoot.selector);
    }

    function test_SeveralAreRecordedTogether() public {
        uint64[] memory indexes = new uint64[](3);
        (indexes[0], indexes[1], indexes[2]) = (0, 7, 10);
        (bytes[] memory some, bytes32[] memory nodes) = many(indexes);
        client.record(leaves[7], 7, checkpoint, Tree.path(hashes, 7));
        vm.assertEq(client.recordMany(some, indexes, checkpoint, nodes), 2);
        vm.assertEq(client.recordMany(some, indexes, checkpoint, nodes), 0);
        vm.assertTrue(client.isRecorded(0) && client.isRecorded(7) && client.isRecorded(10));
        Leaves.Attestation[] memory all =
            client.verifyAttestations(some, indexes, checkpoint, nodes);
        vm.assertEq(all[1].words[0], keccak256(abi.encode("file", 7)));
        nodes[0] ^= bytes32(uint256(1));
        refusesAs(
            abi.encodeCall(ILightClient.recordMany, (some, indexes, checkpoint, nodes)),
            ILightClient.LightClientLogRoot.selector
        );
    }

    function test_MultiproofsHaveOneForm() public {
        uint64[] memory indexes = new uint64[](2);
        (indexes[0], indexes[1]) = (7, 7);
        (bytes[] memory some, bytes32[] memory nodes) = many(indexes);
        refusesMany(some, indexes, nodes, MerkleLog.MerkleLogIndexOrder.selector);
        (indexes[0], indexes[1]) = (8, 7);
        refusesMany(some, indexes, nodes, MerkleLog.MerkleLogIndexOrder.selector);
        (indexes[0], indexes[1]) = (7, 11);
        refusesMany(some, indexes, nodes, MerkleLog.MerkleLogIndex.selector);
        (indexes[0], indexes[1]) = (7, 8);
        (some, nodes) = many(indexes);
        client.verifyAttestations(some, indexes, checkpoint, nodes);
        refusesMany(some, indexes, Tree.cut(nodes), MerkleLog.MerkleLogPathLength.selector);
        refusesMany(
            some, indexes, Tree.add(nodes, nodes[0]), MerkleLog.MerkleLogPathLength.selector
        );
        refusesMany(new bytes[](0), new uint64[](0), nodes, MerkleLog.MerkleLogIndexOrder.selector);
        refusesMany(some, new uint64[](1), nodes, MerkleLog.MerkleLogLeafCount.selector);
    }

    function refusesMany(
        bytes[] memory some,
        uint64[] memory indexes,
        bytes32[] memory nodes,
        bytes4 reason
    ) private {
        refusesAs(
            abi.encodeCall(ILightClient.verifyAttestations, (some, indexes, checkpoint, nodes)),
            reason
        );
    }

    /// The example that the README shows.
    function test_TheExampleTakesFilesOfItsIssuer() public {
        DocumentRegister register = new DocumentRegister(client, ISSUER);
        Proof memory p = proofOf(4);
        register.register(p.leaf, p.index, p.checkpoint, p.path);
        vm.assertEq(register.attestedAt(keccak256(abi.encode("file", 4))), timeOf(LEAF_HEIGHT));
        vm.assertEq(register.attestedAt(keccak256(abi.encode("file", 5))), 0);
        DocumentRegister other = new DocumentRegister(client, address(1));
        vm.expectRevert(
            abi.encodeWithSelector(
                DocumentRegister.NotAttested.selector, ISSUER, FILE, uint32(0x12)
            )
        );
        other.register(p.leaf, p.index, p.checkpoint, p.path);
        p.leaf[116] ^= 0x01;
        (bool done,) = address(register)
            .call(abi.encodeCall(register.register, (p.leaf, p.index, p.checkpoint, p.path)));
        vm.assertFalse(done);
    }

    // Fuzzing

    /// Against the RFC's own definition, with random trees.
    function testFuzz_ProofsOfAllTrees(uint256 seed) public view {
        uint64 size = uint64(clamp(seed, 1, 40));
        uint64 index = uint64(clamp(seed >> 64, 0, size - 1));
        bytes32[] memory all = randomHashes(seed, size);
        bytes32[] memory path = Tree.path(all, index);
        bytes32 root = Tree.root(all);
        vm.assertEq(lib.root(all[index], index, size, path), root);
        // Another leaf, index, size or hash leads elsewhere or nowhere.
        vm.assertTrue(rootOr0(~all[index], index, size, path) != root);
        if (path.length == 0) return;
        uint64 other = uint64(clamp(seed >> 128, 0, 50));
        if (other != index) vm.assertTrue(rootOr0(all[index], other, size, path) != root);
        path[clamp(seed >> 192, 0, path.length - 1)] ^= bytes32(1 << (seed & 0xff));
        vm.assertTrue(rootOr0(all[index], index, size, path) != root);
    }

    function testFuzz_MultiproofsOfAllTrees(uint256 seed, uint256 marks) public view {
        uint64 size = uint64(clamp(seed, 1, 24));
        bytes32[] memory all = randomHashes(seed, size);
        (uint64[] memory indexes, bool[] memory marked) = picked(size, marks);
        bytes32[] memory some = new bytes32[](indexes.length);
        for (uint256 i = 0; i < some.length; i++) {
            some[i] = all[indexes[i]];
        }
        bytes32[] memory nodes = Tree.nodes(all, marked, 0, size);
        bytes32 root = Tree.root(all);
        vm.assertEq(lib.rootOfMany(some, indexes, size, nodes), root);
        if (nodes.length != 0) {
            nodes[clamp(seed >> 64, 0, nodes.length - 1)] ^= bytes32(1 << (seed & 0xff));
            vm.assertTrue(lib.rootOfMany(some, indexes, size, nodes) != root);
        } else {
            some[clamp(seed >> 64, 0, some.length - 1)] ^= bytes32(1 << (seed & 0xff));
            vm.assertTrue(lib.rootOfMany(some, indexes, size, nodes) != root);
        }
    }

    /// One changed byte anywhere in the call makes it fail, or changes nothing that it means.
    function testFuzz_OneChangedByteProvesNothingElse(uint256 seed, uint8 change) public {
        uint64 index = uint64(clamp(seed, 0, SIZE - 1));
        Proof memory p = proofOf(index);
        bytes memory data = call(p);
        (, bytes memory meant) = address(client).call(data);
        data[4 + clamp(seed >> 64, 0, data.length - 5)] ^= bytes1(uint8(clamp(change, 1, 255)));
        (bool done, bytes memory answer) = address(client).call(data);
        // Only padding of the ABI may differ.
        if (done) vm.assertEq(answer, meant);
    }

    function testFuzz_Sha256IsThatOfSolidity(bytes memory data) public view {
        vm.assertEq(lib.sha(data), sha256(data));
    }

    function randomHashes(uint256 seed, uint256 count) private pure returns (bytes32[] memory all) {
        all = new bytes32[](count);
        for (uint256 i = 0; i < count; i++) {
            all[i] = keccak256(abi.encode(seed, i));
        }
    }

    /// At least one index.
    function picked(uint64 size, uint256 marks)
        private
        pure
        returns (uint64[] memory indexes, bool[] memory marked)
    {
        marked = new bool[](size);
        uint256 count = 0;
        for (uint256 i = 0; i < size; i++) {
            marked[i] = (marks >> i) & 1 == 1 || (i == size - 1 && count == 0);
            if (marked[i]) count++;
        }
        indexes = new uint64[](count);
        uint256 next = 0;
        for (uint64 i = 0; i < size; i++) {
            if (marked[i]) indexes[next++] = i;
        }
    }

    function many(uint64[] memory indexes)
        private
        view
        returns (bytes[] memory some, bytes32[] memory nodes)
    {
        bool[] memory marked = new bool[](SIZE);
        some = new bytes[](indexes.length);
        for (uint256 i = 0; i < indexes.length; i++) {
            some[i] = leaves[indexes[i]];
            marked[indexes[i]] = true;
        }
        nodes = Tree.nodes(hashes, marked, 0, SIZE);
    }

    /// The root, or 0 if the proof is refused.
    function rootOr0(bytes32 hash, uint64 index, uint64 size, bytes32[] memory path)
        private
        view
        returns (bytes32)
    {
        try lib.root(hash, index, size, path) returns (bytes32 root) {
            return root;
        } catch {
            return 0;
        }
    }
}
