"""Attests through one node, and verifies the proofs that it gives."""

import json
import secrets
import time
import urllib.request

from coincurve import PrivateKey

from .decision import address_of
from .digest import FILE_SCHEMA, SALTED_FILE_SCHEMA, SALT_BYTES, algorithm, digest_of, pad
from .errors import TbsiError
from .forms import from_hex, keccak256, to_hex
from .leaf import attestation_id, decode_leaf, words_per_digest
from .limits import (
    ANSWER_BYTES_MAX, BATCH_WORDS_MAX, CALL_SECONDS_MAX, FINALITY_SECONDS_MAX, PIECE_BYTES,
    POLL_SECONDS,
)
from .verify import verify

# The attestation contract on every network.
ATTESTATIONS = "0x0000000000000000000000000000000000001001"


class Account:
    """A secret key of 32 bytes. Its account needs no funds."""

    def __init__(self, secret):
        try:
            self._key = PrivateKey(from_hex(secret.lower()) if isinstance(secret, str) else secret)
        except (ValueError, TypeError) as error:
            raise TbsiError("argument", "a secret key is 32 bytes, or 0x and 64 digits") from error
        self.address = to_hex(address_of(self._key.public_key))

    def sign(self, chain_id: int, nonce: int, gas: int, to: str, data: str) -> str:
        """A transaction of EIP-1559 without fees."""
        fields = [chain_id, nonce, 0, 0, gas, from_hex(to), 0, from_hex(data), []]
        digest = keccak256(b"\x02", _rlp(fields))
        signature = self._key.sign_recoverable(digest, hasher=None)
        r, s = (int.from_bytes(it, "big") for it in (signature[:32], signature[32:64]))
        return to_hex(b"\x02" + _rlp([*fields, signature[64], r, s]))


