package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	tbsi "tbsi.invalid/sdk"

	"tbsi.invalid/fabric/contract"
	"tbsi.invalid/fabric/internal/cases"
	"tbsi.invalid/fabric/internal/testchain"
)

const root = "../../.."

// TestArgumentsAreWhatTheChaincodeTakes: a proof in, and the chaincode accepts what comes out.
func TestArgumentsAreWhatTheChaincodeTakes(t *testing.T) {
	w := cases.New(t, root, cases.InMemory(contract.Contract{}))
	w.Set = testchain.Equal(4)
	file := func(name string, height uint64) string {
		w.Log.Attest(w.Chain, height-1)
		proof, err := w.Chain.Proof(w.Log, len(w.Log.Leaves)-1, w.Chain.At(height, w.Set, w.Log), w.Set)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), name)
		if err = os.WriteFile(path, proof, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	first, later := file("first", 10), file("later", 20)
	submit := func(args ...string) map[string]any {
		t.Helper()
		return w.Submit(w.Admin, made(t, args...)[0], made(t, args...)[1])
	}
	submit("init", "--admin-msp", "Org1MSP", first)
	submit("update", "--from", "10", later)
	submit("verify", later)
	out := submit("anchor", later)
	if out["anchor"].(map[string]any)["checkpointHeight"] != 20.0 {
		t.Errorf("got %v", out)
	}
}

// TestHandoversOfAProof: a bundle of the shared vectors, from the checkpoint before its handovers.
func TestHandoversOfAProof(t *testing.T) {
	text, err := os.ReadFile(root + "/tests/vectors/bundle.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors struct {
		Cases []struct {
			Name string
			JSON json.RawMessage
		}
	}
	if err = json.Unmarshal(text, &vectors); err != nil {
		t.Fatal(err)
	}
	for _, it := range vectors.Cases {
		if it.Name != "two handovers" || it.JSON == nil {
			continue
		}
		path := filepath.Join(t.TempDir(), "proof")
		if err = os.WriteFile(path, it.JSON, 0o600); err != nil {
			t.Fatal(err)
		}
		var update struct{ Handovers []struct{ Last string } }
		if err = json.Unmarshal([]byte(made(t, "update", path)[1]), &update); err != nil || len(update.Handovers) != 2 {
			t.Fatalf("got %v, %v", update, err)
		}
		// The client begins with the last decision of the first set, but for the set that it
		// names: a chain that stood still before it.
		w := cases.New(t, root, cases.InMemory(contract.Contract{}))
		w.Submit(w.Admin, "InitClient", before(t, w, it.JSON))
		w.Now = w.Now.Add(time.Minute)
		out := w.Submit(w.Relayer, "UpdateClient", made(t, "update", path)[1])
		if len(out["accepted"].([]any)) != 3 {
			t.Errorf("got %v", out)
		}
		w.Submit(w.Relayer, "Anchor", made(t, "anchor", path)[1])
		return
	}
	t.Error("the vector is missing")
}

// before is an InitClient with height 0 of a bundle's first set.
func before(t *testing.T, w *cases.World, bundle []byte) map[string]any {
	t.Helper()
	var parts struct {
		GenesisHash string
		Handovers   []json.RawMessage
	}
	var first struct {
		Validators json.RawMessage
		Last       struct{ Checkpoint, Certificate json.RawMessage }
	}
	if json.Unmarshal(bundle, &parts) != nil || json.Unmarshal(parts.Handovers[0], &first) != nil {
		t.Fatal("the vector has another form")
	}
	encoded := encodedSet(t, first.Validators)
	w.Set = &testchain.Set{Encoded: encoded, Hash: tbsi.SetHash(encoded)}
	at := w.Chain.At(0, w.Set, w.Log)
	return map[string]any{
		"adminMspId": "Org1MSP", "adminUnit": "admin", "chainId": w.Chain.ChainID,
		"genesisHash": parts.GenesisHash, "checkpoint": cases.Hex(at.Encode()),
		"validatorSet": cases.Hex(encoded), "strict": false, "trustPeriodSeconds": 365 * 86400,
	}
}

func encodedSet(t *testing.T, validators json.RawMessage) []byte {
	t.Helper()
	var members []struct {
		Address, NameZhTW, NameEn string
		Power                     uint64
	}
	if err := json.Unmarshal(validators, &members); err != nil {
		t.Fatal(err)
	}
	out := binary.BigEndian.AppendUint16(nil, uint16(len(members)))
	for _, it := range members {
		address, err := testchain.Bytes(it.Address)
		if err != nil {
			t.Fatal(err)
		}
		operator := tbsi.OperatorID(it.NameZhTW, it.NameEn)
		out = binary.BigEndian.AppendUint64(append(out, address...), it.Power)
		out = append(out, operator[:]...)
	}
	return out
}

func made(t *testing.T, args ...string) []string {
	t.Helper()
	var out bytes.Buffer
	if err := run(args, &out); err != nil {
		t.Fatal(err)
	}
	var found struct{ Args []string }
	if err := json.Unmarshal(out.Bytes(), &found); err != nil || len(found.Args) != 2 {
		t.Fatalf("got %s, %v", out.String(), err)
	}
	return found.Args
}

func TestMistakesAreTold(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, it := range []struct {
		says string
		args []string
	}{
		{"a command is missing", nil},
		{"is no command", []string{"deploy"}},
		{"one file with a proof", []string{"anchor"}},
		{"no such file", []string{"anchor", filepath.Join(t.TempDir(), "absent")}},
		{"the proof is empty", []string{"anchor", empty}},
	} {
		err := run(it.args, &bytes.Buffer{})
		if err == nil || !strings.Contains(err.Error(), it.says) {
			t.Errorf("%v: got %v", it.args, err)
		}
	}
}
