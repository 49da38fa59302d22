package tbsi.verifier;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.bouncycastle.crypto.Digest;
import org.bouncycastle.crypto.digests.Blake2bDigest;
import org.bouncycastle.crypto.digests.Blake2sDigest;
import org.bouncycastle.crypto.digests.Blake3Digest;
import org.bouncycastle.crypto.digests.KeccakDigest;
import org.bouncycastle.crypto.digests.SHA256Digest;
import org.bouncycastle.crypto.digests.SHA384Digest;
import org.bouncycastle.crypto.digests.SHA3Digest;
import org.bouncycastle.crypto.digests.SHA512Digest;
import org.bouncycastle.crypto.digests.SHA512tDigest;
import org.bouncycastle.crypto.digests.SM3Digest;

/** Whether a file is the one that was attested (SPEC §12.5, §12.6). */
final class Documents {
    /** Built-in schemas say whether there is a salt; of others, the caller has to know. */
    static final Bytes FILE_SCHEMA = Digests.keccak256(Digests.tag("tbsi:file:v1"));
    static final Bytes SALTED_FILE_SCHEMA =
            Digests.keccak256(Digests.tag("tbsi:salted-file:v1"));
    private static final int SALT_TEXT_BYTES_MAX = 2 * Bytes.HASH + 4;
    private static final Pattern SALT = Pattern.compile("(?:0x)?([0-9a-fA-F]{64})\r?\n?");

    private record Algorithm(long code, String name, Supplier<Digest> digest) {}

    private static final List<Algorithm> ALGORITHMS = List.of(
            new Algorithm(0x12, "sha2-256", SHA256Digest::new),
            new Algorithm(0x13, "sha2-512", SHA512Digest::new),
            new Algorithm(0x14, "sha3-512", () -> new SHA3Digest(512)),
            new Algorithm(0x15, "sha3-384", () -> new SHA3Digest(384)),
            new Algorithm(0x16, "sha3-256", () -> new SHA3Digest(256)),
            new Algorithm(0x1b, "keccak-256", () -> new KeccakDigest(256)),
            new Algorithm(0x1c, "keccak-384", () -> new KeccakDigest(384)),
            new Algorithm(0x1d, "keccak-512", () -> new KeccakDigest(512)),
            new Algorithm(0x1e, "blake3", () -> new Blake3Digest(256)),
            new Algorithm(0x20, "sha2-384", SHA384Digest::new),
            new Algorithm(0x1015, "sha2-512-256", () -> new SHA512tDigest(256)),
            new Algorithm(0x534d, "sm3-256", SM3Digest::new),
            new Algorithm(0xb220, "blake2b-256", () -> new Blake2bDigest(256)),
            new Algorithm(0xb240, "blake2b-512", () -> new Blake2bDigest(512)),
            new Algorithm(0xb260, "blake2s-256", () -> new Blake2sDigest(256)));

    private Documents() {}

    /** Null if a file is the one that was attested; otherwise why not, or why nobody can tell. */
    static Report compare(Leaf leaf, Path file, Path saltFile) {
        if (leaf.digest() == null) {
            return couldNot("this proof is not of an attestation: there is no digest");
        }
        long code = (Long) leaf.field("algorithm");
        Algorithm algorithm = algorithm(code);
        if (algorithm == null) {
            return couldNot(String.format(
                    Locale.ROOT, "digest algorithm 0x%x is not known here", code));
        }
        Object schema = leaf.field("schema");
        if (schema.equals(SALTED_FILE_SCHEMA) && saltFile == null) {
            return couldNot("the proof is of a file with a salt; give the salt with --salt");
        }
        if (schema.equals(FILE_SCHEMA) && saltFile != null) {
            return couldNot("the proof is of a file without a salt; leave --salt out");
        }
        byte[] digest;
        try {
            byte[] salt = saltFile == null ? new byte[0] : salt(saltFile);
            if (salt == null) {
                return couldNot("salt file " + saltFile + " must hold 64 hex digits");
            }
            digest = digest(algorithm.digest.get(), salt, file);
        } catch (IOException error) {
            return couldNot("read file or salt: " + error);
        }
        if (leaf.digest().equals(Leaf.padded(code, digest))) {
            return null;
        }
        return Report.invalid(
                Code.OTHER_FILE,
                file + " is not the file that was attested: its " + algorithm.name
                        + " digest is " + Bytes.of(digest) + ", attested is " + leaf.digest());
    }

    private static Report couldNot(String reason) {
        return Report.couldNotTell(Code.FILE, reason);
    }

    private static Algorithm algorithm(long code) {
        for (Algorithm it : ALGORITHMS) {
            if (it.code == code) {
                return it;
            }
        }
        return null;
    }

    /** The salt in a file; null if that holds anything else. */
    private static byte[] salt(Path file) throws IOException {
        try (InputStream source = Files.newInputStream(file)) {
            byte[] content = source.readNBytes(SALT_TEXT_BYTES_MAX + 1);
            Matcher found = SALT.matcher(new String(content, StandardCharsets.ISO_8859_1));
            return found.matches() ? HexFormat.of().parseHex(found.group(1)) : null;
        }
    }

    static byte[] digest(Digest digest, byte[] salt, Path file) throws IOException {
        digest.update(salt, 0, salt.length);
        byte[] piece = new byte[Limits.PIECE_BYTES];
        try (InputStream source = Files.newInputStream(file)) {
            for (int count = source.read(piece); count >= 0; count = source.read(piece)) {
                digest.update(piece, 0, count);
            }
        }
        byte[] found = new byte[digest.getDigestSize()];
        digest.doFinal(found, 0);
        return found;
    }
}
