"""The genesis file: what is trusted (SPEC §2). Its hash is over a canonical form."""

import json
import re
from dataclasses import dataclass

from coincurve import PublicKey

from .decision import Validator, ValidatorSet, address_of
from .errors import FormError, TrustError
from .forms import Fields, object_of, parse_json, sha256, to_hex
from .limits import (
    GENESIS_ACCOUNTS_MAX, GENESIS_BYTES_MAX, JSON_INTEGER_MAX, NAME_BYTES_MAX, NODES_MAX, U32_MAX,
)

_REQUIRED = (
    "version", "name", "chain_id", "time_ms", "block_gas_limit", "consensus", "organisations",
    "nodes",
)
_CHAIN_ID_MAX = 4_503_599_627_370_476
# Where the file does not say how late a new block's time may be.
_CLOCK_LAG_MAX_MS = 5_000
_CONSENSUS = {
    "timeout_propose_ms": (10, 600_000),
    "timeout_vote_ms": (10, 600_000),
    "timeout_delta_ms": (1, 600_000),
    "empty_block_interval_ms": (100, 86_400_000),
    "block_spacing_min_ms": (0, 60_000),
    "clock_drift_max_ms": (100, 600_000),
}
_OPTIONAL = ("clock_lag_max_ms", "map_period_ms")
_KINDS = ("association", "operator", "issuer", "relayer", "auditor", "authority")
_PERMISSIONS = ("send", "deploy", "attest", "relay", "administer", "vote")
_TEXTS = ("tax_id", "lei", "jurisdiction", "contact_url")
_HASHES = ("agreement_hash", "credential_hash")
_SECONDS = (
    "period_seconds", "voting_period_seconds", "delay_seconds", "window_seconds", "epoch_seconds",
)
_QUOTAS = ("public_quota", "organisation_quota")
_HEX = re.compile(r"(?:0x)?((?:[0-9a-fA-F]{2})*)\Z")
_QUANTITY = re.compile(r"(?:0x[0-9a-fA-F]{1,64}|[0-9]{1,78})\Z")


@dataclass(frozen=True)
class Organisation:
    """A legal entity as the file names it; accounts in small letters."""

    name_zh_tw: str
    name_en: str
    tax_id: str | None
    lei: str | None
    accounts: frozenset


@dataclass(frozen=True)
class Genesis:
    """What a verifier needs of a genesis file; operators by validator address."""

    name: str
    chain_id: int
    time_ms: int
    hash: bytes
    validators: ValidatorSet
    organisations: list
    operators: dict
    clock_drift_max_ms: int
    clock_lag_max_ms: int


def parse_genesis(data: bytes) -> Genesis:
    """Parses and checks a genesis file; raises a TrustError."""
    if len(data) > GENESIS_BYTES_MAX:
        raise TrustError(f"genesis file has {len(data)} bytes, at most {GENESIS_BYTES_MAX}")
    try:
        return _read(Fields(parse_json(data), "genesis", _REQUIRED, ("governance", "accounts")))
    except (FormError, ValueError) as error:
        raise TrustError(f"genesis file: {error}") from error


