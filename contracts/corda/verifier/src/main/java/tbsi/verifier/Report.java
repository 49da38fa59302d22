package tbsi.verifier;

import java.util.List;

/**
 * What {@link Verifier#verify} found. Of a proof that holds, code and reason are null; of any
 * other, all but verdict, code and reason is null, zero or empty.
 *
 * @param leafIndex unsigned
 * @param handovers those that were verified, in the order in which they happened
 * @param registry null for a proof without the registry
 */
public record Report(
        Verdict verdict,
        Code code,
        String reason,
        Leaf leaf,
        long leafIndex,
        VerifiedDecision decision,
        List<VerifiedHandover> handovers,
        Registry registry) {
    static Report invalid(Code code, String reason) {
        return new Report(Verdict.INVALID, code, reason, null, 0, null, List.of(), null);
    }

    static Report couldNotTell(Code code, String reason) {
        return new Report(Verdict.COULD_NOT_TELL, code, reason, null, 0, null, List.of(), null);
    }

    Report with(Registry found) {
        return new Report(
                verdict, code, reason, leaf, leafIndex, decision, handovers, found);
    }

    /** Whether the proof holds. */
    public boolean isValid() {
        return verdict == Verdict.VALID;
    }
}
