// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Where the genesis contracts are, and who may do what only the chain itself may.
library System {
    /// Sender of the calls that the node makes by itself: at the founding and around blocks.
    address internal constant CALLER = 0xffffFFFfFFffffffffffffffFfFFFfffFFFfFFfE;
    address internal constant MOTIONS = 0x0000000000000000000000000000000000001000;
    address internal constant ATTESTATIONS = 0x0000000000000000000000000000000000001001;
    address internal constant ORGANISATIONS = 0x0000000000000000000000000000000000001002;
    address internal constant NODES = 0x0000000000000000000000000000000000001003;
    address internal constant PERMISSIONS = 0x0000000000000000000000000000000000001004;
    address internal constant CHAINS = 0x0000000000000000000000000000000000001005;
    address internal constant FACTS = 0x0000000000000000000000000000000000001007;
    address internal constant EQUIVOCATIONS = 0x0000000000000000000000000000000000001008;
    address internal constant UPGRADES = 0x0000000000000000000000000000000000001009;
    address internal constant AUTHORISATIONS = 0x000000000000000000000000000000000000100A;
    /// Precompile that verifies Ed25519 signatures.
    address internal constant ED25519 = 0x0000000000000000000000000000000000001100;
    /// Precompile that verifies headers of other chains.
    address internal constant FOREIGN_HEADER = 0x0000000000000000000000000000000000001101;
    /// Precompile that verifies storage proofs of other chains.
    address internal constant FOREIGN_STORAGE = 0x0000000000000000000000000000000000001102;
    address internal constant FOREIGN_ANCESTOR = 0x0000000000000000000000000000000000001103;

    /// Highest reason code: 1 unspecified, 2 own request, 3 agreement ended, 4 breach of the
    /// agreement, 5 end of the legal entity, 6 security incident, 7 order of an authority,
    /// 8 cause removed.
    uint16 internal constant REASON_MAX = 8;
    /// Entries of one page of a list.
    uint256 internal constant PAGE_MAX = 100;

    /// @notice Only `expected` may call this. Remedy: a motion (0x…1000), or none (system calls).
    error SystemCallerRefused(address expected, address got);
    /// @notice Only the genesis state is built with this function.
    error SystemFoundingIsOver(uint256 height);
    /// @notice Remedy: a reason code from 1 to `max`.
    error SystemReasonOutOfRange(uint16 max, uint16 got);
    /// @notice Remedy: ask for at most `max` entries.
    error SystemPageTooLong(uint256 max, uint256 got);

    /// @notice Only while the genesis state is built, and by its builder.
    function requireFounding() internal view {
        requireCaller(CALLER);
        if (block.number != 0) revert SystemFoundingIsOver(block.number);
    }

    function requireCaller(address expected) internal view {
        if (msg.sender != expected) revert SystemCallerRefused(expected, msg.sender);
    }

    function requireReason(uint16 reason) internal pure {
        if (reason == 0 || reason > REASON_MAX) revert SystemReasonOutOfRange(REASON_MAX, reason);
    }

    /// @notice How many of `count` entries asked for from position `from` there are of `all`.
    function pageLength(uint256 all, uint256 from, uint256 count) internal pure returns (uint256) {
        if (count > PAGE_MAX) revert SystemPageTooLong(PAGE_MAX, count);
        if (from >= all) return 0;
        return count < all - from ? count : all - from;
    }
}
