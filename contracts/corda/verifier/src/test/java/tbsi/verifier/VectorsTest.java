package tbsi.verifier;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** Vectors of the repository, must-fail ones included. */
class VectorsTest {
    @Test
    void bundles() {
        int good = 0;
        int bad = 0;
        for (Vectors.BundleCase it : Vectors.bundles()) {
            Report report = Verifier.verify(it.proof(), it.anchor());
            if (it.fields().get("refused") instanceof String refused) {
                bad++;
                assertNotEquals(Verdict.VALID, report.verdict(), it.name());
                assertTrue(report.reason().contains(refused), it.name() + ": " + report.reason());
                continue;
            }
            good++;
            assertEquals(Verdict.VALID, report.verdict(), it.name() + ": " + report.reason());
            checkVerified(it.name(), report, Vectors.object(it.fields().get("verified")));
        }
        assertTrue(good >= 16 && bad >= 24, good + " and " + bad);
    }

    private static void checkVerified(String name, Report report, Map<String, Object> want) {
        Leaf leaf = report.leaf();
        VerifiedDecision decision = report.decision();
        assertEquals(want.get("issuer"), leaf.issuer().toString(), name);
        assertEquals(want.get("timeMs"), leaf.timeMs(), name);
        assertEquals(want.get("leafIndex"), report.leafIndex(), name);
        assertEquals(want.get("id"), leaf.id().toString(), name);
        assertEquals(want.get("power"), decision.power(), name);
        assertEquals(want.get("totalPower"), decision.totalPower(), name);
        List<String> signers = decision.signers().stream().map(Validator::nameEn).toList();
        assertEquals(want.get("signers"), signers, name);
        assertEquals(want.get("handovers"), (long) report.handovers().size(), name);
    }

    @Test
    void verdictsThatEveryVerifierShares() {
        TrustAnchor genesis = Vectors.genesis();
        List<Map<String, Object>> cases =
                Vectors.objects(Vectors.read("verdicts.json").get("cases"));
        List<String> wrong = new ArrayList<>();
        for (Map<String, Object> it : cases) {
            Report got = Verifier.verify(Vectors.proof(it), genesis);
            String code = got.code() == null ? null : got.code().toString();
            boolean same = it.get("verdict").equals(got.verdict().toString())
                    && Objects.equals(it.get("code"), code);
            if (!same) {
                wrong.add(it.get("name") + ": " + got);
            }
        }
        assertEquals(List.of(), wrong);
        assertTrue(cases.size() >= 80, cases.size() + " cases");
    }

    @Test
    void theGenesisFileHasTheHashesOfTheVectors() {
        Map<String, Object> certificates = Vectors.read("certificate.json");
        Chain chain = new Chain(
                (Long) certificates.get("chainId"), Vectors.bytes(certificates.get("genesisHash")));
        TrustAnchor expected = TrustAnchor.ofSet(
                chain, Vectors.bytes(certificates.get("validatorSetHash")), 1_700_000_000_000L);
        assertEquals(expected, Vectors.genesis());
    }

    @Test
    void leaves() throws FormException {
        Map<String, Object> vectors = Vectors.read("leaf.json");
        for (Map<String, Object> it : Vectors.objects(vectors.get("leaves"))) {
            byte[] leaf = Vectors.data(it.get("leaf"));
            assertEquals(it.get("leafHash"), Leaf.hash(leaf).toString());
            Map<String, Object> statement = Vectors.object(it.get("statement"));
            List<Leaf.Field> found = Leaf.decode(leaf).statement();
            assertEquals(statement.size(), found.size(), (String) it.get("name"));
            for (Leaf.Field field : found) {
                Object value = field.value() instanceof Bytes b ? b.toString() : field.value();
                assertEquals(statement.get(field.name()), value, it.get("name") + field.name());
            }
        }
        for (Map<String, Object> it : Vectors.objects(vectors.get("refused"))) {
            FormException error = assertThrows(
                    FormException.class, () -> Leaf.decode(Vectors.data(it.get("leaf"))));
            String reason = (String) it.get("reason");
            assertTrue(error.getMessage().contains(reason), it.get("name") + ": " + error);
        }
    }

