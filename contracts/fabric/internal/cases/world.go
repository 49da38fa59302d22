// Package cases is what the chaincode has to do, whatever runs it: a stub in memory, or a process
// that a driver speaks to.
package cases

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hyperledger/fabric-protos-go-apiv2/peer"

	"tbsi.invalid/fabric/internal/testchain"
	"tbsi.invalid/fabric/peerdriver"
)

// Execute runs one proposal against a ledger.
type Execute func(*peerdriver.Ledger, peerdriver.Proposal) (*peerdriver.Simulation, error)

// Channel is the one of all cases.
const Channel = "channel-1"

// World is a channel with a chaincode, a TBSI chain, and people.
type World struct {
	T       *testing.T
	Execute Execute
	Ledger  *peerdriver.Ledger
	Chain   *testchain.Chain
	Log     *testchain.Log
	// Set decides on the chain.
	Set *testchain.Set
	// Admin and Relayer are clients of Org1MSP, Stranger of Org2MSP; Auditor has the
	// administrators' unit in the wrong MSP.
	Admin, Relayer, Stranger, Auditor []byte
	Now                               time.Time

	// Outer are the arguments of another chaincode that calls, nil for none.
	Outer [][]byte

	nonce uint64
}

// New is a world without a client.
func New(t *testing.T, root string, execute Execute) *World {
	t.Helper()
	chain, err := testchain.Load(root)
	if err != nil {
		t.Fatal(err)
	}
	return &World{
		T: t, Execute: execute, Ledger: peerdriver.NewLedger(), Chain: chain,
		Log: &testchain.Log{}, Set: chain.Sets["equal 4"],
		Admin:    identity(t, "Org1MSP", "管理者", "admin"),
		Relayer:  identity(t, "Org1MSP", "relayer", "client"),
		Stranger: identity(t, "Org2MSP", "somebody", "client"),
		Auditor:  identity(t, "Org2MSP", "auditor", "admin"),
		Now:      time.UnixMilli(testchain.StartMs).Add(time.Hour),
	}
}

// Opened is a world whose client began with height 10 and a log of 5 leaves.
func Opened(t *testing.T, root string, execute Execute, change ...func(map[string]any)) *World {
	t.Helper()
	w := New(t, root, execute)
	for range 5 {
		w.Log.Attest(w.Chain, 9)
	}
	w.Submit(w.Admin, "InitClient", w.Init(change...))
	return w
}

// Init is an argument of InitClient at height 10.
func (w *World) Init(change ...func(map[string]any)) map[string]any {
	at := w.Chain.At(10, w.Set, w.Log)
	out := map[string]any{
		"adminMspId": "Org1MSP", "adminUnit": "admin", "chainId": w.Chain.ChainID,
		"genesisHash": w.Chain.GenesisHash.String(), "checkpoint": Hex(at.Encode()),
		"validatorSet": Hex(w.Set.Encoded), "strict": false, "trustPeriodSeconds": 86400,
	}
	for _, it := range change {
		it(out)
	}
	return out
}

// Hex is 0x-hex.
func Hex(data []byte) string { return "0x" + hex.EncodeToString(data) }

// Digest is that of a certificate in an identity's place, as SetRelayer takes it.
func Digest(creator []byte) string {
	at := strings.Index(string(creator), "-----BEGIN")
	block, _ := pem.Decode(creator[at:])
	digest := sha256.Sum256(block.Bytes)
	return Hex(digest[:])
}

