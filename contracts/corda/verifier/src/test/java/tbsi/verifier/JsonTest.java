package tbsi.verifier;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class JsonTest {
    private static Object parse(String text) throws FormException {
        return Json.parse(text.getBytes(UTF_8));
    }

    @Test
    void integersAreExact() throws FormException {
        assertEquals(0L, parse("0"));
        assertEquals(-1L, parse(" 18446744073709551615 "));
        String[] others = {"18446744073709551616", "-0", "-1", "1.0", "1e3", "1E400000000",
                "9".repeat(1_000_000)};
        for (String it : others) {
            assertSame(Json.NO_INTEGER, parse(it));
        }
    }

    @Test
    void nothingIsRepaired() {
        List<String> bad = List.of(
                "", " ", "\ufeff{}", "{", "}", "[1,]", "[,1]", "[1 2]", "{\"a\":1,}", "{a:1}",
                "{'a':1}", "{\"a\"}", "nul", "nullx", "TRUE", "NaN", "Infinity", "-", "+1", "01",
                "-01", "1.", ".5", "1e", "0x1", "\"", "\"\\x\"", "\"\\u12\"", "\"\\u+123\"",
                "\"\t\"", "\"\u0000\"", "\"\\ud800\"", "\"\\udc00\\ud800\"", "{\"\\ud800\":1}",
                "{} {}", "{}x", "7 8", "/*a*/1", "//a\n1", "#a\n1", "\u00a01", "\u00001",
                "[".repeat(128) + "]".repeat(128), "[".repeat(100_000));
        for (String it : bad) {
            String shown = it.substring(0, Math.min(20, it.length()));
            FormException error =
                    assertThrows(FormException.class, () -> parse(it), "`" + shown + "`");
            assertEquals(Code.UNREADABLE, error.code);
        }
        // Not UTF-8: Latin-1, overlong, half of a pair, beyond the last character.
        for (String it : List.of("\"\u00e9\"", "\"\u00c0\u00af\"", "\"\u00ed\u00a0\u0080\"",
                "\"\u00f4\u0090\u0080\u0080\"")) {
            assertThrows(FormException.class, () -> Json.parse(it.getBytes(ISO_8859_1)));
        }
    }

    @Test
    void whatIsAllowedIsRead() throws FormException {
        assertEquals("\ud83d\ude00/\"\n", parse("\"\\ud83d\\uDE00\\/\\\"\\n\""));
        assertEquals(List.of(List.of(), true, false), parse("\r\n[ [ ] ,true,\tfalse]"));
        Object deep = parse("[".repeat(127) + "]".repeat(127));
        assertTrue(deep instanceof List<?>);
    }

    @Test
    void aRepeatedKeyIsSeen() throws FormException {
        Json.JsonObject twice = (Json.JsonObject) parse("{\"a\":1,\"\\u0061\":2}");
        assertTrue(twice.repeated);
        assertEquals(2L, twice.fields.get("a"));
        assertThrows(FormException.class, () -> Fields.object(twice, "it"));
    }

    @Test
    void foreignInputThrowsNothing() {
        TrustAnchor anchor = Vectors.genesis();
        List<String> proofs = List.of(
                "", "{}", "[]", "null", "NaN", "\"", "[".repeat(100_000), "{\"a\":".repeat(5_000),
                "TBP1", "\ud800", "9".repeat(1_000_000));
        for (String it : proofs) {
            Report report = Verifier.verify(it.getBytes(UTF_8), anchor);
            assertEquals(Code.UNREADABLE, report.code());
        }
        assertNotEquals(
                Verdict.VALID, Verifier.verify("TBP2".getBytes(UTF_8), anchor).verdict());
    }

    @Test
    void canonicalFormIsThatOfTheRfc() {
        TreeMap<String, Object> map = new TreeMap<>();
        // RFC 8785 §3.2.3 sorts by UTF-16 units: the pair of U+1F600 comes before U+FB33.
        map.put("\ufb33", 1L);
        map.put("\ud83d\ude00", List.of());
        map.put("\n", "\u0001\u20ac\"\\/\b");
        String text = new String(CanonicalJson.of(map), UTF_8);
        assertEquals(
                "{\"\\n\":\"\\u0001\u20ac\\\"\\\\/\\b\",\"\ud83d\ude00\":[],\"\ufb33\":1}", text);
    }
}
