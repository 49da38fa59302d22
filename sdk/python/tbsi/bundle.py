"""The proof bundle in its two forms (SPEC §10.1 to §10.3)."""

from dataclasses import dataclass

from .decision import Certificate, Chain, Checkpoint, Decision, Validator, ValidatorSet
from .errors import FormError, LeafError, ShapeError
from .forms import Cursor, CursorError, Fields, object_of
from .leaf import decode_leaf, leaf_hash, root_of
from .limits import (
    BUNDLE_BYTES_MAX, HANDOVERS_MAX, INCLUSION_HASHES_MAX, LEAF_BYTES_MAX,
    NAME_BYTES_MAX, U32_MAX, VALIDATORS_MAX, VARINT_BYTES_MAX,
)

_FORMAT = "tbsi-proof-1"
_CHECKPOINT = (
    "chainId", "height", "timeMs", "blockHash", "stateRoot", "logSize", "logRoot",
    "validatorSetHash", "nextValidatorSetHash",
)
_BUNDLE = (
    "format", "genesisHash", "statement", "leaf", "leafIndex", "inclusionProof", "checkpoint",
    "certificate", "validators", "handovers",
)


@dataclass(frozen=True)
class Handover:
    """The old set, its last decision, and the first of the set after it."""

    validators: ValidatorSet
    last: Decision
    first: Decision


@dataclass(frozen=True)
class Bundle:
    """All that a verifier needs beside what it trusts."""

    genesis_hash: bytes
    leaf: bytes
    leaf_index: int
    inclusion: list
    decision: Decision
    validators: ValidatorSet
    handovers: list


def form_error(error: Exception) -> FormError:
    """What was raised while a form was read, as what it says of the form."""
    if isinstance(error, FormError):
        return error
    if isinstance(error, LeafError):
        problem = "otherVersion" if error.version else "form"
        return FormError(problem, f"proof field `leaf`: {error}")
    if isinstance(error, ShapeError):
        return FormError("form", f"proof field `inclusionProof`: {error}")
    return FormError("unreadable", f"proof bytes: {error}")


def too_long(data: bytes, most: int) -> FormError:
    return FormError("unreadable", f"proof has {len(data)} bytes, at most {most} are allowed")


def at_most(field: str, got: int, most: int) -> int:
    """Refuses a list that is too long."""
    if got <= most:
        return got
    problem = f"proof field `{field}` has {got} entries, at most {most} are allowed"
    raise FormError("unreadable", problem)


def not_canonical(field: str) -> FormError:
    return FormError("form", f"proof field `{field}` is not in canonical form")


def other_version() -> FormError:
    known = "not a proof in a form that is known here; use newer software, or the JSON form"
    return FormError("otherVersion", known)


def decode_compact(data: bytes) -> Bundle:
    """Accepts the one compact form that a bundle has."""
    if len(data) > BUNDLE_BYTES_MAX:
        raise too_long(data, BUNDLE_BYTES_MAX)
    cursor = Cursor(data)
    if cursor.take("format", 4) != b"TBP1":
        raise other_version()
    genesis_hash = cursor.take("genesisHash", 32)
    leaf = cursor.take("leaf", take_count(cursor, "leaf", LEAF_BYTES_MAX))
    leaf_index = take_number(cursor, "leafIndex")
    hashes = take_count(cursor, "inclusionProof", INCLUSION_HASHES_MAX)
    inclusion = [cursor.take("inclusionProof", 32) for _ in range(hashes)]
    validators = take_set(cursor)
    chain = Chain(decode_leaf(leaf)["chainId"], genesis_hash)
    checkpoint = _facts(cursor, chain, validators.hash)
    root = root_of(leaf_hash(leaf), leaf_index, checkpoint.log_size, inclusion)
    checkpoint = checkpoint.with_root(root)
    certificate = _certificate(cursor, chain, checkpoint, validators)
    decision = Decision(checkpoint, certificate)
    count = take_count(cursor, "handovers", HANDOVERS_MAX)
    sets = [take_set(cursor) for _ in range(count)]
    handovers = []
    for old, new in zip(sets, [*sets[1:], validators]):
        last = take_decision(cursor, chain, old)
        handovers.append(Handover(old, last, take_decision(cursor, chain, new)))
    cursor.end()
    return Bundle(genesis_hash, leaf, leaf_index, inclusion, decision, validators, handovers)


def take_number(cursor: Cursor, field: str) -> int:
    """Unsigned LEB128 below 2^63 in its shortest form."""
    value = 0
    for position in range(VARINT_BYTES_MAX):
        byte = cursor.uint(field, 1)
        value |= (byte & 0x7F) << (7 * position)
        if byte < 0x80:
            if byte or not position:
                return value
            break
    problem = f"proof field `{field}` is not a number in its shortest form, or out of range"
    raise FormError("form", problem)


def take_count(cursor: Cursor, field: str, most: int) -> int:
    return at_most(field, take_number(cursor, field), most)


def take_set(cursor: Cursor) -> ValidatorSet:
    count = take_count(cursor, "validators", VALIDATORS_MAX)
    members = []
    for _ in range(count):
        address, power = cursor.take("address", 20), take_number(cursor, "power")
        members.append(Validator(address, power, _name(cursor), _name(cursor)))
    return ValidatorSet(members)


def _name(cursor: Cursor) -> str:
    data = cursor.take("name", take_count(cursor, "name", NAME_BYTES_MAX))
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise not_canonical("name") from error


