// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IFacts} from "../src/IFacts.sol";
import {World} from "./World.sol";

/// @notice Stands in for the node's precompile that verifies headers: a header is the answer
/// itself, once kind and trusted validators have their lengths.
contract HeaderMock {
    fallback(bytes calldata input) external returns (bytes memory) {
        uint256 trusted = uint16(bytes2(input[1:3]));
        assert(uint8(input[0]) != 0 && trusted % 20 == 0);
        return input[3 + trusted:];
    }
}

/// @notice Stands in for the one that shows words: a proof is the answer itself, bound to state
/// root, account and slot.
contract StorageMock {
    fallback(bytes calldata input) external returns (bytes memory) {
        bytes32 bound = keccak256(input[:84]);
        if (input.length == 84 + 96 && bytes32(input[148:]) == bound) return input[84:148];
        return abi.encode(4, 0);
    }
}

/// @notice Stands in for the one that shows ancestors: an ancestry is the hash of header, height
/// and hash.
contract AncestorMock {
    fallback(bytes calldata input) external returns (bytes memory) {
        uint256 end = 2 + uint16(bytes2(input[:2])) + 40;
        bytes32 bound = keccak256(input[2:end]);
        if (input.length == end + 32 && bytes32(input[end:]) == bound) return abi.encode(0, 0);
        return abi.encode(8, uint64(bytes8(input[end - 40:end - 32])));
    }
}

/// @notice A chain whose organisation 2 runs `eip155:1981`, with a client for it.
abstract contract Foreign is World {
    address internal constant HEADER = 0x0000000000000000000000000000000000001101;
    address internal constant STORAGE = 0x0000000000000000000000000000000000001102;
    address internal constant ANCESTOR = 0x0000000000000000000000000000000000001103;
    uint32 internal constant TRUST = 7 days;
    uint8 internal constant QBFT = 1;
    address internal constant ACCOUNT = address(0xAC);
    bytes32 internal constant SLOT = bytes32(uint256(3));
    bytes32 internal constant VALUE = bytes32(uint256(42));

    function setUp() public virtual {
        found(5);
        vm.etch(HEADER, type(HeaderMock).runtimeCode);
        vm.etch(STORAGE, type(StorageMock).runtimeCode);
        vm.etch(ANCESTOR, type(AncestorMock).runtimeCode);
        vm.prank(admin(2));
        chains.register("eip155:1981", "besu-26", "");
        takes(admin(2), opening(1, TRUST, header(10, NOW - 100, "ten")));
    }

    /// Four validators; who they are follows from the name.
    function validators(string memory name) internal pure returns (bytes memory) {
        bytes20 one = bytes20(keccak256(bytes(name)));
        return abi.encodePacked(one, one, one, one);
    }

    /// A header that the precompile takes, with the validators "set".
    function header(uint64 height, uint256 time, string memory name)
        internal
        pure
        returns (bytes memory)
    {
        return header(height, time, name, "set", 4);
    }

    function header(
        uint64 height,
        uint256 time,
        string memory name,
        string memory set,
        uint256 count
    ) internal pure returns (bytes memory) {
        bytes32 next = keccak256(validators(set));
        return abi.encode(0, height, time, hashOf(name), rootOf(name), next, count, count);
    }

    function hashOf(string memory name) internal pure returns (bytes32) {
        return keccak256(abi.encode("hash", name));
    }

    function rootOf(string memory name) internal pure returns (bytes32) {
        return keccak256(abi.encode("root", name));
    }

    /// A proof that the precompile takes.
    function proof(string memory name, address account, bytes32 slot, bytes32 value)
        internal
        pure
        returns (bytes memory)
    {
        bytes32 bound = keccak256(abi.encodePacked(rootOf(name), account, slot));
        return abi.encode(0, value, bound);
    }

    /// An ancestry that the precompile takes.
    function ancestry(bytes memory encoded, uint64 height, bytes32 blockHash)
        internal
        pure
        returns (bytes memory)
    {
        return abi.encode(keccak256(abi.encodePacked(encoded, height, blockHash)));
    }

    /// The client's chain begins with "genesis", and the block before its first header is "nine".
    function origin() internal pure returns (IFacts.Origin memory) {
        return IFacts.Origin(hashOf("genesis"), 9, hashOf("nine"));
    }

    /// The block that tests have accepted at this height.
    function nameAt(uint64 height) internal pure returns (string memory) {
        return height == 20 ? "twenty" : "ten";
    }

    function step(uint64 base, string memory set, bytes memory encoded)
        internal
        pure
        returns (IFacts.Step memory)
    {
        bytes memory shown = ancestry(encoded, base, hashOf(nameAt(base)));
        return IFacts.Step(base, validators(set), encoded, shown);
    }

    // Calls

    function opening(uint32 chain, uint32 trustPeriod, bytes memory encoded)
        internal
        pure
        returns (bytes memory)
    {
        bytes memory shown = ancestry(encoded, 9, hashOf("nine"));
        return abi.encodeCall(IFacts.open, (chain, QBFT, trustPeriod, origin(), encoded, shown));
    }

    function updating(uint64 base, string memory set, bytes memory encoded)
        internal
        pure
        returns (bytes memory)
    {
        return abi.encodeCall(IFacts.update, (1, step(base, set, encoded)));
    }

    function freezing(uint64 base, bytes memory encoded) internal pure returns (bytes memory) {
        IFacts.Step memory it = step(base, "set", encoded);
        it.ancestry = ancestry(encoded, 9, hashOf("nine"));
        return abi.encodeCall(IFacts.freeze, (1, it, 9));
    }

    function importing(uint64 height, string memory name) internal pure returns (bytes memory) {
        bytes memory shown = proof(name, ACCOUNT, SLOT, VALUE);
        return abi.encodeCall(IFacts.importFact, (1, height, ACCOUNT, SLOT, VALUE, shown));
    }

    function takes(address sender, bytes memory data) internal {
        (bool done, bytes memory got) = answer(sender, address(facts), data);
        vm.assertTrue(done, string(got));
    }

    function refused(address sender, bytes memory data, bytes memory reason) internal {
        refuses(sender, address(facts), data, reason);
    }
}
