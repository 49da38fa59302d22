package tbsi.verifier;

import static tbsi.verifier.FormException.otherVersion;
import static tbsi.verifier.FormException.unreadable;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Set;

/**
 * A proof as it was read, in any form, not verified.
 *
 * @param map null for a proof without the map
 * @param registry null for a proof without the registry
 */
record Proof(Bundle bundle, MapPart map, RegistryPart registry) {
    private static final String MAP_FORMAT = "tbsi-map-proof-1";
    private static final String REGISTRY_FORMAT = "tbsi-registry-proof-1";
    private static final String REGISTRY_FORMATS = "tbsi-registry-proof-";
    private static final byte[] MAP_MAGIC = tag("TBM1");
    private static final byte[] REGISTRY_MAGIC = tag("TBR1");
    /** What compact forms begin with, in all versions. */
    private static final byte[] MAP_MAGICS = tag("TBM");
    private static final byte[] REGISTRY_MAGICS = tag("TBR");
    private static final Set<String> MAP_FIELDS = Set.of("format", "proof", "map");
    private static final Set<String> REGISTRY_FIELDS =
            Set.of("format", "proof", "map", "registry");

    static Proof parse(byte[] proof) throws FormException {
        if (begins(proof, REGISTRY_MAGICS)) {
            return decodeWithRegistry(proof);
        }
        if (begins(proof, MAP_MAGICS)) {
            return decodeWithMap(proof);
        }
        Bundle bundle = Bundle.parseCompact(proof);
        if (bundle != null) {
            return new Proof(bundle, null, null);
        }
        Object value = JsonForm.parse(proof);
        if (value instanceof Json.JsonObject object
                && object.fields.get("format") instanceof String format) {
            if (format.startsWith(REGISTRY_FORMATS)) {
                return readWithRegistry(value);
            }
            if (format.equals(MAP_FORMAT)) {
                return readWithMap(value);
            }
        }
        return new Proof(JsonForm.read(value).content(), null, null);
    }

    private static byte[] tag(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    private static boolean begins(byte[] proof, byte[] with) {
        return proof.length >= with.length
                && Arrays.equals(proof, 0, with.length, with, 0, with.length);
    }

    /** A cursor behind the form's first bytes, which must be these. */
    private static Cursor open(byte[] data, byte[] magic) throws FormException {
        if (data.length > Limits.BUNDLE_BYTES_MAX) {
            throw unreadable(
                    "proof has %d bytes, at most %d are allowed",
                    data.length, Limits.BUNDLE_BYTES_MAX);
        }
        Cursor cursor = new Cursor(data);
        if (!Arrays.equals(cursor.take("format", magic.length).array(), magic)) {
            throw unknownForm();
        }
        return cursor;
    }

    private static byte[] takeInner(Cursor cursor) throws FormException {
        int length = cursor.count("proof", Limits.BUNDLE_BYTES_MAX);
        return cursor.take("proof", length).array();
    }

    /** The one compact form that a proof with the map has. */
    private static Proof decodeWithMap(byte[] data) throws FormException {
        Cursor cursor = open(data, MAP_MAGIC);
        Bundle bundle = CompactForm.decode(takeInner(cursor));
        MapPart part = MapPart.take(cursor);
        cursor.end();
        return new Proof(bundle, part, null);
    }

    /** The one compact form that a proof with the registry has. */
    private static Proof decodeWithRegistry(byte[] data) throws FormException {
        Cursor cursor = open(data, REGISTRY_MAGIC);
        byte[] inner = takeInner(cursor);
        Proof proof = begins(inner, MAP_MAGICS)
                ? decodeWithMap(inner) : new Proof(CompactForm.decode(inner), null, null);
        RegistryPart part = RegistryPart.take(cursor);
        cursor.end();
        return new Proof(proof.bundle, proof.map, part);
    }

    /** The shape of all of it, then the content. */
    private static Proof readWithMap(Object value) throws FormException {
        Fields top = Fields.of(value, "proof", MAP_FIELDS);
        JsonForm.Shape given = JsonForm.read(top.get("proof"));
        MapPart part = MapPart.read(top.get("map"));
        Bundle bundle = given.content();
        return new Proof(bundle, part.checked(), null);
    }

    /** The shape of all of it, then the content. */
    private static Proof readWithRegistry(Object value) throws FormException {
        Fields top = Fields.of(value, "proof", REGISTRY_FIELDS);
        JsonForm.Shape given = JsonForm.read(top.get("proof"));
        MapPart map = top.has("map") ? MapPart.read(top.get("map")) : null;
        RegistryPart part = RegistryPart.read(top.get("registry"));
        if (!top.text("format").equals(REGISTRY_FORMAT)) {
            throw unknownForm();
        }
        Bundle bundle = given.content();
        if (map != null) {
            map.checked();
        }
        return new Proof(bundle, map, part.checked());
    }

    private static FormException unknownForm() {
        return otherVersion("not a proof in a form that is known here; use newer software");
    }
}
