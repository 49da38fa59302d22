package tbsi.cordapp;

import java.util.Collections;
import java.util.List;
import java.util.Objects;
import net.corda.core.contracts.BelongsToContract;
import net.corda.core.contracts.ContractState;
import net.corda.core.identity.AbstractParty;
import net.corda.core.serialization.ConstructorForDeserialization;
import net.corda.core.utilities.OpaqueBytes;
import org.jetbrains.annotations.NotNull;
import tbsi.verifier.Bytes;
import tbsi.verifier.Leaf;
import tbsi.verifier.Report;
import tbsi.verifier.Verifier;

/**
 * A document's digest, as attested on a TBSI network, with the proof. That it is on the ledger says
 * that the proof held under what the maintainers trusted; it does not say that the attestation was
 * not revoked later.
 */
@BelongsToContract(AttestationContract.class)
public final class AttestedDocument implements ContractState {
    /** Of a proof in compact form, so that a transaction's cost is bounded. */
    public static final int PROOF_BYTES_MAX = 256 * 1024;

    private static final byte[] COMPACT = {'T', 'B', 'P', '1'};

    private final List<AbstractParty> maintainers;
    private final AbstractParty owner;
    private final OpaqueBytes genesisHash;
    private final long algorithm;
    private final OpaqueBytes digest;
    private final OpaqueBytes issuer;
    private final OpaqueBytes attestationId;
    private final long timeMs;
    private final OpaqueBytes proof;

    /** All but the owner follows from the network and the proof: use {@link #prove}. */
    @ConstructorForDeserialization
    public AttestedDocument(
            List<AbstractParty> maintainers,
            AbstractParty owner,
            OpaqueBytes genesisHash,
            long algorithm,
            OpaqueBytes digest,
            OpaqueBytes issuer,
            OpaqueBytes attestationId,
            long timeMs,
            OpaqueBytes proof) {
        this.maintainers = maintainers;
        this.owner = owner;
        this.genesisHash = genesisHash;
        this.algorithm = algorithm;
        this.digest = digest;
        this.issuer = issuer;
        this.attestationId = attestationId;
        this.timeMs = timeMs;
        this.proof = proof;
    }

    /**
     * The state of an attestation that a proof in compact form proves.
     *
     * @throws IllegalArgumentException if it does not hold under what the network trusts
     */
    public static AttestedDocument prove(
            OpaqueBytes proof, TrustedNetwork network, AbstractParty owner) {
        Leaf leaf = verify(proof, network).leaf();
        if (!leaf.kind().equals(Leaf.ATTESTATION)) {
            throw new IllegalArgumentException(
                    "the proof is of a " + leaf.kind() + ", an attestation is needed");
        }
        return new AttestedDocument(
                network.getMaintainers(), owner, network.getGenesisHash(),
                (Long) leaf.field("algorithm"), opaque(leaf.digest()), opaque(leaf.issuer()),
                opaque(leaf.id()), leaf.timeMs(), proof);
    }

    /** What a proof proves, if it holds. */
    static Report verify(OpaqueBytes proof, TrustedNetwork network) {
        byte[] bytes = proof.getBytes();
        if (bytes.length > PROOF_BYTES_MAX) {
            throw new IllegalArgumentException(
                    "the proof has " + bytes.length + " bytes, at most " + PROOF_BYTES_MAX
                            + " are allowed; fetch it from a later height");
        }
        for (int at = 0; at < COMPACT.length; at++) {
            if (at >= bytes.length || bytes[at] != COMPACT[at]) {
                throw new IllegalArgumentException("the proof is not in compact form");
            }
        }
        Report report = Verifier.verify(bytes, network.anchor());
        if (!report.isValid()) {
            throw new IllegalArgumentException(
                    "the proof does not hold: " + report.verdict() + " (" + report.code() + "): "
                            + report.reason());
        }
        return report;
    }

    private static OpaqueBytes opaque(Bytes bytes) {
        return new OpaqueBytes(bytes.toArray());
    }

    /** The same document of another owner. */
    public AttestedDocument withOwner(AbstractParty other) {
        return new AttestedDocument(
                maintainers, other, genesisHash, algorithm, digest, issuer, attestationId, timeMs,
                proof);
    }

    /** Who agreed on what the proof was verified under. */
    public List<AbstractParty> getMaintainers() {
        return maintainers;
    }

    /** Who may transfer or discard it. */
    public AbstractParty getOwner() {
        return owner;
    }

    /** 32 bytes: of the TBSI network. */
    public OpaqueBytes getGenesisHash() {
        return genesisHash;
    }

    /** Multihash code of the digest. */
    public long getAlgorithm() {
        return algorithm;
    }

    /** The document's digest, filled up with zeros to 32 or 64 bytes (SPEC §9.4). */
    public OpaqueBytes getDigest() {
        return digest;
    }

    /** 20 bytes: the account that attested. */
    public OpaqueBytes getIssuer() {
        return issuer;
    }

    /** 32 bytes (SPEC §12.1): what a revocation would name. */
    public OpaqueBytes getAttestationId() {
        return attestationId;
    }

    /** Time of the block that has the attestation, in milliseconds since 1970. */
    public long getTimeMs() {
        return timeMs;
    }

    /** The proof in compact form. */
    public OpaqueBytes getProof() {
        return proof;
    }

    @NotNull
    @Override
    public List<AbstractParty> getParticipants() {
        return Collections.singletonList(owner);
    }

    @Override
    public boolean equals(Object other) {
        if (!(other instanceof AttestedDocument)) {
            return false;
        }
        AttestedDocument it = (AttestedDocument) other;
        return maintainers.equals(it.maintainers) && owner.equals(it.owner)
                && genesisHash.equals(it.genesisHash) && algorithm == it.algorithm
                && digest.equals(it.digest) && issuer.equals(it.issuer)
                && attestationId.equals(it.attestationId) && timeMs == it.timeMs
                && proof.equals(it.proof);
    }

    @Override
    public int hashCode() {
        return Objects.hash(maintainers, owner, genesisHash, digest, issuer, proof);
    }
}
