package tbsi

import "tbsi.invalid/sdk/strict"

const formatWithMap = "tbsi-map-proof-1"

// rootLeaf is a map root as a second leaf under the bundle's checkpoint.
type rootLeaf struct {
	leaf      []byte
	leafIndex uint64
	inclusion []Hash
}

type mapEntry struct {
	asked  asked
	answer answer
}

// mapPart is what the map says with a bundle (SPEC §10.7); root is nil if the bundle's leaf is it.
type mapPart struct {
	root       *rootLeaf
	algorithms []uint32
	entries    []mapEntry
}

// proof is a bundle, and with it the map and the registry, or nil.
type proof struct {
	*bundle
	mapped   *mapPart
	registry *registryPart
}

// decodeWithMap accepts the one compact form that a proof with the map has.
func decodeWithMap(data []byte) (*proof, error) {
	if len(data) > BundleBytesMax {
		return nil, unreadable("proof has %d bytes, at most %d are allowed", len(data), BundleBytesMax)
	}
	c := &cursor{data: data}
	if magic := c.take("format", 4); c.err == nil && string(magic) != "TBM1" {
		return nil, unknownForm()
	}
	inner := c.take("proof", c.count("proof", len(c.data)))
	if c.err != nil {
		return nil, c.err
	}
	found, err := decodeCompact(inner)
	if err != nil {
		return nil, err
	}
	part := &mapPart{}
	if c.tag("root", 1) == 1 {
		part.root = takeRoot(c)
	}
	for range c.count("revokedAlgorithms", MapAlgorithmsMax) {
		part.algorithms = append(part.algorithms, uint32(c.uint("revokedAlgorithms", 4)))
	}
	for range c.count("entries", MapEntriesMax) {
		question := takeAsked(c)
		part.entries = append(part.entries, mapEntry{question, takeAnswer(c)})
	}
	c.end()
	return &proof{bundle: found, mapped: part}, c.err
}

// tag is one of 0 to most; 0 after a failure.
func (c *cursor) tag(field string, most uint64) uint64 {
	tag := c.uint(field, 1)
	if tag > most {
		c.fail(wrongForm("proof field `%s` is not in canonical form", field))
	}
	if c.err != nil {
		return 0
	}
	return tag
}

func takeRoot(c *cursor) *rootLeaf {
	root := &rootLeaf{leaf: c.take("root", c.count("root", LeafBytesMax))}
	root.leafIndex = c.number("leafIndex")
	for range c.count("inclusionProof", InclusionHashesMax) {
		root.inclusion = append(root.inclusion, c.hash("inclusionProof"))
	}
	return root
}

func takeAsked(c *cursor) asked {
	kind := askedKind(c.tag("question", uint64(askedSchema)))
	switch kind {
	case askedDigest:
		digest := c.take("digest", int(c.uint("digest", 1)))
		if len(digest) != 32 && len(digest) != 64 {
			c.fail(wrongForm("proof field `digest` is not in canonical form"))
		}
		return asked{kind, digest}
	case askedStatus:
		return asked{kind, c.take("id and issuer", 52)}
	case askedSchema:
		return asked{kind, c.take("schema", 32)}
	}
	c.fail(wrongForm("proof field `question` is not in canonical form"))
	return asked{askedDigest, nil}
}

func takeAnswer(c *cursor) answer {
	depth := c.count("depth", MapDepthMax)
	found := answer{depth: depth, bitmap: c.take("bitmap", (depth+7)/8)}
	for range onesIn(found.bitmap) {
		found.siblings = append(found.siblings, c.hash("siblings"))
	}
	found.end = end(c.tag("end", uint64(otherEntry)))
	if found.end == otherEntry {
		found.other = c.hash("key")
	}
	if found.end != nothing {
		found.value = c.take("value", c.count("value", MapValueBytesMax))
	}
	return found
}

