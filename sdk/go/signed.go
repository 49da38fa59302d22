package tbsi

import (
	"encoding/binary"
	"math/bits"
)

const (
	checkpointBytes = 192
	// Bytes of a decision before its signatures: checkpoint, round, signers.
	decisionHead   = checkpointBytes + 4 + 16
	signatureBytes = 65
	// Bytes of a validator in the form that the set's hash covers.
	memberBytes = 20 + 8 + 32
)

// DecisionBytesMax bounds a decision: all of the largest set sign.
const DecisionBytesMax = decisionHead + ValidatorsMax*signatureBytes

// SetBytesMax bounds a validator set in the form that its hash covers.
const SetBytesMax = 2 + ValidatorsMax*memberBytes

// ValidatorSet is a set whose operators are ids without names, as its hash covers it (SPEC §14.2).
type ValidatorSet struct {
	members *set
	encoded []byte
}

// SetHash is the hash of SPEC §3.2 over the bytes after the tag, whatever they are.
func SetHash(encoded []byte) Hash { return sha([]byte("TBSI-VALIDATOR-SET-1"), encoded) }

// ParseSet reads `count u16 || { address 20 || power u64 || operator 32 } ...` and nothing else.
func ParseSet(encoded []byte) (*ValidatorSet, error) {
	count := 0
	if len(encoded) >= 2 {
		count = int(binary.BigEndian.Uint16(encoded))
	}
	if count < 1 || count > ValidatorsMax || len(encoded) != 2+count*memberBytes {
		const text = "a validator set is a count from 1 to %d and %d bytes for each, not %d bytes"
		return nil, named("ValidatorSetLength", text, ValidatorsMax, memberBytes, len(encoded))
	}
	found := &set{hash: SetHash(encoded)}
	before := Address{}
	for at := 2; at < len(encoded); at += memberBytes {
		position := len(found.validators)
		it := Validator{
			Address: Address(encoded[at : at+20]),
			Power:   binary.BigEndian.Uint64(encoded[at+20:]),
		}
		// The zero address is above none.
		if !above(it.Address, before) {
			const text = "validator at position %d is not above the one before: order them by address"
			return nil, named("ValidatorSetOrder", text, position)
		}
		sum, carry := bits.Add64(found.total, it.Power, 0)
		if it.Power == 0 {
			return nil, named("ValidatorSetNoPower", "validator at position %d has no power", position)
		}
		if carry != 0 {
			return nil, named("ValidatorSetPowerOverflow", "power is above 2^64 - 1 in all")
		}
		found.total, before = sum, it.Address
		found.validators = append(found.validators, it)
	}
	return &ValidatorSet{found, encoded}, nil
}

func above(a, b Address) bool {
	for i := range a {
		if a[i] != b[i] {
			return a[i] > b[i]
		}
	}
	return false
}

// Hash is the set's hash.
func (s *ValidatorSet) Hash() Hash { return s.members.hash }

// Count is the number of validators.
func (s *ValidatorSet) Count() int { return len(s.members.validators) }

// Power is that of all validators.
func (s *ValidatorSet) Power() uint64 { return s.members.total }

// Encoded gives the bytes that were parsed.
func (s *ValidatorSet) Encoded() []byte { return s.encoded }

// Signers is a bit for each position of a set, the lowest of the last byte for position 0.
type Signers [16]byte

// Has says whether the bit of a position is set.
func (s Signers) Has(position int) bool { return s[15-position/8]>>(position%8)&1 == 1 }

// SignedDecision is a decision in the form of SPEC §14.2, read and not verified.
type SignedDecision struct {
	Checkpoint Checkpoint
	Digest     Hash
	Round      uint32
	Signers    Signers
	signatures []byte
}

// ParseDecision reads `checkpoint 192 || round u32 || signers u128 || signatures`.
func (c Chain) ParseDecision(data []byte) (*SignedDecision, error) {
	if len(data) < decisionHead+signatureBytes || len(data) > DecisionBytesMax {
		const text = "a decision has %d to %d bytes, not %d"
		least := decisionHead + signatureBytes
		return nil, named("LightClientDecisionLength", text, least, DecisionBytesMax, len(data))
	}
	checkpoint, err := c.ParseCheckpoint(data[:checkpointBytes])
	if err != nil {
		return nil, err
	}
	return &SignedDecision{
		Checkpoint: *checkpoint,
		Digest:     checkpoint.digest(c),
		Round:      binary.BigEndian.Uint32(data[checkpointBytes:]),
		Signers:    Signers(data[checkpointBytes+4 : decisionHead]),
		signatures: data[decisionHead:],
	}, nil
}

// ParseCheckpoint reads the 192 bytes of a checkpoint of this chain.
func (c Chain) ParseCheckpoint(data []byte) (*Checkpoint, error) {
	if len(data) != checkpointBytes {
		const text = "a checkpoint has %d bytes, not %d"
		return nil, named("LightClientCheckpointLength", text, checkpointBytes, len(data))
	}
	checkpoint, err := DecodeCheckpoint(data)
	if err != nil {
		return nil, err
	}
	if checkpoint.ChainID != c.ChainID {
		const text = "checkpoint is of chain id %d, this client follows %d"
		return nil, named("LightClientChain", text, checkpoint.ChainID, c.ChainID)
	}
	return checkpoint, nil
}

// Digest is what the validators of a chain sign of the checkpoint (SPEC §3.6).
func (p *Checkpoint) Digest(chain Chain) Hash { return p.digest(chain) }

// Certify checks that the set validly signed the decision; the power of those who signed.
func (s *ValidatorSet) Certify(chain Chain, of *SignedDecision) (uint64, error) {
	if of.Checkpoint.ValidatorSetHash != s.members.hash {
		const text = "checkpoint names validator set %s, the set is %s: bring the handovers between"
		return 0, named("LightClientValidatorSet", text, of.Checkpoint.ValidatorSetHash, s.members.hash)
	}
	found := certificate{height: of.Checkpoint.Height, round: of.Round, digest: of.Digest}
	rest := of.signatures
	signed := 0
	for position := range 8 * len(of.Signers) {
		if !of.Signers.Has(position) {
			continue
		}
		if position >= s.Count() {
			const text = "a bit is set for position %d, the set has %d validators"
			return 0, named("CertificateSigners", text, position, s.Count())
		}
		signed++
		if len(rest) >= signatureBytes {
			it := signature{s.members.validators[position].Address, rest[:signatureBytes]}
			found.signatures = append(found.signatures, it)
			rest = rest[signatureBytes:]
		}
	}
	if len(of.signatures) != signed*signatureBytes {
		const text = "%d signers have %d bytes of signatures, not %d"
		return 0, named("CertificateSignaturesLength", text, signed, signed*signatureBytes, len(of.signatures))
	}
	_, power, err := countQuorum(chain, s.members, &found)
	switch {
	case err == nil:
		return power, nil
	case problemOf(err) == noQuorum:
		return 0, named("CertificateNoQuorum", "%s", err)
	}
	return 0, named("CertificateSignature", "%s: it is not the precommit of SPEC §3.5 with low s", err)
}
