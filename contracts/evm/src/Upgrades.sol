// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {INodes} from "./INodes.sol";
import {IPermissions} from "./IPermissions.sol";
import {IUpgrades} from "./IUpgrades.sol";
import {System} from "./System.sol";
import {Texts} from "./Texts.sol";

/// @title Rules that change at a height, at 0x0000000000000000000000000000000000001009.
/// @dev Code alone at genesis. The node reads slot 0 and the parameters after it: what block h
/// obeys is what is here after block h - 1.
contract Upgrades is IUpgrades {
    /// @notice Blocks from scheduling to the first height that can be chosen.
    uint256 public constant LEAD_MIN = 100;
    /// @notice Before its height, for how many blocks nothing is declared.
    uint256 public constant CUTOFF = 20;
    /// @notice How far above the version in force one can be.
    uint32 public constant VERSIONS_AHEAD_MAX = 16;
    /// @notice Bytes of the software version.
    uint256 public constant VERSION_BYTES_MAX = 32;
    /// @notice Bytes of a contract's code (EIP-170).
    uint256 public constant CODE_BYTES_MAX = 24576;
    /// @notice Highest `Parameter`.
    uint8 public constant PARAMETER_MAX = uint8(type(Parameter).max);

    /// Marks a parameter that was set, above the 64 bits of its value.
    uint256 private constant _SET = 1 << 64;

    /// 0 for the version of the founding, 1.
    uint32 private _protocol;
    /// @inheritdoc IUpgrades
    uint64 public dueHeight;
    /// @inheritdoc IUpgrades
    uint32 public pending;
    /// @inheritdoc IUpgrades
    uint32 public upgradeCount;
    /// By `Parameter`, from slot 1; 0 for what is as in genesis.
    uint256[16] private _inForce;
    mapping(uint32 upgrade => Record) private _records;
    mapping(uint32 node => Declaration) private _declarations;

    /// An upgrade, with its plan as it is encoded in the motion's arguments.
    struct Record {
        uint8 status;
        uint8 lapse;
        uint64 scheduledHeight;
        uint64 endHeight;
        uint64 support;
        uint64 power;
        bytes plan;
    }

    // By motion

    /// @inheritdoc IUpgrades
    function schedule(Plan calldata plan) external {
        System.requireCaller(System.MOTIONS);
        if (keccak256(abi.encodeCall(this.schedule, (plan))) != keccak256(msg.data)) {
            revert UpgradesArgumentsNotCanonical();
        }
        if (pending != 0) revert UpgradesOneAtATime(pending, dueHeight);
        if (plan.nameHash == 0) revert UpgradesNoHash();
        if (plan.height < block.number + LEAD_MIN) {
            revert UpgradesTooNear(block.number + LEAD_MIN, plan.height);
        }
        _requireVersion(protocolVersion(), plan.protocol);
        Texts.requireLine("version", plan.version, 1, VERSION_BYTES_MAX);
        _requireSettings(plan.settings);
        _requireReplacements(plan.replacements);
        if (
            plan.protocol == protocolVersion() && plan.settings.length == 0
                && plan.replacements.length == 0
        ) {
            revert UpgradesNothingChanges();
        }
        uint32 upgrade = ++upgradeCount;
        (pending, dueHeight) = (upgrade, plan.height);
        Record storage record = _records[upgrade];
        (record.status, record.scheduledHeight) = (uint8(Status.Scheduled), uint64(block.number));
        record.plan = msg.data[4:];
        emit UpgradeScheduled(upgrade, plan.nameHash, plan.height, plan.protocol, plan.version);
    }

    /// @inheritdoc IUpgrades
    function cancel(uint32 upgrade) external {
        System.requireCaller(System.MOTIONS);
        if (upgrade == 0 || upgrade != pending) revert UpgradesNotScheduled(upgrade);
        _end(upgrade, Status.Cancelled);
        emit UpgradeCancelled(upgrade);
    }

    // By an organisation's administrators

    /// @inheritdoc IUpgrades
    function declare(uint32 node, uint32 version) external {
        INodes.Node memory record = INodes(System.NODES).nodeOf(node);
        uint32 got = IPermissions(System.PERMISSIONS).administratorOf(msg.sender);
        if (got != record.organisation) revert UpgradesNotOperator(record.organisation, got);
        if (record.retired) revert UpgradesNodeRetired(node);
        uint64 height = dueHeight;
        if (height != 0 && block.number + CUTOFF > height) {
            revert UpgradesDeclarationsClosed(height, block.number);
        }
        (uint32 inForce, uint32 before) = (protocolVersion(), _declarations[node].version);
        _requireVersion((before > inForce ? before : inForce) + 1, version);
        _declarations[node] = Declaration(version, uint64(block.number));
        emit VersionDeclared(node, record.organisation, version);
    }

    // By the node

    /// @inheritdoc IUpgrades
    function settle() external returns (Replacement[] memory replacements) {
        System.requireCaller(System.CALLER);
        uint32 upgrade = pending;
        if (upgrade == 0 || block.number + 1 < dueHeight) {
            revert UpgradesNotDue(dueHeight, block.number);
        }
        Record storage record = _records[upgrade];
        Plan memory plan = abi.decode(record.plan, (Plan));
        (record.support, record.power) = supportOf(plan.protocol);
        Lapse lapse = _lapseOf(plan, record.support, record.power);
        record.lapse = uint8(lapse);
        _end(upgrade, lapse == Lapse.None ? Status.Active : Status.Lapsed);
        emit UpgradeSettled(upgrade, record.status, uint8(lapse));
        if (lapse != Lapse.None) return replacements;
        _protocol = plan.protocol;
        for (uint256 i = 0; i < plan.settings.length; i++) {
            Setting memory setting = plan.settings[i];
            _inForce[setting.parameter] = _SET | setting.value;
            if (setting.parameter == uint8(Parameter.EpochSeconds)) {
                INodes(System.NODES).setEpoch(uint32(setting.value));
            }
        }
        return plan.replacements;
    }

    // Views

    /// @inheritdoc IUpgrades
    function protocolVersion() public view returns (uint32) {
        return _protocol == 0 ? 1 : _protocol;
    }

    /// @inheritdoc IUpgrades
    function upgradeOf(uint32 upgrade) public view returns (Upgrade memory found) {
        Record memory record = _records[upgrade];
        if (record.status == 0) revert UpgradesUnknown(upgrade);
        found.plan = abi.decode(record.plan, (Plan));
        (found.status, found.lapse) = (record.status, record.lapse);
        (found.scheduledHeight, found.endHeight) = (record.scheduledHeight, record.endHeight);
        (found.support, found.power) = (record.support, record.power);
    }

    /// @inheritdoc IUpgrades
    function upgrades(uint256 from, uint256 count) external view returns (Upgrade[] memory page) {
        page = new Upgrade[](System.pageLength(uint256(upgradeCount) + 1, from, count));
        for (uint256 i = 0; i < page.length; i++) {
            page[i] = upgradeOf(uint32(from + i));
        }
    }

    /// @inheritdoc IUpgrades
    function settings() external view returns (Setting[] memory list) {
        list = new Setting[](PARAMETER_MAX);
        uint256 count = 0;
        for (uint8 parameter = 1; parameter <= PARAMETER_MAX; parameter++) {
            uint256 word = _inForce[parameter];
            if (word != 0) list[count++] = Setting(parameter, uint64(word));
        }
        Setting[] memory all = list;
        list = new Setting[](count);
        for (uint256 i = 0; i < count; i++) {
            list[i] = all[i];
        }
    }

    /// @inheritdoc IUpgrades
    function declarationOf(uint32 node) external view returns (Declaration memory) {
        return _declarations[node];
    }

    /// @inheritdoc IUpgrades
    function supportOf(uint32 version) public view returns (uint64 support, uint64 power) {
        // Who takes part runs the version in force.
        bool inForce = version <= protocolVersion();
        INodes nodes = INodes(System.NODES);
        INodes.ValidatorView[] memory set = nodes.validatorSet();
        for (uint256 i = 0; i < set.length; i++) {
            power += set[i].power;
            uint32 node = nodes.validatorKeyOf(set[i].validator).node;
            if (inForce || _declarations[node].version >= version) support += set[i].power;
        }
    }

    // Helpers

    function _end(uint32 upgrade, Status status) private {
        (pending, dueHeight) = (0, 0);
        Record storage record = _records[upgrade];
        (record.status, record.endHeight) = (uint8(status), uint64(block.number));
    }

    function _lapseOf(Plan memory plan, uint64 support, uint64 power) private view returns (Lapse) {
        if (block.number + 1 != plan.height) return Lapse.Missed;
        if (3 * uint256(support) <= 2 * uint256(power)) return Lapse.NotReady;
        for (uint256 i = 0; i < plan.replacements.length; i++) {
            Replacement memory replacement = plan.replacements[i];
            if (replacement.source.codehash != replacement.codeHash) return Lapse.CodeChanged;
        }
        return Lapse.None;
    }

    function _requireVersion(uint32 min, uint32 got) private view {
        if (got < min) revert UpgradesVersionTooLow(min, got);
        uint32 max = protocolVersion() + VERSIONS_AHEAD_MAX;
        if (got > max) revert UpgradesVersionTooHigh(max, got);
    }

    function _requireSettings(Setting[] calldata list) private pure {
        for (uint256 i = 0; i < list.length; i++) {
            (uint8 parameter, uint64 value) = (list[i].parameter, list[i].value);
            if (parameter == 0 || parameter > PARAMETER_MAX) {
                revert UpgradesParameterUnknown(PARAMETER_MAX, parameter);
            }
            if (i > 0 && parameter <= list[i - 1].parameter) {
                revert UpgradesOutOfOrder("settings", i);
            }
            (uint64 min, uint64 max) = boundsOf(parameter);
            if (value < min || value > max) {
                revert UpgradesValueOutOfRange(parameter, min, max, value);
            }
        }
    }

    /// @notice Least and greatest value of a parameter: those of the genesis file (SPEC §2.1).
    function boundsOf(uint8 parameter) public pure returns (uint64 min, uint64 max) {
        if (parameter == uint8(Parameter.BlockGasLimit)) return (1 << 24, 10_000_000_000);
        if (parameter == uint8(Parameter.TimeoutDelta)) return (1, 600_000);
        if (parameter == uint8(Parameter.EmptyBlockInterval)) return (100, 86_400_000);
        if (parameter == uint8(Parameter.BlockSpacingMin)) return (0, 60_000);
        if (parameter == uint8(Parameter.EpochSeconds)) return (0, 604_800);
        return (10, 600_000);
    }

    function _requireReplacements(Replacement[] calldata list) private view {
        for (uint256 i = 0; i < list.length; i++) {
            (address target, address source) = (list[i].target, list[i].source);
            if (
                target < System.MOTIONS || target > System.AUTHORISATIONS || target.code.length == 0
            ) {
                revert UpgradesNotSystem(target);
            }
            if (i > 0 && target <= list[i - 1].target) {
                revert UpgradesOutOfOrder("replacements", i);
            }
            if (source.codehash != list[i].codeHash) {
                revert UpgradesCodeHash(source, list[i].codeHash, source.codehash);
            }
            bytes memory code = source.code;
            if (code.length == 0 || code.length > CODE_BYTES_MAX || code[0] == 0xef) {
                revert UpgradesCodeUnfit(source, CODE_BYTES_MAX, code.length);
            }
            if (target.codehash == list[i].codeHash) revert UpgradesCodeUnchanged(target);
        }
    }
}
