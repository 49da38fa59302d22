// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Notebook
/// @notice Keeps one number. Stock clients deploy it, write to it and read it in the tests.
/// @dev Asks nobody who they are: anyone may write.
contract Notebook {
    /// @notice `writer` has put `number`.
    event Noted(address indexed writer, uint256 number);

    /// @notice The one number that may not be kept.
    error Refused(uint256 code);

    uint256 private _number;

    /// @notice Keeps `number`: any but 13, at most 999999.
    function put(uint256 number) external {
        if (number == 13) revert Refused(number);
        require(number < 1_000_000, "number above 999999");
        _number = number;
        emit Noted(msg.sender, number);
    }

    /// @notice The number put last; 0 before the first.
    function get() external view returns (uint256) {
        return _number;
    }
}
