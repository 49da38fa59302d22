"""Verdicts on proofs: those of `tbsi verify --json`, offline (SPEC §10.4, §10.5)."""

from .anchor import TrustAnchor, follow_stream, verify_bundle
from .decision import Chain, Checkpoint
from .digest import (
    ALGORITHMS, FILE_SCHEMA, SALTED_FILE_SCHEMA, SALT_BYTES, algorithm, digest_of, pad, parse_salt,
)
from .errors import FormError, ProofError, TrustError
from .forms import CursorError, from_hex, parse_json, to_hex
from .genesis import parse_genesis
from .leaf import words_per_digest
from .limits import CHECKPOINT_FILE_BYTES_MAX, PIECE_BYTES
from .proof import parse_proof
from .registry import prove_registry
from .status import age_of, map_report, status_report, verify_map, void_reason
from .times import times_of

_GAP = (
    "the proof begins after a change of the validators that is not in it; give the handovers, or "
    "a checkpoint of where it begins"
)


class _Failure(Exception):
    def __init__(self, verdict: str, code: str, reason):
        super().__init__(str(reason))
        self.verdict = verdict
        self.code = code


def _could_not(code: str, reason) -> _Failure:
    return _Failure("could not tell", code, reason)


def verify(proof, *, genesis=None, checkpoint=None, anchor=None, handovers=None, file=None,
           salt=None, status_max_age_ms=None, at_ms=None) -> dict:
    """The object that `tbsi verify --json` prints. Raises nothing.

    `proof`, `genesis` (the network's file), `checkpoint` (a file of `tbsi checkpoint get`) and
    `handovers` are bytes or text; `file` and `salt` are paths. Give one of genesis, checkpoint
    and anchor. With `status_max_age_ms`, the status of the proof must have been known no longer
    than that before `at_ms`, milliseconds since 1970: no clock is asked.
    """
    try:
        age = None if status_max_age_ms is None else (status_max_age_ms, at_ms)
        return _judge(proof, genesis, checkpoint, anchor, handovers, file, salt, age)
    except _Failure as failure:
        verdict, code = failure.verdict, failure.code
        return {"verdict": verdict, "code": code, "reason": str(failure)}
    except Exception as error:  # Nothing is known to lead here; a verdict is owed all the same.
        return {"verdict": "could not tell", "code": "unreadable", "reason": str(error)}


def _judge(proof, genesis, checkpoint, anchor, handovers, file, salt, age) -> dict:
    try:
        parsed = parse_proof(_bytes(proof))
        bundle = parsed.bundle
    except FormError as error:
        verdict = "invalid" if error.problem == "form" else "could not tell"
        raise _Failure(verdict, error.problem, error) from error
    try:
        anchor, founding, trusted = _trust(genesis, checkpoint, anchor, bundle)
    except (FormError, TrustError, CursorError, ValueError, TypeError) as error:
        raise _could_not("trust", error) from error
    followed = None
    if handovers is not None:
        try:
            height = bundle.decision.checkpoint.height
            anchor, followed = follow_stream(handovers, anchor, height)
        except (TrustError, ProofError) as error:
            raise _could_not("handovers", error) from error
    try:
        verified = verify_bundle(bundle, anchor)
        mapped = parsed.map and verify_map(parsed.map, verified, anchor.chain)
        proven = parsed.registry and prove_registry(
            parsed.registry, verified, bundle.validators.validators)
    except ProofError as error:
        raise _failure_of(error, bundle) from error
    aged = None if age is None else _age(mapped, *age)
    compared = None
    if file is not None and mapped is not None and mapped.status is None:
        compared = _compare_asked([it["digest"] for it in mapped.digests], file, salt)
    elif file is not None:
        compared = _compare(verified.statement, file, salt)
    report = _report(verified, mapped, aged, founding, trusted, followed, compared)
    if proven is not None:
        report["organisation"] = proven.issuer or report["organisation"]
        report["decision"] = _decision(verified.decision, founding, proven.operators)
    return report


def _age(mapped, max_age_ms, at_ms) -> dict:
    if mapped is None:
        missing = "no status is stapled to the proof; fetch it again with its status"
        raise _could_not("statusMissing", missing)
    if type(max_age_ms) is not int or type(at_ms) is not int:
        raise _could_not("statusOld", "an age and a time are whole milliseconds")
    found = age_of(mapped, max_age_ms, at_ms)
    if isinstance(found, str):
        raise _could_not("statusOld", found)
    return found


