// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Upgrades: by which rules blocks are made from a height on (SPEC §13.12).
/// @notice Numbered from 1; at most one waits at a time. A motion schedules it, validators declare
/// that their nodes support it, and with the last block before its height the node settles it:
/// it takes effect as a whole or not at all.
interface IUpgrades {
    /// @notice `Lapsed` ones were not carried out: see `Lapse`.
    enum Status {
        None,
        Scheduled,
        Active,
        Cancelled,
        Lapsed
    }

    /// @notice Why an upgrade was not carried out: too little power had declared support; an
    /// account no longer has the code that was decided on; its height had passed.
    enum Lapse {
        None,
        NotReady,
        CodeChanged,
        Missed
    }

    /// @notice What blocks obey. Times are in milliseconds, an epoch is in seconds; bounds are
    /// those of the genesis file, which has the values until an upgrade sets another one. How far
    /// clocks may be off is not among them: proofs say it, by the genesis file.
    enum Parameter {
        None,
        BlockGasLimit,
        TimeoutPropose,
        TimeoutVote,
        TimeoutDelta,
        EmptyBlockInterval,
        BlockSpacingMin,
        EpochSeconds
    }

    /// @param parameter A `Parameter`.
    struct Setting {
        uint8 parameter;
        uint64 value;
    }

    /// @notice The code of a system contract, which keeps its storage.
    /// @param target The system contract.
    /// @param source An account that has the new code.
    /// @param codeHash Keccak-256 of that code.
    struct Replacement {
        address target;
        address source;
        bytes32 codeHash;
    }

    /// @param nameHash SHA-256 of the name by which people know it, or of a text about it.
    /// @param height The first block under the new rules.
    /// @param protocol Protocol version from there on; that in force if it stays.
    /// @param version Software with which it was tried, such as "1.4.0": what to install.
    /// @param settings By parameter, ascending.
    /// @param replacements By target, ascending.
    struct Plan {
        bytes32 nameHash;
        uint64 height;
        uint32 protocol;
        string version;
        Setting[] settings;
        Replacement[] replacements;
    }

    /// @param status A `Status`.
    /// @param lapse A `Lapse`.
    /// @param scheduledHeight At which the motion was executed.
    /// @param endHeight At which it was settled or cancelled; 0 while it waits.
    /// @param support Power that had declared support when it was settled, of `power`.
    struct Upgrade {
        Plan plan;
        uint8 status;
        uint8 lapse;
        uint64 scheduledHeight;
        uint64 endHeight;
        uint64 support;
        uint64 power;
    }

    /// @notice The highest protocol version that a node supports, by the word of its operator.
    struct Declaration {
        uint32 version;
        uint64 height;
    }

    event UpgradeScheduled(
        uint32 indexed upgrade,
        bytes32 indexed nameHash,
        uint64 height,
        uint32 protocol,
        string version
    );
    event UpgradeCancelled(uint32 indexed upgrade);
    event UpgradeSettled(uint32 indexed upgrade, uint8 status, uint8 lapse);
    event VersionDeclared(uint32 indexed node, uint32 indexed organisation, uint32 version);

    /// @notice Remedy: a number from 1 to `upgradeCount`.
    error UpgradesUnknown(uint32 upgrade);
    /// @notice Not the canonical encoding of the arguments.
    error UpgradesArgumentsNotCanonical();
    /// @notice Remedy: a hash that is not zero.
    error UpgradesNoHash();
    /// @notice Past, or too near for operators. Remedy: a height from `min` on.
    error UpgradesTooNear(uint256 min, uint64 got);
    /// @notice Versions do not go back. Remedy: a version from `min` on.
    error UpgradesVersionTooLow(uint32 min, uint32 got);
    /// @notice Surely a mistake. Remedy: a version up to `max`.
    error UpgradesVersionTooHigh(uint32 max, uint32 got);
    /// @notice It has neither another version nor settings nor code.
    error UpgradesNothingChanges();
    /// @notice Remedy: a `Parameter` from 1 to `max`.
    error UpgradesParameterUnknown(uint8 max, uint8 got);
    /// @notice Settings by parameter, and replacements by target, ascend.
    error UpgradesOutOfOrder(string field, uint256 position);
    /// @notice Remedy: a value within the bounds.
    error UpgradesValueOutOfRange(uint8 parameter, uint64 min, uint64 max, uint64 got);
    /// @notice Only contracts of the genesis file, 0x…1000 to 0x…100A, get other code.
    error UpgradesNotSystem(address target);
    /// @notice The account has other code, or none. Remedy: deploy the code, and name its hash.
    error UpgradesCodeHash(address source, bytes32 expected, bytes32 got);
    /// @notice A contract has 1 to `max` bytes of code that do not begin with 0xef.
    error UpgradesCodeUnfit(address source, uint256 max, uint256 bytes_);
    /// @notice The contract has this code.
    error UpgradesCodeUnchanged(address target);
    /// @notice Remedy: wait until the one that waits is settled, or cancel it by motion.
    error UpgradesOneAtATime(uint32 upgrade, uint64 height);
    /// @notice It does not wait for its height.
    error UpgradesNotScheduled(uint32 upgrade);
    /// @notice No upgrade is due with this block.
    error UpgradesNotDue(uint64 height, uint256 now_);
    /// @notice Only administrators of the node's organisation.
    error UpgradesNotOperator(uint32 organisation, uint32 got);
    /// @notice The node is out of use.
    error UpgradesNodeRetired(uint32 node);
    /// @notice In the last blocks before the upgrade at `height` nothing is declared any more.
    error UpgradesDeclarationsClosed(uint64 height, uint256 now_);

    /// @notice By motion, with the highest quorum and threshold and the longest delay of all kinds.
    function schedule(Plan calldata plan) external;

    /// @notice By motion: the upgrade that waits is not carried out.
    function cancel(uint32 upgrade) external;

    /// @notice By an administrator of the node's organisation: the node supports this version.
    /// A declaration is a promise: it is raised, and never taken back.
    function declare(uint32 node, uint32 version) external;

    /// @notice By the node, with the last block before the height of the upgrade that waits.
    /// @return replacements Whose code is to be replaced; none if the upgrade lapses.
    function settle() external returns (Replacement[] memory replacements);

    function protocolVersion() external view returns (uint32);

    /// @notice Height of the upgrade that waits; 0 if none does.
    function dueHeight() external view returns (uint64);

    /// @notice Number of the upgrade that waits; 0 if none does.
    function pending() external view returns (uint32);
    function upgradeCount() external view returns (uint32);
    function upgradeOf(uint32 upgrade) external view returns (Upgrade memory);

    /// @notice Upgrades by number, `count` (at most 100) from `from` (the first is 1).
    function upgrades(uint256 from, uint256 count) external view returns (Upgrade[] memory);

    /// @notice What upgrades have set; parameters that are not listed are as in genesis.
    function settings() external view returns (Setting[] memory);

    /// @notice Version 0 if the node never declared any: it then counts for the one in force.
    function declarationOf(uint32 node) external view returns (Declaration memory);

    /// @notice Power of the validators, by the set that follows, whose nodes support a version,
    /// and of all.
    function supportOf(uint32 version) external view returns (uint64 support, uint64 power);
}
