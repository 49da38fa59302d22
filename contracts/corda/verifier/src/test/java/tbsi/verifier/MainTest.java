package tbsi.verifier;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The program, and the genesis file and documents that only it reads. */
class MainTest {
    private static final String DOCUMENT = "Minutes of the general assembly\n";
    private static final String SALT = "5a".repeat(32);

    @TempDir private Path folder;
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    @BeforeEach
    void writeFiles() throws IOException {
        Files.write(folder.resolve("genesis.json"), Vectors.genesisFile());
        Files.write(folder.resolve("good"), Vectors.compact("signed by all"));
        Files.writeString(folder.resolve("document"), DOCUMENT);
        Files.writeString(folder.resolve("salt"), SALT + "\n");
    }

    /** The exit code; arguments that begin with a point are files of the folder. */
    private int run(String... arguments) {
        String[] given = Arrays.stream(arguments)
                .map(it -> it.startsWith("./") ? folder.resolve(it.substring(2)).toString() : it)
                .toArray(String[]::new);
        out.reset();
        PrintStream stream = new PrintStream(out, true, UTF_8);
        return Main.run(given, stream, stream);
    }

    private void says(String expected) {
        assertTrue(out.toString(UTF_8).contains(expected), out.toString(UTF_8));
    }

    @Test
    void whatTheMapSaysIsPrinted() throws IOException {
        for (Map<String, Object> it : Vectors.objects(
                Vectors.read("map_verdicts.json").get("cases"))) {
            String name = (String) it.get("name");
            if (name.equals("map: revoked (compact)")) {
                Files.write(folder.resolve("revoked"), Vectors.proof(it));
            } else if (name.equals("map: not revoked (compact)")) {
                Files.write(folder.resolve("current"), Vectors.proof(it));
            } else if (name.equals("map: three digests, one of 64 bytes (compact)")) {
                Files.write(folder.resolve("absent"), Vectors.proof(it));
            }
        }
        assertEquals(1, run("./revoked", "--genesis", "./genesis.json"));
        says("VOID: the proof holds, and the attestation was revoked by its issuer");
        says("revoked by its issuer in block 2, leaf 40, reason 4");
        says("superseded in block 2, leaf 41 by 0x7777");
        assertEquals(0, run("./current", "--genesis", "./genesis.json"));
        says("not revoked by its issuer");
        says("known as of block 2, 2023-11-14T22:13:23Z");
        assertEquals(0, run("./absent", "--genesis", "./genesis.json"));
        says(": not attested");
        says(": first attested in block 1, leaf 0");
    }

    @Test
    void handoversAreFollowedInAFile() throws IOException {
        Map<String, Object> vectors = Vectors.read("handovers.json");
        Files.write(folder.resolve("later"), Vectors.data(vectors.get("proof")));
        Map<String, Object> first = Vectors.objects(vectors.get("cases")).get(0);
        Files.write(folder.resolve("handovers"), Vectors.data(first.get("stream")));
        assertEquals(2, run("./later", "--genesis", "./genesis.json"));
        says("COULD NOT TELL (gap)");
        String[] with = {"./later", "--genesis", "./genesis.json", "--handovers", "./handovers"};
        assertEquals(0, run(with));
        says("changes of the validator set that were verified: 2");
        Files.write(folder.resolve("handovers"), new byte[60]);
        assertEquals(2, run(with));
        says("COULD NOT TELL (handovers)");
        Files.delete(folder.resolve("handovers"));
        assertEquals(2, run(with));
        says("COULD NOT TELL (handovers)");
    }

