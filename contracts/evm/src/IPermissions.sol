// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Permissions: which account acts for which organisation, what it may do, and how much.
/// @notice The node reads slots 0 to 3 for every transaction; their layout is SPEC §13.4.
/// Permission bits: 1 send, 2 deploy, 4 attest, 8 relay, 16 administer, 32 vote.
interface IPermissions {
    /// @notice Quota of an organisation (0: of all accounts that belong to nobody) in a period.
    /// 2^64 - 1 is no limit, 0 is nothing.
    struct Quota {
        uint64 gas;
        uint64 leaves;
    }

    /// @notice What an organisation used in the period with this number.
    struct Usage {
        uint64 period;
        uint64 gas;
        uint64 leaves;
    }

    /// @notice An account's signature that it joins an organisation (EIP-712, type `Consent` of
    /// SPEC §13.4): until the last second of validity, and once. `v` is 27 or 28.
    struct Consent {
        uint64 deadline;
        uint8 v;
        bytes32 r;
        bytes32 s;
    }

    event AccountSet(
        uint32 indexed organisation, address indexed account, uint32 permissions, address by
    );
    event QuotaSet(uint32 indexed organisation, uint64 gas, uint64 leaves);
    event OrganisationPermissionsSet(uint32 indexed organisation, uint32 permissions);
    event PublicPermissionsSet(uint32 permissions);
    event PeriodSet(uint32 length);

    /// @notice The account lacks this permission. Remedy: its organisation's administrators.
    error PermissionsMissing(address account, uint32 permission);
    /// @notice The organisation is suspended, has left, or is none.
    error PermissionsOrganisationNotActive(uint32 organisation, uint256 status);
    /// @notice Bits that are no permission. Remedy: a sum of bits of `known`.
    error PermissionsUnknown(uint32 known, uint32 got);
    /// @notice The organisation itself has only `allowed`. Remedy: a motion.
    error PermissionsNotAllowed(uint32 organisation, uint32 allowed, uint32 got);
    /// @notice No permission at all. Remedy: `withdraw`.
    error PermissionsNone();
    /// @notice The account is not one of this organisation. Remedy: `addAccount`, with its consent.
    error PermissionsConsentNeeded(address account, uint32 organisation);
    /// @notice The consent's deadline has passed, in seconds. Remedy: a new signature.
    error PermissionsConsentExpired(uint64 deadline, uint256 time);
    /// @notice The account did not sign this: other permissions, organisation, deadline, chain or
    /// number of the consent. Remedy: a new signature, with this nonce.
    error PermissionsConsentInvalid(address account, uint32 organisation, uint256 nonce);
    /// @notice The account belongs to another organisation that is active, which must withdraw it
    /// first; or a motion takes it over.
    error PermissionsAccountTaken(address account, uint32 organisation);
    /// @notice Not an account of this organisation.
    error PermissionsNotAccount(address account, uint32 organisation);
    /// @notice An organisation cannot lose its last administrator by itself.
    error PermissionsLastAdministrator(uint32 organisation);
    /// @notice Remedy: withdraw an account first.
    error PermissionsTooManyAccounts(uint256 max);
    /// @notice No one has the key of this address.
    error PermissionsAccountReserved(address account);
    /// @notice Remedy: at least 1 second.
    error PermissionsPeriodZero();
    /// @notice The lists of a charge differ in length.
    error PermissionsLengths(uint256 organisations, uint256 gas, uint256 leaves);

    /// @notice Permissions and quota of an organisation of the founding.
    function foundOrganisation(uint32 organisation, uint32 permissions, uint64 gas, uint64 leaves)
        external;

    /// @notice An account of the founding, within the permissions of its organisation.
    function foundAccount(uint32 organisation, address account, uint32 permissions) external;

    /// @notice What all accounts of nobody may do and use, and the length of a period, seconds.
    function foundParameters(
        uint32 publicPermissions,
        uint64 publicGas,
        uint64 publicLeaves,
        uint32 periodLength
    ) external;

    /// @notice By an administrator: these and no other permissions for an account of its own
    /// organisation.
    function grant(address account, uint32 permissions) external;

