package tbsi.verifier;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Streams of handovers, by handovers.json, must-fail cases included. */
class HandoversTest {
    private static final long HEIGHT = 1_200;

    private final Map<String, Object> vectors = Vectors.read("handovers.json");
    private final List<Map<String, Object>> cases = Vectors.objects(vectors.get("cases"));
    private final byte[] proof = Vectors.data(vectors.get("proof"));

    private TrustAnchor anchor(Map<String, Object> of) {
        if (!of.containsKey("trustedCheckpoint")) {
            return Vectors.genesis();
        }
        Checkpoint trusted = Checkpoint.decode(Vectors.data(of.get("trustedCheckpoint")));
        return TrustAnchor.of(Vectors.bytes(vectors.get("genesisHash")), trusted);
    }

    private static InputStream stream(Map<String, Object> of) {
        return new ByteArrayInputStream(Vectors.data(of.get("stream")));
    }

    @Test
    void streamsLeadWhereTheVectorsSay() throws Handovers.UnusableException {
        for (Map<String, Object> it : cases) {
            String name = (String) it.get("name");
            TrustAnchor anchor = anchor(it);
            long height = (Long) it.get("height");
            if (it.get("refused") instanceof String refused) {
                Handovers.UnusableException error = assertThrows(
                        Handovers.UnusableException.class,
                        () -> Handovers.follow(stream(it), anchor, height), name);
                assertTrue(error.getMessage().contains(refused), name + ": " + error);
                continue;
            }
            Handovers.Followed got = Handovers.follow(stream(it), anchor, height);
            Map<String, Object> want = Vectors.object(it.get("followed"));
            assertEquals(want.get("count"), got.count(), name);
            Report after = Verifier.verify(proof, got.anchor());
            assertEquals(want.get("proofHolds"), after.isValid(), name + ": " + after.reason());
        }
        assertTrue(cases.size() >= 35, cases.size() + " cases");
    }

    @Test
    void aProofThatBeginsLaterVerifiesWithThem() {
        assertEquals(Code.GAP, Verifier.verify(proof, Vectors.genesis()).code());
        for (Map<String, Object> it : cases) {
            if (!it.get("height").equals(HEIGHT)) {
                continue;
            }
            String name = (String) it.get("name");
            Report got = Verifier.verify(proof, anchor(it), stream(it));
            if (it.containsKey("refused")) {
                assertEquals(Code.HANDOVERS, got.code(), name);
                assertEquals(Verdict.COULD_NOT_TELL, got.verdict(), name);
                assertNotNull(got.reason(), name);
                continue;
            }
            Map<String, Object> want = Vectors.object(it.get("followed"));
            assertEquals(want.get("proofHolds"), got.isValid(), name + ": " + got.reason());
            if (got.isValid()) {
                assertEquals(want.get("count"), got.followed(), name);
            }
        }
        InputStream broken = new InputStream() {
            @Override
            public int read() throws IOException {
                throw new IOException("the disk is gone");
            }
        };
        Report got = Verifier.verify(proof, Vectors.genesis(), broken);
        assertEquals(Code.HANDOVERS, got.code());
        assertTrue(got.reason().contains("the disk is gone"), got.reason());
        // The proof is looked at first.
        assertEquals(
                Code.UNREADABLE, Verifier.verify(new byte[0], Vectors.genesis(), broken).code());
    }

    @Test
    void everyByteCounts() {
        byte[] good = Vectors.data(cases.get(0).get("stream"));
        TrustAnchor genesis = Vectors.genesis();
        int shorter = 0;
        for (int at = 0; at < good.length; at++) {
            byte[] mutant = good.clone();
            mutant[at] ^= (byte) (1 << (at % 8));
            Report changed = Verifier.verify(proof, genesis, new ByteArrayInputStream(mutant));
            assertTrue(!changed.isValid(), "byte " + at);
            byte[] cut = Arrays.copyOf(good, at);
            Report less = Verifier.verify(proof, genesis, new ByteArrayInputStream(cut));
            assertTrue(!less.isValid(), "first " + at + " bytes");
            shorter += less.code() == Code.HANDOVERS ? 0 : 1;
        }
        // After the head, and after the first record.
        assertEquals(2, shorter);
    }
}
