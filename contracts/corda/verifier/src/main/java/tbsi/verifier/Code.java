package tbsi.verifier;

/** Why a proof does not hold, or why nobody can tell (SPEC §10.5). */
public enum Code {
    /** The leaf is not of this network, or of a place that the checkpoint cannot cover. */
    LEAF("leaf"),
    /** The inclusion proof leads elsewhere. */
    INCLUSION("inclusion"),
    /** A change of the validator set does not hold. */
    HANDOVER("handover"),
    /** The checkpoint or its certificate does not hold. */
    CHECKPOINT("checkpoint"),
    /** Another checkpoint of the trusted height: evidence against its signers. */
    FORK("fork"),
    /** What the map says does not follow from its root. */
    MAP("map"),
    /** Who the issuer or a validator is does not follow from the state that was signed. */
    REGISTRY("registry"),
    /** Parts that contradict each other, or are not in canonical form. */
    FORM("form"),
    /** The file that was given has another digest. Only {@link Main} compares files. */
    OTHER_FILE("otherFile"),
    /** Of another genesis file than the trusted one. */
    OTHER_NETWORK("otherNetwork"),
    /** Begins with another validator set than the trusted one. */
    GAP("gap"),
    /** Older than the trusted checkpoint. */
    BEFORE_TRUSTED("beforeTrusted"),
    /** A greatest age of the status was given, and the proof has none. */
    STATUS_MISSING("statusMissing"),
    /** The status is older than the greatest age that was given. */
    STATUS_OLD("statusOld"),
    /** A form that is not known here. */
    OTHER_VERSION("otherVersion"),
    /** No proof at all. */
    UNREADABLE("unreadable"),
    /** The genesis file cannot be used. Only {@link Main} reads one. */
    TRUST("trust"),
    /** The stream of handovers that was given leads nowhere. */
    HANDOVERS("handovers"),
    /** The file to compare or its salt cannot be. Only {@link Main} compares files. */
    FILE("file");

    private final String text;

    Code(String text) {
        this.text = text;
    }

    /** As {@code tbsi verify --json} writes it. */
    @Override
    public String toString() {
        return text;
    }
}
