// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

import {Attestations} from "../src/Attestations.sol";
import {IAttestations} from "../src/IAttestations.sol";
import {Base} from "./Base.sol";

/// @notice Attesting in the name of an issuer that signed (EIP-712).
contract DelegationTest is Base {
    uint256 private constant KEY = 0xA11CE;
    uint256 private constant ORDER =
        0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;
    bytes32 private constant DIGEST = keccak256("a file");

    function test_AttestsInTheNameOfTheSigner() public {
        IAttestations.Delegation memory delegation = signed(false, one(DIGEST), 0);
        vm.expectEmit(address(book));
        emit IAttestations.Attested(FILE, issuer(), SHA2_256, one(DIGEST));
        vm.prank(STRANGER);
        bytes32 id = book.attestByDelegation(FILE, SHA2_256, one(DIGEST), delegation);
        vm.assertEq(id, book.idOf(issuer(), FILE, SHA2_256, one(DIGEST)));
        vm.assertEq(book.attestedAt(id), NOW);
        vm.assertTrue(book.isNonceUsed(issuer(), 0));
        vm.assertFalse(book.isNonceUsed(issuer(), 1));
        vm.assertFalse(book.isNonceUsed(STRANGER, 0));
    }

    function test_AttestsABatchInTheNameOfTheSigner() public {
        bytes32[] memory words = digests(100);
        IAttestations.Delegation memory delegation = signed(true, words, 0);
        vm.expectEmit(address(book));
        emit IAttestations.Attested(FILE, issuer(), SHA2_256, words);
        vm.prank(STRANGER);
        book.attestBatchByDelegation(FILE, SHA2_256, words, delegation);
        vm.assertTrue(book.isNonceUsed(issuer(), 0));
    }

    function test_DigestIsThatOfEip712() public view {
        bytes32 kind = keccak256(
            "AttestBatch(address issuer,bytes32 schema,uint32 algorithm,bytes32[] words,uint256 nonce,uint64 deadline)"
        );
        bytes32[] memory words = digests(2);
        bytes32 packed = keccak256(abi.encodePacked(words[0], words[1]));
        bytes32 content =
            keccak256(abi.encode(kind, issuer(), FILE, SHA2_256, packed, uint256(3), uint64(NOW)));
        bytes32 domain = keccak256(
            abi.encode(
                keccak256(
                    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
                ),
                keccak256("TBSI Attestations"),
                keccak256("1"),
                CHAIN,
                address(book)
            )
        );
        vm.assertEq(
            book.delegationDigest(true, FILE, SHA2_256, words, issuer(), 3, uint64(NOW)),
            keccak256(abi.encodePacked(hex"1901", domain, content))
        );
    }

    function test_DomainIsReadable() public view {
        (
            bytes1 fields,
            string memory name,
            string memory version,
            uint256 chainId,
            address verifyingContract,
            bytes32 salt,
            uint256[] memory extensions
        ) = book.eip712Domain();
        vm.assertEq(uint8(fields), 0x0f);
        vm.assertEq(name, "TBSI Attestations");
        vm.assertEq(version, "1");
        vm.assertEq(chainId, CHAIN);
        vm.assertEq(verifyingContract, address(book));
        vm.assertEq(salt, 0);
        vm.assertEq(extensions.length, 0);
    }

    function test_RefusesAfterTheDeadline() public {
        IAttestations.Delegation memory delegation = signed(false, one(DIGEST), 0);
        vm.warp(delegation.deadline + 1);
        vm.expectRevert(
            abi.encodeWithSelector(
                IAttestations.AttestationsDeadlinePassed.selector,
                delegation.deadline,
                delegation.deadline + 1
            )
        );
        book.attestByDelegation(FILE, SHA2_256, one(DIGEST), delegation);
        vm.warp(delegation.deadline);
        book.attestByDelegation(FILE, SHA2_256, one(DIGEST), delegation);
    }

    /// One that is withheld keeps no other from being sent.
    function test_NoncesHaveNoOrderAndAreUsedOnce() public {
        uint256[4] memory nonces = [uint256(1), 0, type(uint256).max, 256];
        for (uint256 i = 0; i < nonces.length; i++) {
            IAttestations.Delegation memory given = signed(i % 2 == 1, one(DIGEST), nonces[i]);
            attestsWith(given, i % 2 == 1);
            refusesNonce(nonces[i]);
            attestsWith(given, i % 2 == 1);
        }
        // One sequence for all that an issuer signs.
        IAttestations.Delegation memory again = signed(false, one(DIGEST), 0);
        refusesNonce(0);
        attestsWith(again, false);
        vm.assertFalse(book.isNonceUsed(issuer(), 2));
    }

    function test_AnIssuerCancels() public {
        IAttestations.Delegation memory given = signed(false, one(DIGEST), 7);
        vm.expectEmit(address(book));
        emit IAttestations.DelegationCancelled(issuer(), 7);
        vm.prank(issuer());
        book.cancelDelegation(7);
        refusesNonce(7);
        attestsWith(given, false);
        refusesNonce(7);
        vm.prank(issuer());
        book.cancelDelegation(7);
        // Of its own alone.
        vm.prank(STRANGER);
        book.cancelDelegation(8);
        attestsWith(signed(false, one(DIGEST), 8), false);
    }

    /// Who has no account of its own on the chain cancels and revokes by its signature.
    function test_AnIssuerCancelsAndRevokesByDelegation() public {
        attestsWith(signed(false, one(DIGEST), 0), false);
        bytes32 id = book.idOf(issuer(), FILE, SHA2_256, one(DIGEST));
        bytes32 kind = keccak256(
            "Revoke(address issuer,bytes32 id,uint16 reason,uint256 nonce,uint64 deadline)"
        );
        uint64 deadline = uint64(NOW + 60);
        IAttestations.Delegation memory given =
            typed(keccak256(abi.encode(kind, issuer(), id, uint16(3), uint256(1), deadline)), 1);
        bytes memory call = abi.encodeCall(book.revokeByDelegation, (id, 4, given));
        (bool done,) = send(STRANGER, call);
        vm.assertFalse(done);
        vm.expectEmit(address(book));
        emit IAttestations.Revoked(id, issuer(), 3);
        vm.prank(STRANGER);
        book.revokeByDelegation(id, 3, given);
        vm.assertTrue(book.isRevoked(id, issuer()));
        kind = keccak256("Cancel(address issuer,uint256 nonce,uint64 deadline)");
        given = typed(keccak256(abi.encode(kind, issuer(), uint256(9), deadline)), 9);
        vm.expectEmit(address(book));
        emit IAttestations.DelegationCancelled(issuer(), 9);
        vm.prank(STRANGER);
        book.cancelByDelegation(given);
        given = signed(true, one(DIGEST), 9);
        refusesNonce(9);
        attestsWith(given, true);
    }

    function typed(bytes32 content, uint256 nonce)
        private
        pure
        returns (IAttestations.Delegation memory)
    {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256(
                    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
                ),
                keccak256("TBSI Attestations"),
                keccak256("1"),
                CHAIN,
                address(book)
            )
        );
        bytes32 digest = keccak256(abi.encodePacked(hex"1901", domain, content));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(KEY, digest);
        return IAttestations.Delegation(issuer(), nonce, uint64(NOW + 60), v, r, s);
    }

    function attestsWith(IAttestations.Delegation memory given, bool batch) private {
        if (batch) book.attestBatchByDelegation(FILE, SHA2_256, one(DIGEST), given);
        else book.attestByDelegation(FILE, SHA2_256, one(DIGEST), given);
    }

    function test_RefusesAClaimedNonce() public {
        // The nonce is signed: a sender cannot set another one.
        IAttestations.Delegation memory delegation = signed(false, one(DIGEST), 1);
        delegation.nonce = 0;
        refusesSigner(false, one(DIGEST), delegation);
    }

    function test_RefusesHighS() public {
        IAttestations.Delegation memory delegation = signed(false, one(DIGEST), 0);
        delegation.s = bytes32(ORDER - uint256(delegation.s));
        delegation.v = delegation.v == 27 ? 28 : 27;
        vm.expectRevert(abi.encodeWithSelector(ECDSA.ECDSAInvalidSignatureS.selector, delegation.s));
        book.attestByDelegation(FILE, SHA2_256, one(DIGEST), delegation);
    }

    function test_RefusesWhatIsNoSignature() public {
        IAttestations.Delegation memory delegation = signed(false, one(DIGEST), 0);
        delegation.v = 29;
        vm.expectRevert(abi.encodeWithSelector(ECDSA.ECDSAInvalidSignature.selector));
        book.attestByDelegation(FILE, SHA2_256, one(DIGEST), delegation);
        // A failed ecrecover gives the zero address, which must not be taken for an issuer.
        (delegation.issuer, delegation.r) = (address(0), 0);
        vm.expectRevert(abi.encodeWithSelector(ECDSA.ECDSAInvalidSignature.selector));
        book.attestByDelegation(FILE, SHA2_256, one(DIGEST), delegation);
    }

    function test_RefusesAnotherChain() public {
        IAttestations.Delegation memory delegation = signed(false, one(DIGEST), 0);
        vm.chainId(CHAIN + 1);
        refusesSigner(false, one(DIGEST), delegation);
    }

    function test_RefusesAnotherContract() public {
        IAttestations.Delegation memory delegation = signed(false, one(DIGEST), 0);
        Attestations other = Attestations(address(0x1002));
        vm.etch(address(other), type(Attestations).runtimeCode);
        bytes32 digest = other.delegationDigest(
            false, FILE, SHA2_256, one(DIGEST), issuer(), 0, delegation.deadline
        );
        address signer = ecrecover(digest, delegation.v, delegation.r, delegation.s);
        vm.expectRevert(
            abi.encodeWithSelector(
                IAttestations.AttestationsSignerNotIssuer.selector, issuer(), signer
            )
        );
        other.attestByDelegation(FILE, SHA2_256, one(DIGEST), delegation);
    }

    function test_RefusesTheOtherType() public {
        refusesSigner(true, one(DIGEST), signed(false, one(DIGEST), 0));
        refusesSigner(false, one(DIGEST), signed(true, one(DIGEST), 0));
    }

    function test_RefusesOtherArguments() public {
        IAttestations.Delegation memory delegation = signed(false, one(DIGEST), 0);
        refusesSigner(false, one(FILE), delegation);
        delegation.deadline += 1;
        refusesSigner(false, one(DIGEST), delegation);
        delegation.deadline -= 1;
        delegation.issuer = STRANGER;
        refusesSigner(false, one(DIGEST), delegation);
    }

    function test_ChecksWhatAttestChecks() public {
        IAttestations.Delegation memory none = signed(true, digests(0), 0);
        vm.expectRevert(abi.encodeWithSelector(IAttestations.AttestationsEmptyBatch.selector));
        book.attestBatchByDelegation(FILE, SHA2_256, digests(0), none);
        IAttestations.Delegation memory more = signed(false, digests(2), 0);
        vm.expectRevert(abi.encodeWithSelector(IAttestations.AttestationsWordCount.selector, 1, 2));
        book.attestByDelegation(FILE, SHA2_256, digests(2), more);
        setAlgorithm(SHA2_256, 256, DEPRECATED);
        IAttestations.Delegation memory good = signed(false, one(DIGEST), 0);
        refusesStatus(SHA2_256, IAttestations.Status.Deprecated);
        book.attestByDelegation(FILE, SHA2_256, one(DIGEST), good);
        // A refused call uses no nonce.
        vm.assertFalse(book.isNonceUsed(issuer(), 0));
    }

    function test_RefusesSurplusCalldata() public {
        refusesSurplus(
            STRANGER,
            abi.encodeCall(
                book.attestByDelegation,
                (FILE, SHA2_256, one(DIGEST), signed(false, one(DIGEST), 0))
            )
        );
        uint64 deadline = uint64(NOW + 60);
        bytes32 kind = keccak256("Cancel(address issuer,uint256 nonce,uint64 deadline)");
        IAttestations.Delegation memory cancelling =
            typed(keccak256(abi.encode(kind, issuer(), uint256(9), deadline)), 9);
        refusesSurplus(STRANGER, abi.encodeCall(book.cancelByDelegation, (cancelling)));
        refusesSurplus(issuer(), abi.encodeCall(book.cancelDelegation, (10)));
        refusesSurplus(
            STRANGER,
            abi.encodeCall(
                book.attestBatchByDelegation,
                (FILE, SHA2_256, digests(3), signed(true, digests(3), 1))
            )
        );
    }

    function testFuzz_AnySingleBitFlipIsRefused(uint256 key, bytes32 word, uint256 position)
        public
    {
        key = clamp(key, 1, ORDER - 1);
        IAttestations.Delegation memory delegation = signedBy(key, false, one(word), 0);
        position = clamp(position, 0, 767);
        bytes32 mask = bytes32(uint256(1) << (position % 256));
        if (position < 256) delegation.r ^= mask;
        else if (position < 512) delegation.s ^= mask;
        else word ^= mask;
        (bool done,) = send(
            STRANGER,
            abi.encodeCall(book.attestByDelegation, (FILE, SHA2_256, one(word), delegation))
        );
        vm.assertFalse(done);
        vm.assertFalse(book.isNonceUsed(vm.addr(key), 0));
    }

    function testFuzz_AnyKeyCanDelegate(uint256 key, bytes32[] memory words) public {
        vm.assume(words.length > 0);
        key = clamp(key, 1, ORDER - 1);
        IAttestations.Delegation memory delegation = signedBy(key, true, words, 0);
        book.attestBatchByDelegation(FILE, SHA2_256, words, delegation);
        vm.assertTrue(book.isNonceUsed(vm.addr(key), 0));
    }

    function issuer() private pure returns (address) {
        return vm.addr(KEY);
    }

    function signed(bool batch, bytes32[] memory words, uint256 nonce)
        private
        view
        returns (IAttestations.Delegation memory)
    {
        return signedBy(KEY, batch, words, nonce);
    }

    function signedBy(uint256 key, bool batch, bytes32[] memory words, uint256 nonce)
        private
        view
        returns (IAttestations.Delegation memory)
    {
        uint64 deadline = uint64(NOW + 60);
        address signer = vm.addr(key);
        bytes32 digest =
            book.delegationDigest(batch, FILE, SHA2_256, words, signer, nonce, deadline);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return IAttestations.Delegation(signer, nonce, deadline, v, r, s);
    }

    function refusesNonce(uint256 nonce) private {
        vm.expectRevert(
            abi.encodeWithSelector(IAttestations.AttestationsNonceUsed.selector, issuer(), nonce)
        );
    }

    /// The signature is one of other content, so that another address comes out.
    function refusesSigner(
        bool batch,
        bytes32[] memory words,
        IAttestations.Delegation memory delegation
    ) private {
        bytes32 digest = book.delegationDigest(
            batch, FILE, SHA2_256, words, delegation.issuer, delegation.nonce, delegation.deadline
        );
        address signer = ecrecover(digest, delegation.v, delegation.r, delegation.s);
        vm.expectRevert(
            abi.encodeWithSelector(
                IAttestations.AttestationsSignerNotIssuer.selector, delegation.issuer, signer
            )
        );
        if (batch) book.attestBatchByDelegation(FILE, SHA2_256, words, delegation);
        else book.attestByDelegation(FILE, SHA2_256, words, delegation);
    }
}
