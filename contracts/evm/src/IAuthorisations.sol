// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Authorisations to use a data set of another organisation (SPEC §20).
/// @notice Digests only, never data of persons: agreement, data set and purposes are named by
/// hash. What gives (`grant`, `extend`) needs both organisations, what takes away (`narrow`,
/// `revoke`) either of them. Each act is a leaf of the log. Numbered from 1.
interface IAuthorisations {
    /// @notice `Offered` has no effect yet; `Active` has the terms of its last version;
    /// `Revoked` is final.
    enum Status {
        None,
        Offered,
        Active,
        Revoked
    }

    /// @notice What is allowed, and when.
    /// @param agreement SHA-256 of the agreement, which both keep off the chain; not zero.
    /// @param from First second, block time.
    /// @param until The second from which no longer.
    /// @param purposes SHA-256 of each purpose, ascending, at least one.
    struct Terms {
        bytes32 agreement;
        uint64 from;
        uint64 until;
        bytes32[] purposes;
    }

    /// @param grantor Number of the organisation whose data set it is.
    /// @param grantee Number of the organisation that may use it.
    /// @param status A `Status`.
    /// @param versions Terms that were in force one after the other, the last one included.
    /// @param dataSet SHA-256 that stands for the data set, or the id of an attestation of it.
    /// @param terms Of the last version; of none while it is offered.
    /// @param offered What waits for the grantee; no purpose if nothing does.
    struct Authorisation {
        uint32 grantor;
        uint32 grantee;
        uint8 status;
        uint32 versions;
        bytes32 dataSet;
        Terms terms;
        Terms offered;
    }

    /// @notice An organisation as the register has it in the block of the act.
    struct Party {
        string nameZhTw;
        string nameEn;
        string taxId;
        string lei;
        string jurisdiction;
    }

    /// @notice What was done.
    /// @param version From 0: which terms these are, or will be if they are accepted.
    /// @param by Number of the organisation whose account did it.
    struct Act {
        uint32 version;
        uint32 by;
        address account;
        bytes32 dataSet;
        Terms terms;
        Party grantor;
        Party grantee;
    }

    event AuthorisationOffered(
        uint32 indexed authorisation, uint32 indexed grantor, uint32 indexed grantee, Act act
    );
    event AuthorisationAccepted(
        uint32 indexed authorisation, uint32 indexed grantor, uint32 indexed grantee, Act act
    );
    event AuthorisationNarrowed(
        uint32 indexed authorisation, uint32 indexed grantor, uint32 indexed grantee, Act act
    );
    /// @notice Ends it, or withdraws an offer that nobody accepted. `reason` as in SPEC §13.1.
    event AuthorisationRevoked(
        uint32 indexed authorisation,
        uint32 indexed grantor,
        uint32 indexed grantee,
        uint32 by,
        address account,
        uint16 reason
    );
    /// @notice The grantee used the data set: `subject` is a digest of what it did.
    event AuthorisationReliedOn(
        uint32 indexed authorisation,
        uint32 indexed grantor,
        uint32 indexed grantee,
        uint32 version,
        address account,
        bytes32 purpose,
        bytes32 subject
    );

