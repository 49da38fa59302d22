package tbsi.verifier;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * How long verifying takes, printed; not among the ordinary tests:
 * {@code mvn -q -o -pl verifier test -Dtest=VerifyTimes}.
 */
class VerifyTimes {
    private static final int LOG_SIZE = 1_000_000;
    private static final int ROUNDS = 21;
    private static final long WARM_UP_NANOS = 3_000_000_000L;

    /** A proof with the signatures that a quorum needs, of a log of a million leaves. */
    static byte[] proof(Chain chain, int validators) throws FormException {
        List<Forge.Member> members = Forge.members(1000, validators);
        ValidatorSet set = Forge.set(members);
        byte[] leaf = Forge.attestation(
                chain.chainId(), 5, 5, Forge.filled(0x5c), 0x12, Forge.filled(0xd1));
        List<Bytes> inclusion = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            inclusion.add(Forge.filled(i));
        }
        try {
            Bytes root = Leaf.rootOf(Leaf.hash(leaf), 0, LOG_SIZE, inclusion);
            Checkpoint at = new Checkpoint(
                    chain.chainId(), 6, 6, Forge.filled(1), Forge.filled(2), LOG_SIZE, root,
                    set.hash, set.hash);
            return Forge.compact(new Bundle(
                    chain.genesisHash(), Bytes.of(leaf), Leaf.decode(leaf), 0, inclusion,
                    Forge.decide(chain, at, members, 2 * validators / 3 + 1), set, List.of()));
        } catch (Leaf.ShapeException error) {
            throw new IllegalStateException(error);
        }
    }

    @Test
    void print() throws FormException {
        Chain chain = new Chain(7, Forge.filled(9));
        for (int validators : new int[] {4, 31, 100}) {
            byte[] proof = proof(chain, validators);
            ValidatorSet set = Forge.set(Forge.members(1000, validators));
            TrustAnchor anchor = TrustAnchor.ofSet(chain, set.hash, 1);
            long[] nanos = new long[ROUNDS];
            long warm = System.nanoTime();
            while (System.nanoTime() - warm < WARM_UP_NANOS) {
                verify(proof, anchor);
            }
            for (int i = 0; i < ROUNDS; i++) {
                long start = System.nanoTime();
                verify(proof, anchor);
                nanos[i] = System.nanoTime() - start;
            }
            Arrays.sort(nanos);
            System.out.printf(
                    "%d validators, %d signatures, %d bytes: median %.2f ms, slowest %.2f ms%n",
                    validators, 2 * validators / 3 + 1, proof.length, nanos[ROUNDS / 2] / 1e6,
                    nanos[ROUNDS - 1] / 1e6);
        }
    }

    private static void verify(byte[] proof, TrustAnchor anchor) {
        Report report = Verifier.verify(proof, anchor);
        if (!report.isValid()) {
            throw new IllegalStateException(report.reason());
        }
    }
}
