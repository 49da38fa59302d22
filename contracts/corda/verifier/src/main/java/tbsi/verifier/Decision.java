package tbsi.verifier;

/** A checkpoint and its certificate as a proof gives them, not verified. */
record Decision(Checkpoint checkpoint, Certificate certificate) {}
