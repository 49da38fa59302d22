// What all verifiers share: tests/vectors of the repository.
import { readFileSync } from 'node:fs'

export function read(name) {
  return JSON.parse(readFileSync(new URL(`../../../tests/vectors/${name}`, import.meta.url), 'utf8'))
}

export function bytes(hex) {
  return new Uint8Array(Buffer.from(hex.slice(2), 'hex'))
}

/** Each case of bundle.json in each form that it has, as a question without its trust. */
export function bundleCases() {
  const { genesis, genesisHash, cases } = read('bundle.json')
  return cases.flatMap((it) => {
    const trust = it.trustedCheckpoint === undefined
      ? { genesis: JSON.stringify(genesis) }
      : { encodedCheckpoint: it.trustedCheckpoint, genesisHash }
    const forms = [
      ['compact', it.compact && bytes(it.compact)],
      ['json', it.json && JSON.stringify(it.json)],
    ]
    const given = forms.filter(([, proof]) => proof !== undefined)
    return given.map(([form, proof]) => ({ ...it, name: `${it.name} (${form})`, proof, trust }))
  })
}
