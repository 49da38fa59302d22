package tbsi.verifier;

import static tbsi.verifier.Documents.FILE_SCHEMA;
import static tbsi.verifier.Documents.SALTED_FILE_SCHEMA;

import java.util.ArrayList;
import java.util.List;
import tbsi.verifier.MapQuestion.Held;
import tbsi.verifier.MapQuestion.Kind;

/** Proves what the map says, under the log root of a checkpoint (SPEC §10.7). */
final class MapProver {
    private static final String MAP_ROOT = "mapRoot";
    private static final String SOMETHING_ELSE =
            "it is asked about something else than the proof is of";

    private final MapPart part;
    /** Of the bundle. */
    private final Leaf leaf;
    private final long leafIndex;
    private final Checkpoint at;
    private final Chain chain;

    private MapProver(MapPart part, Report report, Chain chain) {
        this.part = part;
        this.chain = chain;
        leaf = report.leaf();
        leafIndex = report.leafIndex();
        at = report.decision().checkpoint();
    }

    /** Of a bundle that holds, as the report says. */
    static Current prove(MapPart part, Report report, Chain chain) throws UnprovenException {
        return new MapProver(part, report, chain).prove();
    }

    private Current prove() throws UnprovenException {
        MapPart.RootLeaf second = part.root();
        Leaf root = second == null ? leaf : included(second);
        long index = second == null ? leafIndex : second.leafIndex();
        if (!root.kind().equals(MAP_ROOT)) {
            throw new UnprovenException(
                    "the leaf with its root is of another kind: %s", root.kind());
        }
        long height = number(root, "mapHeight");
        long digestHeight = number(root, "digestHeight");
        if (root.height() == 0 || height != root.height() - 1
                || Long.compareUnsigned(digestHeight, height) > 0) {
            throw new UnprovenException(
                    "its root is not as of the block before its own, %s: it says %s, and %s for "
                            + "digests",
                    Long.toUnsignedString(root.height()), Long.toUnsignedString(height),
                    Long.toUnsignedString(digestHeight));
        }
        checkAlgorithms(root);
        List<Held> answers = answers(root);
        Current.Known known = new Current.Known(height, root.timeMs(), true);
        if (index == at.logSize() - 1) {
            // Nothing was said since.
            known = new Current.Known(at.height(), at.timeMs(), true);
        }
        Current.Known digestsKnown =
                digestHeight == height ? known : new Current.Known(digestHeight, 0, false);
        return second == null
                ? new Current(root, index, known, digestsKnown, null, digests(answers))
                : new Current(root, index, known, digestsKnown, status(answers), List.of());
    }

    private static long number(Leaf of, String field) {
        return (Long) of.field(field);
    }

    /** A second leaf, which is in the checkpoint's log. */
    private Leaf included(MapPart.RootLeaf second) throws UnprovenException {
        Leaf found;
        try {
            found = Leaf.decode(second.leaf().array());
        } catch (FormException error) {
            throw new UnprovenException("%s", error.getMessage());
        }
        if (found.chainId() != chain.chainId()) {
            throw new UnprovenException(
                    "leaf is of chain id %s, trusted is %s",
                    Long.toUnsignedString(found.chainId()),
                    Long.toUnsignedString(chain.chainId()));
        }
        if (!Verifier.covers(at, found)) {
            throw new UnprovenException("leaf is of a place that the checkpoint cannot cover");
        }
        String problem = null;
        try {
            Bytes root = Leaf.rootOf(
                    Leaf.hash(second.leaf().array()), second.leafIndex(), at.logSize(),
                    second.inclusion());
            if (!root.equals(at.logRoot())) {
                problem = "it leads to log root " + root;
            }
        } catch (Leaf.ShapeException error) {
            problem = error.getMessage();
        }
        if (problem != null) {
            throw new UnprovenException("inclusion of the map's root: %s", problem);
        }
        return found;
    }

