package tbsi.verifier;

/**
 * One network, exactly.
 *
 * @param chainId unsigned
 * @param genesisHash 32 bytes
 */
public record Chain(long chainId, Bytes genesisHash) {}
