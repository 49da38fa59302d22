package tbsi.verifier;

import static tbsi.verifier.FormException.notCanonical;
import static tbsi.verifier.FormException.unreadable;
import static tbsi.verifier.FormException.wrongForm;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;

/**
 * What the registry says with a proof, as it was read (SPEC §10.11).
 *
 * @param issuer null if it is not proven whose account it was
 * @param validators of each validator which of the records is of who answers for it; null if
 *     that is not proven
 */
record RegistryPart(Place issuer, List<Placed> records, List<Long> validators, List<Bytes> nodes) {
    private static final Set<String> PART = Set.of("issuer", "records", "validators", "nodes");
    private static final Set<String> PLACE = Set.of("membership", "record");
    private static final Set<String> RECORD = Set.of(
            "organisation", "position", "nameZhTw", "nameEn", "taxId", "lei", "jurisdiction");
    private static final List<String> TEXTS =
            List.of("nameZhTw", "nameEn", "taxId", "lei", "jurisdiction");
    private static final int[] TEXT_BYTES_MAX = {
        Limits.NAME_BYTES_MAX, Limits.NAME_BYTES_MAX, Limits.TAX_ID_BYTES_MAX,
        Limits.LEI_BYTES_MAX, Limits.JURISDICTION_BYTES_MAX
    };

    /** A membership of the issuer's account, and which of the records is of its organisation. */
    record Place(long membership, long record) {}

    /** Which record of an organisation it is, and what it says. */
    record Placed(long organisation, long position, LegalRecord legal) {
        boolean isBefore(Placed other) {
            return organisation < other.organisation
                    || (organisation == other.organisation && position < other.position);
        }
    }

    static RegistryPart take(Cursor cursor) throws FormException {
        long flag = cursor.uint("issuer", 1);
        if (flag > 1) {
            throw notCanonical("issuer");
        }
        Place issuer = flag == 0
                ? null : new Place(position(cursor, "membership"), position(cursor, "record"));
        List<Placed> records = new ArrayList<>();
        for (int left = cursor.count("records", Limits.REGISTRY_RECORDS_MAX); left > 0; left--) {
            long organisation = position(cursor, "organisation");
            records.add(new Placed(organisation, position(cursor, "position"), legal(cursor)));
        }
        List<Long> validators = new ArrayList<>();
        for (int left = cursor.count("validators", Limits.VALIDATORS_MAX); left > 0; left--) {
            long number = cursor.number("validators");
            if (number > Limits.U32_MAX + 1) {
                throw wrongForm("proof field `validators` is out of range");
            }
            validators.add(number == 0 ? null : Long.valueOf(number - 1));
        }
        List<Bytes> nodes = new ArrayList<>();
        for (int left = cursor.count("nodes", Limits.REGISTRY_NODES_MAX); left > 0; left--) {
            int length = cursor.count("node", Limits.REGISTRY_NODE_BYTES_MAX);
            nodes.add(cursor.take("node", length));
        }
        return of(issuer, records, validators, nodes);
    }

    private static RegistryPart of(
            Place issuer, List<Placed> records, List<Long> validators, List<Bytes> nodes) {
        return new RegistryPart(
                issuer, List.copyOf(records), Collections.unmodifiableList(validators),
                List.copyOf(nodes));
    }

    private static long position(Cursor cursor, String field) throws FormException {
        long position = cursor.number(field);
        if (position > Limits.U32_MAX) {
            throw wrongForm("proof field `%s` is out of range", field);
        }
        return position;
    }

    private static LegalRecord legal(Cursor cursor) throws FormException {
        String[] texts = new String[TEXTS.size()];
        for (int i = 0; i < texts.length; i++) {
            String field = TEXTS.get(i);
            Bytes bytes = cursor.take(field, cursor.count(field, TEXT_BYTES_MAX[i]));
            texts[i] = Json.utf8(bytes.array());
            if (texts[i] == null) {
                throw notCanonical(field);
            }
        }
        return new LegalRecord(texts[0], texts[1], texts[2], texts[3], texts[4]);
    }

    /** The shape alone: {@link #checked} has the limits. */
    static RegistryPart read(Object value) throws FormException {
        Fields part = Fields.of(value, "registry", PART);
        Place issuer = null;
        if (part.has("issuer")) {
            Fields place = Fields.of(part.get("issuer"), "issuer", PLACE);
            issuer = new Place(
                    place.integer("membership", Limits.U32_MAX),
                    place.integer("record", Limits.U32_MAX));
        }
        List<Placed> records = new ArrayList<>();
        for (Object it : part.list("records")) {
            Fields record = Fields.of(it, "record", RECORD);
            records.add(new Placed(
                    record.integer("organisation", Limits.U32_MAX),
                    record.integer("position", Limits.U32_MAX),
                    new LegalRecord(
                            record.text("nameZhTw"), record.text("nameEn"), record.text("taxId"),
                            record.text("lei"), record.text("jurisdiction"))));
        }
        List<Long> validators = part.integersOrNull("validators", Limits.U32_MAX);
        return of(issuer, records, validators, part.bytesList("nodes"));
    }

    /** Itself, if it has no more of anything than is allowed. */
    RegistryPart checked() throws FormException {
        atMost("records", records.size(), Limits.REGISTRY_RECORDS_MAX);
        atMost("validators", validators.size(), Limits.VALIDATORS_MAX);
        atMost("nodes", nodes.size(), Limits.REGISTRY_NODES_MAX);
        for (Placed record : records) {
            for (int i = 0; i < TEXT_BYTES_MAX.length; i++) {
                String text = record.legal.texts().get(i);
                int length = text.getBytes(StandardCharsets.UTF_8).length;
                atMost(TEXTS.get(i), length, TEXT_BYTES_MAX[i]);
            }
        }
        for (Bytes node : nodes) {
            atMost("node", node.length(), Limits.REGISTRY_NODE_BYTES_MAX);
        }
        return this;
    }

    private static void atMost(String field, int got, int most) throws FormException {
        if (got > most) {
            throw unreadable(
                    "proof field `%s` has %d entries, at most %d are allowed", field, got, most);
        }
    }
}
