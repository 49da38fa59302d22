// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Attestations: who says that which data existed, without the data.
/// @notice Takes digests and numbers only: no function takes bytes or text of free length, and a
/// transaction with more calldata than its function needs is refused. The events are what the
/// attestation log is derived from; storage holds only what later calls have to look up.
/// @dev An attestation is named by `idOf`; the same issuer, schema, algorithm and digest always
/// have the same id, however often they are attested. Times are block timestamps in seconds.
interface IAttestations {
    /// @notice What a digest under a schema commits to. `Nothing` means an unknown schema.
    enum CommitsTo {
        Nothing,
        FileBytes,
        SaltedFileBytes,
        CanonicalJson,
        SaltedCanonicalJson,
        MerkleRoot
    }

    /// @notice Whether digests of an algorithm may be attested (`Active`), or only verified
    /// (`Deprecated`), or count for nothing any more (`Revoked`).
    enum Status {
        Unknown,
        Active,
        Deprecated,
        Revoked
    }

    /// @notice Why an attestation is withdrawn, in the spirit of RFC 5280 §5.3.1.
    enum Reason {
        None,
        Unspecified,
        IssuedInError,
        ContentWithdrawn,
        KeyCompromised,
        Superseded,
        AffiliationChanged,
        CessationOfOperation,
        PrivilegeWithdrawn
    }

    /// @notice A schema: what its digests commit to and where its text is known from.
    /// @param owner Who registered it; the governor for built-in ones.
    /// @param revocable Whether revocations of attestations under it count.
    /// @param textHash SHA-256 of its text, which is kept off the chain.
    struct Schema {
        address owner;
        CommitsTo commitsTo;
        bool revocable;
        bytes32 textHash;
    }

    /// @notice When an issuer withdrew an attestation, in seconds (0: it did not), and why.
    struct Revocation {
        uint64 time;
        uint16 reason;
    }

    /// @notice Consent of an issuer, by EIP-712 signature, to one attestation sent by another.
    /// @param nonce Any number that the issuer has not used or cancelled, in no order.
    /// @param deadline Last second of validity.
    /// @param v 27 or 28; `s` is at most half the group order.
    struct Delegation {
        address issuer;
        uint256 nonce;
        uint64 deadline;
        uint8 v;
        bytes32 r;
        bytes32 s;
    }

    /// @notice Parties that are asked to sign an attestation, and those that did.
    /// @param threshold How many are needed.
    /// @param have How many signed; may pass the threshold, never the number of parties.
    /// @param deadline Last second in which they may sign.
    /// @param signed Bit i, from the lowest, is set if parties[i] signed.
    struct Countersigning {
        address issuer;
        uint16 threshold;
        uint16 have;
        uint64 deadline;
        uint64 signed;
        address[] parties;
    }

    /// @notice All that the contract knows of an attestation, by the rule that verifiers apply.
    /// @param attestedAt First `attest`, in seconds; 0 if it was attested in batches only.
    /// @param revokedAt 0 if not revoked, or if its schema does not allow it.
    struct Standing {
        bytes32 id;
        Status status;
        uint64 attestedAt;
        uint64 revokedAt;
        uint16 reason;
        bytes32 successor;
    }

    /// @notice Digests were attested: `words` are one or two a digest, in order.
    event Attested(
        bytes32 indexed schema, address indexed issuer, uint32 algorithm, bytes32[] words
    );

    /// @notice An account withdrew an attestation. Counts only if `issuer` is the one in the id,
    /// under a revocable schema: this contract cannot see either from an id.
    event Revoked(bytes32 indexed id, address indexed issuer, uint16 reason);

    /// @notice The issuer used a nonce up: what it signed with it counts for nothing any more.
    event DelegationCancelled(address indexed issuer, uint256 nonce);

    /// @notice An account named a successor. Counts only if `issuer` is the one in the id.
    event Superseded(bytes32 indexed id, address indexed issuer, bytes32 indexed successor);

