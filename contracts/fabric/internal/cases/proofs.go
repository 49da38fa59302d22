package cases

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/hyperledger/fabric-protos-go-apiv2/peer"

	tbsi "tbsi.invalid/sdk"

	"tbsi.invalid/fabric/internal/testchain"
)

func proofs(t *testing.T, root string, execute Execute) {
	w := Opened(t, root, execute)
	for index := range w.Log.Leaves {
		found := w.Answer(w.Stranger, "VerifyAttestation", w.Prove(index, 10))
		if found["index"] != float64(index) || found["algorithm"] != 18.0 || found["checkpointHeight"] != 10.0 ||
			found["issuer"] != "0x"+strings.Repeat("aa", 20) || found["schema"] != "0x"+strings.Repeat("5c", 32) {
			t.Errorf("got %v", found)
		}
		out := w.Submit(w.Relayer, "Anchor", w.Prove(index, 10))
		kept := w.Answer(w.Stranger, "GetAnchor", map[string]any{"index": index})
		if out["fresh"] != true || kept["id"] != found["id"] || kept["by"].(map[string]any)["mspId"] != "Org1MSP" {
			t.Errorf("got %v", out)
		}
		again := w.Call(w.Stranger, "Anchor", w.Prove(index, 10))
		if w.succeeded("again", again)["fresh"] != false || len(again.Writes()) != 0 || again.Event != nil {
			t.Errorf("again: %v", again.Writes())
		}
	}
	bad := func(refused string, change ...func(map[string]any)) {
		t.Helper()
		for _, function := range []string{"Anchor", "VerifyAttestation"} {
			argument := w.Prove(2, 10)
			for _, it := range change {
				it(argument)
			}
			w.Refused(w.Relayer, function, argument, 400, refused)
		}
	}
	bad("LightClientUnknownCheckpoint", with("height", 11))
	bad("MerkleLogIndex", with("index", 5))
	bad("LightClientLogRoot", with("index", 3))
	bad("MerkleLogPathLength", with("path", []string{}))
	bad("LightClientLogRoot", with("leaf", Hex(w.Log.Leaves[1])))
	bad("LeafLength", with("leaf", "0x"))
	bad("LeafLength", with("leaf", Hex(append(bytes.Clone(w.Log.Leaves[2]), 0))))
	bad("ArgumentForm", with("leaf", "0x"+strings.Repeat("00", 513)))
	bad("ArgumentForm", with("index", -1))
	bad("ArgumentForm", with("height", uint64(1)<<48))
	path := w.Prove(2, 10)["path"].([]string)
	bad("MerkleLogPathLength", with("path", append(path, path[0])))
	bad("ArgumentForm", with("path", make([]string, 49)))
	// A leaf as if it were a node, and a node as if it were a leaf.
	bad("LightClientLogRoot", with("path", []string{tbsi.LeafHash(w.Log.Leaves[2]).String(), path[1], path[2]}))
	for at := range w.Log.Leaves[2] {
		mutant := bytes.Clone(w.Log.Leaves[2])
		mutant[at] ^= 1 << (at % 8)
		argument := w.Prove(2, 10)
		argument["leaf"] = Hex(mutant)
		if found := w.Call(w.Relayer, "Anchor", argument); found.Response.Status != 400 {
			t.Errorf("byte %d: %d", at, found.Response.Status)
		}
	}
	w.Refused(w.Relayer, "GetAnchor", map[string]any{"index": 99}, 400, "LeafNotAnchored")
	otherKinds(t, w)
}

// otherKinds: leaves that are no attestations are anchored, and no attestations.
func otherKinds(t *testing.T, w *World) {
	w.Log.Attest(w.Chain, 15)
	revocation := bytes.Clone(w.Log.Leaves[5][:48])
	revocation[1] = 2
	w.Log.Leaves[5] = append(append(revocation, make([]byte, 32)...), 0, 1)
	w.Submit(w.Relayer, "UpdateClient", Update(w.Decide(20)))
	w.Refused(w.Relayer, "VerifyAttestation", w.Prove(5, 20), 400, "LeafKind")
	out := w.Submit(w.Relayer, "Anchor", w.Prove(5, 20))["anchor"].(map[string]any)
	if out["kind"] != "revocation" || out["id"] != "" {
		t.Errorf("got %v", out)
	}
	// A log that says something else at an index that was anchored.
	w.Log.Leaves[1] = bytes.Clone(w.Log.Leaves[1])
	w.Log.Leaves[1][100] ^= 1
	w.Submit(w.Relayer, "UpdateClient", Update(w.Decide(30)))
	w.Refused(w.Relayer, "Anchor", w.Prove(1, 30), 409, "LeafConflict")
}

