package tbsi.cordapp;

import java.util.List;
import java.util.Objects;
import net.corda.core.contracts.BelongsToContract;
import net.corda.core.contracts.ContractState;
import net.corda.core.identity.AbstractParty;
import net.corda.core.serialization.ConstructorForDeserialization;
import net.corda.core.utilities.OpaqueBytes;
import org.jetbrains.annotations.NotNull;
import tbsi.verifier.Bytes;
import tbsi.verifier.Chain;
import tbsi.verifier.Checkpoint;
import tbsi.verifier.Genesis;
import tbsi.verifier.TrustAnchor;

/**
 * What its maintainers trust of a TBSI network: the validator set of its genesis file, or a later
 * checkpoint. It is signed by all of them, so a document that names them was proven under something
 * that they agreed on.
 */
@BelongsToContract(AttestationContract.class)
public final class TrustedNetwork implements ContractState {
    private final List<AbstractParty> maintainers;
    private final long chainId;
    private final OpaqueBytes genesisHash;
    private final OpaqueBytes validatorSetHash;
    private final long timeMs;
    private final OpaqueBytes checkpoint;

    /**
     * Of a genesis file, these are its chain id, its hash, the hash of its validators and its time.
     *
     * @param checkpoint 192 bytes (SPEC §3.6) that are trusted since; null for none
     */
    @ConstructorForDeserialization
    public TrustedNetwork(
            List<AbstractParty> maintainers,
            long chainId,
            OpaqueBytes genesisHash,
            OpaqueBytes validatorSetHash,
            long timeMs,
            OpaqueBytes checkpoint) {
        this.maintainers = maintainers;
        this.chainId = chainId;
        this.genesisHash = genesisHash;
        this.validatorSetHash = validatorSetHash;
        this.timeMs = timeMs;
        this.checkpoint = checkpoint;
    }

    /** Of a genesis file, which somebody has read. */
    public static TrustedNetwork founded(Genesis genesis, List<AbstractParty> maintainers) {
        return new TrustedNetwork(
                maintainers, genesis.chain().chainId(),
                new OpaqueBytes(genesis.chain().genesisHash().toArray()),
                new OpaqueBytes(genesis.validatorSetHash().toArray()), genesis.timeMs(), null);
    }

    /** This network with a later checkpoint. */
    public TrustedNetwork at(Checkpoint later) {
        return new TrustedNetwork(
                maintainers, chainId, genesisHash, validatorSetHash, timeMs,
                new OpaqueBytes(later.encode()));
    }

    /**
     * What a verifier trusts by it.
     *
     * @throws IllegalArgumentException if hashes or checkpoint have another length than they must
     *     have, or the checkpoint is of another chain id
     */
    public TrustAnchor anchor() {
        Bytes genesis = Bytes.of(genesisHash.getBytes());
        TrustAnchor founding = TrustAnchor.ofSet(
                new Chain(chainId, genesis), Bytes.of(validatorSetHash.getBytes()), timeMs);
        if (checkpoint == null) {
            return founding;
        }
        Checkpoint trusted = Checkpoint.decode(checkpoint.getBytes());
        if (trusted.chainId() != chainId || trusted.height() == 0) {
            throw new IllegalArgumentException(
                    "the trusted checkpoint is of another chain id, or of height 0");
        }
        return TrustAnchor.of(genesis, trusted);
    }

    /** Who agreed on it. */
    public List<AbstractParty> getMaintainers() {
        return maintainers;
    }

    /** EIP-155 chain id. */
    public long getChainId() {
        return chainId;
    }

    /** 32 bytes. */
    public OpaqueBytes getGenesisHash() {
        return genesisHash;
    }

    /** 32 bytes: the validators of the genesis file. */
    public OpaqueBytes getValidatorSetHash() {
        return validatorSetHash;
    }

    /** Time of the genesis file, in milliseconds since 1970. */
    public long getTimeMs() {
        return timeMs;
    }

    /** The checkpoint that is trusted; null while the genesis file is. */
    public OpaqueBytes getCheckpoint() {
        return checkpoint;
    }

    @NotNull
    @Override
    public List<AbstractParty> getParticipants() {
        return maintainers;
    }

    @Override
    public boolean equals(Object other) {
        if (!(other instanceof TrustedNetwork)) {
            return false;
        }
        TrustedNetwork it = (TrustedNetwork) other;
        return maintainers.equals(it.maintainers) && chainId == it.chainId
                && genesisHash.equals(it.genesisHash)
                && validatorSetHash.equals(it.validatorSetHash) && timeMs == it.timeMs
                && Objects.equals(checkpoint, it.checkpoint);
    }

    @Override
    public int hashCode() {
        return Objects.hash(maintainers, chainId, genesisHash, timeMs, checkpoint);
    }
}
