// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMotions} from "../src/IMotions.sol";
import {INodes} from "../src/INodes.sol";
import {IPermissions} from "../src/IPermissions.sol";
import {Rotating} from "./Rotating.sol";

/// @notice Registration of nodes, proofs of possession and rotation of keys.
contract NodesTest is Rotating {
    function setUp() public {
        found(5);
    }

    function test_AnAdministratorRegistersAnObserver() public {
        vm.roll(9);
        INodes.Registration memory given = registration(7);
        INodes.Possession memory proofs = possession(2, 7);
        vm.expectEmit(address(nodes));
        emit INodes.NodeRegistered(6, 2, given.name);
        vm.prank(admin(2));
        vm.assertEq(nodes.registerNode(given, proofs), 6);
        INodes.Node memory node = nodes.nodeOf(6);
        vm.assertEq(node.organisation, 2);
        vm.assertFalse(node.validating);
        vm.assertEq(node.power, 0);
        vm.assertEq(node.registeredHeight, 9);
        vm.assertEq(node.validator, wallet(7).addr);
        vm.assertEq(node.peerKey, given.peerKey);
        vm.assertEq(node.logKey, given.logKey);
        vm.assertEq(node.endpoint, given.endpoint);
        vm.assertEq(node.version, given.version);
        vm.assertEq(nodes.nodeByKey(given.peerKey), 6);
        vm.assertEq(nodes.nodeByKey(given.logKey), 6);
        vm.assertEq(nodes.nodeByName(given.name), 6);
        vm.assertEq(nodes.validatorKeyOf(node.validator).node, 6);
        vm.assertEq(nodes.validatorKeyOf(node.validator).first, 0);
        vm.assertEq(nodes.validatorSet().length, 5);
        INodes.PeerView[] memory peers = nodes.peers();
        vm.assertEq(peers.length, 6);
        vm.assertEq(peers[5].nodeType, 2);
        vm.assertEq(peers[5].validator, address(0));
        vm.assertEq(nodes.nodesOf(2).length, 2);
    }

    function test_AnObserverNeedsAPeerKeyOnly() public {
        INodes.Registration memory given = registration(7);
        INodes.Possession memory proofs = possession(2, 7);
        (given.validatorX, given.validatorY, given.logKey) = (0, 0, 0);
        delete proofs.validator;
        delete proofs.log;
        vm.prank(admin(2));
        uint32 node = nodes.registerNode(given, proofs);
        refusesMotion(
            IMotions.Kind.AddValidator,
            abi.encode(node, uint64(1)),
            abi.encodeWithSelector(INodes.NodesKeyMissing.selector, 2)
        );
        // The keys can come later.
        rotateValidator(2, node, 7);
        rotateLog(2, node, edKey(1007));
        decide(IMotions.Kind.AddValidator, abi.encode(node, uint64(1)));
        given.name = "another";
        given.peerKey = 0;
        refusesRegistration(
            given, proofs, abi.encodeWithSelector(INodes.NodesKeyMissing.selector, 1)
        );
    }

    function test_OnlyAdministratorsRegister() public {
        bytes memory data = abi.encodeCall(nodes.registerNode, (registration(7), possession(2, 7)));
        refuses(
            STRANGER,
            address(nodes),
            data,
            abi.encodeWithSelector(IPermissions.PermissionsMissing.selector, STRANGER, 16)
        );
        // The proofs name the organisation.
        bytes memory other = abi.encodeWithSelector(INodes.NodesPossessionInvalid.selector, 1);
        refuses(admin(3), address(nodes), data, other);
        decide(IMotions.Kind.SuspendOrganisation, abi.encode(uint32(2), uint16(1)));
        other = abi.encodeWithSelector(IPermissions.PermissionsOrganisationNotActive.selector, 2, 2);
        refuses(admin(2), address(nodes), data, other);
    }

    function test_EveryKeyNeedsItsProof() public {
        INodes.Registration memory given = registration(7);
        for (uint8 kind = 1; kind <= 3; kind++) {
            INodes.Possession memory proofs = possession(2, 7);
            if (kind == 1) proofs.peer.s = 0;
            if (kind == 2) proofs.validator.s = 0;
            if (kind == 3) proofs.log.s = 0;
            refusesRegistration(given, proofs, invalid(kind));
        }
        for (uint8 kind = 1; kind <= 3; kind++) {
            INodes.Possession memory proofs = possession(2, 7);
            if (kind == 1) proofs.peer.v = 27;
            if (kind == 2) proofs.validator.v += 2;
            if (kind == 3) proofs.log.v = 1;
            refusesRegistration(given, proofs, invalid(kind));
        }
        INodes.Possession memory swapped = possession(2, 7);
        (swapped.peer, swapped.log) = (swapped.log, swapped.peer);
        refusesRegistration(given, swapped, invalid(1));
        swapped = possession(2, 7);
        swapped.validator = possession(2, 8).validator;
        refusesRegistration(given, swapped, invalid(2));
    }

    function test_RefusesHighS() public {
        INodes.Possession memory proofs = possession(2, 7);
        uint256 order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;
        proofs.validator.s = bytes32(order - uint256(proofs.validator.s));
        proofs.validator.v = proofs.validator.v == 27 ? 28 : 27;
        refusesRegistration(registration(7), proofs, invalid(2));
    }

    function test_RefusesProofsOfAnotherNetworkOrTime() public {
        INodes.Registration memory given = registration(7);
        INodes.Possession memory proofs = possession(2, 7);
        vm.warp(block.timestamp + 60);
        vm.chainId(CHAIN + 1);
        refusesRegistration(given, proofs, invalid(1));
        vm.chainId(CHAIN);
        vm.store(address(nodes), 0, keccak256("another genesis"));
        refusesRegistration(given, proofs, invalid(1));
        vm.store(address(nodes), 0, 0);
        bytes memory unbound = abi.encodeWithSelector(INodes.NodesGenesisNotBound.selector);
        refusesRegistration(given, proofs, unbound);
        vm.expectRevert(unbound);
        nodes.possessionDigest(2, 1, abi.encodePacked(given.peerKey), proofs.deadline);
        vm.store(address(nodes), 0, GENESIS);
        uint256 time = block.timestamp + 1;
        vm.warp(time);
        refusesRegistration(
            given,
            proofs,
            abi.encodeWithSelector(INodes.NodesPossessionExpired.selector, proofs.deadline, time)
        );
        // Another deadline is another text.
        proofs.deadline += 60;
        refusesRegistration(given, proofs, invalid(1));
    }

    function test_TheDigestIsThatOfTheSpecification() public view {
        bytes memory key = abi.encodePacked(edKey(7));
        vm.assertEq(nodes.possessionDigest(2, 1, key, 60), possessionDigest(2, 1, key, 60));
        key = abi.encodePacked(bytes1(0x02), edKey(7));
        vm.assertEq(nodes.possessionDigest(2, 2, key, 60), possessionDigest(2, 2, key, 60));
        vm.assertNotEq(nodes.possessionDigest(2, 2, key, 60), possessionDigest(3, 2, key, 60));
    }

    function test_SaysThatThePrecompileIsMissing() public {
        INodes.Registration memory given = registration(7);
        INodes.Possession memory proofs = possession(2, 7);
        vm.etch(ED25519, "");
        bytes memory reason = abi.encodeWithSelector(INodes.Ed25519Unavailable.selector);
        refusesRegistration(given, proofs, reason);
        // Fails, or answers something else.
        vm.etch(ED25519, hex"fe");
        refusesRegistration(given, proofs, reason);
        vm.etch(ED25519, hex"60016000f3");
        refusesRegistration(given, proofs, reason);
    }

    function test_RefusesWhatIsNoKey() public {
        INodes.Registration memory given = registration(7);
        INodes.Possession memory proofs = possession(2, 7);
        bytes32 y = given.validatorY;
        given.validatorY = bytes32(uint256(y) + 1);
        refusesRegistration(given, proofs, noPoint(given));
        given.validatorY = 0;
        refusesRegistration(given, proofs, noPoint(given));
        given.validatorY = y;
        given.validatorX = 0;
        refusesRegistration(given, proofs, noPoint(given));
        // Not reduced: x + p is another writing of the same x.
        given.validatorX = bytes32(type(uint256).max);
        refusesRegistration(given, proofs, noPoint(given));
    }

    function test_AKeyIsNeverUsedTwice() public {
        uint32 node = registered(2, 7);
        vm.prank(admin(2));
        nodes.retireNode(node);
        INodes.Possession memory proofs = possession(2, 7);
        INodes.Registration memory again = registration(7);
        again.name = "again";
        refusesRegistration(again, proofs, used(edKey(7), node));
        again.peerKey = edKey(8);
        refusesRegistration(again, proofs, used(again.validatorX, node));
        (again.validatorX, again.validatorY) = (0, 0);
        refusesRegistration(again, proofs, used(edKey(1007), node));
        // Nor as a key of another kind.
        again.peerKey = edKey(1007);
        refusesRegistration(again, proofs, used(edKey(1007), node));
        again.peerKey = edKey(8);
        again.logKey = edKey(8);
        refusesRegistration(again, proofs, used(edKey(8), 7));
        // Nor after a rotation.
        rotateValidator(3, 3, 30);
        again.logKey = 0;
        INodes.Registration memory old = registration(3);
        (again.validatorX, again.validatorY) = (old.validatorX, old.validatorY);
        refusesRegistration(again, proofs, used(again.validatorX, 3));
    }

    function test_NamesAreUniqueForEver() public {
        uint32 node = registered(2, 7);
        vm.prank(admin(2));
        nodes.retireNode(node);
        INodes.Registration memory again = registration(8);
        again.name = registration(7).name;
        INodes.Possession memory proofs = possession(2, 8);
        refusesRegistration(
            again, proofs, abi.encodeWithSelector(INodes.NodesNameTaken.selector, again.name, node)
        );
    }

    function test_RefusesTextsOutOfShape() public {
        INodes.Registration memory bad = registration(7);
        INodes.Possession memory proofs = possession(2, 7);
        string[4] memory names = ["Node", "a b", "a_b", unicode"節點"];
        uint8[4] memory positions = [0, 1, 1, 0];
        for (uint256 i = 0; i < names.length; i++) {
            bad.name = names[i];
            refusesRegistration(bad, proofs, character("name", positions[i]));
        }
        bad.name = "";
        refusesRegistration(bad, proofs, length("name", 1, 64, 0));
        bad.name = string(new bytes(65));
        refusesRegistration(bad, proofs, length("name", 1, 64, 65));
        bad = registration(7);
        bad.endpoint = "ip4/192.0.2.1";
        refusesRegistration(bad, proofs, character("endpoint", 0));
        bad.endpoint = string(new bytes(129));
        refusesRegistration(bad, proofs, length("endpoint", 0, 128, 129));
        bad = registration(7);
        bad.version = "1 0";
        refusesRegistration(bad, proofs, character("version", 1));
        bad.version = string(new bytes(33));
        refusesRegistration(bad, proofs, length("version", 0, 32, 33));
    }

    function test_OnlyTheOperatorManagesANode() public {
        bytes memory reason = abi.encodeWithSelector(INodes.NodesNotOperator.selector, 2, 3);
        INodes.Signature memory proof;
        bytes[5] memory calls = [
            abi.encodeCall(nodes.updateNode, (2, "", "")),
            abi.encodeCall(nodes.retireNode, (2)),
            abi.encodeCall(nodes.rotateValidatorKey, (2, 0, 0, proof, 0)),
            abi.encodeCall(nodes.rotatePeerKey, (2, 0, proof, 0, 0)),
            abi.encodeCall(nodes.rotateLogKey, (2, 0, proof, 0))
        ];
        for (uint256 i = 0; i < calls.length; i++) {
            refuses(admin(3), address(nodes), calls[i], reason);
        }
        refuses(
            admin(2),
            address(nodes),
            abi.encodeCall(nodes.updateNode, (9, "", "")),
            abi.encodeWithSelector(INodes.NodesUnknown.selector, 9)
        );
    }

    function test_AnOperatorUpdatesAndRetires() public {
        vm.expectEmit(address(nodes));
        emit INodes.NodeUpdated(2, "/dns4/node.example/tcp/1", "0.2.0");
        vm.prank(admin(2));
        nodes.updateNode(2, "/dns4/node.example/tcp/1", "0.2.0");
        vm.assertEq(nodes.nodeOf(2).version, "0.2.0");
        refuses(
            admin(2),
            address(nodes),
            abi.encodeCall(nodes.retireNode, (2)),
            abi.encodeWithSelector(INodes.NodesStillValidator.selector, 2)
        );
        uint32 node = registered(2, 7);
        uint32 other = registered(2, 8);
        vm.prank(admin(2));
        nodes.retireNode(node);
        vm.assertEq(nodes.peers().length, 6);
        vm.assertEq(nodes.nodesOf(2)[1], other);
        vm.assertEq(nodes.nodeOf(other).position, 5);
        refuses(
            admin(2),
            address(nodes),
            abi.encodeCall(nodes.updateNode, (node, "", "")),
            abi.encodeWithSelector(INodes.NodesRetired.selector, node)
        );
        refusesMotion(
            IMotions.Kind.AddValidator,
            abi.encode(node, uint64(1)),
            abi.encodeWithSelector(INodes.NodesRetired.selector, node)
        );
    }

    function test_NodesAreLimited() public {
        for (uint256 i = 0; i < 15; i++) {
            registered(2, 100 + i);
        }
        refusesRegistration(
            registration(99),
            possession(2, 99),
            abi.encodeWithSelector(INodes.NodesTooMany.selector, 2, 16)
        );
        uint256 seed = 10_000;
        uint256 count = 20;
        uint32 n = 6;
        for (; count < 192; n++) {
            admitted(n);
            for (uint256 i = 0; i < 16 && count < 192; i++) {
                registered(n, seed++);
                count++;
            }
        }
        // However many nodes others have: a newcomer's first one has its place.
        for (; count < 256; n++) {
            refusesMore(192);
            admitted(n);
            registered(n, seed++);
            count++;
        }
        admitted(n);
        (INodes.Registration memory last, INodes.Possession memory proof) =
            (registration(99), possession(n, 99));
        refuses(
            admin(n),
            address(nodes),
            abi.encodeCall(nodes.registerNode, (last, proof)),
            abi.encodeWithSelector(INodes.NodesTooMany.selector, 0, 256)
        );
        refusesMore(192);
    }

    function admitted(uint32 n) private {
        vm.prank(address(motions));
        organisations.admit(details(n));
        vm.prank(address(motions));
        permissions.setOrganisationPermissions(n, ALL);
        vm.prank(address(motions));
        permissions.setAccount(n, admin(n), ALL);
    }

    /// Organisation 3 has a node.
    function refusesMore(uint256 places) private {
        INodes.Registration memory more = registration(99);
        INodes.Possession memory proofs = possession(3, 99);
        refuses(
            admin(3),
            address(nodes),
            abi.encodeCall(nodes.registerNode, (more, proofs)),
            abi.encodeWithSelector(INodes.NodesTooMany.selector, 0, places)
        );
    }

    function test_ListsComeInPages() public view {
        vm.assertEq(nodes.nodes(1, 100).length, 5);
        vm.assertEq(nodes.nodes(4, 1)[0].organisation, 4);
        vm.assertEq(nodes.nodes(6, 1).length, 0);
        vm.assertEq(nodes.nodesOf(9).length, 0);
    }

    // Helpers

    /// Organisation 2 is refused.
    function refusesRegistration(
        INodes.Registration memory given,
        INodes.Possession memory proofs,
        bytes memory reason
    ) private {
        bytes memory data = abi.encodeCall(nodes.registerNode, (given, proofs));
        refuses(admin(2), address(nodes), data, reason);
    }

    function used(bytes32 key, uint32 node) private pure returns (bytes memory) {
        return abi.encodeWithSelector(INodes.NodesKeyUsed.selector, key, node);
    }

    function noPoint(INodes.Registration memory given) private pure returns (bytes memory) {
        return
            abi.encodeWithSelector(
                INodes.NodesKeyInvalid.selector, given.validatorX, given.validatorY
            );
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
