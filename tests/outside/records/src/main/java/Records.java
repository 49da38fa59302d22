// Evidence records (RFC 4998) with Bouncy Castle:
//
//   mvn -q compile exec:java -Dexec.args="make FILE"
//   mvn -q compile exec:java -Dexec.args="check TRUST FILE..."
//
// `make` writes records that Bouncy Castle made, and what must be refused. `check` verifies FILE.ers
// of each FILE, the authority's certificate against TRUST (one in PEM), and refuses changed copies.

import java.io.FileReader;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Security;
import java.security.spec.ECGenParameterSpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Date;
import java.util.HexFormat;
import java.util.List;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.nist.NISTObjectIdentifiers;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.X509v3CertificateBuilder;
import org.bouncycastle.cert.jcajce.JcaCertStore;
import org.bouncycastle.cms.jcajce.JcaSimpleSignerInfoGeneratorBuilder;
import org.bouncycastle.cms.jcajce.JcaSimpleSignerInfoVerifierBuilder;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.openssl.PEMParser;
import org.bouncycastle.operator.DigestCalculator;
import org.bouncycastle.operator.DigestCalculatorProvider;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.operator.jcajce.JcaContentVerifierProviderBuilder;
import org.bouncycastle.operator.jcajce.JcaDigestCalculatorProviderBuilder;
import org.bouncycastle.tsp.TSPAlgorithms;
import org.bouncycastle.tsp.TimeStampRequest;
import org.bouncycastle.tsp.TimeStampRequestGenerator;
import org.bouncycastle.tsp.TimeStampResponse;
import org.bouncycastle.tsp.TimeStampResponseGenerator;
import org.bouncycastle.tsp.TimeStampTokenGenerator;
import org.bouncycastle.tsp.ers.ERSArchiveTimeStamp;
import org.bouncycastle.tsp.ers.ERSArchiveTimeStampGenerator;
import org.bouncycastle.tsp.ers.ERSByteData;
import org.bouncycastle.tsp.ers.ERSEvidenceRecord;
import org.bouncycastle.tsp.ers.ERSEvidenceRecordGenerator;

public final class Records {
    private static final long DAY = 86_400;
    private static final long START = 1_600_000_000L;
    private static final HexFormat HEX = HexFormat.of();
    private static final ASN1ObjectIdentifier SHA256 = NISTObjectIdentifiers.id_sha256;
    private static final ASN1ObjectIdentifier SHA512 = NISTObjectIdentifiers.id_sha512;
    private static DigestCalculatorProvider digests;

    public static void main(String[] arguments) throws Exception {
        Security.addProvider(new BouncyCastleProvider());
        digests = new JcaDigestCalculatorProviderBuilder().setProvider("BC").build();
        if (arguments.length == 2 && arguments[0].equals("make")) {
            Files.writeString(Path.of(arguments[1]), vectors());
        } else if (arguments.length > 2 && arguments[0].equals("check")) {
            for (int i = 2; i < arguments.length; i++) check(arguments[1], arguments[i]);
        } else {
            throw new IllegalArgumentException("usage: make FILE | check TRUST FILE...");
        }
    }

    // Making

    /** A root and a certificate below it, with a key of some kind, valid for some days. */
    private record Authority(KeyPair key, X509CertificateHolder root, X509CertificateHolder own) {
        static Authority of(String name, boolean rsa, long days) throws Exception {
            KeyPair rootKey = pair(rsa);
            KeyPair key = pair(rsa);
            X500Name by = new X500Name("CN=root of " + name);
            X509v3CertificateBuilder root = builder(by, by, rootKey, 10_000);
            root.addExtension(Extension.basicConstraints, true, new BasicConstraints(true));
            X509v3CertificateBuilder own = builder(by, new X500Name("CN=" + name), key, days);
            own.addExtension(Extension.extendedKeyUsage, true,
                new ExtendedKeyUsage(KeyPurposeId.id_kp_timeStamping));
            return new Authority(key, sign(root, rootKey), sign(own, rootKey));
        }

        private static KeyPair pair(boolean rsa) throws Exception {
            KeyPairGenerator generator = KeyPairGenerator.getInstance(rsa ? "RSA" : "EC", "BC");
            if (rsa) generator.initialize(2048);
            else generator.initialize(new ECGenParameterSpec("P-256"));
            return generator.generateKeyPair();
        }

        private static X509v3CertificateBuilder builder(X500Name by, X500Name of, KeyPair key,
            long days) {
            return new X509v3CertificateBuilder(by, BigInteger.valueOf(7 + days), at(0), at(days), of,
                SubjectPublicKeyInfo.getInstance(key.getPublic().getEncoded()));
        }

