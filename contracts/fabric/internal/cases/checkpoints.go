package cases

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	tbsi "tbsi.invalid/sdk"

	"tbsi.invalid/fabric/internal/testchain"
)

// Run runs all cases.
func Run(t *testing.T, root string, execute Execute) {
	for _, it := range []struct {
		name string
		run  func(*testing.T, string, Execute)
	}{
		{"opening", opening},
		{"updates", updates},
		{"times", times},
		{"handovers", handovers},
		{"flipped bits", flipped},
		{"vectors", vectors},
		{"proofs", proofs},
		{"misbehaviour", misbehaviour},
		{"pauses", pauses},
		{"relayers", relayers},
		{"outbox", outbox},
		{"conflicts", conflicts},
		{"bad input", badInput},
		{"identities", identities},
		{"nested", nested},
	} {
		t.Run(it.name, func(t *testing.T) { it.run(t, root, execute) })
	}
}

func with(name string, value any) func(map[string]any) {
	return func(of map[string]any) { of[name] = value }
}

func opening(t *testing.T, root string, execute Execute) {
	w := New(t, root, execute)
	w.Refused(w.Relayer, "UpdateClient", Update(w.Decide(11)), 409, "LightClientAbsent")
	w.Refused(w.Admin, "Pause", map[string]any{"scope": "proofs", "reason": "x"}, 409, "LightClientAbsent")
	w.Refused(w.Admin, "GetStatus", "{}", 409, "LightClientAbsent")
	for _, it := range [][]byte{w.Relayer, w.Stranger, w.Auditor} {
		w.Refused(it, "InitClient", w.Init(), 403, "IdentityNotAdmin")
	}
	bad := func(name string, value any, refused string) {
		w.Refused(w.Admin, "InitClient", w.Init(with(name, value)), 400, refused)
	}
	bad("chainId", 1, "LightClientChain")
	bad("validatorSet", Hex(w.Chain.Sets["equal 7"].Encoded), "LightClientValidatorSet")
	bad("validatorSet", "0x0000", "LightClientValidatorSet")
	bad("checkpoint", "0x00", "ArgumentForm")
	bad("trustPeriodSeconds", 3599, "ArgumentForm")
	bad("trustPeriodSeconds", 365*86400+1, "ArgumentForm")
	bad("adminMspId", "Org1/MSP", "ArgumentForm")
	bad("adminUnit", "", "ArgumentForm")
	bad("genesisHash", strings.ToUpper(w.Chain.GenesisHash.String()), "ArgumentForm")
	now := w.Now
	w.Now = time.UnixMilli(testchain.StartMs).Add(25 * time.Hour)
	w.Refused(w.Admin, "InitClient", w.Init(), 409, "LightClientExpired")
	w.Now = time.UnixMilli(testchain.StartMs).Add(-time.Hour)
	w.Refused(w.Admin, "InitClient", w.Init(), 400, "LightClientFuture")
	w.Now = now

	status := w.Submit(w.Admin, "InitClient", w.Init())
	if status["status"] != "active" || status["head"].(map[string]any)["height"] != 10.0 {
		t.Errorf("got %v", status)
	}
	by := status["config"].(map[string]any)["by"].(map[string]any)
	if by["mspId"] != "Org1MSP" || "0x"+by["certificateSha256"].(string) != Digest(w.Admin) ||
		by["subject"] != "CN=管理者,OU=admin" {
		t.Errorf("by %v", by)
	}
	w.Refused(w.Admin, "InitClient", w.Init(), 409, "LightClientExists")
	// The set that the first checkpoint names signs from then on.
	w.Submit(w.Stranger, "UpdateClient", Update(w.Decide(11)))
}

