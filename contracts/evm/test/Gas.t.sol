// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAttestations} from "../src/IAttestations.sol";
import {Base} from "./Base.sol";

/// @notice Gas of whole transactions, kept in snapshots/Attestations.json. Digests have no zero
/// bytes, which is the dearest case.
contract GasTest is Base {
    /// EIP-7825: gas of one transaction.
    uint256 private constant TRANSACTION_GAS_MAX = 16_777_216;
    uint256 private constant KEY = 0xA11CE;
    bytes32 private constant DIGEST = bytes32(type(uint256).max);

    function test_Attest() public {
        bytes memory data = abi.encodeCall(book.attest, (FILE, SHA2_256, one(DIGEST)));
        measure("attest", ISSUER, data);
    }

    function test_AttestByDelegation() public {
        bytes memory data = abi.encodeCall(
            book.attestByDelegation, (FILE, SHA2_256, one(DIGEST), signed(false, one(DIGEST)))
        );
        measure("attestByDelegation", STRANGER, data);
    }

    function test_Batches() public {
        batch("attestBatch, 1 sha2-256", SHA2_256, digests(1));
        batch("attestBatch, 1000 sha2-256", SHA2_256, digests(1000));
    }

    function test_TenThousandDigestsFitIntoATransaction() public {
        batch("attestBatch, 10000 sha2-256", SHA2_256, digests(10_000));
    }

    function test_TheLongestBatchFitsIntoATransaction() public {
        uint256 max = book.BATCH_WORDS_MAX();
        vm.assertEq(max, 13_000);
        batch("attestBatch, 13000 sha2-256", SHA2_256, digests(max));
        // The limit is what the gas cap allows, rounded down.
        vm.assertLe(floorOf(13_088), TRANSACTION_GAS_MAX);
        vm.assertGt(floorOf(13_089), TRANSACTION_GAS_MAX);
    }

    function test_TheLongestBatchOfTwoWordDigestsFits() public {
        bytes32[] memory words = digests(13_000);
        batch("attestBatch, 6500 sha2-512", SHA2_512, words);
    }

    function test_TheLongestBatchWithPaddingFits() public {
        bytes32[] memory words = digests(13_000);
        for (uint256 i = 1; i < words.length; i += 2) {
            words[i] &= ~bytes32(uint256(type(uint128).max));
        }
        batch("attestBatch, 6500 sha2-384", SHA2_384, words);
    }

    function test_TheLongestDelegatedBatchFits() public {
        bytes32[] memory words = digests(13_000);
        bytes memory data = abi.encodeCall(
            book.attestBatchByDelegation, (FILE, SHA2_256, words, signed(true, words))
        );
        measure("attestBatchByDelegation, 13000 sha2-256", STRANGER, data);
    }

    function test_RegisterSchema() public {
        measure("registerSchema", ISSUER, abi.encodeCall(book.registerSchema, (DIGEST, 1, true)));
    }

    function test_Revoke() public {
        measure("revoke", ISSUER, abi.encodeCall(book.revoke, (DIGEST, 1)));
    }

    function test_Supersede() public {
        measure("supersede", ISSUER, abi.encodeCall(book.supersede, (DIGEST, FILE)));
    }

    function test_CountersigningOfThree() public {
        countersigning("3", 3);
    }

    function test_CountersigningOfSixtyFour() public {
        countersigning("64", 64);
    }

    function countersigning(string memory name, uint256 count) private {
        bytes32 id = attested(DIGEST);
        address[] memory parties = new address[](count);
        for (uint256 i = 0; i < count; i++) {
            parties[i] = address(uint160(type(uint160).max - 1000 + i));
        }
        bytes memory data =
            abi.encodeCall(book.openCountersigning, (id, parties, uint16(count), uint64(NOW + 1)));
        measure(string.concat("openCountersigning, ", name, " parties"), ISSUER, data);
        measure(
            string.concat("countersign, last of ", name, " parties"),
            parties[count - 1],
            abi.encodeCall(book.countersign, (id))
        );
    }

    function batch(string memory name, uint32 algorithm, bytes32[] memory words) private {
        measure(name, ISSUER, abi.encodeCall(book.attestBatch, (FILE, algorithm, words)));
    }

    /// Sends the call and records what its transaction costs.
    function measure(string memory name, address sender, bytes memory data) private {
        vm.cool(address(book));
        (bool done,) = send(sender, data);
        uint256 execution = vm.lastCallGas().gasTotalUsed;
        vm.assertTrue(done, name);
        // EIP-7623: 4 gas a token and the execution, or 10 gas a token, whichever is more.
        uint256 standard = 4 * tokens(data) + execution;
        uint256 floor = 10 * tokens(data);
        uint256 total = 21_000 + (standard > floor ? standard : floor);
        vm.assertLe(total, TRANSACTION_GAS_MAX, name);
        vm.snapshotValue("Attestations", name, total);
    }

    /// Least gas of a transaction with a batch.
    function floorOf(uint256 count) private pure returns (uint256) {
        bytes memory data = abi.encodeCall(book.attestBatch, (FILE, SHA2_256, digests(count)));
        return 21_000 + 10 * tokens(data);
    }

    /// EIP-7623: a zero byte is one token, another byte four.
    function tokens(bytes memory data) private pure returns (uint256 sum) {
        for (uint256 i = 0; i < data.length; i++) {
            sum += data[i] == 0 ? 1 : 4;
        }
    }

    function signed(bool isBatch, bytes32[] memory words)
        private
        view
        returns (IAttestations.Delegation memory)
    {
        uint64 deadline = uint64(NOW + 60);
        address issuer = vm.addr(KEY);
        bytes32 digest = book.delegationDigest(isBatch, FILE, SHA2_256, words, issuer, 0, deadline);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(KEY, digest);
        return IAttestations.Delegation(issuer, 0, deadline, v, r, s);
    }
}
