package tbsi.verifier;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.Map;

/** The verifier of {@code sdk/go}, as a program that answers lines. */
final class GoVerifier implements AutoCloseable {
    /** What it says of a proof; the code is empty if it holds. */
    record Answer(String verdict, String code, String reason) {}

    private final Process process;
    private final OutputStream questions;
    private final BufferedReader answers;

    private GoVerifier(Process process) {
        this.process = process;
        questions = process.getOutputStream();
        answers = new BufferedReader(new InputStreamReader(process.getInputStream(), UTF_8));
    }

    /** Builds it offline into a folder, and starts it. */
    static GoVerifier start(Path folder) throws IOException, InterruptedException {
        Path program = folder.resolve("verdicts");
        String go = System.getProperty("tbsi.go", "go");
        ProcessBuilder build = new ProcessBuilder(
                go, "build", "-o", program.toString(), "./verdicts");
        build.directory(Path.of(System.getProperty("tbsi.sdk.go")).toFile());
        build.environment().put("GOPROXY", "off");
        build.inheritIO();
        int code;
        try {
            code = build.start().waitFor();
        } catch (IOException error) {
            throw new IOException(
                    "this test needs Go 1.26: install it, or leave the test out with "
                            + "-DexcludedGroups=go", error);
        }
        if (code != 0) {
            throw new IOException("go build failed; run `go mod download` in sdk/go first");
        }
        ProcessBuilder verifier = new ProcessBuilder(program.toString());
        verifier.redirectError(ProcessBuilder.Redirect.INHERIT);
        return new GoVerifier(verifier.start());
    }

    /** @param anchor as the program takes it, see {@code sdk/go/verdicts} */
    Answer verify(String anchor, byte[] proof) throws IOException, FormException {
        String line = anchor + " " + HexFormat.of().formatHex(proof) + "\n";
        questions.write(line.getBytes(US_ASCII));
        questions.flush();
        String said = answers.readLine();
        if (said == null) {
            throw new IOException("the Go verifier ended");
        }
        Map<String, Object> found = Vectors.object(Json.parse(said.getBytes(UTF_8)));
        return new Answer(
                (String) found.get("verdict"), (String) found.get("code"),
                (String) found.get("reason"));
    }

    @Override
    public void close() throws IOException {
        questions.close();
        process.destroy();
    }
}
