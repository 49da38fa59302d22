// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Relayers} from "../../src/bridge/Relayers.sol";
import {ILightClient} from "../../src/bridge/ILightClient.sol";
import {IMessageReceiver} from "../../src/bridge/IMessageReceiver.sol";
import {Inbox} from "../../src/bridge/Inbox.sol";
import {LightClient} from "../../src/bridge/LightClient.sol";
import {Sha256} from "../../src/bridge/Sha256.sol";
import {Log} from "./Log.sol";
import {MerkleLibrary} from "./Proofs.t.sol";
import {Tree} from "./Tree.sol";

/// @notice A set in calldata at each checkpoint, checked by its hash, for comparison with one that
/// is kept as code: what the client does not do.
contract SetInCalldata {
    bytes32 public immutable HASH;

    constructor(bytes32 hash) {
        HASH = hash;
    }

    function check(bytes memory set) external view returns (uint256 power) {
        require(Sha256.hash(bytes.concat("TBSI-VALIDATOR-SET-1", set)) == HASH);
        for (uint256 i = 2; i < set.length; i += 60) {
            uint256 word;
            assembly ("memory-safe") {
                word := mload(add(add(set, 32), i))
            }
            power += uint64(word >> 32);
        }
    }
}

/// @notice A set as code, as the client keeps it.
contract SetInCode {
    address public immutable SET;

    constructor(address set) {
        SET = set;
    }

    function check() external view returns (uint256 power) {
        bytes memory code = SET.code;
        for (uint256 i = 57; i < code.length; i += 28) {
            uint256 word;
            assembly ("memory-safe") {
                word := mload(add(add(code, 32), i))
            }
            power += uint64(word >> 32);
        }
    }
}

contract GasReceiver is IMessageReceiver {
    function onMessage(uint64, address, uint64, bytes calldata) external {}
}

