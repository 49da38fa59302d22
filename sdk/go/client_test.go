package tbsi

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"testing"
)

type clientVectors struct {
	ChainID     uint64
	GenesisHash string
	Sets        []struct{ Name, Encoded, Hash, Power string }
	BadSets     []struct{ Name, Encoded, Refused string }
	Decisions   []struct{ Name, Set, Decision, Digest, Power string }

	BadDecisions []struct{ Name, Set, Decision, Refused string }
	Handovers    []struct{ Name, TrustedSet, Last, Set, First, Refused string }
}

func (v *clientVectors) chain(t *testing.T) Chain {
	return Chain{v.ChainID, Hash(data(t, v.GenesisHash))}
}

func (v *clientVectors) set(t *testing.T, name string) *ValidatorSet {
	t.Helper()
	for _, it := range v.Sets {
		if it.Name == name {
			set, err := ParseSet(data(t, it.Encoded))
			if err != nil {
				t.Fatalf("%s: %s", name, err)
			}
			return set
		}
	}
	t.Fatalf("no set %s", name)
	return nil
}

// isRefused holds an error to the name of the vectors; "" is none.
func isRefused(t *testing.T, where string, err error, name string) {
	t.Helper()
	got := ""
	var refusal *Refusal
	if errors.As(err, &refusal) {
		got = refusal.Name
	} else if err != nil {
		got = "without a name: " + err.Error()
	}
	if got != name {
		t.Errorf("%s: got %q, want %q", where, got, name)
	}
}

func TestSetsOfLightClients(t *testing.T) {
	var vectors clientVectors
	read(t, "light_client.json", &vectors)
	for _, it := range vectors.Sets {
		set := vectors.set(t, it.Name)
		if set.Hash().String() != it.Hash || json.Number(it.Power).String() != decimal(set.Power()) {
			t.Errorf("%s: got %s, %d", it.Name, set.Hash(), set.Power())
		}
	}
	for _, it := range vectors.BadSets {
		_, err := ParseSet(data(t, it.Encoded))
		isRefused(t, it.Name, err, it.Refused)
	}
	if len(vectors.Sets) < 8 || len(vectors.BadSets) < 12 {
		t.Error("vectors are missing")
	}
}

func decimal(value uint64) string {
	text, _ := json.Marshal(value)
	return string(text)
}

func TestDecisionsOfLightClients(t *testing.T) {
	var vectors clientVectors
	read(t, "light_client.json", &vectors)
	chain := vectors.chain(t)
	certify := func(set, decision string) (*SignedDecision, uint64, error) {
		parsed, err := chain.ParseDecision(data(t, decision))
		if err != nil {
			return nil, 0, err
		}
		power, err := vectors.set(t, set).Certify(chain, parsed)
		return parsed, power, err
	}
	for _, it := range vectors.Decisions {
		found, power, err := certify(it.Set, it.Decision)
		if err != nil || found.Digest.String() != it.Digest || decimal(power) != it.Power {
			t.Errorf("%s: got %v, %d, %v", it.Name, found, power, err)
		}
	}
	for _, it := range vectors.BadDecisions {
		_, _, err := certify(it.Set, it.Decision)
		isRefused(t, it.Name, err, it.Refused)
	}
	if len(vectors.Decisions) < 20 || len(vectors.BadDecisions) < 39 {
		t.Error("vectors are missing")
	}
}

func TestHandoversOfLightClients(t *testing.T) {
	var vectors clientVectors
	read(t, "light_client.json", &vectors)
	chain := vectors.chain(t)
	for _, it := range vectors.Handovers {
		// Where they start is said in the vectors' description.
		client := Client{
			Chain: chain, Set: vectors.set(t, it.TrustedSet), LatestMs: 1 << 60,
			Head: Head{Height: 100, TimeMs: 1_699_999_100_000, LogSize: 1000},
		}
		last, err := chain.ParseDecision(data(t, it.Last))
		if err != nil {
			t.Fatal(err)
		}
		first, err := chain.ParseDecision(data(t, it.First))
		if err != nil {
			t.Fatal(err)
		}
		after, fresh, err := client.Handover(last, data(t, it.Set), first, nil)
		isRefused(t, it.Name, err, it.Refused)
		if it.Refused == "" && (!fresh || after.Head.Digest != first.Digest || after.Set.Count() != 7) {
			t.Errorf("%s: got %+v", it.Name, after.Head)
		}
		if it.Refused != "" && (fresh || after.Head != client.Head || after.Set != client.Set) {
			t.Errorf("%s: half done", it.Name)
		}
	}
	if len(vectors.Handovers) < 12 {
		t.Error("vectors are missing")
	}
}

