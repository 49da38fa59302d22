package tbsi.verifier;

import static tbsi.verifier.FormException.unreadable;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * JSON as proofs need it: integers of 64 bits are exact, a key that appears twice is seen, and
 * nothing is repaired.
 *
 * <p>A value is null, a Boolean, an unsigned Long, a String, NO_INTEGER, a List or a
 * {@link JsonObject}.
 */
final class Json {
    /** A number that is no integer of 64 bits; equal to nothing in a proof. */
    static final Object NO_INTEGER = new Object();

    private static final JsonFactory FACTORY = JsonFactory.builder()
            // The size of what is read bounds all of these.
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNestingDepth(Limits.JSON_DEPTH_MAX)
                    .maxNumberLength(Integer.MAX_VALUE)
                    .maxStringLength(Integer.MAX_VALUE)
                    .maxNameLength(Integer.MAX_VALUE)
                    .build())
            .configure(JsonFactory.Feature.INTERN_FIELD_NAMES, false)
            .configure(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES, false)
            .build();

    /** An object; the last value counts if a key appears twice. */
    static final class JsonObject {
        final Map<String, Object> fields = new LinkedHashMap<>();
        boolean repeated;
    }

    private final JsonParser parser;

    private Json(JsonParser parser) {
        this.parser = parser;
    }

    /** The text in UTF-8; null if it is not. */
    static String utf8(byte[] data) {
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(data)).toString();
        } catch (CharacterCodingException error) {
            return null;
        }
    }

    static Object parse(byte[] data) throws FormException {
        String text = utf8(data);
        if (text == null) {
            throw wrong("not UTF-8");
        }
        if (text.startsWith("\ufeff")) {
            throw wrong("a value is expected");
        }
        try (JsonParser parser = FACTORY.createParser(text)) {
            Json json = new Json(parser);
            Object value = json.value(json.next());
            if (parser.nextToken() != null) {
                throw wrong("text after the value");
            }
            return value;
        } catch (IOException error) {
            throw wrong(error.getMessage());
        }
    }

    private static FormException wrong(String problem) {
        return unreadable("not valid JSON: %s", problem);
    }

    private JsonToken next() throws IOException, FormException {
        JsonToken token = parser.nextToken();
        if (token == null) {
            throw wrong("a value is expected");
        }
        return token;
    }

    private Object value(JsonToken token) throws IOException, FormException {
        return switch (token) {
            case START_OBJECT -> object();
            case START_ARRAY -> list();
            case VALUE_STRING -> whole(parser.getText());
            case VALUE_NUMBER_INT -> integer(parser.getText());
            case VALUE_NUMBER_FLOAT -> NO_INTEGER;
            case VALUE_TRUE -> Boolean.TRUE;
            case VALUE_FALSE -> Boolean.FALSE;
            case VALUE_NULL -> null;
            default -> throw wrong("a value is expected");
        };
    }

    private JsonObject object() throws IOException, FormException {
        JsonObject found = new JsonObject();
        while (next() != JsonToken.END_OBJECT) {
            String name = whole(parser.currentName());
            Object value = value(next());
            if (found.fields.containsKey(name)) {
                found.repeated = true;
            }
            found.fields.put(name, value);
        }
        return found;
    }

    private List<Object> list() throws IOException, FormException {
        List<Object> items = new ArrayList<>();
        for (JsonToken token = next(); token != JsonToken.END_ARRAY; token = next()) {
            items.add(value(token));
        }
        return items;
    }

    private static Object integer(String text) {
        if (text.length() > Limits.INTEGER_CHARS_MAX || text.startsWith("-")) {
            return NO_INTEGER;
        }
        try {
            return Long.parseUnsignedLong(text);
        } catch (NumberFormatException tooLarge) {
            return NO_INTEGER;
        }
    }

    /** A half of a surrogate pair is no character. */
    private static String whole(String text) throws FormException {
        for (int at = 0; at < text.length(); at++) {
            char unit = text.charAt(at);
            if (!Character.isSurrogate(unit)) {
                continue;
            }
            boolean pair = Character.isHighSurrogate(unit) && at + 1 < text.length()
                    && Character.isLowSurrogate(text.charAt(at + 1));
            if (!pair) {
                throw wrong("a string has half a character");
            }
            at++;
        }
        return text;
    }
}
