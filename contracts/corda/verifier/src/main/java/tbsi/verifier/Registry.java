package tbsi.verifier;

import java.util.List;

/**
 * What a proof says of who is who (SPEC §10.11).
 *
 * @param issuer null if the proof does not say whose account the issuer's was
 * @param operators who answers for each validator that could sign the checkpoint, in address
 *     order; null for those of whom the proof does not say
 * @param known the block up to which all this is known, unsigned
 */
public record Registry(Issuer issuer, List<Operator> operators, long known) {
    /**
     * An issuer's organisation in the block of its statement.
     *
     * @param member of the account
     * @param named of these names and identifiers
     */
    public record Issuer(long organisation, LegalRecord legal, InForce member, InForce named) {}

    /**
     * Who answers for a validator in the block of the checkpoint.
     *
     * @param validator 20 bytes
     * @param legal the legal names that are in the validator set, and identifiers
     * @param since the block since when the organisation had them, unsigned
     */
    public record Operator(Bytes validator, long organisation, LegalRecord legal, long since) {}

    /** Who answers for a validator; null if the proof does not say. */
    public Operator operator(Bytes validator) {
        for (Operator it : operators) {
            if (it != null && it.validator.equals(validator)) {
                return it;
            }
        }
        return null;
    }
}
