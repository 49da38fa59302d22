// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IChains} from "./IChains.sol";
import {IFacts} from "./IFacts.sol";
import {IOrganisations} from "./IOrganisations.sol";
import {IPermissions} from "./IPermissions.sol";
import {System} from "./System.sol";
import {Verifiers} from "./Verifiers.sol";

/// @title Facts of other EVM chains, at 0x0000000000000000000000000000000000001007.
/// @dev Code alone at genesis: no constructor, no immutables, no storage. Headers and proofs are
/// verified by the node's precompiles; this contract keeps what is trusted, and for how long.
contract Facts is IFacts {
    /// @notice Clients of one record of a chain.
    uint256 public constant CLIENTS_MAX = 16;
    /// @notice Fewest validators that tolerate a fault.
    uint256 public constant VALIDATORS_MIN = 4;
    /// @notice Seconds by which a header may be ahead of the block's time.
    uint256 public constant DRIFT = 60;
    uint32 public constant TRUST_PERIOD_MIN = 1 hours;
    uint32 public constant TRUST_PERIOD_MAX = 90 days;

    uint32 private constant _RELAY = 8;

    struct Fact {
        bool imported;
        bytes32 value;
    }

    mapping(uint32 client => Client) private _clients;
    mapping(uint32 chain => uint256) private _clientsOfChain;
    mapping(uint32 client => mapping(uint64 height => Header)) private _headers;
    mapping(bytes32 key => Fact) private _facts;
    /// @inheritdoc IFacts
    uint32 public clientCount;
    mapping(uint32 client => Origin) private _origins;

    // Clients

    /// @inheritdoc IFacts
    function open(
        uint32 chain,
        uint8 kind,
        uint32 trustPeriod,
        Origin calldata origin,
        bytes calldata header,
        bytes calldata ancestry
    ) external returns (uint32 client) {
        _requireCanonical(
            abi.encodeCall(this.open, (chain, kind, trustPeriod, origin, header, ancestry))
        );
        uint32 organisation = _requireMayOpen(chain, trustPeriod);
        _requireOrigin(origin);
        Verifiers.Verified memory found = _verify(kind, "", header);
        Verifiers.requireAncestor(header, origin.height, origin.blockHash, ancestry);
        client = ++clientCount;
        _clientsOfChain[chain]++;
        Client storage opened = _clients[client];
        (opened.chain, opened.organisation, opened.kind) = (chain, organisation, kind);
        (opened.trustPeriod, opened.account) = (trustPeriod, msg.sender);
        opened.chainId = _evmChainId(IChains(System.CHAINS).chainOf(chain).caip2);
        (opened.first, opened.latest) = (found.height, found.height);
        _origins[client] = origin;
        _headers[client][found.height] = _header(found);
        _requireTrusted(client, found.height);
        _emitOpened(client, origin, _header(found));
    }

    /// @inheritdoc IFacts
    function update(uint32 client, Step calldata step) external {
        _requireCanonical(abi.encodeCall(this.update, (client, step)));
        _requireRelayer();
        _requireUsable(client);
        uint64 base = step.base;
        Verifiers.Verified memory found = _follow(client, step);
        if (found.height == base) revert FactsBelowBase(base, found.height);
        Verifiers.requireAncestor(step.header, base, _hashAt(client, base), step.ancestry);
        bytes32 known = _headers[client][found.height].blockHash;
        if (known == found.blockHash) revert FactsHeaderKnown(client, found.height);
        if (known != 0) {
            _freeze(client, found.height, known, found.blockHash);
            return;
        }
        Client storage it = _clients[client];
        _requireTimeOrder(client, base, found);
        _requireTimeOrder(client, it.latest, found);
        if (found.height > it.latest) it.latest = found.height;
        _headers[client][found.height] = _header(found);
        emit HeaderAccepted(client, found.height, base, _header(found), msg.sender);
    }

    /// @inheritdoc IFacts
    function freeze(uint32 client, Step calldata step, uint64 ancestor) external {
        _requireCanonical(abi.encodeCall(this.freeze, (client, step, ancestor)));
        // Also of a retired chain: retiring it must not keep a lie from being shown.
        _requireNotFrozen(client);
        Verifiers.Verified memory found = _follow(client, step);
        bytes32 hash = _hashAt(client, ancestor);
        Verifiers.requireAncestor(step.header, ancestor, hash, step.ancestry);
        bytes32 known = headerOf(client, found.height).blockHash;
        if (known == found.blockHash) revert FactsNoConflict(client, found.height);
        _freeze(client, found.height, known, found.blockHash);
    }

    // Facts

    /// @inheritdoc IFacts
    function importFact(
        uint32 client,
        uint64 height,
        address account,
        bytes32 slot,
        bytes32 value,
        bytes calldata proof
    ) external {
        _requireCanonical(
            abi.encodeCall(this.importFact, (client, height, account, slot, value, proof))
        );
        _requireRelayer();
        _requireUsable(client);
        Fact storage fact = _facts[_key(client, height, account, slot)];
        if (fact.imported) revert FactsKnown(client, height, account, slot, fact.value);
        bytes32 stateRoot = headerOf(client, height).stateRoot;
        bytes32 proven = Verifiers.storageWord(stateRoot, account, slot, proof);
        if (proven != value) revert FactsValueMismatch(proven, value);
        (fact.imported, fact.value) = (true, value);
        _emitFact(client, height, account, slot, value);
    }

    // Views

    /// @inheritdoc IFacts
    function clientOf(uint32 client) public view returns (Client memory) {
        if (client == 0 || client > clientCount) revert FactsClientUnknown(client);
        return _clients[client];
    }

    /// @inheritdoc IFacts
    function statusOf(uint32 client) external view returns (Status) {
        Client memory it = clientOf(client);
        if (it.frozen) return Status.Frozen;
        if (!_isChainActive(it.chain)) return Status.Retired;
        uint256 until = uint256(_headers[client][it.latest].time) + it.trustPeriod;
        return block.timestamp > until ? Status.Expired : Status.Active;
    }

    /// @inheritdoc IFacts
    function clients(uint256 from, uint256 count) external view returns (Client[] memory page) {
        page = new Client[](System.pageLength(uint256(clientCount) + 1, from, count));
        for (uint256 i = 0; i < page.length; i++) {
            page[i] = clientOf(uint32(from + i));
        }
    }

    /// @inheritdoc IFacts
    function originOf(uint32 client) public view returns (Origin memory) {
        if (client == 0 || client > clientCount) revert FactsClientUnknown(client);
        return _origins[client];
    }

    /// @inheritdoc IFacts
    function headerOf(uint32 client, uint64 height) public view returns (Header memory header) {
        header = _headers[client][height];
        if (header.blockHash == 0) revert FactsHeaderUnknown(client, height);
    }

    /// @inheritdoc IFacts
    function factOf(uint32 client, uint64 height, address account, bytes32 slot)
        external
        view
        returns (bool, bytes32)
    {
        _requireNotFrozen(client);
        Fact memory fact = _facts[_key(client, height, account, slot)];
        return (fact.imported, fact.value);
    }

    // Helpers

    function _requireMayOpen(uint32 chain, uint32 trustPeriod)
        private
        view
        returns (uint32 organisation)
    {
        IChains.Chain memory record = IChains(System.CHAINS).chainOf(chain);
        organisation = IPermissions(System.PERMISSIONS).administratorOf(msg.sender);
        if (organisation != record.operator) {
            revert FactsNotOperator(record.operator, organisation);
        }
        if (record.status != uint8(IChains.Status.Active)) revert FactsChainNotActive(chain);
        if (_clientsOfChain[chain] == CLIENTS_MAX) revert FactsTooManyClients(CLIENTS_MAX);
        if (trustPeriod < TRUST_PERIOD_MIN || trustPeriod > TRUST_PERIOD_MAX) {
            revert FactsTrustPeriodOutOfRange(TRUST_PERIOD_MIN, TRUST_PERIOD_MAX, trustPeriod);
        }
    }

    function _requireOrigin(Origin calldata origin) private pure {
        bool sound = origin.genesisHash != 0 && origin.blockHash != 0;
        if (!sound || (origin.height == 0 && origin.blockHash != origin.genesisHash)) {
            revert FactsOriginMismatch(origin.genesisHash, origin.blockHash);
        }
    }

    function _emitOpened(uint32 client, Origin calldata origin, Header memory first) private {
        Client storage opened = _clients[client];
        uint32 organisation = opened.organisation;
        (string memory nameZhTw, string memory nameEn) =
            IOrganisations(System.ORGANISATIONS).namesOf(organisation);
        emit ClientOpened(
            client, opened.chain, organisation, opened, origin, first, nameZhTw, nameEn
        );
    }

    /// A header that the validators of an accepted one vouch for.
    function _follow(uint32 client, Step calldata step)
        private
        view
        returns (Verifiers.Verified memory found)
    {
        uint64 base = step.base;
        bytes32 expected = headerOf(client, base).trustedHash;
        if (keccak256(step.trusted) != expected) {
            revert FactsTrustedMismatch(expected, keccak256(step.trusted));
        }
        _requireTrusted(client, base);
        found = _verify(_clients[client].kind, step.trusted, step.header);
        if (found.height < base) revert FactsBelowBase(base, found.height);
    }

    /// Hash of an accepted block, or of the origin's.
    function _hashAt(uint32 client, uint64 height) private view returns (bytes32) {
        Origin storage origin = _origins[client];
        return height == origin.height ? origin.blockHash : headerOf(client, height).blockHash;
    }

    function _verify(uint8 kind, bytes memory trusted, bytes calldata header)
        private
        view
        returns (Verifiers.Verified memory found)
    {
        found = Verifiers.header(kind, trusted, header);
        if (found.validators < VALIDATORS_MIN) {
            revert FactsTooFewValidators(VALIDATORS_MIN, found.validators);
        }
        uint256 latestAllowed = block.timestamp + DRIFT;
        if (found.time > latestAllowed) revert FactsFuture(found.time, latestAllowed);
    }

    function _freeze(uint32 client, uint64 height, bytes32 known, bytes32 other) private {
        _clients[client].frozen = true;
        emit ClientFrozen(client, height, known, other, msg.sender);
    }

    function _emitFact(uint32 client, uint64 height, address account, bytes32 slot, bytes32 value)
        private
    {
        Client storage it = _clients[client];
        Header storage header = _headers[client][height];
        emit FactImported(
            client,
            account,
            slot,
            msg.sender,
            it.kind,
            it.chainId,
            height,
            header.time,
            header.blockHash,
            value
        );
    }

    /// Whose the account is, `Permissions` tells; events and leaves have the account.
    function _requireRelayer() private view {
        // slither-disable-next-line unused-return
        IPermissions(System.PERMISSIONS).requirePermission(msg.sender, _RELAY);
    }

    function _requireNotFrozen(uint32 client) private view {
        if (clientOf(client).frozen) revert FactsFrozen(client);
    }

    function _requireUsable(uint32 client) private view {
        _requireNotFrozen(client);
        uint32 chain = _clients[client].chain;
        if (!_isChainActive(chain)) revert FactsChainNotActive(chain);
    }

    function _requireTrusted(uint32 client, uint64 height) private view {
        uint256 until = uint256(_headers[client][height].time) + _clients[client].trustPeriod;
        if (block.timestamp > until) revert FactsExpired(height, until, block.timestamp);
    }

    /// Times do not decrease with heights.
    function _requireTimeOrder(uint32 client, uint64 other, Verifiers.Verified memory found)
        private
        view
    {
        uint64 time = _headers[client][other].time;
        bool ordered = found.height > other ? found.time >= time : found.time <= time;
        if (!ordered) revert FactsTimeOrder(found.height, found.time, other, time);
    }

    function _isChainActive(uint32 chain) private view returns (bool) {
        return IChains(System.CHAINS).chainOf(chain).status == uint8(IChains.Status.Active);
    }

    function _header(Verifiers.Verified memory found) private pure returns (Header memory) {
        return Header(found.blockHash, found.stateRoot, found.trustedHash, found.time);
    }

    function _key(uint32 client, uint64 height, address account, bytes32 slot)
        private
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(client, height, account, slot));
    }

    /// The number in `eip155:<number>`.
    function _evmChainId(string memory caip2) private pure returns (uint64) {
        bytes memory id = bytes(caip2);
        bytes7 namespace = "eip155:";
        bool sound = id.length > 7 && id.length <= 27 && id[7] != "0";
        uint256 number = 0;
        for (uint256 i = 0; sound && i < id.length; i++) {
            if (i < 7) {
                sound = id[i] == namespace[i];
            } else {
                uint256 digit = uint256(uint8(id[i])) - (id[i] < "0" ? 0 : 48);
                sound = id[i] >= "0" && digit < 10;
                number = number * 10 + digit;
            }
        }
        if (!sound || number > type(uint64).max) revert FactsNotEvm(caip2);
        return uint64(number);
    }

    /// Surplus bytes could hold anything.
    function _requireCanonical(bytes memory expected) private pure {
        if (keccak256(expected) != keccak256(msg.data)) revert FactsArgumentsNotCanonical();
    }
}
