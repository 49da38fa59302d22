package tbsi

import (
	"bytes"
	"encoding/json"
	"testing"
)

type registryCase struct {
	Name, Compact string
	JSON          json.RawMessage
	Verified      *registrySummary
	Refused       *struct {
		Verdict Verdict
		Code    Code
		Words   string
	}
}

type legalSummary struct {
	Number           uint32
	NameZhTw, NameEn string
	TaxID, LEI       *string
	Jurisdiction     string
	NamedSince       uint64
	NamedUntil       *uint64
	MemberSince      uint64
	MemberUntil      *uint64
	Validator        string
	KnownUpTo        uint64
}

type registrySummary struct {
	Issuer    *legalSummary
	Operators []*legalSummary
	KnownUpTo uint64
}

type registryVectors struct {
	GenesisHash string
	Proofs      []registryCase
}

func loadRegistry(t *testing.T) (registryVectors, Anchor) {
	t.Helper()
	_, anchor := load(t)
	var vectors registryVectors
	read(t, "registry.json", &vectors)
	if anchor.chain.GenesisHash != Hash(data(t, vectors.GenesisHash)) {
		t.Fatal("of another network than bundle.json")
	}
	return vectors, anchor
}

func (s *legalSummary) describes(organisation uint32, legal *LegalRecord, since uint64) bool {
	stated := func(text *string) string {
		if text == nil {
			return ""
		}
		return *text
	}
	expected := LegalRecord{s.NameZhTw, s.NameEn, stated(s.TaxID), stated(s.LEI), s.Jurisdiction}
	return organisation == s.Number && *legal == expected && since == s.NamedSince
}

func (s *registrySummary) describes(got *Registry) bool {
	until := func(height *uint64) uint64 {
		if height == nil {
			return 0
		}
		return *height
	}
	same := got.Known == s.KnownUpTo && len(got.Operators) == len(s.Operators) &&
		(got.Issuer == nil) == (s.Issuer == nil)
	if !same {
		return false
	}
	if issuer, want := got.Issuer, s.Issuer; issuer != nil {
		same = want.describes(issuer.Organisation, &issuer.Legal, issuer.Named.Since) &&
			issuer.Named.Until == until(want.NamedUntil) &&
			issuer.Member == InForce{want.MemberSince, until(want.MemberUntil)} &&
			want.KnownUpTo == got.Known
	}
	for i, want := range s.Operators {
		it := got.Operators[i]
		same = same && (it == nil) == (want == nil) && (it == nil ||
			(want.describes(it.Organisation, &it.Legal, it.Since) && it.Validator.String() == want.Validator))
	}
	return same
}

func TestNamesThatTheRegistryProves(t *testing.T) {
	vectors, anchor := loadRegistry(t)
	held, operators := 0, 0
	for _, it := range vectors.Proofs {
		var forms [][]byte
		if it.Compact != "" {
			forms = append(forms, data(t, it.Compact))
		}
		if it.JSON != nil {
			forms = append(forms, it.JSON)
		}
		if len(forms) == 0 || (it.Verified == nil) == (it.Refused == nil) {
			t.Fatalf("%s is no case", it.Name)
		}
		for _, form := range forms {
			got := Verify(form, anchor)
			if want := it.Refused; want != nil {
				if got.Verdict != want.Verdict || got.Code != want.Code {
					t.Errorf("%s: got %s %s (%s)", it.Name, got.Verdict, got.Code, got.Reason)
				}
				continue
			}
			if got.Registry == nil || !it.Verified.describes(got.Registry) {
				t.Errorf("%s: got %+v", it.Name, got)
				continue
			}
			held++
			for _, it := range got.Registry.Operators {
				if it != nil {
					operators++
				}
			}
		}
	}
	if held != 18 || operators < 36 || len(vectors.Proofs) < 80 {
		t.Errorf("%d held with %d operators, %d cases", held, operators, len(vectors.Proofs))
	}
}

func TestEveryByteOfARegistryPartCounts(t *testing.T) {
	vectors, anchor := loadRegistry(t)
	for _, it := range vectors.Proofs {
		if it.Name != "the validators alone" {
			continue
		}
		good := data(t, it.Compact)
		if got := Verify(good, anchor); got.Verdict != Valid {
			t.Fatal(got.Reason)
		}
		for at := range good {
			mutant := bytes.Clone(good)
			mutant[at] ^= 1 << (at % 8)
			if got := Verify(mutant, anchor); got.Verdict == Valid || got.Code == "" {
				t.Errorf("byte %d: %s", at, got.Verdict)
			}
		}
		return
	}
	t.Fatal("no such case")
}

func TestItemsOfRLP(t *testing.T) {
	long := append([]byte{0xb8, 56}, bytes.Repeat([]byte{7}, 56)...)
	for _, good := range [][]byte{{0x7f}, {0x80}, {0x81, 0x80}, {0xc0}, {0xc2, 1, 0x80}, long} {
		if wholeItem(good) == nil {
			t.Errorf("%x is none", good)
		}
	}
	for _, bad := range [][]byte{
		{}, {0x81, 0x7f}, {0x82, 1}, {0xb8, 1, 7}, {0xb9, 0, 56}, {0xc1}, {0x80, 0x80}, {0xf8, 1, 7},
		{0xbf, 255, 255, 255, 255, 255, 255, 255, 255},
	} {
		if wholeItem(bad) != nil {
			t.Errorf("%x is one", bad)
		}
	}
	// The list is whole, what it holds is not.
	if list := wholeItem([]byte{0xc1, 0x81}); list == nil || list.items(9) != nil {
		t.Error("an item that is cut off")
	}
	if wholeItem([]byte{0xc2, 1, 2}).items(1) != nil {
		t.Error("two items are one")
	}
}

// FuzzRegistryDoesNotPanic takes the bundle as verified, whoever signed it.
func FuzzRegistryDoesNotPanic(f *testing.F) {
	var vectors registryVectors
	read(f, "registry.json", &vectors)
	for _, it := range vectors.Proofs {
		if it.Compact != "" {
			f.Add(data(f, it.Compact))
		} else {
			f.Add([]byte(it.JSON))
		}
	}
	f.Fuzz(func(t *testing.T, given []byte) {
		found, err := parse(given)
		if err != nil || found.registry == nil {
			return
		}
		leaf, err := DecodeLeaf(found.leaf)
		if err != nil {
			t.Fatal("a bundle has a leaf")
		}
		taken := Report{Leaf: leaf, Decision: &Decision{Checkpoint: found.decision.checkpoint}}
		says, err := found.registry.verify(&taken, found.validators)
		if (err == nil) == (says == nil) {
			t.Error("neither an error nor a registry")
		}
	})
}