func misbehaviour(t *testing.T, root string, execute Execute) {
	w := Opened(t, root, execute)
	w.Submit(w.Relayer, "UpdateClient", Update(w.Decide(20)))
	w.Submit(w.Relayer, "Anchor", w.Prove(1, 20))
	side := func(setID int, decision []byte) map[string]any {
		return map[string]any{"setId": setID, "decision": Hex(decision)}
	}
	evidence := func(a, b []byte) map[string]any {
		return map[string]any{"a": side(1, a), "b": side(1, b)}
	}
	forged := w.Chain.At(20, w.Set, w.Log)
	forged.StateRoot = tbsi.Hash{7}
	good, bad := w.Decide(20), w.Chain.Decide(forged, w.Set, []int{1, 2, 3}, 4)
	w.Refused(w.Stranger, "SubmitMisbehaviour", evidence(good, good), 400, "LightClientNoConflict")
	w.Refused(w.Stranger, "SubmitMisbehaviour", evidence(good, w.Decide(30)), 400, "LightClientNoConflict")
	few := w.Chain.Decide(forged, w.Set, []int{1, 2}, 0)
	w.Refused(w.Stranger, "SubmitMisbehaviour", evidence(good, few), 400, "CertificateNoQuorum")
	broken := bytes.Clone(bad)
	broken[300] ^= 1
	w.Refused(w.Stranger, "SubmitMisbehaviour", evidence(good, broken), 400, "CertificateSignature")
	early := w.Chain.At(10, w.Set, w.Log)
	early.StateRoot = tbsi.Hash{7}
	w.Refused(w.Stranger, "SubmitMisbehaviour",
		evidence(w.Chain.Decide(early, w.Set, w.Set.Quorum(), 0), good), 400, "LightClientBeforeStart")
	w.Refused(w.Stranger, "SubmitMisbehaviour",
		map[string]any{"a": side(2, good), "b": side(1, bad)}, 400, "LightClientUnknownSet")
	w.Refused(w.Stranger, "SubmitMisbehaviour",
		map[string]any{"a": side(0, good), "b": side(1, bad)}, 400, "ArgumentForm")
	now := w.Now
	w.Now = now.AddDate(0, 0, 2)
	w.Refused(w.Stranger, "SubmitMisbehaviour", evidence(good, bad), 409, "LightClientSetTooOld")
	w.Now = now

	// A pause of everything does not hinder it.
	for _, scope := range []string{"updates", "proofs", "messages"} {
		w.Submit(w.Admin, "Pause", map[string]any{"scope": scope, "reason": "examined"})
	}
	out := w.Submit(w.Stranger, "SubmitMisbehaviour", evidence(bad, good))
	if culprits := out["culprits"].([]any); len(culprits) != 2 || culprits[0] != Hex(w.Set.Encoded[2+60:2+80]) {
		t.Errorf("culprits %v", culprits)
	}
	if out["later"].(map[string]any)["height"] != 20.0 || out["by"].(map[string]any)["mspId"] != "Org2MSP" {
		t.Errorf("got %v", out)
	}
	for _, scope := range []string{"updates", "proofs", "messages"} {
		w.Submit(w.Admin, "Unpause", map[string]any{"scope": scope})
	}
	w.Refused(w.Relayer, "UpdateClient", Update(w.Decide(30)), 409, "LightClientFrozen")
	w.Refused(w.Relayer, "Anchor", w.Prove(2, 20), 409, "LightClientFrozen")
	w.Refused(w.Relayer, "VerifyAttestation", w.Prove(1, 20), 409, "LightClientFrozen")
	w.Refused(w.Stranger, "SubmitMisbehaviour", evidence(bad, good), 409, "LightClientFrozen")
	w.Answer(w.Relayer, "GetAnchor", map[string]any{"index": 1})
	if status := w.Answer(w.Relayer, "GetStatus", "{}"); status["status"] != "frozen" || status["frozen"] == nil {
		t.Errorf("got %v", status)
	}
	betweenSets(t, root, execute)
}

// betweenSets: who signed the later one is to blame, and time, size and root of a log count too.
func betweenSets(t *testing.T, root string, execute Execute) {
	for _, change := range []func(*tbsi.Checkpoint){
		func(p *tbsi.Checkpoint) { p.TimeMs = testchain.StartMs + 1 },
		func(p *tbsi.Checkpoint) { p.LogSize-- },
		func(p *tbsi.Checkpoint) { p.LogRoot[0] ^= 1 },
	} {
		w := Opened(t, root, execute)
		seven := w.Chain.Sets["equal 7"]
		good := w.Decide(15)
		w.Submit(w.Relayer, "UpdateClient", Update(good, []map[string]any{}...))
		w.Submit(w.Relayer, "UpdateClient", Update(nil, w.Handover(20, w.Set, seven)))
		bad := w.Chain.At(40, seven, w.Log)
		change(&bad)
		out := w.Submit(w.Stranger, "SubmitMisbehaviour", map[string]any{
			"a": map[string]any{"setId": 1, "decision": Hex(good)},
			"b": map[string]any{"setId": 2, "decision": Hex(w.Chain.Decide(bad, seven, seven.Quorum(), 0))},
		})
		if len(out["culprits"].([]any)) != 5 {
			t.Errorf("culprits %v", out["culprits"])
		}
	}
	oldSet(t, root, execute)
}

