/**
 * Verifies proofs of TBSI: from a trusted validator set or checkpoint to a leaf of the log, as
 * SPEC §10.4 says, with the verdicts and codes of {@code tbsi verify --json} (SPEC §10.5).
 *
 * <p>It is deterministic: no clock, no randomness, no thread, no order of a hash map, no
 * reflection; and it throws nothing whatever it is given. So it can run where many machines must
 * come to one result, as in a contract. Only {@link tbsi.verifier.Main} and {@link
 * tbsi.verifier.Documents} read files.
 *
 * <p>Integers of 64 bits are unsigned: compare and print them with {@link Long#compareUnsigned} and
 * {@link Long#toUnsignedString}.
 */
package tbsi.verifier;
