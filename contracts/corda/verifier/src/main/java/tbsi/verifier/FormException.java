package tbsi.verifier;

import java.util.Locale;

/** Bytes that are no proof, or none in canonical form. */
final class FormException extends Exception {
    private static final long serialVersionUID = 1L;

    /** UNREADABLE, OTHER_VERSION or FORM. */
    final Code code;

    private FormException(Code code, String message) {
        super(message);
        this.code = code;
    }

    static FormException unreadable(String format, Object... values) {
        return new FormException(Code.UNREADABLE, String.format(Locale.ROOT, format, values));
    }

    static FormException wrongForm(String format, Object... values) {
        return new FormException(Code.FORM, String.format(Locale.ROOT, format, values));
    }

    static FormException otherVersion(String format, Object... values) {
        return new FormException(Code.OTHER_VERSION, String.format(Locale.ROOT, format, values));
    }

    static FormException notCanonical(String field) {
        return wrongForm("proof field `%s` is not in canonical form", field);
    }
}
