// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IChains} from "./IChains.sol";
import {IOrganisations} from "./IOrganisations.sol";
import {IPermissions} from "./IPermissions.sol";
import {System} from "./System.sol";
import {Texts} from "./Texts.sol";

/// @title The register of other chains at 0x0000000000000000000000000000000000001005.
/// @dev Code alone at genesis: no constructor, no immutables, no storage.
contract Chains is IChains {
    /// @notice Bytes of `technology`.
    uint256 public constant TECHNOLOGY_BYTES_MAX = 64;
    /// @notice Records of one organisation that are not retired.
    uint256 public constant CHAINS_MAX = 64;

    uint8 private constant _STATUS_MAX = uint8(type(Status).max);

    mapping(uint32 chain => Chain) private _chains;
    mapping(bytes32 caip2 => uint32) private _active;
    mapping(uint32 operator => uint256) private _activeCount;
    /// @inheritdoc IChains
    uint32 public chainCount;

    /// @inheritdoc IChains
    function register(string calldata caip2, string calldata technology, string calldata contactUrl)
        external
        returns (uint32 chain)
    {
        uint32 operator = IPermissions(System.PERMISSIONS).administratorOf(msg.sender);
        if (!_isCaip2(bytes(caip2))) revert ChainsIdInvalid(caip2);
        chain = ++chainCount;
        Chain storage record = _chains[chain];
        record.caip2 = caip2;
        record.registeredHeight = uint64(block.number);
        _write(record, technology, contactUrl);
        _activate(chain, operator);
        emit ChainRegistered(chain, operator, caip2, technology);
    }

    /// @inheritdoc IChains
    function update(uint32 chain, string calldata technology, string calldata contactUrl) external {
        _requireOperator(chain);
        _write(_chains[chain], technology, contactUrl);
        emit ChainUpdated(chain, technology, contactUrl);
    }

    /// @inheritdoc IChains
    function setStatus(uint32 chain, uint8 status) external {
        _set(chain, _requireOperator(chain), status);
    }

    /// @inheritdoc IChains
    function setChain(uint32 chain, uint32 operator, uint8 status) external {
        System.requireCaller(System.MOTIONS);
        uint8 standing = uint8(IOrganisations(System.ORGANISATIONS).standing(operator));
        if (standing != uint8(IOrganisations.Status.Active)) {
            // Retiring the record of an operator that is gone changes no operator.
            bool retires = status == uint8(Status.Retired) && operator == _chains[chain].operator;
            if (!retires) revert ChainsOperatorNotActive(operator);
        }
        _set(chain, operator, status);
    }

    // Views

    /// @inheritdoc IChains
    function chainOf(uint32 chain) public view returns (Chain memory) {
        _requireKnown(chain);
        return _chains[chain];
    }

    /// @inheritdoc IChains
    function chains(uint256 from, uint256 count) external view returns (Chain[] memory page) {
        page = new Chain[](System.pageLength(uint256(chainCount) + 1, from, count));
        for (uint256 i = 0; i < page.length; i++) {
            page[i] = chainOf(uint32(from + i));
        }
    }

    /// @inheritdoc IChains
    function chainByCaip2(string calldata caip2) external view returns (uint32) {
        return _active[keccak256(bytes(caip2))];
    }

    // Helpers

    function _write(Chain storage record, string calldata technology, string calldata contactUrl)
        private
    {
        Texts.requireLine("technology", technology, 1, TECHNOLOGY_BYTES_MAX);
        Texts.requireUrl("contactUrl", contactUrl);
        record.technology = technology;
        record.contactUrl = contactUrl;
    }

    function _set(uint32 chain, uint32 operator, uint8 status) private {
        _requireKnown(chain);
        if (status == 0 || status > _STATUS_MAX) {
            revert ChainsStatusOutOfRange(_STATUS_MAX, status);
        }
        Chain storage record = _chains[chain];
        if (record.status == uint8(Status.Active)) {
            delete _active[keccak256(bytes(record.caip2))];
            _activeCount[record.operator]--;
        }
        if (status == uint8(Status.Active)) {
            _activate(chain, operator);
        } else {
            (record.operator, record.status) = (operator, status);
        }
        emit ChainSet(chain, operator, status);
    }

    /// Takes the id of a record that is not active.
    function _activate(uint32 chain, uint32 operator) private {
        Chain storage record = _chains[chain];
        bytes32 key = keccak256(bytes(record.caip2));
        uint32 holder = _active[key];
        if (holder != 0) revert ChainsIdTaken(record.caip2, holder);
        if (_activeCount[operator] == CHAINS_MAX) revert ChainsTooMany(CHAINS_MAX);
        _active[key] = chain;
        _activeCount[operator]++;
        (record.operator, record.status) = (operator, uint8(Status.Active));
    }

    function _requireKnown(uint32 chain) private view {
        if (chain == 0 || chain > chainCount) revert ChainsUnknown(chain);
    }

    function _requireOperator(uint32 chain) private view returns (uint32 operator) {
        _requireKnown(chain);
        operator = _chains[chain].operator;
        uint32 got = IPermissions(System.PERMISSIONS).administratorOf(msg.sender);
        if (got != operator) revert ChainsNotOperator(operator, got);
    }

    function _isCaip2(bytes calldata id) private pure returns (bool) {
        uint256 colon = 0;
        while (colon < id.length && id[colon] != ":") colon++;
        uint256 rest = id.length - colon;
        // The rest counts the colon.
        if (colon < 3 || colon > 8 || rest < 2 || rest > 33) return false;
        for (uint256 i = 0; i < id.length; i++) {
            bytes1 c = id[i];
            bool both = c == "-" || Texts.isLower(c) || Texts.isDigit(c);
            bool only = i > colon && (c == "_" || Texts.isUpper(c));
            if (i != colon && !both && !only) return false;
        }
        return true;
    }
}
