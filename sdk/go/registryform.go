package tbsi

import (
	"bytes"
	"strings"

	"tbsi.invalid/sdk/strict"
)

const (
	formatWithRegistry  = "tbsi-registry-proof-1"
	formatsWithRegistry = "tbsi-registry-proof-"
)

// LegalRecord is an organisation's legal names and identifiers; empty for those that there are
// not.
type LegalRecord struct {
	NameZhTW, NameEn, TaxID, LEI, Jurisdiction string
}

// recordTexts names the texts of a record and their most bytes, in the order in which they are
// hashed and written.
var recordTexts = [5]struct {
	name string
	most int
}{
	{"nameZhTw", NameBytesMax}, {"nameEn", NameBytesMax}, {"taxId", TaxIDBytesMax},
	{"lei", LEIBytesMax}, {"jurisdiction", JurisdictionBytesMax},
}

func (r *LegalRecord) texts() [5]*string {
	return [5]*string{&r.NameZhTW, &r.NameEn, &r.TaxID, &r.LEI, &r.Jurisdiction}
}

type placedRecord struct {
	organisation, position uint32
	legal                  LegalRecord
}

type issuerPlace struct{ membership, record uint32 }

// registryPart is what the registry says with a proof (SPEC §10.11).
type registryPart struct {
	// Nil if it is not proven whose account it was.
	issuer  *issuerPlace
	records []placedRecord
	// Of each validator: which of the records is of who answers for it; nil if unproven.
	validators []*uint32
	nodes      [][]byte
}

// decodeWithRegistry accepts the one compact form that a proof with the registry has.
func decodeWithRegistry(data []byte) (*proof, error) {
	if len(data) > BundleBytesMax {
		return nil, unreadable("proof has %d bytes, at most %d are allowed", len(data), BundleBytesMax)
	}
	c := &cursor{data: data}
	if magic := c.take("format", 4); c.err == nil && string(magic) != "TBR1" {
		return nil, unknownForm()
	}
	inner := c.take("proof", c.count("proof", len(c.data)))
	if c.err != nil {
		return nil, c.err
	}
	found := &proof{}
	var err error
	if bytes.HasPrefix(inner, []byte("TBM")) {
		found, err = decodeWithMap(inner)
	} else {
		found.bundle, err = decodeCompact(inner)
	}
	if err != nil {
		return nil, err
	}
	found.registry = takeRegistry(c)
	c.end()
	return found, c.err
}

func takeRegistry(c *cursor) *registryPart {
	part := &registryPart{}
	if c.tag("issuer", 1) == 1 {
		part.issuer = &issuerPlace{c.position("membership"), c.position("record")}
	}
	for range c.count("records", RegistryRecordsMax) {
		record := placedRecord{organisation: c.position("organisation"), position: c.position("position")}
		for i, text := range record.legal.texts() {
			*text = c.text(recordTexts[i].name, recordTexts[i].most)
		}
		part.records = append(part.records, record)
	}
	for range c.count("validators", ValidatorsMax) {
		number := c.number("validators")
		if number > 1<<32 {
			c.fail(wrongForm("proof field `validators` is out of range"))
		}
		var record *uint32
		if number > 0 {
			at := uint32(number - 1)
			record = &at
		}
		part.validators = append(part.validators, record)
	}
	for range c.count("nodes", RegistryNodesMax) {
		part.nodes = append(part.nodes, c.take("node", c.count("node", RegistryNodeBytesMax)))
	}
	return part
}

func (c *cursor) position(field string) uint32 {
	position := c.number(field)
	if position > 1<<32-1 {
		c.fail(wrongForm("proof field `%s` is out of range", field))
	}
	return uint32(position)
}

// readWithRegistry reads the JSON form: the shape of all of it, then the content.
func readWithRegistry(value any) (*proof, error) {
	s := &shape{strict.Shape{What: "proof"}}
	top := s.Fields(value, "proof", "format", "proof", "map", "registry")
	inner, _ := top.Get("proof")
	given := s.bundle(inner)
	var mapped *mapPart
	if outer, _ := top.Get("map"); outer != nil {
		mapped = s.mapPart(s.Fields(outer, "map", "root", "revokedAlgorithms", "entries"))
	}
	outer, _ := top.Get("registry")
	part := s.registry(s.Fields(outer, "registry", "issuer", "records", "validators", "nodes"))
	name := s.Text(top, "format")
	if s.Err != nil {
		return nil, notStrict(s.Err)
	}
	if name != formatWithRegistry {
		return nil, unknownForm()
	}
	found, err := given.content()
	if err != nil {
		return nil, err
	}
	if mapped != nil {
		if err := mapped.content(); err != nil {
			return nil, err
		}
	}
	if err := part.content(); err != nil {
		return nil, err
	}
	return &proof{found, mapped, part}, nil
}

func isWithRegistry(format any) bool {
	name, ok := format.(string)
	return ok && strings.HasPrefix(name, formatsWithRegistry)
}

func (s *shape) registry(of *strict.Object) *registryPart {
	part := &registryPart{}
	if value, _ := of.Get("issuer"); value != nil {
		place := s.Fields(value, "issuer", "membership", "record")
		part.issuer = &issuerPlace{s.position(place, "membership"), s.position(place, "record")}
	}
	for _, it := range s.List(of, "records") {
		record := s.Fields(it, "record", "organisation", "position", "nameZhTw", "nameEn", "taxId",
			"lei", "jurisdiction")
		placed := placedRecord{
			organisation: s.position(record, "organisation"), position: s.position(record, "position"),
		}
		for i, text := range placed.legal.texts() {
			*text = s.Text(record, recordTexts[i].name)
		}
		part.records = append(part.records, placed)
	}
	for _, it := range s.List(of, "validators") {
		var record *uint32
		if it != nil {
			number, ok := it.(uint64)
			if !ok || number > 1<<32-1 {
				s.Fail("`validators` must be null or integers from 0 to %d", uint32(1<<32-1))
			}
			at := uint32(number)
			record = &at
		}
		part.validators = append(part.validators, record)
	}
	for _, it := range s.List(of, "nodes") {
		part.nodes = append(part.nodes, s.Hex(it, "nodes", -1))
	}
	return part
}

func (s *shape) position(of *strict.Object, name string) uint32 {
	return uint32(s.Integer(of, name, 1<<32-1))
}

func (p *registryPart) content() error {
	for _, it := range []struct {
		field     string
		got, most int
	}{
		{"records", len(p.records), RegistryRecordsMax},
		{"validators", len(p.validators), ValidatorsMax},
		{"nodes", len(p.nodes), RegistryNodesMax},
	} {
		if it.got > it.most {
			return unreadable("proof field `%s` has %d entries, at most %d are allowed", it.field, it.got, it.most)
		}
	}
	for i := range p.records {
		for at, text := range p.records[i].legal.texts() {
			if name, most := recordTexts[at].name, recordTexts[at].most; len(*text) > most {
				return unreadable("proof field `%s` has %d entries, at most %d are allowed", name, len(*text), most)
			}
		}
	}
	for _, node := range p.nodes {
		if len(node) > RegistryNodeBytesMax {
			return unreadable("proof field `node` has %d entries, at most %d are allowed", len(node), RegistryNodeBytesMax)
		}
	}
	return nil
}
