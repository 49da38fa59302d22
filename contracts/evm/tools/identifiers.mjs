// Computes tests/vectors/identifiers.json, independently of the contracts, and compares.
// UPDATE_VECTORS=1 writes it. test/Identifiers.t.sol holds the contracts to it.
import { readFileSync, writeFileSync } from 'node:fs'

const VECTORS = new URL('../../../tests/vectors/identifiers.json', import.meta.url)

/** Numbers that are the same on every run (Numerical Recipes' generator). */
function numbers(seed) {
  let state = seed >>> 0
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

const digitSum = (text) => [...text].reduce((sum, digit) => sum + Number(digit), 0)

/** 統一編號: all sums that the rule allows, over the digits of each product. */
function taxIdSums(text) {
  const weights = [1, 2, 1, 2, 1, 2, 4, 1]
  const products = weights.map((weight, at) => String(weight * Number(text[at])))
  const fixed = products.filter((_, at) => at !== 6).map(digitSum)
  const rest = fixed.reduce((a, b) => a + b, 0)
  // 4 * 7 = 28, 2 + 8 = 10: the digits of 10 count as 1 or as 0.
  const seventh = products[6] === '28' ? [1, 0] : [digitSum(products[6])]
  return seventh.map((value) => rest + value)
}

function taxId(text, note) {
  const shape = /^[0-9]{8}$/.test(text)
  const valid = shape && taxIdSums(text).some((sum) => sum % 5 === 0)
  return { text, valid, ...(note ? { note } : {}) }
}

/** LEI: the whole number in decimal, letters as 10 to 35. */
function leiNumber(text) {
  return BigInt([...text].map((letter) => parseInt(letter, 36)).join(''))
}

function lei(text, note) {
  const shape = /^[0-9A-Z]{18}[0-9]{2}$/.test(text)
  const valid = shape && leiNumber(text) % 97n === 1n
  return { text, valid, ...(note ? { note } : {}) }
}

function generatedTaxIds() {
  const next = numbers(8862026)
  return Array.from({ length: 160 }, (_, index) => {
    const digits = Array.from({ length: 8 }, () => next(10))
    if (index % 2) digits[6] = 7
    return taxId(digits.join(''), index % 2 ? 'seventh digit 7' : undefined)
  })
}

function generatedLeis() {
  const next = numbers(17442)
  const letters = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ'
  return Array.from({ length: 80 }, (_, index) => {
    const head = Array.from({ length: 18 }, () => letters[next(36)]).join('')
    const check = 98n - (leiNumber(`${head}00`) % 97n)
    // Half of them with wrong check digits.
    const wrong = index % 2 ? (check + BigInt(1 + next(96))) % 97n : check
    return lei(`${head}${String(wrong).padStart(2, '0')}`)
  })
}

const ZEROS = '0'.repeat(18)
const built = {
  description:
    'Identifiers of legal entities, valid if they can be one: a 統一編號 has 8 digits by the rule ' +
    'in force since 1 April 2023, an LEI 20 characters by ISO 17442, mod 97 = 1 (ISO 7064).',
  taxIds: [
    taxId('04595257', 'sum 40'),
    taxId('22099131', 'sum 30'),
    taxId('10458570', 'sum 25: by the new rule only'),
    taxId('12345678', 'sum 42'),
    taxId('00000000', 'sum 0'),
    taxId('', 'empty'),
    taxId('4595257', 'seven digits'),
    taxId('045952570', 'nine digits'),
    taxId('0459525a', 'a letter'),
    taxId('04595 57', 'a space'),
    taxId('-4595257', 'a sign'),
    taxId('０４５９５２５７', 'full-width digits'),
    ...generatedTaxIds(),
  ],
  leis: [
    lei('5493001KJTIIGC8Y1R12'),
    lei('506700GE1G29325QX363'),
    lei('5493001KJTIIGC8Y1R13', 'check digits'),
    lei('5493001KJTIIGC8Y1R21', 'check digits swapped'),
    lei('5493001KJTIIGC8Y1R1', 'nineteen characters'),
    lei('5493001KJTIIGC8Y1R120', 'twenty-one characters'),
    lei('5493001kjtiigc8y1r12', 'lower case'),
    lei('5493001KJTIIGC8Y1 12', 'a space'),
    lei('', 'empty'),
    lei(`${ZEROS}98`, 'zeros'),
    lei(`${ZEROS}97`, 'zeros with other check digits'),
    lei('5493001KJTIIGC8Y1RAB', 'letters as check digits'),
    ...generatedLeis(),
  ],
}

const text = `${JSON.stringify(built, null, 2)}\n`
const count = built.taxIds.length + built.leis.length
if (process.env.UPDATE_VECTORS === '1') {
  writeFileSync(VECTORS, text)
  console.log(`wrote tests/vectors/identifiers.json: ${count} cases`)
} else if (readFileSync(VECTORS, 'utf8') !== text) {
  console.error(
    'tests/vectors/identifiers.json is not what is computed; if the change is meant, ' +
      'run UPDATE_VECTORS=1 node tools/identifiers.mjs',
  )
  process.exit(1)
} else {
  console.log(`tests/vectors/identifiers.json: ${count} cases are what is computed`)
}
