// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Nodes: machines, their keys, the validator set, and evidence against validators.
/// @notice Numbered from 1. Every node belongs to an organisation. A key belongs to one node,
/// and to none ever again when that node has given it up.
interface INodes {
    /// @notice A node as it is registered.
    /// @param name Unique for ever: lower-case letters, digits, '-' and '.'.
    /// @param endpoint Multiaddr in ASCII, or empty.
    /// @param version Of the software, printable ASCII, or empty.
    /// @param peerKey Ed25519 key of its libp2p identity.
    /// @param validatorX Public key of a validator (secp256k1); both coordinates are zero if the
    /// node is not meant to validate.
    /// @param logKey Ed25519 key for cosignatures of the log; zero if there is none.
    struct Registration {
        string name;
        string endpoint;
        string version;
        bytes32 peerKey;
        bytes32 validatorX;
        bytes32 validatorY;
        bytes32 logKey;
    }

    /// @notice secp256k1: `v` 27 or 28. Ed25519: R, S and `v` 0.
    struct Signature {
        bytes32 r;
        bytes32 s;
        uint8 v;
    }

    /// @notice Proofs of possession; those of keys that are not given are not looked at.
    /// @param deadline Last second of validity, the same in all proofs.
    struct Possession {
        uint64 deadline;
        Signature peer;
        Signature validator;
        Signature log;
    }

    /// @notice A node.
    /// @param retired Out of use for ever.
    /// @param validating In the validator set of the next block.
    /// @param suspended Convicted of equivocation and not reinstated. If it is `validating` all
    /// the same, the set could not do without it yet.
    /// @param odd Whether the y of its validator key is odd.
    /// @param power Voting power; 0 if it was never made a validator, or removed.
    /// @param rotation Number of the handover with which the last rotation of the validator key
    /// took or takes effect.
    /// @param overlapEnd Last second in which the peer key before this one is still admitted.
    /// @param position Place in the list of nodes in use.
    /// @param validator Address of the validator key, or zero.
    /// @param postQuantumKey SHA-256 of its ML-DSA-44 key for the log, or zero.
    struct Node {
        uint32 organisation;
        bool retired;
        bool validating;
        bool suspended;
        bool odd;
        uint64 power;
        uint64 registeredHeight;
        uint32 rotation;
        uint64 overlapEnd;
        uint32 position;
        address validator;
        bytes32 validatorX;
        bytes32 peerKey;
        bytes32 oldPeerKey;
        bytes32 logKey;
        bytes32 postQuantumKey;
        string name;
        string endpoint;
        string version;
    }

    /// @notice A validator key and the heights at which it was in force: 0 if never, `last`
    /// 2^64 - 1 while it is.
    struct ValidatorKey {
        uint32 node;
        uint64 first;
        uint64 last;
    }

    /// @notice A member of the validator set of the next block.
    /// @param publicKey 33 bytes, compressed.
    struct ValidatorView {
        uint32 organisation;
        address validator;
        bytes publicKey;
        uint64 power;
        string nameZhTw;
        string nameEn;
        string node;
    }

    /// @notice A peer to admit.
    /// @param nodeType 1 validator, 2 observer.
    /// @param validator Its address in the set, or zero.
    /// @param logKey With which it cosigns the log, or zero.
    /// @param postQuantumKey SHA-256 of the ML-DSA-44 key with which it cosigns it too, or zero.
    struct PeerView {
        bytes32 peerKey;
        uint32 organisation;
        uint8 nodeType;
        address validator;
        bytes32 logKey;
        bytes32 postQuantumKey;
        string name;
        string endpoint;
    }

    /// @notice Evidence that was accepted. `evidenceHash` is its SHA-256, `kind` 1 for votes and
    /// 2 for proposals; `height` and `round` are those of the offence.
    struct Offence {
        uint32 node;
        uint32 organisation;
        address validator;
        uint64 height;
        uint32 round;
        uint8 kind;
        uint64 recordedHeight;
        bytes32 evidenceHash;
    }

    /// @notice The set as it is now follows after the first block at `time` or later, in seconds.
    event ValidatorSetChanged(uint64 indexed time);
    event NodeRegistered(uint32 indexed node, uint32 indexed organisation, string name);
    event NodeUpdated(uint32 indexed node, string endpoint, string version);
    event NodeRetired(uint32 indexed node);
    event PeerKeySet(uint32 indexed node, bytes32 indexed key, bytes32 before, uint64 overlapEnd);
    event ValidatorKeySet(uint32 indexed node, address indexed validator, address before);
    event LogKeySet(uint32 indexed node, bytes32 indexed key, bytes32 before);
    /// @notice `keyHash` 0: revoked, and there is no other. `before` 0: there was none.
    event PostQuantumKeySet(uint32 indexed node, bytes32 indexed keyHash, bytes32 before);
    event ValidatorAdded(uint32 indexed node, address indexed validator, uint64 power);
    event ValidatorRemoved(uint32 indexed node, address indexed validator, uint16 reason);
    event ValidatorSuspended(uint32 indexed node, address indexed validator);
    event ValidatorReinstated(uint32 indexed node, address indexed validator);
    event GenesisBound(bytes32 genesisHash);
    event Equivocated(
        uint32 indexed organisation,
        address indexed validator,
        uint64 height,
        uint32 round,
        uint8 kind,
        bytes32 evidenceHash,
        string nameZhTw,
        string nameEn
    );