    /// @notice By an administrator: an account joins its organisation, with these permissions, and
    /// has signed for it. Accounts of an organisation that is suspended or has left can join.
    function addAccount(address account, uint32 permissions, Consent calldata consent) external;

    /// @notice By an administrator: the account belongs to nobody again.
    function withdraw(address account) external;

    /// @notice By motion: an account of an organisation, whose it was before; no permission
    /// withdraws it. This is how an organisation gets its first account, and a new one if it lost
    /// all keys.
    function setAccount(uint32 organisation, address account, uint32 permissions) external;

    /// @notice By motion. Organisation 0 is the quota of all accounts of nobody together.
    function setQuota(uint32 organisation, uint64 gas, uint64 leaves) external;

    /// @notice By motion: what accounts of an organisation may be granted. What it has lost, its
    /// accounts lose at once.
    function setOrganisationPermissions(uint32 organisation, uint32 permissions) external;

    /// @notice By motion: what accounts of nobody may do. Never administer or vote.
    function setPublicPermissions(uint32 permissions) external;

    /// @notice By motion: seconds of a period.
    function setPeriod(uint32 length) external;

    /// @notice By the node, after a block: adds what was used to the period of the block's time.
    /// A sum stops at 2^64 - 1.
    function charge(
        uint32[] calldata organisations,
        uint64[] calldata gas,
        uint64[] calldata leaves
    ) external;

    /// @notice Slot 0: bits 0-31 organisation, 32-63 permissions.
    function accounts(address account) external view returns (uint256);
    /// @notice Slot 1: bits 0-63 gas, 64-127 leaves.
    function quotas(uint32 organisation) external view returns (uint256);
    /// @notice Slot 2: bits 0-63 number of the period, 64-127 gas, 128-191 leaves.
    function usage(uint32 organisation) external view returns (uint256);
    /// @notice Slot 3: bits 0-31 public permissions, 32-63 seconds of a period.
    function parameters() external view returns (uint256);

    function organisationPermissions(uint32 organisation) external view returns (uint32);

    /// @notice How many consents of an account were used: the nonce of the next.
    function consents(address account) external view returns (uint256);

    /// @notice To how many organisations an account has belonged, one after the other.
    function membershipCount(address account) external view returns (uint256);

    /// @notice These, `count` (at most 100) from position `from` (0 is the first): bits 0-31
    /// organisation, 32-95 height of the block in which the account joined it, 96-159 of that in
    /// which it left, 0 if it has not. What is kept here is never changed but for the last height.
    function membershipsOf(address account, uint256 from, uint256 count)
        external
        view
        returns (uint256[] memory);

    /// @notice What an account signs to join an organisation, with its next nonce.
    function consentDigest(
        uint32 organisation,
        address account,
        uint32 permissions,
        uint64 deadline
    ) external view returns (bytes32);

    /// @notice Organisation and permissions of an account as granted, and whether the
    /// organisation is active: otherwise it may do nothing. An account of nobody has the public
    /// permissions.
    function accountOf(address account)
        external
        view
        returns (uint32 organisation, uint32 permissions, bool active);

    /// @notice Organisation of an account that may do this; reverts for others.
    function requirePermission(address account, uint32 permission)
        external
        view
        returns (uint32 organisation);

    /// @notice Organisation that the account administers; reverts if it administers none.
    function administratorOf(address account) external view returns (uint32 organisation);

    function quotaOf(uint32 organisation) external view returns (Quota memory);

    /// @notice What was used in the period of this block.
    function usageOf(uint32 organisation) external view returns (Usage memory);

    /// @notice First second of the next period, when all usage is 0 again.
    function periodEnd() external view returns (uint256);

    function accountCount(uint32 organisation) external view returns (uint256);

    /// @notice Accounts of an organisation, `count` (at most 100) from position `from`. The order
    /// changes when one is withdrawn.
    function accountsOf(uint32 organisation, uint256 from, uint256 count)
        external
        view
        returns (address[] memory);

    /// @notice Accounts of an organisation that may administer.
    function administratorCount(uint32 organisation) external view returns (uint256);
}
