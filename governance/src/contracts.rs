//! What command lines and other clients call on the governance contracts (SPEC §13). The
//! functions that only the protocol calls are in [`crate::abi`] and [`crate::founding`].

#![allow(missing_docs, reason = "documented in contracts/evm/src/I*.sol")]
#![allow(
    clippy::too_many_arguments,
    reason = "events have as many fields as they have"
)]

use alloy_sol_types::sol;

sol! {
    #![sol(all_derives)]

    struct Details {
        string nameZhTw;
        string nameEn;
        uint8 kind;
        bool votes;
        string taxId;
        string lei;
        string jurisdiction;
        bytes32 agreementHash;
        bytes32 credentialHash;
        string contactUrl;
    }

    struct Organisation {
        string nameZhTw;
        string nameEn;
        uint8 kind;
        string taxId;
        string lei;
        string jurisdiction;
        bytes32 agreementHash;
        bytes32 credentialHash;
        string contactUrl;
        uint8 status;
        bool votes;
        uint64 joinedHeight;
    }

    struct Entry {
        uint8 act;
        uint16 reason;
        uint64 height;
        uint64 time;
    }

    struct Registration {
        string name;
        string endpoint;
        string version;
        bytes32 peerKey;
        bytes32 validatorX;
        bytes32 validatorY;
        bytes32 logKey;
    }

    struct Signature {
        bytes32 r;
        bytes32 s;
        uint8 v;
    }

    struct Possession {
        uint64 deadline;
        Signature peer;
        Signature validator;
        Signature log;
    }

    struct Node {
        uint32 organisation;
        bool retired;
        bool validating;
        bool suspended;
        bool odd;
        uint64 power;
        uint64 registeredHeight;
        uint64 rotatedAt;
        uint64 overlapEnd;
        uint32 position;
        address validator;
        bytes32 validatorX;
        bytes32 peerKey;
        bytes32 oldPeerKey;
        bytes32 logKey;
        string name;
        string endpoint;
        string version;
    }

    struct ValidatorKey {
        uint32 node;
        uint64 first;
        uint64 last;
    }

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

    struct Quota {
        uint64 gas;
        uint64 leaves;
    }

    struct Usage {
        uint64 period;
        uint64 gas;
        uint64 leaves;
    }

    struct Chain {
        string caip2;
        string technology;
        string contactUrl;
        uint32 operator;
        uint8 status;
        uint64 registeredHeight;
    }

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

    struct ForeignHeader {
        bytes32 blockHash;
        bytes32 stateRoot;
        bytes32 trustedHash;
        uint64 time;
    }

    struct Rule {
        uint16 quorumNumerator;
        uint16 quorumDenominator;
        uint16 thresholdNumerator;
        uint16 thresholdDenominator;
        uint32 votingPeriod;
        uint32 delay;
        uint32 window;
    }

    struct Motion {
        uint8 kind;
        uint8 status;
        uint32 organisation;
        uint32 subject;
        address account;
        uint64 proposedAt;
        uint64 deadline;
        uint64 passedAt;
        uint64 position;
        uint32 base;
        uint32 yes;
        uint32 no;
        uint32 abstained;
        uint32 conflicted;
        uint16 reason;
        uint64 height;
        uint64 endHeight;
        Rule rule;
        bytes arguments;
    }

    struct Ballot {
        uint32 organisation;
        uint8 choice;
        address account;
        uint64 time;
    }

    struct Admission {
        Details details;
        uint32 permissions;
        uint64 gas;
        uint64 leaves;
        address account;
    }

    interface Organisations {
        function setContact(string calldata contactUrl) external;
        function organisationOf(uint32 organisation) external view returns (Organisation memory);
        function reinstate(uint32 organisation, uint16 reason) external;
        function organisationCount() external view returns (uint32);
        function organisations(uint256 from, uint256 count) external view returns (Organisation[] memory);
        function historyLength(uint32 organisation) external view returns (uint256);
        function historyOf(uint32 organisation, uint256 from, uint256 count) external view returns (Entry[] memory);
    }

    interface Nodes {
        event NodeRegistered(uint32 indexed node, uint32 indexed organisation, string name);

        function registerNode(Registration calldata registration, Possession calldata possession) external returns (uint32);
        function updateNode(uint32 node, string calldata endpoint, string calldata version) external;
        function retireNode(uint32 node) external;
        function rotateValidatorKey(uint32 node, bytes32 x, bytes32 y, Signature calldata proof, uint64 deadline) external;
        function rotatePeerKey(uint32 node, bytes32 key, Signature calldata proof, uint64 deadline, uint64 overlapEnd) external;
        function rotateLogKey(uint32 node, bytes32 key, Signature calldata proof, uint64 deadline) external;
        function addValidator(uint32 node, uint64 power) external;
        function removeValidator(uint32 node, uint16 reason) external;
        function reinstateValidator(uint32 node) external;
        function enforceSuspensions() external returns (uint256);
        function genesisHash() external view returns (bytes32);
        function nodeCount() external view returns (uint32);
        function nodes(uint256 from, uint256 count) external view returns (Node[] memory);
        function nodeByKey(bytes32 key) external view returns (uint32);
        function validatorKeyOf(address validator) external view returns (ValidatorKey memory);
        function offenceCount() external view returns (uint256);
        function offences(uint256 from, uint256 count) external view returns (Offence[] memory);
        function possessionDigest(uint32 organisation, uint8 kind, bytes calldata key, uint64 deadline) external view returns (bytes32);
    }

    interface Permissions {
        function grant(address account, uint32 permissions) external;
        function withdraw(address account) external;
        function setAccount(uint32 organisation, address account, uint32 permissions) external;
        function setQuota(uint32 organisation, uint64 gas, uint64 leaves) external;
        function setOrganisationPermissions(uint32 organisation, uint32 permissions) external;
        function setPublicPermissions(uint32 permissions) external;
        function setPeriod(uint32 length) external;
        function parameters() external view returns (uint256);
        function organisationPermissions(uint32 organisation) external view returns (uint32);
        function accountOf(address account) external view returns (uint32 organisation, uint32 permissions, bool active);
        function quotaOf(uint32 organisation) external view returns (Quota memory);
        function usageOf(uint32 organisation) external view returns (Usage memory);
        function periodEnd() external view returns (uint256);
        function accountCount(uint32 organisation) external view returns (uint256);
        function accountsOf(uint32 organisation, uint256 from, uint256 count) external view returns (address[] memory);
    }

    interface Chains {
        event ChainRegistered(uint32 indexed chain, uint32 indexed operator, string caip2, string technology);

        function register(string calldata caip2, string calldata technology, string calldata contactUrl) external returns (uint32);
        function update(uint32 chain, string calldata technology, string calldata contactUrl) external;
        function setStatus(uint32 chain, uint8 status) external;
        function setChain(uint32 chain, uint32 operator, uint8 status) external;
        function chainCount() external view returns (uint32);
        function chains(uint256 from, uint256 count) external view returns (Chain[] memory);
    }

    interface Facts {
        event ClientOpened(uint32 indexed client, uint32 indexed chain, uint32 indexed organisation, Client details, ForeignHeader header, string nameZhTw, string nameEn);
        event HeaderAccepted(uint32 indexed client, uint64 indexed height, uint64 base, ForeignHeader header, address account);
        event ClientFrozen(uint32 indexed client, uint64 indexed height, bytes32 known, bytes32 other, address account);
        event FactImported(uint32 indexed client, address indexed account, bytes32 indexed slot, address importer, uint8 kind, uint64 chainId, uint64 height, uint64 time, bytes32 blockHash, bytes32 value);

        function open(uint32 chain, uint8 kind, uint32 trustPeriod, bytes calldata header) external returns (uint32);
        function update(uint32 client, uint64 base, bytes calldata trusted, bytes calldata header) external;
        function freeze(uint32 client, uint64 base, bytes calldata trusted, bytes calldata header) external;
        function importFact(uint32 client, uint64 height, address account, bytes32 slot, bytes32 value, bytes calldata proof) external;
        function clientCount() external view returns (uint32);
        function clientOf(uint32 client) external view returns (Client memory);
        function clients(uint256 from, uint256 count) external view returns (Client[] memory);
        function statusOf(uint32 client) external view returns (uint8);
        function headerOf(uint32 client, uint64 height) external view returns (ForeignHeader memory);
        function factOf(uint32 client, uint64 height, address account, bytes32 slot) external view returns (bool imported, bytes32 value);
    }

    interface Motions {
        event MotionProposed(uint32 indexed motion, uint8 indexed kind, uint32 indexed organisation, address account, uint32 subject, uint64 deadline, bytes arguments);

        function propose(uint8 kind, bytes calldata arguments) external returns (uint32);
        function vote(uint32 motion, uint8 choice) external;
        function withdraw(uint32 motion, uint16 reason) external;
        function execute(uint32 motion) external;
        function addOrganisation(Admission calldata admission) external;
        function suspendOrganisation(uint32 organisation, uint16 reason) external;
        function removeOrganisation(uint32 organisation, uint16 reason) external;
        function amendOrganisation(uint32 organisation, Details calldata details) external;
        function setRule(uint8 kind, Rule calldata rule) external;
        function scheduleUpgrade(bytes32 nameHash, uint64 height, string calldata version) external;
        function resolve(bytes32 textHash) external;
        function motionCount() external view returns (uint32);
        function motionOf(uint32 motion) external view returns (Motion memory);
        function motions(uint256 from, uint256 count) external view returns (Motion[] memory);
        function ballots(uint32 motion, uint256 from, uint256 count) external view returns (Ballot[] memory);
        function ruleOf(uint8 kind) external view returns (Rule memory);
    }

    interface Attestations {
        function setAlgorithm(uint32 algorithm, uint16 bits, uint8 status) external;
        function algorithmOf(uint32 algorithm) external view returns (uint16 bits, uint8 status);
    }
}

#[cfg(test)]
mod tests;
