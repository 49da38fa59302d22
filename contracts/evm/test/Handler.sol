// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAttestations} from "../src/IAttestations.sol";
import {Actions} from "./Base.sol";

/// @notice Does random things to the contract and remembers what must never change afterwards.
/// Few accounts and digests, so that they meet often; calls may be refused.
contract Handler is Actions {
    uint256 public constant ACTORS = 4;
    uint256 public constant DIGESTS = 4;
    uint256 private constant KEY = 0x5EED;

    /// Time and reason of the first revocation, by id and issuer.
    mapping(bytes32 id => mapping(address issuer => IAttestations.Revocation)) public revocations;
    /// Time of the first `attest`, by id.
    mapping(bytes32 id => uint256) public times;
    /// First successor, by id and issuer.
    mapping(bytes32 id => mapping(address issuer => bytes32)) public successors;
    /// What was opened, by id.
    mapping(bytes32 id => IAttestations.Countersigning) internal opened;
    /// Delegations that were accepted, by issuer.
    /// Whether a nonce that was used was taken again.
    bool public reused;
    uint256[] public nonces;
    address[] public issuers;
    /// Length of every algorithm that was ever in the table.
    mapping(uint32 algorithm => uint16) public bits;
    uint32[] public codes;
    /// How many calls of each function the contract accepted.
    mapping(bytes4 selector => uint256) public accepted;

    address[] private actors;
    bytes32[] private ids;

    constructor() {
        for (uint256 by = 0; by < ACTORS; by++) {
            actors.push(vm.addr(KEY + by));
            for (uint256 which = 0; which < DIGESTS; which++) {
                ids.push(book.idOf(actors[by], FILE, SHA2_256, one(digest(which))));
            }
        }
        uint32[] memory builtIn = book.algorithmCodes();
        for (uint256 i = 0; i < builtIn.length; i++) {
            remember(builtIn[i]);
        }
    }

    function attest(uint256 by, uint256 which) external {
        bytes32 id = idOf(by, which);
        bytes memory data = abi.encodeCall(book.attest, (FILE, SHA2_256, one(digest(which))));
        if (succeeds(actor(by), data) && times[id] == 0) times[id] = block.timestamp;
    }

    function attestBatch(uint256 by, uint256 count) external {
        bytes32[] memory words = new bytes32[](clamp(count, 1, DIGESTS));
        for (uint256 i = 0; i < words.length; i++) {
            words[i] = digest(i);
        }
        succeeds(actor(by), abi.encodeCall(book.attestBatch, (FILE, SHA2_256, words)));
    }

    function attestByDelegation(uint256 by, uint256 which, uint256 nonce, bool replay) external {
        address issuer = actor(by);
        // In no order; a small one is used before long.
        nonce = replay ? nonce % 4 : uint256(keccak256(abi.encode(nonce)));
        uint64 deadline = uint64(block.timestamp + 1);
        bytes32[] memory words = one(digest(which));
        bytes32 signed =
            book.delegationDigest(false, FILE, SHA2_256, words, issuer, nonce, deadline);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(KEY + by % ACTORS, signed);
        IAttestations.Delegation memory delegation =
            IAttestations.Delegation(issuer, nonce, deadline, v, r, s);
        bytes32 id = idOf(by, which);
        bytes memory data =
            abi.encodeCall(book.attestByDelegation, (FILE, SHA2_256, words, delegation));
        bool used = book.isNonceUsed(issuer, nonce);
        if (succeeds(STRANGER, data)) {
            reused = reused || used;
            nonces.push(nonce);
            issuers.push(issuer);
            if (times[id] == 0) times[id] = block.timestamp;
        }
    }

    function cancel(uint256 by, uint256 nonce) external {
        address issuer = actor(by);
        bool used = book.isNonceUsed(issuer, nonce % 4);
        if (!succeeds(issuer, abi.encodeCall(book.cancelDelegation, (nonce % 4)))) return;
        reused = reused || used;
        nonces.push(nonce % 4);
        issuers.push(issuer);
    }

    function usedNonces() external view returns (uint256) {
        return nonces.length;
    }

    function revoke(uint256 by, uint256 whose, uint256 which, uint16 reason) external {
        bytes32 id = idOf(whose, which);
        reason = uint16(clamp(reason, 0, 9));
        if (succeeds(actor(by), abi.encodeCall(book.revoke, (id, reason)))) {
            revocations[id][actor(by)] = IAttestations.Revocation(uint64(block.timestamp), reason);
        }
    }

    function supersede(uint256 by, uint256 which, uint256 other) external {
        (bytes32 id, bytes32 successor) = (idOf(by, which), idOf(by, other));
        if (succeeds(actor(by), abi.encodeCall(book.supersede, (id, successor)))) {
            successors[id][actor(by)] = successor;
        }
    }

    function open(uint256 by, uint256 which, uint256 count, uint16 threshold, uint64 period)
        external
    {
        bytes32 id = idOf(by, which);
        address[] memory parties = sortedActors(clamp(count, 1, ACTORS));
        threshold = uint16(clamp(threshold, 0, ACTORS + 1));
        uint64 deadline = uint64(block.timestamp + clamp(period, 0, 10_000));
        bytes memory data =
            abi.encodeCall(book.openCountersigning, (id, parties, threshold, deadline));
        if (succeeds(actor(by), data)) opened[id] = book.countersigningOf(id);
    }

    function countersign(uint256 by, uint256 whose, uint256 which) external {
        succeeds(actor(by), abi.encodeCall(book.countersign, (idOf(whose, which))));
    }

    function setAlgorithm(uint256 which, uint16 length, uint8 status, bool governor) external {
        // SHA-256 stays usable, or the other calls would all be refused.
        uint32 code = which % 3 == 0 ? uint32(0x300000 + which % 5) : codes[which % codes.length];
        if (code == SHA2_256) return;
        uint16[4] memory lengths = [bits[code], 224, 384, length];
        address sender = governor ? GOVERNOR : actor(which);
        bytes memory data = abi.encodeCall(
            book.setAlgorithm, (code, lengths[length % 4], status % 5, uint64(which))
        );
        if (succeeds(sender, data) && bits[code] == 0) remember(code);
    }

    function wait(uint256 time) external {
        vm.warp(block.timestamp + clamp(time, 1, 1000));
    }

    function openedOf(bytes32 id) external view returns (IAttestations.Countersigning memory) {
        return opened[id];
    }

    function codeCount() external view returns (uint256) {
        return codes.length;
    }

    function actor(uint256 which) public view returns (address) {
        return actors[which % ACTORS];
    }

    function digest(uint256 which) public pure returns (bytes32) {
        return keccak256(abi.encode("a file", which % DIGESTS));
    }

    /// Id of the attestation of a digest by an actor.
    function idOf(uint256 by, uint256 which) public view returns (bytes32) {
        return ids[(by % ACTORS) * DIGESTS + which % DIGESTS];
    }

    function remember(uint32 code) private {
        codes.push(code);
        (bits[code],) = book.algorithmOf(code);
    }

    function succeeds(address sender, bytes memory data) private returns (bool done) {
        (done,) = send(sender, data);
        if (done) accepted[bytes4(data)]++;
    }

    function sortedActors(uint256 count) private view returns (address[] memory list) {
        list = new address[](count);
        for (uint256 i = 0; i < count; i++) {
            uint256 j = i;
            for (; j > 0 && list[j - 1] > actor(i); j--) {
                list[j] = list[j - 1];
            }
            list[j] = actor(i);
        }
    }
}
