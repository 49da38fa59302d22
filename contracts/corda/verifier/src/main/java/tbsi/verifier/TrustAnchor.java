package tbsi.verifier;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import tbsi.verifier.DecisionException.Problem;

/** What a verifier trusts: who decides heights of a network, from a certain one on. */
public final class TrustAnchor {
    final Chain chain;
    private final long height;
    private final long timeMs;

    /** Of the trusted checkpoint; null for a validator set. */
    private final Bytes digest;

    private final Bytes setHash;
    private final Bytes nextSetHash;

    private TrustAnchor(
            Chain chain, long height, long timeMs, Bytes digest, Bytes setHash, Bytes nextSetHash) {
        this.chain = chain;
        this.height = height;
        this.timeMs = timeMs;
        this.digest = digest;
        this.setHash = setHash;
        this.nextSetHash = nextSetHash;
    }

    /**
     * Trusts a validator set until the first handover that a bundle shows. Of a genesis file, these
     * are its hash, the hash of its validator set and its time.
     */
    public static TrustAnchor ofSet(Chain chain, Bytes setHash, long timeMs) {
        requireHash("genesis hash", chain.genesisHash());
        requireHash("validator-set hash", setHash);
        return new TrustAnchor(chain, 0, timeMs, null, setHash, setHash);
    }

    /** Trusts a checkpoint above genesis. */
    public static TrustAnchor of(Bytes genesisHash, Checkpoint checkpoint) {
        requireHash("genesis hash", genesisHash);
        return after(new Chain(checkpoint.chainId(), genesisHash), checkpoint);
    }

    private static void requireHash(String what, Bytes hash) {
        if (hash.length() != Bytes.HASH) {
            throw new IllegalArgumentException(
                    what + " has " + hash.length() + " bytes, it must have " + Bytes.HASH);
        }
    }

    private static TrustAnchor after(Chain chain, Checkpoint at) {
        return new TrustAnchor(
                chain, at.height(), at.timeMs(), at.digest(chain), at.validatorSetHash(),
                at.nextValidatorSetHash());
    }

    /** A verified decision, and what follows from it in turn. */
    record Extended(TrustAnchor anchor, VerifiedDecision decision) {}

    /** Where the handovers lead, and those that were verified. */
    record Followed(TrustAnchor anchor, List<VerifiedHandover> handovers) {}

    private void checkNotForked(Checkpoint at) throws DecisionException {
        boolean same = at.height() == height;
        if (same && (digest == null || !digest.equals(at.digest(chain)))) {
            throw new DecisionException(
                    Problem.FORK,
                    "checkpoint of height %s is not the one that is trusted for this height",
                    Long.toUnsignedString(at.height()));
        }
    }

    /** Chain, height and time of what comes after the anchor, or is it. */
    private void checkPlace(Checkpoint at) throws DecisionException {
        if (at.chainId() != chain.chainId()) {
            throw new DecisionException(
                    "checkpoint is of chain id %s, trusted is %s",
                    Long.toUnsignedString(at.chainId()), Long.toUnsignedString(chain.chainId()));
        }
        if (at.height() == 0) {
            throw new DecisionException("checkpoint height is 0, which validators never decide");
        }
        int order = Long.compareUnsigned(at.height(), height);
        if (order < 0) {
            throw new DecisionException(
                    Problem.BEFORE, "checkpoint is of height %s, before the trusted height %s",
                    Long.toUnsignedString(at.height()), Long.toUnsignedString(height));
        }
        if (order == 0) {
            checkNotForked(at);
        } else if (Long.compareUnsigned(at.timeMs(), timeMs) <= 0) {
            throw new DecisionException(
                    "checkpoint time is %s ms, it must be after %s ms",
                    Long.toUnsignedString(at.timeMs()), Long.toUnsignedString(timeMs));
        }
    }

    /** Verifies a decision as following from the anchor (SPEC §10.4). */
    Extended extend(Decision decision, ValidatorSet members) throws DecisionException {
        Checkpoint at = decision.checkpoint();
        Certificate certificate = decision.certificate();
        checkPlace(at);
        Bytes expected = at.height() == height ? setHash : nextSetHash;
        if (!at.validatorSetHash().equals(expected)) {
            throw new DecisionException(
                    Problem.VALIDATOR_SET,
                    "checkpoint names validator set %s, trusted is %s; the proof lacks a handover, "
                            + "or the set was never handed over to",
                    at.validatorSetHash(), expected);
        }
        if (!members.hash.equals(expected)) {
            throw new DecisionException(
                    "validators and names have hash %s, the checkpoint names validator set %s",
                    members.hash, expected);
        }
        if (certificate.height() != at.height()) {
            throw new DecisionException(
                    "checkpoint is of height %s, the certificate of height %s",
                    Long.toUnsignedString(at.height()),
                    Long.toUnsignedString(certificate.height()));
        }
        Bytes found = at.digest(chain);
        if (!found.equals(certificate.digest())) {
            throw new DecisionException(
                    "checkpoint has digest %s, the certificate decides %s",
                    found, certificate.digest());
        }
        Certificate.Quorum quorum = certificate.countQuorum(chain, members);
        return new Extended(
                after(chain, at),
                new VerifiedDecision(
                        at, found, quorum.signers(), quorum.power(), members.totalPower));
    }

    /** Goes through handovers; those that lie before the anchor are passed over. */
    Followed follow(List<Handover> handovers, ValidatorSet last)
            throws DecisionException.InHandover {
        TrustAnchor anchor = this;
        List<VerifiedHandover> verified = new ArrayList<>();
        for (int i = 0; i < handovers.size(); i++) {
            Handover it = handovers.get(i);
            ValidatorSet next = i + 1 < handovers.size() ? handovers.get(i + 1).validators() : last;
            try {
                Checkpoint first = it.first().checkpoint();
                if (verified.isEmpty() && Long.compareUnsigned(first.height(), height) <= 0) {
                    checkNotForked(first);
                    continue;
                }
                it.check();
                Extended old = anchor.extend(it.last(), it.validators());
                Extended after = old.anchor.extend(it.first(), next);
                anchor = after.anchor;
                verified.add(new VerifiedHandover(old.decision, after.decision));
            } catch (DecisionException error) {
                throw new DecisionException.InHandover(i + 1, error);
            }
        }
        return new Followed(anchor, List.copyOf(verified));
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof TrustAnchor it
                && chain.equals(it.chain) && height == it.height && timeMs == it.timeMs
                && Objects.equals(digest, it.digest) && setHash.equals(it.setHash)
                && nextSetHash.equals(it.nextSetHash);
    }

    @Override
    public int hashCode() {
        return Objects.hash(chain, height, timeMs, digest, setHash, nextSetHash);
    }
}
