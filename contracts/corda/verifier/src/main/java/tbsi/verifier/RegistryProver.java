package tbsi.verifier;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** Proves what the registry says, under the state root of a checkpoint (SPEC §10.11). */
final class RegistryProver {
    private static final Bytes ORGANISATIONS = contract(2);
    private static final Bytes NODES = contract(3);
    private static final Bytes PERMISSIONS = contract(4);
    private static final long NODES_SLOT = 2;
    private static final long RECORDS_SLOT = 5;
    private static final long RECORD_SLOTS = 7;
    private static final long VALIDATOR_KEYS_SLOT = 6;
    private static final long MEMBERSHIPS_SLOT = 9;

    private final RegistryPart part;
    private final StateNodes nodes;
    private final Leaf leaf;
    private final long known;
    private final List<InForce> inForce = new ArrayList<>();
    private final boolean[] used;

    private record Member(long organisation, InForce inForce) {}

    private RegistryProver(RegistryPart part, Report report) {
        this.part = part;
        Checkpoint at = report.decision().checkpoint();
        nodes = new StateNodes(at.stateRoot(), part.nodes());
        leaf = report.leaf();
        known = at.height();
        used = new boolean[part.records().size()];
    }

    /** Of a bundle that holds, as the report says. */
    static Registry prove(RegistryPart part, Report report, Bundle bundle)
            throws UnprovenException {
        return new RegistryProver(part, report).prove(bundle.validators().validators);
    }

    private static Bytes contract(int number) {
        byte[] address = new byte[Bytes.ADDRESS];
        address[Bytes.ADDRESS - 2] = 0x10;
        address[Bytes.ADDRESS - 1] = (byte) number;
        return Bytes.owning(address);
    }

    private Registry prove(List<Validator> members) throws UnprovenException {
        int got = part.validators().size();
        if (got != members.size()) {
            throw new UnprovenException(
                    "it says who answers for %d validators, the set has %d", got, members.size());
        }
        Member member = part.issuer() == null ? null : member();
        findRecords();
        Registry.Issuer issuer = null;
        if (member != null) {
            int at = take(part.issuer().record(), member.organisation, leaf.height());
            issuer = new Registry.Issuer(
                    member.organisation, part.records().get(at).legal(), member.inForce,
                    inForce.get(at));
        }
        List<Registry.Operator> operators = new ArrayList<>();
        for (int i = 0; i < members.size(); i++) {
            Long record = part.validators().get(i);
            operators.add(record == null ? null : operator(members.get(i), record));
        }
        for (int at = 0; at < used.length; at++) {
            if (!used[at]) {
                RegistryPart.Placed it = part.records().get(at);
                throw new UnprovenException(
                        "record %d of organisation %d is of nobody in the proof",
                        it.position(), it.organisation());
            }
        }
        nodes.end();
        if (used.length == 0) {
            throw new UnprovenException("it names nobody");
        }
        return new Registry(issuer, Collections.unmodifiableList(operators), known);
    }

    /** Whose account it was in the whole block of its statement. */
    private Member member() throws UnprovenException {
        long position = part.issuer().membership();
        Bytes memberships = StateNodes.mappingSlot(leaf.issuer().array(), MEMBERSHIPS_SLOT);
        Bytes word = nodes.word(PERMISSIONS, StateNodes.elementSlot(memberships, position));
        long organisation = first(word);
        if (organisation == 0) {
            throw new UnprovenException(
                    "account %s has no membership %d in the registry", leaf.issuer(), position);
        }
        InForce found = new InForce(bits(word, 32), bits(word, 96));
        if (!found.covers(leaf.height())) {
            throw new UnprovenException(
                    "account %s was of organisation %d %s, not in the whole of block %s",
                    leaf.issuer(), organisation, found, Long.toUnsignedString(leaf.height()));
        }
        return new Member(organisation, found);
    }

    /** The records are those of the state. */
    private void findRecords() throws UnprovenException {
        RegistryPart.Placed before = null;
        for (RegistryPart.Placed it : part.records()) {
            if (before != null && !before.isBefore(it)) {
                throw new UnprovenException(
                        "record %d of organisation %d is not in order, each once",
                        it.position(), it.organisation());
            }
            before = it;
            Bytes list = StateNodes.mappingSlot(Digests.u32(it.organisation()), RECORDS_SLOT);
            long place = it.position() * RECORD_SLOTS;
            Bytes expected = nodes.word(ORGANISATIONS, StateNodes.elementSlot(list, place));
            Bytes heights = nodes.word(ORGANISATIONS, StateNodes.elementSlot(list, place + 1));
            Bytes hash = it.legal().hash(it.organisation());
            if (!hash.equals(expected)) {
                throw new UnprovenException(
                        "organisation %d has a record of hash %s, the proof's is %s",
                        it.organisation(), expected, hash);
            }
            inForce.add(new InForce(bits(heights, 0), bits(heights, 64)));
        }
    }

    /** Where the record is that is of the organisation and covers the block. */
    private int take(long number, long organisation, long height) throws UnprovenException {
        if (number >= used.length) {
            throw new UnprovenException(
                    "record number %d is named, the proof has %d", number, used.length);
        }
        int at = (int) number;
        used[at] = true;
        RegistryPart.Placed found = part.records().get(at);
        if (found.organisation() != organisation) {
            throw new UnprovenException(
                    "the record is of organisation %d, expected is one of organisation %d",
                    found.organisation(), organisation);
        }
        if (!inForce.get(at).covers(height)) {
            throw new UnprovenException(
                    "record %d of organisation %d held %s, not in the whole of block %s",
                    found.position(), organisation, inForce.get(at),
                    Long.toUnsignedString(height));
        }
        return at;
    }

    /** A key is of one node, and that of one organisation, for ever. */
    private Registry.Operator operator(Validator of, long record) throws UnprovenException {
        Bytes key = StateNodes.mappingSlot(of.address().array(), VALIDATOR_KEYS_SLOT);
        long node = first(nodes.word(NODES, key));
        long organisation = node == 0
                ? 0
                : first(nodes.word(NODES, StateNodes.mappingSlot(Digests.u32(node), NODES_SLOT)));
        if (organisation == 0) {
            throw new UnprovenException("validator %s is no node's in the registry", of.address());
        }
        int at = take(record, organisation, known);
        LegalRecord legal = part.records().get(at).legal();
        if (!legal.nameZhTw().equals(of.nameZhTw()) || !legal.nameEn().equals(of.nameEn())) {
            throw new UnprovenException(
                    "validator %s is in the set under other names than those of organisation %d",
                    of.address(), organisation);
        }
        return new Registry.Operator(of.address(), organisation, legal, inForce.get(at).since());
    }

    private static long first(Bytes word) {
        return bits(word, 0) & Limits.U32_MAX;
    }

    /** 64 bits of a word, from bit {@code from} on, which is a multiple of 8. */
    private static long bits(Bytes word, int from) {
        long value = 0;
        int end = Bytes.HASH - from / 8;
        for (int at = end - 8; at < end; at++) {
            value = value << 8 | (word.array()[at] & 0xff);
        }
        return value;
    }
}
