package tbsi.verifier;

/** Verdict on a proof (SPEC §10.5). */
public enum Verdict {
    /** The proof holds. */
    VALID("valid"),
    /** It holds, and what it proves was revoked. */
    VOID("void"),
    /** It does not. */
    INVALID("invalid"),
    /** Something is missing, of another network or version, or no proof at all. */
    COULD_NOT_TELL("could not tell");

    private final String text;

    Verdict(String text) {
        this.text = text;
    }

    /** As {@code tbsi verify --json} writes it. */
    @Override
    public String toString() {
        return text;
    }
}
