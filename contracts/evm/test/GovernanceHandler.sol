// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMotions} from "../src/IMotions.sol";
import {INodes} from "../src/INodes.sol";
import {Equivocating} from "./Equivocating.sol";
import {Vm} from "./Vm.sol";

/// @notice Lets a few organisations do random things, good and bad, and remembers what must hold
/// afterwards. Calls may be refused.
contract GovernanceHandler is Equivocating {
    uint32 public constant ORGANISATIONS = 14;

    /// How many calls of each function were accepted.
    mapping(bytes4 selector => uint256) public accepted;
    /// How many motions of each kind were executed.
    mapping(uint8 kind => uint256) public executed;
    /// First node of a validator key.
    mapping(address validator => uint32) public owners;
    address[] public keys;
    /// Threshold and quorum in force when a motion was proposed.
    mapping(uint32 motion => IMotions.Rule) internal rules;
    /// Smallest number of validators seen.
    uint256 public smallest = type(uint256).max;

    uint256 private nextSeed = 100;

    constructor() {
        for (uint32 n = 1; n <= 5; n++) {
            remember(wallet(n).addr);
        }
    }

    // What organisations do

    function propose(uint256 by, uint256 kind, uint256 a, uint256 b, uint256 c) external {
        proposes(by, uint8(kind % 20), a, b, c);
    }

    function vote(uint256 by, uint256 motion, uint256 choice) external {
        uint32 number = someMotion(motion);
        // Mostly yes, or nothing would ever pass.
        uint8 said = choice % 3 == 0 ? uint8(choice % 6) : 1;
        succeeds(admin(acting(by)), address(motions), abi.encodeCall(motions.vote, (number, said)));
    }

    function execute(uint256 motion) external {
        executes(someMotion(motion));
    }

    function withdraw(uint256 by, uint256 motion, uint16 reason) external {
        if (motion % 4 != 0) return;
        bytes memory data = abi.encodeCall(motions.withdraw, (someMotion(motion), reason % 10));
        succeeds(admin(acting(by)), address(motions), data);
    }

    /// A motion from its beginning to its end.
    function decides(uint256 by, uint256 kind, uint256 a, uint256 b, uint256 c) external {
        uint32 motion = proposes(by, uint8(1 + kind % 19), a, b, c);
        if (motion == 0) return;
        passed(motion);
        vm.warp(block.timestamp + motions.motionOf(motion).rule.delay);
        executes(motion);
    }

    function register(uint256 by, bool proven) external {
        uint32 organisation = acting(by);
        uint256 seed = nextSeed++;
        INodes.Registration memory node = registration(seed);
        INodes.Possession memory proofs = possession(proven ? organisation : organisation + 1, seed);
        bytes memory data = abi.encodeCall(nodes.registerNode, (node, proofs));
        if (succeeds(admin(organisation), address(nodes), data)) remember(wallet(seed).addr);
    }

    function retire(uint256 by, uint256 node) external {
        if (node % 4 != 0) return;
        uint32 organisation = acting(by);
        bytes memory data = abi.encodeCall(nodes.retireNode, (ownNode(organisation, node)));
        succeeds(admin(organisation), address(nodes), data);
    }

    function rotate(uint256 by, uint256 node, uint256 old) external {
        uint32 organisation = acting(by);
        // Sometimes a key that was used before.
        uint256 seed = old % 4 == 0 ? 1 + old % 5 : nextSeed++;
        INodes.Registration memory key = registration(seed);
        uint64 deadline = uint64(block.timestamp);
        INodes.Signature memory proof = validatorProof(organisation, seed, deadline);
        uint32 target = ownNode(organisation, node);
        bytes memory data = abi.encodeCall(
            nodes.rotateValidatorKey, (target, key.validatorX, key.validatorY, proof, deadline)
        );
        if (succeeds(admin(organisation), address(nodes), data)) remember(wallet(seed).addr);
    }

    function equivocate(uint256 which, uint64 height, uint32 round) external {
        uint256 seed = which % 3 == 0 ? 100 + which % 20 : 1 + which % 5;
        bytes memory evidence = votes(seed, uint64(clamp(height, 0, block.number)), round % 4);
        bytes memory data = abi.encodeCall(nodes.submitEvidence, (evidence));
        succeeds(STRANGER, address(nodes), data);
    }

    function enforce() external {
        succeeds(STRANGER, address(nodes), abi.encodeCall(nodes.enforceSuspensions, ()));
    }

    function enrol(uint256 by, uint256 account, uint32 bits) external {
        uint32 organisation = acting(by);
        (, bytes memory data) = joining(organisation, 80 + account % 8, bits % 65);
        succeeds(admin(organisation), address(permissions), data);
    }

    function grant(uint256 by, uint256 account, uint32 bits) external {
        address target = account % 3 == 0 ? admin(member(account)) : wallet(80 + account % 8).addr;
        bytes memory data = bits % 3 == 0
            ? abi.encodeCall(permissions.withdraw, (target))
            : abi.encodeCall(permissions.grant, (target, bits % 65));
        succeeds(admin(acting(by)), address(permissions), data);
    }

    function registerChain(uint256 by, uint256 id) external {
        string memory caip2 = string.concat("eip155:", vm.toString(id % 4));
        bytes memory data = abi.encodeCall(chains.register, (caip2, "ethereum", ""));
        succeeds(admin(acting(by)), address(chains), data);
    }

    function wait(uint256 time) external {
        endBlock();
        vm.warp(block.timestamp + clamp(time, 1, 5 days));
        vm.roll(block.number + clamp(time, 1, 10));
    }

    // What the tests look at

    function ruleOf(uint32 motion) external view returns (IMotions.Rule memory) {
        return rules[motion];
    }

    function keyCount() external view returns (uint256) {
        return keys.length;
    }

    // Helpers

    function proposes(uint256 by, uint8 kind, uint256 a, uint256 b, uint256 c)
        private
        returns (uint32)
    {
        bytes memory arguments = argumentsOf(kind, a, b, c);
        bytes memory data = abi.encodeCall(motions.propose, (kind, arguments));
        IMotions.Rule memory inForce;
        if (kind > 0 && kind <= 19) {
            uint8 changed = kind == 9 ? abi.decode(arguments, (uint8)) : kind;
            if (changed > 0 && changed <= 19) inForce = motions.ruleOf(changed);
        }
        if (!succeeds(admin(acting(by)), address(motions), data)) return 0;
        rules[motions.motionCount()] = inForce;
        return motions.motionCount();
    }

    function argumentsOf(uint8 number, uint256 a, uint256 b, uint256 c)
        private
        view
        returns (bytes memory)
    {
        IMotions.Kind kind = IMotions.Kind(number > 19 ? 0 : number);
        uint32 organisation = kind == IMotions.Kind.ReinstateOrganisation ? suspended(a) : member(a);
        if (kind == IMotions.Kind.AddOrganisation) {
            return admission(1 + organisations.organisationCount() % ORGANISATIONS);
        }
        if (kind == IMotions.Kind.AmendOrganisation) {
            return abi.encode(organisation, details(b % 12));
        }
        if (kind == IMotions.Kind.AddValidator) return abi.encode(someNode(a), somePower(b));
        if (kind == IMotions.Kind.RemoveValidator) {
            // A founder's, mostly: few of the others validate.
            return abi.encode(a % 4 == 0 ? someNode(a) : uint32(1 + a % 5), uint16(b % 9));
        }
        if (kind == IMotions.Kind.ReinstateValidator) return abi.encode(convictedNode(a));
        if (kind == IMotions.Kind.SetRule) return abi.encode(uint8(a % 20), someRule(b, c));
        if (kind == IMotions.Kind.SetQuota) return abi.encode(organisation, uint64(b), uint64(c));
        if (kind == IMotions.Kind.SetAccount) {
            address account = b % 2 == 0 ? admin(organisation) : address(uint160(1 + b % 8));
            return abi.encode(organisation, account, b % 2 == 0 ? ALL : uint32(c % 65));
        }
        if (kind == IMotions.Kind.SetAlgorithm) {
            return abi.encode(uint32(0x12), uint16(256), uint8(b % 4), uint64(c));
        }
        if (kind == IMotions.Kind.SetChain) {
            return abi.encode(uint32(a % (chains.chainCount() + 1)), acting(b), uint8(1 + c % 3));
        }
        if (kind == IMotions.Kind.ScheduleUpgrade) {
            uint64 height = uint64(block.number + 90 + b % 40);
            return abi.encode(plan(height, uint32(1 + c % 4), uint64(a % 30_000_000)));
        }
        if (kind == IMotions.Kind.CancelUpgrade) return abi.encode(uint32(upgrades.pending()));
        return shortArguments(kind, organisation, a, b);
    }

    function shortArguments(IMotions.Kind kind, uint32 organisation, uint256 a, uint256 b)
        private
        pure
        returns (bytes memory)
    {
        if (kind == IMotions.Kind.SetPublicPermissions) return abi.encode(uint32(a % 20));
        if (kind == IMotions.Kind.SetPeriod) return abi.encode(uint32(a % 3));
        if (kind == IMotions.Kind.Resolve) return abi.encode(bytes32(a));
        if (kind == IMotions.Kind.SetOrganisationPermissions) {
            return abi.encode(organisation, b % 4 == 0 ? uint32(b % 64) : ALL);
        }
        return abi.encode(organisation, uint16(b % 9));
    }

    function someRule(uint256 a, uint256 b) private pure returns (IMotions.Rule memory) {
        return IMotions.Rule({
            quorumNumerator: uint16(a % 4),
            quorumDenominator: uint16(1 + (a >> 8) % 4),
            thresholdNumerator: uint16((a >> 16) % 4),
            thresholdDenominator: uint16(1 + (a >> 24) % 5),
            votingPeriod: uint32(b % 20 days),
            delay: uint32((b >> 32) % 2 days),
            window: uint32((b >> 64) % 20 days)
        });
    }

    function somePower(uint256 a) private pure returns (uint64) {
        uint64[8] memory powers = [uint64(0), 1, 5, 10, 10, 20, 1000, 1 << 62];
        return powers[a % 8];
    }

    function someNode(uint256 a) private view returns (uint32) {
        return uint32(1 + a % (nodes.nodeCount() + 1));
    }

    /// A node with an offence, if there is one.
    function convictedNode(uint256 a) private view returns (uint32) {
        uint256 count = nodes.offenceCount();
        return count == 0 ? someNode(a) : nodes.offences(a % count, 1)[0].node;
    }

    function ownNode(uint32 organisation, uint256 a) private view returns (uint32) {
        uint32[] memory own = nodes.nodesOf(organisation);
        return own.length == 0 ? someNode(a) : own[a % own.length];
    }

    function someMotion(uint256 a) private view returns (uint32) {
        uint256 count = motions.motionCount();
        // One of the last, so that votes meet.
        return uint32(count - (a % 8) % (count + 1));
    }

    function member(uint256 a) private view returns (uint32) {
        return uint32(1 + a % organisations.organisationCount());
    }

    /// One that is suspended, if there is one.
    function suspended(uint256 a) private view returns (uint32 organisation) {
        uint32 count = organisations.organisationCount();
        for (uint256 i = 0; i < count; i++) {
            organisation = member(a % 1000 + i);
            if (uint8(organisations.standing(organisation)) == 2) return organisation;
        }
    }

    /// A member that is active, mostly.
    function acting(uint256 a) private view returns (uint32 organisation) {
        for (uint256 i = 0; i < 4; i++) {
            organisation = member(a % 1000 + i);
            if (uint8(organisations.standing(organisation)) == 1) return organisation;
        }
    }

    function executes(uint32 motion) private {
        bytes memory data = abi.encodeCall(motions.execute, (motion));
        if (!succeeds(STRANGER, address(motions), data)) return;
        executed[motions.motionOf(motion).kind]++;
    }

    function remember(address validator) private {
        if (owners[validator] == 0) keys.push(validator);
        owners[validator] = nodes.validatorKeyOf(validator).node;
    }

    function succeeds(address sender, address target, bytes memory data)
        private
        returns (bool done)
    {
        done = send(sender, target, data);
        if (!done) return false;
        accepted[bytes4(data)]++;
        uint256 size = nodes.validatorSet().length;
        if (size < smallest) smallest = size;
    }
}