def _bytes(content) -> bytes:
    if isinstance(content, str):
        return content.encode("utf-8", "surrogatepass")
    if isinstance(content, (bytes, bytearray, memoryview)):
        return bytes(content)
    raise FormError("unreadable", "a proof is bytes or text")


def _failure_of(error: ProofError, bundle) -> _Failure:
    begins = error.handover == 1 or (error.step == "decision" and not bundle.handovers)
    if begins and error.problem == "validatorSet":
        return _could_not("gap", f"{_GAP}: {error}")
    if error.step == "genesis":
        return _could_not("otherNetwork", error)
    if error.step != "decision":
        return _Failure("invalid", error.step, error)
    if error.problem == "before":
        return _could_not("beforeTrusted", error)
    return _Failure("invalid", "fork" if error.problem == "fork" else "checkpoint", error)


def _trust(genesis, checkpoint, anchor, bundle):
    """The anchor, the genesis file if that is trusted, and what the report says of it."""
    if genesis is not None:
        founding = parse_genesis(_bytes(genesis))
        chain = Chain(founding.chain_id, founding.hash)
        anchor = TrustAnchor.of_set(chain, founding.validators.hash, founding.time_ms)
        return anchor, founding, {"genesisHash": to_hex(founding.hash), "network": founding.name}
    if checkpoint is not None:
        anchor = _of_checkpoint(_bytes(checkpoint), bundle)
    if not isinstance(anchor, TrustAnchor):
        raise TrustError("nothing is trusted yet; give a genesis file or a checkpoint")
    trusted = {"genesisHash": to_hex(anchor.chain.genesis_hash)}
    if anchor.digest is not None:
        trusted["height"] = anchor.height
    return anchor, None, trusted


def _of_checkpoint(data: bytes, bundle) -> TrustAnchor:
    """The file names no genesis, but its digest depends on one: it must be the bundle's."""
    if len(data) > CHECKPOINT_FILE_BYTES_MAX:
        raise TrustError(f"the checkpoint has {len(data)} bytes")
    file = parse_json(data)
    if not isinstance(file, dict) or file.get("format") != "tbsi-checkpoint-1":
        raise TrustError("not a file of `checkpoint get` in the form `tbsi-checkpoint-1`")
    given = file.get("checkpoint")
    encoded, digest = (
        from_hex(str(given.get(name)).lower()) for name in ("encoded", "digest")
    ) if isinstance(given, dict) else (None, None)
    found = Checkpoint.decode(encoded or b"")
    if found.height == 0:
        raise TrustError("height 0 is fixed by the genesis file; give that")
    chain = Chain(found.chain_id, bundle.genesis_hash)
    if found.digest(chain) != digest:
        raise _could_not(
            "otherNetwork",
            f"proof is of the network with genesis hash {to_hex(bundle.genesis_hash)}; the "
            "trusted checkpoint is of another, or its fields contradict each other",
        )
    return TrustAnchor.of(chain, found)