type certificateVectors struct {
	ChainID                       uint64
	GenesisHash, ValidatorSetHash string
	Validators                    []struct {
		Address, Operator string
		Power             uint64
	}
	Cases []struct {
		Name, Certificate, Refused string
		Power                      uint64
	}
}

// set is that of the vectors, in address order, which need not be that of the file.
func (v *certificateVectors) set(t *testing.T) *ValidatorSet {
	t.Helper()
	members := [][]byte{}
	for _, it := range v.Validators {
		members = append(members, bytes.Join([][]byte{
			data(t, it.Address), u64(it.Power), data(t, it.Operator)}, nil))
	}
	slices.SortFunc(members, bytes.Compare)
	set, err := ParseSet(append(u16(uint16(len(members))), bytes.Join(members, nil)...))
	if err != nil || set.Hash().String() != v.ValidatorSetHash {
		t.Fatal(err)
	}
	return set
}

func TestCertificates(t *testing.T) {
	var vectors certificateVectors
	read(t, "certificate.json", &vectors)
	chain, set := Chain{vectors.ChainID, Hash(data(t, vectors.GenesisHash))}, vectors.set(t)
	for _, it := range vectors.Cases {
		power, err := certified(chain, set, data(t, it.Certificate))
		if it.Refused == "" && (err != nil || power != it.Power) {
			t.Errorf("%s: got %d, %v", it.Name, power, err)
		}
		if it.Refused != "" && err == nil {
			t.Errorf("%s: accepted", it.Name)
		}
	}
	if len(vectors.Cases) < 20 {
		t.Error("vectors are missing")
	}
}

func TestCheckpoints(t *testing.T) {
	var vectors struct {
		Genesis struct {
			ChainID uint64 `json:"chain_id"`
			TimeMs  uint64 `json:"time_ms"`
		}
		GenesisHash string
		Cases       []struct {
			Name, Checkpoint, Certificate, Refused string
			Power                                  uint64
		}
	}
	read(t, "checkpoint.json", &vectors)
	var certificates certificateVectors
	read(t, "certificate.json", &certificates)
	set := certificates.set(t)
	chain := Chain{vectors.Genesis.ChainID, Hash(data(t, vectors.GenesisHash))}
	anchor := AnchorOfSet(chain, set.Hash(), vectors.Genesis.TimeMs)
	for _, it := range vectors.Cases {
		power := uint64(0)
		checkpoint, err := DecodeCheckpoint(data(t, it.Checkpoint))
		if err == nil {
			var found certificate
			if found, err = readCertificate(data(t, it.Certificate)); err == nil {
				var decided Decision
				_, decided, err = anchor.extend(&decision{*checkpoint, found}, set.members)
				power = decided.Power
			}
		}
		if it.Refused == "" && (err != nil || power != it.Power) {
			t.Errorf("%s: got %d, %v", it.Name, power, err)
		}
		if it.Refused != "" && err == nil {
			t.Errorf("%s: accepted", it.Name)
		}
	}
	if len(vectors.Cases) < 9 {
		t.Error("vectors are missing")
	}
}

// readCertificate reads the form of SPEC §3.7, which bundles take apart.
func readCertificate(encoded []byte) (certificate, error) {
	c := &cursor{data: encoded}
	found := certificate{height: c.uint("height", 8), round: uint32(c.uint("round", 4)), digest: c.hash("digest")}
	for range c.uint("count", 2) {
		it := signature{validator: Address(c.take("validator", 20)), bytes: c.take("signature", 65)}
		if c.err != nil {
			break
		}
		found.signatures = append(found.signatures, it)
	}
	c.end()
	if c.err != nil {
		return found, c.err
	}
	return found, found.check()
}

func certified(chain Chain, set *ValidatorSet, encoded []byte) (uint64, error) {
	found, err := readCertificate(encoded)
	if err != nil {
		return 0, err
	}
	_, power, err := countQuorum(chain, set.members, &found)
	return power, err
}
