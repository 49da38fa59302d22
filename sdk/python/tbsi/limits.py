"""Named maxima, with their units (SPEC §3.2, §9.3, §10, §12.9)."""

BUNDLE_BYTES_MAX = 8 * 1024 * 1024
BUNDLE_JSON_BYTES_MAX = 32 * 1024 * 1024
GENESIS_BYTES_MAX = 64 * 1024 * 1024
CHECKPOINT_FILE_BYTES_MAX = 32 * 1024 * 1024
# Changes of the validator set that one bundle follows.
HANDOVERS_MAX = 256
# Of one record in a stream of handovers (SPEC §10.6).
RECORD_BYTES_MAX = 512 * 1024
VALIDATORS_MAX = 128
# Of a legal name, in each language.
NAME_BYTES_MAX = 512
LEAF_BYTES_MAX = 512
INCLUSION_HASHES_MAX = 64
# Bits of the longest path in the map (SPEC §9.11), and bytes of its longest value.
MAP_DEPTH_MAX = 256
MAP_VALUE_BYTES_MAX = 75
# Answers and revoked algorithms in one proof (SPEC §10.7).
MAP_ENTRIES_MAX = 3
MAP_ALGORITHMS_MAX = 64
# Nodes of the state's tries in one proof (SPEC §10.11), and bytes of one.
REGISTRY_NODES_MAX = 4096
REGISTRY_RECORDS_MAX = 129
REGISTRY_NODE_BYTES_MAX = 1024
TAX_ID_BYTES_MAX = 8
LEI_BYTES_MAX = 20
JURISDICTION_BYTES_MAX = 2
NODES_MAX = 1024
GENESIS_ACCOUNTS_MAX = 100_000
# Objects and arrays within each other.
JSON_DEPTH_MAX = 127
# Characters of 2^64 - 1; a longer integer fits no field.
INTEGER_CHARS_MAX = 20
VARINT_BYTES_MAX = 9
ROUND_MAX = 2**32 - 2
U16_MAX = 2**16 - 1
U32_MAX = 2**32 - 1
U64_MAX = 2**64 - 1
# Integers above this are not exact in JSON (RFC 8785 §3.2.2.3).
JSON_INTEGER_MAX = 2**53 - 1

# Of one answer of a node.
ANSWER_BYTES_MAX = 25 * 1024 * 1024
CALL_SECONDS_MAX = 30
FINALITY_SECONDS_MAX = 60
POLL_SECONDS = 0.2
# Words of 32 bytes in one transaction.
BATCH_WORDS_MAX = 13_000
# Of a piece of a file that is hashed.
PIECE_BYTES = 1024 * 1024
