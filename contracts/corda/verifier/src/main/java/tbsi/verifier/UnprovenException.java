package tbsi.verifier;

import java.util.Locale;

/** Something that does not follow from the state, or from the map. */
final class UnprovenException extends Exception {
    private static final long serialVersionUID = 1L;

    UnprovenException(String format, Object... values) {
        super(String.format(Locale.ROOT, format, values));
    }
}
