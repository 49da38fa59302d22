/** The JSON form (SPEC §10.3). What counts is the same as in the compact form. */
import { compare } from './bytes.js'
import type { Bundle, Handover } from './bundle.js'
import {
  certificate, type Certificate, type Checkpoint, type CommitSignature, type Decision,
} from './decision.js'
import { FormError } from './errors.js'
import type { JsonObject, JsonValue } from './json.js'
import { LeafError, decodeLeaf } from './leaf.js'
import { HANDOVERS_MAX, INCLUSION_HASHES_MAX, LEAF_BYTES_MAX, U32_MAX } from './limits.js'
import { Fields, objectOf } from './shape.js'
import { validatorSet, type NamedValidator } from './validators.js'

const FORMAT = 'tbsi-proof-1'

/**
 * Checks the shape of a bundle; what it returns checks the content, and gives the bundle. White
 * space and the order of keys are free. Shape comes first, content after it, as in every other
 * verifier: that decides which of two faults is told.
 */
export function bundleShape(value: JsonValue | undefined): () => Bundle {
  const fields = new Fields(value, 'proof', [
    'format', 'genesisHash', 'statement', 'leaf', 'leafIndex', 'inclusionProof', 'checkpoint',
    'certificate', 'validators', 'handovers',
  ])
  const format = fields.text('format')
  const genesisHash = fields.bytes('genesisHash', 32)
  const statement = objectOf(fields.get('statement'), 'proof field `statement`')
  const leaf = fields.bytes('leaf')
  const leafIndex = fields.integer('leafIndex')
  const inclusion = fields.hashes('inclusionProof')
  const shape = { checkpoint: fields.get('checkpoint'), certificate: fields.get('certificate') }
  const decision = decisionShape(shape.checkpoint, shape.certificate)
  const validators = fields.list('validators').map(readValidator)
  const handovers = fields.list('handovers').map(handoverShape)
  return () => {
    if (format !== FORMAT) {
      throw new FormError(
        'otherVersion',
        `not a proof in a form that is known here (\`${FORMAT}\`); use newer software`)
    }
    if (leaf.length > LEAF_BYTES_MAX) {
      throw new LeafError(`leaf has ${leaf.length} bytes, at most ${LEAF_BYTES_MAX} are allowed`)
    }
    atMost('inclusionProof', inclusion.length, INCLUSION_HASHES_MAX)
    atMost('handovers', handovers.length, HANDOVERS_MAX)
    if (!says(statement, decodeLeaf(leaf))) {
      throw new FormError(
        'form', 'proof field `statement` says something else than `leaf`; regenerate the proof')
    }
    return {
      genesisHash, leaf, leafIndex, inclusion,
      decision: checked(decision),
      validators: validatorSet(validators),
      handovers: handovers.map((it): Handover => ({
        validators: validatorSet(it.validators),
        last: checked(it.last),
        first: checked(it.first),
      })),
    }
  }
}

/** Refuses a list that is too long. */
export function atMost(field: string, got: number, max: number): void {
  if (got <= max) return
  throw new FormError(
    'unreadable', `proof field \`${field}\` has ${got} entries, at most ${max} are allowed`)
}

/** Whether an object has exactly these fields and values. */
function says(object: JsonObject, statement: Readonly<Record<string, unknown>>): boolean {
  const expected = Object.entries(statement)
  return object.fields.size === expected.length &&
    expected.every(([name, value]) => object.fields.get(name) === value)
}

function readValidator(value: JsonValue): NamedValidator {
  const fields = new Fields(value, 'validator', ['address', 'power', 'nameZhTw', 'nameEn'])
  return {
    address: fields.bytes('address', 20),
    power: fields.integer('power'),
    nameZhTw: fields.text('nameZhTw'),
    nameEn: fields.text('nameEn'),
  }
}

function handoverShape(value: JsonValue) {
  const fields = new Fields(value, 'handover', ['validators', 'last', 'first'])
  const decision = (name: string) => {
    const parts = new Fields(fields.get(name), name, ['checkpoint', 'certificate'])
    return decisionShape(parts.get('checkpoint'), parts.get('certificate'))
  }
  return {
    validators: fields.list('validators').map(readValidator),
    last: decision('last'),
    first: decision('first'),
  }
}

function decisionShape(checkpoint: JsonValue | undefined, cert: JsonValue | undefined): Decision {
  return { checkpoint: readCheckpoint(checkpoint), certificate: readCertificate(cert) }
}

function readCheckpoint(value: JsonValue | undefined): Checkpoint {
  const fields = new Fields(value, 'checkpoint', [
    'chainId', 'height', 'timeMs', 'blockHash', 'stateRoot', 'logSize', 'logRoot',
    'validatorSetHash', 'nextValidatorSetHash',
  ])
  return {
    chainId: fields.integer('chainId'),
    height: fields.integer('height'),
    timeMs: fields.integer('timeMs'),
    blockHash: fields.bytes('blockHash', 32),
    stateRoot: fields.bytes('stateRoot', 32),
    logSize: fields.integer('logSize'),
    logRoot: fields.bytes('logRoot', 32),
    validatorSetHash: fields.bytes('validatorSetHash', 32),
    nextValidatorSetHash: fields.bytes('nextValidatorSetHash', 32),
  }
}

function readCertificate(value: JsonValue | undefined): Certificate {
  const names = ['height', 'round', 'checkpointDigest', 'signatures']
  const fields = new Fields(value, 'certificate', names)
  return {
    height: fields.integer('height'),
    round: Number(fields.integer('round', U32_MAX)),
    checkpointDigest: fields.bytes('checkpointDigest', 32),
    signatures: fields.list('signatures').map((item): CommitSignature => {
      const entry = new Fields(item, 'signature', ['validator', 'signature'])
      return { validator: entry.bytes('validator', 20), signature: entry.bytes('signature') }
    }),
  }
}

/** What every certificate promises. */
function checked(decision: Decision): Decision {
  const { signatures } = decision.certificate
  const misplaced = signatures.some(({ validator }, at) =>
    at > 0 && compare((signatures[at - 1] as CommitSignature).validator, validator) >= 0)
  if (misplaced) {
    throw new FormError('form', 'proof field `signatures` is not in canonical form')
  }
  if (signatures.some(({ signature }) => signature.length !== 65)) {
    throw new FormError('form', 'proof field `signature` is not in canonical form')
  }
  return { ...decision, certificate: certificate(decision.certificate) }
}