// readWithMap reads the JSON form: the shape of all of it, then the content.
func readWithMap(value any) (*proof, error) {
	s := &shape{strict.Shape{What: "proof"}}
	top := s.Fields(value, "proof", "format", "proof", "map")
	inner, _ := top.Get("proof")
	given := s.bundle(inner)
	outer, _ := top.Get("map")
	part := s.mapPart(s.Fields(outer, "map", "root", "revokedAlgorithms", "entries"))
	if s.Err != nil {
		return nil, notStrict(s.Err)
	}
	found, err := given.content()
	if err != nil {
		return nil, err
	}
	if err := part.content(); err != nil {
		return nil, err
	}
	return &proof{bundle: found, mapped: part}, nil
}

func (p *mapPart) content() error {
	if len(p.algorithms) > MapAlgorithmsMax || len(p.entries) > MapEntriesMax {
		return unreadable("proof has too many algorithms or entries of the map")
	}
	if root := p.root; root != nil {
		if len(root.leaf) > LeafBytesMax {
			return wrongForm("leaf has %d bytes, at most %d are allowed", len(root.leaf), LeafBytesMax)
		}
		if len(root.inclusion) > InclusionHashesMax {
			return unreadable("proof has too many hashes")
		}
	}
	for i := range p.entries {
		if err := p.entries[i].content(); err != nil {
			return err
		}
	}
	return nil
}

func (e *mapEntry) content() error {
	switch size := len(e.asked.parts); {
	case len(e.answer.siblings) > MapDepthMax:
		return unreadable("proof field `siblings` has %d entries", len(e.answer.siblings))
	case e.answer.end == bothEntries:
		return wrongForm("proof field `other` is not in canonical form")
	case e.asked.kind == askedDigest && size != 32 && size != 64:
		return wrongForm("proof field `digest` is not in canonical form")
	}
	return nil
}

func (s *shape) mapPart(of *strict.Object) *mapPart {
	part := &mapPart{}
	if value, _ := of.Get("root"); value != nil {
		root := s.Fields(value, "root", "leaf", "leafIndex", "inclusionProof")
		part.root = &rootLeaf{
			s.Bytes(root, "leaf", -1), s.Integer(root, "leafIndex", 1<<64-1), s.hashes(root, "inclusionProof"),
		}
	}
	for _, it := range s.List(of, "revokedAlgorithms") {
		code, ok := it.(uint64)
		if !ok || code > 1<<32-1 {
			s.Fail("`revokedAlgorithms` must be integers from 0 to %d", uint32(1<<32-1))
		}
		part.algorithms = append(part.algorithms, uint32(code))
	}
	for _, it := range s.List(of, "entries") {
		entry := s.Fields(it, "entry", "question", "depth", "bitmap", "siblings", "value", "other")
		part.entries = append(part.entries, s.entry(entry))
	}
	return part
}

func (s *shape) entry(of *strict.Object) mapEntry {
	question, _ := of.Get("question")
	found := mapEntry{asked: s.asked(question)}
	it := &found.answer
	it.depth = int(s.Integer(of, "depth", 1<<16-1))
	it.bitmap, it.siblings = s.Bytes(of, "bitmap", -1), s.hashes(of, "siblings")
	if value, _ := of.Get("value"); value != nil {
		it.end, it.value = ownEntry, s.Bytes(of, "value", -1)
	}
	if value, _ := of.Get("other"); value != nil {
		part := s.Fields(value, "other", "key", "value")
		it.end |= otherEntry
		it.other, it.value = s.hash(part, "key"), s.Bytes(part, "value", -1)
	}
	return found
}

func (s *shape) asked(value any) asked {
	kind, _ := s.Object(value, "question").Get("kind")
	switch kind {
	case "digest":
		return asked{askedDigest, s.Bytes(s.Fields(value, "question", "kind", "digest"), "digest", -1)}
	case "status":
		it := s.Fields(value, "question", "kind", "id", "issuer")
		return asked{askedStatus, append(s.Bytes(it, "id", 32), s.Bytes(it, "issuer", 20)...)}
	case "schema":
		return asked{askedSchema, s.Bytes(s.Fields(value, "question", "kind", "schema"), "schema", 32)}
	}
	s.Fail("`kind` must be digest, status or schema")
	return asked{askedDigest, nil}
}
