package tbsi.verifier;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * Changes of the validator set as one stream, from a known set on (SPEC §10.6). Each record stands
 * on the one before it, so that one of them is all that is held, however long the stream is.
 */
public final class Handovers {
    private static final byte[] MAGIC = Digests.tag("TBH1");
    private static final int HEAD_BYTES = 44;
    private static final String NO_HANDOVERS =
            "not a file of handovers in a form that is known here; fetch it anew";

    private final InputStream source;
    private final Chain chain;
    /** The set that the last record leads to, or that the stream begins with. */
    private ValidatorSet members;
    private long number;

    /**
     * Where a stream leads.
     *
     * @param anchor what is trusted then
     * @param count of the handovers that were verified
     */
    public record Followed(TrustAnchor anchor, long count) {}

    /** A stream that leads nowhere. */
    public static final class UnusableException extends Exception {
        private static final long serialVersionUID = 1L;

        UnusableException(String format, Object... values) {
            super(String.format(Locale.ROOT, format, values));
        }
    }

    private record Change(Handover handover, ValidatorSet next) {}

    /**
     * Verifies a stream, the file of {@code tbsi log handovers}, from what is trusted up to a
     * height. What comes after that is not read, what lies before what is trusted is passed over,
     * and the stream is not closed.
     *
     * @param height unsigned
     */
    public static Followed follow(InputStream stream, TrustAnchor trusted, long height)
            throws UnusableException {
        try {
            return new Handovers(stream).followTo(trusted, height);
        } catch (IOException error) {
            throw new UnusableException("read handovers: %s", error);
        }
    }

    private Handovers(InputStream source) throws IOException, UnusableException {
        this.source = source;
        byte[] head = source.readNBytes(HEAD_BYTES);
        if (head.length < HEAD_BYTES
                || !Arrays.equals(head, 0, MAGIC.length, MAGIC, 0, MAGIC.length)) {
            throw new UnusableException(NO_HANDOVERS);
        }
        long chainId = ByteBuffer.wrap(head, MAGIC.length, Long.BYTES).getLong();
        chain = new Chain(
                chainId, Bytes.owning(Arrays.copyOfRange(head, HEAD_BYTES - 32, HEAD_BYTES)));
        CompactForm first = frame();
        if (first == null) {
            throw new UnusableException(NO_HANDOVERS);
        }
        try {
            members = first.takeSet();
            first.end();
        } catch (FormException error) {
            throw wrongRecord(error);
        }
    }

    private Followed followTo(TrustAnchor trusted, long height)
            throws IOException, UnusableException {
        if (!chain.equals(trusted.chain)) {
            throw new UnusableException(
                    "handovers are of the network with genesis hash %s, trusted is %s",
                    chain.genesisHash(), trusted.chain.genesisHash());
        }
        TrustAnchor anchor = trusted;
        long count = 0;
        while (true) {
            Change it = next();
            if (it == null || Long.compareUnsigned(
                    it.handover.first().checkpoint().height(), height) > 0) {
                return new Followed(anchor, count);
            }
            try {
                TrustAnchor.Followed found = anchor.follow(List.of(it.handover), it.next);
                anchor = found.anchor();
                count += found.handovers().size();
            } catch (DecisionException.InHandover error) {
                throw new UnusableException(
                        "handover %d: %s", count + 1, error.getCause().getMessage());
            }
        }
    }

    /** The next handover, which is of the set before it; null at the end. */
    private Change next() throws IOException, UnusableException {
        number++;
        CompactForm form = frame();
        if (form == null) {
            return null;
        }
        try {
            ValidatorSet next = form.takeSet();
            Decision last = form.takeDecision(members);
            Handover handover = new Handover(members, last, form.takeDecision(next));
            form.end();
            members = next;
            return new Change(handover, next);
        } catch (FormException error) {
            throw wrongRecord(error);
        }
    }

    private UnusableException wrongRecord(FormException error) {
        return new UnusableException("record %d of handovers: %s", number, error.getMessage());
    }

    /** All of a record; null at the end of the stream, which may be nowhere else. */
    private CompactForm frame() throws IOException, UnusableException {
        byte[] length = source.readNBytes(Integer.BYTES);
        if (length.length == 0) {
            return null;
        }
        if (length.length < Integer.BYTES) {
            throw new UnusableException("record %d of handovers is cut short", number);
        }
        long size = Integer.toUnsignedLong(ByteBuffer.wrap(length).getInt());
        if (size > Limits.HANDOVER_RECORD_BYTES_MAX) {
            throw new UnusableException(
                    "record %d of handovers has %d bytes, at most %d are allowed",
                    number, size, Limits.HANDOVER_RECORD_BYTES_MAX);
        }
        byte[] body = source.readNBytes((int) size);
        if (body.length < size) {
            throw new UnusableException("record %d of handovers is cut short", number);
        }
        return CompactForm.of(body, chain);
    }
}
