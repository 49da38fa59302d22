// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IEquivocations} from "./IEquivocations.sol";
import {INodes} from "./INodes.sol";
import {IOrganisations} from "./IOrganisations.sol";
import {NodeRecords} from "./NodeRecords.sol";
import {Possessions} from "./Possessions.sol";
import {System} from "./System.sol";
import {ValidatorSets} from "./ValidatorSets.sol";

/// @title Nodes, keys and the validator set at 0x0000000000000000000000000000000000001003.
/// @dev Placed in the genesis state with the storage that the founding calls leave. After every
/// block with which a handover is due the node reads `validatorSet`, which decides who validates
/// the next one.
contract Nodes is INodes, NodeRecords {
    using ValidatorSets for ValidatorSets.Set;

    /// @notice Validators in the set.
    uint256 public constant VALIDATORS_MAX = ValidatorSets.VALIDATORS_MAX;
    /// @notice Fewest validators in the set.
    uint256 public constant VALIDATORS_MIN = ValidatorSets.VALIDATORS_MIN;
    /// @notice Suspensions that one call carries out, so that it fits into a transaction.
    uint256 public constant SUSPENSIONS_MAX = 16;

    ValidatorSets.Set private _set;
    Offence[] private _offences;
    mapping(bytes32 offence => bool) private _known;
    /// Height of a node's last reinstatement.
    mapping(uint32 node => uint64) private _reinstated;

    // Founding

    /// @inheritdoc INodes
    function foundNode(uint32 organisation, Registration calldata registration, uint64 power)
        external
        returns (uint32 node)
    {
        System.requireFounding();
        if (!_isActive(organisation)) revert NodesOrganisationNotActive(organisation);
        node = _register(organisation, registration);
        if (power == 0) return node;
        _requireValidatorKey(node);
        _nodes[node].power = power;
        _join(node, ValidatorSets.unruled());
        emit ValidatorAdded(node, _nodes[node].validator, power);
    }

    // By an organisation's administrators

    /// @inheritdoc INodes
    function retireNode(uint32 node) external {
        _requireOperator(node);
        if (_nodes[node].validating) revert NodesStillValidator(node);
        _retire(node);
    }

    /// @inheritdoc INodes
    function rotateValidatorKey(
        uint32 node,
        bytes32 x,
        bytes32 y,
        Signature calldata proof,
        uint64 deadline
    ) external {
        Node storage record = _requireOperator(node);
        bool validating = record.validating;
        if (validating) {
            // The node keeps one key that waits.
            uint32 handover = _nextHandover();
            if (record.rotation == handover) revert NodesRotatedRecently(handoverDue);
            record.rotation = handover;
            _leave(node);
        }
        _takeValidatorKey(node, x, y);
        _requireSecp256k1(node, proof, deadline);
        if (!validating) return;
        _enter(node);
        _afterChange(false);
    }

    // By motion

    /// @inheritdoc INodes
    function addValidator(uint32 node, uint64 power) external {
        System.requireCaller(System.MOTIONS);
        Node storage record = _requireInUse(node);
        _requireValidatorKey(node);
        if (record.suspended) revert NodesSuspended(node);
        if (power == 0) revert NodesPowerZero();
        ValidatorSets.Shape memory before = _set.shape();
        if (record.validating) _leave(node);
        record.power = power;
        _join(node, before);
        emit ValidatorAdded(node, record.validator, power);
        _afterChange(false);
    }

    /// @inheritdoc INodes
    function removeValidator(uint32 node, uint16 reason) external {
        System.requireCaller(System.MOTIONS);
        System.requireReason(reason);
        Node storage record = _requireInUse(node);
        if (record.power == 0) revert NodesNotValidator(node);
        record.power = 0;
        emit ValidatorRemoved(node, record.validator, reason);
        // Who is suspended has power and waits.
        if (!record.validating) return;
        ValidatorSets.Shape memory before = _set.shape();
        _leave(node);
        _set.requireRules(before);
        _afterChange(false);
    }

    /// @inheritdoc INodes
    function reinstateValidator(uint32 node) external {
        System.requireCaller(System.MOTIONS);
        Node storage record = _requireInUse(node);
        if (!record.suspended) revert NodesNotValidator(node);
        record.suspended = false;
        _reinstated[node] = uint64(block.number);
        emit ValidatorReinstated(node, record.validator);
        if (record.validating || record.power == 0) return;
        _join(node, _set.shape());
        _afterChange(false);
    }

    /// @inheritdoc INodes
    function dropOrganisation(uint32 organisation, bool leaves, uint16 reason) external {
        System.requireCaller(System.MOTIONS);
        ValidatorSets.Shape memory before = _set.shape();
        uint32[] memory list = nodesOf(organisation);
        bool changed = false;
        for (uint256 i = 0; i < list.length; i++) {
            Node storage record = _nodes[list[i]];
            if (record.validating) {
                _leave(list[i]);
                emit ValidatorRemoved(list[i], record.validator, reason);
                changed = true;
            }
            if (!leaves) continue;
            record.power = 0;
            _retire(list[i]);
        }
        if (!changed) return;
        _set.requireRules(before);
        _afterChange(true);
    }

    /// @inheritdoc INodes
    function restoreOrganisation(uint32 organisation) external {
        System.requireCaller(System.MOTIONS);
        ValidatorSets.Shape memory before = _set.shape();
        uint32[] memory list = nodesOf(organisation);
        bool changed = false;
        for (uint256 i = 0; i < list.length; i++) {
            Node storage record = _nodes[list[i]];
            if (record.power == 0 || record.suspended) continue;
            _enter(list[i]);
            emit ValidatorAdded(list[i], record.validator, record.power);
            changed = true;
        }
        if (!changed) return;
        _set.requireRules(before);
        _afterChange(false);
    }

    /// @inheritdoc INodes
    function renameOrganisation(uint32 organisation) external {
        System.requireCaller(System.MOTIONS);
        uint32[] memory list = nodesOf(organisation);
        for (uint256 i = 0; i < list.length; i++) {
            if (!_nodes[list[i]].validating) continue;
            _schedule(false);
            return;
        }
    }

    // By anybody

    /// @inheritdoc INodes
    function submitEvidence(bytes calldata evidence) external {
        if (genesisHash == 0) revert NodesGenesisNotBound();
        IEquivocations.Accusation memory accused =
            IEquivocations(System.EQUIVOCATIONS).verify(evidence, genesisHash);
        ValidatorKey memory key = validatorKeyOf(accused.validator);
        if (key.first == 0 || accused.height < key.first || accused.height > key.last) {
            revert NodesEvidenceNotValidator(accused.validator, accused.height);
        }
        bytes32 offence = keccak256(abi.encode(accused));
        if (_known[offence]) {
            revert NodesEvidenceKnown(accused.validator, accused.height, accused.round);
        }
        _known[offence] = true;
        _record(accused, key.node, sha256(evidence));
        // Whoever stole a key could make old offences without end: those before a reinstatement
        // are on record and no more.
        if (accused.height <= _reinstated[key.node]) return;
        Node storage node = _nodes[key.node];
        node.suspended = true;
        // Who is to leave with the epoch leaves now.
        bool leaving = handoverDue != 0 && !node.validating && key.last == type(uint64).max;
        if (_enforce() != 0 || leaving) _schedule(true);
    }

    /// @inheritdoc INodes
    function enforceSuspensions() external returns (uint256 carriedOut) {
        carriedOut = _enforce();
        if (carriedOut != 0) _schedule(true);
    }

    // Views

    /// @inheritdoc INodes
    function validatorSet() external view returns (ValidatorView[] memory list) {
        ValidatorSets.Member[] memory members = _set.members;
        list = new ValidatorView[](members.length);
        for (uint256 i = 0; i < members.length; i++) {
            Node storage record = _nodes[members[i].node];
            ValidatorView memory item = list[i];
            item.organisation = record.organisation;
            item.validator = members[i].validator;
            item.publicKey = Possessions.compressed(record.validatorX, record.odd);
            item.power = members[i].power;
            item.node = record.name;
            (item.nameZhTw, item.nameEn) =
                IOrganisations(System.ORGANISATIONS).namesOf(record.organisation);
        }
    }

    /// @inheritdoc INodes
    function offenceCount() external view returns (uint256) {
        return _offences.length;
    }

    /// @inheritdoc INodes
    function offences(uint256 from, uint256 count) external view returns (Offence[] memory page) {
        page = new Offence[](System.pageLength(_offences.length, from, count));
        for (uint256 i = 0; i < page.length; i++) {
            page[i] = _offences[from + i];
        }
    }

    // The set

    /// Puts a node into the set, with the power that it has, and checks the rules.
    function _join(uint32 node, ValidatorSets.Shape memory before) private {
        uint32 organisation = _nodes[node].organisation;
        if (!_isActive(organisation)) revert NodesOrganisationNotActive(organisation);
        _enter(node);
        _set.requireRules(before);
    }

    function _enter(uint32 node) private {
        Node storage record = _nodes[node];
        record.validating = true;
        ValidatorSets.Member memory member =
            ValidatorSets.Member(record.validator, record.power, node);
        _set.insert(member, record.organisation);
        KeyRecord storage key = _validatorKeys[record.validator];
        if (key.joined == 0) key.joined = _nextHandover();
        key.left = 0;
    }

    function _leave(uint32 node) private {
        Node storage record = _nodes[node];
        record.validating = false;
        _set.remove(node);
        _validatorKeys[record.validator].left = _nextHandover();
    }

    function _afterChange(bool atOnce) private {
        _schedule(_enforce() != 0 || atOnce);
    }

    /// Takes suspended validators out of the set, as far as its rules allow.
    function _enforce() private returns (uint256 carriedOut) {
        ValidatorSets.Member[] memory members = _set.members;
        ValidatorSets.Tally memory tally = _set.tally();
        ValidatorSets.Shape memory before = ValidatorSets.shape(tally);
        for (uint256 i = 0; i < members.length && carriedOut < SUSPENSIONS_MAX; i++) {
            ValidatorSets.Member memory member = members[i];
            Node storage record = _nodes[member.node];
            if (!record.suspended) continue;
            ValidatorSets.take(tally, record.organisation, member.power);
            ValidatorSets.Shape memory without = ValidatorSets.shape(tally);
            if (ValidatorSets.broken(before, without) != ValidatorSets.Rule.None) {
                ValidatorSets.add(tally, record.organisation, member.power);
                continue;
            }
            _leave(member.node);
            emit ValidatorSuspended(member.node, member.validator);
            before = without;
            carriedOut++;
        }
    }

    function _record(IEquivocations.Accusation memory accused, uint32 node, bytes32 evidenceHash)
        private
    {
        uint32 organisation = _nodes[node].organisation;
        _offences.push(
            Offence({
                node: node,
                organisation: organisation,
                validator: accused.validator,
                height: accused.height,
                round: accused.round,
                kind: accused.kind,
                recordedHeight: uint64(block.number),
                evidenceHash: evidenceHash
            })
        );
        (string memory nameZhTw, string memory nameEn) =
            IOrganisations(System.ORGANISATIONS).namesOf(organisation);
        emit Equivocated(
            organisation,
            accused.validator,
            accused.height,
            accused.round,
            accused.kind,
            evidenceHash,
            nameZhTw,
            nameEn
        );
    }
}
