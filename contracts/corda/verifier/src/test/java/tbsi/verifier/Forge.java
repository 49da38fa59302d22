package tbsi.verifier;

import java.io.ByteArrayOutputStream;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.bouncycastle.crypto.digests.SHA256Digest;
import org.bouncycastle.crypto.params.ECDomainParameters;
import org.bouncycastle.crypto.params.ECPrivateKeyParameters;
import org.bouncycastle.crypto.signers.ECDSASigner;
import org.bouncycastle.crypto.signers.HMacDSAKCalculator;
import org.bouncycastle.math.ec.ECPoint;
import org.bouncycastle.util.BigIntegers;

/** Proofs that are signed with keys of ours: good ones, and such as are wrong in one place. */
final class Forge {
    private static final BigInteger ORDER = Secp256k1.CURVE.getN();
    private static final ECDomainParameters DOMAIN = new ECDomainParameters(Secp256k1.CURVE);

    private static final Map<Long, Key> KEYS = new HashMap<>();

    private Forge() {}

    record Key(BigInteger secret, ECPoint point, Bytes address) {
        byte[] sign(byte[] digest) {
            ECDSASigner signer = new ECDSASigner(new HMacDSAKCalculator(new SHA256Digest()));
            signer.init(true, new ECPrivateKeyParameters(secret, DOMAIN));
            BigInteger[] found = signer.generateSignature(digest);
            BigInteger s = found[1].min(ORDER.subtract(found[1]));
            byte[] signature = new byte[65];
            System.arraycopy(BigIntegers.asUnsignedByteArray(32, found[0]), 0, signature, 0, 32);
            System.arraycopy(BigIntegers.asUnsignedByteArray(32, s), 0, signature, 32, 32);
            for (byte v = 27; v <= 28; v++) {
                signature[64] = v;
                if (address.equals(Secp256k1.recover(digest, signature))) {
                    return signature;
                }
            }
            throw new IllegalStateException("a signature of the key recovers to it");
        }
    }

    static Key key(long seed) {
        return KEYS.computeIfAbsent(seed, Forge::makeKey);
    }

    private static Key makeKey(long seed) {
        Bytes hash = Digests.sha256(Digests.tag("TBSI test key"), Digests.u64(seed));
        BigInteger secret = new BigInteger(1, hash.array()).mod(ORDER);
        ECPoint point = Secp256k1.CURVE.getG().multiply(secret);
        return new Key(secret, point, Secp256k1.addressOf(point));
    }

    /** The same signature with the other s, and the v that belongs to it. */
    static byte[] withHighS(byte[] signature) {
        byte[] other = signature.clone();
        BigInteger s = ORDER.subtract(new BigInteger(1, signature, 32, 32));
        System.arraycopy(BigIntegers.asUnsignedByteArray(32, s), 0, other, 32, 32);
        other[64] = (byte) (27 + 28 - signature[64]);
        return other;
    }

    record Member(Key key, Validator validator) {}

    static Member member(long seed, long power, String nameEn) {
        Key key = key(seed);
        return new Member(key, new Validator(key.address, power, "測試" + seed, nameEn));
    }

