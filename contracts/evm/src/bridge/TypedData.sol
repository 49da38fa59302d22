// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC5267} from "@openzeppelin/contracts/interfaces/IERC5267.sol";

/// @title What is signed for one light client: EIP-712, in a domain that ERC-5267 tells.
/// @dev OpenZeppelin's `EIP712` needs MCOPY through what it imports, which chains have from Cancun
/// on. Nothing is kept: a chain that changes its id has another domain at once.
abstract contract TypedData is IERC5267 {
    string private constant _NAME = "TBSI Light Client";
    string private constant _VERSION = "1";
    bytes32 private constant _DOMAIN = keccak256(
        "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
    );

    /// @inheritdoc IERC5267
    function eip712Domain()
        external
        view
        returns (
            bytes1 fields,
            string memory name,
            string memory version,
            uint256 chainId,
            address verifyingContract,
            bytes32 salt,
            uint256[] memory extensions
        )
    {
        // All but the salt.
        return (hex"0f", _NAME, _VERSION, block.chainid, address(this), 0, new uint256[](0));
    }

    /// What a key signs of a struct hash.
    function _typed(bytes32 structHash) internal view returns (bytes32) {
        bytes32 domain = keccak256(
            abi.encode(
                _DOMAIN,
                keccak256(bytes(_NAME)),
                keccak256(bytes(_VERSION)),
                block.chainid,
                address(this)
            )
        );
        return keccak256(abi.encodePacked(hex"1901", domain, structHash));
    }
}
