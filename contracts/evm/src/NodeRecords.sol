// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {INodes} from "./INodes.sol";
import {IOrganisations} from "./IOrganisations.sol";
import {IPermissions} from "./IPermissions.sol";
import {Possessions} from "./Possessions.sol";
import {System} from "./System.sol";
import {Texts} from "./Texts.sol";

/// @title Nodes and their keys, without the validator set.
abstract contract NodeRecords is INodes {
    /// @notice Nodes in use, so that `peers` has at most twice as many entries.
    uint256 public constant NODES_MAX = 256;
    /// @notice Nodes in use of one organisation.
    uint256 public constant ORGANISATION_NODES_MAX = 16;
    /// @notice Of all places, how many are for the first node of an organisation.
    uint256 public constant FIRST_NODES = 64;
    uint256 public constant NAME_BYTES_MAX = 64;
    uint256 public constant ENDPOINT_BYTES_MAX = 128;
    uint256 public constant VERSION_BYTES_MAX = 32;
    /// @notice How long an old peer key may stay, in seconds.
    uint256 public constant OVERLAP_MAX = 1 days;

    uint8 private constant _PEER = 1;
    uint8 private constant _VALIDATOR = 2;
    uint8 private constant _LOG = 3;

    /// @inheritdoc INodes
    bytes32 public genesisHash;
    /// @inheritdoc INodes
    /// @dev Slot 1, with the next two, which the node reads after every block.
    uint32 public nodeCount;
    /// @inheritdoc INodes
    uint64 public handoverDue;
    /// @inheritdoc INodes
    uint32 public epochLength;
    mapping(uint32 node => Node) internal _nodes;
    uint32[] private _inUse;
    mapping(uint32 organisation => uint256) private _inUseOf;
    mapping(bytes32 key => uint32) private _keys;
    mapping(address validator => KeyRecord) internal _validatorKeys;
    mapping(bytes32 name => uint32) private _names;
    /// Last height of each set but the present one; the founders' follows the first, 0.
    uint64[] private _handovers;

    /// A validator key. `joined` and `left` are numbers of handovers, from 1; 0 for none.
    struct KeyRecord {
        uint32 node;
        uint32 joined;
        uint32 left;
    }

    // By the node

    /// @inheritdoc INodes
    function bindGenesis(bytes32 hash) external {
        System.requireCaller(System.CALLER);
        if (genesisHash != 0 || hash == 0 || block.number != 1) {
            revert NodesGenesisAlreadyBound(block.number);
        }
        genesisHash = hash;
        emit GenesisBound(hash);
    }

    /// @inheritdoc INodes
    function foundEpoch(uint32 length) external {
        System.requireFounding();
        epochLength = length;
        _handovers.push(0);
    }

    /// @inheritdoc INodes
    function handOver() external {
        System.requireCaller(System.CALLER);
        handoverDue = 0;
        _handovers.push(uint64(block.number));
    }

    /// @inheritdoc INodes
    function setEpoch(uint32 length) external {
        System.requireCaller(System.UPGRADES);
        epochLength = length;
    }

    // By an organisation's administrators

    /// @inheritdoc INodes
    function registerNode(Registration calldata registration, Possession calldata possession)
        external
        returns (uint32 node)
    {
        uint32 organisation = IPermissions(System.PERMISSIONS).administratorOf(msg.sender);
        node = _register(organisation, registration);
        uint64 deadline = possession.deadline;
        _requireEd25519(organisation, _PEER, registration.peerKey, possession.peer, deadline);
        if (_nodes[node].validator != address(0)) {
            _requireSecp256k1(node, possession.validator, deadline);
        }
        if (registration.logKey != 0) {
            _requireEd25519(organisation, _LOG, registration.logKey, possession.log, deadline);
        }
    }

    /// @inheritdoc INodes
    function updateNode(uint32 node, string calldata endpoint, string calldata version) external {
        _requireOperator(node);
        _describe(_nodes[node], endpoint, version);
        emit NodeUpdated(node, endpoint, version);
    }

    /// @inheritdoc INodes
    function rotatePeerKey(
        uint32 node,
        bytes32 key,
        Signature calldata proof,
        uint64 deadline,
        uint64 overlapEnd
    ) external {
        Node storage record = _requireOperator(node);
        if (overlapEnd > block.timestamp + OVERLAP_MAX) {
            revert NodesOverlapTooLong(OVERLAP_MAX, overlapEnd - block.timestamp);
        }
        bytes32 before = record.peerKey;
        _takeKey(node, _PEER, key);
        _requireEd25519(record.organisation, _PEER, key, proof, deadline);
        (record.peerKey, record.oldPeerKey, record.overlapEnd) = (key, before, overlapEnd);
        emit PeerKeySet(node, key, before, overlapEnd);
    }

    /// @inheritdoc INodes
    function rotateLogKey(uint32 node, bytes32 key, Signature calldata proof, uint64 deadline)
        external
    {
        Node storage record = _requireOperator(node);
        _takeKey(node, _LOG, key);
        _requireEd25519(record.organisation, _LOG, key, proof, deadline);
        emit LogKeySet(node, key, record.logKey);
        record.logKey = key;
    }

    /// @inheritdoc INodes
    function setPostQuantumKey(uint32 node, bytes32 keyHash) external {
        Node storage record = _requireOperator(node);
        // Only this organisation's: nobody proves possession, so that nobody could register it
        // first, to keep it out.
        if (keyHash != 0) {
            _takeKey(node, _LOG, keccak256(abi.encode(record.organisation, keyHash)));
        }
        emit PostQuantumKeySet(node, keyHash, record.postQuantumKey);
        record.postQuantumKey = keyHash;
    }

    // Views

    /// @inheritdoc INodes
    function peers() external view returns (PeerView[] memory list) {
        PeerView[] memory found = new PeerView[](2 * _inUse.length);
        uint256 count = 0;
        for (uint256 i = 0; i < _inUse.length; i++) {
            Node storage record = _nodes[_inUse[i]];
            if (!_isActive(record.organisation)) continue;
            found[count++] = _peer(record, record.peerKey);
            if (record.oldPeerKey != 0 && block.timestamp <= record.overlapEnd) {
                found[count++] = _peer(record, record.oldPeerKey);
            }
        }
        list = new PeerView[](count);
        for (uint256 i = 0; i < count; i++) {
            list[i] = found[i];
        }
    }

    /// @inheritdoc INodes
    function nodeOf(uint32 node) public view returns (Node memory) {
        _requireKnown(node);
        return _nodes[node];
    }

    /// @inheritdoc INodes
    function nodes(uint256 from, uint256 count) external view returns (Node[] memory page) {
        page = new Node[](System.pageLength(uint256(nodeCount) + 1, from, count));
        for (uint256 i = 0; i < page.length; i++) {
            page[i] = nodeOf(uint32(from + i));
        }
    }

    /// @inheritdoc INodes
    function nodesOf(uint32 organisation) public view returns (uint32[] memory list) {
        list = new uint32[](_inUseOf[organisation]);
        uint256 count = 0;
        for (uint256 i = 0; count < list.length; i++) {
            uint32 node = _inUse[i];
            if (_nodes[node].organisation == organisation) list[count++] = node;
        }
    }

    /// @inheritdoc INodes
    function nodeByKey(bytes32 key) external view returns (uint32) {
        return _keys[key];
    }

    /// @inheritdoc INodes
    function validatorKeyOf(address validator) public view returns (ValidatorKey memory key) {
        KeyRecord memory record = _validatorKeys[validator];
        uint256 count = _handovers.length;
        key.node = record.node;
        if (record.joined == 0 || record.joined > count) return key;
        key.first = _handovers[record.joined - 1] + 1;
        bool stays = record.left == 0 || record.left > count;
        key.last = stays ? type(uint64).max : _handovers[record.left - 1];
    }

    /// @inheritdoc INodes
    function nodeByName(string calldata name) external view returns (uint32) {
        return _names[keccak256(bytes(name))];
    }

    /// @inheritdoc INodes
    function possessionDigest(uint32 organisation, uint8 kind, bytes calldata key, uint64 deadline)
        external
        view
        returns (bytes32)
    {
        return _possessionDigest(organisation, kind, key, deadline);
    }

    // Nodes

    /// A new observer; proofs of possession are the caller's concern.
    function _register(uint32 organisation, Registration calldata registration)
        internal
        returns (uint32 node)
    {
        uint256 own = _inUseOf[organisation]++;
        if (own == ORGANISATION_NODES_MAX) {
            revert NodesTooMany(organisation, ORGANISATION_NODES_MAX);
        }
        uint256 places = own == 0 ? NODES_MAX : NODES_MAX - FIRST_NODES;
        if (_inUse.length >= places) revert NodesTooMany(0, places);
        Texts.requireLabel("name", registration.name, NAME_BYTES_MAX);
        bytes32 name = keccak256(bytes(registration.name));
        if (_names[name] != 0) revert NodesNameTaken(registration.name, _names[name]);
        node = ++nodeCount;
        _names[name] = node;
        Node storage record = _nodes[node];
        record.organisation = organisation;
        record.registeredHeight = uint64(block.number);
        record.position = uint32(_inUse.length);
        _inUse.push(node);
        record.name = registration.name;
        _describe(record, registration.endpoint, registration.version);
        emit NodeRegistered(node, organisation, registration.name);
        _takeKeys(node, registration);
    }

    function _takeKeys(uint32 node, Registration calldata registration) private {
        _takeKey(node, _PEER, registration.peerKey);
        _nodes[node].peerKey = registration.peerKey;
        emit PeerKeySet(node, registration.peerKey, 0, 0);
        if (registration.validatorX != 0 || registration.validatorY != 0) {
            _takeValidatorKey(node, registration.validatorX, registration.validatorY);
        }
        if (registration.logKey != 0) {
            _takeKey(node, _LOG, registration.logKey);
            _nodes[node].logKey = registration.logKey;
            emit LogKeySet(node, registration.logKey, 0);
        }
    }

    function _describe(Node storage record, string calldata endpoint, string calldata version)
        private
    {
        Texts.requireLineFrom("endpoint", endpoint, "/", ENDPOINT_BYTES_MAX);
        Texts.requireLine("version", version, 0, VERSION_BYTES_MAX);
        record.endpoint = endpoint;
        record.version = version;
    }

    function _retire(uint32 node) internal {
        Node storage record = _nodes[node];
        uint32 last = _inUse[_inUse.length - 1];
        _inUse[record.position] = last;
        _nodes[last].position = record.position;
        _inUse.pop();
        _inUseOf[record.organisation]--;
        record.retired = true;
        emit NodeRetired(node);
    }

    // Keys

    function _takeKey(uint32 node, uint8 kind, bytes32 key) private {
        if (key == 0) revert NodesKeyMissing(kind);
        if (_keys[key] != 0) revert NodesKeyUsed(key, _keys[key]);
        _keys[key] = node;
    }

    function _takeValidatorKey(uint32 node, bytes32 x, bytes32 y) internal {
        address validator = Possessions.addressOf(x, y);
        KeyRecord storage key = _validatorKeys[validator];
        if (key.node != 0) revert NodesKeyUsed(x, key.node);
        key.node = node;
        Node storage record = _nodes[node];
        emit ValidatorKeySet(node, validator, record.validator);
        record.validator = validator;
        record.validatorX = x;
        record.odd = uint256(y) & 1 == 1;
    }

    // Handovers

    /// Number of the handover with which a change of now takes effect.
    function _nextHandover() internal view returns (uint32) {
        return uint32(block.number == 0 ? 1 : _handovers.length + 1);
    }

    /// Lets the set as it is now follow at the end of the epoch, or with this block. What else
    /// has changed in the epoch goes with it.
    function _schedule(bool atOnce) internal {
        if (atOnce || epochLength == 0) {
            handoverDue = uint64(block.timestamp);
        } else if (handoverDue == 0) {
            handoverDue = uint64((block.timestamp / epochLength + 1) * epochLength);
        }
        emit ValidatorSetChanged(handoverDue);
    }

    function _requireValidatorKey(uint32 node) internal view {
        if (_nodes[node].validator == address(0)) revert NodesKeyMissing(_VALIDATOR);
    }

    function _requireEd25519(
        uint32 organisation,
        uint8 kind,
        bytes32 key,
        Signature calldata proof,
        uint64 deadline
    ) private view {
        _requireInTime(deadline);
        bytes32 digest = _possessionDigest(organisation, kind, abi.encodePacked(key), deadline);
        Possessions.requireEd25519(kind, digest, key, proof);
    }

    function _requireSecp256k1(uint32 node, Signature calldata proof, uint64 deadline)
        internal
        view
    {
        _requireInTime(deadline);
        Node storage record = _nodes[node];
        bytes memory key = Possessions.compressed(record.validatorX, record.odd);
        bytes32 digest = _possessionDigest(record.organisation, _VALIDATOR, key, deadline);
        Possessions.requireSecp256k1(_VALIDATOR, digest, record.validator, proof);
    }

    function _requireInTime(uint64 deadline) private view {
        if (block.timestamp > deadline) revert NodesPossessionExpired(deadline, block.timestamp);
    }

    function _possessionDigest(uint32 organisation, uint8 kind, bytes memory key, uint64 deadline)
        private
        view
        returns (bytes32)
    {
        if (genesisHash == 0) revert NodesGenesisNotBound();
        return Possessions.digest(genesisHash, organisation, kind, key, deadline);
    }

    // Checks

    function _requireKnown(uint32 node) private view {
        if (node == 0 || node > nodeCount) revert NodesUnknown(node);
    }

    function _requireInUse(uint32 node) internal view returns (Node storage record) {
        _requireKnown(node);
        record = _nodes[node];
        if (record.retired) revert NodesRetired(node);
    }

    function _requireOperator(uint32 node) internal view returns (Node storage record) {
        record = _requireInUse(node);
        uint32 got = IPermissions(System.PERMISSIONS).administratorOf(msg.sender);
        if (got != record.organisation) revert NodesNotOperator(record.organisation, got);
    }

    function _isActive(uint32 organisation) internal view returns (bool) {
        uint8 status = uint8(IOrganisations(System.ORGANISATIONS).standing(organisation));
        return status == uint8(IOrganisations.Status.Active);
    }

    function _peer(Node storage record, bytes32 key) private view returns (PeerView memory) {
        return PeerView({
            peerKey: key,
            organisation: record.organisation,
            nodeType: record.validating ? 1 : 2,
            validator: record.validating ? record.validator : address(0),
            logKey: record.logKey,
            postQuantumKey: record.postQuantumKey,
            name: record.name,
            endpoint: record.endpoint
        });
    }
}
