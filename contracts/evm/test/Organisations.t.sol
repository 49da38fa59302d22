// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMotions} from "../src/IMotions.sol";
import {IOrganisations} from "../src/IOrganisations.sol";
import {IPermissions} from "../src/IPermissions.sol";
import {World} from "./World.sol";

/// @notice The register of organisations.
contract OrganisationsTest is World {
    function setUp() public {
        found(5);
    }

    function test_KeepsWhatItIsTold() public {
        IOrganisations.Details memory given = details(6);
        given.kind = 3;
        given.lei = "5493001KJTIIGC8Y1R12";
        given.credentialHash = keccak256("credential");
        given.votes = false;
        vm.roll(7);
        vm.expectEmit(address(organisations));
        emit IOrganisations.OrganisationJoined(6, 3, false, given.nameZhTw, given.nameEn);
        vm.prank(address(motions));
        vm.assertEq(organisations.admit(given), 6);
        IOrganisations.Organisation memory found = organisations.organisationOf(6);
        vm.assertEq(found.nameZhTw, given.nameZhTw);
        vm.assertEq(found.nameEn, given.nameEn);
        vm.assertEq(found.kind, 3);
        vm.assertEq(found.taxId, given.taxId);
        vm.assertEq(found.lei, given.lei);
        vm.assertEq(found.jurisdiction, "TW");
        vm.assertEq(found.agreementHash, given.agreementHash);
        vm.assertEq(found.credentialHash, given.credentialHash);
        vm.assertEq(found.contactUrl, given.contactUrl);
        vm.assertEq(found.status, 1);
        vm.assertFalse(found.votes);
        vm.assertEq(found.joinedHeight, 7);
        vm.assertEq(organisations.standing(6), (uint256(6) << 64) | 0x0301);
        (uint32 members, uint32 active, uint64 position) = organisations.electorate();
        vm.assertEq(members, 5);
        vm.assertEq(active, 5);
        vm.assertEq(position, 6);
    }

    function test_OnlyTheGovernorChangesStatus() public {
        address target = address(organisations);
        refusesStrangers(target, abi.encodeCall(organisations.admit, (details(6))));
        refusesStrangers(target, abi.encodeCall(organisations.suspend, (1, 1)));
        refusesStrangers(target, abi.encodeCall(organisations.reinstate, (1, 1)));
        refusesStrangers(target, abi.encodeCall(organisations.remove, (1, 1)));
        refusesStrangers(target, abi.encodeCall(organisations.amend, (1, details(1))));
    }

    function test_HistoryIsKept() public {
        vm.roll(10);
        asGovernor(abi.encodeCall(organisations.suspend, (2, 4)));
        vm.roll(11);
        asGovernor(abi.encodeCall(organisations.reinstate, (2, 8)));
        asGovernor(abi.encodeCall(organisations.amend, (2, details(2))));
        vm.roll(12);
        asGovernor(abi.encodeCall(organisations.remove, (2, 5)));
        vm.assertEq(organisations.historyLength(2), 5);
        IOrganisations.Entry[] memory history = organisations.historyOf(2, 0, 100);
        isEntry(history[0], IOrganisations.Act.Joined, 0, 0);
        isEntry(history[1], IOrganisations.Act.Suspended, 4, 10);
        isEntry(history[2], IOrganisations.Act.Reinstated, 8, 11);
        isEntry(history[3], IOrganisations.Act.Amended, 0, 11);
        isEntry(history[4], IOrganisations.Act.Left, 5, 12);
        vm.assertEq(organisations.historyOf(2, 4, 100).length, 1);
        vm.assertEq(organisations.historyOf(2, 5, 100).length, 0);
    }

    /// What proofs of names are about (SPEC §10.11).
    function test_RecordsSaySinceAndUntil() public {
        IOrganisations.Details memory former = details(2);
        isRecord(2, 0, former, 0, 0);
        IOrganisations.Details memory amended = details(2);
        amended.nameEn = "Association of Another Name";
        amended.lei = "5493001KJTIIGC8Y1R12";
        vm.roll(9);
        asGovernor(abi.encodeCall(organisations.amend, (2, amended)));
        vm.assertEq(organisations.recordCount(2), 2);
        isRecord(2, 0, former, 0, 9);
        isRecord(2, 1, amended, 9, 0);
        vm.roll(12);
        asGovernor(abi.encodeCall(organisations.remove, (2, 5)));
        isRecord(2, 1, amended, 9, 0);
        vm.expectRevert(
            abi.encodeWithSelector(IOrganisations.OrganisationsNoRecord.selector, 2, 2, 2)
        );
        organisations.recordOf(2, 2);
    }

    /// The record, and its hash and heights in the slots that a verifier computes.
    function isRecord(
        uint32 organisation,
        uint256 position,
        IOrganisations.Details memory told,
        uint64 since,
        uint64 until
    ) private view {
        IOrganisations.Record memory record = organisations.recordOf(organisation, position);
        vm.assertEq(record.nameZhTw, told.nameZhTw);
        vm.assertEq(record.nameEn, told.nameEn);
        vm.assertEq(record.taxId, told.taxId);
        vm.assertEq(record.lei, told.lei);
        vm.assertEq(record.jurisdiction, told.jurisdiction);
        vm.assertEq(record.since, since);
        vm.assertEq(record.until, until);
        bytes memory names = abi.encodePacked(sized(told.nameZhTw), sized(told.nameEn));
        bytes memory rest =
            abi.encodePacked(sized(told.taxId), sized(told.lei), sized(told.jurisdiction));
        bytes32 hash = sha256(abi.encodePacked("TBSI-RECORD-1", organisation, names, rest));
        vm.assertEq(record.hash, hash);
        bytes32 list = keccak256(abi.encode(keccak256(abi.encode(organisation, 5))));
        uint256 slot = uint256(list) + 7 * position;
        vm.assertEq(vm.load(address(organisations), bytes32(slot)), hash);
        uint256 heights = since | (uint256(until) << 64);
        vm.assertEq(vm.load(address(organisations), bytes32(slot + 1)), bytes32(heights));
    }

    function sized(string memory text) private pure returns (bytes memory) {
        return abi.encodePacked(uint32(bytes(text).length), text);
    }

    function test_StatusGoesOnlyWhereItMay() public {
        refusesStatus(abi.encodeCall(organisations.reinstate, (2, 1)), 2, 1);
        asGovernor(abi.encodeCall(organisations.suspend, (2, 1)));
        refusesStatus(abi.encodeCall(organisations.suspend, (2, 1)), 2, 2);
        asGovernor(abi.encodeCall(organisations.remove, (2, 1)));
        refusesStatus(abi.encodeCall(organisations.suspend, (2, 1)), 2, 3);
        refusesStatus(abi.encodeCall(organisations.reinstate, (2, 1)), 2, 3);
        refusesStatus(abi.encodeCall(organisations.remove, (2, 1)), 2, 3);
        refusesStatus(abi.encodeCall(organisations.amend, (2, details(2))), 2, 3);
        bytes memory unknown =
            abi.encodeWithSelector(IOrganisations.OrganisationsUnknown.selector, 9);
        refusesGovernor(abi.encodeCall(organisations.suspend, (9, 1)), unknown);
        refusesGovernor(abi.encodeCall(organisations.amend, (9, details(9))), unknown);
        vm.expectRevert(unknown);
        organisations.organisationOf(9);
    }

    function test_ReasonsAreCodes() public {
        for (uint256 i = 0; i < 2; i++) {
            uint16 reason = i == 0 ? 0 : 9;
            bytes memory refusal =
                abi.encodeWithSignature("SystemReasonOutOfRange(uint16,uint16)", 8, reason);
            refusesGovernor(abi.encodeCall(organisations.suspend, (1, reason)), refusal);
            refusesGovernor(abi.encodeCall(organisations.remove, (1, reason)), refusal);
        }
    }

    function test_AFewVotersMustStay() public {
        asGovernor(abi.encodeCall(organisations.suspend, (5, 1)));
        asGovernor(abi.encodeCall(organisations.remove, (4, 1)));
        bytes memory refusal =
            abi.encodeWithSelector(IOrganisations.OrganisationsTooFewVoters.selector, 3, 2);
        refusesGovernor(abi.encodeCall(organisations.suspend, (3, 1)), refusal);
        refusesGovernor(abi.encodeCall(organisations.remove, (3, 1)), refusal);
        // One that is suspended or has no vote may go.
        asGovernor(abi.encodeCall(organisations.remove, (5, 1)));
        IOrganisations.Details memory silent = details(6);
        silent.votes = false;
        asGovernor(abi.encodeCall(organisations.admit, (silent)));
        asGovernor(abi.encodeCall(organisations.remove, (6, 1)));
    }

    function test_IdentifiersAreUniqueUntilTheirHolderLeaves() public {
        IOrganisations.Details memory twin = details(6);
        twin.taxId = taxId(2);
        refusesDetails(twin, taken(taxId(2), 2));
        twin = details(6);
        twin.lei = "506700GE1G29325QX363";
        asGovernor(abi.encodeCall(organisations.admit, (twin)));
        vm.assertEq(organisations.organisationByIdentifier(twin.lei), 6);
        IOrganisations.Details memory other = details(7);
        other.lei = twin.lei;
        refusesDetails(other, taken(twin.lei, 6));
        asGovernor(abi.encodeCall(organisations.suspend, (6, 1)));
        refusesDetails(other, taken(twin.lei, 6));
        asGovernor(abi.encodeCall(organisations.remove, (6, 1)));
        vm.assertEq(organisations.organisationByIdentifier(twin.lei), 0);
        asGovernor(abi.encodeCall(organisations.admit, (other)));
        vm.assertEq(organisations.organisationByIdentifier(twin.lei), 7);
        // 6 has left; its own number is free too.
        asGovernor(abi.encodeCall(organisations.admit, (details(6))));
        vm.assertEq(organisations.organisationByIdentifier(""), 0);
    }

    function test_AmendingMovesIdentifiersAndKind() public {
        IOrganisations.Details memory amended = details(2);
        amended.taxId = taxId(20);
        amended.kind = 6;
        vm.expectEmit(address(organisations));
        emit IOrganisations.OrganisationAmended(2, amended.nameZhTw, amended.nameEn);
        asGovernor(abi.encodeCall(organisations.amend, (2, amended)));
        vm.assertEq(organisations.organisationByIdentifier(taxId(2)), 0);
        vm.assertEq(organisations.organisationByIdentifier(taxId(20)), 2);
        vm.assertEq(uint16(organisations.standing(2)), 0x0601);
        amended.votes = false;
        refusesGovernor(
            abi.encodeCall(organisations.amend, (2, amended)),
            abi.encodeWithSelector(IOrganisations.OrganisationsVotesFixed.selector, 2)
        );
        amended.votes = true;
        amended.taxId = taxId(3);
        refusesGovernor(abi.encodeCall(organisations.amend, (2, amended)), taken(taxId(3), 3));
    }

    function test_RefusesWrongDetails() public {
        IOrganisations.Details memory bad = details(6);
        for (uint256 i = 0; i < 2; i++) {
            bad.kind = i == 0 ? 0 : 7;
            refusesDetails(
                bad,
                abi.encodeWithSelector(
                    IOrganisations.OrganisationsKindOutOfRange.selector, 6, bad.kind
                )
            );
        }
        bad = details(6);
        bad.agreementHash = 0;
        refusesDetails(
            bad, abi.encodeWithSelector(IOrganisations.OrganisationsNoAgreement.selector)
        );
        bad = details(6);
        bad.taxId = "12345678";
        refusesDetails(
            bad,
            abi.encodeWithSelector(IOrganisations.OrganisationsTaxIdInvalid.selector, "12345678")
        );
        bad = details(6);
        bad.lei = "5493001KJTIIGC8Y1R13";
        refusesDetails(
            bad, abi.encodeWithSelector(IOrganisations.OrganisationsLeiInvalid.selector, bad.lei)
        );
    }

    function test_RefusesWrongJurisdictionsAndMissingIdentifiers() public {
        IOrganisations.Details memory bad = details(6);
        string[4] memory countries = ["tw", "T", "TWN", "T1"];
        for (uint256 i = 0; i < countries.length; i++) {
            bad.jurisdiction = countries[i];
            refusesDetails(
                bad,
                abi.encodeWithSelector(
                    IOrganisations.OrganisationsJurisdictionInvalid.selector, countries[i]
                )
            );
        }
        bad = details(6);
        bad.taxId = "";
        bad.lei = "5493001KJTIIGC8Y1R12";
        refusesDetails(bad, noIdentifier("TW"));
        bad.jurisdiction = "JP";
        asGovernor(abi.encodeCall(organisations.admit, (bad)));
        bad.lei = "";
        refusesDetails(bad, noIdentifier("JP"));
    }

    function test_RefusesTextsOutOfShape() public {
        IOrganisations.Details memory bad = details(6);
        bad.nameEn = "";
        refusesDetails(bad, length("nameEn", 1, 512, 0));
        bad.nameEn = string(new bytes(513));
        refusesDetails(bad, length("nameEn", 1, 512, 513));
        bad = details(6);
        bad.nameZhTw = string(new bytes(513));
        refusesDetails(bad, length("nameZhTw", 0, 512, 513));
        bad = details(6);
        bad.contactUrl = "http://guild.example/";
        refusesDetails(bad, character("contactUrl", 4));
        bad.contactUrl = "https://guild example/";
        refusesDetails(bad, character("contactUrl", 13));
        bad.contactUrl = string.concat("https://", string(new bytes(249)));
        refusesDetails(bad, length("contactUrl", 0, 256, 257));
    }

    function test_AdministratorsSetTheContact() public {
        vm.expectEmit(address(organisations));
        emit IOrganisations.ContactSet(2, "https://new.example/");
        vm.prank(admin(2));
        organisations.setContact("https://new.example/");
        vm.assertEq(organisations.organisationOf(2).contactUrl, "https://new.example/");
        refuses(
            admin(2),
            address(organisations),
            abi.encodeCall(organisations.setContact, ("mailto:someone@example")),
            character("contactUrl", 0)
        );
        refuses(
            STRANGER,
            address(organisations),
            abi.encodeCall(organisations.setContact, ("")),
            abi.encodeWithSelector(IPermissions.PermissionsMissing.selector, STRANGER, 16)
        );
    }

    function test_TheRegisterIsBounded() public {
        // The count is in the lowest bits of slot 4.
        uint256 packed = uint256(vm.load(address(organisations), bytes32(uint256(4))));
        vm.assertEq(uint32(packed), 5);
        vm.store(address(organisations), bytes32(uint256(4)), bytes32(packed - 5 + 4096));
        refusesDetails(
            details(6), abi.encodeWithSelector(IOrganisations.OrganisationsTooMany.selector, 4096)
        );
    }

    function test_ListsComeInPages() public view {
        IOrganisations.Organisation[] memory page = organisations.organisations(2, 3);
        vm.assertEq(page.length, 3);
        vm.assertEq(page[0].nameEn, details(2).nameEn);
        vm.assertEq(organisations.organisations(5, 100).length, 1);
        vm.assertEq(organisations.organisations(6, 100).length, 0);
    }

    function test_NamesOfNobodyAreEmpty() public view {
        (string memory zhTw, string memory en) = organisations.namesOf(99);
        vm.assertEq(zhTw, "");
        vm.assertEq(en, "");
    }

    function asGovernor(bytes memory data) private {
        vm.assertTrue(send(address(motions), address(organisations), data));
    }

    function refusesGovernor(bytes memory data, bytes memory reason) private {
        refuses(address(motions), address(organisations), data, reason);
    }

    function refusesDetails(IOrganisations.Details memory bad, bytes memory reason) private {
        refusesGovernor(abi.encodeCall(organisations.admit, (bad)), reason);
    }

    function refusesStatus(bytes memory data, uint32 organisation, uint8 status) private {
        refusesGovernor(
            data,
            abi.encodeWithSelector(
                IOrganisations.OrganisationsStatus.selector, organisation, status
            )
        );
    }

    function isEntry(
        IOrganisations.Entry memory entry,
        IOrganisations.Act act,
        uint16 reason,
        uint64 height
    ) private pure {
        vm.assertEq(entry.act, uint8(act));
        vm.assertEq(entry.reason, reason);
        vm.assertEq(entry.height, height);
        vm.assertEq(entry.time, NOW);
    }

    function taken(string memory identifier, uint32 holder) private pure returns (bytes memory) {
        return abi.encodeWithSelector(
            IOrganisations.OrganisationsIdentifierTaken.selector, identifier, holder
        );
    }

    function noIdentifier(string memory jurisdiction) private pure returns (bytes memory) {
        return
            abi.encodeWithSelector(IOrganisations.OrganisationsNoIdentifier.selector, jurisdiction);
    }

    function length(string memory field, uint256 min, uint256 max, uint256 got)
        private
        pure
        returns (bytes memory)
    {
        return abi.encodeWithSignature(
            "TextsLengthOutOfRange(string,uint256,uint256,uint256)", field, min, max, got
        );
    }

    function character(string memory field, uint256 position) private pure returns (bytes memory) {
        return abi.encodeWithSignature("TextsCharacterRefused(string,uint256)", field, position);
    }
}
