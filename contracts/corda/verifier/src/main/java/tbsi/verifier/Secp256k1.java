package tbsi.verifier;

import java.math.BigInteger;
import java.util.Arrays;
import org.bouncycastle.asn1.x9.X9ECParameters;
import org.bouncycastle.crypto.ec.CustomNamedCurves;
import org.bouncycastle.math.ec.ECAlgorithms;
import org.bouncycastle.math.ec.ECPoint;
import org.bouncycastle.util.BigIntegers;

/** Recovery of the address that signed (SPEC §3.1). */
final class Secp256k1 {
    static final X9ECParameters CURVE = CustomNamedCurves.getByName("secp256k1");
    private static final BigInteger ORDER = CURVE.getN();
    private static final BigInteger HALF_ORDER = ORDER.shiftRight(1);
    private static final int COORDINATE_BYTES = 32;

    private Secp256k1() {}

    /** The address whose key signed; null for any form but r || s || v with a low s. */
    static Bytes recover(byte[] digest, byte[] signature) {
        if (signature.length != 65 || (signature[64] != 27 && signature[64] != 28)) {
            return null;
        }
        BigInteger r = new BigInteger(1, signature, 0, 32);
        BigInteger s = new BigInteger(1, signature, 32, 32);
        if (r.signum() == 0 || r.compareTo(ORDER) >= 0
                || s.signum() == 0 || s.compareTo(HALF_ORDER) > 0) {
            return null;
        }
        ECPoint point = decompress(signature, signature[64] == 28);
        if (point == null) {
            return null;
        }
        BigInteger inverse = BigIntegers.modOddInverseVar(ORDER, r);
        BigInteger ofBase = new BigInteger(1, digest).negate().multiply(inverse).mod(ORDER);
        BigInteger ofPoint = s.multiply(inverse).mod(ORDER);
        ECPoint key = ECAlgorithms.sumOfTwoMultiplies(CURVE.getG(), ofBase, point, ofPoint);
        return key.isInfinity() ? null : addressOf(key);
    }

    /** The point whose x is in the first 32 bytes; null if the curve has none. */
    private static ECPoint decompress(byte[] x, boolean odd) {
        byte[] encoded = new byte[1 + COORDINATE_BYTES];
        encoded[0] = (byte) (odd ? 3 : 2);
        System.arraycopy(x, 0, encoded, 1, COORDINATE_BYTES);
        return decode(encoded);
    }

    /** The point of a compressed key; null if it is none. */
    static ECPoint decode(byte[] compressed) {
        if (compressed.length != 1 + COORDINATE_BYTES
                || (compressed[0] != 2 && compressed[0] != 3)) {
            return null;
        }
        try {
            return CURVE.getCurve().decodePoint(compressed);
        } catch (IllegalArgumentException noPoint) {
            return null;
        }
    }

    /** The Ethereum address of a key. */
    static Bytes addressOf(ECPoint key) {
        byte[] encoded = key.normalize().getEncoded(false);
        byte[] hash = Digests.keccak256(Arrays.copyOfRange(encoded, 1, encoded.length)).array();
        return Bytes.owning(Arrays.copyOfRange(hash, hash.length - Bytes.ADDRESS, hash.length));
    }
}
