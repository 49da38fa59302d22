package tbsi

import "fmt"

// StatusAge is how old what the map says may be, in milliseconds, and when. No clock is asked.
type StatusAge struct{ MaxAgeMs, AtMs uint64 }

// Known is up to where, and until when, something is known. Without Timed, the map had not caught
// up with digests, and no part of the proof has the time.
type Known struct {
	Height, TimeMs uint64
	Timed          bool
}

// Status is what became of an attestation (SPEC §12.4), except for countersignatures.
type Status struct {
	// Nil if there is none that counts.
	Revocation       *Revocation
	Supersession     *Supersession
	AlgorithmRevoked bool
}

// DigestAnswer says where a digest was first attested; First is nil if it was not.
type DigestAnswer struct {
	Digest []byte
	First  *Place
}

// Map is what a proof says of what is current (SPEC §10.7).
type Map struct {
	// Root is the leaf with the map's root.
	Root      *Leaf
	LeafIndex uint64
	// Of what is said of attestations, and of digests.
	Known, DigestsKnown Known
	// Status of the report's leaf; nil if digests are asked for.
	Status  *Status
	Digests []DigestAnswer
}

const somethingElse = "it is asked about something else than the proof is of"

// verify: the bundle holds, and has been found in report.
func (p *mapPart) verify(report *Report, chain Chain) (*Map, error) {
	at := &report.Decision.Checkpoint
	found := &Map{Root: report.Leaf, LeafIndex: report.LeafIndex}
	if p.root != nil {
		leaf, err := p.root.verify(at, chain)
		if err != nil {
			return nil, err
		}
		found.Root, found.LeafIndex = leaf, p.root.leafIndex
	}
	root := found.Root
	if root.Kind != "mapRoot" {
		return nil, fmt.Errorf("the leaf with its root is of another kind: %s", root.Kind)
	}
	height, digestHeight := root.number("mapHeight"), root.number("digestHeight")
	if root.Height == 0 || height != root.Height-1 || digestHeight > height {
		const text = "its root is not as of the block before its own, %d: it says %d, and %d for digests"
		return nil, fmt.Errorf(text, root.Height, height, digestHeight)
	}
	if err := p.checkAlgorithms(root); err != nil {
		return nil, err
	}
	answers, err := p.answers(root)
	if err != nil {
		return nil, err
	}
	found.Known = Known{height, root.TimeMs, true}
	if found.LeafIndex == at.LogSize-1 {
		// Nothing was said since.
		found.Known = Known{at.Height, at.TimeMs, true}
	}
	found.DigestsKnown = found.Known
	if digestHeight != height {
		found.DigestsKnown = Known{Height: digestHeight}
	}
	if p.root == nil {
		found.Digests, err = p.digests(answers)
	} else {
		found.Status, err = p.status(report, answers)
	}
	if err != nil {
		return nil, err
	}
	return found, nil
}

// verify gives the leaf, which is in the checkpoint's log.
func (r *rootLeaf) verify(at *Checkpoint, chain Chain) (*Leaf, error) {
	leaf, err := DecodeLeaf(r.leaf)
	if err != nil {
		return nil, err
	}
	if leaf.ChainID != chain.ChainID {
		return nil, fmt.Errorf("leaf is of chain id %d, trusted is %d", leaf.ChainID, chain.ChainID)
	}
	if err := leaf.checkPlace(at, chain); err != nil {
		return nil, err
	}
	root, err := rootOf(leafHash(r.leaf), r.leafIndex, at.LogSize, r.inclusion)
	if err == nil && root != at.LogRoot {
		err = fmt.Errorf("it leads to log root %s", root)
	}
	if err != nil {
		return nil, fmt.Errorf("inclusion of the map's root: %w", err)
	}
	return leaf, nil
}

func (leaf *Leaf) field(name string) any {
	for _, it := range leaf.Fields {
		if it.Name == name {
			return it.Value
		}
	}
	return nil
}

func (leaf *Leaf) number(name string) uint64 {
	value, _ := leaf.field(name).(uint64)
	return value
}

func (p *mapPart) checkAlgorithms(root *Leaf) error {
	var codes []byte
	for i, code := range p.algorithms {
		if i > 0 && p.algorithms[i-1] >= code {
			return fmt.Errorf("revoked algorithms must be in ascending order, each once")
		}
		codes = append(codes, u32(code)...)
	}
	if sha(codes).String() != root.field("revokedAlgorithmsHash") {
		return fmt.Errorf("revoked algorithms are not those of the map root")
	}
	return nil
}

