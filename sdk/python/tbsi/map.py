"""The map of what is current: keys, values, and the root of an answer (SPEC §9.11)."""

from dataclasses import dataclass

from .errors import MapError
from .forms import Cursor, CursorError, sha256, to_hex
from .limits import MAP_DEPTH_MAX, MAP_VALUE_BYTES_MAX

_NONE = bytes(32)


@dataclass(frozen=True)
class Asked:
    """`parts` are a digest, an id and an issuer, or a schema: as `kind` says."""

    kind: str
    parts: tuple


@dataclass(frozen=True)
class Answer:
    """From the end of a key's path to the root. `other` is the key and value of another entry."""

    depth: int
    bitmap: bytes
    siblings: list
    value: bytes | None
    other: tuple | None


def key_of(asked: Asked) -> bytes:
    """Where the map has what is asked."""
    return sha256(f"TBSI-MAP-{asked.kind.upper()}-1".encode(), *asked.parts)


def _bits(key: bytes) -> str:
    """From the highest of the first byte."""
    return f"{int.from_bytes(key, 'big'):0256b}"


def root_of_answer(key: bytes, answer: Answer) -> bytes:
    """The root that an answer for a key leads to; raises a MapError."""
    bitmap, path = _check_path(answer), _bits(key)
    root = _NONE
    if answer.other is not None:
        _check_other(path, _bits(answer.other[0]), answer.depth)
        root = sha256(b"\x02", *answer.other)
    elif answer.value is not None:
        root = sha256(b"\x02", key, answer.value)
    siblings = iter(reversed(answer.siblings))
    for at in reversed(range(answer.depth)):
        sibling = next(siblings) if bitmap >> at & 1 else _NONE
        pair = (root, sibling) if path[at] == "0" else (sibling, root)
        root = sha256(b"\x03", *pair)
    return root


def _check_path(answer: Answer) -> int:
    depth, bitmap = answer.depth, int.from_bytes(answer.bitmap, "little")
    if depth > MAP_DEPTH_MAX:
        raise MapError(f"answer has a depth of {depth}, at most {MAP_DEPTH_MAX} is possible")
    value = answer.other[1] if answer.other else answer.value or b""
    if len(value) > MAP_VALUE_BYTES_MAX:
        problem = f"at most {MAP_VALUE_BYTES_MAX} are possible"
        raise MapError(f"value has {len(value)} bytes, {problem}")
    size = -(-depth // 8)
    if len(answer.bitmap) != size:
        problem = f"a depth of {depth} needs {size}"
        raise MapError(f"bitmap has {len(answer.bitmap)} bytes, {problem}")
    if bitmap.bit_length() != depth:
        raise MapError("the lowest sibling is empty, or bits are set below it")
    if len(answer.siblings) != bitmap.bit_count():
        needed = f"{bitmap.bit_count()} are needed"
        raise MapError(f"answer has {len(answer.siblings)} siblings, {needed}")
    if _NONE in answer.siblings:
        raise MapError("an empty sibling is written as a hash")
    return bitmap


def _check_other(path: str, other: str, depth: int) -> None:
    """Another entry shows that a key has none only if it lies on the key's own path."""
    if other == path:
        raise MapError("the other entry is the one that was asked for")
    if other[:depth] != path[:depth]:
        raise MapError(f"the other entry shares fewer than {depth} bits with the key")


def read_value(asked: Asked, value: bytes):
    """The value of an entry by what was asked; raises a MapError.

    Of a digest where it was first attested, of a status `revocation` and `supersession`, of a
    schema whether it allows revocation.
    """
    cursor = Cursor(value)
    try:
        found = _READERS[asked.kind](cursor)
        cursor.end()
    except CursorError as error:
        raise MapError(f"value: {error}") from error
    return found


def _first(cursor: Cursor) -> dict:
    return {"leafIndex": cursor.uint("index", 8), "height": cursor.uint("height", 6)}


def _said(cursor: Cursor) -> dict:
    flags = cursor.uint("flags", 1)
    if not 1 <= flags <= 3:
        raise MapError(f"flags of a status are {flags}, 1 to 3 are allowed")
    found = {"revocation": None, "supersession": None}
    if flags & 1:
        place = {**_first(cursor), "timeMs": cursor.uint("time", 6)}
        found["revocation"] = {**place, "reason": cursor.uint("reason", 2)}
    if flags & 2:
        place = {**_first(cursor), "timeMs": cursor.uint("time", 6)}
        found["supersession"] = {**place, "successor": to_hex(cursor.take("successor", 32))}
    return found


def _revocable(cursor: Cursor) -> bool:
    _first(cursor)
    flag = cursor.uint("revocable", 1)
    if flag > 1:
        raise MapError(f"flag `revocable` is {flag}, 0 or 1 is allowed")
    return flag == 1


_READERS = {"digest": _first, "status": _said, "schema": _revocable}


def algorithms_hash(codes) -> bytes:
    """What the root says of revoked algorithms."""
    return sha256(*(code.to_bytes(4, "big") for code in codes))
