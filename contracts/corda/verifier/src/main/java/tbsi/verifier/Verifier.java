package tbsi.verifier;

import java.io.InputStream;
import java.util.Objects;
import tbsi.verifier.DecisionException.Problem;

/** From what is trusted to the leaf (SPEC §10.4). Nothing is fetched. */
public final class Verifier {
    private Verifier() {}

    /** As {@link #verify(byte[], TrustAnchor)}, with a greatest age of the status in the proof. */
    public static Report verify(byte[] proof, TrustAnchor anchor, StatusAge age) {
        Report found = verify(proof, anchor);
        if (found.decision() == null) {
            return found;
        }
        if (found.current() == null) {
            return Report.couldNotTell(
                    Code.STATUS_MISSING, "no status is stapled to the proof");
        }
        String problem = found.current().whyTooOld(age);
        return problem == null ? found : Report.couldNotTell(Code.STATUS_OLD, problem);
    }

    /**
     * Verifies a proof in any form. That one without the map holds does not say that nothing was
     * revoked later; with it, {@link Report#current} says up to when that is known.
     */
    public static Report verify(byte[] proof, TrustAnchor anchor) {
        return verifyAfter(proof, anchor, null);
    }

    /**
     * As {@link #verify(byte[], TrustAnchor)}, of a proof that begins after changes of the
     * validator set: those are read from a stream ({@link Handovers}), up to the proof's height.
     */
    public static Report verify(byte[] proof, TrustAnchor anchor, InputStream handovers) {
        return verifyAfter(proof, anchor, Objects.requireNonNull(handovers));
    }

    private static Report verifyAfter(byte[] proof, TrustAnchor anchor, InputStream handovers) {
        Proof parsed;
        try {
            parsed = Proof.parse(proof);
        } catch (FormException error) {
            return error.code == Code.FORM
                    ? Report.invalid(Code.FORM, error.getMessage())
                    : Report.couldNotTell(error.code, error.getMessage());
        }
        Bundle bundle = parsed.bundle();
        if (!bundle.genesisHash().equals(anchor.chain.genesisHash())) {
            return Report.couldNotTell(
                    Code.OTHER_NETWORK,
                    "proof is of the network with genesis hash " + bundle.genesisHash());
        }
        Handovers.Followed from = new Handovers.Followed(anchor, 0);
        if (handovers != null) {
            try {
                long height = bundle.decision().checkpoint().height();
                from = Handovers.follow(handovers, anchor, height);
            } catch (Handovers.UnusableException error) {
                return Report.couldNotTell(Code.HANDOVERS, error.getMessage());
            }
        }
        Report report = judge(bundle, from);
        return report.isValid() ? withParts(parsed, report, anchor.chain) : report;
    }

    private static Report withParts(Proof parsed, Report report, Chain chain) {
        Current current = null;
        if (parsed.map() != null) {
            try {
                current = MapProver.prove(parsed.map(), report, chain);
            } catch (UnprovenException error) {
                return Report.invalid(Code.MAP, "map: " + error.getMessage());
            }
        }
        Registry registry = null;
        if (parsed.registry() != null) {
            try {
                registry = RegistryProver.prove(parsed.registry(), report, parsed.bundle());
            } catch (UnprovenException error) {
                return Report.invalid(Code.REGISTRY, "registry: " + error.getMessage());
            }
        }
        return report.with(current, registry);
    }

    private static Report judge(Bundle bundle, Handovers.Followed from) {
        Chain chain = from.anchor().chain;
        Leaf leaf = bundle.leaf();
        Checkpoint at = bundle.decision().checkpoint();
        if (leaf.chainId() != chain.chainId()) {
            return Report.invalid(Code.LEAF, "leaf is of another chain id");
        }
        if (!covers(at, leaf)) {
            return Report.invalid(
                    Code.LEAF, "leaf is of a place that the checkpoint cannot cover");
        }
        Bytes root;
        try {
            root = Leaf.rootOf(
                    Leaf.hash(bundle.leafBytes().array()), bundle.leafIndex(), at.logSize(),
                    bundle.inclusion());
        } catch (Leaf.ShapeException error) {
            return Report.invalid(Code.INCLUSION, error.getMessage());
        }
        if (!root.equals(at.logRoot())) {
            return Report.invalid(Code.INCLUSION, "inclusion proof leads to log root " + root);
        }
        return judgeDecisions(bundle, from);
    }

    /** Height and time are the checkpoint's, or both are lower. */
    static boolean covers(Checkpoint at, Leaf leaf) {
        int height = Long.compareUnsigned(leaf.height(), at.height());
        int time = Long.compareUnsigned(leaf.timeMs(), at.timeMs());
        return height <= 0 && time <= 0 && (height == 0) == (time == 0);
    }

    private static Report judgeDecisions(Bundle bundle, Handovers.Followed from) {
        TrustAnchor.Followed followed;
        try {
            followed = from.anchor().follow(bundle.handovers(), bundle.validators());
        } catch (DecisionException.InHandover error) {
            boolean gap = error.number == 1 && error.problem == Problem.VALIDATOR_SET;
            return gap
                    ? Report.couldNotTell(Code.GAP, error.getMessage())
                    : Report.invalid(Code.HANDOVER, error.getMessage());
        }
        try {
            VerifiedDecision decision = followed.anchor()
                    .extend(bundle.decision(), bundle.validators()).decision();
            return new Report(
                    Verdict.VALID, null, null, bundle.leaf(), bundle.leafIndex(), decision,
                    followed.handovers(), from.count(), null, null);
        } catch (DecisionException error) {
            return undecided(error, bundle.handovers().isEmpty());
        }
    }

    private static Report undecided(DecisionException error, boolean noHandovers) {
        String reason = error.getMessage();
        return switch (error.problem) {
            case VALIDATOR_SET -> noHandovers
                    ? Report.couldNotTell(Code.GAP, reason)
                    : Report.invalid(Code.CHECKPOINT, reason);
            case BEFORE -> Report.couldNotTell(Code.BEFORE_TRUSTED, reason);
            case FORK -> Report.invalid(Code.FORK, reason);
            case OTHER -> Report.invalid(Code.CHECKPOINT, reason);
        };
    }
}
