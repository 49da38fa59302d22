package tbsi.verifier;

import static tbsi.verifier.FormException.unreadable;
import static tbsi.verifier.FormException.wrongForm;

import java.util.Arrays;

/** Reads bytes from the first to the last; every length is checked. */
final class Cursor {
    private final byte[] data;
    private int at;

    Cursor(byte[] data) {
        this.data = data;
    }

    int left() {
        return data.length - at;
    }

    Bytes take(String field, int count) throws FormException {
        if (count > left()) {
            throw unreadable("proof bytes: %s: %d bytes needed, %d left", field, count, left());
        }
        at += count;
        return Bytes.owning(Arrays.copyOfRange(data, at - count, at));
    }

    Bytes hash(String field) throws FormException {
        return take(field, Bytes.HASH);
    }

    /** A big-endian integer of at most eight bytes. */
    long uint(String field, int length) throws FormException {
        long value = 0;
        for (byte it : take(field, length).array()) {
            value = value << 8 | (it & 0xff);
        }
        return value;
    }

    /** An unsigned LEB128 number below 2^63 in its shortest form. */
    long number(String field) throws FormException {
        long value = 0;
        for (int position = 0; position < Limits.VARINT_BYTES_MAX; position++) {
            long it = uint(field, 1);
            value |= (it & 0x7f) << (7 * position);
            if (it < 0x80) {
                if (it != 0 || position == 0) {
                    return value;
                }
                break;
            }
        }
        throw wrongForm(
                "proof field `%s` is not a number in its shortest form, or out of range", field);
    }

    /** A number of entries. */
    int count(String field, int most) throws FormException {
        long count = number(field);
        if (count > most) {
            throw unreadable(
                    "proof field `%s` has %d entries, at most %d are allowed", field, count, most);
        }
        return (int) count;
    }

    void end() throws FormException {
        if (left() > 0) {
            throw unreadable("proof bytes: %d bytes after the last field", left());
        }
    }
}
