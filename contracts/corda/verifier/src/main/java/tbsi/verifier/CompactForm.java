package tbsi.verifier;

import static tbsi.verifier.FormException.notCanonical;
import static tbsi.verifier.FormException.otherVersion;
import static tbsi.verifier.FormException.unreadable;
import static tbsi.verifier.FormException.wrongForm;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The one compact form that a bundle has (SPEC §10.2). */
final class CompactForm {
    private static final byte[] MAGIC = "TBP1".getBytes(StandardCharsets.US_ASCII);
    private static final Bytes NO_ROOT = Bytes.owning(new byte[Bytes.HASH]);

    private final Cursor cursor;
    private Chain chain;

    private CompactForm(byte[] data) {
        cursor = new Cursor(data);
    }

    /** A part of a network's proof. */
    static CompactForm of(byte[] part, Chain chain) {
        CompactForm found = new CompactForm(part);
        found.chain = chain;
        return found;
    }

    void end() throws FormException {
        cursor.end();
    }

    static Bundle decode(byte[] data) throws FormException {
        if (data.length > Limits.BUNDLE_BYTES_MAX) {
            throw unreadable(
                    "proof has %d bytes, at most %d are allowed",
                    data.length, Limits.BUNDLE_BYTES_MAX);
        }
        return new CompactForm(data).takeBundle();
    }

    private Bundle takeBundle() throws FormException {
        if (!Arrays.equals(cursor.take("format", MAGIC.length).array(), MAGIC)) {
            throw otherVersion("not a proof in a form that is known here; use newer software");
        }
        Bytes genesisHash = cursor.hash("genesisHash");
        Bytes leafBytes = cursor.take("leaf", cursor.count("leaf", Limits.LEAF_BYTES_MAX));
        long leafIndex = cursor.number("leafIndex");
        int hashes = cursor.count("inclusionProof", Limits.INCLUSION_HASHES_MAX);
        List<Bytes> inclusion = new ArrayList<>(hashes);
        for (int i = 0; i < hashes; i++) {
            inclusion.add(cursor.hash("inclusionProof"));
        }
        ValidatorSet validators = takeSet();
        Leaf leaf = Leaf.decode(leafBytes.array());
        chain = new Chain(leaf.chainId(), genesisHash);
        Checkpoint facts = takeFacts(validators.hash);
        Checkpoint checkpoint;
        try {
            checkpoint = facts.withLogRoot(Leaf.rootOf(
                    Leaf.hash(leafBytes.array()), leafIndex, facts.logSize(), inclusion));
        } catch (Leaf.ShapeException error) {
            throw wrongForm("proof field `inclusionProof`: %s", error.getMessage());
        }
        Decision decision = new Decision(checkpoint, takeCertificate(checkpoint, validators));
        List<Handover> handovers = takeHandovers(validators);
        cursor.end();
        return new Bundle(
                genesisHash, leafBytes, leaf, leafIndex, List.copyOf(inclusion), decision,
                validators, handovers);
    }

    ValidatorSet takeSet() throws FormException {
        int count = cursor.count("validators", Limits.VALIDATORS_MAX);
        List<Validator> members = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            Bytes address = cursor.take("address", Bytes.ADDRESS);
            long power = cursor.number("power");
            members.add(new Validator(address, power, takeName("nameZhTw"), takeName("nameEn")));
        }
        return ValidatorSet.of(members);
    }

    private String takeName(String field) throws FormException {
        Bytes name = cursor.take(field, cursor.count(field, Limits.NAME_BYTES_MAX));
        String text = Json.utf8(name.array());
        if (text == null) {
            throw notCanonical(field);
        }
        return text;
    }

    /** A checkpoint whose log root is still to come. */
    private Checkpoint takeFacts(Bytes setHash) throws FormException {
        long height = cursor.number("height");
        long timeMs = cursor.number("timeMs");
        Bytes blockHash = cursor.hash("blockHash");
        Bytes stateRoot = cursor.hash("stateRoot");
        long logSize = cursor.number("logSize");
        long flag = cursor.uint("next set flag", 1);
        Bytes next = flag == 1 ? cursor.hash("nextValidatorSetHash") : setHash;
        if (flag > 1 || (flag == 1 && next.equals(setHash))) {
            throw notCanonical("nextValidatorSetHash");
        }
        return new Checkpoint(
                chain.chainId(), height, timeMs, blockHash, stateRoot, logSize, NO_ROOT, setHash,
                next);
    }

    private Certificate takeCertificate(Checkpoint of, ValidatorSet members) throws FormException {
        long round = cursor.number("round");
        if (round > Limits.U32_MAX) {
            throw wrongForm("proof field `round` is out of range");
        }
        int count = members.validators.size();
        byte[] flags = cursor.take("signers", (count + 7) / 8).array();
        for (int at = count; at < 8 * flags.length; at++) {
            if (isSet(flags, at)) {
                throw notCanonical("signers");
            }
        }
        List<Certificate.Signature> signatures = new ArrayList<>();
        for (int at = 0; at < count; at++) {
            if (isSet(flags, at)) {
                signatures.add(new Certificate.Signature(
                        members.validators.get(at).address(), cursor.take("signature", 65)));
            }
        }
        return new Certificate(of.height(), round, of.digest(chain), List.copyOf(signatures))
                .checked();
    }

    private static boolean isSet(byte[] flags, int at) {
        return (flags[at / 8] >> (at % 8) & 1) == 1;
    }

    /** A decision with its log root, which nothing else gives. */
    Decision takeDecision(ValidatorSet members) throws FormException {
        Checkpoint checkpoint = takeFacts(members.hash).withLogRoot(cursor.hash("logRoot"));
        return new Decision(checkpoint, takeCertificate(checkpoint, members));
    }

    /** All old sets, then both decisions of each handover. */
    private List<Handover> takeHandovers(ValidatorSet last) throws FormException {
        int count = cursor.count("handovers", Limits.HANDOVERS_MAX);
        List<ValidatorSet> sets = new ArrayList<>(count + 1);
        for (int i = 0; i < count; i++) {
            sets.add(takeSet());
        }
        sets.add(last);
        List<Handover> handovers = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            handovers.add(new Handover(
                    sets.get(i), takeDecision(sets.get(i)), takeDecision(sets.get(i + 1))));
        }
        return List.copyOf(handovers);
    }
}
