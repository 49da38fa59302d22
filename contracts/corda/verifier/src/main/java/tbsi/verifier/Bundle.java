package tbsi.verifier;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/** A proof as it was read, in either form, not verified (SPEC §10.1). */
record Bundle(
        Bytes genesisHash,
        Bytes leafBytes,
        Leaf leaf,
        long leafIndex,
        List<Bytes> inclusion,
        Decision decision,
        ValidatorSet validators,
        List<Handover> handovers) {
    /** What all compact forms begin with, of whatever version. */
    private static final byte[] COMPACT = "TBP".getBytes(StandardCharsets.US_ASCII);

    /** The proof in compact form; null if that is not its form. */
    static Bundle parseCompact(byte[] proof) throws FormException {
        if (proof.length == 0) {
            throw FormException.unreadable("the proof is empty: bytes needed, 0 left");
        }
        if (Arrays.mismatch(proof, COMPACT) == COMPACT.length
                || Arrays.equals(proof, COMPACT)) {
            return CompactForm.decode(proof);
        }
        return null;
    }
}
