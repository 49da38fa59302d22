package tbsi.verifier;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** An item of RLP in its one form, without its head. */
final class Rlp {
    /** Longest payload whose length is in the item's first byte. */
    private static final int SHORT_MAX = 55;

    private final byte[] data;
    private final int from;
    private final int end;
    /** Of the item with its head. */
    private final int size;
    private final boolean isList;

    private Rlp(byte[] data, int start, int from, int end, boolean isList) {
        this.data = data;
        this.from = from;
        this.end = end;
        this.size = end - start;
        this.isList = isList;
    }

    /** The item that these bytes are; null if they are none, or more. */
    static Rlp whole(byte[] data) {
        Rlp found = first(data, 0, data.length);
        return found == null || found.end != data.length ? null : found;
    }

    /** The item that begins at {@code start}; null if there is none before {@code limit}. */
    private static Rlp first(byte[] data, int start, int limit) {
        if (start >= limit) {
            return null;
        }
        int head = data[start] & 0xff;
        if (head < 0x80) {
            return new Rlp(data, start, start, start + 1, false);
        }
        boolean isList = head >= 0xc0;
        long length = head - (isList ? 0xc0 : 0x80);
        int from = start + 1;
        if (length > SHORT_MAX) {
            int bytes = (int) length - SHORT_MAX;
            // Nothing here has 2^32 bytes.
            if (bytes > 4 || bytes > limit - from || data[from] == 0) {
                return null;
            }
            length = 0;
            for (int left = bytes; left > 0; left--) {
                length = length << 8 | (data[from++] & 0xff);
            }
            if (length <= SHORT_MAX) {
                return null;
            }
        } else if (!isList && length == 1 && from < limit && data[from] >= 0) {
            // A byte below 0x80 is its own item.
            return null;
        }
        return length > limit - from
                ? null : new Rlp(data, start, from, from + (int) length, isList);
    }

    boolean isList() {
        return isList;
    }

    /** Bytes of the item with its head. */
    int size() {
        return size;
    }

    /** A string's bytes; null of a list. */
    byte[] text() {
        return isList ? null : Arrays.copyOfRange(data, from, end);
    }

    /** The items of a list, at most {@code most}; null if it is none. */
    List<Rlp> items(int most) {
        if (!isList) {
            return null;
        }
        List<Rlp> items = new ArrayList<>();
        for (int at = from; at < end; ) {
            Rlp next = items.size() == most ? null : first(data, at, end);
            if (next == null) {
                return null;
            }
            items.add(next);
            at = next.end;
        }
        return items;
    }
}
