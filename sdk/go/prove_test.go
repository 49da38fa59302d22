package tbsi

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
)

func TestInclusion(t *testing.T) {
	var vectors struct {
		Inclusion []struct {
			Index, Size uint64
			Root        string
			Proof       []string
		}
	}
	read(t, "log.json", &vectors)
	for _, it := range vectors.Inclusion {
		path := []Hash{}
		for _, hash := range it.Proof {
			path = append(path, Hash(data(t, hash)))
		}
		leaf := leafHash(binary.BigEndian.AppendUint64(nil, it.Index))
		root, err := rootOf(leaf, it.Index, it.Size, path)
		if err != nil || root.String() != it.Root {
			t.Errorf("%d of %d: got %s, %v", it.Index, it.Size, root, err)
		}
		for at := range path {
			path[at][31] ^= 1
			if root, _ = rootOf(leaf, it.Index, it.Size, path); root.String() == it.Root {
				t.Errorf("%d of %d: hash %d does not count", it.Index, it.Size, at)
			}
			path[at][31] ^= 1
		}
		if _, err = rootOf(leaf, it.Index, it.Size, append(path, Hash{})); err == nil {
			t.Errorf("%d of %d: one hash more", it.Index, it.Size)
		}
	}
	if len(vectors.Inclusion) < 7 {
		t.Error("vectors are missing")
	}
}

func TestMessages(t *testing.T) {
	var vectors struct {
		Messages []struct{ Name, Leaf, LeafHash, Refused string }
	}
	read(t, "light_client_proofs.json", &vectors)
	for _, it := range vectors.Messages {
		leaf := data(t, it.Leaf)
		under := &Checkpoint{ChainID: 8862026, Height: 43, TimeMs: 1 << 47, LogSize: 1, LogRoot: LeafHash(leaf)}
		found, err := ProveLeaf(leaf, 0, nil, under)
		if it.Refused == "LeafKind" {
			// This verifier takes leaves of every kind: the layout of a message is no attestation.
			it.Refused = "LeafDigestLength"
		}
		isRefused(t, it.Name, err, it.Refused)
		if it.Refused == "" && (found.Kind != "message" || LeafHash(leaf).String() != it.LeafHash) {
			t.Errorf("%s: got %+v", it.Name, found)
		}
	}
}

// proven is a log of two attestations, the leaf, and a checkpoint over both.
func proven(t *testing.T) ([]byte, []Hash, Checkpoint) {
	var vectors struct {
		Leaves []struct{ Name, Leaf string }
	}
	read(t, "leaf.json", &vectors)
	leaf := data(t, vectors.Leaves[0].Leaf)
	decoded, err := DecodeLeaf(leaf)
	if err != nil {
		t.Fatal(err)
	}
	sibling := LeafHash([]byte{0})
	own := LeafHash(leaf)
	return leaf, []Hash{sibling}, Checkpoint{
		ChainID: decoded.ChainID, Height: decoded.Height + 1, TimeMs: decoded.TimeMs + 1, LogSize: 2,
		LogRoot: sha([]byte{1}, own[:], sibling[:]),
	}
}

func TestProofsOfLeaves(t *testing.T) {
	leaf, path, good := proven(t)
	if _, err := ProveLeaf(leaf, 0, path, &good); err != nil {
		t.Fatal(err)
	}
	check := func(name string, leaf []byte, index uint64, path []Hash, change func(*Checkpoint)) {
		under := good
		change(&under)
		_, err := ProveLeaf(leaf, index, path, &under)
		isRefused(t, name, err, name)
	}
	same := func(*Checkpoint) {}
	check("LightClientChain", leaf, 0, path, func(p *Checkpoint) { p.ChainID++ })
	check("LightClientLeafTime", leaf, 0, path, func(p *Checkpoint) { p.Height -= 2 })
	check("LightClientLeafTime", leaf, 0, path, func(p *Checkpoint) { p.Height-- })
	check("LightClientLeafTime", leaf, 0, path, func(p *Checkpoint) { p.TimeMs -= 2 })
	check("MerkleLogIndex", leaf, 2, path, same)
	check("MerkleLogPathLength", leaf, 0, nil, same)
	check("MerkleLogPathLength", leaf, 0, append(path, Hash{}), same)
	check("LightClientLogRoot", leaf, 1, path, same)
	check("LightClientLogRoot", leaf, 0, path, func(p *Checkpoint) { p.LogRoot[0] ^= 1 })
	check("LeafLength", leaf[:20], 0, path, same)
	check("LeafLength", append(bytes.Clone(leaf), 0), 0, path, same)
	kind := bytes.Clone(leaf)
	kind[1] = 99
	check("LeafKind", kind, 0, path, same)
	for at := range leaf {
		mutant := bytes.Clone(leaf)
		mutant[at] ^= 1 << (at % 8)
		if _, err := ProveLeaf(mutant, 0, path, &good); err == nil {
			t.Errorf("byte %d does not count", at)
		}
	}
}

