package tbsi

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"strings"
	"testing"
)

func read(t testing.TB, name string, into any) {
	t.Helper()
	data, err := os.ReadFile("../../tests/vectors/" + name)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatal(err)
	}
}

func data(t testing.TB, text string) []byte {
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

type verdictCase struct {
	Name        string
	Text, Bytes *string
	Verdict     Verdict
	Code        Code
	Says        *told
}

// told is what a proof with the map says.
type told struct {
	Status              string
	AsOf, AsOfMs        uint64
	DigestsAsOf         uint64
	DigestsAsOfMs       *uint64
	Digests             []*Place
	Revoked, Superseded *struct {
		Place
		Reason    uint64
		Successor string
	}
}

type verdictVectors struct {
	Cases []verdictCase
	Ages  []struct {
		Name           string
		MaxAgeMs, AtMs uint64
		Expected       string
	}
}

func (c *verdictCase) proof(t testing.TB) []byte {
	if c.Text != nil {
		return []byte(*c.Text)
	}
	return data(t, *c.Bytes)
}

func TestVerdictsThatEveryVerifierShares(t *testing.T) {
	_, anchor := load(t)
	var vectors, withMap verdictVectors
	read(t, "verdicts.json", &vectors)
	read(t, "map_verdicts.json", &withMap)
	vectors.Cases = append(vectors.Cases, withMap.Cases...)
	for _, it := range vectors.Cases {
		got := Verify(it.proof(t), anchor)
		if got.Verdict != it.Verdict || got.Code != it.Code {
			t.Errorf("%s: got %s %s (%s), want %s %s", it.Name, got.Verdict, got.Code, got.Reason,
				it.Verdict, it.Code)
		}
	}
	if len(vectors.Cases) < 280 {
		t.Errorf("%d cases", len(vectors.Cases))
	}
}

func TestWhatTheMapSays(t *testing.T) {
	_, anchor := load(t)
	var vectors verdictVectors
	read(t, "map_verdicts.json", &vectors)
	count := 0
	for _, it := range vectors.Cases {
		if it.Says == nil {
			continue
		}
		count++
		if got := Verify(it.proof(t), anchor).Map; !got.says(it.Says) {
			t.Errorf("%s: got %+v", it.Name, got)
		}
	}
	if count < 36 {
		t.Errorf("%d cases", count)
	}
}

func (m *Map) says(want *told) bool {
	same := m.Known.Height == want.AsOf && m.Known.TimeMs == want.AsOfMs
	if m.Status == nil {
		known := m.DigestsKnown
		same = same && known.Height == want.DigestsAsOf && known.Timed == (want.DigestsAsOfMs != nil) &&
			(!known.Timed || known.TimeMs == *want.DigestsAsOfMs) && len(m.Digests) == len(want.Digests)
		for i := range m.Digests {
			got, want := m.Digests[i].First, want.Digests[i]
			same = same && (got == nil) == (want == nil) && (got == nil || *got == *want)
		}
		return same
	}
	status, got := "notRevoked", m.Status
	if got.Revocation != nil {
		status = "revoked"
	} else if got.AlgorithmRevoked {
		status = "algorithmRevoked"
	}
	same = same && status == want.Status && (got.Supersession == nil) == (want.Superseded == nil)
	if got.Revocation != nil {
		same = same && *got.Revocation == Revocation{want.Revoked.Place, want.Revoked.Reason}
	}
	if got.Supersession != nil {
		it := want.Superseded
		same = same && got.Supersession.Place == it.Place && got.Supersession.Successor.String() == it.Successor
	}
	return same
}

func TestHowOldAStatusMayBe(t *testing.T) {
	_, anchor := load(t)
	var vectors verdictVectors
	read(t, "map_verdicts.json", &vectors)
	for _, age := range vectors.Ages {
		for _, it := range vectors.Cases {
			if it.Name != age.Name {
				continue
			}
			got := VerifyStatus(it.proof(t), anchor, StatusAge{age.MaxAgeMs, age.AtMs})
			if string(got.Verdict) != age.Expected && string(got.Code) != age.Expected {
				t.Errorf("%+v: got %s %s", age, got.Verdict, got.Code)
			}
		}
	}
	if len(vectors.Ages) < 15 {
		t.Errorf("%d ages", len(vectors.Ages))
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

func TestEveryByteOfAStatusCounts(t *testing.T) {
	_, anchor := load(t)
	const name = "map: revoked under a schema that does not allow it (compact)"
	good := mapProof(t, name)
	if Verify(good, anchor).Verdict != Valid {
		t.Fatal(name)
	}
	for at := range good {
		mutant := bytes.Clone(good)
		mutant[at] ^= 1 << (at % 8)
		if got := Verify(mutant, anchor); got.Verdict == Valid || got.Code == "" {
			t.Errorf("byte %d: %s", at, got.Verdict)
		}
	}
}

func mapProof(t testing.TB, name string) []byte {
	t.Helper()
	var vectors verdictVectors
	read(t, "map_verdicts.json", &vectors)
	for _, it := range vectors.Cases {
		if it.Name == name {
			return it.proof(t)
		}
	}
	t.Fatal(name)
	return nil
}

// FuzzMapDoesNotPanic takes the bundle as verified, whoever signed it.
func FuzzMapDoesNotPanic(f *testing.F) {
	for _, name := range []string{
		"map: revoked under a schema that allows it (json)", "map: three digests, one of 64 bytes (compact)",
		"map: superseded, and revoked by a stranger (compact)", "map: absent, another entry there (json)",
	} {
		f.Add(mapProof(f, name))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		found, err := parse(data)
		if err != nil || found.mapped == nil {
			return
		}
		leaf, err := DecodeLeaf(found.leaf)
		if err != nil {
			t.Fatal("a bundle has a leaf")
		}
		taken := Report{
			Leaf: leaf, LeafIndex: found.leafIndex, Decision: &Decision{Checkpoint: found.decision.checkpoint},
		}
		says, err := found.mapped.verify(&taken, Chain{leaf.ChainID, found.genesisHash})
		if (err == nil) == (says == nil) {
			t.Error("neither an error nor a map")
		}
	})
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
