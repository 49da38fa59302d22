"""From what the verifier trusts to the leaf (SPEC §10.4, §10.6). Nothing is fetched."""

from dataclasses import dataclass

from .bundle import Bundle, Handover, form_error, take_decision, take_set
from .decision import Chain, Checkpoint, Decision, ValidatorSet, count_quorum
from .errors import DecisionError, FormError, LeafError, ProofError, ShapeError, TrustError
from .forms import Cursor, CursorError, to_hex
from .leaf import decode_leaf, leaf_hash, root_of
from .limits import RECORD_BYTES_MAX


@dataclass(frozen=True)
class TrustAnchor:
    """Who decides heights of a network, from a certain one on; no digest for genesis."""

    chain: Chain
    height: int
    time_ms: int
    digest: bytes | None
    set_hash: bytes
    next_set_hash: bytes

    @staticmethod
    def of_set(chain: Chain, set_hash: bytes, time_ms: int = 0) -> "TrustAnchor":
        return TrustAnchor(chain, 0, time_ms, None, set_hash, set_hash)

    @staticmethod
    def of(chain: Chain, it: Checkpoint) -> "TrustAnchor":
        hashes = it.validator_set_hash, it.next_validator_set_hash
        return TrustAnchor(chain, it.height, it.time_ms, it.digest(chain), *hashes)


@dataclass(frozen=True)
class VerifiedDecision:
    """A checkpoint that a quorum of named validators decided."""

    checkpoint: Checkpoint
    digest: bytes
    signers: list
    power: int
    total_power: int


@dataclass(frozen=True)
class VerifiedBundle:
    """Handovers are pairs: the old set's decision, the new one's."""

    statement: dict
    leaf_index: int
    decision: VerifiedDecision
    handovers: list


def _check_place(anchor: TrustAnchor, it: Checkpoint) -> None:
    if it.chain_id != anchor.chain.chain_id:
        trusted = anchor.chain.chain_id
        raise DecisionError(f"checkpoint is of chain id {it.chain_id}, trusted is {trusted}")
    if it.height == 0:
        raise DecisionError(
            "checkpoint height is 0, which validators never decide: the genesis file fixes it"
        )
    if it.height < anchor.height:
        trusted = f"before the trusted height {anchor.height}"
        raise DecisionError(f"checkpoint is of height {it.height}, {trusted}", "before")
    if it.height == anchor.height:
        _check_not_forked(anchor, it)
    elif it.time_ms <= anchor.time_ms:
        after = f"it must be after {anchor.time_ms} ms"
        raise DecisionError(f"checkpoint time is {it.time_ms} ms, {after}")


def _check_not_forked(anchor: TrustAnchor, it: Checkpoint) -> None:
    if it.height == anchor.height and anchor.digest != it.digest(anchor.chain):
        problem = "is not the one that is trusted for this height"
        raise DecisionError(f"checkpoint of height {it.height} {problem}", "fork")


def _extend(anchor: TrustAnchor, decision: Decision, validators: ValidatorSet):
    """A decision as following from the anchor, and what follows from it in turn."""
    checkpoint, certificate = decision.checkpoint, decision.certificate
    _check_place(anchor, checkpoint)
    same = checkpoint.height == anchor.height
    expected = anchor.set_hash if same else anchor.next_set_hash
    if checkpoint.validator_set_hash != expected:
        got = to_hex(checkpoint.validator_set_hash)
        raise DecisionError(
            f"checkpoint names validator set {got}, trusted is {to_hex(expected)}; the proof "
            "lacks a handover, or the set was never handed over to", "validatorSet",
        )
    if validators.hash != expected:
        raise DecisionError(
            f"validators and names have hash {to_hex(validators.hash)}, the checkpoint names "
            f"validator set {to_hex(expected)}"
        )
    if certificate.height != checkpoint.height:
        raise DecisionError(
            f"checkpoint is of height {checkpoint.height}, the certificate of height "
            f"{certificate.height}"
        )
    digest = checkpoint.digest(anchor.chain)
    if digest != certificate.checkpoint_digest:
        raise DecisionError(
            f"checkpoint has digest {to_hex(digest)}, the certificate decides "
            f"{to_hex(certificate.checkpoint_digest)}"
        )
    power = count_quorum(anchor.chain, validators, certificate)
    signed = {address for address, _ in certificate.signatures}
    signers = [it for it in validators.validators if it.address in signed]
    verified = VerifiedDecision(checkpoint, digest, signers, power, validators.total_power)
    return TrustAnchor.of(anchor.chain, checkpoint), verified