    @Test
    void attestationIds() {
        List<Map<String, Object>> cases =
                Vectors.objects(Vectors.read("attestation_ids.json").get("attestations"));
        for (Map<String, Object> it : cases) {
            long algorithm = (Long) it.get("algorithm");
            Bytes words = Leaf.padded(algorithm, Vectors.data(it.get("digest")));
            // Addresses are written with a checksum in capitals here.
            Bytes issuer = Vectors.bytes(((String) it.get("issuer")).toLowerCase());
            Bytes found = Leaf.attestationId(
                    Long.parseLong((String) it.get("chainId")), issuer,
                    Vectors.bytes(it.get("schema")), algorithm, words);
            assertEquals(it.get("id"), found.toString(), (String) it.get("name"));
        }
        assertTrue(cases.size() >= 12, cases.size() + " cases");
    }

    @Test
    void inclusion() throws Leaf.ShapeException {
        for (Map<String, Object> it : Vectors.objects(Vectors.read("log.json").get("inclusion"))) {
            long index = (Long) it.get("index");
            List<Bytes> proof = ((List<?>) it.get("proof")).stream().map(Vectors::bytes).toList();
            Bytes leaf = Leaf.hash(Digests.u64(index));
            Bytes root = Leaf.rootOf(leaf, index, (Long) it.get("size"), proof);
            assertEquals(it.get("root"), root.toString());
        }
    }

    private static Certificate certificate(byte[] encoded) throws FormException {
        Cursor cursor = new Cursor(encoded);
        long height = cursor.uint("height", 8);
        long round = cursor.uint("round", 4);
        Bytes digest = cursor.hash("digest");
        List<Certificate.Signature> signatures = new ArrayList<>();
        for (long left = cursor.uint("count", 2); left > 0; left--) {
            signatures.add(new Certificate.Signature(
                    cursor.take("validator", 20), cursor.take("signature", 65)));
        }
        cursor.end();
        return new Certificate(height, round, digest, signatures).checked();
    }

    /** The set of certificate.json, with the names of the genesis file. */
    private static ValidatorSet members() throws FormException {
        return CompactFormTest.bundle("signed by all").validators();
    }

    @Test
    void certificates() throws FormException {
        Map<String, Object> vectors = Vectors.read("certificate.json");
        ValidatorSet members = members();
        assertEquals(vectors.get("validatorSetHash"), members.hash.toString());
        Chain chain = new Chain(
                (Long) vectors.get("chainId"), Vectors.bytes(vectors.get("genesisHash")));
        for (Map<String, Object> it : Vectors.objects(vectors.get("cases"))) {
            Object power;
            try {
                Certificate found = certificate(Vectors.data(it.get("certificate")));
                power = found.countQuorum(chain, members).power();
            } catch (FormException | DecisionException refused) {
                power = null;
            }
            assertEquals(it.get("power"), power, (String) it.get("name"));
        }
    }

    @Test
    void checkpoints() throws FormException {
        Map<String, Object> vectors = Vectors.read("checkpoint.json");
        TrustAnchor genesis = Vectors.genesis();
        assertEquals(vectors.get("genesisHash"), genesis.chain.genesisHash().toString());
        for (Map<String, Object> it : Vectors.objects(vectors.get("cases"))) {
            Object power;
            try {
                Checkpoint checkpoint = Checkpoint.decode(Vectors.data(it.get("checkpoint")));
                Bytes digest = checkpoint.digest(genesis.chain);
                assertEquals(it.get("digest"), digest.toString(), (String) it.get("name"));
                Certificate certificate = certificate(Vectors.data(it.get("certificate")));
                Decision decision = new Decision(checkpoint, certificate);
                power = genesis.extend(decision, members()).decision().power();
            } catch (IllegalArgumentException | DecisionException refused) {
                power = null;
            }
            assertEquals(it.get("power"), power, (String) it.get("name"));
        }
    }
}
