"""Bytes, hex, hashes and strict JSON."""

import hashlib
import json
import re

# pycryptodome, not pyCrypto, whose name it has.
from Crypto.Hash import keccak  # nosec B413

from .errors import FormError
from .limits import INTEGER_CHARS_MAX, JSON_DEPTH_MAX, U64_MAX

_HEX = re.compile(r"0x(?:[0-9a-f]{2})*\Z")


def sha256(*parts: bytes) -> bytes:
    hasher = hashlib.sha256()
    for part in parts:
        hasher.update(part)
    return hasher.digest()


def keccak256(*parts: bytes) -> bytes:
    hasher = keccak.new(digest_bits=256)
    for part in parts:
        hasher.update(part)
    return hasher.digest()


def to_hex(data: bytes) -> str:
    return "0x" + bytes(data).hex()


def from_hex(text):
    """The bytes of `0x` and digits in small letters; None for anything else."""
    if not isinstance(text, str) or _HEX.match(text) is None:
        return None
    return bytes.fromhex(text[2:])


class CursorError(Exception):
    """Bytes that ended early, or did not end where they should."""


class Cursor:
    """Reads bytes from the first to the last; every length is checked."""

    def __init__(self, data: bytes):
        self._data = data
        self._at = 0

    @property
    def left(self) -> int:
        return len(self._data) - self._at

    def take(self, field: str, count: int) -> bytes:
        if count > self.left:
            raise CursorError(f"{field}: {count} bytes needed, {self.left} left")
        self._at += count
        return self._data[self._at - count : self._at]

    def uint(self, field: str, length: int) -> int:
        return int.from_bytes(self.take(field, length), "big")

    def end(self) -> None:
        if self.left:
            raise CursorError(f"{self.left} bytes after the last field")


class Float:
    """A number that is not written as an integer; equal to nothing."""


class Repeated(dict):
    """An object in which a key appears twice."""


def _integer(text: str):
    return Float() if text == "-0" or len(text) > INTEGER_CHARS_MAX else int(text)


def _object(pairs):
    fields = dict(pairs)
    return fields if len(fields) == len(pairs) else Repeated(fields)


def _no_constant(text: str):
    raise ValueError(f"{text} is no JSON")


def parse_json(data: bytes):
    """JSON as proofs need it: integers exact, repeated keys seen, nothing repaired."""
    try:
        text = data.decode("utf-8")
        value = json.loads(
            text,
            parse_int=_integer,
            parse_float=lambda _: Float(),
            parse_constant=_no_constant,
            object_pairs_hook=_object,
        )
        _check_characters_and_depth(value)
    except (ValueError, RecursionError) as error:
        raise _no_shape(str(error)) from error
    return value


def _check_characters_and_depth(value) -> None:
    level = [value]
    for depth in range(JSON_DEPTH_MAX + 2):
        inner = []
        for item in level:
            if isinstance(item, dict):
                inner += [*item.keys(), *item.values()]
            elif isinstance(item, list):
                inner += item
            elif isinstance(item, str):
                # A half of a surrogate pair is no character.
                item.encode("utf-8")
        if depth == JSON_DEPTH_MAX and any(isinstance(it, (dict, list)) for it in level):
            raise ValueError(f"more than {JSON_DEPTH_MAX} levels")
        level = inner


def _no_shape(problem: str) -> FormError:
    return FormError("unreadable", f"proof is not valid JSON of the expected shape: {problem}")


class Fields:
    """An object whose keys are known: none is missing, unknown or repeated."""

    def __init__(self, value, where: str, required, optional=()):
        self.where = where
        self._fields = object_of(value, where)
        for name in self._fields:
            if name not in required and name not in optional:
                raise _no_shape(f"{where} has an unknown field `{name}`")
        for name in required:
            if name not in self._fields:
                raise _no_shape(f"{where} lacks the field `{name}`")

    def get(self, name: str, absent=None):
        return self._fields.get(name, absent)

    def wrong(self, name: str, expected: str):
        raise _no_shape(f"{self.where} field `{name}` must be {expected}")

    def text(self, name: str) -> str:
        value = self.get(name)
        return value if isinstance(value, str) else self.wrong(name, "a string")

    def boolean(self, name: str) -> bool:
        value = self.get(name)
        return value if isinstance(value, bool) else self.wrong(name, "true or false")

    def integer(self, name: str, most: int = U64_MAX) -> int:
        value = self.get(name)
        if type(value) is int and 0 <= value <= most:
            return value
        return self.wrong(name, f"an integer from 0 to {most}")

    def list(self, name: str) -> list:
        value = self.get(name)
        return value if isinstance(value, list) else self.wrong(name, "a list")

    def integers(self, name: str, most: int) -> list:
        values = self.list(name)
        if all(type(it) is int and 0 <= it <= most for it in values):
            return values
        return self.wrong(name, f"integers from 0 to {most}")

    def bytes(self, name: str, length=None) -> bytes:
        return self._hex(name, self.get(name), length)

    def hashes(self, name: str):
        return [self._hex(name, item, 32) for item in self.list(name)]

    def bytes_list(self, name: str):
        return [self._hex(name, item, None) for item in self.list(name)]

    def _hex(self, name: str, value, length) -> bytes:
        data = from_hex(value)
        if data is not None and length in (None, len(data)):
            return data
        return self.wrong(name, f"{length or ''} bytes as 0x and hex digits in small letters")


def object_of(value, where: str) -> dict:
    if not isinstance(value, dict):
        raise _no_shape(f"{where} must be an object")
    if isinstance(value, Repeated):
        raise _no_shape(f"{where} has a field twice")
    return value
