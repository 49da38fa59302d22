package tbsi.verifier;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** What the map says, by map.json and map_verdicts.json, must-fail cases included. */
class MapTest {
    private static List<Map<String, Object>> verdicts() {
        return Vectors.objects(Vectors.read("map_verdicts.json").get("cases"));
    }

    private static Map<String, Object> verdict(String name) {
        return verdicts().stream()
                .filter(it -> it.get("name").equals(name)).findFirst().orElseThrow();
    }

    @Test
    void answers() {
        List<Map<String, Object>> cases = Vectors.objects(Vectors.read("map.json").get("answers"));
        for (Map<String, Object> it : cases) {
            String name = (String) it.get("name");
            Bytes key = Vectors.bytes(it.get("key"));
            assertEquals(key, Digests.sha256(Vectors.data(it.get("preimage"))), name);
            List<Bytes> siblings =
                    ((List<?>) it.get("siblings")).stream().map(Vectors::bytes).toList();
            long end = (Long) it.get("end");
            MapAnswer answer = new MapAnswer(
                    ((Long) it.get("depth")).intValue(), Vectors.bytes(it.get("bitmap")), siblings,
                    end == 2 ? Vectors.bytes(it.get("otherKey")) : null,
                    end == 0 ? null : Vectors.bytes(it.get("value")));
            String refused = (String) it.get("refused");
            Bytes root = null;
            try {
                root = answer.root(key);
            } catch (UnprovenException error) {
                assertTrue(!refused.isEmpty() && !refused.equals("leads to root"), name);
            }
            boolean leads = root != null && root.toString().equals(it.get("root"));
            assertEquals(refused.isEmpty(), leads, name);
            assertEquals(refused.isEmpty() || refused.equals("leads to root"), root != null, name);
        }
        assertTrue(cases.size() >= 42, cases.size() + " cases");
    }

    @Test
    void proofs() {
        TrustAnchor genesis = Vectors.genesis();
        Map<String, Object> vectors = Vectors.read("map.json");
        assertEquals(vectors.get("genesisHash"), genesis.chain.genesisHash().toString());
        List<Map<String, Object>> cases = Vectors.objects(vectors.get("proofs"));
        int held = 0;
        for (Map<String, Object> it : cases) {
            String name = (String) it.get("name");
            // A verifier of both forms reads this one.
            if (name.equals("a proof without map part")) {
                continue;
            }
            for (byte[] form : Vectors.forms(it)) {
                Report got = Verifier.verify(form, genesis);
                if (it.get("refused") instanceof String refused) {
                    assertNull(got.current(), name);
                    assertTrue(got.reason().contains(refused), name + ": " + got.reason());
                } else {
                    held++;
                    assertNotNull(got.current(), name + ": " + got.reason());
                    check(name, got, Vectors.object(it.get("verified")));
                }
            }
        }
        assertEquals(30, held);
        assertTrue(cases.size() >= 40, cases.size() + " proofs");
    }

    private static void check(String name, Report got, Map<String, Object> want) {
        Current current = got.current();
        assertEquals(want.get("rootIndex"), current.leafIndex(), name);
        assertEquals(want.get("entries"), current.root().field("entries"), name);
        check(name, Vectors.object(want.get("knownUpTo")), current.known());
        check(name, Vectors.object(want.get("digestsKnownUpTo")), current.digestsKnown());
        List<Map<String, Object>> digests = Vectors.objects(want.get("digests"));
        assertEquals(digests.size(), current.digests().size(), name);
        for (int i = 0; i < digests.size(); i++) {
            Current.Digest found = current.digests().get(i);
            assertEquals(digests.get(i).get("digest"), found.digest().toString(), name);
            Object index = found.first() == null ? null : found.first().leafIndex();
            Object height = found.first() == null ? null : found.first().height();
            assertEquals(digests.get(i).get("firstLeafIndex"), index, name);
            assertEquals(digests.get(i).get("firstHeight"), height, name);
        }
        if (want.get("status") == null) {
            assertNull(current.status(), name);
            return;
        }
        Map<String, Object> status = Vectors.object(want.get("status"));
        assertEquals(status.get("id"), got.leaf().id().toString(), name);
        assertEquals(status.get("issuer"), got.leaf().issuer().toString(), name);
        assertEquals(status.get("status"), word(current.status()), name);
        Current.Revocation revocation = current.status().revocation();
        Object reason = revocation == null ? null : (long) revocation.reason();
        Object place = revocation == null ? null : revocation.place().leafIndex();
        assertEquals(status.get("reason"), reason, name);
        assertEquals(status.get("revocationLeafIndex"), place, name);
        Current.Supersession supersession = current.status().supersession();
        Object successor = supersession == null ? null : supersession.successor().toString();
        assertEquals(status.get("successor"), successor, name);
    }

