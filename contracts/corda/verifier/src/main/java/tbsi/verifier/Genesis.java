package tbsi.verifier;

import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.bouncycastle.math.ec.ECPoint;

/**
 * The genesis file: what is trusted (SPEC §2). Its hash is over a canonical form.
 *
 * @param name of the network
 * @param chain its chain id, and the hash of the file
 * @param validatorSetHash 32 bytes: of the first validators
 * @param timeMs of block 0
 */
public record Genesis(String name, Chain chain, Bytes validatorSetHash, long timeMs) {
    /** A file that cannot be trusted, and what is wrong with it. */
    public static final class UnusableException extends Exception {
        private static final long serialVersionUID = 1L;

        UnusableException(String message) {
            super("genesis file: " + message);
        }
    }

    private static final Set<String> REQUIRED = Set.of(
            "version", "name", "chain_id", "time_ms", "block_gas_limit", "consensus",
            "organisations", "nodes");
    private static final long CHAIN_ID_MAX = 4_503_599_627_370_476L;
    private static final long GAS_MIN = 1 << 24;
    private static final long GAS_MAX = 10_000_000_000L;
    private static final String CLOCK_LAG = "clock_lag_max_ms";
    private static final String MAP_PERIOD = "map_period_ms";
    private static final long MS_MAX = 600_000;
    /** Least and most of each. */
    private static final Map<String, long[]> CONSENSUS = Map.of(
            "timeout_propose_ms", new long[] {10, MS_MAX},
            "timeout_vote_ms", new long[] {10, MS_MAX},
            "timeout_delta_ms", new long[] {1, MS_MAX},
            "empty_block_interval_ms", new long[] {100, 86_400_000},
            "block_spacing_min_ms", new long[] {0, 60_000},
            "clock_drift_max_ms", new long[] {100, MS_MAX});
    private static final Set<String> KINDS =
            Set.of("association", "operator", "issuer", "relayer", "auditor", "authority");
    /** In their canonical order. */
    private static final List<String> PERMISSIONS =
            List.of("send", "deploy", "attest", "relay", "administer", "vote");
    private static final Set<String> TEXTS = Set.of("tax_id", "lei", "jurisdiction", "contact_url");
    private static final Set<String> HASHES = Set.of("agreement_hash", "credential_hash");
    private static final Set<String> OF_ORGANISATION = Set.of(
            "kind", "votes", "accounts", "tax_id", "lei", "jurisdiction", "contact_url",
            "agreement_hash", "credential_hash");
    private static final Set<String> SECONDS = Set.of(
            "period_seconds", "voting_period_seconds", "delay_seconds", "window_seconds",
            "epoch_seconds");
    private static final Set<String> QUOTAS = Set.of("public_quota", "organisation_quota");
    private static final Set<String> OF_QUOTA = Set.of("gas", "leaves");
    private static final Pattern HEX = Pattern.compile("(?:0x)?((?:[0-9a-fA-F]{2})*)");
    private static final Pattern QUANTITY =
            Pattern.compile("(?:0x[0-9a-fA-F]{1,64}|[0-9]{1,78})");
    private static final int QUANTITY_BITS = 256;

    private record Names(String zhTw, String en) {}

    /** What a verifier trusts by it. */
    public TrustAnchor anchor() {
        return TrustAnchor.ofSet(chain, validatorSetHash, timeMs);
    }

    /** Parses and checks a genesis file. */
    public static Genesis parse(byte[] data) throws UnusableException {
        if (data.length > Limits.GENESIS_BYTES_MAX) {
            throw new UnusableException(
                    data.length + " bytes, at most " + Limits.GENESIS_BYTES_MAX + " are allowed");
        }
        try {
            return read(Fields.of(
                    Json.parse(data), "genesis", REQUIRED, Set.of("governance", "accounts")));
        } catch (FormException error) {
            throw new UnusableException(error.getMessage());
        }
    }