func identity(t *testing.T, mspID, name, unit string) []byte {
	t.Helper()
	secret, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: name, OrganizationalUnit: []string{unit}},
		NotBefore:    time.UnixMilli(testchain.StartMs), NotAfter: time.UnixMilli(testchain.StartMs).AddDate(1, 0, 0),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, secret.Public(), secret)
	if err != nil {
		t.Fatal(err)
	}
	return peerdriver.Identity(mspID, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// Call executes, and commits nothing. The argument is text, or what becomes JSON.
func (w *World) Call(by []byte, function string, argument any) *peerdriver.Simulation {
	w.T.Helper()
	text, ok := argument.(string)
	if !ok {
		encoded, err := json.Marshal(argument)
		if err != nil {
			w.T.Fatal(err)
		}
		text = string(encoded)
	}
	return w.Raw(by, [][]byte{[]byte(function), []byte(text)})
}

// Raw executes with these parts.
func (w *World) Raw(by []byte, args [][]byte) *peerdriver.Simulation {
	w.T.Helper()
	w.nonce++
	found, err := w.Execute(w.Ledger, peerdriver.Proposal{
		Channel: Channel, Creator: by, Args: args, Time: w.Now,
		Nonce: fmt.Appendf(nil, "nonce %d", w.nonce), Outer: w.Outer,
	})
	if err != nil {
		w.T.Fatalf("%s: %s", args, err)
	}
	if len(found.Refused) > 0 {
		w.T.Errorf("%.40s: asked for %v", args, found.Refused)
	}
	return found
}

// Answer executes what has to succeed, and reads what it says.
func (w *World) Answer(by []byte, function string, argument any) map[string]any {
	w.T.Helper()
	found := w.Call(by, function, argument)
	return w.succeeded(function, found)
}

func (w *World) succeeded(function string, found *peerdriver.Simulation) map[string]any {
	w.T.Helper()
	if found.Response.Status != 200 {
		w.T.Fatalf("%s: %d %s", function, found.Response.Status, found.Response.Message)
	}
	var out map[string]any
	if err := json.Unmarshal(found.Response.Payload, &out); err != nil {
		w.T.Fatal(err)
	}
	w.canonical(found.Response.Payload)
	if found.Event != nil {
		w.canonical(found.Event.Payload)
	}
	for _, it := range found.Writes() {
		_, value, _ := strings.Cut(it, "=")
		w.canonical([]byte(value))
	}
	return out
}

// canonical: what is kept, answered and emitted is canonical JSON.
func (w *World) canonical(text []byte) {
	w.T.Helper()
	var value any
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	decoder.UseNumber()
	if err := decoder.Decode(&value); err != nil {
		w.T.Fatal(err)
	}
	var again strings.Builder
	encoder := json.NewEncoder(&again)
	encoder.SetEscapeHTML(false)
	// Maps are written in the order of their keys.
	if err := encoder.Encode(value); err != nil {
		w.T.Fatal(err)
	}
	if strings.TrimSuffix(again.String(), "\n") != string(text) {
		w.T.Errorf("not canonical: %s", text)
	}
}

// Submit executes and commits as a block of its own.
func (w *World) Submit(by []byte, function string, argument any) map[string]any {
	w.T.Helper()
	found := w.Call(by, function, argument)
	out := w.succeeded(function, found)
	w.Block([]peer.TxValidationCode{peer.TxValidationCode_VALID}, found)
	return out
}

// Block commits several, which must be judged so.
func (w *World) Block(want []peer.TxValidationCode, block ...*peerdriver.Simulation) {
	w.T.Helper()
	codes, err := w.Ledger.Commit(block...)
	if err != nil {
		w.T.Fatal(err)
	}
	if !slices.Equal(codes, want) {
		w.T.Errorf("block: got %v, want %v", codes, want)
	}
}

// Refused executes what must be refused, with this status and name, writing nothing.
func (w *World) Refused(by []byte, function string, argument any, status int32, name string) string {
	w.T.Helper()
	return w.refused(function, w.Call(by, function, argument), status, name)
}

func (w *World) refused(where string, found *peerdriver.Simulation, status int32, name string) string {
	w.T.Helper()
	response := found.Response
	got, text, _ := strings.Cut(response.Message, ": ")
	if response.Status != status || got != name || text == "" || len(response.Message) > 1024 {
		w.T.Errorf("%s: got %d %s, want %d %s", where, response.Status, response.Message, status, name)
	}
	if found.Event != nil || len(response.Payload) > 0 {
		w.T.Errorf("%s: refused, and yet an answer", where)
	}
	if _, err := w.Ledger.Commit(found); err == nil {
		w.T.Errorf("%s: endorsed", where)
	}
	return text
}

// Update is an argument of UpdateClient.
func Update(decision []byte, handovers ...map[string]any) map[string]any {
	if handovers == nil {
		handovers = []map[string]any{}
	}
	out := map[string]any{"decision": nil, "handovers": handovers}
	if decision != nil {
		out["decision"] = Hex(decision)
	}
	return out
}

// Decide is the decision of a quorum of the world's set on its log.
func (w *World) Decide(height uint64) []byte {
	return w.Chain.Decide(w.Chain.At(height, w.Set, w.Log), w.Set, w.Set.Quorum(), 0)
}

// Handover is one from a set at `height` to the next, as UpdateClient takes it.
func (w *World) Handover(height uint64, from, to *testchain.Set) map[string]any {
	last := w.Chain.At(height, from, w.Log)
	last.NextValidatorSetHash = to.Hash
	first := w.Chain.At(height+1, to, w.Log)
	return map[string]any{
		"last":         Hex(w.Chain.Decide(last, from, from.Quorum(), 0)),
		"validatorSet": Hex(to.Encoded),
		"first":        Hex(w.Chain.Decide(first, to, to.Quorum(), 0)),
	}
}

// Prove is an argument of Anchor under the world's whole log.
func (w *World) Prove(index int, height uint64) map[string]any {
	path := []string{}
	for _, it := range w.Log.Path(index) {
		path = append(path, it.String())
	}
	return map[string]any{
		"leaf": Hex(w.Log.Leaves[index]), "index": index, "height": height, "path": path,
	}
}
