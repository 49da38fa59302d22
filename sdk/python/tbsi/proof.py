"""A proof in any form: a bundle, and what map and registry say with it (SPEC §10)."""

from dataclasses import dataclass

from .bundle import (
    Bundle, at_most, bundle_shape, decode_compact, form_error, not_canonical, other_version,
    take_count, take_number, too_long,
)
from .errors import FormError, LeafError, ShapeError
from .forms import Cursor, CursorError, Fields, parse_json
from .limits import (
    BUNDLE_BYTES_MAX, BUNDLE_JSON_BYTES_MAX, INCLUSION_HASHES_MAX, LEAF_BYTES_MAX,
    MAP_ALGORITHMS_MAX, MAP_DEPTH_MAX, MAP_ENTRIES_MAX, MAP_VALUE_BYTES_MAX, REGISTRY_NODES_MAX,
    REGISTRY_NODE_BYTES_MAX, REGISTRY_RECORDS_MAX, U16_MAX, U32_MAX, VALIDATORS_MAX,
)
from .map import Answer, Asked
from .registry import TEXTS, PlacedRecord, RegistryPart

_FORMAT = "tbsi-map-proof-1"
_REGISTRY_FORMAT = "tbsi-registry-proof-1"


@dataclass(frozen=True)
class RootLeaf:
    """A map root as a second leaf under the bundle's checkpoint."""

    leaf: bytes
    leaf_index: int
    inclusion: list


@dataclass(frozen=True)
class MapPart:
    """`root` is None if the map root is the bundle's leaf; entries are questions and answers."""

    root: RootLeaf | None
    revoked_algorithms: list
    entries: list


@dataclass(frozen=True)
class Proof:
    """A bundle, and what the map and the registry say with it."""

    bundle: Bundle
    map: MapPart | None = None
    registry: RegistryPart | None = None


def parse_proof(data: bytes) -> Proof:
    """Reads any form; raises a FormError."""
    try:
        if data.startswith(b"TBR"):
            return _decode_registry(data)
        if data.startswith(b"TBM"):
            return _decode(data)
        if data.startswith(b"TBP"):
            return Proof(decode_compact(data))
        if len(data) > BUNDLE_JSON_BYTES_MAX:
            raise too_long(data, BUNDLE_JSON_BYTES_MAX)
        if not data:
            raise FormError("unreadable", "the proof is empty: bytes needed, 0 left")
        value = parse_json(data)
        named = value.get("format") if isinstance(value, dict) else None
        if named == _FORMAT:
            return _read_json(value)
        if isinstance(named, str) and named.startswith(_REGISTRY_FORMAT[:-1]):
            return _read_registry(value)
        return Proof(bundle_shape(value)())
    except (CursorError, LeafError, ShapeError) as error:
        raise form_error(error) from error


def _decode(data: bytes) -> Proof:
    if len(data) > BUNDLE_BYTES_MAX:
        raise too_long(data, BUNDLE_BYTES_MAX)
    cursor = Cursor(data)
    if cursor.take("format", 4) != b"TBM1":
        raise other_version()
    length = take_count(cursor, "proof", BUNDLE_BYTES_MAX)
    bundle = decode_compact(cursor.take("proof", length))
    root = _take_root(cursor) if _take_tag(cursor, "root", 1) else None
    count = take_count(cursor, "revokedAlgorithms", MAP_ALGORITHMS_MAX)
    codes = [cursor.uint("revokedAlgorithms", 4) for _ in range(count)]
    count = take_count(cursor, "entries", MAP_ENTRIES_MAX)
    entries = [(_take_asked(cursor), _take_answer(cursor)) for _ in range(count)]
    cursor.end()
    return Proof(bundle, MapPart(root, codes, entries))


def _decode_registry(data: bytes) -> Proof:
    if len(data) > BUNDLE_BYTES_MAX:
        raise too_long(data, BUNDLE_BYTES_MAX)
    cursor = Cursor(data)
    if cursor.take("format", 4) != b"TBR1":
        raise other_version()
    inner = cursor.take("proof", take_count(cursor, "proof", BUNDLE_BYTES_MAX))
    proof = _decode(inner) if inner.startswith(b"TBM") else Proof(decode_compact(inner))
    part = _take_registry(cursor)
    cursor.end()
    return Proof(proof.bundle, proof.map, part)


