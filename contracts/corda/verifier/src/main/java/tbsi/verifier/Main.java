package tbsi.verifier;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/** {@code java -jar tbsi-verify.jar PROOF --genesis FILE}: offline; exit codes as tbsi verify. */
public final class Main {
    private static final String USAGE = """
            usage: java -jar tbsi-verify.jar PROOF --genesis FILE [--handovers FILE]
                                             [--file FILE [--salt FILE]]

            Verifies a proof of TBSI, in JSON or in compact form. Nothing is asked of any network.

            --genesis FILE    genesis file of the network: what is trusted
            --handovers FILE  changes of the validator set since genesis, from `tbsi log
                              handovers`: for a proof that begins later
            --file FILE       file that was attested: compared with the digest in the proof
            --salt FILE       salt of that file

            Exit codes: 0 the proof holds, 1 it does not, or what it proves was revoked, 2 could not
            tell (something is missing, of another network or version, or no proof at all).""";
    private static final Set<String> OPTIONS = Set.of("--genesis", "--handovers", "--file", "--salt");

    private static final int EXIT_VALID = 0;
    private static final int EXIT_INVALID = 1;
    private static final int EXIT_COULD_NOT_TELL = 2;

    private Main() {}

    private static final class UsageException extends Exception {
        private static final long serialVersionUID = 1L;

        UsageException(String message) {
            super(message);
        }
    }

    /** Ends the program with the exit code. */
    public static void main(String[] arguments) {
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        PrintStream err = new PrintStream(System.err, true, StandardCharsets.UTF_8);
        System.exit(run(arguments, out, err));
    }

    static int run(String[] arguments, PrintStream out, PrintStream err) {
        Map<String, Path> given;
        try {
            given = parse(arguments);
        } catch (UsageException error) {
            err.println(error.getMessage());
            err.println();
            err.println(USAGE);
            return EXIT_COULD_NOT_TELL;
        }
        if (given.isEmpty()) {
            out.println(USAGE);
            return EXIT_VALID;
        }
        Report report = judge(given);
        Path file = given.get("--file");
        Report other = report.decision() != null && file != null
                ? Documents.compare(report.leaf(), file, given.get("--salt")) : null;
        if (other != null) {
            report = other;
        }
        if (report.decision() != null) {
            print(report, file, out);
            return report.isValid() ? EXIT_VALID : EXIT_INVALID;
        }
        boolean invalid = report.verdict() == Verdict.INVALID;
        out.println((invalid ? "INVALID (" : "COULD NOT TELL (")
                + report.code() + "): " + report.reason());
        return invalid ? EXIT_INVALID : EXIT_COULD_NOT_TELL;
    }

    /** What was given, the proof under no name; nothing if help is asked for. */
    private static Map<String, Path> parse(String[] arguments) throws UsageException {
        Map<String, Path> given = new LinkedHashMap<>();
        for (int at = 0; at < arguments.length; at++) {
            String name = arguments[at];
            if (name.equals("--help")) {
                return Map.of();
            }
            if (!name.startsWith("--")) {
                put(given, "", name);
            } else if (!OPTIONS.contains(name)) {
                throw new UsageException("unknown option " + name);
            } else if (++at == arguments.length) {
                throw new UsageException(name + " needs a FILE");
            } else {
                put(given, name, arguments[at]);
            }
        }
        if (!given.containsKey("") || !given.containsKey("--genesis")) {
            throw new UsageException("a PROOF and --genesis FILE are needed");
        }
        if (given.containsKey("--salt") && !given.containsKey("--file")) {
            throw new UsageException("--salt needs --file");
        }
        return given;
    }

    private static void put(Map<String, Path> given, String name, String path)
            throws UsageException {
        try {
            if (given.put(name, Path.of(path)) != null) {
                throw new UsageException((name.isEmpty() ? "PROOF" : name) + " is given twice");
            }
        } catch (InvalidPathException error) {
            throw new UsageException(error.getMessage());
        }
    }

