"""Checks COSE receipts of RFC 9942 with scitt-cose.

  cose.py verify RECEIPT LEAF KEY  verifies the receipt of the leaf, then refuses copies; KEY is
                                   the signer's key as /log/key has it, name+id+base64

Copies: another leaf, another key, the receipt cut short at every byte, and with each of its bits
flipped in turn. RFC 9942 does not have the log's size signed, so that a size in which the path
leads to the same root goes unnoticed here; everything else that is stated is then the same, to
the bit.
"""

import base64
import sys
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from scitt_cose import verify_receipt


def pem(key):
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def stated(receipt, leaf, key):
    """What the receipt says, and the log's size; None if it is refused."""
    result = verify_receipt(receipt, leaf_entry_hex=leaf.hex(), log_public_key_pem=key)
    if not result.ok:
        return None
    unsized = (result.root, result.leaf_index, result.issuer, result.subject, result.iat)
    return unsized, result.tree_size


def refuse(what, outcome):
    if outcome is not None:
        sys.exit(f"{what} is accepted: {outcome}")
    print(f"refused {what}")


def verify(receipt, leaf, key):
    receipt, leaf = Path(receipt).read_bytes(), Path(leaf).read_bytes()
    key = pem(Ed25519PublicKey.from_public_bytes(base64.b64decode(key.split("+", 2)[2])[1:]))
    expected = stated(receipt, leaf, key)
    if expected is None:
        result = verify_receipt(receipt, leaf_entry_hex=leaf.hex(), log_public_key_pem=key)
        sys.exit(f"refused: {'; '.join(result.errors)}")
    (root, index, issuer, subject, _), size = expected
    print(f"accepted: leaf {index} of {size}, root {root}, by {issuer}, of {subject}")

    refuse("another leaf", stated(receipt, leaf + b".", key))
    other = pem(Ed25519PrivateKey.generate().public_key())
    refuse("another key", stated(receipt, leaf, other))
    for end in range(len(receipt)):
        if stated(receipt[:end], leaf, key) is not None:
            sys.exit(f"what is cut at {end} is accepted")
    flip_each_bit(receipt, leaf, key, expected)


def flip_each_bit(receipt, leaf, key, expected):
    unnoticed = 0
    for bit in range(8 * len(receipt)):
        changed = bytearray(receipt)
        changed[bit // 8] ^= 1 << bit % 8
        outcome = stated(bytes(changed), leaf, key)
        if outcome is None:
            continue
        if outcome[0] != expected[0] or outcome[1] == expected[1]:
            sys.exit(f"bit {bit} flipped: {outcome} is accepted instead of {expected}")
        unnoticed += 1
    bits = 8 * len(receipt)
    print(f"refused {bits - unnoticed} of {bits} flipped bits, the others change the size alone")
    # More than one number has would mean that something else is not looked at.
    if unnoticed > 63:
        sys.exit(f"{unnoticed} flipped bits go unnoticed")


if __name__ == "__main__":
    if sys.argv[1:2] != ["verify"] or len(sys.argv) != 5:
        sys.exit(__doc__)
    verify(*sys.argv[2:])
