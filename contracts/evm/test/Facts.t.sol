// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IChains} from "../src/IChains.sol";
import {IFacts} from "../src/IFacts.sol";
import {IPermissions} from "../src/IPermissions.sol";
import {Foreign} from "./Foreign.sol";

/// @notice Clients of other chains, and the facts that they prove. What the precompiles do is
/// tested where they are; here they stand in as mocks.
contract FactsTest is Foreign {
    function test_AClientBelongsToTheChainsOperator() public {
        IFacts.Client memory client = facts.clientOf(1);
        vm.assertEq(client.chain, 1);
        vm.assertEq(client.organisation, 2);
        vm.assertEq(client.account, admin(2));
        vm.assertEq(client.kind, QBFT);
        vm.assertEq(client.chainId, 1981);
        vm.assertEq(client.trustPeriod, TRUST);
        vm.assertEq(client.first, 10);
        vm.assertEq(client.latest, 10);
        vm.assertEq(uint8(facts.statusOf(1)), uint8(IFacts.Status.Active));
        IFacts.Header memory first = facts.headerOf(1, 10);
        vm.assertEq(first.blockHash, hashOf("ten"));
        vm.assertEq(first.stateRoot, rootOf("ten"));
        vm.assertEq(first.trustedHash, keccak256(validators("set")));
        vm.assertEq(first.time, NOW - 100);

        client.first = 11;
        client.latest = 11;
        vm.expectEmit(address(facts));
        emit IFacts.ClientOpened(
            2,
            1,
            2,
            client,
            origin(),
            IFacts.Header(hashOf("x"), rootOf("x"), keccak256(validators("set")), uint64(NOW)),
            details(2).nameZhTw,
            details(2).nameEn
        );
        takes(admin(2), opening(1, TRUST, header(11, NOW, "x")));
        vm.assertEq(facts.clientCount(), 2);
        vm.assertEq(facts.clients(1, 100).length, 2);
        vm.assertEq(facts.clients(2, 100)[0].first, 11);
        vm.assertEq(facts.originOf(2).genesisHash, hashOf("genesis"));
        vm.assertEq(facts.originOf(2).height, 9);
        vm.assertEq(facts.originOf(2).blockHash, hashOf("nine"));
        bytes memory unknown = abi.encodeCall(IFacts.originOf, (3));
        refused(STRANGER, unknown, abi.encodeWithSelector(IFacts.FactsClientUnknown.selector, 3));
    }

    function test_AClientComesFromSomewhere() public {
        bytes memory encoded = header(11, NOW, "x");
        bytes32 genesis = hashOf("genesis");
        IFacts.Origin[3] memory bad = [
            IFacts.Origin(0, 9, hashOf("nine")),
            IFacts.Origin(genesis, 9, 0),
            IFacts.Origin(genesis, 0, hashOf("nine"))
        ];
        for (uint256 i = 0; i < bad.length; i++) {
            bytes memory shown = ancestry(encoded, bad[i].height, bad[i].blockHash);
            refused(
                admin(2),
                abi.encodeCall(IFacts.open, (1, QBFT, TRUST, bad[i], encoded, shown)),
                abi.encodeWithSelector(
                    IFacts.FactsOriginMismatch.selector, bad[i].genesisHash, bad[i].blockHash
                )
            );
        }
        // From genesis on, that it is the chain's is proven.
        IFacts.Origin memory from = IFacts.Origin(genesis, 0, genesis);
        bytes memory other = ancestry(encoded, 0, hashOf("another genesis"));
        refused(
            admin(2),
            abi.encodeCall(IFacts.open, (1, QBFT, TRUST, from, encoded, other)),
            abi.encodeWithSelector(IFacts.FactsAncestryRefused.selector, 8, 0)
        );
        bytes memory whole = ancestry(encoded, 0, genesis);
        takes(admin(2), abi.encodeCall(IFacts.open, (1, QBFT, TRUST, from, encoded, whole)));
    }

    /// A second chain whose blocks the same keys seal, or the chain after a reset: its headers
    /// have the seals that count, and descend from none of the blocks that are known.
    function test_AnotherChainWithTheSameKeysIsNotTaken() public {
        takes(admin(3), updating(10, "set", header(20, NOW, "twenty")));
        bytes memory theirs = header(21, NOW, "theirs");
        IFacts.Step memory it = step(10, "set", theirs);
        it.ancestry = ancestry(theirs, 10, hashOf("their tenth"));
        bytes memory reason = abi.encodeWithSelector(IFacts.FactsAncestryRefused.selector, 8, 10);
        refused(admin(3), abi.encodeCall(IFacts.update, (1, it)), reason);
        it.ancestry = "";
        refused(admin(3), abi.encodeCall(IFacts.update, (1, it)), reason);
        // Nor does its block of an accepted height freeze the client.
        it = step(10, "set", header(20, NOW, "theirs"));
        it.ancestry = ancestry(it.header, 10, hashOf("their tenth"));
        refused(admin(3), abi.encodeCall(IFacts.update, (1, it)), reason);
        refused(STRANGER, abi.encodeCall(IFacts.freeze, (1, it, 10)), reason);
        refused(
            STRANGER,
            abi.encodeCall(IFacts.freeze, (1, it, 9)),
            abi.encodeWithSelector(IFacts.FactsAncestryRefused.selector, 8, 9)
        );
        // A height that nobody knows is no ancestor.
        refused(
            STRANGER,
            abi.encodeCall(IFacts.freeze, (1, it, 8)),
            abi.encodeWithSelector(IFacts.FactsHeaderUnknown.selector, 1, 8)
        );
        // Headers of an accepted height's own base have no ancestor there.
        refused(
            admin(3),
            updating(10, "set", header(10, NOW, "other")),
            abi.encodeWithSelector(IFacts.FactsBelowBase.selector, 10, 10)
        );
        vm.assertEq(uint8(facts.statusOf(1)), uint8(IFacts.Status.Active));
        vm.assertEq(facts.clientOf(1).latest, 20);
        bytes memory long = new bytes(133404);
        it.ancestry = long;
        refused(
            admin(3),
            abi.encodeCall(IFacts.update, (1, it)),
            abi.encodeWithSelector(IFacts.FactsTooLong.selector, 133403, 133404)
        );
    }

    function test_NobodyElseOpensOne() public {
        bytes memory data = opening(1, TRUST, header(11, NOW, "x"));
        refused(admin(3), data, abi.encodeWithSelector(IFacts.FactsNotOperator.selector, 2, 3));
        refused(
            STRANGER,
            data,
            abi.encodeWithSelector(IPermissions.PermissionsMissing.selector, STRANGER, 16)
        );
        refused(
            admin(2),
            opening(9, TRUST, header(11, NOW, "x")),
            abi.encodeWithSelector(IChains.ChainsUnknown.selector, 9)
        );
        vm.prank(admin(2));
        chains.setStatus(1, 2);
        refused(admin(2), data, abi.encodeWithSelector(IFacts.FactsChainNotActive.selector, 1));
        vm.assertEq(uint8(facts.statusOf(1)), uint8(IFacts.Status.Retired));
    }

    function test_OnlyEvmChainsHaveClients() public {
        string[9] memory bad = [
            "eip15:1981",
            "eip1555:1",
            "cosmos:1",
            "eip155:0",
            "eip155:01",
            "eip155:1a",
            "eip155:-1",
            "eip155:18446744073709551616",
            "eip155:99999999999999999999999999999999"
        ];
        for (uint32 i = 0; i < bad.length; i++) {
            vm.prank(admin(2));
            chains.register(bad[i], "x", "");
            refused(
                admin(2),
                opening(i + 2, TRUST, header(11, NOW, "x")),
                abi.encodeWithSelector(IFacts.FactsNotEvm.selector, bad[i])
            );
        }
        vm.prank(admin(2));
        chains.register("eip155:18446744073709551615", "x", "");
        takes(admin(2), opening(11, TRUST, header(11, NOW, "x")));
        vm.assertEq(facts.clientOf(2).chainId, type(uint64).max);
    }

    function test_LimitsOfAClient() public {
        bytes memory encoded = header(11, NOW, "x");
        uint32[2] memory periods = [uint32(1 hours - 1), uint32(90 days + 1)];
        for (uint256 i = 0; i < 2; i++) {
            refused(
                admin(2),
                opening(1, periods[i], encoded),
                abi.encodeWithSelector(
                    IFacts.FactsTrustPeriodOutOfRange.selector, 1 hours, 90 days, periods[i]
                )
            );
        }
        refused(
            admin(2),
            opening(1, TRUST, header(11, NOW, "x", "set", 3)),
            abi.encodeWithSelector(IFacts.FactsTooFewValidators.selector, 4, 3)
        );
        refused(
            admin(2),
            opening(1, TRUST, new bytes(16385)),
            abi.encodeWithSelector(IFacts.FactsTooLong.selector, 16384, 16385)
        );
        refused(
            admin(2),
            opening(1, TRUST, header(11, NOW - TRUST - 1, "x")),
            abi.encodeWithSelector(IFacts.FactsExpired.selector, 11, NOW - 1, NOW)
        );
        takes(admin(2), opening(1, TRUST, header(11, NOW - TRUST, "x")));
        for (uint256 i = 2; i < 16; i++) {
            takes(admin(2), opening(1, TRUST, encoded));
        }
        refused(
            admin(2),
            opening(1, TRUST, encoded),
            abi.encodeWithSelector(IFacts.FactsTooManyClients.selector, 16)
        );
    }

    function test_AHeaderFollowsFromAnAcceptedOne() public {
        vm.expectEmit(address(facts));
        emit IFacts.HeaderAccepted(
            1,
            20,
            10,
            IFacts.Header(
                hashOf("twenty"), rootOf("twenty"), keccak256(validators("other")), uint64(NOW)
            ),
            admin(3)
        );
        takes(admin(3), updating(10, "set", header(20, NOW, "twenty", "other", 5)));
        vm.assertEq(facts.clientOf(1).latest, 20);
        // The validators of the base count, whichever that is.
        bytes memory later = header(30, NOW, "thirty");
        refused(
            admin(3),
            updating(20, "set", later),
            abi.encodeWithSelector(
                IFacts.FactsTrustedMismatch.selector,
                keccak256(validators("other")),
                keccak256(validators("set"))
            )
        );
        takes(admin(3), updating(20, "other", later));
        // A height in between, from a base below it.
        takes(admin(3), updating(10, "set", header(15, NOW - 50, "fifteen")));
        vm.assertEq(facts.clientOf(1).latest, 30);
        vm.assertEq(facts.headerOf(1, 15).blockHash, hashOf("fifteen"));
    }

    function test_AHeaderThatDoesNotFollowIsRefused() public {
        refused(
            admin(3),
            updating(10, "set", abi.encode(17, 1, 2, 0, 0, 0, 0, 0)),
            abi.encodeWithSelector(IFacts.FactsHeaderRefused.selector, 17, 1, 2)
        );
        refused(
            admin(3),
            updating(11, "set", header(12, NOW, "x")),
            abi.encodeWithSelector(IFacts.FactsHeaderUnknown.selector, 1, 11)
        );
        refused(
            admin(3),
            updating(10, "set", header(9, NOW, "x")),
            abi.encodeWithSelector(IFacts.FactsBelowBase.selector, 10, 9)
        );
        refused(
            admin(3),
            updating(10, "set", header(11, NOW - 101, "x")),
            abi.encodeWithSelector(IFacts.FactsTimeOrder.selector, 11, NOW - 101, 10, NOW - 100)
        );
        refused(
            admin(3),
            updating(10, "set", header(11, NOW + 61, "x")),
            abi.encodeWithSelector(IFacts.FactsFuture.selector, NOW + 61, NOW + 60)
        );
        takes(admin(3), updating(10, "set", header(20, NOW + 60, "twenty")));
        refused(
            admin(3),
            updating(10, "set", header(20, NOW + 60, "twenty")),
            abi.encodeWithSelector(IFacts.FactsHeaderKnown.selector, 1, 20)
        );
        refused(
            admin(3),
            updating(10, "set", header(19, NOW + 61 - 1, "x", "set", 3)),
            abi.encodeWithSelector(IFacts.FactsTooFewValidators.selector, 4, 3)
        );
        vm.warp(NOW + 10);
        refused(
            admin(3),
            updating(10, "set", header(19, NOW + 61, "x")),
            abi.encodeWithSelector(IFacts.FactsTimeOrder.selector, 19, NOW + 61, 20, NOW + 60)
        );
        bytes memory unknown =
            abi.encodeCall(IFacts.update, (2, step(10, "set", header(20, NOW, "x"))));
        refused(admin(3), unknown, abi.encodeWithSelector(IFacts.FactsClientUnknown.selector, 2));
    }

    function test_RelayersRelay() public {
        bytes memory missing =
            abi.encodeWithSelector(IPermissions.PermissionsMissing.selector, STRANGER, 8);
        refused(STRANGER, updating(10, "set", header(20, NOW, "x")), missing);
        refused(STRANGER, importing(10, "ten"), missing);
    }

    function test_TrustEndsWithItsPeriod() public {
        uint256 until = NOW - 100 + TRUST;
        vm.warp(until);
        vm.assertEq(uint8(facts.statusOf(1)), uint8(IFacts.Status.Active));
        vm.warp(until + 1);
        vm.assertEq(uint8(facts.statusOf(1)), uint8(IFacts.Status.Expired));
        refused(
            admin(3),
            updating(10, "set", header(20, until, "x")),
            abi.encodeWithSelector(IFacts.FactsExpired.selector, 10, until, until + 1)
        );
        // What was accepted stays.
        takes(admin(3), importing(10, "ten"));
    }

    function test_TrustGoesOnWithNewHeaders() public {
        takes(admin(3), updating(10, "set", header(20, NOW, "twenty")));
        vm.warp(NOW - 100 + TRUST + 1);
        vm.assertEq(uint8(facts.statusOf(1)), uint8(IFacts.Status.Active));
        takes(admin(3), updating(20, "set", header(30, NOW + 5, "thirty")));
    }

    function test_43_TwoHeadersOfOneHeightFreeze() public {
        takes(admin(3), updating(10, "set", header(20, NOW, "twenty")));
        takes(admin(3), importing(20, "twenty"));
        vm.expectEmit(address(facts));
        emit IFacts.ClientFrozen(1, 20, hashOf("twenty"), hashOf("other"), STRANGER);
        takes(STRANGER, freezing(10, header(20, NOW, "other")));
        frozen();
    }

    function test_43_RetiringTheChainHidesNothing() public {
        vm.prank(admin(2));
        chains.setStatus(1, 2);
        bytes memory retired = abi.encodeWithSelector(IFacts.FactsChainNotActive.selector, 1);
        refused(admin(3), updating(10, "set", header(10, NOW, "other")), retired);
        takes(STRANGER, freezing(10, header(10, NOW, "other")));
        vm.assertEq(uint8(facts.statusOf(1)), uint8(IFacts.Status.Frozen));
        vm.prank(admin(2));
        chains.setStatus(1, 1);
        frozen();
    }

    function test_43_AnUpdateFreezesToo() public {
        takes(admin(3), updating(10, "set", header(20, NOW, "twenty")));
        vm.expectEmit(address(facts));
        emit IFacts.ClientFrozen(1, 20, hashOf("twenty"), hashOf("other"), admin(4));
        takes(admin(4), updating(10, "set", header(20, NOW, "other")));
        vm.assertEq(facts.headerOf(1, 20).blockHash, hashOf("twenty"));
        frozen();
    }

    function frozen() private {
        vm.assertEq(uint8(facts.statusOf(1)), uint8(IFacts.Status.Frozen));
        bytes memory reason = abi.encodeWithSelector(IFacts.FactsFrozen.selector, 1);
        refused(admin(3), updating(10, "set", header(40, NOW, "x")), reason);
        refused(admin(3), importing(10, "ten"), reason);
        refused(STRANGER, freezing(10, header(20, NOW, "third")), reason);
        refused(STRANGER, abi.encodeCall(IFacts.factOf, (1, 20, ACCOUNT, SLOT)), reason);
        // Another client of the chain is as good as before.
        takes(admin(2), opening(1, TRUST, header(40, NOW, "forty")));
        vm.assertEq(uint8(facts.statusOf(2)), uint8(IFacts.Status.Active));
    }

    function test_43_NoConflictFreezesNothing() public {
        refused(
            STRANGER,
            freezing(10, header(10, NOW - 100, "ten")),
            abi.encodeWithSelector(IFacts.FactsNoConflict.selector, 1, 10)
        );
        refused(
            STRANGER,
            freezing(10, header(20, NOW, "x")),
            abi.encodeWithSelector(IFacts.FactsHeaderUnknown.selector, 1, 20)
        );
        refused(
            STRANGER,
            freezing(10, abi.encode(16, 2, 3, 0, 0, 0, 0, 0)),
            abi.encodeWithSelector(IFacts.FactsHeaderRefused.selector, 16, 2, 3)
        );
        vm.assertEq(uint8(facts.statusOf(1)), uint8(IFacts.Status.Active));
    }

    function test_AFactIsImportedOnce() public {
        (bool imported, bytes32 value) = facts.factOf(1, 10, ACCOUNT, SLOT);
        vm.assertFalse(imported);
        vm.assertEq(value, 0);
        vm.expectEmit(address(facts));
        emit IFacts.FactImported(
            1, ACCOUNT, SLOT, admin(3), QBFT, 1981, 10, uint64(NOW - 100), hashOf("ten"), VALUE
        );
        takes(admin(3), importing(10, "ten"));
        (imported, value) = facts.factOf(1, 10, ACCOUNT, SLOT);
        vm.assertTrue(imported);
        vm.assertEq(value, VALUE);
        refused(
            admin(4),
            importing(10, "ten"),
            abi.encodeWithSelector(IFacts.FactsKnown.selector, 1, 10, ACCOUNT, SLOT, VALUE)
        );
        // Zero is a fact as well.
        bytes32 slot = bytes32(uint256(9));
        bytes memory nothing = abi.encodeCall(
            IFacts.importFact, (1, 10, ACCOUNT, slot, 0, proof("ten", ACCOUNT, slot, 0))
        );
        takes(admin(3), nothing);
        (imported, value) = facts.factOf(1, 10, ACCOUNT, slot);
        vm.assertTrue(imported);
    }

    function test_AFactNeedsItsProof() public {
        refused(
            admin(3),
            importing(10, "eleven"),
            abi.encodeWithSelector(IFacts.FactsProofRefused.selector, 4, 0)
        );
        refused(
            admin(3),
            importing(11, "ten"),
            abi.encodeWithSelector(IFacts.FactsHeaderUnknown.selector, 1, 11)
        );
        bytes memory shown = proof("ten", ACCOUNT, SLOT, VALUE);
        bytes32 other = bytes32(uint256(43));
        refused(
            admin(3),
            abi.encodeCall(IFacts.importFact, (1, 10, ACCOUNT, SLOT, other, shown)),
            abi.encodeWithSelector(IFacts.FactsValueMismatch.selector, VALUE, other)
        );
        refused(
            admin(3),
            abi.encodeCall(IFacts.importFact, (1, 10, ACCOUNT, SLOT, VALUE, new bytes(133383))),
            abi.encodeWithSelector(IFacts.FactsTooLong.selector, 133382, 133383)
        );
        vm.prank(admin(2));
        chains.setStatus(1, 2);
        refused(
            admin(3),
            importing(10, "ten"),
            abi.encodeWithSelector(IFacts.FactsChainNotActive.selector, 1)
        );
    }

    function test_66_WithoutThePrecompilesNothingIsTaken() public {
        bytes memory reason = abi.encodeWithSelector(IFacts.FactsVerifierUnavailable.selector);
        bytes memory next = updating(10, "set", header(20, NOW, "x"));
        // An account without code answers with nothing, one that fails not at all, a wrong one
        // in another length.
        bytes[3] memory codes = [bytes(""), hex"5f5ffd", hex"60205ff3"];
        for (uint256 i = 0; i < codes.length; i++) {
            vm.etch(HEADER, codes[i]);
            vm.etch(STORAGE, codes[i]);
            vm.etch(ANCESTOR, codes[i]);
            refused(admin(3), next, reason);
            refused(admin(2), opening(1, TRUST, header(11, NOW, "x")), reason);
            refused(STRANGER, freezing(10, header(10, NOW, "x")), reason);
            refused(admin(3), importing(10, "ten"), reason);
        }
    }

    function test_SurplusBytesAreRefused() public {
        bytes memory reason = abi.encodeWithSelector(IFacts.FactsArgumentsNotCanonical.selector);
        bytes[4] memory calls = [
            opening(1, TRUST, header(11, NOW, "x")),
            updating(10, "set", header(20, NOW, "x")),
            freezing(10, header(10, NOW, "x")),
            importing(10, "ten")
        ];
        address[4] memory senders = [admin(2), admin(3), STRANGER, admin(3)];
        for (uint256 i = 0; i < 4; i++) {
            uint256 state = vm.snapshotState();
            takes(senders[i], calls[i]);
            vm.revertToState(state);
            refused(senders[i], abi.encodePacked(calls[i], hex"00"), reason);
            refused(senders[i], abi.encodePacked(calls[i], new bytes(32)), reason);
        }
        // Padding after the last byte of an argument.
        IFacts.Step memory short = step(10, "set", hex"01");
        short.ancestry = hex"01";
        bytes memory padded = abi.encodeCall(IFacts.update, (1, short));
        padded[padded.length - 1] = 0x07;
        refused(admin(3), padded, reason);
    }

    function test_ConstantsAreThoseOfTheSpecification() public view {
        vm.assertEq(facts.CLIENTS_MAX(), 16);
        vm.assertEq(facts.VALIDATORS_MIN(), 4);
        vm.assertEq(facts.DRIFT(), 60);
        vm.assertEq(facts.TRUST_PERIOD_MIN(), 3600);
        vm.assertEq(facts.TRUST_PERIOD_MAX(), 90 days);
    }
}
