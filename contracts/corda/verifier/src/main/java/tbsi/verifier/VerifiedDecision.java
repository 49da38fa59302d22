package tbsi.verifier;

import java.util.List;

/**
 * A checkpoint that a quorum of named validators decided.
 *
 * @param digest of the checkpoint, 32 bytes
 * @param signers in address order
 * @param power of the signers, unsigned
 * @param totalPower of the validator set, unsigned
 */
public record VerifiedDecision(
        Checkpoint checkpoint,
        Bytes digest,
        List<Validator> signers,
        long power,
        long totalPower) {}
