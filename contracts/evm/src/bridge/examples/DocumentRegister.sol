// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ILightClient} from "../ILightClient.sol";
import {Leaves} from "../Leaves.sol";

/// @title Example: accepts files that one issuer has attested on a TBSI chain.
contract DocumentRegister {
    ILightClient public immutable CLIENT;
    address public immutable ISSUER;
    mapping(bytes32 sha256OfFile => uint256 timeMs) public attestedAt;

    error NotAttested(address issuer, bytes32 schema, uint32 algorithm);

    constructor(ILightClient client, address issuer) {
        (CLIENT, ISSUER) = (client, issuer);
    }

    /// @notice Takes the leaf and its proof as `tbsi_getProof` gives them. It does not look for a
    /// revocation that came later.
    function register(
        bytes calldata leaf,
        uint64 index,
        bytes calldata checkpoint,
        bytes32[] calldata path
    ) external {
        Leaves.Attestation memory a = CLIENT.verifyAttestation(leaf, index, checkpoint, path);
        if (a.issuer != ISSUER || a.schema != keccak256("tbsi:file:v1") || a.algorithm != 0x12) {
            revert NotAttested(a.issuer, a.schema, a.algorithm);
        }
        attestedAt[a.words[0]] = a.timeMs;
    }
}
