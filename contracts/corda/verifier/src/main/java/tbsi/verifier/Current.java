package tbsi.verifier;

import java.util.List;

/**
 * What a proof says of what is current (SPEC §10.7). Integers are unsigned.
 *
 * @param root the leaf with the map's root
 * @param leafIndex of that leaf
 * @param known of what is said of attestations
 * @param digestsKnown of what is said of digests
 * @param status of the proof's attestation; null if digests are asked for
 * @param digests empty if a status is asked for
 */
public record Current(
        Leaf root, long leafIndex, Known known, Known digestsKnown, Status status,
        List<Digest> digests) {
    /**
     * Up to which block, and until when, something is known.
     *
     * @param timed whether the time is: the map had not caught up with digests otherwise, and no
     *     part of the proof has the time of that block
     */
    public record Known(long height, long timeMs, boolean timed) {}

    /**
     * Where something was said.
     *
     * @param timeMs 0 of what the map has no time of
     */
    public record Place(long leafIndex, long height, long timeMs) {}

    /**
     * The issuer's own.
     *
     * @param reason of SPEC §12.8
     */
    public record Revocation(Place place, int reason) {}

    /**
     * Another attestation took its place.
     *
     * @param successor its id
     */
    public record Supersession(Place place, Bytes successor) {}

    /**
     * What became of an attestation (SPEC §12.4), except for countersignatures.
     *
     * @param revocation null if there is none that counts
     * @param supersession null if there is none
     */
    public record Status(
            Revocation revocation, Supersession supersession, boolean algorithmRevoked) {}

    /**
     * Where a digest was first attested.
     *
     * @param first null if it was not
     */
    public record Digest(Bytes digest, Place first) {}

    /** Why what a status is stapled to counts for nothing; null if it counts. */
    String whyVoid() {
        if (status != null && status.revocation != null) {
            return "the attestation was revoked by its issuer";
        }
        return status != null && status.algorithmRevoked
                ? "the attestation's digest algorithm was revoked" : null;
    }

    /** Why what is asked is too old, or why nobody can tell; null if it is not. */
    String whyTooOld(StatusAge age) {
        if (status != null && status.revocation != null) {
            // A revocation is for ever.
            return null;
        }
        Known of = status == null ? digestsKnown : known;
        if (!of.timed) {
            return "digests are known up to a block whose time is not in the proof";
        }
        // What was known afterwards is not too old.
        boolean before = Long.compareUnsigned(of.timeMs, age.atMs()) < 0;
        boolean old = Long.compareUnsigned(age.atMs() - of.timeMs, age.maxAgeMs()) > 0;
        return before && old
                ? "the status was known too long before the time given; fetch the proof again"
                : null;
    }
}