def _take_registry(cursor: Cursor) -> RegistryPart:
    issuer = None
    if _take_tag(cursor, "issuer", 1):
        issuer = tuple(_take_position(cursor, field) for field in ("membership", "record"))
    records = []
    for _ in range(take_count(cursor, "records", REGISTRY_RECORDS_MAX)):
        place = [_take_position(cursor, field) for field in ("organisation", "position")]
        legal = {field: _take_text(cursor, field, most) for field, most in TEXTS.items()}
        records.append(PlacedRecord(*place, legal))
    validators = []
    for _ in range(take_count(cursor, "validators", VALIDATORS_MAX)):
        number = take_number(cursor, "validators")
        if number > U32_MAX + 1:
            raise FormError("form", "proof field `validators` is out of range")
        validators.append(number - 1 if number else None)
    nodes = []
    for _ in range(take_count(cursor, "nodes", REGISTRY_NODES_MAX)):
        length = take_count(cursor, "node", REGISTRY_NODE_BYTES_MAX)
        nodes.append(cursor.take("node", length))
    return RegistryPart(issuer, records, validators, nodes)


def _take_position(cursor: Cursor, field: str) -> int:
    position = take_number(cursor, field)
    if position > U32_MAX:
        raise FormError("form", f"proof field `{field}` is out of range")
    return position


def _take_text(cursor: Cursor, field: str, most: int) -> str:
    data = cursor.take(field, take_count(cursor, field, most))
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise not_canonical(field) from error


def _take_tag(cursor: Cursor, field: str, most: int) -> int:
    tag = cursor.uint(field, 1)
    if tag > most:
        raise not_canonical(field)
    return tag


def _take_root(cursor: Cursor) -> RootLeaf:
    leaf = cursor.take("root", take_count(cursor, "root", LEAF_BYTES_MAX))
    index = take_number(cursor, "leafIndex")
    hashes = take_count(cursor, "inclusionProof", INCLUSION_HASHES_MAX)
    return RootLeaf(leaf, index, [cursor.take("inclusionProof", 32) for _ in range(hashes)])


def _take_asked(cursor: Cursor) -> Asked:
    tag = _take_tag(cursor, "question", 3)
    if tag == 1:
        return _digest(cursor.take("digest", cursor.uint("digest", 1)))
    if tag == 2:
        return Asked("status", (cursor.take("id", 32), cursor.take("issuer", 20)))
    if tag == 3:
        return Asked("schema", (cursor.take("schema", 32),))
    raise not_canonical("question")


def _digest(digest: bytes) -> Asked:
    if len(digest) not in (32, 64):
        raise not_canonical("digest")
    return Asked("digest", (digest,))


