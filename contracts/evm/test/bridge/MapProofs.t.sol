// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ILightClient} from "../../src/bridge/ILightClient.sol";
import {Leaves} from "../../src/bridge/Leaves.sol";
import {LightClient} from "../../src/bridge/LightClient.sol";
import {MapProofs} from "../../src/bridge/MapProofs.sol";
import {Log} from "./Log.sol";
import {Tree} from "./Tree.sol";

/// @notice The library as a contract.
contract MapLibrary {
    function root(
        ILightClient client,
        bytes calldata leaf,
        uint64 index,
        bytes calldata checkpoint,
        bytes32[] calldata path
    ) external view returns (MapProofs.Root memory) {
        return MapProofs.verifyRoot(client, leaf, index, checkpoint, path);
    }

    function decode(bytes calldata leaf) external pure returns (MapProofs.Root memory) {
        return MapProofs.decodeRoot(leaf);
    }

    function rootOf(bytes32 key, MapProofs.Answer calldata answer) external view returns (bytes32) {
        return MapProofs.rootOf(key, answer);
    }

    function attested(MapProofs.Root calldata map, bytes32 digest, MapProofs.Answer calldata answer)
        external
        view
        returns (bool, uint64, uint48)
    {
        return MapProofs.attested(map, digest, answer);
    }

    function attestedTwo(
        MapProofs.Root calldata map,
        bytes32 one,
        bytes32 two,
        MapProofs.Answer calldata answer
    ) external view returns (bool, uint64, uint48) {
        return MapProofs.attested(map, one, two, answer);
    }

    function statusOf(
        MapProofs.Root calldata map,
        bytes32 id,
        address account,
        MapProofs.Answer calldata answer
    ) external view returns (MapProofs.Status memory) {
        return MapProofs.statusOf(map, id, account, answer);
    }

    function revocable(
        MapProofs.Root calldata map,
        bytes32 schema,
        MapProofs.Answer calldata answer
    ) external view returns (bool) {
        return MapProofs.revocable(map, schema, answer);
    }

    function algorithmRevoked(
        MapProofs.Root calldata map,
        uint32[] calldata codes,
        uint32 algorithm
    ) external view returns (bool) {
        return MapProofs.algorithmRevoked(map, codes, algorithm);
    }
}

