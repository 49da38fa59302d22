package tbsi.verifier;

/** Named maxima, with their units (SPEC §3.2, §9.3, §10). */
public final class Limits {
    /** Of a proof in compact form. */
    public static final int BUNDLE_BYTES_MAX = 8 * 1024 * 1024;

    /** Of a proof in JSON form. */
    public static final int BUNDLE_JSON_BYTES_MAX = 32 * 1024 * 1024;

    /** Of a genesis file. */
    public static final int GENESIS_BYTES_MAX = 64 * 1024 * 1024;

    /** Changes of the validator set that one bundle follows. */
    public static final int HANDOVERS_MAX = 256;

    /** Of a record of a stream of handovers (SPEC §10.6). */
    public static final int HANDOVER_RECORD_BYTES_MAX = 512 * 1024;

    /** Validators in a set, and signatures in a certificate. */
    public static final int VALIDATORS_MAX = 128;

    /** Of a legal name, in each language. */
    public static final int NAME_BYTES_MAX = 512;

    /** Of a leaf. */
    public static final int LEAF_BYTES_MAX = 512;

    /** Hashes of an inclusion proof. */
    public static final int INCLUSION_HASHES_MAX = 64;

    /** Records of organisations in one proof (SPEC §10.11). */
    public static final int REGISTRY_RECORDS_MAX = 129;

    /** Nodes of the state's tries in one proof. */
    public static final int REGISTRY_NODES_MAX = 4096;

    /** Of one of them. */
    public static final int REGISTRY_NODE_BYTES_MAX = 1024;

    /** Bits of a path in the map (SPEC §9.11). */
    public static final int MAP_DEPTH_MAX = 256;

    /** Of a value in the map. */
    public static final int MAP_VALUE_BYTES_MAX = 75;

    /** Answers of the map in one proof (SPEC §10.7). */
    public static final int MAP_ENTRIES_MAX = 3;

    /** Revoked algorithms in one proof. */
    public static final int MAP_ALGORITHMS_MAX = 64;

    static final int TAX_ID_BYTES_MAX = 8;
    static final int LEI_BYTES_MAX = 20;
    static final int JURISDICTION_BYTES_MAX = 2;
    static final int NODES_MAX = 1024;
    static final int GENESIS_ACCOUNTS_MAX = 100_000;
    static final int VARINT_BYTES_MAX = 9;

    /** Objects and arrays within each other. */
    static final int JSON_DEPTH_MAX = 127;

    /** Characters of 2^64 - 1; a longer integer fits no field. */
    static final int INTEGER_CHARS_MAX = 20;

    static final long U32_MAX = (1L << 32) - 1;
    static final long U64_MAX = -1L;
    static final long ROUND_MAX = U32_MAX - 1;

    /** Integers above this are not exact in JSON (RFC 8785 §3.2.2.3). */
    static final long JSON_INTEGER_MAX = (1L << 53) - 1;

    /** Of a piece of a file that is hashed. */
    static final int PIECE_BYTES = 1024 * 1024;

    private Limits() {}
}