    /// @notice The issuer asked parties to sign its attestation; they are in ascending order.
    event CountersigningOpened(
        bytes32 indexed id,
        address indexed issuer,
        uint16 threshold,
        uint64 deadline,
        address[] parties
    );

    /// @notice A party signed; `have` of `need` signatures are there.
    event Countersigned(bytes32 indexed id, address indexed party, uint16 have, uint16 need);

    /// @notice A schema was registered.
    event SchemaRegistered(
        bytes32 indexed schema,
        address indexed owner,
        bytes32 textHash,
        uint8 commitsTo,
        bool revocable
    );

    /// @notice The governor added an algorithm or changed its status.
    event AlgorithmSet(uint32 indexed algorithm, uint16 bits, uint8 status);

    /// @notice An algorithm is relied upon until another time than before, in seconds; 0 for no
    /// end that is known.
    event AlgorithmDated(uint32 indexed algorithm, uint64 reliedUntil);

    /// @notice Surplus or missing calldata, in bytes. Remedy: encode the arguments canonically.
    error AttestationsCalldataLength(uint256 expected, uint256 got);
    /// @notice Remedy: register the schema, or use a built-in one.
    error AttestationsUnknownSchema(bytes32 schema);
    /// @notice The same owner registered the same schema already; use it.
    error AttestationsSchemaExists(bytes32 schema);
    /// @notice Remedy: give the SHA-256 of the schema's text.
    error AttestationsNoTextHash();
    /// @notice Remedy: a value of `CommitsTo` from 1 to `max`.
    error AttestationsCommitsToOutOfRange(uint8 max, uint8 got);
    /// @notice Not in the table. Remedy: an active multihash code of `algorithmCodes`.
    error AttestationsUnknownAlgorithm(uint32 algorithm);
    /// @notice Deprecated or revoked. Remedy: an active algorithm.
    error AttestationsAlgorithmNotActive(uint32 algorithm, Status status);
    /// @notice No digest was given.
    error AttestationsEmptyBatch();
    /// @notice Remedy: split the batch; `max` counts words, a 512-bit digest has two.
    error AttestationsBatchTooLong(uint256 max, uint256 got);
    /// @notice `attest` takes the words of one digest, a batch a multiple of them.
    error AttestationsWordCount(uint256 wordsPerDigest, uint256 got);
    /// @notice Bits after the digest's end are set, in the digest at this position.
    error AttestationsPaddingNotZero(uint256 digest);
    /// @notice Revocation is final: no second one, no new attestation, no countersigning.
    error AttestationsAlreadyRevoked(bytes32 id, uint64 time);
    /// @notice Remedy: a reason from 1 to `max`; 1 is "unspecified".
    error AttestationsReasonOutOfRange(uint16 max, uint16 got);
    /// @notice The caller has named a successor already, and that is final.
    error AttestationsAlreadySuperseded(bytes32 id, bytes32 successor);
    /// @notice The successor is nothing, or the attestation itself, or superseded by the caller.
    error AttestationsSuccessorInvalid(bytes32 successor);
    /// @notice Only its issuer may; zero if the id was not attested by `attest`.
    error AttestationsNotIssuer(address issuer, address got);
    /// @notice Countersigning is opened once for an attestation.
    error AttestationsCountersigningExists(bytes32 id);
    /// @notice The issuer has not opened countersigning for this attestation.
    error AttestationsUnknownCountersigning(bytes32 id);
    /// @notice Remedy: 1 to `max` parties.
    error AttestationsPartiesOutOfRange(uint256 max, uint256 got);
    /// @notice Parties have to be ascending, which excludes duplicates and the zero address.
    error AttestationsPartiesNotAscending(uint256 position);
    /// @notice Remedy: a threshold from 1 to `max`, the number of parties.
    error AttestationsThresholdOutOfRange(uint256 max, uint256 got);
    /// @notice Too late, in seconds. Remedy: a new signature, or a later deadline.
    error AttestationsDeadlinePassed(uint64 deadline, uint256 time);
    /// @notice The account was not asked to sign.
    error AttestationsNotParty(bytes32 id, address got);
    /// @notice The party signed before.
    error AttestationsAlreadyCountersigned(bytes32 id, address party);
    /// @notice The issuer used or cancelled this nonce. Remedy: sign with another one.
    error AttestationsNonceUsed(address issuer, uint256 nonce);
    /// @notice The signature is of another key, or of other arguments, contract or chain.
    error AttestationsSignerNotIssuer(address issuer, address signer);
    /// @notice Only the governor may.
    error AttestationsNotGovernor(address governor, address got);
    /// @notice Codes from 1: 0 is multihash "identity", which is the data itself.
    error AttestationsAlgorithmReserved(uint32 algorithm);
    /// @notice Remedy: a multiple of 8 from `min` to `max`.
    error AttestationsBitsOutOfRange(uint16 min, uint16 max, uint16 got);
    /// @notice The length of a known algorithm never changes.
    error AttestationsBitsFixed(uint32 algorithm, uint16 bits, uint16 got);
    /// @notice Digests of more than 256 bits take two words, others one, and which of these a
    /// code takes is fixed (see `Algorithms.takesTwoWords`): this length does not fit the code.
    error AttestationsWordsFixed(uint32 algorithm, uint16 bits);
    /// @notice Remedy: a value of `Status` from 1 to `max`; nothing leaves the table.
    error AttestationsStatusOutOfRange(uint8 max, uint8 got);
    /// @notice The table is full.
    error AttestationsTooManyAlgorithms(uint256 max);

