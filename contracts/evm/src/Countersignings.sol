// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAttestations} from "./IAttestations.sol";

/// @title Signatures of k of n named parties under one attestation.
/// @dev Who the issuer is and whether it revoked is the caller's concern.
library Countersignings {
    /// One bit each in `Countersigning.signed`.
    uint256 internal constant PARTIES_MAX = 64;

    /// @notice Opens a countersigning of the caller. Once for each attestation.
    function open(
        IAttestations.Countersigning storage countersigning,
        bytes32 id,
        address[] calldata parties,
        uint16 threshold,
        uint64 deadline
    ) internal {
        if (countersigning.threshold != 0) {
            revert IAttestations.AttestationsCountersigningExists(id);
        }
        requireParties(parties, threshold);
        if (deadline <= block.timestamp) {
            revert IAttestations.AttestationsDeadlinePassed(deadline, block.timestamp);
        }
        countersigning.issuer = msg.sender;
        countersigning.threshold = threshold;
        countersigning.deadline = deadline;
        countersigning.parties = parties;
        emit IAttestations.CountersigningOpened(id, msg.sender, threshold, deadline, parties);
    }

    /// @notice Adds the caller's signature to an open countersigning.
    function sign(IAttestations.Countersigning storage countersigning, bytes32 id) internal {
        uint64 deadline = countersigning.deadline;
        if (block.timestamp > deadline) {
            revert IAttestations.AttestationsDeadlinePassed(deadline, block.timestamp);
        }
        uint256 position = positionOf(id, countersigning.parties, msg.sender);
        uint64 bit = uint64(1) << position;
        if (countersigning.signed & bit != 0) {
            revert IAttestations.AttestationsAlreadyCountersigned(id, msg.sender);
        }
        uint16 have = countersigning.have + 1;
        countersigning.have = have;
        countersigning.signed |= bit;
        emit IAttestations.Countersigned(id, msg.sender, have, countersigning.threshold);
    }

    /// Ascending order makes the list canonical and excludes duplicates and the zero address.
    function requireParties(address[] calldata parties, uint16 threshold) private pure {
        if (parties.length == 0 || parties.length > PARTIES_MAX) {
            revert IAttestations.AttestationsPartiesOutOfRange(PARTIES_MAX, parties.length);
        }
        if (threshold == 0 || threshold > parties.length) {
            revert IAttestations.AttestationsThresholdOutOfRange(parties.length, threshold);
        }
        address last = address(0);
        for (uint256 i = 0; i < parties.length; i++) {
            if (parties[i] <= last) revert IAttestations.AttestationsPartiesNotAscending(i);
            last = parties[i];
        }
    }

    /// Position of a party; refuses an account that is none.
    function positionOf(bytes32 id, address[] storage parties, address account)
        private
        view
        returns (uint256)
    {
        uint256 count = parties.length;
        for (uint256 i = 0; i < count; i++) {
            if (parties[i] == account) return i;
        }
        revert IAttestations.AttestationsNotParty(id, account);
    }
}
