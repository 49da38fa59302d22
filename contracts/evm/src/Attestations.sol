// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC5267} from "@openzeppelin/contracts/interfaces/IERC5267.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

import {Algorithms} from "./Algorithms.sol";
import {Countersignings} from "./Countersignings.sol";
import {Delegations} from "./Delegations.sol";
import {Domains} from "./Domains.sol";
import {IAttestations} from "./IAttestations.sol";
import {Schemas} from "./Schemas.sol";

/// @title The attestation contract at 0x0000000000000000000000000000000000001001.
/// @dev Placed in the genesis state as code alone: no constructor, no immutables, no storage.
/// Whatever must hold from block 0 (algorithms, built-in schemas, governor) is in the code.
/// There are no external calls but the ecrecover precompile, no value, no upgrade.
contract Attestations is IAttestations, IERC5267 {
    /// @notice Who may change the algorithm table: the governance contract's address.
    address public constant GOVERNOR = Schemas.GOVERNOR;
    /// @notice Built-in schema for the exact bytes of a file.
    bytes32 public constant FILE_SCHEMA = Schemas.FILE;
    /// @notice Built-in schema for salt and bytes of a file.
    bytes32 public constant SALTED_FILE_SCHEMA = Schemas.SALTED_FILE;
    /// @notice First word of an attestation id's preimage.
    bytes32 public constant ATTESTATION_TAG = keccak256("TBSI attestation v1");
    /// @notice First word of a schema id's preimage.
    bytes32 public constant SCHEMA_TAG = Schemas.TAG;

    /// @notice Words in one batch: as many as always fit under EIP-7825's cap of 2^24 gas a
    /// transaction, at EIP-7623's 40 gas for a byte that is not zero.
    uint256 public constant BATCH_WORDS_MAX = 13_000;
    /// @notice Parties of one countersigning; one bit each in `Countersigning.signed`.
    uint256 public constant PARTIES_MAX = Countersignings.PARTIES_MAX;
    /// @notice Highest reason code of a revocation.
    uint16 public constant REASON_MAX = uint16(type(Reason).max);
    /// @notice Codes in the algorithm table, built-in ones included.
    uint256 public constant ALGORITHMS_MAX = Algorithms.ENTRIES_MAX;
    /// @notice Shortest digest, in bits.
    uint16 public constant DIGEST_BITS_MIN = Algorithms.BITS_MIN;
    /// @notice Longest digest, in bits.
    uint16 public constant DIGEST_BITS_MAX = Algorithms.BITS_MAX;

    /// 32-byte words of a `Delegation` in calldata.
    uint256 private constant _DELEGATION_WORDS = 6;

    /// First `attest` of an id.
    struct Attestation {
        address issuer;
        uint64 time;
    }

    mapping(bytes32 schema => Schema) private _schemas;
    Algorithms.Table private _algorithms;
    mapping(bytes32 id => Attestation) private _attestations;
    mapping(bytes32 id => mapping(address issuer => Revocation)) private _revocations;
    mapping(bytes32 id => mapping(address issuer => bytes32)) private _successors;
    mapping(bytes32 id => Countersigning) private _countersignings;
    /// Used nonces of an issuer, 256 in a word.
    mapping(address issuer => mapping(uint256 place => uint256)) private _nonces;

    /// Refuses calldata that is not selector and `words` words: it could hold anything.
    modifier exactCalldata(uint256 words) {
        uint256 expected = 4 + 32 * words;
        if (msg.data.length != expected) {
            revert AttestationsCalldataLength(expected, msg.data.length);
        }
        _;
    }

    // Attesting

    /// @inheritdoc IAttestations
    function registerSchema(bytes32 textHash, uint8 commitsTo, bool revocable)
        external
        exactCalldata(3)
        returns (bytes32)
    {
        return Schemas.register(_schemas, textHash, commitsTo, revocable);
    }

    /// @inheritdoc IAttestations
    function attest(bytes32 schema, uint32 algorithm, bytes32[] calldata words)
        external
        exactCalldata(4 + words.length)
        returns (bytes32)
    {
        return _attest(msg.sender, schema, algorithm, words);
    }

    /// @inheritdoc IAttestations
    function attestBatch(bytes32 schema, uint32 algorithm, bytes32[] calldata words)
        external
        exactCalldata(4 + words.length)
    {
        _attestBatch(msg.sender, schema, algorithm, words);
    }

    /// @inheritdoc IAttestations
    function attestByDelegation(
        bytes32 schema,
        uint32 algorithm,
        bytes32[] calldata words,
        Delegation calldata delegation
    ) external exactCalldata(4 + _DELEGATION_WORDS + words.length) returns (bytes32) {
        _useDelegation(
            delegation, _digestOf(Delegations.ATTEST, schema, algorithm, words, delegation)
        );
        return _attest(delegation.issuer, schema, algorithm, words);
    }

    /// @inheritdoc IAttestations
    function attestBatchByDelegation(
        bytes32 schema,
        uint32 algorithm,
        bytes32[] calldata words,
        Delegation calldata delegation
    ) external exactCalldata(4 + _DELEGATION_WORDS + words.length) {
        // Before hashing, which costs by the word.
        _requireBatchSize(words.length);
        _useDelegation(
            delegation, _digestOf(Delegations.ATTEST_BATCH, schema, algorithm, words, delegation)
        );
        _attestBatch(delegation.issuer, schema, algorithm, words);
    }

    // What an issuer says of an attestation afterwards

    /// @inheritdoc IAttestations
    function revoke(bytes32 id, uint16 reason) external exactCalldata(2) {
        _revoke(msg.sender, id, reason);
    }

    /// @inheritdoc IAttestations
    function revokeByDelegation(bytes32 id, uint16 reason, Delegation calldata delegation)
        external
        exactCalldata(2 + _DELEGATION_WORDS)
    {
        _useDelegation(delegation, Delegations.revocation(delegation, id, reason));
        _revoke(delegation.issuer, id, reason);
    }

    /// @inheritdoc IAttestations
    function cancelDelegation(uint256 nonce) external exactCalldata(1) {
        _useNonce(msg.sender, nonce);
        emit DelegationCancelled(msg.sender, nonce);
    }

    /// @inheritdoc IAttestations
    function cancelByDelegation(Delegation calldata delegation)
        external
        exactCalldata(_DELEGATION_WORDS)
    {
        _useDelegation(delegation, Delegations.cancellation(delegation));
        emit DelegationCancelled(delegation.issuer, delegation.nonce);
    }

    /// @inheritdoc IAttestations
    function supersede(bytes32 id, bytes32 successor) external exactCalldata(2) {
        bytes32 before = _successors[id][msg.sender];
        if (before != 0) revert AttestationsAlreadySuperseded(id, before);
        // A successor has no successor when it is named, so following them always ends.
        if (successor == 0 || successor == id || _successors[successor][msg.sender] != 0) {
            revert AttestationsSuccessorInvalid(successor);
        }
        _successors[id][msg.sender] = successor;
        emit Superseded(id, msg.sender, successor);
    }

    /// @inheritdoc IAttestations
    function openCountersigning(
        bytes32 id,
        address[] calldata parties,
        uint16 threshold,
        uint64 deadline
    ) external exactCalldata(5 + parties.length) {
        // The issuer alone, or a stranger could occupy the id.
        address issuer = _attestations[id].issuer;
        if (msg.sender != issuer) revert AttestationsNotIssuer(issuer, msg.sender);
        _requireNotRevoked(id, issuer);
        Countersignings.open(_countersignings[id], id, parties, threshold, deadline);
    }

    /// @inheritdoc IAttestations
    function countersign(bytes32 id) external exactCalldata(1) {
        Countersigning storage countersigning = _countersignings[id];
        if (countersigning.threshold == 0) revert AttestationsUnknownCountersigning(id);
        _requireNotRevoked(id, countersigning.issuer);
        Countersignings.sign(countersigning, id);
    }

    // The algorithm table

    /// @inheritdoc IAttestations
    function setAlgorithm(uint32 algorithm, uint16 bits, uint8 status, uint64 until)
        external
        exactCalldata(4)
    {
        if (msg.sender != GOVERNOR) revert AttestationsNotGovernor(GOVERNOR, msg.sender);
        Algorithms.set(_algorithms, algorithm, bits, status, until);
    }

    // Views

    /// @inheritdoc IAttestations
    function idOf(address issuer, bytes32 schema, uint32 algorithm, bytes32[] calldata words)
        public
        view
        returns (bytes32)
    {
        return keccak256(
            abi.encode(ATTESTATION_TAG, block.chainid, issuer, schema, algorithm, words)
        );
    }

    /// @inheritdoc IAttestations
    function standingOf(address issuer, bytes32 schema, uint32 algorithm, bytes32[] calldata words)
        external
        view
        returns (Standing memory standing)
    {
        bytes32 id = idOf(issuer, schema, algorithm, words);
        standing.id = id;
        (, standing.status) = algorithmOf(algorithm);
        standing.attestedAt = _attestations[id].time;
        standing.successor = _successors[id][issuer];
        if (schemaOf(schema).revocable) {
            Revocation storage revocation = _revocations[id][issuer];
            standing.revokedAt = revocation.time;
            standing.reason = revocation.reason;
        }
    }

    /// @inheritdoc IAttestations
    function schemaOf(bytes32 schema) public view returns (Schema memory) {
        return Schemas.get(_schemas, schema);
    }

    /// @inheritdoc IAttestations
    function algorithmOf(uint32 algorithm) public view returns (uint16 bits, Status status) {
        return Algorithms.get(_algorithms, algorithm);
    }

    /// @inheritdoc IAttestations
    function reliedUntil(uint32 algorithm) external view returns (uint64) {
        return _algorithms.entries[algorithm].reliedUntil;
    }

    /// @inheritdoc IAttestations
    function algorithmCodes() external view returns (uint32[] memory) {
        return Algorithms.codes(_algorithms);
    }

    /// @inheritdoc IAttestations
    function attestedAt(bytes32 id) external view returns (uint64) {
        return _attestations[id].time;
    }

    /// @inheritdoc IAttestations
    function isRevoked(bytes32 id, address issuer) external view returns (bool) {
        return _revocations[id][issuer].time != 0;
    }

    /// @inheritdoc IAttestations
    function revocationOf(bytes32 id, address issuer) external view returns (Revocation memory) {
        return _revocations[id][issuer];
    }

    /// @inheritdoc IAttestations
    function successorOf(bytes32 id, address issuer) external view returns (bytes32) {
        return _successors[id][issuer];
    }

    /// @inheritdoc IAttestations
    function countersigningOf(bytes32 id) external view returns (Countersigning memory) {
        return _countersignings[id];
    }

    /// @inheritdoc IAttestations
    function isCountersigned(bytes32 id) external view returns (bool) {
        Countersigning storage countersigning = _countersignings[id];
        uint16 need = countersigning.threshold;
        return need != 0 && countersigning.have >= need;
    }

    /// @inheritdoc IAttestations
    function isNonceUsed(address issuer, uint256 nonce) public view returns (bool) {
        return (_nonces[issuer][nonce >> 8] >> (nonce & 0xff)) & 1 == 1;
    }

    /// @inheritdoc IAttestations
    function delegationDigest(
        bool batch,
        bytes32 schema,
        uint32 algorithm,
        bytes32[] calldata words,
        address issuer,
        uint256 nonce,
        uint64 deadline
    ) external view returns (bytes32) {
        bytes32 kind = batch ? Delegations.ATTEST_BATCH : Delegations.ATTEST;
        return Delegations.digest(kind, issuer, schema, algorithm, words, nonce, deadline);
    }

    /// @inheritdoc IERC5267
    function eip712Domain()
        external
        view
        returns (
            bytes1 fields,
            string memory name,
            string memory version,
            uint256 chainId,
            address verifyingContract,
            bytes32 salt,
            uint256[] memory extensions
        )
    {
        // 0x0f: the first four fields.
        return (
            hex"0f",
            Delegations.NAME,
            Domains.VERSION,
            block.chainid,
            address(this),
            0,
            new uint256[](0)
        );
    }

    // Helpers

    function _attest(address issuer, bytes32 schema, uint32 algorithm, bytes32[] calldata words)
        private
        returns (bytes32 id)
    {
        uint256 wordsPerDigest = _requireAttestable(schema, algorithm, words);
        if (words.length != wordsPerDigest) {
            revert AttestationsWordCount(wordsPerDigest, words.length);
        }
        id = idOf(issuer, schema, algorithm, words);
        _requireNotRevoked(id, issuer);
        if (_attestations[id].time == 0) {
            _attestations[id] = Attestation(issuer, uint64(block.timestamp));
        }
        emit Attested(schema, issuer, algorithm, words);
    }

    function _attestBatch(
        address issuer,
        bytes32 schema,
        uint32 algorithm,
        bytes32[] calldata words
    ) private {
        _requireBatchSize(words.length);
        _requireAttestable(schema, algorithm, words);
        emit Attested(schema, issuer, algorithm, words);
    }

    function _revoke(address issuer, bytes32 id, uint16 reason) private {
        if (reason == 0 || reason > REASON_MAX) {
            revert AttestationsReasonOutOfRange(REASON_MAX, reason);
        }
        _requireNotRevoked(id, issuer);
        _revocations[id][issuer] = Revocation(uint64(block.timestamp), reason);
        emit Revoked(id, issuer, reason);
    }

    /// Checks deadline, signature and nonce, and uses the nonce up.
    function _useDelegation(Delegation calldata delegation, bytes32 digest) private {
        (address issuer, uint64 deadline) = (delegation.issuer, delegation.deadline);
        if (block.timestamp > deadline) {
            revert AttestationsDeadlinePassed(deadline, block.timestamp);
        }
        // Refuses high s.
        address signer = ECDSA.recover(digest, delegation.v, delegation.r, delegation.s);
        if (signer != issuer) revert AttestationsSignerNotIssuer(issuer, signer);
        _useNonce(issuer, delegation.nonce);
    }

    function _useNonce(address issuer, uint256 nonce) private {
        if (isNonceUsed(issuer, nonce)) revert AttestationsNonceUsed(issuer, nonce);
        _nonces[issuer][nonce >> 8] |= 1 << (nonce & 0xff);
    }

    function _digestOf(
        bytes32 kind,
        bytes32 schema,
        uint32 algorithm,
        bytes32[] calldata words,
        Delegation calldata delegation
    ) private view returns (bytes32) {
        (address issuer, uint64 deadline) = (delegation.issuer, delegation.deadline);
        return
            Delegations.digest(kind, issuer, schema, algorithm, words, delegation.nonce, deadline);
    }

    function _requireBatchSize(uint256 words) private pure {
        if (words == 0) revert AttestationsEmptyBatch();
        if (words > BATCH_WORDS_MAX) revert AttestationsBatchTooLong(BATCH_WORDS_MAX, words);
    }

    /// Checks schema, algorithm and the shape of the digests; returns words per digest.
    function _requireAttestable(bytes32 schema, uint32 algorithm, bytes32[] calldata words)
        private
        view
        returns (uint256 wordsPerDigest)
    {
        if (schemaOf(schema).commitsTo == CommitsTo.Nothing) {
            revert AttestationsUnknownSchema(schema);
        }
        (uint16 bits, Status status) = algorithmOf(algorithm);
        if (status == Status.Unknown) revert AttestationsUnknownAlgorithm(algorithm);
        if (status != Status.Active) revert AttestationsAlgorithmNotActive(algorithm, status);
        wordsPerDigest = bits > 256 ? 2 : 1;
        if (words.length % wordsPerDigest != 0) {
            revert AttestationsWordCount(wordsPerDigest, words.length);
        }
        uint256 padding = wordsPerDigest * 256 - bits;
        if (padding == 0) return wordsPerDigest;
        uint256 mask = (1 << padding) - 1;
        for (uint256 i = wordsPerDigest - 1; i < words.length; i += wordsPerDigest) {
            if (uint256(words[i]) & mask != 0) {
                revert AttestationsPaddingNotZero(i / wordsPerDigest);
            }
        }
    }

    function _requireNotRevoked(bytes32 id, address issuer) private view {
        uint64 time = _revocations[id][issuer].time;
        if (time != 0) revert AttestationsAlreadyRevoked(id, time);
    }
}
