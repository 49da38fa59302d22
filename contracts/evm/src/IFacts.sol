// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Facts: words in the storage of other EVM chains, with proof (SPEC §16).
/// @notice A client follows one chain by headers that its validators sealed, and belongs to a
/// record of `Chains`. Under an accepted header anybody who may relay imports facts, each of
/// which becomes a leaf of the log. Clients are numbered from 1.
interface IFacts {
    /// @notice `Active` takes headers and facts; `Expired` facts under accepted headers alone;
    /// `Frozen` (two headers of one height) and `Retired` (the chain's record is) nothing. Only
    /// `Retired` ends, by taking the record up again: for the others open a new client.
    enum Status {
        None,
        Active,
        Expired,
        Frozen,
        Retired
    }

    /// @notice Where a chain comes from: what tells it from another one with the same validators'
    /// keys, which no seal does.
    /// @param genesisHash Of the chain's block 0.
    /// @param height Of a block below the first header, from which that is shown to descend.
    /// @param blockHash Of that block; of height 0, `genesisHash`.
    struct Origin {
        bytes32 genesisHash;
        uint64 height;
        bytes32 blockHash;
    }

    /// @notice A header and from what it follows.
    /// @param base An accepted height: whose validators vouch for the header.
    /// @param trusted The validators of the base, 20 bytes each.
    /// @param header RLP, seals included.
    /// @param ancestry That the header's block comes after an accepted one, in the layout of SPEC
    /// §16.5.
    struct Step {
        uint64 base;
        bytes trusted;
        bytes header;
        bytes ancestry;
    }

    /// @param chain Number of the record in `Chains`.
    /// @param organisation Who opened it, and vouches for its first header.
    /// @param kind By what it verifies, which is the assurance of its facts: 1 qbft, 2 ibft2.
    /// @param trustPeriod Seconds for which validators of a header are trusted after its time.
    /// @param chainId EIP-155 number in the record's id; no header proves it.
    /// @param first Height of the header with which it began.
    /// @param latest Height of the highest accepted header.
    struct Client {
        uint32 chain;
        uint32 organisation;
        uint8 kind;
        bool frozen;
        uint32 trustPeriod;
        uint64 chainId;
        uint64 first;
        uint64 latest;
        address account;
    }

    /// @param trustedHash Keccak-256 of what later headers are verified against: the block's
    /// validators, 20 bytes each, ascending.
    /// @param time Seconds.
    struct Header {
        bytes32 blockHash;
        bytes32 stateRoot;
        bytes32 trustedHash;
        uint64 time;
    }

    event ClientOpened(
        uint32 indexed client,
        uint32 indexed chain,
        uint32 indexed organisation,
        Client details,
        Origin origin,
        Header header,
        string nameZhTw,
        string nameEn
    );
    event HeaderAccepted(
        uint32 indexed client, uint64 indexed height, uint64 base, Header header, address account
    );
    /// @notice Two sealed headers of one height.
    event ClientFrozen(
        uint32 indexed client, uint64 indexed height, bytes32 known, bytes32 other, address account
    );
    /// @notice The event becomes a leaf of kind 33 (SPEC §9.4); the others of kind 16.
    event FactImported(
        uint32 indexed client,
        address indexed account,
        bytes32 indexed slot,
        address importer,
        uint8 kind,
        uint64 chainId,
        uint64 height,
        uint64 time,
        bytes32 blockHash,
        bytes32 value
    );