def _compare(statement: dict, file, salt) -> dict:
    """Whether a file is the one that was attested."""
    if statement["kind"] != "attestation":
        raise _could_not("file", "this proof is not of an attestation: there is no digest")
    code = statement["algorithm"]
    known = algorithm(code)
    if known is None:
        raise _could_not("file", f"digest algorithm {code:#x} is not known here")
    salted = _salt(statement["schema"], salt)
    digest = _digest(known[3], file, salted)
    if digest is None:
        raise _could_not("file", f"this program does not compute {known[1]}")
    if to_hex(pad(code, digest)) != statement["digest"]:
        attested = statement["digest"][: 2 + known[2] // 4]
        raise _Failure(
            "invalid", "otherFile",
            f"{file} is not the file that was attested: its {known[1]} digest is "
            f"{to_hex(digest)}, attested is {attested}",
        )
    return _compared(file, digest, known[1], salted)


def _digest(make, file, salted):
    try:
        with open(file, "rb") as source:
            pieces = iter(lambda: source.read(PIECE_BYTES), b"")
            return digest_of(make, pieces, salted or b"")
    except OSError as error:
        raise _could_not("file", f"read {file}: {error}") from error


def _compared(file, digest: bytes, name: str, salted) -> dict:
    return {
        "file": str(file), "digest": to_hex(digest), "algorithm": name,
        "salted": salted is not None,
    }


def _compare_asked(asked: list, file, salt) -> dict:
    """With the digests that were looked for, by each algorithm that may have made them."""
    salted = _salt(None, salt)
    for code, name, _, make in ALGORITHMS:
        if not any(len(it) == 2 + 64 * words_per_digest(code) for it in asked):
            continue
        digest = _digest(make, file, salted)
        if digest is not None and to_hex(pad(code, digest)) in asked:
            return _compared(file, digest, name, salted)
    problem = f"the proof is about another digest than any of {file}"
    raise _Failure("invalid", "otherFile", problem)


def _salt(schema, path):
    """A built-in schema says whether there is a salt; of others, the caller has to know."""
    if path is None:
        if schema == SALTED_FILE_SCHEMA:
            raise _could_not("file", "the proof is of a file with a salt; give the salt")
        return None
    if schema == FILE_SCHEMA:
        raise _could_not("file", "the proof is of a file without a salt; leave the salt out")
    try:
        with open(path, encoding="utf-8") as source:
            found = parse_salt(source.read(2 * SALT_BYTES + 5))
    except (OSError, UnicodeDecodeError) as error:
        raise _could_not("file", f"read salt file {path}: {error}") from error
    if found is None:
        raise _could_not("file", f"salt file {path} must hold 64 hex digits")
    return found


def _report(verified, mapped, aged, founding, trusted, followed, compared) -> dict:
    statement = verified.statement
    issuer = statement["issuer"]
    about = statement["kind"] in ("attestation", "revocation", "supersession")
    status = mapped and status_report(mapped, issuer)
    void = mapped and void_reason(mapped, issuer)
    return {
        "verdict": "valid" if void is None else "void",
        "reason": void,
        "trusted": trusted,
        "file": compared,
        "statement": statement,
        "issuer": statement["issuer"],
        "organisation": _issuer(founding, statement["issuer"]),
        "time": times_of(statement["timeMs"]),
        "timeAccuracyMs": founding and {
            "ahead": founding.clock_drift_max_ms, "behind": founding.clock_lag_max_ms,
        },
        "revocation": status or ({"status": "notChecked"} if about else None),
        "map": mapped and map_report(mapped, issuer, aged),
        # What `tbsi verify` asks a node and post-quantum cosignatures; nobody does here.
        "algorithmReliedUntil": None,
        "postQuantum": {"status": "notChecked"},
        "leafIndex": verified.leaf_index,
        "decision": _decision(verified.decision, founding),
        "followed": followed,
        "handovers": [
            {"last": _decision(last, founding), "first": _decision(first, founding)}
            for last, first in verified.handovers
        ],
    }


def _named(names, identifiers) -> dict:
    tax_id, lei = (identifiers.tax_id, identifiers.lei) if identifiers else (None, None)
    return {
        "nameZhTw": names.name_zh_tw, "nameEn": names.name_en, "taxId": tax_id, "lei": lei,
    }


def _issuer(founding, issuer: str):
    known = founding.organisations if founding else []
    found = next((it for it in known if issuer in it.accounts), None)
    return found and {**_named(found, found), "source": "genesis"}


def _decision(of, founding, operators=None) -> dict:
    signers = []
    for it in of.signers:
        found = founding.operators.get(it.address) if founding else None
        # Identifiers are those of the founding, and so are proven for these legal names only.
        same = found and (found.name_zh_tw, found.name_en) == (it.name_zh_tw, it.name_en)
        organisation = (operators or {}).get(it.address) or {
            **_named(it, found if same else None), "source": "genesis" if same else None,
        }
        signers.append({
            "validator": to_hex(it.address), "power": it.power, "organisation": organisation,
        })
    return {
        "height": of.checkpoint.height, "timeMs": of.checkpoint.time_ms,
        "digest": to_hex(of.digest), "logSize": of.checkpoint.log_size,
        "logRoot": to_hex(of.checkpoint.log_root), "power": of.power,
        "totalPower": of.total_power, "signers": signers,
    }
