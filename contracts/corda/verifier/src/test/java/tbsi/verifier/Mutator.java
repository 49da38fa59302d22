package tbsi.verifier;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** Changes of a proof, in bytes or as JSON. */
final class Mutator {
    private static final List<Object> VALUES = Arrays.asList(
            null, true, false, 0L, 1L, 2L, -1L, Long.MAX_VALUE, 1L << 32, "", "0x", "0x00", "0X00",
            "attestation", "tbsi-proof-1", "tbsi-proof-2", "0x" + "ab".repeat(20),
            "0x" + "00".repeat(32), "0x" + "AB".repeat(32), "0x" + "ff".repeat(65), "名",
            new JsonText.Raw("18446744073709551616"), new JsonText.Raw("-0"),
            new JsonText.Raw("1.0"), new JsonText.Raw("1e3"), new JsonText.Raw("01"),
            new JsonText.Raw("9".repeat(2000)), new JsonText.Raw("\"\\ud800\""),
            new JsonText.Raw("\"\\u0041\""), new JsonText.Raw("[]"), new JsonText.Raw("{}"),
            new JsonText.Raw("{\"a\":1,\"a\":1}"), new JsonText.Raw("nul"));

    private final Random random;

    Mutator(Random random) {
        this.random = random;
    }

    /** Another proof, in the same form or in none. */
    byte[] mutate(byte[] proof) {
        boolean json = proof.length > 0 && proof[0] == '{';
        byte[] mutant = proof;
        if (json && random.nextInt(8) != 0) {
            try {
                Object tree = Json.parse(proof);
                for (int count = 1 + random.nextInt(2); count > 0; count--) {
                    mutateTree(tree);
                }
                mutant = JsonText.of(tree).getBytes(UTF_8);
            } catch (FormException notJson) {
                mutant = mutateBytes(proof);
            }
        } else {
            for (int count = 1 + random.nextInt(3); count > 0; count--) {
                mutant = mutateBytes(mutant);
            }
        }
        return mutant;
    }

    private byte[] mutateBytes(byte[] proof) {
        if (proof.length == 0) {
            return new byte[] {(byte) random.nextInt(256)};
        }
        int at = random.nextInt(proof.length);
        byte[] mutant = proof.clone();
        switch (random.nextInt(6)) {
            case 0 -> mutant[at] ^= (byte) (1 << random.nextInt(8));
            case 1 -> mutant[at] = (byte) random.nextInt(256);
            case 2 -> mutant[at]++;
            case 3 -> mutant = Arrays.copyOf(proof, at);
            case 4 -> {
                mutant = Arrays.copyOf(proof, proof.length + 1);
                System.arraycopy(proof, at, mutant, at + 1, proof.length - at);
            }
            default -> {
                mutant = Arrays.copyOf(proof, proof.length - 1);
                System.arraycopy(proof, at + 1, mutant, at, proof.length - at - 1);
            }
        }
        return mutant;
    }

    /** All objects and lists of a tree, from the top. */
    private static List<Object> containers(Object tree) {
        List<Object> found = new ArrayList<>();
        found.add(tree);
        for (int at = 0; at < found.size(); at++) {
            Iterable<?> inner = found.get(at) instanceof Json.JsonObject object
                    ? object.fields.values() : (List<?>) found.get(at);
            for (Object it : inner) {
                if (it instanceof Json.JsonObject || it instanceof List<?>) {
                    found.add(it);
                }
            }
        }
        return found;
    }

    private void mutateTree(Object tree) {
        if (!(tree instanceof Json.JsonObject) && !(tree instanceof List<?>)) {
            return;
        }
        Object chosen = pick(containers(tree));
        if (chosen instanceof Json.JsonObject object) {
            mutateObject(object.fields);
        } else {
            mutateList(list(chosen));
        }
    }

    @SuppressWarnings("unchecked")
    private static List<Object> list(Object value) {
        return (List<Object>) value;
    }

    private void mutateObject(Map<String, Object> fields) {
        if (fields.isEmpty()) {
            fields.put("a", pick(VALUES));
            return;
        }
        String name = pick(new ArrayList<>(fields.keySet()));
        Object value = fields.get(name);
        switch (random.nextInt(10)) {
            case 0 -> fields.remove(name);
            case 1 -> fields.put("unknown", 1L);
            case 2 -> fields.put(name, pick(VALUES));
            // A key twice, with the same value: the second one is written out by hand.
            case 3 -> fields.put(name, new JsonText.Raw(
                    JsonText.of(value) + ",\"" + name + "\":" + JsonText.of(value)));
            case 4 -> fields.put(name, fields.get(pick(new ArrayList<>(fields.keySet()))));
            default -> fields.put(name, nudged(value));
        }
    }

    private void mutateList(List<Object> items) {
        if (items.isEmpty()) {
            items.add(pick(VALUES));
            return;
        }
        int at = random.nextInt(items.size());
        int other = random.nextInt(items.size());
        switch (random.nextInt(7)) {
            case 0 -> items.remove(at);
            case 1 -> items.add(at, items.get(other));
            case 2 -> {
                Object moved = items.get(at);
                items.set(at, items.get(other));
                items.set(other, moved);
            }
            case 3 -> items.set(at, pick(VALUES));
            case 4 -> {
                for (int count = 0; count < 130; count++) {
                    items.add(items.get(at));
                }
            }
            default -> items.set(at, nudged(items.get(at)));
        }
    }

    /** A value of the same shape that is another one. */
    private Object nudged(Object value) {
        if (value instanceof Long number) {
            return number + (random.nextBoolean() ? 1 : -1);
        }
        if (value instanceof Boolean flag) {
            return !flag;
        }
        if (value instanceof String text && text.length() > 2) {
            int at = random.nextInt(text.length());
            char other = "0123456789abcdefABCx".charAt(random.nextInt(20));
            return switch (random.nextInt(4)) {
                case 0 -> text.substring(0, at) + text.substring(at + 1);
                case 1 -> text.substring(0, at) + other + text.substring(at);
                default -> text.substring(0, at) + other + text.substring(at + 1);
            };
        }
        return value == null ? 0L : value;
    }

    <T> T pick(List<T> of) {
        return of.get(random.nextInt(of.size()));
    }
}
