package tbsi.verifier;

/**
 * From which block until which something held; both are unsigned.
 *
 * @param until 0 for what still does
 */
public record InForce(long since, long until) {
    /** What begins or ends in a block does not cover it. */
    boolean covers(long height) {
        return Long.compareUnsigned(since, height) < 0
                && (until == 0 || Long.compareUnsigned(height, until) < 0);
    }

    @Override
    public String toString() {
        return "from block " + Long.toUnsignedString(since) + " to "
                + (until == 0 ? "now" : Long.toUnsignedString(until));
    }
}
