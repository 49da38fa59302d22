// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Attestations} from "../src/Attestations.sol";
import {Authorisations} from "../src/Authorisations.sol";
import {Chains} from "../src/Chains.sol";
import {Equivocations} from "../src/Equivocations.sol";
import {Facts} from "../src/Facts.sol";
import {IMotions} from "../src/IMotions.sol";
import {INodes} from "../src/INodes.sol";
import {IOrganisations} from "../src/IOrganisations.sol";
import {IPermissions} from "../src/IPermissions.sol";
import {IUpgrades} from "../src/IUpgrades.sol";
import {Identifiers} from "../src/Identifiers.sol";
import {Motions} from "../src/Motions.sol";
import {Nodes} from "../src/Nodes.sol";
import {Organisations} from "../src/Organisations.sol";
import {Permissions} from "../src/Permissions.sol";
import {Possessions} from "../src/Possessions.sol";
import {Upgrades} from "../src/Upgrades.sol";
import {Vm} from "./Vm.sol";

/// @notice Stands in for the node's precompile: a signature is good if R is the hash of message
/// and key, and S is R's complement.
contract Ed25519Mock {
    fallback(bytes calldata input) external returns (bytes memory) {
        bytes32 r = keccak256(input[:64]);
        bool good = input.length == 128 && bytes32(input[64:96]) == r && bytes32(input[96:]) == ~r;
        return abi.encode(good ? 1 : 0);
    }
}

