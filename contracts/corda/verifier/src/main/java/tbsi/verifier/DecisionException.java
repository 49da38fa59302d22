package tbsi.verifier;

import java.util.Locale;

/** A decision that does not follow from what is trusted. */
final class DecisionException extends Exception {
    private static final long serialVersionUID = 1L;

    /** The rule that a decision breaks, as far as verdicts depend on it. */
    enum Problem {
        OTHER,
        VALIDATOR_SET,
        BEFORE,
        FORK
    }

    final Problem problem;

    DecisionException(Problem problem, String format, Object... values) {
        super(String.format(Locale.ROOT, format, values));
        this.problem = problem;
    }

    DecisionException(String format, Object... values) {
        this(Problem.OTHER, format, values);
    }

    /** Which handover fails, from 1, and why. */
    static final class InHandover extends Exception {
        private static final long serialVersionUID = 1L;

        final int number;
        final Problem problem;

        InHandover(int number, DecisionException cause) {
            super("handover " + number + ": " + cause.getMessage(), cause);
            this.number = number;
            this.problem = cause.problem;
        }
    }
}
