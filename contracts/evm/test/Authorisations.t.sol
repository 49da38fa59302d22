// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Authorisations} from "../src/Authorisations.sol";
import {IAuthorisations} from "../src/IAuthorisations.sol";
import {IPermissions} from "../src/IPermissions.sol";
import {Granting} from "./Granting.sol";

/// @notice Authorisations between organisations.
contract AuthorisationsTest is Granting {
    function setUp() public {
        found(5);
        vm.roll(9);
    }

    function party(uint256 n) private pure returns (IAuthorisations.Party memory) {
        return IAuthorisations.Party(details(n).nameZhTw, details(n).nameEn, taxId(n), "", "TW");
    }

    function act(uint32 version, uint32 by, IAuthorisations.Terms memory made)
        private
        pure
        returns (IAuthorisations.Act memory)
    {
        return IAuthorisations.Act(version, by, admin(by), DATA, made, party(2), party(3));
    }

    function times(uint32 number, uint256 version) private view returns (uint64[4] memory got) {
        (got[0], got[1], got[2], got[3]) = authorisations.versionOf(number, version);
    }

    function test_BothGive() public {
        vm.expectEmit(address(authorisations));
        emit IAuthorisations.AuthorisationOffered(1, 2, 3, act(0, 2, usual()));
        takes(admin(2), granting(usual()));
        IAuthorisations.Authorisation memory found = authorisations.authorisationOf(1);
        vm.assertEq(found.grantor, 2);
        vm.assertEq(found.grantee, 3);
        vm.assertEq(found.dataSet, DATA);
        vm.assertEq(found.status, 1);
        vm.assertEq(found.versions, 0);
        vm.assertEq(found.terms.purposes.length, 0);
        vm.assertEq(abi.encode(found.offered), abi.encode(usual()));
        vm.assertFalse(isAllowed(1, 1));

        vm.roll(12);
        vm.warp(NOW + 5);
        vm.expectEmit(address(authorisations));
        emit IAuthorisations.AuthorisationAccepted(1, 2, 3, act(0, 3, usual()));
        takes(admin(3), accepting(1));
        found = authorisations.authorisationOf(1);
        vm.assertEq(found.status, 2);
        vm.assertEq(found.versions, 1);
        vm.assertEq(found.offered.purposes.length, 0);
        vm.assertEq(abi.encode(found.terms), abi.encode(usual()));
        vm.assertTrue(isAllowed(1, 1) && isAllowed(1, 3) && !isAllowed(1, 4));
        vm.assertEq(abi.encode(times(1, 0)), abi.encode([NOW + 5, 0, 12, 0]));
        vm.assertEq(authorisations.offeredAt(1, 0), 9);
        vm.assertEq(authorisations.offeredAt(1, 1), 0);
        vm.assertEq(authorisations.authorisations(1, 100).length, 1);
    }

    function test_NobodyActsForAnother() public {
        uint32 number = given(usual());
        takes(admin(2), extending(number, terms(uint64(NOW), uint64(NOW + 366 days), 7)));
        bytes memory narrower = narrowing(number, terms(uint64(NOW), uint64(NOW + 1 days), 1));
        bytes memory wider = extending(number, terms(uint64(NOW), uint64(NOW + 367 days), 7));
        bytes[5] memory calls =
            [accepting(number), narrower, wider, revoking(number), relying(number, 1)];
        uint32[5] memory expected = [uint32(3), 2, 2, 2, 3];
        for (uint256 i = 0; i < calls.length; i++) {
            refused(admin(4), calls[i], notParty(expected[i], 4));
            uint256 bit = i == 4 ? 4 : 16;
            refused(
                STRANGER,
                calls[i],
                abi.encodeWithSelector(IPermissions.PermissionsMissing.selector, STRANGER, bit)
            );
        }
        refused(admin(2), calls[0], notParty(3, 2));
        refused(admin(3), calls[2], notParty(2, 3));
        refused(admin(2), calls[4], notParty(3, 2));
        refused(
            STRANGER,
            granting(usual()),
            abi.encodeWithSelector(IPermissions.PermissionsMissing.selector, STRANGER, 16)
        );
    }

    function notParty(uint32 expected, uint32 got) private pure returns (bytes memory) {
        return
            abi.encodeWithSelector(IAuthorisations.AuthorisationsNotParty.selector, expected, got);
    }

    function test_AnAccountThatAttestsReliesAndGivesNothing() public {
        uint32 number = given(usual());
        address clerk = enrolled(3, 77, 5);
        vm.expectEmit(address(authorisations));
        emit IAuthorisations.AuthorisationReliedOn(number, 2, 3, 0, clerk, purpose(2), SUBJECT);
        takes(clerk, relying(number, 2));
        refused(
            clerk,
            revoking(number),
            abi.encodeWithSelector(IPermissions.PermissionsMissing.selector, clerk, 16)
        );
        address sender = enrolled(3, 78, 1);
        refused(
            sender,
            relying(number, 2),
            abi.encodeWithSelector(IPermissions.PermissionsMissing.selector, sender, 4)
        );
    }

    function test_UseIsOfNowAndForAPurpose() public {
        uint32 number = given(terms(uint64(NOW + 10), uint64(NOW + 20), 2));
        bytes memory notNow = abi.encodeWithSelector(
            IAuthorisations.AuthorisationsNotNow.selector, number, NOW + 10, NOW + 20, NOW + 9
        );
        vm.warp(NOW + 9);
        refused(admin(3), relying(number, 2), notNow);
        vm.warp(NOW + 10);
        takes(admin(3), relying(number, 2));
        refused(
            admin(3),
            relying(number, 1),
            abi.encodeWithSelector(
                IAuthorisations.AuthorisationsOtherPurpose.selector, number, purpose(1)
            )
        );
        refused(
            admin(3),
            abi.encodeCall(IAuthorisations.relyOn, (number, purpose(2), 0)),
            zero("subject")
        );
        vm.warp(NOW + 19);
        takes(admin(3), relying(number, 2));
        vm.warp(NOW + 20);
        vm.assertFalse(isAllowed(number, 2));
        notNow = abi.encodeWithSelector(
            IAuthorisations.AuthorisationsNotNow.selector, number, NOW + 10, NOW + 20, NOW + 20
        );
        refused(admin(3), relying(number, 2), notNow);
    }

    function zero(string memory field) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IAuthorisations.AuthorisationsDigestZero.selector, field);
    }

    function test_EitherNarrows() public {
        uint32 number = given(usual());
        vm.roll(20);
        vm.warp(NOW + 100);
        IAuthorisations.Terms memory less = terms(uint64(NOW), uint64(NOW + 30 days), 3);
        vm.expectEmit(address(authorisations));
        emit IAuthorisations.AuthorisationNarrowed(number, 2, 3, act(1, 3, less));
        takes(admin(3), narrowing(number, less));
        vm.assertEq(abi.encode(times(number, 0)), abi.encode([NOW, NOW + 100, 9, 20]));
        vm.assertEq(abi.encode(times(number, 1)), abi.encode([NOW + 100, 0, 20, 0]));
        vm.assertFalse(isAllowed(number, 3));
        less = terms(uint64(NOW), uint64(NOW + 30 days), 1);
        takes(admin(2), narrowing(number, less));
        vm.assertEq(authorisations.authorisationOf(number).versions, 3);
        bytes memory no =
            abi.encodeWithSelector(IAuthorisations.AuthorisationsNotNarrower.selector, number);
        refused(admin(2), narrowing(number, less), no);
        refused(admin(2), narrowing(number, terms(uint64(NOW), uint64(NOW + 1 days), 3)), no);
        refused(admin(2), narrowing(number, terms(uint64(NOW), uint64(NOW + 31 days), 1)), no);
        refused(admin(2), narrowing(number, terms(uint64(NOW - 1), uint64(NOW + 30 days), 1)), no);
        refused(admin(2), narrowing(number, terms(uint64(NOW), uint64(NOW + 30 days), 2)), no);
        less.agreement = keccak256("another agreement");
        refused(admin(2), narrowing(number, less), no);
    }

    function test_BothExtend() public {
        uint32 number = given(terms(uint64(NOW), uint64(NOW + 30 days), 3));
        bytes memory no =
            abi.encodeWithSelector(IAuthorisations.AuthorisationsNotWider.selector, number);
        refused(admin(2), extending(number, terms(uint64(NOW), uint64(NOW + 30 days), 3)), no);
        refused(admin(2), extending(number, terms(uint64(NOW), uint64(NOW + 29 days), 7)), no);
        refused(admin(2), extending(number, terms(uint64(NOW), uint64(NOW + 31 days), 5)), no);
        refused(admin(2), extending(number, terms(uint64(NOW + 1), uint64(NOW + 31 days), 3)), no);
        IAuthorisations.Terms memory more = terms(uint64(NOW), uint64(NOW + 60 days), 7);
        takes(admin(2), extending(number, terms(uint64(NOW), uint64(NOW + 50 days), 7)));
        bytes memory first = accepting(number);
        takes(admin(2), extending(number, more));
        vm.assertFalse(isAllowed(number, 3));
        (bool done,) = answer(admin(3), address(authorisations), first);
        vm.assertFalse(done, "the offer that was replaced is accepted");
        vm.roll(30);
        takes(admin(3), accepting(number));
        vm.assertTrue(isAllowed(number, 3));
        vm.assertEq(abi.encode(times(number, 0)), abi.encode([NOW, NOW, 9, 30]));
        vm.assertEq(abi.encode(times(number, 1)), abi.encode([NOW, 0, 30, 0]));
        vm.assertEq(authorisations.offeredAt(number, 1), 9);
        bytes memory again = abi.encodeCall(IAuthorisations.accept, (number, bytes32(0)));
        refused(admin(3), again, noOffer(number));
    }

    function noOffer(uint32 number) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IAuthorisations.AuthorisationsNoOffer.selector, number);
    }

    function test_ANarrowingVoidsWhatWasOffered() public {
        uint32 number = given(usual());
        takes(admin(2), extending(number, terms(uint64(NOW), uint64(NOW + 366 days), 15)));
        bytes memory acceptance = accepting(number);
        takes(admin(3), narrowing(number, terms(uint64(NOW), uint64(NOW + 1 days), 1)));
        refused(admin(3), acceptance, noOffer(number));
    }

    function test_WhatIsRevokedNeverComesBack() public {
        uint32 number = given(usual());
        takes(admin(2), extending(number, terms(uint64(NOW), uint64(NOW + 366 days), 7)));
        bytes memory acceptance = accepting(number);
        vm.roll(15);
        vm.warp(NOW + 7);
        vm.expectEmit(address(authorisations));
        emit IAuthorisations.AuthorisationRevoked(number, 2, 3, 3, admin(3), 3);
        takes(admin(3), revoking(number));
        vm.assertEq(abi.encode(times(number, 0)), abi.encode([NOW, NOW + 7, 9, 15]));
        vm.assertFalse(isAllowed(number, 1));
        bytes memory status =
            abi.encodeWithSelector(IAuthorisations.AuthorisationsStatus.selector, number, 3);
        refused(admin(3), acceptance, noOffer(number));
        refused(admin(2), revoking(number), status);
        refused(admin(3), relying(number, 1), status);
        refused(admin(2), extending(number, terms(uint64(NOW), uint64(NOW + 366 days), 7)), status);
        refused(admin(2), narrowing(number, terms(uint64(NOW), uint64(NOW + 300 days), 7)), status);
    }

    function test_AnOfferIsWithdrawnOrRefused() public {
        for (uint256 by = 2; by <= 3; by++) {
            takes(admin(2), granting(usual()));
            uint32 number = authorisations.authorisationCount();
            bytes memory acceptance = accepting(number);
            takes(admin(by), revoking(number));
            refused(admin(3), acceptance, noOffer(number));
            vm.assertEq(authorisations.authorisationOf(number).versions, 0);
        }
    }

    function test_WhatIsOverIsGivenAnew() public {
        uint32 number = given(terms(uint64(NOW), uint64(NOW + 10), 1));
        takes(admin(2), granting(terms(uint64(NOW), uint64(NOW + 10), 1)));
        takes(admin(2), extending(number, terms(uint64(NOW), uint64(NOW + 20), 1)));
        vm.warp(NOW + 10);
        bytes memory over = abi.encodeWithSelector(
            IAuthorisations.AuthorisationsOver.selector, number, NOW + 10, NOW + 10
        );
        refused(admin(3), accepting(number), over);
        refused(admin(2), extending(number, terms(uint64(NOW), uint64(NOW + 30), 1)), over);
        refused(admin(2), narrowing(number, terms(uint64(NOW), uint64(NOW + 15), 1)), over);
        refused(
            admin(3),
            accepting(2),
            abi.encodeWithSelector(
                IAuthorisations.AuthorisationsOver.selector, 2, NOW + 10, NOW + 10
            )
        );
        takes(admin(2), revoking(number));
    }

    function test_LimitsOfTerms() public {
        IAuthorisations.Terms memory made = usual();
        made.agreement = 0;
        refused(admin(2), granting(made), zero("agreement"));
        refused(
            admin(2),
            abi.encodeCall(IAuthorisations.grant, (3, bytes32(0), usual())),
            zero("dataSet")
        );
        uint64 max = 3660 days;
        uint64[2][5] memory bad = [
            [uint64(NOW), uint64(NOW)],
            [uint64(NOW - 1), uint64(NOW)],
            [uint64(NOW + 2), uint64(NOW + 1)],
            [uint64(NOW), uint64(NOW) + max + 1],
            [uint64(0), uint64(NOW + 1)]
        ];
        for (uint256 i = 0; i < bad.length; i++) {
            refused(
                admin(2),
                granting(terms(bad[i][0], bad[i][1], 1)),
                abi.encodeWithSelector(
                    IAuthorisations.AuthorisationsTimesOutOfRange.selector,
                    bad[i][0],
                    bad[i][1],
                    NOW,
                    max
                )
            );
        }
        takes(admin(2), granting(terms(uint64(NOW), uint64(NOW) + max, 0xffff)));
        made = terms(uint64(NOW), uint64(NOW + 1), 0);
        refused(admin(2), granting(made), range(0));
        made.purposes = new bytes32[](17);
        refused(admin(2), granting(made), range(17));
        made.purposes = new bytes32[](2);
        refused(admin(2), granting(made), order(0));
        (made.purposes[0], made.purposes[1]) = (purpose(1), purpose(1));
        refused(admin(2), granting(made), order(1));
        made.purposes[0] = purpose(2);
        refused(admin(2), granting(made), order(1));
    }

    function range(uint256 got) private pure returns (bytes memory) {
        return
            abi.encodeWithSelector(
                IAuthorisations.AuthorisationsPurposesOutOfRange.selector, 16, got
            );
    }

    function order(uint256 place) private pure returns (bytes memory) {
        return
            abi.encodeWithSelector(
                IAuthorisations.AuthorisationsPurposesNotAscending.selector, place
            );
    }

    function test_PartiesAreTwoThatAreActive() public {
        refused(
            admin(3),
            granting(usual()),
            abi.encodeWithSelector(IAuthorisations.AuthorisationsSameParty.selector, 3)
        );
        for (uint32 other = 0; other < 10; other += 6) {
            refused(
                admin(2),
                abi.encodeCall(IAuthorisations.grant, (other, DATA, usual())),
                abi.encodeWithSelector(
                    IAuthorisations.AuthorisationsGranteeNotActive.selector, other
                )
            );
        }
        for (uint32 number = 0; number < 2; number++) {
            bytes memory unknown =
                abi.encodeWithSelector(IAuthorisations.AuthorisationsUnknown.selector, number);
            refused(admin(2), revoking(number), unknown);
            refused(admin(3), relying(number, 1), unknown);
        }
    }

    function test_VersionsAreBounded() public {
        uint32 number = given(terms(uint64(NOW), uint64(NOW + 1000), 1));
        for (uint256 i = 1; i < 256; i++) {
            takes(admin(2), narrowing(number, terms(uint64(NOW), uint64(NOW + 1000 - i), 1)));
        }
        bytes memory tooMany =
            abi.encodeWithSelector(IAuthorisations.AuthorisationsTooManyVersions.selector, 256);
        refused(admin(2), narrowing(number, terms(uint64(NOW), uint64(NOW + 1), 1)), tooMany);
        refused(admin(2), extending(number, terms(uint64(NOW), uint64(NOW + 2000), 1)), tooMany);
        takes(admin(2), revoking(number));
        (bool done, bytes memory got) =
            address(authorisations).call(abi.encodeCall(IAuthorisations.versionOf, (number, 256)));
        vm.assertFalse(done);
        vm.assertEq(
            got,
            abi.encodeWithSelector(
                IAuthorisations.AuthorisationsNoVersion.selector, number, 256, 256
            )
        );
    }

    function test_NoSurplusBytes() public {
        uint32 number = given(usual());
        bytes memory reason =
            abi.encodeWithSelector(IAuthorisations.AuthorisationsArgumentsNotCanonical.selector);
        bytes[6] memory calls = [
            granting(usual()),
            extending(number, terms(uint64(NOW), uint64(NOW + 366 days), 7)),
            abi.encodeCall(IAuthorisations.accept, (number, bytes32(0))),
            narrowing(number, terms(uint64(NOW), uint64(NOW + 1 days), 7)),
            revoking(number),
            relying(number, 1)
        ];
        for (uint256 i = 0; i < calls.length; i++) {
            refused(admin(i == 2 || i == 5 ? 3 : 2), bytes.concat(calls[i], hex"00"), reason);
        }
    }

    /// Where SPEC §20.3 says that a proof looks.
    function test_TheWordOfAVersionIsWhereProofsLook() public {
        uint32 number = given(usual());
        vm.roll(20);
        vm.warp(NOW + 100);
        takes(admin(2), narrowing(number, terms(uint64(NOW), uint64(NOW + 30 days), 3)));
        bytes32 list = keccak256(abi.encode(uint256(number), uint256(0)));
        uint256 first = uint256(keccak256(abi.encode(list)));
        uint256 word = uint256(vm.load(address(authorisations), bytes32(first)));
        vm.assertEq(word, NOW | ((NOW + 100) << 64) | (uint256(9) << 128) | (uint256(20) << 192));
        word = uint256(vm.load(address(authorisations), bytes32(first + 1)));
        vm.assertEq(word, (NOW + 100) | (uint256(20) << 128));
    }

    function test_ArtifactIsTheTestedCode() public view {
        bytes memory placed =
            vm.parseJsonBytes(vm.readFile("artifacts/Authorisations.json"), ".deployedBytecode");
        vm.assertEq(placed, type(Authorisations).runtimeCode);
    }
}
