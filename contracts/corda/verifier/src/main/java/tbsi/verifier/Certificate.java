package tbsi.verifier;

import static tbsi.verifier.FormException.notCanonical;
import static tbsi.verifier.FormException.wrongForm;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;

/** A quorum of precommits for one checkpoint (SPEC §3.7). */
record Certificate(long height, long round, Bytes digest, List<Signature> signatures) {
    private static final int SIGNATURE_BYTES = 65;
    private static final byte[] PRECOMMIT = {2};
    private static final byte[] FOR_A_VALUE = {1};

    record Signature(Bytes validator, Bytes bytes) {}

    /** The members that signed, in address order, and what they weigh together. */
    record Quorum(List<Validator> signers, long power) {}

    /** What every certificate promises. */
    Certificate checked() throws FormException {
        if (signatures.size() > Limits.VALIDATORS_MAX || round > Limits.ROUND_MAX) {
            throw wrongForm("certificate: %d signatures, round %d", signatures.size(), round);
        }
        Bytes before = null;
        for (Signature it : signatures) {
            if (before != null && before.compareTo(it.validator) >= 0) {
                throw notCanonical("signatures");
            }
            if (it.bytes.length() != SIGNATURE_BYTES) {
                throw notCanonical("signature");
            }
            before = it.validator;
        }
        return this;
    }

    /** What each signature is over (SPEC §3.5). */
    private Bytes precommit(Chain chain) {
        return Digests.sha256(
                Digests.tag("TBSI-VOTE-1"), Digests.u64(chain.chainId()),
                chain.genesisHash().array(), PRECOMMIT, Digests.u64(height), Digests.u32(round),
                FOR_A_VALUE, digest.array());
    }

    /** The signers, if the certificate is valid for the set. */
    Quorum countQuorum(Chain chain, ValidatorSet members) throws DecisionException {
        byte[] signed = precommit(chain).array();
        long power = 0;
        List<Validator> signers = new ArrayList<>(signatures.size());
        for (Signature it : signatures) {
            Validator member = members.get(it.validator);
            if (member == null) {
                throw new DecisionException(
                        "%s signed the certificate but is not in the validator set", it.validator);
            }
            if (!it.validator.equals(Secp256k1.recover(signed, it.bytes.array()))) {
                throw new DecisionException("signature of validator %s", it.validator);
            }
            // Distinct members weigh at most the total, which fits.
            power += member.power();
            signers.add(member);
        }
        if (!isQuorum(power, members.totalPower)) {
            throw new DecisionException(
                    "signatures carry %s of %s voting power, strictly more than 2/3 is needed",
                    Long.toUnsignedString(power), Long.toUnsignedString(members.totalPower));
        }
        return new Quorum(List.copyOf(signers), power);
    }

    /** {@code 3 * power > 2 * total}, exactly. */
    static boolean isQuorum(long power, long total) {
        BigInteger three = unsigned(power).multiply(BigInteger.valueOf(3));
        return three.compareTo(unsigned(total).shiftLeft(1)) > 0;
    }

    private static BigInteger unsigned(long value) {
        return new BigInteger(1, Digests.u64(value));
    }
}
