"""What one entry of the log says (SPEC §9.3), and the tree that it is in (§9.1, §9.2)."""

from .errors import LeafError, ShapeError
from .forms import Cursor, CursorError, keccak256, sha256, to_hex
from .limits import LEAF_BYTES_MAX

# Kind, name, and its fields: name and bytes; `h` is bytes, `i` an integer, `f` a flag.
_KINDS = {
    2: ("revocation", "id:h32 reason:i2"),
    3: ("supersession", "id:h32 successor:h32"),
    4: ("countersigningOpened", "id:h32 threshold:i2 deadline:i8 partyCount:i2 partiesHash:h32"),
    5: ("countersignature", "id:h32 have:i2 need:i2"),
    6: ("schemaRegistered", "schema:h32 textHash:h32 commitsTo:i1 revocable:f1"),
    7: ("algorithmSet", "algorithm:i4 bits:i2 status:i1"),
    8: (
        "mapRoot", "root:h32 entries:i8 mapHeight:i8 digestHeight:i8 revokedAlgorithmsHash:h32",
    ),
    16: ("governanceAct", "event:h32 bodyHash:h32"),
    32: ("message", "destination:h32 receiver:h32 sequence:i8 timeout:i8 payloadHash:h32"),
    33: (
        "foreignFact",
        "client:i4 assurance:i1 foreignChainId:i8 foreignHeight:i8 foreignTime:i8 "
        "blockHash:h32 account:h20 slot:h32 value:h32",
    ),
}
_HEAD = "chainId:i8 height:i6 timeMs:i6 transactionIndex:i3 ordinal:i3 issuer:h20"
_TAG = keccak256(b"TBSI attestation v1")


def words_per_digest(code: int) -> int:
    """32-byte words that a digest takes; fixed by the multihash code (SPEC §9.4)."""
    two = 0x13 <= code <= 0x15 or code in (0x1C, 0x1D, 0x20) or 0xB221 <= code <= 0xB240
    return 2 if two else 1


def _take(cursor: Cursor, layout: str) -> dict:
    fields = {}
    for entry in layout.split():
        name, form = entry.split(":")
        size = int(form[1:])
        if form[0] == "h":
            fields[name] = to_hex(cursor.take(name, size))
        else:
            fields[name] = cursor.uint(name, size)
        if form[0] == "f":
            if fields[name] > 1:
                raise LeafError(f"leaf field `{name}` is {fields[name]}, 0 or 1 is allowed")
            fields[name] = fields[name] == 1
    return fields


def decode_leaf(data: bytes) -> dict:
    """What a leaf says, with the names of SPEC §10.3; raises a LeafError."""
    if len(data) > LEAF_BYTES_MAX:
        raise LeafError(f"leaf has {len(data)} bytes, at most {LEAF_BYTES_MAX} are allowed")
    cursor = Cursor(data)
    try:
        statement = _read(cursor)
        cursor.end()
    except CursorError as error:
        raise LeafError(f"leaf bytes: {error}") from error
    return statement


def _read(cursor: Cursor) -> dict:
    version = cursor.uint("version", 1)
    if version != 1:
        raise LeafError(f"leaf version {version} is unknown, 1 is known; use newer software", True)
    kind = cursor.uint("kind", 1)
    if kind != 1 and kind not in _KINDS:
        known = "1 to 8, 16, 32 and 33 are known; use newer software"
        raise LeafError(f"leaf kind {kind} is unknown, {known}", True)
    head = _take(cursor, _HEAD)
    if kind != 1:
        name, layout = _KINDS[kind]
        return {"kind": name, **_take(cursor, layout), **head}
    fields = _take(cursor, "schema:h32 algorithm:i4 length:i1")
    length, algorithm = fields.pop("length"), fields["algorithm"]
    expected = 32 * words_per_digest(algorithm)
    if length != expected:
        raise LeafError(
            f"leaf has a digest of {length} bytes, algorithm {algorithm:#x} takes {expected}"
        )
    words = cursor.take("digest", length)
    issuer, schema = bytes.fromhex(head["issuer"][2:]), bytes.fromhex(fields["schema"][2:])
    found = attestation_id(head["chainId"], issuer, schema, algorithm, words)
    fields["digest"] = to_hex(words)
    return {"kind": "attestation", "id": to_hex(found), **fields, **head}


def attestation_id(chain_id: int, issuer: bytes, schema: bytes, algorithm: int, words: bytes):
    """The id of an attestation (SPEC §12.1); `words` are 32 or 64 bytes."""

    def word(value: int) -> bytes:
        return value.to_bytes(32, "big")

    return keccak256(
        _TAG, word(chain_id), bytes(12), issuer, schema, word(algorithm), word(6 * 32),
        word(len(words) // 32), words,
    )


def leaf_hash(leaf: bytes) -> bytes:
    return sha256(b"\x00", leaf)


def _path_length(index: int, size: int) -> int:
    length, node, last = 0, index, size - 1
    while last > 0:
        # The last node of a level that is a left child has no sibling.
        if node & 1 or node < last:
            length += 1
        node >>= 1
        last >>= 1
    return length


def root_of(leaf: bytes, index: int, size: int, proof) -> bytes:
    """The root that a proof leads to from a leaf's hash (RFC 9162 §2.1.3.2)."""
    if index >= size:
        raise ShapeError(f"leaf index {index} is outside a log of {size} leaves")
    needed = _path_length(index, size)
    if len(proof) != needed:
        raise ShapeError(f"proof has {len(proof)} hashes, {needed} are needed")
    node, last, root = index, size - 1, leaf
    for sibling in proof:
        if node & 1 or node == last:
            root = sha256(b"\x01", sibling, root)
            # A node without right neighbour stands for itself until it is a right child.
            while not node & 1 and node:
                node >>= 1
                last >>= 1
        else:
            root = sha256(b"\x01", root, sibling)
        node >>= 1
        last >>= 1
    return root
