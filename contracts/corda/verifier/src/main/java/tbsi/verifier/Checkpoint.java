package tbsi.verifier;

import java.nio.ByteBuffer;

/** What validators sign at a height (SPEC §3.6). Integers are unsigned, hashes have 32 bytes. */
public record Checkpoint(
        long chainId,
        long height,
        long timeMs,
        Bytes blockHash,
        Bytes stateRoot,
        long logSize,
        Bytes logRoot,
        Bytes validatorSetHash,
        Bytes nextValidatorSetHash) {
    /** How many bytes one has. */
    public static final int BYTES = 192;

    /** Its bytes. */
    public byte[] encode() {
        return ByteBuffer.allocate(BYTES)
                .putLong(chainId)
                .putLong(height)
                .putLong(timeMs)
                .put(blockHash.array())
                .put(stateRoot.array())
                .putLong(logSize)
                .put(logRoot.array())
                .put(validatorSetHash.array())
                .put(nextValidatorSetHash.array())
                .array();
    }

    /**
     * Reads 192 bytes.
     *
     * @throws IllegalArgumentException if they are not 192
     */
    public static Checkpoint decode(byte[] data) {
        try {
            Cursor cursor = new Cursor(data);
            Checkpoint found = new Checkpoint(
                    cursor.uint("chain id", 8), cursor.uint("height", 8), cursor.uint("time", 8),
                    cursor.hash("block hash"), cursor.hash("state root"),
                    cursor.uint("log size", 8), cursor.hash("log root"),
                    cursor.hash("validator-set hash"), cursor.hash("next validator-set hash"));
            cursor.end();
            return found;
        } catch (FormException error) {
            throw new IllegalArgumentException("checkpoint: " + error.getMessage(), error);
        }
    }

    Bytes digest(Chain chain) {
        return Digests.sha256(
                Digests.tag("TBSI-CHECKPOINT-1"), chain.genesisHash().array(), encode());
    }

    Checkpoint withLogRoot(Bytes root) {
        return new Checkpoint(
                chainId, height, timeMs, blockHash, stateRoot, logSize, root, validatorSetHash,
                nextValidatorSetHash);
    }
}
