package tbsi.verifier;

import static tbsi.verifier.FormException.unreadable;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import tbsi.verifier.Json.JsonObject;

/** An object whose keys are known: none is missing, unknown or repeated. */
final class Fields {
    private final String where;
    private final Map<String, Object> fields;

    private Fields(String where, Map<String, Object> fields) {
        this.where = where;
        this.fields = fields;
    }

    static Fields of(Object value, String where, Set<String> required) throws FormException {
        return of(value, where, required, Set.of());
    }

    static Fields of(Object value, String where, Set<String> required, Set<String> optional)
            throws FormException {
        Fields found = new Fields(where, object(value, where));
        for (String name : found.fields.keySet()) {
            if (!required.contains(name) && !optional.contains(name)) {
                throw noShape("%s has an unknown field `%s`", where, name);
            }
        }
        for (String name : required) {
            if (!found.fields.containsKey(name)) {
                throw noShape("%s lacks the field `%s`", where, name);
            }
        }
        return found;
    }

    /** An object's fields, in their order. */
    static Map<String, Object> object(Object value, String where) throws FormException {
        if (value instanceof JsonObject object && !object.repeated) {
            return object.fields;
        }
        throw noShape("%s must be an object without repeated fields", where);
    }

    private static FormException noShape(String problem, Object... values) {
        return unreadable("not valid JSON of the expected shape: " + problem, values);
    }

    private FormException wrong(String name, String expected) {
        return noShape("%s field `%s` must be %s", where, name, expected);
    }

    Object get(String name) {
        return fields.get(name);
    }

    /** Whether there is a value; null is none. */
    boolean has(String name) {
        return fields.get(name) != null;
    }

    String text(String name) throws FormException {
        if (fields.get(name) instanceof String text) {
            return text;
        }
        throw wrong(name, "a string");
    }

    boolean bool(String name) throws FormException {
        if (fields.get(name) instanceof Boolean value) {
            return value;
        }
        throw wrong(name, "true or false");
    }

    long integer(String name) throws FormException {
        return integer(name, Limits.U64_MAX);
    }

    long integer(String name, long most) throws FormException {
        if (fields.get(name) instanceof Long value && Long.compareUnsigned(value, most) <= 0) {
            return value;
        }
        throw wrong(name, "an integer from 0 to " + Long.toUnsignedString(most));
    }

    @SuppressWarnings("unchecked")
    List<Object> list(String name) throws FormException {
        if (fields.get(name) instanceof List<?> list) {
            return (List<Object>) list;
        }
        throw wrong(name, "a list");
    }

    /** Bytes of any length. */
    Bytes bytes(String name) throws FormException {
        Bytes found = fields.get(name) instanceof String text ? Bytes.fromHex(text) : null;
        if (found == null) {
            throw wrong(name, "0x and hex digits in small letters");
        }
        return found;
    }

    Bytes bytes(String name, int length) throws FormException {
        return exactly(name, fields.get(name), length);
    }

    Bytes hash(String name) throws FormException {
        return bytes(name, Bytes.HASH);
    }

    List<Bytes> hashes(String name) throws FormException {
        List<Bytes> found = new ArrayList<>();
        for (Object it : list(name)) {
            found.add(exactly(name, it, Bytes.HASH));
        }
        return List.copyOf(found);
    }

    List<Bytes> bytesList(String name) throws FormException {
        List<Bytes> found = new ArrayList<>();
        for (Object it : list(name)) {
            Bytes bytes = it instanceof String text ? Bytes.fromHex(text) : null;
            if (bytes == null) {
                throw wrong(name, "0x and hex digits in small letters");
            }
            found.add(bytes);
        }
        return found;
    }

    /** Unsigned integers and nulls. */
    List<Long> integersOrNull(String name, long most) throws FormException {
        List<Long> found = new ArrayList<>();
        for (Object it : list(name)) {
            boolean fits = it == null
                    || (it instanceof Long value && Long.compareUnsigned(value, most) <= 0);
            if (!fits) {
                throw wrong(name, "null or integers from 0 to " + Long.toUnsignedString(most));
            }
            found.add((Long) it);
        }
        return found;
    }

    /** Unsigned integers. */
    List<Long> integers(String name, long most) throws FormException {
        List<Long> found = integersOrNull(name, most);
        if (found.contains(null)) {
            throw wrong(name, "integers from 0 to " + Long.toUnsignedString(most));
        }
        return List.copyOf(found);
    }

    private Bytes exactly(String name, Object value, int length) throws FormException {
        Bytes found = value instanceof String text ? Bytes.fromHex(text) : null;
        if (found == null || found.length() != length) {
            throw wrong(name, length + " bytes as 0x and hex digits in small letters");
        }
        return found;
    }
}