/// @notice The map: roots that the light client proves, and answers against the vectors that hold
/// the Rust verifier too.
contract MapProofsTest is Log {
    MapLibrary private lib;
    string private vectors;

    function setUp() public {
        lib = new MapLibrary();
        deployEmpty(setOf(1, 4));
        vectors = vm.readFile("../../tests/vectors/map.json");
    }

    function deployFrom(bytes memory trusted, Set memory set) internal override {
        client = new LightClient(
            LightClient.Trust(CHAIN, GENESIS, trusted, set.encoded, TRUST_PERIOD), noPolicy()
        );
    }

    function test_AnswersAreAsTheFileSays() public {
        uint256 count = 0;
        uint256 refused_ = 0;
        while (vm.keyExistsJson(vectors, path(count))) {
            refused_ += this.answer(path(count));
            count++;
        }
        vm.assertEq(count, 42);
        vm.assertEq(refused_, 20);
    }

    /// In a call of its own, after which the memory is free again.
    function answer(string memory item) external returns (uint256) {
        MapProofs.Answer memory given = answerAt(item);
        bytes32 key = word(item, "key");
        vm.assertEq(sha256(data(item, "preimage")), key, item);
        string memory reason = vm.parseJsonString(vectors, string.concat(item, ".refused"));
        bool good = bytes(reason).length == 0;
        (bool done, bytes memory result) =
            address(lib).call(abi.encodeCall(MapLibrary.rootOf, (key, given)));
        bool same = done && abi.decode(result, (bytes32)) == word(item, "root");
        vm.assertTrue(same == good, item);
        // What is refused for its form is refused for its form here too.
        bool elsewhere = keccak256(bytes(reason)) == keccak256("leads to root");
        vm.assertTrue(done == (good || elsewhere), item);
        return good ? 0 : 1;
    }

    function test_QuestionsHaveTheKeysAndValuesOfTheFile() public {
        bytes32 absent = bytes32(uint256(1));
        for (uint256 i = 0; i < 7; i++) {
            MapProofs.Answer memory given = answerAt(path(i));
            MapProofs.Root memory map = MapProofs.Root(
                word(path(i), "root"), 0, 0, 0, sha256(abi.encodePacked(uint32(0x13))), 0
            );
            bytes memory preimage = data(path(i), "preimage");
            bytes32 first = bytes32(slice(preimage, 17, 32));
            if (i == 2) {
                (bool found,,) =
                    lib.attestedTwo(map, first, bytes32(slice(preimage, 49, 32)), given);
                vm.assertFalse(found);
            } else if (i < 2) {
                (bool found, uint64 index, uint48 height) = lib.attested(map, first, given);
                vm.assertTrue(found);
                vm.assertEq(index, i == 0 ? 5 : 27);
                vm.assertEq(height, 1);
                leadsElsewhere(abi.encodeCall(MapLibrary.attested, (map, absent, given)));
            } else if (i < 5) {
                address account = address(bytes20(slice(preimage, 49, 20)));
                MapProofs.Status memory status = lib.statusOf(map, first, account, given);
                vm.assertTrue(status.revoked == (i == 3));
                vm.assertEq(status.revokedHeight, i == 3 ? 2 : 0);
                vm.assertEq(status.revokedIndex, i == 3 ? 29 : 0);
                vm.assertEq(status.reason, i == 3 ? 2 : 0);
                leadsElsewhere(abi.encodeCall(MapLibrary.statusOf, (map, absent, account, given)));
            } else {
                vm.assertTrue(lib.revocable(map, first, given) == (i == 5));
                leadsElsewhere(abi.encodeCall(MapLibrary.revocable, (map, absent, given)));
            }
        }
    }

    function test_RevokedAlgorithmsAreThoseOfTheRoot() public {
        uint32[] memory codes = new uint32[](2);
        (codes[0], codes[1]) = (0x12, 0x13);
        bytes32 hash = sha256(abi.encodePacked(codes[0], codes[1]));
        MapProofs.Root memory map = MapProofs.Root(0, 0, 0, 0, hash, 0);
        vm.assertTrue(lib.algorithmRevoked(map, codes, 0x13));
        vm.assertFalse(lib.algorithmRevoked(map, codes, 0x16));
        (codes[0], codes[1]) = (0x13, 0x12);
        refuse(map, codes);
        refuse(map, new uint32[](0));
        refuse(map, new uint32[](65));
        map.revokedAlgorithmsHash = sha256("");
        vm.assertFalse(lib.algorithmRevoked(map, new uint32[](0), 0x13));
    }

    function test_ARootIsProvenByTheLightClient() public {
        bytes[] memory leaves = attestations(4);
        leaves[2] = rootLeaf(LEAF_HEIGHT - 1, LEAF_HEIGHT - 2);
        bytes32[] memory hashes = hashesOf(leaves);
        bytes memory checkpoint = accept(hashes, 200);
        MapProofs.Root memory map = lib.root(client, leaves[2], 2, checkpoint, Tree.path(hashes, 2));
        vm.assertEq(map.root, bytes32(uint256(7)));
        vm.assertEq(map.entries, 9);
        vm.assertEq(map.height, LEAF_HEIGHT - 1);
        vm.assertEq(map.digestHeight, LEAF_HEIGHT - 2);
        vm.assertEq(map.timeMs, timeOf(LEAF_HEIGHT));
        bytes32[] memory other = Tree.path(hashes, 1);
        vm.expectRevert(
            abi.encodeWithSelector(Leaves.LeafKind.selector, MapProofs.MAP_ROOT, uint8(1))
        );
        lib.root(client, leaves[1], 1, checkpoint, other);
        (bool done,) = address(lib)
            .call(abi.encodeCall(MapLibrary.root, (client, leaves[2], 1, checkpoint, other)));
        vm.assertFalse(done);
    }

    function test_RefusesRootsOfOtherHeightsAndLengths() public {
        lib.decode(rootLeaf(LEAF_HEIGHT - 1, LEAF_HEIGHT - 1));
        uint64[2][3] memory wrong = [
            [uint64(LEAF_HEIGHT), LEAF_HEIGHT - 1],
            [uint64(LEAF_HEIGHT - 2), LEAF_HEIGHT - 2],
            [uint64(LEAF_HEIGHT - 1), LEAF_HEIGHT]
        ];
        for (uint256 i = 0; i < 3; i++) {
            vm.expectRevert(
                abi.encodeWithSelector(
                    MapProofs.MapProofsRootHeight.selector, LEAF_HEIGHT, wrong[i][0], wrong[i][1]
                )
            );
            lib.decode(rootLeaf(wrong[i][0], wrong[i][1]));
        }
        bytes memory long = bytes.concat(rootLeaf(LEAF_HEIGHT - 1, 0), hex"00");
        vm.expectRevert(abi.encodeWithSelector(MapProofs.MapProofsRootLength.selector, 137));
        lib.decode(long);
    }

    /// Another question's answer, whether or not its end fits this one.
    function leadsElsewhere(bytes memory call) private {
        (bool done, bytes memory reason) = address(lib).call(call);
        vm.assertFalse(done);
        bytes4 selector = bytes4(reason);
        bool elsewhere = selector == MapProofs.MapProofsRoot.selector
            || selector == MapProofs.MapProofsOtherKey.selector;
        vm.assertTrue(elsewhere);
    }

    function refuse(MapProofs.Root memory map, uint32[] memory codes) private {
        vm.expectRevert(abi.encodeWithSelector(MapProofs.MapProofsAlgorithms.selector));
        lib.algorithmRevoked(map, codes, 0x13);
    }

    function rootLeaf(uint64 height, uint64 digestHeight) private pure returns (bytes memory) {
        bytes memory fields = abi.encodePacked(
            bytes32(uint256(7)), uint64(9), height, digestHeight, bytes32(uint256(8))
        );
        return bytes.concat(headOf(MapProofs.MAP_ROOT, address(0)), fields);
    }

    function answerAt(string memory item) private view returns (MapProofs.Answer memory) {
        return MapProofs.Answer(
            vm.parseJsonUint(vectors, string.concat(item, ".depth")),
            data(item, "bitmap"),
            vm.parseJsonBytes32Array(vectors, string.concat(item, ".siblings")),
            uint8(vm.parseJsonUint(vectors, string.concat(item, ".end"))),
            word(item, "otherKey"),
            data(item, "value")
        );
    }

    function path(uint256 index) private pure returns (string memory) {
        return string.concat(".answers[", vm.toString(index), "]");
    }

    function data(string memory item, string memory key) private view returns (bytes memory) {
        return vm.parseJsonBytes(vectors, string.concat(item, ".", key));
    }

    function word(string memory item, string memory key) private view returns (bytes32) {
        return vm.parseJsonBytes32(vectors, string.concat(item, ".", key));
    }
}
