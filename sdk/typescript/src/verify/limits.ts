/** Named maxima of the verifier, with their units (SPEC §3.2, §9.3, §10). */

/** Bytes of a proof in compact form. */
export const BUNDLE_BYTES_MAX = 8 * 1024 * 1024

/** Bytes of a proof in JSON form. */
export const BUNDLE_JSON_BYTES_MAX = 32 * 1024 * 1024

/** Bytes of a genesis file. */
export const GENESIS_BYTES_MAX = 64 * 1024 * 1024

/** Bytes of a file of `tbsi checkpoint get`. */
export const CHECKPOINT_FILE_BYTES_MAX = 32 * 1024 * 1024

/** Changes of the validator set that one bundle follows. */
export const HANDOVERS_MAX = 256

/** Bytes of one record in a stream of handovers (SPEC §10.6). */
export const RECORD_BYTES_MAX = 512 * 1024

/** Validators in one set, and signatures in one certificate. */
export const VALIDATORS_MAX = 128

/** Bytes of a legal name, in each language. */
export const NAME_BYTES_MAX = 512

/** Bytes that no leaf exceeds. */
export const LEAF_BYTES_MAX = 512

/** Hashes of the longest inclusion proof. */
export const INCLUSION_HASHES_MAX = 64

/** Bits of the longest path in the map (SPEC §9.11). */
export const MAP_DEPTH_MAX = 256

/** Bytes of the longest value in the map. */
export const MAP_VALUE_BYTES_MAX = 75

/** Answers of the map in one proof (SPEC §10.7). */
export const MAP_ENTRIES_MAX = 3

/** Revoked algorithms in one proof. */
export const MAP_ALGORITHMS_MAX = 64

/** Nodes of the state's tries in one proof (SPEC §10.11). */
export const REGISTRY_NODES_MAX = 4096

/** Records of organisations in one proof. */
export const REGISTRY_RECORDS_MAX = 129

/** Bytes of one of them. */
export const REGISTRY_NODE_BYTES_MAX = 1024

/** Bytes of a 統一編號. */
export const TAX_ID_BYTES_MAX = 8

/** Bytes of an LEI. */
export const LEI_BYTES_MAX = 20

/** Bytes of a jurisdiction. */
export const JURISDICTION_BYTES_MAX = 2

/** Nodes in a genesis file. */
export const NODES_MAX = 1024

/** Accounts in a genesis file. */
export const GENESIS_ACCOUNTS_MAX = 100_000

/** Objects and arrays within each other in JSON. */
export const JSON_DEPTH_MAX = 127

/** Bytes of the longest LEB128 number of the compact form. */
export const VARINT_BYTES_MAX = 9

/** Largest round that is encodable. */
export const ROUND_MAX = 2 ** 32 - 2

export const U16_MAX = 2n ** 16n - 1n
export const U32_MAX = 2n ** 32n - 1n
export const U64_MAX = 2n ** 64n - 1n

/** Integers above this are not exact in JSON (RFC 8785 §3.2.2.3). */
export const JSON_INTEGER_MAX = 2n ** 53n - 1n
