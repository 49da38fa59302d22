// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Certificates} from "../../src/bridge/Certificates.sol";
import {Checkpoints} from "../../src/bridge/Checkpoints.sol";
import {ILightClient} from "../../src/bridge/ILightClient.sol";
import {SetStore} from "../../src/bridge/SetStore.sol";
import {Network} from "./Network.sol";

/// @notice The libraries as a contract, so that a test can catch what they refuse.
contract Library {
    address private _set;

    function store(bytes memory encoded) external {
        _set = SetStore.store(encoded, 0, 0, 0);
    }

    function verify(bytes32 digest, uint128 signers, bytes calldata signatures)
        external
        view
        returns (uint256)
    {
        return Certificates.verify(SetStore.load(_set), digest, signers, signatures);
    }

    function isQuorum(uint256 power, uint256 total) external pure returns (bool) {
        return Certificates.isQuorum(power, total);
    }

    function decode(bytes calldata checkpoint)
        external
        pure
        returns (Checkpoints.Checkpoint memory)
    {
        return Checkpoints.decode(checkpoint);
    }
}

/// @notice Tests 1 to 7: quorums, sets, signatures, bitmaps.
/// forge-config: default.fuzz.runs = 10000
/// forge-config: long.fuzz.runs = 100000
contract QuorumTest is Network {
    bytes32 private constant DIGEST = keccak256("digest");
    Library private lib;
    /// Nine validators, what each signs of DIGEST, and a decision of `current`: signing takes
    /// longer than all the rest.
    Set private nine;
    bytes private nineSigned;
    bytes private decided;

    function setUp() public {
        lib = new Library();
        deploy(setOf(1, 4), noPolicy());
        nine = setOf(2, 9);
        nineSigned = signatures(DIGEST, nine, ALL);
        decided = decide(checkpointAt(200, current, current), current, 7);
    }

    /// 1: the rule, for every number of validators and of signers.
    function test_01_QuorumIsMoreThanTwoThirdsForAllNumbers() public view {
        for (uint256 count = 1; count <= 128; count++) {
            // The least whole number above 2/3, counted up rather than computed.
            uint256 least = 0;
            while (least + least + least <= count + count) least++;
            for (uint256 signers = 0; signers <= count; signers++) {
                vm.assertTrue(lib.isQuorum(signers, count) == (signers >= least));
            }
        }
    }

    /// 1: with signatures, for all numbers of validators, around the quorum.
    function test_01_CertificatesOfAllSizes() public {
        Set memory whole = setOf(1, 128);
        bytes memory all = signatures(DIGEST, whole, ALL);
        for (uint256 count = 1; count <= 128; count++) {
            // The first validators of the whole set, which are in order.
            lib.store(bytes.concat(abi.encodePacked(uint16(count)), head(whole, count)));
            uint256 least = 2 * count / 3 + 1;
            for (uint256 signers = 1; signers <= count; signers++) {
                bool near = signers + 1 >= least && signers <= least + 1;
                if (count > 20 && !near && signers != count) continue;
                bool accepted = certified(lowest(signers), slice(all, 0, 65 * signers));
                vm.assertTrue(accepted == (signers >= least));
            }
        }
    }

    /// 2: random powers and signers.
    function testFuzz_02_AcceptsIffMoreThanTwoThirds(uint256 seed, uint128 signers) public {
        Set memory set = nine;
        uint256 power = 0;
        for (uint256 i = 0; i < 9; i++) {
            uint256 random = uint256(keccak256(abi.encode(seed, i)));
            // Small, so that ties happen, or so large that the sum nearly overflows.
            set.powers[i] = random & 1 == 0
                ? uint64(clamp(random >> 8, 1, 4))
                : type(uint64).max / 9 - uint64(random >> 250);
            if ((signers >> i) & 1 == 1) power += set.powers[i];
        }
        encodeSet(set);
        lib.store(set.encoded);
        uint128 mask = signers & lowest(9);
        vm.assertTrue(certified(mask, signedBy(mask)) == (power * 3 > set.total * 2));
    }

    /// 2: one power of nearly 2^64, and a sum of 2^64.
    function test_02_ExtremePowers() public {
        uint64[] memory powers = new uint64[](3);
        (powers[0], powers[1], powers[2]) = (type(uint64).max - 2, 1, 1);
        Set memory set = setOf(1, powers);
        lib.store(set.encoded);
        vm.assertTrue(certified(1, signatures(DIGEST, set, 1)));
        vm.assertFalse(certified(6, signatures(DIGEST, set, 6)));
        powers[0]++;
        set = setOf(1, powers);
        storeRefuses(set.encoded, abi.encodeWithSelector(Overflow));
    }

    bytes4 private constant Overflow = SetStore.ValidatorSetPowerOverflow.selector;

    /// 3: sets that are none.
    function test_03_RefusesSetsThatAreNone() public {
        (address low, address high) = (address(1), address(2));
        bytes memory two = abi.encodePacked(uint16(2));
        bytes4 order = SetStore.ValidatorSetOrder.selector;
        bytes4 length = SetStore.ValidatorSetLength.selector;
        lib.store(bytes.concat(two, validator(low, 1), validator(high, 1)));
        storeRefuses(
            bytes.concat(two, validator(high, 1), validator(low, 1)),
            abi.encodeWithSelector(order, 1)
        );
        storeRefuses(
            bytes.concat(two, validator(low, 1), validator(low, 1)),
            abi.encodeWithSelector(order, 1)
        );
        storeRefuses(
            bytes.concat(two, validator(address(0), 1), validator(low, 1)),
            abi.encodeWithSelector(order, 0)
        );
        storeRefuses(
            bytes.concat(two, validator(low, 1), validator(high, 0)),
            abi.encodeWithSelector(SetStore.ValidatorSetNoPower.selector, 1)
        );
        storeRefuses(abi.encodePacked(uint16(0)), abi.encodeWithSelector(length, 2));
        storeRefuses("", abi.encodeWithSelector(length, 0));
        bytes memory many = abi.encodePacked(uint16(129));
        for (uint160 i = 1; i <= 129; i++) {
            many = bytes.concat(many, validator(address(i), 1));
        }
        storeRefuses(many, abi.encodeWithSelector(length, many.length));
    }

    /// 3: one validator's signature in two places, twice, or by a stranger.
    function test_03_RefusesASignatureForAnotherPosition() public {
        Set memory set = current;
        bytes memory checkpoint = encode(checkpointAt(200, set, set));
        bytes32 digest = signedOf(checkpoint, 0);
        bytes[] memory signed = new bytes[](4);
        for (uint256 i = 0; i < 4; i++) {
            signed[i] = sign(set.keys[i], digest);
        }
        bytes memory head_ = bytes.concat(checkpoint, abi.encodePacked(uint32(0), uint128(7)));
        refusesSignature(bytes.concat(head_, signed[0], signed[0], signed[2]), 1);
        refusesSignature(bytes.concat(head_, signed[0], signed[0], signed[0]), 1);
        refusesSignature(bytes.concat(head_, signed[1], signed[0], signed[2]), 0);
        refusesSignature(bytes.concat(head_, signed[0], signed[1], sign(77, digest)), 2);
        refusesSignature(bytes.concat(head_, signed[0], signed[1], signed[3]), 2);
        client.update(bytes.concat(head_, signed[0], signed[1], signed[2]));
    }

    /// 3: no signature at all.
    function test_03_RefusesEmptySignatures() public {
        bytes memory checkpoint = encode(checkpointAt(200, current, current));
        refusesAs(
            updateCall(bytes.concat(checkpoint, abi.encodePacked(uint32(0), uint128(0)))),
            ILightClient.LightClientDecisionLength.selector
        );
        bytes memory padding = new bytes(65);
        refusesAs(
            updateCall(bytes.concat(checkpoint, abi.encodePacked(uint32(0), uint128(0)), padding)),
            Certificates.CertificateSignaturesLength.selector
        );
    }

    /// 4: high s, other v, zero r and s.
    function test_04_RefusesSignaturesOfAnotherForm() public {
        Set memory set = current;
        bytes memory checkpoint = encode(checkpointAt(200, set, set));
        bytes memory rest = signatures(signedOf(checkpoint, 0), set, 6);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(set.keys[0], signedOf(checkpoint, 0));
        bytes memory head_ = bytes.concat(checkpoint, abi.encodePacked(uint32(0), uint128(7)));
        uint256 order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;
        bytes32 high = bytes32(order - uint256(s));
        // ecrecover itself accepts this one.
        vm.assertEq(ecrecover(signedOf(checkpoint, 0), 55 - v, r, high), vm.addr(set.keys[0]));
        refusesSignature(bytes.concat(head_, abi.encodePacked(r, high, 55 - v), rest), 0);
        refusesSignature(bytes.concat(head_, abi.encodePacked(r, s, 55 - v), rest), 0);
        for (uint256 other = 0; other < 256; other++) {
            if (other == 27 || other == 28) continue;
            refusesSignature(bytes.concat(head_, abi.encodePacked(r, s, uint8(other)), rest), 0);
        }
        refusesSignature(bytes.concat(head_, abi.encodePacked(bytes32(0), s, v), rest), 0);
        refusesSignature(bytes.concat(head_, abi.encodePacked(r, bytes32(0), v), rest), 0);
        refusesSignature(bytes.concat(head_, abi.encodePacked(bytes32(order), s, v), rest), 0);
        refusesSignature(bytes.concat(head_, new bytes(65), rest), 0);
        client.update(bytes.concat(head_, abi.encodePacked(r, s, v), rest));
    }

    /// 5: every length but the right one.
    function test_05_RefusesTrailingAndMissingBytes() public {
        bytes memory decision = decide(checkpointAt(200, current, current), current, 7);
        for (uint256 length = 0; length < decision.length + 70; length++) {
            if (length == decision.length) continue;
            bytes memory other = new bytes(length);
            for (uint256 i = 0; i < length && i < decision.length; i++) {
                other[i] = decision[i];
            }
            (bool done,) = address(client).call(updateCall(other));
            vm.assertFalse(done);
        }
        vm.assertTrue(client.update(decision));
    }

    /// 6: bits for positions that the set does not have.
    function test_06_RefusesBitsBeyondTheSet() public {
        Set memory set = current;
        bytes memory checkpoint = encode(checkpointAt(200, set, set));
        bytes memory signed = signatures(signedOf(checkpoint, 0), set, 7);
        for (uint256 bit = 4; bit < 128; bit++) {
            uint128 mask = 7 | uint128(1 << bit);
            refuses(
                updateCall(
                    bytes.concat(checkpoint, abi.encodePacked(uint32(0), mask), signed, signed)
                ),
                abi.encodeWithSelector(Certificates.CertificateSigners.selector, mask, 4)
            );
        }
    }

    /// 7: signatures of one set under a checkpoint of another, in all four combinations.
    function test_07_RefusesSignaturesOfAnotherSet() public {
        (Set memory a, Set memory b) = (current, setOf(2, 4));
        refusesSignature(decide(checkpointAt(200, a, a), b, 7), 0);
        bytes4 other = ILightClient.LightClientValidatorSet.selector;
        refusesAs(updateCall(decide(checkpointAt(200, b, b), a, 7)), other);
        refusesAs(updateCall(decide(checkpointAt(200, b, b), b, 7)), other);
        client.update(decide(checkpointAt(200, a, a), a, 7));
    }

    /// Any change of any byte of a decision is refused, by the function that never reverts.
    function testFuzz_OneChangedByteIsRefused(uint256 place, uint8 change) public view {
        bytes memory decision = decided;
        place = clamp(place, 0, decision.length - 1);
        decision[place] ^= bytes1(uint8(clamp(change, 1, 255)));
        vm.assertFalse(client.isCertified(decision));
    }

    function test_TheUnchangedDecisionIsAccepted() public view {
        vm.assertTrue(client.isCertified(decided));
    }

    /// Any bytes at all are refused, by the function that never reverts.
    function testFuzz_AnyBytesAreRefused(bytes memory decision) public view {
        vm.assertFalse(client.isCertified(decision));
    }

    /// The assembly loop and the plain one agree, whatever the signatures.
    function testFuzz_TheLoopIsThatOfItsPlainTwin(uint256 seed, uint128 signers) public {
        Set memory set = nine;
        lib.store(set.encoded);
        uint128 mask = signers & lowest(seed & 0x30 == 0 ? 10 : 9);
        bytes memory signed = signedBy(mask);
        if (seed & 3 == 0 && signed.length != 0) {
            signed[uint256(keccak256(abi.encode(seed))) % signed.length] ^= 0x01;
        } else if (seed & 3 == 1) {
            signed = bytes.concat(signed, hex"00");
        }
        vm.assertTrue(certified(mask, signed) == plainly(set, mask, signed));
    }

    function testFuzz_CheckpointsAreReadAsTheyAreWritten(
        uint64[4] memory numbers,
        bytes32[5] memory words
    ) public view {
        Checkpoint memory c = Checkpoint({
            chainId: numbers[0],
            height: numbers[1],
            timeMs: numbers[2],
            blockHash: words[0],
            stateRoot: words[1],
            logSize: numbers[3],
            logRoot: words[2],
            set: words[3],
            next: words[4]
        });
        vm.assertEq(abi.encode(lib.decode(encode(c))), abi.encode(c));
    }

    function plainly(Set memory set, uint128 signers, bytes memory signed)
        private
        pure
        returns (bool)
    {
        (uint256 power, uint256 offset) = (0, 0);
        for (uint256 i = 0; i < 128; i++) {
            if ((signers >> i) & 1 == 0) continue;
            if (i >= set.keys.length || offset + 65 > signed.length) return false;
            bytes memory one = slice(signed, offset, 65);
            bytes32 s = bytes32(slice(one, 32, 32));
            address signer = ecrecover(DIGEST, uint8(one[64]), bytes32(slice(one, 0, 32)), s);
            if (uint256(s) > (type(uint256).max >> 1) || signer != set.signers[i]) {
                return false;
            }
            power += set.powers[i];
            offset += 65;
        }
        return offset == signed.length && power * 3 > uint256(set.total) * 2;
    }

    /// What these of the nine validators sign.
    function signedBy(uint128 signers) private view returns (bytes memory signed) {
        bytes memory all = nineSigned;
        for (uint256 i = 0; i < 9; i++) {
            if ((signers >> i) & 1 == 1) signed = bytes.concat(signed, slice(all, 65 * i, 65));
        }
    }

    function certified(uint128 signers, bytes memory signed) private view returns (bool) {
        try lib.verify(DIGEST, signers, signed) returns (uint256) {
            return true;
        } catch {
            return false;
        }
    }

    /// The bytes of the first validators of a set.
    function head(Set memory set, uint256 count) private pure returns (bytes memory) {
        return slice(set.encoded, 2, 60 * count);
    }

    function storeRefuses(bytes memory encoded, bytes memory reason) private {
        vm.expectRevert(reason);
        lib.store(encoded);
    }

    function refusesSignature(bytes memory decision, uint256 position) private {
        refuses(
            updateCall(decision),
            abi.encodeWithSelector(Certificates.CertificateSignature.selector, position)
        );
        vm.assertFalse(client.isCertified(decision));
    }
}
