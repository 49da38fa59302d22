package tbsi

import (
	"encoding/hex"
	"strings"
)

const format = "tbsi-proof-1"

// shape reads objects whose keys are known; after its first failure it gives zeros.
type shape struct{ err error }

func (s *shape) fail(problem string, values ...any) {
	if s.err == nil {
		s.err = unreadable("proof is not valid JSON of the expected shape: "+problem, values...)
	}
}

// fields is an object with just these keys; an empty one after a failure.
func (s *shape) fields(value any, where string, names ...string) *object {
	found := s.object(value, where)
	for _, it := range found.fields {
		if !contains(names, it.Name) {
			s.fail("%s has an unknown field `%s`", where, it.Name)
		}
	}
	for _, name := range names {
		if _, ok := found.get(name); !ok {
			s.fail("%s lacks the field `%s`", where, name)
		}
	}
	return found
}

func contains(names []string, name string) bool {
	for _, it := range names {
		if it == name {
			return true
		}
	}
	return false
}

func (s *shape) object(value any, where string) *object {
	found, ok := value.(*object)
	if !ok || found.repeated {
		s.fail("%s must be an object without repeated fields", where)
		return &object{}
	}
	return found
}

func (s *shape) text(of *object, name string) string {
	value, _ := of.get(name)
	text, ok := value.(string)
	if !ok {
		s.fail("`%s` must be a string", name)
	}
	return text
}

func (s *shape) integer(of *object, name string, most uint64) uint64 {
	value, _ := of.get(name)
	number, ok := value.(uint64)
	if !ok || number > most {
		s.fail("`%s` must be an integer from 0 to %d", name, most)
		return 0
	}
	return number
}

func (s *shape) list(of *object, name string) []any {
	value, _ := of.get(name)
	list, ok := value.([]any)
	if !ok {
		s.fail("`%s` must be a list", name)
	}
	return list
}

// hex is `0x` and digits in small letters; length -1 is any.
func (s *shape) hex(value any, name string, length int) []byte {
	text, _ := value.(string)
	digits, ok := strings.CutPrefix(text, "0x")
	data, err := hex.DecodeString(digits)
	if !ok || err != nil || digits != strings.ToLower(digits) || (length >= 0 && len(data) != length) {
		s.fail("`%s` must be 0x and hex digits in small letters", name)
		return make([]byte, max(length, 0))
	}
	return data
}

func (s *shape) bytes(of *object, name string, length int) []byte {
	value, _ := of.get(name)
	return s.hex(value, name, length)
}

func (s *shape) hash(of *object, name string) Hash { return Hash(s.bytes(of, name, 32)) }

type handoverShape struct {
	validators  []Validator
	last, first decision
}

// readJSON reads the JSON form (SPEC §10.3). Shape comes first, content after it, as in every
// other verifier: that decides which of two faults is told.
func readJSON(data []byte) (*bundle, error) {
	if len(data) > BundleJSONBytesMax {
		return nil, unreadable("proof has %d bytes, at most %d are allowed", len(data), BundleJSONBytesMax)
	}
	value, err := parseJSON(data)
	if err != nil {
		return nil, err
	}
	s := &shape{}
	top := s.fields(value, "proof", "format", "genesisHash", "statement", "leaf", "leafIndex",
		"inclusionProof", "checkpoint", "certificate", "validators", "handovers")
	name := s.text(top, "format")
	given, _ := top.get("statement")
	statement := s.object(given, "statement")
	b := &bundle{genesisHash: s.hash(top, "genesisHash"), leaf: s.bytes(top, "leaf", -1)}
	b.leafIndex = s.integer(top, "leafIndex", 1<<64-1)
	for _, it := range s.list(top, "inclusionProof") {
		b.inclusion = append(b.inclusion, Hash(s.hex(it, "inclusionProof", 32)))
	}
	b.decision = s.decision(top)
	validators := s.validators(top)
	var handovers []handoverShape
	for _, it := range s.list(top, "handovers") {
		part := s.fields(it, "handover", "validators", "last", "first")
		last, _ := part.get("last")
		first, _ := part.get("first")
		handovers = append(handovers, handoverShape{
			s.validators(part),
			s.decision(s.fields(last, "last", "checkpoint", "certificate")),
			s.decision(s.fields(first, "first", "checkpoint", "certificate")),
		})
	}
	switch {
	case s.err != nil:
		return nil, s.err
	case name != format:
		return nil, otherVersion("not a proof in a form that is known here (`%s`)", format)
	case len(b.leaf) > LeafBytesMax:
		return nil, wrongForm("leaf has %d bytes, at most %d are allowed", len(b.leaf), LeafBytesMax)
	case len(b.inclusion) > InclusionHashesMax || len(handovers) > HandoversMax:
		return nil, unreadable("proof has too many hashes or handovers")
	}
	return b, b.content(statement, validators, handovers)
}

