"""Vectors of the repository, must-fail ones included, and mutations."""

import json
import tempfile
import unittest
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

from tbsi import Client, TbsiError, TrustAnchor, verify
from tbsi.anchor import follow_stream
from tbsi.decision import Chain, Checkpoint
from tbsi.digest import pad
from tbsi.errors import LeafError, MapError, ProofError, TrustError
from tbsi.forms import sha256
from tbsi.genesis import parse_genesis
from tbsi.leaf import attestation_id, decode_leaf, leaf_hash, root_of
from tbsi.map import Answer, root_of_answer
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


def said(report):
    """What a report says of the map, as the vectors have it."""
    it, revocation = report["map"], report["revocation"]
    known = {"asOf": it["knownUpTo"]["height"], "asOfMs": it["knownUpTo"]["timeMs"]}
    if revocation is None:
        digests = it["digestsKnownUpTo"]
        known |= {"digestsAsOf": digests["height"], "digestsAsOfMs": digests["timeMs"]}
        return {**known, "digests": [digest["first"] for digest in it["digests"]]}
    found = {"status": revocation["status"], **known}
    if revocation["revocation"] is not None:
        revoked = dict(revocation["revocation"])
        found["revoked"] = revoked
        del revoked["reasonName"]
    if revocation["supersession"] is not None:
        found["superseded"] = revocation["supersession"]
    return found


def named(name):
    return next((proof, trust) for it, _, proof, trust in bundle_cases() if it == name)