// oldSet: a set that was replaced counts for the trust period after that, however new the newest
// checkpoint is.
func oldSet(t *testing.T, root string, execute Execute) {
	w := Opened(t, root, execute)
	old, seven := w.Set, w.Chain.Sets["equal 7"]
	w.Submit(w.Relayer, "UpdateClient", Update(nil, w.Handover(20, old, seven)))
	w.Now = time.UnixMilli(testchain.StartMs + 50_000_000)
	w.Submit(w.Relayer, "UpdateClient",
		Update(w.Chain.Decide(w.Chain.At(50_000, seven, w.Log), seven, seven.Quorum(), 0)))
	forged := w.Chain.At(15, old, w.Log)
	forged.StateRoot = tbsi.Hash{7}
	evidence := map[string]any{
		"a": map[string]any{"setId": 1, "decision": Hex(w.Decide(15))},
		"b": map[string]any{"setId": 1, "decision": Hex(w.Chain.Decide(forged, old, old.Quorum(), 0))},
	}
	w.Now = time.UnixMilli(testchain.StartMs + 21_000 + 86_400_000)
	w.succeeded("in time", w.Call(w.Stranger, "SubmitMisbehaviour", evidence))
	w.Now = w.Now.Add(time.Millisecond)
	w.Refused(w.Stranger, "SubmitMisbehaviour", evidence, 409, "LightClientSetTooOld")
}

// conflicts: two that were endorsed on one state do not both count.
func conflicts(t *testing.T, root string, execute Execute) {
	valid, conflict := peer.TxValidationCode_VALID, peer.TxValidationCode_MVCC_READ_CONFLICT
	w := Opened(t, root, execute)
	a, b := w.Call(w.Relayer, "UpdateClient", Update(w.Decide(20))), w.Call(w.Stranger, "UpdateClient", Update(w.Decide(21)))
	w.succeeded("a", a)
	w.succeeded("b", b)
	w.Block([]peer.TxValidationCode{valid, conflict}, a, b)
	w.Refused(w.Stranger, "GetCheckpoint", map[string]any{"height": 21}, 400, "LightClientUnknownCheckpoint")
	if head := w.Answer(w.Relayer, "GetStatus", "{}")["head"].(map[string]any); head["height"] != 20.0 {
		t.Errorf("head %v", head)
	}
	// Endorsed anew, the second one counts, once.
	w.Submit(w.Stranger, "UpdateClient", Update(w.Decide(21)))

	// Two handovers from one set, of which one must lose.
	seven, sixteen := w.Chain.Sets["equal 7"], w.Chain.Sets["equal 16"]
	a = w.Call(w.Relayer, "UpdateClient", Update(nil, w.Handover(30, w.Set, seven)))
	b = w.Call(w.Stranger, "UpdateClient", Update(nil, w.Handover(30, w.Set, sixteen)))
	w.Block([]peer.TxValidationCode{valid, conflict}, a, b)
	if head := w.Answer(w.Relayer, "GetStatus", "{}")["head"].(map[string]any); head["setId"] != 2.0 {
		t.Errorf("head %v", head)
	}

	// The same leaf twice, beside another leaf and a checkpoint: only the double one loses.
	same, twin := w.Call(w.Relayer, "Anchor", w.Prove(1, 20)), w.Call(w.Stranger, "Anchor", w.Prove(1, 21))
	other := w.Call(w.Stranger, "Anchor", w.Prove(2, 20))
	later := w.Chain.Decide(w.Chain.At(40, seven, w.Log), seven, seven.Quorum(), 0)
	update := w.Call(w.Relayer, "UpdateClient", Update(later))
	w.Block([]peer.TxValidationCode{valid, valid, conflict, valid}, update, same, twin, other)
	if kept := w.Answer(w.Relayer, "GetAnchor", map[string]any{"index": 1}); kept["checkpointHeight"] != 20.0 {
		t.Errorf("kept %v", kept)
	}

	// A pause overtakes what was endorsed before it.
	under := w.Call(w.Relayer, "Anchor", w.Prove(3, 20))
	pause := w.Call(w.Admin, "Pause", map[string]any{"scope": "proofs", "reason": "examined"})
	w.Block([]peer.TxValidationCode{valid, conflict}, pause, under)
}
