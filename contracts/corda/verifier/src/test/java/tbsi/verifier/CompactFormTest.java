package tbsi.verifier;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

class CompactFormTest {
    static Bundle bundle(String name) throws FormException {
        return Bundle.parseCompact(Vectors.compact(name));
    }

    @Test
    void everyByteCounts() {
        TrustAnchor anchor = Vectors.genesis();
        for (String name : new String[] {"signed by a quorum", "two handovers"}) {
            byte[] good = Vectors.compact(name);
            assertEquals(Verdict.VALID, Verifier.verify(good, anchor).verdict());
            for (int at = 0; at < good.length; at++) {
                byte[] mutant = good.clone();
                mutant[at] ^= (byte) (1 << (at % 8));
                Report report = Verifier.verify(mutant, anchor);
                assertNotEquals(Verdict.VALID, report.verdict(), name + ", byte " + at);
                assertNotNull(report.code());
                Report shorter = Verifier.verify(Arrays.copyOf(good, at), anchor);
                assertNotEquals(Verdict.VALID, shorter.verdict(), name + ", first " + at);
            }
        }
    }

    @Test
    void limitsAreKept() {
        TrustAnchor anchor = Vectors.genesis();
        byte[] tooLong = Arrays.copyOf(Vectors.compact("signed by all"), 8 * 1024 * 1024 + 1);
        Report report = Verifier.verify(tooLong, anchor);
        assertEquals(Code.UNREADABLE, report.code());
        assertEquals("proof has 8388609 bytes, at most 8388608 are allowed", report.reason());
        byte[] blank = new byte[32 * 1024 * 1024 + 1];
        Arrays.fill(blank, (byte) ' ');
        report = Verifier.verify(blank, anchor);
        assertEquals(Code.UNREADABLE, report.code());
        assertEquals("proof has 33554433 bytes, at most 33554432 are allowed", report.reason());
    }
}
