"""Against a running network, which the environment names: reports are those of `tbsi`."""

import json
import os
import secrets
import subprocess
import tempfile
import unittest
from pathlib import Path

from tbsi import Account, Client, TbsiError, digest_file, new_salt, verify

NAMES = "TBSI_BINARY", "TBSI_NETWORK", "TBSI_RPC"
BINARY, NETWORK, URL = (os.environ.get(name, "") for name in NAMES)


@unittest.skipUnless(BINARY and NETWORK and URL, f"needs a network: set {', '.join(NAMES)}")
class Network(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.TemporaryDirectory()
        self.addCleanup(self.dir.cleanup)
        self.genesis = Path(NETWORK, "genesis.json")
        self.client = Client(URL, self.genesis.read_bytes())
        self.account = Account(secrets.token_bytes(32))

    def put(self, name, content):
        path = Path(self.dir.name, name)
        path.write_bytes(content)
        return path

    def tbsi(self, *args, codes=(0,)):
        ended = subprocess.run([BINARY, *args], capture_output=True, text=True, timeout=120)
        self.assertIn(ended.returncode, codes, ended.stdout + ended.stderr)
        return ended.stdout

    def both_say(self, proof, *args, **question):
        path = self.put("proof", proof.encode())
        verifying = "verify", str(path), "--genesis", str(self.genesis), "--json", *map(str, args)
        theirs = json.loads(self.tbsi(*verifying, codes=(0, 1, 2)))
        ours = verify(proof, genesis=self.genesis.read_bytes(), **question)
        if "code" in theirs:
            self.assertEqual((ours["verdict"], ours.get("code")), (theirs["verdict"], theirs["code"]))
        else:
            self.assertEqual(ours, theirs)
        return ours

    def test_attests_and_verifies_as_tbsi_does(self):
        path = self.put("合約.txt", b"a contract " + secrets.token_bytes(8))
        attested = self.client.attest(self.account, digest_file(path))
        said = self.both_say(attested["proof"], "--file", path, file=path)
        self.assertEqual((said["verdict"], said["issuer"]), ("valid", self.account.address))
        other = self.put("other", b"other")
        said = self.both_say(attested["proof"], "--file", other, file=other)
        self.assertEqual(said["code"], "otherFile")

    def test_salts(self):
        path, salt = self.put("form", b"yes"), new_salt()
        kept = self.put("kept.salt", f"{salt.hex()}\n".encode())
        attested = self.client.attest(self.account, digest_file(path, salt=salt), salted=True)
        args = "--file", path, "--salt", kept
        self.assertTrue(self.both_say(attested["proof"], *args, file=path, salt=kept)["file"]["salted"])
        said = self.both_say(attested["proof"], "--file", path, file=path)
        self.assertEqual(said["code"], "file")

    def test_batches_and_revocation(self):
        digests = [secrets.token_bytes(64) for _ in range(20)]
        attested = self.client.attest_batch(self.account, digests, "sha2-512")
        self.assertEqual(len({it["id"] for it in attested}), 20)
        self.assertEqual(self.both_say(attested[19]["proof"])["leafIndex"], attested[19]["leafIndex"])
        hash_ = self.client.revoke(self.account, attested[0]["id"], 2)
        first = self.client.call("tbsi_getLeaves", hash_)["first"]
        said = self.both_say(self.client.prove(index=first))
        self.assertEqual(said["statement"]["kind"], "revocation")
        with self.assertRaises(TbsiError):
            self.client.revoke(self.account, attested[0]["id"], 2)
        self.assertIsNone(self.client.prove(id="0x" + "00" * 32))

    def test_says_what_is_wrong(self):
        for digests, name in (([], "sha2-256"), ([b"short"], "sha2-256"), ([bytes(32)], "md5")):
            with self.assertRaises(TbsiError) as caught:
                self.client.attest_batch(self.account, digests, name)
            self.assertEqual(caught.exception.kind, "argument")
        with self.assertRaises(TbsiError) as caught:
            Client("http://127.0.0.1:1").call("eth_chainId")
        self.assertEqual(caught.exception.kind, "network")
        with self.assertRaises(TbsiError):
            Account("0x00")


if __name__ == "__main__":
    unittest.main()
