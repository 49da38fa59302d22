// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMotions} from "../src/IMotions.sol";
import {World} from "./World.sol";

/// @notice How many motions there may be, how many may vote, and how they are listed.
contract MotionListsTest is World {
    bytes32 private constant TEXT = keccak256("a text");

    function setUp() public {
        found(5);
    }

    function test_MotionsThatAreNotOverAreLimited() public {
        for (uint256 i = 0; i < 16; i++) {
            proposed(1, IMotions.Kind.Resolve, abi.encode(i + 1));
        }
        bytes memory reason = abi.encodeWithSelector(IMotions.MotionsTooManyOpen.selector, 16);
        refusesMotion(IMotions.Kind.Resolve, abi.encode(TEXT), reason);
        proposed(2, IMotions.Kind.Resolve, abi.encode(TEXT));
        vm.prank(admin(1));
        motions.withdraw(1, 1);
        proposed(1, IMotions.Kind.Resolve, abi.encode(TEXT));
        refusesMotion(IMotions.Kind.Resolve, abi.encode(TEXT), reason);
        vm.warp(NOW + VOTING + 1);
        proposed(1, IMotions.Kind.Resolve, abi.encode(TEXT));
    }

    /// One that takes long is one, wherever it stands among them.
    function test_OnlyMotionsThatAreNotOverTakePlaces() public {
        uint32 long = proposed(1, IMotions.Kind.SetRule, abi.encode(uint8(18), rule()));
        passed(long);
        for (uint256 i = 0; i < 40; i++) {
            decide(IMotions.Kind.Resolve, abi.encode(i + 1));
        }
        vm.assertEq(uint8(motions.statusOf(long)), uint8(IMotions.Status.Passed));
        for (uint256 i = 0; i < 15; i++) {
            proposed(1, IMotions.Kind.Resolve, abi.encode(i + 1));
        }
        bytes memory reason = abi.encodeWithSelector(IMotions.MotionsTooManyOpen.selector, 16);
        refusesMotion(IMotions.Kind.Resolve, abi.encode(TEXT), reason);
    }

    function rule() private pure returns (IMotions.Rule memory) {
        return IMotions.Rule(1, 2, 1, 2, VOTING, 0, WINDOW);
    }

    function test_ListsComeInPages() public {
        for (uint32 i = 1; i <= 3; i++) {
            proposed(i, IMotions.Kind.Resolve, abi.encode(uint256(i)));
        }
        IMotions.Motion[] memory page = motions.motions(2, 100);
        vm.assertEq(page.length, 2);
        vm.assertEq(page[0].organisation, 2);
        vm.assertEq(page[0].status, uint8(IMotions.Status.Open));
        vm.assertEq(motions.motions(4, 100).length, 0);
        vm.assertEq(motions.motions(1, 1).length, 1);
        vm.expectRevert(abi.encodeWithSignature("SystemPageTooLong(uint256,uint256)", 100, 101));
        motions.motions(1, 101);
        vote(3, 1, IMotions.Choice.No);
        vote(2, 1, IMotions.Choice.Yes);
        IMotions.Ballot[] memory cast = motions.ballots(1, 0, 100);
        vm.assertEq(cast.length, 2);
        vm.assertEq(cast[0].organisation, 3);
        vm.assertEq(cast[1].organisation, 2);
        vm.assertEq(motions.ballots(1, 1, 5).length, 1);
    }

    function test_NobodyMayVote() public {
        // One organisation alone, and the motion is about it.
        vm.store(address(organisations), voters(), one());
        refusesMotion(
            IMotions.Kind.SetQuota,
            abi.encode(uint32(1), FREE, FREE),
            abi.encodeWithSelector(IMotions.MotionsNobodyMayVote.selector)
        );
    }

    /// Count of organisations (bits 0-31), of active members (32-63), position (64-127), count of
    /// members (128-159).
    function voters() private view returns (bytes32 place_) {
        place_ = bytes32(uint256(4));
        uint256 packed = uint256(vm.load(address(organisations), place_));
        vm.assertEq(packed, (5 << 128) | (5 << 64) | (5 << 32) | 5);
    }

    function one() private pure returns (bytes32) {
        return bytes32((uint256(1) << 128) | (uint256(5) << 64) | (uint256(1) << 32) | 5);
    }
}