def verify_bundle(bundle: Bundle, anchor: TrustAnchor) -> VerifiedBundle:
    """Verifies a bundle; raises a ProofError."""
    trusted, got = anchor.chain.genesis_hash, bundle.genesis_hash
    if got != trusted:
        raise ProofError(
            "genesis",
            f"proof is of the network with genesis hash {to_hex(got)}, trusted is "
            f"{to_hex(trusted)}; verify it with that network's genesis file",
        )
    checkpoint = bundle.decision.checkpoint
    try:
        statement = decode_leaf(bundle.leaf)
    except LeafError as error:
        raise ProofError("leaf", str(error)) from error
    check_leaf(statement, anchor.chain, checkpoint)
    check_included(bundle, checkpoint)
    anchor, handovers = follow(bundle.handovers, bundle.validators, anchor)
    try:
        _, decision = _extend(anchor, bundle.decision, bundle.validators)
    except DecisionError as error:
        raise ProofError("decision", str(error), error.problem) from error
    return VerifiedBundle(statement, bundle.leaf_index, decision, handovers)


def check_included(it, checkpoint: Checkpoint) -> None:
    """That a leaf is in the log of a checkpoint."""
    try:
        hash_, size = leaf_hash(it.leaf), checkpoint.log_size
        computed = root_of(hash_, it.leaf_index, size, it.inclusion)
    except ShapeError as error:
        raise ProofError("inclusion", str(error)) from error
    if computed != checkpoint.log_root:
        leads = f"inclusion proof leads to log root {to_hex(computed)}"
        raise ProofError("inclusion", f"{leads}, expected {to_hex(checkpoint.log_root)}")


def check_leaf(statement: dict, chain: Chain, checkpoint: Checkpoint) -> None:
    """That a leaf is of the chain, and not from after the checkpoint."""
    chain_id, trusted = statement["chainId"], chain.chain_id
    if chain_id != trusted:
        raise ProofError("leaf", f"leaf is of chain id {chain_id}, trusted is {trusted}")
    height, time_ms = statement["height"], statement["timeMs"]
    later = height > checkpoint.height or time_ms > checkpoint.time_ms
    if later or (height == checkpoint.height) != (time_ms == checkpoint.time_ms):
        raise ProofError(
            "leaf",
            f"leaf is of height {height} and time {time_ms} ms, which a checkpoint of height "
            f"{checkpoint.height} and time {checkpoint.time_ms} ms cannot cover",
        )


def follow(handovers, last_set: ValidatorSet, trusted: TrustAnchor, before: int = 0):
    """From the anchor through handovers; those that lie before it are passed over."""
    anchor, verified = trusted, []
    sets = [it.validators for it in handovers[1:]] + [last_set]
    for number, (handover, following) in enumerate(zip(handovers, sets), before + 1):
        try:
            if not verified and handover.first.checkpoint.height <= trusted.height:
                _check_not_forked(trusted, handover.first.checkpoint)
                continue
            _check_handover(handover)
            between, last = _extend(anchor, handover.last, handover.validators)
            anchor, first = _extend(between, handover.first, following)
        except DecisionError as error:
            problem = f"handover {number}: {error}"
            raise ProofError("handover", problem, error.problem, number) from error
        verified.append((last, first))
    return anchor, verified


def _check_handover(handover: Handover) -> None:
    last, first = handover.last.checkpoint, handover.first.checkpoint
    if last.validator_set_hash == last.next_validator_set_hash:
        problem = "names the same validator set for the next height"
        raise DecisionError(f"checkpoint of height {last.height} {problem}")
    if first.height != last.height + 1:
        raise DecisionError(
            f"the new validator set's decision is of height {first.height}, the old one's last "
            f"of {last.height}"
        )


def follow_stream(stream: bytes, trusted: TrustAnchor, height: int):
    """Follows a stream of handovers up to a height; raises a TrustError or ProofError."""
    cursor = Cursor(stream)
    if len(stream) < 44 or cursor.take("format", 4) != b"TBH1":
        raise TrustError("this is no file of `tbsi log handovers` in a form that is known here")
    chain = Chain(cursor.uint("chain id", 8), cursor.take("genesis", 32))
    if chain != trusted.chain:
        got = to_hex(chain.genesis_hash)
        raise TrustError(f"handovers are of the network with genesis hash {got}")
    old, anchor, followed, number = _record(cursor, 0, take_set), trusted, 0, 0

    def take(body: Cursor):
        following = take_set(body)
        last = take_decision(body, chain, old)
        return following, last, take_decision(body, chain, following)

    while cursor.left:
        number += 1
        following, last, first = _record(cursor, number, take)
        if first.checkpoint.height > height:
            break
        anchor, verified = follow([Handover(old, last, first)], following, anchor, followed)
        followed += len(verified)
        old = following
    return anchor, followed


def _record(cursor: Cursor, number: int, take):
    try:
        length = cursor.uint("length", 4)
        if length > RECORD_BYTES_MAX:
            raise TrustError(f"record {number} has {length} bytes, at most {RECORD_BYTES_MAX}")
        body = Cursor(cursor.take("record", length))
        taken = take(body)
        body.end()
    except (FormError, CursorError) as error:
        raise TrustError(f"record {number} of handovers: {form_error(error)}") from error
    return taken