/// @notice A chain of a few organisations, as founded, and what one does in it.
/// @dev Organisation n has the administrator `admin(n)`, which has all permissions, and at the
/// founding the node n with the keys of seed n.
abstract contract World {
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    Motions internal constant motions = Motions(0x0000000000000000000000000000000000001000);
    Attestations internal constant book = Attestations(0x0000000000000000000000000000000000001001);
    Organisations internal constant organisations =
        Organisations(0x0000000000000000000000000000000000001002);
    Nodes internal constant nodes = Nodes(0x0000000000000000000000000000000000001003);
    Permissions internal constant permissions =
        Permissions(0x0000000000000000000000000000000000001004);
    Chains internal constant chains = Chains(0x0000000000000000000000000000000000001005);
    Facts internal constant facts = Facts(0x0000000000000000000000000000000000001007);
    Upgrades internal constant upgrades = Upgrades(0x0000000000000000000000000000000000001009);
    Authorisations internal constant authorisations =
        Authorisations(0x000000000000000000000000000000000000100A);
    address internal constant SYSTEM = 0xffffFFFfFFffffffffffffffFfFFFfffFFFfFFfE;
    address internal constant EQUIVOCATIONS = 0x0000000000000000000000000000000000001008;
    address internal constant ED25519 = 0x0000000000000000000000000000000000001100;
    address internal constant STRANGER = address(0x57A6);

    uint256 internal constant NOW = 1_700_000_000;
    uint256 internal constant CHAIN = 8862026;
    bytes32 internal constant GENESIS = keccak256("genesis");
    uint32 internal constant ALL = 63;
    uint64 internal constant FREE = type(uint64).max;
    uint32 internal constant PERIOD = 3600;
    uint32 internal constant VOTING = 7 days;
    uint32 internal constant DELAY = 1 days;
    uint32 internal constant WINDOW = 3 days;

    /// Founding without organisations: codes in place at block 0.
    function place() internal {
        vm.etch(address(motions), type(Motions).runtimeCode);
        vm.etch(address(book), type(Attestations).runtimeCode);
        vm.etch(address(organisations), type(Organisations).runtimeCode);
        vm.etch(address(nodes), type(Nodes).runtimeCode);
        vm.etch(address(permissions), type(Permissions).runtimeCode);
        vm.etch(address(chains), type(Chains).runtimeCode);
        vm.etch(address(facts), type(Facts).runtimeCode);
        vm.etch(EQUIVOCATIONS, type(Equivocations).runtimeCode);
        vm.etch(address(upgrades), type(Upgrades).runtimeCode);
        vm.etch(address(authorisations), type(Authorisations).runtimeCode);
        vm.etch(ED25519, type(Ed25519Mock).runtimeCode);
        vm.chainId(CHAIN);
        vm.warp(NOW);
        vm.roll(0);
    }

    /// A chain of `count` organisations with a validator of power 10 each, at block 1.
    function found(uint32 count) internal {
        place();
        vm.prank(SYSTEM);
        nodes.foundEpoch(0);
        for (uint32 n = 1; n <= count; n++) {
            foundMember(n, 10);
        }
        vm.prank(SYSTEM);
        permissions.foundParameters(1, 1_000_000, 10, PERIOD);
        vm.prank(SYSTEM);
        motions.foundRules(foundingRules());
        vm.roll(1);
        vm.prank(SYSTEM);
        nodes.bindGenesis(GENESIS);
    }

    function foundMember(uint32 n, uint64 power) internal {
        vm.prank(SYSTEM);
        organisations.foundOrganisation(details(n));
        vm.prank(SYSTEM);
        nodes.foundNode(n, registration(n), power);
        vm.prank(SYSTEM);
        permissions.foundOrganisation(n, ALL, FREE, FREE);
        vm.prank(SYSTEM);
        permissions.foundAccount(n, admin(n), ALL);
    }

    /// More than half for all kinds; for rules more than two thirds, and a delay.
    function foundingRules() internal pure virtual returns (IMotions.Rule[] memory rules) {
        rules = new IMotions.Rule[](19);
        for (uint256 i = 0; i < rules.length; i++) {
            rules[i] = IMotions.Rule(1, 2, 1, 2, VOTING, 0, WINDOW);
        }
        rules[uint8(IMotions.Kind.SetRule) - 1] = IMotions.Rule(3, 4, 2, 3, VOTING, DELAY, WINDOW);
    }

    /// What the node does after a block; then the next one.
    function endBlock() internal {
        uint256 due = nodes.handoverDue();
        uint256 height = upgrades.dueHeight();
        bool settles = height != 0 && height <= block.number + 1;
        if (due != 0 && (due <= block.timestamp || settles)) {
            vm.prank(SYSTEM);
            nodes.handOver();
        }
        if (settles) {
            vm.prank(SYSTEM);
            upgrades.settle();
        }
        vm.roll(block.number + 1);
    }

    // What organisations are made of

    function admin(uint256 n) internal pure returns (address) {
        return address(uint160(0xAD000000 + n));
    }

    function details(uint256 n) internal pure returns (IOrganisations.Details memory) {
        return IOrganisations.Details({
            nameZhTw: string.concat(unicode"公會第", digits(n, 2), unicode"號"),
            nameEn: string.concat("Guild ", digits(n, 2)),
            kind: 1,
            votes: true,
            taxId: taxId(n),
            lei: "",
            jurisdiction: "TW",
            agreementHash: keccak256(abi.encode("agreement", n)),
            credentialHash: 0,
            contactUrl: "https://guild.example/"
        });
    }

    /// The 統一編號 of fixture n.
    function taxId(uint256 n) internal pure returns (string memory id) {
        for (uint256 last = 0; last < 10; last++) {
            id = digits(1000000 * 10 + n * 100 + last, 8);
            if (Identifiers.isTaxId(id)) return id;
        }
        assert(false);
    }

    function digits(uint256 n, uint256 count) internal pure returns (string memory) {
        bytes memory text = new bytes(count);
        for (uint256 i = count; i > 0; i--) {
            text[i - 1] = bytes1(uint8(48 + n % 10));
            n /= 10;
        }
        return string(text);
    }

    /// An account with the key of a seed, and the call by which an organisation takes it in.
    function joining(uint32 organisation, uint256 seed, uint32 bits)
        internal
        returns (address account, bytes memory data)
    {
        account = wallet(seed).addr;
        uint64 deadline = uint64(block.timestamp + 60);
        IPermissions.Consent memory consent = consented(organisation, seed, bits, deadline);
        data = abi.encodeCall(permissions.addAccount, (account, bits, consent));
    }

    /// The account of a seed agrees to belong to an organisation.
    function consented(uint32 organisation, uint256 seed, uint32 bits, uint64 deadline)
        internal
        returns (IPermissions.Consent memory)
    {
        Vm.Wallet memory key = wallet(seed);
        bytes32 digest = permissions.consentDigest(organisation, key.addr, bits, deadline);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key.privateKey, digest);
        return IPermissions.Consent(deadline, v, r, s);
    }

    /// An administrator takes the account of a seed into its organisation.
    function enrolled(uint32 organisation, uint256 seed, uint32 bits)
        internal
        returns (address account)
    {
        bytes memory data;
        (account, data) = joining(organisation, seed, bits);
        vm.assertTrue(send(admin(organisation), address(permissions), data));
    }

    // Keys

    function wallet(uint256 seed) internal returns (Vm.Wallet memory) {
        return vm.createWallet(0xC0DE0000 + seed);
    }

    function edKey(uint256 seed) internal pure returns (bytes32) {
        return keccak256(abi.encode("Ed25519", seed));
    }

    /// A node with the keys of a seed.
    function registration(uint256 seed) internal returns (INodes.Registration memory) {
        Vm.Wallet memory key = wallet(seed);
        return INodes.Registration({
            name: string.concat("node-", digits(seed, 5)),
            endpoint: "/ip4/192.0.2.1/tcp/26656",
            version: "0.1.0",
            peerKey: edKey(seed),
            validatorX: bytes32(key.publicKeyX),
            validatorY: bytes32(key.publicKeyY),
            logKey: edKey(1000 + seed)
        });
    }

    /// Proofs of possession of the keys of a seed.
    function possession(uint32 organisation, uint256 seed)
        internal
        returns (INodes.Possession memory)
    {
        uint64 deadline = uint64(block.timestamp + 60);
        return INodes.Possession({
            deadline: deadline,
            peer: edProof(organisation, 1, edKey(seed), deadline),
            validator: validatorProof(organisation, seed, deadline),
            log: edProof(organisation, 3, edKey(1000 + seed), deadline)
        });
    }

    function edProof(uint32 organisation, uint8 kind, bytes32 key, uint64 deadline)
        internal
        pure
        returns (INodes.Signature memory)
    {
        bytes32 digest = possessionDigest(organisation, kind, abi.encodePacked(key), deadline);
        bytes32 r = keccak256(abi.encodePacked(digest, key));
        return INodes.Signature(r, ~r, 0);
    }

    function validatorProof(uint32 organisation, uint256 seed, uint64 deadline)
        internal
        returns (INodes.Signature memory)
    {
        Vm.Wallet memory key = wallet(seed);
        bytes memory compressed =
            Possessions.compressed(bytes32(key.publicKeyX), key.publicKeyY & 1 == 1);
        bytes32 digest = possessionDigest(organisation, 2, compressed, deadline);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key.privateKey, digest);
        return INodes.Signature(r, s, v);
    }

    /// The preimage of SPEC §13.3, written out once more.
    function possessionDigest(uint32 organisation, uint8 kind, bytes memory key, uint64 deadline)
        internal
        pure
        returns (bytes32)
    {
        bytes memory head = abi.encodePacked("TBSI-POSSESSION-1", uint64(CHAIN), GENESIS);
        return sha256(abi.encodePacked(head, organisation, kind, key, deadline));
    }

    /// An administrator registers a node with the keys of a seed.
    function registered(uint32 organisation, uint256 seed) internal returns (uint32) {
        INodes.Registration memory node = registration(seed);
        INodes.Possession memory proofs = possession(organisation, seed);
        vm.prank(admin(organisation));
        return nodes.registerNode(node, proofs);
    }

    // Motions

    function proposed(uint32 by, IMotions.Kind kind, bytes memory arguments)
        internal
        returns (uint32)
    {
        vm.prank(admin(by));
        return motions.propose(uint8(kind), arguments);
    }

    function vote(uint32 by, uint32 motion, IMotions.Choice choice) internal {
        vm.prank(admin(by));
        motions.vote(motion, uint8(choice));
    }

    /// Votes yes until the motion passes, with all organisations that may.
    function passed(uint32 motion) internal {
        uint32 count = organisations.organisationCount();
        for (uint32 n = 1; n <= count; n++) {
            if (motions.statusOf(motion) != IMotions.Status.Open) return;
            vm.prank(admin(n));
            try motions.vote(motion, uint8(IMotions.Choice.Yes)) {} catch {}
        }
    }

    /// Proposes by organisation 1, passes and executes.
    function decide(IMotions.Kind kind, bytes memory arguments) internal returns (uint32 motion) {
        motion = proposed(1, kind, arguments);
        passed(motion);
        vm.warp(block.timestamp + motions.motionOf(motion).rule.delay);
        motions.execute(motion);
    }

    function admission(uint256 n) internal pure returns (bytes memory) {
        return abi.encode(IMotions.Admission(details(n), ALL, FREE, FREE, admin(n)));
    }

    /// Organisation n joins by motion; returns its node, which is an observer with keys.
    function joined(uint32 n) internal returns (uint32) {
        decide(IMotions.Kind.AddOrganisation, admission(n));
        return registered(n, n);
    }

    /// An upgrade to a protocol version, with another gas limit if it is not 0.
    function plan(uint64 height, uint32 protocol, uint64 gas)
        internal
        pure
        returns (IUpgrades.Plan memory made)
    {
        (made.nameHash, made.height) = (keccak256("an upgrade"), height);
        (made.protocol, made.version) = (protocol, "2.0.0");
        if (gas == 0) return made;
        made.settings = new IUpgrades.Setting[](1);
        made.settings[0] = IUpgrades.Setting(uint8(IUpgrades.Parameter.BlockGasLimit), gas);
    }

    // Calls

    function send(address sender, address target, bytes memory data) internal returns (bool done) {
        (done,) = answer(sender, target, data);
    }

    function answer(address sender, address target, bytes memory data)
        internal
        returns (bool, bytes memory)
    {
        vm.prank(sender);
        return target.call(data);
    }

    /// The call fails with exactly this error.
    function refuses(address sender, address target, bytes memory data, bytes memory reason)
        internal
    {
        (bool done, bytes memory got) = answer(sender, target, data);
        vm.assertFalse(done, "the call is not refused");
        vm.assertEq(got, reason);
    }

    /// A motion of this kind is refused by organisation 1 with exactly this error.
    function refusesMotion(IMotions.Kind kind, bytes memory arguments, bytes memory reason)
        internal
    {
        bytes memory data = abi.encodeCall(motions.propose, (uint8(kind), arguments));
        refuses(admin(1), address(motions), data, reason);
    }

    /// A function that the governor alone may call refuses everybody else.
    function refusesStrangers(address target, bytes memory data) internal {
        bytes memory reason = callerRefused(address(motions), STRANGER);
        refuses(STRANGER, target, data, reason);
        refuses(SYSTEM, target, data, callerRefused(address(motions), SYSTEM));
        refuses(admin(1), target, data, callerRefused(address(motions), admin(1)));
    }

    function callerRefused(address expected, address got) internal pure returns (bytes memory) {
        return abi.encodeWithSignature("SystemCallerRefused(address,address)", expected, got);
    }

    function clamp(uint256 value, uint256 low, uint256 high) internal pure returns (uint256) {
        return low + value % (high - low + 1);
    }

    /// Power of an organisation and of all, from the set that the node reads.
    function powerOf(uint32 organisation) internal view returns (uint256 own, uint256 total) {
        INodes.ValidatorView[] memory set = nodes.validatorSet();
        for (uint256 i = 0; i < set.length; i++) {
            total += set[i].power;
            if (set[i].organisation == organisation) own += set[i].power;
        }
    }
}