// content checks what the shape does not say, and fills in sets and handovers.
func (b *bundle) content(statement *object, validators []Validator, given []handoverShape) error {
	leaf, err := DecodeLeaf(b.leaf)
	if err != nil {
		return err
	}
	if !says(statement, leaf.statement()) {
		return wrongForm("proof field `statement` says something else than `leaf`")
	}
	if err = b.decision.certificate.check(); err != nil {
		return err
	}
	if b.validators, err = newSet(validators); err != nil {
		return err
	}
	for _, it := range given {
		old, err := newSet(it.validators)
		if err != nil {
			return err
		}
		if err = it.last.certificate.check(); err != nil {
			return err
		}
		if err = it.first.certificate.check(); err != nil {
			return err
		}
		b.handovers = append(b.handovers, handover{old, it.last, it.first})
	}
	return nil
}

// says compares an object with what it must have, field by field.
func says(given *object, expected []Field) bool {
	for _, it := range expected {
		value, ok := given.get(it.Name)
		if !ok {
			return false
		}
		switch value.(type) {
		case uint64, bool, string:
			if value != it.Value {
				return false
			}
		default:
			return false
		}
	}
	return len(given.fields) == len(expected)
}

func (s *shape) validators(of *object) []Validator {
	var validators []Validator
	for _, it := range s.list(of, "validators") {
		part := s.fields(it, "validator", "address", "power", "nameZhTw", "nameEn")
		validators = append(validators, Validator{
			Address(s.bytes(part, "address", 20)), s.integer(part, "power", 1<<64-1),
			s.text(part, "nameZhTw"), s.text(part, "nameEn"),
		})
	}
	return validators
}

func (s *shape) decision(of *object) decision {
	given, _ := of.get("checkpoint")
	part := s.fields(given, "checkpoint", "chainId", "height", "timeMs", "blockHash", "stateRoot",
		"logSize", "logRoot", "validatorSetHash", "nextValidatorSetHash")
	number := func(name string) uint64 { return s.integer(part, name, 1<<64-1) }
	found := decision{checkpoint: Checkpoint{
		ChainID: number("chainId"), Height: number("height"), TimeMs: number("timeMs"),
		BlockHash: s.hash(part, "blockHash"), StateRoot: s.hash(part, "stateRoot"),
		LogSize: number("logSize"), LogRoot: s.hash(part, "logRoot"),
		ValidatorSetHash:     s.hash(part, "validatorSetHash"),
		NextValidatorSetHash: s.hash(part, "nextValidatorSetHash"),
	}}
	given, _ = of.get("certificate")
	part = s.fields(given, "certificate", "height", "round", "checkpointDigest", "signatures")
	found.certificate = certificate{
		height: number("height"), round: uint32(s.integer(part, "round", 1<<32-1)),
		digest: s.hash(part, "checkpointDigest"),
	}
	for _, it := range s.list(part, "signatures") {
		entry := s.fields(it, "signature", "validator", "signature")
		found.certificate.signatures = append(found.certificate.signatures, signature{
			Address(s.bytes(entry, "validator", 20)), s.bytes(entry, "signature", -1),
		})
	}
	return found
}