    /** Members in address order. */
    static List<Member> members(long firstSeed, int count) {
        List<Member> members = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            members.add(member(firstSeed + i, 1, "Test Association " + (firstSeed + i)));
        }
        members.sort((one, other) -> one.key.address.compareTo(other.key.address));
        return members;
    }

    static ValidatorSet set(List<Member> members) {
        try {
            return ValidatorSet.of(members.stream().map(Member::validator).toList());
        } catch (FormException error) {
            throw new IllegalArgumentException(error);
        }
    }

    /** Signed by the first {@code signers} members. */
    static Decision decide(Chain chain, Checkpoint at, List<Member> members, int signers) {
        Certificate empty =
                new Certificate(at.height(), 1, at.digest(chain), List.of());
        byte[] digest = Digests.sha256(
                Digests.tag("TBSI-VOTE-1"), Digests.u64(chain.chainId()),
                chain.genesisHash().array(), new byte[] {2}, Digests.u64(at.height()),
                Digests.u32(empty.round()), new byte[] {1}, empty.digest().array()).array();
        List<Certificate.Signature> signatures = new ArrayList<>();
        for (Member it : members.subList(0, Math.min(signers, members.size()))) {
            signatures.add(new Certificate.Signature(
                    it.key.address, Bytes.of(it.key.sign(digest))));
        }
        return new Decision(
                at, new Certificate(at.height(), empty.round(), empty.digest(), signatures));
    }

    static Bytes filled(int value) {
        byte[] content = new byte[Bytes.HASH];
        Arrays.fill(content, (byte) value);
        return Bytes.of(content);
    }

    /** An attestation in its canonical bytes. */
    static byte[] attestation(
            long chainId, long height, long timeMs, Bytes schema, long algorithm, Bytes digest) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(new byte[] {1, 1});
        out.writeBytes(Digests.u64(chainId));
        out.writeBytes(Arrays.copyOfRange(Digests.u64(height), 2, 8));
        out.writeBytes(Arrays.copyOfRange(Digests.u64(timeMs), 2, 8));
        out.writeBytes(new byte[] {0, 0, 3, 0, 0, 7});
        out.writeBytes(Arrays.copyOf(filled(0xaa).array(), Bytes.ADDRESS));
        out.writeBytes(schema.array());
        out.writeBytes(Digests.u32(algorithm));
        out.write(digest.length());
        out.writeBytes(digest.array());
        return out.toByteArray();
    }

    /** The compact form of a bundle (SPEC §10.2). */
    static byte[] compact(Bundle bundle) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(Digests.tag("TBP1"));
        out.writeBytes(bundle.genesisHash().array());
        number(out, bundle.leafBytes().length());
        out.writeBytes(bundle.leafBytes().array());
        number(out, bundle.leafIndex());
        number(out, bundle.inclusion().size());
        bundle.inclusion().forEach(it -> out.writeBytes(it.array()));
        set(out, bundle.validators());
        facts(out, bundle.decision().checkpoint());
        certificate(out, bundle.decision().certificate(), bundle.validators());
        number(out, bundle.handovers().size());
        bundle.handovers().forEach(it -> set(out, it.validators()));
        for (int i = 0; i < bundle.handovers().size(); i++) {
            Handover it = bundle.handovers().get(i);
            ValidatorSet next = i + 1 < bundle.handovers().size()
                    ? bundle.handovers().get(i + 1).validators() : bundle.validators();
            facts(out, it.last().checkpoint());
            out.writeBytes(it.last().checkpoint().logRoot().array());
            certificate(out, it.last().certificate(), it.validators());
            facts(out, it.first().checkpoint());
            out.writeBytes(it.first().checkpoint().logRoot().array());
            certificate(out, it.first().certificate(), next);
        }
        return out.toByteArray();
    }

    private static void number(ByteArrayOutputStream out, long value) {
        long left = value;
        while (left >= 0x80) {
            out.write((int) (left & 0x7f | 0x80));
            left >>>= 7;
        }
        out.write((int) left);
    }

    private static void set(ByteArrayOutputStream out, ValidatorSet set) {
        number(out, set.validators.size());
        for (Validator it : set.validators) {
            out.writeBytes(it.address().array());
            number(out, it.power());
            for (String name : List.of(it.nameZhTw(), it.nameEn())) {
                byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
                number(out, bytes.length);
                out.writeBytes(bytes);
            }
        }
    }

    private static void facts(ByteArrayOutputStream out, Checkpoint at) {
        number(out, at.height());
        number(out, at.timeMs());
        out.writeBytes(at.blockHash().array());
        out.writeBytes(at.stateRoot().array());
        number(out, at.logSize());
        boolean same = at.nextValidatorSetHash().equals(at.validatorSetHash());
        out.write(same ? 0 : 1);
        if (!same) {
            out.writeBytes(at.nextValidatorSetHash().array());
        }
    }

    private static void certificate(
            ByteArrayOutputStream out, Certificate of, ValidatorSet members) {
        number(out, of.round());
        byte[] flags = new byte[(members.validators.size() + 7) / 8];
        ByteArrayOutputStream signatures = new ByteArrayOutputStream();
        for (int at = 0; at < members.validators.size(); at++) {
            for (Certificate.Signature it : of.signatures()) {
                if (it.validator().equals(members.validators.get(at).address())) {
                    flags[at / 8] |= (byte) (1 << (at % 8));
                    signatures.writeBytes(it.bytes().array());
                }
            }
        }
        out.writeBytes(flags);
        out.writeBytes(signatures.toByteArray());
    }
}
