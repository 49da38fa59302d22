package tbsi.verifier;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Mutants of proofs get the verdict, the code and the reason that the Go verifier gives. */
@Tag("go")
class DifferentialTest {
    private static final long SEED = 20_261_130;
    private static final int DIFFERENCES_SHOWN_MAX = 10;

    private record Question(byte[] proof, TrustAnchor anchor, String goAnchor) {}

    /** Vectors of the repository, good and bad, under what their genesis file has one trust. */
    private static List<Question> vectors() {
        TrustAnchor genesis = Vectors.genesis();
        Map<String, Object> certificates = Vectors.read("certificate.json");
        String goAnchor = "set " + certificates.get("chainId") + " "
                + certificates.get("genesisHash").toString().substring(2) + " "
                + certificates.get("validatorSetHash").toString().substring(2) + " 1700000000000";
        List<Question> found = new ArrayList<>();
        for (Vectors.BundleCase it : Vectors.bundles()) {
            found.add(new Question(it.proof(), genesis, goAnchor));
        }
        for (String file : List.of("verdicts.json", "map_verdicts.json")) {
            for (Map<String, Object> it : Vectors.objects(Vectors.read(file).get("cases"))) {
                found.add(new Question(Vectors.proof(it), genesis, goAnchor));
            }
        }
        for (String file : List.of("map.json", "registry.json")) {
            for (Map<String, Object> it : Vectors.objects(Vectors.read(file).get("proofs"))) {
                for (byte[] form : Vectors.forms(it)) {
                    found.add(new Question(form, genesis, goAnchor));
                }
            }
        }
        return found;
    }

    private static Question question(Random random, List<Question> vectors) {
        Mutator mutator = new Mutator(random);
        if (random.nextInt(5) < 2) {
            Scenario it = new Scenario(random);
            byte[] proof = random.nextInt(4) == 0 ? mutator.mutate(it.compact) : it.compact;
            return new Question(proof, it.anchor, it.goAnchor);
        }
        Question it = mutator.pick(vectors);
        byte[] proof = random.nextInt(8) == 0 ? it.proof : mutator.mutate(it.proof);
        return new Question(proof, it.anchor, it.goAnchor);
    }

    /** What the two say of one proof, if that differs. */
    private static String difference(Report ours, GoVerifier.Answer theirs) {
        String code = ours.code() == null ? "" : ours.code().toString();
        String reason = ours.reason() == null ? "" : ours.reason();
        // Of what is no JSON, each parser has its own words.
        boolean same = ours.verdict().toString().equals(theirs.verdict())
                && code.equals(theirs.code())
                && (ours.code() == Code.UNREADABLE || reason.equals(theirs.reason()));
        return same ? null : ours.verdict() + " " + code + " (" + reason + "), in Go " + theirs;
    }

    @Test
    void mutantsGetTheVerdictOfTheGoVerifier(@TempDir Path folder) throws Exception {
        int count = Integer.getInteger("tbsi.mutants", 10_000);
        long seed = Long.getLong("tbsi.seed", SEED);
        List<Question> vectors = vectors();
        Map<String, Integer> tally = new TreeMap<>();
        // No file is compared, no age asked for, no stream given.
        EnumSet<Code> missing = EnumSet.complementOf(EnumSet.of(
                Code.OTHER_FILE, Code.TRUST, Code.FILE, Code.HANDOVERS, Code.STATUS_MISSING,
                Code.STATUS_OLD));
        List<String> differences = new ArrayList<>();
        try (GoVerifier go = GoVerifier.start(folder)) {
            for (int i = 0; i < count; i++) {
                Question it = question(new Random(seed + i), vectors);
                Report ours = Verifier.verify(it.proof, it.anchor);
                String found = difference(ours, go.verify(it.goAnchor, it.proof));
                if (found != null) {
                    differences.add("-Dtbsi.seed=" + (seed + i) + " -Dtbsi.mutants=1: " + found);
                    if (differences.size() == DIFFERENCES_SHOWN_MAX) {
                        break;
                    }
                }
                missing.remove(ours.code());
                Object said = ours.code() == null ? ours.verdict() : ours.code();
                tally.merge(said.toString(), 1, Integer::sum);
            }
        }
        String said = count + " proofs compared with Go: " + tally + "\n";
        System.out.write(said.getBytes(StandardCharsets.UTF_8));
        System.out.flush();
        assertEquals(List.of(), differences);
        if (count >= 10_000) {
            assertEquals(EnumSet.noneOf(Code.class), missing, "codes that no proof got");
        }
    }
}
