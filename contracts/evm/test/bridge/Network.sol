// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ILightClient} from "../../src/bridge/ILightClient.sol";
import {LightClient} from "../../src/bridge/LightClient.sol";
import {Relayers} from "../../src/bridge/Relayers.sol";
import {Vm} from "../Vm.sol";

/// @notice A TBSI chain as far as its light client sees it: validator sets, checkpoints,
/// certificates. Digests and trees are computed here again, in the plainest way.
abstract contract Network {
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    uint64 internal constant CHAIN = 8862026;
    bytes32 internal constant GENESIS = keccak256("genesis");
    uint256 internal constant NOW = 1_700_000_000;
    uint256 internal constant TRUST_PERIOD = 14 days;
    uint128 internal constant ALL = type(uint128).max;

    struct Set {
        uint256[] keys;
        uint64[] powers;
        bytes encoded;
        bytes32 hash;
        address[] signers;
        uint256 total;
    }

    struct Checkpoint {
        uint64 chainId;
        uint64 height;
        uint64 timeMs;
        bytes32 blockHash;
        bytes32 stateRoot;
        uint64 logSize;
        bytes32 logRoot;
        bytes32 set;
        bytes32 next;
    }

    LightClient internal client;
    Set internal current;

    // Sets

    /// `count` validators of power 1, whose keys follow from the seed.
    function setOf(uint256 seed, uint256 count) internal pure returns (Set memory) {
        uint64[] memory powers = new uint64[](count);
        for (uint256 i = 0; i < count; i++) {
            powers[i] = 1;
        }
        return setOf(seed, powers);
    }

    /// Validators with these powers, in the set's order.
    function setOf(uint256 seed, uint64[] memory powers) internal pure returns (Set memory set) {
        set.powers = powers;
        set.keys = new uint256[](powers.length);
        set.signers = new address[](powers.length);
        for (uint256 i = 0; i < powers.length; i++) {
            uint256 key = uint256(keccak256(abi.encode("validator", seed, i))) >> 8;
            address signer = vm.addr(key);
            uint256 place = i;
            for (; place > 0 && set.signers[place - 1] > signer; place--) {
                set.keys[place] = set.keys[place - 1];
                set.signers[place] = set.signers[place - 1];
            }
            (set.keys[place], set.signers[place]) = (key, signer);
        }
        encodeSet(set);
    }

    /// Fills in what follows from signers and powers.
    function encodeSet(Set memory set) internal pure {
        set.total = 0;
        set.encoded = abi.encodePacked(uint16(set.powers.length));
        for (uint256 i = 0; i < set.powers.length; i++) {
            set.total += set.powers[i];
            set.encoded = bytes.concat(set.encoded, validator(set.signers[i], set.powers[i]));
        }
        set.hash = hashOfSet(set.encoded);
    }

    function validator(address signer, uint64 power) internal pure returns (bytes memory) {
        return abi.encodePacked(signer, power, keccak256(abi.encode("operator", signer)));
    }

    function hashOfSet(bytes memory encoded) internal pure returns (bytes32) {
        return sha256(abi.encodePacked("TBSI-VALIDATOR-SET-1", encoded));
    }

    // Checkpoints and decisions

    function checkpointAt(uint64 height, Set memory set, Set memory next)
        internal
        pure
        returns (Checkpoint memory)
    {
        return Checkpoint({
            chainId: CHAIN,
            height: height,
            timeMs: timeOf(height),
            blockHash: keccak256(abi.encode("block", height)),
            stateRoot: keccak256(abi.encode("state", height)),
            logSize: height * 10,
            logRoot: keccak256(abi.encode("log", height)),
            set: set.hash,
            next: next.hash
        });
    }

    /// A block a second, until NOW at height 1,000.
    function timeOf(uint64 height) internal pure returns (uint64) {
        return uint64(NOW * 1000) + height * 1000 - 1_000_000;
    }

    function encode(Checkpoint memory c) internal pure returns (bytes memory) {
        return bytes.concat(
            abi.encodePacked(c.chainId, c.height, c.timeMs, c.blockHash, c.stateRoot, c.logSize),
            abi.encodePacked(c.logRoot, c.set, c.next)
        );
    }

    function digestOf(bytes memory checkpoint) internal pure returns (bytes32) {
        return sha256(abi.encodePacked("TBSI-CHECKPOINT-1", GENESIS, checkpoint));
    }

    /// What a precommit signs.
    function signedOf(bytes memory checkpoint, uint32 round) internal pure returns (bytes32) {
        uint64 height = uint64(bytes8(slice(checkpoint, 8, 8)));
        return sha256(
            abi.encodePacked(
                "TBSI-VOTE-1",
                CHAIN,
                GENESIS,
                uint8(2),
                height,
                round,
                uint8(1),
                digestOf(checkpoint)
            )
        );
    }

    /// The decision that these positions of the set sign.
    function decide(Checkpoint memory checkpoint, Set memory set, uint128 signers)
        internal
        pure
        returns (bytes memory)
    {
        return decide(encode(checkpoint), 0, set, signers);
    }

    function decide(bytes memory checkpoint, uint32 round, Set memory set, uint128 signers)
        internal
        pure
        returns (bytes memory)
    {
        uint128 mask = signers & lowest(set.keys.length);
        return bytes.concat(
            checkpoint,
            abi.encodePacked(round, mask),
            signatures(signedOf(checkpoint, round), set, mask)
        );
    }

    function signatures(bytes32 digest, Set memory set, uint128 signers)
        internal
        pure
        returns (bytes memory all)
    {
        for (uint256 i = 0; i < set.keys.length; i++) {
            if ((signers >> i) & 1 == 1) all = bytes.concat(all, sign(set.keys[i], digest));
        }
    }

    function sign(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    /// The lowest `count` bits.
    function lowest(uint256 count) internal pure returns (uint128) {
        return uint128((1 << count) - 1);
    }

    /// As few signers as make a quorum of equal powers.
    function quorum(uint256 count) internal pure returns (uint128) {
        return lowest(2 * count / 3 + 1);
    }

    // The client

    function noPolicy() internal pure returns (LightClient.Policy memory policy) {
        policy.recoveryDelay = 7 days;
    }

    function trustIn(Set memory set) internal pure returns (LightClient.Trust memory) {
        return LightClient.Trust({
            chainId: CHAIN,
            genesisHash: GENESIS,
            checkpoint: encode(checkpointAt(100, set, set)),
            validatorSet: set.encoded,
            trustPeriod: TRUST_PERIOD
        });
    }

    /// Deploys a client that trusts the checkpoint of height 100 and this set.
    function deploy(Set memory set, LightClient.Policy memory policy) internal {
        vm.warp(NOW);
        client = new LightClient(trustIn(set), policy);
        current = set;
    }

    /// Expects the call to be refused, with exactly this reason.
    function refuses(bytes memory data, bytes memory reason) internal {
        (bool done, bytes memory answer) = address(client).call(data);
        vm.assertFalse(done, "not refused");
        vm.assertEq(answer, reason);
    }

    /// Expects the call to be refused because of the first four bytes of this reason.
    function refusesAs(bytes memory data, bytes4 reason) internal {
        (bool done, bytes memory answer) = address(client).call(data);
        vm.assertFalse(done, "not refused");
        vm.assertEq(bytes32(slice(answer, 0, 4)), bytes32(reason));
    }

    function updateCall(bytes memory decision) internal pure returns (bytes memory) {
        return abi.encodeCall(ILightClient.update, (decision));
    }

    // Bytes

    function slice(bytes memory data, uint256 start, uint256 length)
        internal
        pure
        returns (bytes memory part)
    {
        part = new bytes(length);
        // Sources of other chains are compiled for London, and with them this: no MCOPY.
        for (uint256 i = 0; i < length; i++) {
            part[i] = data[start + i];
        }
    }

    /// EIP-7623: a zero byte is one token, another byte four.
    function tokens(bytes memory data) internal pure returns (uint256 sum) {
        for (uint256 i = 0; i < data.length; i++) {
            sum += data[i] == 0 ? 1 : 4;
        }
    }

    function clamp(uint256 value, uint256 low, uint256 high) internal pure returns (uint256) {
        return low + value % (high - low + 1);
    }
}