    private void checkAlgorithms(Leaf root) throws UnprovenException {
        byte[][] codes = new byte[part.algorithms().size()][];
        for (int i = 0; i < codes.length; i++) {
            if (i > 0 && part.algorithms().get(i - 1) >= part.algorithms().get(i)) {
                throw new UnprovenException(
                        "revoked algorithms must be in ascending order, each once");
            }
            codes[i] = Digests.u32(part.algorithms().get(i));
        }
        if (!Digests.sha256(codes).equals(root.field("revokedAlgorithmsHash"))) {
            throw new UnprovenException("revoked algorithms are not those of the map root");
        }
    }

    /** What the map holds for each question; null for nothing. */
    private List<Held> answers(Leaf root) throws UnprovenException {
        if (part.entries().isEmpty()) {
            throw new UnprovenException("it is asked nothing");
        }
        List<MapQuestion> asked = new ArrayList<>();
        List<Held> answers = new ArrayList<>();
        for (MapPart.Entry it : part.entries()) {
            if (asked.contains(it.question())) {
                throw new UnprovenException("it is asked one question twice");
            }
            asked.add(it.question());
            Bytes computed = it.answer().root(it.question().key());
            if (!computed.equals(root.field("root"))) {
                throw new UnprovenException(
                        "answer leads to root %s, expected %s", computed, root.field("root"));
            }
            answers.add(it.answer().isOwn() ? it.question().read(it.answer().value()) : null);
        }
        return answers;
    }

    private List<Current.Digest> digests(List<Held> answers) throws UnprovenException {
        List<Current.Digest> digests = new ArrayList<>();
        for (int i = 0; i < answers.size(); i++) {
            MapQuestion question = part.entries().get(i).question();
            if (question.kind() != Kind.DIGEST) {
                throw new UnprovenException(
                        "%s: its root alone answers for digests, not for a %s",
                        SOMETHING_ELSE, question.kind());
            }
            Held held = answers.get(i);
            digests.add(new Current.Digest(question.parts(), held == null ? null : held.first()));
        }
        return List.copyOf(digests);
    }

    /** That of the bundle's attestation, from its issuer's entry and its schema's. */
    private Current.Status status(List<Held> answers) throws UnprovenException {
        if (!leaf.kind().equals(Leaf.ATTESTATION)) {
            throw new UnprovenException(
                    "a status is stapled to an attestation, not to a %s", leaf.kind());
        }
        long rootIndex = part.root().leafIndex();
        if (Long.compareUnsigned(leafIndex, rootIndex) >= 0) {
            throw new UnprovenException(
                    "its root is leaf %s, the attestation is leaf %s and later",
                    Long.toUnsignedString(rootIndex), Long.toUnsignedString(leafIndex));
        }
        MapQuestion expected = new MapQuestion(Kind.STATUS, leaf.id().and(leaf.issuer()));
        if (!part.entries().get(0).question().equals(expected)) {
            throw new UnprovenException(
                    "%s: the first question is not for the status", SOMETHING_ELSE);
        }
        Bytes schema = (Bytes) leaf.field("schema");
        boolean revocable = schema.equals(FILE_SCHEMA) || schema.equals(SALTED_FILE_SCHEMA);
        boolean told = revocable;
        MapQuestion ofSchema = new MapQuestion(Kind.SCHEMA, schema);
        for (int i = 1; i < answers.size(); i++) {
            if (!part.entries().get(i).question().equals(ofSchema)) {
                throw new UnprovenException(
                        "%s: another question is not for the schema", SOMETHING_ELSE);
            }
            // A schema that nobody registered allows nothing.
            if (!told) {
                revocable = answers.get(i) != null && answers.get(i).revocable();
            }
            told = true;
        }
        Held said = answers.get(0);
        if (said != null && said.revocation() != null && !told) {
            throw new UnprovenException(
                    "the attestation is revoked under a schema of which the proof says nothing");
        }
        return new Current.Status(
                said == null || !revocable ? null : said.revocation(),
                said == null ? null : said.supersession(),
                part.algorithms().contains((Long) leaf.field("algorithm")));
    }
}