    /// @notice Remedy: a number from 1 to `authorisationCount`.
    error AuthorisationsUnknown(uint32 authorisation);
    /// @notice The account's organisation is another one. Remedy: an account of `expected`.
    error AuthorisationsNotParty(uint32 expected, uint32 got);
    /// @notice An organisation needs no authorisation for what is its own.
    error AuthorisationsSameParty(uint32 organisation);
    /// @notice Remedy: an organisation that is active.
    error AuthorisationsGranteeNotActive(uint32 organisation);
    /// @notice What can be done depends on the `Status`. What was revoked never comes back.
    error AuthorisationsStatus(uint32 authorisation, uint8 status);
    /// @notice Its time is over. Remedy: grant anew.
    error AuthorisationsOver(uint32 authorisation, uint64 until, uint256 time);
    /// @notice A digest that must not be zero.
    error AuthorisationsDigestZero(string field);
    /// @notice Remedy: from 1 to `max` purposes.
    error AuthorisationsPurposesOutOfRange(uint256 max, uint256 got);
    /// @notice Remedy: ascending digests, none twice and none zero.
    error AuthorisationsPurposesNotAscending(uint256 position);
    /// @notice Remedy: `until` after `from` and after the block's time, at most `max` seconds
    /// after `from`.
    error AuthorisationsTimesOutOfRange(uint64 from, uint64 until, uint256 time, uint64 max);
    /// @notice More than was allowed, or the same. Remedy: purposes and times within those in
    /// force, and fewer; for more, `extend`.
    error AuthorisationsNotNarrower(uint32 authorisation);
    /// @notice Less than was allowed, or the same. Remedy: all of what is in force, and more; for
    /// less, `narrow`.
    error AuthorisationsNotWider(uint32 authorisation);
    /// @notice Nothing waits for the grantee.
    error AuthorisationsNoOffer(uint32 authorisation);
    /// @notice Other terms wait than those that are accepted. Remedy: read them again.
    error AuthorisationsOtherOffer(bytes32 offered, bytes32 got);
    /// @notice Remedy: grant anew.
    error AuthorisationsTooManyVersions(uint256 max);
    /// @notice Not allowed at this time. Remedy: from `from` to before `until`.
    error AuthorisationsNotNow(uint32 authorisation, uint64 from, uint64 until, uint256 time);
    /// @notice Not allowed for this purpose.
    error AuthorisationsOtherPurpose(uint32 authorisation, bytes32 purpose);
    /// @notice No version of this position.
    error AuthorisationsNoVersion(uint32 authorisation, uint256 versions, uint256 got);
    /// @notice Calldata is not the canonical encoding of the arguments.
    error AuthorisationsArgumentsNotCanonical();

    /// @notice By an administrator of the grantor: offers terms to another active organisation.
    ///
    /// Not checked: that the data set exists, that it is the grantor's to give, what agreement
    /// and purposes say. The grantor answers for that by its legal name.
    function grant(uint32 grantee, bytes32 dataSet, Terms calldata terms)
        external
        returns (uint32 authorisation);

    /// @notice By an administrator of the grantor: offers wider terms, which replace an offer
    /// that waits. Those in force hold until the grantee accepts.
    function extend(uint32 authorisation, Terms calldata terms) external;

    /// @notice By an administrator of the grantee: what was offered is in force from this block.
    /// @param termsHash `offerHash`: what is accepted is what was read.
    function accept(uint32 authorisation, bytes32 termsHash) external;

    /// @notice By an administrator of either: narrower terms are in force from this block. An
    /// offer that waits is void.
    function narrow(uint32 authorisation, Terms calldata terms) external;

    /// @notice By an administrator of either: from this block on, and for ever.
    function revoke(uint32 authorisation, uint16 reason) external;

    /// @notice By an account of the grantee with permission to attest: says that the data set
    /// was used now, for a purpose that is allowed now.
    /// @param subject Digest of what was done, such as the hash of a query's record; not zero.
    function relyOn(uint32 authorisation, bytes32 purpose, bytes32 subject) external;

    function authorisationCount() external view returns (uint32);
    function authorisationOf(uint32 authorisation) external view returns (Authorisation memory);

    /// @notice Authorisations by number, `count` (at most 100) from `from` (the first is 1).
    function authorisations(uint256 from, uint256 count)
        external
        view
        returns (Authorisation[] memory);

    /// @notice Of what waits for the grantee: keccak256 of the ABI encoding of number, version,
    /// data set and terms. Reverts if nothing does.
    function offerHash(uint32 authorisation) external view returns (bytes32);

    /// @notice Of a version, 0 the first: block times in seconds and heights from which and until
    /// which it was in force; `until` and `untilHeight` are 0 for the one that still is.
    function versionOf(uint32 authorisation, uint256 version)
        external
        view
        returns (uint64 since, uint64 until, uint64 sinceHeight, uint64 untilHeight);

    /// @notice Height at which terms were last offered as this version; 0 if they never were.
    /// They may have been replaced since, or the version may be a narrowing.
    function offeredAt(uint32 authorisation, uint256 version) external view returns (uint64);

    /// @notice Whether it allows the purpose at the block's time.
    function isAuthorised(uint32 authorisation, bytes32 purpose) external view returns (bool);
}