        private static String algorithm(KeyPair key) {
            return "SHA256with" + (key.getPrivate().getAlgorithm().equals("RSA") ? "RSA" : "ECDSA");
        }

        private static X509CertificateHolder sign(X509v3CertificateBuilder builder, KeyPair key)
            throws Exception {
            return builder.build(
                new JcaContentSignerBuilder(algorithm(key)).setProvider("BC").build(key.getPrivate()));
        }

        TimeStampResponse stamp(TimeStampRequest request, long day) throws Exception {
            TimeStampTokenGenerator tokens = new TimeStampTokenGenerator(
                new JcaSimpleSignerInfoGeneratorBuilder().setProvider("BC")
                    .build(algorithm(key), key.getPrivate(), own),
                digests.get(new AlgorithmIdentifier(SHA256)),
                new ASN1ObjectIdentifier("1.3.6.1.4.1.32473.1"));
            tokens.addCertificates(new JcaCertStore(List.of(own)));
            TimeStampResponse response = new TimeStampResponseGenerator(tokens, TSPAlgorithms.ALLOWED)
                .generate(request, BigInteger.valueOf(1 + day), at(day));
            response.validate(request);
            return response;
        }

        String pem() throws Exception {
            String base64 = Base64.getMimeEncoder(64, new byte[] {'\n'})
                .encodeToString(root.getEncoded());
            return "-----BEGIN CERTIFICATE-----\n" + base64 + "\n-----END CERTIFICATE-----\n";
        }
    }

    private static Date at(long day) {
        return new Date(1000 * (START + day * DAY));
    }

    private static ERSByteData data(String content) {
        return new ERSByteData(content.getBytes(StandardCharsets.UTF_8));
    }

    private static ERSArchiveTimeStampGenerator over(ASN1ObjectIdentifier algorithm, String... files)
        throws Exception {
        ERSArchiveTimeStampGenerator generator =
            new ERSArchiveTimeStampGenerator(digests.get(new AlgorithmIdentifier(algorithm)));
        for (String file : files) generator.addData(data(file));
        return generator;
    }

    private static TimeStampRequestGenerator requests() {
        TimeStampRequestGenerator requests = new TimeStampRequestGenerator();
        requests.setCertReq(true);
        return requests;
    }

    private static ERSEvidenceRecord record(Authority by, long day, ASN1ObjectIdentifier algorithm,
        String... files) throws Exception {
        ERSArchiveTimeStampGenerator generator = over(algorithm, files);
        TimeStampResponse response = by.stamp(generator.generateTimeStampRequest(requests()), day);
        List<ERSArchiveTimeStamp> stamps = generator.generateArchiveTimeStamps(response);
        return new ERSEvidenceRecordGenerator(digests).generate(stamps.get(0));
    }

    private static ERSEvidenceRecord renewed(ERSEvidenceRecord record, Authority by, long day)
        throws Exception {
        TimeStampRequest request = record.generateTimeStampRenewalRequest(requests());
        return record.renewTimeStamp(by.stamp(request, day));
    }

    private static ERSEvidenceRecord rehashed(ERSEvidenceRecord record, Authority by, long day,
        String file) throws Exception {
        DigestCalculator digest = digests.get(new AlgorithmIdentifier(SHA512));
        TimeStampRequest request =
            record.generateHashRenewalRequest(digest, data(file), requests());
        return record.renewHash(digest, data(file), by.stamp(request, day));
    }

    private static byte[] der(ERSEvidenceRecord record) throws Exception {
        return record.toASN1Structure().getEncoded("DER");
    }

