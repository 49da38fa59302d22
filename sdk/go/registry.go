package tbsi

import (
	"encoding/binary"
	"fmt"
)

// Registry is what a proof says of who is who (SPEC §10.11).
type Registry struct {
	// Issuer is nil if the proof does not say whose account the issuer's was.
	Issuer *Issuer
	// Operators says who answers for each validator that could sign the checkpoint, in address
	// order; nil for those of whom the proof does not.
	Operators []*Operator
	// Known is up to which block all this is known.
	Known uint64
}

// InForce is from which block until which something held; Until is 0 for what still does.
type InForce struct{ Since, Until uint64 }

// Issuer is an issuer's organisation in the block of its statement.
type Issuer struct {
	Organisation uint32
	Legal        LegalRecord
	// Of the account, and of these names and identifiers.
	Member, Named InForce
}

// Operator is who answers for a validator in the block of the checkpoint.
type Operator struct {
	Validator    Address
	Organisation uint32
	// Legal has the legal names that are in the validator set, and identifiers.
	Legal LegalRecord
	// Since when the organisation had them.
	Since uint64
}

// covers: what begins or ends in a block does not cover it.
func (f InForce) covers(height uint64) bool {
	return f.Since < height && (f.Until == 0 || height < f.Until)
}

func (f InForce) String() string {
	if f.Until == 0 {
		return fmt.Sprintf("from block %d to now", f.Since)
	}
	return fmt.Sprintf("from block %d to %d", f.Since, f.Until)
}

const (
	nodesSlot         = 2
	recordsSlot       = 5
	recordSlots       = 7
	validatorKeysSlot = 6
	membershipsSlot   = 9
)

// systemContract is at 0x…10 and the number.
func systemContract(number byte) Address { return Address{18: 0x10, 19: number} }

var (
	organisationsContract = systemContract(2)
	nodesContract         = systemContract(3)
	permissionsContract   = systemContract(4)
)

// part of a word: 64 bits, from bit `from` on, which is a multiple of 32.
func (h *Hash) part(from int) uint64 {
	end := len(h) - from/8
	return binary.BigEndian.Uint64(h[end-8 : end])
}

func (h *Hash) first() uint32 { return uint32(h.part(0)) }

// foundRecord is one that the state has.
type foundRecord struct {
	*placedRecord
	inForce InForce
	used    bool
}

// verify: the bundle holds, and has been found in report; `members` could sign its checkpoint.
func (p *registryPart) verify(report *Report, members *set) (*Registry, error) {
	if len(p.validators) != len(members.validators) {
		const text = "it says who answers for %d validators, the set has %d"
		return nil, fmt.Errorf(text, len(p.validators), len(members.validators))
	}
	at := &report.Decision.Checkpoint
	nodes := newSharedNodes(at.StateRoot, p.nodes)
	found := &Registry{Known: at.Height}
	var err error
	if p.issuer != nil {
		if found.Issuer, err = memberOf(nodes, report.Leaf, p.issuer.membership); err != nil {
			return nil, err
		}
	}
	records, err := p.find(nodes)
	if err != nil {
		return nil, err
	}
	if issuer := found.Issuer; issuer != nil {
		record, err := take(records, p.issuer.record, issuer.Organisation, report.Leaf.Height)
		if err != nil {
			return nil, err
		}
		issuer.Legal, issuer.Named = record.legal, record.inForce
	}
	found.Operators = make([]*Operator, len(p.validators))
	for i, number := range p.validators {
		if number == nil {
			continue
		}
		found.Operators[i], err = operatorOf(nodes, records, &members.validators[i], *number, at.Height)
		if err != nil {
			return nil, err
		}
	}
	for i := range records {
		if it := &records[i]; !it.used {
			const text = "record %d of organisation %d is of nobody in the proof"
			return nil, fmt.Errorf(text, it.position, it.organisation)
		}
	}
	if err := nodes.end(); err != nil {
		return nil, err
	}
	if len(records) == 0 {
		return nil, fmt.Errorf("it names nobody")
	}
	return found, nil
}

