// What the three client tests share: named checks, deadlines, and the order to stop in.
import assert from 'node:assert/strict'

/** Milliseconds within which a network may answer one request or decide one transaction. */
export const ANSWER_MS = 30_000

/** Runs `body`, prints `ok name`, and returns what `body` returned. */
export async function check(name, body) {
  let result
  try {
    result = await within(ANSWER_MS * 2, body(), 'this check')
  } catch (error) {
    throw new Error(`${name}: ${error.stack ?? error}`)
  }
  console.log(`ok ${name}`)
  return result
}

/** The value of `promise`, or an error if it takes longer than `ms`. */
export async function within(ms, promise, what) {
  let timer
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took more than ${ms} ms`)), ms)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

/** Whether `condition` becomes true within `ms`. */
export async function eventually(ms, condition) {
  const deadline = Date.now() + ms
  while (!condition()) {
    if (Date.now() > deadline) return false
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return true
}

/** What `promise` is rejected with; an error if it is not. */
export async function rejection(promise, what) {
  let value
  try {
    value = await promise
  } catch (error) {
    return error
  }
  assert.fail(`${what} is expected to be refused, but gave ${String(value)}`)
}

/**
 * Runs a client's checks against the RPC whose URLs the command line names, then ends the
 * process: sockets that a client leaves open are not its test's concern.
 */
export async function main(client, checks) {
  const [http, ws] = process.argv.slice(2)
  if (http === undefined || ws === undefined) {
    console.error(`usage: node ${client}.mjs HTTP_URL WS_URL`)
    process.exit(2)
  }
  try {
    await checks(http, ws)
  } catch (error) {
    console.error(`FAILED ${client}: ${error.message}`)
    process.exit(1)
  }
  process.exit(0)
}
