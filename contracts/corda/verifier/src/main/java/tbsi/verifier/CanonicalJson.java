package tbsi.verifier;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SortedMap;

/**
 * The canonical form of RFC 8785, for integers up to 2^53 - 1, strings, booleans, lists and sorted
 * maps. The order of Java's strings, by their UTF-16 units, is that of the RFC.
 */
final class CanonicalJson {
    private final StringBuilder out = new StringBuilder();

    private CanonicalJson() {}

    static byte[] of(Object value) {
        CanonicalJson writer = new CanonicalJson();
        writer.value(value);
        return writer.out.toString().getBytes(StandardCharsets.UTF_8);
    }

    private void value(Object value) {
        if (value instanceof SortedMap<?, ?> map) {
            object(map);
        } else if (value instanceof List<?> list) {
            String separator = "[";
            for (Object it : list) {
                out.append(separator);
                value(it);
                separator = ",";
            }
            out.append(list.isEmpty() ? "[]" : "]");
        } else if (value instanceof String text) {
            string(text);
        } else if (value instanceof Long || value instanceof Boolean) {
            out.append(value);
        } else {
            throw new IllegalStateException("no canonical form of " + value);
        }
    }

    private void object(SortedMap<?, ?> map) {
        String separator = "{";
        for (Map.Entry<?, ?> it : map.entrySet()) {
            out.append(separator);
            string((String) it.getKey());
            out.append(':');
            value(it.getValue());
            separator = ",";
        }
        out.append(map.isEmpty() ? "{}" : "}");
    }

    private void string(String text) {
        out.append('"');
        for (int at = 0; at < text.length(); at++) {
            char unit = text.charAt(at);
            int escaped = "\"\\\b\f\n\r\t".indexOf(unit);
            if (escaped >= 0) {
                out.append('\\').append("\"\\bfnrt".charAt(escaped));
            } else if (unit < 0x20) {
                out.append(String.format(Locale.ROOT, "\\u%04x", (int) unit));
            } else {
                out.append(unit);
            }
        }
        out.append('"');
    }
}