// memberOf says whose account it was in the whole block of its statement.
func memberOf(nodes *sharedNodes, leaf *Leaf, position uint32) (*Issuer, error) {
	memberships := mappingSlot(leaf.Issuer[:], membershipsSlot)
	word, err := nodes.word(permissionsContract, elementSlot(memberships, uint64(position)))
	if err != nil {
		return nil, err
	}
	found := &Issuer{Organisation: word.first(), Member: InForce{word.part(32), word.part(96)}}
	if found.Organisation == 0 {
		return nil, fmt.Errorf("account %s has no membership %d in the registry", leaf.Issuer, position)
	}
	if !found.Member.covers(leaf.Height) {
		const text = "account %s was of organisation %d %s, not in the whole of block %d"
		return nil, fmt.Errorf(text, leaf.Issuer, found.Organisation, found.Member, leaf.Height)
	}
	return found, nil
}

// find gives the records, which are those of the state.
func (p *registryPart) find(nodes *sharedNodes) ([]foundRecord, error) {
	found := make([]foundRecord, len(p.records))
	for i := range p.records {
		it := &p.records[i]
		if i > 0 && !p.records[i-1].before(it) {
			const text = "record %d of organisation %d is not in order, each once"
			return nil, fmt.Errorf(text, it.position, it.organisation)
		}
		list := mappingSlot(u32(it.organisation), recordsSlot)
		place := uint64(it.position) * recordSlots
		expected, err := nodes.word(organisationsContract, elementSlot(list, place))
		if err != nil {
			return nil, err
		}
		heights, err := nodes.word(organisationsContract, elementSlot(list, place+1))
		if err != nil {
			return nil, err
		}
		if hash := it.hash(); hash != expected {
			const text = "organisation %d has a record of hash %s, the proof's is %s"
			return nil, fmt.Errorf(text, it.organisation, expected, hash)
		}
		found[i] = foundRecord{it, InForce{heights.part(0), heights.part(64)}, false}
	}
	return found, nil
}

func (r *placedRecord) before(other *placedRecord) bool {
	return r.organisation < other.organisation ||
		(r.organisation == other.organisation && r.position < other.position)
}

func (r *placedRecord) hash() Hash {
	data := append([]byte("TBSI-RECORD-1"), u32(r.organisation)...)
	for _, text := range r.legal.texts() {
		data = append(append(data, u32(uint32(len(*text)))...), *text...)
	}
	return sha(data)
}

// take gives the record of this number, which is of the organisation and covers the block.
func take(records []foundRecord, number, organisation uint32, height uint64) (*foundRecord, error) {
	if uint64(number) >= uint64(len(records)) {
		return nil, fmt.Errorf("record number %d is named, the proof has %d", number, len(records))
	}
	found := &records[number]
	found.used = true
	if found.organisation != organisation {
		const text = "the record is of organisation %d, expected is one of organisation %d"
		return nil, fmt.Errorf(text, found.organisation, organisation)
	}
	if !found.inForce.covers(height) {
		const text = "record %d of organisation %d held %s, not in the whole of block %d"
		return nil, fmt.Errorf(text, found.position, organisation, found.inForce, height)
	}
	return found, nil
}

// operatorOf: a key is of one node, and that of one organisation, for ever.
func operatorOf(nodes *sharedNodes, records []foundRecord, of *Validator, number uint32, height uint64) (*Operator, error) {
	word, err := nodes.word(nodesContract, mappingSlot(of.Address[:], validatorKeysSlot))
	if err != nil {
		return nil, err
	}
	organisation := uint32(0)
	if node := word.first(); node != 0 {
		if word, err = nodes.word(nodesContract, mappingSlot(u32(node), nodesSlot)); err != nil {
			return nil, err
		}
		organisation = word.first()
	}
	if organisation == 0 {
		return nil, fmt.Errorf("validator %s is no node's in the registry", of.Address)
	}
	record, err := take(records, number, organisation, height)
	if err != nil {
		return nil, err
	}
	if record.legal.NameZhTW != of.NameZhTW || record.legal.NameEn != of.NameEn {
		const text = "validator %s is in the set under other names than those of organisation %d"
		return nil, fmt.Errorf(text, of.Address, organisation)
	}
	return &Operator{of.Address, organisation, record.legal, record.inForce.Since}, nil
}
