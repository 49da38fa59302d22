package tbsi.verifier;

import static tbsi.verifier.FormException.wrongForm;

import java.io.ByteArrayOutputStream;
import java.util.List;

/** The validators of one height in address order, checked (SPEC §3.2). */
final class ValidatorSet {
    final List<Validator> validators;
    final long totalPower;
    final Bytes hash;

    private ValidatorSet(List<Validator> validators, long totalPower, Bytes hash) {
        this.validators = validators;
        this.totalPower = totalPower;
        this.hash = hash;
    }

    static ValidatorSet of(List<Validator> validators) throws FormException {
        if (validators.isEmpty() || validators.size() > Limits.VALIDATORS_MAX) {
            throw wrongForm(
                    "proof field `validators`: %d given, 1 to %d are allowed",
                    validators.size(), Limits.VALIDATORS_MAX);
        }
        long total = 0;
        Validator before = null;
        ByteArrayOutputStream members = new ByteArrayOutputStream();
        for (Validator it : validators) {
            if (before != null && before.address().compareTo(it.address()) >= 0) {
                throw wrongForm("validator %s is not in address order, each once", it.address());
            }
            long sum = total + it.power();
            if (it.power() == 0 || Long.compareUnsigned(sum, total) < 0) {
                throw wrongForm(
                        "validator %s: voting power is 0 or too much in all", it.address());
            }
            if (it.hasLongName()) {
                throw wrongForm(
                        "validator %s: a name has more than %d bytes",
                        it.address(), Limits.NAME_BYTES_MAX);
            }
            total = sum;
            before = it;
            members.writeBytes(it.address().array());
            members.writeBytes(Digests.u64(it.power()));
            members.writeBytes(it.operator().array());
        }
        Bytes hash = Digests.sha256(
                Digests.tag("TBSI-VALIDATOR-SET-1"),
                Digests.u16(validators.size()), members.toByteArray());
        return new ValidatorSet(List.copyOf(validators), total, hash);
    }

    /** The validator with an address; null if there is none. */
    Validator get(Bytes address) {
        int low = 0;
        int high = validators.size();
        while (low < high) {
            int middle = (low + high) / 2;
            int order = validators.get(middle).address().compareTo(address);
            if (order == 0) {
                return validators.get(middle);
            } else if (order < 0) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return null;
    }
}
