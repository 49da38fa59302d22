package tbsi.verifier;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.bouncycastle.crypto.Digest;
import org.bouncycastle.crypto.digests.KeccakDigest;
import org.bouncycastle.crypto.digests.SHA256Digest;

/** Hashes over parts, and integers in big-endian bytes. */
final class Digests {
    private Digests() {}

    static Bytes sha256(byte[]... parts) {
        return digest(new SHA256Digest(), parts);
    }

    static Bytes keccak256(byte[]... parts) {
        return digest(new KeccakDigest(256), parts);
    }

    private static Bytes digest(Digest digest, byte[][] parts) {
        for (byte[] part : parts) {
            digest.update(part, 0, part.length);
        }
        byte[] found = new byte[digest.getDigestSize()];
        digest.doFinal(found, 0);
        return Bytes.owning(found);
    }

    static byte[] tag(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    static byte[] u64(long value) {
        return ByteBuffer.allocate(8).putLong(value).array();
    }

    static byte[] u32(long value) {
        return ByteBuffer.allocate(4).putInt((int) value).array();
    }

    static byte[] u16(int value) {
        return ByteBuffer.allocate(2).putShort((short) value).array();
    }
}
