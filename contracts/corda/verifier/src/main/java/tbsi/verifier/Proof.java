package tbsi.verifier;

import static tbsi.verifier.FormException.otherVersion;
import static tbsi.verifier.FormException.unreadable;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Set;

/**
 * A proof as it was read, in any form, not verified.
 *
 * @param registry null for a proof without the registry
 */
record Proof(Bundle bundle, RegistryPart registry) {
    private static final String FORMAT = "tbsi-registry-proof-1";
    private static final String FORMATS = "tbsi-registry-proof-";
    private static final byte[] MAGIC = tag("TBR1");
    /** What the compact form begins with, in all versions. */
    private static final byte[] MAGICS = tag("TBR");
    private static final byte[] MAP_MAGICS = tag("TBM");
    private static final Set<String> FIELDS = Set.of("format", "proof", "map", "registry");

    static Proof parse(byte[] proof) throws FormException {
        if (begins(proof, MAGICS)) {
            return decode(proof);
        }
        Bundle bundle = Bundle.parseCompact(proof);
        if (bundle != null) {
            return new Proof(bundle, null);
        }
        Object value = JsonForm.parse(proof);
        if (value instanceof Json.JsonObject object
                && object.fields.get("format") instanceof String format
                && format.startsWith(FORMATS)) {
            return read(value);
        }
        return new Proof(JsonForm.read(value).content(), null);
    }

    private static byte[] tag(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    private static boolean begins(byte[] proof, byte[] with) {
        return proof.length >= with.length
                && Arrays.equals(proof, 0, with.length, with, 0, with.length);
    }

    /** The one compact form that a proof with the registry has. */
    private static Proof decode(byte[] data) throws FormException {
        if (data.length > Limits.BUNDLE_BYTES_MAX) {
            throw unreadable(
                    "proof has %d bytes, at most %d are allowed",
                    data.length, Limits.BUNDLE_BYTES_MAX);
        }
        Cursor cursor = new Cursor(data);
        if (!Arrays.equals(cursor.take("format", MAGIC.length).array(), MAGIC)) {
            throw otherVersion("not a proof in a form that is known here; use newer software");
        }
        int length = cursor.count("proof", Limits.BUNDLE_BYTES_MAX);
        byte[] inner = cursor.take("proof", length).array();
        if (begins(inner, MAP_MAGICS)) {
            throw withMap();
        }
        Bundle bundle = CompactForm.decode(inner);
        RegistryPart part = RegistryPart.take(cursor);
        cursor.end();
        return new Proof(bundle, part);
    }

    /** The shape of all of it, then the content. */
    private static Proof read(Object value) throws FormException {
        Fields top = Fields.of(value, "proof", FIELDS);
        JsonForm.Shape given = JsonForm.read(top.get("proof"));
        RegistryPart part = RegistryPart.read(top.get("registry"));
        if (!top.text("format").equals(FORMAT)) {
            throw otherVersion("not a proof in a form that is known here (`%s`)", FORMAT);
        }
        if (top.has("map")) {
            throw withMap();
        }
        return new Proof(given.content(), part.checked());
    }

    private static FormException withMap() {
        return otherVersion(
                "a proof with the map (SPEC §10.7), which this verifier does not read: use "
                        + "`tbsi verify`, or a proof without its status");
    }
}
