// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ILightClient} from "./ILightClient.sol";
import {Leaves} from "./Leaves.sol";
import {Sha256} from "./Sha256.sol";
import {Words} from "./Words.sol";

/// @title What a TBSI chain's map has, or has not (SPEC §9.11, §10.7).
/// @notice A root of the map is a leaf of the log, proven under a checkpoint that a light client
/// accepted. An answer leads to it: that a digest was not attested, that an attestation was not
/// revoked, as of the root's map height.
///
/// Not checked here:
/// - how old the root is: compare `timeMs` with the block time and refuse what is too old;
/// - that a status is of an attestation that was there at that height: prove that leaf, and
///   compare its index with the root's.
library MapProofs {
    /// @notice Kind of a leaf with a root of the map.
    uint8 internal constant MAP_ROOT = 8;
    /// Bytes of such a leaf.
    uint256 private constant _ROOT_LENGTH = 136;
    /// Levels of the tree.
    uint256 private constant _DEPTH_MAX = 256;
    /// Bytes of the longest value.
    uint256 private constant _VALUE_MAX = 75;
    /// Codes of revoked algorithms.
    uint256 private constant _ALGORITHMS_MAX = 64;

    /// @notice What is at the end of a path: nothing, the key's entry, or another entry.
    uint8 internal constant NOTHING = 0;
    uint8 internal constant ENTRY = 1;
    uint8 internal constant OTHER = 2;

    /// @notice The leaf is of another length than a root of the map.
    error MapProofsRootLength(uint256 length);
    /// @notice The root is not as of the block before its own, or digests are ahead of it.
    error MapProofsRootHeight(uint48 block_, uint64 height, uint64 digestHeight);
    /// @notice A depth above 256.
    error MapProofsDepth(uint256 depth);
    /// @notice The bitmap has not as many bits as the depth, or bits below it.
    error MapProofsBitmap(uint256 depth, uint256 length);
    /// @notice A path that goes on where nothing is beside it.
    error MapProofsTooDeep(uint256 depth);
    /// @notice Another number of siblings than the bitmap says.
    error MapProofsSiblings(uint256 expected, uint256 given);
    /// @notice A sibling that is empty is left out.
    error MapProofsEmptySibling(uint256 position);
    /// @notice The other entry is the key's own, or not on the key's path.
    error MapProofsOtherKey(bytes32 other);
    /// @notice An end that is none, or a value where there is none.
    error MapProofsEnd(uint8 end);
    /// @notice A value of another length than the question's kind, or flags that are none.
    error MapProofsValue(uint256 length);
    /// @notice The answer leads to another root.
    error MapProofsRoot(bytes32 expected, bytes32 given);
    /// @notice The codes do not ascend, are too many, or have another hash than the root names.
    error MapProofsAlgorithms();

    /// @notice A root of the map: what it was before the block of its leaf.
    struct Root {
        bytes32 root;
        uint64 entries;
        /// What was said up to this block is in the map.
        uint64 height;
        /// Digests that were attested up to this block are.
        uint64 digestHeight;
        bytes32 revokedAlgorithmsHash;
        /// Time of the leaf's block, the one after `height`.
        uint48 timeMs;
    }

    /// @notice An answer (SPEC §9.11). `otherKey` is zero unless the end is OTHER.
    struct Answer {
        uint256 depth;
        bytes bitmap;
        bytes32[] siblings;
        uint8 end;
        bytes32 otherKey;
        bytes value;
    }

    /// @notice What an account said first of an id.
    struct Status {
        bool revoked;
        uint64 revokedIndex;
        uint48 revokedHeight;
        uint48 revokedTimeMs;
        uint16 reason;
        bool superseded;
        uint64 supersededIndex;
        bytes32 successor;
    }

    /// @notice The root in a leaf that the light client proves. Reverts as
    /// `ILightClient.verifyLeaf`, and for leaves of other kinds.
    function verifyRoot(
        ILightClient client,
        bytes calldata leaf,
        uint64 index,
        bytes calldata checkpoint,
        bytes32[] calldata path
    ) internal view returns (Root memory) {
        uint8 kind = client.verifyLeaf(leaf, index, checkpoint, path);
        if (kind != MAP_ROOT) revert Leaves.LeafKind(MAP_ROOT, kind);
        return decodeRoot(leaf);
    }

    /// @notice Reads a root of the map, refusing any other bytes. It proves nothing: see
    /// `verifyRoot`.
    function decodeRoot(bytes memory leaf) internal pure returns (Root memory root) {
        Leaves.Head memory head = Leaves.decodeHead(leaf);
        if (head.kind != MAP_ROOT) revert Leaves.LeafKind(MAP_ROOT, head.kind);
        if (leaf.length != _ROOT_LENGTH) revert MapProofsRootLength(leaf.length);
        root.root = bytes32(Words.load(leaf, 48));
        root.entries = Words.u64(leaf, 80);
        root.height = Words.u64(leaf, 88);
        root.digestHeight = Words.u64(leaf, 96);
        root.revokedAlgorithmsHash = bytes32(Words.load(leaf, 104));
        root.timeMs = head.timeMs;
        bool before = uint256(root.height) + 1 == head.height;
        if (!before || root.digestHeight > root.height) {
            revert MapProofsRootHeight(head.height, root.height, root.digestHeight);
        }
    }

    /// @notice The first attestation of a digest of at most 256 bits, as of the root's digest
    /// height. Not attested means: by nobody, under no algorithm.
    function attested(Root memory root, bytes32 digest, Answer memory answer)
        internal
        view
        returns (bool found, uint64 index, uint48 height)
    {
        return _attested(root, digestKey(digest), answer);
    }

    /// @notice The same of a digest of two words.
    function attested(Root memory root, bytes32 one, bytes32 two, Answer memory answer)
        internal
        view
        returns (bool found, uint64 index, uint48 height)
    {
        return _attested(root, digestKey(one, two), answer);
    }

    /// @notice What `account` said of an id. Only the attestation's issuer's word counts, and a
    /// revocation only under a schema that allows it: one that is built in, or `revocable`.
    function statusOf(Root memory root, bytes32 id, address account, Answer memory answer)
        internal
        view
        returns (Status memory status)
    {
        _require(root, statusKey(id, account), answer);
        if (answer.end != ENTRY) return status;
        bytes memory value = answer.value;
        if (value.length == 0) revert MapProofsValue(0);
        uint8 flags = uint8(value[0]);
        uint256 length = 1;
        if (flags == 0 || flags > 3) revert MapProofsValue(value.length);
        (status.revoked, status.superseded) = (flags & 1 != 0, flags & 2 != 0);
        if (status.revoked) length += 22;
        if (status.superseded) length += 52;
        if (value.length != length) revert MapProofsValue(value.length);
        uint256 offset = 1;
        if (status.revoked) {
            uint256 word = Words.load(value, offset);
            status.revokedIndex = uint64(word >> 192);
            status.revokedHeight = uint48(word >> 144);
            status.revokedTimeMs = uint48(word >> 96);
            status.reason = uint16(word >> 80);
            offset += 22;
        }
        if (status.superseded) {
            status.supersededIndex = Words.u64(value, offset);
            status.successor = bytes32(Words.load(value, offset + 20));
        }
    }

    /// @notice Whether a schema was registered as one whose attestations can be revoked.
    function revocable(Root memory root, bytes32 schema, Answer memory answer)
        internal
        view
        returns (bool)
    {
        _require(root, schemaKey(schema), answer);
        if (answer.end != ENTRY) return false;
        if (answer.value.length != 15) revert MapProofsValue(answer.value.length);
        uint8 flag = uint8(answer.value[14]);
        if (flag > 1) revert MapProofsValue(15);
        return flag == 1;
    }

    /// @notice Whether digests of an algorithm prove nothing any more; `codes` are all such
    /// algorithms, ascending, as the root names them.
    function algorithmRevoked(Root memory root, uint32[] memory codes, uint32 algorithm)
        internal
        view
        returns (bool revoked)
    {
        if (codes.length > _ALGORITHMS_MAX) revert MapProofsAlgorithms();
        bytes memory packed;
        for (uint256 i = 0; i < codes.length; i++) {
            if (i != 0 && codes[i] <= codes[i - 1]) revert MapProofsAlgorithms();
            packed = bytes.concat(packed, bytes4(codes[i]));
            if (codes[i] == algorithm) revoked = true;
        }
        if (Sha256.hash(packed) != root.revokedAlgorithmsHash) revert MapProofsAlgorithms();
    }

    /// @notice Where the entry of a digest of at most 256 bits is.
    function digestKey(bytes32 digest) internal view returns (bytes32) {
        return Sha256.hash(bytes.concat("TBSI-MAP-DIGEST-1", digest));
    }

    /// @notice Where that of a digest of two words is.
    function digestKey(bytes32 one, bytes32 two) internal view returns (bytes32) {
        return Sha256.hash(bytes.concat("TBSI-MAP-DIGEST-1", one, two));
    }

    /// @notice Where the entry of what `account` said of an id is.
    function statusKey(bytes32 id, address account) internal view returns (bytes32) {
        return Sha256.hash(bytes.concat("TBSI-MAP-STATUS-1", id, bytes20(account)));
    }

    /// @notice Where the entry of a schema is.
    function schemaKey(bytes32 schema) internal view returns (bytes32) {
        return Sha256.hash(bytes.concat("TBSI-MAP-SCHEMA-1", schema));
    }

    /// @notice The root that an answer leads to from a key; reverts if it is not in its one form.
    function rootOf(bytes32 key, Answer memory answer) internal view returns (bytes32 hash) {
        uint256 count = _check(key, answer);
        if (answer.end == ENTRY) hash = _entry(key, answer.value);
        if (answer.end == OTHER) hash = _entry(answer.otherKey, answer.value);
        for (uint256 levels = answer.depth; levels != 0; levels--) {
            uint256 depth = levels - 1;
            bytes32 sibling =
                _isBeside(answer.bitmap, depth) ? answer.siblings[--count] : bytes32(0);
            bool right = uint256(key) >> (255 - depth) & 1 == 1;
            hash = right ? _branch(sibling, hash) : _branch(hash, sibling);
        }
    }

    /// There is one form for each answer. Returns the number of siblings.
    function _check(bytes32 key, Answer memory answer) private pure returns (uint256) {
        uint256 depth = answer.depth;
        if (depth > _DEPTH_MAX) revert MapProofsDepth(depth);
        uint256 bits = 8 * answer.bitmap.length;
        if (answer.bitmap.length != (depth + 7) / 8) revert MapProofsBitmap(depth, bits / 8);
        for (uint256 bit = depth; bit < bits; bit++) {
            if (_isBeside(answer.bitmap, bit)) revert MapProofsBitmap(depth, bits / 8);
        }
        uint256 expected = 0;
        for (uint256 bit = 0; bit < depth; bit++) {
            if (_isBeside(answer.bitmap, bit)) expected++;
        }
        uint256 given = answer.siblings.length;
        if (given != expected) revert MapProofsSiblings(expected, given);
        for (uint256 i = 0; i < given; i++) {
            if (answer.siblings[i] == 0) revert MapProofsEmptySibling(i);
        }
        if (depth != 0 && !_isBeside(answer.bitmap, depth - 1)) revert MapProofsTooDeep(depth);
        _checkEnd(key, answer);
        return given;
    }

    function _checkEnd(bytes32 key, Answer memory answer) private pure {
        uint256 length = answer.value.length;
        if (answer.end > OTHER) revert MapProofsEnd(answer.end);
        if (answer.end != OTHER && answer.otherKey != 0) revert MapProofsEnd(answer.end);
        if (answer.end == NOTHING && length != 0) revert MapProofsEnd(answer.end);
        if (answer.end == OTHER) {
            bytes32 other = answer.otherKey;
            // The first `depth` bits are the same, a later one is not.
            uint256 differs = uint256(other ^ key);
            bool off = answer.depth != 0 && differs >> (256 - answer.depth) != 0;
            if (differs == 0 || off) revert MapProofsOtherKey(other);
        }
        if (length > _VALUE_MAX) revert MapProofsValue(length);
    }

    /// Whether the sibling below `depth` is not empty.
    function _isBeside(bytes memory bitmap, uint256 depth) private pure returns (bool) {
        return uint8(bitmap[depth / 8]) >> (depth % 8) & 1 == 1;
    }

    function _entry(bytes32 key, bytes memory value) private view returns (bytes32) {
        return Sha256.hash(bytes.concat(hex"02", key, value));
    }

    function _branch(bytes32 left, bytes32 right) private view returns (bytes32) {
        return Sha256.hash(bytes.concat(hex"03", left, right));
    }

    function _require(Root memory root, bytes32 key, Answer memory answer) private view {
        bytes32 given = rootOf(key, answer);
        if (given != root.root) revert MapProofsRoot(root.root, given);
    }

    function _attested(Root memory root, bytes32 key, Answer memory answer)
        private
        view
        returns (bool found, uint64 index, uint48 height)
    {
        _require(root, key, answer);
        if (answer.end != ENTRY) return (false, 0, 0);
        if (answer.value.length != 14) revert MapProofsValue(answer.value.length);
        uint256 word = Words.load(answer.value, 0);
        return (true, uint64(word >> 192), uint48(word >> 144));
    }
}