def _facts(cursor: Cursor, chain: Chain, set_hash: bytes) -> Checkpoint:
    """A checkpoint whose log root is still to come."""
    height, time_ms = take_number(cursor, "height"), take_number(cursor, "timeMs")
    block_hash, state_root = cursor.take("blockHash", 32), cursor.take("stateRoot", 32)
    log_size = take_number(cursor, "logSize")
    flag = cursor.uint("next set flag", 1)
    following = cursor.take("nextValidatorSetHash", 32) if flag == 1 else set_hash
    if flag > 1 or (flag == 1 and following == set_hash):
        raise not_canonical("nextValidatorSetHash")
    return Checkpoint(
        chain.chain_id, height, time_ms, block_hash, state_root, log_size, bytes(32), set_hash,
        following,
    )


def _certificate(cursor, chain, checkpoint, validators) -> Certificate:
    turn = take_number(cursor, "round")
    if turn > U32_MAX:
        raise FormError("form", "proof field `round` is out of range")
    members = validators.validators
    bits = int.from_bytes(cursor.take("signers", -(-len(members) // 8)), "little")
    if bits >> len(members):
        raise not_canonical("signers")
    signers = [it.address for at, it in enumerate(members) if bits >> at & 1]
    signatures = [(address, cursor.take("signature", 65)) for address in signers]
    digest = checkpoint.digest(chain)
    return Certificate(checkpoint.height, turn, digest, signatures).checked()


def take_decision(cursor: Cursor, chain: Chain, validators: ValidatorSet) -> Decision:
    """A decision with its log root, which nothing else gives."""
    checkpoint = _facts(cursor, chain, validators.hash)
    checkpoint = checkpoint.with_root(cursor.take("logRoot", 32))
    return Decision(checkpoint, _certificate(cursor, chain, checkpoint, validators))


def bundle_shape(value):
    """Checks the shape of a bundle; what it returns checks the content, and gives the bundle.

    Shape comes first, content after it: that decides which of two faults is told.
    """
    fields = Fields(value, "proof", _BUNDLE)
    name, genesis_hash = fields.text("format"), fields.bytes("genesisHash", 32)
    statement = object_of(fields.get("statement"), "proof field `statement`")
    leaf, leaf_index = fields.bytes("leaf"), fields.integer("leafIndex")
    inclusion = fields.hashes("inclusionProof")
    decision = _json_decision(fields)
    members = [_json_validator(it) for it in fields.list("validators")]
    handovers = [_json_handover(it) for it in fields.list("handovers")]
    given = genesis_hash, leaf, leaf_index, inclusion, decision
    return lambda: _content(name, statement, given, members, handovers)


def _content(name: str, statement: dict, given, members, handovers) -> Bundle:
    genesis_hash, leaf, leaf_index, inclusion, decision = given
    if name != _FORMAT:
        known = f"not a proof in a form that is known here (`{_FORMAT}`); use newer software"
        raise FormError("otherVersion", known)
    if len(leaf) > LEAF_BYTES_MAX:
        raise LeafError(f"leaf has {len(leaf)} bytes, at most {LEAF_BYTES_MAX} are allowed")
    at_most("inclusionProof", len(inclusion), INCLUSION_HASHES_MAX)
    at_most("handovers", len(handovers), HANDOVERS_MAX)
    if not _says(statement, decode_leaf(leaf)):
        problem = "proof field `statement` says something else than `leaf`; regenerate the proof"
        raise FormError("form", problem)
    decision.certificate.checked()
    validators = ValidatorSet(members)
    checked = []
    for old, last, first in handovers:
        last.certificate.checked()
        first.certificate.checked()
        checked.append(Handover(ValidatorSet(old), last, first))
    return Bundle(genesis_hash, leaf, leaf_index, inclusion, decision, validators, checked)


def _says(given: dict, expected: dict) -> bool:
    # In Python true is 1, in a proof it is not.
    same = all(
        type(given.get(name)) is type(value) and given[name] == value
        for name, value in expected.items()
    )
    return same and len(given) == len(expected)


def _json_validator(value) -> Validator:
    fields = Fields(value, "validator", ("address", "power", "nameZhTw", "nameEn"))
    names = fields.text("nameZhTw"), fields.text("nameEn")
    return Validator(fields.bytes("address", 20), fields.integer("power"), *names)


def _json_handover(value):
    fields = Fields(value, "handover", ("validators", "last", "first"))
    members = [_json_validator(it) for it in fields.list("validators")]
    parts = ("checkpoint", "certificate")
    decisions = (_json_decision(Fields(fields.get(it), it, parts)) for it in ("last", "first"))
    return (members, *decisions)


def _json_decision(fields: Fields) -> Decision:
    it = Fields(fields.get("checkpoint"), "checkpoint", _CHECKPOINT)
    numbers = ("chainId", "height", "timeMs", "logSize")
    values = [it.integer(name) if name in numbers else it.bytes(name, 32) for name in _CHECKPOINT]
    names = ("height", "round", "checkpointDigest", "signatures")
    it = Fields(fields.get("certificate"), "certificate", names)
    height, turn = it.integer("height"), it.integer("round", U32_MAX)
    digest = it.bytes("checkpointDigest", 32)
    entries = [Fields(e, "signature", ("validator", "signature")) for e in it.list("signatures")]
    signatures = [(e.bytes("validator", 20), e.bytes("signature")) for e in entries]
    return Decision(Checkpoint(*values), Certificate(height, turn, digest, signatures))
