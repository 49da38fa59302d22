package cases

import (
	"strings"
	"testing"

	"github.com/hyperledger/fabric-protos-go-apiv2/peer"

	"tbsi.invalid/fabric/peerdriver"
)

func pauses(t *testing.T, root string, execute Execute) {
	w := Opened(t, root, execute)
	pause := func(scope string) map[string]any { return map[string]any{"scope": scope, "reason": "演練 & <drill>"} }
	for _, it := range [][]byte{w.Relayer, w.Stranger, w.Auditor} {
		w.Refused(it, "Pause", pause("updates"), 403, "IdentityNotAdmin")
		w.Refused(it, "Unpause", map[string]any{"scope": "updates"}, 403, "IdentityNotAdmin")
		// Who may not do it learns nothing of the argument.
		w.Refused(it, "Pause", "nonsense", 403, "IdentityNotAdmin")
	}
	w.Refused(w.Admin, "Pause", pause("all"), 400, "ArgumentForm")
	w.Refused(w.Admin, "Pause", map[string]any{"scope": "updates", "reason": strings.Repeat("x", 257)}, 400, "ArgumentForm")
	w.Refused(w.Admin, "Pause", map[string]any{"scope": "updates", "reason": ""}, 400, "ArgumentForm")
	w.Refused(w.Admin, "Unpause", map[string]any{"scope": "updates"}, 409, "LightClientPauseUnchanged")
	w.Submit(w.Admin, "Pause", pause("updates"))
	w.Refused(w.Admin, "Pause", pause("updates"), 409, "LightClientPauseUnchanged")
	w.Refused(w.Relayer, "UpdateClient", Update(w.Decide(20)), 409, "LightClientPaused")
	w.Submit(w.Relayer, "Anchor", w.Prove(1, 10))
	w.Submit(w.Admin, "Pause", pause("proofs"))
	w.Refused(w.Relayer, "Anchor", w.Prove(1, 10), 409, "LightClientPaused")
	w.Refused(w.Relayer, "VerifyAttestation", w.Prove(1, 10), 409, "LightClientPaused")
	status := w.Answer(w.Stranger, "GetStatus", "{}")
	if status["status"] != "paused" || len(status["paused"].([]any)) != 2 {
		t.Errorf("got %v", status)
	}
	// No time ends a pause.
	w.Now = w.Now.AddDate(0, 0, 30)
	w.Refused(w.Relayer, "Anchor", w.Prove(1, 10), 409, "LightClientPaused")
	w.Now = w.Now.AddDate(0, 0, -30)
	w.Submit(w.Admin, "Unpause", map[string]any{"scope": "proofs"})
	w.Submit(w.Admin, "Unpause", map[string]any{"scope": "updates"})
	w.Submit(w.Relayer, "UpdateClient", Update(w.Decide(20)))
}

func relayers(t *testing.T, root string, execute Execute) {
	w := Opened(t, root, execute, with("strict", true))
	register := func(active bool) map[string]any {
		return map[string]any{
			"mspId": "Org2MSP", "certificateSha256": Digest(w.Stranger), "nameEn": "Somebody Ltd.",
			"nameZhTw": "某某股份有限公司", "active": active,
		}
	}
	w.Refused(w.Stranger, "SetRelayer", register(true), 403, "IdentityNotAdmin")
	w.Refused(w.Stranger, "UpdateClient", Update(w.Decide(20)), 403, "RelayersReserved")
	w.Refused(w.Stranger, "UpdateClient", "nonsense", 403, "RelayersReserved")
	for _, name := range []string{"a\nb", "a\u2028b", "a\u202eb", "a\u200bb", "a\u0085b", ""} {
		bad := register(true)
		bad["nameZhTw"] = name
		w.Refused(w.Admin, "SetRelayer", bad, 400, "ArgumentForm")
	}
	named := map[string]any{"mspId": "Org2MSP", "certificateSha256": register(true)["certificateSha256"]}
	w.Refused(w.Stranger, "GetRelayer", named, 400, "RelayerUnknown")
	w.Submit(w.Admin, "SetRelayer", register(true))
	if found := w.Answer(w.Stranger, "GetRelayer", named); found["active"] != true || found["nameEn"] != "Somebody Ltd." {
		t.Errorf("registered %v", found)
	}
	out := w.Submit(w.Stranger, "UpdateClient", Update(w.Decide(20)))
	by := out["by"].(map[string]any)
	if by["nameZhTw"] != "某某股份有限公司" || by["subject"] != "CN=somebody,OU=client" {
		t.Errorf("by %v", by)
	}
	kept := w.Answer(w.Admin, "GetCheckpoint", map[string]any{"height": 20})
	if kept["by"].(map[string]any)["nameEn"] != "Somebody Ltd." {
		t.Errorf("kept %v", kept)
	}
	// Another certificate of the same MSP is another relayer.
	w.Refused(w.Auditor, "UpdateClient", Update(w.Decide(21)), 403, "RelayersReserved")
	w.Submit(w.Admin, "SetRelayer", register(false))
	w.Refused(w.Stranger, "UpdateClient", Update(w.Decide(21)), 403, "RelayersReserved")
	// Proofs are anybody's.
	w.Submit(w.Stranger, "Anchor", w.Prove(1, 10))
}

