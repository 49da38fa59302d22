// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Der} from "../../src/fabric/Der.sol";
import {Endorsements} from "../../src/fabric/Endorsements.sol";
import {IFabricFacts} from "../../src/fabric/IFabricFacts.sol";
import {P256} from "../../src/fabric/P256.sol";
import {Protobuf} from "../../src/fabric/Protobuf.sol";
import {X509} from "../../src/fabric/X509.sol";
import {IMotions} from "../../src/IMotions.sol";
import {FabricWorld} from "./FabricWorld.sol";

/// @notice What peers of a real network stated becomes an attestation, once, and nothing else does.
contract FabricFactsTest is FabricWorld {
    function endorsementRefused(uint256 position, string memory problem)
        private
        pure
        returns (bytes memory)
    {
        return abi.encodeWithSelector(
            IFabricFacts.FabricFactsEndorsementRefused.selector, position, problem
        );
    }

    function mismatch(string memory field) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IFabricFacts.FabricFactsEntryMismatch.selector, field);
    }

    function test_WhatTwoOrganisationsStateIsAttested() public {
        vm.assertEq(fabric.attestationOf(MESSAGE), 0);
        bytes32 attestation = fabric.importEntry(NONCE, response(), both());
        vm.assertEq(fabric.attestationOf(MESSAGE), attestation);
        vm.assertGt(book.attestedAt(attestation), 0);
        (bytes memory entry,) = Endorsements.answer(response(), "tbsi");
        bytes32[] memory words = new bytes32[](1);
        words[0] = sha256(entry);
        vm.assertEq(attestation, book.idOf(address(fabric), fabric.SCHEMA(), 0x12, words));
        vm.assertEq(book.schemaOf(fabric.SCHEMA()).owner, address(fabric));
        vm.assertEq(
            fabric.SCHEMA_TEXT(), sha256(bytes(vm.readFile("./schemas/fabric-entry-v1.txt")))
        );
    }

    /// A transaction has 16,777,216 gas at most (EIP-7825).
    function test_AnImportFitsIntoATransaction() public {
        bytes memory stated = response();
        IFabricFacts.Endorsement[] memory all = both();
        fabric.importEntry(NONCE, stated, all);
        uint256 gas = vm.lastCallGas().gasTotalUsed;
        vm.assertGt(8_000_000, gas, vm.toString(gas));
    }

    function test_ANonceAndAMessageAreUsedOnce() public {
        bytes32 attestation = fabric.importEntry(NONCE, response(), both());
        bytes memory used =
            abi.encodeWithSelector(IFabricFacts.FabricFactsNonceUsed.selector, NONCE);
        refused(response(), both(), used);
        asked("Org2MSP", 1);
        bytes memory known =
            abi.encodeWithSelector(IFabricFacts.FabricFactsKnown.selector, MESSAGE, attestation);
        refused(response(), both(), known);
    }

    function test_StaleAndUnknownNonces() public {
        vm.warp(RECORDED + 1 hours);
        uint256 state = vm.snapshotState();
        fabric.importEntry(NONCE, response(), both());
        vm.assertTrue(vm.revertToState(state));
        vm.warp(RECORDED + 1 hours + 1);
        refused(
            response(),
            both(),
            abi.encodeWithSelector(
                IFabricFacts.FabricFactsNonceStale.selector,
                NONCE,
                RECORDED + 1 hours,
                RECORDED + 1 hours + 1
            )
        );
        vm.expectRevert(
            abi.encodeWithSelector(IFabricFacts.FabricFactsNonceUnknown.selector, bytes32(0))
        );
        fabric.importEntry(0, response(), both());
        // A real nonce is not the one that was stated.
        bytes32 other = fabric.request(1, "Org2MSP", 1);
        vm.expectRevert(mismatch("nonce"));
        fabric.importEntry(other, response(), both());
        vm.assertTrue(other != fabric.request(1, "Org2MSP", 1), "two nonces are one");
    }

    function test_AnotherEntryThanWasAskedFor() public {
        asked("Org1MSP", 1);
        refused(response(), both(), mismatch("mspId"));
        asked("Org2MSP", 2);
        refused(response(), both(), mismatch("sequence"));
        vm.chainId(1);
        asked("Org2MSP", 1);
        refused(response(), both(), mismatch("chainId"));
    }

    function test_ForeignChannelChaincodeAndNetwork() public {
        IFabricFacts.Description memory it = described(2);
        it.channel = "channel-2";
        register(it, 0);
        asked("Org2MSP", 1);
        refused(response(), both(), mismatch("channel"));
        it = described(2);
        it.chaincode = "tbsi2";
        register(it, 0);
        asked("Org2MSP", 1);
        bytes memory other = abi.encodeWithSelector(
            Endorsements.FabricResponseRefused.selector, "it is of another chaincode"
        );
        refused(response(), both(), other);
        it = described(2);
        it.genesisHash = bytes32(uint256(1));
        register(it, 0);
        asked("Org2MSP", 1);
        refused(response(), both(), mismatch("genesisHash"));
    }

    function test_ForeignMspAndAuthority() public {
        IFabricFacts.Description memory it = described(2);
        it.organisations[1].mspId = "Org3MSP";
        register(it, 0);
        asked("Org2MSP", 1);
        refused(response(), both(), endorsementRefused(1, "its MSP is not of the channel"));
        it = described(2);
        // The other organisation's root: it certified none of this one's peers.
        it.organisations[1].authorities[0] = root(0);
        register(it, 0);
        asked("Org2MSP", 1);
        string memory problem = "no valid authority of its MSP certified it";
        refused(response(), both(), endorsementRefused(1, problem));
    }

    function test_EachOrganisationCountsOnce() public {
        IFabricFacts.Endorsement[] memory all = both();
        all[1] = all[0];
        refused(response(), all, endorsementRefused(1, "its organisation is counted already"));
        all = new IFabricFacts.Endorsement[](1);
        all[0] = endorsement(0);
        refused(
            response(), all, abi.encodeWithSelector(IFabricFacts.FabricFactsTooFew.selector, 2, 1)
        );
        register(described(1), 0);
        asked("Org2MSP", 1);
        fabric.importEntry(NONCE, response(), all);
    }

    function test_CertificatesOutOfTheirTime() public {
        string memory problem = "its certificate is not valid now";
        uint256 state = vm.snapshotState();
        vm.warp(RECORDED - 2 days);
        asked("Org2MSP", 1);
        refused(response(), both(), endorsementRefused(0, problem));
        vm.assertTrue(vm.revertToState(state));
        vm.warp(RECORDED + 11 * 365 days);
        asked("Org2MSP", 1);
        refused(response(), both(), endorsementRefused(0, problem));
    }

    function test_ASignatureOfSomethingElse() public {
        IFabricFacts.Endorsement[] memory all = both();
        (all[0].signature, all[1].signature) = (all[1].signature, all[0].signature);
        refused(response(), all, endorsementRefused(0, "it is no signature of the response"));
        all = both();
        (uint256 r, uint256 s) = Der.signature(all[0].signature);
        uint256 order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551;
        all[0].signature = encoded(r, order - s);
        refused(response(), all, endorsementRefused(0, "it has high s"));
        vm.assertTrue(s <= P256.HALF_ORDER);
    }

    /// An ECDSA signature in DER.
    function encoded(uint256 r, uint256 s) private pure returns (bytes memory) {
        bytes memory both_ = abi.encodePacked(integer(r), integer(s));
        return abi.encodePacked(hex"30", uint8(both_.length), both_);
    }

    function integer(uint256 value) private pure returns (bytes memory) {
        bytes memory zero = value >> 255 == 1 ? bytes(hex"00") : bytes("");
        return abi.encodePacked(hex"02", uint8(32 + zero.length), zero, value);
    }

    function test_ANewDescriptionTakesThePlaceOfAnother() public {
        uint32 second = register(described(1), 1);
        vm.assertTrue(fabric.channelOf(1).replaced);
        bytes memory replaced =
            abi.encodeWithSelector(IFabricFacts.FabricFactsChannelReplaced.selector, 1);
        refused(response(), both(), replaced);
        vm.expectRevert(replaced);
        fabric.request(1, "Org2MSP", 1);
        asked("Org2MSP", 1);
        fabric.importEntry(NONCE, response(), both());
        vm.assertEq(second, 2);
        vm.expectRevert(abi.encodeWithSelector(IFabricFacts.FabricFactsChannelUnknown.selector, 3));
        fabric.channelOf(3);
    }

    function test_OnlyWhatAMotionResolvedIsRegistered() public {
        IFabricFacts.Description memory it = described(1);
        uint32 motion = resolved(it);
        it.needed = 2;
        bytes32 hash = sha256(abi.encode(it));
        vm.expectRevert(
            abi.encodeWithSelector(IFabricFacts.FabricFactsMotionRefused.selector, motion, hash)
        );
        fabric.register(it, motion, 0);
        uint32 open = proposed(1, IMotions.Kind.Resolve, abi.encode(hash));
        vm.expectRevert(
            abi.encodeWithSelector(IFabricFacts.FabricFactsMotionRefused.selector, open, hash)
        );
        fabric.register(it, open, 0);
        it.needed = 1;
        fabric.register(it, motion, 0);
        vm.expectRevert(abi.encodeWithSelector(IFabricFacts.FabricFactsMotionUsed.selector, motion));
        fabric.register(it, motion, 0);
    }

    function test_DescriptionsThatCannotBe() public {
        string[7] memory fields = [
            "organisations", "needed", "freshness", "genesisHash", "channel", "mspId", "authorities"
        ];
        for (uint256 i = 0; i < fields.length; i++) {
            IFabricFacts.Description memory it = described(2);
            if (i == 0) it.organisations = new IFabricFacts.Organisation[](0);
            if (i == 1) it.needed = 3;
            if (i == 2) it.freshness = 59;
            if (i == 3) it.genesisHash = 0;
            if (i == 4) it.channel = "";
            if (i == 5) it.organisations[1].mspId = "Org1MSP";
            if (i == 6) it.organisations[1].authorities = new bytes[](0);
            uint32 motion = resolved(it);
            vm.expectRevert(
                abi.encodeWithSelector(
                    IFabricFacts.FabricFactsDescriptionRefused.selector, fields[i]
                )
            );
            fabric.register(it, motion, 0);
        }
    }

    function test_APeerIsNoAuthority() public {
        IFabricFacts.Description memory it = described(2);
        it.organisations[0].authorities[0] = peer(0);
        uint32 motion = resolved(it);
        vm.expectRevert(
            abi.encodeWithSelector(
                IFabricFacts.FabricFactsAuthorityRefused.selector, 0, 0, "it may certify nobody"
            )
        );
        fabric.register(it, motion, 0);
        it = described(2);
        it.organisations[0].authorities = new bytes[](2);
        (it.organisations[0].authorities[0], it.organisations[0].authorities[1]) =
        (root(0), root(1));
        motion = resolved(it);
        vm.expectRevert(
            abi.encodeWithSelector(
                IFabricFacts.FabricFactsAuthorityRefused.selector,
                0,
                1,
                "nobody before it certified it"
            )
        );
        fabric.register(it, motion, 0);
    }

    function peer(uint256 organisation) private view returns (bytes memory) {
        bytes memory identity = endorsement(organisation).endorser;
        Protobuf.Reader memory r = Protobuf.reader(identity, "");
        Protobuf.field(r, 1);
        return Endorsements.der(Protobuf.bytesOf(r, 2));
    }

    function test_CertificatesAreReadAsTheyAre() public view {
        X509.Certificate memory it = X509.parse(root(0));
        vm.assertTrue(it.authority && it.certifies && it.role == 0);
        vm.assertTrue(X509.isIssued(it, it.subject, it.x, it.y));
        // 2026-11-30 17:33:00 to 2036-11-27 17:33:00.
        vm.assertEq(it.notBefore, 1_796_059_980);
        vm.assertEq(it.notAfter, 2_111_419_980);
        X509.Certificate memory one = X509.parse(peer(0));
        vm.assertTrue(!one.authority && one.signs && one.role == X509.PEER);
        vm.assertTrue(X509.isIssued(one, it.subject, it.x, it.y));
        vm.assertFalse(X509.isIssued(one, bytes32(0), it.x, it.y));
    }

    /// Each byte of what peers signed, changed: nothing of it is taken.
    function test_NoByteOfAResponseCanChange() public {
        bytes memory good = response();
        IFabricFacts.Endorsement[] memory all = both();
        for (uint256 i = 0; i < good.length; i++) {
            bytes memory bad = bytes.concat(good);
            bad[i] ^= bytes1(uint8(1 << (i % 8)));
            refusedSomehow(bad, all);
        }
    }

    /// Cut short, and with bytes behind, at every place.
    function test_NoLengthOfAResponseOrAnEndorserCanChange() public {
        bytes memory good = response();
        IFabricFacts.Endorsement[] memory all = both();
        for (uint256 i = 0; i < good.length; i += 13) {
            refusedSomehow(Protobuf.slice(good, 0, i), all);
        }
        refusedSomehow(bytes.concat(good, hex"1a00"), all);
        bytes memory identity = all[0].endorser;
        for (uint256 i = 0; i < identity.length; i += 29) {
            all[0].endorser = Protobuf.slice(identity, 0, i);
            refusedSomehow(good, all);
        }
        all[0].endorser = bytes.concat(identity, hex"1a00");
        refusedSomehow(good, all);
    }

    /// Each byte of a peer's certificate, changed.
    function test_NoByteOfACertificateCanChange() public view {
        bytes memory good = peer(0);
        X509.Certificate memory by = X509.parse(root(0));
        for (uint256 i = 0; i < good.length; i++) {
            bytes memory bad = bytes.concat(good);
            bad[i] ^= bytes1(uint8(1 << (i % 8)));
            try this.certified(bad, by) returns (bool found) {
                vm.assertFalse(found, vm.toString(i));
            } catch (bytes memory reason) {
                vm.assertGe(reason.length, 4);
                requireNoPanic(reason);
            }
        }
    }

    function certified(bytes calldata der, X509.Certificate calldata by)
        external
        view
        returns (bool)
    {
        return X509.isIssued(X509.parse(der), by.subject, by.x, by.y);
    }

    function refusedSomehow(bytes memory bad, IFabricFacts.Endorsement[] memory all) private {
        try fabric.importEntry(NONCE, bad, all) {
            vm.assertTrue(false, "it was taken");
        } catch (bytes memory reason) {
            vm.assertGe(reason.length, 4);
            requireNoPanic(reason);
        }
    }

    /// Every refusal has a name.
    function requireNoPanic(bytes memory reason) private pure {
        vm.assertTrue(bytes4(reason) != bytes4(keccak256("Panic(uint256)")), "it panics");
    }
}
