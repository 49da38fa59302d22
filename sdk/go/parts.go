package tbsi

import (
	"encoding/binary"
	"errors"
)

// HandoverParts is a handover in the forms of SPEC §14.2.
type HandoverParts struct {
	Last, Set, First []byte
	// Height of the first decision of the new set.
	Height uint64
}

// Parts is a proof taken apart, for a light client that verifies it again: nothing is verified here.
type Parts struct {
	Chain      Chain
	Leaf       []byte
	Index      uint64
	Path       []Hash
	Checkpoint Checkpoint
	// Decision is that of the checkpoint, Set who decided it.
	Decision, Set []byte
	Handovers     []HandoverParts
}

// TakeApart reads a proof in either form (SPEC §10) and gives its parts in those of SPEC §14.2.
func TakeApart(proof []byte) (*Parts, error) {
	found, err := parse(proof)
	if err != nil {
		return nil, err
	}
	chain := Chain{found.decision.checkpoint.ChainID, found.genesisHash}
	decision, err := found.validators.encodeDecision(&found.decision)
	if err != nil {
		return nil, err
	}
	out := &Parts{
		Chain: chain, Leaf: found.leaf, Index: found.leafIndex, Path: found.inclusion,
		Checkpoint: found.decision.checkpoint, Decision: decision, Set: found.validators.encode(),
	}
	for i := range found.handovers {
		it, next := &found.handovers[i], found.validators
		if i+1 < len(found.handovers) {
			next = found.handovers[i+1].validators
		}
		last, err := it.validators.encodeDecision(&it.last)
		if err != nil {
			return nil, err
		}
		first, err := next.encodeDecision(&it.first)
		if err != nil {
			return nil, err
		}
		out.Handovers = append(out.Handovers, HandoverParts{last, next.encode(), first, it.first.checkpoint.Height})
	}
	return out, nil
}

// encode is the form that the set's hash covers, for a set with names.
func (s *set) encode() []byte {
	out := u16(uint16(len(s.validators)))
	for _, it := range s.validators {
		operator := OperatorID(it.NameZhTW, it.NameEn)
		out = append(append(append(out, it.Address[:]...), u64(it.Power)...), operator[:]...)
	}
	return out
}

func (s *set) encodeDecision(of *decision) ([]byte, error) {
	var signers Signers
	var signatures []byte
	at := 0
	for position, member := range s.validators {
		if at < len(of.certificate.signatures) && of.certificate.signatures[at].validator == member.Address {
			signers[15-position/8] |= 1 << (position % 8)
			signatures = append(signatures, of.certificate.signatures[at].bytes...)
			at++
		}
	}
	if at != len(of.certificate.signatures) {
		return nil, errors.New("somebody signed the certificate who is not in the validator set")
	}
	out := binary.BigEndian.AppendUint32(of.checkpoint.Encode(), of.certificate.round)
	return append(append(out, signers[:]...), signatures...), nil
}
