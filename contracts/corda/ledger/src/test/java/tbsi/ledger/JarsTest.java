package tbsi.ledger;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tbsi.cordapp.AttestationContract;

/** The two jars that are handed out verify by themselves, with nothing else on the class path. */
class JarsTest {
    @TempDir Path folder;

    @BeforeEach
    void writeFiles() throws IOException {
        Files.write(folder.resolve("genesis.json"), BundleVectors.genesisFile());
        Files.write(folder.resolve("good"), BundleVectors.compact("two handovers"));
        Files.write(folder.resolve("bad"), BundleVectors.compact("old set below quorum"));
        Files.write(folder.resolve("short"), BundleVectors.compact("truncated"));
        // The JSON form, for the parser: no proof, but JSON.
        Files.write(folder.resolve("json"), "{\"format\":\"x\"}".getBytes());
    }

    private int run(String proof, List<String> program) throws Exception {
        List<String> command = new ArrayList<>();
        command.add(Paths.get(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(program);
        command.addAll(Arrays.asList(proof, "--genesis", "genesis.json"));
        File said = folder.resolve("said").toFile();
        int code = new ProcessBuilder(command).directory(folder.toFile())
                .redirectErrorStream(true).redirectOutput(said).start().waitFor();
        String text = new String(Files.readAllBytes(said.toPath()));
        assertTrue(text.startsWith(code == 0 ? "VALID" : code == 1 ? "INVALID (handover)"
                : "COULD NOT TELL (unreadable)"), text);
        assertTrue(!proof.equals("json")
                || text.contains("expected shape"), text);
        return code;
    }

    private void verifies(String... program) throws Exception {
        List<String> all = Arrays.asList(program);
        assertEquals(0, run("good", all));
        assertEquals(1, run("bad", all));
        assertEquals(2, run("short", all));
        assertEquals(2, run("json", all));
    }

    @Test
    void theProgram() throws Exception {
        verifies("-jar", System.getProperty("tbsi.verify.jar"));
    }

    @Test
    void theCorDapp() throws Exception {
        Path jar = Paths.get(AttestationContract.class.getProtectionDomain().getCodeSource()
                .getLocation().toURI());
        assertTrue(Files.isRegularFile(jar), jar.toString());
        verifies("-cp", jar.toString(), "tbsi.verifier.Main");
    }
}