    private static Genesis read(Fields file) throws FormException, UnusableException {
        SortedMap<String, Object> form = new TreeMap<>();
        String name = file.text("name");
        form.put("name", name);
        form.put("version", within(file, "version", 1, 1));
        long chainId = within(file, "chain_id", 1, CHAIN_ID_MAX);
        form.put("chain_id", chainId);
        long timeMs = within(file, "time_ms", 1, Limits.JSON_INTEGER_MAX);
        form.put("time_ms", timeMs);
        form.put("block_gas_limit", within(file, "block_gas_limit", GAS_MIN, GAS_MAX));
        form.put("consensus", consensus(file.get("consensus")));
        Map<String, Names> names = new TreeMap<>();
        SortedMap<String, Object> organisations = new TreeMap<>();
        Map<String, Object> listed = Fields.object(file.get("organisations"), "`organisations`");
        for (Map.Entry<String, Object> it : listed.entrySet()) {
            organisations.put(it.getKey(), organisation(it.getKey(), it.getValue(), names));
        }
        form.put("organisations", organisations);
        List<Validator> members = new ArrayList<>();
        form.put("nodes", nodes(file, names, members));
        if (file.has("governance")) {
            form.put("governance", governance(file.get("governance")));
        }
        SortedMap<String, Object> accounts = accounts(file);
        if (!accounts.isEmpty()) {
            form.put("accounts", accounts);
        }
        Bytes hash = Digests.sha256(Digests.tag("TBSI-GENESIS-1"), CanonicalJson.of(form));
        members.sort((one, other) -> one.address().compareTo(other.address()));
        Bytes setHash = ValidatorSet.of(members).hash;
        return new Genesis(name, new Chain(chainId, hash), setHash, timeMs);
    }

    private static Long within(Fields fields, String name, long least, long most)
            throws FormException, UnusableException {
        long value = fields.integer(name, most);
        if (value < least) {
            throw new UnusableException(
                    "`" + name + "`: " + value + " is outside " + least + " to " + most);
        }
        return value;
    }

    /** Hex digits of bytes that may be written without 0x or with capitals; length -1 is any. */
    private static String digits(Object text, int length) throws UnusableException {
        if (text instanceof String given) {
            Matcher found = HEX.matcher(given);
            if (found.matches() && (length < 0 || found.group(1).length() == 2 * length)) {
                return "0x" + found.group(1).toLowerCase(Locale.ROOT);
            }
        }
        throw new UnusableException(
                "hex digits" + (length < 0 ? "" : " of " + length + " bytes") + " expected");
    }

    private static SortedMap<String, Object> consensus(Object value)
            throws FormException, UnusableException {
        Fields fields =
                Fields.of(value, "`consensus`", CONSENSUS.keySet(), Set.of(CLOCK_LAG, MAP_PERIOD));
        SortedMap<String, Object> form = new TreeMap<>();
        for (Map.Entry<String, long[]> it : CONSENSUS.entrySet()) {
            long[] bounds = it.getValue();
            form.put(it.getKey(), within(fields, it.getKey(), bounds[0], bounds[1]));
        }
        if (fields.has(CLOCK_LAG)) {
            long least = fields.integer("timeout_propose_ms");
            form.put(CLOCK_LAG, within(fields, CLOCK_LAG, least, MS_MAX));
        }
        if (fields.has(MAP_PERIOD)) {
            form.put(MAP_PERIOD, within(fields, MAP_PERIOD, 1_000, 86_400_000));
        }
        return form;
    }

