"""The judges of `make sbom` and `make security` are shown what they must refuse."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import checklist  # noqa: E402
import findings  # noqa: E402
import publiccode  # noqa: E402
import sbom  # noqa: E402


class Licences(unittest.TestCase):
    ALLOW = {"MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "Unicode-3.0"}

    def test_expressions_are_satisfied(self):
        for good in ("MIT", "MIT OR GPL-3.0", "GPL-3.0/MIT", "(MIT OR GPL-3.0) AND Unicode-3.0",
                     "Apache-2.0 WITH LLVM-exception", "GPL-3.0 OR (MIT AND Apache-2.0)"):
            self.assertTrue(sbom.allowed(good, self.ALLOW), good)
        for bad in ("GPL-3.0", "MIT AND GPL-3.0", "(MIT OR Apache-2.0) AND GPL-3.0",
                    "GPL-2.0 WITH Classpath-exception-2.0", "MIT AND (GPL-3.0 OR AGPL-3.0)"):
            self.assertFalse(sbom.allowed(bad, self.ALLOW), bad)

    def test_what_has_none_is_named(self):
        document = {"components": [
            {"bom-ref": "a", "licenses": [{"expression": "MIT"}]},
            {"bom-ref": "b"},
            {"bom-ref": "c", "licenses": [{"license": {"name": "see LICENSE of the crate"}}]},
            {"bom-ref": "d", "licenses": [{"expression": "GPL-3.0"}]},
        ]}
        self.assertEqual(sbom.licences(document, self.ALLOW), [
            "b: has no licence",
            "c: see LICENSE of the crate: read it, and say so in deny.toml",
            "d: GPL-3.0 is not in deny.toml",
        ])


class Bills(unittest.TestCase):
    def test_what_only_tests_use_is_excluded(self):
        def dependency(name, kind):
            return {"pkg": name, "dep_kinds": [{"kind": kind}]}

        def package(name):
            return {"id": name, "name": name, "version": "1.0.0", "license": "MIT"}

        metadata = {
            "packages": [package(it) for it in ("tbsi", "used", "built", "tested", "stranger")],
            "workspace_members": ["tbsi"],
            "resolve": {"nodes": [
                {"id": "tbsi", "deps": [dependency("used", None), dependency("built", "build"),
                                        dependency("tested", "dev")]},
                *({"id": it, "deps": []} for it in ("used", "built", "tested", "stranger")),
            ]},
        }
        document = sbom.rust(metadata)
        scopes = {it["name"]: it["scope"] for it in document["components"]}
        self.assertEqual(scopes, {"tbsi": "required", "used": "required", "built": "excluded",
                                  "tested": "excluded"})

    def test_contracts_name_what_they_are_made_of(self):
        document = sbom.solidity()
        names = {it["name"] for it in document["components"]}
        self.assertLessEqual({"Attestations", "LightClient", "@openzeppelin/contracts"}, names)
        on = {it["ref"]: it["dependsOn"] for it in document["dependencies"]}
        self.assertTrue(any("openzeppelin" in it for it in on["tbsi/contract/Motions"]))
        self.assertFalse(any("openzeppelin" in it for it in on["tbsi/contract/Chains"]))


class Findings(unittest.TestCase):
    def test_headers_for_browsers_do_not_count_and_others_do(self):
        entry = {"method": "GET", "path": "/log", "info": "bad"}
        report = {"vulnerabilities": {"HTTP Secure Headers": [entry], "SQL Injection": []},
                  "anomalies": {"Internal Server Error": [entry]}}
        self.assertEqual(findings.left(report), ["Internal Server Error: GET /log: bad"])
        report["vulnerabilities"]["SQL Injection"].append(entry)
        self.assertEqual(len(findings.left(report)), 2)


class Checklist(unittest.TestCase):
    def test_rows_name_what_tries_them(self):
        text = ("## Ports\n\n| try | must | tried by |\n| --- | --- | --- |\n"
                "| a | b | `t.rs::good` |\n| c | d | `t.rs::gone` |\n| e | f | nothing |\n"
                "| g | h | `make x` |\n\n## A deployment, by hand\n\n| look | must |\n| --- | --- |\n| i | j |\n")
        complaints, tests, hands = checklist.judged(text, lambda _, name: name == "good")
        self.assertEqual(complaints, [
            "Ports: there is no test `t.rs::gone`",
            "Ports: e: names neither a test nor a target",
        ])
        self.assertEqual((tests, hands), (4, 1))


class PublicCode(unittest.TestCase):
    def document(self, **changes):
        text = {"genericName": "A", "shortDescription": "B", "longDescription": "C" * 150, "features": ["D"]}
        good = {"publiccodeYmlVersion": "0.4", "name": "N", "url": "https://example.org/n.git",
                "softwareVersion": "1.0.0", "releaseDate": "2026-11-30", "platforms": ["linux"],
                "categories": ["e-signature"], "developmentStatus": "beta", "softwareType": "library",
                "description": {"en": text, "zh-TW": text}, "legal": {"license": "Apache-2.0"},
                "maintenance": {"type": "community", "contacts": [{"name": "M"}]},
                "localisation": {"localisationReady": True, "availableLanguages": ["en"]}}
        return {key: it for key, it in (good | changes).items() if it is not None}

    def test_a_good_one_passes_and_bad_ones_are_named(self):
        self.assertEqual(publiccode.complaints(self.document(), "1.0.0"), [])
        for changes, complaint in (
            ({"url": None}, "url: is missing"),
            ({"licence": "x"}, "licence: is no key of the standard that is used here"),
            ({"categories": ["blockchain"]}, "categories: blockchain is not in the vocabulary"),
            ({"softwareVersion": "2"}, "softwareVersion: is not 1.0.0, that of Cargo.toml"),
            ({"releaseDate": "soon"}, "releaseDate: is no date"),
            ({"legal": {"license": "MIT"}}, "legal.license: is not Apache-2.0, that of LICENSE"),
            ({"maintenance": {"type": "community", "contacts": [{}]}},
             "maintenance.contacts: one with a name is missing"),
        ):
            self.assertEqual(publiccode.complaints(self.document(**changes), "1.0.0"), [complaint])
        short = {"genericName": "A" * 36, "shortDescription": "", "longDescription": "C", "features": []}
        self.assertEqual(len(publiccode.complaints(self.document(description={"en": short}), "1.0.0")), 4)


if __name__ == "__main__":
    unittest.main()