    /// @notice Remedy: a number from 1 to `clientCount`.
    error FactsClientUnknown(uint32 client);
    /// @notice Only administrators of the chain's operator open a client for it.
    error FactsNotOperator(uint32 operator, uint32 got);
    /// @notice The chain's record is not in use. Remedy: its operator, or a motion (SetChain).
    error FactsChainNotActive(uint32 chain);
    /// @notice Only ids `eip155:<number>`, without leading zeros and below 2^64, are EVM chains.
    error FactsNotEvm(string caip2);
    /// @notice Remedy: retire the chain's record and register it anew.
    error FactsTooManyClients(uint256 max);
    /// @notice Remedy: seconds from `min` to `max`.
    error FactsTrustPeriodOutOfRange(uint256 min, uint256 max, uint256 got);
    /// @notice Remedy: give at most `max` bytes.
    error FactsTooLong(uint256 max, uint256 got);
    /// @notice Calldata is not the canonical encoding of the arguments.
    error FactsArgumentsNotCanonical();
    /// @notice Too few validators to tolerate a fault.
    error FactsTooFewValidators(uint256 min, uint256 got);
    /// @notice The node's precompile does not answer: too little gas, or no node of this network.
    error FactsVerifierUnavailable();
    /// @notice The header does not follow; reasons are in SPEC §16.3.
    error FactsHeaderRefused(uint256 reason, uint256 got, uint256 limit);
    /// @notice The header's block is not shown to come after the known one; reasons are in SPEC
    /// §16.5. Reason 8: it is of another chain, whose blocks the same keys seal.
    error FactsAncestryRefused(uint256 reason, uint256 figure);
    /// @notice Hashes must not be zero, and of height 0 the block's is that of genesis.
    error FactsOriginMismatch(bytes32 genesisHash, bytes32 blockHash);
    /// @notice No header of this height was accepted. Remedy: `update` first.
    error FactsHeaderUnknown(uint32 client, uint64 height);
    /// @notice This very header was accepted before.
    error FactsHeaderKnown(uint32 client, uint64 height);
    /// @notice Remedy: a base below the header, or for `freeze` not above it.
    error FactsBelowBase(uint64 base, uint64 height);
    /// @notice `trusted` are not the validators of the base. Remedy: those of its header.
    error FactsTrustedMismatch(bytes32 expected, bytes32 got);
    /// @notice The base is too old to be trusted. Remedy: a later base, or a new client.
    error FactsExpired(uint64 base, uint256 trustedUntil, uint256 blockTime);
    /// @notice The header is from the future by more than the drift that is allowed.
    error FactsFuture(uint64 time, uint256 latestAllowed);
    /// @notice Times of two headers are not in the order of their heights.
    error FactsTimeOrder(uint64 height, uint64 time, uint64 otherHeight, uint64 otherTime);
    /// @notice Two sealed headers of one height are known. Remedy: a new client.
    error FactsFrozen(uint32 client);
    /// @notice The two headers are one.
    error FactsNoConflict(uint32 client, uint64 height);
    /// @notice The proof shows nothing; reasons are in SPEC §16.4.
    error FactsProofRefused(uint256 reason, uint256 figure);
    /// @notice The proof shows another word.
    error FactsValueMismatch(bytes32 proven, bytes32 got);
    /// @notice Imported before, with this value.
    error FactsKnown(uint32 client, uint64 height, address account, bytes32 slot, bytes32 value);

    /// @notice By an administrator of the chain's operator: begins with a header that its own
    /// validators sealed, and that comes after the block of `origin`.
    ///
    /// Not checked: that this is the chain's header, and unless the origin's height is 0 that it
    /// descends from that genesis. Who opens the client vouches for it, by legal name.
    /// @param ancestry That the header's block comes after the origin's (SPEC §16.5).
    function open(
        uint32 chain,
        uint8 kind,
        uint32 trustPeriod,
        Origin calldata origin,
        bytes calldata header,
        bytes calldata ancestry
    ) external returns (uint32 client);

    /// @notice By an account with permission to relay: a header above the base that comes after
    /// its block, and that a quorum of its own validators sealed, more than the tolerated faults
    /// of those of the base among them. Another header of a height that has one freezes the
    /// client.
    function update(uint32 client, Step calldata step) external;

    /// @notice By anybody: another header of an accepted height, verified as in `update`, whose
    /// base may have that height. Also while the chain's record is retired.
    /// @param ancestor Height of an accepted block below, or of the origin's, after which it
    /// comes: a block of another chain with the same keys is no conflict.
    function freeze(uint32 client, Step calldata step, uint64 ancestor) external;

    /// @notice By an account with permission to relay: that `slot` of `account` had `value`
    /// after the block of this height. Zero also stands for an account or slot that is not there.
    /// @param proof Nodes of `eth_getProof` in the layout of SPEC §16.4.
    function importFact(
        uint32 client,
        uint64 height,
        address account,
        bytes32 slot,
        bytes32 value,
        bytes calldata proof
    ) external;

    function clientCount() external view returns (uint32);
    function clientOf(uint32 client) external view returns (Client memory);
    function statusOf(uint32 client) external view returns (Status);

    /// @notice Clients by number, `count` (at most 100) from `from` (the first is 1).
    function clients(uint256 from, uint256 count) external view returns (Client[] memory);

    /// @notice Reverts if there is none.
    function headerOf(uint32 client, uint64 height) external view returns (Header memory);

    /// @notice Genesis of the client's chain, and the block below its first header.
    function originOf(uint32 client) external view returns (Origin memory);

    /// @notice An imported fact. Reverts if the client is frozen: nothing of it counts any more.
    function factOf(uint32 client, uint64 height, address account, bytes32 slot)
        external
        view
        returns (bool imported, bytes32 value);
}