    private static SortedMap<String, Object> organisation(
            String id, Object value, Map<String, Names> names)
            throws FormException, UnusableException {
        String where = "`organisations." + id + "`";
        Fields fields =
                Fields.of(value, where, Set.of("name_zh_tw", "name_en"), OF_ORGANISATION);
        Names legal = new Names(fields.text("name_zh_tw"), fields.text("name_en"));
        if (legal.en.isBlank() || isLong(legal.zhTw) || isLong(legal.en)) {
            throw new UnusableException(
                    where + ": legal names, one in English, of at most " + Limits.NAME_BYTES_MAX
                            + " bytes");
        }
        names.put(id, legal);
        SortedMap<String, Object> form = new TreeMap<>();
        form.put("name_zh_tw", legal.zhTw);
        form.put("name_en", legal.en);
        if (fields.has("kind")) {
            String kind = fields.text("kind");
            if (!KINDS.contains(kind)) {
                throw new UnusableException(where + ": kind `" + kind + "` is unknown");
            }
            form.put("kind", kind);
        }
        if (fields.has("votes")) {
            form.put("votes", fields.bool("votes"));
        }
        for (String it : TEXTS) {
            if (fields.has(it)) {
                form.put(it, fields.text(it));
            }
        }
        for (String it : HASHES) {
            if (fields.has(it)) {
                form.put(it, digits(fields.get(it), Bytes.HASH));
            }
        }
        if (fields.has("accounts")) {
            SortedMap<String, Object> accounts = new TreeMap<>();
            Map<String, Object> given = Fields.object(fields.get("accounts"), where);
            for (Map.Entry<String, Object> it : given.entrySet()) {
                accounts.put(digits(it.getKey(), Bytes.ADDRESS), permissions(it.getValue()));
            }
            if (!accounts.isEmpty()) {
                form.put("accounts", accounts);
            }
        }
        return form;
    }

    private static boolean isLong(String name) {
        return name.getBytes(StandardCharsets.UTF_8).length > Limits.NAME_BYTES_MAX;
    }

    private static List<String> permissions(Object value) throws UnusableException {
        if (!(value instanceof List<?> given) || !PERMISSIONS.containsAll(given)) {
            throw new UnusableException("permissions are a list of " + PERMISSIONS);
        }
        List<String> ordered = new ArrayList<>(PERMISSIONS);
        ordered.retainAll(given);
        return ordered;
    }

    private static List<Object> nodes(
            Fields file, Map<String, Names> names, List<Validator> members)
            throws FormException, UnusableException {
        List<Object> listed = file.list("nodes");
        if (listed.isEmpty() || listed.size() > Limits.NODES_MAX) {
            throw new UnusableException(
                    "`nodes`: " + listed.size() + " is outside 1 to " + Limits.NODES_MAX);
        }
        List<Object> forms = new ArrayList<>();
        Set<String> seen = new HashSet<>();
        for (Object value : listed) {
            Fields fields = Fields.of(
                    value, "node", Set.of("name", "organisation", "peer_id"),
                    Set.of("endpoint", "validator"));
            SortedMap<String, Object> form = new TreeMap<>();
            form.put("name", fields.text("name"));
            form.put("organisation", fields.text("organisation"));
            form.put("peer_id", fields.text("peer_id"));
            boolean unique = seen.add("name " + fields.text("name"))
                    && seen.add("peer_id " + fields.text("peer_id"));
            if (!unique || fields.text("name").isBlank()) {
                throw new UnusableException(
                        "`nodes`: name and peer_id must be unique and not empty");
            }
            Names operator = names.get(fields.text("organisation"));
            if (operator == null) {
                throw new UnusableException(
                        "`nodes`: organisation `" + fields.text("organisation") + "` is missing");
            }
            if (fields.has("endpoint")) {
                form.put("endpoint", fields.text("endpoint"));
            }
            if (fields.has("validator")) {
                form.put("validator", validator(fields.get("validator"), operator, members));
            }
            forms.add(form);
        }
        return forms;
    }

    private static SortedMap<String, Object> validator(
            Object value, Names operator, List<Validator> members)
            throws FormException, UnusableException {
        Fields fields = Fields.of(
                value, "validator", Set.of("public_key", "power"), Set.of("log_key"));
        SortedMap<String, Object> form = new TreeMap<>();
        String key = digits(fields.get("public_key"), 33);
        Long power = within(fields, "power", 1, Limits.JSON_INTEGER_MAX);
        form.put("public_key", key);
        form.put("power", power);
        if (fields.has("log_key")) {
            form.put("log_key", digits(fields.get("log_key"), Bytes.HASH));
        }
        ECPoint point = Secp256k1.decode(Bytes.fromHex(key).array());
        if (point == null) {
            throw new UnusableException("public_key " + key + " is no compressed point");
        }
        members.add(new Validator(Secp256k1.addressOf(point), power, operator.zhTw, operator.en));
        return form;
    }

