// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {SetStore} from "./SetStore.sol";

/// @title Commit certificates (SPEC §3.7) in the form of SPEC §14.2.
library Certificates {
    using SetStore for SetStore.Set;

    /// @notice Bytes of a signature: r, s, v.
    uint256 internal constant SIGNATURE = 65;
    /// Half the order of secp256k1, rounded down: the highest `s` that is valid.
    uint256 private constant _S_MAX =
        0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0;

    /// @notice A bit is set for a position that the set does not have.
    error CertificateSigners(uint128 signers, uint256 validators);
    /// @notice There are not exactly 65 bytes for each bit that is set.
    error CertificateSignaturesLength(uint256 expected, uint256 given);
    /// @notice The signature at this position of the set is not that validator's valid precommit
    /// signature for this checkpoint, with low s and v 27 or 28.
    error CertificateSignature(uint256 position);
    /// @notice The signers' power is not more than two thirds of the set's.
    error CertificateNoQuorum(uint256 power, uint256 total);

    /// @notice The one rule of quorum (SPEC §3.3). Both are below 2^72, so nothing overflows.
    function isQuorum(uint256 power, uint256 total) internal pure returns (bool) {
        return 3 * power > 2 * total;
    }

    /// @notice Returns the signers' power, or refuses. A bit of `signers` stands for the position
    /// in the set's order, lowest bit first; signatures are in that order.
    /// @dev Assembly, because the plain loop (the tests have it) costs 700 gas more a signature.
    function verify(
        SetStore.Set memory set,
        bytes32 digest,
        uint128 signers,
        bytes calldata signatures
    ) internal view returns (uint256 power) {
        uint256 validators = set.count();
        if (uint256(signers) >> validators != 0) revert CertificateSigners(signers, validators);
        _requireLength(signers, signatures.length);
        uint256 entry = set.start();
        uint256 failed = 0;
        // The conversion clears what is above 128 bits, which assembly would see.
        uint256 bits = signers;
        assembly ("memory-safe") {
            let input := mload(0x40)
            mstore(input, digest)
            let signature := signatures.offset
            for {} bits {
                bits := shr(1, bits)
                entry := add(entry, 28)
            } {
                if iszero(and(bits, 1)) { continue }
                let s := calldataload(add(signature, 32))
                // ecrecover answers nothing, here or where it is absent, if r, s or v (which must
                // be 27 or 28) are no signature's; the zero address is in no set.
                mstore(add(input, 32), byte(0, calldataload(add(signature, 64))))
                mstore(add(input, 64), calldataload(signature))
                mstore(add(input, 96), s)
                mstore(0, 0)
                pop(staticcall(gas(), 1, input, 128, 0, 32))
                let validator := mload(entry)
                if or(gt(s, _S_MAX), iszero(eq(mload(0), shr(96, validator)))) {
                    failed := bits
                    break
                }
                power := add(power, and(shr(32, validator), 0xffffffffffffffff))
                signature := add(signature, 65)
            }
        }
        if (failed != 0) revert CertificateSignature(Math.log2(signers) - Math.log2(failed));
        if (!isQuorum(power, set.power)) revert CertificateNoQuorum(power, set.power);
    }

    /// Refuses other than 65 bytes for each bit, so that the loop reads no further.
    function _requireLength(uint128 signers, uint256 given) private pure {
        uint256 expected = 0;
        for (uint256 bits = signers; bits != 0; bits &= bits - 1) {
            expected += SIGNATURE;
        }
        if (given != expected) revert CertificateSignaturesLength(expected, given);
    }
}
