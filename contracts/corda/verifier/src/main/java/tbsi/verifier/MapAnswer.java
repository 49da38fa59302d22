package tbsi.verifier;

import static tbsi.verifier.FormException.notCanonical;

import java.util.ArrayList;
import java.util.List;

/**
 * The way from the end of a key's path to the map's root, as it was read (SPEC §9.11).
 *
 * @param bitmap which siblings on the path are not empty
 * @param siblings those, from the root downwards
 * @param other key of the entry that is there instead of the one asked for; null if there is none
 * @param value of the entry at the end; null if there is none
 */
record MapAnswer(int depth, Bytes bitmap, List<Bytes> siblings, Bytes other, Bytes value) {
    private static final byte[] ENTRY = {2};
    private static final byte[] NODE = {3};
    private static final Bytes EMPTY = Bytes.owning(new byte[Bytes.HASH]);

    private static final int NOTHING = 0;
    private static final int OTHER_ENTRY = 2;

    static MapAnswer take(Cursor cursor) throws FormException {
        int depth = cursor.count("depth", Limits.MAP_DEPTH_MAX);
        Bytes bitmap = cursor.take("bitmap", (depth + 7) / 8);
        List<Bytes> siblings = new ArrayList<>();
        for (int left = onesIn(bitmap); left > 0; left--) {
            siblings.add(cursor.hash("siblings"));
        }
        long end = cursor.uint("end", 1);
        if (end > OTHER_ENTRY) {
            throw notCanonical("end");
        }
        Bytes other = end == OTHER_ENTRY ? cursor.hash("key") : null;
        Bytes value = null;
        if (end != NOTHING) {
            int length = cursor.count("value", Limits.MAP_VALUE_BYTES_MAX);
            value = cursor.take("value", length);
        }
        return new MapAnswer(depth, bitmap, List.copyOf(siblings), other, value);
    }

    /** Whether the map has the entry that was asked for. */
    boolean isOwn() {
        return value != null && other == null;
    }

    /** The root that this leads to from a key. */
    Bytes root(Bytes key) throws UnprovenException {
        check(key);
        Bytes root = value == null
                ? EMPTY
                : Digests.sha256(ENTRY, (other == null ? key : other).array(), value.array());
        int next = siblings.size();
        for (int at = depth - 1; at >= 0; at--) {
            Bytes sibling = EMPTY;
            if ((bitmap.array()[at / 8] >> (at % 8) & 1) == 1) {
                next--;
                sibling = siblings.get(next);
            }
            root = bitOf(key, at) == 0
                    ? Digests.sha256(NODE, root.array(), sibling.array())
                    : Digests.sha256(NODE, sibling.array(), root.array());
        }
        return root;
    }

    /** There is one form for each answer. */
    private void check(Bytes key) throws UnprovenException {
        int length = value == null ? 0 : value.length();
        if (depth > Limits.MAP_DEPTH_MAX || length > Limits.MAP_VALUE_BYTES_MAX) {
            throw new UnprovenException(
                    "answer has a depth of %d and a value of %d bytes, at most %d and %d are "
                            + "possible",
                    depth, length, Limits.MAP_DEPTH_MAX, Limits.MAP_VALUE_BYTES_MAX);
        }
        int size = (depth + 7) / 8;
        if (bitmap.length() != size) {
            throw new UnprovenException(
                    "bitmap has %d bytes, a depth of %d needs %d", bitmap.length(), depth, size);
        }
        // The lowest sibling is there, and no bit is set below it.
        if (size > 0 && bitsIn(bitmap.array()[size - 1]) != depth - 8 * (size - 1)) {
            throw new UnprovenException(
                    "the lowest sibling is empty, or bits are set below it");
        }
        int needed = onesIn(bitmap);
        if (siblings.size() != needed) {
            throw new UnprovenException(
                    "answer has %d siblings, %d are needed", siblings.size(), needed);
        }
        if (siblings.contains(EMPTY)) {
            throw new UnprovenException("an empty sibling is written as a hash");
        }
        if (other != null) {
            checkOther(key);
        }
    }

    /** Another entry shows that a key has none only if it lies on the key's own path. */
    private void checkOther(Bytes key) throws UnprovenException {
        if (other.equals(key)) {
            throw new UnprovenException("the other entry is the one that was asked for");
        }
        for (int at = 0; at < depth; at++) {
            if (bitOf(key, at) != bitOf(other, at)) {
                throw new UnprovenException(
                        "the other entry shares %d bits with the key, %d are needed", at, depth);
            }
        }
    }

    /** Counted from the highest bit of the first byte. */
    private static int bitOf(Bytes key, int at) {
        return key.array()[at / 8] >> (7 - at % 8) & 1;
    }

    private static int bitsIn(byte of) {
        return Integer.SIZE - Integer.numberOfLeadingZeros(of & 0xff);
    }

    private static int onesIn(Bytes bitmap) {
        int ones = 0;
        for (byte it : bitmap.array()) {
            ones += Integer.bitCount(it & 0xff);
        }
        return ones;
    }
}
