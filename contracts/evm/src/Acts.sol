// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Attestations} from "./Attestations.sol";
import {IChains} from "./IChains.sol";
import {IMotions} from "./IMotions.sol";
import {INodes} from "./INodes.sol";
import {IOrganisations} from "./IOrganisations.sol";
import {IPermissions} from "./IPermissions.sol";
import {IUpgrades} from "./IUpgrades.sol";
import {Rules} from "./Rules.sol";
import {System} from "./System.sol";

/// @title What motions do: the call of each kind, and those that are the governor's own.
/// @dev The functions that change something are called by the governor itself alone.
abstract contract Acts is IMotions {
    /// @notice Highest `Kind`.
    uint8 public constant KIND_MAX = uint8(type(Kind).max);
    /// @notice Of members and of organisations with validators, one can be suspended by the rule
    /// for suspensions in this time, in seconds; each other one needs what a removal needs.
    uint256 public constant EMERGENCY_WINDOW = 30 days;

    mapping(uint8 kind => Rule) private _rules;
    /// @inheritdoc IMotions
    Emergency public emergency;

    // Founding

    /// @inheritdoc IMotions
    function foundRules(Rule[] calldata rules) external {
        System.requireFounding();
        if (rules.length != KIND_MAX) revert MotionsRuleCount(KIND_MAX, rules.length);
        for (uint8 kind = 1; kind <= KIND_MAX; kind++) {
            _setRule(kind, rules[kind - 1]);
        }
    }

    // By motion

    /// @notice `AddOrganisation`.
    function addOrganisation(Admission calldata admission) external {
        _requireSelf();
        _requireCanonical(abi.encodeCall(this.addOrganisation, (admission)));
        uint32 organisation = _organisations().admit(admission.details);
        IPermissions permissions = IPermissions(System.PERMISSIONS);
        permissions.setOrganisationPermissions(organisation, admission.permissions);
        permissions.setQuota(organisation, admission.gas, admission.leaves);
        permissions.setAccount(organisation, admission.account, admission.permissions);
    }

    /// @notice `SuspendOrganisation`: its validators leave the set with it, and keep their power
    /// for its return.
    function suspendOrganisation(uint32 organisation, uint16 reason) external {
        _requireSelf();
        _organisations().suspend(organisation, reason);
        INodes(System.NODES).dropOrganisation(organisation, false, reason);
    }

    /// @notice `RemoveOrganisation`: its nodes go out of use with it.
    function removeOrganisation(uint32 organisation, uint16 reason) external {
        _requireSelf();
        _organisations().remove(organisation, reason);
        INodes(System.NODES).dropOrganisation(organisation, true, reason);
    }

    /// @notice `ReinstateOrganisation`: its validators come back with it.
    function reinstateOrganisation(uint32 organisation, uint16 reason) external {
        _requireSelf();
        _organisations().reinstate(organisation, reason);
        INodes(System.NODES).restoreOrganisation(organisation);
    }

    /// @notice `AmendOrganisation`.
    function amendOrganisation(uint32 organisation, IOrganisations.Details calldata details)
        external
    {
        _requireSelf();
        _requireCanonical(abi.encodeCall(this.amendOrganisation, (organisation, details)));
        _organisations().amend(organisation, details);
        INodes(System.NODES).renameOrganisation(organisation);
    }

    /// @notice `SetRule`: for motions that are proposed from now on.
    function setRule(uint8 kind, Rule calldata rule) external {
        _requireSelf();
        _setRule(kind, rule);
    }

    /// @notice `Resolve`: a text of which the chain has the SHA-256.
    function resolve(bytes32 textHash) external {
        _requireSelf();
        if (textHash == 0) revert MotionsNoHash();
        emit Resolved(textHash);
    }

    // Views

    /// @inheritdoc IMotions
    function ruleOf(uint8 kind) public view returns (Rule memory) {
        _requireKind(kind);
        return _rules[kind];
    }

    // The table of kinds

    /// Contract and function of a kind, and the words of its arguments: 0 if that varies.
    function _callOf(uint8 number)
        internal
        view
        returns (address target, bytes4 selector, uint256 words)
    {
        _requireKind(number);
        Kind kind = Kind(number);
        address self = address(this);
        if (kind == Kind.AddOrganisation) return (self, this.addOrganisation.selector, 0);
        if (kind == Kind.SuspendOrganisation) return (self, this.suspendOrganisation.selector, 2);
        if (kind == Kind.RemoveOrganisation) return (self, this.removeOrganisation.selector, 2);
        if (kind == Kind.ReinstateOrganisation) {
            return (self, this.reinstateOrganisation.selector, 2);
        }
        if (kind == Kind.AmendOrganisation) return (self, this.amendOrganisation.selector, 0);
        if (kind == Kind.AddValidator) return (System.NODES, INodes.addValidator.selector, 2);
        if (kind == Kind.RemoveValidator) {
            return (System.NODES, INodes.removeValidator.selector, 2);
        }
        if (kind == Kind.ReinstateValidator) {
            return (System.NODES, INodes.reinstateValidator.selector, 1);
        }
        if (kind == Kind.SetRule) return (self, this.setRule.selector, 8);
        if (kind == Kind.SetAlgorithm) {
            return (System.ATTESTATIONS, Attestations.setAlgorithm.selector, 4);
        }
        if (kind == Kind.SetChain) return (System.CHAINS, IChains.setChain.selector, 3);
        if (kind == Kind.ScheduleUpgrade) return (System.UPGRADES, IUpgrades.schedule.selector, 0);
        if (kind == Kind.CancelUpgrade) return (System.UPGRADES, IUpgrades.cancel.selector, 1);
        if (kind == Kind.Resolve) return (self, this.resolve.selector, 1);
        return _permissionsCallOf(kind);
    }

    function _permissionsCallOf(Kind kind) private pure returns (address, bytes4, uint256) {
        address target = System.PERMISSIONS;
        if (kind == Kind.SetQuota) return (target, IPermissions.setQuota.selector, 3);
        if (kind == Kind.SetOrganisationPermissions) {
            return (target, IPermissions.setOrganisationPermissions.selector, 2);
        }
        if (kind == Kind.SetPublicPermissions) {
            return (target, IPermissions.setPublicPermissions.selector, 1);
        }
        if (kind == Kind.SetPeriod) return (target, IPermissions.setPeriod.selector, 1);
        assert(kind == Kind.SetAccount);
        return (target, IPermissions.setAccount.selector, 3);
    }

    /// The organisation that a motion is about; 0 if there is none. Call only with arguments
    /// that were rehearsed.
    function _subjectOf(uint8 number, bytes calldata arguments) internal view returns (uint32) {
        Kind kind = Kind(number);
        if (
            kind == Kind.AddOrganisation || kind == Kind.SetRule || kind == Kind.SetPeriod
                || kind == Kind.SetPublicPermissions || kind == Kind.SetAlgorithm
                || kind == Kind.ScheduleUpgrade || kind == Kind.Resolve
                || kind == Kind.CancelUpgrade
        ) {
            return 0;
        }
        uint32 first = abi.decode(arguments[:32], (uint32));
        bool node = kind == Kind.AddValidator || kind == Kind.RemoveValidator
            || kind == Kind.ReinstateValidator;
        if (node) return INodes(System.NODES).nodeOf(first).organisation;
        if (kind == Kind.SetChain) return IChains(System.CHAINS).chainOf(first).operator;
        return first;
    }

    /// The rule for a motion. One that changes a rule also needs what that rule asks for now, a
    /// suspension after another what a removal needs, and an upgrade, which may change whatever
    /// others change, what any of them needs.
    function _ruleFor(uint8 number, bytes calldata arguments) internal view returns (Rule memory) {
        (Kind kind, Rule memory rule) = (Kind(number), ruleOf(number));
        if (kind == Kind.SetRule) {
            return Rules.stricter(rule, ruleOf(abi.decode(arguments[:32], (uint8))));
        }
        if (kind == Kind.ScheduleUpgrade) {
            for (uint8 other = 1; other <= KIND_MAX; other++) {
                rule = Rules.stricter(rule, _rules[other]);
            }
            return rule;
        }
        if (kind != Kind.SuspendOrganisation) return rule;
        return _isAfterAnother(abi.decode(arguments[:32], (uint32))) ? _asRemoval(rule) : rule;
    }

    /// Whether a motion takes votes, power or accounts from its subject, which then counts among
    /// those who have not agreed. Call only with arguments that were rehearsed.
    function _isAgainstSubject(uint8 number, bytes calldata arguments)
        internal
        view
        returns (bool)
    {
        Kind kind = Kind(number);
        if (kind == Kind.AddValidator) {
            (uint32 node, uint64 power) = abi.decode(arguments, (uint32, uint64));
            return power < INodes(System.NODES).nodeOf(node).power;
        }
        return kind == Kind.SuspendOrganisation || kind == Kind.RemoveOrganisation
            || kind == Kind.RemoveValidator || kind == Kind.SetOrganisationPermissions
            || kind == Kind.SetAccount;
    }

    // Suspensions

    /// Before a suspension is carried out: one that was decided by less than a removal needs is
    /// the only one, or it is refused.
    function _beforeSuspension(uint32 organisation, Rule memory rule) internal {
        bytes32 decidedBy = keccak256(abi.encode(rule));
        if (keccak256(abi.encode(_asRemoval(rule))) == decidedBy) return;
        if (!_hasWeight(organisation)) return;
        if (_isAfterAnother(organisation)) {
            revert MotionsSuspensionAfterAnother(
                emergency.organisation, emergency.time + EMERGENCY_WINDOW
            );
        }
        emergency = Emergency(organisation, uint64(block.timestamp));
    }

    /// Whether an organisation with votes or power is to be suspended after another, for which
    /// the rule for suspensions was enough.
    function _isAfterAnother(uint32 organisation) private view returns (bool) {
        (uint32 other, uint256 time) = (emergency.organisation, emergency.time);
        if (other == 0 || !_hasWeight(organisation)) return false;
        return block.timestamp < time + EMERGENCY_WINDOW
            || uint8(_organisations().standing(other)) == uint8(IOrganisations.Status.Suspended);
    }

    /// Whether an organisation has a vote, or power over blocks.
    function _hasWeight(uint32 organisation) private view returns (bool) {
        if ((_organisations().standing(organisation) >> 16) & 1 == 1) return true;
        uint32[] memory nodes = INodes(System.NODES).nodesOf(organisation);
        for (uint256 i = 0; i < nodes.length; i++) {
            if (INodes(System.NODES).nodeOf(nodes[i]).power != 0) return true;
        }
        return false;
    }

    function _asRemoval(Rule memory rule) private view returns (Rule memory) {
        return Rules.stricter(rule, ruleOf(uint8(Kind.RemoveOrganisation)));
    }

    // Helpers

    function _setRule(uint8 kind, Rule calldata rule) private {
        _requireKind(kind);
        Rules.requireSound(rule);
        _rules[kind] = rule;
        emit RuleSet(kind, rule);
    }

    function _requireSelf() private view {
        System.requireCaller(address(this));
    }

    /// Surplus bytes could hold anything.
    function _requireCanonical(bytes memory expected) private pure {
        if (keccak256(expected) != keccak256(msg.data)) revert MotionsArgumentsNotCanonical();
    }

    function _requireKind(uint8 kind) private pure {
        if (kind == 0 || kind > KIND_MAX) revert MotionsKindOutOfRange(KIND_MAX, kind);
    }

    function _organisations() private pure returns (IOrganisations) {
        return IOrganisations(System.ORGANISATIONS);
    }
}
