// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

import {TypedData} from "./TypedData.sol";

/// @title Two bodies of named keys, the council and the holders of cold keys, who sign EIP-712
/// typed data. Fixed for the life of the contract: whoever must change them deploys another one.
/// @dev What is not checked: that keys of different names are of different people.
abstract contract Council is TypedData {
    /// @notice Members of a body, at most.
    uint256 public constant MEMBERS_MAX = 64;

    /// @notice In which body a key is.
    enum Body {
        None,
        Council,
        Cold
    }

    /// @notice Signatures of the council needed; 0 if there is none.
    uint256 public immutable COUNCIL_THRESHOLD;
    /// @notice Signatures of cold keys needed; 0 if there are none.
    uint256 public immutable COLD_THRESHOLD;

    /// @notice In which body this key is; a key is in one at most.
    mapping(address key => Body) public bodyOf;
    /// @notice Number of acts of the council so far; part of what is signed.
    uint256 public councilNonce;

    /// @notice A body has no more than 64 members, a zero address or a key twice, or its threshold
    /// is not above half (council) or two thirds (cold keys) of its members.
    error CouncilBody(Body body, uint256 members, uint256 threshold);
    /// @notice There are not exactly as many signatures of 65 bytes as the threshold says, or the
    /// body does not exist.
    error CouncilSignatures(Body body, uint256 threshold, uint256 length);
    /// @notice The signer is not in the body, or not above the one before.
    error CouncilSigner(Body body, address signer);

    constructor(
        address[] memory council,
        uint256 councilThreshold,
        address[] memory cold,
        uint256 coldThreshold
    ) {
        _found(Body.Council, council, councilThreshold, 1, 2);
        _found(Body.Cold, cold, coldThreshold, 2, 3);
        COUNCIL_THRESHOLD = councilThreshold;
        COLD_THRESHOLD = coldThreshold;
    }

    /// Threshold must be more than numerator / denominator of the members, and at most all.
    function _found(
        Body body,
        address[] memory members,
        uint256 threshold,
        uint256 numerator,
        uint256 denominator
    ) private {
        uint256 count = members.length;
        bool absent = count == 0 && threshold == 0;
        bool fits = threshold * denominator > count * numerator && threshold <= count;
        if (count > MEMBERS_MAX || !(absent || fits)) revert CouncilBody(body, count, threshold);
        for (uint256 i = 0; i < count; i++) {
            if (members[i] == address(0) || bodyOf[members[i]] != Body.None) {
                revert CouncilBody(body, count, threshold);
            }
            bodyOf[members[i]] = body;
        }
    }

    /// Refuses unless exactly the threshold of the body's keys signed the struct hash:
    /// signatures of 65 bytes, r || s || v, in ascending order of their signers.
    function _requireSigned(Body body, bytes32 structHash, bytes calldata signatures)
        internal
        view
    {
        uint256 threshold = body == Body.Cold ? COLD_THRESHOLD : COUNCIL_THRESHOLD;
        if (threshold == 0 || signatures.length != threshold * 65) {
            revert CouncilSignatures(body, threshold, signatures.length);
        }
        bytes32 digest = _typed(structHash);
        address previous = address(0);
        for (uint256 i = 0; i < signatures.length; i += 65) {
            bytes32 r = bytes32(signatures[i:i + 32]);
            bytes32 s = bytes32(signatures[i + 32:i + 64]);
            // Refuses high s, and what leads to no address.
            address signer = ECDSA.recover(digest, uint8(signatures[i + 64]), r, s);
            if (signer <= previous || bodyOf[signer] != body) revert CouncilSigner(body, signer);
            previous = signer;
        }
    }
}
