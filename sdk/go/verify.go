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
	Valid        Verdict = "valid"
	Invalid      Verdict = "invalid"
	CouldNotTell Verdict = "could not tell"

	LeafCode      Code = "leaf"
	Inclusion     Code = "inclusion"
	HandoverCode  Code = "handover"
	CheckpointBad Code = "checkpoint"
	Fork          Code = "fork"
	Form          Code = "form"
	OtherNetwork  Code = "otherNetwork"
	Gap           Code = "gap"
	BeforeTrusted Code = "beforeTrusted"
	OtherVersion  Code = "otherVersion"
	Unreadable    Code = "unreadable"
)

// Report is what Verify found. Of a proof that holds, Code and Reason are empty; of any other,
// the rest is nil.
type Report struct {
	Verdict   Verdict
	Code      Code
	Reason    string
	Leaf      *Leaf
	LeafIndex uint64
	Decision  *Decision
	// Each by the old set, then by the new one.
	Handovers [][2]Decision
}

func failed(verdict Verdict, code Code, reason string) Report {
	return Report{Verdict: verdict, Code: code, Reason: reason}
}

// Verify verifies a proof in either form under what is trusted. A proof that holds does not say
// that nothing was revoked later.
func Verify(proof []byte, anchor Anchor) Report {
	found, err := parse(proof)
	if err != nil {
		var form *formError
		if errors.As(err, &form) && form.code == Form {
			return failed(Invalid, Form, err.Error())
		} else if form != nil {
			return failed(CouldNotTell, form.code, err.Error())
		}
		return failed(CouldNotTell, Unreadable, err.Error())
	}
	if found.genesisHash != anchor.chain.GenesisHash {
		reason := "proof is of the network with genesis hash " + found.genesisHash.String()
		return failed(CouldNotTell, OtherNetwork, reason)
	}
	return found.judge(anchor)
}

func parse(proof []byte) (*bundle, error) {
	if len(proof) == 0 {
		return nil, unreadable("the proof is empty: bytes needed, 0 left")
	}
	if bytes.HasPrefix(proof, []byte("TBP")) {
		return decodeCompact(proof)
	}
	return readJSON(proof)
}

func (b *bundle) judge(anchor Anchor) Report {
	leaf, err := DecodeLeaf(b.leaf)
	if err != nil {
		return failed(Invalid, LeafCode, err.Error())
	}
	at := &b.decision.checkpoint
	if leaf.ChainID != anchor.chain.ChainID {
		return failed(Invalid, LeafCode, "leaf is of another chain id")
	}
	later := leaf.Height > at.Height || leaf.TimeMs > at.TimeMs
	if later || (leaf.Height == at.Height) != (leaf.TimeMs == at.TimeMs) {
		return failed(Invalid, LeafCode, "leaf is of a place that the checkpoint cannot cover")
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
