// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Chains: other chains that organisations run, so that a bridge's other end has a named
/// operator too.
/// @notice Numbered from 1. Whether an organisation really runs the chain is not checked.
interface IChains {
    /// @notice `Retired` ones are kept for reading; their id may be registered again.
    enum Status {
        None,
        Active,
        Retired
    }

    /// @param caip2 Chain id of CAIP-2: namespace, ':', reference.
    /// @param technology What it runs, such as "fabric-2.5"; printable ASCII.
    /// @param contactUrl An https URL, or empty.
    struct Chain {
        string caip2;
        string technology;
        string contactUrl;
        uint32 operator;
        uint8 status;
        uint64 registeredHeight;
    }

    event ChainRegistered(
        uint32 indexed chain, uint32 indexed operator, string caip2, string technology
    );
    event ChainUpdated(uint32 indexed chain, string technology, string contactUrl);
    event ChainSet(uint32 indexed chain, uint32 indexed operator, uint8 status);

    /// @notice Remedy: a number from 1 to `chainCount`.
    error ChainsUnknown(uint32 chain);
    /// @notice Remedy: 3 to 8 of [-a-z0-9], ':', 1 to 32 of [-_a-zA-Z0-9].
    error ChainsIdInvalid(string caip2);
    /// @notice A record that is not retired has this id. Remedy: a motion, if it is wrong.
    error ChainsIdTaken(string caip2, uint32 chain);
    /// @notice Only the operator's own administrators, or a motion.
    error ChainsNotOperator(uint32 operator, uint32 got);
    /// @notice Remedy: a `Status` from 1 to `max`.
    error ChainsStatusOutOfRange(uint8 max, uint8 got);
    /// @notice The operator must be an active organisation.
    error ChainsOperatorNotActive(uint32 operator);
    /// @notice Remedy: retire a record first.
    error ChainsTooMany(uint256 max);

    /// @notice By an administrator: a chain that its organisation runs.
    function register(string calldata caip2, string calldata technology, string calldata contactUrl)
        external
        returns (uint32);

    /// @notice By an administrator of the operator: what may change of a record.
    function update(uint32 chain, string calldata technology, string calldata contactUrl) external;

    /// @notice By an administrator of the operator: retires a record, or takes it up again.
    function setStatus(uint32 chain, uint8 status) external;

    /// @notice By motion: another operator or status.
    function setChain(uint32 chain, uint32 operator, uint8 status) external;

    function chainCount() external view returns (uint32);
    function chainOf(uint32 chain) external view returns (Chain memory);

    /// @notice Chains by number, `count` (at most 100) from `from` (the first is 1).
    function chains(uint256 from, uint256 count) external view returns (Chain[] memory);

    /// @notice Number of the record with this id that is not retired; 0 if there is none.
    function chainByCaip2(string calldata caip2) external view returns (uint32);
}