func FuzzParsingDoesNotPanic(f *testing.F) {
	f.Add([]byte(strings.Repeat("\x01", 300)))
	f.Fuzz(func(t *testing.T, given []byte) {
		chain := Chain{ChainID: 0x0101010101010101}
		set, err := ParseSet(given)
		if err == nil && set.Hash() != SetHash(given) {
			t.Error("another set")
		}
		if decision, err := chain.ParseDecision(given); err == nil {
			known := &ValidatorSet{members: &set1, encoded: nil}
			if _, err = known.Certify(chain, decision); err == nil {
				t.Error("nobody has this key")
			}
		}
		_, _ = ProveLeaf(given, 0, nil, &Checkpoint{ChainID: chain.ChainID, LogSize: 1})
	})
}

var set1 = set{validators: []Validator{{Address: Address{1}, Power: 1}}, total: 1,
	hash: Hash(bytes.Repeat([]byte{1}, 32))}

// TestPartsOfProofs: what a light client is given of a bundle is what the bundle says.
func TestPartsOfProofs(t *testing.T) {
	vectors, _ := load(t)
	taken := 0
	for _, it := range vectors.Cases {
		if it.Verified == nil || it.Compact == "" {
			continue
		}
		parts, err := TakeApart(data(t, it.Compact))
		if err != nil {
			t.Fatalf("%s: %s", it.Name, err)
		}
		set, err := ParseSet(parts.Set)
		if err != nil || set.Hash() != parts.Checkpoint.ValidatorSetHash {
			t.Fatalf("%s: %v", it.Name, err)
		}
		decision, err := parts.Chain.ParseDecision(parts.Decision)
		if err != nil {
			t.Fatal(err)
		}
		if power, err := set.Certify(parts.Chain, decision); err != nil || power != it.Verified.Power {
			t.Errorf("%s: got %d, %v", it.Name, power, err)
		}
		if leaf, err := ProveLeaf(parts.Leaf, parts.Index, parts.Path, &parts.Checkpoint); err != nil || leaf.ID.String() != it.Verified.ID {
			t.Errorf("%s: got %v, %v", it.Name, leaf, err)
		}
		client := Client{Chain: parts.Chain, LatestMs: 1 << 60}
		for i, handover := range parts.Handovers {
			last, err := parts.Chain.ParseDecision(handover.Last)
			if err != nil {
				t.Fatal(err)
			}
			if i == 0 {
				// Whoever decided it: the bundle was verified from there.
				found, err := parse(data(t, it.Compact))
				if err != nil {
					t.Fatal(err)
				}
				if client.Set, err = ParseSet(found.handovers[0].validators.encode()); err != nil {
					t.Fatal(err)
				}
			}
			first, err := parts.Chain.ParseDecision(handover.First)
			if err != nil {
				t.Fatal(err)
			}
			if client, _, err = client.Handover(last, handover.Set, first, nil); err != nil {
				t.Errorf("%s, handover %d: %s", it.Name, i+1, err)
			}
		}
		taken++
	}
	if taken < 3 {
		t.Errorf("%d bundles", taken)
	}
	if _, err := TakeApart([]byte("TBP1")); err == nil {
		t.Error("taken")
	}
}
