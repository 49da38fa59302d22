// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ILightClient} from "../../src/bridge/ILightClient.sol";
import {IIbcLightClient} from "../../src/bridge/IIbcLightClient.sol";
import {IbcLightClient} from "../../src/bridge/IbcLightClient.sol";
import {Leaves} from "../../src/bridge/Leaves.sol";
import {LightClient} from "../../src/bridge/LightClient.sol";
import {SetStore} from "../../src/bridge/SetStore.sol";
import {Network} from "./Network.sol";
import {Library} from "./Quorum.t.sol";
import {MerkleLibrary} from "./Proofs.t.sol";
import {LeafLibrary} from "./Leaves.t.sol";
import {Tree} from "./Tree.sol";

/// @notice Test 30: the contracts against tests/vectors/light_client.json, which ethers computed,
/// and against the vectors that hold the Rust verifier too.
contract BridgeVectorsTest is Network {
    string private vectors;
    bytes32 private genesisHash;

    function setUp() public {
        vm.warp(NOW);
    }

    function open(string memory name) private {
        vectors = vm.readFile(string.concat("../../tests/vectors/", name, ".json"));
        genesisHash = vm.keyExistsJson(vectors, ".genesisHash")
            ? vm.parseJsonBytes32(vectors, ".genesisHash")
            : GENESIS;
    }

    // light_client.json

    function test_30_Sets() public {
        open("light_client");
        Library lib = new Library();
        uint256 count = 0;
        for (; has("sets", count); count++) {
            string memory item = path("sets", count);
            bytes memory encoded = data(item, "encoded");
            vm.assertEq(hashOfSet(encoded), word(item, "hash"), item);
            lib.store(encoded);
        }
        vm.assertEq(count, 8);
        for (count = 0; has("badSets", count); count++) {
            string memory item = path("badSets", count);
            refused(address(lib), abi.encodeCall(lib.store, (data(item, "encoded"))), item);
        }
        vm.assertEq(count, 12);
    }

    function test_30_Decisions() public {
        open("light_client");
        uint256 count = 0;
        for (; has("decisions", count); count++) {
            this.accepts(path("decisions", count));
        }
        vm.assertEq(count, 22);
    }

    function test_30_RefusedDecisions() public {
        open("light_client");
        uint256 count = 0;
        for (; has("badDecisions", count); count++) {
            this.refuses(path("badDecisions", count));
        }
        vm.assertEq(count, 39);
    }

    /// In a call of its own, after which the memory is free again.
    function accepts(string memory item) external {
        trust(setNamed(text(item, "set")));
        bytes memory decision = data(item, "decision");
        (bytes32 digest, uint256 power) = client.verifyDecision(decision);
        vm.assertTrue(client.isCertified(decision), item);
        vm.assertEq(digest, word(item, "digest"), item);
        vm.assertEq(power, number(item, "power"), item);
    }

    /// In a call of its own, after which the memory is free again.
    function refuses(string memory item) external {
        trust(setNamed(text(item, "set")));
        bytes memory decision = data(item, "decision");
        refused(address(client), abi.encodeCall(ILightClient.verifyDecision, (decision)), item);
        vm.assertFalse(client.isCertified(decision), item);
    }

    function test_30_Handovers() public {
        open("light_client");
        uint256 count = 0;
        for (; has("handovers", count); count++) {
            string memory item = path("handovers", count);
            trust(setNamed(text(item, "trustedSet")));
            bytes memory call = abi.encodeCall(
                ILightClient.handover, (data(item, "last"), data(item, "set"), data(item, "first"))
            );
            if (vm.keyExistsJson(vectors, string.concat(item, ".refused"))) {
                refused(address(client), call, item);
                continue;
            }
            (bool done,) = address(client).call(call);
            vm.assertTrue(done, item);
            vm.assertEq(client.latest().validatorSetHash, hashOfSet(data(item, "set")), item);
        }
        vm.assertEq(count, 12);
    }

    function test_30_Messages() public {
        open("light_client_proofs");
        LeafLibrary lib = new LeafLibrary();
        uint256 count = 0;
        for (; has("messages", count); count++) {
            string memory item = path("messages", count);
            bytes memory call = abi.encodeCall(lib.message, (data(item, "leaf")));
            if (vm.keyExistsJson(vectors, string.concat(item, ".refused"))) {
                refused(address(lib), call, item);
                continue;
            }
            Leaves.Message memory message = lib.message(data(item, "leaf"));
            vm.assertEq(Tree.leaf(data(item, "leaf")), word(item, "leafHash"), item);
            vm.assertEq(
                message.sender, vm.parseJsonAddress(vectors, string.concat(item, ".sender"))
            );
            vm.assertEq(message.destination, word(item, "destination"), item);
            vm.assertEq(message.receiver, word(item, "receiver"), item);
            vm.assertEq(message.sequence, number(item, "sequence"), item);
            vm.assertEq(message.timeout, number(item, "timeout"), item);
            vm.assertEq(message.payloadHash, word(item, "payloadHash"), item);
        }
        vm.assertEq(count, 7);
    }

    function test_30_Multiproofs() public {
        open("light_client_proofs");
        MerkleLibrary lib = new MerkleLibrary();
        uint256 count = 0;
        for (; has("multiproofs", count); count++) {
            string memory item = path("multiproofs", count);
            uint256[] memory given = vm.parseJsonUintArray(vectors, string.concat(item, ".indexes"));
            uint64[] memory indexes = new uint64[](given.length);
            bytes32[] memory hashes = new bytes32[](given.length);
            for (uint256 i = 0; i < given.length; i++) {
                indexes[i] = uint64(given[i]);
                hashes[i] = Tree.leaf(abi.encodePacked(indexes[i]));
            }
            bytes32[] memory nodes =
                vm.parseJsonBytes32Array(vectors, string.concat(item, ".nodes"));
            uint64 size = uint64(number(item, "size"));
            vm.assertEq(lib.rootOfMany(hashes, indexes, size, nodes), word(item, "root"), item);
        }
        vm.assertEq(count, 10);
    }

    /// 31: present and absent slots of tries of all shapes, under an accepted checkpoint.
    function test_31_States() public {
        open("light_client_proofs");
        (uint256 count, uint256 slots) = (0, 0);
        for (; has("states", count); count++) {
            string memory item = path("states", count);
            current = setOf(1, 4);
            Checkpoint memory c = checkpointAt(200, current, current);
            c.stateRoot = word(item, "stateRoot");
            bytes memory encoded = encode(c);
            client = new LightClient(
                LightClient.Trust(CHAIN, GENESIS, encoded, current.encoded, TRUST_PERIOD),
                noPolicy()
            );
            IbcLightClient ibc = new IbcLightClient(
                client, vm.parseJsonAddress(vectors, string.concat(item, ".router"))
            );
            bytes[] memory account =
                vm.parseJsonBytesArray(vectors, string.concat(item, ".accountProof"));
            for (uint256 i = 0; has(item, "slots", i); i++) {
                slotIs(ibc, encoded, account, string.concat(item, ".slots[", vm.toString(i), "]"));
                slots++;
            }
        }
        vm.assertEq(count, 5);
        vm.assertEq(slots, 46);
    }

    function slotIs(
        IbcLightClient ibc,
        bytes memory checkpoint,
        bytes[] memory account,
        string memory item
    ) private {
        bytes[] memory nodes = vm.parseJsonBytesArray(vectors, string.concat(item, ".proof"));
        bytes[] memory key = new bytes[](1);
        key[0] = data(item, "path");
        bytes32 value = word(item, "value");
        IIbcLightClient.Height memory height = IIbcLightClient.Height(0, 200);
        bytes memory proof = abi.encode(checkpoint, account, nodes);
        bytes memory present = abi.encodeCall(
            ibc.verifyMembership,
            (IIbcLightClient.MsgVerifyMembership(
                    proof, height, key, abi.encode(value == 0 ? bytes32(uint256(1)) : value)
                ))
        );
        bytes memory absent = abi.encodeCall(
            ibc.verifyNonMembership, (IIbcLightClient.MsgVerifyNonMembership(proof, height, key))
        );
        (bool done, bytes memory answer) = address(ibc).call(value == 0 ? absent : present);
        vm.assertTrue(done, item);
        vm.assertEq(abi.decode(answer, (uint256)), timeOf(200) / 1000, item);
        (done, answer) = address(ibc).call(value == 0 ? present : absent);
        vm.assertFalse(done, item);
        vm.assertEq(
            answer,
            abi.encodeWithSelector(IbcLightClient.IbcCommitment.selector, word(item, "slot"), value)
        );
    }

    // Vectors of the Rust verifier

    /// certificate.json: what a decision can express is accepted or refused as there.
    function test_30_CertificatesOfTheRustVerifier() public {
        open("certificate");
        bytes memory set = rustSet();
        vm.assertEq(hashOfSet(set), word("", "validatorSetHash"));
        string memory certificates = vectors;
        // The certificates are of this checkpoint.
        open("checkpoint");
        bytes memory checkpoint = data(".cases[0]", "checkpoint");
        vectors = certificates;
        trust(set);
        (uint256 good, uint256 bad, uint256 unsayable) = (0, 0, 0);
        for (; has("cases", good + bad + unsayable);) {
            string memory item = path("cases", good + bad + unsayable);
            bool valid = !vm.keyExistsJson(vectors, string.concat(item, ".refused"));
            (bool can, bytes memory decision) =
                decisionOf(checkpoint, data(item, "certificate"), set);
            if (!can) {
                // Not the canonical bytes of a certificate by members in order.
                vm.assertFalse(valid, item);
                unsayable++;
                continue;
            }
            vm.assertTrue(client.isCertified(decision) == valid, item);
            if (valid) good++;
            else bad++;
        }
        vm.assertTrue(good >= 2 && bad >= 5);
        vm.assertGe(good + bad + unsayable, 20);
    }

    /// checkpoint.json: checkpoints with their certificates.
    function test_30_CheckpointsOfTheRustVerifier() public {
        open("certificate");
        bytes memory set = rustSet();
        open("checkpoint");
        trust(set);
        (uint256 good, uint256 bad) = (0, 0);
        for (; has("cases", good + bad);) {
            string memory item = path("cases", good + bad);
            bool valid = !vm.keyExistsJson(vectors, string.concat(item, ".refused"));
            bytes memory checkpoint = data(item, "checkpoint");
            (bool can, bytes memory decision) =
                decisionOf(checkpoint, data(item, "certificate"), set);
            can = can && checkpoint.length == 192;
            vm.assertTrue((can && client.isCertified(decision)) == valid, item);
            if (valid) good++;
            else bad++;
        }
        vm.assertGe(good, 1);
        vm.assertGe(bad, 5);
    }

    /// leaf.json: leaves and their ids; what is no leaf.
    function test_30_LeavesOfTheRustVerifier() public {
        vectors = vm.readFile("../../tests/vectors/leaf.json");
        LeafLibrary lib = new LeafLibrary();
        (uint256 count, uint256 attestations) = (0, 0);
        for (; has("leaves", count); count++) {
            string memory item = path("leaves", count);
            bytes memory leaf = data(item, "leaf");
            vm.assertEq(lib.hash(leaf), word(item, "leafHash"), item);
            string memory statement = string.concat(item, ".statement");
            Leaves.Head memory head = lib.head(leaf);
            vm.assertEq(head.height, number(statement, "height"), item);
            vm.assertEq(head.timeMs, number(statement, "timeMs"), item);
            vm.assertEq(head.chainId, number(statement, "chainId"), item);
            if (head.kind != 1) {
                refusedAny(address(lib), abi.encodeCall(lib.attestation, (leaf)), item);
                continue;
            }
            Leaves.Attestation memory attestation = lib.attestation(leaf);
            vm.assertEq(attestation.id, word(statement, "id"), item);
            vm.assertEq(attestation.schema, word(statement, "schema"), item);
            vm.assertEq(attestation.algorithm, number(statement, "algorithm"), item);
            vm.assertEq(abi.encodePacked(attestation.words), data(statement, "digest"));
            attestations++;
        }
        vm.assertGe(count, 9);
        vm.assertGe(attestations, 2);
        for (count = 0; has("refused", count); count++) {
            string memory item = path("refused", count);
            bytes memory leaf = data(item, "leaf");
            // Other kinds are not read here at all.
            refusedAny(address(lib), abi.encodeCall(lib.attestation, (leaf)), item);
            refusedAny(address(lib), abi.encodeCall(lib.message, (leaf)), item);
        }
        vm.assertGe(count, 16);
    }

    /// log.json: inclusion proofs.
    function test_30_InclusionProofsOfTheRustVerifier() public {
        vectors = vm.readFile("../../tests/vectors/log.json");
        MerkleLibrary lib = new MerkleLibrary();
        uint256 count = 0;
        for (; has("inclusion", count); count++) {
            string memory item = path("inclusion", count);
            uint64 index = uint64(number(item, "index"));
            bytes32[] memory nodes =
                vm.parseJsonBytes32Array(vectors, string.concat(item, ".proof"));
            vm.assertEq(
                lib.root(
                    Tree.leaf(abi.encodePacked(index)), index, uint64(number(item, "size")), nodes
                ),
                word(item, "root"),
                item
            );
        }
        vm.assertGe(count, 7);
    }

    // Helpers

    /// The set of certificate.json in the form that its hash covers; validators are in the order
    /// of their seeds there.
    function rustSet() private view returns (bytes memory encoded) {
        uint256 count = 0;
        while (has("validators", count)) count++;
        bool[] memory used = new bool[](count);
        encoded = abi.encodePacked(uint16(count));
        for (uint256 i = 0; i < count; i++) {
            uint256 least = count;
            for (uint256 j = 0; j < count; j++) {
                if (!used[j] && (least == count || signerOf(j) < signerOf(least))) least = j;
            }
            used[least] = true;
            string memory item = path("validators", least);
            encoded = bytes.concat(
                encoded,
                abi.encodePacked(
                    signerOf(least), uint64(number(item, "power")), word(item, "operator")
                )
            );
        }
    }

    function signerOf(uint256 i) private view returns (address) {
        return vm.parseJsonAddress(vectors, string.concat(path("validators", i), ".address"));
    }

    /// Rewrites checkpoint and certificate (SPEC §3.7) as a decision. Not all bytes can be: its
    /// height and digest must be the checkpoint's, its signers members, in order, once each.
    function decisionOf(bytes memory checkpoint, bytes memory certificate, bytes memory set)
        private
        view
        returns (bool, bytes memory)
    {
        if (checkpoint.length != 192 || certificate.length < 46) return (false, "");
        uint256 count = uint16(bytes2(slice(certificate, 44, 2)));
        bytes32 digest = sha256(abi.encodePacked("TBSI-CHECKPOINT-1", genesisHash, checkpoint));
        bool same = bytes8(slice(certificate, 0, 8)) == bytes8(slice(checkpoint, 8, 8))
            && bytes32(slice(certificate, 12, 32)) == digest;
        if (!same || certificate.length != 46 + 85 * count) return (false, "");
        (uint128 signers, uint256 place, bytes memory signed) = (0, 0, "");
        uint256 validators = (set.length - 2) / 60;
        for (uint256 i = 0; i < count; i++) {
            bytes20 signer = bytes20(slice(certificate, 46 + 85 * i, 20));
            while (place < validators && bytes20(slice(set, 2 + 60 * place, 20)) != signer) {
                place++;
            }
            if (place == validators) return (false, "");
            signers |= uint128(1 << place);
            place++;
            signed = bytes.concat(signed, slice(certificate, 66 + 85 * i, 65));
        }
        bytes memory round = slice(certificate, 8, 4);
        return (true, bytes.concat(checkpoint, round, abi.encodePacked(signers), signed));
    }

    /// Deploys a client that trusts this set, under the genesis hash of the vectors.
    function trust(bytes memory set) private {
        bytes32 hash = hashOfSet(set);
        bool rust = vm.keyExistsJson(vectors, ".cases");
        bytes memory encoded = bytes.concat(
            abi.encodePacked(CHAIN, uint64(rust ? 1 : 100), timeOf(100), new bytes(64)),
            abi.encodePacked(uint64(rust ? 0 : 1000), keccak256("log"), hash, hash)
        );
        client = new LightClient(
            LightClient.Trust(CHAIN, genesisHash, encoded, set, TRUST_PERIOD), noPolicy()
        );
    }

    function setNamed(string memory name) private view returns (bytes memory) {
        for (uint256 i = 0;; i++) {
            string memory item = path("sets", i);
            if (keccak256(bytes(text(item, "name"))) == keccak256(bytes(name))) {
                return data(item, "encoded");
            }
        }
        revert("no such set");
    }

    /// Expects the call to be refused with the error that the case names.
    function refused(address target, bytes memory call, string memory item) private {
        (bool done, bytes memory answer) = target.call(call);
        vm.assertFalse(done, item);
        string memory name = text(item, "refused");
        vm.assertEq(bytes32(bytes4(answer)), bytes32(selectorOf(name)), string.concat(item, name));
    }

    function refusedAny(address target, bytes memory call, string memory item) private {
        (bool done,) = target.call(call);
        vm.assertFalse(done, item);
    }

    function selectorOf(string memory name) private pure returns (bytes4) {
        string[17] memory signatures = [
            "ValidatorSetLength(uint256)",
            "ValidatorSetOrder(uint256)",
            "ValidatorSetNoPower(uint256)",
            "ValidatorSetPowerOverflow()",
            "CertificateSigners(uint128,uint256)",
            "CertificateSignaturesLength(uint256,uint256)",
            "CertificateSignature(uint256)",
            "CertificateNoQuorum(uint256,uint256)",
            "LightClientDecisionLength(uint256,uint256)",
            "LightClientValidatorSet(bytes32,bytes32)",
            "LightClientChain(uint64,uint64)",
            "LightClientNotAHandover(uint64,uint64)",
            "LightClientNotAhead(uint64,uint64,uint64)",
            "LeafLength(uint256)",
            "LeafVersion(uint8)",
            "LeafKind(uint8,uint8)",
            "LeafDigestLength(uint32,uint8)"
        ];
        for (uint256 i = 0; i < signatures.length; i++) {
            bytes memory signature = bytes(signatures[i]);
            uint256 length = bytes(name).length;
            bool starts = signature.length > length && signature[length] == "(";
            if (starts && keccak256(slice(signature, 0, length)) == keccak256(bytes(name))) {
                return bytes4(keccak256(signature));
            }
        }
        revert(name);
    }

    function has(string memory list, uint256 index) private view returns (bool) {
        return vm.keyExistsJson(vectors, path(list, index));
    }

    function has(string memory item, string memory list, uint256 index)
        private
        view
        returns (bool)
    {
        return vm.keyExistsJson(
            vectors, string.concat(item, ".", list, "[", vm.toString(index), "]")
        );
    }

    function path(string memory list, uint256 index) private pure returns (string memory) {
        return string.concat(".", list, "[", vm.toString(index), "]");
    }

    function data(string memory item, string memory key) private view returns (bytes memory) {
        return vm.parseJsonBytes(vectors, string.concat(item, ".", key));
    }

    function word(string memory item, string memory key) private view returns (bytes32) {
        return vm.parseJsonBytes32(vectors, string.concat(item, ".", key));
    }

    function text(string memory item, string memory key) private view returns (string memory) {
        return vm.parseJsonString(vectors, string.concat(item, ".", key));
    }

    function number(string memory item, string memory key) private view returns (uint256) {
        return vm.parseJsonUint(vectors, string.concat(item, ".", key));
    }
}
