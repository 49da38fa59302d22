package tbsi

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"strings"
	"testing"
)

func read(t *testing.T, name string, into any) {
	t.Helper()
	data, err := os.ReadFile("../../tests/vectors/" + name)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatal(err)
	}
}

func data(t *testing.T, text string) []byte {
	t.Helper()
	found, err := hex.DecodeString(strings.TrimPrefix(text, "0x"))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

type bundleCase struct {
	Name              string
	TrustedCheckpoint string
	Compact           string
	JSON              json.RawMessage
	Refused           string
	Verified          *struct {
		Issuer            string
		TimeMs, LeafIndex uint64
		ID                string
		Power, TotalPower uint64
		Signers           []string
		Handovers         int
	}
}

type bundleVectors struct {
	Genesis struct {
		ChainID uint64 `json:"chain_id"`
		TimeMs  uint64 `json:"time_ms"`
	}
	GenesisHash string
	Cases       []bundleCase
}

// load gives the vectors, and what their genesis file has one trust.
func load(t *testing.T) (bundleVectors, Anchor) {
	t.Helper()
	var vectors bundleVectors
	read(t, "bundle.json", &vectors)
	var certificates struct{ ValidatorSetHash string }
	read(t, "certificate.json", &certificates)
	chain := Chain{vectors.Genesis.ChainID, Hash(data(t, vectors.GenesisHash))}
	set := Hash(data(t, certificates.ValidatorSetHash))
	return vectors, AnchorOfSet(chain, set, vectors.Genesis.TimeMs)
}

func TestBundles(t *testing.T) {
	vectors, genesis := load(t)
	for _, it := range vectors.Cases {
		anchor := genesis
		if it.TrustedCheckpoint != "" {
			checkpoint, err := DecodeCheckpoint(data(t, it.TrustedCheckpoint))
			if err != nil {
				t.Fatal(err)
			}
			anchor = AnchorOf(genesis.chain.GenesisHash, checkpoint)
		}
		if it.Compact != "" {
			check(t, it, Verify(data(t, it.Compact), anchor))
		}
		if it.JSON != nil {
			check(t, it, Verify(it.JSON, anchor))
		}
	}
}

func check(t *testing.T, it bundleCase, got Report) {
	t.Helper()
	want := it.Verified
	if want == nil {
		if got.Verdict == Valid || got.Code == "" {
			t.Errorf("%s: holds", it.Name)
		}
		if !strings.Contains(got.Reason, it.Refused) {
			t.Errorf("%s: %q lacks %q", it.Name, got.Reason, it.Refused)
		}
		return
	}
	if got.Verdict != Valid {
		t.Errorf("%s: %s", it.Name, got.Reason)
		return
	}
	leaf, decision := got.Leaf, got.Decision
	if leaf.Issuer.String() != want.Issuer || leaf.TimeMs != want.TimeMs ||
		got.LeafIndex != want.LeafIndex || leaf.ID.String() != want.ID ||
		decision.Power != want.Power || decision.TotalPower != want.TotalPower ||
		len(got.Handovers) != want.Handovers || len(decision.Signers) != len(want.Signers) {
		t.Errorf("%s: got %+v", it.Name, got)
	}
	for i, signer := range decision.Signers {
		if signer.NameEn != want.Signers[i] {
			t.Errorf("%s: signer %d is %s", it.Name, i, signer.NameEn)
		}
	}
}

func TestVerdictsThatEveryVerifierShares(t *testing.T) {
	_, anchor := load(t)
	var vectors struct {
		Cases []struct {
			Name        string
			Text, Bytes *string
			Verdict     Verdict
			Code        Code
		}
	}
	read(t, "verdicts.json", &vectors)
	for _, it := range vectors.Cases {
		var proof []byte
		if it.Text != nil {
			proof = []byte(*it.Text)
		} else {
			proof = data(t, *it.Bytes)
		}
		got := Verify(proof, anchor)
		if got.Verdict != it.Verdict || got.Code != it.Code {
			t.Errorf("%s: got %s %s (%s), want %s %s", it.Name, got.Verdict, got.Code, got.Reason,
				it.Verdict, it.Code)
		}
	}
	if len(vectors.Cases) < 80 {
		t.Errorf("%d cases", len(vectors.Cases))
	}
}

func TestLeaves(t *testing.T) {
	var vectors struct {
		Leaves  []struct{ Name, Leaf, LeafHash string }
		Refused []struct{ Name, Leaf, Reason string }
	}
	read(t, "leaf.json", &vectors)
	for _, it := range vectors.Leaves {
		if _, err := DecodeLeaf(data(t, it.Leaf)); err != nil {
			t.Errorf("%s: %s", it.Name, err)
		}
		if got := leafHash(data(t, it.Leaf)).String(); got != it.LeafHash {
			t.Errorf("%s: %s", it.Name, got)
		}
	}
	for _, it := range vectors.Refused {
		_, err := DecodeLeaf(data(t, it.Leaf))
		if err == nil || !strings.Contains(err.Error(), it.Reason) {
			t.Errorf("%s: got %v", it.Name, err)
		}
	}
}

func TestIDs(t *testing.T) {
	var vectors struct {
		Attestations []struct {
			Issuer, Schema, ID string
			Algorithm          uint64
			Words              []string
			ChainID            json.Number `json:"chainId,string"`
		}
	}
	read(t, "attestation_ids.json", &vectors)
	if len(vectors.Attestations) < 12 {
		t.Errorf("%d cases", len(vectors.Attestations))
	}
	for _, it := range vectors.Attestations {
		chain, err := it.ChainID.Int64()
		if err != nil {
			t.Fatal(err)
		}
		words := data(t, strings.ReplaceAll(strings.Join(it.Words, ""), "0x", ""))
		issuer, schema := Address(data(t, it.Issuer)), Hash(data(t, it.Schema))
		if got := attestationID(uint64(chain), issuer, schema, it.Algorithm, words); got.String() != it.ID {
			t.Errorf("got %s, want %s", got, it.ID)
		}
	}
}

func TestEveryByteCounts(t *testing.T) {
	vectors, anchor := load(t)
	for _, it := range vectors.Cases {
		if it.Name != "signed by a quorum" && it.Name != "two handovers" {
			continue
		}
		good := data(t, it.Compact)
		if Verify(good, anchor).Verdict != Valid {
			t.Fatal(it.Name)
		}
		for at := range good {
			mutant := bytes.Clone(good)
			mutant[at] ^= 1 << (at % 8)
			if got := Verify(mutant, anchor); got.Verdict == Valid || got.Code == "" {
				t.Errorf("%s, byte %d: %s", it.Name, at, got.Verdict)
			}
			if got := Verify(good[:at], anchor); got.Verdict == Valid {
				t.Errorf("%s, first %d bytes", it.Name, at)
			}
		}
	}
}

func FuzzVerifyDoesNotPanic(f *testing.F) {
	for _, seed := range []string{"", "TBP1", "{}", "[[", `{"format":"\ud800"}`, `{"a":-0,"b":1e5}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, proof []byte) {
		if got := Verify(proof, Anchor{}); got.Verdict == Valid {
			t.Error("nothing is trusted")
		}
	})
}
