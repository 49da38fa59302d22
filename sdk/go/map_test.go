package tbsi

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

type mapVectors struct {
	Answers []struct {
		Name, Preimage, Key, Bitmap, OtherKey, Value, Root, Refused string
		Depth, End                                                  int
		Siblings                                                    []string
	}
	GenesisHash string
	Proofs      []struct {
		Name, Compact, Refused string
		JSON                   json.RawMessage
		Verified               *mapSummary
	}
}

type knownSummary struct {
	Height uint64
	TimeMs *uint64
}

type mapSummary struct {
	RootIndex, Entries          uint64
	KnownUpTo, DigestsKnownUpTo knownSummary
	Digests                     []struct {
		Digest                      string
		FirstLeafIndex, FirstHeight *uint64
	}
	Status *struct {
		ID, Issuer, Status                            string
		RevocationLeafIndex, RevocationHeight, Reason *uint64
		Successor                                     *string
	}
}

func TestAnswersOfTheMap(t *testing.T) {
	var vectors mapVectors
	read(t, "map.json", &vectors)
	for _, it := range vectors.Answers {
		key := Hash(data(t, it.Key))
		if sha(data(t, it.Preimage)) != key {
			t.Errorf("%s: another key", it.Name)
		}
		given := answer{
			depth: it.Depth, bitmap: data(t, it.Bitmap), end: end(it.End),
			other: Hash(data(t, it.OtherKey)), value: data(t, it.Value),
		}
		for _, sibling := range it.Siblings {
			given.siblings = append(given.siblings, Hash(data(t, sibling)))
		}
		got, err := given.root(key)
		leads := it.Refused == "" || it.Refused == "leads to root"
		if leads != (err == nil) || (err == nil && (got.String() == it.Root) != (it.Refused == "")) {
			t.Errorf("%s: got %s, %v", it.Name, got, err)
		}
	}
	if len(vectors.Answers) < 42 {
		t.Errorf("%d answers", len(vectors.Answers))
	}
}

func TestProofsWithTheMap(t *testing.T) {
	_, anchor := load(t)
	var vectors mapVectors
	read(t, "map.json", &vectors)
	if anchor.chain.GenesisHash != Hash(data(t, vectors.GenesisHash)) {
		t.Fatal("of another network than bundle.json")
	}
	for _, it := range vectors.Proofs {
		// A verifier of both forms reads this one.
		if it.Name == "a proof without map part" {
			continue
		}
		var forms [][]byte
		if it.Compact != "" {
			forms = append(forms, data(t, it.Compact))
		}
		if it.JSON != nil {
			forms = append(forms, it.JSON)
		}
		for _, form := range forms {
			got := Verify(form, anchor)
			if it.Verified == nil {
				if got.Code == "" || !strings.Contains(got.Reason, it.Refused) {
					t.Errorf("%s: %q lacks %q", it.Name, got.Reason, it.Refused)
				}
			} else if got.Map == nil || !it.Verified.describes(&got) {
				t.Errorf("%s: got %+v", it.Name, got)
			}
		}
	}
	if len(vectors.Proofs) < 40 {
		t.Errorf("%d proofs", len(vectors.Proofs))
	}
}

func (k *knownSummary) describes(got Known) bool {
	return got.Height == k.Height && got.Timed == (k.TimeMs != nil) && (!got.Timed || got.TimeMs == *k.TimeMs)
}

func (s *mapSummary) describes(report *Report) bool {
	got := report.Map
	same := got.LeafIndex == s.RootIndex && got.Root.number("entries") == s.Entries &&
		s.KnownUpTo.describes(got.Known) && s.DigestsKnownUpTo.describes(got.DigestsKnown) &&
		len(got.Digests) == len(s.Digests) && (got.Status == nil) == (s.Status == nil)
	if !same {
		return false
	}
	for i, it := range s.Digests {
		first := got.Digests[i].First
		same = same && fmt.Sprintf("0x%x", got.Digests[i].Digest) == it.Digest && (first == nil) == (it.FirstHeight == nil) &&
			(first == nil || (first.LeafIndex == *it.FirstLeafIndex && first.Height == *it.FirstHeight))
	}
	if s.Status == nil {
		return same
	}
	want, verdict := s.Status, Valid
	status, revocation, successor := "notRevoked", got.Status.Revocation, got.Status.Supersession
	if revocation != nil {
		status, verdict = "revoked", Void
	} else if got.Status.AlgorithmRevoked {
		status, verdict = "algorithmRevoked", Void
	}
	return same && report.Verdict == verdict && status == want.Status &&
		report.Leaf.ID.String() == want.ID && report.Leaf.Issuer.String() == want.Issuer &&
		(revocation == nil) == (want.Reason == nil) && (successor == nil) == (want.Successor == nil) &&
		(revocation == nil || (revocation.LeafIndex == *want.RevocationLeafIndex &&
			revocation.Height == *want.RevocationHeight && revocation.Reason == *want.Reason)) &&
		(successor == nil || successor.Successor.String() == *want.Successor)
}
