package tbsi.verifier;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Who issuer and validators are, by registry.json, must-fail cases included. */
class RegistryTest {
    @Test
    void namesThatTheRegistryProves() {
        Map<String, Object> vectors = Vectors.read("registry.json");
        TrustAnchor genesis = Vectors.genesis();
        assertEquals(vectors.get("genesisHash"), genesis.chain.genesisHash().toString());
        List<Map<String, Object>> cases = Vectors.objects(vectors.get("proofs"));
        int held = 0;
        int withMap = 0;
        for (Map<String, Object> it : cases) {
            String name = (String) it.get("name");
            for (byte[] form : Vectors.forms(it)) {
                Report got = Verifier.verify(form, genesis);
                String said = name + ": " + got.reason();
                if (it.get("refused") == null) {
                    held++;
                    withMap += got.current() == null ? 0 : 1;
                    // One of them has the status of what was revoked.
                    boolean revoked = name.equals("with its status");
                    assertEquals(
                            revoked ? Verdict.VOID : Verdict.VALID, got.verdict(), said);
                    check(name, got.registry(), Vectors.object(it.get("verified")));
                } else {
                    Map<String, Object> refused = Vectors.object(it.get("refused"));
                    assertEquals(refused.get("verdict"), got.verdict().toString(), said);
                    assertEquals(refused.get("code"), got.code().toString(), said);
                    assertNull(got.registry(), said);
                }
            }
        }
        assertEquals(List.of(18, 4), List.of(held, withMap));
        assertTrue(cases.size() >= 80, cases.size() + " cases");
    }

    private static void check(String name, Registry got, Map<String, Object> want) {
        assertEquals(want.get("knownUpTo"), got.known(), name);
        if (want.get("issuer") == null) {
            assertNull(got.issuer(), name);
        } else {
            Map<String, Object> issuer = Vectors.object(want.get("issuer"));
            Registry.Issuer found = got.issuer();
            check(name, issuer, found.organisation(), found.legal(), found.named().since());
            assertEquals(issuer.get("memberSince"), found.member().since(), name);
            assertEquals(until(issuer.get("memberUntil")), found.member().until(), name);
            assertEquals(until(issuer.get("namedUntil")), found.named().until(), name);
        }
        List<?> operators = (List<?>) want.get("operators");
        assertEquals(operators.size(), got.operators().size(), name);
        for (int i = 0; i < operators.size(); i++) {
            Registry.Operator found = got.operators().get(i);
            if (operators.get(i) == null) {
                assertNull(found, name);
                continue;
            }
            Map<String, Object> operator = Vectors.object(operators.get(i));
            assertEquals(operator.get("validator"), found.validator().toString(), name);
            assertEquals(found, got.operator(found.validator()), name);
            check(name, operator, found.organisation(), found.legal(), found.since());
        }
    }

    private static long until(Object height) {
        return height == null ? 0 : (Long) height;
    }

    private static String stated(Object text) {
        return text == null ? "" : (String) text;
    }

    private static void check(
            String name, Map<String, Object> want, long organisation, LegalRecord legal,
            long since) {
        assertEquals(want.get("number"), organisation, name);
        assertEquals(want.get("namedSince"), since, name);
        LegalRecord expected = new LegalRecord(
                (String) want.get("nameZhTw"), (String) want.get("nameEn"),
                stated(want.get("taxId")), stated(want.get("lei")),
                (String) want.get("jurisdiction"));
        assertEquals(expected, legal, name);
    }

    @Test
    void everyByteCounts() {
        TrustAnchor anchor = Vectors.genesis();
        List<Map<String, Object>> cases =
                Vectors.objects(Vectors.read("registry.json").get("proofs"));
        Map<String, Object> found = cases.stream()
                .filter(it -> it.get("name").equals("the validators alone"))
                .findFirst().orElseThrow();
        byte[] good = Vectors.data(found.get("compact"));
        assertEquals(Verdict.VALID, Verifier.verify(good, anchor).verdict());
        for (int at = 0; at < good.length; at++) {
            byte[] mutant = good.clone();
            mutant[at] ^= (byte) (1 << (at % 8));
            Report report = Verifier.verify(mutant, anchor);
            assertNotEquals(Verdict.VALID, report.verdict(), "byte " + at);
            assertNotNull(report.code());
        }
        Report shorter = Verifier.verify(Arrays.copyOf(good, good.length - 1), anchor);
        assertEquals(Code.UNREADABLE, shorter.code());
    }

    @Test
    void itemsOfRlpHaveOneForm() {
        String longest = "b838" + "07".repeat(56);
        for (String good : List.of("7f", "80", "8180", "c0", "c20180", longest)) {
            assertNotNull(item(good), good);
        }
        List<String> bad = List.of(
                "", "817f", "8201", "b80107", "b90038", "c1", "8080", "f80107",
                "bfffffffffffffffff");
        for (String it : bad) {
            assertNull(item(it), it);
        }
        // The list is whole, what it holds is not.
        assertNull(item("c181").items(9));
        assertNull(item("c20102").items(1));
    }

    private static Rlp item(String hex) {
        return Rlp.whole(Vectors.data("0x" + hex));
    }
}
