// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Council} from "./Council.sol";

/// @title Relayers: accounts of named organisations may bring a checkpoint first, anybody after
/// a while, so that no relayer can hold checkpoints back.
/// @dev What is not checked: that an account is the organisation's. The council says so.
abstract contract Relayers is Council {
    /// @notice Longest time for which checkpoints are kept for registered relayers, in seconds.
    uint256 public constant GRACE_MAX = 7 days;

    /// @notice An account and the organisation that answers for it: its operator id (SPEC §3.2),
    /// which is a hash of its legal names.
    struct Relayer {
        address account;
        bytes32 organisation;
    }

    /// @notice A checkpoint is kept for registered relayers until so many seconds after its time.
    uint256 public immutable GRACE;
    /// @notice Whether nobody else may bring checkpoints ever. Then the registered relayers
    /// together can let the client expire.
    bool public immutable STRICT;

    bytes32 private constant _SET_RELAYER =
        keccak256("SetRelayer(address account,bytes32 organisation,uint256 nonce)");

    /// @notice The organisation that answers for a relayer's account, or 0.
    mapping(address account => bytes32 organisation) public organisationOf;

    /// @notice An account was registered; with organisation 0, it was removed.
    event RelayerSet(address indexed account, bytes32 indexed organisation);
    /// @notice A checkpoint was brought by an account of this organisation.
    event Relayed(uint64 indexed height, bytes32 indexed organisation);

    /// @notice The account is not registered, and checkpoints of this time are kept for others:
    /// until `untilMs`, or for ever if that is the largest number.
    error RelayersReserved(address account, uint256 untilMs);
    /// @notice The grace is above the limit.
    error RelayersGrace(uint256 most, uint256 given);

    constructor(Relayer[] memory relayers, uint256 grace, bool strict) {
        if (grace > GRACE_MAX) revert RelayersGrace(GRACE_MAX, grace);
        (GRACE, STRICT) = (grace, strict);
        for (uint256 i = 0; i < relayers.length; i++) {
            _setRelayer(relayers[i].account, relayers[i].organisation);
        }
    }

    /// @notice Registers a relayer's account, or removes it with organisation 0. Anybody may send
    /// what the council has signed: `SetRelayer(address account,bytes32 organisation,uint256 nonce)`.
    function setRelayer(address account, bytes32 organisation, bytes calldata councilSignatures)
        external
    {
        _requireSigned(
            Body.Council,
            keccak256(abi.encode(_SET_RELAYER, account, organisation, councilNonce++)),
            councilSignatures
        );
        _setRelayer(account, organisation);
    }

    /// Refuses whoever may not bring a checkpoint of this time yet.
    function _admit(uint64 height, uint64 timeMs) internal {
        if (GRACE == 0 && !STRICT) return;
        bytes32 organisation = organisationOf[msg.sender];
        if (organisation != 0) {
            emit Relayed(height, organisation);
            return;
        }
        uint256 untilMs = STRICT ? type(uint256).max : timeMs + GRACE * 1000;
        if (block.timestamp * 1000 < untilMs) revert RelayersReserved(msg.sender, untilMs);
    }

    function _setRelayer(address account, bytes32 organisation) private {
        organisationOf[account] = organisation;
        emit RelayerSet(account, organisation);
    }
}
