// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

import {Consents} from "./Consents.sol";
import {IOrganisations} from "./IOrganisations.sol";
import {IPermissions} from "./IPermissions.sol";
import {System} from "./System.sol";

/// @title Accounts, permissions, quotas and usage at 0x0000000000000000000000000000000000001004.
/// @dev Placed in the genesis state with the storage that the founding calls leave. The node
/// enforces what stands here (SPEC §13.4); the other contracts ask for administrators and voters.
contract Permissions is IPermissions {
    /// @notice May send transactions at all.
    uint32 public constant SEND = 1;
    /// @notice May create contracts, by whatever contract's code.
    uint32 public constant DEPLOY = 2;
    /// @notice May state things in the attestation log (leaves of kinds 1 to 6).
    uint32 public constant ATTEST = 4;
    /// @notice May act as a relayer of messages from other chains.
    uint32 public constant RELAY = 8;
    /// @notice May manage accounts, nodes and records of its organisation.
    uint32 public constant ADMINISTER = 16;
    /// @notice May propose motions and cast its organisation's vote.
    uint32 public constant VOTE = 32;
    /// @notice All permissions.
    uint32 public constant KNOWN = 63;
    /// @notice What accounts of nobody may be given: all but to administer and to vote.
    uint32 public constant PUBLIC = 15;
    /// @notice A quota without limit.
    uint64 public constant UNLIMITED = type(uint64).max;
    /// @notice Accounts of one organisation.
    uint256 public constant ACCOUNTS_MAX = 256;

    /// @inheritdoc IPermissions
    mapping(address account => uint256) public accounts;
    /// @inheritdoc IPermissions
    mapping(uint32 organisation => uint256) public quotas;
    /// @inheritdoc IPermissions
    mapping(uint32 organisation => uint256) public usage;
    /// @inheritdoc IPermissions
    uint256 public parameters;

    /// @inheritdoc IPermissions
    mapping(uint32 organisation => uint32) public organisationPermissions;
    mapping(uint32 organisation => address[]) private _members;
    /// Place of an account in its organisation's list.
    mapping(address account => uint256) private _places;
    /// @inheritdoc IPermissions
    mapping(uint32 organisation => uint256) public administratorCount;
    /// @inheritdoc IPermissions
    mapping(address account => uint256) public consents;
    /// Slot 9, which proofs are about (SPEC §10.11).
    // Written through references to its elements.
    // slither-disable-next-line uninitialized-state
    mapping(address account => uint256[]) private _memberships;

    uint256 private constant _SINCE_SHIFT = 32;
    uint256 private constant _UNTIL_SHIFT = 96;

    // Founding

    /// @inheritdoc IPermissions
    function foundOrganisation(uint32 organisation, uint32 permissions, uint64 gas, uint64 leaves)
        external
    {
        System.requireFounding();
        _requireActive(organisation);
        _setOrganisationPermissions(organisation, permissions);
        _setQuota(organisation, gas, leaves);
    }

    /// @inheritdoc IPermissions
    function foundAccount(uint32 organisation, address account, uint32 permissions) external {
        System.requireFounding();
        if (permissions == 0) revert PermissionsNone();
        _setAccount(organisation, account, permissions, false);
    }

    /// @inheritdoc IPermissions
    function foundParameters(
        uint32 publicPermissions,
        uint64 publicGas,
        uint64 publicLeaves,
        uint32 periodLength
    ) external {
        System.requireFounding();
        _setPublicPermissions(publicPermissions);
        _setQuota(0, publicGas, publicLeaves);
        _setPeriod(periodLength);
    }

    // By an organisation's administrators

    /// @inheritdoc IPermissions
    function grant(address account, uint32 permissions) external {
        uint32 organisation = administratorOf(msg.sender);
        if (permissions == 0) revert PermissionsNone();
        if (uint32(accounts[account]) != organisation) {
            revert PermissionsConsentNeeded(account, organisation);
        }
        _setAccount(organisation, account, permissions, false);
        _requireAdministrator(organisation);
    }

    /// @inheritdoc IPermissions
    function addAccount(address account, uint32 permissions, Consent calldata consent) external {
        uint32 organisation = administratorOf(msg.sender);
        if (permissions == 0) revert PermissionsNone();
        if (block.timestamp > consent.deadline) {
            revert PermissionsConsentExpired(consent.deadline, block.timestamp);
        }
        bytes32 digest = consentDigest(organisation, account, permissions, consent.deadline);
        // The third value only details the fault.
        // slither-disable-next-line unused-return
        (address signer, ECDSA.RecoverError fault,) =
            ECDSA.tryRecover(digest, consent.v, consent.r, consent.s);
        if (fault != ECDSA.RecoverError.NoError || signer != account) {
            revert PermissionsConsentInvalid(account, organisation, consents[account]);
        }
        consents[account]++;
        _setAccount(organisation, account, permissions, false);
        _requireAdministrator(organisation);
    }

    /// @inheritdoc IPermissions
    function withdraw(address account) external {
        uint32 organisation = administratorOf(msg.sender);
        _setAccount(organisation, account, 0, false);
        _requireAdministrator(organisation);
    }

    // By motion

    /// @inheritdoc IPermissions
    function setAccount(uint32 organisation, address account, uint32 permissions) external {
        System.requireCaller(System.MOTIONS);
        _setAccount(organisation, account, permissions, true);
    }

    /// @inheritdoc IPermissions
    function setQuota(uint32 organisation, uint64 gas, uint64 leaves) external {
        System.requireCaller(System.MOTIONS);
        if (organisation != 0) _requireActive(organisation);
        _setQuota(organisation, gas, leaves);
    }

    /// @inheritdoc IPermissions
    function setOrganisationPermissions(uint32 organisation, uint32 permissions) external {
        System.requireCaller(System.MOTIONS);
        _requireActive(organisation);
        _setOrganisationPermissions(organisation, permissions);
    }

    /// @inheritdoc IPermissions
    function setPublicPermissions(uint32 permissions) external {
        System.requireCaller(System.MOTIONS);
        _setPublicPermissions(permissions);
    }

    /// @inheritdoc IPermissions
    function setPeriod(uint32 length) external {
        System.requireCaller(System.MOTIONS);
        _setPeriod(length);
    }

    // By the node

    /// @inheritdoc IPermissions
    function charge(
        uint32[] calldata organisations,
        uint64[] calldata gas,
        uint64[] calldata leaves
    ) external {
        System.requireCaller(System.CALLER);
        uint256 count = organisations.length;
        if (gas.length != count || leaves.length != count) {
            revert PermissionsLengths(count, gas.length, leaves.length);
        }
        for (uint256 i = 0; i < count; i++) {
            Usage memory used = usageOf(organisations[i]);
            uint256 sum = _sum(used.gas, gas[i]);
            uint256 leafSum = _sum(used.leaves, leaves[i]);
            usage[organisations[i]] = used.period | (sum << 64) | (leafSum << 128);
        }
    }

    // Views

    /// @inheritdoc IPermissions
    function accountOf(address account)
        public
        view
        returns (uint32 organisation, uint32 permissions, bool active)
    {
        uint256 word = accounts[account];
        organisation = uint32(word);
        if (organisation == 0) return (0, uint32(parameters), true);
        return (organisation, uint32(word >> 32), _statusOf(organisation) == _ACTIVE);
    }

    /// @inheritdoc IPermissions
    function requirePermission(address account, uint32 permission)
        public
        view
        returns (uint32 organisation)
    {
        uint32 permissions;
        bool active;
        (organisation, permissions, active) = accountOf(account);
        if (!active) {
            revert PermissionsOrganisationNotActive(organisation, _statusOf(organisation));
        }
        if (permissions & permission != permission) revert PermissionsMissing(account, permission);
    }

    /// @inheritdoc IPermissions
    function administratorOf(address account) public view returns (uint32 organisation) {
        return requirePermission(account, ADMINISTER);
    }

    /// @inheritdoc IPermissions
    function quotaOf(uint32 organisation) external view returns (Quota memory) {
        uint256 word = quotas[organisation];
        return Quota(uint64(word), uint64(word >> 64));
    }

    /// @inheritdoc IPermissions
    function usageOf(uint32 organisation) public view returns (Usage memory) {
        uint64 period = uint64(block.timestamp / _periodLength());
        uint256 word = usage[organisation];
        if (uint64(word) != period) return Usage(period, 0, 0);
        return Usage(period, uint64(word >> 64), uint64(word >> 128));
    }

    /// @inheritdoc IPermissions
    function periodEnd() external view returns (uint256) {
        uint256 length = _periodLength();
        return (block.timestamp / length + 1) * length;
    }

    /// @inheritdoc IPermissions
    function accountCount(uint32 organisation) external view returns (uint256) {
        return _members[organisation].length;
    }

    /// @inheritdoc IPermissions
    function accountsOf(uint32 organisation, uint256 from, uint256 count)
        external
        view
        returns (address[] memory page)
    {
        address[] storage members = _members[organisation];
        page = new address[](System.pageLength(members.length, from, count));
        for (uint256 i = 0; i < page.length; i++) {
            page[i] = members[from + i];
        }
    }

    /// @inheritdoc IPermissions
    function membershipCount(address account) external view returns (uint256) {
        return _memberships[account].length;
    }

    /// @inheritdoc IPermissions
    function membershipsOf(address account, uint256 from, uint256 count)
        external
        view
        returns (uint256[] memory page)
    {
        uint256[] storage memberships = _memberships[account];
        page = new uint256[](System.pageLength(memberships.length, from, count));
        for (uint256 i = 0; i < page.length; i++) {
            page[i] = memberships[from + i];
        }
    }

    /// @inheritdoc IPermissions
    function consentDigest(
        uint32 organisation,
        address account,
        uint32 permissions,
        uint64 deadline
    ) public view returns (bytes32) {
        return Consents.digest(organisation, account, permissions, consents[account], deadline);
    }

    // Helpers

    uint256 private constant _ACTIVE = uint256(uint8(IOrganisations.Status.Active));

    /// Gives an account these permissions, or takes it away if there are none. `takesOver`:
    /// whoever has it.
    function _setAccount(uint32 organisation, address account, uint32 permissions, bool takesOver)
        private
    {
        _requireActive(organisation);
        _requireKnown(permissions, KNOWN);
        uint32 allowed = organisationPermissions[organisation];
        if (permissions & ~allowed != 0) {
            revert PermissionsNotAllowed(organisation, allowed, permissions);
        }
        if (account == address(0) || account == System.CALLER) {
            revert PermissionsAccountReserved(account);
        }
        _release(account, organisation, takesOver);
        address[] storage members = _members[organisation];
        bool listed = accounts[account] != 0;
        if (permissions == 0) {
            if (!listed) revert PermissionsNotAccount(account, organisation);
            _unlist(members, account);
        } else if (!listed) {
            if (members.length == ACCOUNTS_MAX) revert PermissionsTooManyAccounts(ACCOUNTS_MAX);
            _places[account] = members.length;
            members.push(account);
        }
        _write(organisation, account, permissions);
    }

    /// Refuses accounts of other organisations; those of one that is suspended or has left are
    /// free.
    function _release(address account, uint32 organisation, bool takesOver) private {
        uint32 holder = uint32(accounts[account]);
        if (holder == 0 || holder == organisation) return;
        if (!takesOver && _statusOf(holder) == _ACTIVE) {
            revert PermissionsAccountTaken(account, holder);
        }
        _unlist(_members[holder], account);
        _write(holder, account, 0);
    }

    function _write(uint32 organisation, address account, uint32 permissions) private {
        bool was = (accounts[account] >> 32) & ADMINISTER != 0;
        bool becomes = permissions & ADMINISTER != 0;
        if (becomes && !was) administratorCount[organisation]++;
        if (was && !becomes) administratorCount[organisation]--;
        _remember(account, permissions == 0 ? 0 : organisation);
        accounts[account] =
            permissions == 0 ? 0 : uint256(organisation) | (uint256(permissions) << 32);
        emit AccountSet(organisation, account, permissions, msg.sender);
    }

    /// Keeps whose account it was, since and until which block.
    function _remember(address account, uint32 next) private {
        uint32 last = uint32(accounts[account]);
        if (last == next) return;
        uint256[] storage memberships = _memberships[account];
        if (last != 0) memberships[memberships.length - 1] |= block.number << _UNTIL_SHIFT;
        if (next != 0) memberships.push(next | (block.number << _SINCE_SHIFT));
    }

    function _setOrganisationPermissions(uint32 organisation, uint32 permissions) private {
        _requireKnown(permissions, KNOWN);
        uint32 lost = organisationPermissions[organisation] & ~permissions;
        organisationPermissions[organisation] = permissions;
        emit OrganisationPermissionsSet(organisation, permissions);
        if (lost == 0) return;
        address[] storage members = _members[organisation];
        // From the end: an account that is left with nothing is removed from the list.
        for (uint256 i = members.length; i > 0; i--) {
            address account = members[i - 1];
            uint32 before = uint32(accounts[account] >> 32);
            if (before & lost == 0) continue;
            if (before & permissions == 0) _unlist(members, account);
            _write(organisation, account, before & permissions);
        }
    }

    /// The last account takes the place of this one.
    function _unlist(address[] storage members, address account) private {
        address last = members[members.length - 1];
        uint256 place = _places[account];
        (members[place], _places[last]) = (last, place);
        members.pop();
    }

    function _setQuota(uint32 organisation, uint64 gas, uint64 leaves) private {
        quotas[organisation] = uint256(gas) | (uint256(leaves) << 64);
        emit QuotaSet(organisation, gas, leaves);
    }

    function _setPublicPermissions(uint32 permissions) private {
        _requireKnown(permissions, PUBLIC);
        parameters = (parameters & ~uint256(type(uint32).max)) | permissions;
        emit PublicPermissionsSet(permissions);
    }

    function _setPeriod(uint32 length) private {
        if (length == 0) revert PermissionsPeriodZero();
        parameters = uint256(uint32(parameters)) | (uint256(length) << 32);
        emit PeriodSet(length);
    }

    function _requireKnown(uint32 permissions, uint32 known) private pure {
        if (permissions & ~known != 0) revert PermissionsUnknown(known, permissions);
    }

    function _requireAdministrator(uint32 organisation) private view {
        if (administratorCount[organisation] == 0) {
            revert PermissionsLastAdministrator(organisation);
        }
    }

    function _requireActive(uint32 organisation) private view {
        uint256 status = _statusOf(organisation);
        if (status != _ACTIVE) revert PermissionsOrganisationNotActive(organisation, status);
    }

    function _statusOf(uint32 organisation) private view returns (uint256) {
        return uint8(IOrganisations(System.ORGANISATIONS).standing(organisation));
    }

    /// A charge must not fail, not even if nobody founded a period.
    function _periodLength() private view returns (uint256 length) {
        length = uint32(parameters >> 32);
        return length == 0 ? 1 : length;
    }

    function _sum(uint64 used, uint64 more) private pure returns (uint256 sum) {
        sum = uint256(used) + more;
        return sum > UNLIMITED ? UNLIMITED : sum;
    }
}
