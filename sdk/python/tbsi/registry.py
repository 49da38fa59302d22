"""Whose account an issuer's was, and under which legal name (SPEC §10.11)."""

from dataclasses import dataclass

from .errors import ProofError, RegistryError
from .forms import from_hex, sha256
from .limits import JURISDICTION_BYTES_MAX, LEI_BYTES_MAX, NAME_BYTES_MAX, TAX_ID_BYTES_MAX
from .trie import SharedNodes, element_slot, mapping_slot

# Texts of a record and their most bytes, in the order in which they are hashed and written.
TEXTS = {
    "nameZhTw": NAME_BYTES_MAX, "nameEn": NAME_BYTES_MAX, "taxId": TAX_ID_BYTES_MAX,
    "lei": LEI_BYTES_MAX, "jurisdiction": JURISDICTION_BYTES_MAX,
}
_PERMISSIONS = (0x1004).to_bytes(20, "big")
_ORGANISATIONS = (0x1002).to_bytes(20, "big")
_MEMBERSHIPS_SLOT, _RECORDS_SLOT, _RECORD_SLOTS = 9, 5, 7


@dataclass(frozen=True)
class RegistryPart:
    """Positions of a membership and a record, what the latter says, and nodes of the state."""

    membership: int
    record: int
    legal: dict
    nodes: list


def prove_issuer(part: RegistryPart, verified) -> dict:
    """What a report says of the issuer; raises a ProofError of the step `registry`."""
    try:
        return _prove(part, verified.statement, verified.decision.checkpoint)
    except RegistryError as error:
        raise ProofError("registry", f"registry: {error}") from error


def _prove(part: RegistryPart, statement: dict, checkpoint) -> dict:
    issuer, height = statement["issuer"], statement["height"]
    nodes = SharedNodes(checkpoint.state_root, part.nodes)
    listed = mapping_slot(from_hex(issuer), _MEMBERSHIPS_SLOT)
    word = nodes.word(_PERMISSIONS, element_slot(listed, part.membership))
    number = word % 2**32
    if not number:
        raise RegistryError(f"account {issuer} has no membership {part.membership}")
    member = _in_force(word >> 32)
    of = f"account {issuer} was of organisation {number}"
    _require_covers(member, height, of)
    listed = mapping_slot(number.to_bytes(32, "big"), _RECORDS_SLOT)
    place = part.record * _RECORD_SLOTS
    expected = nodes.word(_ORGANISATIONS, element_slot(listed, place))
    named = _in_force(nodes.word(_ORGANISATIONS, element_slot(listed, place + 1)))
    nodes.end()
    if _record_hash(number, part.legal) != expected.to_bytes(32, "big"):
        raise RegistryError(f"organisation {number} has another record than the proof says")
    _require_covers(named, height, f"record {part.record} of organisation {number} held")
    legal = part.legal
    return {
        "nameZhTw": legal["nameZhTw"], "nameEn": legal["nameEn"],
        "taxId": legal["taxId"] or None, "lei": legal["lei"] or None, "source": "registry",
        "number": number, "jurisdiction": legal["jurisdiction"],
        "memberSince": member[0], "memberUntil": member[1],
        "namedSince": named[0], "namedUntil": named[1],
        "knownUpTo": checkpoint.height,
    }


def _in_force(word: int):
    """From which block, and until which; None for what still is."""
    return word % 2**64, (word >> 64) % 2**64 or None


def _require_covers(in_force, height: int, what: str) -> None:
    """What begins or ends in a block does not cover it."""
    since, until = in_force
    if since < height and (until is None or height < until):
        return
    span = f"from block {since} to {until or 'now'}"
    raise RegistryError(f"{what} {span}, not in the whole of block {height}")


def _record_hash(number: int, legal: dict) -> bytes:
    parts = [b"TBSI-RECORD-1", number.to_bytes(4, "big")]
    for field in TEXTS:
        text = legal[field].encode("utf-8")
        parts += [len(text).to_bytes(4, "big"), text]
    return sha256(*parts)
