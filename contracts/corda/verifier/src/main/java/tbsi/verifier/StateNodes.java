package tbsi.verifier;

import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Words of a state, by the nodes of its Merkle Patricia tries: each is stated once, in the order
 * in which they are first needed.
 */
final class StateNodes {
    private static final int KEY_NIBBLES = 64;
    private static final Bytes EMPTY_TRIE = Digests.keccak256(new byte[] {(byte) 0x80});

    private final Bytes root;
    private final List<Bytes> nodes;
    /** Looked up only, never gone through: its order means nothing. */
    private final Map<Bytes, Bytes> known = new HashMap<>();

    /** Where a node leads: to a value, to the node of a hash, to one inside of it, or to nothing. */
    private record Step(byte[] value, Bytes hash, Rlp inside, int nibbles) {
        static final Step NOTHING = new Step(null, null, null, 0);

        Step after(int taken) {
            return new Step(value, hash, inside, taken);
        }
    }

    StateNodes(Bytes root, List<Bytes> nodes) {
        this.root = root;
        this.nodes = nodes;
    }

    /** The word in a slot of an account, 32 bytes; 0 if there is no such account or slot. */
    Bytes word(Bytes account, Bytes slot) throws UnprovenException {
        byte[] none = new byte[Bytes.HASH];
        byte[] found = value(root, Digests.keccak256(account.array()));
        if (found == null) {
            return Bytes.owning(none);
        }
        byte[] encoded = value(storageRoot(found), Digests.keccak256(slot.array()));
        return encoded == null ? Bytes.owning(none) : wordOf(encoded);
    }

    /** Nothing is left over. */
    void end() throws UnprovenException {
        if (known.size() != nodes.size()) {
            throw new UnprovenException("node %d is one too many", known.size());
        }
    }

    /** Slot of a key in the mapping at {@code slot} (Solidity's layout). */
    static Bytes mappingSlot(byte[] key, long slot) {
        ByteBuffer words = ByteBuffer.allocate(2 * Bytes.HASH);
        words.position(Bytes.HASH - key.length).put(key);
        words.putLong(2 * Bytes.HASH - Long.BYTES, slot);
        return Digests.keccak256(words.array());
    }

    /** Slot of a list's element that begins {@code place} slots after its first. */
    static Bytes elementSlot(Bytes list, long place) {
        byte[] first = Digests.keccak256(list.array()).toArray();
        long carry = place;
        for (int at = first.length - 1; at >= 0; at--) {
            carry += first[at] & 0xff;
            first[at] = (byte) carry;
            carry >>>= 8;
        }
        return Bytes.owning(first);
    }

    /** The value of a hashed key; null if there is none. */
    private byte[] value(Bytes from, Bytes key) throws UnprovenException {
        if (from.equals(EMPTY_TRIE)) {
            return null;
        }
        Rlp at = Rlp.whole(node(from).array());
        int depth = 0;
        // Each step takes a nibble at least, or ends.
        while (true) {
            Step next = at == null ? null : step(at, key, depth);
            if (next == null) {
                throw new UnprovenException("no node of a trie in canonical form");
            }
            depth += next.nibbles;
            if (next.hash != null) {
                at = Rlp.whole(node(next.hash).array());
            } else if (next.inside != null) {
                at = next.inside;
            } else {
                return next.value;
            }
        }
    }

    private Bytes node(Bytes hash) throws UnprovenException {
        Bytes stated = known.get(hash);
        if (stated != null) {
            return stated;
        }
        int at = known.size();
        if (at >= nodes.size()) {
            throw new UnprovenException("node %d is missing", at);
        }
        Bytes node = nodes.get(at);
        if (!Digests.keccak256(node.array()).equals(hash)) {
            throw new UnprovenException(
                    "node %d has another hash than the one above it names", at);
        }
        known.put(hash, node);
        return node;
    }

    /** Null if it is no node. */
    private static Step step(Rlp node, Bytes key, int depth) {
        List<Rlp> items = node.items(17);
        if (items == null) {
            return null;
        }
        if (items.size() == 2) {
            return shortStep(items.get(0), items.get(1), key, depth);
        }
        if (items.size() != 17 || depth == KEY_NIBBLES) {
            return null;
        }
        Step child = child(items.get(nibble(key, depth)));
        return child == null ? null : child.after(1);
    }

    private static Step child(Rlp item) {
        if (item.isList()) {
            return item.size() < Bytes.HASH ? new Step(null, null, item, 0) : null;
        }
        byte[] hash = item.text();
        if (hash.length == 0) {
            return Step.NOTHING;
        }
        return hash.length == Bytes.HASH ? new Step(null, Bytes.owning(hash), null, 0) : null;
    }

    /** A leaf or an extension. */
    private static Step shortStep(Rlp path, Rlp rest, Bytes key, int depth) {
        byte[] head = path.text();
        if (head == null || head.length == 0) {
            return null;
        }
        int kind = (head[0] & 0xff) >> 4;
        boolean isOdd = kind % 2 == 1;
        if (kind > 3 || (!isOdd && (head[0] & 15) != 0)) {
            return null;
        }
        boolean isLeaf = kind >= 2;
        // The first byte has one nibble of an odd path, none of an even one.
        int skipped = isOdd ? 1 : 2;
        int count = 2 * head.length - skipped;
        int left = KEY_NIBBLES - depth;
        if (count > left || (isLeaf && count != left) || (!isLeaf && count == 0)) {
            return null;
        }
        Bytes nibbles = Bytes.owning(head);
        for (int at = 0; at < count; at++) {
            if (nibble(nibbles, skipped + at) != nibble(key, depth + at)) {
                return Step.NOTHING;
            }
        }
        if (isLeaf) {
            byte[] value = rest.text();
            return value == null ? null : new Step(value, null, null, count);
        }
        Step child = child(rest);
        // An extension leads somewhere.
        return child == null || child == Step.NOTHING ? null : child.after(count);
    }

    private static int nibble(Bytes key, int at) {
        int both = key.array()[at / 2] & 0xff;
        return at % 2 == 0 ? both >> 4 : both & 15;
    }

    /** Of an account: nonce, balance, storage root, code hash. */
    private static Bytes storageRoot(byte[] account) throws UnprovenException {
        Rlp item = Rlp.whole(account);
        List<Rlp> fields = item == null ? null : item.items(4);
        if (fields != null && fields.size() == 4) {
            byte[] root = fields.get(2).text();
            byte[] code = fields.get(3).text();
            boolean fits = isInteger(fields.get(0).text(), 8) && isInteger(fields.get(1).text(), 32)
                    && root != null && root.length == Bytes.HASH
                    && code != null && code.length == Bytes.HASH;
            if (fits) {
                return Bytes.owning(root);
            }
        }
        throw new UnprovenException("the proven account has another form than its own");
    }

    private static boolean isInteger(byte[] bytes, int most) {
        return bytes != null && bytes.length <= most && (bytes.length == 0 || bytes[0] != 0);
    }

    /** Zero is in no trie. */
    private static Bytes wordOf(byte[] encoded) throws UnprovenException {
        Rlp item = Rlp.whole(encoded);
        byte[] bytes = item == null ? null : item.text();
        if (bytes == null || bytes.length == 0 || !isInteger(bytes, Bytes.HASH)) {
            throw new UnprovenException("the proven value is no word without leading zeros");
        }
        byte[] word = new byte[Bytes.HASH];
        System.arraycopy(bytes, 0, word, Bytes.HASH - bytes.length, bytes.length);
        return Bytes.owning(word);
    }
}
