package tbsi.verifier;

import static tbsi.verifier.FormException.notCanonical;

import java.util.Locale;

/**
 * What the map is asked (SPEC §9.11).
 *
 * @param parts one after the other: a digest, an id and an account, or a schema
 */
record MapQuestion(Kind kind, Bytes parts) {
    /** In the order of their numbers in the compact form, from 1. */
    enum Kind {
        DIGEST,
        STATUS,
        SCHEMA;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /**
     * What an entry says, by what was asked.
     *
     * @param first of a digest or a schema
     * @param revocable of a schema
     */
    record Held(
            Current.Place first, Current.Revocation revocation, Current.Supersession supersession,
            boolean revocable) {}

    private static final int REVOKED = 1;
    private static final int SUPERSEDED = 2;

    static MapQuestion take(Cursor cursor) throws FormException {
        long kind = cursor.uint("question", 1);
        if (kind > Kind.values().length) {
            throw notCanonical("question");
        }
        return switch ((int) kind) {
            case 1 -> new MapQuestion(Kind.DIGEST, takeDigest(cursor));
            case 2 -> new MapQuestion(
                    Kind.STATUS, cursor.take("id and issuer", Bytes.HASH + Bytes.ADDRESS));
            case 3 -> new MapQuestion(Kind.SCHEMA, cursor.hash("schema"));
            default -> throw notCanonical("question");
        };
    }

    private static Bytes takeDigest(Cursor cursor) throws FormException {
        Bytes digest = cursor.take("digest", (int) cursor.uint("digest", 1));
        return checkedDigest(digest);
    }

    static Bytes checkedDigest(Bytes digest) throws FormException {
        if (digest.length() != Bytes.HASH && digest.length() != 2 * Bytes.HASH) {
            throw notCanonical("digest");
        }
        return digest;
    }

    /** Where the map has what is asked. */
    Bytes key() {
        byte[] tag = Digests.tag("TBSI-MAP-" + kind.name() + "-1");
        return Digests.sha256(tag, parts.array());
    }

    /** What the value of an entry says. */
    Held read(Bytes value) throws UnprovenException {
        Cursor cursor = new Cursor(value.array());
        try {
            Held found = switch (kind) {
                case DIGEST -> new Held(takePlace(cursor), null, null, false);
                case STATUS -> takeStatus(cursor);
                case SCHEMA -> takeSchema(cursor);
            };
            cursor.end();
            return found;
        } catch (FormException error) {
            throw new UnprovenException("value of a %s: %s", kind, error.getMessage());
        }
    }

    private static Held takeSchema(Cursor cursor) throws FormException, UnprovenException {
        Current.Place first = takePlace(cursor);
        long flag = cursor.uint("revocable", 1);
        if (flag > 1) {
            throw new UnprovenException("flag `revocable` is %d, 0 or 1 is allowed", flag);
        }
        return new Held(first, null, null, flag == 1);
    }

    private static Held takeStatus(Cursor cursor) throws FormException, UnprovenException {
        long flags = cursor.uint("flags", 1);
        if (flags < REVOKED || flags > REVOKED + SUPERSEDED) {
            throw new UnprovenException("flags of a status are %d, 1 to 3 are allowed", flags);
        }
        Current.Revocation revocation = null;
        if ((flags & REVOKED) != 0) {
            Current.Place place = takeTimed(cursor);
            revocation = new Current.Revocation(place, (int) cursor.uint("reason", 2));
        }
        Current.Supersession supersession = null;
        if ((flags & SUPERSEDED) != 0) {
            Current.Place place = takeTimed(cursor);
            supersession = new Current.Supersession(place, cursor.hash("successor"));
        }
        return new Held(null, revocation, supersession, false);
    }

    private static Current.Place takePlace(Cursor cursor) throws FormException {
        long index = cursor.uint("index", 8);
        return new Current.Place(index, cursor.uint("height", 6), 0);
    }

    private static Current.Place takeTimed(Cursor cursor) throws FormException {
        Current.Place place = takePlace(cursor);
        return new Current.Place(place.leafIndex(), place.height(), cursor.uint("time", 6));
    }
}
