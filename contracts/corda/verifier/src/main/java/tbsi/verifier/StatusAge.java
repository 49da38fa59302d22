package tbsi.verifier;

/**
 * How old what the map says may be, and when: no clock is asked. In milliseconds, unsigned.
 *
 * @param atMs since the Unix epoch
 */
public record StatusAge(long maxAgeMs, long atMs) {}