// answers gives what the map holds for each question; nil for nothing.
func (p *mapPart) answers(root *Leaf) ([]*held, error) {
	if len(p.entries) == 0 {
		return nil, fmt.Errorf("it is asked nothing")
	}
	answers := make([]*held, len(p.entries))
	for i := range p.entries {
		it := &p.entries[i]
		for before := range i {
			if it.asked.equal(&p.entries[before].asked) {
				return nil, fmt.Errorf("it is asked one question twice")
			}
		}
		computed, err := it.answer.root(it.asked.key())
		if err != nil {
			return nil, err
		}
		if computed.String() != root.field("root") {
			return nil, fmt.Errorf("answer leads to root %s, expected %v", computed, root.field("root"))
		}
		if it.answer.end != ownEntry {
			continue
		}
		if answers[i], err = it.asked.readValue(it.answer.value); err != nil {
			return nil, err
		}
	}
	return answers, nil
}

func (p *mapPart) digests(answers []*held) ([]DigestAnswer, error) {
	digests := make([]DigestAnswer, len(answers))
	for i, it := range answers {
		question := &p.entries[i].asked
		if question.kind != askedDigest {
			const text = "%s: its root alone answers for digests, not for a %s"
			return nil, fmt.Errorf(text, somethingElse, kindNames[question.kind])
		}
		digests[i].Digest = question.parts
		if it != nil {
			digests[i].First = &it.first
		}
	}
	return digests, nil
}

// The built-in schemas, which allow revocation (SPEC §12.5).
var builtIn = [...]string{
	keccak([]byte("tbsi:file:v1")).String(), keccak([]byte("tbsi:salted-file:v1")).String(),
}

// status is that of the bundle's attestation, from its issuer's entry and its schema's.
func (p *mapPart) status(report *Report, answers []*held) (*Status, error) {
	leaf := report.Leaf
	if leaf.Kind != "attestation" {
		return nil, fmt.Errorf("a status is stapled to an attestation, not to a %s", leaf.Kind)
	}
	if report.LeafIndex >= p.root.leafIndex {
		const text = "its root is leaf %d, the attestation is leaf %d and later"
		return nil, fmt.Errorf(text, p.root.leafIndex, report.LeafIndex)
	}
	expected := asked{askedStatus, append(append([]byte{}, leaf.ID[:]...), leaf.Issuer[:]...)}
	if !p.entries[0].asked.equal(&expected) {
		return nil, fmt.Errorf("%s: the first question is not for the status", somethingElse)
	}
	schema, _ := leaf.field("schema").(string)
	revocable := schema == builtIn[0] || schema == builtIn[1]
	told := revocable
	for i, it := range answers[1:] {
		question := &p.entries[i+1].asked
		if question.kind != askedSchema || Hash(question.parts).String() != schema {
			return nil, fmt.Errorf("%s: another question is not for the schema", somethingElse)
		}
		// A schema that nobody registered allows nothing.
		if !told {
			revocable = it != nil && it.revocable
		}
		told = true
	}
	status := &Status{}
	if said := answers[0]; said != nil {
		if said.revocation != nil && !told {
			return nil, fmt.Errorf("the attestation is revoked under a schema of which the proof says nothing")
		}
		status.Supersession = said.supersession
		if revocable {
			status.Revocation = said.revocation
		}
	}
	for _, code := range p.algorithms {
		status.AlgorithmRevoked = status.AlgorithmRevoked || uint64(code) == leaf.number("algorithm")
	}
	return status, nil
}

// void says why what a status is stapled to counts for nothing; empty if it counts.
func (m *Map) void() string {
	switch {
	case m.Status == nil:
		return ""
	case m.Status.Revocation != nil:
		return "the attestation was revoked by its issuer"
	case m.Status.AlgorithmRevoked:
		return "the attestation's digest algorithm was revoked"
	}
	return ""
}

// tooOld says why what is asked is too old, or why nobody can tell; empty if it is not.
func (m *Map) tooOld(age StatusAge) string {
	if m.Status != nil && m.Status.Revocation != nil {
		return "" // A revocation is for ever.
	}
	known := m.Known
	if m.Status == nil {
		known = m.DigestsKnown
	}
	if !known.Timed {
		return "digests are known up to a block whose time is not in the proof"
	}
	// What was known afterwards is not too old.
	if age.AtMs > known.TimeMs && age.AtMs-known.TimeMs > age.MaxAgeMs {
		return "the status was known too long before the time given; fetch the proof again"
	}
	return ""
}