func outbox(t *testing.T, root string, execute Execute) {
	w := Opened(t, root, execute)
	message := func(sequence int, payload string) map[string]any {
		return map[string]any{
			"sequence": sequence, "timeoutSeconds": 1_800_000_000,
			"receiver": "0x" + strings.Repeat("be", 20), "payloadHash": "0x" + strings.Repeat(payload, 32),
		}
	}
	w.Refused(w.Stranger, "SendMessage", message(2, "01"), 409, "OutboxGap")
	w.Refused(w.Stranger, "SendMessage", message(0, "01"), 400, "ArgumentForm")
	zero := message(1, "01")
	zero["receiver"] = "0x" + strings.Repeat("00", 20)
	w.Refused(w.Stranger, "SendMessage", zero, 400, "ArgumentForm")
	out := w.Submit(w.Stranger, "SendMessage", message(1, "01"))
	again := w.Call(w.Auditor, "SendMessage", message(1, "01"))
	if out["fresh"] != true || w.succeeded("again", again)["fresh"] != false || len(again.Writes()) != 0 {
		t.Errorf("got %v", out)
	}
	w.Refused(w.Stranger, "SendMessage", message(1, "02"), 409, "OutboxTaken")
	// Each MSP has numbers of its own, and two for one number do not both count.
	mine, theirs := w.Call(w.Relayer, "SendMessage", message(1, "01")), w.Call(w.Stranger, "SendMessage", message(2, "01"))
	twin := w.Call(w.Auditor, "SendMessage", message(2, "03"))
	valid, conflict := peer.TxValidationCode_VALID, peer.TxValidationCode_MVCC_READ_CONFLICT
	w.Block([]peer.TxValidationCode{valid, valid, conflict}, mine, theirs, twin)

	entry := func(mspID string, sequence int, nonce string) map[string]any {
		return map[string]any{"mspId": mspID, "sequence": sequence, "nonce": "0x" + strings.Repeat(nonce, 32)}
	}
	found := w.Answer(w.Relayer, "GetOutboxEntry", entry("Org2MSP", 1, "77"))
	if found["channel"] != Channel || found["nonce"] != "0x"+strings.Repeat("77", 32) ||
		found["chainId"] != float64(w.Chain.ChainID) || found["genesisHash"] != w.Chain.GenesisHash.String() {
		t.Errorf("got %v", found)
	}
	own := w.Answer(w.Relayer, "GetOutboxEntry", entry("Org1MSP", 1, "77"))
	hash := func(of map[string]any) any { return of["message"].(map[string]any)["messageHash"] }
	if hash(own) == hash(found) {
		t.Error("the sender is not in the message's hash")
	}
	w.Refused(w.Relayer, "GetOutboxEntry", entry("Org1MSP", 2, "77"), 400, "OutboxUnknown")
	w.Refused(w.Relayer, "GetOutboxEntry", entry("Org1MSP/", 1, "77"), 400, "ArgumentForm")
	w.Submit(w.Admin, "Pause", map[string]any{"scope": "messages", "reason": "drill"})
	w.Refused(w.Stranger, "SendMessage", message(3, "01"), 409, "LightClientPaused")
	w.Refused(w.Relayer, "GetOutboxEntry", entry("Org1MSP", 1, "77"), 409, "LightClientPaused")
}

// badInput: malformed arguments are refused by name, field and limit.
func badInput(t *testing.T, root string, execute Execute) {
	w := Opened(t, root, execute)
	functions := []string{
		"InitClient", "UpdateClient", "Anchor", "VerifyAttestation", "SubmitMisbehaviour", "SetRelayer",
		"Pause", "Unpause", "SendMessage", "GetOutboxEntry", "GetCheckpoint", "GetAnchor", "GetStatus",
		"GetRelayer",
	}
	for _, function := range functions {
		for _, text := range []string{
			"", " ", "nonsense", "[]", "null", "1", `"x"`, "{", `{"a"}`, "{}{}", `{"unknown":1}`, "\xff", `{"\ud800":1}`,
			`{"decision":null,"decision":null,"handovers":[]}`, `{"decision":null,"handovers":[]}`,
			`{"decision":"0x0","handovers":[]}`, `{"decision":"0xZZ","handovers":[]}`,
			`{"decision":[],"handovers":[]}`, `{"decision":"00","handovers":[]}`,
			`{"height":1.5}`, `{"height":"1"}`, `{"index":1e2}`, `{"index":null}`, `{"Index":1}`,
			strings.Repeat("[", 1000), "{" + strings.Repeat(" ", 10_000) + "x",
			`{"` + strings.Repeat("n", 100_000) + `":1}`,
		} {
			w.Refused(w.Admin, function, text, 400, "ArgumentForm")
		}
		found := w.Raw(w.Admin, [][]byte{[]byte(function), make([]byte, 2*1024*1024+1)})
		w.refused(function, found, 400, "ArgumentLength")
		for _, parts := range [][][]byte{{[]byte(function)}, {[]byte(function), []byte("{}"), []byte("{}")}} {
			w.refused(function, w.Raw(w.Admin, parts), 400, "ArgumentCount")
		}
	}
	w.refused("nothing", w.Raw(w.Admin, nil), 400, "ArgumentCount")
	for _, name := range []string{"", "Init", "updateClient", "UpdateClient ", strings.Repeat("x", 5000)} {
		w.Refused(w.Admin, name, "{}", 400, "FunctionUnknown")
	}
	// What the ledger has is damaged: the peer's fault, and never half an answer.
	for _, key := range w.Ledger.Keys() {
		good := w.Ledger.Value(key)
		w.Ledger.Put(key, []byte(`{"genesisHash":"0x00","digest":5,"encoded":"0x"}`))
		for _, it := range []*peerdriver.Simulation{
			w.Call(w.Relayer, "UpdateClient", Update(w.Decide(20))), w.Call(w.Relayer, "Anchor", w.Prove(1, 10)),
		} {
			if status := it.Response.Status; status == 400 || status == 403 {
				t.Errorf("%s: %d %s", key, status, it.Response.Message)
			}
		}
		w.Ledger.Put(key, good)
	}
	w.Submit(w.Relayer, "UpdateClient", Update(w.Decide(20)))
}

