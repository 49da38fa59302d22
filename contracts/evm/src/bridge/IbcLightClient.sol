// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Checkpoints} from "./Checkpoints.sol";
import {IIbcLightClient} from "./IIbcLightClient.sol";
import {ILightClient} from "./ILightClient.sol";
import {Rlp} from "./Rlp.sol";
import {Trie} from "./Trie.sol";

/// @title The light client, for the router of IBC v2 (SPEC §14.7): proves what a router of the
/// same kind has committed to on the TBSI chain, in that chain's state.
/// @notice Keeps nothing of its own. Not checked: that the router named here is the counterparty
/// that the clients' ids mean; whoever adds this client to a router says so.
contract IbcLightClient is IIbcLightClient {
    using Rlp for Rlp.Item;

    /// @notice Where a router keeps its commitments: the ERC-7201 slot of `ibc.storage.IBCStore`.
    bytes32 public constant COMMITMENTS_SLOT =
        0x1260944489272988d9df285149b5aa1b0f48f2136d6f416159f840a3e0747600;

    /// @notice The light client behind.
    ILightClient public immutable CLIENT;
    /// @notice The router on the TBSI chain.
    address public immutable ROUTER;

    /// @notice What `getClientState` encodes.
    struct ClientState {
        address client;
        address router;
        uint64 latestHeight;
        uint64 latestTimeMs;
        bytes32 validatorSetHash;
        ILightClient.Status status;
    }

    /// @notice A part of an update is neither `update` nor `handover` of the light client.
    error IbcUpdateKind(bytes4 selector);
    /// @notice An update has no parts.
    error IbcUpdateEmpty();
    /// @notice The proof's height is not the checkpoint's, or its revision is not 0.
    error IbcProofHeight(uint64 revisionNumber, uint64 revisionHeight, uint64 checkpoint);
    /// @notice The path is not one key: the counterparty's Merkle prefix is one empty string.
    error IbcPath(uint256 length);
    /// @notice A commitment has 32 bytes and is not zero.
    error IbcValue(uint256 length);
    /// @notice The router has no account in the state of this height.
    error IbcNoRouter(address router);
    /// @notice The commitment at this slot is another; 0 if there is none.
    error IbcCommitment(bytes32 slot, bytes32 given);
    /// @notice The client is replaced by another address, never upgraded.
    error IbcUpgradeUnsupported();

    constructor(ILightClient client, address router) {
        (CLIENT, ROUTER) = (client, router);
    }

    /// @inheritdoc IIbcLightClient
    /// @dev The message is `abi.encode(bytes[])`: calls of `ILightClient.update` and `.handover`,
    /// in their order. Where checkpoints are kept for registered relayers, this contract is the
    /// relayer. A decision that contradicts an accepted one reverts; `misbehaviour` freezes.
    function updateClient(bytes calldata updateMsg) external returns (UpdateResult result) {
        bytes[] memory calls = abi.decode(updateMsg, (bytes[]));
        if (calls.length == 0) revert IbcUpdateEmpty();
        result = UpdateResult.NoOp;
        for (uint256 i = 0; i < calls.length; i++) {
            bytes4 selector = bytes4(calls[i]);
            if (
                selector != ILightClient.update.selector
                    && selector != ILightClient.handover.selector
            ) {
                revert IbcUpdateKind(selector);
            }
            (bool done, bytes memory answer) = address(CLIENT).call(calls[i]);
            if (!done) _bubble(answer);
            if (abi.decode(answer, (bool))) result = UpdateResult.Update;
        }
    }

    /// @inheritdoc IIbcLightClient
    /// @dev The message is the arguments of `ILightClient.freeze`, encoded.
    function misbehaviour(bytes calldata misbehaviourMsg) external {
        (uint32 setIdA, bytes memory a, uint32 setIdB, bytes memory b) =
            abi.decode(misbehaviourMsg, (uint32, bytes, uint32, bytes));
        CLIENT.freeze(setIdA, a, setIdB, b);
    }

    /// @inheritdoc IIbcLightClient
    function verifyMembership(MsgVerifyMembership calldata message)
        external
        view
        returns (uint256)
    {
        if (message.value.length != 32 || bytes32(message.value) == 0) {
            revert IbcValue(message.value.length);
        }
        (bytes32 slot, bytes32 commitment, uint256 timestamp) =
            _commitment(message.proof, message.proofHeight, message.path);
        if (commitment != bytes32(message.value)) revert IbcCommitment(slot, commitment);
        return timestamp;
    }

    /// @inheritdoc IIbcLightClient
    function verifyNonMembership(MsgVerifyNonMembership calldata message)
        external
        view
        returns (uint256)
    {
        (bytes32 slot, bytes32 commitment, uint256 timestamp) =
            _commitment(message.proof, message.proofHeight, message.path);
        if (commitment != 0) revert IbcCommitment(slot, commitment);
        return timestamp;
    }

    /// @inheritdoc IIbcLightClient
    function upgradeClient(bytes calldata) external pure {
        revert IbcUpgradeUnsupported();
    }

    /// @inheritdoc IIbcLightClient
    function getClientState() external view returns (bytes memory) {
        ILightClient.Latest memory latest = CLIENT.latest();
        return abi.encode(
            ClientState({
                client: address(CLIENT),
                router: ROUTER,
                latestHeight: latest.height,
                latestTimeMs: latest.timeMs,
                validatorSetHash: latest.validatorSetHash,
                status: CLIENT.status()
            })
        );
    }

    /// What the router has at a path, and the time, in seconds, of the checkpoint that shows it.
    /// The proof is `abi.encode(bytes checkpoint, bytes[] account, bytes[] storage)`, the lists as
    /// `eth_getProof` gives them.
    function _commitment(bytes calldata proof, Height calldata height, bytes[] calldata path)
        private
        view
        returns (bytes32 slot, bytes32 commitment, uint256 timestamp)
    {
        (bytes memory encoded, bytes[] memory account, bytes[] memory nodes) =
            abi.decode(proof, (bytes, bytes[], bytes[]));
        Checkpoints.Checkpoint memory checkpoint = CLIENT.acceptedCheckpoint(encoded);
        if (height.revisionNumber != 0 || height.revisionHeight != checkpoint.height) {
            revert IbcProofHeight(height.revisionNumber, height.revisionHeight, checkpoint.height);
        }
        if (path.length != 1) revert IbcPath(path.length);
        slot = keccak256(abi.encode(keccak256(path[0]), COMMITMENTS_SLOT));
        bytes32 root = _storageRoot(checkpoint.stateRoot, account);
        bytes memory value = Trie.get(root, keccak256(abi.encode(slot)), nodes);
        commitment = value.length == 0 ? bytes32(0) : bytes32(Rlp.item(value).number());
        timestamp = checkpoint.timeMs / 1000;
    }

    function _storageRoot(bytes32 stateRoot, bytes[] memory proof) private view returns (bytes32) {
        bytes memory account = Trie.get(stateRoot, keccak256(abi.encodePacked(ROUTER)), proof);
        if (account.length == 0) revert IbcNoRouter(ROUTER);
        // Nonce, balance, storage root, code hash.
        return Rlp.item(account).items()[2].word32();
    }

    function _bubble(bytes memory reason) private pure {
        assembly ("memory-safe") {
            revert(add(reason, 32), mload(reason))
        }
    }
}
