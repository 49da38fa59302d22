// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAttestations} from "./IAttestations.sol";

/// @title The table of digest algorithms, by multihash code.
/// @dev Built-in entries are code, not storage: the contract is placed in the genesis state and
/// no constructor runs. They are active until the governor says otherwise.
library Algorithms {
    uint32 internal constant SHA2_256 = 0x12;
    uint32 internal constant SHA2_512 = 0x13;
    uint32 internal constant SHA3_512 = 0x14;
    uint32 internal constant SHA3_384 = 0x15;
    uint32 internal constant SHA3_256 = 0x16;
    uint32 internal constant KECCAK_256 = 0x1b;
    uint32 internal constant KECCAK_384 = 0x1c;
    uint32 internal constant KECCAK_512 = 0x1d;
    uint32 internal constant BLAKE3 = 0x1e;
    uint32 internal constant SHA2_384 = 0x20;
    uint32 internal constant SHA2_512_256 = 0x1015;
    uint32 internal constant SM3_256 = 0x534d;
    uint32 internal constant BLAKE2B_256 = 0xb220;
    uint32 internal constant BLAKE2B_512 = 0xb240;
    uint32 internal constant BLAKE2S_256 = 0xb260;
    /// How many built-in entries there are.
    uint256 internal constant BUILT_IN = 15;
    /// How many entries the table may hold.
    uint256 internal constant ENTRIES_MAX = 64;
    /// Shortest digest, in bits: less gives too little collision resistance.
    uint16 internal constant BITS_MIN = 224;
    /// Longest digest, in bits: two words.
    uint16 internal constant BITS_MAX = 512;

    /// An entry that the governor added, or one that hides a built-in one.
    struct Entry {
        uint16 bits;
        IAttestations.Status status;
        uint64 reliedUntil;
    }

    /// What differs from the built-in table.
    struct Table {
        mapping(uint32 algorithm => Entry) entries;
        uint32[] added;
    }

    /// @notice Adds an entry or changes the status of one. Who may is the caller's concern.
    function set(
        Table storage table,
        uint32 algorithm,
        uint16 bits,
        uint8 status,
        uint64 reliedUntil
    ) internal {
        if (algorithm == 0) {
            revert IAttestations.AttestationsAlgorithmReserved(algorithm);
        }
        if (bits < BITS_MIN || bits > BITS_MAX || bits % 8 != 0) {
            revert IAttestations.AttestationsBitsOutOfRange(BITS_MIN, BITS_MAX, bits);
        }
        uint8 statusMax = uint8(type(IAttestations.Status).max);
        if (status == 0 || status > statusMax) {
            revert IAttestations.AttestationsStatusOutOfRange(statusMax, status);
        }
        (uint16 known,) = get(table, algorithm);
        if (known == 0) {
            if ((bits > 256) != takesTwoWords(algorithm)) {
                revert IAttestations.AttestationsWordsFixed(algorithm, bits);
            }
            if (BUILT_IN + table.added.length == ENTRIES_MAX) {
                revert IAttestations.AttestationsTooManyAlgorithms(ENTRIES_MAX);
            }
            table.added.push(algorithm);
        } else if (known != bits) {
            revert IAttestations.AttestationsBitsFixed(algorithm, known, bits);
        }
        uint64 before = table.entries[algorithm].reliedUntil;
        table.entries[algorithm] = Entry(bits, IAttestations.Status(status), reliedUntil);
        emit IAttestations.AlgorithmSet(algorithm, bits, status);
        if (reliedUntil != before) emit IAttestations.AlgorithmDated(algorithm, reliedUntil);
    }

    /// @notice Length in bits and status; (0, Unknown) for a code that is not in the table.
    function get(Table storage table, uint32 algorithm)
        internal
        view
        returns (uint16 bits, IAttestations.Status status)
    {
        Entry storage entry = table.entries[algorithm];
        (bits, status) = (entry.bits, entry.status);
        if (bits == 0) {
            bits = builtInBits(algorithm);
            if (bits != 0) status = IAttestations.Status.Active;
        }
    }

    /// @notice All codes: the built-in ones, then the others in the order of their addition.
    function codes(Table storage table) internal view returns (uint32[] memory all) {
        uint32[15] memory first = builtIn();
        uint256 added = table.added.length;
        all = new uint32[](BUILT_IN + added);
        for (uint256 i = 0; i < BUILT_IN; i++) {
            all[i] = first[i];
        }
        for (uint256 i = 0; i < added; i++) {
            all[BUILT_IN + i] = table.added[i];
        }
    }

    /// @notice Length in bits of a built-in algorithm's digest; 0 for any other code. BLAKE3 is
    /// taken at its default length.
    function builtInBits(uint32 algorithm) internal pure returns (uint16) {
        if (
            algorithm == SHA2_256 || algorithm == SHA3_256 || algorithm == KECCAK_256
                || algorithm == BLAKE3 || algorithm == SHA2_512_256 || algorithm == SM3_256
                || algorithm == BLAKE2B_256 || algorithm == BLAKE2S_256
        ) {
            return 256;
        }
        if (algorithm == SHA2_384 || algorithm == SHA3_384 || algorithm == KECCAK_384) {
            return 384;
        }
        if (
            algorithm == SHA2_512 || algorithm == SHA3_512 || algorithm == KECCAK_512
                || algorithm == BLAKE2B_512
        ) {
            return 512;
        }
        return 0;
    }

    /// @notice Whether a digest of this code takes two words. A fixed rule: whoever reads an
    /// event has nothing but the code, and must cut the words into digests.
    function takesTwoWords(uint32 algorithm) internal pure returns (bool) {
        return (algorithm >= SHA2_512 && algorithm <= SHA3_384) || algorithm == KECCAK_384
            || algorithm == KECCAK_512 || algorithm == SHA2_384
            || (algorithm > BLAKE2B_256 && algorithm <= BLAKE2B_512);
    }

    /// @notice The built-in codes, ascending.
    function builtIn() internal pure returns (uint32[15] memory) {
        return [
            SHA2_256,
            SHA2_512,
            SHA3_512,
            SHA3_384,
            SHA3_256,
            KECCAK_256,
            KECCAK_384,
            KECCAK_512,
            BLAKE3,
            SHA2_384,
            SHA2_512_256,
            SM3_256,
            BLAKE2B_256,
            BLAKE2B_512,
            BLAKE2S_256
        ];
    }
}