// identities: who has no certificate of an MSP gets nowhere, before anything else is looked at.
func identities(t *testing.T, root string, execute Execute) {
	w := Opened(t, root, execute)
	pem := w.Relayer[strings.Index(string(w.Relayer), "-----BEGIN"):]
	for _, it := range []struct {
		name, refused string
		creator       []byte
	}{
		{"no creator", "IdentityMspId", nil},
		{"no protobuf", "IdentityForm", []byte("\xff\xff\xff")},
		{"cut protobuf", "IdentityForm", w.Relayer[:20]},
		{"no MSP", "IdentityMspId", peerdriver.Identity("", pem)},
		{"an MSP with a slash", "IdentityMspId", peerdriver.Identity("Org1MSP/x", pem)},
		{"a long MSP", "IdentityMspId", peerdriver.Identity(strings.Repeat("x", 65), pem)},
		{"no certificate", "IdentityCertificate", peerdriver.Identity("Org1MSP", nil)},
		{"no PEM", "IdentityCertificate", peerdriver.Identity("Org1MSP", []byte("certificate"))},
		{"two certificates", "IdentityCertificate", peerdriver.Identity("Org1MSP", append(append([]byte{}, pem...), pem...))},
		{"no DER", "IdentityCertificate", peerdriver.Identity("Org1MSP",
			[]byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"))},
		{"a hidden character", "IdentityCertificate", identity(t, "Org1MSP", "rela\u202eyer", "client")},
		{"a line separator", "IdentityCertificate", identity(t, "Org1MSP", "rela\u2028yer", "client")},
		{"a long subject", "IdentityCertificate", identity(t, "Org1MSP", strings.Repeat("x", 1025), "client")},
		{"a huge one", "IdentityCertificate", peerdriver.Identity("Org1MSP", make([]byte, 16*1024+1))},
	} {
		t.Run(it.name, func(*testing.T) {
			w.Refused(it.creator, "UpdateClient", "nonsense", 403, it.refused)
			w.Refused(it.creator, "GetStatus", "{}", 403, it.refused)
		})
	}
}

// nested: other chaincodes read, anchor and send; all else is a transaction of its own.
func nested(t *testing.T, root string, execute Execute) {
	w := Opened(t, root, execute)
	w.Outer = [][]byte{[]byte("TransferTitle"), []byte("{}")}
	for _, it := range []string{
		"InitClient", "UpdateClient", "SubmitMisbehaviour", "SetRelayer", "Pause", "Unpause",
	} {
		w.Refused(w.Admin, it, "nonsense", 403, "InvocationNested")
	}
	w.Refused(w.Admin, "UpdateClient", Update(w.Decide(20)), 403, "InvocationNested")
	w.Answer(w.Stranger, "VerifyAttestation", w.Prove(1, 10))
	w.Answer(w.Stranger, "GetStatus", "{}")
	w.Answer(w.Stranger, "GetCheckpoint", map[string]any{"height": 10})
	w.Submit(w.Stranger, "Anchor", w.Prove(1, 10))
	w.Answer(w.Stranger, "GetAnchor", map[string]any{"index": 1})
	w.Submit(w.Stranger, "SendMessage", map[string]any{
		"sequence": 1, "timeoutSeconds": 1_800_000_000, "receiver": "0x" + strings.Repeat("be", 20),
		"payloadHash": "0x" + strings.Repeat("01", 32),
	})
	w.Outer = [][]byte{[]byte("UpdateClient")}
	w.Refused(w.Admin, "UpdateClient", Update(w.Decide(20)), 403, "InvocationNested")
}
