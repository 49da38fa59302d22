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
        // As Python's hashlib, OpenSSL and PyCryptodome, of BLAKE3 `tbsi attest`, compute them.
        Map<Long, String> digests = Map.ofEntries(
                Map.entry(0x1bL, "79be14939f70e847d83f10b0f62d8eaa501c995bf4206d827a554363a2b74b3e"),
                Map.entry(0x1cL, "e61ef98774aefbe41fe5ff1b13cc5a8a8ac245dad2f078ea68804721def1a3b7"
                        + "df8357d4c88931608f000ff77d32379c"),
                Map.entry(0x1dL, "974317f1f5164c28d8b1c1b3853c44b5cbc7574a03f4a0a46d4605dc230405ec"
                        + "3c328b2fffe830beb7af678aeb0f97790db9fbbdbb2786697b2c9c6a5eace385"),
                Map.entry(0x12L, "a7754af4ad2cc1848f25d924159021ef8646d30656f7834d6bb80fdedceda5de"),
                Map.entry(0x13L, "e9434ef8ebcc4f44c971ebf50a16a34fc5aa92bc84fced3e82105634a8b5756b"
                        + "82aeede32f8a96c195794e8eb1c34fdf1e503c067e4e20a3da583089776208ae"),
                Map.entry(0x14L, "a6c28d9b8abade80cd12e514be547fedb8510a4b4f58de035527188fd335f8ac"
                        + "2b0799e1253042eb603fdf7f115b01b7277227ca2c27d404fbe9a10b39f45a60"),
                Map.entry(0x15L, "4c5fe1dc967c171bcf3a694e6bb0fd363cd68065b58b250f36527c243d51e0c9"
                        + "1204b3aafc465f1c28b578eb7e624b9e"),
                Map.entry(0x16L, "6d4881523c4993f1f9496a89f8bc53900651aeaf8f15526c2ad605c4329ca4d7"),
                Map.entry(0x1eL, "1960c9041731cf650caa02636313f527b24585509d8b5901c224978eb1b8238d"),
                Map.entry(0x20L, "df3a0f70a580c28f59841f144ddc2c700741663ff5e42004c7f83e122cf4798a"
                        + "e8d4477a8be2588059e99dc1f0252290"),
                Map.entry(0x1015L, "19e5daf73696fd6d8f174629ff02d6669785a3baafe5d804ca924d97d11ef943"),
                Map.entry(0x534dL, "be4600ae2a3e81ee457217a962d55ddc8b83d787ffc49e8ceb108fb618976661"),
                Map.entry(0xb220L, "cd24d78ed5158c2a5330bdc235c302292158ddac7b83679a9685e951eacb9904"),
                Map.entry(0xb240L, "e8634effa7a4cfc15a6f67b21be188bae5a6aa6908a67a761b754dd1c2e817da"
                        + "239208c601c911e176b3ce1a905c4e69f9c26de499ae1477628f9d4e3b909db1"),
                Map.entry(0xb260L, "f06e9a0d8fb5c6e2564567f62c3a494e458c41ba375086fc03b39e6448178693"));
        Bytes schema = Digests.keccak256(Digests.tag("tbsi:file:v1"));
        Files.writeString(folder.resolve("other"), DOCUMENT + " ");
        for (Map.Entry<Long, String> it : digests.entrySet()) {
            attest(it.getKey(), schema, Vectors.data("0x" + it.getValue()));
            assertEquals(0, compare("./document"), it.getKey().toString());
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
        try (InputStream full = MainTest.class.getResourceAsStream("/genesis-full.json")) {
            // With all that a file can have. The hash is what the kit for Python makes of it.
            assertEquals(
                    "0x9ad18b884ec7f7e031ae1a07450f9abf8d6ca39317604424c4c7069ed2324cca",
                    Genesis.parse(full.readAllBytes()).anchor().chain.genesisHash().toString());
        }
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