    /// @notice Registers what digests under a new schema commit to. Anybody may.
    /// @param textHash SHA-256 of the text; not checked, the chain does not know the text.
    /// @param commitsTo A value of `CommitsTo`, not `Nothing`.
    /// @return schema Its id: `keccak256(abi.encode(SCHEMA_TAG, owner, textHash, commitsTo,
    /// revocable))`, the same on every chain.
    function registerSchema(bytes32 textHash, uint8 commitsTo, bool revocable)
        external
        returns (bytes32 schema);

    /// @notice Attests one digest and stores the time of the first attestation.
    /// @param algorithm Multihash code.
    /// @param words The digest, left-aligned: one word up to 256 bits, two above.
    /// @return id As of `idOf`.
    function attest(bytes32 schema, uint32 algorithm, bytes32[] calldata words)
        external
        returns (bytes32 id);

    /// @notice Attests 1 to `BATCH_WORDS_MAX` words of digests; stores nothing.
    /// @dev Does not look at revocations: an id that its issuer revoked stays revoked.
    function attestBatch(bytes32 schema, uint32 algorithm, bytes32[] calldata words) external;

    /// @notice `attest` in the name of the signer of the type `Attest`. Anybody may send it.
    /// @dev Keys only: a contract that issues attestations calls `attest` itself. An issuer
    /// withdraws a signature by `cancelDelegation`.
    function attestByDelegation(
        bytes32 schema,
        uint32 algorithm,
        bytes32[] calldata words,
        Delegation calldata delegation
    ) external returns (bytes32 id);

    /// @notice `attestBatch` in the name of the signer of the type `AttestBatch`.
    function attestBatchByDelegation(
        bytes32 schema,
        uint32 algorithm,
        bytes32[] calldata words,
        Delegation calldata delegation
    ) external;

    /// @notice Withdraws an attestation of the caller, for ever.
    /// @param id Not checked to be attested, nor to be the caller's: who reads the event has to.
    /// @param reason See `Reason`: 1 to `REASON_MAX`.
    function revoke(bytes32 id, uint16 reason) external;

    /// @notice `revoke` in the name of the signer of the type `Revoke`. Anybody may send it.
    function revokeByDelegation(bytes32 id, uint16 reason, Delegation calldata delegation) external;

    /// @notice By an issuer: what it signed with this nonce counts for nothing any more.
    function cancelDelegation(uint256 nonce) external;

