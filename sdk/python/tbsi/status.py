"""What a map part proves, once its bundle is verified, and what it comes to (SPEC §10.7)."""

from dataclasses import dataclass

from .anchor import VerifiedBundle, check_included, check_leaf
from .decision import Chain, Checkpoint
from .digest import FILE_SCHEMA, SALTED_FILE_SCHEMA
from .errors import LeafError, MapError, ProofError
from .forms import to_hex
from .leaf import decode_leaf
from .map import algorithms_hash, key_of, read_value, root_of_answer
from .proof import MapPart, RootLeaf
from .times import times_of

# Reasons of revocations (SPEC §12.8), which count from 1.
_REASONS = (
    "unspecified", "issued-in-error", "content-withdrawn", "key-compromised", "superseded",
    "affiliation-changed", "cessation-of-operation", "privilege-withdrawn",
)
_ELSE = "it is asked about something else than the proof is of"


@dataclass(frozen=True)
class VerifiedMap:
    """The map root, and what it says.

    `known` and `digests_known` are a height and a time; the latter's is None if the map had not
    caught up with digests, for no part of the proof has it. `status` is of the bundle's leaf,
    None if the questions are for digests.
    """

    root: dict
    leaf_index: int
    known: tuple
    digests_known: tuple
    status: dict | None
    digests: list


def verify_map(part: MapPart, verified: VerifiedBundle, chain: Chain) -> VerifiedMap:
    """Verifies a map part; raises a ProofError of the step `map`."""
    try:
        return _verify(part, verified, chain)
    except (LeafError, MapError, ProofError) as error:
        raise ProofError("map", f"map: {error}") from error


def _verify(part: MapPart, verified: VerifiedBundle, chain: Chain) -> VerifiedMap:
    checkpoint = verified.decision.checkpoint
    root, leaf_index = verified.statement, verified.leaf_index
    if part.root is not None:
        root, leaf_index = decode_leaf(part.root.leaf), part.root.leaf_index
        check_leaf(root, chain, checkpoint)
        _check_in_log(part.root, checkpoint)
    if root["kind"] != "mapRoot":
        raise MapError(f"the leaf with its root is of another kind: {root['kind']}")
    height, digest_height = root["mapHeight"], root["digestHeight"]
    if height + 1 != root["height"] or digest_height > height:
        own = f"its root is not as of the block before its own, {root['height']}"
        raise MapError(f"{own}: it says {height}, and {digest_height} for digests")
    codes = part.revoked_algorithms
    if any(one >= other for one, other in zip(codes, codes[1:])):
        raise MapError("revoked algorithms must be in ascending order, each once")
    if to_hex(algorithms_hash(codes)) != root["revokedAlgorithmsHash"]:
        raise MapError("revoked algorithms are not those of the map root")
    answers = _answers(part.entries, root)
    known = height, root["timeMs"]
    if leaf_index + 1 == checkpoint.log_size:
        # Nothing was said since.
        known = checkpoint.height, checkpoint.time_ms
    digests_known = known if digest_height == height else (digest_height, None)
    status, digests = None, []
    if part.root is None:
        digests = _digests(answers)
    else:
        status = _status(part, answers, verified)
    return VerifiedMap(root, leaf_index, known, digests_known, status, digests)


def _check_in_log(root: RootLeaf, checkpoint: Checkpoint) -> None:
    try:
        check_included(root, checkpoint)
    except ProofError as error:
        raise MapError(f"inclusion of the map's root: {error}") from error


def _answers(entries: list, root: dict) -> list:
    """Questions and what the map holds, None if it holds nothing."""
    if not entries:
        raise MapError("it is asked nothing")
    answers = []
    for asked, answer in entries:
        if any(asked == known for known, _ in answers):
            raise MapError("it is asked one question twice")
        found = None if answer.value is None else read_value(asked, answer.value)
        computed = to_hex(root_of_answer(key_of(asked), answer))
        if computed != root["root"]:
            raise MapError(f"answer leads to root {computed}, expected {root['root']}")
        answers.append((asked, found))
    return answers


def _digests(answers: list) -> list:
    found = []
    for asked, first in answers:
        if asked.kind != "digest":
            raise MapError(f"{_ELSE}: its root alone answers for digests, not for a {asked.kind}")
        found.append({"digest": to_hex(asked.parts[0]), "first": first})
    return found