    /// @notice Remedy: a number from 1 to `nodeCount`.
    error NodesUnknown(uint32 node);
    /// @notice The node is out of use.
    error NodesRetired(uint32 node);
    /// @notice Only administrators of the node's organisation.
    error NodesNotOperator(uint32 organisation, uint32 got);
    /// @notice The organisation of a node must be active.
    error NodesOrganisationNotActive(uint32 organisation);
    /// @notice A node has, or had, this name.
    error NodesNameTaken(string name, uint32 node);
    /// @notice A node has, or had, this key.
    error NodesKeyUsed(bytes32 key, uint32 node);
    /// @notice Not a point of secp256k1.
    error NodesKeyInvalid(bytes32 x, bytes32 y);
    /// @notice A key that must be there is zero. `kind`: 1 peer, 2 validator, 3 log.
    error NodesKeyMissing(uint8 kind);
    /// @notice Not signed with the key, or not this text. `kind`: 1 peer, 2 validator, 3 log.
    error NodesPossessionInvalid(uint8 kind);
    /// @notice Remedy: sign again with a later deadline.
    error NodesPossessionExpired(uint64 deadline, uint256 time);
    /// @notice This chain's node lacks the precompile for Ed25519.
    error Ed25519Unavailable();
    /// @notice The genesis hash is not known before block 1.
    error NodesGenesisNotBound();
    /// @notice The genesis hash is known, or this is not block 1.
    error NodesGenesisAlreadyBound(uint256 height);
    /// @notice Remedy: retire a node first. `organisation` is 0 for the limit of the whole chain,
    /// which is lower for those who have a node.
    error NodesTooMany(uint32 organisation, uint256 max);
    /// @notice Another key waits for the next handover, which is due then, in seconds. Remedy:
    /// wait until then, or a motion to remove the validator.
    error NodesRotatedRecently(uint256 until);
    /// @notice The old peer key may stay for at most so long.
    error NodesOverlapTooLong(uint256 max, uint256 got);
    /// @notice Validators need a voting power of at least 1.
    error NodesPowerZero();
    /// @notice Not in the validator set, and not suspended where that is asked for.
    error NodesNotValidator(uint32 node);
    /// @notice In the validator set. Remedy: a motion to remove the validator first.
    error NodesStillValidator(uint32 node);
    /// @notice Convicted of equivocation. Remedy: a motion to reinstate the validator.
    error NodesSuspended(uint32 node);
    error NodesEvidenceKind(uint8 kind);
    error NodesEvidenceLength(uint256 expected, uint256 got);
    /// @notice A statement that no encoder writes.
    error NodesEvidenceStatement();
    /// @notice The same statement twice, or statements of different kind, height or round.
    error NodesEvidenceNoContradiction();
    /// @notice The first (1) or second (2) statement is not signed by the accused.
    error NodesEvidenceSignature(uint8 which);
    /// @notice The key was not in the validator set at this height.
    error NodesEvidenceNotValidator(address validator, uint64 height);
    /// @notice This offence is on record.
    error NodesEvidenceKnown(address validator, uint64 height, uint32 round);

    /// @notice A node of the founding; a validator if it has power. Proofs of possession are
    /// checked by the ceremony, off the chain.
    function foundNode(uint32 organisation, Registration calldata registration, uint64 power)
        external
        returns (uint32);

    /// @notice Length of an epoch, at the founding, in seconds: changes of the set take effect at
    /// multiples of it, all of an epoch together. 0: with their block.
    function foundEpoch(uint32 length) external;

    /// @notice By the node, after a block with which a handover is due: `validatorSet` is in force
    /// from the next block on.
    function handOver() external;

    /// @notice By an upgrade (0x…1009): seconds of an epoch from now on; a handover that is due
    /// keeps its time.
    function setEpoch(uint32 length) external;

    /// @notice By the node, in block 1: what proofs of possession and evidence are bound to.
    function bindGenesis(bytes32 genesisHash) external;

    /// @notice By an administrator: an observer of its organisation, with proofs of possession.
    function registerNode(Registration calldata registration, Possession calldata possession)
        external
        returns (uint32);

    /// @notice By an administrator: where the node is and what it runs.
    function updateNode(uint32 node, string calldata endpoint, string calldata version) external;

