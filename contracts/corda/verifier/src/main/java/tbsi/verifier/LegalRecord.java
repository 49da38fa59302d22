package tbsi.verifier;

import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * An organisation's legal names and identifiers; empty for those that there are not.
 *
 * @param taxId 統一編號
 * @param lei ISO 17442
 * @param jurisdiction ISO 3166-1
 */
public record LegalRecord(
        String nameZhTw, String nameEn, String taxId, String lei, String jurisdiction) {
    /** The texts, in the order in which they are hashed and written. */
    List<String> texts() {
        return List.of(nameZhTw, nameEn, taxId, lei, jurisdiction);
    }

    /** What the registry keeps of it (SPEC §10.11). */
    Bytes hash(long organisation) {
        byte[][] parts = new byte[2 + 2 * texts().size()][];
        parts[0] = Digests.tag("TBSI-RECORD-1");
        parts[1] = Digests.u32(organisation);
        int at = 2;
        for (String text : texts()) {
            byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
            parts[at++] = Digests.u32(bytes.length);
            parts[at++] = bytes;
        }
        return Digests.sha256(parts);
    }
}