    private static void check(String name, Map<String, Object> want, Current.Known got) {
        assertEquals(want.get("height"), got.height(), name);
        assertEquals(want.get("timeMs"), got.timed() ? got.timeMs() : null, name);
    }

    private static String word(Current.Status of) {
        return of.revocation() != null
                ? "revoked" : of.algorithmRevoked() ? "algorithmRevoked" : "notRevoked";
    }

    @Test
    void verdictsThatEveryVerifierShares() {
        TrustAnchor genesis = Vectors.genesis();
        List<String> wrong = new ArrayList<>();
        int told = 0;
        for (Map<String, Object> it : verdicts()) {
            Report got = Verifier.verify(Vectors.proof(it), genesis);
            String code = got.code() == null ? null : got.code().toString();
            boolean same = it.get("verdict").equals(got.verdict().toString())
                    && Objects.equals(it.get("code"), code);
            if (!same) {
                wrong.add(it.get("name") + ": " + got);
            } else if (it.get("says") != null) {
                told++;
                checkSaid((String) it.get("name"), Vectors.object(it.get("says")), got.current());
            }
        }
        assertEquals(List.of(), wrong);
        assertTrue(told >= 36, told + " cases");
    }

    private static void checkSaid(String name, Map<String, Object> want, Current of) {
        assertEquals(want.get("asOf"), of.known().height(), name);
        assertEquals(want.get("asOfMs"), of.known().timeMs(), name);
        Current.Status status = of.status();
        if (status == null) {
            Current.Known known = of.digestsKnown();
            assertEquals(want.get("digestsAsOf"), known.height(), name);
            assertEquals(want.get("digestsAsOfMs"), known.timed() ? known.timeMs() : null, name);
            List<?> digests = (List<?>) want.get("digests");
            assertEquals(digests.size(), of.digests().size(), name);
            for (int i = 0; i < digests.size(); i++) {
                checkPlace(name, digests.get(i), of.digests().get(i).first());
            }
            return;
        }
        assertEquals(want.get("status"), word(status), name);
        Current.Revocation revocation = status.revocation();
        checkPlace(name, want.get("revoked"), revocation == null ? null : revocation.place());
        if (revocation != null) {
            Object reason = Vectors.object(want.get("revoked")).get("reason");
            assertEquals(reason, (long) revocation.reason(), name);
        }
        Current.Supersession other = status.supersession();
        checkPlace(name, want.get("superseded"), other == null ? null : other.place());
        if (other != null) {
            Object successor = Vectors.object(want.get("superseded")).get("successor");
            assertEquals(successor, other.successor().toString(), name);
        }
    }

    private static void checkPlace(String name, Object want, Current.Place got) {
        if (want == null) {
            assertNull(got, name);
            return;
        }
        Map<String, Object> place = Vectors.object(want);
        assertEquals(place.get("leafIndex"), got.leafIndex(), name);
        assertEquals(place.get("height"), got.height(), name);
        assertEquals(place.getOrDefault("timeMs", 0L), got.timeMs(), name);
    }

    @Test
    void howOldAStatusMayBe() {
        TrustAnchor genesis = Vectors.genesis();
        List<Map<String, Object>> ages =
                Vectors.objects(Vectors.read("map_verdicts.json").get("ages"));
        for (Map<String, Object> it : ages) {
            StatusAge age = new StatusAge((Long) it.get("maxAgeMs"), (Long) it.get("atMs"));
            byte[] proof = Vectors.proof(verdict((String) it.get("name")));
            Report got = Verifier.verify(proof, genesis, age);
            String expected = (String) it.get("expected");
            assertTrue(
                    expected.equals(got.verdict().toString())
                            || expected.equals(String.valueOf(got.code())),
                    it + ": " + got);
        }
        assertTrue(ages.size() >= 15, ages.size() + " ages");
        StatusAge age = new StatusAge(0, 0);
        Report without = Verifier.verify(Vectors.compact("signed by all"), genesis, age);
        assertEquals(Code.STATUS_MISSING, without.code());
        assertEquals(Code.UNREADABLE, Verifier.verify(new byte[0], genesis, age).code());
    }

    @Test
    void everyByteCounts() {
        TrustAnchor genesis = Vectors.genesis();
        byte[] good = Vectors.proof(
                verdict("map: revoked under a schema that does not allow it (compact)"));
        assertEquals(Verdict.VALID, Verifier.verify(good, genesis).verdict());
        for (int at = 0; at < good.length; at++) {
            byte[] mutant = good.clone();
            mutant[at] ^= (byte) (1 << (at % 8));
            Report report = Verifier.verify(mutant, genesis);
            assertNotEquals(Verdict.VALID, report.verdict(), "byte " + at);
            assertNotEquals(Verdict.VOID, report.verdict(), "byte " + at);
        }
    }
}