def _take_answer(cursor: Cursor) -> Answer:
    depth = take_count(cursor, "depth", MAP_DEPTH_MAX)
    bitmap = cursor.take("bitmap", -(-depth // 8))
    count = int.from_bytes(bitmap, "big").bit_count()
    siblings = [cursor.take("siblings", 32) for _ in range(count)]
    end = _take_tag(cursor, "end", 2)
    key = cursor.take("key", 32) if end == 2 else None
    value = _take_value(cursor) if end else None
    if end == 2:
        return Answer(depth, bitmap, siblings, None, (key, value))
    return Answer(depth, bitmap, siblings, value, None)


def _take_value(cursor: Cursor) -> bytes:
    return cursor.take("value", take_count(cursor, "value", MAP_VALUE_BYTES_MAX))


def _read_json(value: dict) -> Proof:
    """The shape of all of it, then the content."""
    fields = Fields(value, "proof", ("format", "proof", "map"))
    content, part = bundle_shape(fields.get("proof")), _map_shape(fields.get("map"))
    return Proof(content(), part())


def _read_registry(value: dict) -> Proof:
    """The shape of all of it, then the content."""
    fields = Fields(value, "proof", ("format", "proof", "map", "registry"))
    content = bundle_shape(fields.get("proof"))
    mapped = None if fields.get("map") is None else _map_shape(fields.get("map"))
    part = _registry_shape(fields.get("registry"))
    if fields.text("format") != _REGISTRY_FORMAT:
        raise other_version()
    bundle, found = content(), mapped and mapped()
    at_most("records", len(part.records), REGISTRY_RECORDS_MAX)
    at_most("validators", len(part.validators), VALIDATORS_MAX)
    at_most("nodes", len(part.nodes), REGISTRY_NODES_MAX)
    for record in part.records:
        for field, most in TEXTS.items():
            at_most(field, len(record.legal[field].encode("utf-8")), most)
    for node in part.nodes:
        at_most("node", len(node), REGISTRY_NODE_BYTES_MAX)
    return Proof(bundle, found, part)


def _registry_shape(value) -> RegistryPart:
    part = Fields(value, "registry", ("issuer", "records", "validators", "nodes"))
    issuer = None
    if part.get("issuer") is not None:
        names = ("membership", "record")
        place = Fields(part.get("issuer"), "issuer", names)
        issuer = tuple(place.integer(name, U32_MAX) for name in names)
    records = []
    for item in part.list("records"):
        record = Fields(item, "record", ("organisation", "position", *TEXTS))
        place = [record.integer(name, U32_MAX) for name in ("organisation", "position")]
        records.append(PlacedRecord(*place, {field: record.text(field) for field in TEXTS}))
    validators = part.list("validators")
    for item in validators:
        if item is not None and (type(item) is not int or not 0 <= item <= U32_MAX):
            part.wrong("validators", f"null or integers from 0 to {U32_MAX}")
    return RegistryPart(issuer, records, validators, part.bytes_list("nodes"))


def _map_shape(value):
    """Checks the shape of a map part; what it returns checks the content, and gives the part."""
    part = Fields(value, "map", ("root", "revokedAlgorithms", "entries"))
    root = None if part.get("root") is None else _root_shape(part.get("root"))
    codes = part.integers("revokedAlgorithms", U32_MAX)
    entries = [_entry_shape(it) for it in part.list("entries")]
    return lambda: _map_content(root, codes, entries)


def _map_content(root, codes, entries) -> MapPart:
    at_most("revokedAlgorithms", len(codes), MAP_ALGORITHMS_MAX)
    at_most("entries", len(entries), MAP_ENTRIES_MAX)
    if root is not None:
        if len(root.leaf) > LEAF_BYTES_MAX:
            problem = f"at most {LEAF_BYTES_MAX} are allowed"
            raise LeafError(f"leaf has {len(root.leaf)} bytes, {problem}")
        at_most("inclusionProof", len(root.inclusion), INCLUSION_HASHES_MAX)
    for asked, answer in entries:
        at_most("siblings", len(answer.siblings), MAP_DEPTH_MAX)
        if answer.value is not None and answer.other is not None:
            raise not_canonical("other")
        if asked.kind == "digest":
            _digest(*asked.parts)
    return MapPart(root, codes, entries)


def _root_shape(value) -> RootLeaf:
    fields = Fields(value, "root", ("leaf", "leafIndex", "inclusionProof"))
    index, inclusion = fields.integer("leafIndex"), fields.hashes("inclusionProof")
    return RootLeaf(fields.bytes("leaf"), index, inclusion)


def _entry_shape(value):
    names = ("question", "depth", "bitmap", "siblings", "value", "other")
    fields = Fields(value, "entry", names)
    own = None if fields.get("value") is None else fields.bytes("value")
    other = fields.get("other")
    if other is not None:
        parts = Fields(other, "other", ("key", "value"))
        other = parts.bytes("key", 32), parts.bytes("value")
    depth, siblings = fields.integer("depth", U16_MAX), fields.hashes("siblings")
    answer = Answer(depth, fields.bytes("bitmap"), siblings, own, other)
    return _asked_shape(fields.get("question")), answer


_PARTS = {
    "digest": {"digest": None}, "status": {"id": 32, "issuer": 20}, "schema": {"schema": 32},
}


def _asked_shape(value) -> Asked:
    names = [name for parts in _PARTS.values() for name in parts]
    kind = Fields(value, "question", ("kind",), names).text("kind")
    parts = _PARTS.get(kind, {})
    fields = Fields(value, "question", ("kind", *parts))
    if not parts:
        fields.wrong("kind", "digest, status or schema")
    return Asked(kind, tuple(fields.bytes(name, size) for name, size in parts.items()))