    @Test
    void exitCodesAreThoseOfTbsiVerify() throws IOException {
        assertEquals(0, run("./good", "--genesis", "./genesis.json"));
        says("VALID: the proof holds");
        says("台灣測試公會甲 Test Association A");
        says("decided at height ");
        says("file: not compared");
        byte[] bad = Vectors.compact("two thirds only");
        Files.write(folder.resolve("bad"), bad);
        assertEquals(1, run("--genesis", "./genesis.json", "./bad"));
        says("INVALID (checkpoint): signatures carry 6 of 9 voting power");
        Files.write(folder.resolve("short"), Arrays.copyOf(bad, 100));
        assertEquals(2, run("./short", "--genesis", "./genesis.json"));
        says("COULD NOT TELL (unreadable): proof bytes: ");
        assertEquals(2, run("./absent", "--genesis", "./genesis.json"));
        says("COULD NOT TELL (unreadable): ");
        assertEquals(2, run("./good", "--genesis", "./good"));
        says("COULD NOT TELL (trust): ");
        Files.write(folder.resolve("other.json"), new String(Vectors.genesisFile(), UTF_8)
                .replace("\"name\":\"vectors\"", "\"name\":\"others\"").getBytes(UTF_8));
        assertEquals(2, run("./good", "--genesis", "./other.json"));
        says("COULD NOT TELL (otherNetwork): ");
    }

    @Test
    void badArgumentsAreExplained() {
        List<String[]> bad = List.of(
                new String[] {}, new String[] {"./good"},
                new String[] {"--genesis", "./genesis.json"},
                new String[] {"./good", "--genesis"},
                new String[] {"./good", "./good", "--genesis", "./genesis.json"},
                new String[] {"./good", "--genesis", "./genesis.json", "--rpc", "x"},
                new String[] {"./good", "--genesis", "./genesis.json", "--salt", "./salt"},
                new String[] {"a\0b", "--genesis", "./genesis.json"});
        for (String[] it : bad) {
            assertEquals(2, run(it), Arrays.toString(it));
            says("usage: ");
        }
        assertEquals(0, run("--help"));
        says("usage: ");
    }

    private static String resource(String name) throws IOException {
        try (InputStream source = MainTest.class.getResourceAsStream(name)) {
            return new String(source.readAllBytes(), UTF_8);
        }
    }

    /** A proof of a document, under the genesis file of a network whose key is ours. */
    private void attest(long algorithm, Bytes schema, byte[] digest) throws Exception {
        Forge.Member member = Forge.member(1, 1, "Test Association 1");
        String key = Bytes.of(member.key().point().getEncoded(true)).toString();
        String file = """
                {"version":1,"name":"ours","chain_id":7,"time_ms":1,"block_gas_limit":16777216,
                "consensus":{"timeout_propose_ms":1000,"timeout_vote_ms":300,
                "timeout_delta_ms":300,"empty_block_interval_ms":10000,"block_spacing_min_ms":20,
                "clock_drift_max_ms":10000},"organisations":{"a":{"name_zh_tw":"測試1",
                "name_en":"Test Association 1"}},"nodes":[{"name":"n","organisation":"a",
                "peer_id":"p","validator":{"public_key":"KEY","power":1}}]}
                """.replace("KEY", key);
        Files.writeString(folder.resolve("ours.json"), file);
        Chain chain = Genesis.parse(file.getBytes(UTF_8)).anchor().chain;
        byte[] leaf = Forge.attestation(7, 1, 2, schema, algorithm, Leaf.padded(algorithm, digest));
        ValidatorSet set = Forge.set(List.of(member));
        Checkpoint at = new Checkpoint(
                7, 1, 2, Forge.filled(1), Forge.filled(2), 1, Leaf.hash(leaf), set.hash, set.hash);
        Bundle bundle = new Bundle(
                chain.genesisHash(), Bytes.of(leaf), Leaf.decode(leaf), 0, List.of(),
                Forge.decide(chain, at, List.of(member), 1), set, List.of());
        Files.write(folder.resolve("ours"), Forge.compact(bundle));
    }

    private int compare(String... more) {
        String[] first = {"./ours", "--genesis", "./ours.json", "--file"};
        String[] all = Arrays.copyOf(first, first.length + more.length);
        System.arraycopy(more, 0, all, first.length, more.length);
        return run(all);
    }

