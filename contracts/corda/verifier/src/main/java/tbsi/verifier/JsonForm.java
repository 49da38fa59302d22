package tbsi.verifier;

import static tbsi.verifier.FormException.otherVersion;
import static tbsi.verifier.FormException.unreadable;
import static tbsi.verifier.FormException.wrongForm;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The JSON form of a bundle (SPEC §10.3). */
final class JsonForm {
    private static final String FORMAT = "tbsi-proof-1";
    private static final Set<String> BUNDLE = Set.of(
            "format", "genesisHash", "statement", "leaf", "leafIndex", "inclusionProof",
            "checkpoint", "certificate", "validators", "handovers");
    private static final Set<String> CHECKPOINT = Set.of(
            "chainId", "height", "timeMs", "blockHash", "stateRoot", "logSize", "logRoot",
            "validatorSetHash", "nextValidatorSetHash");
    private static final Set<String> CERTIFICATE =
            Set.of("height", "round", "checkpointDigest", "signatures");
    private static final Set<String> SIGNATURE = Set.of("validator", "signature");
    private static final Set<String> VALIDATOR = Set.of("address", "power", "nameZhTw", "nameEn");
    private static final Set<String> HANDOVER = Set.of("validators", "last", "first");
    private static final Set<String> DECISION = Set.of("checkpoint", "certificate");

    private JsonForm() {}

    private record Changed(List<Validator> validators, Decision last, Decision first) {}

    /** A bundle of which the content is not checked. */
    static final class Shape {
        private final String format;
        private final Map<String, Object> statement;
        private final Bytes genesisHash;
        private final Bytes leafBytes;
        private final long leafIndex;
        private final List<Bytes> inclusion;
        private final Decision decision;
        private final List<Validator> validators;
        private final List<Changed> changes;

        private Shape(
                String format, Map<String, Object> statement, Bytes genesisHash, Bytes leafBytes,
                long leafIndex, List<Bytes> inclusion, Decision decision,
                List<Validator> validators, List<Changed> changes) {
            this.format = format;
            this.statement = statement;
            this.genesisHash = genesisHash;
            this.leafBytes = leafBytes;
            this.leafIndex = leafIndex;
            this.inclusion = inclusion;
            this.decision = decision;
            this.validators = validators;
            this.changes = changes;
        }

        Bundle content() throws FormException {
            return JsonForm.content(this);
        }
    }

    static Object parse(byte[] data) throws FormException {
        if (data.length > Limits.BUNDLE_JSON_BYTES_MAX) {
            throw unreadable(
                    "proof has %d bytes, at most %d are allowed",
                    data.length, Limits.BUNDLE_JSON_BYTES_MAX);
        }
        return Json.parse(data);
    }

    /** Shape comes first, content after it: that decides which of two faults is told. */
    static Shape read(Object value) throws FormException {
        Fields top = Fields.of(value, "proof", BUNDLE);
        String format = top.text("format");
        Map<String, Object> statement = Fields.object(top.get("statement"), "statement");
        Bytes genesisHash = top.hash("genesisHash");
        Bytes leafBytes = top.bytes("leaf");
        long leafIndex = top.integer("leafIndex");
        List<Bytes> inclusion = top.hashes("inclusionProof");
        Decision decision = decision(top);
        List<Validator> validators = validators(top);
        return new Shape(
                format, statement, genesisHash, leafBytes, leafIndex, inclusion, decision,
                validators, changes(top));
    }

    private static Bundle content(Shape of) throws FormException {
        if (!of.format.equals(FORMAT)) {
            throw otherVersion("not a proof in a form that is known here (`%s`)", FORMAT);
        }
        Bytes leafBytes = of.leafBytes;
        List<Bytes> inclusion = of.inclusion;
        List<Changed> changes = of.changes;
        if (leafBytes.length() > Limits.LEAF_BYTES_MAX) {
            throw wrongForm(
                    "leaf has %d bytes, at most %d are allowed",
                    leafBytes.length(), Limits.LEAF_BYTES_MAX);
        }
        if (inclusion.size() > Limits.INCLUSION_HASHES_MAX
                || changes.size() > Limits.HANDOVERS_MAX) {
            throw unreadable("proof has too many hashes or handovers");
        }
        Leaf leaf = Leaf.decode(leafBytes.array());
        if (!says(of.statement, leaf.statement())) {
            throw wrongForm("proof field `statement` says something else than `leaf`");
        }
        of.decision.certificate().checked();
        ValidatorSet members = ValidatorSet.of(of.validators);
        List<Handover> handovers = new ArrayList<>(changes.size());
        for (Changed it : changes) {
            ValidatorSet old = ValidatorSet.of(it.validators);
            it.last.certificate().checked();
            it.first.certificate().checked();
            handovers.add(new Handover(old, it.last, it.first));
        }
        return new Bundle(
                of.genesisHash, leafBytes, leaf, of.leafIndex, inclusion, of.decision, members,
                List.copyOf(handovers));
    }

    private static List<Changed> changes(Fields top) throws FormException {
        List<Changed> changes = new ArrayList<>();
        for (Object it : top.list("handovers")) {
            Fields part = Fields.of(it, "handover", HANDOVER);
            changes.add(new Changed(
                    validators(part),
                    decision(Fields.of(part.get("last"), "last", DECISION)),
                    decision(Fields.of(part.get("first"), "first", DECISION))));
        }
        return changes;
    }

    private static List<Validator> validators(Fields of) throws FormException {
        List<Validator> validators = new ArrayList<>();
        for (Object it : of.list("validators")) {
            Fields part = Fields.of(it, "validator", VALIDATOR);
            validators.add(new Validator(
                    part.bytes("address", Bytes.ADDRESS), part.integer("power"),
                    part.text("nameZhTw"), part.text("nameEn")));
        }
        return validators;
    }

    private static Decision decision(Fields of) throws FormException {
        Fields it = Fields.of(of.get("checkpoint"), "checkpoint", CHECKPOINT);
        Checkpoint checkpoint = new Checkpoint(
                it.integer("chainId"), it.integer("height"), it.integer("timeMs"),
                it.hash("blockHash"), it.hash("stateRoot"), it.integer("logSize"),
                it.hash("logRoot"), it.hash("validatorSetHash"), it.hash("nextValidatorSetHash"));
        Fields part = Fields.of(of.get("certificate"), "certificate", CERTIFICATE);
        List<Certificate.Signature> signatures = new ArrayList<>();
        for (Object entry : part.list("signatures")) {
            Fields signature = Fields.of(entry, "signature", SIGNATURE);
            signatures.add(new Certificate.Signature(
                    signature.bytes("validator", Bytes.ADDRESS), signature.bytes("signature")));
        }
        return new Decision(checkpoint, new Certificate(
                part.integer("height"), part.integer("round", Limits.U32_MAX),
                part.hash("checkpointDigest"), List.copyOf(signatures)));
    }

    /** Compares an object with what it must have, field by field. */
    private static boolean says(Map<String, Object> given, List<Leaf.Field> expected) {
        for (Leaf.Field it : expected) {
            Object value = it.value() instanceof Bytes bytes ? bytes.toString() : it.value();
            if (!value.equals(given.get(it.name()))) {
                return false;
            }
        }
        return given.size() == expected.size();
    }
}
