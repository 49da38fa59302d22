package tbsi.verifier;

import static tbsi.verifier.FormException.otherVersion;
import static tbsi.verifier.FormException.wrongForm;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * What one entry of the log says (SPEC §9.3). Integers are unsigned.
 *
 * @param kind as in SPEC §10.3, {@code attestation} and so on
 * @param issuer 20 bytes
 * @param id of an attestation (SPEC §12.1), otherwise null
 * @param fields of the kind, in their order
 */
public record Leaf(
        String kind,
        long chainId,
        long height,
        long timeMs,
        long transactionIndex,
        long ordinal,
        Bytes issuer,
        Bytes id,
        List<Field> fields) {
    /** The kind of an attestation. */
    public static final String ATTESTATION = "attestation";

    private static final int ATTESTATION_CODE = 1;
    private static final byte[] HASHED_LEAF = {0};
    private static final byte[] HASHED_NODE = {1};

    /**
     * A value under its name in JSON.
     *
     * @param value a {@link Bytes}, an unsigned {@link Long} or a {@link Boolean}
     */
    public record Field(String name, Object value) {}

    private enum Form {
        BYTES,
        INTEGER,
        FLAG
    }

    private record Part(String name, Form form, int size) {}

    private record Layout(int code, String name, List<Part> parts) {}

    private static Part bytes(String name, int size) {
        return new Part(name, Form.BYTES, size);
    }

    private static Part integer(String name, int size) {
        return new Part(name, Form.INTEGER, size);
    }

    private static Layout layout(int code, String name, Part... parts) {
        return new Layout(code, name, List.of(parts));
    }

    /** Of each kind but attestations. */
    private static final List<Layout> LAYOUTS = List.of(
            layout(2, "revocation", bytes("id", 32), integer("reason", 2)),
            layout(3, "supersession", bytes("id", 32), bytes("successor", 32)),
            layout(4, "countersigningOpened",
                    bytes("id", 32), integer("threshold", 2), integer("deadline", 8),
                    integer("partyCount", 2), bytes("partiesHash", 32)),
            layout(5, "countersignature",
                    bytes("id", 32), integer("have", 2), integer("need", 2)),
            layout(6, "schemaRegistered",
                    bytes("schema", 32), bytes("textHash", 32), integer("commitsTo", 1),
                    new Part("revocable", Form.FLAG, 1)),
            layout(7, "algorithmSet",
                    integer("algorithm", 4), integer("bits", 2), integer("status", 1)),
            layout(8, "mapRoot",
                    bytes("root", 32), integer("entries", 8), integer("mapHeight", 8),
                    integer("digestHeight", 8), bytes("revokedAlgorithmsHash", 32)),
            layout(16, "governanceAct", bytes("event", 32), bytes("bodyHash", 32)),
            layout(32, "message",
                    bytes("destination", 32), bytes("receiver", 32), integer("sequence", 8),
                    integer("timeout", 8), bytes("payloadHash", 32)),
            layout(33, "foreignFact",
                    integer("client", 4), integer("assurance", 1), integer("foreignChainId", 8),
                    integer("foreignHeight", 8), integer("foreignTime", 8),
                    bytes("blockHash", 32), bytes("account", 20), bytes("slot", 32),
                    bytes("value", 32)));

    /** Reads canonical bytes and nothing else. */
    static Leaf decode(byte[] data) throws FormException {
        if (data.length > Limits.LEAF_BYTES_MAX) {
            throw wrongForm(
                    "leaf has %d bytes, at most %d are allowed",
                    data.length, Limits.LEAF_BYTES_MAX);
        }
        try {
            Cursor cursor = new Cursor(data);
            Leaf found = read(cursor);
            cursor.end();
            return found;
        } catch (FormException error) {
            if (error.code == Code.OTHER_VERSION) {
                throw error;
            }
            // Whatever is wrong with its bytes, a leaf is wrong in form.
            throw wrongForm("proof field `leaf`: %s", error.getMessage());
        }
    }

    private static Leaf read(Cursor cursor) throws FormException {
        long version = cursor.uint("version", 1);
        if (version != 1) {
            throw otherVersion(
                    "leaf version %d is unknown, 1 is known; use newer software", version);
        }
        long kind = cursor.uint("kind", 1);
        Layout layout = layoutOf(kind);
        if (kind != ATTESTATION_CODE && layout == null) {
            throw otherVersion(
                    "leaf kind %d is unknown, 1 to 8, 16, 32 and 33 are known; use newer software",
                    kind);
        }
        long chainId = cursor.uint("chain id", 8);
        long height = cursor.uint("height", 6);
        long timeMs = cursor.uint("time", 6);
        long transactionIndex = cursor.uint("transaction index", 3);
        long ordinal = cursor.uint("ordinal", 3);
        Bytes issuer = cursor.take("issuer", Bytes.ADDRESS);
        if (layout == null) {
            Stated stated = readAttestation(cursor, chainId, issuer);
            return new Leaf(
                    ATTESTATION, chainId, height, timeMs, transactionIndex, ordinal, issuer,
                    stated.id, stated.fields);
        }
        return new Leaf(
                layout.name, chainId, height, timeMs, transactionIndex, ordinal, issuer, null,
                readFields(cursor, layout.parts));
    }

    private static Layout layoutOf(long code) {
        for (Layout it : LAYOUTS) {
            if (it.code == code) {
                return it;
            }
        }
        return null;
    }

    private static List<Field> readFields(Cursor cursor, List<Part> parts) throws FormException {
        List<Field> fields = new ArrayList<>(parts.size());
        for (Part it : parts) {
            fields.add(new Field(it.name, switch (it.form) {
                case BYTES -> cursor.take(it.name, it.size);
                case INTEGER -> cursor.uint(it.name, it.size);
                case FLAG -> flag(it.name, cursor.uint(it.name, it.size));
            }));
        }
        return List.copyOf(fields);
    }

    private static Boolean flag(String name, long value) throws FormException {
        if (value > 1) {
            throw wrongForm("leaf field `%s` is %d, 0 or 1 is allowed", name, value);
        }
        return value == 1;
    }

    private record Stated(Bytes id, List<Field> fields) {}

    private static Stated readAttestation(Cursor cursor, long chainId, Bytes issuer)
            throws FormException {
        Bytes schema = cursor.hash("schema");
        long algorithm = cursor.uint("algorithm", 4);
        long length = cursor.uint("digest length", 1);
        int expected = Bytes.HASH * wordsPerDigest(algorithm);
        if (length != expected) {
            throw wrongForm(
                    "leaf has a digest of %d bytes, algorithm 0x%x takes %d",
                    length, algorithm, expected);
        }
        Bytes words = cursor.take("digest", expected);
        return new Stated(
                attestationId(chainId, issuer, schema, algorithm, words),
                List.of(
                        new Field("schema", schema), new Field("algorithm", algorithm),
                        new Field("digest", words)));
    }

    /** The value of a field of the kind; null if it has none of this name. */
    public Object field(String name) {
        for (Field it : fields) {
            if (it.name.equals(name)) {
                return it.value;
            }
        }
        return null;
    }

    /** What the JSON form says of a leaf (SPEC §10.3). */
    List<Field> statement() {
        List<Field> all = new ArrayList<>(fields);
        if (id != null) {
            all.add(new Field("id", id));
        }
        all.add(new Field("kind", kind));
        all.add(new Field("chainId", chainId));
        all.add(new Field("height", height));
        all.add(new Field("timeMs", timeMs));
        all.add(new Field("transactionIndex", transactionIndex));
        all.add(new Field("ordinal", ordinal));
        all.add(new Field("issuer", issuer));
        return all;
    }

    /** Fixed by the multihash code (SPEC §9.4). */
    static int wordsPerDigest(long code) {
        boolean two = (code >= 0x13 && code <= 0x15) || code == 0x1c || code == 0x1d
                || code == 0x20 || (code >= 0xb221 && code <= 0xb240);
        return two ? 2 : 1;
    }

    /** The id of SPEC §12.1. */
    static Bytes attestationId(
            long chainId, Bytes issuer, Bytes schema, long algorithm, Bytes words) {
        Bytes tag = Digests.keccak256(Digests.tag("TBSI attestation v1"));
        return Digests.keccak256(
                tag.array(), word(Digests.u64(chainId)), word(issuer.array()), schema.array(),
                word(Digests.u64(algorithm)), word(Digests.u64(6 * Bytes.HASH)),
                word(Digests.u64(words.length() / Bytes.HASH)), words.array());
    }

    private static byte[] word(byte[] value) {
        byte[] padded = new byte[Bytes.HASH];
        System.arraycopy(value, 0, padded, padded.length - value.length, value.length);
        return padded;
    }

    static Bytes hash(byte[] leaf) {
        return Digests.sha256(HASHED_LEAF, leaf);
    }

    /** Index, size and number of hashes that do not fit together. */
    static final class ShapeException extends Exception {
        private static final long serialVersionUID = 1L;

        ShapeException(String message) {
            super(message);
        }
    }

    /** The root that a proof leads to from a leaf's hash (RFC 9162 §2.1.3.2). */
    static Bytes rootOf(Bytes leafHash, long index, long size, List<Bytes> proof)
            throws ShapeException {
        if (Long.compareUnsigned(index, size) >= 0) {
            throw new ShapeException(
                    "leaf index " + Long.toUnsignedString(index) + " is outside a log of "
                            + Long.toUnsignedString(size) + " leaves");
        }
        int needed = hashesNeeded(index, size);
        if (proof.size() != needed) {
            throw new ShapeException(
                    "proof has " + proof.size() + " hashes, " + needed + " are needed");
        }
        Bytes root = leafHash;
        long node = index;
        long last = size - 1;
        for (Bytes sibling : proof) {
            if ((node & 1) == 1 || node == last) {
                root = Digests.sha256(HASHED_NODE, sibling.array(), root.array());
                // A node without right neighbour stands for itself until it is a right child.
                int levels = Long.numberOfTrailingZeros(node);
                node >>>= levels;
                last >>>= levels;
            } else {
                root = Digests.sha256(HASHED_NODE, root.array(), sibling.array());
            }
            node >>>= 1;
            last >>>= 1;
        }
        return root;
    }

    private static int hashesNeeded(long index, long size) {
        int needed = 0;
        long node = index;
        for (long last = size - 1; last != 0; last >>>= 1) {
            // The last node of a level that is a left child has no sibling.
            if ((node & 1) == 1 || node != last) {
                needed++;
            }
            node >>>= 1;
        }
        return needed;
    }

    /** The digest of an attestation; null for other kinds. */
    public Bytes digest() {
        return field("digest") instanceof Bytes found ? found : null;
    }

    /** What a leaf has of a digest: filled up with zeros; null if it does not fit. */
    static Bytes padded(long algorithm, byte[] digest) {
        int room = Bytes.HASH * wordsPerDigest(algorithm);
        return digest.length > room ? null : Bytes.owning(Arrays.copyOf(digest, room));
    }
}