def with_map(name):
    cases = read("map_verdicts.json")["cases"]
    case = next(case for case in cases if case["name"] == name)
    return data(case["bytes"]), {"genesis": json.dumps(read("bundle.json")["genesis"])}


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
        cases = read("verdicts.json")["cases"] + read("map_verdicts.json")["cases"]
        self.assertGreaterEqual(len(cases), 280)
        for case in cases:
            with self.subTest(case["name"]):
                proof = case["text"] if "text" in case else data(case["bytes"])
                report = verify(proof, genesis=genesis)
                expected = case["verdict"], case.get("code")
                self.assertEqual((report["verdict"], report.get("code")), expected, report["reason"])

    def test_what_the_map_says(self):
        genesis = json.dumps(read("bundle.json")["genesis"])
        told = [case for case in read("map_verdicts.json")["cases"] if "says" in case]
        self.assertGreaterEqual(len(told), 36)
        for case in told:
            with self.subTest(case["name"]):
                proof = case["text"] if "text" in case else data(case["bytes"])
                self.assertEqual(said(verify(proof, genesis=genesis)), case["says"])

    def test_names_of_issuers(self):
        vectors, held, proven = read("registry.json"), 0, 0
        genesis = json.dumps(vectors["genesis"])
        for case in vectors["proofs"]:
            forms = [data(case["compact"])] if "compact" in case else []
            forms += [json.dumps(case["json"])] if "json" in case else []
            self.assertTrue(forms)
            for proof in forms:
                with self.subTest(case["name"]):
                    report = verify(proof, genesis=genesis)
                    if "verified" in case:
                        held += 1
                        proven += self._names(report, case["verified"])
                        continue
                    refused = case["refused"]
                    got = report["verdict"], report.get("code")
                    expected = refused["verdict"], refused["code"]
                    self.assertEqual(got, expected, report["reason"])
        self.assertEqual(held, 18)
        self.assertGreaterEqual(proven, 24)
        self.assertGreaterEqual(len(vectors["proofs"]), 80)

    def _names(self, report, expected) -> int:
        """Compares who issuer and signers are; gives how many signers are named."""
        issuer, proven = expected["issuer"], 0
        owner = issuer and {**issuer, "source": "registry"}
        self.assertEqual(report["organisation"], owner, report["reason"])
        operators = {it["validator"]: it for it in expected["operators"] if it}
        for signer in report["decision"]["signers"]:
            named = operators.get(signer["validator"])
            if named is None:
                self.assertNotEqual(signer["organisation"]["source"], "registry")
                continue
            proven += 1
            told = {"validator": signer["validator"], **signer["organisation"]}
            self.assertEqual(told, {**named, "source": "registry"})
        return proven

    def test_how_old_a_status_may_be(self):
        genesis, vectors = json.dumps(read("bundle.json")["genesis"]), read("map_verdicts.json")
        cases = {case["name"]: case for case in vectors["cases"]}
        for age in vectors["ages"]:
            case, limits = cases[age["name"]], (age["maxAgeMs"], age["atMs"])
            proof = case["text"] if "text" in case else data(case["bytes"])
            with self.subTest(age):
                of = {"status_max_age_ms": limits[0], "at_ms": limits[1]}
                report = verify(proof, genesis=genesis, **of)
                self.assertEqual(report.get("code", report["verdict"]), age["expected"])
        self.assertGreaterEqual(len(vectors["ages"]), 15)
        proof, _ = with_map("map: not revoked (compact)")
        of = {"status_max_age_ms": 60_000, "at_ms": 1_700_000_003_250}
        age = verify(proof, genesis=genesis, **of)["map"]["age"]
        at = {"utc": "2023-11-14T22:13:23.25Z", "taipei": "2023-11-15T06:13:23.25+08:00"}
        self.assertEqual(age, {"ms": 250, "maxMs": 60_000, "at": at, "clock": "given"})
        report = verify(proof, genesis=genesis, status_max_age_ms=1)
        self.assertEqual(report["verdict"], "could not tell")

    def test_a_file_is_compared_with_the_digests_that_are_asked_for(self):
        proof, trust = with_map("map: attested (compact)")
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "it")
            path.write_bytes(b"contract")
            compared = verify(proof, file=path, **trust)["file"]
            self.assertEqual((compared["algorithm"], compared["salted"]), ("sha2-256", False))
            path.write_bytes(b"another")
            self.assertEqual(verify(proof, file=path, **trust)["code"], "otherFile")
            path.unlink()
            self.assertEqual(verify(proof, file=path, **trust)["code"], "file")

    def test_leaves(self):
        vectors = read("leaf.json")
        for case in vectors["leaves"]:
            self.assertEqual(decode_leaf(data(case["leaf"])), case["statement"])
            self.assertEqual(leaf_hash(data(case["leaf"])), data(case["leafHash"]))
        for case in vectors["refused"]:
            with self.assertRaises(LeafError) as caught:
                decode_leaf(data(case["leaf"]))
            self.assertIn(case["reason"], str(caught.exception), case["name"])

    def test_the_period_of_the_map_is_part_of_the_genesis_hash(self):
        genesis = read("bundle.json")["genesis"]
        for period in (None, 1_000, 86_400_000):
            if period is not None:
                genesis["consensus"]["map_period_ms"] = period
            text = json.dumps(genesis, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
            hash_ = sha256(b"TBSI-GENESIS-1", text.encode())
            self.assertEqual(parse_genesis(json.dumps(genesis).encode()).hash, hash_)
        for period in (999, 86_400_001, "60000"):
            genesis["consensus"]["map_period_ms"] = period
            with self.assertRaises(TrustError) as caught:
                parse_genesis(json.dumps(genesis).encode())
            self.assertIn("map_period_ms", str(caught.exception))

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


def summary(report):
    """What a report says of the map, as map.json has it."""
    of, revocation = report["map"], report["revocation"]
    status = revocation and {
        "id": report["statement"]["id"], "issuer": report["issuer"],
        "status": revocation["status"],
        "revocationLeafIndex": (revocation["revocation"] or {}).get("leafIndex"),
        "revocationHeight": (revocation["revocation"] or {}).get("height"),
        "reason": (revocation["revocation"] or {}).get("reason"),
        "successor": (revocation["supersession"] or {}).get("successor"),
    }
    digests = [
        {
            "digest": it["digest"], "firstLeafIndex": (it["first"] or {}).get("leafIndex"),
            "firstHeight": (it["first"] or {}).get("height"),
        }
        for it in of["digests"]
    ]
    kept = "entries", "knownUpTo", "digestsKnownUpTo"
    return {
        "rootIndex": of["leafIndex"], **{name: of[name] for name in kept}, "digests": digests,
        "status": status,
    }


class MapVectors(unittest.TestCase):
    def test_answers(self):
        cases = read("map.json")["answers"]
        self.assertGreaterEqual(len(cases), 42)
        for it in cases:
            with self.subTest(it["name"]):
                key, value = data(it["key"]), data(it["value"])
                self.assertEqual(sha256(data(it["preimage"])), key)
                answer = Answer(
                    it["depth"], data(it["bitmap"]), [data(hash_) for hash_ in it["siblings"]],
                    value if it["end"] == 1 else None,
                    (data(it["otherKey"]), value) if it["end"] == 2 else None,
                )
                if it["refused"] in ("", "leads to root"):
                    same = root_of_answer(key, answer) == data(it["root"])
                    self.assertEqual(same, it["refused"] == "")
                    continue
                with self.assertRaises(MapError):
                    root_of_answer(key, answer)

    def test_proofs(self):
        vectors = read("map.json")
        genesis = json.dumps(vectors["genesis"])
        self.assertGreaterEqual(len(vectors["proofs"]), 40)
        for case in vectors["proofs"]:
            # A verifier of both forms reads this one.
            if case["name"] == "a proof without map part":
                continue
            forms = [data(case["compact"])] if "compact" in case else []
            forms += [json.dumps(case["json"])] if "json" in case else []
            for proof in forms:
                with self.subTest(case["name"]):
                    report = verify(proof, genesis=genesis)
                    if "verified" in case:
                        self.assertEqual(summary(report), case["verified"], report["reason"])
                        continue
                    self.assertIn("code", report)
                    self.assertIn(case["refused"], report["reason"])


class HandoverVectors(unittest.TestCase):
    def test_streams(self):
        vectors = read("handovers.json")
        self.assertGreaterEqual(len(vectors["cases"]), 35)
        genesis = json.dumps(vectors["genesis"])
        founding = parse_genesis(genesis.encode())
        chain = Chain(founding.chain_id, founding.hash)
        founded = TrustAnchor.of_set(chain, founding.validators.hash, founding.time_ms)
        for case in vectors["cases"]:
            with self.subTest(case["name"]):
                anchor = founded
                if "trustedCheckpoint" in case:
                    anchor = TrustAnchor.of(chain, Checkpoint.decode(data(case["trustedCheckpoint"])))
                self.followed(case, anchor, data(vectors["proof"]))

    def followed(self, case, anchor, proof):
        stream, want = data(case["stream"]), case.get("followed")
        if want is None:
            with self.assertRaises((TrustError, ProofError)) as raised:
                follow_stream(stream, anchor, case["height"])
            self.assertIn(case["refused"], str(raised.exception))
        else:
            found, count = follow_stream(stream, anchor, case["height"])
            self.assertEqual((count, found.height), (want["count"], want["height"]))
        if case["height"] == 1200:
            report = verify(proof, anchor=anchor, handovers=stream)
            holds = report["verdict"] == "valid"
            self.assertEqual(holds, want is not None and want["proofHolds"], report.get("reason"))
            if want is None:
                self.assertEqual(report["code"], "handovers")


class Mutations(unittest.TestCase):
    def test_every_byte_counts(self):
        quiet = "map: not revoked (compact)"
        for name, stride in (
            ("signed by a quorum (compact)", 1), ("two handovers (compact)", 5), (quiet, 3),
        ):
            proof, trust = with_map(name) if name == quiet else named(name)
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
        proofs = ["", "{}", "[]", "null", "NaN", '"', "[" * 100_000, '{"a":' * 5_000, "TBP", "TBP1", "TBM1",
                  None, 7, {}, b"\xff\xfe", "\ud800", "9" * 1_000_000]
        for proof in proofs:
            report = verify(proof, genesis=genesis)
            self.assertEqual(report["code"], "unreadable", str(proof)[:20])
        proof, _ = named("signed by all (json)")
        for trust in ({}, {"genesis": ""}, {"genesis": "{}"}, {"genesis": 7}, {"checkpoint": "{}"},
                      {"checkpoint": '{"format":"tbsi-checkpoint-1"}'}, {"anchor": 7}):
            self.assertEqual(verify(proof, **trust)["code"], "trust", trust)


class _Node(BaseHTTPRequestHandler):
    """Answers all with one result, and keeps what it was asked."""

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.asked.append((asked["method"], *asked["params"]))
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "result": self.server.result}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Asking(unittest.TestCase):
    def test_an_address_is_no_file(self):
        for url in ("file:///etc/passwd", "ftp://127.0.0.1/", "127.0.0.1:8545", ""):
            with self.assertRaises(TbsiError) as caught:
                Client(url)
            self.assertEqual(caught.exception.kind, "argument", url)

    def test_the_client_asks_for_proofs_with_the_map(self):
        name = "map: not revoked (json)"
        cases = read("map_verdicts.json")["cases"]
        case = next(it for it in cases if it["name"] == name)
        server = HTTPServer(("127.0.0.1", 0), _Node)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        server.asked, server.result = [], json.loads(case["text"])
        Thread(target=server.serve_forever, daemon=True).start()
        client, id_ = Client(f"http://127.0.0.1:{server.server_port}"), "0x" + "01" * 32
        proof = client.prove(id=id_, status=True)
        genesis = json.dumps(read("bundle.json")["genesis"])
        self.assertEqual(verify(proof, genesis=genesis)["verdict"], "valid")
        client.prove(id=id_, from_height=7, status=True)
        client.prove(index=3)
        client.prove_absence(id_)
        server.result = None
        self.assertIsNone(client.prove_absence(id_, from_height=7))
        self.assertEqual(server.asked, [
            ("tbsi_getProof", {"id": id_}, {"status": True}),
            ("tbsi_getProof", {"id": id_}, {"from": 7, "status": True}),
            ("tbsi_getProof", {"index": 3}),
            ("tbsi_getAbsence", id_), ("tbsi_getAbsence", id_, {"from": 7}),
        ])


if __name__ == "__main__":
    unittest.main()
