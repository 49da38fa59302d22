package tbsi

import (
	"errors"

	"tbsi.invalid/sdk/strict"
)

const format = "tbsi-proof-1"

// shape reads the parts of a proof.
type shape struct{ strict.Shape }

func (s *shape) hash(of *strict.Object, name string) Hash { return Hash(s.Bytes(of, name, 32)) }

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
	const what = "proof"
	value, err := strict.Parse(what, data)
	if err != nil {
		return nil, notStrict(err)
	}
	s := &shape{strict.Shape{What: what}}
	top := s.Fields(value, "proof", "format", "genesisHash", "statement", "leaf", "leafIndex",
		"inclusionProof", "checkpoint", "certificate", "validators", "handovers")
	name := s.Text(top, "format")
	given, _ := top.Get("statement")
	statement := s.Object(given, "statement")
	b := &bundle{genesisHash: s.hash(top, "genesisHash"), leaf: s.Bytes(top, "leaf", -1)}
	b.leafIndex = s.Integer(top, "leafIndex", 1<<64-1)
	for _, it := range s.List(top, "inclusionProof") {
		b.inclusion = append(b.inclusion, Hash(s.Hex(it, "inclusionProof", 32)))
	}
	b.decision = s.decision(top)
	validators := s.validators(top)
	var handovers []handoverShape
	for _, it := range s.List(top, "handovers") {
		part := s.Fields(it, "handover", "validators", "last", "first")
		last, _ := part.Get("last")
		first, _ := part.Get("first")
		handovers = append(handovers, handoverShape{
			s.validators(part),
			s.decision(s.Fields(last, "last", "checkpoint", "certificate")),
			s.decision(s.Fields(first, "first", "checkpoint", "certificate")),
		})
	}
	switch {
	case s.Err != nil:
		return nil, notStrict(s.Err)
	case name != format:
		return nil, otherVersion("not a proof in a form that is known here (`%s`)", format)
	case len(b.leaf) > LeafBytesMax:
		return nil, wrongForm("leaf has %d bytes, at most %d are allowed", len(b.leaf), LeafBytesMax)
	case len(b.inclusion) > InclusionHashesMax || len(handovers) > HandoversMax:
		return nil, unreadable("proof has too many hashes or handovers")
	}
	return b, b.content(statement, validators, handovers)
}

// notStrict is why a text is no JSON form of a proof, as an error of this package.
func notStrict(err error) error {
	var found *strict.Error
	if errors.As(err, &found) {
		return unreadable("%s", found)
	}
	return err
}

// content checks what the shape does not say, and fills in sets and handovers.
func (b *bundle) content(statement *strict.Object, validators []Validator, given []handoverShape) error {
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
func says(given *strict.Object, expected []Field) bool {
	for _, it := range expected {
		value, ok := given.Get(it.Name)
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
	return len(given.Fields) == len(expected)
}

func (s *shape) validators(of *strict.Object) []Validator {
	var validators []Validator
	for _, it := range s.List(of, "validators") {
		part := s.Fields(it, "validator", "address", "power", "nameZhTw", "nameEn")
		validators = append(validators, Validator{
			Address(s.Bytes(part, "address", 20)), s.Integer(part, "power", 1<<64-1),
			s.Text(part, "nameZhTw"), s.Text(part, "nameEn"),
		})
	}
	return validators
}

func (s *shape) decision(of *strict.Object) decision {
	given, _ := of.Get("checkpoint")
	part := s.Fields(given, "checkpoint", "chainId", "height", "timeMs", "blockHash", "stateRoot",
		"logSize", "logRoot", "validatorSetHash", "nextValidatorSetHash")
	number := func(name string) uint64 { return s.Integer(part, name, 1<<64-1) }
	found := decision{checkpoint: Checkpoint{
		ChainID: number("chainId"), Height: number("height"), TimeMs: number("timeMs"),
		BlockHash: s.hash(part, "blockHash"), StateRoot: s.hash(part, "stateRoot"),
		LogSize: number("logSize"), LogRoot: s.hash(part, "logRoot"),
		ValidatorSetHash:     s.hash(part, "validatorSetHash"),
		NextValidatorSetHash: s.hash(part, "nextValidatorSetHash"),
	}}
	given, _ = of.Get("certificate")
	part = s.Fields(given, "certificate", "height", "round", "checkpointDigest", "signatures")
	found.certificate = certificate{
		height: number("height"), round: uint32(s.Integer(part, "round", 1<<32-1)),
		digest: s.hash(part, "checkpointDigest"),
	}
	for _, it := range s.List(part, "signatures") {
		entry := s.Fields(it, "signature", "validator", "signature")
		found.certificate.signatures = append(found.certificate.signatures, signature{
			Address(s.Bytes(entry, "validator", 20)), s.Bytes(entry, "signature", -1),
		})
	}
	return found
}
