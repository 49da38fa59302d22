package tbsi

import (
	"errors"

	"tbsi.invalid/sdk/strict"
)

const format = "tbsi-proof-1"

// shape reads the parts of a proof.
type shape struct{ strict.Shape }

func (s *shape) hash(of *strict.Object, name string) Hash { return Hash(s.Bytes(of, name, 32)) }

func (s *shape) hashes(of *strict.Object, name string) []Hash {
	var hashes []Hash
	for _, it := range s.List(of, name) {
		hashes = append(hashes, Hash(s.Hex(it, name, 32)))
	}
	return hashes
}

type handoverShape struct {
	validators  []Validator
	last, first decision
}

// notStrict is why a text is no JSON form of a proof, as an error of this package.
func notStrict(err error) error {
	var found *strict.Error
	if errors.As(err, &found) {
		return unreadable("%s", found)
	}
	return err
}

// bundleShape is a bundle of which the content is not checked.
type bundleShape struct {
	format     string
	statement  *strict.Object
	bundle     bundle
	validators []Validator
	handovers  []handoverShape
}

// readJSON reads the JSON form (SPEC §10.3, §10.7). Shape comes first, content after it, as in
// every other verifier: that decides which of two faults is told.
func readJSON(data []byte) (*proof, error) {
	if len(data) > BundleJSONBytesMax {
		return nil, unreadable("proof has %d bytes, at most %d are allowed", len(data), BundleJSONBytesMax)
	}
	const what = "proof"
	value, err := strict.Parse(what, data)
	if err != nil {
		return nil, notStrict(err)
	}
	if top, ok := value.(*strict.Object); ok {
		name, _ := top.Get("format")
		if isWithRegistry(name) {
			return readWithRegistry(value)
		}
		if name == formatWithMap {
			return readWithMap(value)
		}
	}
	s := &shape{strict.Shape{What: what}}
	given := s.bundle(value)
	if s.Err != nil {
		return nil, notStrict(s.Err)
	}
	found, err := given.content()
	return &proof{bundle: found}, err
}

func (s *shape) bundle(value any) *bundleShape {
	top := s.Fields(value, "proof", "format", "genesisHash", "statement", "leaf", "leafIndex",
		"inclusionProof", "checkpoint", "certificate", "validators", "handovers")
	statement, _ := top.Get("statement")
	given := &bundleShape{
		format: s.Text(top, "format"), statement: s.Object(statement, "statement"),
		bundle: bundle{
			genesisHash: s.hash(top, "genesisHash"), leaf: s.Bytes(top, "leaf", -1),
			leafIndex: s.Integer(top, "leafIndex", 1<<64-1), inclusion: s.hashes(top, "inclusionProof"),
			decision: s.decision(top),
		},
		validators: s.validators(top),
	}
	for _, it := range s.List(top, "handovers") {
		part := s.Fields(it, "handover", "validators", "last", "first")
		last, _ := part.Get("last")
		first, _ := part.Get("first")
		given.handovers = append(given.handovers, handoverShape{
			s.validators(part),
			s.decision(s.Fields(last, "last", "checkpoint", "certificate")),
			s.decision(s.Fields(first, "first", "checkpoint", "certificate")),
		})
	}
	return given
}

// content checks what the shape does not say.
func (g *bundleShape) content() (*bundle, error) {
	b := &g.bundle
	switch {
	case g.format != format:
		return nil, otherVersion("not a proof in a form that is known here (`%s`)", format)
	case len(b.leaf) > LeafBytesMax:
		return nil, wrongForm("leaf has %d bytes, at most %d are allowed", len(b.leaf), LeafBytesMax)
	case len(b.inclusion) > InclusionHashesMax || len(g.handovers) > HandoversMax:
		return nil, unreadable("proof has too many hashes or handovers")
	}
	leaf, err := DecodeLeaf(b.leaf)
	if err != nil {
		return nil, err
	}
	if !says(g.statement, leaf.statement()) {
		return nil, wrongForm("proof field `statement` says something else than `leaf`")
	}
	if err = b.decision.certificate.check(); err != nil {
		return nil, err
	}
	if b.validators, err = newSet(g.validators); err != nil {
		return nil, err
	}
	for _, it := range g.handovers {
		old, err := newSet(it.validators)
		if err != nil {
			return nil, err
		}
		if err = it.last.certificate.check(); err != nil {
			return nil, err
		}
		if err = it.first.certificate.check(); err != nil {
			return nil, err
		}
		b.handovers = append(b.handovers, handover{old, it.last, it.first})
	}
	return b, nil
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
