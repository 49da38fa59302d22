// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Certificates} from "../../src/bridge/Certificates.sol";
import {Checkpoints} from "../../src/bridge/Checkpoints.sol";
import {ILightClient} from "../../src/bridge/ILightClient.sol";
import {LightClient} from "../../src/bridge/LightClient.sol";
import {Network} from "./Network.sol";

/// @notice Tests 16 (expiry), 17, 18, 23, 29: which checkpoints follow, and of which chain.
contract CheckpointsTest is Network {
    function setUp() public {
        deploy(setOf(1, 4), noPolicy());
    }

    function good(uint64 height) private view returns (Checkpoint memory) {
        return checkpointAt(height, current, current);
    }

    function test_HeightsMayBeLeftOut() public {
        vm.assertTrue(client.update(decide(good(101), current, 7)));
        vm.assertTrue(client.update(decide(good(500), current, 7)));
        vm.assertTrue(client.update(decide(good(1000), current, 15)));
        vm.assertEq(client.latest().height, 1000);
        vm.assertEq(client.latest().logSize, 10_000);
        vm.assertEq(client.digestAt(101), digestOf(encode(good(101))));
    }

    function test_TheSameCheckpointAgainDoesNothing() public {
        vm.assertTrue(client.update(decide(good(200), current, 7)));
        vm.assertFalse(client.update(decide(good(200), current, 7)));
        vm.assertTrue(client.update(decide(good(300), current, 7)));
        vm.assertFalse(client.update(decide(good(200), current, 14)));
        vm.assertEq(client.latest().height, 300);
    }

    function test_RefusesWhatIsNotLater() public {
        client.update(decide(good(300), current, 7));
        refusesNotAhead(good(299));
        refusesNotAhead(good(101));
        Checkpoint memory c = good(400);
        c.timeMs = timeOf(300);
        refusesNotAhead(c);
        c.timeMs = timeOf(300) + 1;
        vm.assertTrue(client.update(decide(c, current, 7)));
    }

    function test_RefusesAnotherCheckpointOfAHeight() public {
        client.update(decide(good(300), current, 7));
        Checkpoint memory c = good(300);
        c.stateRoot = 0;
        refuses(
            updateCall(decide(c, current, 7)),
            abi.encodeWithSelector(
                ILightClient.LightClientConflict.selector,
                uint64(300),
                digestOf(encode(good(300))),
                digestOf(encode(c))
            )
        );
        // Without a quorum it is no conflict, just a bad certificate.
        refusesAs(updateCall(decide(c, current, 3)), Certificates.CertificateNoQuorum.selector);
    }

    /// 29: a log that shrinks.
    function test_29_RefusesAShorterLog() public {
        client.update(decide(good(300), current, 7));
        Checkpoint memory c = good(400);
        c.logSize = 2999;
        refusesNotAhead(c);
        c.logSize = 3000;
        vm.assertTrue(client.update(decide(c, current, 7)));
    }

    function test_RefusesNumbersThatLeavesCannotHave() public {
        bytes4 reason = ILightClient.LightClientTooLarge.selector;
        Checkpoint memory c = good(200);
        c.height = 1 << 48;
        refusesAs(updateCall(decide(c, current, 7)), reason);
        c = good(200);
        c.logSize = 1 << 48;
        refusesAs(updateCall(decide(c, current, 7)), reason);
        c = good(200);
        c.timeMs = 1 << 48;
        refusesAs(updateCall(decide(c, current, 7)), reason);
        c.timeMs = timeOf(200);
        (c.height, c.logSize) = ((1 << 48) - 1, (1 << 48) - 1);
        vm.assertTrue(client.update(decide(c, current, 7)));
        vm.assertEq(client.latest().logSize, (1 << 48) - 1);
    }

    /// A certificate cannot prolong the trust period by a time that has not come.
    function test_RefusesTheFuture() public {
        Checkpoint memory c = good(200);
        c.timeMs = uint64(NOW * 1000 + 600_001);
        refusesAs(updateCall(decide(c, current, 7)), ILightClient.LightClientFuture.selector);
        c.timeMs--;
        vm.assertTrue(client.update(decide(c, current, 7)));
    }

    /// 16: the trust period, a second before and after its end.
    function test_16_ExpiresWithTheTrustPeriod() public {
        uint256 end = timeOf(100) / 1000 + TRUST_PERIOD;
        bytes memory decision = decide(good(200), current, 7);
        vm.assertEq(client.trustedUntilMs(), end * 1000);
        vm.warp(end + 1);
        refuses(
            updateCall(decision),
            abi.encodeWithSelector(ILightClient.LightClientExpired.selector, end * 1000)
        );
        vm.assertTrue(client.status() == ILightClient.Status.Expired);
        vm.warp(end);
        vm.assertTrue(client.status() == ILightClient.Status.Active);
        vm.assertTrue(client.update(decision));
        // The next period begins with the checkpoint's own time.
        vm.warp(end + 100);
        vm.assertTrue(client.status() == ILightClient.Status.Active);
        vm.warp(end + 101);
        vm.assertTrue(client.status() == ILightClient.Status.Expired);
        // What was accepted is still known.
        bytes memory checkpoint = encode(good(200));
        vm.assertEq(client.acceptedCheckpoint(checkpoint).height, 200);
    }

    /// 17: the same validators, on another chain or after another genesis.
    function test_17_RefusesAnotherChain() public {
        Checkpoint memory c = good(200);
        c.chainId = CHAIN + 1;
        refusesAs(updateCall(decide(c, current, ALL)), ILightClient.LightClientChain.selector);
        LightClient.Trust memory trust = trustIn(current);
        trust.genesisHash = keccak256("another genesis");
        client = new LightClient(trust, noPolicy());
        refusesAs(updateCall(decide(good(200), current, ALL)), badSignature());
    }

    /// 18: prevotes, nil votes, proposals, bare digests, messages of Ethereum.
    function test_18_RefusesWhatIsSignedForSomethingElse() public {
        bytes memory c = encode(good(200));
        bytes32 digest = digestOf(c);
        bytes memory front = abi.encodePacked("TBSI-VOTE-1", CHAIN, GENESIS);
        refusesSigned(digest);
        refusesSigned(
            sha256(abi.encodePacked(front, hex"01", uint64(200), uint32(0), hex"01", digest))
        );
        refusesSigned(
            sha256(abi.encodePacked(front, hex"02", uint64(200), uint32(0), hex"00", digest))
        );
        refusesSigned(
            sha256(abi.encodePacked(front, hex"02", uint64(200), uint32(0), hex"00", bytes32(0)))
        );
        refusesSigned(
            keccak256(abi.encodePacked(front, hex"02", uint64(200), uint32(0), hex"01", digest))
        );
        refusesSigned(
            sha256(
                abi.encodePacked(
                    "TBSI-PROPOSAL-1",
                    CHAIN,
                    GENESIS,
                    uint64(200),
                    uint32(0),
                    type(uint32).max,
                    digest
                )
            )
        );
        refusesSigned(
            keccak256(abi.encodePacked("\x19Ethereum Signed Message:\n32", signedOf(c, 0)))
        );
    }

    function refusesSigned(bytes32 digest) private {
        bytes memory decision = bytes.concat(
            encode(good(200)),
            abi.encodePacked(uint32(0), uint128(15)),
            signatures(digest, current, ALL)
        );
        refusesAs(updateCall(decision), badSignature());
    }

    /// 23: a network with the production network's chain id, validators and heights, but started
    /// anew.
    function test_23_RefusesTheTestNetwork() public {
        bytes memory c = encode(good(200));
        bytes32 genesis = keccak256("test network");
        bytes32 digest = sha256(abi.encodePacked("TBSI-CHECKPOINT-1", genesis, c));
        bytes32 signed = sha256(
            abi.encodePacked(
                "TBSI-VOTE-1", CHAIN, genesis, hex"02", uint64(200), uint32(0), hex"01", digest
            )
        );
        refusesSigned(signed);
    }

    function test_TheConstructorWantsItsCheckpointAndSetToFit() public {
        LightClient.Trust memory trust = trustIn(current);
        trust.chainId = 1;
        deployRefused(
            trust, abi.encodeWithSelector(ILightClient.LightClientChain.selector, uint64(1), CHAIN)
        );
        trust = trustIn(current);
        Set memory other = setOf(2, 4);
        trust.validatorSet = other.encoded;
        deployRefused(
            trust,
            abi.encodeWithSelector(
                ILightClient.LightClientValidatorSet.selector, current.hash, other.hash
            )
        );
        trust = trustIn(current);
        trust.checkpoint = bytes.concat(trust.checkpoint, hex"00");
        deployRefused(
            trust, abi.encodeWithSelector(Checkpoints.CheckpointLength.selector, 192, 193)
        );
        trust = trustIn(current);
        trust.trustPeriod = 1 hours - 1;
        deployRefused(trust, parameter("trustPeriod", 1 hours, 365 days, 1 hours - 1));
        trust.trustPeriod = 365 days + 1;
        deployRefused(trust, parameter("trustPeriod", 1 hours, 365 days, 365 days + 1));
        uint256 end = timeOf(100) / 1000 + TRUST_PERIOD;
        vm.warp(end + 1);
        deployRefused(
            trustIn(current),
            abi.encodeWithSelector(ILightClient.LightClientExpired.selector, end * 1000)
        );
    }

    function parameter(string memory name, uint256 least, uint256 most, uint256 given)
        private
        pure
        returns (bytes memory)
    {
        return abi.encodeWithSelector(
            ILightClient.LightClientParameter.selector, name, least, most, given
        );
    }

    /// A checkpoint that names another next set: that set signs next.
    function test_StartsBehindALastCheckpoint() public {
        Set memory next = setOf(2, 7);
        LightClient.Trust memory trust = trustIn(current);
        trust.checkpoint = encode(checkpointAt(100, current, next));
        trust.validatorSet = next.encoded;
        client = new LightClient(trust, noPolicy());
        vm.assertFalse(client.latest().closing);
        vm.assertTrue(client.update(decide(checkpointAt(101, next, next), next, quorum(7))));
    }

    /// Block 0 has a checkpoint and no certificate.
    function test_StartsFromGenesis() public {
        LightClient.Trust memory trust = trustIn(current);
        Checkpoint memory c = good(0);
        trust.checkpoint = encode(c);
        client = new LightClient(trust, noPolicy());
        vm.assertEq(client.latest().height, 0);
        vm.assertEq(client.latest().digest, digestOf(trust.checkpoint));
        vm.assertTrue(client.update(decide(good(1), current, 7)));
    }

    function deployRefused(LightClient.Trust memory trust, bytes memory reason) private {
        vm.expectRevert(reason);
        new LightClient(trust, noPolicy());
    }

    function refusesNotAhead(Checkpoint memory c) private {
        refuses(
            updateCall(decide(c, current, ALL)),
            abi.encodeWithSelector(
                ILightClient.LightClientNotAhead.selector, c.height, c.timeMs, c.logSize
            )
        );
    }

    function badSignature() private pure returns (bytes4) {
        return Certificates.CertificateSignature.selector;
    }
}