func updates(t *testing.T, root string, execute Execute) {
	w := Opened(t, root, execute)
	w.Log.Attest(w.Chain, 15)
	decision := w.Decide(20)
	found := w.Call(w.Stranger, "UpdateClient", Update(decision))
	if found.Event.GetEventName() != "CheckpointAccepted" || string(found.Event.Payload) != string(found.Response.Payload) {
		t.Errorf("event %v", found.Event)
	}
	out := w.Submit(w.Stranger, "UpdateClient", Update(decision))
	if len(out["accepted"].([]any)) != 1 || out["head"].(map[string]any)["height"] != 20.0 {
		t.Errorf("got %v", out)
	}
	// The same again, by anybody, changes nothing.
	again := w.Call(w.Relayer, "UpdateClient", Update(decision))
	if len(w.succeeded("again", again)["accepted"].([]any)) != 0 || len(again.Writes()) != 0 || again.Event != nil {
		t.Errorf("again: %v", again.Writes())
	}
	// Heights may be left out, but not lie behind.
	w.Refused(w.Relayer, "UpdateClient", Update(w.Decide(19)), 400, "LightClientNotAhead")
	behind := w.Chain.At(19, w.Set, w.Log)
	behind.TimeMs = testchain.StartMs + 21_000
	w.Refused(w.Relayer, "UpdateClient",
		Update(w.Chain.Decide(behind, w.Set, w.Set.Quorum(), 0)), 400, "LightClientNotAhead")
	early := w.Chain.At(21, w.Set, w.Log)
	early.TimeMs = testchain.StartMs + 20_000
	w.Refused(w.Relayer, "UpdateClient",
		Update(w.Chain.Decide(early, w.Set, w.Set.Quorum(), 0)), 400, "LightClientNotAhead")
	short := *w
	short.Log = &testchain.Log{Leaves: w.Log.Leaves[:5]}
	w.Refused(w.Relayer, "UpdateClient", Update(short.Decide(21)), 400, "LightClientNotAhead")
	conflict := w.Chain.At(20, w.Set, w.Log)
	conflict.BlockHash = tbsi.Hash{9}
	w.Refused(w.Relayer, "UpdateClient",
		Update(w.Chain.Decide(conflict, w.Set, w.Set.Quorum(), 0)), 400, "LightClientConflict")
	huge := w.Chain.At(1<<48, w.Set, w.Log)
	w.Refused(w.Relayer, "UpdateClient",
		Update(w.Chain.Decide(huge, w.Set, w.Set.Quorum(), 0)), 400, "LightClientTooLarge")

	// Another network's certificate: its chain id, or its genesis, or its validators.
	foreign := *w.Chain
	foreign.ChainID++
	w.Refused(w.Relayer, "UpdateClient",
		Update(foreign.Decide(foreign.At(30, w.Set, w.Log), w.Set, w.Set.Quorum(), 0)), 400, "LightClientChain")
	foreign = *w.Chain
	foreign.GenesisHash[0] ^= 1
	w.Refused(w.Relayer, "UpdateClient",
		Update(foreign.Decide(w.Chain.At(30, w.Set, w.Log), w.Set, w.Set.Quorum(), 0)), 400, "CertificateSignature")
	other := w.Chain.Sets["equal 7"]
	w.Refused(w.Relayer, "UpdateClient",
		Update(w.Chain.Decide(w.Chain.At(30, other, w.Log), other, other.Quorum(), 0)), 400, "LightClientValidatorSet")
	w.Refused(w.Relayer, "UpdateClient",
		Update(w.Chain.Decide(w.Chain.At(30, w.Set, w.Log), w.Set, []int{0, 3}, 0)), 400, "CertificateNoQuorum")
}

func times(t *testing.T, root string, execute Execute) {
	w := Opened(t, root, execute)
	at := func(height uint64, offset time.Duration) time.Time {
		return time.UnixMilli(testchain.StartMs + 1000*int64(height)).Add(offset)
	}
	// The transaction's time is the client's word: it bounds both ways.
	w.Now = at(10, 24*time.Hour)
	found := w.Call(w.Relayer, "UpdateClient", Update(w.Decide(86300)))
	w.succeeded("at the end of the trust period", found)
	w.Now = at(10, 24*time.Hour+time.Millisecond)
	w.Refused(w.Relayer, "UpdateClient", Update(w.Decide(86300)), 409, "LightClientExpired")
	if status := w.Answer(w.Relayer, "GetStatus", "{}"); status["status"] != "expired" {
		t.Errorf("got %v", status["status"])
	}
	w.Now = at(1000, -10*time.Minute)
	w.succeeded("600 s ahead", w.Call(w.Relayer, "UpdateClient", Update(w.Decide(1000))))
	w.Now = w.Now.Add(-time.Millisecond)
	w.Refused(w.Relayer, "UpdateClient", Update(w.Decide(1000)), 400, "LightClientFuture")
	w.Now = at(10, -10*time.Minute-time.Millisecond)
	w.Refused(w.Relayer, "UpdateClient", Update(w.Decide(11)), 400, "TransactionTime")
	w.Now = time.UnixMilli(-1)
	w.Refused(w.Relayer, "UpdateClient", Update(w.Decide(11)), 400, "TransactionTime")
	// What was accepted proves for ever, whatever the time.
	w.Now = at(10, 1000*24*time.Hour)
	w.Answer(w.Relayer, "VerifyAttestation", w.Prove(2, 10))
	w.Submit(w.Relayer, "Anchor", w.Prove(2, 10))
}

