"""Validators, checkpoints and commit certificates (SPEC §3.2 to §3.7)."""

from dataclasses import dataclass, replace

from coincurve import PublicKey

from .errors import DecisionError, FormError
from .forms import Cursor, keccak256, sha256, to_hex
from .limits import NAME_BYTES_MAX, ROUND_MAX, U64_MAX, VALIDATORS_MAX

_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


@dataclass(frozen=True)
class Chain:
    """One network, exactly."""

    chain_id: int
    genesis_hash: bytes


@dataclass(frozen=True)
class Validator:
    """A validator and the legal names of who answers for it."""

    address: bytes
    power: int
    name_zh_tw: str
    name_en: str


class ValidatorSet:
    """The validators of one height in address order, checked."""

    def __init__(self, validators):
        self.validators = list(validators)
        self.total_power = 0
        if not 1 <= len(self.validators) <= VALIDATORS_MAX:
            raise _wrong(f"{len(self.validators)} given, 1 to {VALIDATORS_MAX} are allowed")
        before = None
        for it in self.validators:
            if before is not None and before >= it.address:
                raise _wrong(f"{to_hex(it.address)} is not in address order, each once")
            before = it.address
            self._count(it)
        self.hash = self._hash()

    def _count(self, it: Validator) -> None:
        address = to_hex(it.address)
        if it.power == 0:
            raise _wrong(f"{address} has no voting power")
        self.total_power += it.power
        if self.total_power > U64_MAX:
            raise _wrong("total voting power exceeds 2^64 - 1")
        longest = max(len(name.encode()) for name in (it.name_zh_tw, it.name_en))
        if longest > NAME_BYTES_MAX:
            raise _wrong(f"{address} has a name of {longest} bytes, at most {NAME_BYTES_MAX}")

    def _hash(self) -> bytes:
        members = b"".join(
            it.address + it.power.to_bytes(8, "big") + operator_id(it.name_zh_tw, it.name_en)
            for it in self.validators
        )
        return sha256(b"TBSI-VALIDATOR-SET-1", len(self.validators).to_bytes(2, "big"), members)


def _wrong(problem: str) -> FormError:
    return FormError("form", f"proof field `validators`: {problem}")


def operator_id(name_zh_tw: str, name_en: str) -> bytes:
    """Commits to both legal names."""
    parts = [b"TBSI-OPERATOR-1"]
    for name in (name_zh_tw.encode(), name_en.encode()):
        parts += [len(name).to_bytes(4, "big"), name]
    return sha256(*parts)


@dataclass(frozen=True)
class Checkpoint:
    """What validators sign at a height."""

    chain_id: int
    height: int
    time_ms: int
    block_hash: bytes
    state_root: bytes
    log_size: int
    log_root: bytes
    validator_set_hash: bytes
    next_validator_set_hash: bytes

    def encode(self) -> bytes:
        numbers = [it.to_bytes(8, "big") for it in (self.chain_id, self.height, self.time_ms)]
        size = self.log_size.to_bytes(8, "big")
        hashes = self.log_root + self.validator_set_hash + self.next_validator_set_hash
        return b"".join(numbers) + self.block_hash + self.state_root + size + hashes

    @staticmethod
    def decode(data: bytes) -> "Checkpoint":
        cursor = Cursor(data)
        numbers = [cursor.uint("number", 8) for _ in range(3)]
        hashes = [cursor.take("hash", 32) for _ in range(2)]
        size = cursor.uint("log size", 8)
        rest = [cursor.take("hash", 32) for _ in range(3)]
        cursor.end()
        return Checkpoint(*numbers, *hashes, size, *rest)

    def digest(self, chain: Chain) -> bytes:
        return sha256(b"TBSI-CHECKPOINT-1", chain.genesis_hash, self.encode())

    def with_root(self, log_root: bytes) -> "Checkpoint":
        return replace(self, log_root=log_root)


@dataclass(frozen=True)
class Certificate:
    """Signatures: pairs of address and 65 bytes, in address order, each once."""

    height: int
    round: int
    checkpoint_digest: bytes
    signatures: list

    def checked(self) -> "Certificate":
        count = len(self.signatures)
        if count > VALIDATORS_MAX:
            raise FormError("form", f"certificate has {count} signatures, at most {VALIDATORS_MAX}")
        if self.round > ROUND_MAX:
            raise FormError("form", f"certificate round {self.round} is above {ROUND_MAX}")
        addresses = [address for address, _ in self.signatures]
        if any(one >= other for one, other in zip(addresses, addresses[1:])):
            raise FormError("form", "proof field `signatures` is not in canonical form")
        if any(len(signature) != 65 for _, signature in self.signatures):
            raise FormError("form", "proof field `signature` is not in canonical form")
        return self

    def precommit_digest(self, chain: Chain) -> bytes:
        """What each signature is over (SPEC §3.5)."""
        return sha256(
            b"TBSI-VOTE-1", chain.chain_id.to_bytes(8, "big"), chain.genesis_hash, b"\x02",
            self.height.to_bytes(8, "big"), self.round.to_bytes(4, "big"), b"\x01",
            self.checkpoint_digest,
        )


@dataclass(frozen=True)
class Decision:
    """A checkpoint and the certificate that decides it."""

    checkpoint: Checkpoint
    certificate: Certificate


def recover(digest: bytes, signature: bytes):
    """Whose key signed; None for any form but `r || s || v` with low s (SPEC §3.1)."""
    if len(signature) != 65 or signature[64] not in (27, 28):
        return None
    if int.from_bytes(signature[32:64], "big") > _ORDER // 2:
        return None
    recoverable = signature[:64] + bytes([signature[64] - 27])
    try:
        key = PublicKey.from_signature_and_message(recoverable, digest, hasher=None)
    except Exception:  # coincurve raises bare exceptions for bad signatures.
        return None
    return address_of(key)


def address_of(key: PublicKey) -> bytes:
    return keccak256(key.format(compressed=False)[1:])[12:]


def count_quorum(chain: Chain, validators: ValidatorSet, certificate: Certificate) -> int:
    """Power of the signers of a certificate that is valid for the set."""
    digest = certificate.precommit_digest(chain)
    members = {it.address: it.power for it in validators.validators}
    power, total = 0, validators.total_power
    for address, signature in certificate.signatures:
        shown = to_hex(address)
        if address not in members:
            raise DecisionError(f"{shown} signed the certificate but is not in the validator set")
        signer = recover(digest, signature)
        if signer != address:
            by = "it is malformed" if signer is None else f"it is by {to_hex(signer)}"
            raise DecisionError(f"signature of validator {shown}: {by}")
        power += members[address]
    if 3 * power <= 2 * total:
        raise DecisionError(
            f"signatures carry {power} of {total} voting power, strictly more than 2/3 is needed"
        )
    return power