    @Test
    void filesAreCompared() throws Exception {
        // Code and digest of the document, as Python's hashlib, OpenSSL and PyCryptodome, of
        // BLAKE3 `tbsi attest`, compute them.
        List<String> digests = resource("/document-digests.txt").lines().toList();
        assertEquals(15, digests.size());
        Bytes schema = Digests.keccak256(Digests.tag("tbsi:file:v1"));
        Files.writeString(folder.resolve("other"), DOCUMENT + " ");
        for (String it : digests) {
            String[] words = it.split(" ");
            attest(Long.decode(words[0]), schema, Vectors.data(words[1]));
            assertEquals(0, compare("./document"), it);
            says("is what was attested");
            assertEquals(1, compare("./other"));
            says("INVALID (otherFile): ");
        }
        assertEquals(2, compare("./absent"));
        says("COULD NOT TELL (file): ");
        assertEquals(2, compare("./document", "--salt", "./salt"));
        says("leave --salt out");
        attest(0x11, schema, new byte[20]);
        assertEquals(2, compare("./document"));
        says("digest algorithm 0x11 is not known here");
    }

    @Test
    void saltsAreHashedFirst() throws Exception {
        byte[] salted = Digests.sha256(Vectors.data("0x" + SALT), DOCUMENT.getBytes(UTF_8)).array();
        attest(0x12, Digests.keccak256(Digests.tag("tbsi:salted-file:v1")), salted);
        assertEquals(0, compare("./document", "--salt", "./salt"));
        assertEquals(2, compare("./document"));
        says("give the salt");
        Files.writeString(folder.resolve("salt"), SALT + "5");
        assertEquals(2, compare("./document", "--salt", "./salt"));
        says("64 hex digits");
    }

    @Test
    void genesisFilesAreChecked() throws Exception {
        String good = new String(Vectors.genesisFile(), UTF_8);
        assertEquals("vectors", Genesis.parse(good.getBytes(UTF_8)).name());
        // With all that a file can have. The hash is what the kit for Python makes of it.
        byte[] full = resource("/genesis-full.json").getBytes(UTF_8);
        assertEquals(
                "0x9ad18b884ec7f7e031ae1a07450f9abf8d6ca39317604424c4c7069ed2324cca",
                Genesis.parse(full).chain().genesisHash().toString());
        String[][] changes = {
            {"\"version\":1", "\"version\":2"}, {"8862026", "0"}, {"8862026", "4503599627370477"},
            {"\"version\":1", "\"version\":1,\"version\":1"}, {"\"version\":1", "\"more\":1"},
            {"\"timeout_vote_ms\":300", "\"timeout_vote_ms\":9"}, {"300000000", "16777215"},
            {"\"timeout_vote_ms\":300", "\"timeout_vote_ms\":3e2"},
            {"\"clock_drift_max_ms\":10000", "\"clock_drift_max_ms\":10000,\"clock_lag_max_ms\":1"},
            {"Test Association A", " "}, {"Test Association A", "a".repeat(513)},
            {"\"organisation\":\"a\"", "\"organisation\":\"e\""},
            {"\"name\":\"node-0\"", "\"name\":\"node-1\""},
            {"0x02da3fd5", "0x03da3fd5f2"}, {"0x02da3fd5", "0x04da3fd5"},
            {"\"power\":3", "\"power\":0"},
            {"0x02d66edeef8236aba041c2fe283220b8cb7ef58bdad5c97d90b0c748bfbb8d4ea1",
                "0x02da3fd5f212727d22ddaefb2a60b0034ed4f5153d5df08ab9f522bf196d3cc4d8"},
            {"{\"version\"", "{\"accounts\":{\"0x1\":{}},\"version\""},
            {"{\"version\"", "{\"accounts\":{\"" + "11".repeat(20)
                + "\":{\"storage\":{\"1\":\"1\"}}},\"version\""},
            {"{\"version\"", "{\"governance\":{},\"version\""},
        };
        for (String[] it : changes) {
            String bad = good.replace(it[0], it[1]);
            assertTrue(!bad.equals(good), it[0]);
            assertThrows(
                    Genesis.UnusableException.class, () -> Genesis.parse(bad.getBytes(UTF_8)),
                    it[0] + " " + it[1]);
        }
    }
}
