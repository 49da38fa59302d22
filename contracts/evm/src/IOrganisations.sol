// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Organisations: the legal entities that answer for everything on this chain.
/// @notice Public facts of legal entities only, never of persons: documents are named by hash.
/// Numbered from 1; 0 is nobody. A number is never used for another entity.
interface IOrganisations {
    /// @notice `Active` ones may act; `Left` is final.
    enum Status {
        None,
        Active,
        Suspended,
        Left
    }

    /// @notice What an organisation is here for.
    enum Kind {
        None,
        Association,
        Operator,
        Issuer,
        Relayer,
        Auditor,
        Authority
    }

    /// @notice What happened to an organisation.
    enum Act {
        None,
        Joined,
        Suspended,
        Reinstated,
        Left,
        Amended
    }

    /// @notice What is known of an organisation when it joins.
    /// @param nameZhTw Legal name in Traditional Chinese, UTF-8; empty if it has none.
    /// @param nameEn Legal name in English, UTF-8.
    /// @param kind A `Kind`.
    /// @param votes Whether it has a vote on motions. Never changes.
    /// @param taxId 統一編號, 8 digits, or empty. Required if the jurisdiction is TW.
    /// @param lei Legal entity identifier (ISO 17442), or empty. One of the two is required.
    /// @param jurisdiction ISO 3166-1 alpha-2.
    /// @param agreementHash SHA-256 of the agreement it signed, which is kept off the chain.
    /// @param credentialHash SHA-256 of the credential that binds its keys to it; zero for none.
    /// @param contactUrl An https URL, or empty.
    struct Details {
        string nameZhTw;
        string nameEn;
        uint8 kind;
        bool votes;
        string taxId;
        string lei;
        string jurisdiction;
        bytes32 agreementHash;
        bytes32 credentialHash;
        string contactUrl;
    }

    /// @notice An organisation: its `Details`, its status, and the height at which it joined.
    struct Organisation {
        string nameZhTw;
        string nameEn;
        uint8 kind;
        string taxId;
        string lei;
        string jurisdiction;
        bytes32 agreementHash;
        bytes32 credentialHash;
        string contactUrl;
        uint8 status;
        bool votes;
        uint64 joinedHeight;
    }

    /// @notice A line of an organisation's history. `reason` is 0 if nothing had to be explained.
    struct Entry {
        uint8 act;
        uint16 reason;
        uint64 height;
        uint64 time;
    }

    /// @notice Legal names and identifiers of an organisation, and the heights of the blocks from
    /// which and until which they were these; `until` is 0 for those that still are.
    /// @param hash SHA-256("TBSI-RECORD-1" || organisation u32 || length u32 || nameZhTw || ...),
    /// the other four texts in the same way.
    struct Record {
        bytes32 hash;
        uint64 since;
        uint64 until;
        string nameZhTw;
        string nameEn;
        string taxId;
        string lei;
        string jurisdiction;
    }

    event OrganisationJoined(
        uint32 indexed organisation, uint8 kind, bool votes, string nameZhTw, string nameEn
    );
    event OrganisationSuspended(uint32 indexed organisation, uint16 reason);
    event OrganisationReinstated(uint32 indexed organisation, uint16 reason);
    event OrganisationLeft(uint32 indexed organisation, uint16 reason);
    event OrganisationAmended(uint32 indexed organisation, string nameZhTw, string nameEn);
    event ContactSet(uint32 indexed organisation, string contactUrl);

