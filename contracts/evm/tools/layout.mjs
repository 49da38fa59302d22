// What a contract keeps where, and whether new code finds what old code wrote.

/** A type in words that do not change when something else in the sources does. */
function words(types, id) {
  const { encoding, label, numberOfBytes, key, value, base, members } = types[id]
  if (encoding === 'mapping') return `mapping(${words(types, key)} => ${words(types, value)})`
  if (base) return `${words(types, base)}${label.match(/\[\d*\]$/)[0]}`
  if (!members) return label
  const fields = members.map((it) => `${words(types, it.type)} ${it.label} @${it.slot}.${it.offset}`)
  return `${label} of ${numberOfBytes} bytes { ${fields.join('; ')} }`
}

/** Variables in the order of their places: slot, offset in it, bytes, type; from solc's layout. */
export function layoutOf({ storage, types }) {
  return storage.map(({ label, slot, offset, type }) => ({
    label,
    slot: Number(slot),
    offset,
    bytes: Number(types[type].numberOfBytes),
    type: words(types, type),
  }))
}

/** Bytes from the beginning of storage to a variable. */
const place = ({ slot, offset }) => 32 * slot + offset

/**
 * Why code with the layout `after` does not fit storage that was written with `before`; null if
 * it does. What was there stays where it was, as what it was; what is new comes behind it.
 */
export function misfit(before, after) {
  for (const [index, old] of before.entries()) {
    const found = after.find(({ label }) => label === old.label)
    if (!found) return `${old.label}: removed`
    if (place(found) !== place(old)) return `${old.label}: moved`
    if (found.type !== old.type || found.bytes !== old.bytes) return `${old.label}: retyped`
    if (after[index] !== found) return `${after[index].label}: in between`
  }
  const last = before.at(-1)
  const end = last ? place(last) + last.bytes : 0
  const early = after.slice(before.length).find((it) => place(it) < end)
  return early ? `${early.label}: in between` : null
}
