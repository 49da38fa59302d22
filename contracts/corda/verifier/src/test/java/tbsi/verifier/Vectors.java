package tbsi.verifier;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The vectors that every verifier shares, in {@code tests/vectors}. */
final class Vectors {
    private Vectors() {}

    /** A case of bundle.json in one of its forms, and what it is verified under. */
    record BundleCase(String name, Map<String, Object> fields, byte[] proof, TrustAnchor anchor) {}

    static Map<String, Object> read(String name) {
        String folder = System.getProperty("tbsi.vectors");
        if (folder == null) {
            throw new IllegalStateException("run the tests with Maven, or set -Dtbsi.vectors");
        }
        try {
            return object(Json.parse(Files.readAllBytes(Path.of(folder, name))));
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        } catch (FormException error) {
            throw new IllegalStateException(name, error);
        }
    }

    static Map<String, Object> object(Object value) {
        return ((Json.JsonObject) value).fields;
    }

    static List<Map<String, Object>> objects(Object list) {
        return ((List<?>) list).stream().map(Vectors::object).toList();
    }

    static byte[] data(Object hex) {
        return Bytes.fromHex((String) hex).toArray();
    }

    static Bytes bytes(Object hex) {
        return Bytes.of(data(hex));
    }

    /** The genesis file of bundle.json. */
    static byte[] genesisFile() {
        return JsonText.of(read("bundle.json").get("genesis")).getBytes(UTF_8);
    }

    /** What the genesis file of bundle.json has one trust. */
    static TrustAnchor genesis() {
        try {
            return Genesis.parse(genesisFile()).anchor();
        } catch (Genesis.UnusableException error) {
            throw new IllegalStateException(error);
        }
    }

    /** The compact form of a named case of bundle.json. */
    static byte[] compact(String name) {
        for (Map<String, Object> it : objects(read("bundle.json").get("cases"))) {
            if (it.get("name").equals(name)) {
                return data(it.get("compact"));
            }
        }
        throw new IllegalArgumentException(name);
    }

    static List<BundleCase> bundles() {
        Map<String, Object> vectors = read("bundle.json");
        Bytes genesisHash = bytes(vectors.get("genesisHash"));
        List<BundleCase> cases = new ArrayList<>();
        for (Map<String, Object> it : objects(vectors.get("cases"))) {
            TrustAnchor anchor = genesis();
            if (it.containsKey("trustedCheckpoint")) {
                Checkpoint trusted = Checkpoint.decode(data(it.get("trustedCheckpoint")));
                anchor = TrustAnchor.of(genesisHash, trusted);
            }
            String name = (String) it.get("name");
            if (it.containsKey("compact")) {
                byte[] proof = data(it.get("compact"));
                cases.add(new BundleCase(name + " (compact)", it, proof, anchor));
            }
            if (it.containsKey("json")) {
                byte[] proof = JsonText.of(it.get("json")).getBytes(UTF_8);
                cases.add(new BundleCase(name + " (json)", it, proof, anchor));
            }
        }
        return cases;
    }

    /** Text or bytes of a case of verdicts.json. */
    static byte[] proof(Map<String, Object> of) {
        return of.get("text") instanceof String text ? text.getBytes(UTF_8) : data(of.get("bytes"));
    }

    /** Both forms of a proof, or the one that there is. */
    static List<byte[]> forms(Map<String, Object> of) {
        List<byte[]> forms = new ArrayList<>();
        if (of.get("compact") != null) {
            forms.add(data(of.get("compact")));
        }
        if (of.get("json") != null) {
            forms.add(JsonText.of(of.get("json")).getBytes(UTF_8));
        }
        if (forms.isEmpty()) {
            throw new IllegalStateException(of.get("name") + " has no form");
        }
        return forms;
    }
}
