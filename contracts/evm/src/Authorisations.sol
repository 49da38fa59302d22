// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAuthorisations} from "./IAuthorisations.sol";
import {IOrganisations} from "./IOrganisations.sol";
import {IPermissions} from "./IPermissions.sol";
import {System} from "./System.sol";

/// @title Authorisations between organisations, at 0x000000000000000000000000000000000000100a.
/// @dev Code alone at genesis: no constructor, no immutables, no storage.
contract Authorisations is IAuthorisations {
    /// @notice Purposes of one authorisation.
    uint256 public constant PURPOSES_MAX = 16;
    /// @notice Terms that one authorisation has had.
    uint256 public constant VERSIONS_MAX = 256;
    /// @notice Seconds for which one is given: a grantor that is gone can no longer revoke it.
    uint64 public constant DURATION_MAX = 3660 days;

    uint32 private constant _ATTEST = 4;
    /// Where a version's parts are in its word.
    uint256 private constant _UNTIL = 64;
    uint256 private constant _SINCE_HEIGHT = 128;
    uint256 private constant _UNTIL_HEIGHT = 192;

    /// Slot 0, which proofs are about (SPEC §20.3).
    // Written through references to its elements.
    // slither-disable-next-line uninitialized-state
    mapping(uint32 authorisation => uint256[]) private _versions;
    mapping(uint32 authorisation => Authorisation) private _authorisations;
    mapping(uint32 authorisation => mapping(uint256 version => uint64)) private _offeredAt;
    /// @inheritdoc IAuthorisations
    uint32 public authorisationCount;

    // Both together

    /// @inheritdoc IAuthorisations
    function grant(uint32 grantee, bytes32 dataSet, Terms calldata terms)
        external
        returns (uint32 authorisation)
    {
        _requireCanonical(abi.encodeCall(this.grant, (grantee, dataSet, terms)));
        uint32 grantor = IPermissions(System.PERMISSIONS).administratorOf(msg.sender);
        if (grantor == grantee) revert AuthorisationsSameParty(grantor);
        uint8 standing = uint8(IOrganisations(System.ORGANISATIONS).standing(grantee));
        if (standing != uint8(IOrganisations.Status.Active)) {
            revert AuthorisationsGranteeNotActive(grantee);
        }
        if (dataSet == 0) revert AuthorisationsDigestZero("dataSet");
        _requireTerms(terms);
        authorisation = ++authorisationCount;
        Authorisation storage stored = _authorisations[authorisation];
        (stored.grantor, stored.grantee, stored.dataSet) = (grantor, grantee, dataSet);
        stored.status = uint8(Status.Offered);
        stored.offered = terms;
        _offeredAt[authorisation][0] = uint64(block.number);
        emit AuthorisationOffered(
            authorisation, grantor, grantee, _act(stored, 0, grantor, stored.offered)
        );
    }

    /// @inheritdoc IAuthorisations
    function extend(uint32 authorisation, Terms calldata terms) external {
        _requireCanonical(abi.encodeCall(this.extend, (authorisation, terms)));
        Authorisation storage stored = _requireActive(authorisation);
        _requireBy(stored.grantor);
        _requireTerms(terms);
        if (!_isWithin(stored.terms, terms) || _isSame(stored.terms, terms)) {
            revert AuthorisationsNotWider(authorisation);
        }
        _requireRoom(stored);
        stored.offered = terms;
        _offeredAt[authorisation][stored.versions] = uint64(block.number);
        Act memory act = _act(stored, stored.versions, stored.grantor, stored.offered);
        emit AuthorisationOffered(authorisation, stored.grantor, stored.grantee, act);
    }

    /// @inheritdoc IAuthorisations
    function accept(uint32 authorisation, bytes32 termsHash) external {
        _requireCanonical(abi.encodeCall(this.accept, (authorisation, termsHash)));
        bytes32 offered = offerHash(authorisation);
        Authorisation storage stored = _authorisations[authorisation];
        _requireBy(stored.grantee);
        if (termsHash != offered) revert AuthorisationsOtherOffer(offered, termsHash);
        if (stored.offered.until <= block.timestamp) {
            revert AuthorisationsOver(authorisation, stored.offered.until, block.timestamp);
        }
        if (stored.versions != 0) _requireActive(authorisation);
        stored.status = uint8(Status.Active);
        stored.terms = stored.offered;
        delete stored.offered;
        Act memory act = _begin(authorisation, stored, stored.grantee);
        emit AuthorisationAccepted(authorisation, stored.grantor, stored.grantee, act);
    }

    // Either alone

    /// @inheritdoc IAuthorisations
    function narrow(uint32 authorisation, Terms calldata terms) external {
        _requireCanonical(abi.encodeCall(this.narrow, (authorisation, terms)));
        Authorisation storage stored = _requireActive(authorisation);
        uint32 by = _requireEither(stored);
        _requireTerms(terms);
        if (!_isWithin(terms, stored.terms) || _isSame(terms, stored.terms)) {
            revert AuthorisationsNotNarrower(authorisation);
        }
        _requireRoom(stored);
        stored.terms = terms;
        delete stored.offered;
        Act memory act = _begin(authorisation, stored, by);
        emit AuthorisationNarrowed(authorisation, stored.grantor, stored.grantee, act);
    }

    /// @inheritdoc IAuthorisations
    function revoke(uint32 authorisation, uint16 reason) external {
        _requireCanonical(abi.encodeCall(this.revoke, (authorisation, reason)));
        Authorisation storage stored = _requireKnown(authorisation);
        uint32 by = _requireEither(stored);
        System.requireReason(reason);
        if (stored.status == uint8(Status.Revoked)) {
            revert AuthorisationsStatus(authorisation, stored.status);
        }
        stored.status = uint8(Status.Revoked);
        delete stored.offered;
        _end(authorisation);
        emit AuthorisationRevoked(
            authorisation, stored.grantor, stored.grantee, by, msg.sender, reason
        );
    }

    // Use

    /// @inheritdoc IAuthorisations
    function relyOn(uint32 authorisation, bytes32 purpose, bytes32 subject) external {
        _requireCanonical(abi.encodeCall(this.relyOn, (authorisation, purpose, subject)));
        Authorisation storage stored = _requireKnown(authorisation);
        uint32 by = IPermissions(System.PERMISSIONS).requirePermission(msg.sender, _ATTEST);
        if (by != stored.grantee) revert AuthorisationsNotParty(stored.grantee, by);
        if (stored.status != uint8(Status.Active)) {
            revert AuthorisationsStatus(authorisation, stored.status);
        }
        Terms storage terms = stored.terms;
        if (!_isNow(terms)) {
            revert AuthorisationsNotNow(authorisation, terms.from, terms.until, block.timestamp);
        }
        if (!_has(terms.purposes, purpose)) {
            revert AuthorisationsOtherPurpose(authorisation, purpose);
        }
        if (subject == 0) revert AuthorisationsDigestZero("subject");
        emit AuthorisationReliedOn(
            authorisation,
            stored.grantor,
            stored.grantee,
            stored.versions - 1,
            msg.sender,
            purpose,
            subject
        );
    }

    // Views

    /// @inheritdoc IAuthorisations
    function authorisationOf(uint32 authorisation) public view returns (Authorisation memory) {
        return _requireKnown(authorisation);
    }

    /// @inheritdoc IAuthorisations
    function authorisations(uint256 from, uint256 count)
        external
        view
        returns (Authorisation[] memory page)
    {
        uint256 all = uint256(authorisationCount) + 1;
        page = new Authorisation[](System.pageLength(all, from, count));
        for (uint256 i = 0; i < page.length; i++) {
            page[i] = authorisationOf(uint32(from + i));
        }
    }

    /// @inheritdoc IAuthorisations
    function offerHash(uint32 authorisation) public view returns (bytes32) {
        Authorisation storage stored = _requireKnown(authorisation);
        Terms memory offered = stored.offered;
        if (offered.purposes.length == 0) revert AuthorisationsNoOffer(authorisation);
        return keccak256(abi.encode(authorisation, stored.versions, stored.dataSet, offered));
    }

    /// @inheritdoc IAuthorisations
    function versionOf(uint32 authorisation, uint256 version)
        external
        view
        returns (uint64 since, uint64 until, uint64 sinceHeight, uint64 untilHeight)
    {
        uint256[] storage versions = _versions[authorisation];
        if (version >= versions.length) {
            revert AuthorisationsNoVersion(authorisation, versions.length, version);
        }
        uint256 word = versions[version];
        since = uint64(word);
        until = uint64(word >> _UNTIL);
        sinceHeight = uint64(word >> _SINCE_HEIGHT);
        untilHeight = uint64(word >> _UNTIL_HEIGHT);
    }

    /// @inheritdoc IAuthorisations
    function offeredAt(uint32 authorisation, uint256 version) external view returns (uint64) {
        return _offeredAt[authorisation][version];
    }

    /// @inheritdoc IAuthorisations
    function isAuthorised(uint32 authorisation, bytes32 purpose) external view returns (bool) {
        Authorisation storage stored = _requireKnown(authorisation);
        return stored.status == uint8(Status.Active) && _isNow(stored.terms)
            && _has(stored.terms.purposes, purpose);
    }

    // Versions

    /// The terms are in force from this block, those before no longer.
    function _begin(uint32 authorisation, Authorisation storage stored, uint32 by)
        private
        returns (Act memory)
    {
        _end(authorisation);
        uint32 version = stored.versions++;
        _versions[authorisation].push(block.timestamp | (block.number << _SINCE_HEIGHT));
        return _act(stored, version, by, stored.terms);
    }

    /// The terms in force, if there are any, end with this block.
    function _end(uint32 authorisation) private {
        uint256[] storage versions = _versions[authorisation];
        if (versions.length == 0) return;
        versions[versions.length - 1] |= (block.timestamp << _UNTIL)
            | (block.number << _UNTIL_HEIGHT);
    }

    function _act(Authorisation storage stored, uint32 version, uint32 by, Terms memory terms)
        private
        view
        returns (Act memory act)
    {
        (act.version, act.by, act.account) = (version, by, msg.sender);
        (act.dataSet, act.terms) = (stored.dataSet, terms);
        (act.grantor, act.grantee) = (_party(stored.grantor), _party(stored.grantee));
    }

    function _party(uint32 organisation) private view returns (Party memory) {
        IOrganisations.Organisation memory found =
            IOrganisations(System.ORGANISATIONS).organisationOf(organisation);
        return Party(found.nameZhTw, found.nameEn, found.taxId, found.lei, found.jurisdiction);
    }

    // Checks

    function _requireKnown(uint32 authorisation) private view returns (Authorisation storage) {
        if (authorisation == 0 || authorisation > authorisationCount) {
            revert AuthorisationsUnknown(authorisation);
        }
        return _authorisations[authorisation];
    }

    /// In force, and its time is not over.
    function _requireActive(uint32 authorisation)
        private
        view
        returns (Authorisation storage stored)
    {
        stored = _requireKnown(authorisation);
        if (stored.status != uint8(Status.Active)) {
            revert AuthorisationsStatus(authorisation, stored.status);
        }
        if (stored.terms.until <= block.timestamp) {
            revert AuthorisationsOver(authorisation, stored.terms.until, block.timestamp);
        }
    }

    function _requireRoom(Authorisation storage stored) private view {
        if (stored.versions >= VERSIONS_MAX) revert AuthorisationsTooManyVersions(VERSIONS_MAX);
    }

    function _requireBy(uint32 expected) private view {
        uint32 got = IPermissions(System.PERMISSIONS).administratorOf(msg.sender);
        if (got != expected) revert AuthorisationsNotParty(expected, got);
    }

    function _requireEither(Authorisation storage stored) private view returns (uint32 by) {
        by = IPermissions(System.PERMISSIONS).administratorOf(msg.sender);
        if (by != stored.grantor && by != stored.grantee) {
            revert AuthorisationsNotParty(stored.grantor, by);
        }
    }

    function _requireTerms(Terms calldata terms) private view {
        if (terms.agreement == 0) revert AuthorisationsDigestZero("agreement");
        bool ordered = terms.from < terms.until && terms.until > block.timestamp;
        if (!ordered || terms.until - terms.from > DURATION_MAX) {
            revert AuthorisationsTimesOutOfRange(
                terms.from, terms.until, block.timestamp, DURATION_MAX
            );
        }
        uint256 count = terms.purposes.length;
        if (count == 0 || count > PURPOSES_MAX) {
            revert AuthorisationsPurposesOutOfRange(PURPOSES_MAX, count);
        }
        bytes32 last = 0;
        for (uint256 i = 0; i < count; i++) {
            if (terms.purposes[i] <= last) revert AuthorisationsPurposesNotAscending(i);
            last = terms.purposes[i];
        }
    }

    function _isNow(Terms storage terms) private view returns (bool) {
        return terms.from <= block.timestamp && block.timestamp < terms.until;
    }

    function _has(bytes32[] memory purposes, bytes32 purpose) private pure returns (bool) {
        for (uint256 i = 0; i < purposes.length; i++) {
            if (purposes[i] == purpose) return true;
        }
        return false;
    }

    /// Whether all that `inner` allows is allowed by `outer`.
    function _isWithin(Terms memory inner, Terms memory outer) private pure returns (bool) {
        if (inner.from < outer.from || inner.until > outer.until) return false;
        for (uint256 i = 0; i < inner.purposes.length; i++) {
            if (!_has(outer.purposes, inner.purposes[i])) return false;
        }
        return true;
    }

    /// Whether both allow the same, under whatever agreement.
    function _isSame(Terms memory one, Terms memory other) private pure returns (bool) {
        return _isWithin(one, other) && _isWithin(other, one);
    }

    /// Surplus bytes could hold anything, data of persons too.
    function _requireCanonical(bytes memory expected) private pure {
        if (keccak256(expected) != keccak256(msg.data)) {
            revert AuthorisationsArgumentsNotCanonical();
        }
    }
}
