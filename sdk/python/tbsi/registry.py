"""What the registry proves (SPEC §10.11).

Whose account an issuer's was, who answers for validators, and under which legal names.
"""

from dataclasses import dataclass

from .errors import ProofError, RegistryError
from .forms import from_hex, sha256, to_hex
from .limits import JURISDICTION_BYTES_MAX, LEI_BYTES_MAX, NAME_BYTES_MAX, TAX_ID_BYTES_MAX
from .trie import SharedNodes, element_slot, mapping_slot

# Texts of a record and their most bytes, in the order in which they are hashed and written.
TEXTS = {
    "nameZhTw": NAME_BYTES_MAX, "nameEn": NAME_BYTES_MAX, "taxId": TAX_ID_BYTES_MAX,
    "lei": LEI_BYTES_MAX, "jurisdiction": JURISDICTION_BYTES_MAX,
}
_ORGANISATIONS, _NODES, _PERMISSIONS = (
    number.to_bytes(20, "big") for number in (0x1002, 0x1003, 0x1004)
)
_MEMBERSHIPS_SLOT, _RECORDS_SLOT, _RECORD_SLOTS = 9, 5, 7
_NODES_SLOT, _VALIDATOR_KEYS_SLOT = 2, 6


@dataclass(frozen=True)
class PlacedRecord:
    """What record `position` of an organisation says."""

    organisation: int
    position: int
    legal: dict


@dataclass(frozen=True)
class RegistryPart:
    """Positions of a membership and of records, what these say, and nodes of the state.

    `issuer` is a membership and the number of a record, or None; `validators` have the number of
    a record each, or None.
    """

    issuer: tuple | None
    records: list
    validators: list
    nodes: list


@dataclass(frozen=True)
class ProvenRegistry:
    """What a report says of the issuer, or None, and of validators by their address."""

    issuer: dict | None
    operators: dict


@dataclass
class _Found:
    placed: PlacedRecord
    in_force: tuple
    used: bool = False


def prove_registry(part: RegistryPart, verified, validators) -> ProvenRegistry:
    """`validators` are the bundle's; raises a ProofError of the step `registry`."""
    try:
        return _prove(part, verified.statement, verified.decision.checkpoint, validators)
    except RegistryError as error:
        raise ProofError("registry", f"registry: {error}") from error


def _prove(part: RegistryPart, statement: dict, checkpoint, validators) -> ProvenRegistry:
    got, expected = len(part.validators), len(validators)
    if got != expected:
        problem = f"it says who answers for {got} validators, the set has {expected}"
        raise RegistryError(problem)
    nodes = SharedNodes(checkpoint.state_root, part.nodes)
    member = part.issuer and _membership(nodes, statement, part.issuer[0])
    records = []
    for placed in part.records:
        records.append(_find(nodes, placed, records[-1].placed if records else None))
    issuer = None
    if member is not None:
        number, since, until = member
        found = _take(records, part.issuer[1], number, statement["height"])
        issuer = {
            **_named(found.placed.legal), "source": "registry", "number": number,
            "jurisdiction": found.placed.legal["jurisdiction"],
            "memberSince": since, "memberUntil": until,
            "namedSince": found.in_force[0], "namedUntil": found.in_force[1],
            "knownUpTo": checkpoint.height,
        }
    operators = {}
    for validator, number in zip(validators, part.validators):
        if number is not None:
            proven = _operator(nodes, records, validator, number, checkpoint.height)
            operators[validator.address] = proven
    if not all(it.used for it in records):
        raise RegistryError("a record is of nobody in the proof")
    nodes.end()
    if not records:
        raise RegistryError("it names nobody")
    return ProvenRegistry(issuer, operators)


def _membership(nodes, statement: dict, position: int) -> tuple:
    """Whose account it was in the whole block of its statement, since and until when."""
    issuer = statement["issuer"]
    listed = mapping_slot(from_hex(issuer), _MEMBERSHIPS_SLOT)
    word = nodes.word(_PERMISSIONS, element_slot(listed, position))
    number = word % 2**32
    if not number:
        raise RegistryError(f"account {issuer} has no membership {position}")
    in_force = _in_force(word >> 32)
    what = f"account {issuer} was of organisation {number}"
    _require_covers(in_force, statement["height"], what)
    return number, *in_force


def _find(nodes, placed: PlacedRecord, before) -> _Found:
    number, position = placed.organisation, placed.position
    what = f"record {position} of organisation {number}"
    if before and (before.organisation, before.position) >= (number, position):
        raise RegistryError(f"{what} is not in order, each once")
    listed = mapping_slot(number.to_bytes(32, "big"), _RECORDS_SLOT)
    place = position * _RECORD_SLOTS
    expected = nodes.word(_ORGANISATIONS, element_slot(listed, place))
    heights = nodes.word(_ORGANISATIONS, element_slot(listed, place + 1))
    if _record_hash(number, placed.legal) != expected.to_bytes(32, "big"):
        raise RegistryError(f"organisation {number} has another record than the proof says")
    return _Found(placed, _in_force(heights))


def _take(records: list, number: int, expected: int, height: int) -> _Found:
    """The record of this number, which is of the organisation and covers the block."""
    if number >= len(records):
        problem = f"record number {number} is named, the proof has {len(records)}"
        raise RegistryError(problem)
    found = records[number]
    found.used = True
    organisation, position = found.placed.organisation, found.placed.position
    if organisation != expected:
        problem = f"the record is of organisation {organisation}, not of {expected}"
        raise RegistryError(problem)
    what = f"record {position} of organisation {organisation} held"
    _require_covers(found.in_force, height, what)
    return found


def _operator(nodes, records: list, validator, number: int, height: int) -> dict:
    """A key is of one node, and that of one organisation, for ever."""
    key = mapping_slot(validator.address, _VALIDATOR_KEYS_SLOT)
    node = nodes.word(_NODES, key) % 2**32
    organisation = 0
    if node:
        slot = mapping_slot(node.to_bytes(32, "big"), _NODES_SLOT)
        organisation = nodes.word(_NODES, slot) % 2**32
    shown = f"validator {to_hex(validator.address)}"
    if not organisation:
        raise RegistryError(f"{shown} is no node's in the registry")
    found = _take(records, number, organisation, height)
    legal = found.placed.legal
    if (legal["nameZhTw"], legal["nameEn"]) != (validator.name_zh_tw, validator.name_en):
        problem = f"is in the set under other names than those of organisation {organisation}"
        raise RegistryError(f"{shown} {problem}")
    return {
        **_named(legal), "source": "registry", "number": organisation,
        "jurisdiction": legal["jurisdiction"], "namedSince": found.in_force[0],
    }


def _named(legal: dict) -> dict:
    return {
        "nameZhTw": legal["nameZhTw"], "nameEn": legal["nameEn"],
        "taxId": legal["taxId"] or None, "lei": legal["lei"] or None,
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