    private static SortedMap<String, Object> governance(Object value)
            throws FormException, UnusableException {
        Fields fields = Fields.of(
                value, "`governance`", SECONDS,
                Set.of("public_permissions", "public_quota", "organisation_quota"));
        SortedMap<String, Object> form = new TreeMap<>();
        List<String> open = fields.has("public_permissions")
                ? permissions(fields.get("public_permissions")) : List.of();
        form.put("public_permissions", open);
        for (String name : QUOTAS) {
            SortedMap<String, Object> quota = new TreeMap<>();
            if (fields.has(name)) {
                Fields given = Fields.of(fields.get(name), name, Set.of(), OF_QUOTA);
                for (String it : OF_QUOTA) {
                    if (given.has(it)) {
                        quota.put(it, given.integer(it, Limits.JSON_INTEGER_MAX));
                    }
                }
            }
            form.put(name, quota);
        }
        for (String it : SECONDS) {
            form.put(it, fields.integer(it, Limits.U32_MAX));
        }
        within(fields, "period_seconds", 1, 31_536_000);
        within(fields, "epoch_seconds", 0, 604_800);
        return form;
    }

    private static SortedMap<String, Object> accounts(Fields file)
            throws FormException, UnusableException {
        SortedMap<String, Object> accounts = new TreeMap<>();
        if (!file.has("accounts")) {
            return accounts;
        }
        Map<String, Object> given = Fields.object(file.get("accounts"), "`accounts`");
        if (given.size() > Limits.GENESIS_ACCOUNTS_MAX) {
            throw new UnusableException(
                    "`accounts`: " + given.size() + ", at most " + Limits.GENESIS_ACCOUNTS_MAX
                            + " are allowed");
        }
        for (Map.Entry<String, Object> it : given.entrySet()) {
            accounts.put(digits(it.getKey(), Bytes.ADDRESS), account(it.getKey(), it.getValue()));
        }
        return accounts;
    }

    private static SortedMap<String, Object> account(String address, Object value)
            throws FormException, UnusableException {
        String where = "`accounts." + address + "`";
        Fields fields = Fields.of(
                value, where, Set.of(), Set.of("balance", "nonce", "code", "storage"));
        SortedMap<String, Object> form = new TreeMap<>();
        form.put("balance", fields.has("balance") ? quantity(fields.get("balance")) : "0x0");
        form.put("nonce", fields.has("nonce") ? fields.integer("nonce") : 0L);
        form.put("code", fields.has("code") ? digits(fields.get("code"), -1) : "0x");
        SortedMap<String, Object> storage = new TreeMap<>();
        if (fields.has("storage")) {
            Map<String, Object> given = Fields.object(fields.get("storage"), where);
            for (Map.Entry<String, Object> it : given.entrySet()) {
                storage.put(quantity(it.getKey()), quantity(it.getValue()));
            }
        }
        if (!storage.isEmpty() && form.get("code").equals("0x")) {
            throw new UnusableException(where + ": only an account with code can have storage");
        }
        form.put("storage", storage);
        return form;
    }

    /** A number below 2^256 as 0x-hex without leading zeros. */
    private static String quantity(Object value) throws UnusableException {
        String text = value instanceof Long number ? Long.toUnsignedString(number)
                : value instanceof String given ? given : "";
        if (QUANTITY.matcher(text).matches()) {
            BigInteger number = text.startsWith("0x")
                    ? new BigInteger(text.substring(2), 16)
                    : new BigInteger(text);
            if (number.bitLength() <= QUANTITY_BITS) {
                return "0x" + number.toString(16);
            }
        }
        throw new UnusableException("a number below 2^256 is expected, got `" + text + "`");
    }
}
