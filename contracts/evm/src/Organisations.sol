// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Identifiers} from "./Identifiers.sol";
import {IOrganisations} from "./IOrganisations.sol";
import {IPermissions} from "./IPermissions.sol";
import {System} from "./System.sol";
import {Texts} from "./Texts.sol";

/// @title The register of organisations at 0x0000000000000000000000000000000000001002.
/// @dev Placed in the genesis state with the storage that the founding calls leave: no
/// constructor, no immutables.
contract Organisations is IOrganisations {
    /// @notice Fewest active organisations with a vote: suspensions and removals may not leave
    /// less.
    uint256 public constant VOTERS_MIN = 3;
    /// @notice Of four members at least this many are active, so that those who are suspended
    /// can never keep the others from a quorum of 3/4.
    uint256 public constant ACTIVE_OF_FOUR_MIN = 3;
    /// @notice Organisations ever admitted.
    uint256 public constant ORGANISATIONS_MAX = 4096;
    /// @notice Highest `Kind`.
    uint8 public constant KIND_MAX = uint8(type(Kind).max);

    uint256 private constant _VOTES = 1 << 16;
    uint256 private constant _POSITION_SHIFT = 64;

    /// @inheritdoc IOrganisations
    /// @dev Slot 0, which the node reads for every transaction.
    mapping(uint32 organisation => uint256) public standing;
    mapping(uint32 organisation => Details) private _details;
    mapping(uint32 organisation => Entry[]) private _history;
    /// By keccak256 of the identifier: a 統一編號 and an LEI have different lengths.
    mapping(bytes32 identifier => uint32) private _holders;
    /// @inheritdoc IOrganisations
    uint32 public organisationCount;
    uint32 private _active;
    uint64 private _position;
    uint32 private _members;
    /// Slot 5, which proofs are about (SPEC §10.11).
    // Written through references to its elements.
    // slither-disable-next-line uninitialized-state
    mapping(uint32 organisation => Record[]) private _records;

    // Founding and motions

    /// @inheritdoc IOrganisations
    function foundOrganisation(Details calldata details) external returns (uint32) {
        System.requireFounding();
        return _admit(details);
    }

    /// @inheritdoc IOrganisations
    function admit(Details calldata details) external returns (uint32) {
        System.requireCaller(System.MOTIONS);
        return _admit(details);
    }

    /// @inheritdoc IOrganisations
    function suspend(uint32 organisation, uint16 reason) external {
        System.requireCaller(System.MOTIONS);
        _requireStatus(organisation, Status.Active);
        _setStatus(organisation, Status.Suspended);
        if (_details[organisation].votes) _dropActive();
        _record(organisation, Act.Suspended, reason);
        emit OrganisationSuspended(organisation, reason);
    }

    /// @inheritdoc IOrganisations
    function reinstate(uint32 organisation, uint16 reason) external {
        System.requireCaller(System.MOTIONS);
        _requireStatus(organisation, Status.Suspended);
        _enter(organisation);
        _record(organisation, Act.Reinstated, reason);
        emit OrganisationReinstated(organisation, reason);
    }

    /// @inheritdoc IOrganisations
    function remove(uint32 organisation, uint16 reason) external {
        System.requireCaller(System.MOTIONS);
        Status status = _requirePresent(organisation);
        _setStatus(organisation, Status.Left);
        if (_details[organisation].votes) {
            _members--;
            if (status == Status.Active) _dropActive();
        }
        _releaseIdentifiers(_details[organisation]);
        _record(organisation, Act.Left, reason);
        emit OrganisationLeft(organisation, reason);
    }

    /// @inheritdoc IOrganisations
    function amend(uint32 organisation, Details calldata details) external {
        System.requireCaller(System.MOTIONS);
        _requirePresent(organisation);
        Details storage stored = _details[organisation];
        if (details.votes != stored.votes) revert OrganisationsVotesFixed(organisation);
        _releaseIdentifiers(stored);
        _store(organisation, details);
        uint256 word = standing[organisation] & ~uint256(0xff00);
        standing[organisation] = word | (uint256(details.kind) << 8);
        _append(organisation, Act.Amended, 0);
        emit OrganisationAmended(organisation, details.nameZhTw, details.nameEn);
    }

    /// @inheritdoc IOrganisations
    function setContact(string calldata contactUrl) external {
        uint32 organisation = IPermissions(System.PERMISSIONS).administratorOf(msg.sender);
        Texts.requireUrl("contactUrl", contactUrl);
        _details[organisation].contactUrl = contactUrl;
        emit ContactSet(organisation, contactUrl);
    }

    // Views

    /// @inheritdoc IOrganisations
    function organisationOf(uint32 organisation) public view returns (Organisation memory) {
        if (statusOf(organisation) == Status.None) revert OrganisationsUnknown(organisation);
        Details storage details = _details[organisation];
        return Organisation({
            nameZhTw: details.nameZhTw,
            nameEn: details.nameEn,
            kind: details.kind,
            taxId: details.taxId,
            lei: details.lei,
            jurisdiction: details.jurisdiction,
            agreementHash: details.agreementHash,
            credentialHash: details.credentialHash,
            contactUrl: details.contactUrl,
            status: uint8(statusOf(organisation)),
            votes: details.votes,
            joinedHeight: _history[organisation][0].height
        });
    }

    /// @inheritdoc IOrganisations
    function organisations(uint256 from, uint256 count)
        external
        view
        returns (Organisation[] memory page)
    {
        page = new Organisation[](System.pageLength(uint256(organisationCount) + 1, from, count));
        for (uint256 i = 0; i < page.length; i++) {
            page[i] = organisationOf(uint32(from + i));
        }
    }

    /// @inheritdoc IOrganisations
    function namesOf(uint32 organisation) external view returns (string memory, string memory) {
        Details storage details = _details[organisation];
        return (details.nameZhTw, details.nameEn);
    }

    /// @inheritdoc IOrganisations
    function organisationByIdentifier(string calldata identifier) external view returns (uint32) {
        return _holders[keccak256(bytes(identifier))];
    }

    /// @inheritdoc IOrganisations
    function recordCount(uint32 organisation) external view returns (uint256) {
        return _records[organisation].length;
    }

    /// @inheritdoc IOrganisations
    function recordOf(uint32 organisation, uint256 position) external view returns (Record memory) {
        Record[] storage records = _records[organisation];
        if (position >= records.length) {
            revert OrganisationsNoRecord(organisation, records.length, position);
        }
        return records[position];
    }

    /// @inheritdoc IOrganisations
    function historyLength(uint32 organisation) external view returns (uint256) {
        return _history[organisation].length;
    }

    /// @inheritdoc IOrganisations
    function historyOf(uint32 organisation, uint256 from, uint256 count)
        external
        view
        returns (Entry[] memory page)
    {
        Entry[] storage history = _history[organisation];
        page = new Entry[](System.pageLength(history.length, from, count));
        for (uint256 i = 0; i < page.length; i++) {
            page[i] = history[from + i];
        }
    }

    /// @inheritdoc IOrganisations
    function electorate() external view returns (uint32 members, uint32 active, uint64 position) {
        return (_members, _active, _position);
    }

    /// @notice Status; `None` for a number that is not in use.
    function statusOf(uint32 organisation) public view returns (Status) {
        return Status(uint8(standing[organisation]));
    }

    // Helpers

    function _admit(Details calldata details) private returns (uint32 organisation) {
        if (organisationCount == ORGANISATIONS_MAX) revert OrganisationsTooMany(ORGANISATIONS_MAX);
        organisation = ++organisationCount;
        _store(organisation, details);
        if (details.votes) _members++;
        _enter(organisation);
        _append(organisation, Act.Joined, 0);
        emit OrganisationJoined(
            organisation, details.kind, details.votes, details.nameZhTw, details.nameEn
        );
    }

    /// Makes an organisation active, as the last one that became so.
    function _enter(uint32 organisation) private {
        Details storage details = _details[organisation];
        if (details.votes) _active++;
        standing[organisation] = (uint256(++_position) << _POSITION_SHIFT)
            | (details.votes ? _VOTES : 0) | (uint256(details.kind) << 8) | uint8(Status.Active);
    }

    /// Checks details and takes their identifiers.
    function _store(uint32 organisation, Details calldata details) private {
        if (details.kind == 0 || details.kind > KIND_MAX) {
            revert OrganisationsKindOutOfRange(KIND_MAX, details.kind);
        }
        Texts.requireLegalName("nameZhTw", details.nameZhTw, 0, true);
        Texts.requireLegalName("nameEn", details.nameEn, 1, false);
        Texts.requireUrl("contactUrl", details.contactUrl);
        if (details.agreementHash == 0) revert OrganisationsNoAgreement();
        _takeIdentifiers(organisation, details);
        _details[organisation] = details;
        _remember(organisation, details);
    }

    /// Keeps what a proof says of an organisation: the record before holds no longer.
    function _remember(uint32 organisation, Details calldata details) private {
        Record[] storage records = _records[organisation];
        if (records.length != 0) records[records.length - 1].until = uint64(block.number);
        Record storage record = records.push();
        record.hash = _recordHash(organisation, details);
        record.since = uint64(block.number);
        record.nameZhTw = details.nameZhTw;
        record.nameEn = details.nameEn;
        record.taxId = details.taxId;
        record.lei = details.lei;
        record.jurisdiction = details.jurisdiction;
    }

    function _recordHash(uint32 organisation, Details calldata details)
        private
        pure
        returns (bytes32)
    {
        return sha256(
            bytes.concat(
                "TBSI-RECORD-1",
                bytes4(organisation),
                _sized(details.nameZhTw),
                _sized(details.nameEn),
                _sized(details.taxId),
                _sized(details.lei),
                _sized(details.jurisdiction)
            )
        );
    }

    function _sized(string calldata text) private pure returns (bytes memory) {
        return bytes.concat(bytes4(uint32(bytes(text).length)), bytes(text));
    }

    function _takeIdentifiers(uint32 organisation, Details calldata details) private {
        if (!Identifiers.isJurisdiction(details.jurisdiction)) {
            revert OrganisationsJurisdictionInvalid(details.jurisdiction);
        }
        bool taxed = bytes(details.taxId).length != 0;
        bool listed = bytes(details.lei).length != 0;
        bool taiwan = keccak256(bytes(details.jurisdiction)) == keccak256("TW");
        if (!taxed && (taiwan || !listed)) revert OrganisationsNoIdentifier(details.jurisdiction);
        if (taxed && !Identifiers.isTaxId(details.taxId)) {
            revert OrganisationsTaxIdInvalid(details.taxId);
        }
        if (listed && !Identifiers.isLei(details.lei)) revert OrganisationsLeiInvalid(details.lei);
        if (taxed) _take(organisation, details.taxId);
        if (listed) _take(organisation, details.lei);
    }

    function _take(uint32 organisation, string calldata identifier) private {
        bytes32 key = keccak256(bytes(identifier));
        uint32 holder = _holders[key];
        if (holder != 0) revert OrganisationsIdentifierTaken(identifier, holder);
        _holders[key] = organisation;
    }

    /// An empty identifier is nobody's, so that deleting it changes nothing.
    function _releaseIdentifiers(Details storage details) private {
        delete _holders[keccak256(bytes(details.taxId))];
        delete _holders[keccak256(bytes(details.lei))];
    }

    function _setStatus(uint32 organisation, Status status) private {
        standing[organisation] = (standing[organisation] & ~uint256(0xff)) | uint8(status);
    }

    /// A network that was founded with fewer voters than the least may not lose any either.
    function _dropActive() private {
        uint32 active = --_active;
        if (active < VOTERS_MIN) revert OrganisationsTooFewVoters(VOTERS_MIN, active);
        if (4 * uint256(active) < ACTIVE_OF_FOUR_MIN * _members) {
            revert OrganisationsTooManySuspended(_members, active);
        }
    }

    function _record(uint32 organisation, Act act, uint16 reason) private {
        System.requireReason(reason);
        _append(organisation, act, reason);
    }

    function _append(uint32 organisation, Act act, uint16 reason) private {
        _history[organisation].push(
            Entry(uint8(act), reason, uint64(block.number), uint64(block.timestamp))
        );
    }

    function _requirePresent(uint32 organisation) private view returns (Status status) {
        status = statusOf(organisation);
        if (status == Status.None) revert OrganisationsUnknown(organisation);
        if (status == Status.Left) revert OrganisationsStatus(organisation, uint8(status));
    }

    function _requireStatus(uint32 organisation, Status status) private view {
        Status found = _requirePresent(organisation);
        if (found != status) revert OrganisationsStatus(organisation, uint8(found));
    }
}
