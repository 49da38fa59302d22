package tbsi.verifier;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * A signed proof with up to three changes of the validator set, and what is trusted: good in most
 * cases, otherwise wrong in one place, with signatures that are right for what is wrong.
 */
final class Scenario {
    /** A set of validators decides, one after the other. */
    private static final int SETS_MAX = 4;

    private static final long CHAIN_ID = 8_862_026;
    private static final long FIRST_TIME_MS = 1_700_000_000_000L;

    final byte[] compact;
    /** The Java anchor, and the same as {@link GoVerifier} takes it. */
    final TrustAnchor anchor;
    final String goAnchor;

    private final Random random;
    private final Chain chain = new Chain(CHAIN_ID, Forge.filled(0x11));
    private final List<List<Forge.Member>> sets = new ArrayList<>();
    private final List<Decision> decisions = new ArrayList<>();
    private long height;
    private long timeMs = FIRST_TIME_MS;

    Scenario(Random random) {
        this.random = random;
        int count = 1 + random.nextInt(SETS_MAX);
        for (int i = 0; i < count; i++) {
            sets.add(Forge.members(10L * random.nextInt(3) + 100L * i, 1 + random.nextInt(7)));
        }
        height = rarely() ? 0 : random.nextInt(3);
        List<Handover> handovers = new ArrayList<>();
        for (int i = 0; i + 1 < count; i++) {
            Decision last = decide(i, 1 + random.nextInt(2), hash(i + 1), Forge.filled(0x33));
            Decision first = decide(i + 1, rarely() ? random.nextInt(3) : 1, null,
                    Forge.filled(0x34));
            handovers.add(new Handover(Forge.set(sets.get(i)), last, first));
        }
        if (rarely()) {
            handovers.add(stale(count - 1));
        }
        Bundle bundle = bundle(count - 1, handovers);
        compact = Forge.compact(bundle);
        if (rarely()) {
            // One after the bundle's, which may be trusted.
            decide(count - 1, random.nextInt(2), null, Forge.filled(0x35));
        }
        int trusted = random.nextInt(2 + decisions.size());
        if (trusted < decisions.size()) {
            Checkpoint at = nearly(decisions.get(trusted).checkpoint());
            anchor = TrustAnchor.of(chain.genesisHash(), at);
            goAnchor = "checkpoint " + hex(chain.genesisHash()) + " " + hex(Bytes.of(at.encode()));
        } else {
            Bytes hash = hash(rarely() ? count - 1 : 0);
            long from = rarely() ? timeMs : FIRST_TIME_MS;
            Chain of = rarely() ? new Chain(CHAIN_ID + random.nextInt(2), Forge.filled(0x12))
                    : new Chain(CHAIN_ID + (rarely() ? 1 : 0), chain.genesisHash());
            anchor = TrustAnchor.ofSet(of, hash, from);
            goAnchor = "set " + of.chainId() + " " + hex(of.genesisHash()) + " " + hex(hash) + " "
                    + from;
        }
    }

    private boolean rarely() {
        return random.nextInt(16) == 0;
    }

    private static String hex(Bytes bytes) {
        return bytes.toString().substring(2);
    }

    private Bytes hash(int set) {
        return Forge.set(sets.get(set)).hash;
    }

    /** The next decision of a set; the hash of the next set is the set's own if it is null. */
    private Decision decide(int set, long after, Bytes next, Bytes logRoot) {
        height += after;
        timeMs += rarely() ? 0 : 1000 * after;
        return decideAt(set, next, 1 + random.nextInt(40), logRoot);
    }

    private Decision decideAt(int set, Bytes next, long logSize, Bytes logRoot) {
        Bytes own = hash(set);
        Bytes following = next == null ? own : rarely() ? own : next;
        Checkpoint at = new Checkpoint(
                CHAIN_ID, height, timeMs, Forge.filled(0x21), Forge.filled(0x22), logSize, logRoot,
                own, following);
        List<Forge.Member> members = sets.get(set);
        int quorum = 2 * members.size() / 3 + 1;
        int signers = rarely() ? quorum - 1 : quorum + random.nextInt(2);
        Decision found = Forge.decide(chain, at, members, signers);
        decisions.add(found);
        return found;
    }

    /** One of before, in the wrong place: behind all others. */
    private Handover stale(int set) {
        long nowHeight = height;
        long nowMs = timeMs;
        height = random.nextInt(3);
        timeMs = FIRST_TIME_MS;
        Decision last = decide(set, 1, Forge.filled(0x36), Forge.filled(0x37));
        Decision first = decide(set, 1, null, Forge.filled(0x38));
        height = nowHeight;
        timeMs = nowMs;
        return new Handover(Forge.set(sets.get(set)), last, first);
    }

    private Bundle bundle(int set, List<Handover> handovers) {
        height += random.nextInt(2);
        timeMs += 1;
        // Now and then the decision of the last handover is that of the bundle too.
        boolean same = !handovers.isEmpty() && random.nextInt(4) == 0;
        if (same) {
            height = decisions.get(decisions.size() - 1).checkpoint().height();
            timeMs = decisions.get(decisions.size() - 1).checkpoint().timeMs();
        } else if (handovers.isEmpty() || random.nextBoolean()) {
            height += 1;
        }
        boolean covered = random.nextBoolean();
        long leafHeight = covered ? height : Math.max(0, height - 1);
        long leafTime = covered && !rarely() ? timeMs : timeMs - 1 + (rarely() ? 2 : 0);
        byte[] leaf = Forge.attestation(
                CHAIN_ID, leafHeight, leafTime, Forge.filled(0x5c), 0x12, Forge.filled(0xd1));
        long size = 1 + random.nextInt(rarely() ? 1 << 20 : 40);
        long index = random.nextInt((int) size);
        List<Bytes> inclusion = new ArrayList<>();
        Bytes root = null;
        while (root == null) {
            try {
                root = Leaf.rootOf(Leaf.hash(leaf), index, size, inclusion);
            } catch (Leaf.ShapeException moreAreNeeded) {
                inclusion.add(Forge.filled(0x40 + inclusion.size()));
            }
        }
        Decision decision = decideAt(set, null, size, root);
        try {
            return new Bundle(
                    chain.genesisHash(), Bytes.of(leaf), Leaf.decode(leaf), index, inclusion,
                    decision, Forge.set(sets.get(set)), handovers);
        } catch (FormException error) {
            throw new IllegalStateException(error);
        }
    }

    /** What is trusted may be another checkpoint of the same height. */
    private Checkpoint nearly(Checkpoint at) {
        return rarely() ? at.withLogRoot(Forge.filled(0x77)) : at;
    }
}
