package tbsi

import (
	"fmt"
	"math/bits"
)

// Field is a value of a leaf under its name in JSON: a uint64, a bool, or a string.
type Field struct {
	Name  string
	Value any
}

// Leaf is what one entry of the log says (SPEC §9.3).
type Leaf struct {
	Kind                      string
	ChainID, Height, TimeMs   uint64
	TransactionIndex, Ordinal uint64
	Issuer                    Address
	// ID of an attestation, otherwise zero.
	ID Hash
	// Fields of the kind, in their order.
	Fields []Field
}

// Fields of each kind but attestations: h is bytes, i an integer, f a flag.
type layout struct {
	code   byte
	name   string
	fields []part
}

type part struct {
	name string
	form byte
	size int
}

var layouts = []layout{
	{2, "revocation", []part{{"id", 'h', 32}, {"reason", 'i', 2}}},
	{3, "supersession", []part{{"id", 'h', 32}, {"successor", 'h', 32}}},
	{4, "countersigningOpened", []part{
		{"id", 'h', 32}, {"threshold", 'i', 2}, {"deadline", 'i', 8}, {"partyCount", 'i', 2},
		{"partiesHash", 'h', 32},
	}},
	{5, "countersignature", []part{{"id", 'h', 32}, {"have", 'i', 2}, {"need", 'i', 2}}},
	{6, "schemaRegistered", []part{
		{"schema", 'h', 32}, {"textHash", 'h', 32}, {"commitsTo", 'i', 1}, {"revocable", 'f', 1},
	}},
	{7, "algorithmSet", []part{{"algorithm", 'i', 4}, {"bits", 'i', 2}, {"status", 'i', 1}}},
	{8, "mapRoot", []part{
		{"root", 'h', 32}, {"entries", 'i', 8}, {"mapHeight", 'i', 8}, {"digestHeight", 'i', 8},
		{"revokedAlgorithmsHash", 'h', 32},
	}},
	{16, "governanceAct", []part{{"event", 'h', 32}, {"bodyHash", 'h', 32}}},
	{32, "message", []part{
		{"destination", 'h', 32}, {"receiver", 'h', 32}, {"sequence", 'i', 8}, {"timeout", 'i', 8},
		{"payloadHash", 'h', 32},
	}},
	{33, "foreignFact", []part{
		{"client", 'i', 4}, {"assurance", 'i', 1}, {"foreignChainId", 'i', 8},
		{"foreignHeight", 'i', 8}, {"foreignTime", 'i', 8}, {"blockHash", 'h', 32},
		{"account", 'h', 20}, {"slot", 'h', 32}, {"value", 'h', 32},
	}},
}

// DecodeLeaf reads canonical bytes and nothing else.
func DecodeLeaf(data []byte) (*Leaf, error) {
	if len(data) > LeafBytesMax {
		return nil, wrongForm("leaf has %d bytes, at most %d are allowed", len(data), LeafBytesMax)
	}
	c := &cursor{data: data}
	if version := c.uint("version", 1); c.err == nil && version != 1 {
		return nil, otherVersion("leaf version %d is unknown, 1 is known; use newer software", version)
	}
	kind := byte(c.uint("kind", 1))
	found := layoutOf(kind)
	if c.err == nil && kind != 1 && found == nil {
		const known = "1 to 8, 16, 32 and 33 are known; use newer software"
		return nil, otherVersion("leaf kind %d is unknown, %s", kind, known)
	}
	leaf := &Leaf{
		ChainID: c.uint("chain id", 8), Height: c.uint("height", 6), TimeMs: c.uint("time", 6),
		TransactionIndex: c.uint("transaction index", 3), Ordinal: c.uint("ordinal", 3),
		Issuer: Address(c.take("issuer", 20)),
	}
	if kind == 1 {
		leaf.readAttestation(c)
	} else if found != nil {
		leaf.Kind, leaf.Fields = found.name, readFields(c, found.fields)
	}
	c.end()
	if c.err != nil {
		// Whatever is wrong with its bytes, a leaf is wrong in form.
		return nil, wrongForm("proof field `leaf`: %s", c.err)
	}
	return leaf, nil
}

