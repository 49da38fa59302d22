package tbsi.verifier;

import java.util.List;

/**
 * What {@link Verifier#verify} found. Of a proof that holds, code is null, and reason too unless it
 * is void; of any other, all but verdict, code and reason is null, zero or empty.
 *
 * @param leafIndex unsigned
 * @param handovers those that were verified, in the order in which they happened
 * @param followed how many handovers were verified in a stream beside the proof
 * @param current null for a proof without the map
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
        long followed,
        Current current,
        Registry registry) {
    static Report invalid(Code code, String reason) {
        return of(Verdict.INVALID, code, reason);
    }

    static Report couldNotTell(Code code, String reason) {
        return of(Verdict.COULD_NOT_TELL, code, reason);
    }

    private static Report of(Verdict verdict, Code code, String reason) {
        return new Report(verdict, code, reason, null, 0, null, List.of(), 0, null, null);
    }

    /** Of one that holds. */
    Report with(Current found, Registry who) {
        String why = found == null ? null : found.whyVoid();
        return new Report(
                why == null ? verdict : Verdict.VOID, code, why, leaf, leafIndex, decision,
                handovers, followed, found, who);
    }

    /** Whether the proof holds, and what it proves was not revoked as far as it says. */
    public boolean isValid() {
        return verdict == Verdict.VALID;
    }
}
