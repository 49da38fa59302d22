// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMotions} from "../src/IMotions.sol";
import {INodes} from "../src/INodes.sol";
import {IUpgrades} from "../src/IUpgrades.sol";
import {Constitution} from "./Constitution.sol";
import {NextChains} from "./NextChains.sol";

/// @notice Rules that change: what is scheduled, who is ready, what is settled.
contract UpgradesTest is Constitution {
    IMotions.Kind private constant SCHEDULE = IMotions.Kind.ScheduleUpgrade;
    uint64 private constant HEIGHT = 200;

    function setUp() public {
        found(6);
    }

    // Scheduling

    function test_AMotionSchedules() public {
        uint32 motion = proposed(1, SCHEDULE, abi.encode(plan(HEIGHT, 2, 30_000_000)));
        passed(motion);
        vm.warp(block.timestamp + DELAY);
        vm.expectEmit(address(upgrades));
        emit IUpgrades.UpgradeScheduled(1, keccak256("an upgrade"), HEIGHT, 2, "2.0.0");
        motions.execute(motion);
        vm.assertEq(upgrades.pending(), 1);
        vm.assertEq(upgrades.dueHeight(), HEIGHT);
        vm.assertEq(upgrades.protocolVersion(), 1);
        IUpgrades.Upgrade[] memory page = upgrades.upgrades(1, 100);
        vm.assertEq(page.length, 1);
        vm.assertEq(page[0].status, uint8(IUpgrades.Status.Scheduled));
        vm.assertEq(page[0].scheduledHeight, 1);
        vm.assertEq(page[0].plan.version, "2.0.0");
        vm.assertEq(page[0].plan.protocol, 2);
        vm.assertEq(page[0].plan.settings[0].value, 30_000_000);
        vm.assertEq(upgrades.settings().length, 0);
    }

    /// Whatever the rule for upgrades says, they need what every other change needs.
    function test_AnUpgradeNeedsTheStrictestOfAllRules() public {
        IMotions.Rule memory easy = IMotions.Rule(1, 2, 1, 2, VOTING, 0, WINDOW);
        decide(IMotions.Kind.SetRule, abi.encode(uint8(SCHEDULE), easy));
        IMotions.Rule memory hard = IMotions.Rule(1, 1, 4, 5, VOTING, 3 days, WINDOW);
        decide(IMotions.Kind.SetRule, abi.encode(uint8(IMotions.Kind.Resolve), hard));
        uint32 motion = proposed(1, SCHEDULE, abi.encode(plan(HEIGHT, 2, 0)));
        IMotions.Rule memory got = motions.motionOf(motion).rule;
        vm.assertEq(got.quorumNumerator, 1);
        vm.assertEq(got.quorumDenominator, 1);
        vm.assertEq(got.thresholdNumerator, 4);
        vm.assertEq(got.thresholdDenominator, 5);
        vm.assertEq(got.delay, 3 days);
        vm.assertEq(motions.motionOf(motion).base, 6);
    }

    function test_RefusesBadPlans() public {
        refusesPlan(plan(100, 2, 0), err(IUpgrades.UpgradesTooNear.selector, 101, 100));
        refusesPlan(plan(0, 2, 0), err(IUpgrades.UpgradesTooNear.selector, 101, 0));
        refusesPlan(plan(HEIGHT, 0, 0), err(IUpgrades.UpgradesVersionTooLow.selector, 1, 0));
        refusesPlan(plan(HEIGHT, 18, 0), err(IUpgrades.UpgradesVersionTooHigh.selector, 17, 18));
        refusesPlan(
            plan(HEIGHT, 1, 0), abi.encodeWithSelector(IUpgrades.UpgradesNothingChanges.selector)
        );
        IUpgrades.Plan memory bad = plan(HEIGHT, 2, 0);
        bad.nameHash = 0;
        refusesPlan(bad, abi.encodeWithSelector(IUpgrades.UpgradesNoHash.selector));
        bad = plan(HEIGHT, 2, 0);
        bad.version = "";
        refusesPlan(
            bad,
            abi.encodeWithSignature(
                "TextsLengthOutOfRange(string,uint256,uint256,uint256)", "version", 1, 32, 0
            )
        );
        refusesMotion(
            SCHEDULE,
            abi.encodePacked(abi.encode(plan(HEIGHT, 2, 0)), bytes1(0)),
            abi.encodeWithSelector(IUpgrades.UpgradesArgumentsNotCanonical.selector)
        );
        vm.assertEq(upgrades.upgradeCount(), 0);
    }

    function test_RefusesBadSettings() public {
        bytes4 range = IUpgrades.UpgradesValueOutOfRange.selector;
        refusesSetting(0, 1, err(IUpgrades.UpgradesParameterUnknown.selector, 7, 0));
        refusesSetting(8, 1, err(IUpgrades.UpgradesParameterUnknown.selector, 7, 8));
        for (uint8 parameter = 1; parameter <= 7; parameter++) {
            (uint64 min, uint64 max) = upgrades.boundsOf(parameter);
            uint64 above = max + 1;
            refusesSetting(
                parameter, above, abi.encodeWithSelector(range, parameter, min, max, above)
            );
            if (min == 0) continue;
            uint64 below = min - 1;
            refusesSetting(
                parameter, below, abi.encodeWithSelector(range, parameter, min, max, below)
            );
        }
        IUpgrades.Plan memory bad = plan(HEIGHT, 2, 0);
        bad.settings = new IUpgrades.Setting[](2);
        (bad.settings[0].parameter, bad.settings[0].value) = (2, 100);
        (bad.settings[1].parameter, bad.settings[1].value) = (2, 100);
        refusesPlan(
            bad,
            abi.encodeWithSelector(IUpgrades.UpgradesOutOfOrder.selector, "settings", uint256(1))
        );
    }

    function test_RefusesBadReplacements() public {
        address source = address(new NextChains());
        bytes32 hash = source.codehash;
        address target = address(chains);
        refusesCode(
            address(0x0fff), source, hash, err(IUpgrades.UpgradesNotSystem.selector, 0x0fff)
        );
        refusesCode(
            address(0x100b), source, hash, err(IUpgrades.UpgradesNotSystem.selector, 0x100b)
        );
        refusesCode(
            source,
            source,
            hash,
            abi.encodeWithSelector(IUpgrades.UpgradesNotSystem.selector, source)
        );
        refusesCode(
            target,
            source,
            bytes32(uint256(1)),
            abi.encodeWithSelector(
                IUpgrades.UpgradesCodeHash.selector, source, bytes32(uint256(1)), hash
            )
        );
        refusesCode(
            target,
            STRANGER,
            0,
            abi.encodeWithSelector(IUpgrades.UpgradesCodeUnfit.selector, STRANGER, 24576, 0)
        );
        vm.etch(STRANGER, abi.encodePacked(hex"ef0100", target));
        refusesCode(
            target,
            STRANGER,
            STRANGER.codehash,
            abi.encodeWithSelector(IUpgrades.UpgradesCodeUnfit.selector, STRANGER, 24576, 23)
        );
        refusesCode(
            target,
            target,
            target.codehash,
            abi.encodeWithSelector(IUpgrades.UpgradesCodeUnchanged.selector, target)
        );
    }

    function test_OneWaitsAtATime() public {
        scheduled(plan(HEIGHT, 2, 0));
        refusesPlan(plan(300, 3, 0), err(IUpgrades.UpgradesOneAtATime.selector, 1, HEIGHT));
        decide(IMotions.Kind.CancelUpgrade, abi.encode(uint32(1)));
        vm.assertEq(upgrades.pending(), 0);
        vm.assertEq(upgrades.dueHeight(), 0);
        vm.assertEq(upgrades.upgradeOf(1).status, uint8(IUpgrades.Status.Cancelled));
        refusesMotion(
            IMotions.Kind.CancelUpgrade,
            abi.encode(uint32(1)),
            err(IUpgrades.UpgradesNotScheduled.selector, 1)
        );
        proposed(1, SCHEDULE, abi.encode(plan(300, 3, 0)));
    }

    function test_OnlyTheGovernorAndTheNode() public {
        refusesStrangers(address(upgrades), abi.encodeCall(upgrades.schedule, (plan(HEIGHT, 2, 0))));
        refusesStrangers(address(upgrades), abi.encodeCall(upgrades.cancel, (1)));
        bytes memory data = abi.encodeCall(upgrades.settle, ());
        refuses(STRANGER, address(upgrades), data, callerRefused(SYSTEM, STRANGER));
        refuses(SYSTEM, address(upgrades), data, err(IUpgrades.UpgradesNotDue.selector, 0, 1));
        data = abi.encodeCall(nodes.setEpoch, (1));
        refuses(SYSTEM, address(nodes), data, callerRefused(address(upgrades), SYSTEM));
        refuses(
            address(motions),
            address(nodes),
            data,
            callerRefused(address(upgrades), address(motions))
        );
        vm.expectRevert(err(IUpgrades.UpgradesUnknown.selector, 1));
        upgrades.upgradeOf(1);
    }

    // Declarations

    function test_AnAdministratorDeclares() public {
        vm.expectEmit(address(upgrades));
        emit IUpgrades.VersionDeclared(3, 3, 2);
        declares(3, 2);
        vm.assertEq(upgrades.declarationOf(3).version, 2);
        vm.assertEq(upgrades.declarationOf(3).height, 1);
        (uint64 support, uint64 power) = upgrades.supportOf(2);
        vm.assertEq(support, 10);
        vm.assertEq(power, 60);
        (support,) = upgrades.supportOf(1);
        vm.assertEq(support, 60);
        refusesDeclaration(3, 3, 2, err(IUpgrades.UpgradesVersionTooLow.selector, 3, 2));
        refusesDeclaration(4, 4, 1, err(IUpgrades.UpgradesVersionTooLow.selector, 2, 1));
        refusesDeclaration(3, 3, 18, err(IUpgrades.UpgradesVersionTooHigh.selector, 17, 18));
        refusesDeclaration(4, 3, 3, err(IUpgrades.UpgradesNotOperator.selector, 3, 4));
        refusesDeclaration(3, 9, 3, err(INodes.NodesUnknown.selector, 9));
        uint32 node = registered(3, 33);
        vm.prank(admin(3));
        nodes.retireNode(node);
        refusesDeclaration(3, node, 2, err(IUpgrades.UpgradesNodeRetired.selector, node));
        vm.assertFalse(send(STRANGER, address(upgrades), abi.encodeCall(upgrades.declare, (3, 3))));
    }

    function test_NothingIsDeclaredInTheLastBlocks() public {
        scheduled(plan(HEIGHT, 2, 0));
        vm.roll(HEIGHT - 20);
        declares(1, 2);
        vm.roll(HEIGHT - 19);
        refusesDeclaration(
            2, 2, 2, err(IUpgrades.UpgradesDeclarationsClosed.selector, HEIGHT, HEIGHT - 19)
        );
        until(HEIGHT);
        declares(2, 2);
    }

    // Settling

    function test_AQuorumOfPowerCarriesItOut() public {
        scheduled(plan(HEIGHT, 2, 30_000_000));
        for (uint32 n = 1; n <= 5; n++) {
            declares(n, 2);
        }
        vm.roll(HEIGHT - 1);
        vm.expectEmit(address(upgrades));
        emit IUpgrades.UpgradeSettled(1, uint8(IUpgrades.Status.Active), 0);
        endBlock();
        vm.assertEq(upgrades.protocolVersion(), 2);
        vm.assertEq(upgrades.pending(), 0);
        IUpgrades.Upgrade memory upgrade = upgrades.upgradeOf(1);
        vm.assertEq(upgrade.status, uint8(IUpgrades.Status.Active));
        vm.assertEq(upgrade.endHeight, HEIGHT - 1);
        vm.assertEq(upgrade.support, 50);
        vm.assertEq(upgrade.power, 60);
        IUpgrades.Setting[] memory settings = upgrades.settings();
        vm.assertEq(settings.length, 1);
        vm.assertEq(settings[0].parameter, 1);
        vm.assertEq(settings[0].value, 30_000_000);
        refusesPlan(plan(HEIGHT + 200, 1, 0), err(IUpgrades.UpgradesVersionTooLow.selector, 2, 1));
    }

    /// Two thirds are no quorum; the chain goes on as it is.
    function test_WithoutAQuorumItLapses() public {
        scheduled(plan(HEIGHT, 2, 30_000_000));
        for (uint32 n = 1; n <= 4; n++) {
            declares(n, 2);
        }
        until(HEIGHT);
        lapsed(IUpgrades.Lapse.NotReady);
        vm.assertEq(upgrades.upgradeOf(1).support, 40);
        vm.assertEq(upgrades.settings().length, 0);
        vm.assertEq(upgrades.protocolVersion(), 1);
        scheduled(plan(HEIGHT + 200, 2, 0));
    }

    /// The set that decides the first block under the new rules is the one that was counted.
    function test_ASetThatIsToFollowIsCounted() public {
        bytes32 epoch = vm.load(address(nodes), bytes32(uint256(1)));
        uint256 word = (uint256(epoch) & ~(uint256(type(uint32).max) << 96)) | (3600 << 96);
        vm.store(address(nodes), bytes32(uint256(1)), bytes32(word));
        scheduled(plan(HEIGHT, 2, 0));
        for (uint32 n = 1; n <= 5; n++) {
            declares(n, 2);
        }
        decide(IMotions.Kind.AddValidator, abi.encode(uint32(6), uint64(25)));
        vm.roll(HEIGHT - 1);
        vm.assertGt(nodes.handoverDue(), block.timestamp);
        endBlock();
        vm.assertEq(nodes.handoverDue(), 0);
        vm.assertEq(upgrades.upgradeOf(1).power, 75);
        lapsed(IUpgrades.Lapse.NotReady);
    }

    function test_SettingsChangeTheEpoch() public {
        IUpgrades.Plan memory made = plan(HEIGHT, 1, 0);
        made.settings = new IUpgrades.Setting[](2);
        made.settings[0] = IUpgrades.Setting(uint8(IUpgrades.Parameter.BlockSpacingMin), 0);
        made.settings[1] = IUpgrades.Setting(uint8(IUpgrades.Parameter.EpochSeconds), 7200);
        scheduled(made);
        vm.assertEq(nodes.epochLength(), 0);
        until(HEIGHT);
        vm.assertEq(nodes.epochLength(), 7200);
        vm.assertEq(upgrades.settings().length, 2);
        vm.assertEq(upgrades.settings()[0].value, 0);
    }

    function test_CodeThatIsNotWhatWasDecidedOnLapses() public {
        address source = address(new NextChains());
        scheduled(replacing(address(chains), source, source.codehash));
        vm.etch(source, hex"00");
        until(HEIGHT);
        lapsed(IUpgrades.Lapse.CodeChanged);
    }

    function test_ReplacementsAreTheNodesToCarryOut() public {
        address source = address(new NextChains());
        scheduled(replacing(address(chains), source, source.codehash));
        vm.roll(HEIGHT - 1);
        vm.prank(SYSTEM);
        IUpgrades.Replacement[] memory list = upgrades.settle();
        vm.assertEq(list.length, 1);
        vm.assertEq(list[0].target, address(chains));
        vm.assertEq(list[0].source, source);
        vm.assertEq(list[0].codeHash, source.codehash);
    }

    function test_OneThatWasMissedLapses() public {
        scheduled(plan(HEIGHT, 2, 0));
        bytes memory data = abi.encodeCall(upgrades.settle, ());
        vm.roll(HEIGHT - 2);
        refuses(
            SYSTEM,
            address(upgrades),
            data,
            err(IUpgrades.UpgradesNotDue.selector, HEIGHT, HEIGHT - 2)
        );
        vm.roll(HEIGHT);
        vm.assertTrue(send(SYSTEM, address(upgrades), data));
        lapsed(IUpgrades.Lapse.Missed);
    }

    /// The node reads these words without calling anything: SPEC §13.12.
    function test_FixedSlots() public {
        scheduled(plan(HEIGHT, 2, 30_000_000));
        uint256 word = uint256(vm.load(address(upgrades), 0));
        vm.assertEq(word, (uint256(1) << 128) | (uint256(1) << 96) | (uint256(HEIGHT) << 32));
        for (uint32 n = 1; n <= 6; n++) {
            declares(n, 2);
        }
        until(HEIGHT);
        word = uint256(vm.load(address(upgrades), 0));
        vm.assertEq(word, (uint256(1) << 128) | 2);
        // Parameter p at slot 1 + p.
        word = uint256(vm.load(address(upgrades), bytes32(uint256(2))));
        vm.assertEq(word, (uint256(1) << 64) | 30_000_000);
    }

    // Helpers

    function scheduled(IUpgrades.Plan memory made) private {
        decide(SCHEDULE, abi.encode(made));
    }

    function replacing(address target, address source, bytes32 hash)
        private
        pure
        returns (IUpgrades.Plan memory made)
    {
        made = plan(HEIGHT, 1, 0);
        made.replacements = new IUpgrades.Replacement[](1);
        made.replacements[0] = IUpgrades.Replacement(target, source, hash);
    }

    function declares(uint32 node, uint32 version) private {
        vm.prank(admin(node));
        upgrades.declare(node, version);
    }

    function until(uint256 height) private {
        if (block.number < height - 1) vm.roll(height - 1);
        endBlock();
    }

    function lapsed(IUpgrades.Lapse lapse) private view {
        IUpgrades.Upgrade memory upgrade = upgrades.upgradeOf(1);
        vm.assertEq(upgrade.status, uint8(IUpgrades.Status.Lapsed));
        vm.assertEq(upgrade.lapse, uint8(lapse));
        vm.assertEq(upgrades.pending(), 0);
    }

    function refusesPlan(IUpgrades.Plan memory bad, bytes memory reason) private {
        refusesMotion(SCHEDULE, abi.encode(bad), reason);
    }

    function refusesSetting(uint8 parameter, uint64 value, bytes memory reason) private {
        IUpgrades.Plan memory bad = plan(HEIGHT, 2, 1);
        bad.settings[0] = IUpgrades.Setting(parameter, value);
        refusesPlan(bad, reason);
    }

    function refusesCode(address target, address source, bytes32 hash, bytes memory reason)
        private
    {
        refusesPlan(replacing(target, source, hash), reason);
    }

    function refusesDeclaration(uint32 by, uint32 node, uint32 version, bytes memory reason)
        private
    {
        bytes memory data = abi.encodeCall(upgrades.declare, (node, version));
        refuses(admin(by), address(upgrades), data, reason);
    }

    function err(bytes4 selector, uint256 one) private pure returns (bytes memory) {
        return abi.encodeWithSelector(selector, one);
    }

    function err(bytes4 selector, uint256 one, uint256 other) private pure returns (bytes memory) {
        return abi.encodeWithSelector(selector, one, other);
    }
}