func handovers(t *testing.T, root string, execute Execute) {
	w := Opened(t, root, execute)
	four, seven, sixteen := w.Set, w.Chain.Sets["equal 7"], w.Chain.Sets["equal 16"]
	first, second := w.Handover(20, four, seven), w.Handover(30, seven, sixteen)
	third := w.Handover(40, sixteen, four)
	newest := w.Decide(50)
	w.Refused(w.Relayer, "UpdateClient", Update(nil, second), 400, "LightClientValidatorSet")
	w.Refused(w.Relayer, "UpdateClient", Update(nil, first, third), 400, "LightClientValidatorSet")
	// All or none: the first two would be right.
	w.Refused(w.Relayer, "UpdateClient", Update(newest, first, second), 400, "LightClientValidatorSet")
	out := w.Submit(w.Relayer, "UpdateClient", Update(newest, first, second, third))
	if len(out["accepted"].([]any)) != 4 || out["head"].(map[string]any)["setId"] != 4.0 {
		t.Errorf("got %v", out)
	}
	for _, height := range []int{21, 31, 41, 50} {
		w.Answer(w.Stranger, "GetCheckpoint", map[string]any{"height": height})
	}
	// What comes again is passed over, and what follows is taken.
	out = w.Submit(w.Relayer, "UpdateClient", Update(w.Decide(51), second, third))
	if len(out["accepted"].([]any)) != 1 {
		t.Errorf("got %v", out)
	}

	// A checkpoint that names another set is accepted, and then only the handover.
	last := w.Chain.At(60, four, w.Log)
	last.NextValidatorSetHash = seven.Hash
	w.Submit(w.Relayer, "UpdateClient", Update(w.Chain.Decide(last, four, four.Quorum(), 0)))
	w.Refused(w.Relayer, "UpdateClient", Update(w.Decide(61)), 400, "LightClientHandoverNeeded")
	w.Refused(w.Relayer, "UpdateClient", Update(nil, w.Handover(62, four, seven)), 400, "LightClientHandoverNeeded")
	w.Submit(w.Relayer, "UpdateClient", Update(nil, w.Handover(60, four, seven)))
	// The old set is closed at once.
	w.Refused(w.Relayer, "UpdateClient", Update(w.Decide(70)), 400, "LightClientValidatorSet")

	many := []map[string]any{}
	for range 17 {
		many = append(many, first)
	}
	text := w.Refused(w.Relayer, "UpdateClient", Update(nil, many...), 400, "ArgumentForm")
	if !strings.Contains(text, "at most 16") {
		t.Errorf("got %s", text)
	}
}

// flipped: no byte of a decision or handover can be another one.
func flipped(t *testing.T, root string, execute Execute) {
	w := Opened(t, root, execute)
	seven := w.Chain.Sets["equal 7"]
	flip := func(text string, at int) string {
		data, err := testchain.Bytes(text)
		if err != nil {
			t.Fatal(err)
		}
		data[at] ^= 1 << (at % 8)
		return Hex(data)
	}
	check := func(name string, argument map[string]any, of map[string]any) {
		good := of[name].(string)
		for at := 0; at < len(good)/2-1; at += 7 {
			of[name] = flip(good, at)
			found := w.Call(w.Relayer, "UpdateClient", argument)
			if found.Response.Status != 400 || found.Event != nil {
				t.Errorf("%s, byte %d: %d %s", name, at, found.Response.Status, found.Response.Message)
			}
		}
		of[name] = good
	}
	update := Update(w.Decide(20))
	check("decision", update, update)
	handover := w.Handover(20, w.Set, seven)
	for _, name := range []string{"last", "validatorSet", "first"} {
		check(name, Update(nil, handover), handover)
	}
	w.Submit(w.Relayer, "UpdateClient", Update(nil, handover))
}

// vectors: what every light client is held to, by name of error.
func vectors(t *testing.T, root string, execute Execute) {
	text, err := os.ReadFile(root + "/tests/vectors/light_client.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Decisions    []struct{ Name, Set, Decision, Digest string }
		BadDecisions []struct{ Name, Set, Decision, Refused string }
		Handovers    []struct{ Name, TrustedSet, Last, Set, First, Refused string }
	}
	if err = json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	open := func(name string) *World {
		w := New(t, root, execute)
		w.Set = w.Chain.Sets[name]
		at := w.Chain.At(100, w.Set, w.Log)
		at.TimeMs, at.LogSize = 1_699_999_100_000, 1000
		w.Submit(w.Admin, "InitClient", w.Init(with("checkpoint", Hex(at.Encode()))))
		return w
	}
	held := func(w *World, name string, argument any, refused string) {
		if refused == "" {
			w.Submit(w.Relayer, "UpdateClient", argument)
			return
		}
		found := w.Call(w.Relayer, "UpdateClient", argument)
		w.refused(name, found, 400, refused)
	}
	decision := func(text string) map[string]any {
		return map[string]any{"decision": text, "handovers": []any{}}
	}
	for _, it := range file.Decisions {
		held(open(it.Set), it.Name, decision(it.Decision), "")
	}
	for _, it := range file.BadDecisions {
		held(open(it.Set), it.Name, decision(it.Decision), it.Refused)
	}
	for _, it := range file.Handovers {
		part := map[string]any{"last": it.Last, "validatorSet": it.Set, "first": it.First}
		held(open(it.TrustedSet), it.Name, Update(nil, part), it.Refused)
	}
	if len(file.Decisions) < 20 || len(file.BadDecisions) < 39 || len(file.Handovers) < 12 {
		t.Error("vectors are missing")
	}
}