    private static String vectors() throws Exception {
        Authority first = Authority.of("first", false, 100);
        Authority second = Authority.of("second", true, 1000);
        List<String> cases = new ArrayList<>();
        byte[] one = der(record(first, 0, SHA256, "a"));
        byte[] many = der(record(first, 0, SHA256, "a", "b", "c", "d", "e"));
        ERSEvidenceRecord many_ = new ERSEvidenceRecord(many, digests);
        ERSEvidenceRecord stamped = renewed(many_, second, 50);
        ERSEvidenceRecord twice = renewed(stamped, second, 60);
        ERSEvidenceRecord hashed = rehashed(twice, second, 70, "a");
        ERSEvidenceRecord again = renewed(hashed, second, 80);
        add(cases, "one file", "a", one, 10, null);
        add(cases, "a file among five", "a", many, 10, null);
        add(cases, "renewed over the time stamp, with RSA", "a", der(stamped), 900, null);
        add(cases, "renewed twice", "a", der(twice), 900, null);
        add(cases, "renewed over the file with SHA-512", "a", der(hashed), 900, null);
        add(cases, "and once more", "a", der(again), 900, null);
        add(cases, "another file", "x", one, 10, "is not over the file");
        add(cases, "another file among five", "b", many, 10, "is not over the file");
        add(cases, "after the certificate", "a", many, 101, "is valid from");
        add(cases, "before the certificate", "a", many, -1, "is valid from");
        add(cases, "after the last certificate", "a", der(again), 1001, "is valid from");
        add(cases, "renewed too late", "a", der(renewed(many_, second, 101)), 900, "is valid from");
        add(cases, "renewed before it was made", "a",
            der(renewed(record(first, 20, SHA256, "a"), second, 10)), 900, "is older than");
        add(cases, "another file after a renewal over the file", "x", der(again), 900,
            "is not over the file");
        byte[] changed = der(again);
        changed[changed.length - 10] ^= 1;
        add(cases, "a bit of the last signature", "a", changed, 900, "does not verify");
        add(cases, "cut short", "a", java.util.Arrays.copyOf(one, one.length - 1), 10,
            "not an evidence record");
        TimeStampResponse reply =
            first.stamp(over(SHA256, "a").generateTimeStampRequest(requests()), 1);
        return "{\n  \"description\": \"Evidence records (RFC 4998) that Bouncy Castle made, and what"
            + " must be refused. The file is the text in `file`, `now` is in Unix seconds.\",\n"
            + "  \"trust\": \"" + (first.pem() + second.pem()).replace("\n", "\\n") + "\",\n"
            + "  \"replies\": [{ \"reply\": \"0x" + HEX.formatHex(reply.getEncoded()) + "\" }],\n"
            + "  \"cases\": [\n" + String.join(",\n", cases) + "\n  ]\n}\n";
    }

    private static void add(List<String> cases, String name, String file, byte[] record, long day,
        String refused) {
        cases.add("    {\n      \"name\": \"" + name + "\",\n      \"file\": \"" + file
            + "\",\n      \"now\": " + (START + day * DAY)
            + (refused == null ? "" : ",\n      \"refused\": \"" + refused + "\"")
            + ",\n      \"record\": \"0x" + HEX.formatHex(record) + "\"\n    }");
    }

    // Checking

    private static void check(String trust, String file) throws Exception {
        X509CertificateHolder root;
        try (PEMParser parser = new PEMParser(new FileReader(trust))) {
            root = (X509CertificateHolder) parser.readObject();
        }
        byte[] content = Files.readAllBytes(Path.of(file));
        byte[] record = Files.readAllBytes(Path.of(file + ".ers"));
        verify(root, content, record);
        int refused = 0;
        byte[] other = java.util.Arrays.copyOf(content, content.length + 1);
        if (accepts(root, other, record)) throw new IllegalStateException("accepted another file");
        for (int at = 0; at < record.length; at++) {
            byte[] changed = record.clone();
            changed[at] ^= 1;
            if (!accepts(root, content, changed)) refused++;
        }
        ERSEvidenceRecord read = new ERSEvidenceRecord(record, digests);
        int stamps = 0;
        for (var chain : read.toASN1Structure().getArchiveTimeStampSequence()
            .getArchiveTimeStampChains()) stamps += chain.getArchiveTimestamps().length;
        System.out.println("accepted " + file + ": " + stamps + " time stamps");
        System.out.println("refused another file, and " + refused + " of " + record.length
            + " changed copies");
    }

    private static boolean accepts(X509CertificateHolder root, byte[] content, byte[] record) {
        try {
            verify(root, content, record);
            return true;
        } catch (Exception | StackOverflowError error) {
            return false;
        }
    }

    private static void verify(X509CertificateHolder root, byte[] content, byte[] bytes)
        throws Exception {
        ERSEvidenceRecord record = new ERSEvidenceRecord(bytes, digests);
        record.validatePresent(new ERSByteData(content), new Date());
        X509CertificateHolder own = record.getSigningCertificate();
        var issuer = new JcaContentVerifierProviderBuilder().setProvider("BC").build(root);
        if (!own.isSignatureValid(issuer)) throw new IllegalStateException("another issuer");
        record.validate(new JcaSimpleSignerInfoVerifierBuilder().setProvider("BC").build(own));
    }
}
