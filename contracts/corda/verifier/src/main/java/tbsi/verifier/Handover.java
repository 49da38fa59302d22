package tbsi.verifier;

/** The old set, its last decision, and the first of the set after it, not verified. */
record Handover(ValidatorSet validators, Decision last, Decision first) {
    void check() throws DecisionException {
        Checkpoint before = last.checkpoint();
        if (before.validatorSetHash().equals(before.nextValidatorSetHash())) {
            throw new DecisionException(
                    "checkpoint of height %s names the same validator set for the next height",
                    Long.toUnsignedString(before.height()));
        }
        if (first.checkpoint().height() != before.height() + 1) {
            throw new DecisionException(
                    "the new validator set's decision is of height %s, the old one's last of %s",
                    Long.toUnsignedString(first.checkpoint().height()),
                    Long.toUnsignedString(before.height()));
        }
    }
}