func layoutOf(code byte) *layout {
	for i := range layouts {
		if layouts[i].code == code {
			return &layouts[i]
		}
	}
	return nil
}

func readFields(c *cursor, parts []part) []Field {
	fields := make([]Field, 0, len(parts))
	for _, it := range parts {
		var value any
		switch it.form {
		case 'h':
			value = fmt.Sprintf("0x%x", c.take(it.name, it.size))
		case 'i':
			value = c.uint(it.name, it.size)
		default:
			flag := c.uint(it.name, it.size)
			if flag > 1 {
				c.fail(wrongForm("leaf field `%s` is %d, 0 or 1 is allowed", it.name, flag))
			}
			value = flag == 1
		}
		fields = append(fields, Field{it.name, value})
	}
	return fields
}

func (leaf *Leaf) readAttestation(c *cursor) {
	schema := c.hash("schema")
	algorithm, length := c.uint("algorithm", 4), c.uint("digest length", 1)
	if expected := 32 * wordsPerDigest(algorithm); c.err == nil && length != expected {
		const text = "leaf has a digest of %d bytes, algorithm %#x takes %d"
		c.fail(wrongForm(text, length, algorithm, expected))
		return
	}
	words := c.take("digest", int(length))
	leaf.Kind = "attestation"
	leaf.ID = attestationID(leaf.ChainID, leaf.Issuer, schema, algorithm, words)
	leaf.Fields = []Field{
		{"schema", schema.String()}, {"algorithm", algorithm}, {"digest", fmt.Sprintf("0x%x", words)},
	}
}

// statement is what the JSON form says of a leaf.
func (leaf *Leaf) statement() []Field {
	all := append([]Field{}, leaf.Fields...)
	if leaf.Kind == "attestation" {
		all = append(all, Field{"id", leaf.ID.String()})
	}
	return append(all,
		Field{"kind", leaf.Kind}, Field{"chainId", leaf.ChainID}, Field{"height", leaf.Height},
		Field{"timeMs", leaf.TimeMs}, Field{"transactionIndex", leaf.TransactionIndex},
		Field{"ordinal", leaf.Ordinal}, Field{"issuer", leaf.Issuer.String()})
}

// wordsPerDigest is fixed by the multihash code (SPEC §9.4).
func wordsPerDigest(code uint64) uint64 {
	switch {
	case code >= 0x13 && code <= 0x15, code == 0x1c, code == 0x1d, code == 0x20,
		code >= 0xb221 && code <= 0xb240:
		return 2
	}
	return 1
}

// attestationID is the id of SPEC §12.1.
func attestationID(chainID uint64, issuer Address, schema Hash, algorithm uint64, words []byte) Hash {
	tag := keccak([]byte("TBSI attestation v1"))
	word := func(value uint64) []byte { return append(make([]byte, 24), u64(value)...) }
	return keccak(tag[:], word(chainID), make([]byte, 12), issuer[:], schema[:], word(algorithm),
		word(6*32), word(uint64(len(words)/32)), words)
}

func leafHash(leaf []byte) Hash { return sha([]byte{0}, leaf) }

// rootOf is the root that a proof leads to from a leaf's hash (RFC 9162 §2.1.3.2).
func rootOf(root Hash, index, size uint64, proof []Hash) (Hash, error) {
	if index >= size {
		return Hash{}, fmt.Errorf("leaf index %d is outside a log of %d leaves", index, size)
	}
	needed := 0
	for node, last := index, size-1; last > 0; node, last = node>>1, last>>1 {
		// The last node of a level that is a left child has no sibling.
		if node&1 == 1 || node < last {
			needed++
		}
	}
	if len(proof) != needed {
		return Hash{}, fmt.Errorf("proof has %d hashes, %d are needed", len(proof), needed)
	}
	node, last := index, size-1
	for _, sibling := range proof {
		if node&1 == 1 || node == last {
			root = sha([]byte{1}, sibling[:], root[:])
			// A node without right neighbour stands for itself until it is a right child.
			levels := bits.TrailingZeros64(node)
			node, last = node>>levels, last>>levels
		} else {
			root = sha([]byte{1}, root[:], sibling[:])
		}
		node, last = node>>1, last>>1
	}
	return root, nil
}
