// Package tbsi verifies proofs of TBSI: from a trusted validator set or checkpoint to a leaf of
// the log, as SPEC §10.4 says, with the verdicts and codes of `tbsi verify --json` (§10.5).
//
// It is deterministic: no clock, no randomness, no goroutine, no order of a map; and it does not
// panic whatever it is given. So it can run where many machines must come to one result.
package tbsi

import (
	"bytes"
	"errors"
)

// Verdict on a proof.
type Verdict string

// Code says why a proof does not hold, or why nobody can tell.
type Code string

// Verdicts and codes of SPEC §10.5, as far as a verifier of bundles has them.
const (
	Valid Verdict = "valid"
	// Void: the proof holds, and what it proves was revoked.
	Void         Verdict = "void"
	Invalid      Verdict = "invalid"
	CouldNotTell Verdict = "could not tell"

	LeafCode      Code = "leaf"
	Inclusion     Code = "inclusion"
	HandoverCode  Code = "handover"
	CheckpointBad Code = "checkpoint"
	Fork          Code = "fork"
	MapCode       Code = "map"
	RegistryCode  Code = "registry"
	Form          Code = "form"
	OtherNetwork  Code = "otherNetwork"
	Gap           Code = "gap"
	BeforeTrusted Code = "beforeTrusted"
	StatusMissing Code = "statusMissing"
	StatusOld     Code = "statusOld"
	Handovers     Code = "handovers"
	OtherVersion  Code = "otherVersion"
	Unreadable    Code = "unreadable"
)

// Report is what Verify found. Of a proof that holds, Code is empty, and Reason too unless it is
// void; of any other, the rest is nil.
type Report struct {
	Verdict   Verdict
	Code      Code
	Reason    string
	Leaf      *Leaf
	LeafIndex uint64
	Decision  *Decision
	// Each by the old set, then by the new one.
	Handovers [][2]Decision
	// Followed is how many handovers were verified beside the proof (VerifyAfter).
	Followed uint64
	// Map is nil for a proof without the map.
	Map *Map
	// Registry is nil for a proof without the registry.
	Registry *Registry
}

func failed(verdict Verdict, code Code, reason string) Report {
	return Report{Verdict: verdict, Code: code, Reason: reason}
}

// VerifyStatus is Verify with a greatest age of the status that is stapled to the proof.
func VerifyStatus(proof []byte, anchor Anchor, age StatusAge) Report {
	found := Verify(proof, anchor)
	if found.Decision == nil {
		return found
	}
	if found.Map == nil {
		return failed(CouldNotTell, StatusMissing, "no status is stapled to the proof")
	}
	if problem := found.Map.tooOld(age); problem != "" {
		return failed(CouldNotTell, StatusOld, problem)
	}
	return found
}

// Verify verifies a proof in any form under what is trusted. A proof without the map that holds
// does not say that nothing was revoked later; with it, Map says up to when that is known.
func Verify(proof []byte, anchor Anchor) Report {
	found, refused := readProof(proof, anchor)
	if refused != nil {
		return *refused
	}
	return found.verify(anchor)
}

// readProof gives a proof of the anchor's network; of anything else, what is said of it.
func readProof(data []byte, anchor Anchor) (*proof, *Report) {
	refused := func(verdict Verdict, code Code, reason string) (*proof, *Report) {
		report := failed(verdict, code, reason)
		return nil, &report
	}
	found, err := parse(data)
	if err != nil {
		var form *formError
		if errors.As(err, &form) && form.code == Form {
			return refused(Invalid, Form, err.Error())
		} else if form != nil {
			return refused(CouldNotTell, form.code, err.Error())
		}
		return refused(CouldNotTell, Unreadable, err.Error())
	}
	if found.genesisHash != anchor.chain.GenesisHash {
		reason := "proof is of the network with genesis hash " + found.genesisHash.String()
		return refused(CouldNotTell, OtherNetwork, reason)
	}
	return found, nil
}

func (p *proof) verify(anchor Anchor) Report {
	report := p.judge(anchor)
	if report.Verdict != Valid {
		return report
	}
	var err error
	if p.mapped != nil {
		report.Map, err = p.mapped.verify(&report, anchor.chain)
		if err != nil {
			return failed(Invalid, MapCode, "map: "+err.Error())
		}
	}
	if p.registry != nil {
		report.Registry, err = p.registry.verify(&report, p.validators)
		if err != nil {
			return failed(Invalid, RegistryCode, "registry: "+err.Error())
		}
	}
	if report.Map == nil {
		return report
	}
	if report.Reason = report.Map.void(); report.Reason != "" {
		report.Verdict = Void
	}
	return report
}

func parse(data []byte) (*proof, error) {
	if len(data) == 0 {
		return nil, unreadable("the proof is empty: bytes needed, 0 left")
	}
	if bytes.HasPrefix(data, []byte("TBR")) {
		return decodeWithRegistry(data)
	}
	if bytes.HasPrefix(data, []byte("TBM")) {
		return decodeWithMap(data)
	}
	if bytes.HasPrefix(data, []byte("TBP")) {
		found, err := decodeCompact(data)
		return &proof{bundle: found}, err
	}
	return readJSON(data)
}

func (b *bundle) judge(anchor Anchor) Report {
	leaf, err := DecodeLeaf(b.leaf)
	if err != nil {
		return failed(Invalid, LeafCode, err.Error())
	}
	at := &b.decision.checkpoint
	if err := leaf.checkPlace(at, anchor.chain); err != nil {
		return failed(Invalid, LeafCode, err.Error())
	}
	root, err := rootOf(leafHash(b.leaf), b.leafIndex, at.LogSize, b.inclusion)
	if err != nil {
		return failed(Invalid, Inclusion, err.Error())
	}
	if root != at.LogRoot {
		reason := "inclusion proof leads to log root " + root.String()
		return failed(Invalid, Inclusion, reason)
	}
	after, handovers, err := anchor.follow(b.handovers, b.validators)
	if err != nil {
		var handover *handoverError
		if errors.As(err, &handover) && handover.number == 1 && problemOf(err) == validatorSet {
			return failed(CouldNotTell, Gap, err.Error())
		}
		return failed(Invalid, HandoverCode, err.Error())
	}
	_, decision, err := after.extend(&b.decision, b.validators)
	if err != nil {
		return b.undecided(err)
	}
	return Report{
		Verdict: Valid, Leaf: leaf, LeafIndex: b.leafIndex, Decision: &decision, Handovers: handovers,
	}
}

// checkPlace: the leaf is of the chain, and not from after the checkpoint.
func (leaf *Leaf) checkPlace(at *Checkpoint, chain Chain) error {
	if leaf.ChainID != chain.ChainID {
		return errors.New("leaf is of another chain id")
	}
	later := leaf.Height > at.Height || leaf.TimeMs > at.TimeMs
	if later || (leaf.Height == at.Height) != (leaf.TimeMs == at.TimeMs) {
		return errors.New("leaf is of a place that the checkpoint cannot cover")
	}
	return nil
}

func (b *bundle) undecided(err error) Report {
	switch why := problemOf(err); {
	case why == validatorSet && len(b.handovers) == 0:
		return failed(CouldNotTell, Gap, err.Error())
	case why == before:
		return failed(CouldNotTell, BeforeTrusted, err.Error())
	case why == fork:
		return failed(Invalid, Fork, err.Error())
	}
	return failed(Invalid, CheckpointBad, err.Error())
}
