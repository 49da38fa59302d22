/** Named maxima of the client, with their units. */

/** Bytes of one answer of a node: what a node sends at most. */
export const ANSWER_BYTES_MAX = 25 * 1024 * 1024

/** Milliseconds that one call may take. */
export const CALL_MS_MAX = 30_000

/** Milliseconds until a transaction must be final. */
export const FINALITY_MS_MAX = 60_000

/** Milliseconds between two looks at whether a transaction is final. */
export const POLL_MS = 200

/** Words of 32 bytes in one transaction (SPEC §12.9). */
export const BATCH_WORDS_MAX = 13_000

/** Documents in one call of `attestBatch`. */
export const DOCUMENTS_MAX = 130_000

/** Proofs that are fetched at a time. */
export const PROOFS_AT_A_TIME = 8

/** Pages of 256 entries that `findAll` reads. */
export const PAGES_MAX = 4_096

/** Entries that a subscription holds for a caller that does not read them. */
export const UNREAD_ENTRIES_MAX = 16_384

/** Bytes of one message of a subscription. */
export const MESSAGE_BYTES_MAX = 1024 * 1024
