// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";

import {Domains} from "./Domains.sol";

/// @title What an account signs to belong to an organisation (EIP-712).
library Consents {
    string internal constant NAME = "TBSI Permissions";
    bytes32 private constant TYPE = keccak256(
        "Consent(uint32 organisation,address account,uint32 permissions,uint256 nonce,"
        "uint64 deadline)"
    );

    /// @notice The digest that is signed.
    function digest(
        uint32 organisation,
        address account,
        uint32 permissions,
        uint256 nonce,
        uint64 deadline
    ) internal view returns (bytes32) {
        bytes32 structHash = keccak256(
            abi.encode(TYPE, organisation, account, permissions, nonce, deadline)
        );
        return MessageHashUtils.toTypedDataHash(Domains.separator(NAME), structHash);
    }
}
