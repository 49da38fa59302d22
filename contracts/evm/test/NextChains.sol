// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Chains} from "../src/Chains.sol";

/// @notice `Chains` with a function and a variable more: what an upgrade may put in its place.
contract NextChains is Chains {
    uint256 public visits;

    function release() external pure returns (uint256) {
        return 2;
    }

    function visit() external {
        visits++;
    }
}

/// @notice Code that would take `Chains`' storage for something else.
contract UnfitChains {
    uint32 public chainCount;
    mapping(uint32 chain => uint256) private _chains;

    function release() external pure returns (uint256) {
        return 3;
    }

    function recordOf(uint32 chain) external view returns (uint256) {
        return _chains[chain];
    }
}
