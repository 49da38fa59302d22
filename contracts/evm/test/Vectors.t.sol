// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAttestations} from "../src/IAttestations.sol";
import {Base} from "./Base.sol";

/// @notice The contract against tests/vectors/attestation_ids.json, which ethers computed.
contract VectorsTest is Base {
    bytes32 private constant REVOKE = keccak256("Revoke");
    string private vectors;

    function setUp() public override {
        super.setUp();
        vectors = vm.readFile("../../tests/vectors/attestation_ids.json");
    }

    function test_IdsAreThoseOfTheVectors() public {
        uint256 count = 0;
        for (; has("attestations", count); count++) {
            string memory item = path("attestations", count);
            address issuer = vm.parseJsonAddress(vectors, join(item, "issuer"));
            bytes32 schema = vm.parseJsonBytes32(vectors, join(item, "schema"));
            uint32 algorithm = uint32(number(item, "algorithm"));
            bytes32[] memory words = wordsOf(item);
            bytes32 id = vm.parseJsonBytes32(vectors, join(item, "id"));
            bytes memory preimage = vm.parseJsonBytes(vectors, join(item, "preimage"));
            vm.chainId(number(item, "chainId"));
            vm.assertEq(book.idOf(issuer, schema, algorithm, words), id, item);
            vm.assertEq(keccak256(preimage), id, item);
            vm.prank(issuer);
            vm.assertEq(book.attest(schema, algorithm, words), id, item);
        }
        vm.assertGe(count, 27);
    }

    function test_RefusesWhatTheVectorsRefuse() public {
        uint256 count = 0;
        for (; has("refused", count); count++) {
            string memory item = path("refused", count);
            bytes32 schema = vm.parseJsonBytes32(vectors, join(item, "schema"));
            uint32 algorithm = uint32(number(item, "algorithm"));
            bytes memory data = vm.parseJsonBool(vectors, join(item, "batch"))
                ? abi.encodeCall(book.attestBatch, (schema, algorithm, wordsOf(item)))
                : abi.encodeCall(book.attest, (schema, algorithm, wordsOf(item)));
            refusedAs(item, data);
        }
        vm.assertGe(count, 9);
    }

    function test_SchemaIdsAreThoseOfTheVectors() public {
        uint256 count = 0;
        for (; has("schemas", count); count++) {
            string memory item = path("schemas", count);
            bytes32 textHash = vm.parseJsonBytes32(vectors, join(item, "textHash"));
            bool revocable = vm.parseJsonBool(vectors, join(item, "revocable"));
            vm.prank(vm.parseJsonAddress(vectors, join(item, "owner")));
            vm.assertEq(
                book.registerSchema(textHash, uint8(number(item, "commitsTo")), revocable),
                vm.parseJsonBytes32(vectors, join(item, "id")),
                item
            );
        }
        vm.assertGe(count, 4);
    }

    function test_DelegationsAreThoseOfTheVectors() public {
        uint256 good = 0;
        uint256 bad = 0;
        for (; has("delegations", good + bad);) {
            string memory item = path("delegations", good + bad);
            vm.assertEq(vm.parseJsonAddress(vectors, join(item, "contract")), address(book));
            vm.chainId(number(item, "chainId"));
            checkDigest(item);
            bytes memory data = delegatedCall(item);
            vm.warp(number(item, "time"));
            if (vm.keyExistsJson(vectors, join(item, "refused"))) {
                refusedAs(item, data);
                bad++;
                continue;
            }
            // Each of them with no nonce used.
            uint256 before = vm.snapshotState();
            (bool done,) = send(STRANGER, data);
            vm.assertTrue(done, item);
            vm.revertToState(before);
            good++;
        }
        vm.assertGe(good, 5);
        vm.assertGe(bad, 13);
    }

    function test_StatementsAreThoseOfTheVectors() public {
        uint256 count = 0;
        for (; has("statements", count); count++) {
            string memory item = path("statements", count);
            IAttestations.Delegation memory given = delegationOf(item);
            bytes memory data = abi.encodeCall(book.cancelByDelegation, (given));
            if (keccak256(bytes(vm.parseJsonString(vectors, join(item, "type")))) == REVOKE) {
                bytes32 id = vm.parseJsonBytes32(vectors, join(item, "id"));
                uint16 reason = uint16(number(item, "reason"));
                data = abi.encodeCall(book.revokeByDelegation, (id, reason, given));
            }
            if (vm.keyExistsJson(vectors, join(item, "refused"))) {
                refusedAs(item, data);
                continue;
            }
            uint256 before = vm.snapshotState();
            (bool done,) = send(STRANGER, data);
            vm.assertTrue(done, item);
            vm.assertTrue(book.isNonceUsed(given.issuer, given.nonce));
            vm.revertToState(before);
        }
        vm.assertGe(count, 5);
    }

    function checkDigest(string memory item) private view {
        bytes32 digest = book.delegationDigest(
            vm.parseJsonBool(vectors, join(item, "batch")),
            vm.parseJsonBytes32(vectors, join(item, "schema")),
            uint32(number(item, "algorithm")),
            wordsOf(item),
            vm.parseJsonAddress(vectors, join(item, "issuer")),
            number(item, "nonce"),
            uint64(number(item, "deadline"))
        );
        vm.assertEq(digest, vm.parseJsonBytes32(vectors, join(item, "digest")), item);
    }

    function delegatedCall(string memory item) private view returns (bytes memory) {
        IAttestations.Delegation memory delegation = delegationOf(item);
        bytes32 schema = vm.parseJsonBytes32(vectors, join(item, "schema"));
        uint32 algorithm = uint32(number(item, "algorithm"));
        bytes32[] memory words = wordsOf(item);
        return vm.parseJsonBool(vectors, join(item, "batch"))
            ? abi.encodeCall(book.attestBatchByDelegation, (schema, algorithm, words, delegation))
            : abi.encodeCall(book.attestByDelegation, (schema, algorithm, words, delegation));
    }

    function delegationOf(string memory item)
        private
        view
        returns (IAttestations.Delegation memory)
    {
        return IAttestations.Delegation({
            issuer: vm.parseJsonAddress(vectors, join(item, "issuer")),
            nonce: number(item, "nonce"),
            deadline: uint64(number(item, "deadline")),
            v: uint8(number(item, "v")),
            r: vm.parseJsonBytes32(vectors, join(item, "r")),
            s: vm.parseJsonBytes32(vectors, join(item, "s"))
        });
    }

    /// The call fails with the error whose signature the vector names.
    function refusedAs(string memory item, bytes memory data) private {
        (bool done, bytes memory answer) = send(STRANGER, data);
        vm.assertFalse(done, item);
        string memory refused = vm.parseJsonString(vectors, join(item, "refused"));
        vm.assertEq(bytes32(bytes4(answer)), bytes32(bytes4(keccak256(bytes(refused)))), item);
    }

    function has(string memory list, uint256 position) private view returns (bool) {
        return vm.keyExistsJson(vectors, path(list, position));
    }

    function wordsOf(string memory item) private view returns (bytes32[] memory) {
        return vm.parseJsonBytes32Array(vectors, join(item, "words"));
    }

    function number(string memory item, string memory key) private view returns (uint256) {
        return vm.parseJsonUint(vectors, join(item, key));
    }

    function path(string memory list, uint256 position) private pure returns (string memory) {
        return string.concat(".", list, "[", vm.toString(position), "]");
    }

    function join(string memory item, string memory key) private pure returns (string memory) {
        return string.concat(item, ".", key);
    }
}
