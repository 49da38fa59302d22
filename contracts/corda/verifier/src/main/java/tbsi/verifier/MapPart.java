package tbsi.verifier;

import static tbsi.verifier.FormException.notCanonical;
import static tbsi.verifier.FormException.unreadable;
import static tbsi.verifier.FormException.wrongForm;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * What the map says with a proof, as it was read (SPEC §10.7).
 *
 * @param root null if the bundle's leaf is it
 * @param algorithms codes of those that were revoked
 */
record MapPart(RootLeaf root, List<Long> algorithms, List<Entry> entries) {
    private static final Set<String> PART = Set.of("root", "revokedAlgorithms", "entries");
    private static final Set<String> ROOT = Set.of("leaf", "leafIndex", "inclusionProof");
    private static final Set<String> ENTRY =
            Set.of("question", "depth", "bitmap", "siblings", "value", "other");
    private static final Set<String> OTHER = Set.of("key", "value");
    private static final Set<String> DIGEST = Set.of("kind", "digest");
    private static final Set<String> STATUS = Set.of("kind", "id", "issuer");
    private static final Set<String> SCHEMA = Set.of("kind", "schema");
    private static final int DEPTH_SHAPE_MAX = (1 << 16) - 1;

    /** A map root as a second leaf under the bundle's checkpoint. */
    record RootLeaf(Bytes leaf, long leafIndex, List<Bytes> inclusion) {}

    /** @param contradicts whether its JSON form has an entry and another one */
    record Entry(MapQuestion question, MapAnswer answer, boolean contradicts) {}

    static MapPart take(Cursor cursor) throws FormException {
        long flag = cursor.uint("root", 1);
        if (flag > 1) {
            throw notCanonical("root");
        }
        RootLeaf root = flag == 1 ? takeRoot(cursor) : null;
        List<Long> algorithms = new ArrayList<>();
        int left = cursor.count("revokedAlgorithms", Limits.MAP_ALGORITHMS_MAX);
        for (; left > 0; left--) {
            algorithms.add(cursor.uint("revokedAlgorithms", 4));
        }
        List<Entry> entries = new ArrayList<>();
        for (left = cursor.count("entries", Limits.MAP_ENTRIES_MAX); left > 0; left--) {
            MapQuestion question = MapQuestion.take(cursor);
            entries.add(new Entry(question, MapAnswer.take(cursor), false));
        }
        return new MapPart(root, List.copyOf(algorithms), List.copyOf(entries));
    }

    private static RootLeaf takeRoot(Cursor cursor) throws FormException {
        Bytes leaf = cursor.take("root", cursor.count("root", Limits.LEAF_BYTES_MAX));
        long index = cursor.number("leafIndex");
        List<Bytes> inclusion = new ArrayList<>();
        int left = cursor.count("inclusionProof", Limits.INCLUSION_HASHES_MAX);
        for (; left > 0; left--) {
            inclusion.add(cursor.hash("inclusionProof"));
        }
        return new RootLeaf(leaf, index, List.copyOf(inclusion));
    }

    /** The shape alone: {@link #checked} has the limits. */
    static MapPart read(Object value) throws FormException {
        Fields part = Fields.of(value, "map", PART);
        RootLeaf root = null;
        if (part.has("root")) {
            Fields it = Fields.of(part.get("root"), "root", ROOT);
            root = new RootLeaf(
                    it.bytes("leaf"), it.integer("leafIndex"), it.hashes("inclusionProof"));
        }
        List<Long> algorithms = part.integers("revokedAlgorithms", Limits.U32_MAX);
        List<Entry> entries = new ArrayList<>();
        for (Object it : part.list("entries")) {
            entries.add(readEntry(Fields.of(it, "entry", ENTRY)));
        }
        return new MapPart(root, algorithms, List.copyOf(entries));
    }

    private static Entry readEntry(Fields of) throws FormException {
        MapQuestion question = readQuestion(of.get("question"));
        int depth = (int) of.integer("depth", DEPTH_SHAPE_MAX);
        Bytes bitmap = of.bytes("bitmap");
        List<Bytes> siblings = of.hashes("siblings");
        Bytes value = of.has("value") ? of.bytes("value") : null;
        Bytes key = null;
        boolean contradicts = false;
        if (of.has("other")) {
            Fields other = Fields.of(of.get("other"), "other", OTHER);
            contradicts = value != null;
            key = other.hash("key");
            value = other.bytes("value");
        }
        MapAnswer answer = new MapAnswer(depth, bitmap, siblings, key, value);
        return new Entry(question, answer, contradicts);
    }

    private static MapQuestion readQuestion(Object value) throws FormException {
        Object kind = Fields.object(value, "question").get("kind");
        if ("digest".equals(kind)) {
            Bytes digest = Fields.of(value, "question", DIGEST).bytes("digest");
            return new MapQuestion(MapQuestion.Kind.DIGEST, digest);
        }
        if ("status".equals(kind)) {
            Fields it = Fields.of(value, "question", STATUS);
            Bytes parts = it.hash("id").and(it.bytes("issuer", Bytes.ADDRESS));
            return new MapQuestion(MapQuestion.Kind.STATUS, parts);
        }
        if ("schema".equals(kind)) {
            Bytes schema = Fields.of(value, "question", SCHEMA).hash("schema");
            return new MapQuestion(MapQuestion.Kind.SCHEMA, schema);
        }
        throw unreadable(
                "not valid JSON of the expected shape: `kind` must be digest, status or schema");
    }

    /** Itself, if it has no more of anything than is allowed, and contradicts itself nowhere. */
    MapPart checked() throws FormException {
        if (algorithms.size() > Limits.MAP_ALGORITHMS_MAX
                || entries.size() > Limits.MAP_ENTRIES_MAX) {
            throw unreadable("proof has too many algorithms or entries of the map");
        }
        if (root != null) {
            int length = root.leaf.length();
            if (length > Limits.LEAF_BYTES_MAX) {
                throw wrongForm(
                        "leaf has %d bytes, at most %d are allowed",
                        length, Limits.LEAF_BYTES_MAX);
            }
            if (root.inclusion.size() > Limits.INCLUSION_HASHES_MAX) {
                throw unreadable("proof has too many hashes");
            }
        }
        for (Entry it : entries) {
            if (it.answer.siblings().size() > Limits.MAP_DEPTH_MAX) {
                throw unreadable(
                        "proof field `siblings` has %d entries", it.answer.siblings().size());
            }
            if (it.contradicts) {
                throw notCanonical("other");
            }
            if (it.question.kind() == MapQuestion.Kind.DIGEST) {
                MapQuestion.checkedDigest(it.question.parts());
            }
        }
        return this;
    }
}