    private static Report judge(Map<String, Path> given) {
        TrustAnchor anchor;
        try {
            Path file = given.get("--genesis");
            anchor = Genesis.parse(read(file, Limits.GENESIS_BYTES_MAX)).anchor();
        } catch (IOException | Genesis.UnusableException error) {
            return Report.couldNotTell(Code.TRUST, error.toString());
        }
        byte[] proof;
        try {
            proof = read(given.get(""), Limits.BUNDLE_JSON_BYTES_MAX);
        } catch (IOException error) {
            return Report.couldNotTell(Code.UNREADABLE, error.toString());
        }
        Path file = given.get("--handovers");
        if (file == null) {
            return Verifier.verify(proof, anchor);
        }
        try (InputStream handovers = new BufferedInputStream(Files.newInputStream(file))) {
            return Verifier.verify(proof, anchor, handovers);
        } catch (IOException error) {
            return Report.couldNotTell(Code.HANDOVERS, error.toString());
        }
    }

    /** One byte more than allowed at most: who is given them refuses that. */
    private static byte[] read(Path file, int most) throws IOException {
        try (InputStream source = Files.newInputStream(file)) {
            return source.readNBytes(most + 1);
        }
    }

    private static String identifiers(Registry registry, Validator signer) {
        Registry.Operator found = registry == null ? null : registry.operator(signer.address());
        return found == null ? ", identifiers not proved" : identifiers(found.legal());
    }

    private static String identifiers(LegalRecord legal) {
        return (legal.taxId().isEmpty() ? "" : ", 統一編號 " + legal.taxId())
                + (legal.lei().isEmpty() ? "" : ", LEI " + legal.lei());
    }

    private static void print(Registry registry, PrintStream out) {
        if (registry == null || registry.issuer() == null) {
            out.println("issuer's legal name: not proved");
            return;
        }
        LegalRecord legal = registry.issuer().legal();
        out.println("issuer: " + (legal.nameZhTw() + " " + legal.nameEn()).trim()
                + identifiers(legal) + ", by the registry as of block "
                + Long.toUnsignedString(registry.known()));
    }

    private static void print(Report report, Path file, PrintStream out) {
        out.println(report.isValid()
                ? "VALID: the proof holds" : "VOID: the proof holds, and " + report.reason());
        for (Leaf.Field it : report.leaf().statement()) {
            Object value = it.value() instanceof Long number
                    ? Long.toUnsignedString(number) : it.value();
            out.println("  " + it.name() + ": " + value);
        }
        VerifiedDecision decision = report.decision();
        out.println("  leafIndex: " + Long.toUnsignedString(report.leafIndex()));
        out.println("decided at height " + Long.toUnsignedString(decision.checkpoint().height())
                + " by " + Long.toUnsignedString(decision.power()) + " of "
                + Long.toUnsignedString(decision.totalPower()) + " voting power:");
        for (Validator it : decision.signers()) {
            out.println("  " + it.address() + " " + it.nameZhTw() + " " + it.nameEn()
                    + identifiers(report.registry(), it));
        }
        print(report.registry(), out);
        out.println("changes of the validator set that were verified: "
                + (report.followed() + report.handovers().size()));
        out.println(
                file == null ? "file: not compared" : "file: " + file + " is what was attested");
        print(report.current(), out);
    }

    private static void print(Current current, PrintStream out) {
        if (current == null) {
            out.println("not looked at: whether it was revoked later");
            return;
        }
        for (Current.Digest it : current.digests()) {
            out.println("digest " + it.digest() + (it.first() == null
                    ? ": not attested" : ": first attested " + place(it.first())));
        }
        Current.Status status = current.status();
        if (status == null) {
            out.println("known" + upTo(current.digestsKnown()));
            return;
        }
        if (status.revocation() != null) {
            out.println("revoked by its issuer " + place(status.revocation().place())
                    + ", reason " + status.revocation().reason());
        } else {
            out.println("not revoked by its issuer");
        }
        if (status.supersession() != null) {
            out.println("superseded " + place(status.supersession().place()) + " by "
                    + status.supersession().successor());
        }
        if (status.algorithmRevoked()) {
            out.println("its digest algorithm was revoked");
        }
        out.println("known" + upTo(current.known()));
    }

    private static String place(Current.Place place) {
        return "in block " + Long.toUnsignedString(place.height()) + ", leaf "
                + Long.toUnsignedString(place.leafIndex());
    }

    private static String upTo(Current.Known known) {
        return " as of block " + Long.toUnsignedString(known.height())
                + (known.timed() ? ", " + Instant.ofEpochMilli(known.timeMs()) : "");
    }
}