    /// @notice By an administrator: an observer goes out of use, with its keys and its name.
    function retireNode(uint32 node) external;

    /// @notice By an administrator: another validator key, or the first. Takes effect with the
    /// next handover; then the key before is of no use any more.
    function rotateValidatorKey(
        uint32 node,
        bytes32 x,
        bytes32 y,
        Signature calldata proof,
        uint64 deadline
    ) external;

    /// @notice By an administrator: another peer key. The one before is admitted until
    /// `overlapEnd` (block time, seconds; a time that has passed means no overlap).
    function rotatePeerKey(
        uint32 node,
        bytes32 key,
        Signature calldata proof,
        uint64 deadline,
        uint64 overlapEnd
    ) external;

    /// @notice By an administrator: another log key, or the first.
    function rotateLogKey(uint32 node, bytes32 key, Signature calldata proof, uint64 deadline)
        external;

    /// @notice By an administrator: another ML-DSA-44 key for the log, by its SHA-256, or none (0):
    /// what the one before signs counts from now on for nobody. One that a node of the
    /// organisation has or had is refused.
    /// @dev Possession is not proved: the EVM cannot verify ML-DSA, and what such a key signs
    /// names the operator (SPEC §9.12), so that somebody else's key signs nothing for this one.
    function setPostQuantumKey(uint32 node, bytes32 keyHash) external;

    /// @notice By motion: an observer with a validator key becomes a validator, or a validator
    /// gets another power.
    function addValidator(uint32 node, uint64 power) external;

    /// @notice By motion: a validator becomes an observer.
    function removeValidator(uint32 node, uint16 reason) external;

    /// @notice By motion: a suspended validator is one again, with its power. Offences at heights
    /// up to this one suspend it no more.
    function reinstateValidator(uint32 node) external;

    /// @notice By motion: the validators of an organisation leave the set with this block, and
    /// keep their power for its return; if it leaves, all its nodes go out of use.
    function dropOrganisation(uint32 organisation, bool leaves, uint16 reason) external;

    /// @notice By motion: the validators that an organisation had when it was suspended are in the
    /// set again, with the power that they have kept.
    function restoreOrganisation(uint32 organisation) external;

    /// @notice By motion: the names of an organisation changed, and with them the set.
    function renameOrganisation(uint32 organisation) external;

    /// @notice By anybody: evidence in the layout of SPEC §3.8. Suspends the validator in the
    /// next set; if that would break a rule of the set, as soon as it breaks none.
    function submitEvidence(bytes calldata evidence) external;

    /// @notice By anybody: carries out suspensions that the rules did not allow before, at most
    /// `SUSPENSIONS_MAX` of them. Every change of the set does so too.
    function enforceSuspensions() external returns (uint256 carriedOut);

    /// @notice The set that follows with the next handover, or that follows none if no handover
    /// is due; by address. Never reverts, and depends on storage only.
    function validatorSet() external view returns (ValidatorView[] memory);

    /// @notice Peers to admit: nodes in use of active organisations, both keys of a node whose
    /// peer key is being rotated. Depends on storage and the block's time.
    function peers() external view returns (PeerView[] memory);

    function genesisHash() external view returns (bytes32);
    function nodeCount() external view returns (uint32);

    /// @notice Time from which the next block hands over to `validatorSet`, in seconds; 0 if that
    /// set is in force.
    function handoverDue() external view returns (uint64);

    /// @notice Seconds of an epoch; 0 if changes of the set take effect with their block.
    function epochLength() external view returns (uint32);
    function nodeOf(uint32 node) external view returns (Node memory);

    /// @notice Nodes by number, `count` (at most 100) from `from` (the first is 1).
    function nodes(uint256 from, uint256 count) external view returns (Node[] memory);

    /// @notice Nodes in use of an organisation.
    function nodesOf(uint32 organisation) external view returns (uint32[] memory);

    /// @notice Node of a peer or log key, also of one that is out of use; 0 if there is none.
    function nodeByKey(bytes32 key) external view returns (uint32);

    /// @notice Node and time of a validator key, also of one that is out of use.
    function validatorKeyOf(address validator) external view returns (ValidatorKey memory);

    function nodeByName(string calldata name) external view returns (uint32);
    function offenceCount() external view returns (uint256);

    /// @notice Offences in the order in which they were recorded, `count` (at most 100) from
    /// position `from` (0 is the first).
    function offences(uint256 from, uint256 count) external view returns (Offence[] memory);

    /// @notice What has to be signed to prove possession of a key.
    /// @param kind 1 peer, 2 validator, 3 log.
    /// @param key 32 bytes, or 33 of a validator key.
    function possessionDigest(uint32 organisation, uint8 kind, bytes calldata key, uint64 deadline)
        external
        view
        returns (bytes32);
}
