package tbsi

import (
	"bytes"
	"fmt"
	"math/bits"
)

// The map of what is current: keys, values, and the root that an answer leads to (SPEC §9.11).

type askedKind byte

const (
	askedDigest askedKind = 1
	askedStatus askedKind = 2
	askedSchema askedKind = 3
)

var kindNames = [...]string{askedDigest: "digest", askedStatus: "status", askedSchema: "schema"}

// asked is a question. Its parts, one after the other, are a digest, an id and an account, or a
// schema.
type asked struct {
	kind  askedKind
	parts []byte
}

func (a *asked) equal(b *asked) bool { return a.kind == b.kind && bytes.Equal(a.parts, b.parts) }

// key is where the map has what is asked.
func (a *asked) key() Hash {
	tags := [...]string{
		askedDigest: "TBSI-MAP-DIGEST-1", askedStatus: "TBSI-MAP-STATUS-1", askedSchema: "TBSI-MAP-SCHEMA-1",
	}
	return sha([]byte(tags[a.kind]), a.parts)
}

type end byte

const (
	nothing end = iota
	ownEntry
	otherEntry
	// Only the JSON form can say both, and then it is refused.
	bothEntries
)

// answer goes from the end of a key's path to the root.
type answer struct {
	depth    int
	bitmap   []byte
	siblings []Hash
	end      end
	// Of another entry.
	other Hash
	value []byte
}

// bitOf counts from the highest bit of the first byte.
func bitOf(key *Hash, at int) byte { return key[at/8] >> (7 - at%8) & 1 }

// root is the one that the answer leads to from a key.
func (a *answer) root(key Hash) (Hash, error) {
	if err := a.check(&key); err != nil {
		return Hash{}, err
	}
	var root Hash
	switch a.end {
	case ownEntry:
		root = sha([]byte{2}, key[:], a.value)
	case otherEntry:
		root = sha([]byte{2}, a.other[:], a.value)
	}
	next := len(a.siblings)
	for at := a.depth - 1; at >= 0; at-- {
		var sibling Hash
		if a.bitmap[at/8]>>(at%8)&1 == 1 {
			next--
			sibling = a.siblings[next]
		}
		if bitOf(&key, at) == 0 {
			root = sha([]byte{3}, root[:], sibling[:])
		} else {
			root = sha([]byte{3}, sibling[:], root[:])
		}
	}
	return root, nil
}

// check: there is one form for each answer.
func (a *answer) check(key *Hash) error {
	if a.depth > MapDepthMax || len(a.value) > MapValueBytesMax {
		const text = "answer has a depth of %d and a value of %d bytes, at most %d and %d are possible"
		return fmt.Errorf(text, a.depth, len(a.value), MapDepthMax, MapValueBytesMax)
	}
	size := (a.depth + 7) / 8
	if len(a.bitmap) != size {
		return fmt.Errorf("bitmap has %d bytes, a depth of %d needs %d", len(a.bitmap), a.depth, size)
	}
	// The lowest sibling is there, and no bit is set below it.
	if size > 0 && bits.Len8(a.bitmap[size-1]) != a.depth-8*(size-1) {
		return fmt.Errorf("the lowest sibling is empty, or bits are set below it")
	}
	if needed := onesIn(a.bitmap); len(a.siblings) != needed {
		return fmt.Errorf("answer has %d siblings, %d are needed", len(a.siblings), needed)
	}
	for _, it := range a.siblings {
		if it == (Hash{}) {
			return fmt.Errorf("an empty sibling is written as a hash")
		}
	}
	if a.end != otherEntry {
		return nil
	}
	// Another entry shows that a key has none only if it lies on the key's own path.
	if a.other == *key {
		return fmt.Errorf("the other entry is the one that was asked for")
	}
	for at := range a.depth {
		if bitOf(key, at) != bitOf(&a.other, at) {
			return fmt.Errorf("the other entry shares %d bits with the key, %d are needed", at, a.depth)
		}
	}
	return nil
}

func onesIn(bitmap []byte) int {
	ones := 0
	for _, it := range bitmap {
		ones += bits.OnesCount8(it)
	}
	return ones
}

// Place is where something was said: a leaf and its block. TimeMs is 0 where the map has none.
type Place struct {
	LeafIndex, Height, TimeMs uint64
}

// Revocation is an issuer's own that counts. Reasons are those of SPEC §12.8.
type Revocation struct {
	Place
	Reason uint64
}

// Supersession names the attestation that takes the place of another.
type Supersession struct {
	Place
	Successor Hash
}

// held is what an entry says, by what was asked.
type held struct {
	first        Place
	revocation   *Revocation
	supersession *Supersession
	revocable    bool
}

// readValue reads the value of an entry.
func (a *asked) readValue(value []byte) (*held, error) {
	c, found := &cursor{data: value}, &held{}
	switch a.kind {
	case askedDigest:
		found.first = takePlace(c)
	case askedSchema:
		found.first = takePlace(c)
		flag := c.uint("revocable", 1)
		found.revocable = flag == 1
		if flag > 1 {
			return nil, fmt.Errorf("flag `revocable` is %d, 0 or 1 is allowed", flag)
		}
	case askedStatus:
		flags := c.uint("flags", 1)
		if c.err == nil && (flags < 1 || flags > 3) {
			return nil, fmt.Errorf("flags of a status are %d, 1 to 3 are allowed", flags)
		}
		if flags&1 == 1 {
			found.revocation = &Revocation{takeTimed(c), c.uint("reason", 2)}
		}
		if flags&2 == 2 {
			found.supersession = &Supersession{takeTimed(c), c.hash("successor")}
		}
	}
	c.end()
	if c.err != nil {
		return nil, fmt.Errorf("value of a %s: %s", kindNames[a.kind], c.err)
	}
	return found, nil
}

func takePlace(c *cursor) Place {
	return Place{LeafIndex: c.uint("index", 8), Height: c.uint("height", 6)}
}

func takeTimed(c *cursor) Place {
	place := takePlace(c)
	place.TimeMs = c.uint("time", 6)
	return place
}
