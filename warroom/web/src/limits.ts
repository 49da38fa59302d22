/** Named maxima of the page, with their units. */

/** Bytes of one JSON answer of a war room. */
export const ANSWER_BYTES_MAX = 4 * 1024 * 1024
/** Times that a request is sent again after the war room said that there were too many. */
export const RETRIES_MAX = 8
/** Milliseconds between such requests, at most. */
export const RETRY_MS_MAX = 10_000
/** Bytes of a proof that is opened; more is refused before it is read. */
export const PROOF_BYTES_MAX = 32 * 1024 * 1024
/** Bytes of a time stamp. */
export const STAMP_BYTES_MAX = 64 * 1024
/** Bytes of a genesis file. */
export const GENESIS_BYTES_MAX = 64 * 1024 * 1024
/** Bytes of a salt file. */
export const SALT_BYTES_MAX = 68
/** Bytes of a document that is hashed in the page. */
export const DOCUMENT_BYTES_MAX = 16 * 1024 * 1024 * 1024
/** Bytes of a file of certificates. */
export const CERTIFICATES_BYTES_MAX = 256 * 1024
/** Files that are verified together: a document, its proof or time stamp, its salt. */
export const FILES_MAX = 4
/** Milliseconds that the verification of one proof may take. */
export const VERIFY_MS_MAX = 30_000
/** Milliseconds that a request may take. */
export const REQUEST_MS_MAX = 20_000
/** Leaves that are counted again without being asked to: about 1 MB. */
export const RECOUNT_UNASKED_LEAVES_MAX = 8_192
/** Leaves that are counted again at all; more is for `tbsi log audit`. */
export const RECOUNT_LEAVES_MAX = 4_000_000
/** Leaves after an attestation that are read for its revocation without asking. */
export const HISTORY_LEAVES_MAX = 65_536
/** Leaves of a log whose root is recomputed: 2^28, whose tiles of level 1 have 32 MiB. */
export const LOG_LEAVES_MAX = 2 ** 28
/** Requests for tiles at a time. */
export const TILES_AT_A_TIME = 6
/** Characters of a search. */
export const SEARCH_CHARS_MAX = 256
/** Milliseconds after which the newest checkpoint is called old. */
export const STALE_MS = 10 * 60_000
/** Milliseconds between two looks at the figures. */
export const REFRESH_MS = 15_000
/** Checkpoints that are remembered, one for each network. */
export const NETWORKS_MAX = 16
/** Nodes of a picture of provenance. */
export const GRAPH_NODES_MAX = 200
