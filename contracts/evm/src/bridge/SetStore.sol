// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Sha256} from "./Sha256.sol";
import {Words} from "./Words.sol";

/// @title Validator sets: read from the bytes that their hash covers (SPEC §3.2), kept as code.
/// @dev A set is written once, as the code of an account that begins with STOP, and read at each
/// checkpoint for 2,600 gas and 3 gas a word. Operators' ids are checked with the hash and not
/// kept.
library SetStore {
    /// @notice Validators in a set, at most.
    uint256 internal constant VALIDATORS_MAX = 128;
    /// Bytes of a validator in the hashed form: address 20, power 8, operator 32.
    uint256 private constant _HASHED = 60;
    /// Bytes of a validator as kept: address 20, power 8.
    uint256 private constant _KEPT = 28;
    /// Bytes before the validators: STOP, hash 32, height 8, time 8, total power 8.
    uint256 private constant _HEAD = 57;

    /// @notice The bytes are not count u16 and that many times 60 bytes, or the count is 0 or
    /// above the maximum.
    error ValidatorSetLength(uint256 length);
    /// @notice The address at this position is zero, or not above the one before.
    error ValidatorSetOrder(uint256 position);
    /// @notice The validator at this position has no power.
    error ValidatorSetNoPower(uint256 position);
    /// @notice The powers' sum is above 2^64 - 1.
    error ValidatorSetPowerOverflow();
    /// @notice The account that was to hold the set could not be created.
    error ValidatorSetNotStored();

    /// @notice A set as it is kept. `sinceHeight` and `sinceMs` are of its first checkpoint here.
    struct Set {
        bytes32 hash;
        uint64 sinceHeight;
        uint64 sinceMs;
        uint64 power;
        bytes code;
    }

    /// @notice Checks a set in its hashed form, `count u16 || {address || power u64 || operator}`,
    /// and writes it as code. What is not checked: that anybody holds the keys (the first
    /// certificate of the set shows that) and how power is spread (the chain's governance does).
    function store(bytes memory set, bytes32 hash, uint64 sinceHeight, uint64 sinceMs)
        internal
        returns (address pointer)
    {
        (bytes memory validators, uint64 power) = _read(set);
        uint256 length = _HEAD + validators.length;
        // Copies what follows these ten bytes into the new account's code.
        bytes2 size = bytes2(uint16(length));
        bytes memory creation = bytes.concat(
            abi.encodePacked(hex"61", size, hex"80600a3d393df3"),
            abi.encodePacked(hex"00", hash, sinceHeight, sinceMs, power),
            validators
        );
        assembly ("memory-safe") {
            pointer := create(0, add(creation, 32), mload(creation))
        }
        if (pointer == address(0)) revert ValidatorSetNotStored();
    }

    /// @notice The hash of SPEC §3.2 over the bytes after the tag.
    function hashOf(bytes memory set) internal view returns (bytes32) {
        return Sha256.hash(bytes.concat("TBSI-VALIDATOR-SET-1", set));
    }

    /// @notice A set that `store` wrote.
    function load(address pointer) internal view returns (Set memory set) {
        bytes memory code = pointer.code;
        set.code = code;
        set.hash = bytes32(Words.load(code, 1));
        set.sinceHeight = Words.u64(code, 33);
        set.sinceMs = Words.u64(code, 41);
        set.power = Words.u64(code, 49);
    }

    /// @notice Number of validators.
    function count(Set memory set) internal pure returns (uint256) {
        return (set.code.length - _HEAD) / _KEPT;
    }

    /// @notice Where in memory the validators begin: 28 bytes each, address and power.
    function start(Set memory set) internal pure returns (uint256 pointer) {
        bytes memory code = set.code;
        assembly ("memory-safe") {
            pointer := add(add(code, 32), _HEAD)
        }
    }

    /// @notice The validator at a position below `count`.
    function member(Set memory set, uint256 position)
        internal
        pure
        returns (address validator, uint64 power)
    {
        uint256 word = Words.load(set.code, _HEAD + position * _KEPT);
        // Truncation is meant: address and power are the word's first 28 bytes.
        return (address(uint160(word >> 96)), uint64(word >> 32));
    }

    /// Validators as kept, and their whole power.
    function _read(bytes memory set) private pure returns (bytes memory validators, uint64 power) {
        uint256 number = set.length < 2 ? 0 : Words.load(set, 0) >> 240;
        if (number == 0 || number > VALIDATORS_MAX || set.length != 2 + number * _HASHED) {
            revert ValidatorSetLength(set.length);
        }
        validators = new bytes(number * _KEPT);
        uint256 sum = 0;
        uint160 previous = 0;
        for (uint256 i = 0; i < number; i++) {
            bytes28 kept = bytes28(bytes32(Words.load(set, 2 + i * _HASHED)));
            uint160 validator = uint160(bytes20(kept));
            // The first comparison also refuses the zero address.
            if (validator <= previous) revert ValidatorSetOrder(i);
            previous = validator;
            uint64 weight = uint64(uint224(kept));
            if (weight == 0) revert ValidatorSetNoPower(i);
            sum += weight;
            assembly ("memory-safe") {
                // Writes four bytes too many; the next validator overwrites them, and behind the
                // last one is nothing yet.
                mstore(add(add(validators, 32), mul(i, _KEPT)), kept)
            }
        }
        if (sum > type(uint64).max) revert ValidatorSetPowerOverflow();
        power = uint64(sum);
    }
}
