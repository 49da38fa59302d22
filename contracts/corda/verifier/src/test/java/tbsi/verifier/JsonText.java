package tbsi.verifier;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

/** JSON from what {@link Json} reads, or is made to look like it. */
final class JsonText {
    /** What is written as it is. */
    record Raw(String text) {}

    private final StringBuilder out = new StringBuilder();

    private JsonText() {}

    static String of(Object value) {
        JsonText writer = new JsonText();
        writer.value(value);
        return writer.out.toString();
    }

    private void value(Object value) {
        if (value instanceof Json.JsonObject object) {
            String separator = "{";
            for (Map.Entry<String, Object> it : object.fields.entrySet()) {
                out.append(separator);
                value(it.getKey());
                out.append(':');
                value(it.getValue());
                separator = ",";
            }
            out.append(object.fields.isEmpty() ? "{}" : "}");
        } else if (value instanceof List<?> list) {
            String separator = "[";
            for (Object it : list) {
                out.append(separator);
                value(it);
                separator = ",";
            }
            out.append(list.isEmpty() ? "[]" : "]");
        } else if (value instanceof String text) {
            out.append(new String(
                    CanonicalJson.of(text), StandardCharsets.UTF_8));
        } else if (value instanceof Long number) {
            out.append(Long.toUnsignedString(number));
        } else if (value instanceof Raw raw) {
            out.append(raw.text);
        } else {
            out.append(value);
        }
    }
}
