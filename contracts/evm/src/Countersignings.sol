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
        uint64 bit = bitOf(id, countersigning.parties, msg.sender);
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

    /// Bit of a party in `signed`; refuses an account that is none.
    function bitOf(bytes32 id, address[] storage parties, address account)
        private
        view
        returns (uint64 bit)
    {
        uint256 count = parties.length;
        bit = 1;
        for (uint256 i = 0; i < count; i++) {
            if (parties[i] == account) return bit;
            bit <<= 1;
        }
        revert IAttestations.AttestationsNotParty(id, account);
    }
}
