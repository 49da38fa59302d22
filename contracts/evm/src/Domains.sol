// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Domain separators of EIP-712.
/// @dev OpenZeppelin's `EIP712` keeps its domain in immutables, which a contract placed in the
/// genesis state does not have: here it is computed at each call.
library Domains {
    string internal constant VERSION = "1";
    bytes32 private constant TYPE = keccak256(
        "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
    );

    /// @notice Separator of this chain and the calling contract, under a name.
    function separator(string memory name) internal view returns (bytes32) {
        return keccak256(
            abi.encode(
                TYPE,
                keccak256(bytes(name)),
                keccak256(bytes(VERSION)),
                block.chainid,
                address(this)
            )
        );
    }
}
