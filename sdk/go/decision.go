package tbsi

import (
	"bytes"
	"math/bits"
	"sort"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"
)

// Chain is one network, exactly.
type Chain struct {
	ChainID     uint64
	GenesisHash Hash
}

// Validator is a validator and the legal names of who answers for it.
type Validator struct {
	Address          Address
	Power            uint64
	NameZhTW, NameEn string
}

// set is the validators of one height in address order, checked.
type set struct {
	validators []Validator
	total      uint64
	hash       Hash
}

func newSet(validators []Validator) (*set, error) {
	if len(validators) < 1 || len(validators) > ValidatorsMax {
		return nil, wrongForm("proof field `validators`: %d given, 1 to %d are allowed",
			len(validators), ValidatorsMax)
	}
	total, members := uint64(0), make([]byte, 0, 60*len(validators))
	for i, it := range validators {
		if i > 0 && bytes.Compare(validators[i-1].Address[:], it.Address[:]) >= 0 {
			return nil, wrongForm("validator %s is not in address order, each once", it.Address)
		}
		sum, carry := bits.Add64(total, it.Power, 0)
		if it.Power == 0 || carry != 0 {
			return nil, wrongForm("validator %s: voting power is 0 or too much in all", it.Address)
		}
		if len(it.NameZhTW) > NameBytesMax || len(it.NameEn) > NameBytesMax {
			return nil, wrongForm("validator %s: a name has more than %d bytes", it.Address, NameBytesMax)
		}
		total = sum
		operator := OperatorID(it.NameZhTW, it.NameEn)
		members = append(append(append(members, it.Address[:]...), u64(it.Power)...), operator[:]...)
	}
	hash := sha([]byte("TBSI-VALIDATOR-SET-1"), u16(uint16(len(validators))), members)
	return &set{validators, total, hash}, nil
}

func OperatorID(nameZhTW, nameEn string) Hash {
	return sha([]byte("TBSI-OPERATOR-1"), u32(uint32(len(nameZhTW))), []byte(nameZhTW),
		u32(uint32(len(nameEn))), []byte(nameEn))
}

func (s *set) get(address Address) *Validator {
	at := sort.Search(len(s.validators), func(i int) bool {
		return bytes.Compare(s.validators[i].Address[:], address[:]) >= 0
	})
	if at < len(s.validators) && s.validators[at].Address == address {
		return &s.validators[at]
	}
	return nil
}

// Checkpoint is what validators sign at a height (SPEC §3.6).
type Checkpoint struct {
	ChainID, Height, TimeMs                uint64
	BlockHash, StateRoot                   Hash
	LogSize                                uint64
	LogRoot                                Hash
	ValidatorSetHash, NextValidatorSetHash Hash
}

// Encode gives its 192 bytes.
func (p *Checkpoint) Encode() []byte {
	return bytes.Join([][]byte{
		u64(p.ChainID), u64(p.Height), u64(p.TimeMs), p.BlockHash[:], p.StateRoot[:],
		u64(p.LogSize), p.LogRoot[:], p.ValidatorSetHash[:], p.NextValidatorSetHash[:],
	}, nil)
}

// DecodeCheckpoint reads 192 bytes.
func DecodeCheckpoint(data []byte) (*Checkpoint, error) {
	c := &cursor{data: data}
	found := &Checkpoint{
		ChainID: c.uint("chain id", 8), Height: c.uint("height", 8), TimeMs: c.uint("time", 8),
		BlockHash: c.hash("block hash"), StateRoot: c.hash("state root"),
		LogSize: c.uint("log size", 8), LogRoot: c.hash("log root"),
		ValidatorSetHash:     c.hash("validator-set hash"),
		NextValidatorSetHash: c.hash("next validator-set hash"),
	}
	c.end()
	return found, c.err
}

func (p *Checkpoint) digest(chain Chain) Hash {
	return sha([]byte("TBSI-CHECKPOINT-1"), chain.GenesisHash[:], p.Encode())
}

type signature struct {
	validator Address
	bytes     []byte
}

type certificate struct {
	height     uint64
	round      uint32
	digest     Hash
	signatures []signature
}

// check is what every certificate promises (SPEC §3.7).
func (c *certificate) check() error {
	if len(c.signatures) > ValidatorsMax || c.round > roundMax {
		return wrongForm("certificate: %d signatures, round %d", len(c.signatures), c.round)
	}
	for i, it := range c.signatures {
		if i > 0 && bytes.Compare(c.signatures[i-1].validator[:], it.validator[:]) >= 0 {
			return wrongForm("proof field `signatures` is not in canonical form")
		}
		if len(it.bytes) != 65 {
			return wrongForm("proof field `signature` is not in canonical form")
		}
	}
	return nil
}

// precommit is what each signature is over (SPEC §3.5).
func (c *certificate) precommit(chain Chain) Hash {
	return sha([]byte("TBSI-VOTE-1"), u64(chain.ChainID), chain.GenesisHash[:], []byte{2},
		u64(c.height), u32(c.round), []byte{1}, c.digest[:])
}

type decision struct {
	checkpoint  Checkpoint
	certificate certificate
}

// recoverSigner gives the address whose key signed; false for any form but r || s || v, low s.
func recoverSigner(digest Hash, signed []byte) (Address, bool) {
	if len(signed) != 65 || (signed[64] != 27 && signed[64] != 28) {
		return Address{}, false
	}
	var s secp256k1.ModNScalar
	if s.SetByteSlice(signed[32:64]) || s.IsOverHalfOrder() {
		return Address{}, false
	}
	compact := append([]byte{signed[64]}, signed[:64]...)
	key, _, err := ecdsa.RecoverCompact(compact, digest[:])
	if err != nil {
		return Address{}, false
	}
	hash := keccak(key.SerializeUncompressed()[1:])
	return Address(hash[12:]), true
}

// countQuorum gives the signers of a certificate that is valid for the set, and their power.
func countQuorum(chain Chain, members *set, of *certificate) ([]Validator, uint64, error) {
	digest, power := of.precommit(chain), uint64(0)
	signers := make([]Validator, 0, len(of.signatures))
	for _, it := range of.signatures {
		member := members.get(it.validator)
		if member == nil {
			const text = "%s signed the certificate but is not in the validator set"
			return nil, 0, refuse(other, text, it.validator)
		}
		if signer, ok := recoverSigner(digest, it.bytes); !ok || signer != it.validator {
			return nil, 0, refuse(badSignature, "signature of validator %s", it.validator)
		}
		// Distinct members weigh at most the total, which fits.
		power += member.Power
		signers = append(signers, *member)
	}
	if !isQuorum(power, members.total) {
		const text = "signatures carry %d of %d voting power, strictly more than 2/3 is needed"
		return nil, 0, refuse(noQuorum, text, power, members.total)
	}
	return signers, power, nil
}

// isQuorum is 3 * power > 2 * total, in 128 bits.
func isQuorum(power, total uint64) bool {
	high, low := bits.Mul64(3, power)
	otherHigh, otherLow := bits.Mul64(2, total)
	return high > otherHigh || (high == otherHigh && low > otherLow)
}
