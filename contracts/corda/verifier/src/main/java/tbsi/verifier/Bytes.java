package tbsi.verifier;

import java.util.Arrays;
import java.util.HexFormat;

/** A string of bytes that nobody changes: a hash, an address, a signature, a leaf. */
public final class Bytes implements Comparable<Bytes> {
    /** Of a hash. */
    public static final int HASH = 32;

    /** Of an Ethereum address. */
    public static final int ADDRESS = 20;

    private static final HexFormat HEX = HexFormat.of();

    private final byte[] content;

    private Bytes(byte[] content) {
        this.content = content;
    }

    /** A copy of these bytes. */
    public static Bytes of(byte[] content) {
        return new Bytes(content.clone());
    }

    /** These bytes, which the caller has made for this and keeps no hold of. */
    static Bytes owning(byte[] content) {
        return new Bytes(content);
    }

    /** The bytes of {@code 0x} and hex digits in small letters; null for anything else. */
    public static Bytes fromHex(String text) {
        if (!text.startsWith("0x") || text.length() % 2 != 0) {
            return null;
        }
        for (int at = 2; at < text.length(); at++) {
            char digit = text.charAt(at);
            if (!(digit >= '0' && digit <= '9') && !(digit >= 'a' && digit <= 'f')) {
                return null;
            }
        }
        return new Bytes(HEX.parseHex(text, 2, text.length()));
    }

    /** How many there are. */
    public int length() {
        return content.length;
    }

    /** A copy, which the caller may change. */
    public byte[] toArray() {
        return content.clone();
    }

    /** The bytes themselves, for reading only. */
    byte[] array() {
        return content;
    }

    /** These bytes, and others after them. */
    Bytes and(Bytes others) {
        byte[] all = Arrays.copyOf(content, content.length + others.content.length);
        System.arraycopy(others.content, 0, all, content.length, others.content.length);
        return owning(all);
    }

    /** As unsigned bytes, from the first on. */
    @Override
    public int compareTo(Bytes other) {
        return Arrays.compareUnsigned(content, other.content);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Bytes bytes && Arrays.equals(content, bytes.content);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(content);
    }

    /** {@code 0x} and hex digits in small letters. */
    @Override
    public String toString() {
        return "0x" + HEX.formatHex(content);
    }
}