def _rlp(item) -> bytes:
    if isinstance(item, list):
        body = b"".join(_rlp(it) for it in item)
        return _head(0xC0, len(body)) + body
    if isinstance(item, int):
        item = item.to_bytes((item.bit_length() + 7) // 8, "big")
    if len(item) == 1 and item[0] < 0x80:
        return item
    return _head(0x80, len(item)) + item


def _head(base: int, length: int) -> bytes:
    if length < 56:
        return bytes([base + length])
    size = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([base + 55 + len(size)]) + size


def _call(signature: str, *words: bytes) -> str:
    return to_hex(keccak256(signature.encode())[:4] + b"".join(words))


def _word(value: int) -> bytes:
    return value.to_bytes(32, "big")


def digest_file(path, name: str = "sha2-256", salt: bytes = b"") -> bytes:
    """The digest of a file with an optional salt in front, read piece by piece."""
    known = algorithm(name)
    with open(path, "rb") as source:
        pieces = iter(lambda: source.read(PIECE_BYTES), b"")
        digest = digest_of(known and known[3], pieces, salt)
    if digest is None:
        raise TbsiError("argument", f"this package does not compute {name}; give a digest")
    return digest


def new_salt() -> bytes:
    """Keep it with the document: without it nobody can show any more what was attested."""
    return secrets.token_bytes(SALT_BYTES)


def _text(proof):
    """A proof as it is kept in a file; None for none."""
    return None if proof is None else json.dumps(proof, ensure_ascii=False, indent=2) + "\n"


class Client:
    """One node. With `genesis`, the network's file, proofs are verified before they are returned."""

    def __init__(self, url: str, genesis=None):
        # Whoever fills in the address is not to choose a file of this machine with it.
        if not url.startswith(("http://", "https://")):
            raise TbsiError("argument", f"url: `{url}` begins with neither http:// nor https://")
        self.url = url
        self.genesis = genesis

    def call(self, method: str, *params):
        """The result of a JSON-RPC call; raises a TbsiError."""
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        headers = {"content-type": "application/json"}
        request = urllib.request.Request(self.url, body.encode(), headers)
        try:
            # Of http and https alone.
            with urllib.request.urlopen(  # nosec B310
                    request, timeout=CALL_SECONDS_MAX) as response:
                data = response.read(ANSWER_BYTES_MAX + 1)
            if len(data) > ANSWER_BYTES_MAX:
                raise ValueError(f"the answer has more than {ANSWER_BYTES_MAX} bytes")
            answer = json.loads(data)
            error = answer.get("error")
        except (OSError, ValueError, AttributeError) as error:
            raise TbsiError("network", f"{method} at {self.url}: {error}") from error
        if error is not None:
            code, data = error.get("code"), error.get("data")
            raise TbsiError("rpc", f"{method}: {error.get('message')}", code=code, data=data)
        return answer.get("result")

    def attest(self, account: Account, digest: bytes, name: str = "sha2-256", *, schema=None,
               salted: bool = False) -> dict:
        """Attests one digest, waits until it is final, and fetches the proof."""
        [attested] = self.attest_batch(account, [digest], name, schema=schema, salted=salted)
        return attested

    def attest_batch(self, account: Account, digests, name: str = "sha2-256", *, schema=None,
                     salted: bool = False, proofs: bool = True) -> list:
        """Attests digests in one transaction: `id`, `leafIndex`, `transactionHash`, `proof`."""
        known = algorithm(name)
        if known is None:
            raise TbsiError("argument", f"algorithm `{name}` is none of SPEC §12.6")
        code, _, bits, _ = known
        most = BATCH_WORDS_MAX // words_per_digest(code)
        if not 1 <= len(digests) <= most or any(len(it) * 8 != bits for it in digests):
            raise TbsiError("argument", f"give 1 to {most} digests of {bits // 8} bytes")
        schema = schema or (SALTED_FILE_SCHEMA if salted else FILE_SCHEMA)
        words = b"".join(pad(code, it) for it in digests)
        method = "attestBatch" if len(digests) > 1 else "attest"
        data = _call(
            f"{method}(bytes32,uint32,bytes32[])", from_hex(schema.lower()), _word(code), _word(96),
            _word(len(words) // 32), words,
        )
        hash_, first, count = self._final(account, data)
        if count != len(digests):
            raise TbsiError("refused", f"transaction {hash_} has {count} leaves", hash=hash_)
        chain_id, all_ = int(self.call("eth_chainId"), 16), []
        for at, digest in enumerate(digests):
            issuer, scheme = from_hex(account.address), from_hex(schema.lower())
            id_ = to_hex(attestation_id(chain_id, issuer, scheme, code, pad(code, digest)))
            made = {"id": id_, "leafIndex": first + at, "transactionHash": hash_}
            all_.append({**made, "proof": self._proven(made)} if proofs else made)
        return all_

    def prove(self, *, from_height=None, status: bool = False, names: bool = False, **selector):
        """The proof of a leaf in JSON, by `index`, `id` or `digest`; None if there is none.

        With `status`, what became of the attestation is stapled to it (SPEC §10.7); with `names`,
        whose account the issuer's was (SPEC §10.11).
        """
        options = {} if from_height is None else {"from": from_height}
        if status:
            options["status"] = True
        if names:
            options["registry"] = True
        return _text(self.call("tbsi_getProof", selector, *([options] if options else [])))

    def prove_absence(self, digest: str, *, from_height=None):
        """The proof that nobody attested a digest of 0x and digits, or who first did (SPEC §10.7).

        What it says is in `map.digests` of its report.
        """
        options = [] if from_height is None else [{"from": from_height}]
        return _text(self.call("tbsi_getAbsence", digest, *options))

    def revoke(self, account: Account, id_: str, reason: int = 1) -> str:
        """Withdraws an attestation of the account's, for ever; the transaction's hash."""
        data = _call("revoke(bytes32,uint16)", from_hex(id_), _word(reason))
        return self._final(account, data)[0]

    def _proven(self, made: dict) -> str:
        proof = self.prove(index=made["leafIndex"])
        stated = decode_leaf(from_hex(json.loads(proof)["leaf"])) if proof else {}
        if stated.get("id") != made["id"]:
            raise TbsiError("unproven", f"leaf {made['leafIndex']} is not {made['id']}", **made)
        if self.genesis is not None:
            report = verify(proof, genesis=self.genesis)
            if report["verdict"] != "valid":
                raise TbsiError("unproven", f"{made['id']}: {report['reason']}", **made)
        return proof

    def _final(self, account: Account, data: str):
        """Sends a call of the contract and waits: transaction, first leaf, number of leaves."""
        number = lambda method, *params: int(self.call(method, *params), 16)
        transaction = {"from": account.address, "to": ATTESTATIONS, "data": data}
        gas, chain_id = number("eth_estimateGas", transaction), number("eth_chainId")
        nonce = number("eth_getTransactionCount", account.address, "pending")
        signed = account.sign(chain_id, nonce, gas, ATTESTATIONS, data)
        hash_ = self.call("eth_sendRawTransaction", signed)
        deadline = time.monotonic() + FINALITY_SECONDS_MAX
        while True:
            receipt = self.call("eth_getTransactionReceipt", hash_)
            if receipt is not None and receipt["status"] == "0x0":
                problem = "is final and failed: nothing was attested"
                raise TbsiError("refused", f"transaction {hash_} {problem}", hash=hash_)
            leaves = self.call("tbsi_getLeaves", hash_)
            if leaves is not None:
                return hash_, leaves["first"], leaves["count"]
            status = self.call("tbsi_transactionStatus", hash_)
            if status["status"] == "dropped":
                problem = f"transaction {hash_} was dropped: {status['message']}"
                raise TbsiError("refused", problem, hash=hash_)
            if time.monotonic() > deadline:
                raise TbsiError("timeout", f"transaction {hash_} is not final yet", hash=hash_)
            time.sleep(POLL_SECONDS)
