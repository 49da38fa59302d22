"""Checks OpenTimestamps files with the stock client, at a stub of Bitcoin.

  ots.py verify FILE TIMESTAMP HEIGHT ROOT  runs `ots verify`, with one Bitcoin block: of this
                                            height, with this Merkle root (hex); then refuses
                                            copies

The stub stands for a node of Bitcoin, of which the client asks a block's header: no work is in
it. Copies: another file, another Merkle root, no such block, and the timestamp with each of its
bits flipped in turn. A flipped bit of a pending attestation may go unnoticed: the client looks at
what is in Bitcoin alone. So their number is printed, and what is attested is then the same.
"""

import contextlib
import io
import logging
import sys
import tempfile
from pathlib import Path

import bitcoin.rpc
from bitcoin.core import CBlockHeader
from otsclient.args import parse_ots_args

TIME = 1_700_000_000


class StubOfBitcoin:
    """One block, for those who only ask for headers."""

    def __init__(self, height, root):
        self.height, self.root = height, root

    def getblockcount(self):
        return self.height

    def getblockhash(self, height):
        if height != self.height:
            raise IndexError(height)
        return bytes(32)

    def getblockheader(self, _):
        return CBlockHeader(hashMerkleRoot=self.root, nTime=TIME)


def accepted(file, timestamp, stub):
    """What `ots verify` says, or None if it refuses. `timestamp` is a path."""
    bitcoin.rpc.Proxy = lambda service_url=None: stub
    said = io.StringIO()
    handler = logging.StreamHandler(said)
    logging.getLogger().handlers = [handler]
    logging.getLogger().setLevel(logging.INFO)
    options = ["--no-cache", "--no-default-whitelist", "verify", "-f", str(file), str(timestamp)]
    try:
        with contextlib.redirect_stderr(io.StringIO()):
            args = parse_ots_args(options)
            args.cmd_func(args)
    except (SystemExit, ValueError, OverflowError) as refusal:
        if isinstance(refusal, SystemExit) and refusal.code in (None, 0):
            sys.exit("ots ended without a verdict")
        return None
    lines = [line for line in said.getvalue().splitlines() if line.startswith("Success!")]
    if not lines:
        sys.exit(f"ots ended without a verdict: {said.getvalue()}")
    return lines[0]


def refuse(what, outcome):
    if outcome is not None:
        sys.exit(f"{what} is accepted: {outcome}")
    print(f"refused {what}")


def verify(file, timestamp, height, root):
    file, timestamp, height = Path(file), Path(timestamp), int(height)
    stub = StubOfBitcoin(height, bytes.fromhex(root))
    expected = accepted(file, timestamp, stub)
    if expected is None:
        sys.exit("refused")
    print(f"accepted, at a stub of Bitcoin: {expected}")
    with tempfile.TemporaryDirectory() as scratch:
        other = Path(scratch, "other")
        other.write_bytes(file.read_bytes() + b".")
        refuse("another file", accepted(other, timestamp, stub))
        refuse("another Merkle root", accepted(file, timestamp, StubOfBitcoin(height, bytes(32))))
        refuse("no such block", accepted(file, timestamp, StubOfBitcoin(height - 1, stub.root)))
        flip_each_bit(file, timestamp.read_bytes(), stub, expected, Path(scratch, "changed"))


def flip_each_bit(file, timestamp, stub, expected, changed):
    unnoticed = 0
    for bit in range(8 * len(timestamp)):
        copy = bytearray(timestamp)
        copy[bit // 8] ^= 1 << bit % 8
        changed.write_bytes(copy)
        outcome = accepted(file, changed, stub)
        if outcome is None:
            continue
        if outcome != expected:
            sys.exit(f"bit {bit} flipped: {outcome!r} is accepted instead of {expected!r}")
        unnoticed += 1
    bits = 8 * len(timestamp)
    print(f"refused {bits - unnoticed} of {bits} flipped bits, the others state the same")


if __name__ == "__main__":
    if sys.argv[1:2] != ["verify"] or len(sys.argv) != 6:
        sys.exit(__doc__)
    verify(*sys.argv[2:])
