package tbsi.verifier;

import java.nio.charset.StandardCharsets;

/**
 * A validator and the legal names of who answers for it.
 *
 * @param address 20 bytes
 * @param power voting power, unsigned
 */
public record Validator(Bytes address, long power, String nameZhTw, String nameEn) {
    /** What the hash of a set has of the names (SPEC §3.2). */
    Bytes operator() {
        byte[] zhTw = nameZhTw.getBytes(StandardCharsets.UTF_8);
        byte[] en = nameEn.getBytes(StandardCharsets.UTF_8);
        return Digests.sha256(
                Digests.tag("TBSI-OPERATOR-1"),
                Digests.u32(zhTw.length), zhTw, Digests.u32(en.length), en);
    }

    boolean hasLongName() {
        return nameZhTw.getBytes(StandardCharsets.UTF_8).length > Limits.NAME_BYTES_MAX
                || nameEn.getBytes(StandardCharsets.UTF_8).length > Limits.NAME_BYTES_MAX;
    }
}