/// @notice Gas of whole transactions, each one of its own, kept in snapshots/LightClient.json.
/// As few signatures as make a quorum; a log of 1,000,000 leaves, so proofs of 20 hashes; no
/// relayer registered.
/// forge-config: default.isolate = true
/// forge-config: long.isolate = true
contract BridgeGasTest is Log {
    uint64 private constant SIZE = 1_000_000;
    MerkleLibrary private lib;

    function setUp() public {
        lib = new MerkleLibrary();
    }

    function deployFrom(bytes memory trusted, Set memory set) internal override {
        client = new LightClient(
            LightClient.Trust(CHAIN, GENESIS, trusted, set.encoded, TRUST_PERIOD), noPolicy()
        );
    }

    function test_FourValidators() public {
        checkpointAndHandover("4", 4);
    }

    function test_SevenValidators() public {
        checkpointAndHandover("7", 7);
    }

    function test_SixteenValidators() public {
        checkpointAndHandover("16", 16);
    }

    function test_ThirtyOneValidators() public {
        checkpointAndHandover("31", 31);
    }

    function checkpointAndHandover(string memory name, uint256 count) private {
        Set memory set = setOf(1, count);
        deploy(set, noPolicy());
        uint128 signers = quorum(count);
        bytes memory decision = decide(checkpointAt(200, set, set), set, signers);
        measure(string.concat("checkpoint, ", name, " validators"), updateCall(decision));
        Set memory next = setOf(2, count);
        bytes memory last = decide(checkpointAt(300, set, next), set, signers);
        bytes memory first = decide(checkpointAt(301, next, next), next, signers);
        measure(
            string.concat("handover, ", name, " validators"),
            abi.encodeCall(ILightClient.handover, (last, next.encoded, first))
        );
        // How a set is read at each checkpoint: as code, or from calldata by its hash.
        address code = address(new SetInCode(vm.computeCreateAddress(address(client), 1)));
        measure(
            string.concat("set as code, ", name, " validators"),
            code,
            abi.encodeWithSignature("check()")
        );
        measure(
            string.concat("set in calldata, ", name, " validators"),
            address(new SetInCalldata(set.hash)),
            abi.encodeCall(SetInCalldata.check, (set.encoded))
        );
    }

    function test_CheckpointByARegisteredRelayer() public {
        LightClient.Policy memory policy = noPolicy();
        policy.relayers = new Relayers.Relayer[](1);
        policy.relayers[0] = Relayers.Relayer(address(this), keccak256("organisation"));
        policy.grace = 600;
        deploy(setOf(1, 4), policy);
        measure(
            "checkpoint, 4 validators, by a registered relayer",
            updateCall(decide(checkpointAt(200, current, current), current, 7))
        );
    }

    function test_OneProof() public {
        deployEmpty(setOf(1, 4));
        bytes memory leaf = attestation(keccak256("file"));
        bytes32[] memory path = nodes(20);
        // All hashes of a path are on the left or on the right; which does not change the gas.
        bytes32 root = lib.root(Tree.leaf(leaf), 524_287, SIZE, path);
        bytes memory checkpoint = accept(root, SIZE, 200);
        bytes memory first = abi.encodeCall(ILightClient.record, (leaf, 524_287, checkpoint, path));
        measure("record one proof, first of 256 neighbours", first);
        measure("record one proof again", first);
        bytes memory other = attestation(keccak256("other"));
        root = lib.root(Tree.leaf(other), 524_286, SIZE, path);
        checkpoint = accept(root, SIZE, 300);
        measure(
            "record one proof, neighbour recorded",
            abi.encodeCall(ILightClient.record, (other, 524_286, checkpoint, path))
        );
        measure(
            "verify one proof in a view, as a transaction would",
            abi.encodeCall(ILightClient.verifyAttestation, (other, 524_286, checkpoint, path))
        );
        // A young log: ten hashes.
        path = nodes(10);
        root = lib.root(Tree.leaf(other), 600, 1000, path);
        deployEmpty(current);
        checkpoint = accept(root, 1000, 200);
        measure(
            "record one proof, 10 hashes, first of 256 neighbours",
            abi.encodeCall(ILightClient.record, (other, 600, checkpoint, path))
        );
    }

    /// A hundred leaves that one transaction made, and a hundred from all over the log.
    function test_AHundredProofs() public {
        deployEmpty(setOf(1, 4));
        manyProofs("multiproof of 100 neighbours", 500_000, 1);
        deployEmpty(current);
        manyProofs("multiproof of 100 from all over the log", 5, 9_999);
    }

    function manyProofs(string memory name, uint64 from, uint64 step) private {
        bytes[] memory leaves = attestations(100);
        uint64[] memory indexes = new uint64[](100);
        for (uint64 i = 0; i < 100; i++) {
            indexes[i] = from + i * step;
        }
        bytes32[] memory proof = nodes(needed(indexes, 0, SIZE));
        bytes32 root = lib.rootOfMany(hashesOf(leaves), indexes, SIZE, proof);
        bytes memory checkpoint = accept(root, SIZE, 200);
        measure(
            string.concat("verify ", name, ", in a view"),
            abi.encodeCall(ILightClient.verifyAttestations, (leaves, indexes, checkpoint, proof))
        );
        measure(
            string.concat("record ", name),
            abi.encodeCall(ILightClient.recordMany, (leaves, indexes, checkpoint, proof))
        );
    }

    function test_OneMessage() public {
        deployEmpty(setOf(1, 4));
        Inbox inbox = new Inbox(client, 0, Inbox(address(0)));
        bytes32 to = bytes32(uint256(uint160(address(new GasReceiver()))));
        bytes memory leaf = bytes.concat(
            headOf(32, SENDER),
            abi.encodePacked(
                inbox.DESTINATION(), to, uint64(7), uint64(NOW + 60), sha256("payload")
            )
        );
        bytes32[] memory path = nodes(20);
        bytes memory checkpoint = accept(lib.root(Tree.leaf(leaf), 524_287, SIZE, path), SIZE, 200);
        measure(
            "deliver one message of 7 bytes",
            address(inbox),
            abi.encodeCall(inbox.deliver, (leaf, "payload", 524_287, checkpoint, path))
        );
    }

    /// Hashes without zero bytes.
    function nodes(uint256 count) private pure returns (bytes32[] memory all) {
        all = new bytes32[](count);
        for (uint256 i = 0; i < count; i++) {
            all[i] = keccak256(abi.encode("node", i)) | bytes32(type(uint256).max / 255);
        }
    }

    /// How many hashes a multiproof of these indexes has.
    function needed(uint64[] memory indexes, uint256 start, uint256 end)
        private
        pure
        returns (uint256)
    {
        bool any = false;
        for (uint256 i = 0; i < indexes.length; i++) {
            any = any || (indexes[i] >= start && indexes[i] < end);
        }
        if (!any) return 1;
        if (end - start == 1) return 0;
        uint256 middle = start + Tree.split(end - start);
        return needed(indexes, start, middle) + needed(indexes, middle, end);
    }

    function measure(string memory name, bytes memory data) private {
        measure(name, address(client), data);
    }

    /// Sends the call as a transaction of its own and records what it costs.
    function measure(string memory name, address to, bytes memory data) private {
        (bool done,) = to.call(data);
        vm.assertTrue(done, name);
        uint256 gas = vm.lastCallGas().gasTotalUsed;
        // EIP-7825.
        vm.assertLe(gas, 16_777_216, name);
        vm.snapshotValue("LightClient", name, gas);
    }
}
