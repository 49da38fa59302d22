package tbsi.verifier;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

class CertificateTest {
    @Test
    void quorumIsStrictlyMoreThanTwoThirds() {
        for (long total = 1; total <= 128; total++) {
            for (long power = 0; power <= total; power++) {
                assertEquals(3 * power > 2 * total, Certificate.isQuorum(power, total));
            }
        }
        // 2^64 - 1 is 3 times 6148914691236517205.
        assertEquals(false, Certificate.isQuorum(2 * 6148914691236517205L, -1L));
        assertEquals(true, Certificate.isQuorum(2 * 6148914691236517205L + 1, -1L));
    }

    @Test
    void signaturesHaveOneForm() {
        Forge.Key key = Forge.key(1);
        byte[] digest = new byte[32];
        byte[] good = key.sign(digest);
        assertEquals(key.address(), Secp256k1.recover(digest, good));
        assertNull(Secp256k1.recover(digest, new byte[65]));
        for (int length : new int[] {0, 64, 66}) {
            assertNull(Secp256k1.recover(digest, Arrays.copyOf(good, length)));
        }
        for (int v : new int[] {0, 1, 29, 30, 31, -1}) {
            byte[] other = good.clone();
            other[64] = (byte) v;
            assertNull(Secp256k1.recover(digest, other));
        }
        assertNull(Secp256k1.recover(digest, Forge.withHighS(good)));
        for (int part : new int[] {0, 32}) {
            byte[] zero = good.clone();
            Arrays.fill(zero, part, part + 32, (byte) 0);
            assertNull(Secp256k1.recover(digest, zero));
            byte[] all = good.clone();
            Arrays.fill(all, part, part + 32, (byte) 0xff);
            assertNull(Secp256k1.recover(digest, all));
        }
        // 5 is the x of no point.
        byte[] none = good.clone();
        Arrays.fill(none, 0, 31, (byte) 0);
        none[31] = 5;
        assertNull(Secp256k1.recover(digest, none));
    }
}