def _status(part: MapPart, answers: list, verified: VerifiedBundle) -> dict:
    """Of the bundle's attestation, from its issuer's entry and its schema's (SPEC §12.4)."""
    statement = verified.statement
    if statement["kind"] != "attestation":
        raise MapError(f"a status is stapled to an attestation, not to a {statement['kind']}")
    if verified.leaf_index >= part.root.leaf_index:
        later = f"the attestation is leaf {verified.leaf_index} and later"
        raise MapError(f"its root is leaf {part.root.leaf_index}, {later}")
    (first, said), *others = answers
    named = tuple(to_hex(it) for it in first.parts)
    if first.kind != "status" or named != (statement["id"], statement["issuer"]):
        raise MapError(f"{_ELSE}: the first question is not for the attestation's status")
    schema = statement["schema"]
    revocable = True if schema in (FILE_SCHEMA, SALTED_FILE_SCHEMA) else None
    for asked, found in others:
        if asked.kind != "schema" or to_hex(asked.parts[0]) != schema:
            raise MapError(f"{_ELSE}: another question is not for the attestation's schema")
        # A schema that nobody registered allows nothing.
        revocable = bool(found) if revocable is None else revocable
    said = said or {"revocation": None, "supersession": None}
    if said["revocation"] is not None and revocable is None:
        raise MapError("the attestation is revoked under a schema of which the proof says nothing")
    return {
        "revocation": said["revocation"] if revocable else None,
        "supersession": said["supersession"],
        "algorithmRevoked": statement["algorithm"] in part.revoked_algorithms,
    }


def map_report(of: VerifiedMap, issuer: str, age) -> dict:
    """The map root, up to where it is known, and what it holds."""

    def known(height: int, time_ms) -> dict:
        return {"height": height, "timeMs": time_ms}

    return {
        "leafIndex": of.leaf_index, "root": of.root["root"], "entries": of.root["entries"],
        "knownUpTo": known(*of.known), "digestsKnownUpTo": known(*of.digests_known),
        "digests": of.digests, "status": status_report(of, issuer), "age": age,
    }


def status_report(of: VerifiedMap, issuer: str):
    """A stapled status as a node's answer is told; None if there is none."""
    if of.status is None:
        return None
    revocation = of.status["revocation"]
    unless = "algorithmRevoked" if of.status["algorithmRevoked"] else "notRevoked"
    return {
        "asOf": of.known[0],
        "asOfTimeMs": of.known[1],
        "source": "map",
        "status": unless if revocation is None else "revoked",
        "proven": True,
        "revocation": revocation and {
            **revocation, "issuer": issuer, "reasonName": _reason(revocation["reason"]),
        },
        "supersession": of.status["supersession"],
    }


def _reason(code: int) -> str:
    return _REASONS[code - 1] if 1 <= code <= len(_REASONS) else "of another kind"


def void_reason(of: VerifiedMap, issuer: str):
    """Why what a status is stapled to counts for nothing; None if it counts."""
    status = of.status or {}
    if status.get("revocation") is not None:
        it = status["revocation"]
        when = f"{times_of(it['timeMs'])['utc']} (block {it['height']})"
        return f"REVOKED at {when} by its issuer {issuer}: {_reason(it['reason'])}"
    if status.get("algorithmRevoked"):
        return f"its digest algorithm was revoked, as of block {of.known[0]}"
    return None


def age_of(of: VerifiedMap, max_age_ms: int, at_ms: int):
    """The age of what is asked; a sentence if it is too old, or nobody can tell."""
    height, time_ms = of.digests_known if of.status is None else of.known
    if time_ms is None:
        return (
            f"digests are known up to block {height}, whose time is not in the proof; ask again "
            "when the map has caught up"
        )
    # What was known afterwards is not too old, and a revocation is for ever.
    age = max(at_ms - time_ms, 0)
    revoked = of.status is not None and of.status["revocation"] is not None
    if age <= max_age_ms or revoked:
        return {"ms": age, "maxMs": max_age_ms, "at": times_of(at_ms), "clock": "given"}
    return (
        f"the status was known {age} ms before the time given, at most {max_age_ms} ms are "
        "allowed; fetch the proof again"
    )
