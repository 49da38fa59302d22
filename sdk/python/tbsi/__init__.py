"""Attest with and verify proofs of TBSI."""

from .anchor import TrustAnchor
from .client import Account, Client, digest_file, new_salt
from .digest import FILE_SCHEMA, SALTED_FILE_SCHEMA
from .errors import TbsiError
from .verify import verify

__all__ = [
    "FILE_SCHEMA", "SALTED_FILE_SCHEMA", "Account", "Client", "TbsiError", "TrustAnchor",
    "digest_file", "new_salt", "verify",
]