def _read(fields: Fields) -> Genesis:
    _within(fields, "version", 1, 1)
    chain_id = _within(fields, "chain_id", 1, _CHAIN_ID_MAX)
    time_ms = _within(fields, "time_ms", 1, JSON_INTEGER_MAX)
    gas = _within(fields, "block_gas_limit", 1 << 24, 10_000_000_000)
    consensus, drift, lag = _consensus(fields.get("consensus"))
    listed = object_of(fields.get("organisations"), "genesis field `organisations`")
    read = {name: _organisation(name, value) for name, value in listed.items()}
    organisations = {name: it for name, (it, _) in read.items()}
    nodes, members, operators = _nodes(fields, organisations)
    canonical = {
        "version": 1, "name": fields.text("name"), "chain_id": chain_id, "time_ms": time_ms,
        "block_gas_limit": gas, "consensus": consensus, "nodes": nodes,
        "organisations": {name: form for name, (_, form) in read.items()},
    }
    if fields.get("governance") is not None:
        canonical["governance"] = _governance(fields.get("governance"))
    accounts = object_of(fields.get("accounts", {}), "genesis field `accounts`")
    if len(accounts) > GENESIS_ACCOUNTS_MAX:
        raise TrustError(f"genesis field `accounts`: more than {GENESIS_ACCOUNTS_MAX}")
    if accounts:
        canonical["accounts"] = {
            "0x" + _digits(address, 20): _account(address, it) for address, it in accounts.items()
        }
    # RFC 8785; keys are ASCII in every file that `tbsi genesis build` writes.
    text = json.dumps(canonical, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    hash_ = sha256(b"TBSI-GENESIS-1", text.encode())
    members.sort(key=lambda it: it.address)
    return Genesis(
        canonical["name"], chain_id, time_ms, hash_, ValidatorSet(members),
        list(organisations.values()), operators, drift, lag,
    )


def _within(fields: Fields, name: str, least: int, most: int) -> int:
    value = fields.integer(name)
    if least <= value <= most:
        return value
    raise TrustError(f"{fields.where} field `{name}`: {value} is outside {least}..={most}")


def _digits(text, length=None) -> str:
    """Small hex digits of bytes that may be written without `0x` or with capitals."""
    found = _HEX.match(text) if isinstance(text, str) else None
    if found is None or length not in (None, len(found[1]) // 2):
        raise TrustError(f"genesis file: hex digits expected, got `{str(text)[:80]}`")
    return found[1].lower()


def _consensus(value):
    fields = Fields(value, "genesis field `consensus`", tuple(_CONSENSUS), _OPTIONAL)
    canonical = {name: _within(fields, name, *bounds) for name, bounds in _CONSENSUS.items()}
    propose = canonical["timeout_propose_ms"]
    lag = max(propose, _CLOCK_LAG_MAX_MS)
    if fields.get("clock_lag_max_ms") is not None:
        lag = canonical["clock_lag_max_ms"] = _within(fields, "clock_lag_max_ms", propose, 600_000)
    if fields.get("map_period_ms") is not None:
        canonical["map_period_ms"] = _within(fields, "map_period_ms", 1_000, 86_400_000)
    return canonical, canonical["clock_drift_max_ms"], lag


def _organisation(name: str, value):
    where = f"genesis field `organisations.{name}`"
    optional = ("kind", "votes", "accounts", *_TEXTS, *_HASHES)
    fields = Fields(value, where, ("name_zh_tw", "name_en"), optional)
    names = fields.text("name_zh_tw"), fields.text("name_en")
    if max(len(it.encode()) for it in names) > NAME_BYTES_MAX or not names[1].strip():
        raise TrustError(f"{where}: legal names, one in English, of at most {NAME_BYTES_MAX} bytes")
    form = {"name_zh_tw": names[0], "name_en": names[1]}
    if fields.get("kind") is not None:
        form["kind"] = fields.text("kind")
        if form["kind"] not in _KINDS:
            raise TrustError(f"{where}: kind is one of {', '.join(_KINDS)}")
    if fields.get("votes") is not None:
        form["votes"] = fields.boolean("votes")
    for it in _TEXTS:
        if fields.get(it) is not None:
            form[it] = fields.text(it)
    for it in _HASHES:
        if fields.get(it) is not None:
            form[it] = "0x" + _digits(fields.text(it), 32)
    accounts = object_of(fields.get("accounts", {}), where)
    accounts = {"0x" + _digits(it, 20): _permissions(these) for it, these in accounts.items()}
    if accounts:
        form["accounts"] = accounts
    found = Organisation(*names, form.get("tax_id"), form.get("lei"), frozenset(accounts))
    return found, form


def _permissions(value) -> list:
    if not isinstance(value, list) or any(it not in _PERMISSIONS for it in value):
        raise TrustError(f"genesis file: permissions are a list of {', '.join(_PERMISSIONS)}")
    return [it for it in _PERMISSIONS if it in value]


def _nodes(genesis: Fields, organisations: dict):
    listed = genesis.list("nodes")
    if not 1 <= len(listed) <= NODES_MAX:
        raise TrustError(f"genesis field `nodes`: {len(listed)} is outside 1..={NODES_MAX}")
    forms, members, operators, seen = [], [], {}, set()
    for value in listed:
        required = ("name", "organisation", "peer_id")
        fields = Fields(value, "genesis node", required, ("endpoint", "validator"))
        form = {name: fields.text(name) for name in required}
        unique = ("name", form["name"]), ("peer_id", form["peer_id"])
        if not form["name"].strip() or seen.intersection(unique):
            raise TrustError("genesis field `nodes`: name and peer_id must be unique, not empty")
        seen.update(unique)
        if form["organisation"] not in organisations:
            raise TrustError(f"genesis field `nodes`: `{form['organisation']}` is not listed")
        if fields.get("endpoint") is not None:
            form["endpoint"] = fields.text("endpoint")
        if fields.get("validator") is not None:
            operator = organisations[form["organisation"]]
            form["validator"], member = _validator(fields.get("validator"), operator)
            members.append(member)
            operators[member.address] = operator
        forms.append(form)
    return forms, members, operators


def _validator(value, operator: Organisation):
    fields = Fields(value, "genesis validator", ("public_key", "power"), ("log_key",))
    key = bytes.fromhex(_digits(fields.text("public_key"), 33))
    power = _within(fields, "power", 1, JSON_INTEGER_MAX)
    form = {"public_key": to_hex(key), "power": power}
    if fields.get("log_key") is not None:
        form["log_key"] = "0x" + _digits(fields.text("log_key"), 32)
    try:
        address = address_of(PublicKey(key))
    except Exception as error:  # coincurve raises bare exceptions for bad keys.
        raise TrustError("genesis validator: public_key is no compressed point") from error
    return form, Validator(address, power, operator.name_zh_tw, operator.name_en)


def _governance(value) -> dict:
    where = "genesis field `governance`"
    fields = Fields(value, where, _SECONDS, ("public_permissions", *_QUOTAS))
    _within(fields, "period_seconds", 1, 31_536_000)
    _within(fields, "epoch_seconds", 0, 604_800)
    form = {"public_permissions": _permissions(fields.get("public_permissions", []))}
    for name in _QUOTAS:
        quota = Fields(fields.get(name, {}), where, (), ("gas", "leaves"))
        present = [it for it in ("gas", "leaves") if quota.get(it) is not None]
        form[name] = {it: quota.integer(it, JSON_INTEGER_MAX) for it in present}
    form.update({name: fields.integer(name, U32_MAX) for name in _SECONDS})
    return form


def _account(address: str, value) -> dict:
    where = f"genesis field `accounts.{address}`"
    fields = Fields(value, where, (), ("balance", "nonce", "code", "storage"))
    code, storage = _digits(fields.get("code", "")), object_of(fields.get("storage", {}), where)
    if storage and not code:
        raise TrustError(f"{where}: only an account with code can have storage")
    return {
        "balance": _quantity(fields.get("balance", 0)),
        "nonce": 0 if fields.get("nonce", 0) == 0 else fields.integer("nonce"),
        "code": "0x" + code,
        "storage": {_quantity(slot): _quantity(word) for slot, word in storage.items()},
    }


def _quantity(value) -> str:
    """A number below 2^256 as 0x-hex without leading zeros."""
    text = str(value) if type(value) is int else value
    if isinstance(text, str) and _QUANTITY.match(text):
        number = int(text, 16) if text.startswith("0x") else int(text)
        if number < 1 << 256:
            return hex(number)
    raise TrustError("genesis file: a number below 2^256 is expected")
