package tbsi.verifier;

/**
 * A change of the validator set that holds.
 *
 * @param last decision of the old set
 * @param first decision of the new set, at the next height
 */
public record VerifiedHandover(VerifiedDecision last, VerifiedDecision first) {}
