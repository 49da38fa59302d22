"""Checks time stamps of RFC 3161 with rfc3161-client, the library of sigstore.

  stamps.py ask FILE HASH QUERY           writes a query for a file and prints its nonce; HASH
                                          is SHA256 or SHA512
  stamps.py verify ROOT NONCE REPLY FILE  verifies the reply to that query, then refuses copies

Copies: another file, another nonce, another root, and the reply with each of its bits flipped
in turn. A flipped bit outside of what is signed may go unnoticed; what the reply states is then
the same, to the bit.
"""

import datetime
import sys
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)


def ask(file, algorithm, query):
    builder = TimestampRequestBuilder().data(Path(file).read_bytes())
    request = builder.hash_algorithm(HashAlgorithm[algorithm]).cert_request(cert_request=True)
    request = request.build()
    Path(query).write_bytes(request.as_bytes())
    print(request.nonce)


def stated(reply):
    """What a token says."""
    info = reply.tst_info
    return (
        info.version,
        info.policy,
        info.message_imprint.hash_algorithm,
        info.message_imprint.message,
        info.serial_number,
        info.gen_time,
        (info.accuracy.seconds, info.accuracy.millis, info.accuracy.micros),
        info.ordering,
        info.nonce,
        info.name,
    )


def accepted(verifier, reply, message):
    """The reply, or None if it is refused or cannot be read."""
    try:
        decoded = decode_timestamp_response(reply)
        verifier.verify_message(decoded, message)
        return stated(decoded)
    except (VerificationError, ValueError):
        return None


def verify(root, nonce, reply, file):
    certificate = x509.load_pem_x509_certificate(Path(root).read_bytes())
    reply, message = Path(reply).read_bytes(), Path(file).read_bytes()
    nonce = int(nonce)
    builder = VerifierBuilder().add_root_certificate(certificate)
    verifier = builder.nonce(nonce).build()
    expected = accepted(verifier, reply, message)
    if expected is None:
        verifier.verify_message(decode_timestamp_response(reply), message)
    print(f"accepted: serial number {expected[4]}, time {expected[5].isoformat()}")

    refuse("another file", accepted(verifier, reply, message + b"."))
    refuse("another nonce", accepted(builder.nonce(nonce ^ 1).build(), reply, message))
    refuse("another root", accepted(another_root(certificate, nonce), reply, message))
    flip_each_bit(verifier, reply, message, expected)


def refuse(what, outcome):
    if outcome is not None:
        sys.exit(f"{what} is accepted")
    print(f"refused {what}")


def another_root(certificate, nonce):
    """A root with the same name and another key."""
    key = ec.generate_private_key(ec.SECP256R1())
    day = datetime.timedelta(days=1)
    builder = x509.CertificateBuilder(
        issuer_name=certificate.subject,
        subject_name=certificate.subject,
        public_key=key.public_key(),
        serial_number=certificate.serial_number,
        not_valid_before=certificate.not_valid_before_utc - day,
        not_valid_after=certificate.not_valid_after_utc + day,
    )
    other = builder.sign(key, hashes.SHA256())
    return VerifierBuilder().add_root_certificate(other).nonce(nonce).build()


def flip_each_bit(verifier, reply, message, expected):
    unnoticed = []
    for bit in range(8 * len(reply)):
        changed = bytearray(reply)
        changed[bit // 8] ^= 1 << bit % 8
        outcome = accepted(verifier, bytes(changed), message)
        if outcome is None:
            continue
        if outcome != expected:
            sys.exit(f"bit {bit} flipped: {outcome} is accepted instead of {expected}")
        unnoticed.append(bit)
    refused = 8 * len(reply) - len(unnoticed)
    print(f"refused {refused} of {8 * len(reply)} flipped bits, the others state the same")
    # More would mean that the signature is not looked at.
    if len(unnoticed) > len(reply) // 4:
        sys.exit(f"{len(unnoticed)} flipped bits go unnoticed")


if __name__ == "__main__":
    commands = {("ask", 3): ask, ("verify", 4): verify}
    command = commands.get((sys.argv[1] if len(sys.argv) > 1 else "", len(sys.argv) - 2))
    if command is None:
        sys.exit(__doc__)
    command(*sys.argv[2:])
