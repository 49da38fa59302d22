package tbsi.ledger;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import tbsi.verifier.Bytes;

/**
 * Two things of {@code tests/vectors/bundle.json}, cut out of its text: the jar of the contract is
 * sealed, so that tests cannot use what its packages keep to themselves.
 */
final class BundleVectors {
    private static final String TEXT = read();

    private BundleVectors() {}

    private static String read() {
        Path file = Paths.get(System.getProperty("tbsi.vectors"), "bundle.json");
        try {
            return new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    private static String between(String before, String start, String end) {
        int from = TEXT.indexOf(start, TEXT.indexOf(before));
        int to = TEXT.indexOf(end, from + start.length());
        if (!TEXT.contains(before) || from < 0 || to < 0) {
            throw new IllegalStateException("bundle.json has another layout: " + before);
        }
        return TEXT.substring(from + start.length(), to);
    }

    static byte[] genesisFile() {
        String inner = between("\"genesis\": {", "\"genesis\": {", "\n  },");
        return ("{" + inner + "}").getBytes(StandardCharsets.UTF_8);
    }

    /** The compact form of a named case. */
    static byte[] compact(String name) {
        return Bytes.fromHex(between("\"name\": \"" + name + "\"", "\"compact\": \"", "\""))
                .toArray();
    }
}
