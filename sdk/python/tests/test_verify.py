"""Vectors of the repository, must-fail ones included, and mutations."""

import json
import unittest
from pathlib import Path

from tbsi import TrustAnchor, verify
from tbsi.decision import Chain, Checkpoint
from tbsi.digest import pad
from tbsi.errors import LeafError
from tbsi.leaf import attestation_id, decode_leaf, leaf_hash, root_of
from tbsi.verify import times_of

VECTORS = Path(__file__).resolve().parents[3] / "tests" / "vectors"


def read(name):
    return json.loads((VECTORS / name).read_text(encoding="utf-8"))


def data(text):
    return bytes.fromhex(text[2:])


def bundle_cases():
    """Each case in each form that it has: name, case, proof, what is trusted."""
    vectors = read("bundle.json")
    for case in vectors["cases"]:
        trust = {"genesis": json.dumps(vectors["genesis"])}
        if "trustedCheckpoint" in case:
            checkpoint = Checkpoint.decode(data(case["trustedCheckpoint"]))
            chain = Chain(checkpoint.chain_id, data(vectors["genesisHash"]))
            trust = {"anchor": TrustAnchor.of(chain, checkpoint)}
        if "compact" in case:
            yield f"{case['name']} (compact)", case, data(case["compact"]), trust
        if "json" in case:
            yield f"{case['name']} (json)", case, json.dumps(case["json"]), trust


def named(name):
    return next((proof, trust) for it, _, proof, trust in bundle_cases() if it == name)


class Vectors(unittest.TestCase):
    def test_bundles(self):
        for name, case, proof, trust in bundle_cases():
            with self.subTest(name):
                report = verify(proof, **trust)
                if "verified" not in case:
                    self.assertNotEqual(report["verdict"], "valid")
                    self.assertIn(case["refused"], report["reason"])
                    continue
                self.assertEqual(report["verdict"], "valid", report["reason"])
                decision = report["decision"]
                summary = {
                    "issuer": report["issuer"], "timeMs": report["statement"]["timeMs"],
                    "leafIndex": report["leafIndex"], "id": report["statement"].get("id"),
                    "power": decision["power"], "totalPower": decision["totalPower"],
                    "signers": [it["organisation"]["nameEn"] for it in decision["signers"]],
                    "handovers": len(report["handovers"]),
                }
                self.assertEqual(summary, case["verified"])

    def test_verdicts_that_every_verifier_shares(self):
        genesis = json.dumps(read("bundle.json")["genesis"])
        cases = read("verdicts.json")["cases"]
        self.assertGreaterEqual(len(cases), 80)
        for case in cases:
            with self.subTest(case["name"]):
                proof = case["text"] if "text" in case else data(case["bytes"])
                report = verify(proof, genesis=genesis)
                expected = case["verdict"], case.get("code")
                self.assertEqual((report["verdict"], report.get("code")), expected, report["reason"])

    def test_leaves(self):
        vectors = read("leaf.json")
        for case in vectors["leaves"]:
            self.assertEqual(decode_leaf(data(case["leaf"])), case["statement"])
            self.assertEqual(leaf_hash(data(case["leaf"])), data(case["leafHash"]))
        for case in vectors["refused"]:
            with self.assertRaises(LeafError) as caught:
                decode_leaf(data(case["leaf"]))
            self.assertIn(case["reason"], str(caught.exception), case["name"])

    def test_ids(self):
        for case in read("attestation_ids.json")["attestations"]:
            words = pad(case["algorithm"], data(case["digest"]))
            found = attestation_id(
                int(case["chainId"]), data(case["issuer"]), data(case["schema"]),
                case["algorithm"], words,
            )
            self.assertEqual(found, data(case["id"]), case["name"])

    def test_inclusion(self):
        for case in read("log.json")["inclusion"]:
            leaf = leaf_hash(case["index"].to_bytes(8, "big"))
            proof = [data(it) for it in case["proof"]]
            root = root_of(leaf, case["index"], case["size"], proof)
            self.assertEqual(root, data(case["root"]))

    def test_times(self):
        self.assertEqual(times_of(1_700_000_001_007)["utc"], "2023-11-14T22:13:21.007Z")
        self.assertEqual(times_of(1_700_000_001_500)["taipei"], "2023-11-15T06:13:21.5+08:00")
        self.assertEqual(times_of(0)["utc"], "1970-01-01T00:00:00Z")
        self.assertEqual(times_of(2**48)["utc"], f"{2**48} ms")


class Mutations(unittest.TestCase):
    def test_every_byte_counts(self):
        for name, stride in (("signed by a quorum (compact)", 1), ("two handovers (compact)", 5)):
            proof, trust = named(name)
            self.assertEqual(verify(proof, **trust)["verdict"], "valid")
            for at in range(0, len(proof), stride):
                mutant = bytearray(proof)
                mutant[at] ^= 1 << (at % 8)
                verdict = verify(mutant, **trust)["verdict"]
                self.assertIn(verdict, ("invalid", "could not tell"), f"{name}, byte {at}")
                if at % 16 == 0:
                    self.assertNotEqual(verify(proof[:at], **trust)["verdict"], "valid")

    def test_foreign_input_raises_nothing(self):
        genesis = json.dumps(read("bundle.json")["genesis"])
        proofs = ["", "{}", "[]", "null", "NaN", '"', "[" * 100_000, '{"a":' * 5_000, "TBP", "TBP1",
                  None, 7, {}, b"\xff\xfe", "\ud800", "9" * 1_000_000]
        for proof in proofs:
            report = verify(proof, genesis=genesis)
            self.assertEqual(report["code"], "unreadable", str(proof)[:20])
        proof, _ = named("signed by all (json)")
        for trust in ({}, {"genesis": ""}, {"genesis": "{}"}, {"genesis": 7}, {"checkpoint": "{}"},
                      {"checkpoint": '{"format":"tbsi-checkpoint-1"}'}, {"anchor": 7}):
            self.assertEqual(verify(proof, **trust)["code"], "trust", trust)


if __name__ == "__main__":
    unittest.main()
