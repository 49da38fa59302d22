/** Times as people read them. */

/** RFC 3339, in UTC and in Taipei. */
export interface Times {
  readonly utc: string
  readonly taipei: string
}

/** The last millisecond that RFC 3339 can say with any offset. */
const LATEST_MS = 253_402_207_200_999n
/** Taiwan has had no summer time since 1979. */
const TAIPEI_MS = 8n * 3_600_000n

export function timesOf(ms: bigint): Times {
  if (ms > LATEST_MS) return { utc: `${ms} ms`, taipei: `${ms} ms` }
  return { utc: `${text(ms)}Z`, taipei: `${text(ms + TAIPEI_MS)}+08:00` }
}

/** Without an offset, and without zeros at the end of a fraction. */
function text(ms: bigint): string {
  const [seconds, fraction] = new Date(Number(ms)).toISOString().slice(0, -1).split('.')
  const digits = (fraction ?? '').replace(/0+$/, '')
  return digits === '' ? `${seconds}` : `${seconds}.${digits}`
}