    /// @notice `cancelDelegation` of the delegation's nonce in the name of the signer of the type
    /// `Cancel`. Anybody may send it.
    function cancelByDelegation(Delegation calldata delegation) external;

    /// @notice Names the attestation that replaces one of the caller's, once. The replaced one
    /// stays valid unless it is revoked too.
    /// @param id Not checked to be the caller's, like `revoke`.
    /// @param successor Must not itself be superseded by the caller, so there are no circles.
    function supersede(bytes32 id, bytes32 successor) external;

    /// @notice Asks parties to sign an attestation that the caller made with `attest`.
    /// @param parties 1 to `PARTIES_MAX`, ascending.
    /// @param threshold 1 to the number of parties.
    /// @param deadline In seconds, later than this block's time.
    function openCountersigning(
        bytes32 id,
        address[] calldata parties,
        uint16 threshold,
        uint64 deadline
    ) external;

    /// @notice Signs, as a party, what the issuer attested. Cannot be taken back.
    function countersign(bytes32 id) external;

    /// @notice Adds an algorithm or changes the status of one. Governor only.
    /// @param bits Length of a digest; fixed for an algorithm that is in the table.
    /// @param status A value of `Status`, not `Unknown`.
    /// @param reliedUntil Until when digests of it are relied upon, in seconds, or 0: evidence
    /// that rests on it is renewed before. Refuses nothing by itself; `status` does.
    function setAlgorithm(uint32 algorithm, uint16 bits, uint8 status, uint64 reliedUntil) external;

    /// @notice Name of an attestation: `keccak256(abi.encode(ATTESTATION_TAG, chain id, issuer,
    /// schema, algorithm, words))`.
    /// @dev Checks nothing about its arguments.
    function idOf(address issuer, bytes32 schema, uint32 algorithm, bytes32[] calldata words)
        external
        view
        returns (bytes32 id);

    /// @notice What holds of an attestation. A revocation shows only if its schema allows it.
    function standingOf(address issuer, bytes32 schema, uint32 algorithm, bytes32[] calldata words)
        external
        view
        returns (Standing memory);

    /// @notice Schema by id; `commitsTo` is `Nothing` if there is none.
    function schemaOf(bytes32 schema) external view returns (Schema memory);

    /// @notice Length in bits and status of an algorithm; (0, Unknown) if not in the table.
    function algorithmOf(uint32 algorithm) external view returns (uint16 bits, Status status);

    /// @notice Until when an algorithm is relied upon, in seconds; 0 for no end that is known.
    function reliedUntil(uint32 algorithm) external view returns (uint64);

    /// @notice All codes in the table, at most `ALGORITHMS_MAX`.
    function algorithmCodes() external view returns (uint32[] memory);

    /// @notice First time that `attest` was called for an id; 0 if never. Batches do not count.
    function attestedAt(bytes32 id) external view returns (uint64);

    /// @notice Whether an account revoked an id. Whether that counts: see `Revoked`.
    function isRevoked(bytes32 id, address issuer) external view returns (bool);

    /// @notice When and why an account revoked an id.
    function revocationOf(bytes32 id, address issuer) external view returns (Revocation memory);

    /// @notice What an account named as successor of an id; zero if nothing.
    function successorOf(bytes32 id, address issuer) external view returns (bytes32);

    /// @notice Countersigning of an id; no parties if it was not opened.
    function countersigningOf(bytes32 id) external view returns (Countersigning memory);

    /// @notice Whether enough parties signed. Does not say whether the issuer revoked since.
    function isCountersigned(bytes32 id) external view returns (bool);

    /// @notice Whether an issuer used or cancelled a nonce.
    function isNonceUsed(address issuer, uint256 nonce) external view returns (bool);

    /// @notice What an issuer signs for `attestByDelegation` or the batch form (EIP-712).
    /// @param batch Whether the type is `AttestBatch`.
    function delegationDigest(
        bool batch,
        bytes32 schema,
        uint32 algorithm,
        bytes32[] calldata words,
        address issuer,
        uint256 nonce,
        uint64 deadline
    ) external view returns (bytes32);
}
