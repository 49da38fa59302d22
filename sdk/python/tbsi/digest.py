"""Digests of documents: algorithms, schemas, salts (SPEC §12.5, §12.6)."""

import hashlib
import re

# pycryptodome, not pyCrypto, whose name it has.
from Crypto.Hash import SHA512, keccak  # nosec B413

from .forms import keccak256, to_hex
from .leaf import words_per_digest

FILE_SCHEMA = to_hex(keccak256(b"tbsi:file:v1"))
SALTED_FILE_SCHEMA = to_hex(keccak256(b"tbsi:salted-file:v1"))
SALT_BYTES = 32
_SALT = re.compile(r"(?:0x)?([0-9a-fA-F]{64})\r?\n?\Z")


def _sm3():
    return hashlib.new("sm3") if "sm3" in hashlib.algorithms_available else None


# Multihash code, name, bits, and what makes a hasher; None for what is not computed here.
ALGORITHMS = (
    (0x12, "sha2-256", 256, hashlib.sha256),
    (0x13, "sha2-512", 512, hashlib.sha512),
    (0x14, "sha3-512", 512, hashlib.sha3_512),
    (0x15, "sha3-384", 384, hashlib.sha3_384),
    (0x16, "sha3-256", 256, hashlib.sha3_256),
    (0x1B, "keccak-256", 256, lambda: keccak.new(digest_bits=256)),
    (0x1C, "keccak-384", 384, lambda: keccak.new(digest_bits=384)),
    (0x1D, "keccak-512", 512, lambda: keccak.new(digest_bits=512)),
    (0x1E, "blake3", 256, None),
    (0x20, "sha2-384", 384, hashlib.sha384),
    (0x1015, "sha2-512-256", 256, lambda: SHA512.new(truncate="256")),
    (0x534D, "sm3-256", 256, _sm3),
    (0xB220, "blake2b-256", 256, lambda: hashlib.blake2b(digest_size=32)),
    (0xB240, "blake2b-512", 512, lambda: hashlib.blake2b(digest_size=64)),
    (0xB260, "blake2s-256", 256, lambda: hashlib.blake2s(digest_size=32)),
)


def algorithm(key):
    """The entry of a code or name; None if there is none."""
    return next((it for it in ALGORITHMS if key in it[:2]), None)


def pad(code: int, digest: bytes):
    """A digest filled up with zeros to 32 or 64 bytes; None if it does not fit."""
    room = 32 * words_per_digest(code)
    return digest.ljust(room, b"\0") if 0 < len(digest) <= room else None


def digest_of(make, pieces, salt: bytes = b""):
    """The digest over a salt and pieces of a document; None if it is not computed here."""
    hasher = make() if make else None
    if hasher is None:
        return None
    hasher.update(salt)
    for piece in pieces:
        hasher.update(piece)
    return hasher.digest()


def parse_salt(text: str):
    """The salt in the text of a `.tbsi.salt` file: 64 hex digits; None for anything else."""
    found = _SALT.match(text)
    return bytes.fromhex(found[1]) if found else None
