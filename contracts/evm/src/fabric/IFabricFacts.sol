// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Facts of channels of Hyperledger Fabric: entries of an outbox, as peers of several
/// organisations state them (SPEC §21).
/// @notice A channel is registered by a motion that resolves its description. Whoever asks gets a
/// nonce; peers sign what they have on their ledgers under that nonce; what enough organisations
/// signed alike becomes an attestation of this contract. Channels are numbered from 1.
interface IFabricFacts {
    /// @param mspId Of the organisation.
    /// @param authorities Its authorities' certificates in DER: a root that signs itself first, each
    /// other signed by one before it.
    struct Organisation {
        string mspId;
        bytes[] authorities;
    }

    /// @notice What a motion resolves: the SHA-256 of this in canonical ABI encoding.
    /// @param genesisHash Of this TBSI network, as the chaincode's client was opened with.
    /// @param needed So many organisations must state the same.
    /// @param freshness Seconds for which a nonce can be used.
    struct Description {
        string channel;
        string chaincode;
        bytes32 genesisHash;
        uint8 needed;
        uint32 freshness;
        Organisation[] organisations;
    }

    /// @notice An endorsement as a peer gives it.
    /// @param endorser Serialized identity: MSP id and certificate.
    /// @param signature ECDSA over P-256 and SHA-256 of response and endorser, in DER, with low s.
    struct Endorsement {
        bytes endorser;
        bytes signature;
    }

    struct Channel {
        string channel;
        string chaincode;
        bytes32 genesisHash;
        uint8 needed;
        uint32 freshness;
        uint32 motion;
        bool replaced;
    }

    /// @param time When it was asked for; 0 if never.
    struct Request {
        uint32 channel;
        uint64 time;
        uint64 sequence;
        bool used;
        address account;
        bytes32 mspId;
    }

    event ChannelRegistered(
        uint32 indexed channel,
        uint32 indexed motion,
        uint32 replaces,
        string name,
        string chaincode
    );
    event EntryRequested(
        bytes32 indexed nonce,
        uint32 indexed channel,
        string mspId,
        uint64 sequence,
        address account
    );
    /// @notice The attestation's digest is SHA-256 of `entry`, its schema `SCHEMA`, its issuer this
    /// contract.
    /// @param organisations A bit for each that stated it, lowest first, in the description's order.
    event EntryImported(
        uint32 indexed channel,
        bytes32 indexed messageHash,
        bytes32 indexed attestation,
        bytes32 nonce,
        uint256 organisations,
        string chaincodeVersion,
        address importer,
        bytes entry
    );

    /// @notice Remedy: a number from 1 to `channelCount`.
    error FabricFactsChannelUnknown(uint32 channel);
    /// @notice Another one was registered in its place.
    error FabricFactsChannelReplaced(uint32 channel);
    /// @notice The motion has not resolved this description. Remedy: a motion `Resolve` of
    /// `expected`, executed.
    error FabricFactsMotionRefused(uint32 motion, bytes32 expected);
    /// @notice A motion registers one channel.
    error FabricFactsMotionUsed(uint32 motion);
    /// @notice A field of the description is out of range.
    error FabricFactsDescriptionRefused(string field);
    /// @notice A certificate of the description: organisation and position, from 0.
    error FabricFactsAuthorityRefused(uint256 organisation, uint256 position, string problem);
    /// @notice Remedy: `request` first.
    error FabricFactsNonceUnknown(bytes32 nonce);
    /// @notice A nonce is used once.
    error FabricFactsNonceUsed(bytes32 nonce);
    /// @notice Remedy: a new nonce.
    error FabricFactsNonceStale(bytes32 nonce, uint256 until, uint256 blockTime);
    /// @notice The entry is not the one that was asked for, or does not say what it must: the field.
    error FabricFactsEntryMismatch(string field);
    /// @notice Too few organisations stated it. Remedy: endorsements of `needed` of them.
    error FabricFactsTooFew(uint256 needed, uint256 got);
    /// @notice An endorsement, by its position from 0, does not count.
    error FabricFactsEndorsementRefused(uint256 position, string problem);
    /// @notice The entry is imported; `attestation` is its attestation.
    error FabricFactsKnown(bytes32 messageHash, bytes32 attestation);

    /// @notice By anybody: a channel that an executed motion resolved.
    /// @param replaces A channel whose place it takes, or 0. It must have the same names.
    function register(Description calldata description, uint32 motion, uint32 replaces)
        external
        returns (uint32 channel);

    /// @notice By anybody: a nonce under which peers are to state an entry.
    function request(uint32 channel, string calldata mspId, uint64 sequence)
        external
        returns (bytes32 nonce);

    /// @notice By anybody: what peers signed under a nonce.
    /// @param response `ProposalResponsePayload`, which all endorsements are of.
    function importEntry(
        bytes32 nonce,
        bytes calldata response,
        Endorsement[] calldata endorsements
    ) external returns (bytes32 attestation);

    function channelCount() external view returns (uint32);
    function channelOf(uint32 channel) external view returns (Channel memory);
    function requestOf(bytes32 nonce) external view returns (Request memory);

    /// @notice The attestation of a message by its hash; 0 if it is not imported.
    function attestationOf(bytes32 messageHash) external view returns (bytes32);
}