    /// @notice Remedy: a number from 1 to `organisationCount`.
    error OrganisationsUnknown(uint32 organisation);
    /// @notice Its status does not allow this.
    error OrganisationsStatus(uint32 organisation, uint8 status);
    /// @notice Remedy: a `Kind` from 1 to `max`.
    error OrganisationsKindOutOfRange(uint8 max, uint8 got);
    /// @notice Wrong length or check digit. Remedy: the 8 digits of the 統一編號.
    error OrganisationsTaxIdInvalid(string taxId);
    /// @notice Wrong length or check digits. Remedy: the 20 characters of the LEI.
    error OrganisationsLeiInvalid(string lei);
    /// @notice Remedy: two upper-case letters (ISO 3166-1 alpha-2).
    error OrganisationsJurisdictionInvalid(string jurisdiction);
    /// @notice Remedy: a 統一編號 (required of an entity in TW) or an LEI.
    error OrganisationsNoIdentifier(string jurisdiction);
    /// @notice Another organisation that has not left has this identifier.
    error OrganisationsIdentifierTaken(string identifier, uint32 organisation);
    /// @notice Remedy: the SHA-256 of the agreement.
    error OrganisationsNoAgreement();
    /// @notice Whether an organisation votes is settled when it joins.
    error OrganisationsVotesFixed(uint32 organisation);
    /// @notice At least `min` organisations with a vote must stay in standing.
    error OrganisationsTooFewVoters(uint256 min, uint256 got);
    /// @notice Less than three quarters of the members with a vote would be active. Remedy:
    /// reinstate or remove one that is suspended.
    error OrganisationsTooManySuspended(uint256 members, uint256 active);
    /// @notice Remedy: a position below `count`.
    error OrganisationsNoRecord(uint32 organisation, uint256 count, uint256 got);
    /// @notice The register is full.
    error OrganisationsTooMany(uint256 max);

    /// @notice An organisation of the founding.
    function foundOrganisation(Details calldata details) external returns (uint32);

    /// @notice By motion: a new organisation. Names, identifiers and texts are checked, whether
    /// the entity exists is for those who vote.
    function admit(Details calldata details) external returns (uint32);

    /// @notice By motion: from active to suspended.
    function suspend(uint32 organisation, uint16 reason) external;

    /// @notice By motion: from suspended to active.
    function reinstate(uint32 organisation, uint16 reason) external;

    /// @notice By motion: out, for ever. Its identifiers are free again.
    function remove(uint32 organisation, uint16 reason) external;

    /// @notice By motion: other details; whether it votes cannot change.
    function amend(uint32 organisation, Details calldata details) external;

    /// @notice By an administrator of the organisation: its contact URL.
    function setContact(string calldata contactUrl) external;

    /// @notice Slot 0: bits 0-7 status, 8-15 kind, 16 has a vote, 64-127 position of its last
    /// admission or reinstatement among all of them.
    function standing(uint32 organisation) external view returns (uint256);

    function organisationCount() external view returns (uint32);
    function organisationOf(uint32 organisation) external view returns (Organisation memory);

    /// @notice Organisations by number, `count` (at most 100) from `from` (the first is 1).
    function organisations(uint256 from, uint256 count)
        external
        view
        returns (Organisation[] memory);

    /// @notice Both legal names; empty for a number that is not in use. Never reverts.
    function namesOf(uint32 organisation) external view returns (string memory, string memory);

    /// @notice Number of the organisation that has this 統一編號 or LEI and has not left; 0 if none.
    function organisationByIdentifier(string calldata identifier) external view returns (uint32);

    /// @notice How many records there are of an organisation: one, and one more for each time that
    /// it was amended.
    function recordCount(uint32 organisation) external view returns (uint256);

    /// @notice The record at a position; 0 is the first. What it says is never changed, but for
    /// `until`.
    function recordOf(uint32 organisation, uint256 position) external view returns (Record memory);

    /// @notice Number of entries of the history.
    function historyLength(uint32 organisation) external view returns (uint256);

    /// @notice History from position `from` (0 is the first), `count` at most 100.
    function historyOf(uint32 organisation, uint256 from, uint256 count)
        external
        view
        returns (Entry[] memory);

    /// @notice Members: organisations that have a vote and have not left; those of them that are
    /// active; and how many admissions and reinstatements there have been. Who has a higher
    /// position joined later.
    function electorate() external view returns (uint32 members, uint32 active, uint64 position);
}
