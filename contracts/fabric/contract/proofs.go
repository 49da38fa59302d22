package contract

import tbsi "tbsi.invalid/sdk"

// Anchored is a leaf that was proven here, under its index, and the answer of Anchor.
type Anchored struct {
	By               Party  `json:"by"`
	CheckpointHeight uint64 `json:"checkpointHeight"`
	ID               string `json:"id"`
	Index            uint64 `json:"index"`
	Issuer           string `json:"issuer"`
	Kind             string `json:"kind"`
	Leaf             string `json:"leaf"`
	LeafHash         string `json:"leafHash"`
	TimeMs           uint64 `json:"timeMs"`
	Transaction      string `json:"transaction"`
}

// AnchorAnswer says whether the leaf is new here, and what is kept.
type AnchorAnswer struct {
	Anchor Anchored `json:"anchor"`
	Fresh  bool     `json:"fresh"`
}

// Attestation is what VerifyAttestation finds.
type Attestation struct {
	Algorithm        uint64 `json:"algorithm"`
	CheckpointDigest string `json:"checkpointDigest"`
	CheckpointHeight uint64 `json:"checkpointHeight"`
	Digest           string `json:"digest"`
	Height           uint64 `json:"height"`
	ID               string `json:"id"`
	Index            uint64 `json:"index"`
	Issuer           string `json:"issuer"`
	Schema           string `json:"schema"`
	TimeMs           uint64 `json:"timeMs"`
}

// prove finds a leaf in the log of an accepted checkpoint. It needs no time and reads nothing that
// a checkpoint changes, so proofs and checkpoints do not get in each other's way.
func (tx *transaction) prove(in Proof) (*tbsi.Leaf, *Checkpoint, error) {
	_, chain, err := tx.config()
	if err != nil {
		return nil, nil, err
	}
	if err = tx.requireOpen(scopeProofs); err != nil {
		return nil, nil, err
	}
	accepted, err := tx.GetCheckpoint(in.Height)
	if err != nil {
		return nil, nil, err
	}
	encoded, err := bytesOf(accepted.Checkpoint)
	if err != nil {
		return nil, nil, err
	}
	checkpoint, err := chain.ParseCheckpoint(encoded)
	if err != nil {
		return nil, nil, damaged(key(kindCheckpoint, number(in.Height)), err)
	}
	leaf, err := tbsi.ProveLeaf(in.Leaf, in.Index, in.Path, checkpoint)
	return leaf, accepted, err
}

// Anchor proves a leaf of any kind and keeps that it was proven, once: the same again changes
// nothing. A later leaf may revoke it; that is another leaf.
func (tx *transaction) Anchor(in Proof) (*AnchorAnswer, error) {
	by, err := tx.named()
	if err != nil {
		return nil, err
	}
	leaf, _, err := tx.prove(in)
	if err != nil {
		return nil, err
	}
	hash := tbsi.LeafHash(in.Leaf).String()
	at := key(kindLeaf, number(in.Index))
	found := &Anchored{}
	exists, err := tx.get(at, found)
	if err != nil {
		return nil, err
	}
	if exists && found.LeafHash == hash {
		return &AnchorAnswer{Anchor: *found}, nil
	}
	if exists {
		const text = "index %d was proven with leaf hash %s, now with %s: checkpoints of heights %d and %d contradict each other, examine them as misbehaviour"
		return nil, refuse(StatusState, "LeafConflict", text, in.Index, found.LeafHash, hash,
			found.CheckpointHeight, in.Height)
	}
	out := &Anchored{
		By: by, CheckpointHeight: in.Height, Index: in.Index, Issuer: leaf.Issuer.String(),
		Kind: leaf.Kind, Leaf: hexOf(in.Leaf), LeafHash: hash, TimeMs: leaf.TimeMs,
		Transaction: tx.stub.GetTxID(),
	}
	if leaf.Kind == kindAttestation {
		out.ID = leaf.ID.String()
	}
	if err = tx.put(at, out); err != nil {
		return nil, err
	}
	return &AnchorAnswer{*out, true}, tx.emit("LeafAnchored", out)
}

const kindAttestation = "attestation"

// VerifyAttestation proves an attestation and writes nothing: evaluate it.
func (tx *transaction) VerifyAttestation(in Proof) (*Attestation, error) {
	leaf, under, err := tx.prove(in)
	if err != nil {
		return nil, err
	}
	if leaf.Kind != kindAttestation {
		return nil, refuse(StatusArgument, "LeafKind", "the leaf is a %s, an attestation is needed", leaf.Kind)
	}
	out := &Attestation{
		CheckpointDigest: under.Digest, CheckpointHeight: in.Height, Height: leaf.Height,
		ID: leaf.ID.String(), Index: in.Index, Issuer: leaf.Issuer.String(), TimeMs: leaf.TimeMs,
	}
	for _, it := range leaf.Fields {
		switch value := it.Value.(type) {
		case uint64:
			out.Algorithm = value
		case string:
			if it.Name == "schema" {
				out.Schema = value
			} else {
				out.Digest = value
			}
		}
	}
	return out, nil
}

// GetCheckpoint is the one that was accepted for a height.
func (tx *transaction) GetCheckpoint(height uint64) (*Checkpoint, error) {
	found := &Checkpoint{}
	ok, err := tx.get(key(kindCheckpoint, number(height)), found)
	if err == nil && !ok {
		const text = "no checkpoint of height %d was accepted here: bring it with UpdateClient, or take another one"
		err = refuse(StatusArgument, "LightClientUnknownCheckpoint", text, height)
	}
	return found, err
}

// GetAnchor is what was anchored under a leaf index; what a frozen client proved before is shown.
func (tx *transaction) GetAnchor(index uint64) (*Anchored, error) {
	found := &Anchored{}
	ok, err := tx.get(key(kindLeaf, number(index)), found)
	if err == nil && !ok {
		err = refuse(StatusArgument, "LeafNotAnchored", "no leaf with index %d was anchored here", index)
	}
	return found, err
}
